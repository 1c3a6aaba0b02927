//! Operators and their messages.

use super::{accepts, errors, rejects, repairs, shown};
use crate::diagnostics::Code;

fn with(value: &str) -> String {
    format!(
        "enum Level {{ Low, High }}\n\nfn f(n: int, x: float, t: text, m: money, d: duration, at: time, s: size, b: bool, l: Level, o: int?, xs: [int], by: [text: int]) -> bool {{\n  let r = {value}\n  [r] == [r]\n}}\n"
    )
}

#[test]
fn operators_take_what_means_something() {
    for good in [
        "n + 1 - n * 2 / 3 % 4",
        "x * 2 + 1",
        "m + m - 1usd",
        "m * 2",
        "2 * m",
        "m / 4",
        "m / m",
        "at + d",
        "at - at",
        "d * 2 - d",
        "d / d",
        "s + s",
        "-n",
        "-x",
        "not b",
        "b and not b or n < 3",
        "l < High",
        "l == Low",
        "o == 3",
        "o != none",
        "t < t",
        "x >= 1",
        "1 in xs",
        "\"a\" in by",
        "\"a\" in t",
        "n in [1, 2, 3]",
        "t in [\"a\": 1, \"b\": 2]",
        "n in [1: \"a\", 2: t]",
        "l in [Low: 1, High: n]",
        "t in [:]",
        "o in xs",
        "xs == []",
    ] {
        accepts(&with(good));
    }
}

#[test]
fn operators_refuse_the_rest() {
    let cases: &[(&str, Code, &str, &str)] = &[
        ("n + x", Code::BadOperands, "`+` cannot be used with `int` and `float`", "n + x"),
        ("m * m", Code::BadOperands, "cannot be used with `money` and `money`", "m * m"),
        ("at + at", Code::BadOperands, "cannot be used with `time` and `time`", "at + at"),
        ("n == t", Code::BadOperands, "never equal", "n == t"),
        ("n < t", Code::BadOperands, "cannot be used with", "n < t"),
        ("b < b", Code::BadOperands, "cannot be used with `bool` and `bool`", "b < b"),
        ("o + 1", Code::MaybeNone, "may be `none`", "o"),
        ("t + t", Code::TextPlus, "cannot be joined with `+`", "t + t"),
        ("xs + xs", Code::BadOperands, "cannot be used with `[int]` and `[int]`", "xs + xs"),
        ("-t", Code::BadOperands, "found `text`", "-t"),
        ("not n", Code::Mismatch, "expected `bool`, found `int`", "n"),
        ("n and b", Code::Mismatch, "expected `bool`, found `int`", "n"),
        ("\"a\" in xs", Code::BadOperands, "can never be in it", "\"a\""),
        ("1 in n", Code::BadOperands, "needs a list", "n"),
        ("n in [\"a\": 1]", Code::Mismatch, "expected `int`, found `text`", "\"a\""),
        ("n / 0", Code::AlwaysTraps, "divides by zero", "0"),
        ("1.0 / 0.0", Code::AlwaysTraps, "divides by zero", "0.0"),
        ("x % 0.0", Code::AlwaysTraps, "divides by zero", "0.0"),
        ("m / 0usd", Code::AlwaysTraps, "divides by zero", "0usd"),
        ("n == none", Code::NeverNone, "because it is `int`", "n == none"),
        ("none != t", Code::NeverNone, "because it is `text`", "none != t"),
        ("1usd + 1eur", Code::AlwaysTraps, "two currencies", "1usd + 1eur"),
        (
            "9_223_372_036_854_775_807 + 1",
            Code::AlwaysTraps,
            "64 bits",
            "9_223_372_036_854_775_807 + 1",
        ),
    ];
    for (value, code, words, at) in cases {
        rejects(&with(value), &[(*code, words, at)]);
    }
}

#[test]
fn sums_of_texts_become_templates() {
    for (sum, want) in [
        (r#""a" + t"#, r#""a${t}""#),
        (r#"t + "b""#, r#""${t}b""#),
        (r#""a" + t + "b" + "c""#, r#""a${t}bc""#),
        (r#"t + t"#, r#""${t}${t}""#),
        (r#""n: " + n"#, r#""n: ${n}""#),
        (r#""n: " + "${n}.""#, r#""n: ${n}.""#),
        (r#"t + " ${n}" + t"#, r#""${t} ${n}${t}""#),
    ] {
        let text = with(sum);
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{}", shown(&text, &found));
        let mut edits = found[0].fixes[0].edits.clone();
        edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.start, edit.span.end)));
        let mut repaired = text.clone();
        for edit in edits {
            repaired.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.insert);
        }
        assert!(repaired.contains(want), "{repaired}");
        repairs(&text, Code::TextPlus);
    }
}

#[test]
fn fixes_of_operators_repair_them() {
    repairs(&with("n + x"), Code::BadOperands);
    repairs(&with("xs + xs"), Code::BadOperands);
}
