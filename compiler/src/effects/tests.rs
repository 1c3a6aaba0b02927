//! Tests of inference and of every rule about effects.

use super::Effects;
use crate::diagnostics::Diagnostic;
use crate::hir::{DefId, Hir};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

fn compiled(text: &str) -> Compilation {
    compile(&MemorySources::single("main.kait", text), &["main.kait"])
}

fn found(text: &str) -> Vec<Diagnostic> {
    let compilation = compiled(text);
    compilation.diagnostics.into_iter().filter(|found| found.primary.span.file.0 == 0).collect()
}

/// The one finding of a text.
fn only(text: &str, code: &str) -> Diagnostic {
    let mut all = found(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    let one = all.remove(0);
    assert_eq!(one.code, code, "{one:#?}");
    one
}

/// What a finding points at.
fn at<'t>(text: &'t str, one: &Diagnostic) -> &'t str {
    let span = one.primary.span;
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

fn clean(text: &str) {
    let all = found(text);
    assert!(all.is_empty(), "{all:#?}");
}

fn def(hir: &Hir, name: &str) -> DefId {
    let index = hir.defs.iter().position(|def| def.name == name && def.module.index() == 0);
    DefId(u32::try_from(index.expect("it should be declared")).unwrap_or(0))
}

fn text_of(effects: &Effects, hir: &Hir, name: &str) -> String {
    effects.of(def(hir, name)).text(&effects.resources)
}

const MODEL: &str =
    "model fast\nprompt say(about: text) -> text {\n  model fast\n  user about\n}\n";

#[test]
fn effects_are_inferred_through_calls_of_any_order_and_depth() {
    let text = format!(
        "{MODEL}
graph outer(n: int) -> text with (depth: 3) {{
  if n > 0 {{ outer(n - 1) }} else {{ middle(\"a\") }}
}}
graph middle(path: text) -> text {{
  out.status(\"reading\")
  inner(path)
}}
graph inner(path: text) -> text {{
  let a = file.read(path)
  file.write(\"b\", content: a)
  let b = say(\"${{random.uuid()}} ${{clock.now()}}\")
  b
}}
fn pure(n: int) -> int {{ n + 1 }}
"
    );
    let Compilation { hir, effects, .. } = compiled(&text);
    let all = "write file, read file, model, clock, random";
    assert_eq!(text_of(&effects, &hir, "inner"), all);
    assert_eq!(text_of(&effects, &hir, "outer"), format!("{all}, emit"));
    assert_eq!(text_of(&effects, &hir, "say"), "model");
    assert_eq!(text_of(&effects, &hir, "pure"), "nothing");
    let steps =
        effects.chain(def(&hir, "outer"), |effect| matches!(effect, super::Effect::Write(_)));
    let names: Vec<&str> = steps
        .iter()
        .filter_map(|step| hir.defs.get(step.def.index()))
        .map(|def| def.name.as_str())
        .collect();
    assert_eq!(names, ["outer", "middle", "inner", "write"]);
}

#[test]
fn only_own_fails_make_a_guard() {
    let text = r#"
graph strict(n: int) -> int {
  if n > 3 { fail "no" }
  n
}
graph calls_it(n: int) -> int { strict(n) }
graph tries(n: int) -> bool { (try strict(n)) is Ok }
graph leaf() -> text { file.read("a") }
graph waits() -> int {
  clock.sleep(1s)
  1
}
"#;
    let Compilation { hir, effects, .. } = compiled(text);
    let guards = |name: &str| effects.defs.get(def(&hir, name).index()).is_some_and(|e| e.guards);
    assert_eq!(
        ["strict", "calls_it", "tries", "leaf", "waits"].map(guards),
        [true, true, false, false, true]
    );
}

#[test]
fn a_fn_with_an_effect_is_refused_with_the_way_to_it() {
    let text =
        "fn outer(p: text) -> text { inner(p) }\ngraph inner(p: text) -> text { file.read(p) }\n";
    let one = only(text, "K0518");
    assert_eq!(at(text, &one), "inner(p)");
    assert!(one.message.contains("`outer` is a `fn`, but reads `file`"), "{one:?}");
    assert_eq!(one.notes, ["`outer` calls `inner` calls `file.read`, which reads `file`"]);
}

#[test]
fn of_fns_that_call_each_other_those_are_refused_that_bring_in_an_effect() {
    let chain = "fn first(p: text) -> text { second(p) }
fn second(p: text) -> text { \"${third(p)} ${third(p)}\" }
fn third(p: text) -> text { text.upper(file.read(p)) }
graph main(p: text) -> text { first(p) }
";
    let one = only(chain, "K0518");
    assert_eq!(at(chain, &one), "file.read(p)");
    assert!(one.message.starts_with("`third` is a `fn`"), "{one:#?}");
    // An effect of its own is no less one where others have the same.
    let both = "fn first(p: text) -> text { \"${second(p)} ${clock.now()}\" }
fn second(p: text) -> text { file.read(p) }
";
    let all = found(both);
    let places: Vec<_> = all.iter().map(|one| (one.code.as_str(), at(both, one))).collect();
    assert_eq!(places, [("K0518", "clock.now()"), ("K0518", "file.read(p)")]);
    // What is wrong is the constant, or the default value.
    only("let now = clock.now()\nfn stamp(line: text) -> text { \"${now} ${line}\" }\n", "K0513");
    only("record Line {\n  at: time = clock.now()\n}\nfn line() -> Line { Line() }\n", "K0513");
}

#[test]
fn does_is_an_upper_bound() {
    clean("graph f() -> text does read { file.read(\"a\") }");
    clean("graph f() -> text does read file, emit {\n  out.status(\"a\")\n  file.read(\"a\")\n}");
    let text = "graph f() -> text does read net {\n  file.read(\"a\")\n}";
    let one = only(text, "K0511");
    assert_eq!(at(text, &one), "file.read(\"a\")");
    assert_eq!(one.help.as_deref(), Some("add `read file` after `does`, or do without it"));
}

#[test]
fn an_arm_of_a_race_may_not_write() {
    let text =
        "graph f() -> none {\n  race { file.write(\"a\", content: \"b\"), out.status(\"c\") }\n}";
    let one = only(text, "K0512");
    assert_eq!(at(text, &one), "file.write(\"a\", content: \"b\")");
    clean("graph f() -> text { race { file.read(\"a\"), file.read(\"b\") } }");
}

#[test]
fn writes_need_a_key_to_be_tried_again_and_are_never_cached() {
    for policy in ["retry: 2", "timeout: 1s", "deadline: 1s"] {
        let text =
            format!("graph f() -> none {{ file.write(\"a\", content: \"b\") with ({policy}) }}");
        let one = only(&text, "K0307");
        assert_eq!(at(&text, &one), policy.split(':').next().unwrap_or_default());
    }
    let inside = "graph put() -> text {\n  file.write(\"a\", content: \"b\")\n  \"c\"\n}\ngraph f() -> text { put() with (retry: 1) }";
    let one = only(inside, "K0307");
    assert!(
        one.labels.iter().any(|label| label.text == "calls `file.write`, which writes `file`"),
        "{one:#?}"
    );
    only("graph f() -> none { file.write(\"a\", content: \"b\") with (cache: 1h) }", "K0308");
    clean(
        "graph f() -> text { file.read(\"a\") with (retry: 2, timeout: 1s, deadline: 2s, cache: 1h) }",
    );
}

#[test]
fn an_agent_whose_tools_write_without_key_is_not_tried_again() {
    let program = |tool: &str, rest: &str| {
        format!(
            "model smart
extern post(line: text) -> text from http \"POST https://desk.example.com/lines\"
graph note(line: text) -> none {{ file.append(\"a\", content: line) }}
agent clerk(task: text) -> text with (turns: 3, tokens: 1_000) {{
  model smart
  user task
  tools [clock.now, {tool}]
}}
graph inner(task: text) -> text {{ clerk(task) }}
{rest}"
        )
    };
    for tool in ["file.append", "post", "note"] {
        for policy in ["retry: 2", "timeout: 3s", "deadline: 3s"] {
            for call in ["clerk", "inner"] {
                let rest =
                    format!("graph f(task: text) -> text {{ {call}(task) with ({policy}) }}");
                let text = program(tool, &rest);
                let one = only(&text, "K0307");
                assert_eq!(at(&text, &one), policy.split(':').next().unwrap_or_default());
                let help = one.help.as_deref().unwrap_or_default();
                assert!(help.contains("a model that calls a tool sends no key"), "{one:#?}");
            }
        }
    }
    clean(&program("file.list", "graph f(task: text) -> text { clerk(task) with (retry: 2) }"));
    clean(&program("file.append", "graph f(task: text) -> text { inner(task) }"));
}

#[test]
fn a_key_is_only_for_calls_that_send_it() {
    for call in [
        "file.append(\"a\", content: \"b\") with (key: \"k\")",
        "file.append(\"a\", content: \"b\") with (retry: 3, key: \"k\")",
        "file.read(\"a\") with (key: \"k\")",
        "text.trim(\"a\") with (key: \"k\")",
        "say(\"a\") with (key: \"k\")",
        "put() with (key: \"k\", timeout: 2s)",
        "\"a\" |> file.append(content: \"b\") with (key: \"k\")",
    ] {
        let text = format!(
            "{MODEL}graph put() -> none {{ file.write(\"a\", content: \"b\") }}\ngraph f() -> text {{\n  {call}\n  \"c\"\n}}"
        );
        let all: Vec<_> = found(&text).into_iter().filter(|one| one.code != "K0418").collect();
        assert_eq!(all.len(), 1, "{all:#?}");
        assert_eq!(all[0].code, "K0306", "{all:#?}");
        assert_eq!(at(&text, &all[0]), "key");
    }
    clean(
        "graph f(id: text) -> int { http.request(\"https://a.at\", body: \"{}\") with (key: id, retry: 2) |> status() }\ngraph status(r: http.Response) -> int { r.status }",
    );
}

#[test]
fn a_budget_below_the_fewest_calls_is_an_error() {
    let graph = |body: &str| {
        format!(
            "{MODEL}graph two() -> text {{ \"${{say(\"a\")}}${{say(\"b\")}}\" }}\ngraph f(c: bool, xs: [text] where (max: 3)) -> text with (calls: 1) {{\n{body}\n}}"
        )
    };
    for body in [
        "  two()",
        "  \"${say(\"a\")}${say(\"b\")}\"",
        "  let a = say(\"a\")\n  say(a)",
        "  if c { two() } else { say(say(\"x\")) }",
        "  loop a = say(\"a\") max 2 {\n    let b = say(a)\n    if c { done b } else { next(a: b) }\n  } else { a }",
    ] {
        let text = graph(body);
        assert_eq!(at(&text, &only(&text, "K0701")), "calls: 1", "{body}");
    }
    for body in [
        "  say(\"a\")",
        "  if c { two() } else { \"x\" }",
        "  two() catch { _ => \"x\" }",
        "  two() with (fallback: \"x\")",
        "  let ys = for x in xs { two() }\n  text.join(ys, with: \",\")",
        "  race { two(), say(\"a\") }",
        "  loop a = \"a\" max 2 {\n    if c { done a } else { next(a: two()) }\n  } else { a }",
        "  match try two() {\n    Ok(a) => a\n    Failed(_) => \"b\"\n  }",
    ] {
        clean(&graph(body));
    }
    only("graph f() -> int with (turns: 1) { 1 }", "K0304");
}

#[test]
fn a_budget_of_time_below_what_is_slept_is_an_error() {
    let graph = |body: &str| {
        format!(
            "let pause = 3s\ngraph nap() -> none {{ clock.sleep(pause) }}\ngraph f(c: bool) -> text with (time: 5s) {{\n{body}\n  \"x\"\n}}"
        )
    };
    for body in [
        "  clock.sleep(6s)",
        "  nap()\n  nap()",
        "  if c { clock.sleep(6s) } else { clock.sleep(1m) }",
        "  nap()\n  clock.sleep(2500ms)",
    ] {
        let text = graph(body);
        let one = only(&text, "K0701");
        assert_eq!(at(&text, &one), "time: 5s", "{body}");
    }
    for body in [
        "  clock.sleep(5s)",
        "  if c { clock.sleep(6s) } else { nap() }",
        "  nap() catch { _ => none }\n  nap()",
        "  let d = 9s\n  clock.sleep(d)",
    ] {
        clean(&graph(body));
    }
}

#[test]
fn a_for_with_effects_needs_a_bound() {
    let text = "graph f(xs: [text]) -> [text] { for x in xs if x != \"\" { file.read(x) } }";
    let one = only(text, "K0480");
    assert_eq!(at(text, &one), "xs");
    let edit = one.fixes.first().and_then(|fix| fix.edits.first()).expect("a fix");
    let mut fixed = text.to_owned();
    fixed.insert_str(edit.span.start as usize, &edit.insert);
    clean(&fixed);
    clean("graph f(xs: [text]) -> [text] { for x in xs { text.upper(x) } }");
    clean("graph f(xs: [text] where (max: 3)) -> [text] { for x in xs { file.read(x) } }");
    clean("graph f() -> [text] {\n  let xs = [\"a\", \"b\"]\n  for x in xs { file.read(x) }\n}");
    clean("let xs = [\"a\", \"b\"]\ngraph f() -> [text] { for x in xs { file.read(x) } }");
    clean("graph f(xs: [text]) -> [text] { for x in list.take(xs, 4) { file.read(x) } }");
}

#[test]
fn conditions_bounds_constants_defaults_and_outcomes_are_pure() {
    let cases = [
        (
            "graph f(xs: [text]) -> [text] { for x in xs if file.exists(x) max 3 { x } }",
            "file.exists(x)",
        ),
        (
            "graph f(xs: [text]) -> [text] { for x in xs max random.int(min: 1, max: 2) { x } }",
            "random.int(min: 1, max: 2)",
        ),
        (
            "graph f(n: int) -> int {\n  match n {\n    1 if file.exists(\"a\") => 2\n    _ => 3\n  }\n}",
            "file.exists(\"a\")",
        ),
        ("let now = clock.now()\ngraph f() -> time { now }", "clock.now()"),
        ("graph f(at: time = clock.now()) -> time { at }", "clock.now()"),
        ("record R { at: time = clock.now() }\ngraph f() -> R { R() }", "clock.now()"),
        (
            "graph f() -> text { file.read(\"a\") }\ntest \"t\" {\n  stub file.read(_) => random.uuid()\n  expect f() == \"\"\n}",
            "random.uuid()",
        ),
    ];
    for (text, wanted) in cases {
        let one = only(text, "K0513");
        assert_eq!(at(text, &one), wanted);
    }
}

#[test]
fn recursion_is_bounded_or_refused() {
    let text =
        "fn f(n: int) -> int { if n > 0 { g(n - 1) } else { 0 } }\nfn g(n: int) -> int { f(n) }";
    let one = only(text, "K0514");
    assert_eq!(at(text, &one), "g(n - 1)");
    assert_eq!(one.notes, ["`f` calls `g` calls `f`"]);
    let text = "graph f(n: int) -> int { if n > 0 { f(n - 1) } else { 0 } }";
    let one = only(text, "K0515");
    assert_eq!(at(text, &one), "f(n - 1)");
    clean("graph f(n: int) -> int with (depth: 9) { if n > 0 { f(n - 1) } else { 0 } }");
    // One bounded graph on the way is enough.
    clean(
        "graph f(n: int) -> int with (depth: 9) { if n > 0 { g(n - 1) } else { 0 } }\ngraph g(n: int) -> int { f(n) }",
    );
    only(
        "graph f(n: int) -> int with (depth: 9) { if n > 0 { g(n) } else { 0 } }\ngraph g(n: int) -> int { if n > 3 { g(n - 1) } else { f(n) } }",
        "K0515",
    );
}

#[test]
fn what_only_dead_values_need_is_dead() {
    let text = format!(
        "{MODEL}graph f(a: text) -> text {{\n  let x = say(a)\n  let y = text.upper(x)\n  a\n}}"
    );
    let all = found(&text);
    let named: Vec<(&str, &str)> =
        all.iter().map(|one| (one.code.as_str(), at(&text, one))).collect();
    assert_eq!(named, [("K0217", "y")], "x follows");
}

#[test]
fn a_default_does_not_need_itself() {
    for (text, wanted) in [
        ("record A {\n  xs: [A] = [A()]\n}", "A()"),
        ("record A {\n  b: B? = B()\n}\nrecord B {\n  a: A? = A()\n}", "B()"),
        ("enum E {\n  Leaf\n  Node(inner: [E] = [Node()])\n}", "Node()"),
        ("record A {\n  n: int = k\n}\nlet k = A().n", "k"),
    ] {
        let one = only(text, "K0429");
        assert_eq!(at(text, &one), wanted, "{one:#?}");
        assert!(one.message.contains("needs itself"), "{one:#?}");
    }
    clean("record A {\n  xs: [A] = []\n}\nfn a() -> A {\n  A(xs: [A()])\n}");
    // What is given is not built with the default.
    clean("record A {\n  n: int = k\n}\nlet k = A(n: 1).n\nfn a() -> A {\n  A()\n}");
}

#[test]
fn a_generic_declaration_does_not_need_ever_larger_ones() {
    for text in [
        "record R<T> {\n  x: T\n  n: R<[T]>?\n}",
        "enum E<T> {\n  End\n  More(x: T, rest: [E<T?>])\n}",
        "record A<T> {\n  b: [B<T>]\n}\nrecord B<T> {\n  a: [A<[T]>]\n}",
        "graph f<T>(x: T, n: int) -> int with (depth: 9) {\n  if n == 0 { 0 } else { f([x], n: n - 1) }\n}",
    ] {
        let one = only(text, "K0429");
        assert!(one.message.contains("ever larger"), "{one:#?}");
    }
    clean("record Tree<T> {\n  value: T\n  inner: [Tree<T>]\n  many: Pair<[T], [Tree<T>]>?\n}");
    clean("record Box<T> {\n  value: T\n}\nrecord Two<T> {\n  boxes: Box<[Box<[T]>]>\n}");
}

#[test]
fn bounds_of_a_header_are_known_before() {
    let graph = |header: &str| {
        format!(
            "let limit = 3\ngraph f(n: int) -> int with ({header}) {{\n  if n == 0 {{ 0 }} else {{ f(n - 1) }}\n}}"
        )
    };
    for header in
        ["depth: limit", "depth: 2 + limit * 2", "depth: 4, time: 2s * limit, calls: limit"]
    {
        clean(&graph(header));
    }
    for (header, wanted) in [("depth: n", "n"), ("depth: n + 2", "n"), ("depth: 9, calls: n", "n")]
    {
        let text = graph(header);
        let one = only(&text, "K0305");
        assert_eq!(at(&text, &one), wanted);
        assert!(one.message.contains("cannot use the parameter `n`"), "{one:#?}");
    }
    let text = graph("depth: limit - 3");
    assert_eq!(at(&text, &only(&text, "K0305")), "limit - 3");
    let text = graph("depth: list.length([1, 2])");
    assert_eq!(at(&text, &only(&text, "K0305")), "list.length([1, 2])");
}

#[test]
fn items_side_by_side_do_not_save_one_session() {
    let head = "session Count {\n  n: int = 0\n}
graph add(n: int) -> none in Count { session.save(n: session.n + n) }
graph twice(n: int) -> none in Count { add(n * 2) }
graph own(name: text) -> none in Count with (by: name) { session.save(n: session.n + 1) }
";
    let graph = |body: &str| {
        format!(
            "{head}graph f(xs: [int] where (max: 9)) -> int in Count {{\n  {body}\n  session.n\n}}\n"
        )
    };
    for (body, place) in [
        (
            "for x in xs parallel 3 { session.save(n: session.n + x) }",
            "session.save(n: session.n + x)",
        ),
        ("for x in xs parallel 3 { session.save(n: 3) }", "session.save(n: 3)"),
        ("for x in xs parallel 1 + 1 { add(x) }", "add(x)"),
        ("for x in xs parallel 3 { if x > 3 { twice(x) } }", "twice(x)"),
        ("for x in xs parallel 3 { own(\"${x}\") }", "own(\"${x}\")"),
        ("for x in xs parallel 3 { for y in xs parallel 2 { add(x + y) } }", "add(x + y)"),
        ("for x in xs { for y in xs parallel 2 { add(x + y) } }", "add(x + y)"),
        ("for x in xs parallel 2 { for y in xs { add(x + y) } }", "add(x + y)"),
    ] {
        let text = graph(body);
        assert_eq!(at(&text, &only(&text, "K0519")), place);
    }
    for body in [
        "for x in xs { session.save(n: session.n + x) }",
        "for x in xs parallel 1 { add(x) }",
        "for x in xs parallel 3 { out.status(\"${session.n + x}\") }",
        "for x in xs parallel 3 { add(x) with (detach: true) }",
        "let all = for x in xs parallel 3 { x + session.n }\n  session.save(n: list.sum(all))",
    ] {
        clean(&graph(body));
    }
    // Each of these runs has a session of its own, or waits for the other one.
    clean(&format!(
        "{head}graph f(names: [text] where (max: 9)) -> [none] {{\n  for name in names parallel 3 {{ own(name) }}\n}}\n"
    ));
    // All of them are in the session of the chat.
    let chat = format!(
        "{head}trigger wrote on chat.message() as message: chat.Message {{\n  for x in [1, 2] parallel 2 {{ add(x) }}\n}}\n"
    );
    assert_eq!(at(&chat, &only(&chat, "K0519")), "add(x)");
}

#[test]
fn a_run_that_waits_for_an_event_says_how_long() {
    let graph = |call: &str| {
        format!("graph f(order: text) -> text {{\n  let paid: text = {call}\n  paid\n}}\n")
    };
    for (call, mended) in [
        ("event.wait(\"paid\", key: order)", "event.wait(\"paid\", key: order) with (within: 2d)"),
        (
            "event.wait(\"paid\") with (fallback: \"none\")",
            "event.wait(\"paid\") with (fallback: \"none\", within: 2d)",
        ),
        (
            "event.wait(\"paid\") catch { Unanswered => \"none\" }",
            "event.wait(\"paid\") with (within: 2d) catch { Unanswered => \"none\" }",
        ),
    ] {
        let text = graph(call);
        let one = only(&text, "K0504");
        assert!(at(&text, &one).starts_with("event.wait(") && at(&text, &one).ends_with(')'));
        let edit = &one.fixes[0].edits[0];
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        let mut changed = text.clone();
        changed.replace_range(start..end, &edit.insert);
        assert_eq!(changed, graph(mended));
        clean(&changed);
    }
}

#[test]
fn a_path_of_a_webhook_belongs_to_one_trigger() {
    let program = |first: &str, second: &str| {
        format!(
            "let path = \"/a\"\nlet same = path\nrecord Event {{\n  x: text\n}}
trigger one on http.webhook({first}) as event: Event {{ out.status(event.x) }}
trigger two on http.webhook({second}) as event: Event {{ out.status(event.x) }}
"
        )
    };
    for (first, second) in [("\"/a\"", "\"/a\""), ("path", "same"), ("\"/a\"", "path: same")] {
        let text = program(first, second);
        let one = only(&text, "K0556");
        let written = second.trim_start_matches("path: ");
        assert_eq!(at(&text, &one), written);
        assert_eq!(one.labels.len(), 1);
        assert!(one.primary.span.start > one.labels[0].span.start, "{one:#?}");
    }
    clean(&program("\"/a\"", "\"/b\""));
    clean(&program("\"/a\"", "\"/A\""));
    // Also in files that are served together.
    let file = |name: &str| {
        format!("trigger {name} on http.webhook(\"/hooks\") {{ out.status(\"{name}\") }}\n")
    };
    let mut sources = MemorySources::single("a.kait", file("one"));
    sources.insert("b.kait", file("two"));
    let compiled = compile(&sources, &["a.kait", "b.kait"]);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["K0556"]);
}

#[test]
fn advice_is_what_can_be_done() {
    let help = |text: &str, code: &str| only(text, code).help.unwrap_or_default();
    let trigger = |source: &str| {
        format!(
            "session Chat {{\n  n: int = 0\n}}\ngraph answer() -> int in Chat {{ session.n }}\ntrigger t on {source} {{ answer() }}\n"
        )
    };
    // Ticks of a clock belong to nobody, so a trigger cannot say whose session it is.
    let of_clock = help(&trigger("schedule.every(1h)"), "K0242");
    assert_eq!(of_clock, "let `answer` choose its session with `with (by: …)` in its header");
    let of_file = help(&trigger("file.changed(\"notes\")"), "K0242");
    assert!(of_file.starts_with("say in the header of `t` whose session it is"), "{of_file}");
    assert!(of_file.contains("let `answer` choose its session with `with (by: …)`"), "{of_file}");

    let key = |call: &str| {
        let text = format!("graph f() -> text {{\n  {call} with (key: \"k\")\n  \"c\"\n}}\n");
        let one = found(&text).into_iter().find(|one| one.code == "K0306");
        one.and_then(|one| one.help).unwrap_or_default()
    };
    assert!(key("file.append(\"a\", content: \"b\")").contains("`once:`"));
    let of_read = key("file.read(\"a\")");
    assert!(of_read.starts_with("leave `key:` out") && !of_read.contains("`once:`"), "{of_read}");

    let agent = |name: &str, other: &str| {
        format!(
            "agent {name}(q: text) -> text with (turns: 3, tokens: 1_000) {{\n  model smart\n  user q\n  tools [{other}]\n}}\n"
        )
    };
    let circle = format!("model smart\n{}{}", agent("one", "two"), agent("two", "one"));
    assert!(help(&circle, "K0515").contains("put a graph with a `depth` between them"));
}
