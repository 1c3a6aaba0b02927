//! `k-stream` and the driver's chain: what it costs to show what a run makes, and to drive a run at all.
//!
//! Everything runs on one thread, as `kait run` does. `log`: records through a log, written in batches, read as they
//! come; the limit is the same records through a plain queue. `first`: from starting a run to its first record in the
//! reader's hands. `slow`: a reader that looks in only at the end; what is resident is counted. `chain`: 1,000 reads in
//! a row that are answered in memory, through [`kait_runtime::Run`]; the limit is one boxed future a read.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../../tests/measure/mod.rs"]
mod measure;

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use kait_connect::{Config, Connections};
use kait_engine::Outcome;
use kait_engine::builder::{NodeExt, ProgramBuilder, leaf_call, node};
use kait_engine::segment::{Segment, SegmentKind, SegmentOp, SegmentRole};
use kait_ir::{EffectClass, GraphId, Value};
use kait_runtime::segments::{RING_RECORDS, RunLog, Writer};
use kait_runtime::{Plan, Run, RunEnd, RunStart, Shared};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const RECORDS: usize = 1_000_000;
const NODES: u32 = 1_000;
/// What models send at a time is about as long.
const PIECE: &str = "token ";

fn delta() -> SegmentOp {
    SegmentOp::Delta { text: PIECE.to_owned(), at: String::new(), done: false }
}

fn length_of(records: &[impl Borrow<Segment>]) -> usize {
    let texts = records.iter().map(|record| match &record.borrow().op {
        SegmentOp::Delta { text, .. } => text.len(),
        _ => 0,
    });
    texts.sum()
}

/// One growing text: the writer flushes `batch` records at a time and lets the reader run.
async fn through_log(records: usize, batch: usize) -> f64 {
    let log = RunLog::new("r".into(), RING_RECORDS);
    let mut reader = log.read();
    let reading = tokio::spawn(async move {
        let mut records = Vec::new();
        let mut length = 0;
        while reader.read(&mut records).await {
            length += length_of(&records);
            records.clear();
        }
        length + length_of(&records)
    });
    tokio::task::yield_now().await;
    let start = std::time::Instant::now();
    let mut writer = Writer::new(log);
    let segment = writer.open("g/n".into(), SegmentKind::Text, Some(SegmentRole::Result), None);
    let mut left = records;
    while left > 0 {
        let now = left.min(batch);
        for _ in 0..now {
            writer.write("g/n".into(), segment, delta());
        }
        writer.flush();
        tokio::task::yield_now().await;
        left -= now;
    }
    writer.write("g/n".into(), segment, SegmentOp::Close { value: serde_json::Value::Null });
    writer.end();
    let length = reading.await.expect("the reader ends");
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(length, records * PIECE.len());
    seconds * 1e9 / records as f64
}

/// The same records through a queue in batches, with nobody to wake.
fn through_queue(records: usize, batch: usize) -> f64 {
    let (seconds, length) = measure::seconds(|| {
        let mut queue = VecDeque::with_capacity(batch);
        let mut length = 0;
        for seq in 0..records {
            queue.push_back(Segment {
                run: "r".into(),
                seq: seq as u64,
                node: "g/n".into(),
                segment: 0,
                op: delta(),
            });
            if queue.len() == batch || seq + 1 == records {
                length += length_of(queue.make_contiguous());
                queue.clear();
            }
        }
        length
    });
    assert_eq!(length, records * PIECE.len());
    seconds * 1e9 / records as f64
}

fn k_stream(runtime: &Runtime) {
    for batch in [1, 64, 4_096] {
        let limit = measure::sample(11, || through_queue(RECORDS, batch));
        let log = measure::sample(11, || runtime.block_on(through_log(RECORDS, batch)));
        limit.print(&format!("limit: a queue, batches of {batch}"), "ns/record", None);
        log.print(&format!("k-stream log, batches of {batch}"), "ns/record", Some(&limit));
        println!(
            "{:<44} median {:.2} M records/s, best {:.2} M",
            "",
            1e3 / log.median(),
            1e3 / log.min()
        );
    }
}

/// A reader that looks in once: the ring stays as large as it is, the text is kept once.
fn slow_reader() {
    for records in [RECORDS / 4, RECORDS, RECORDS * 4] {
        let log = RunLog::new("r".into(), RING_RECORDS);
        let mut reader = log.read();
        let mut writer = Writer::new(log);
        let segment = writer.open("g/n".into(), SegmentKind::Text, None, None);
        let (seconds, ()) = measure::seconds(|| {
            for n in 0..records {
                writer.write("g/n".into(), segment, delta());
                if n % 64 == 0 {
                    writer.flush();
                }
            }
            writer.flush();
        });
        let resident = measure::memory_mb("self", "VmRSS");
        let mut seen = Vec::new();
        assert!(reader.read_now(&mut seen), "the log is not over");
        assert_eq!(length_of(&seen), records * PIECE.len(), "nothing is lost");
        println!(
            "{:<44} {:.1} ns/record, {:.1} MB of text, {} MB resident in all, {} records to catch up",
            format!("k-stream slow reader, {records} records"),
            seconds * 1e9 / records as f64,
            (records * PIECE.len()) as f64 / 1e6,
            resident.map_or("?".into(), |mb| format!("{mb:.1}")),
            seen.len(),
        );
    }
}

/// Reads in a row: each takes the result of the one above.
fn plan(length: u32) -> Arc<Plan> {
    let mut b = ProgramBuilder::new();
    let leaf = b.leaf_with("clock.now", EffectClass::Read, 1);
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
    let loaded = Arc::new(b.load().expect("it loads"));
    Arc::new(Plan { loaded, roles: indexmap::IndexMap::default(), terms: Arc::default() })
}

fn run(
    plan: &Arc<Plan>,
    connections: &Arc<Connections>,
    traced: bool,
    log: &Arc<RunLog>,
) -> impl Future<Output = RunEnd> + use<> {
    let start = RunStart {
        people: None,
        recorder: None,
        leave: CancellationToken::new(),
        journal: Vec::new(),
        run: "r".into(),
        graph: GraphId(0),
        args: vec![kait_engine::event::Arg::Ready(Value::Int(0))],
        growing: Vec::new(),
        traced,
        parallel: 16,
    };
    Run::start(
        Arc::clone(plan),
        Arc::clone(connections),
        Arc::new(Shared::default()),
        start,
        Arc::clone(log),
        CancellationToken::new(),
    )
}

/// A run with a reader, as a client has it.
async fn chain(plan: &Arc<Plan>, connections: &Arc<Connections>, traced: bool) -> f64 {
    let began = Timestamp::now();
    let start = std::time::Instant::now();
    let log = RunLog::new("r".into(), RING_RECORDS);
    let mut reader = log.read();
    let driven = tokio::spawn(run(plan, connections, traced, &log));
    let mut records = Vec::new();
    while reader.read(&mut records).await {}
    let end = driven.await.expect("the run ends");
    let seconds = start.elapsed().as_secs_f64();
    let Outcome::Ok(Value::Time(at)) = end.outcome else { unreachable!("{:?}", end.outcome) };
    assert!(at >= began);
    assert_eq!(end.record.len(), NODES as usize + 1, "the start and every answer");
    let closed = records.iter().filter(|r| matches!(r.op, SegmentOp::Close { .. })).count();
    // The run and its result close, traced or not.
    assert_eq!(closed, 2 + if traced { NODES as usize } else { 0 });
    seconds * 1e9 / f64::from(NODES)
}

type Boxed = Pin<Box<dyn Future<Output = Value> + Send>>;

fn step(_above: Value) -> Boxed {
    Box::pin(async { Value::Time(Timestamp::now()) })
}

async fn boxed_chain() -> f64 {
    let start = std::time::Instant::now();
    let task = tokio::spawn(async {
        let mut value = Value::Int(0);
        for _ in 0..NODES {
            value = step(value).await;
        }
        value
    });
    let value = task.await.expect("it ends");
    let seconds = start.elapsed().as_secs_f64();
    assert!(matches!(value, Value::Time(_)));
    seconds * 1e9 / f64::from(NODES)
}

/// From starting a run of one node to its first record.
async fn first(plan: &Arc<Plan>, connections: &Arc<Connections>) -> f64 {
    let start = std::time::Instant::now();
    let log = RunLog::new("r".into(), RING_RECORDS);
    let mut reader = log.read();
    let driven = tokio::spawn(run(plan, connections, true, &log));
    let mut records = Vec::new();
    reader.read(&mut records).await;
    let seconds = start.elapsed().as_secs_f64();
    assert!(matches!(records.first().map(|r| &r.op), Some(SegmentOp::Open { .. })));
    driven.await.expect("the run ends");
    seconds * 1e6
}

fn driver(runtime: &Runtime) {
    let connections = Arc::new(Connections::new(Config::default()));
    let plan_of_one = plan(1);
    let latency = measure::sample(2_001, || runtime.block_on(first(&plan_of_one, &connections)));
    latency.print("k-stream first record of a run", "us", None);
    let plan = plan(NODES);
    let limit = measure::sample(501, || runtime.block_on(boxed_chain()));
    limit.print("limit: a boxed future a read", "ns/node", None);
    for (name, traced) in [("untraced", false), ("traced", true)] {
        let chain = measure::sample(501, || runtime.block_on(chain(&plan, &connections, traced)));
        chain.print(&format!("k-chain driven, {NODES} nodes, {name}"), "ns/node", Some(&limit));
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    measure::print_load();
    // `cargo bench … -- driver` measures only that part; cargo itself adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let all = wanted.is_empty();
    let wants = |part: &str| all || wanted.iter().any(|w| w == part);
    if wants("slow") {
        // First, while nothing else is resident.
        slow_reader();
    }
    if wants("driver") {
        driver(&runtime);
    }
    if wants("log") {
        k_stream(&runtime);
    }
}
