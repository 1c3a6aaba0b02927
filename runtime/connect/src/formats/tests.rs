//! Formats of data: both ways, with places, within bounds; differences that add up.

use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::json as wire;
use kait_ir::{Failure, FieldType, RecordType, Type, TypeId, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{diff, toml, xml, yaml};
use crate::testing::{Build, report};

type Decode = fn(&TypeTable, TypeId, &str) -> Result<Value, Failure>;

/// Decodes to `json`.
fn to_json(by: Decode, source: &str) -> Result<Json, Failure> {
    let mut b = Build::default();
    let ty = b.ty(Type::Json);
    let table = b.table();
    by(&table, ty, source).map(|value| wire::encode(&table, ty, &value))
}

#[track_caller]
fn fails(result: Result<impl std::fmt::Debug, Failure>, path: &str, why: &str) {
    match result {
        Err(Failure::Invalid { path: p, why: w }) => {
            assert_eq!(p, path);
            assert!(w.contains(why), "{w}");
        }
        other => panic!("{other:?}"),
    }
}

/// `{ name: text, port: int?, tags: [text] }`, the name as an attribute or a child.
fn server() -> (Arc<TypeTable>, TypeId) {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let int = b.ty(Type::Int);
    let port = b.ty(Type::Optional(int));
    let tags = b.ty(Type::List(text));
    let ty = b.record("Server", &[("name", text), ("port", port), ("tags", tags)]);
    (b.table(), ty)
}

fn ada() -> Value {
    let tags = Value::list(vec![Value::text("a"), Value::text("b")]);
    Value::record([Value::text("ada"), Value::Int(80), tags])
}

#[test]
fn the_same_record_in_every_format() {
    let (table, ty) = server();
    let yaml = "name: ada\nport: 80\ntags: [a, b]\n";
    assert_eq!(yaml::decode(&table, ty, yaml), Ok(ada()));
    let toml = "name = \"ada\"\nport = 80\ntags = [\"a\", \"b\"]\n";
    assert_eq!(toml::decode(&table, ty, toml), Ok(ada()));
    for xml in [
        "<server name='ada' port='80'><tags>a</tags><tags>b</tags></server>",
        "<?xml version='1.0'?><!-- x --><s><tags>a</tags><port> 80 </port><tags><![CDATA[b]]></tags><name>ada</name></s>",
    ] {
        assert_eq!(xml::decode(&table, ty, xml), Ok(ada()), "{xml}");
    }
}

#[test]
fn what_does_not_fit_is_reported_with_line_and_column() {
    let (table, ty) = server();
    fails(
        yaml::decode(&table, ty, "name: ada\nport: x\n"),
        "line 2, column 7 (/port)",
        "whole number",
    );
    fails(
        yaml::decode(&table, ty, "name: ada\ntags:\n  - a\n  - [1]\n"),
        "line 4, column 5 (/tags/1)",
        "text",
    );
    fails(
        toml::decode(&table, ty, "name = \"ä\"\nport = \"x\"\n"),
        "line 2, column 8 (/port)",
        "whole number",
    );
    let xml = "<s>\n  <name>ada</name>\n  <port>x</port>\n</s>";
    fails(xml::decode(&table, ty, xml), "line 3, column 3 (/port)", "whole number");
    let twice = "<s><name>a</name>\n<name>b</name></s>";
    fails(xml::decode(&table, ty, twice), "line 2, column 1", "twice");
    // What is missing is missing in what should hold it.
    fails(yaml::decode(&table, ty, "port: 1\n"), "line 1, column 1 (/name)", "");
}

#[test]
fn what_is_not_of_the_format_is_reported_with_line_and_column() {
    fails(to_json(yaml::decode, "a: 1\nb: [1, 2\n"), "line 3, column 1", "is no YAML");
    fails(to_json(yaml::decode, "a: 1\na: 2\n"), "line 2, column 1", "twice");
    fails(to_json(yaml::decode, "a: 1\n---\nb: 2\n"), "line 2, column 1", "second document");
    fails(to_json(yaml::decode, "a: .nan\n"), "line 1, column 4", "no numbers");
    fails(to_json(toml::decode, "a = 1\nb = \n"), "line 2, column 5", "is no TOML");
    fails(to_json(toml::decode, "a = inf\n"), "line 1, column 5", "no numbers");
    fails(to_json(xml::decode, "<a>\n  <b></c></a>"), "line 2, column 6", "is no XML");
    fails(to_json(xml::decode, "<a>\n<b>"), "line 2, column 1", "not closed");
    fails(to_json(xml::decode, "<a/><b/>"), "line 1, column 5", "second root");
    fails(to_json(xml::decode, "<a/>x"), "line 1, column 5", "outside");
    fails(to_json(xml::decode, "<a>&bomb;</a>"), "line 1, column 4", "bomb");
    fails(to_json(xml::decode, "<a b='1' b='2'/>"), "line 1, column 1", "twice");
    fails(to_json(xml::decode, ""), "line 1, column 1", "no element");
}

#[test]
fn scalars_of_yaml_are_those_of_its_core_schema() {
    let all = "[1, -2, 0x1F, 0o17, 1.5, 1e3, .5, true, ~, null, '', '1', yes, 1_000, 12:30, 2026-01-05, !!str 7, é]";
    let expected = json!([
        1,
        -2,
        31,
        15,
        1.5,
        1000.0,
        0.5,
        true,
        null,
        null,
        "",
        "1",
        "yes",
        "1_000",
        "12:30",
        "2026-01-05",
        "7",
        "é"
    ]);
    assert_eq!(to_json(yaml::decode, all).unwrap(), expected);
    assert_eq!(to_json(yaml::decode, "").unwrap(), Json::Null);
    assert_eq!(to_json(yaml::decode, "a: &x [1]\nb: *x\n").unwrap(), json!({"a": [1], "b": [1]}));
}

#[test]
fn elements_become_json() {
    let source = "<a id='1'><b>x</b><b/><c>t &amp; &#x41;</c> text </a>";
    let expected = json!({"id": "1", "b": ["x", ""], "c": "t & A", "#text": "text"});
    assert_eq!(to_json(xml::decode, source).unwrap(), expected);
}

#[test]
fn own_text_and_namespaces_have_wire_names() {
    let mut b = Build::default();
    let (text, int) = (b.ty(Type::Text), b.ty(Type::Int));
    let field = |name: &str, wire: &str, ty| FieldType {
        name: name.into(),
        wire: wire.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    };
    let fields = vec![
        field("unit", "unit", text),
        field("amount", "#text", int),
        field("by", "dc:by", text),
    ];
    let ty = b.ty(Type::Record(RecordType { name: "P".into(), docs: "".into(), fields }));
    let table = b.table();
    let value = xml::decode(&table, ty, "<p unit='kg'> 3 <dc:by>Ada</dc:by></p>").unwrap();
    assert_eq!(value, Value::record([Value::text("kg"), Value::Int(3), Value::text("Ada")]));
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (this, before) in ('b'..='j').zip('a'..='i') {
        let ten = vec![format!("*{before}"); 10].join(", ");
        laughs.push_str(&format!("{this}: &{this} [{ten}]\n"));
    }
    assert_eq!(to_json(yaml::decode, &laughs), Err(Failure::Budget { kind: "items".into() }));
    for (by, deep) in [
        (yaml::decode as Decode, "[".repeat(50_000)),
        (yaml::decode, "- ".repeat(50_000)),
        (yaml::decode, (0..2000).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        (toml::decode, format!("a = {}", "[".repeat(50_000))),
        (toml::decode, format!("a{} = 1", ".a".repeat(50_000))),
        (xml::decode, "<a>".repeat(50_000)),
    ] {
        let failure = to_json(by, &deep).unwrap_err();
        assert!(matches!(failure, Failure::Invalid { .. }), "{failure:?}");
    }
    // An alias must not make of many shallow parts one that is too deep to drop.
    let mut chain = String::from("a0: &a0 [x]\n");
    for n in 1..200 {
        chain.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
    }
    let failure = to_json(yaml::decode, &chain).unwrap_err();
    assert!(format!("{failure:?}").contains("nested deeper"), "{failure:?}");
}

#[test]
fn encoding_is_readable() {
    let value = json!({"name": "Ada", "count": 1, "on": "no", "empty": [], "list": [{"a": "x: y", "b": [1, 2]}, []], "map": {"k": null}});
    assert_eq!(
        yaml::encode(&value),
        "name: Ada\ncount: 1\n\"on\": \"no\"\nempty: []\nlist:\n  - a: \"x: y\"\n    b:\n      - 1\n      - 2\n  - []\nmap:\n  k: null\n"
    );
    assert_eq!(
        toml::encode(&json!({"b": {"c": [1, 2], "d": null}, "a": "x"})).unwrap(),
        "a = \"x\"\n\n[b]\nc = [\n    1,\n    2,\n]\n"
    );
    fails(toml::encode(&json!([1])), "", "record");
    fails(toml::encode(&json!({"a": [null]})), "", "none");
    fails(xml::encode(&json!({"a b": 1}), "r"), "", "a b");
    fails(xml::encode(&json!("\u{1}"), "r"), "", "U+0001");
    assert_eq!(
        xml::encode(&json!({"a": ["<", [2]], "b": {"#text": "t"}}), "r").unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r>\n  <a>&lt;</a>\n  <a>\n    <item>2</item>\n  </a>\n  <b>t</b>\n</r>\n"
    );
}

#[test]
fn differences_are_those_of_diff() {
    let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
    let new = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm";
    assert_eq!(
        diff::unified_text(old, new, 1).unwrap(),
        "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n@@ -12,1 +12,2 @@\n l\n+m\n\\ No newline at end of file\n"
    );
    assert_eq!(diff::unified_text(old, old, 3).unwrap(), "");
    assert_eq!(diff::unified_text("", "a\n", 3).unwrap(), "@@ -0,0 +1,1 @@\n+a\n");
    assert_eq!(diff::unified_text("a\n", "", 3).unwrap(), "@@ -1,1 +0,0 @@\n-a\n");
    // Wholly different texts of many lines end in time.
    let many =
        |f: fn(u32) -> u32| (0..60_000).map(|n| format!("{}\n", f(n) % 5000)).collect::<String>();
    diff::unified_text(&many(|n| n.wrapping_mul(2_654_435_761)), &many(|n| n / 7), 3).unwrap();
}

/// JSON that every format can hold: at the root an object, without null.
fn document() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e15..1e15f64).prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        "[ \\n\\t:#'\"\\\\-]{0,6}".prop_map(Json::from),
        proptest::sample::select(vec![
            "no", "1", "~", "0x1", "- a", "a: b", "#x", "\r\n", "\u{85}", "é"
        ])
        .prop_map(Json::from),
    ];
    let value = leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::vec(("\\PC{0,8}", inner), 0..5)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    });
    proptest::collection::vec(("\\PC{0,8}", value), 0..5)
        .prop_map(|fields| Json::Object(fields.into_iter().collect()))
}

/// Equal but for the order of keys, which TOML does not keep between tables and values.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn yaml_gives_back_what_it_was_given(value in document()) {
        let text = yaml::encode(&value);
        let back = to_json(yaml::decode, &text);
        prop_assert!(back.as_ref().is_ok_and(|back| same(back, &value)), "{text}\n{back:?}");
    }

    #[test]
    fn toml_gives_back_what_it_was_given(value in document()) {
        let text = toml::encode(&value).unwrap();
        let back = to_json(toml::decode, &text);
        prop_assert!(back.as_ref().is_ok_and(|back| same(back, &value)), "{text}\n{back:?}");
    }

    #[test]
    fn xml_gives_back_typed_values(
        title in "\\PC{0,20}",
        notes in proptest::collection::vec("[a-z<&>\"' \\r\\n\\t]{0,9}", 1..4),
        score in proptest::option::of(1..=5i64),
        revise in any::<bool>(),
    ) {
        let (table, ty) = report();
        let verdict = if revise { json!({"kind": "revise", "notes": "a < b", "grade": 3}) } else { json!({"kind": "accept"}) };
        let value = json!({
            "title": title, "topic": "billing", "notes": notes, "verdict": verdict,
            "score": score, "id": "ord_ab12",
        });
        let value = wire::decode(&table, ty, &value).unwrap();
        let text = xml::encode(&wire::encode(&table, ty, &value), "report").unwrap();
        prop_assert_eq!(xml::decode(&table, ty, &text), Ok(value), "{}", text);
    }

    #[test]
    fn no_text_breaks_a_decoder(source in "\\PC{0,80}", bits in "[-a:{}\\[\\]<>/&'\"=#|\\n *!%?,]{0,60}") {
        let (table, ty) = report();
        for by in [yaml::decode as Decode, toml::decode, xml::decode] {
            let _ = to_json(by, &source);
            let _ = to_json(by, &bits);
            let _ = by(&table, ty, &bits);
        }
    }

    #[test]
    fn parts_of_a_difference_add_up(old in "[ab \\n]{0,40}", new in "[ab \\né]{0,40}", context in 0usize..4) {
        for (a, b) in [
            (old.split_inclusive('\n').collect::<Vec<_>>(), new.split_inclusive('\n').collect::<Vec<_>>()),
            (old.split(' ').collect(), new.split(' ').collect()),
        ] {
            let Value::List(parts) = diff::changes(a.clone(), b.clone()).unwrap() else { panic!() };
            let without = |kind: u32| -> String {
                let kept = parts.iter().filter(|part| part.fields()[0] != Value::Tag(kind));
                kept.map(|part| part.fields()[1].as_text().unwrap().to_owned()).collect()
            };
            prop_assert_eq!(without(2), a.concat());
            prop_assert_eq!(without(1), b.concat());
        }
        let unified = diff::unified_text(&old, &new, context).unwrap();
        prop_assert_eq!(unified.is_empty(), old == new);
    }
}
