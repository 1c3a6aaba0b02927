//! Control forms, one by one.

use kait_ir::program::{Arm, Loop, Map};
use kait_ir::{BinaryOp, EffectClass, Expr, Failure, Gate, NodeKind, Pattern, RegionId, Value};

use super::{Driver, Value2, custom, int};
use crate::Event;
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};

/// A region with one leaf (of class read) and its value.
fn one_leaf(
    b: &mut ProgramBuilder,
    params: u32,
    name: &str,
    args: Vec<kait_ir::ExprId>,
) -> RegionId {
    let leaf = b.leaf(name, EffectClass::Read);
    let result = b.slot(0, params);
    b.region(params, vec![node(name, leaf_call(leaf, args))], result)
}

fn arm(pattern: Pattern, body: RegionId) -> Arm {
    Arm { pattern, guard: None, body }
}

fn start(mut b: ProgramBuilder, kind: NodeKind, args: Vec<Value>) -> Driver {
    let params = args.len() as u32;
    let result = b.slot(0, params);
    let body = b.region(params, vec![node("it", kind)], result);
    b.graph("main", body);
    Driver::started(b.load_as_is().unwrap(), args)
}

fn map_of(source: kait_ir::ExprId, body: RegionId) -> Map {
    Map {
        source,
        pattern: Pattern::Bind(0),
        filter: None,
        max: None,
        parallel: None,
        sequential: false,
        early: false,
        body,
    }
}

#[test]
fn a_switch_runs_the_first_arm_that_matches() {
    let mut b = ProgramBuilder::new();
    let bound = b.slot(0, 0);
    let some = one_leaf(&mut b, 1, "some", vec![bound]);
    let none = one_leaf(&mut b, 0, "none", vec![]);
    let local = b.expr(Expr::Local(0));
    let ten = b.int(10);
    let guard = b.expr(Expr::Binary(BinaryOp::Gt, local, ten));
    let scrutinee = b.slot(0, 0);
    let arms = vec![
        Arm { pattern: Pattern::Bind(0), guard: Some(guard), body: some },
        arm(Pattern::Any, none),
    ];
    let kind = NodeKind::Switch { scrutinee, arms };
    let mut d = start(b.clone(), kind.clone(), vec![int(11)]);
    assert_eq!(d.flying(), ["some"]);
    assert_eq!(d.in_flight[0].args, [int(11)]);
    assert_eq!(d.in_flight[0].path, "main/it.0/some");
    d.ok("some", 5);
    d.ended_with(5);
    let mut d = start(b, kind, vec![int(10)]);
    d.ok("none", 6);
    d.ended_with(6);
}

#[test]
fn a_failing_expression_fails_its_node() {
    let mut b = ProgramBuilder::new();
    let (one, zero) = (b.int(1), b.int(0));
    let bad = b.expr(Expr::Binary(BinaryOp::Div, one, zero));
    let d = start(b, NodeKind::Pure(bad), vec![]);
    d.failed_with(Failure::trap("division by zero"));
}

#[test]
fn a_map_keeps_order_and_leaves_out_what_does_not_match() {
    let mut b = ProgramBuilder::new();
    let item = b.slot(0, 0);
    let body = one_leaf(&mut b, 1, "f", vec![item]);
    let local = b.expr(Expr::Local(0));
    let two = b.int(2);
    let filter = b.expr(Expr::Binary(BinaryOp::Ne, local, two));
    let source = b.slot(0, 0);
    let map = Map {
        pattern: Pattern::Variant(0, vec![(0, Pattern::Bind(0))]),
        filter: Some(filter),
        ..map_of(source, body)
    };
    let ok = |n| Value::Variant(0, [int(n)].into());
    let items = Value::list(vec![ok(1), Value::Tag(1), ok(2), ok(3), ok(4)]);
    let mut d = start(b, NodeKind::Map(Box::new(map)), vec![items]);
    assert_eq!(
        d.in_flight.iter().map(|f| f.args[0].clone()).collect::<Vec<_>>(),
        [1, 3, 4].map(int)
    );
    assert_eq!(d.in_flight[2].path, "main/it[2]/f");
    d.in_flight.reverse();
    d.ok("f", 40);
    d.ok("f", 30);
    d.ok("f", 10);
    d.ended_with(vec![10, 30, 40]);
}

#[test]
fn a_map_starts_as_many_as_it_may() {
    let mut b = ProgramBuilder::new();
    let item = b.slot(0, 0);
    let body = one_leaf(&mut b, 1, "f", vec![item]);
    let source = b.slot(0, 0);
    let two = b.int(2);
    let map = Map { parallel: Some(two), ..map_of(source, body) };
    let mut d = start(b, NodeKind::Map(Box::new(map)), vec![Value2::from(vec![1, 2, 3, 4]).0]);
    for _ in 0..3 {
        assert_eq!(d.flying().len(), 2);
        d.ok("f", 0);
    }
    d.ok("f", 0);
    d.ended_with(vec![0, 0, 0, 0]);
}

#[test]
fn without_parallel_a_map_starts_sixteen() {
    let mut b = ProgramBuilder::new();
    let item = b.slot(0, 0);
    let body = one_leaf(&mut b, 1, "f", vec![item]);
    let source = b.slot(0, 0);
    let map = map_of(source, body);
    let items = Value::list((0..40).map(int).collect());
    let d = start(b, NodeKind::Map(Box::new(map)), vec![items]);
    assert_eq!(d.flying().len(), 16);
}

#[test]
fn a_map_fails_as_if_from_top_to_bottom() {
    let mut b = ProgramBuilder::new();
    let item = b.slot(0, 0);
    let body = one_leaf(&mut b, 1, "f", vec![item]);
    let source = b.slot(0, 0);
    let map = map_of(source, body);
    let mut d = start(b, NodeKind::Map(Box::new(map)), vec![Value2::from(vec![1, 2, 3, 4]).0]);
    d.in_flight.swap(0, 2);
    d.fail("f", custom("third"));
    // The fourth is dropped; the first two run to their end, and the second fails earlier in the text.
    assert_eq!(d.flying().len(), 2);
    d.ok("f", 0);
    assert_eq!(d.outcome, None);
    d.fail("f", custom("one of the first two"));
    d.failed_with(custom("one of the first two"));
}

#[test]
fn independent_bodies_end_after_a_failure_and_the_lowest_is_reported() {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf("write", EffectClass::Write { keyed: false });
    let item = b.slot(0, 0);
    let result = b.slot(0, 1);
    let write = node("write", leaf_call(leaf, vec![item])).gate(Gate::All);
    let body = b.region(1, vec![write], result);
    let source = b.slot(0, 0);
    let three = b.int(3);
    let map = Map { parallel: Some(three), ..map_of(source, body) };
    let mut it = node("it", NodeKind::Map(Box::new(map)));
    it.holds_gate = true;
    let result = b.slot(0, 1);
    let body = b.region(1, vec![it], result);
    b.graph("main", body);
    let items = Value::list((0..9).map(int).collect());
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![items]);
    assert_eq!(d.flying().len(), 3);
    d.in_flight.reverse();
    d.fail("write", custom("third"));
    assert_eq!(d.flying().len(), 2, "nothing new starts, nothing is torn");
    d.fail("write", custom("second"));
    d.ok("write", 1);
    d.failed_with(custom("second"));
}

#[test]
fn a_list_that_is_too_long_fails_before_the_first_item() {
    let mut b = ProgramBuilder::new();
    let item = b.slot(0, 0);
    let body = one_leaf(&mut b, 1, "f", vec![item]);
    let source = b.slot(0, 0);
    let two = b.int(2);
    let map = Map { max: Some(two), ..map_of(source, body) };
    let d = start(b, NodeKind::Map(Box::new(map)), vec![Value2::from(vec![1, 2, 3]).0]);
    assert!(d.commands.len() == 1);
    d.failed_with(Failure::Budget { kind: "items".into() });
}

#[test]
fn an_empty_list_gives_an_empty_list() {
    let mut b = ProgramBuilder::new();
    let body = one_leaf(&mut b, 1, "f", vec![]);
    let source = b.slot(0, 0);
    let map = map_of(source, body);
    let d = start(b, NodeKind::Map(Box::new(map)), vec![Value::list(vec![])]);
    d.ended_with(Value::list(vec![]));
}

fn counting(b: &mut ProgramBuilder, most: i64) -> NodeKind {
    // loop n = 0 max most { let m = f(n); if m >= 3 { done m } else { next(n: m) } } else { n + 100 }
    let state = b.slot(0, 0);
    let leaf = b.leaf("f", EffectClass::Read);
    let m = b.slot(0, 1);
    let three = b.int(3);
    let reached = b.expr(Expr::Binary(BinaryOp::Ge, m, three));
    let done = b.expr(Expr::Variant(0, vec![m]));
    let next = b.expr(Expr::Variant(1, vec![m]));
    let result = b.expr(Expr::If(reached, done, next));
    let body = b.region(1, vec![node("f", leaf_call(leaf, vec![state]))], result);
    let last = b.slot(0, 0);
    let hundred = b.int(100);
    let sum = b.expr(Expr::Binary(BinaryOp::Add, last, hundred));
    let otherwise = b.region(1, vec![], sum);
    let init = b.int(0);
    let max = b.int(most);
    NodeKind::Loop(Box::new(Loop { init: vec![init], max, body, otherwise }))
}

#[test]
fn a_loop_ends_with_done_or_when_its_rounds_are_used_up() {
    let mut b = ProgramBuilder::new();
    let kind = counting(&mut b, 5);
    let mut d = start(b, kind, vec![]);
    for n in 0..3 {
        assert_eq!(d.in_flight[0].args, [int(n)]);
        assert_eq!(d.in_flight[0].path, format!("main/it[{n}]/f"));
        d.ok("f", n + 1);
    }
    d.ended_with(3);

    let mut b = ProgramBuilder::new();
    let kind = counting(&mut b, 2);
    let mut d = start(b, kind, vec![]);
    d.ok("f", 1);
    d.ok("f", 2);
    d.ended_with(102);

    let mut b = ProgramBuilder::new();
    let kind = counting(&mut b, 0);
    let d = start(b, kind, vec![]);
    d.ended_with(100);

    let mut b = ProgramBuilder::new();
    let kind = counting(&mut b, 9);
    let mut d = start(b, kind, vec![]);
    d.ok("f", 1);
    d.fail("f", custom("no"));
    d.failed_with(custom("no"));
}

fn race(b: &mut ProgramBuilder, need: u32) -> NodeKind {
    let arms = ["a", "b", "c"].map(|name| one_leaf(b, 0, name, vec![])).to_vec();
    NodeKind::Race { need, list: need > 1, arms }
}

#[test]
fn the_first_success_wins_and_losers_are_abandoned() {
    let mut b = ProgramBuilder::new();
    let kind = race(&mut b, 1);
    let mut d = start(b, kind, vec![]);
    assert_eq!(d.flying(), ["a", "b", "c"]);
    d.fail("a", custom("a"));
    d.ok("c", 3);
    assert_eq!(d.abandoned.len(), 1);
    d.ended_with(3);

    let mut b = ProgramBuilder::new();
    let kind = race(&mut b, 2);
    let mut d = start(b, kind, vec![]);
    d.ok("c", 3);
    d.ok("a", 1);
    d.ended_with(vec![3, 1]);

    let mut b = ProgramBuilder::new();
    let kind = race(&mut b, 2);
    let mut d = start(b, kind, vec![]);
    d.fail("c", custom("c"));
    assert_eq!(d.outcome, None);
    d.fail("a", custom("a"));
    assert_eq!(d.abandoned.len(), 1, "two cannot succeed any more");
    d.failed_with(custom("a"));
}

#[test]
fn handlers_cover_what_their_patterns_name() {
    let denied = || Failure::Denied { by: "ada".into(), why: "no".into() };
    let unknown = || Failure::Unknown { call: "pay".into() };
    let cases: [(Pattern, Failure, bool); 9] = [
        (Pattern::Any, custom("x"), true),
        (Pattern::Any, denied(), false),
        (Pattern::Any, Failure::Unanswered, false),
        (Pattern::Any, unknown(), false),
        (Pattern::Bind(0), denied(), true),
        (Pattern::Bind(0), unknown(), false),
        (Pattern::Variant(12, vec![]), unknown(), true),
        (Pattern::Variant(0, vec![]), custom("x"), false),
        (Pattern::Or(vec![Pattern::Any, Pattern::Variant(2, vec![])]), denied(), true),
    ];
    for (pattern, failure, covered) in cases {
        let mut b = ProgramBuilder::new();
        let body = one_leaf(&mut b, 0, "risky", vec![]);
        let handler = one_leaf(&mut b, 0, "handler", vec![]);
        let kind = NodeKind::Catch { body, arms: vec![arm(pattern.clone(), handler)] };
        let mut d = start(b, kind, vec![]);
        d.fail("risky", failure.clone());
        if covered {
            assert_eq!(d.in_flight[0].path, "main/it.catch0/handler");
            d.ok("handler", 7);
            d.ended_with(7);
        } else {
            d.failed_with(failure);
        }
    }
}

#[test]
fn try_gives_a_result_but_never_covers_unknown() {
    for (failure, covered) in [
        (custom("x"), true),
        (Failure::Unanswered, true),
        (Failure::Unknown { call: "p".into() }, false),
    ] {
        let mut b = ProgramBuilder::new();
        let body = one_leaf(&mut b, 0, "risky", vec![]);
        let mut d = start(b, NodeKind::Try(body), vec![]);
        d.fail("risky", failure.clone());
        if covered {
            d.ended_with(Value::Variant(1, [failure.to_value()].into()));
        } else {
            d.failed_with(failure);
        }
    }
    let mut b = ProgramBuilder::new();
    let body = one_leaf(&mut b, 0, "risky", vec![]);
    let mut d = start(b, NodeKind::Try(body), vec![]);
    d.ok("risky", 1);
    d.ended_with(Value::Variant(0, [int(1)].into()));
}

#[test]
fn recursion_has_as_many_frames_as_its_header_says() {
    // graph down(n) with (depth: 3) { if n == 0 { 0 } else { down(n - 1) } }
    let program = || {
        let mut b = ProgramBuilder::new();
        let n = b.slot(0, 0);
        let outer = b.slot(1, 0);
        let one = b.int(1);
        let less = b.expr(Expr::Binary(BinaryOp::Sub, outer, one));
        let zero = b.int(0);
        let result = b.slot(0, 0);
        let call = node("down", graph_call(kait_ir::GraphId(0), vec![less]));
        let again = b.region(0, vec![call], result);
        let end = b.region(0, vec![], zero);
        let arms = vec![arm(Pattern::Const(int(0)), end), arm(Pattern::Any, again)];
        let switch = node("if", NodeKind::Switch { scrutinee: n, arms });
        let result = b.slot(0, 1);
        let body = b.region(1, vec![switch], result);
        b.graph("down", body);
        b.program.graphs[0].depth = Some(3);
        b
    };
    Driver::started(program().load_as_is().unwrap(), vec![int(2)]).ended_with(0);
    Driver::started(program().load_as_is().unwrap(), vec![int(3)]).failed_with(Failure::Depth);
    // Without a bound the engine has one of its own, and it costs no stack.
    let mut b = program();
    b.program.graphs[0].depth = None;
    Driver::started(b.load_as_is().unwrap(), vec![int(1_000_000)]).failed_with(Failure::Depth);
}

#[test]
fn a_loop_of_nodes_does_not_nest_values_without_end() {
    let mut b = ProgramBuilder::new();
    let state = b.slot(0, 0);
    let list = b.expr(Expr::List(vec![(state, false)]));
    let node_value = b.slot(0, 1);
    let next = b.expr(Expr::Variant(1, vec![node_value]));
    let body = b.region(1, vec![node("wrap", NodeKind::Pure(list))], next);
    let otherwise = b.region(1, vec![], state);
    let (init, max) = (b.int(0), b.int(1_000_000));
    let kind = NodeKind::Loop(Box::new(Loop { init: vec![init], max, body, otherwise }));
    let d = start(b, kind, vec![]);
    d.failed_with(Failure::trap("a value nests deeper than 1000 levels"));
}

#[test]
fn a_region_starts_before_slots_that_only_its_nodes_read() {
    // let slow = slow(); let x = match 1 { _ => { let q = quick(); f(slow, q) } }
    let mut b = ProgramBuilder::new();
    let slow = b.leaf("slow", EffectClass::Read);
    let quick = b.leaf("quick", EffectClass::Read);
    let f = b.leaf("f", EffectClass::Read);
    let args = vec![b.slot(1, 0), b.slot(0, 0)];
    let nodes = vec![
        node("quick", leaf_call(quick, vec![])),
        node("f", leaf_call(f, args)).after_data(&[0]).outer(&[(1, 0)]),
    ];
    let result = b.slot(0, 1);
    let inner = b.region(0, nodes, result);
    let scrutinee = b.int(1);
    let switch = NodeKind::Switch { scrutinee, arms: vec![arm(Pattern::Any, inner)] };
    let nodes = vec![node("slow", leaf_call(slow, vec![])), node("match", switch)];
    let result = b.slot(0, 1);
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![]);
    assert_eq!(d.flying(), ["slow", "quick"]);
    d.ok("quick", 2);
    assert_eq!(d.flying(), ["slow"]);
    d.ok("slow", 1);
    assert_eq!(d.in_flight[0].args, [int(1), int(2)]);
    d.ok("f", 3);
    d.ended_with(3);
}

#[test]
fn a_result_waits_for_slots_of_enclosing_regions() {
    // let slow = slow(); match 1 { _ => slow }
    let mut b = ProgramBuilder::new();
    let slow = b.leaf("slow", EffectClass::Read);
    let result = b.slot(1, 0);
    let inner = b.region(0, vec![], result);
    let scrutinee = b.int(1);
    let switch = NodeKind::Switch { scrutinee, arms: vec![arm(Pattern::Any, inner)] };
    let nodes = vec![node("slow", leaf_call(slow, vec![])), node("match", switch)];
    let result = b.slot(0, 1);
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![]);
    assert_eq!(d.outcome, None);
    d.ok("slow", 1);
    d.ended_with(1);
}

#[test]
fn cancelling_awaits_writes_and_abandons_the_rest() {
    let mut b = ProgramBuilder::new();
    let write = b.leaf("write", EffectClass::Write { keyed: false });
    let read = b.leaf("read", EffectClass::Read);
    let nodes = vec![
        node("write", leaf_call(write, vec![])).gate(Gate::All),
        node("read", leaf_call(read, vec![])),
    ];
    let result = b.slot(0, 0);
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    let mut d = Driver::started(b.load_as_is().unwrap(), vec![]);
    assert_eq!(d.flying(), ["write", "read"]);
    d.event(Event::Cancel);
    assert_eq!((d.abandoned.len(), d.flying()), (1, vec!["write"]));
    assert_eq!(d.outcome, None, "the write is awaited");
    d.event(Event::Cancel);
    d.ok("write", 1);
    d.failed_with(Failure::Cancelled);

    let mut b = ProgramBuilder::new();
    let kind = counting(&mut b, 5);
    let mut d = start(b, kind, vec![]);
    d.event(Event::Cancel);
    assert_eq!(d.abandoned.len(), 1);
    d.failed_with(Failure::Cancelled);
}

#[test]
fn events_for_what_is_over_are_ignored() {
    let mut b = ProgramBuilder::new();
    let kind = race(&mut b, 1);
    let mut d = start(b, kind, vec![]);
    let loser = d.in_flight[0].effect;
    d.ok("b", 2);
    assert!(d.outcome.is_some());
    let commands = d.commands.len();
    let done =
        |effect| Event::Done { effect, outcome: crate::Outcome::Ok(Value::None), usage: None };
    d.event(done(loser));
    d.event(done(crate::EffectId { frame: 99, generation: 7, node: 3 }));
    d.event(Event::Timer(crate::TimerId(5)));
    d.event(Event::Granted(loser));
    assert_eq!(d.commands.len(), commands);
}

#[test]
fn a_chain_of_a_hundred_thousand_pure_nodes_needs_no_stack() {
    let mut b = ProgramBuilder::new();
    let one = b.int(1);
    let nodes = (0..100_000u32)
        .map(|i| {
            let before = b.slot(0, i);
            let sum = b.expr(Expr::Binary(BinaryOp::Add, before, one));
            let above: &[u32] = if i == 0 { &[] } else { &[i - 1] };
            node(format!("n{i}"), NodeKind::Pure(sum)).after_data(above)
        })
        .collect();
    let result = b.slot(0, 100_000);
    let body = b.region(1, nodes, result);
    b.graph("main", body);
    let d = Driver::started(b.load_as_is().unwrap(), vec![int(0)]);
    assert_eq!(d.outcome, Some(crate::Outcome::Ok(int(100_000))));
}

#[test]
fn a_loop_without_effects_cannot_hang() {
    // loop x = 0 max 4_000_000_000 { match x { _ => next } }: each round is a frame of the machine.
    let mut b = ProgramBuilder::new();
    let next = b.expr(Expr::Variant(1, vec![]));
    let nothing = b.region(0, vec![], next);
    let zero = b.int(0);
    let switch = NodeKind::Switch { scrutinee: zero, arms: vec![arm(Pattern::Any, nothing)] };
    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("match", switch)], result);
    let otherwise = b.region(0, vec![], zero);
    let max = b.int(4_000_000_000);
    let kind = NodeKind::Loop(Box::new(Loop { init: vec![], max, body, otherwise }));
    let mut loaded = b.clone();
    let result = loaded.slot(0, 0);
    let body = loaded.region(0, vec![node("it", kind)], result);
    loaded.graph("main", body);
    let loaded = loaded.load_as_is().unwrap();
    let machine = crate::Machine::new(loaded);
    let (mut state, mut out) = (crate::State::with_task_limit(10_000), Vec::new());
    let begin = crate::Start::new(kait_ir::GraphId(0), vec![]);
    machine.on(&mut state, 0, Event::Start(Box::new(begin)), &mut out);
    let Some(crate::Outcome::Failed(Failure::Trap { message })) = state.outcome() else {
        panic!("it should be stopped: {:?}", state.outcome())
    };
    assert!(message.contains("10000 steps without any effect"), "{message}");
}
