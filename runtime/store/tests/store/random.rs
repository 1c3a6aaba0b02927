//! Random batches: the store on disk does what the one in memory does, and refuses what that refuses.

use std::fmt::Write;

use fastrand::Rng;
use kait_store::{
    Answer, BLOB_FROM, Batch, Hash, MemoryStore, NewRun, Options, Parent, Pruned, Question, Record,
    Refused, RunId, RunQuery, RunState, SqliteStore, StartKey, Started, Store, StoreError,
};

use crate::dump::dump;

const CALLS: [&str; 2] = ["mail.send", "pay"];

/// Everything that [`batch`] may have touched.
pub fn state(store: &dyn Store) -> String {
    let mut out = dump(store);
    for number in 0..4 {
        for call in CALLS {
            writeln!(out, "{:?}", store.once(call, &value(number)).unwrap()).unwrap();
        }
        writeln!(out, "{:?}", store.started(&key(number)).unwrap()).unwrap();
        writeln!(out, "{:?}", store.program(&value(number)).unwrap()).unwrap();
        let blob = store.blob(&Hash::of(&large(number))).unwrap();
        writeln!(out, "{:?}", blob.map(|bytes| bytes.len())).unwrap();
    }
    out
}

fn value(number: u8) -> Hash {
    Hash::of(&[number])
}

fn key(number: u8) -> StartKey {
    StartKey { scope: "hook".into(), key: number.to_string().into() }
}

fn large(number: u8) -> Vec<u8> {
    vec![number; BLOB_FROM + 1 + usize::from(number)]
}

/// A batch that often fits what the store holds, and sometimes does not.
pub fn batch(rng: &mut Rng, store: &dyn Store) -> Batch {
    let runs = store.runs(&RunQuery::default()).unwrap();
    let known = |rng: &mut Rng| match runs.len() {
        0 => RunId::from("r_0"),
        len => runs[rng.usize(..len)].id.clone(),
    };
    let mut batch = Batch::new();
    let ops = if rng.bool() { 1 } else { rng.usize(1..5) };
    let run = known(rng);
    let next = store.run(&run).unwrap().map_or(0, |run| run.records);
    let mut seq = next;
    for _ in 0..ops {
        let run = if rng.u8(..8) == 0 { known(rng) } else { run.clone() };
        let number = rng.u8(..4);
        let at = rng.i64(..100);
        match rng.u8(..20) {
            0 => {
                batch.program(value(number), [number]);
            }
            1 | 2 => {
                let id = format!("r_{}", rng.u8(..12));
                let mut new = NewRun::new(id, value(number), "main", at);
                new.meta = vec![number; rng.usize(..9)];
                new.parent = rng.bool().then(|| Parent::Detached(run.clone()));
                new.session = rng.bool().then(|| format!("s{}", number % 2).into());
                new.state = if rng.u8(..3) == 0 { RunState::Queued } else { RunState::Running };
                batch.program(value(number), [number]).start(new);
            }
            3..=8 => {
                for _ in 0..rng.u32(1..4) {
                    let payload = if rng.u8(..20) == 0 {
                        large(number)
                    } else {
                        vec![number; rng.usize(..200)]
                    };
                    batch.append(&run, Record { seq, at, kind: number, payload });
                    seq += if rng.u8(..30) == 0 { 2 } else { 1 };
                }
            }
            9 => {
                batch.wait(&run, rng.bool().then_some(at));
            }
            10 => {
                batch.resume(&run);
            }
            11 => {
                let state = rng.choice(RunState::ALL).unwrap();
                batch.end(&run, state, at, [number]);
            }
            12 => {
                let (role, due) = (rng.bool().then(|| "lead".into()), rng.bool().then_some(at));
                let key = format!("q{number}").into();
                batch.ask(&run, Question { key, role, asked: at, due, shown: vec![number] });
            }
            13 => {
                let answer = Answer { by: format!("p{}", at % 3).into(), at, value: vec![number] };
                batch.answer(&run, format!("q{number}"), answer);
            }
            14 => {
                batch.withdraw(&run, format!("q{number}"));
            }
            15 => {
                batch.claim(&run, seq, rng.choice(CALLS).unwrap(), value(number));
            }
            16 => {
                let call = rng.choice(CALLS).unwrap();
                if rng.bool() {
                    batch.settle(&run, call, value(number), [number]);
                } else {
                    batch.release(&run, call, value(number));
                }
            }
            17 => {
                batch.save(&run, vec![number; rng.usize(..50)]);
            }
            18 => {
                batch.heard(key(number), Started { run: Some(run), at });
            }
            _ => {
                if rng.bool() {
                    batch.remove_run(&run);
                } else {
                    batch.remove_session(format!("s{}", number % 2));
                }
            }
        }
    }
    batch
}

/// What came of a batch. Processes are known by other names in memory.
fn told(outcome: &Result<(), StoreError>) -> String {
    match outcome {
        Err(StoreError::Refused(Refused::OwnedElsewhere { run, holder })) => {
            format!("{run} belongs to {}", holder.owner)
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn both_stores_do_the_same() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let directory = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(directory.path(), Options::default()).unwrap();
        let (mut memory, mut disk) = (MemoryStore::new(), open());
        let mut done = 0;
        for step in 0..300 {
            match rng.u8(..100) {
                0 => {
                    drop(disk);
                    (memory, disk) = (memory.crash(), open());
                    assert_eq!(state(&disk), state(&memory), "seed {seed}, step {step}");
                }
                1 => {
                    let before = rng.i64(..100);
                    // On disk, records of runs that were removed by name are counted here.
                    let count = |pruned: Pruned| Pruned { records: 0, ..pruned };
                    let (wanted, found) = (memory.prune(before), disk.prune(before));
                    assert_eq!(count(found.unwrap()), count(wanted.unwrap()), "seed {seed}");
                }
                _ => {
                    let batch = batch(&mut rng, &memory);
                    let wanted = memory.commit(batch.clone()).wait();
                    let found = disk.commit(batch).wait();
                    done += u32::from(found.is_ok());
                    assert_eq!(told(&found), told(&wanted), "seed {seed}, step {step}");
                }
            }
        }
        assert_eq!(state(&disk), state(&memory), "seed {seed}");
        assert_eq!(disk.check().unwrap(), []);
        assert!(done > 60, "most batches are refused: {done}");
    }
}
