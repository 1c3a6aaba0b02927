//! What has succeeded is undone when its graph fails or is cancelled: in which order, before what, and outside of what.

use kait_ir::program::{Arm, Policy, Undo};
use kait_ir::{EffectClass, ExprId, Failure, Node, NodeKind, Pattern, RegionId, Value};

use super::{Driver, SECOND, custom, int};
use crate::builder::{ProgramBuilder, graph_call, leaf_call, node};
use crate::event::{Command, Event, UndoFailed};
use crate::load::Loaded;

const WRITE: EffectClass = EffectClass::Write { keyed: true };

/// A program under construction whose writes can be undone.
struct Maker(ProgramBuilder);

impl Maker {
    fn new() -> Self {
        let mut b = ProgramBuilder::new();
        b.ty(kait_ir::Type::None);
        Self(b)
    }

    fn write(&mut self, name: &str, args: Vec<ExprId>) -> Node {
        let leaf = self.0.leaf_with(name, WRITE, args.len() as u32);
        node(name, leaf_call(leaf, args))
    }

    /// How to undo what stands at a place of the block, with its value.
    fn undo(&mut self, at: u32, by: &str) -> Node {
        let value = self.0.slot(0, 0);
        let call = self.write(by, vec![value]);
        let region = self.block(1, vec![call]);
        self.undo_by(at, region)
    }

    fn undo_by(&mut self, at: u32, body: RegionId) -> Node {
        let args = vec![self.0.slot(0, at)];
        let mut node = node(format!("{at}.undo").as_str(), NodeKind::Undo(Undo { args, body }));
        node.ty = kait_ir::TypeId(1);
        node
    }

    fn block(&mut self, params: u32, nodes: Vec<Node>) -> RegionId {
        let result = self.0.int(7);
        self.0.region(params, nodes, result)
    }

    fn graph(&mut self, name: &str, nodes: Vec<Node>) -> kait_ir::GraphId {
        let body = self.block(0, nodes);
        self.0.graph(name, body)
    }

    fn load(self) -> Loaded {
        self.0.load().expect("it verifies")
    }
}

/// `a` and `b`, each undone by its own; then `c`.
fn travel(m: &mut Maker) -> Vec<Node> {
    let a = m.write("a", vec![]);
    let not_a = m.undo(0, "not a");
    let b = m.write("b", vec![]);
    let not_b = m.undo(2, "not b");
    let c = m.write("c", vec![]);
    vec![a, not_a, b, not_b, c]
}

fn failed(d: &Driver) -> Vec<&UndoFailed> {
    let failed = d.commands.iter().filter_map(|command| match command {
        Command::UndoFailed(failed) => Some(&**failed),
        _ => None,
    });
    failed.collect()
}

#[test]
fn the_last_is_undone_first_with_the_values_of_then() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    m.graph("main", nodes);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", "A");
    d.ok("b", "B");
    d.fail("c", custom("no"));
    assert_eq!(d.flying(), ["not b"]);
    assert_eq!(d.in_flight[0].args, [Value::text("B")]);
    assert_eq!(d.in_flight[0].path, "main/2.undo/not b");
    d.ok("not b", 0);
    assert_eq!(d.in_flight[0].args, [Value::text("A")]);
    assert_eq!(d.outcome, None);
    d.ok("not a", 0);
    d.failed_with(custom("no"));
    assert!(failed(&d).is_empty());
}

#[test]
fn what_succeeds_is_not_undone() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    let inner = m.graph("travel", nodes);
    let last = m.write("last", vec![]);
    m.graph("main", vec![node("travel", graph_call(inner, vec![])), last]);
    let mut d = Driver::started(m.load(), vec![]);
    ["a", "b", "c"].iter().for_each(|name| d.ok(name, 1));
    d.fail("last", custom("no"));
    d.failed_with(custom("no"));
}

#[test]
fn one_that_fails_is_reported_and_the_others_run() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    m.graph("main", nodes);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.ok("b", 2);
    d.fail("c", custom("no"));
    let unknown = Failure::Unknown { call: "not b".into() };
    d.fail("not b", unknown.clone());
    d.ok("not a", 0);
    d.failed_with(custom("no"));
    let reported = failed(&d);
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0].undo, "main/2.undo");
    assert_eq!(reported[0].at.path, "main/2.undo/not b");
    assert_eq!(reported[0].failure, unknown);
}

/// A handler around a call that fails and undoes.
fn handled(m: &mut Maker) {
    let nodes = travel(m);
    let inner = m.graph("travel", nodes);
    let body = m.block(0, vec![node("travel", graph_call(inner, vec![]))]);
    let handler = m.write("handler", vec![]);
    let handler = m.block(0, vec![handler]);
    let arms = vec![Arm { pattern: Pattern::Any, guard: None, body: handler }];
    m.graph("main", vec![node("catch", NodeKind::Catch { body, arms })]);
}

#[test]
fn all_is_undone_before_the_failure_is_handled() {
    let mut m = Maker::new();
    handled(&mut m);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.ok("b", 2);
    d.fail("c", custom("no"));
    d.ok("not b", 0);
    assert_eq!(d.flying(), ["not a"]);
    d.ok("not a", 0);
    assert_eq!(d.flying(), ["handler"]);
    d.ok("handler", 0);
    d.ended_with(7);
}

#[test]
fn a_failure_that_is_handled_within_the_graph_undoes_nothing_yet() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    let body = m.block(0, nodes);
    let handler = m.block(0, vec![]);
    let arms = vec![Arm { pattern: Pattern::Any, guard: None, body: handler }];
    let last = m.write("last", vec![]);
    m.graph("main", vec![node("catch", NodeKind::Catch { body, arms }), last]);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.ok("b", 2);
    d.fail("c", custom("no"));
    assert_eq!(d.flying(), ["last"]);
    d.fail("last", custom("late"));
    d.ok("not b", 0);
    d.ok("not a", 0);
    d.failed_with(custom("late"));
}

#[test]
fn a_run_that_is_cancelled_awaits_its_writes_and_undoes_what_succeeded() {
    for succeeds in [true, false] {
        let mut m = Maker::new();
        let nodes = travel(&mut m);
        m.graph("main", nodes);
        let mut d = Driver::started(m.load(), vec![]);
        d.ok("a", 1);
        d.event(Event::Cancel);
        assert_eq!(d.flying(), ["b"]);
        if succeeds {
            d.ok("b", 2);
            d.ok("not b", 0);
        } else {
            d.fail("b", custom("no"));
        }
        assert_eq!(d.flying(), ["not a"], "{succeeds}");
        // It cannot be cancelled again.
        d.event(Event::Cancel);
        d.ok("not a", 0);
        d.failed_with(Failure::Cancelled);
    }
}

#[test]
fn cancelling_waits_for_what_is_being_undone() {
    let mut m = Maker::new();
    handled(&mut m);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.ok("b", 2);
    d.fail("c", custom("no"));
    d.event(Event::Cancel);
    assert_eq!(d.flying(), ["not b"]);
    assert_eq!(d.outcome, None);
    d.ok("not b", 0);
    d.ok("not a", 0);
    d.failed_with(Failure::Cancelled);
}

#[test]
fn an_attempt_that_takes_too_long_is_undone_before_the_next() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    let inner = m.graph("travel", nodes);
    let body = m.block(0, vec![node("travel", graph_call(inner, vec![]))]);
    let (retry, timeout) = (m.0.int(1), m.0.value(Value::Duration(SECOND)));
    let policy = Policy {
        body,
        fallback: None,
        deadline: None,
        cache: None,
        cache_key: None,
        retry: Some(retry),
        timeout: Some(timeout),
        rate: None,
    };
    m.graph("main", vec![node("travel", NodeKind::Policy(Box::new(policy)))]);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    assert_eq!(d.flying(), ["b"]);
    d.pass(SECOND);
    // The write is given up, and nobody knows of it.
    assert_eq!(d.flying(), ["not a"]);
    // Nothing bounds the compensation.
    d.pass(100 * SECOND);
    assert_eq!(d.flying(), ["not a"]);
    d.ok("not a", 0);
    assert!(d.flying().is_empty());
    d.pass(SECOND);
    assert_eq!(d.flying(), ["a"]);
    ["a", "b", "c"].iter().for_each(|name| d.ok(name, 1));
    d.ended_with(7);
}

#[test]
fn when_the_time_of_a_graph_is_over_its_writes_are_awaited_and_undone() {
    let mut m = Maker::new();
    let nodes = travel(&mut m);
    let inner = m.graph("travel", nodes);
    let time = m.0.value(Value::Duration(SECOND));
    m.0.program.graphs[inner.index()].budgets = vec![("time".into(), time)];
    let body = m.block(0, vec![node("travel", graph_call(inner, vec![]))]);
    m.graph("main", vec![node("try", NodeKind::Try(body))]);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.pass(2 * SECOND);
    assert_eq!(d.flying(), ["b"]);
    d.ok("b", 2);
    assert_eq!(d.flying(), ["not b"]);
    d.pass(100 * SECOND);
    d.ok("not b", 0);
    d.ok("not a", 0);
    d.ended_with(7);
}

#[test]
fn a_compensation_that_fails_undoes_what_it_has_done_itself() {
    let mut m = Maker::new();
    let a = m.write("a", vec![]);
    let first = m.write("first", vec![]);
    let not_first = m.undo(1, "not first");
    let second = m.write("second", vec![]);
    let region = m.block(1, vec![first, not_first, second]);
    let not_a = m.undo_by(0, region);
    let b = m.write("b", vec![]);
    m.graph("main", vec![a, not_a, b]);
    let mut d = Driver::started(m.load(), vec![]);
    d.ok("a", 1);
    d.fail("b", custom("no"));
    d.ok("first", 2);
    d.fail("second", custom("stuck"));
    assert_eq!(d.flying(), ["not first"]);
    d.ok("not first", int(0));
    d.failed_with(custom("no"));
    assert_eq!(failed(&d).len(), 1);
}

#[test]
fn a_graph_that_calls_itself_to_undo_is_bounded_by_its_depth() {
    let mut m = Maker::new();
    let a = m.write("a", vec![]);
    let again = graph_call(kait_ir::GraphId(0), vec![]);
    let region = m.block(1, vec![node("again", again)]);
    let not_a = m.undo_by(0, region);
    let b = m.write("b", vec![]);
    let main = m.graph("main", vec![a, not_a, b]);
    m.0.program.graphs[main.index()].depth = Some(3);
    let mut d = Driver::started(m.load(), vec![]);
    for _ in 0..3 {
        d.ok("a", 1);
        d.fail("b", custom("no"));
    }
    d.failed_with(custom("no"));
    let why: Vec<_> = failed(&d).iter().map(|f| f.failure.clone()).collect();
    assert_eq!(why, [Failure::Depth, custom("no"), custom("no")]);
}

#[test]
fn a_compensation_reads_nothing_from_around_it() {
    let mut m = Maker::new();
    let a = m.write("a", vec![]);
    let outside = m.0.slot(1, 0);
    let call = m.write("not a", vec![outside]);
    let region = m.block(1, vec![call]);
    let not_a = m.undo_by(0, region);
    m.graph("main", vec![a, not_a]);
    let refused = m.0.load().expect_err("what it reads is gone");
    assert!(refused.to_string().contains("not known here"), "{refused}");
}
