//! Patterns, exhaustiveness, redundancy.

use super::{accepts, errors, rejects, repairs, shown};
use crate::diagnostics::Code;

const HEAD: &str = r#"
enum Light { Red, Yellow, Green }
enum Shape { Dot, Box(width: int, height: int), Line(length: int) }
record Pixel { x: int, on: bool }

"#;

fn with(ty: &str, arms: &str) -> String {
    format!("{HEAD}fn f(v: {ty}) -> int {{\n  match v {{\n    {arms}\n  }}\n}}\n")
}

#[test]
fn complete_matches_are_accepted() {
    for (ty, arms) in [
        ("Light", "Red => 1, Yellow | Green => 2"),
        ("Light", "Red => 1, other => 2"),
        ("Light?", "none => 0, Red => 1, Yellow => 2, Green => 3"),
        ("Light?", "none => 0, light => if light == Red { 1 } else { 2 }"),
        ("Shape", "Dot => 0, Box(w, h) => w * h, Line(length: l) => l"),
        ("Shape", "Box(width: 1) => 1, Box => 2, Dot | Line => 3"),
        ("Shape", "Box(w, _) | Line(w) => w, Dot => 0"),
        ("bool", "true => 1, false => 0"),
        ("Pixel", "Pixel(on: true) => 1, Pixel(x: 3, on: false) => 2, Pixel(x, on) => x"),
        ("int", "0 => 0, 1..9 => 1, _ => 2"),
        ("int where (min: 1, max: 3)", "1 => 1, 2..3 => 2"),
        ("text", "\"a\" => 1, \"b\" => 2, _ => 3"),
        ("[int]", "[] => 0, [x] => x, [x, y, ..] => x + y"),
        ("[bool]", "[true, ..rest] => list.length(rest), [false, ..] => 1, [] => 0"),
        (
            "Pair<bool, Light>",
            "Pair(true, _) => 1, Pair(false, Red) => 2, Pair(false, Yellow | Green) => 3",
        ),
        ("Result<int>", "Ok(n) => n, Failed(Timeout) => 0, Failed(other) => 1"),
        ("int", "n if n > 3 => 1, n => n"),
        ("float", "1 => 1, 2.5 => 2, _ => 3"),
        ("money", "1usd => 1, _ => 2"),
        ("int", "-5..-1 => 1, _ => 2"),
    ] {
        accepts(&with(ty, arms));
    }
}

#[test]
fn missing_cases_are_named() {
    for (ty, arms, missing) in [
        ("Light", "Red => 1, Green => 2", "`Yellow`"),
        ("Light", "Red => 1", "`Yellow`, `Green`"),
        ("Light?", "Red => 1, Yellow => 2, Green => 3", "`none`"),
        ("Light?", "none => 1, Red => 2, Yellow => 3", "`Green`"),
        ("Light?", "none => 1", "`value`"),
        ("Shape", "Dot => 0, Box(1, _) => 1, Line => 2", "`Box(_, _)`"),
        ("bool", "true => 1", "`false`"),
        ("int", "0..9 => 1", "other values of `int`"),
        ("int where (min: 1, max: 5)", "1 => 1, 3..5 => 2", "`2`"),
        ("text", "\"a\" => 1", "other values of `text`"),
        ("[int]", "[] => 0, [x, y, ..] => 1", "`[_]`"),
        ("[int]", "[x] => 0", "`[]`, `[_, _, ..]`"),
        ("Pair<bool, bool>", "Pair(true, _) => 1, Pair(_, true) => 2", "`Pair(false, false)`"),
        ("Result<Light>", "Ok(Red) => 1, Failed => 2", "`Ok(Yellow)`"),
        ("Light", "Red if 1 > 0 => 1, Yellow => 2, Green => 3", "`Red`"),
    ] {
        let text = with(ty, arms);
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{}", shown(&text, &found));
        assert_eq!(found[0].code, Code::NotExhaustive.as_str(), "{}", shown(&text, &found));
        assert!(found[0].message.contains(missing), "{missing}: {}", shown(&text, &found));
    }
    for (ty, arms) in [
        ("Light", "Red => 1"),
        ("Shape", "Dot => 0, Box(1, _) => 1, Line => 2"),
        ("[int]", "[x] => 0"),
        ("Light?", "none => 1"),
        ("int where (min: 1, max: 5)", "1 => 1, 3..5 => 2"),
    ] {
        repairs(&with(ty, arms), Code::NotExhaustive);
    }
}

#[test]
fn arms_that_never_run_are_refused() {
    for (ty, arms, at) in [
        ("Light", "Red => 1, Red => 2, _ => 3", "Red"),
        ("Light", "_ => 1, Red => 2", "Red"),
        ("Light", "Red => 1, Yellow => 2, Green => 3, _ => 4", "_"),
        ("Shape", "Box => 1, Box(1, 2) => 2, _ => 3", "Box(1, 2)"),
        ("int", "1..9 => 1, 3 => 2, _ => 3", "3"),
        ("int", "1..5 => 1, 6..9 => 2, 2..8 => 3, _ => 4", "2..8"),
        ("text", "\"a\" => 1, \"a\" => 2, _ => 3", "\"a\""),
        ("[int]", "[_, ..] => 1, [1, 2] => 2, [] => 3", "[1, 2]"),
        ("Light?", "none => 1, light => 2, Red => 3", "Red"),
    ] {
        rejects(&with(ty, arms), &[(Code::RedundantArm, "never runs", at)]);
    }
}

#[test]
fn patterns_are_of_the_type_that_is_matched() {
    for (ty, arms, code, words) in [
        ("int", "\"a\" => 1, _ => 2", Code::PatternMismatch, "cannot match a value of type `int`"),
        ("int", "none => 1, _ => 2", Code::PatternMismatch, "`none` cannot match"),
        (
            "text",
            "Red => 1, _ => 2",
            Code::PatternMismatch,
            "pattern of `Light` cannot match a value of type `text`",
        ),
        ("Light", "Blue => 1, _ => 2", Code::UnknownVariant, "no variant `Blue`"),
        ("Shape", "Box(w) => w, _ => 2", Code::PatternFields, "has 2 values"),
        ("Shape", "Box(widht: w) => w, _ => 2", Code::UnknownField, "no field `widht`"),
        ("Shape", "Dot(x) => x, _ => 2", Code::PatternFields, "has no values"),
        ("int", "9..1 => 1, _ => 2", Code::PatternMismatch, "the range is empty"),
        ("int", "[] => 1, _ => 2", Code::PatternMismatch, "a list cannot match"),
    ] {
        let text = with(ty, arms);
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{}", shown(&text, &found));
        assert_eq!(found[0].code, code.as_str(), "{}", shown(&text, &found));
        assert!(found[0].message.contains(words), "{}", shown(&text, &found));
    }
}

#[test]
fn lets_always_fit() {
    accepts(
        "fn f(p: Pair<int, text>) -> int {\n  let Pair(first: n, second: t) = p\n  n + text.length(t)\n}\n",
    );
    rejects(
        "fn f(r: Result<int>) -> int {\n  let Ok(n) = r\n  n\n}\n",
        &[(Code::RefutableLet, "does not always fit", "Ok(n)")],
    );
}

#[test]
fn catch_arms_cover_what_they_can() {
    accepts(
        "fn f(t: text) -> time { time.parse(t) catch { _ => time.parse(\"2026-01-01T00:00:00Z\"), Unknown => fail \"no\", Denied(why: w) => fail w } }\n",
    );
    rejects(
        "fn f(t: text) -> time { time.parse(t) catch { _ => time.parse(\"2026-01-01T00:00:00Z\"), Timeout => fail \"no\" } }\n",
        &[(Code::RedundantArm, "never runs", "Timeout")],
    );
}
