//! Budgets of headers, in virtual time.

use kait_ir::program::ModelCall;
use kait_ir::{Currency, Failure, Money, NodeKind, TypeId, Value};
use rust_decimal::Decimal;

use super::{Driver, SECOND, int};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, node};
use crate::event::{Command, Event, ModelTerms, Outcome, Start, TokenPrice, Usage};

fn model(b: &mut ProgramBuilder, name: &str) -> kait_ir::Node {
    let text = b.text("hello");
    let most = b.int(100);
    node(
        name,
        NodeKind::Model(Box::new(ModelCall {
            prompt: name.into(),
            docs: "".into(),
            role: name.into(),
            options: vec![("max_tokens".into(), most)],
            messages: vec![kait_ir::program::Message {
                role: kait_ir::program::MessageRole::User,
                content: text,
                ty: TypeId(0),
            }],
            output: TypeId(0),
            repair: 1,
        })),
    )
}

/// `graph inner() with (…) { let a = a(); let b = b() catch { _ => 0 }; b }`, called under `catch { _ => 7 }`.
fn budgeted(name: &str, value: Value) -> Driver {
    let mut b = ProgramBuilder::new();
    let first = model(&mut b, "a");
    let second = model(&mut b, "b");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![second], result);
    let zero = b.int(0);
    let handler = b.region(0, vec![], zero);
    let any = |body| kait_ir::program::Arm { pattern: kait_ir::Pattern::Any, guard: None, body };
    let caught = NodeKind::Catch { body, arms: vec![any(handler)] };
    let result = b.slot(0, 1);
    let nodes = vec![first, node("catch", caught).after_data(&[0])];
    let body = b.region(0, nodes, result);
    let inner = b.graph("inner", body);
    let limit = b.value(value);
    b.program.graphs[inner.index()].budgets.push((name.into(), limit));

    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("inner", graph_call(inner, vec![]))], result);
    let seven = b.int(7);
    let handler = b.region(0, vec![], seven);
    let caught = NodeKind::Catch { body, arms: vec![any(handler)] };
    let body = b.region(0, vec![node("outer", caught)], result);
    b.graph("main", body);
    Driver::started(b.load_as_is().unwrap(), vec![])
}

fn used(d: &mut Driver, tokens: u64, cost: Option<&str>) {
    let effect = d.in_flight.remove(0).effect;
    let cost = cost.map(|c| Money {
        amount: c.parse::<Decimal>().unwrap(),
        currency: Currency::parse("usd").unwrap(),
    });
    let usage = Usage { calls: 1, input_tokens: tokens, output_tokens: 0, cost };
    let outcome = Outcome::Ok(int(1));
    d.event(Event::Done { effect, outcome, usage: Some(Box::new(usage)) });
}

#[test]
fn a_budget_is_not_caught_inside_what_it_bounds_but_outside() {
    // One call is allowed: the second finds nothing left, and only the catch around the call of `inner` may handle it.
    let mut d = budgeted("calls", int(1));
    used(&mut d, 10, None);
    d.ended_with(7);

    let mut d = budgeted("calls", int(2));
    used(&mut d, 10, None);
    used(&mut d, 10, None);
    d.ended_with(1);

    let mut d = budgeted("tokens", int(500));
    let Some(Command::Model { request, .. }) = d.commands.first() else { panic!() };
    assert_eq!((request.tokens_left, request.repair), (Some(500), 1));
    used(&mut d, 450, None);
    let Some(Command::Model { request, .. }) = d.commands.last() else { panic!() };
    assert_eq!(request.tokens_left, Some(50));
    used(&mut d, 10, None);
    d.ended_with(1);

    let mut d = budgeted("tokens", int(500));
    used(&mut d, 501, None);
    d.ended_with(7);

    let limit = Money { amount: Decimal::new(50, 2), currency: Currency::parse("usd").unwrap() };
    let mut d = budgeted("cost", Value::Money(limit));
    used(&mut d, 1, Some("0.50"));
    d.ended_with(7);
}

/// The last call of all is held to the budget like those before it, and so are calls that were under way together.
#[test]
fn a_call_that_comes_back_over_the_budget_fails() {
    let mut d = budgeted("tokens", int(500));
    used(&mut d, 450, None);
    used(&mut d, 51, None);
    d.ended_with(7);

    let limit = Money { amount: Decimal::new(50, 2), currency: Currency::parse("usd").unwrap() };
    let mut d = budgeted("cost", Value::Money(limit));
    used(&mut d, 1, Some("0.40"));
    used(&mut d, 1, Some("0.11"));
    d.ended_with(7);
}

/// Calls side by side under a header with that budget.
fn beside(count: usize, name: &str, limit: Value, terms: Option<ModelTerms>) -> Driver {
    let mut b = ProgramBuilder::new();
    let nodes = (0..count).map(|nth| model(&mut b, &format!("m{nth}"))).collect();
    let result = b.slot(0, 0);
    let body = b.region(0, nodes, result);
    let graph = b.graph("main", body);
    let limit = b.value(limit);
    b.program.graphs[graph.index()].budgets.push((name.into(), limit));
    let mut d = Driver::new(b.load_as_is().unwrap());
    let terms =
        terms.map(|terms| (0..count).map(|nth| (format!("m{nth}").into(), terms)).collect());
    let start = Start { terms: terms.unwrap_or_default(), ..Start::new(graph, vec![]) };
    d.event(Event::Start(Box::new(start)));
    d
}

fn usd(cents: i64) -> Money {
    Money { amount: Decimal::new(cents, 2), currency: Currency::parse("usd").unwrap() }
}

/// What one call reads is not known, so it may use up all that is left: the others begin when it has ended.
#[test]
fn where_nobody_knows_what_calls_use_up_one_follows_the_other() {
    let mut d = beside(3, "tokens", int(250), None);
    assert_eq!(d.flying(), ["m0"]);
    used(&mut d, 200, None);
    assert_eq!(d.flying(), ["m1"]);
    used(&mut d, 51, None);
    d.failed_with(Failure::Budget { kind: "tokens".into() });

    let mut d = beside(3, "cost", Value::Money(usd(50)), None);
    used(&mut d, 200, Some("0.49"));
    assert_eq!(d.flying(), ["m1"]);
    used(&mut d, 200, Some("0.01"));
    d.failed_with(Failure::Budget { kind: "cost".into() });
}

#[test]
fn calls_that_fit_together_run_together() {
    // With its repair: 2 × 30 read, then what was answered and said of it, and 2 × 100 written.
    let terms = ModelTerms { context: Some(30), max_output: None, price: None };
    let most = 2 * 30 + 612 + 2 * 100;
    let d = beside(5, "tokens", int(3 * most), Some(terms));
    assert_eq!(d.flying(), ["m0", "m1", "m2"]);
    let mut d = beside(5, "tokens", int(3 * most - 1), Some(terms));
    assert_eq!(d.flying(), ["m0", "m1"]);
    // What was not used up is there for the next ones.
    used(&mut d, 10, None);
    assert_eq!(d.flying(), ["m1", "m2"]);
    used(&mut d, 10, None);
    used(&mut d, 10, None);
    assert_eq!(d.flying(), ["m3", "m4"]);
    used(&mut d, 10, None);
    used(&mut d, 10, None);
    d.ended_with(1);

    let currency = usd(0).currency;
    let price =
        Some(TokenPrice { currency, read: Decimal::new(1, 4), written: Decimal::new(1, 4) });
    let d = beside(
        5,
        "cost",
        Value::Money(usd(2 * most / 100 + 1)),
        Some(ModelTerms { price, ..terms }),
    );
    assert_eq!(d.flying(), ["m0", "m1"]);
    // Without a price nothing is counted.
    let d = beside(5, "cost", Value::Money(usd(1)), Some(terms));
    assert_eq!(d.flying().len(), 5);
}

#[test]
fn repairs_are_calls_and_never_too_many() {
    // Each may need its repair, so the third waits for what the first two leave.
    let mut d = beside(4, "calls", int(5), None);
    assert_eq!(d.flying(), ["m0", "m1"]);
    let effect = d.in_flight.remove(0).effect;
    let usage = Usage { calls: 2, ..Usage::default() };
    let outcome = Outcome::Ok(int(1));
    d.event(Event::Done { effect, outcome, usage: Some(Box::new(usage)) });
    assert_eq!(d.flying(), ["m1"]);
    used(&mut d, 10, None);
    // Two are left: m2 has its repair, m3 waits, and has what is left then.
    assert_eq!(d.flying(), ["m2"]);
    used(&mut d, 10, None);
    let Some(Command::Model { request, .. }) = d.commands.last() else { panic!() };
    assert_eq!((request.role.as_str(), request.repair), ("m3", 0));
    used(&mut d, 10, None);
    d.ended_with(1);
}

/// Under way and waiting calls that are dropped make room for others.
#[test]
fn what_is_dropped_makes_room() {
    let mut b = ProgramBuilder::new();
    let race = |b: &mut ProgramBuilder, names: [&str; 2]| {
        let mut arms = Vec::new();
        for name in names {
            let nodes = vec![model(b, name)];
            let result = b.slot(0, 0);
            arms.push(b.region(0, nodes, result));
        }
        NodeKind::Race { need: 1, list: false, arms }
    };
    let (first, second) = (race(&mut b, ["a", "b"]), race(&mut b, ["c", "d"]));
    let result = b.slot(0, 1);
    let body = b.region(0, vec![node("first", first), node("second", second)], result);
    let graph = b.graph("main", body);
    let limit = b.int(1_000);
    b.program.graphs[graph.index()].budgets.push(("tokens".into(), limit));
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![]);
    assert_eq!(d.flying(), ["a"]);
    used(&mut d, 10, None);
    // `b` waited and is not needed any more.
    assert_eq!(d.flying(), ["c"]);
    used(&mut d, 10, None);
    d.ended_with(1);
}

#[test]
fn the_time_of_a_header_ends_what_is_inside() {
    let mut d = budgeted("time", Value::Duration(5 * SECOND));
    d.pass(3 * SECOND);
    used(&mut d, 1, None);
    assert_eq!(d.flying(), ["b"]);
    d.pass(2 * SECOND);
    assert_eq!(d.abandoned.len(), 1);
    d.ended_with(7);
    assert!(d.timers.is_empty());
}

#[test]
fn the_run_itself_has_a_header_too() {
    let mut b = ProgramBuilder::new();
    let first = model(&mut b, "a");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![first], result);
    let graph = b.graph("main", body);
    let time = b.value(Value::Duration(SECOND));
    b.program.graphs[graph.index()].budgets.push(("time".into(), time));
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![]);
    d.pass(SECOND);
    d.failed_with(Failure::Budget { kind: "time".into() });
}

#[test]
fn a_call_may_name_another_role_and_fewer_repairs() {
    let mut b = ProgramBuilder::new();
    let first = model(&mut b, "fast");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![first], result);
    let prompt = b.graph("prompt", body);
    let mut call = node("prompt", graph_call(prompt, vec![]));
    if let NodeKind::Call(call) = &mut call.kind {
        call.model = Some("smart".into());
        call.repair = Some(0);
    }
    let body = b.region(0, vec![call], result);
    b.graph("main", body);
    let d = Driver::started(b.load_as_is().unwrap(), vec![]);
    let Some(Command::Model { request, .. }) = d.commands.first() else { panic!() };
    assert_eq!((request.role.as_str(), request.repair), ("smart", 0));
    assert_eq!(request.options, [int(100)]);
}
