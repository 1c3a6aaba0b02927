//! Policies, in virtual time.

use kait_ir::program::{Policy, Rate};
use kait_ir::{EffectClass, Failure, NodeKind, Value};

use super::people::policy;
use super::{Driver, SECOND, custom, int};
use crate::builder::{NodeExt, ProgramBuilder, leaf_call, node};
use crate::event::{Command, Event};

/// `f() with (…)` in a graph of its own.
fn called(change: impl FnOnce(&mut ProgramBuilder, &mut Policy)) -> Driver {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf("f", EffectClass::Read);
    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("f", leaf_call(leaf, vec![]))], result);
    let mut policies = policy(body, None);
    change(&mut b, &mut policies);
    let body = b.region(0, vec![node("call", NodeKind::Policy(Box::new(policies)))], result);
    b.graph("main", body);
    Driver::started(b.load_as_is().unwrap(), vec![])
}

fn seconds(b: &mut ProgramBuilder, n: i64) -> Option<kait_ir::ExprId> {
    Some(b.value(Value::Duration(n * SECOND)))
}

fn retry(b: &mut ProgramBuilder, n: i64) -> Option<kait_ir::ExprId> {
    Some(b.int(n))
}

fn busy() -> Failure {
    Failure::Http { status: 503, body: "".into() }
}

#[test]
fn retries_pause_longer_each_time_and_only_for_what_may_pass() {
    let mut d = called(|b, p| p.retry = retry(b, 3));
    let mut pauses = Vec::new();
    for attempt in 1..=3 {
        let wanted =
            if attempt == 1 { "main/call/f".into() } else { format!("main/call@{attempt}/f") };
        assert_eq!(d.in_flight[0].path, wanted);
        assert_eq!(d.machine.attempt(&d.state, d.in_flight[0].effect), attempt);
        d.fail("f", busy());
        assert!(d.flying().is_empty());
        pauses.push(d.timers[0].1 - d.now);
        d.tick();
    }
    for (pause, full) in pauses.iter().zip([500, 1000, 2000]) {
        let full = full * SECOND / 1000;
        assert!((full / 2..=full).contains(pause), "{pauses:?}");
    }
    d.fail("f", Failure::Timeout);
    d.failed_with(Failure::Timeout);

    let mut d = called(|b, p| p.retry = retry(b, 3));
    d.fail("f", custom("no use"));
    d.failed_with(custom("no use"));

    let mut d = called(|b, p| p.retry = retry(b, 3));
    d.fail("f", busy());
    d.tick();
    d.ok("f", 1);
    d.ended_with(1);
}

#[test]
fn the_timeout_is_per_attempt_and_the_deadline_overall() {
    let mut d = called(|b, p| {
        p.retry = retry(b, 9);
        p.timeout = seconds(b, 10);
        p.deadline = seconds(b, 25);
    });
    d.pass(10 * SECOND);
    assert_eq!((d.abandoned.len(), d.flying().len()), (1, 0));
    d.pass(SECOND);
    assert_eq!(d.flying(), ["f"], "the second attempt");
    d.pass(15 * SECOND);
    assert!(d.now <= 26 * SECOND);
    assert_eq!(d.abandoned.len(), 2 + usize::from(d.abandoned.len() > 2));
    d.failed_with(Failure::Timeout);
    assert!(d.timers.is_empty(), "no timer is left behind: {:?}", d.timers);
}

#[test]
fn the_fallback_stands_in_outside_of_the_deadline() {
    let mut d = called(|b, p| {
        p.deadline = seconds(b, 1);
        let leaf = b.leaf("fallback", EffectClass::Read);
        let result = b.slot(0, 0);
        p.fallback = Some(b.region(0, vec![node("g", leaf_call(leaf, vec![]))], result));
    });
    d.pass(SECOND);
    assert_eq!(d.in_flight[0].path, "main/call.fallback/g");
    d.pass(100 * SECOND);
    d.ok("fallback", 2);
    d.ended_with(2);
}

#[test]
fn successes_are_kept_and_failures_are_not() {
    let cached = |b: &mut ProgramBuilder, p: &mut Policy| {
        p.cache = seconds(b, 60);
        let arg = b.int(5);
        p.cache_key = Some(("f".into(), vec![arg]));
    };
    let mut d = called(cached);
    let Some(Command::Lookup { effect, key }) = d.others.first().cloned() else {
        panic!("the cache is asked first: {:?}", d.others)
    };
    assert_eq!((key.call.as_str(), &key.args[..]), ("f", &[int(5)][..]));
    assert!(d.flying().is_empty());
    d.event(Event::Cached { effect, value: None });
    d.ok("f", 1);
    assert!(matches!(&d.others[1], Command::Store { value, ttl, .. }
        if *value == int(1) && *ttl == 60 * SECOND));
    d.ended_with(1);

    let mut d = called(cached);
    d.event(Event::Cached { effect, value: Some(int(9)) });
    d.ended_with(9);

    let mut d = called(cached);
    d.event(Event::Cached { effect, value: None });
    d.fail("f", custom("x"));
    assert_eq!(d.others.len(), 1, "nothing is stored");
}

#[test]
fn a_rate_limit_is_held_for_an_attempt() {
    let mut d = called(|b, p| {
        p.retry = retry(b, 1);
        p.timeout = seconds(b, 5);
        p.rate = Some(Rate {
            name: "api".into(),
            calls: retry(b, 10),
            per: seconds(b, 5),
            parallel: None,
        });
    });
    let Command::Acquire { effect, rate } = d.others.pop().unwrap() else { panic!() };
    assert_eq!((rate.name.as_str(), rate.calls, rate.per), ("api", Some(10), Some(5 * SECOND)));
    d.pass(60 * SECOND);
    assert!(d.flying().is_empty() && d.outcome.is_none(), "waiting in line is not the call's time");
    d.event(Event::Granted(effect));
    d.fail("f", busy());
    assert_eq!(d.others.pop(), Some(Command::Release(effect)));
    d.tick();
    assert!(matches!(d.others.pop(), Some(Command::Acquire { .. })));
    d.event(Event::Granted(effect));
    d.ok("f", 1);
    assert_eq!(d.others.pop(), Some(Command::Release(effect)));
    d.ended_with(1);

    // A cancelled wait is released, too.
    let mut d = called(|b, p| {
        p.deadline = seconds(b, 5);
        p.rate = Some(Rate { name: "api".into(), calls: None, per: None, parallel: retry(b, 1) });
    });
    d.pass(5 * SECOND);
    assert!(matches!(d.others.last(), Some(Command::Release(_))));
    d.failed_with(Failure::Timeout);
}

#[test]
fn jitter_depends_on_the_seed_and_nothing_else() {
    let pause = |seed| {
        let mut b = ProgramBuilder::new();
        let leaf = b.leaf("f", EffectClass::Read);
        let result = b.slot(0, 0);
        let body = b.region(0, vec![node("f", leaf_call(leaf, vec![]))], result);
        let mut policies = policy(body, None);
        policies.retry = retry(&mut b, 3);
        let call = node("call", NodeKind::Policy(Box::new(policies))).after(&[]);
        let body = b.region(0, vec![call], result);
        let graph = b.graph("main", body);
        let mut d = Driver::new(b.load_as_is().unwrap());
        let start = crate::Start { seed, ..crate::Start::new(graph, vec![]) };
        d.event(Event::Start(Box::new(start)));
        d.fail("f", busy());
        d.timers[0].1
    };
    assert_eq!(pause(1), pause(1));
    assert_ne!(pause(1), pause(2));
}
