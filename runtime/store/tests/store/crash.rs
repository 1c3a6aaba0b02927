//! The process is killed around every commit, and the next one finds all that was acknowledged, and nothing torn.
//!
//! The child is this test binary itself, run with the test `child` alone. It applies random batches, says what was
//! acknowledged, and stops dead at one point, where its parent kills it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fastrand::Rng;
use kait_store::{
    Batch, MemoryStore, Options, Probe, Read, Refused, RunQuery, RunState, SqliteStore, Store,
    StoreError,
};

use crate::random::{batch, state};

const BATCHES: usize = 60;
/// Set for the child: directory, seed and point, a line each.
const CHILD: &str = "KAIT_STORE_CRASH";

/// Batches in the order in which they are committed, and how many of them at once. The same for parent and child.
fn batches(seed: u64) -> (Vec<kait_store::Batch>, Vec<usize>, Vec<String>) {
    let mut rng = Rng::with_seed(seed);
    let memory = MemoryStore::new();
    let (mut batches, mut states) = (Vec::new(), vec![state(&memory)]);
    for _ in 0..BATCHES {
        let batch = batch(&mut rng, &memory);
        // Some are refused.
        let _ = memory.commit(batch.clone()).wait();
        batches.push(batch);
        states.push(state(&memory));
    }
    let mut groups = Vec::new();
    while groups.iter().sum::<usize>() < BATCHES {
        groups.push(rng.usize(1..6));
    }
    (batches, groups, states)
}

#[test]
fn child() {
    let Ok(spec) = env::var(CHILD) else { return };
    let [directory, seed, point] = spec.lines().collect::<Vec<_>>()[..] else { panic!("{spec}") };
    let (seed, point): (u64, u32) = (seed.parse().unwrap(), point.parse().unwrap());
    let passed = AtomicU32::new(0);
    let probe = Probe(Arc::new(move |_| {
        if passed.fetch_add(1, Ordering::SeqCst) == point {
            println!("\nhere");
            std::io::stdout().flush().unwrap();
            loop {
                std::thread::park();
            }
        }
    }));
    let options = Options { probe: Some(probe), ..Options::default() };
    let store = SqliteStore::open(Path::new(directory), options).unwrap();
    let (batches, groups, _) = batches(seed);
    let mut batches = batches.into_iter();
    let mut acknowledged = 0;
    for group in groups {
        let tickets: Vec<_> =
            batches.by_ref().take(group).map(|batch| store.commit(batch)).collect();
        for ticket in tickets {
            // What is refused is acknowledged, too: it changes nothing.
            let _ = ticket.wait();
            acknowledged += 1;
            println!("\nacknowledged {acknowledged}");
        }
    }
    println!("\nover");
}

/// Runs the child until it stands at a point; gives how many batches were acknowledged, and whether it got there.
fn killed_at(directory: &Path, seed: u64, point: u32) -> (usize, bool) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{}\n{seed}\n{point}", directory.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let (mut acknowledged, mut there) = (0, false);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(count) = line.strip_prefix("acknowledged ") {
            acknowledged = count.parse().unwrap();
        } else if line == "here" {
            there = true;
            // While it lives, nobody else gets its runs, however still it stands.
            still_owned(directory, child.id());
            child.kill().unwrap();
        }
    }
    let ended = child.wait().unwrap();
    assert_eq!(ended.success(), !there, "the child failed by itself");
    (acknowledged, there)
}

/// A process that stands still may be in the middle of a commit: then others wait for it, and are told for whom. Otherwise
/// they can write, but not to its runs.
fn still_owned(directory: &Path, pid: u32) {
    let patience = Duration::from_millis(5);
    match SqliteStore::open(directory, Options { patience, ..Options::default() }) {
        Ok(store) => {
            let running =
                RunQuery { states: vec![RunState::Running], limit: 1, ..RunQuery::default() };
            for run in store.runs(&running).unwrap() {
                let mut batch = Batch::new();
                batch.resume(&run.id);
                let refused = store.commit(batch).wait();
                let Err(StoreError::Refused(Refused::OwnedElsewhere { holder, .. })) = refused
                else {
                    panic!("{refused:?}")
                };
                assert_eq!(holder.pid, Some(pid));
                assert_eq!(store.holder(&run.id).unwrap(), Some(holder));
            }
        }
        Err(StoreError::Busy { holders, .. }) => {
            assert_eq!(holders.iter().map(|it| it.pid).collect::<Vec<_>>(), [Some(pid)]);
        }
        Err(error) => panic!("{error}"),
    }
}

/// Takes up what a process that is gone was running.
fn take_over(store: &SqliteStore) {
    let running = RunQuery { states: vec![RunState::Running], ..RunQuery::default() };
    for run in store.runs(&running).unwrap() {
        assert_eq!(store.holder(&run.id).unwrap(), None);
        let mut batch = Batch::new();
        batch.resume(&run.id);
        store.commit(batch).wait().unwrap();
        assert_eq!(store.holder(&run.id).unwrap().map(|it| it.owner), Some(store.owner()));
    }
}

#[test]
fn what_was_acknowledged_survives_and_nothing_is_torn() {
    // Every point of a seed: `CRASH=all cargo test -p kait-store crash`.
    let every = env::var_os("CRASH").is_some();
    let mut kills = 0;
    for seed in 0..3 {
        let (batches, _, states) = batches(seed);
        let mut point = 0;
        loop {
            let directory = tempfile::tempdir().unwrap();
            let (acknowledged, there) = killed_at(directory.path(), seed, point);
            let store = SqliteStore::open(directory.path(), Options::default()).unwrap();
            let found = state(&store);
            let place = || format!("seed {seed}, point {point}, {acknowledged} acknowledged");
            // Batches that change nothing leave the same state: the first one that fits will do.
            let rest = states.iter().enumerate().skip(acknowledged);
            let survived =
                rest.filter(|(_, state)| **state == found).map(|(count, _)| count).next();
            let survived = survived.unwrap_or_else(|| panic!("{}: found\n{found}", place()));
            assert_eq!(store.check().unwrap(), [], "{}", place());
            take_over(&store);
            for batch in batches.iter().skip(survived) {
                // Some are refused, as they were in memory.
                let _ = store.commit(batch.clone()).wait();
            }
            assert_eq!(Some(&state(&store)), states.last(), "{}: it does not go on", place());
            if !there {
                assert_eq!(acknowledged, BATCHES);
                break;
            }
            kills += 1;
            point += if every { 1 } else { 7 };
        }
    }
    assert!(kills >= 10, "the child was only killed {kills} times");
}
