//! The machine alone: what one step costs when nothing else does.
//!
//! `k_chain`: n leaves in a row, each an in-memory read that is answered at once; `k_map`: one such leaf an item;
//! `k_loop`: one a round; `limits`: what plain Rust needs for the same. Results are asserted in every repetition.
//! Compare with `limits` of the same run, never with absolute times of another.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kait_engine::builder::{NodeExt, ProgramBuilder, leaf_call, node};
use kait_engine::{Command, Event, Loaded, Machine, Outcome, Start, State};
use kait_ir::program::{Loop, Map};
use kait_ir::{BinaryOp, EffectClass, Expr, GraphId, NodeKind, Pattern, Value};

/// Runs graph 0; every leaf gives its argument plus one.
fn drive(machine: &Machine, arg: Value) -> Value {
    let mut state = State::new();
    let mut out = Vec::with_capacity(64);
    let start = Start::new(GraphId(0), vec![arg]);
    machine.on(&mut state, 0, Event::Start(Box::new(start)), &mut out);
    while let Some(command) = out.pop() {
        match command {
            Command::Leaf { effect, args, .. } => {
                let n = args.first().and_then(Value::as_int).unwrap_or_default();
                let outcome = Outcome::Ok(Value::Int(n + 1));
                machine.on(&mut state, 0, Event::Done { effect, outcome, usage: None }, &mut out);
            }
            Command::Compute { effect, job } => {
                let result = job.run(machine.loaded(), &|| false);
                machine.on(&mut state, 0, Event::Computed { effect, result }, &mut out);
            }
            Command::Resume => machine.on(&mut state, 0, Event::Resume, &mut out),
            Command::Finish(Outcome::Ok(value)) => return value,
            other => unreachable!("{other:?}"),
        }
    }
    unreachable!("the run did not end")
}

fn machine(b: ProgramBuilder) -> Machine {
    match b.load() {
        Ok(loaded) => Machine::new(Arc::<Loaded>::new(loaded)),
        Err(e) => unreachable!("{e}"),
    }
}

fn chain(length: u32) -> Machine {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf_with("memory.read", EffectClass::Read, 1);
    let nodes = (0..length)
        .map(|i| {
            let arg = b.slot(0, i);
            let above: &[u32] = if i == 0 { &[] } else { &[i - 1] };
            node(format!("n{i}"), leaf_call(leaf, vec![arg])).after_data(above)
        })
        .collect();
    let result = b.slot(0, length);
    let body = b.region(1, nodes, result);
    b.graph("chain", body);
    machine(b)
}

fn map() -> Machine {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf_with("memory.read", EffectClass::Read, 1);
    let item = b.slot(0, 0);
    let result = b.slot(0, 1);
    let body = b.region(1, vec![node("n", leaf_call(leaf, vec![item]))], result);
    let source = b.slot(0, 0);
    let map = Map {
        source,
        pattern: Pattern::Bind(0),
        filter: None,
        max: None,
        parallel: None,
        sequential: false,
        early: false,
        body,
    };
    let result = b.slot(0, 1);
    let body = b.region(1, vec![node("for", NodeKind::Map(Box::new(map)))], result);
    b.graph("map", body);
    machine(b)
}

/// `loop n = 0 max <parameter> { next(n: read(n)) } else { n }`
fn rounds() -> Machine {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf_with("memory.read", EffectClass::Read, 1);
    let state = b.slot(0, 0);
    let read = b.slot(0, 1);
    let next = b.expr(Expr::Variant(1, vec![read]));
    let body = b.region(1, vec![node("n", leaf_call(leaf, vec![state]))], next);
    let last = b.slot(0, 0);
    let otherwise = b.region(1, vec![], last);
    let init = b.int(0);
    let max = b.slot(0, 0);
    let rounds = Loop { init: vec![init], max, body, otherwise };
    let result = b.slot(0, 1);
    let body = b.region(1, vec![node("loop", NodeKind::Loop(Box::new(rounds)))], result);
    b.graph("rounds", body);
    machine(b)
}

/// The same loop as a pure expression.
fn pure_rounds() -> Machine {
    let mut b = ProgramBuilder::new();
    let state = b.expr(Expr::Local(0));
    let one = b.int(1);
    let sum = b.expr(Expr::Binary(BinaryOp::Add, state, one));
    let next = b.expr(Expr::Variant(1, vec![sum]));
    let init = b.int(0);
    let max = b.slot(0, 0);
    let last = b.expr(Expr::Local(0));
    let rounds = b.expr(Expr::Loop { state: vec![(0, init)], max, body: next, otherwise: last });
    let result = b.slot(0, 1);
    let body = b.region(1, vec![node("loop", NodeKind::Pure(rounds))], result);
    b.graph("pure", body);
    machine(b)
}

fn k_chain(c: &mut Criterion) {
    let mut group = c.benchmark_group("k_chain");
    for length in [100u32, 1_000, 10_000] {
        let machine = chain(length);
        group.throughput(Throughput::Elements(u64::from(length)));
        group.bench_with_input(BenchmarkId::from_parameter(length), &length, |b, length| {
            b.iter(|| {
                let value = drive(&machine, black_box(Value::Int(0)));
                assert_eq!(value, Value::Int(i64::from(*length)));
            });
        });
    }
    group.finish();
}

fn k_map(c: &mut Criterion) {
    let mut group = c.benchmark_group("k_map");
    let machine = map();
    for length in [1_000i64, 100_000] {
        let items = Value::list((0..length).map(Value::Int).collect());
        group.throughput(Throughput::Elements(length as u64));
        group.bench_with_input(BenchmarkId::from_parameter(length), &length, |b, length| {
            b.iter(|| {
                let value = drive(&machine, black_box(items.clone()));
                let last = value.as_list().and_then(<[Value]>::last).and_then(Value::as_int);
                assert_eq!(last, Some(*length));
            });
        });
    }
    group.finish();
}

fn k_loop(c: &mut Criterion) {
    let mut group = c.benchmark_group("k_loop");
    group.sample_size(20);
    for (name, machine) in [("leaf", rounds()), ("pure", pure_rounds())] {
        for length in [10_000i64, 1_000_000] {
            group.throughput(Throughput::Elements(length as u64));
            group.bench_with_input(BenchmarkId::new(name, length), &length, |b, length| {
                b.iter(|| {
                    assert_eq!(
                        drive(&machine, black_box(Value::Int(*length))),
                        Value::Int(*length)
                    );
                });
            });
        }
    }
    group.finish();
}

type Boxed = Pin<Box<dyn Future<Output = Value>>>;

fn step(value: Value) -> Boxed {
    Box::pin(async move { Value::Int(value.as_int().unwrap_or_default() + 1) })
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing in here waits"),
    }
}

/// What any runtime on async Rust pays: one boxed future a step.
fn limits(c: &mut Criterion) {
    let mut group = c.benchmark_group("limits");
    for length in [1_000i64, 100_000] {
        group.throughput(Throughput::Elements(length as u64));
        group.bench_with_input(BenchmarkId::new("boxed_chain", length), &length, |b, length| {
            b.iter(|| {
                let value = now(async {
                    let mut value = black_box(Value::Int(0));
                    for _ in 0..*length {
                        value = step(value).await;
                    }
                    value
                });
                assert_eq!(value, Value::Int(*length));
            });
        });
        group.bench_with_input(BenchmarkId::new("boxed_map", length), &length, |b, length| {
            b.iter(|| {
                let values: Vec<Value> = now(async {
                    let steps: Vec<Boxed> = (0..*length).map(|n| step(Value::Int(n))).collect();
                    let mut values = Vec::with_capacity(steps.len());
                    for step in steps {
                        values.push(step.await);
                    }
                    values
                });
                assert_eq!(values.last(), Some(&Value::Int(*length)));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, k_chain, k_map, k_loop, limits);
criterion_main!(benches);
