//! Tests in the language: stubs, the record of calls, expectations.

use kait_ir::expr::{CallShape, LogQuery};
use kait_ir::program::{Stub, StubOutcome};
use kait_ir::{
    BinaryOp, EffectClass, Expr, ExprId, Failure, Node, NodeKind, Pattern, TargetId, Value,
};

use super::people::policy;
use super::{Driver, SECOND, custom, int};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};
use crate::event::Command;

fn target(b: &mut ProgramBuilder, name: &str) -> TargetId {
    b.program.targets.push(name.into());
    TargetId(b.program.targets.len() as u32 - 1)
}

fn stub(
    b: &mut ProgramBuilder,
    target: TargetId,
    params: Vec<(u32, Pattern)>,
    values: Vec<ExprId>,
) {
    let outcomes = values.into_iter().map(|value| StubOutcome { value, after: 0 }).collect();
    b.program.stubs.push(Stub { target, params, outcomes, data: vec![], span: None });
}

fn call(b: &mut ProgramBuilder, name: &str, target: TargetId, arg: i64) -> Node {
    let arg = b.int(arg);
    node(name, NodeKind::Stubbed { target, args: vec![arg], model: false })
}

fn run(mut b: ProgramBuilder, nodes: Vec<Node>) -> Driver {
    let slots: Vec<u32> = (0..nodes.len() as u32).collect();
    let result = b.slots(&slots);
    let body = b.region(0, nodes, result);
    b.graph("test", body);
    Driver::started(b.load_as_is().unwrap(), vec![])
}

#[test]
fn the_first_stub_that_matches_answers_and_the_last_outcome_repeats() {
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let (one, two, local) = (b.int(1), b.int(2), b.expr(Expr::Local(0)));
    stub(&mut b, f, vec![(0, Pattern::Const(int(9)))], vec![one, two]);
    stub(&mut b, f, vec![(0, Pattern::Bind(0))], vec![local]);
    let nodes = [9, 9, 9, 5]
        .iter()
        .enumerate()
        .map(|(i, arg)| call(&mut b, &format!("f{i}"), f, *arg))
        .collect();
    run(b, nodes).ended_with(vec![1, 2, 2, 5]);
}

/// `[f(1), sub(), f(1)]`, where `sub` calls `f` behind another call: outcomes in the order of the text, though the
/// engine comes to the last one first.
#[test]
fn outcomes_are_given_in_the_order_of_the_text() {
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let outcomes = vec![b.int(1), b.int(2), b.int(3)];
    stub(&mut b, f, vec![], outcomes);
    let inner = call(&mut b, "f", f, 1);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![inner], result);
    let sub = b.graph("sub", body);
    let nodes = vec![
        call(&mut b, "a", f, 1),
        node("sub", graph_call(sub, vec![])),
        call(&mut b, "c", f, 1),
    ];
    run(b, nodes).ended_with(vec![1, 2, 3]);
}

/// Items before, and a call above that waits for something else, have their turn first; what only takes its time does
/// not hold anybody up.
#[test]
fn outcomes_wait_for_calls_above_but_not_for_their_answers() {
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let outcomes = (1..=4).map(|n| b.int(n)).collect::<Vec<_>>();
    let outcomes = outcomes.into_iter().map(|value| StubOutcome { value, after: SECOND }).collect();
    b.program.stubs.push(Stub { target: f, params: vec![], outcomes, data: vec![], span: None });
    let slow = b.leaf("slow", EffectClass::Read);
    let wait = node("wait", leaf_call(slow, vec![]));
    let late = call(&mut b, "late", f, 1).after(&[0]);
    let result = b.slot(0, 2);
    let body = b.region(1, vec![wait, late], result);
    let items = b.value(Value::list(vec![int(0), int(1)]));
    let map = kait_ir::program::Map {
        source: items,
        pattern: Pattern::Bind(0),
        filter: None,
        max: None,
        parallel: None,
        sequential: false,
        early: false,
        body,
    };
    let nodes = vec![
        call(&mut b, "a", f, 1),
        node("for", NodeKind::Map(Box::new(map))),
        call(&mut b, "d", f, 1),
    ];
    let mut d = run(b, nodes);
    assert_eq!(d.timers.len(), 1, "`d` waits for the items");
    // The second item's call waits for the first one's.
    let second = d.in_flight.pop().unwrap();
    d.event(crate::Event::Done {
        effect: second.effect,
        outcome: crate::Outcome::Ok(Value::None),
        usage: None,
    });
    assert_eq!(d.timers.len(), 1);
    d.ok("slow", 0);
    assert_eq!(d.timers.len(), 4, "all take their time together");
    d.pass(SECOND);
    d.ended_with(Value::list(vec![int(1), Value::list(vec![int(2), int(3)]), int(4)]));
}

#[test]
fn a_call_without_stub_fails_and_names_it() {
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "acme.pay");
    let nodes = vec![call(&mut b, "f", f, 1)];
    let d = run(b, nodes);
    let why = "acme.pay";
    d.failed_with(Failure::Unbound { name: why.into() });
}

#[test]
fn stubs_take_their_time_and_see_lets_of_the_test() {
    // let word = slow(); f(1) where `stub f(_) => word after 5s`
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let slow = b.leaf("slow", EffectClass::Read);
    let word = b.slot(0, 0);
    b.program.stubs.push(Stub {
        target: f,
        params: vec![],
        outcomes: vec![StubOutcome { value: word, after: 5 * SECOND }],
        data: vec![0],
        span: None,
    });
    let stubbed = call(&mut b, "f", f, 1);
    let mut d = run(b, vec![node("slow", leaf_call(slow, vec![])), stubbed]);
    d.pass(60 * SECOND);
    d.ok("slow", 3);
    assert_eq!(d.timers.iter().map(|t| t.1).collect::<Vec<_>>(), [65 * SECOND]);
    d.tick();
    d.ended_with(vec![3, 3]);
}

#[test]
fn policies_apply_to_stubs_and_attempts_are_counted_apart() {
    // f(1) with (timeout: 1s, retry: 2): the first takes too long, the second fails, the third answers.
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let (answer, busy) =
        (b.int(3), b.value(Failure::Http { status: 503, body: "".into() }.to_value()));
    let fails = b.expr(Expr::Fail(busy));
    b.program.stubs.push(Stub {
        target: f,
        params: vec![],
        outcomes: vec![
            StubOutcome { value: answer, after: 10 * SECOND },
            StubOutcome { value: fails, after: 0 },
            StubOutcome { value: answer, after: 0 },
        ],
        data: vec![],
        span: None,
    });
    let inner = call(&mut b, "f", f, 1);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![inner], result);
    let mut policies = policy(body, None);
    policies.timeout = Some(b.value(Value::Duration(SECOND)));
    policies.retry = Some(b.int(2));
    let calls = b.expr(Expr::CallLog(Box::new(LogQuery::Calls(f))));
    let attempts = b.expr(Expr::CallLog(Box::new(LogQuery::Attempts(f))));
    let both = b.expr(Expr::List(vec![(calls, false), (attempts, false)]));
    let nodes = vec![
        node("call", NodeKind::Policy(Box::new(policies))),
        node("counts", NodeKind::Pure(both)).after_data(&[0]),
    ];
    let mut d = run(b, nodes);
    while d.tick() {}
    assert!(d.now < 10 * SECOND);
    d.ended_with(Value::list(vec![int(3), super::Value2::from(vec![1, 3]).0]));
}

#[test]
fn a_failed_expectation_shows_both_sides_and_the_test_goes_on() {
    let mut b = ProgramBuilder::new();
    let ty = b.ty(kait_ir::Type::Int);
    let f = target(&mut b, "f");
    let two = b.int(2);
    stub(&mut b, f, vec![], vec![two]);
    let got = b.slot(0, 0);
    let three = b.int(3);
    let wrong = b.expr(Expr::Binary(BinaryOp::Eq, got, three));
    let right = b.expr(Expr::Binary(BinaryOp::Eq, got, two));
    let expect = |condition, source: &str| {
        node(
            source,
            NodeKind::Expect {
                condition,
                shows: vec![("f(1)".into(), got, ty), ("3".into(), three, ty)],
                source: source.into(),
            },
        )
        .after_data(&[0])
    };
    let nodes = vec![
        call(&mut b, "f", f, 1),
        expect(wrong, "f(1) == 3"),
        expect(right, "f(1) == 2"),
        expect(wrong, "f(1) == 3, again"),
    ];
    let d = run(b, nodes);
    let failed: Vec<_> = d
        .others
        .iter()
        .map(|c| match c {
            Command::ExpectFailed(failed) => failed,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[0].source, "f(1) == 3");
    assert_eq!(failed[0].shows, [("f(1)".into(), "2".into()), ("3".into(), "3".into())]);
    assert_eq!(failed[1].source, "f(1) == 3, again");
    assert!(d.outcome.is_some());
}

#[test]
fn an_expectation_that_cannot_be_evaluated_says_why() {
    let mut b = ProgramBuilder::new();
    let (one, zero) = (b.int(1), b.int(0));
    let bad = b.expr(Expr::Binary(BinaryOp::Div, one, zero));
    let is = b.expr(Expr::Binary(BinaryOp::Eq, bad, one));
    let kind = NodeKind::Expect { condition: is, shows: vec![], source: "1 / 0 == 1".into() };
    let d = run(b, vec![node("expect", kind)]);
    let Some(Command::ExpectFailed(failed)) = d.others.first() else { panic!() };
    assert_eq!(failed.failure, Some(Failure::trap("division by zero")));
}

#[test]
fn expectations_wait_for_everything_above_them() {
    let mut b = ProgramBuilder::new();
    let slow = b.leaf("slow", EffectClass::Read);
    let no = b.value(Value::Bool(false));
    let kind = NodeKind::Expect { condition: no, shows: vec![], source: "false".into() };
    let mut d = run(b, vec![node("slow", leaf_call(slow, vec![])), node("expect", kind)]);
    assert!(d.others.is_empty());
    d.ok("slow", 1);
    assert_eq!(d.others.len(), 1);
}

#[test]
fn the_record_knows_what_was_called_and_in_which_order() {
    let mut b = ProgramBuilder::new();
    let (f, g) = (target(&mut b, "f"), target(&mut b, "g"));
    let two = b.int(2);
    stub(&mut b, f, vec![], vec![two]);
    let inner_result = b.slot(0, 0);
    let body = b.region(1, vec![], inner_result);
    let graph = b.graph("g", body);
    let arg = b.slot(0, 0);
    let mut counted = node("g", graph_call(graph, vec![arg])).after_data(&[0]);
    if let NodeKind::Call(call) = &mut counted.kind {
        call.target = Some(g);
    }
    let shape = |target, arg: Option<ExprId>| CallShape {
        target,
        args: arg.into_iter().map(|a| (0, a)).collect(),
    };
    let mut asks = Vec::new();
    let three = b.int(3);
    let one = b.int(1);
    for query in [
        LogQuery::Called(shape(f, Some(one))),
        LogQuery::Called(shape(f, Some(three))),
        LogQuery::Called(shape(g, Some(two))),
        LogQuery::Order(vec![shape(f, None), shape(g, Some(two))]),
        LogQuery::Order(vec![shape(g, None), shape(f, None)]),
    ] {
        asks.push((b.expr(Expr::CallLog(Box::new(query))), false));
    }
    let list = b.expr(Expr::List(asks));
    let nodes =
        vec![call(&mut b, "f", f, 1), counted, node("asks", NodeKind::Pure(list)).after(&[1])];
    let d = run(b, nodes);
    let answers = Value::list([true, false, true, true, false].map(Value::Bool).to_vec());
    d.ended_with(Value::list(vec![int(2), int(2), answers]));
}

#[test]
fn a_stub_may_fail() {
    let mut b = ProgramBuilder::new();
    let f = target(&mut b, "f");
    let failure = b.value(custom("injected").to_value());
    let fails = b.expr(Expr::Fail(failure));
    stub(&mut b, f, vec![], vec![fails]);
    let nodes = vec![call(&mut b, "f", f, 1)];
    run(b, nodes).failed_with(custom("injected"));
}
