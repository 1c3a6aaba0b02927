//! Gates, guards and questions.

use kait_ir::program::Policy;
use kait_ir::{EffectClass, Failure, Gate, Node, NodeKind, Pattern, RegionId, Value};

use super::{Driver, SECOND, custom};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};
use crate::eval::covers_failure;

fn leaf(b: &mut ProgramBuilder, name: &str, class: EffectClass) -> Node {
    let leaf = b.leaf(name, class);
    let gate = match class {
        EffectClass::Human => Gate::Ask,
        EffectClass::Write { .. } | EffectClass::Emit => Gate::All,
        _ => Gate::Free,
    };
    node(name, leaf_call(leaf, vec![])).gate(gate)
}

const WRITE: EffectClass = EffectClass::Write { keyed: false };

fn run(b: ProgramBuilder, nodes: Vec<Node>) -> Driver {
    let mut b = b;
    let slots: Vec<u32> = (0..nodes.len() as u32).collect();
    let result = b.slots(&slots);
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    Driver::started(b.load_as_is().unwrap(), vec![])
}

/// A question under a policy, as `ask(...) with (within: …, fallback: …)` is lowered.
fn question(b: &mut ProgramBuilder, name: &str, fallback: Option<Value>) -> Node {
    let ask = leaf(b, name, EffectClass::Human);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![ask], result);
    let fallback = fallback.map(|value| {
        let value = b.value(value);
        b.region(0, vec![], value)
    });
    node(name, NodeKind::Policy(Box::new(policy(body, fallback))))
}

pub(super) fn policy(body: RegionId, fallback: Option<RegionId>) -> Policy {
    Policy {
        body,
        fallback,
        deadline: None,
        cache: None,
        cache_key: None,
        retry: None,
        timeout: None,
        rate: None,
    }
}

#[test]
fn a_write_waits_for_everything_above_and_nothing_else_does() {
    let mut b = ProgramBuilder::new();
    let nodes = vec![
        leaf(&mut b, "model", EffectClass::Model),
        leaf(&mut b, "write", WRITE),
        leaf(&mut b, "read", EffectClass::Read),
        leaf(&mut b, "status", EffectClass::Emit),
    ];
    let mut d = run(b, nodes);
    assert_eq!(d.flying(), ["model", "read"]);
    d.ok("model", 1);
    assert_eq!(d.flying(), ["read", "write"]);
    d.ok("read", 3);
    assert_eq!(d.flying(), ["write"]);
    d.ok("write", 2);
    d.ok("status", 4);
    d.ended_with(vec![1, 2, 3, 4]);
}

#[test]
fn nothing_is_written_if_what_stands_above_failed() {
    let mut b = ProgramBuilder::new();
    let nodes = vec![
        leaf(&mut b, "charge", EffectClass::Read),
        leaf(&mut b, "mail", WRITE),
        leaf(&mut b, "slow", EffectClass::Read),
    ];
    let mut d = run(b, nodes);
    d.fail("charge", custom("declined"));
    assert_eq!(d.abandoned.len(), 1);
    d.failed_with(custom("declined"));
}

#[test]
fn a_gate_deep_in_calls_waits_for_every_level() {
    // main { let a = read(); outer() }   outer { let b = read(); inner() }   inner { write() }
    let mut b = ProgramBuilder::new();
    let write = leaf(&mut b, "write", WRITE);
    let result = b.slot(0, 0);
    let inner = b.region(0, vec![write], result);
    let inner = b.graph("inner", inner);
    let second = leaf(&mut b, "second", EffectClass::Read);
    let result = b.slot(0, 1);
    let outer = b.region(0, vec![second, node("inner", graph_call(inner, vec![]))], result);
    let outer = b.graph("outer", outer);
    let first = leaf(&mut b, "first", EffectClass::Read);
    let mut d = run(b, vec![first, node("outer", graph_call(outer, vec![]))]);
    assert_eq!(d.flying(), ["first", "second"]);
    d.ok("second", 2);
    assert_eq!(d.flying(), ["first"]);
    d.ok("first", 1);
    assert_eq!(d.in_flight[0].path, "main/outer/inner/write");
    d.ok("write", 3);
    d.ended_with(vec![1, 3]);
}

#[test]
fn adjacent_questions_open_together() {
    let mut b = ProgramBuilder::new();
    let nodes = vec![
        leaf(&mut b, "read", EffectClass::Read),
        question(&mut b, "first", None),
        leaf(&mut b, "second", EffectClass::Human),
        leaf(&mut b, "write", WRITE),
        leaf(&mut b, "third", EffectClass::Human),
    ];
    let mut d = run(b, nodes);
    assert_eq!(d.flying(), ["read"], "a question waits for what is no question");
    d.ok("read", 0);
    assert_eq!(d.flying(), ["first", "second"]);
    d.ok("second", 2);
    d.ok("first", 1);
    assert_eq!(d.flying(), ["write"]);
    d.ok("write", 3);
    assert_eq!(d.flying(), ["third"]);
    d.ok("third", 4);
    d.ended_with(vec![0, 1, 2, 3, 4]);
}

#[test]
fn a_fallback_answers_when_nobody_does() {
    let mut b = ProgramBuilder::new();
    let asked = question(&mut b, "ask", Some(Value::Int(7)));
    let mut d = run(b, vec![asked]);
    d.fail("ask", Failure::Unanswered);
    d.ended_with(vec![7]);

    let mut b = ProgramBuilder::new();
    let asked = question(&mut b, "ask", Some(Value::Int(7)));
    let mut d = run(b, vec![asked]);
    let denied = Failure::Denied { by: "ada".into(), why: "no".into() };
    d.fail("ask", denied.clone());
    d.failed_with(denied);
}

#[test]
fn clocks_stand_still_while_everything_waits_for_a_person() {
    // A call with a deadline of 10 s: 4 s of work, a day of waiting for a person, 7 s of work.
    let mut b = ProgramBuilder::new();
    let work = leaf(&mut b, "work", EffectClass::Read);
    let ask = leaf(&mut b, "ask", EffectClass::Human);
    let more = leaf(&mut b, "more", EffectClass::Read).after_data(&[1]);
    let result = b.slot(0, 2);
    let body = b.region(0, vec![work, ask, more], result);
    let deadline = b.value(Value::Duration(10 * SECOND));
    let mut policies = policy(body, None);
    policies.deadline = Some(deadline);
    let mut d = run(b, vec![node("call", NodeKind::Policy(Box::new(policies)))]);
    d.pass(4 * SECOND);
    d.ok("work", 1);
    assert_eq!((d.flying(), d.timers.len()), (vec!["ask"], 0));
    d.pass(86_400 * SECOND);
    d.ok("ask", 2);
    assert_eq!(d.flying(), ["more"]);
    d.pass(5 * SECOND);
    assert_eq!(d.outcome, None);
    d.pass(SECOND);
    d.failed_with(Failure::Timeout);
}

#[test]
fn clocks_stand_still_at_gates() {
    // The write waits for the slow read above it: that is not the write's time.
    let mut b = ProgramBuilder::new();
    let slow = leaf(&mut b, "slow", EffectClass::Read);
    let write = leaf(&mut b, "write", EffectClass::Write { keyed: true });
    let result = b.slot(0, 0);
    let body = b.region(0, vec![write], result);
    let timeout = b.value(Value::Duration(SECOND));
    let mut policies = policy(body, None);
    policies.timeout = Some(timeout);
    let mut d = run(b, vec![slow, node("call", NodeKind::Policy(Box::new(policies)))]);
    d.pass(60 * SECOND);
    d.ok("slow", 1);
    assert_eq!(d.flying(), ["write"]);
    d.pass(SECOND);
    assert_eq!(d.abandoned.len(), 1);
    d.failed_with(Failure::Timeout);
}

#[test]
fn a_write_without_key_that_timed_out_is_unknown() {
    let mut b = ProgramBuilder::new();
    let write = leaf(&mut b, "pay", WRITE);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![write], result);
    let seven = b.int(7);
    let fallback = b.region(0, vec![], seven);
    let timeout = b.value(Value::Duration(SECOND));
    let retry = b.int(3);
    let mut policies = policy(body, Some(fallback));
    policies.timeout = Some(timeout);
    policies.retry = Some(retry);
    let mut d = run(b, vec![node("call", NodeKind::Policy(Box::new(policies)))]);
    d.pass(SECOND);
    d.failed_with(Failure::Unknown { call: "pay".into() });
}

#[test]
fn names_cover_more_than_underscores() {
    let denied = Failure::Denied { by: "a".into(), why: "b".into() };
    assert!(covers_failure(&Pattern::Bind(0), &denied));
    assert!(!covers_failure(&Pattern::Any, &denied));
}
