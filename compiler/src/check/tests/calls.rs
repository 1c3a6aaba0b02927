//! Calls, construction, selectors, spreads.

use super::{accepts, errors, rejects, repairs, shown};
use crate::diagnostics::Code;

const HEAD: &str = r#"
record Note { title: text, stars: int = 3, more: text? }

enum Mood { Good, Bad(why: text) }

fn area(width: int, height: int, margin: int = 0) -> int { width * height + margin }

"#;

fn with(body: &str) -> String {
    format!(
        "{HEAD}fn f(n: Note, xs: [Note], t: text) -> int {{\n  let r = {body}\n  let s = [r]\n  list.length(s)\n}}\n"
    )
}

#[test]
fn arguments_find_their_parameters() {
    for good in [
        "area(1, 2)",
        "area(1, height: 2)",
        "area(height: 2, width: 1, margin: 3)",
        "1 |> area(2)",
        "Note(title: t)",
        "Note(..n, stars: 5)",
        "Bad(t)",
        "Mood.Bad(why: t)",
        "list.sort(xs, by: .stars)",
        "list.sort(xs, by: .title, descending: true)",
        "list.unique(xs)",
        "list.min(xs, by: .stars)",
        "xs |> list.take(2) |> list.reverse()",
    ] {
        accepts(&with(good));
    }
}

#[test]
fn wrong_arguments_are_named() {
    let cases: &[(&str, Code, &str, &str)] = &[
        ("area(1)", Code::MissingArgument, "needs `height`", "area(1)"),
        ("area(1, 2, 3)", Code::ThirdPositional, "this argument needs its name", "3"),
        ("area(1, 2, 3, 4)", Code::TooManyArguments, "takes 3 arguments", "4"),
        ("area(1, 2, margn: 3)", Code::UnknownArgument, "no parameter `margn`", "margn"),
        ("area(1, 2, width: 3)", Code::RepeatedArgument, "`width` is given twice", "width: 3"),
        ("area(1, \"2\")", Code::Mismatch, "expected `int`, found `text`", "\"2\""),
        ("Note(titel: t)", Code::UnknownArgument, "no field `titel`", "titel"),
        ("Note(stars: 2)", Code::MissingArgument, "needs `title`", "Note(stars: 2)"),
        ("Note(..t, stars: 2)", Code::BadSpread, "needs a record, found `text`", "t"),
        ("Mood.Bad", Code::MissingArgument, "carries values", "Mood.Bad"),
        ("list.sort(xs, by: .star)", Code::UnknownField, "no field `star`", "star"),
        (
            "list.sort(xs, by: \"stars\")",
            Code::BadSelector,
            "expected a field such as",
            "by: \"stars\"",
        ),
        ("text.upper(.title)", Code::BadSelector, "found a field such as", "title"),
        ("list.sum(xs, by: .stars)", Code::UnknownArgument, "no parameter `by`", "by"),
        ("math.abs(t)", Code::Mismatch, "needs `int` and `float`", "t"),
    ];
    for (call, code, words, at) in cases {
        rejects(&with(call), &[(*code, words, at)]);
    }
}

#[test]
fn fixes_of_arguments_repair_them() {
    repairs(&with("area(1, 2, 3)"), Code::ThirdPositional);
    repairs(&with("area(1, 2, margn: 3)"), Code::UnknownArgument);
    repairs(&with("list.sort(xs, by: .star)"), Code::UnknownField);
}

#[test]
fn bare_variants_are_found_by_type_else_by_name() {
    let two = "enum A { Low, High }\nenum B { High, Top }\n\n";
    accepts(&format!("{two}fn f() -> B {{ High }}\n"));
    accepts(&format!("{two}fn f(a: A) -> bool {{ a == High }}\n"));
    accepts(&format!(
        "{two}fn f(a: A) -> bool {{ High != a and a < High and a in [Low, High] }}\n"
    ));
    accepts(&format!("{two}fn f() -> A {{\n  let x = Low\n  x\n}}\n"));
    rejects(
        &format!("{two}fn f() -> int {{\n  let x = High\n  1\n}}\n"),
        &[(Code::AmbiguousVariant, "is a variant of `A` and `B`", "High")],
    );
    rejects(
        &format!("{two}fn f() -> A {{ Hihg }}\n"),
        &[(Code::UnknownVariant, "no variant `Hihg`", "Hihg")],
    );
    rejects(
        &format!("{two}fn f() -> A {{ Top }}\n"),
        &[(Code::Mismatch, "expected `A`, found `B`", "Top")],
    );
}

#[test]
fn fields_are_found_or_suggested() {
    repairs(&with("n.titel"), Code::UnknownField);
    repairs(&with("xs.length"), Code::UnknownField);
    repairs(&with("n?.title"), Code::NeverNone);
    repairs(&with("n?. title"), Code::NeverNone);
    rejects(&with("n.author"), &[(Code::UnknownField, "no field `author`", "author")]);
    rejects(&with("t.size"), &[(Code::UnknownField, "`text` has no field `size`", "size")]);
}

#[test]
fn allow_and_endorse_give_their_value() {
    accepts("fn f(t: text) -> text { allow(t, only: [\"a\", \"b\"]) }\n");
    accepts("fn f(t: text) -> text { allow(t, matching: r\"^[a-z]+$\") }\n");
    accepts("fn f(t: text) -> text { endorse(t, because: \"it is a literal\") }\n");
    rejects(
        "fn f(t: text) -> text { allow(t) }\n",
        &[(Code::MissingArgument, "needs `only` or `matching`", "allow(t)")],
    );
    rejects(
        "fn f(t: text) -> text { allow(t, only: [1]) }\n",
        &[(Code::Mismatch, "expected `text`, found `int`", "1")],
    );
}

const SORTS: &str = "enum Level {\n  Low\n  High\n}\n\nenum Outcome {\n  Kept(why: text)\n  Lost\n}\n\nrecord P {\n  x: int\n  at: [int]\n  level: Level\n  limit: int?\n  by: [text: int]\n  of: json\n  end: Outcome\n}\n\n";

#[test]
fn only_what_has_an_order_is_sorted() {
    let body = |value: &str| {
        format!(
            "{SORTS}fn f(ps: [P], js: [json], ms: [[text: int]], ls: [Level], ns: [int], os: [int?], bs: [bool]) -> int {{\n  let r = {value}\n  if r is none {{ 1 }} else {{ 2 }}\n}}\n"
        )
    };
    for good in ["max(ps, by: .x)", "min(ps, by: .level)", "max(ls)", "min(ns)", "max([])"] {
        let text = body(&format!("list.{good}"));
        let found: Vec<_> = errors(&text).into_iter().filter(|one| one.code == "K0403").collect();
        assert!(found.is_empty(), "{}", shown(&text, &found));
    }
    for (bad, at) in [
        ("max(ps)", "ps"),
        ("min(js)", "js"),
        ("max(ms)", "ms"),
        ("max(os)", "os"),
        ("min(bs)", "bs"),
        ("max(ps, by: .at)", "by: .at"),
        ("min(ps, by: .of)", "by: .of"),
        ("max(ps, by: .limit)", "by: .limit"),
    ] {
        rejects(&body(&format!("list.{bad}")), &[(Code::BadOperands, "in order", at)]);
    }
    let sorted = |call: &str| format!("{SORTS}fn f(ps: [P]) -> [P] {{ {call} }}\n");
    accepts(&sorted("list.sort(ps, by: .x)"));
    accepts(&sorted("list.unique(ps)"));
    rejects(&sorted("list.sort(ps)"), &[(Code::BadOperands, "in order", "ps")]);
    rejects(
        &sorted("map.values(list.group(ps, by: .of)) |> list.concat()"),
        &[(Code::MapKey, "cannot be the key", "by: .of")],
    );
}

#[test]
fn one_mistake_in_a_generic_call_is_one_error() {
    rejects(
        "fn f<T>(x: T, y: T) -> T { x }\nfn g() -> int { f(1, \"a\") }\n",
        &[(Code::Mismatch, "expected", "1")],
    );
    rejects(
        "graph f() -> [int] { race 0 { 1 } }\n",
        &[(Code::OtherLiteral, "must be a whole number", "0")],
    );
}

#[test]
fn policies_without_meaning_are_refused() {
    let with = |policy: &str| {
        format!(
            "graph f(path: text) -> text {{\n  let a = file.read(path)\n  \"${{a}}${{file.read(\"b\") with ({policy})}}\"\n}}\n"
        )
    };
    for good in ["after: a", "after: [a]", "timeout: 1ms", "after: path"] {
        accepts(&with(good));
    }
    for (bad, words, at) in [
        ("after: 3", "names of values", "3"),
        ("after: [a, \"b\"]", "names of values", "\"b\""),
        ("timeout: 0s", "longer than zero", "0s"),
        ("deadline: -1s", "longer than zero", "-1s"),
        ("cache: 0ms", "longer than zero", "0ms"),
    ] {
        rejects(&with(bad), &[(Code::PolicyValue, words, at)]);
    }
    rejects(
        "model fast\nprompt p(q: text) -> text {\n  user q\n  model fast\n}\n",
        &[(Code::PromptModel, "must be the first", "model fast")],
    );
}

#[test]
fn types_of_the_standard_library_alone_are_refused() {
    rejects(
        "record P { x: int }\ngraph a(r: role, f: field<P, int>) -> text { \"a\" }\n",
        &[
            (Code::UnknownType, "only the standard library", "role"),
            (Code::UnknownType, "only the standard library", "field"),
        ],
    );
}
