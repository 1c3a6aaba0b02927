//! `k-durable`: what it costs to make a step durable, and how much disk it takes.
//!
//! `full`: one run that waits for every step; its limits are one fsync of the same bytes, and a commit of SQLite as it comes.
//! `group`: 64 runs, each of which waits for each of its steps; the limit is SQLite with 64 rows a transaction and nothing
//! else. `bytes`: the size of the file by the number of steps, with records of interleaved runs, and with a run that carries
//! 100 kB which do not change. `wait`: 10,000 waiting runs, from opening the store to having them listed. `load`: a run of
//! 10,000 records among others, read and verified. All in one process, on the disk of the temporary directory (`TMPDIR`).

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../../../tests/measure/mod.rs"]
mod measure;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use kait_store::{Batch, Hash, NewRun, Options, Read, Record, RunId, RunQuery, SqliteStore, Store};
use rusqlite::Connection;

/// What a step records: the answer of a read, a number or a line.
const PAYLOAD: [u8; 48] = [7; 48];
const RUNS: u32 = 64;

fn main() {
    measure::print_load();
    full();
    group();
    bytes();
    wait();
    load();
}

fn record(seq: u32) -> Record {
    Record { seq, at: i64::from(seq) * 1_000_000, kind: 1, payload: PAYLOAD.to_vec() }
}

fn step(run: &RunId, seq: u32) -> Batch {
    let mut batch = Batch::new();
    batch.append(run, record(seq));
    batch
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default()).expect("the store opens")
}

/// A store with so many runs.
fn with_runs(directory: &Path, runs: u32) -> (SqliteStore, Vec<RunId>) {
    let store = open(directory);
    let program = Hash::of(b"program");
    let ids: Vec<RunId> = (0..runs).map(|run| format!("r_{run}").into()).collect();
    let mut batch = Batch::new();
    batch.program(program, b"program");
    for run in &ids {
        batch.start(NewRun::new(run.as_str(), program, "main", 0));
    }
    store.commit(batch).wait().expect("the runs start");
    (store, ids)
}

/// A database as plain as can be, with the same durability.
fn raw(directory: &Path) -> Connection {
    let connection = Connection::open(directory.join("raw.sqlite")).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE records (run INTEGER, seq INTEGER, payload BLOB,
                                   PRIMARY KEY (run, seq)) WITHOUT ROWID",
        )
        .expect("a table");
    connection
}

fn insert(connection: &Connection, run: u32, seq: u32) {
    connection
        .prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute((run, seq, &PAYLOAD[..])))
        .expect("a row");
}

/// Microseconds a step.
fn full() {
    const STEPS: u32 = 500;
    let per_step = |seconds: f64| seconds * 1e6 / f64::from(STEPS);
    let fsync = measure::sample(7, || {
        let directory = tempfile::tempdir().expect("a directory");
        let mut file = File::create(directory.path().join("log")).expect("a file");
        let (seconds, ()) = measure::seconds(|| {
            for _ in 0..STEPS {
                file.write_all(&[7; 4_096]).expect("room");
                file.sync_data().expect("a disk");
            }
        });
        per_step(seconds)
    });
    let sqlite = measure::sample(7, || {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = raw(directory.path());
        let (seconds, ()) =
            measure::seconds(|| (0..STEPS).for_each(|seq| insert(&connection, 0, seq)));
        per_step(seconds)
    });
    let store = measure::sample(7, || {
        let directory = tempfile::tempdir().expect("a directory");
        let (store, runs) = with_runs(directory.path(), 1);
        let (seconds, ()) = measure::seconds(|| {
            for run in &runs {
                for seq in 0..STEPS {
                    store.commit(step(run, seq)).wait().expect("it is durable");
                }
            }
        });
        per_step(seconds)
    });
    fsync.print("limit: fsync of 4 KiB", "µs/step", None);
    sqlite.print("limit: sqlite, commit a row", "µs/step", Some(&fsync));
    store.print("k-durable-full", "µs/step", Some(&fsync));
}

/// Microseconds a step, over all runs.
fn group() {
    const STEPS: u32 = 150;
    let per_step = |seconds: f64| seconds * 1e6 / f64::from(STEPS * RUNS);
    let sqlite = measure::sample(7, || {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = raw(directory.path());
        let (seconds, ()) = measure::seconds(|| {
            for seq in 0..STEPS {
                connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
                (0..RUNS).for_each(|run| insert(&connection, run, seq));
                connection.execute_batch("COMMIT").expect("a commit");
            }
        });
        per_step(seconds)
    });
    let store = measure::sample(7, || {
        let directory = tempfile::tempdir().expect("a directory");
        let (store, runs) = with_runs(directory.path(), RUNS);
        let (seconds, ()) = measure::seconds(|| interleaved(&store, &runs, STEPS));
        per_step(seconds)
    });
    sqlite.print("limit: sqlite, 64 rows a commit", "µs/step", None);
    store.print("k-durable-group (64 runs)", "µs/step", Some(&sqlite));
    println!("{:<44} {:>17.0} steps/s", "  at best", 1e6 / store.min());
}

/// All runs at once: each takes its next step when the one before is durable.
fn interleaved(store: &SqliteStore, runs: &[RunId], steps: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let store = Arc::new(store.clone());
    runtime.block_on(async {
        let tasks: Vec<_> = runs
            .iter()
            .cloned()
            .map(|run| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for seq in 0..steps {
                        store.commit(step(&run, seq)).await.expect("it is durable");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
}

fn size(directory: &Path) -> u64 {
    fs::metadata(directory.join("store.sqlite")).expect("a file").len()
}

fn bytes() {
    let steps = if measure::repetitions(7) > 1 { 1_000 } else { 10 };
    for (name, runs, carried) in [
        ("bytes: one run", 1, 0),
        ("bytes: 64 runs, interleaved", RUNS, 0),
        ("bytes: one run that carries 100 kB", 1, 100_000),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let (store, runs) = with_runs(directory.path(), runs);
        let mut first = 0;
        if carried > 0 {
            for run in &runs {
                let payload = vec![9; carried];
                let mut batch = Batch::new();
                batch.append(run, Record { seq: 0, at: 0, kind: 1, payload });
                store.commit(batch).wait().expect("it is durable");
            }
            first = 1;
        }
        drop(store);
        let before = size(directory.path());
        let store = open(directory.path());
        for run in &runs {
            let mut batch = Batch::new();
            batch.resume(run);
            store.commit(batch).wait().expect("nobody else has it");
        }
        for seq in first..first + steps {
            let tickets: Vec<_> = runs.iter().map(|run| store.commit(step(run, seq))).collect();
            tickets.into_iter().for_each(|ticket| ticket.wait().expect("it is durable"));
        }
        drop(store);
        let grown = size(directory.path()) - before;
        let steps = u64::from(steps) * runs.len() as u64;
        let per_step = grown as f64 / steps as f64;
        println!("{name:<44} {per_step:>17.1} bytes/step ({} of them payload)", PAYLOAD.len());
    }
}

/// Milliseconds until 10,000 waiting runs are known.
fn wait() {
    let count = if measure::repetitions(7) > 1 { 10_000 } else { 100 };
    let directory = tempfile::tempdir().expect("a directory");
    let (store, runs) = with_runs(directory.path(), count);
    let mut batch = Batch::new();
    for run in &runs {
        for seq in 0..3 {
            batch.append(run, record(seq));
        }
        batch.wait(run, Some(5));
    }
    store.commit(batch).wait().expect("they wait");
    drop(store);
    let listed = measure::sample(7, || {
        let (seconds, found) = measure::seconds(|| {
            let store = open(directory.path());
            store.runs(&RunQuery::unfinished()).expect("a list").len()
        });
        assert_eq!(found, runs.len());
        seconds * 1e3
    });
    listed.print("wait: open, and list 10,000 waiting runs", "ms", None);
}

/// Microseconds a record.
fn load() {
    let steps = if measure::repetitions(7) > 1 { 10_000 } else { 100 };
    let directory = tempfile::tempdir().expect("a directory");
    let (store, runs) = with_runs(directory.path(), 8);
    let mut batch = Batch::new();
    for seq in 0..steps {
        for run in &runs {
            batch.append(run, record(seq));
        }
    }
    store.commit(batch).wait().expect("they are durable");
    let loaded = measure::sample(7, || {
        let (seconds, count) = measure::seconds(|| {
            let records = store.records(&runs[3], 0).expect("a run");
            records.inspect(|record| assert!(record.is_ok(), "{record:?}")).count()
        });
        assert_eq!(count, steps as usize);
        seconds * 1e6 / f64::from(steps)
    });
    loaded.print("load: a record of 10,000, among 8 runs", "µs", None);
}
