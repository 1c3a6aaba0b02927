//! Control forms.

use super::{accepts, rejects, repairs, reveals};
use crate::diagnostics::Code;

#[test]
fn arms_join_and_none_makes_optional() {
    reveals(
        r#"
fn f(n: int) -> int {
  let a = if n > 1 { "x" } else { none }
  let b = match n {
    0 => 1
    1 => none
    _ => 2
  }
  let c = if n > 1 { 1 } else { fail "no" }
  let d = race { n, n + 1 }
  let e = race 2 { n, n, n }
  let g = text.to_int("1") catch { Trap(message) => text.length(message), _ => none }
  let h = loop x = none max 3 {
    match x {
      none => next(x: n)
      y => done y
    }
  } else { 0 }
  n
}
"#,
        "f",
        &[
            ("a", "text?"),
            ("b", "int?"),
            ("c", "int"),
            ("d", "int"),
            ("e", "[int]"),
            ("g", "int?"),
            ("h", "int"),
        ],
    );
}

#[test]
fn arms_of_different_types_are_refused_where_they_differ() {
    rejects(
        "fn f(n: int) -> int {\n  let a = if n > 1 { 1 } else { \"x\" }\n  n\n}\n",
        &[(Code::Mismatch, "expected `int`, found `text`", "\"x\"")],
    );
    rejects(
        "fn f(n: int) -> text {\n  match n {\n    0 => \"a\"\n    1 => 1\n    _ => \"b\"\n  }\n}\n",
        &[(Code::Mismatch, "expected `text`, found `int`", "1")],
    );
}

#[test]
fn an_if_without_else_is_a_statement() {
    accepts("fn f(n: int) -> int {\n  if n > 3 { fail \"too much\" }\n  n\n}\n");
    accepts("graph f(n: int) -> none {\n  if n > 3 { out.status(\"much\") }\n}\n");
    rejects(
        "fn f(n: int) -> int {\n  if n > 3 { 1 }\n}\n",
        &[(Code::IfWithoutElse, "has no `else`", "if n > 3 { 1 }")],
    );
    rejects(
        "fn f(n: int) -> int {\n  let x = if n > 3 { 1 }\n  n\n}\n",
        &[(Code::IfWithoutElse, "has no `else`", "if n > 3 { 1 }")],
    );
}

#[test]
fn conditions_are_bools() {
    rejects(
        "fn f(n: int) -> int { if n { 1 } else { 2 } }\n",
        &[(Code::Mismatch, "expected `bool`", "n")],
    );
    rejects(
        "fn f(xs: [int]) -> [int] { for x in xs if x { x } }\n",
        &[(Code::Mismatch, "expected `bool`", "x")],
    );
}

#[test]
fn values_are_used() {
    rejects("fn f(n: int) -> int {\n  n\n  n\n}\n", &[(Code::UnusedValue, "is not used", "n")]);
    rejects(
        "fn f(n: int) -> int {\n  if n > 1 { n } else { n }\n  n\n}\n",
        &[(Code::UnusedValue, "is not used", "n"), (Code::UnusedValue, "is not used", "n")],
    );
    accepts(
        "fn check(n: int) -> none {\n  if n > 1 { fail \"no\" }\n}\n\nfn f(n: int) -> int {\n  check(n)\n  n\n}\n",
    );
    repairs("test \"a\" {\n  1 == 1\n}\n", Code::UnusedValue);
}

#[test]
fn what_follows_a_failure_never_runs() {
    rejects("fn f() -> int {\n  fail \"x\"\n  1\n}\n", &[(Code::Unreachable, "never runs", "1")]);
    accepts("fn f() -> int { fail \"x\" }\n");
    accepts("fn f(x: int) -> int { fail Denied(by: \"a\", why: \"b\") }\n");
    rejects(
        "fn f(x: int) -> int { fail x }\n",
        &[(Code::Mismatch, "expected a text or a `Failure`", "x")],
    );
}

#[test]
fn for_goes_through_lists() {
    accepts("fn f(xs: [Result<int>]) -> [int] { for Ok(x) in xs { x } }\n");
    accepts(
        "fn f(xs: [int]) -> [text] where (max: 3) { for x in list.take(xs, 3) { \"${x}\" } }\n",
    );
    repairs("fn f(t: text) -> [text] { for l in t { l } }\n", Code::NotAList);
    repairs("fn f(m: [text: int]) -> [text] { for e in m { e } }\n", Code::NotAList);
    repairs("fn f(xs: [int]?) -> [int] { for x in xs { x } }\n", Code::NotAList);
    rejects(
        "fn f(xs: [int]) -> [int] { for x in xs max 0 { x } }\n",
        &[(Code::BadCount, "at least 1", "0")],
    );
}

#[test]
fn every_path_of_a_loop_ends() {
    let program = |body: &str| {
        format!(
            "fn f(n: int) -> int {{\n  loop x = n, y = \"\" max 4 {{\n    {body}\n  }} else {{ 0 }}\n}}\n"
        )
    };
    accepts(&program("if x > 3 { done x } else { next(x: x + 1) }"));
    accepts(&program(
        "match x {\n      0 => done x\n      1 => fail \"no\"\n      _ => next(y: \"a\", x: 3)\n    }",
    ));
    rejects(&program("x + 1"), &[(Code::OpenEnd, "must end with `done`", "x + 1")]);
    rejects(
        &program("if x > 3 { done x } else { x }"),
        &[(Code::OpenEnd, "must end with `done`", "x")],
    );
    rejects(&program("next(z: 1)"), &[(Code::BadNext, "no value `z`", "z")]);
    rejects(
        &program("next(x: \"a\")"),
        &[(Code::Mismatch, "expected `int`, found `text`", "\"a\"")],
    );
    rejects(&program("done \"a\""), &[(Code::Mismatch, "expected `int`, found `text`", "\"a\"")]);
    rejects(&program("next(x: 1, x: 2)"), &[(Code::BadNext, "twice", "x: 2")]);
    // One mistake, said where it was made.
    rejects(
        &program("for i in [1, 2] { done i }"),
        &[(Code::OpenEnd, "`done` must be the last thing", "done i")],
    );
}

#[test]
fn static_bounds_of_lists_are_known() {
    let text = r#"
prompt many(t: text) -> [text] where (max: 30) {
  model fast
  user t
}

model fast

graph f(t: text, xs: [text]) -> int {
  let a = [t, t, t]
  let b = many(t)
  let c = list.concat([a, b])
  let d = list.take(xs, 5)
  let e = for x in c { x }
  let g = for x in xs max 7 { x }
  let h = list.reverse(d)
  let i = if true { a } else { d }
  let j = [..a, t]
  let k = xs
  let all = [a, b, c, d, e, g, h, i, j, k]
  list.length(all)
}
"#;
    super::accepts(text);
    let compiled = super::program(text);
    let index = compiled.hir.defs.iter().position(|def| def.name == "f").expect("f");
    let body = compiled.hir.bodies[index].as_ref().expect("body");
    let types = compiled.types.bodies[index].as_ref().expect("types");
    let root = body.root.expect("root");
    let crate::hir::Expr::Block(stmts) = &body.exprs[root.index()] else { panic!("a block") };
    let bounds: Vec<Option<u64>> = stmts
        .iter()
        .filter_map(|stmt| match stmt {
            crate::hir::Stmt::Let { value, .. } => Some(types.max_items.get(value).copied()),
            crate::hir::Stmt::Expr(_) => None,
        })
        .collect();
    assert_eq!(
        bounds[..10],
        [Some(3), Some(30), Some(33), Some(5), Some(33), Some(7), Some(5), Some(5), Some(4), None]
    );
}
