//! What takes long: expressions that are computed elsewhere, turns, and where failures arose.

use kait_ir::program::{Loop, Policy, Span};
use kait_ir::{BinaryOp, EffectClass, Expr, ExprId, Failure, NodeKind, Value};

use super::people::policy;
use super::{Driver, SECOND, custom, int};
use crate::builder::{ProgramBuilder, graph_call, leaf_call, node};
use crate::event::{Command, Event, Start};

/// `loop n = 0 max rounds { next(n: n + 1) } else { n }` as one expression.
fn count(b: &mut ProgramBuilder, rounds: i64) -> ExprId {
    let state = b.expr(Expr::Local(0));
    let one = b.int(1);
    let sum = b.expr(Expr::Binary(BinaryOp::Add, state, one));
    let next = b.expr(Expr::Variant(1, vec![sum]));
    let (init, max) = (b.int(0), b.int(rounds));
    let last = b.expr(Expr::Local(0));
    b.expr(Expr::Loop { state: vec![(0, init)], max, body: next, otherwise: last })
}

fn started(b: ProgramBuilder) -> Driver {
    let graph = kait_ir::GraphId(b.program.graphs.len() as u32 - 1);
    let mut d = Driver::new(b.load_as_is().unwrap());
    d.prompt = false;
    d.event(Event::Start(Box::new(Start::new(graph, vec![]))));
    d
}

/// The first job's result arrives.
fn compute(d: &mut Driver) {
    let (effect, job) = d.computing.remove(0);
    let result = job.run(d.machine.loaded(), &|| false);
    d.event(Event::Computed { effect, result });
}

#[test]
fn a_short_expression_is_evaluated_at_once_and_a_long_one_elsewhere() {
    let mut b = ProgramBuilder::new();
    let (short, long) = (count(&mut b, 100), count(&mut b, 100_000));
    let leaf = b.leaf_with("read", EffectClass::Read, 2);
    let both = leaf_call(leaf, vec![short, long]);
    let answer = b.slot(0, 0);
    let more = count(&mut b, 100_000);
    let sum = b.expr(Expr::Binary(BinaryOp::Add, answer, more));
    let body = b.region(0, vec![node("read", both)], sum);
    b.graph("main", body);
    let mut d = started(b);
    assert_eq!((d.computing.len(), d.in_flight.len()), (1, 0));
    compute(&mut d);
    assert_eq!(d.in_flight[0].args, [int(100), int(100_000)]);
    d.ok("read", 5);
    assert_eq!(d.computing.len(), 1, "the value of the block takes long, too");
    compute(&mut d);
    d.ended_with(100_005);
}

#[test]
fn a_timeout_ends_what_is_computed_and_says_which_limit_it_was() {
    let mut b = ProgramBuilder::new();
    let long = count(&mut b, 1_000_000);
    let body = b.region(0, vec![], long);
    let slow = b.graph("slow", body);
    let result = b.slot(0, 0);
    let inner = b.region(0, vec![node("slow", graph_call(slow, vec![]))], result);
    let timeout = b.value(Value::Duration(SECOND / 2));
    let limited = Policy { timeout: Some(timeout), ..policy(inner, None) };
    let body = b.region(0, vec![node("slow", NodeKind::Policy(Box::new(limited)))], result);
    b.graph("main", body);
    let mut d = started(b);
    let (effect, _) = d.computing[0].clone();
    d.pass(SECOND / 2);
    assert!(d.commands.contains(&Command::Abandon(effect)));
    d.failed_with(Failure::Timeout);
    let at = d.state.failed_at().unwrap();
    assert_eq!((at.path.as_str(), at.limit.as_deref()), ("main/slow", Some("timeout: 500ms")));
}

#[test]
fn cancelling_ends_what_is_computed() {
    let mut b = ProgramBuilder::new();
    let long = count(&mut b, 1_000_000);
    let body = b.region(0, vec![], long);
    b.graph("main", body);
    let mut d = started(b);
    let (effect, job) = d.computing[0].clone();
    d.event(Event::Cancel);
    assert!(d.commands.contains(&Command::Abandon(effect)));
    d.failed_with(Failure::Cancelled);
    // Whoever evaluates it hears of it.
    let looks = std::cell::Cell::new(0);
    let stop = || {
        looks.set(looks.get() + 1);
        looks.get() > 3
    };
    assert_eq!(
        job.run(d.machine.loaded(), &stop).outcome,
        crate::Outcome::Failed(Failure::Cancelled)
    );
}

/// What handles failures must not take "it is computed elsewhere" for one.
#[test]
fn handlers_and_tries_do_not_see_that_something_is_put_off() {
    let mut b = ProgramBuilder::new();
    let long = count(&mut b, 100_000);
    let seven = b.int(7);
    let any = kait_ir::ExprArm { pattern: kait_ir::Pattern::Any, guard: None, body: seven };
    let caught = b.expr(Expr::Catch { body: long, arms: vec![any] });
    let tried = b.expr(Expr::Try(caught));
    let body = b.region(0, vec![node("pure", NodeKind::Pure(tried))], tried);
    b.graph("main", body);
    let mut d = started(b);
    compute(&mut d);
    compute(&mut d);
    d.ended_with(Value::Variant(0, [int(100_000)].into()));
}

#[test]
fn a_loop_without_effects_lets_timers_and_cancelling_in_between() {
    let mut b = ProgramBuilder::new();
    let state = b.slot(0, 0);
    let one = b.int(1);
    let sum = b.expr(Expr::Binary(BinaryOp::Add, state, one));
    let read = b.slot(0, 1);
    let next = b.expr(Expr::Variant(1, vec![read]));
    let body = b.region(1, vec![node("n", NodeKind::Pure(sum))], next);
    let last = b.slot(0, 0);
    let otherwise = b.region(1, vec![], last);
    let (init, max) = (b.int(0), b.int(300_000));
    let rounds = Loop { init: vec![init], max, body, otherwise };
    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("loop", NodeKind::Loop(Box::new(rounds)))], result);
    let graph = b.graph("main", body);
    let time = b.value(Value::Duration(SECOND));
    b.program.graphs[graph.index()].budgets.push(("time".into(), time));
    let loaded = b.load_as_is().unwrap();

    let mut d = Driver::new(loaded);
    d.prompt = false;
    d.event(Event::Start(Box::new(Start::new(graph, vec![]))));
    let mut turns = 0;
    while d.outcome.is_none() {
        assert_eq!(d.timers.len(), 1, "the clock runs while there is work to do");
        assert!(std::mem::take(&mut d.resumes));
        d.event(Event::Resume);
        turns += 1;
    }
    assert!(turns > 2, "{turns}");
    d.ended_with(300_000);

    let program = d.machine;
    let mut d = Driver::new(crate::Loaded::prepare(program.loaded().shared_program()).unwrap());
    d.prompt = false;
    d.event(Event::Start(Box::new(Start::new(graph, vec![]))));
    d.pass(SECOND);
    d.failed_with(Failure::Budget { kind: "time".into() });
    let at = d.state.failed_at().unwrap();
    assert_eq!((at.path.as_str(), at.limit.as_deref()), ("main", Some("time: 1s")));
}

#[test]
fn a_failure_says_which_expression_it_was_and_in_which_node() {
    let mut b = ProgramBuilder::new();
    let span = |start| Span { file: 0, start, end: start + 1 };
    let (one, zero) = (b.int(1), b.int(0));
    let division = b.expr(Expr::Binary(BinaryOp::Div, one, zero));
    let whole = b.expr(Expr::Binary(BinaryOp::Add, one, division));
    b.program.expr_spans = vec![None; whole.0 as usize + 1];
    b.program.expr_spans[division.0 as usize] = Some(span(10));
    b.program.expr_spans[whole.0 as usize] = Some(span(20));
    let body = b.region(0, vec![], whole);
    let inner = b.graph("inner", body);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("inner", graph_call(inner, vec![]))], result);
    b.graph("main", body);
    let d = Driver::started(b.load_as_is().unwrap(), vec![]);
    let at = d.state.failed_at().unwrap();
    assert_eq!((at.path.as_str(), at.span), ("main/inner", Some(span(10))));

    // What is handled leaves no trace: the failure after it has its own place.
    let mut b = ProgramBuilder::new();
    let (one, zero) = (b.int(1), b.int(0));
    let division = b.expr(Expr::Binary(BinaryOp::Div, one, zero));
    let tried = b.expr(Expr::Try(division));
    let says = b.value(custom("give up").to_value());
    let fail = b.expr(Expr::Fail(says));
    let block = b.expr(Expr::Let { local: 0, value: tried, body: fail });
    b.program.expr_spans = vec![None; block.0 as usize + 1];
    b.program.expr_spans[division.0 as usize] = Some(span(10));
    b.program.expr_spans[fail.0 as usize] = Some(span(30));
    let body = b.region(0, vec![], block);
    b.graph("main", body);
    let d = Driver::started(b.load_as_is().unwrap(), vec![]);
    let at = d.state.failed_at().unwrap();
    assert_eq!((at.path.as_str(), at.span), ("main", Some(span(30))));
}
