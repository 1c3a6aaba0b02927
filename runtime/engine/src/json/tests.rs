//! Tests of reading and writing JSON by type.

use std::sync::Arc;

use kait_ir::{
    Bound, EnumType, Failure, FieldType, RecordType, Type, TypeId, Types, Value, VariantType,
};
use serde_json::json;

use super::*;
use crate::check::TypeTable;

fn field(name: &str, ty: TypeId) -> FieldType {
    FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    }
}

struct Fixture {
    table: TypeTable,
    ticket: TypeId,
    outcome: TypeId,
    tree: TypeId,
    scores: TypeId,
}

fn fixture() -> Fixture {
    let mut types = Types::default();
    let text = types.push(Type::Text);
    let int = types.push(Type::Int);
    let priority = types.push(Type::Refined {
        name: None,
        base: int,
        bounds: vec![Bound::Min(Value::Int(1)), Bound::Max(Value::Int(5))],
    });
    let body = types.push(Type::Refined {
        name: None,
        base: text,
        bounds: vec![Bound::MaxLen(10), Bound::Pattern("^[a-z ]*$".into())],
    });
    let variant = |name: &str, wire: &str, fields| VariantType {
        name: name.into(),
        wire: wire.into(),
        docs: "".into(),
        fields,
    };
    let label = types.push(Type::Enum(EnumType {
        name: "Label".into(),
        docs: "What it is about.".into(),
        variants: vec![variant("Bug", "bug", vec![]), variant("NeedsInfo", "needs-info", vec![])],
    }));
    let maybe = types.push(Type::Optional(label));
    let labels = types.push(Type::List(label));
    let unique =
        types.push(Type::Refined { name: None, base: labels, bounds: vec![Bound::Unique] });
    let mut sender = field("sender", text);
    sender.wire = "from".into();
    sender.docs = "Who wrote it.".into();
    let mut with_default = field("priority", priority);
    with_default.default = Some(Value::Int(3));
    let ticket = types.push(Type::Record(RecordType {
        name: "Ticket".into(),
        docs: "A ticket.".into(),
        fields: vec![
            field("body", body),
            with_default,
            sender,
            field("label", maybe),
            field("labels", unique),
        ],
    }));
    let money = types.push(Type::Money);
    let outcome = types.push(Type::Enum(EnumType {
        name: "Outcome".into(),
        docs: "".into(),
        variants: vec![
            variant("Paid", "paid", vec![field("amount", money)]),
            variant("Nothing", "nothing", vec![]),
        ],
    }));
    let tree = types.push(Type::None);
    let children = types.push(Type::List(tree));
    types.set(
        tree,
        Type::Record(RecordType {
            name: "Tree".into(),
            docs: "".into(),
            fields: vec![field("children", children)],
        }),
    );
    let scores = types.push(Type::Map(int, priority));
    Fixture { table: TypeTable::new(types).unwrap(), ticket, outcome, tree, scores }
}

#[test]
fn a_record_comes_back_with_defaults_and_wire_names() {
    let f = fixture();
    let wire = json!({"body": "hello", "from": "ada", "labels": ["bug"], "unknown": 1});
    let value = decode(&f.table, f.ticket, &wire).unwrap();
    assert_eq!(
        value,
        Value::record(vec![
            Value::text("hello"),
            Value::Int(3),
            Value::text("ada"),
            Value::None,
            Value::list(vec![Value::Tag(0)]),
        ])
    );
    let full = json!({
        "body": "hello", "priority": 3, "from": "ada", "label": null, "labels": ["bug"]
    });
    assert_eq!(encode(&f.table, f.ticket, &value), full);
    assert_eq!(decode(&f.table, f.ticket, &full).unwrap(), value);
}

#[test]
fn what_does_not_fit_is_named_with_its_path() {
    let f = fixture();
    for (wire, path, why) in [
        (json!({"body": "hello"}), "/from", "is missing"),
        (json!([]), "", "should be an object, is a list"),
        (json!({"body": 7}), "/body", "should be a text, is the number 7"),
        (json!({"body": "hello world x"}), "/body", "is 13 characters long, may have at most 10"),
        (json!({"body": "HELLO"}), "/body", "does not match the pattern `^[a-z ]*$`"),
        (json!({"body": "x", "priority": 9}), "/priority", "must be at most 5"),
        (
            json!({"body": "x", "priority": 1.5}),
            "/priority",
            "should be a whole number of at most 64 bits",
        ),
        (
            json!({"body": "x", "from": "a", "labels": ["bug", "x"]}),
            "/labels/1",
            "`x` is none of `bug`, `needs-info`",
        ),
        (
            json!({"body": "x", "from": "a", "labels": ["bug", "bug"]}),
            "/labels",
            "item 1 appears twice",
        ),
    ] {
        assert_eq!(decode(&f.table, f.ticket, &wire), Err(Failure::invalid(path, why)), "{wire}");
    }
    let bad = decode(&f.table, f.outcome, &json!({"kind": "paid", "amount": "20"}));
    assert!(matches!(bad, Err(Failure::Invalid { path, .. }) if path == "/amount"));
    let bad = decode(&f.table, f.outcome, &json!({"amount": "20"}));
    assert_eq!(bad, Err(Failure::invalid("/kind", "is missing")));
}

#[test]
fn enums_with_payload_are_objects() {
    let f = fixture();
    let paid = json!({"kind": "paid", "amount": "20.00 usd"});
    let value = decode(&f.table, f.outcome, &paid).unwrap();
    assert_eq!(value.tag(), Some(0));
    assert_eq!(encode(&f.table, f.outcome, &value), paid);
    let nothing = json!({"kind": "nothing"});
    let value = decode(&f.table, f.outcome, &nothing).unwrap();
    assert_eq!(value, Value::Tag(1));
    assert_eq!(encode(&f.table, f.outcome, &value), nothing);
}

#[test]
fn keys_that_are_numbers_are_texts_on_the_wire() {
    let f = fixture();
    let wire = json!({"7": 1, "-2": 5});
    let value = decode(&f.table, f.scores, &wire).unwrap();
    assert_eq!(encode(&f.table, f.scores, &value), wire);
    let bad = decode(&f.table, f.scores, &json!({"7": 6}));
    assert_eq!(bad, Err(Failure::invalid("/7", "must be at most 5")));
    assert!(decode(&f.table, f.scores, &json!({"x": 1})).is_err());
}

#[test]
fn nesting_is_bounded() {
    let f = fixture();
    let deep = |levels| {
        let mut wire = json!({"children": []});
        for _ in 0..levels {
            wire = json!({"children": [wire]});
        }
        wire
    };
    assert!(decode(&f.table, f.tree, &deep(20)).is_ok());
    let too_deep = decode(&f.table, f.tree, &deep(100)).unwrap_err();
    assert!(matches!(too_deep, Failure::Invalid { why, .. } if why.contains("128 levels")));
    let mut value = Value::record(vec![Value::list(vec![])]);
    for _ in 0..200 {
        value = Value::record(vec![Value::list(vec![value])]);
    }
    assert!(encode(&f.table, f.tree, &value).is_object());
}

#[test]
fn durations_and_money_are_exact() {
    for (nanos, wire) in [
        (0, "PT0S"),
        (5_400_000_000_000, "PT1H30M"),
        (-500_000_000, "-PT0.5S"),
        (1, "PT0.000000001S"),
        (172_800_000_000_000, "PT48H"),
        (61_000_000_000, "PT1M1S"),
    ] {
        assert_eq!(encode_duration(nanos), wire);
        assert_eq!(decode_duration(wire), Ok(nanos), "{wire}");
    }
    assert_eq!(decode_duration("P2D"), Ok(172_800_000_000_000));
    assert!(decode_duration("P1M").is_err());
    assert!(decode_duration("later").is_err());
    assert_eq!(decode_money("20.00 usd"), decode_money("USD 20.00"));
    for wrong in ["20", "usd", "20.00 dollars", "x usd", ""] {
        assert!(decode_money(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn scalars_come_back() {
    let mut types = Types::default();
    let cases = [
        (types.push(Type::Time), json!("2026-01-05T09:00:00Z")),
        (types.push(Type::Bytes), json!("AAEC")),
        (types.push(Type::Size), json!(65536)),
        (types.push(Type::Float), json!(0.1)),
        (types.push(Type::Json), json!({"a": [1, null]})),
        (types.push(Type::Bool), json!(true)),
        (types.push(Type::None), json!(null)),
        (types.push(Type::Image), json!({"name": "a", "media_type": "image/png", "data": "AAEC"})),
    ];
    let table = TypeTable::new(types).unwrap();
    for (ty, wire) in cases {
        let value = decode(&table, ty, &wire).unwrap();
        assert_eq!(encode(&table, ty, &value), wire);
        let wrong = if wire.is_string() { json!(1) } else { json!("?") };
        if !matches!(value, Value::Json(_)) {
            assert!(decode(&table, ty, &wrong).is_err(), "{wire}");
        }
    }
}

#[test]
fn schemas_say_what_is_checked() {
    let f = fixture();
    assert_eq!(
        schema(&f.table, f.ticket),
        json!({
            "type": "object",
            "description": "A ticket.",
            "properties": {
                "body": {"type": "string", "maxLength": 10, "pattern": "^[a-z ]*$"},
                "priority": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
                "from": {"type": "string", "description": "Who wrote it."},
                "label": {"anyOf": [{"$ref": "#/$defs/Label"}, {"type": "null"}]},
                "labels": {"type": "array", "items": {"$ref": "#/$defs/Label"}, "uniqueItems": true},
            },
            "required": ["body", "from", "labels"],
            "additionalProperties": false,
            "$defs": {
                "Label": {
                    "type": "string", "enum": ["bug", "needs-info"],
                    "description": "What it is about.",
                }
            }
        })
    );
    let tree = schema(&f.table, f.tree);
    assert_eq!(tree["properties"]["children"]["items"], json!({"$ref": "#/$defs/Tree"}));
    assert_eq!(tree["type"], "object");
    let paid = schema(&f.table, f.outcome);
    assert_eq!(paid["anyOf"][0]["properties"]["kind"], json!({"const": "paid"}));
    assert_eq!(paid["anyOf"][0]["required"], json!(["kind", "amount"]));
}

#[test]
fn templates_render_by_type() {
    let f = fixture();
    let text = |ty, value: &Value| crate::render::to_text(&f.table, ty, value);
    let labels = Value::list(vec![Value::Tag(1), Value::Tag(0)]);
    let ticket = Value::record(vec![
        Value::text("x"),
        Value::Int(1),
        Value::text("ada"),
        Value::None,
        labels.clone(),
    ]);
    assert_eq!(
        text(f.ticket, &ticket),
        r#"{"body":"x","priority":1,"from":"ada","label":null,"labels":["needs-info","bug"]}"#
    );
    let Type::Record(record) = f.table.get(f.ticket).clone() else { panic!("a record") };
    assert_eq!(text(record.fields[4].ty, &labels), "needs-info\nbug");
    assert_eq!(text(record.fields[3].ty, &Value::None), "");
    assert_eq!(text(record.fields[3].ty, &Value::Tag(0)), "bug");
    assert_eq!(text(f.outcome, &Value::Tag(1)), r#"{"kind":"nothing"}"#);
    let mut types = Types::default();
    let float = types.push(Type::Float);
    let table = TypeTable::new(types).unwrap();
    for (x, shown) in [(1.0, "1"), (0.1, "0.1"), (1e21, "1e21"), (-2.5e-9, "-2.5e-9"), (0.0, "0")] {
        assert_eq!(crate::render::to_text(&table, float, &Value::Float(x)), shown);
    }
}

#[test]
fn formats_are_checked() {
    use crate::check::fits_format;
    for (format, good, bad) in [
        ("email", "ada@example.com", "ada@"),
        ("uri", "https://example.com/a%20b", "example com"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00Z", "2026-02-28"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("hostname", "a-b.example", "-a.example"),
        ("duration", "PT5M", "5 minutes"),
    ] {
        assert!(fits_format(format, good), "{format} {good}");
        assert!(!fits_format(format, bad), "{format} {bad}");
    }
    assert!(fits_format("unheard-of", "anything"));
}

#[test]
fn values_are_checked_when_they_are_built() {
    let f = fixture();
    let value = Value::record(vec![
        Value::text("x"),
        Value::Int(9),
        Value::text("ada"),
        Value::None,
        Value::List(Arc::new(vec![])),
    ]);
    assert_eq!(
        f.table.check(f.ticket, &value),
        Err(Failure::invalid("/priority", "must be at most 5"))
    );
    assert_eq!(f.table.check(f.outcome, &Value::Tag(1)), Ok(()));
}
