//! What becomes of sugar, and that one mistake makes one error.

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::hir::{
    Arg, ArgValue, Body, Callee, Def, DefKind, Expr, ExprId, Hir, Literal, Pat, Stmt,
};
use crate::sources::MemorySources;

fn resolve(text: &str) -> (Hir, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new();
    let sources = MemorySources::single("main.kait", text);
    let (_, hir) = crate::resolve(&sources, &["main.kait"], &mut diagnostics);
    (hir, diagnostics.finish())
}

/// The HIR of a text without mistakes.
fn hir(text: &str) -> Hir {
    let (hir, found) = resolve(text);
    assert!(found.is_empty(), "{found:#?}");
    hir
}

/// The codes that a text raises.
fn codes(text: &str) -> Vec<String> {
    resolve(text).1.into_iter().map(|one| one.code).collect()
}

fn def<'h>(hir: &'h Hir, name: &str) -> (&'h Def, &'h Body) {
    let index = hir.defs.iter().position(|def| def.name == name).unwrap();
    (&hir.defs[index], hir.bodies[index].as_ref().unwrap())
}

/// The value of the block of a function, as a tree in one line.
fn value(hir: &Hir, name: &str) -> String {
    let (_, body) = def(hir, name);
    match &body.exprs[body.root.unwrap().index()] {
        Expr::Block(stmts) => match stmts.last() {
            Some(Stmt::Expr(expr)) => show(hir, body, *expr),
            other => panic!("{other:?}"),
        },
        _ => show(hir, body, body.root.unwrap()),
    }
}

fn show(hir: &Hir, body: &Body, id: ExprId) -> String {
    let show = |id: &ExprId| show(hir, body, *id);
    match &body.exprs[id.index()] {
        Expr::Local(local) => body.locals[local.index()].name.to_string(),
        Expr::Literal(literal) => match literal {
            Literal::Int(n) => n.to_string(),
            Literal::Text(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        },
        Expr::Def(def) => hir.defs[def.index()].name.to_string(),
        Expr::Variant(of, index) => format!("{}.{index}", hir.defs[of.index()].name),
        Expr::BareVariant { name, candidates } => format!("{name}/{}", candidates.len()),
        Expr::Call { callee, args, piped } => {
            let callee = match callee {
                Callee::Def(def) => hir.defs[def.index()].name.to_string(),
                Callee::Variant(of, index) => format!("{}.{index}", hir.defs[of.index()].name),
                Callee::BareVariant { name, .. } => format!("{name}?"),
                Callee::Builtin(form) => format!("{form:?}"),
                Callee::Missing => "missing".to_owned(),
            };
            let args: Vec<_> = args.iter().map(|arg| show_arg(hir, body, arg)).collect();
            format!("{}{callee}({})", if *piped { "|" } else { "" }, args.join(", "))
        }
        Expr::With { expr, policies } => {
            let policies: Vec<_> = policies.iter().map(|arg| show_arg(hir, body, arg)).collect();
            format!("{} with ({})", show(expr), policies.join(", "))
        }
        Expr::Try(expr) => format!("try {}", show(expr)),
        Expr::Coalesce(a, b) => format!("({} ?? {})", show(a), show(b)),
        Expr::Binary(op, a, b) => format!("({op:?} {} {})", show(a), show(b)),
        Expr::Field { base, name, optional, .. } => {
            format!("{}{}{name}", show(base), if *optional { "?." } else { "." })
        }
        Expr::Fail(expr) => format!("fail {}", show(expr)),
        Expr::Missing => "missing".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn show_arg(hir: &Hir, body: &Body, arg: &Arg) -> String {
    let value = match &arg.value {
        ArgValue::Expr(expr) => show(hir, body, *expr),
        ArgValue::Selector(name, _) => format!(".{name}"),
        ArgValue::Spread(expr) => format!("..{}", show(hir, body, *expr)),
        ArgValue::Selectors(names) => {
            names.iter().map(|(name, _)| format!(".{name} ")).collect::<String>()
        }
        ArgValue::Callable(def, _) => {
            format!("&{}", def.map_or("missing", |def| hir.defs[def.index()].name.as_str()))
        }
    };
    match &arg.name {
        Some((name, _)) => format!("{name}: {value}"),
        None => value,
    }
}

const PRELUDE: &str = "\
record Note { body: text, tags: [text] }
enum Label { Bug, Other(why: text) }
fn f(a: int, b: int = 2) -> int {
  a + b
}
let limit = 10
";

#[test]
fn calls_and_sugar() {
    for (source, lowered) in [
        ("f(1, b: 2)", "f(1, b: 2)"),
        ("1 |> f(b: 2)", "|f(1, b: 2)"),
        ("1 |> f(2) |> f()", "|f(|f(1, 2))"),
        ("f(1) with (retry: 1) |> f() with (retry: 2)", "|f(f(1) with (retry: 1)) with (retry: 2)"),
        ("f(1) with (retry: 1) with (timeout: 2)", "f(1) with (retry: 1, timeout: 2)"),
        ("1 |> try f()", "try |f(1)"),
        ("1 |> f() ?? 3", "(|f(1) ?? 3)"),
        ("(1 |> f()) ?? 3", "(|f(1) ?? 3)"),
        ("f((((1))))", "f(1)"),
        ("-9_223_372_036_854_775_808", "-9223372036854775808"),
        ("f(limit)", "f(limit)"),
        ("Label.Bug", "Label.0"),
        ("Label.Other(why: \"x\")", "Label.1(why: \"x\")"),
        ("Bug", "Bug/1"),
        ("Other(\"x\")", "Other?(\"x\")"),
        ("Note(..Note(body: \"a\", tags: []), body: \"b\").body", ""),
        ("[Note(body: \"a\", tags: [])] |> list.sort(by: .body)", ""),
        ("Nowhere", "Nowhere/0"),
        ("\"a\\nb\"", "\"a\\nb\""),
        ("fail \"x\"", "fail \"x\""),
    ] {
        let text = format!("{PRELUDE}fn test_me() -> int {{\n  {source}\n}}\n");
        let hir = hir(&text);
        if !lowered.is_empty() {
            assert_eq!(value(&hir, "test_me"), lowered, "{source}");
        }
    }
}

#[test]
fn uses_are_counted_and_blocks_have_scopes() {
    let text = "fn f(a: int) -> int {\n  let x = if a > 1 {\n    let y = a\n    y\n  } else {\n    let y = 2\n    y\n  }\n  x + x\n}\n";
    let hir = hir(text);
    let (_, body) = def(&hir, "f");
    let uses: Vec<_> = body.locals.iter().map(|l| (l.name.as_str(), l.uses)).collect();
    assert_eq!(uses, [("a", 2), ("y", 1), ("y", 1), ("x", 2)]);
}

#[test]
fn alternatives_share_their_locals() {
    let text = "enum S { A(x: int), B(y: int) }\nfn f(s: S) -> int {\n  match s {\n    A(n) | B(n) => n\n  }\n}\n";
    let hir = hir(text);
    let (_, body) = def(&hir, "f");
    assert_eq!(body.locals.len(), 2);
    let binds = body.pats.iter().filter(|pat| matches!(pat, Pat::Bind(_))).count();
    assert_eq!(binds, 2);
}

#[test]
fn tests_name_what_they_stub_and_count() {
    let text = format!(
        "{PRELUDE}test \"t\" {{\n  stub f(a, b: _) => a then 3 after 2s\n  expect calls(f) == 1\n  expect order(f(1), f)\n  stub text.upper(_) => \"x\"\n}}\n"
    );
    let hir = hir(&text);
    let (def, body) = def(&hir, "t");
    let DefKind::Test(test) = &def.kind else { panic!() };
    assert_eq!(test.items.len(), 4);
    let shown: Vec<String> = test
        .items
        .iter()
        .filter_map(|item| match item {
            crate::hir::TestItem::Expect { expr, .. } => Some(show(&hir, body, *expr)),
            _ => None,
        })
        .collect();
    assert_eq!(shown, ["(Eq Calls(&f) 1)", "Order(f(1), &f)"]);
    let crate::hir::TestItem::Stub(stub) = &test.items[0] else { panic!() };
    assert_eq!(stub.outcomes.iter().map(|o| o.1).collect::<Vec<_>>(), [0, 2_000_000_000]);
    let crate::hir::TestItem::Stub(stub) = &test.items[3] else { panic!() };
    assert_eq!(stub.path, "text.upper");
}

#[test]
fn bounds_refer_to_parameters() {
    use crate::hir::BoundValue;
    let text = "extern f(xs: [int], n: int) -> [int] where (max: n, min: len(xs), unique: true) from mcp \"x\"\n";
    let (hir, _) = resolve(text);
    let DefKind::Callable(callable) = &hir.defs[0].kind else { panic!() };
    let bounds: Vec<_> = callable.result.bounds.iter().map(|b| b.value.clone()).collect();
    assert!(matches!(bounds[0], BoundValue::Param { index: 1, length: false }));
    assert!(matches!(bounds[1], BoundValue::Param { index: 0, length: true }));
    assert!(matches!(bounds[2], BoundValue::Literal(Literal::Bool(true))));
}

#[test]
fn one_mistake_makes_one_error() {
    for (text, code) in [
        // A name that is missing in many places.
        ("fn f() -> int {\n  a + a + g(a)\n}\nfn g(n: int) -> int {\n  a\n}\n", "K0201"),
        // What uses a declaration that cannot be read.
        ("record R {\n  a int\n}\nfn f(r: R) -> R {\n  R(a: r.b)\n}\n", "K0001"),
        // A second binding, and the name that was meant.
        ("fn f(n: int) -> int {\n  let a = n\n  let a = n\n  a + b\n}\n", "K0208"),
        // A module that is not there, and everything of it.
        ("use nowhere as n\nfn f(x: n.T) -> n.T {\n  n.g(n.T.X, n.y)\n}\n", "K0203"),
        // Alternatives.
        (
            "enum S { A(x: int), B(y: int) }\nfn f(s: S) -> int {\n  match s { A(x) | B(y) => x + y }\n}\n",
            "K0219",
        ),
        // A method of an unknown value.
        ("fn f() -> int {\n  nothing_known.here.trim()\n}\n", "K0201"),
        // A graph without session uses one in several places.
        ("graph f() -> int {\n  session.save(a: session.a)\n  session.a\n}\n", "K0240"),
        // A session that nobody declared.
        ("graph f() -> int in S {\n  session.save(a: session.a)\n  session.a\n}\n", "K0241"),
    ] {
        assert_eq!(codes(text), [code], "{text}");
    }
}

#[test]
fn thousands_of_mistakes_take_linear_time() {
    use std::fmt::Write as _;
    let mut text = String::from("fn f(n: int) -> int {\n");
    for i in 0..5_000 {
        let _ = writeln!(text, "  let a{i} = unknown_{i}(b{i}.x(), later)");
    }
    text.push_str("  let later = 1\n  n\n}\nrecord R {\n");
    for i in 0..5_000 {
        let _ = writeln!(text, "  field_{i}: Type{i}");
    }
    text.push_str("}\nenum E {\n");
    for i in 0..5_000 {
        let _ = writeln!(text, "  V{i}");
    }
    text.push_str("}\nfn g(e: E) -> int {\n  match e {\n");
    for i in 0..5_000 {
        let _ = writeln!(text, "    E.V{i} => {i}");
    }
    text.push_str("  }\n}\n");
    let (_, found) = resolve(&text);
    assert_eq!(found.len(), crate::diagnostics::MAX_PER_FILE + 1);
}

#[test]
fn deep_code_does_not_overflow_the_stack() {
    let nested = format!("fn f(n: int) -> int {{\n  {}n{}\n}}\n", "(".repeat(120), ")".repeat(120));
    assert!(codes(&nested).is_empty());
    let chain = format!("fn f(n: int) -> int {{\n  n{}\n}}\n", " + n".repeat(5_000));
    resolve(&chain);
    let pipes = format!("fn f(n: int) -> int {{\n  n{}\n}}\n", " |> f()".repeat(5_000));
    resolve(&pipes);
    let ifs = format!(
        "fn f(n: int) -> int {{\n  {}n{}\n}}\n",
        "if n > 1 { ".repeat(5_000),
        " } else { n }".repeat(5_000)
    );
    resolve(&ifs);
}
