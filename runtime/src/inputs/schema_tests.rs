//! What callers are told that is taken is what is taken: every form of a type, against what a validator that others wrote
//! says of its schema.

use std::sync::Arc;

use jsonschema::Validator;
use kait_engine::check::TypeTable;
use kait_engine::json::{encode, input_schema, output_schema};
use kait_ir::{
    Bound, Currency, EnumType, FieldType, Money, RecordType, Type, TypeId, Types, Value,
    VariantType,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};

struct Forms {
    table: TypeTable,
    /// Each with schemas of what is taken and what is sent.
    forms: Vec<(&'static str, TypeId, Validator, Validator)>,
}

fn field(name: &str, ty: TypeId, default: Option<Value>) -> FieldType {
    FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "What it is.".into(),
        ty,
        default,
        trust: None,
    }
}

fn variant(name: &str, fields: Vec<FieldType>) -> VariantType {
    VariantType { name: name.into(), wire: name.into(), docs: "".into(), fields }
}

fn money(cents: i64) -> Value {
    let amount = rust_decimal::Decimal::new(cents, 2);
    Value::Money(Money { amount, currency: Currency::parse("eur").unwrap() })
}

fn forms() -> Forms {
    let mut types = Types::default();
    let mut all = Vec::new();
    for (name, ty) in [
        ("text", Type::Text),
        ("int", Type::Int),
        ("float", Type::Float),
        ("bool", Type::Bool),
        ("bytes", Type::Bytes),
        ("json", Type::Json),
        ("time", Type::Time),
        ("duration", Type::Duration),
        ("money", Type::Money),
        ("size", Type::Size),
        ("image", Type::Image),
        ("audio", Type::Audio),
        ("file", Type::File),
        ("none", Type::None),
    ] {
        all.push((name, types.push(ty)));
    }
    let find = |all: &[(&str, TypeId)], name| all.iter().find(|(n, _)| *n == name).unwrap().1;
    let (text, int, float) = (find(&all, "text"), find(&all, "int"), find(&all, "float"));
    let (amount, size, time) = (find(&all, "money"), find(&all, "size"), find(&all, "time"));
    let duration = find(&all, "duration");
    let flag = find(&all, "bool");
    let mut refined = |base, bounds| types.push(Type::Refined { name: None, base, bounds });
    let (min, max) = (Bound::Min, Bound::Max);
    let few = refined(int, vec![min(Value::Int(-3)), max(Value::Int(12))]);
    let positive = refined(int, vec![min(Value::Int(1))]);
    let even = refined(few, vec![min(Value::Int(-9)), Bound::MultipleOf(Value::Int(2))]);
    let word = refined(
        text,
        vec![Bound::MinLen(1), Bound::MaxLen(4), Bound::Pattern("^[a-z1-9 ]*$".into())],
    );
    let short = refined(word, vec![Bound::Pattern("^.?.?$".into())]);
    let share = refined(float, vec![min(Value::Float(0.0)), max(Value::Float(1.5))]);
    let price = refined(amount, vec![min(money(-250)), max(money(1005))]);
    let fee = refined(amount, vec![min(money(0))]);
    let small = refined(size, vec![max(Value::Size(3_000_000))]);
    all.extend([
        ("int where", few),
        ("int where (min)", positive),
        ("int where where", even),
        ("text where", word),
        ("text where where", short),
        ("float where", share),
        ("money where", price),
        ("money where (min)", fee),
        ("size where", small),
    ]);
    let color = types.push(Type::Enum(EnumType {
        name: "Color".into(),
        docs: "".into(),
        variants: vec![variant("red", vec![]), variant("1", vec![])],
    }));
    let shape = types.push(Type::Enum(EnumType {
        name: "Shape".into(),
        docs: "".into(),
        variants: vec![
            variant("circle", vec![field("radius", share, None)]),
            variant("nothing", vec![]),
        ],
    }));
    let maybe = types.push(Type::Optional(word));
    let maybe_color = types.push(Type::Optional(color));
    let record = types.push(Type::Record(RecordType {
        name: "Order".into(),
        docs: "".into(),
        fields: vec![
            field("id", word, None),
            field("price", price, Some(money(100))),
            field("note", maybe, None),
            field("color", color, None),
            field("other", maybe_color, None),
        ],
    }));
    let tree = types.push(Type::None);
    let trees = types.push(Type::List(tree));
    types.set(
        tree,
        Type::Record(RecordType {
            name: "Tree".into(),
            docs: "".into(),
            fields: vec![field("below", trees, Some(Value::List(Arc::new(vec![]))))],
        }),
    );
    let list = types.push(Type::List(few));
    let list = types.push(Type::Refined {
        name: None,
        base: list,
        bounds: vec![min(Value::Int(1)), max(Value::Int(2)), Bound::Unique],
    });
    all.extend([
        ("enum", color),
        ("enum with payload", shape),
        ("optional", maybe),
        ("optional enum", maybe_color),
        ("record", record),
        ("recursive record", tree),
        ("list where", list),
    ]);
    for (name, key) in [
        ("[text: _]", text),
        ("[int: _]", int),
        ("[int where: _]", few),
        ("[bool: _]", flag),
        ("[time: _]", time),
        ("[duration: _]", duration),
        ("[money where: _]", price),
        ("[size where: _]", small),
        ("[text where: _]", word),
        ("[enum: _]", color),
    ] {
        all.push((name, types.push(Type::Map(key, maybe_color))));
    }
    let table = TypeTable::new(types).unwrap();
    let validator = |schema: &Json| {
        jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
    };
    let forms = all.into_iter().map(|(name, ty)| {
        let (taken, sent) = (input_schema(&table, ty), output_schema(&table, ty));
        (name, ty, validator(&taken), validator(&sent))
    });
    Forms { forms: forms.collect(), table: table.clone() }
}

/// Texts that fit some form, and some that almost do.
const TEXTS: &[&str] = &[
    "",
    "a",
    "ab c",
    "abcde",
    "Abc",
    "aéc",
    "red",
    "1",
    "12",
    "-3",
    "13",
    "0",
    "-0",
    "007",
    "1e2",
    "1.0",
    " 1",
    "true",
    "True",
    "null",
    "nothing",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "3000000",
    "3000001",
    "AAEC",
    "AAE=",
    "AA==",
    "AB==",
    "AAF=",
    "AA",
    "AA=",
    "A A=",
    "_-8=",
    "PT0S",
    "PT1H30M",
    "-PT0.5S",
    "P1D",
    "P2DT3H",
    "P3W",
    "P1W2D",
    "P1M",
    "P1Y",
    "PT",
    "P",
    "1h",
    "+PT1S",
    "pt1s",
    "PT1,5S",
    "PT1.5H",
    "PT1S1M",
    "PT2399999H999999M99999999S",
    "PT2499999H59M59S",
    "PT2500000H",
    "P89999DT99999H999999M99999999S",
    "P13999W",
    "P14000W",
    "PT8999999999.999999999S",
    "PT139999999M99999999S",
    "PT0.0000000001S",
    "20.00 usd",
    "20 USD",
    "usd 20",
    "1e3 usd",
    "20usd",
    "20  usd",
    "5 eur",
    "-2.5 eur",
    "-2.51 eur",
    "10.05 eur",
    "10.0500 eur",
    "10.051 eur",
    "0 eur",
    "-0 eur",
    "-0.01 eur",
    "007 eur",
    ".5 eur",
    "5. eur",
    "1234567890123456789012345678 eur",
    "12345678901234567890123456789 eur",
    "0.1234567890123456789012345678 eur",
    "2026-01-31T09:00:00Z",
    "2026-01-31 09:00:00Z",
    "2026-01-31t09:00:00z",
    "2026-01-31T09:00:00",
    "2026-01-31",
    "2026-02-29T00:00:00Z",
    "2024-02-29T23:59:59.123456789+23:59",
    "2000-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T09:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T23:59:60Z",
    "2026-01-31T09:00Z",
    "2026-01-31T09:00:00-00:00",
    "2026-01-31T09:00:00+24:00",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9998-12-31T23:59:59.999999999-23:59",
    "9999-12-31T00:00:00Z",
    "9999-11-30T23:59:59Z",
    "9999-11-30T23:59:59-01:00",
    "0001-01-01T00:00:00+00:01",
    "0002-01-01T00:00:00+23:59",
    "2026-01-31T09:00:00Z[UTC]",
];

fn text() -> impl Strategy<Value = String> {
    let known = || select(TEXTS).prop_map(str::to_owned);
    let letter = select("0123456789PTWDHMSZ:.-+=/ aeru".chars().collect::<Vec<_>>());
    let changed = (known(), any::<Index>(), proptest::option::of(letter), any::<bool>()).prop_map(
        |(text, at, letter, keep)| {
            let mut letters: Vec<_> = text.chars().collect();
            let at = at.index(letters.len() + 1);
            if !keep && at < letters.len() {
                letters.remove(at);
            }
            if let Some(letter) = letter {
                letters.insert(at, letter);
            }
            letters.into_iter().collect()
        },
    );
    let duration = proptest::string::string_regex(
        "-?P([0-9]{1,6}[WD])?(T([0-9]{1,8}H)?([0-9]{1,9}M)?([0-9]{1,10}(\\.[0-9]{1,10})?S)?)?",
    );
    let money = proptest::string::string_regex("-?[0-9]{1,2}(\\.[0-9]{1,4})? (eur|usd)");
    let time = proptest::string::string_regex("[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2]0:00:00Z");
    let base64 = proptest::string::string_regex("[A-Za-z0-9+/]{2,8}={0,2}");
    let short = proptest::string::string_regex("[a-d1-9 ]{1,4}");
    prop_oneof![
        3 => known(),
        2 => short.unwrap(),
        4 => changed,
        1 => duration.unwrap(),
        1 => money.unwrap(),
        1 => time.unwrap(),
        1 => base64.unwrap(),
    ]
}

fn number() -> impl Strategy<Value = Json> {
    let written = select(vec![
        "0",
        "-0",
        "-0.0",
        "1",
        "-3",
        "-4",
        "12",
        "13",
        "1.0",
        "1.5",
        "1.6",
        "2e0",
        "1e18",
        "1e19",
        "1e300",
        "-1e-300",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854777856",
        "3000000",
        "3000001",
        "18446744073709551615",
        "18446744073709551616",
        "1e-7",
        "36893488147419103232",
    ]);
    prop_oneof![
        written.prop_map(|text| serde_json::from_str(text).unwrap()),
        (-20i64..20).prop_map(Json::from),
        (-3.0f64..3.0).prop_map(Json::from),
    ]
}

/// Anything, and often what fits the records and enums of the tests, or nearly does.
fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
        3 => number(),
        5 => text().prop_map(Json::from),
        1 => Just(json!("red")),
    ];
    let keys = select(vec![
        "id",
        "price",
        "note",
        "color",
        "other",
        "kind",
        "radius",
        "below",
        "name",
        "media_type",
        "data",
        "more",
    ]);
    // Half of all are leaves, so that every form of a single value is met often.
    let nested = leaf.clone().prop_recursive(3, 12, 4, move |inner| {
        let likely = (inner.clone(), inner.clone(), text(), any::<u16>()).prop_map(|(a, b, text, mask)| {
            let mut object = json!({
                "id": "a", "price": a, "note": text, "color": "red", "other": b,
                "kind": "circle", "radius": 1, "media_type": "x", "data": text, "name": "n", "below": [],
            });
            let keep: &[&[&str]] = &[
                &["id", "price", "note", "color", "other"],
                &["id", "note", "color"],
                &["id", "color"],
                &["kind", "radius"],
                &["kind"],
                &["media_type", "data", "name"],
                &["media_type", "data"],
                &["below"],
            ];
            let keep = keep[usize::from(mask) % keep.len()];
            object.as_object_mut().unwrap().retain(|key, _| keep.contains(&key.as_str()));
            if mask & 512 != 0 && keep == ["kind"] {
                object["kind"] = json!("nothing");
            }
            object
        });
        let media = select(&["", "AAEC", "AA==", "AAE=", "AB=="][..])
            .prop_map(|data| json!({ "media_type": "x", "data": data }));
        let numbers = proptest::collection::vec(-5i64..14, 0..4).prop_map(Json::from);
        let map = (text(), prop_oneof![Just(Json::Null), Just(json!("red")), inner.clone()]);
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            1 => proptest::collection::vec((keys.clone(), inner), 0..4)
                .prop_map(|entries| entries.into_iter().collect()),
            1 => media,
            1 => numbers,
            3 => likely,
            2 => map.prop_map(|(key, value)| [(key, value)].into_iter().collect()),
        ]
    });
    prop_oneof![leaf, nested]
}

#[test]
fn a_schema_takes_what_a_run_takes() {
    let Forms { table, forms } = forms();
    let mut counts = vec![(0u32, 0u32); forms.len()];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 6_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let seen = std::cell::RefCell::new(&mut counts);
    let checked = runner.run(&value(), |json| {
        for (index, (name, ty, taken, sent)) in forms.iter().enumerate() {
            let told = taken.is_valid(&json);
            let decoded = super::json::decode(&table, *ty, &json);
            prop_assert_eq!(told, decoded.is_ok(), "{} {} {:?}", name, json, decoded);
            let mut seen = seen.borrow_mut();
            if let Ok(value) = decoded {
                seen[index].0 += 1;
                let back = encode(&table, *ty, &value);
                prop_assert!(sent.is_valid(&back), "{} {}", name, back);
                prop_assert!(taken.is_valid(&back), "{} {}", name, back);
            } else {
                seen[index].1 += 1;
            }
        }
        Ok(())
    });
    checked.unwrap();
    // Both happen for every form (anything is `json`), so the test can fail.
    for ((name, ..), (taken, refused)) in forms.iter().zip(counts) {
        assert!(
            taken > 5 && (refused > 5 || *name == "json"),
            "{name}: {taken} taken, {refused} refused"
        );
    }
}
