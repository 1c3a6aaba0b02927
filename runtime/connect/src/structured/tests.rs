//! Tests of structured answers: tolerant reading, growth, repair.

use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::json::encode;
use kait_ir::{Bound, Failure, Type, TypeId, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{AnswerParser, answer_schema};
use crate::growth::{Growth, Path, Step};
use crate::testing::{Build, report};

type Parsed = (Vec<Growth>, Result<Value, Failure>);

/// Parses in pieces; growth of one text in a row is joined, since how it was cut does not count.
fn parse_pieces(table: &Arc<TypeTable>, ty: TypeId, pieces: &[&str]) -> Parsed {
    let mut grown: Vec<Growth> = Vec::new();
    let mut take = |growth: Growth| match (grown.last_mut(), &growth) {
        (Some(Growth::Append { path: a, text: before }), Growth::Append { path: b, text })
            if a == b =>
        {
            *before = format!("{before}{text}").into();
        }
        _ => grown.push(growth),
    };
    let mut parser = AnswerParser::new(table.clone(), ty);
    for piece in pieces {
        if let Err(failure) = parser.push(piece, &mut take) {
            return (grown, Err(failure));
        }
    }
    let result = parser.finish(&mut take);
    (grown, result)
}

fn parse(table: &Arc<TypeTable>, ty: TypeId, answer: &str) -> Result<Json, Failure> {
    let (_, result) = parse_pieces(table, ty, &[answer]);
    result.map(|value| encode(table, ty, &value))
}

const GOOD: &str = r#"{"title": "Tea \"hot\" 👍", "topic": "billing", "notes": ["a", "b\nc"],
    "verdict": {"kind": "revise", "notes": "more", "grade": 3}, "score": 4, "id": "ord_ab12", "extra": {"k": [1, null]}}"#;

fn good() -> Json {
    json!({
        "title": "Tea \"hot\" 👍", "topic": "billing", "notes": ["a", "b\nc"],
        "verdict": {"kind": "revise", "notes": "more", "grade": 3}, "score": 4, "id": "ord_ab12",
        "extra": {"k": [1, null]},
    })
}

#[test]
fn growth_is_typed_and_in_order() {
    let (table, ty) = report();
    let (grown, result) = parse_pieces(&table, ty, &[GOOD]);
    assert_eq!(encode(&table, ty, &result.unwrap()), good());
    let path = |steps: &[Step]| Path::from_slice(steps);
    let (field, item) = (Step::Field, Step::Item);
    let text = |p: &[Step], t: &str| {
        [
            Growth::Append { path: path(p), text: t.into() },
            Growth::Set { path: path(p), value: Value::text(t) },
        ]
    };
    let set = |p: &[Step], value: Value| Growth::Set { path: path(p), value };
    let mut expected = Vec::new();
    expected.extend(text(&[field(0)], "Tea \"hot\" 👍"));
    expected.push(set(&[field(1)], Value::Tag(0)));
    expected.extend(text(&[field(2), item(0)], "a"));
    expected.extend(text(&[field(2), item(1)], "b\nc"));
    expected.push(set(&[field(2)], Value::list(vec![Value::text("a"), Value::text("b\nc")])));
    expected.push(Growth::Tag { path: path(&[field(3)]), variant: 1 });
    expected.extend(text(&[field(3), field(0)], "more"));
    expected.push(set(&[field(3), field(1)], Value::Int(3)));
    expected.push(set(&[field(3)], Value::variant(1, vec![Value::text("more"), Value::Int(3)])));
    expected.push(set(&[field(4)], Value::Int(4)));
    expected.push(set(&[field(5)], Value::text("ord_ab12")));
    let Growth::Set { value: extra @ Value::Json(_), .. } = grown.last().unwrap() else { panic!() };
    expected.push(set(&[field(6)], extra.clone()));
    assert_eq!(grown, expected);
}

#[test]
fn careless_answers_are_understood() {
    let (table, ty) = report();
    for answer in [
        format!("Here you are:\n```json\n{GOOD}\n```\nAnything else?"),
        format!("I use {{braces}} and {{\"quotes\"}} first. {GOOD}"),
        GOOD.replace("]", ",]").replace("}}", ",},}"),
        GOOD.replace("\"title\":", "title :")
            .replace("\"notes\"", "'notes'")
            .replace("\"id\"", "id"),
        GOOD.replace("\"billing\"", "Billing").replace("\"revise\"", "\"Revise\""),
        GOOD.replace("{\"title\"", "{ // first\n /* and\n ** more */ \"title\""),
        GOOD.replace("\"score\": 4", "\"score\": \"4\"").replace("\"grade\": 3", "\"grade\": 3.0"),
        GOOD.replace("\"b\\nc\"", "\"b\nc\"").replace("👍", "\\ud83d\\udc4d"),
        GOOD.replace("\"topic\"", "\"reasoning\": {\"a\": [\"}\", {}]}, \"Topic\""),
        GOOD.replace(
            "{\"kind\": \"revise\", \"notes\": \"more\",",
            "{\"notes\": \"more\", \"kind\": \"revise\",",
        ),
        GOOD.replace(", \"score\"", "\n\"score\""),
    ] {
        assert_eq!(parse(&table, ty, &answer), Ok(good()), "{answer}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let (table, ty) = report();
    for (answer, place, words) in [
        (GOOD.replace("\"score\": 4", "\"score\": 9"), "/score", "5"),
        (GOOD.replace("ord_ab12", "ord_x"), "/id", "ord_"),
        (GOOD.replace("[\"a\", \"b\\nc\"]", "[]"), "/notes", "1"),
        (GOOD.replace("[\"a\", \"b\\nc\"]", "[\"a\", {}]"), "/notes/1", "text"),
        (GOOD.replace("billing", "weather"), "/topic", "`billing`"),
        (GOOD.replace("revise", "maybe"), "/verdict/kind", "`revise`"),
        (GOOD.replace("\"grade\": 3", "\"grade\": \"good\""), "/verdict/grade", "whole number"),
        (GOOD.replace("\"kind\": \"revise\", ", ""), "/verdict/kind", "missing"),
        (GOOD.replace("\"topic\": \"billing\", ", ""), "/topic", "missing"),
        (GOOD.replace("Tea", "A title that is too long"), "/title", "20"),
        (GOOD.replace("\"b\\nc\"]", "\"b\\nc\"}"), "/notes/2", "`]`"),
        (GOOD[..GOOD.len() / 2].to_owned(), "/verdict", "ends before it is complete"),
        (GOOD[..20].to_owned(), "/title", "ends before it is complete"),
        ("I cannot answer that.".to_owned(), "", "no JSON"),
        (String::new(), "", "no JSON"),
        ("[".repeat(500), "", "no JSON"),
        (GOOD.replace("{\"k\": [1, null]}", &"[".repeat(500)), "/extra", "nested"),
    ] {
        match parse(&table, ty, &answer) {
            Err(Failure::Invalid { path, why }) => {
                assert!(path.starts_with(place) && why.contains(words), "{answer}\n{path}: {why}");
            }
            other => panic!("{answer}: {other:?}"),
        }
    }
}

#[test]
fn roots_that_are_no_records_are_wrapped() {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let int = b.ty(Type::Int);
    let list = b.ty(Type::List(int));
    let topic = b.choice("Topic", &[("Billing", &[]), ("Other", &[])]);
    let verdict = b.choice("Verdict", &[("Accept", &[]), ("Revise", &[("notes", text)])]);
    let map = b.ty(Type::Map(text, int));
    let money = b.ty(Type::Money);
    let record = b.record("R", &[("a", int)]);
    let records = b.ty(Type::List(record));
    let table = b.table();
    for (ty, answer, expected) in [
        (list, r#"{"value": [1, 2]}"#, json!([1, 2])),
        (list, "Sure: [1, 2]", json!([1, 2])),
        (list, "[]", json!([])),
        (records, r#"As [1] says: [{"a": 1}, {a: 2,},]"#, json!([{"a": 1}, {"a": 2}])),
        (topic, r#"{"value": "other"}"#, json!("other")),
        (topic, "{value: Other}", json!("other")),
        (topic, "`Billing`.", json!("billing")),
        (
            verdict,
            r#"{"value": {"kind": "revise", "notes": "x"}}"#,
            json!({"kind": "revise", "notes": "x"}),
        ),
        (verdict, r#"{"kind": "accept"}"#, json!({"kind": "accept"})),
        (verdict, r#"{"value": "accept"}"#, json!({"kind": "accept"})),
        (map, r#"{"value": {"a": 1}}"#, json!({"a": 1})),
        (map, r#"{"a": 1}"#, json!({"a": 1})),
        (int, "42", json!(42)),
        (int, r#"{"value": 42}"#, json!(42)),
        (money, r#"{"value": "20.00 usd"}"#, json!("20.00 usd")),
    ] {
        assert_eq!(parse(&table, ty, answer), Ok(expected), "{answer}");
    }
    assert!(parse(&table, list, r#"{"other": [1]}"#).is_err());
    assert!(parse(&table, list, r#"{"value": [1]"#).is_ok(), "the value itself is complete");
    assert!(parse(&table, list, r#"{"value": [1"#).is_err());
    // A list at the root grows item by item, without the wrapping.
    let (grown, _) = parse_pieces(&table, list, &[r#"{"value": [1"#, ", 2"]);
    assert_eq!(
        grown,
        [Growth::Set { path: Path::from_slice(&[Step::Item(0)]), value: Value::Int(1) }]
    );
}

#[test]
fn odd_escapes_do_no_harm() {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let record = b.record("R", &[("a", text)]);
    let table = b.table();
    for (escaped, expected) in [
        (r"\u00e9\/\\\t", "é/\\\t"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83dx", "\u{fffd}x"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ude00\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\u12", "\u{fffd}"),
        (r"\u12\n", "\u{fffd}\n"),
        (r"\q", "q"),
    ] {
        let answer = format!("{{\"a\": \"{escaped}\"}}");
        assert_eq!(parse(&table, record, &answer), Ok(json!({ "a": expected })), "{escaped}");
    }
}

#[test]
fn schemas_keep_the_rules_of_strict_modes() {
    let (table, ty) = report();
    let answer = answer_schema(&table, ty);
    assert!(!answer.strict, "`json` cannot be said strictly");
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let short = b.bound(text, vec![Bound::MaxLen(9), Bound::Format("uri".into())]);
    let maybe = b.ty(Type::Optional(short));
    let list = b.ty(Type::List(text));
    let list = b.bound(list, vec![Bound::Max(Value::Int(3)), Bound::Unique]);
    let verdict = b.choice("Verdict", &[("Accept", &[]), ("Revise", &[("notes", maybe)])]);
    let table = b.table();
    let wrapped = |inner: Json| json!({"type": "object", "properties": {"value": inner}, "required": ["value"], "additionalProperties": false});
    let schema = answer_schema(&table, list);
    let expected = json!({"type": "array", "items": {"type": "string"}, "maxItems": 3, "description": "all items differ"});
    assert_eq!((schema.schema, schema.strict), (wrapped(expected), true));
    let schema = answer_schema(&table, verdict);
    assert!(schema.strict);
    let variants = schema.schema["properties"]["value"]["anyOf"].as_array().unwrap();
    let revise = &variants[1];
    assert_eq!(revise["required"], json!(["kind", "notes"]));
    assert_eq!(revise["additionalProperties"], json!(false));
    assert_eq!(revise["properties"]["kind"], json!({"const": "revise"}));
    let notes = revise["properties"]["notes"].to_string();
    assert!(
        notes.contains("null")
            && notes.contains("at most 9 characters")
            && !notes.contains("maxLength"),
        "{notes}"
    );
}

proptest! {
    #[test]
    fn nothing_depends_on_how_the_answer_was_cut(
        prefix in "(Sure: |```json\n|\\{x\\} |)",
        variation in 0usize..6,
        cuts in proptest::collection::vec(0usize..400, 0..30),
        end in 0usize..400,
    ) {
        let (table, ty) = report();
        let answer = match variation {
            0 => GOOD.replace("\"title\"", "title"),
            1 => GOOD.replace("👍", "\\ud83d\\udc4d"),
            2 => GOOD.replace("score\": 4", "score\": 44"),
            3 => GOOD.replace("{\"kind\": \"revise\",", "{ /* x */").replace("\"grade\": 3", "\"grade\": 3, \"kind\": \"revise\""),
            _ => GOOD.to_owned(),
        };
        let mut answer = format!("{prefix}{answer}");
        let end = (0..=end).rev().find(|at| answer.is_char_boundary(*at)).unwrap_or(0);
        if variation == 5 {
            answer.truncate(end.max(1).min(answer.len()));
        }
        let mut cuts: Vec<usize> =
            cuts.into_iter().filter(|at| *at <= answer.len() && answer.is_char_boundary(*at)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut last = 0;
        for at in cuts {
            pieces.push(&answer[last..at]);
            last = at;
        }
        pieces.push(&answer[last..]);
        prop_assert_eq!(parse_pieces(&table, ty, &pieces), parse_pieces(&table, ty, &[&answer]));
    }

    #[test]
    fn no_answer_breaks_the_parser(answer in "([{}\\[\\],:\"'/*\\\\a-z0-9\n ]|title|notes|kind|\\\\u|null|```){0,80}") {
        let (table, ty) = report();
        let whole = parse_pieces(&table, ty, &[&answer]);
        let chars: Vec<String> = answer.chars().map(String::from).collect();
        let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
        prop_assert_eq!(parse_pieces(&table, ty, &pieces), whole);
    }
}

#[test]
fn a_long_answer_in_many_pieces_costs_little() {
    let (table, ty) = {
        let mut b = Build::default();
        let text = b.ty(Type::Text);
        let item = b.record("Item", &[("a", text), ("b", text)]);
        let list = b.ty(Type::List(item));
        (b.table(), list)
    };
    let long = "word ".repeat(20_000);
    let answer = format!(
        "{{\"value\": [{}]}}",
        vec![format!("{{\"a\": \"{long}\", \"b\": \"x\"}}"); 20].join(",")
    );
    let started = std::time::Instant::now();
    let mut parser = AnswerParser::new(table, ty);
    for piece in answer.as_bytes().chunks(7) {
        parser.push(std::str::from_utf8(piece).unwrap(), &mut |_| ()).unwrap();
    }
    parser.finish(&mut |_| ()).unwrap();
    // 2 MB in 290,000 pieces: a parser that reads again from the start would take hours.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
