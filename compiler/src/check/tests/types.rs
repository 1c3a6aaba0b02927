//! Inference, conversions and bounds.

use super::{accepts, rejects, repairs, reveals};
use crate::diagnostics::Code;

#[test]
fn types_are_inferred_from_what_std_declares() {
    reveals(
        r#"
record Note { title: text, stars: int, tags: [text] }

fn look(notes: [Note], ages: [text: int]) -> int {
  let sorted = list.sort(notes, by: .stars, descending: true)
  let groups = list.group(notes, by: .title)
  let first = list.first(notes)
  let title = first?.title
  let certain = title ?? "none"
  let pairs = list.zip(notes, with: [1, 2])
  let numbered = list.enumerate(["a"])
  let second = pairs[1]
  let keys = map.keys(ages)
  let age = ages["ada"]
  let tags = for note in notes { note.tags }
  let flat = list.concat(tags)
  let mixed = [1, none]
  let floats = [1, 2.5]
  let most = list.max(for n in notes { n.stars })
  let sum = list.sum([1usd, 2usd])
  let tried = try list.length(keys)
  let span = time.between(time.parse("2026-01-01T00:00:00Z"), time.parse("2026-01-02T00:00:00Z")) * 2
  let third = 10usd / 3
  list.length(sorted)
}
"#,
        "look",
        &[
            ("sorted", "[Note]"),
            ("groups", "[text: [Note]]"),
            ("first", "Note?"),
            ("title", "text?"),
            ("certain", "text"),
            ("pairs", "[Pair<Note, int>]"),
            ("numbered", "[Indexed<text>]"),
            ("second", "Pair<Note, int>?"),
            ("keys", "[text]"),
            ("age", "int?"),
            ("tags", "[[text]]"),
            ("flat", "[text]"),
            ("mixed", "[int?]"),
            ("floats", "[float]"),
            ("most", "int?"),
            ("sum", "money"),
            ("tried", "Result<int>"),
            ("span", "duration"),
            ("third", "money"),
        ],
    );
}

#[test]
fn an_empty_list_gets_its_type_from_its_use() {
    reveals(
        "fn f(x: int) -> [int] {\n  let start = []\n  list.append(start, [x])\n}\n",
        "f",
        &[("start", "[int]")],
    );
}

#[test]
fn the_wanted_type_decides_what_is_decoded() {
    accepts(
        r#"
record Ticket { body: text, stars: int? }

fn one(s: text) -> Ticket {
  let t: Ticket = json.decode(s)
  t
}

fn two(s: text) -> Ticket {
  let t: Ticket = json.decode(s) catch { _ => Ticket(body: "") }
  t
}

fn three(s: text) -> int {
  let t: Result<[int]> = try json.decode(s)
  match t {
    Ok(xs) => list.sum(xs)
    Failed(_) => 0
  }
}

fn four(j: json) -> text {
  let t: text = json.get(j, "name") ?? fail "no name"
  t
}

fn five(s: text) -> Ticket { json.decode(s) }

fn six(s: text) -> text { title(json.decode(s)) }

fn title(t: Ticket) -> text { t.body }
"#,
    );
    rejects(
        "fn f(s: text) -> int {\n  let t = json.decode(s)\n  1\n}\n",
        &[(Code::TypeUnknown, "the type of this value must be written", "json.decode(s)")],
    );
    rejects(
        "fn f(j: json) -> int {\n  j.count\n}\n",
        &[(Code::UnknownField, "`json` has no field", "count")],
    );
}

#[test]
fn integer_literals_serve_as_floats_and_other_ints_do_not() {
    accepts(
        r#"
fn half(x: float) -> float { x / 2 }
fn one() -> float { 1 }
fn ratio() -> float { 1 / 2 }
fn several() -> [float] { [1, 2.5, -3] }
fn pick(big: bool) -> float { if big { 1 } else { 0.5 } }
fn most(x: float) -> float { math.max(x, 1) }
fn first(x: float) -> float { math.max(1, x) }
"#,
    );
    rejects(
        "fn f(n: int) -> float {\n  n\n}\n",
        &[(Code::Mismatch, "expected `float`, found `int`", "n")],
    );
    repairs("fn f(n: int) -> float {\n  n\n}\n", Code::Mismatch);
}

#[test]
fn bounds_of_literals_are_checked_at_once() {
    let program = |value: &str| {
        format!(
            "type Id = text where (pattern: r\"^ord_[a-z]+$\")\n\nrecord Order {{ id: Id, n: int where (min: 1, max: 5) = 1, tags: [text] where (max: 2) = [] }}\n\nfn f(t: text, i: int) -> Order {{\n  {value}\n}}\n"
        )
    };
    accepts(&program(r#"Order(id: "ord_abc")"#));
    accepts(&program(r#"Order(id: Id(t), n: i, tags: ["a", "b"])"#));
    rejects(&program(r#"Order(id: "abc")"#), &[(Code::BrokenBound, "pattern", "\"abc\"")]);
    rejects(&program(r#"Order(id: "ord_a", n: 6)"#), &[(Code::BrokenBound, "`max: 5`", "6")]);
    rejects(&program(r#"Order(id: "ord_a", n: -1)"#), &[(Code::BrokenBound, "`min: 1`", "-1")]);
    rejects(
        &program(r#"Order(id: "ord_a", tags: ["a", "b", "c"])"#),
        &[(Code::BrokenBound, "`max: 2`", r#"["a", "b", "c"]"#)],
    );
    rejects(&program("Order(id: t)"), &[(Code::Mismatch, "expected `Id`, found `text`", "t")]);
    repairs(&program("Order(id: t)"), Code::Mismatch);
}

#[test]
fn bounds_say_at_compile_time_what_the_runtime_would_say() {
    let program =
        |ty: &str, value: &str| format!("type X = {ty}\nfn f(n: int) -> X {{ {value} }}\n");
    for (ty, good, bad) in [
        ("int where (multiple_of: 5)", "-15", "12"),
        ("float where (multiple_of: 0.1)", "0.3", "0.25"),
        ("float where (multiple_of: 0.5)", "2", "0.75"),
        ("money where (min: 1usd)", "1.00usd", "5eur"),
        ("money where (max: 10eur)", "10eur", "1usd"),
        ("[int] where (unique: true)", "[1, 2, n]", "[1, 2, n, 1]"),
        ("[text] where (unique: true)", r#"["a", "A"]"#, r#"["a", "b", "a"]"#),
        ("[text] where (unique: false)", r#"["a", "a"]"#, "[1]"),
    ] {
        accepts(&program(ty, good));
        let text = program(ty, bad);
        let found = super::errors(&text);
        assert_eq!(found.len(), 1, "{}", super::shown(&text, &found));
    }
    rejects(
        &program("[text] where (unique: true)", r#"["a", "b", "a"]"#),
        &[(Code::BrokenBound, "`unique: true`", r#"["a", "b", "a"]"#)],
    );
    rejects(
        &program("money where (min: 1usd)", "5eur"),
        &[(Code::BrokenBound, "`min: 1usd`", "5eur")],
    );
    rejects(
        &program("money where (min: 1usd, max: 2eur)", "1usd"),
        &[(Code::BadBound, "no value fits", "min: 1usd")],
    );
}

#[test]
fn literals_that_surely_miss_their_format_are_refused() {
    for (format, good, bad) in [
        ("email", "ada@example.com", "nobody"),
        ("date", "2026-01-31", "31.1.2026"),
        ("date-time", "2026-01-31T10:00:00Z", "today"),
        ("uri", "https://example.com/a", "example"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("duration", "PT5M", "5m"),
    ] {
        let program = |value: &str| {
            format!("type X = text where (format: \"{format}\")\nfn f() -> X {{ \"{value}\" }}\n")
        };
        accepts(&program(good));
        rejects(&program(bad), &[(Code::BrokenBound, "format", &format!("\"{bad}\""))]);
    }
}

#[test]
fn a_refined_value_is_one_of_its_base() {
    accepts(
        r#"
type Id = text where (min_len: 1)

fn f(id: Id, few: [Id] where (max: 3)) -> text { text.join([id, ..few], with: text.upper(id)) }
"#,
    );
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for (bound, words) in [
        ("text where (max: 3)", "cannot be used with"),
        ("text where (max_lenght: 3)", "`max_lenght` is not a rule"),
        ("int where (min: 5, max: 1)", "no value fits"),
        ("text where (pattern: r\"(\")", "not a regular expression"),
        ("text where (format: \"mail\")", "no format `mail`"),
        ("int where (min: 1.5)", "needs a whole number"),
        ("int where (min: 1, min: 2)", "twice"),
    ] {
        let text = format!("record R {{ x: {bound} }}\n");
        let found = super::errors(&text);
        assert_eq!(found.len(), 1, "{}", super::shown(&text, &found));
        assert_eq!(found[0].code, Code::BadBound.as_str());
        assert!(found[0].message.contains(words), "{}", super::shown(&text, &found));
    }
}

#[test]
fn values_that_may_be_none_are_not_used_unseen() {
    let program = |value: &str| {
        format!("record R {{ name: text }}\n\nfn f(r: R?, xs: [R]) -> text {{\n  {value}\n}}\n")
    };
    accepts(&program(r#"r?.name ?? "nobody""#));
    accepts(&program(r#"xs[0]?.name ?? fail "nobody""#));
    accepts(&program("match r {\n    none => \"nobody\"\n    one => one.name\n  }"));
    rejects(&program("r.name"), &[(Code::MaybeNone, "`name`", "name")]);
    rejects(&program("r?.name"), &[(Code::Mismatch, "expected `text`, found `text?`", "r?.name")]);
    rejects(&program("xs[0].name"), &[(Code::MaybeNone, "may be `none`", "name")]);
    rejects(
        &program("(r ?? fail \"x\") ?? R(name: \"a\")\n  \"\""),
        &[(Code::NeverNone, "never `none`", "r ?? fail \"x\"")],
    );
}

#[test]
fn endless_types_and_same_wire_names_are_refused() {
    accepts("record Tree { left: Tree?, children: [Tree], by: [text: Tree] }\n");
    accepts("enum Expr { Lit(value: int), Add(a: Expr, b: Expr) }\n");
    rejects(
        "record A { b: B }\nrecord B { a: A }\n",
        &[(Code::EndlessType, "can ever be built", "A")],
    );
    rejects("type A = A\n", &[(Code::EndlessType, "is defined as itself", "A")]);
    rejects(
        "enum E { NeedsInfo, Other as \"needs_info\" }\n",
        &[(Code::WireName, "in JSON", "Other as \"needs_info\"")],
    );
    rejects("enum E { A(kind: text) }\n", &[(Code::WireName, "`kind` is reserved", "kind")]);
}

#[test]
fn generic_records_enums_and_functions_are_instantiated() {
    reveals(
        r#"
record Box<T> { value: T }
enum Either<A, B> { Left(a: A), Right(b: B) }

fn swap<A, B>(p: Pair<A, B>) -> Pair<B, A> { Pair(first: p.second, second: p.first) }

fn f() -> int {
  let b = Box(value: 3)
  let v = b.value
  let s = swap(Pair(first: 1, second: "a"))
  let e: Either<int, text> = Left(1)
  let n = match e {
    Left(a) => a
    Right(b: t) => text.length(t)
  }
  n
}
"#,
        "f",
        &[("b", "Box<int>"), ("v", "int"), ("s", "Pair<text, int>"), ("n", "int"), ("t", "text")],
    );
}

#[test]
fn constants_are_typed_whatever_their_order() {
    reveals(
        "let a = b\nlet b = [c, 2]\nlet c = 1\n\nfn f() -> [int] {\n  let x = a\n  x\n}\n",
        "f",
        &[("x", "[int]")],
    );
}

#[test]
fn keys_of_inferred_maps_are_what_a_map_can_be_keyed_by() {
    const RECORDS: &str = "record R { a: int }\nfn f(r: R, s: R, x: float) -> int {\n  ";
    let with = |map: &str| format!("{RECORDS}let m = {map}\n  map.length(m)\n}}\n");
    accepts(&with("[r.a: 1, s.a: 2]"));
    rejects(&with("[r: 1, s: 2]"), &[(Code::MapKey, "`R` cannot be the key", "r")]);
    rejects(&with("[x: 1]"), &[(Code::MapKey, "`float` cannot be the key", "x")]);
    rejects(&with("[[r.a]: 1]"), &[(Code::MapKey, "`[int]` cannot be the key", "[r.a]")]);
    // A value that never comes is nothing to complain of.
    accepts(&with("[fail \"no key\": 1]"));
}
