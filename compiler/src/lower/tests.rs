//! Golden dumps of whole programs and of each rule about order, growth and hoisting. `UPDATE=1 cargo test` rewrites them.

use std::path::{Path, PathBuf};

use kait_ir::{NodeKind, Program};

use crate::hir::{CallableKind, DefId, DefKind};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

fn compiled(text: &str) -> Compilation {
    let compilation = compile(&MemorySources::single("main.kait", text), &["main.kait"]);
    let errors: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error())
        .map(|found| format!("{}: {} ({:?})", found.code, found.message, found.primary.span))
        .collect();
    assert!(errors.is_empty(), "{}\n{text}", errors.join("\n"));
    compilation
}

/// Definitions of the root module.
fn defs(compilation: &Compilation, wanted: impl Fn(&DefKind) -> bool) -> Vec<DefId> {
    (0u32..)
        .zip(&compilation.hir.defs)
        .filter(|(_, def)| def.module.index() == 0 && wanted(&def.kind))
        .map(|(index, _)| DefId(index))
        .collect()
}

fn graphs(compilation: &Compilation) -> Vec<DefId> {
    defs(
        compilation,
        |kind| matches!(kind, DefKind::Callable(callable) if callable.kind == CallableKind::Graph),
    )
}

/// All graphs of a text, lowered. That it verifies is part of lowering.
pub(super) fn program(text: &str) -> Program {
    let compilation = compiled(text);
    compilation.lower(&graphs(&compilation)).expect("it should lower")
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lower/golden").join(format!("{name}.txt"))
}

fn golden(name: &str, found: &str) {
    let path = golden_path(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found).expect("golden file should be writable");
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == found, "{name} differs (UPDATE=1 accepts it):\n{found}");
}

/// Dumps the graphs and the tests of a text.
fn dump(text: &str) -> String {
    let compilation = compiled(text);
    let mut out = program(text).to_string();
    for test in defs(&compilation, |kind| matches!(kind, DefKind::Test(_))) {
        out.push('\n');
        out += &compilation.lower_test(test).expect("it should lower").to_string();
    }
    out
}

fn corpus(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/programs").join(name);
    std::fs::read_to_string(path).expect("the corpus should be there")
}

#[test]
fn programs() {
    for name in ["01_hello", "02_summarise", "03_route", "04_review", "05_refine"] {
        golden(name, &dump(&corpus(&format!("{name}.kait"))));
    }
    // The forms that are not run yet are replaced.
    let translate = corpus("11_translate.kait")
        .replace("extern soften(segment: text, locale: text) -> text\n  from wasm \"plugins/profanity.wasm#soften\"",
            "fn soften(segment: text, locale: text) -> text {\n  \"${segment} (${locale})\"\n}");
    golden("11_translate", &dump(&translate));
    let orchestrator = corpus("12_orchestrator.kait")
        .replace(
            "agent worker(task: Task) -> Finding with (turns: 8, tokens: 30_000, time: 3m)",
            "prompt worker(task: Task) -> Finding",
        )
        .replace("  tools [web.search, web.fetch]\n", "");
    golden("12_orchestrator", &dump(&orchestrator));
}

const MODEL: &str =
    "model fast\nprompt say(about: text) -> text {\n  model fast\n  user about\n}\n";

fn with_model(text: &str) -> String {
    format!("{MODEL}{text}")
}

/// The facts of a node of the graph `main`, as the dump shows them, without what is inside it.
fn line<'t>(dump: &'t str, path: &str) -> &'t str {
    let main = dump.find("graph main").expect("there should be a graph `main`");
    let rest = dump.get(main..).unwrap_or_default();
    rest.lines()
        .map(str::trim)
        .find(|line| line.starts_with(&format!("{path}: ")))
        .unwrap_or_else(|| panic!("no node {path} in\n{rest}"))
}

fn check(text: &str, lines: &[(&str, &str)]) {
    let dump = program(&with_model(text)).to_string();
    for (path, wanted) in lines {
        let found = line(&dump, path);
        assert!(found.contains(wanted), "{path}: {wanted:?} is not in {found:?}\n{dump}");
    }
}

#[test]
fn what_changes_the_world_is_gated_and_what_reads_it_is_not() {
    check(
        r#"
        graph save(note: text) -> none { file.write("a", content: note) }
        pub graph main(note: text) -> text {
          save(note)
          out.status("saved")
          let now = clock.now()
          let back = file.read("a")
          let die = random.int(min: 1, max: 6)
          let more = say(back)
          "${now} ${die} ${more}"
        }"#,
        &[
            ("save", "# holds gate; writes file"),
            ("out.status", "# gate"),
            ("now", "# gate"),
            ("back", "leaf file.read(\"a\")  # reads file"),
            ("die", "leaf random.int(1, 6)"),
            ("more", "call say(back)  # grows"),
        ],
    );
}

#[test]
fn everything_below_a_guard_waits_for_the_nearest_one() {
    check(
        r#"
        graph check(n: int) -> none { if n > 3 { fail "too many" } }
        fn strict(n: int) -> int {
          if n > 9 { fail "far too many" }
          n
        }
        pub graph main(n: int, topic: text) -> text {
          let before = say(topic)
          if n > 7 { fail "no" }
          let between = say("b")
          check(n)
          let after = say("c")
          clock.sleep(1s)
          let last = say("d")
          let quiet = try strict(n)
          "${before}${between}${after}${last}${quiet is Ok}"
        }"#,
        &[
            ("before", "call say($topic)  # grows"),
            ("if", "# guard"),
            ("between", "# grows; after if"),
            ("check", "# guard; after if"),
            ("after", "# grows; after check"),
            ("clock.sleep", "# gate; guard; after check"),
            ("last", "# grows; after clock.sleep"),
        ],
    );
}

#[test]
fn a_let_is_no_guard_and_a_failing_leaf_makes_none() {
    let dump = program(&with_model(
        r#"
        graph strict(n: int) -> int {
          if n > 3 { fail "too many" }
          n
        }
        pub graph main(n: int) -> text {
          let m = strict(n)
          let page = file.read("a")
          let more = say("b")
          "${m} ${page} ${more}"
        }"#,
    ))
    .to_string();
    let main = dump.get(dump.find("graph main").unwrap_or(0)..).unwrap_or_default();
    let main = main.split("prompt").next().unwrap_or_default();
    assert!(!main.contains("guard") && !main.contains("after"), "{main}");
}

#[test]
fn maps_with_gates_are_sequential_unless_parallel_says_otherwise() {
    check(
        r#"
        pub graph main(xs: [text] where (max: 9)) -> [text] {
          for x in xs { file.write(x, content: "a") }
          for x in xs parallel 2 { out.status(x) }
          for x in xs { say(x) }
        }"#,
        &[
            ("for", "map %0 in $xs sequential {  # holds gate; writes file"),
            ("for#2", "map %0 in $xs parallel 2 early {  # holds gate"),
            ("for#3", "map %0 in $xs early {"),
        ],
    );
}

#[test]
fn calls_are_hoisted_in_the_order_of_evaluation() {
    let dump = program(&with_model(
        r#"
        pub graph main(n: int) -> text {
          let both = "${say("1")} and ${text.upper(say("2"))}"
          let choice = n > 3 and text.length(say("3")) > 2 or n < 0
          let other = list.first(["x"]) ?? say("4")
          "${both} ${choice} ${other}"
        }"#,
    ))
    .to_string();
    golden("hoisting", &dump);
}

#[test]
fn what_may_fail_comes_before_what_can_be_noticed() {
    // Evaluated from left to right, nothing is written if the first argument fails.
    let dump = program(
        r#"
        graph put(path: text) -> text {
          file.write(path, content: "x")
          path
        }
        fn pair(a: text, b: text) -> text { "${a}${b}" }
        pub graph main(name: text?) -> text {
          pair(name ?? fail "no name", b: put("a"))
        }"#,
    )
    .to_string();
    let main = dump.get(dump.find("pub graph main").unwrap_or(0)..).unwrap_or_default();
    let value = main.find("value: text = ($name ?? fail").expect("a node of its own");
    assert!(value < main.find("put: text = call put").unwrap_or(0), "{main}");
}

#[test]
fn policies_stand_around_one_call_whose_arguments_are_evaluated_before() {
    let dump = program(&with_model(
        r#"
        pub graph main(topic: text) -> text {
          let first = say("a")
          let second = say(say(topic)) with (retry: 2, timeout: 3s, fallback: say("b"), deadline: 1m, cache: 1h, after: first, model: fast, repair: 0)
          "${first}${second}"
        }"#,
    ))
    .to_string();
    golden("policies", &dump);
}

#[test]
fn growth_passes_through_choices_constructors_and_calls_but_not_through_checks() {
    check(
        r#"
        record Pair2 { left: text, right: text }
        graph inner(x: text) -> text { "<${x}>" }
        pub graph main(n: int, topic: text) -> Pair2 {
          let a = say(topic)
          let b = if n > 3 { a } else { "none" }
          let c = if n > 3 { 1 } else { 2 }
          let d = inner(b)
          let e = text.upper(d)
          let f: text where (max_len: 9) = e
          Pair2(left: d, right: "${c} ${f}")
        }"#,
        &[
            ("a", "# grows"),
            ("b", "switch ($n > 3) {  # grows"),
            ("c", "= if ($n > 3) { 1 } else { 2 }"),
            ("d", "call inner(b)  # grows"),
            ("e", "= text.upper(d): text"),
        ],
    );
    let dump = program(&with_model(
        "pub graph main(n: int) -> text {\n  let a = say(\"a\")\n  text.upper(if n > 3 { a } else { \"b\" })\n}",
    ));
    assert!(dump.to_string().contains("=> text.upper(if ($n > 3)"), "{dump}");
}

#[test]
fn a_map_starts_early_only_on_what_is_never_issued_again() {
    check(
        r#"
        prompt lines(about: text) -> [text] where (max: 9) {
          model fast
          user about
        }
        graph each(xs: [text]) -> [text] { for x in xs max 9 { say(x) } }
        pub graph main(topic: text, given: text) -> [text] {
          let sure = say(topic)
          let unsure = say(topic) with (retry: 1)
          let structured = lines(topic)
          let unrepaired = lines(topic) with (repair: 0)
          let a = for x in text.lines(sure) max 9 { say(x) }
          let b = for x in text.lines(unsure) max 9 { say(x) }
          let c = for x in structured { say(x) }
          let d = for x in unrepaired { say(x) }
          let e = for x in text.lines(given) max 9 { say(x) }
          list.concat([a, b, c, d, e])
        }"#,
        &[
            ("a", "max 9 early {"),
            ("b", "max 9 {"),
            ("c", "in structured {"),
            ("d", "in unrepaired early {"),
            ("e", "max 9 early {"),
        ],
    );
}

#[test]
fn a_graph_that_is_given_something_unsteady_by_anyone_does_not_start_early() {
    let text = |policy: &str| {
        format!(
            "graph each(s: text) -> [text] {{ for x in text.lines(s) max 9 {{ say(x) }} }}\n\
             pub graph main(a: text) -> [text] {{\n  let s = say(a){policy}\n  each(s)\n}}"
        )
    };
    let lowered = |policy: &str| {
        let compilation = compiled(&with_model(&text(policy)));
        let main = graphs(&compilation).pop().expect("main is last");
        compilation.lower(&[main]).expect("it should lower").to_string()
    };
    assert!(lowered("").contains("max 9 early {"));
    assert!(!lowered(" with (retry: 1)").contains("early"));
}

#[test]
fn dead_lets_do_not_run_unless_someone_could_tell() {
    let program = program(&with_model(
        r#"
        pub graph main(topic: text) -> text {
          let unused = say(topic)
          let dead = say("a")
          let _shown = out.status("b")
          let only_for_dead = text.upper(dead)
          topic
        }"#,
    ));
    let body = program.graphs.first().map(|graph| graph.body.index()).unwrap_or(0);
    let paths: Vec<&str> = program
        .regions
        .get(body)
        .map_or(vec![], |r| r.nodes.iter().map(|n| n.path.as_str()).collect());
    assert_eq!(paths, ["_shown"]);
}

#[test]
fn functions_stay_expressions_unless_they_call_what_is_recorded() {
    let dump = program(
        r#"
        fn double(n: int) -> int {
          let twice = n * 2
          twice
        }
        fn count(s: text) -> int { list.length(text.sentences(s)) }
        fn head<T>(xs: [T], other: T) -> T { list.first(xs) ?? other }
        pub graph main(s: text) -> int {
          double(count(s)) + head([1], other: 2) + text.length(head(["a"], other: s))
        }"#,
    )
    .to_string();
    golden("functions", &dump);
}

#[test]
fn recursion_keeps_its_depth() {
    let program = program(
        "pub graph down(n: int) -> int with (depth: 4, time: 1m) {\n  if n <= 0 { 0 } else { down(n - 1) }\n}",
    );
    let graph = program.graphs.first().expect("a graph");
    assert_eq!(graph.depth, Some(4));
    assert_eq!(graph.budgets.len(), 1);
}

#[test]
fn patterns_and_alternatives_bind_the_slots_of_their_region() {
    let dump = program(&with_model(
        r#"
        enum Shape { Circle(size: int), Square(size: int), Line(from: int, to: int) }
        record Box { name: text, shape: Shape? }
        pub graph main(b: Box, xs: [text]) -> text {
          let Box(name: name, shape: shape) = b
          let a = match shape {
            none => say("nothing")
            Circle(size: n) | Square(size: n) if n > 3 => say("${name} ${n}")
            Line(from, to) => say("${from + to}")
            other => say("${other is Circle(size: 1..3)}")
          }
          let c = match xs {
            [] => "empty"
            [first, ..rest] => "${first} ${list.length(rest)}"
          }
          "${a}${c}"
        }"#,
    ))
    .to_string();
    golden("patterns", &dump);
}

#[test]
fn tests_count_what_they_ask_about_and_stub_what_they_stub() {
    golden(
        "testing",
        &dump(&with_model(
            r#"
            fn shout(s: text) -> text { text.upper(s) }
            pub graph main(topic: text) -> text {
              file.write("a", content: topic)
              shout(say(topic))
            }
            test "counts" {
              let wanted = "x"
              stub say("a") => wanted then fail Timeout after 2s
              stub say(other) => "${other}!"
              stub file.write("a", content: _) => none
              expect main("a") == "X"
              expect calls(say) == 1 and attempts(say) == 1
              expect called(shout, "x")
              expect order(file.write("a"), say)
            }"#,
        )),
    );
}

#[test]
fn plans_do_not_depend_on_places() {
    let text = corpus("05_refine.kait");
    let moved = format!("// A comment.\n\n{text}");
    assert_eq!(kait_ir::hash(&program(&text)), kait_ir::hash(&program(&moved)));
    let other = text.replace("max 4", "max 5");
    assert_ne!(kait_ir::hash(&program(&text)), kait_ir::hash(&program(&other)));
}

#[test]
fn only_what_the_roots_need_is_lowered() {
    let compilation = compiled(&with_model(
        "graph unused(a: text) -> text { file.read(a) }\npub graph main(a: text) -> text { say(a) }",
    ));
    let main = graphs(&compilation).pop().expect("main is last");
    let program = compilation.lower(&[main]).expect("it should lower");
    let names: Vec<&str> = program.graphs.iter().map(|graph| graph.name.as_str()).collect();
    assert_eq!(names, ["main", "say"]);
    assert!(program.leaves.is_empty());
    let has_model = |region: &kait_ir::Region| {
        region.nodes.iter().any(|node| matches!(node.kind, NodeKind::Model(_)))
    };
    assert!(program.regions.iter().any(has_model));
}

#[test]
fn drawings_and_plans() {
    use kait_ir::draw::{mermaid, plan, svg, text};
    for (name, file) in [
        ("route", "03_route.kait"),
        ("refine", "05_refine.kait"),
        ("review", "04_review.kait"),
        ("summarise", "02_summarise.kait"),
    ] {
        let program = program(&corpus(file));
        let id = kait_ir::GraphId(0);
        golden(&format!("{name}.tree"), &text(&program, id));
        golden(&format!("{name}.mermaid"), &mermaid(&program, id));
        golden(&format!("{name}.plan"), &plan(&program, id).to_string());
        golden(&format!("{name}.svg"), &svg(&program, id));
    }
}

#[test]
fn code_that_is_nested_too_deeply_is_refused_with_a_reason() {
    // Each handler is a block around the blocks before it.
    let handled = |depth: usize| {
        let handlers = " catch { Timeout => \"b\" }".repeat(depth);
        with_model(&format!("pub graph main() -> text {{ say(\"a\"){handlers} }}"))
    };
    assert_eq!(program(&handled(100)).graphs.len(), 2);
    let compilation = compiled(&handled(200));
    let error = compilation.lower(&graphs(&compilation)).expect_err("it is too deep");
    assert_eq!(error.code, "K0092");
}

/// A person who approves a call sees which of its arguments nobody vouches for.
#[test]
fn approvals_tell_trusted_arguments_from_others() {
    let program = program(
        "graph pay(to: text, sum: int, late: bool, why: text) -> text {\n  \"${to}${sum}${late}${why}\"\n}\n\n\
         pub graph main(to: trusted text, url: text) -> text {\n  let page = web.fetch(url)\n  \
         let known = allow(page.status, only: [200, 404])\n  \
         pay(to, sum: known, late: page.body == \"x\", why: page.body) with (approve: \"lead\", within: 1h)\n}\n\n\
         pub graph plain(to: text) -> text {\n  \
         pay(to, sum: 1, late: true, why: \"once\") with (approve: \"lead\", within: 1h)\n}\n",
    );
    let untrusted: Vec<Vec<u32>> = program
        .regions
        .iter()
        .flat_map(|region| &region.nodes)
        .filter_map(|node| match &node.kind {
            NodeKind::Approve(approve) => Some(approve.untrusted.clone()),
            _ => None,
        })
        .collect();
    // Whoever runs `plain` may not vouch for what it takes.
    assert_eq!(untrusted, [vec![3], vec![0]]);
}
