//! Costs of small programs, as formulas.

use crate::bounds::{Bounds, Cost, RoleTerms, Terms, bounds, grouped};
use crate::hir::DefId;
use crate::sources::MemorySources;
use crate::{Compilation, compile};

const PROMPTS: &str = "\
model fast
model smart needs (tools: true)

record Found {
  title: text
}

prompt say(x: text) -> text {
  model fast with (max_tokens: 100)
  user x
}

prompt find(x: text) -> Found {
  model smart
  user x
}

";

fn compiled(text: &str) -> Compilation {
    let text = format!("{PROMPTS}{text}");
    let compiled = compile(&MemorySources::single("t.kait", text.as_str()), &["t.kait"]);
    assert!(!compiled.has_errors(), "{:#?}\n{text}", compiled.diagnostics);
    compiled
}

fn def(compiled: &Compilation, name: &str) -> DefId {
    let at = compiled.hir.defs.iter().position(|def| def.name == name).unwrap();
    DefId(u32::try_from(at).unwrap())
}

/// What the graph `name` costs with these terms.
fn with_terms<T>(
    text: &str,
    name: &str,
    terms: &Terms,
    f: impl FnOnce(&Compilation, &Bounds, DefId, &Cost) -> T,
) -> T {
    let compiled = compiled(text);
    let bounds = bounds(&compiled, terms);
    let def = def(&compiled, name);
    let cost = &bounds.of(def).unwrap().cost;
    f(&compiled, &bounds, def, cost)
}

/// Calls, repairs, and what both are at most.
fn calls(text: &str, name: &str) -> String {
    with_terms(text, name, &Terms::default(), |compiled, bounds, def, cost| {
        let formula = |amount| bounds.formula(&compiled.hir, def, amount);
        let most = cost.requests.most(&bounds.sizes).map_or("none".into(), grouped);
        format!("{} and {}, at most {most}", formula(&cost.calls), formula(&cost.repairs))
    })
}

#[test]
fn what_follows_adds_up_and_of_ways_the_largest_counts() {
    let text = "graph g(x: text) -> text { let a = say(x)\n let b = find(a)\n \"${a}${b.title}\" }";
    assert_eq!(calls(text, "g"), "2 and 1, at most 3");
    let text = "graph g(x: text) -> text { if x == \"a\" { say(x) } else { find(say(x)).title } }";
    assert_eq!(calls(text, "g"), "2 and 1, at most 3");
    let text = "graph g(x: text) -> text { say(x) catch { _ => find(x).title } }";
    assert_eq!(calls(text, "g"), "2 and 1, at most 3");
    let text = "graph g(x: text) -> text { race { say(x), say(\"b\") } }";
    assert_eq!(calls(text, "g"), "2 and 0, at most 2");
}

#[test]
fn what_nobody_needs_does_not_count() {
    let text = "graph g(x: text) -> text { let _unused = say(x)\n x }";
    assert_eq!(calls(text, "g"), "0 and 0, at most 0");
}

#[test]
fn repeated_bodies_count_as_often_as_their_bound() {
    let text = "graph g(xs: [text]) -> [text] { for x in xs max 20 { say(x) } }";
    assert_eq!(calls(text, "g"), "len(xs) and 0, at most 20");
    let text = "graph g(xs: [text] where (max: 6)) -> [Found] { for x in xs { find(say(x)) } }";
    assert_eq!(calls(text, "g"), "2·len(xs) and len(xs), at most 18");
    let text =
        "graph g(x: text) -> text { loop y = say(x) max 4 { next(y: find(y).title) } else { x } }";
    assert_eq!(calls(text, "g"), "5 and 4, at most 9");
    let text =
        "graph g(xs: [text], n: int where (max: 9)) -> [text] { for x in xs max n { say(x) } }";
    assert_eq!(calls(text, "g"), "len(xs) and 0, at most 9");
    let text = "graph g(x: text, n: int where (max: 9)) -> text { loop y = x max n { next(y: say(y)) } else { y } }";
    assert_eq!(calls(text, "g"), "n and 0, at most 9");
}

#[test]
fn a_size_that_only_the_caller_knows_has_no_limit() {
    let text =
        "graph g(x: text, n: int) -> text { loop y = x max n { next(y: say(y)) } else { y } }";
    assert_eq!(calls(text, "g"), "n and 0, at most none");
}

#[test]
fn sizes_pass_through_lets_lists_and_calls() {
    let text = "graph each(xs: [text] where (max: 50)) -> [text] { for x in xs { say(x) } }\n\
        graph g(job: [text], more: [text] where (max: 3)) -> [text] {\n\
        let a = list.take(job, 5)\n let b = each(a)\n each([..b, \"c\", ..more]) }";
    // Results of graphs have no sizes: what `each` takes bounds the list.
    assert_eq!(calls(text, "g"), "len(job) + 50 and 0, at most 55");
    let text = "record Job { xs: [text] where (max: 4) }\n\
        graph each(job: Job) -> [text] { for x in job.xs { say(x) } }\n\
        graph g(x: text) -> [text] { each(Job(xs: [x, x])) }";
    assert_eq!(calls(text, "g"), "2 and 0, at most 2");
}

#[test]
fn policies_multiply_and_add() {
    let text = "graph g(x: text) -> text { say(x) with (retry: 2, fallback: say(\"b\")) }";
    assert_eq!(calls(text, "g"), "4 and 0, at most 4");
    let text = "graph g(x: text) -> text { say(say(x)) with (retry: 2) }";
    assert_eq!(calls(text, "g"), "4 and 0, at most 4");
    let text = "graph g(x: text) -> text { (find(x) with (repair: 3)).title }";
    assert_eq!(calls(text, "g"), "1 and 3, at most 4");
    let text = "graph g(x: text) -> text { (find(x) with (model: fast, repair: 0)).title }";
    with_terms(text, "g", &Terms::default(), |compiled, _, _, cost| {
        let roles: Vec<DefId> = cost.roles.keys().copied().collect();
        assert_eq!(roles, [def(compiled, "fast")]);
    });
}

#[test]
fn a_recursion_costs_its_tree_of_calls() {
    let text = "graph g(n: int) -> text with (depth: 4) { if n < 1 { say(\"leaf\") } else { \"${g(n - 1)} ${g(n - 1)}\" } }";
    assert_eq!(calls(text, "g"), "15 and 0, at most 15");
    let text = "graph g(n: int) -> text with (depth: 1_000_000) { if n < 1 { say(\"leaf\") } else { g(n - 1) } }";
    assert_eq!(calls(text, "g"), "1_000_000 and 0, at most 1_000_000");
    let text = "graph g(n: int) -> text with (depth: 90) { if n < 1 { say(\"leaf\") } else { \"${g(n - 1)} ${g(n - 1)}\" } }";
    assert_eq!(
        calls(text, "g"),
        "unbounded and unbounded, at most none".replace("and unbounded", "and 0")
    );
}

#[test]
fn a_budget_is_a_bound_and_says_what_would_be_without() {
    let text = "graph g(xs: [text]) -> [text] with (calls: 7) { for x in xs max 20 { say(x) } }";
    assert_eq!(calls(text, "g"), "7 and 0, at most 7");
    // Repairs are calls.
    let repaired =
        "graph g(xs: [text]) -> [Found] with (calls: 7) { for x in xs max 20 { find(x) } }";
    assert_eq!(calls(repaired, "g"), "7 and 7, at most 7");
    let compiled = compiled(text);
    let bounds = bounds(&compiled, &Terms::default());
    let stops = &bounds.of(def(&compiled, "g")).unwrap().stops;
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].without.most(&bounds.sizes), Some(20));
}

#[test]
fn an_agent_costs_its_turns_and_its_tools() {
    let text = "/// Says it.\ngraph tool(x: text) -> text { say(x) }\n\
        agent a(x: text) -> text with (turns: 3, tokens: 1_000) { model smart\n user x\n tools [tool] }\n\
        agent b(x: text) -> text with (turns: 3, tokens: 1_000) { model smart\n user x\n tools [tool with (max_calls: 2)] }";
    assert_eq!(calls(text, "a"), "51 and 0, at most 51");
    assert_eq!(calls(text, "b"), "5 and 0, at most 5");
    with_terms(text, "b", &Terms::default(), |_, bounds, _, cost| {
        // The call that uses up a budget of tokens may go beyond it.
        assert_eq!(cost.tokens.most(&bounds.sizes), None);
    });
}

#[test]
fn tokens_and_money_need_what_the_profile_says() {
    let text = "graph g(x: text) -> text { say(say(x)) }";
    with_terms(text, "g", &Terms::default(), |compiled, bounds, _, cost| {
        assert_eq!(cost.tokens.most(&bounds.sizes), None);
        assert!(
            bounds.reasons[cost.tokens.reasons()[0] as usize].text.contains("`context` for `fast`")
        );
        assert_eq!(cost.unpriced, [def(compiled, "fast")]);
        assert!(cost.money.is_zero());
    });
    let role = RoleTerms { context: Some(1_000), output: Some(500), price: Some((2, 10)) };
    let terms = Terms { default: Some(role), ..Terms::default() };
    with_terms(text, "g", &terms, |_, bounds, _, cost| {
        // `max_tokens` is below what the model could write.
        assert_eq!(cost.tokens.most(&bounds.sizes), Some(2 * 1_100));
        assert_eq!(cost.money.most(&bounds.sizes), Some(2 * (1_000 * 2 + 100 * 10)));
        assert!(cost.unpriced.is_empty());
    });
}

#[test]
fn people_and_the_world_are_counted() {
    let text = "graph g(x: text) -> text {\n\
        let yes: bool = ask(\"Go on?\", to: \"lead\") with (within: 2h, fallback: false)\n\
        if yes { file.read(x) with (timeout: 3s, retry: 1) } else { x } }";
    with_terms(text, "g", &Terms::default(), |_, bounds, _, cost| {
        assert_eq!(cost.questions.number(), Some(1));
        assert_eq!(cost.tools.number(), Some(2));
        let seconds = 2 * 3_600 + 2 * 3 + 30;
        assert_eq!(cost.time.most(&bounds.sizes), Some(seconds * 1_000_000_000));
    });
}

#[test]
fn a_chain_of_graphs_costs_no_more_than_its_sum() {
    let mut text = String::from(
        "graph g0(xs: [text] where (max: 3)) -> text { text.join(for x in xs { say(x) }, with: \"\") }\n",
    );
    for nth in 1..200 {
        let before = nth - 1;
        text.push_str(&format!(
            "graph g{nth}(xs: [text] where (max: 3)) -> text with (calls: {}) {{ let a = g{before}(xs)\n let b = say(a)\n \"${{a}}${{b}}\" }}\n",
            1_000 - nth
        ));
    }
    assert_eq!(calls(&text, "g199"), "len(xs) + 199 and 0, at most 202");
}

#[test]
fn a_role_of_another_module_has_its_name_in_front() {
    let mut sources =
        MemorySources::single("t.kait", "use words\n\ngraph g(x: text) -> text { words.say(x) }\n");
    sources.insert("words.kait", "model fast\n\npub prompt say(x: text) -> text {\n  model fast with (max_tokens: 1)\n  user x\n}\n");
    let compiled = compile(&sources, &["t.kait"]);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let role = RoleTerms { context: Some(9), ..RoleTerms::default() };
    let terms =
        Terms { roles: [("words.fast".into(), role)].into_iter().collect(), ..Terms::default() };
    let bounds = bounds(&compiled, &terms);
    let cost = &bounds.of(def(&compiled, "g")).unwrap().cost;
    assert_eq!(cost.tokens.most(&bounds.sizes), Some(10));
}
