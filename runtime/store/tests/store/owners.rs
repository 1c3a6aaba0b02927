//! Several processes on one store: to whom runs belong, and that nobody touches what is another's.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use kait_store::{
    Batch, Fault, FaultyStore, Hash, MemoryStore, NewRun, Options, PromiseState, Read, Record,
    Refused, RunId, RunState, SqliteStore, Store, StoreError,
};

use crate::contract::{
    answer, append, commit, end, program, question, record, records, start, start_with, state,
};

/// Opens the store as another process.
type Open<'o> = &'o dyn Fn() -> Box<dyn Store>;
type Case = fn(Open<'_>);
/// What may be in a batch, by name.
type Attempt<'a> = (&'a str, &'a dyn Fn(&mut Batch));

const CASES: &[(&str, Case)] = &[
    ("every_process_is_another_owner", every_process_is_another_owner),
    ("a_running_run_is_its_owners_alone", a_running_run_is_its_owners_alone),
    ("what_waits_is_anybodys", what_waits_is_anybodys),
    ("what_a_process_leaves_is_taken_over", what_a_process_leaves_is_taken_over),
    ("a_refused_batch_gives_nothing_away", a_refused_batch_gives_nothing_away),
    ("changes_of_others_are_seen", changes_of_others_are_seen),
    ("what_others_have_written_is_believed", what_others_have_written_is_believed),
];

#[test]
fn in_memory() {
    for (name, case) in CASES {
        println!("{name}");
        let store = MemoryStore::new();
        case(&|| Box::new(store.another()));
        let store = MemoryStore::new();
        case(&|| Box::new(FaultyStore::new(store.another(), u64::MAX, Fault::Crash)));
    }
}

#[test]
fn on_disk() {
    for (name, case) in CASES {
        println!("{name}");
        let directory = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(directory.path(), Options::default()).unwrap();
        case(&|| Box::new(open()));
        assert_eq!(open().check().unwrap(), []);
    }
}

fn owner(store: &dyn Store, run: &RunId) -> Option<u64> {
    store.holder(run).unwrap().map(|holder| holder.owner)
}

fn resume(store: &dyn Store, run: &RunId) -> Result<(), Refused> {
    commit(store, |batch| {
        batch.resume(run);
    })
}

fn every_process_is_another_owner(open: Open<'_>) {
    let (a, b) = (open(), open());
    assert!(0 < a.owner() && a.owner() < b.owner());
    let last = b.owner();
    drop(b);
    assert!(open().owner() > last, "numbers are not used again");
    let run = start(&*a, "r");
    assert_eq!(owner(&*a, &run), Some(a.owner()));
    let holder = open().holder(&run).unwrap().unwrap();
    assert_eq!((holder.owner, holder.pid), (a.owner(), Some(std::process::id())));
    assert_eq!(owner(&*a, &"nobody".into()), None);
    end(&*a, &run, RunState::Done, 1).unwrap();
    assert_eq!(owner(&*a, &run), None);
}

fn a_running_run_is_its_owners_alone(open: Open<'_>) {
    let (mine, other) = (open(), open());
    let (run, x) =
        (&start_with(&*mine, "r", |it| it.session = Some("s".into())).unwrap(), Hash::of(b"x"));
    append(&*mine, run, 0..2).unwrap();
    commit(&*mine, |batch| {
        batch.ask(run, question("q")).ask(run, question("w")).claim(run, 1, "pay", x);
    })
    .unwrap();
    let attempts: &[Attempt<'_>] = &[
        ("append", &|batch| _ = batch.append(run, record(2, b"x"))),
        ("blob", &|batch| _ = batch.blob(run, b"x".to_vec())),
        ("resume", &|batch| _ = batch.resume(run)),
        ("wait", &|batch| _ = batch.wait(run, None)),
        ("end", &|batch| _ = batch.end(run, RunState::Cancelled, 1, b"")),
        ("damaged", &|batch| _ = batch.end(run, RunState::Damaged, 1, b"")),
        ("ask", &|batch| _ = batch.ask(run, question("q2"))),
        ("withdraw", &|batch| _ = batch.withdraw(run, "w")),
        ("claim", &|batch| _ = batch.claim(run, 1, "pay", Hash::of(b"y"))),
        ("settle", &|batch| _ = batch.settle(run, "pay", x, b"paid")),
        ("release", &|batch| _ = batch.release(run, "pay", x)),
        ("save", &|batch| _ = batch.save(run, b"cells")),
    ];
    for (name, attempt) in attempts {
        match commit(&*other, |batch| attempt(batch)) {
            Err(Refused::OwnedElsewhere { run: refused, holder }) => {
                assert_eq!((&refused, holder.owner), (run, mine.owner()), "{name}");
            }
            done => panic!("{name}: {done:?}"),
        }
    }
    // To answer is everybody's right, and to begin something else.
    commit(&*other, |batch| {
        batch.answer(run, "q", answer("ann", b"yes"));
    })
    .unwrap();
    let found = mine.promise(run, "q").unwrap().unwrap();
    assert_eq!(found.state, PromiseState::Answered(answer("ann", b"yes")));
    let its = start(&*other, "its");
    append(&*other, &its, 0..1).unwrap();
    assert!(append(&*mine, &its, 1..2).is_err());
    // All of it is the owner's to do.
    for (name, attempt) in
        attempts.iter().filter(|(name, _)| !["wait", "end", "damaged", "settle"].contains(name))
    {
        commit(&*mine, |batch| attempt(batch))
            .unwrap_or_else(|refused| panic!("{name}: {refused}"));
    }
    end(&*mine, run, RunState::Done, 1).unwrap();
    commit(&*other, |batch| {
        batch.remove_run(run);
    })
    .unwrap();
}

fn what_waits_is_anybodys(open: Open<'_>) {
    let (a, b) = (open(), open());
    let run = start(&*a, "r");
    commit(&*a, |batch| {
        batch.append(&run, record(0, b"asks")).ask(&run, question("q")).wait(&run, None);
    })
    .unwrap();
    assert_eq!(owner(&*a, &run), None);
    commit(&*b, |batch| {
        batch.answer(&run, "q", answer("ann", b"yes")).resume(&run);
        batch.append(&run, record(1, b"goes on"));
    })
    .unwrap();
    assert_eq!(owner(&*a, &run), Some(b.owner()));
    assert!(matches!(resume(&*a, &run), Err(Refused::OwnedElsewhere { .. })));
    assert!(matches!(append(&*a, &run, 2..3), Err(Refused::OwnedElsewhere { .. })));
    // So is what waits for its session, and its place in the queue.
    let queued = |it: &mut NewRun| (it.session, it.state) = (Some("s".into()), RunState::Queued);
    let next = start_with(&*a, "next", queued).unwrap();
    resume(&*b, &next).unwrap();
    assert_eq!(owner(&*a, &next), Some(b.owner()));
    // Nobody needs to take up what is only to be ended.
    commit(&*b, |batch| {
        batch.wait(&next, None);
    })
    .unwrap();
    end(&*a, &next, RunState::Cancelled, 1).unwrap();
    assert_eq!(b.session("s").unwrap().unwrap().owner, None);
}

fn what_a_process_leaves_is_taken_over(open: Open<'_>) {
    let (a, b, c) = (open(), open(), open());
    let run = start_with(&*a, "r", |it| it.session = Some("s".into())).unwrap();
    append(&*a, &run, 0..3).unwrap();
    drop(a);
    assert_eq!(owner(&*b, &run), None);
    assert_eq!(state(&*b, &run), RunState::Running);
    // Not without saying so.
    assert!(matches!(append(&*b, &run, 3..4), Err(Refused::OwnedElsewhere { .. })));
    assert!(matches!(end(&*b, &run, RunState::Failed, 1), Err(Refused::OwnedElsewhere { .. })));
    resume(&*b, &run).unwrap();
    append(&*b, &run, 3..4).unwrap();
    commit(&*b, |batch| {
        batch.save(&run, b"cells");
    })
    .unwrap();
    assert_eq!(owner(&*c, &run), Some(b.owner()));
    assert!(matches!(resume(&*c, &run), Err(Refused::OwnedElsewhere { .. })));
    drop(b);
    // In one batch with the end, for whoever wants nothing else of it.
    commit(&*c, |batch| {
        batch.resume(&run).end(&run, RunState::Cancelled, 1, b"");
    })
    .unwrap();
    assert_eq!(records(&*c, &run, 0).len(), 4);
}

fn a_refused_batch_gives_nothing_away(open: Open<'_>) {
    let (a, b) = (open(), open());
    let (run, waiting) = (start(&*a, "r"), start(&*a, "w"));
    commit(&*a, |batch| {
        batch.wait(&waiting, None);
    })
    .unwrap();
    for wrong in [false, true] {
        let refused = commit(&*a, |batch| {
            batch.resume(&waiting);
            if wrong {
                batch.wait(&run, None);
            } else {
                batch.end(&run, RunState::Done, 1, b"");
            }
            batch.append(&waiting, record(7, b"too far"));
        });
        assert!(matches!(refused, Err(Refused::OutOfOrder { .. })), "{refused:?}");
        assert_eq!((owner(&*b, &run), owner(&*b, &waiting)), (Some(a.owner()), None));
        assert!(append(&*b, &run, 0..1).is_err());
    }
    append(&*a, &run, 0..1).unwrap();
    resume(&*b, &waiting).unwrap();
}

fn changes_of_others_are_seen(open: Open<'_>) {
    let (a, b) = (open(), open());
    let run = start(&*a, "r");
    let before = a.changes().unwrap();
    assert_eq!(a.changes().unwrap(), before);
    start(&*b, "other");
    assert_ne!(a.changes().unwrap(), before);
    let before = b.changes().unwrap();
    append(&*a, &run, 0..1).unwrap();
    assert_ne!(b.changes().unwrap(), before);
}

/// Runs go from hand to hand: nobody goes by what it knew of them.
fn what_others_have_written_is_believed(open: Open<'_>) {
    let stores = [open(), open(), open()];
    let run = start(&*stores[0], "r");
    commit(&*stores[0], |batch| {
        batch.wait(&run, None);
    })
    .unwrap();
    for seq in 0..30 {
        let store = &*stores[seq as usize % 3];
        commit(store, |batch| {
            batch.resume(&run).append(&run, record(seq, &[9; 30])).wait(&run, Some(seq.into()));
        })
        .unwrap();
        // Its own run grows meanwhile, so that records of several lie between each other.
        let own: RunId = format!("own_{}", seq % 3).into();
        if seq < 3 {
            start(store, own.as_str());
        }
        append(store, &own, seq / 3..seq / 3 + 1).unwrap();
        if seq == 20 {
            // What is removed elsewhere is gone, and its name is free.
            let gone = start(&*stores[1], "gone");
            end(&*stores[1], &gone, RunState::Done, 1).unwrap();
            commit(&*stores[2], |batch| {
                batch.remove_run(&gone);
            })
            .unwrap();
            stores[0].prune(i64::MIN).unwrap();
            start(&*stores[1], "gone");
        }
    }
    for store in &stores {
        assert_eq!(records(&**store, &run, 0).len(), 30);
        assert_eq!(records(&**store, &"own_1".into(), 0).len(), 10);
    }
}

// Two processes, really.

const BATCHES: u32 = 2_000;
/// Set for the child: directory, name, and how many batches it commits before it stands still; a line each.
const CHILD: &str = "KAIT_STORE_OWNER";

/// Appends to runs of its own, many at once, so that its commits are groups.
#[test]
fn child() {
    let Ok(spec) = env::var(CHILD) else { return };
    let [directory, name, batches] = spec.lines().collect::<Vec<_>>()[..] else { panic!("{spec}") };
    let batches: u32 = batches.parse().unwrap();
    let store = Arc::new(SqliteStore::open(Path::new(directory), Options::default()).unwrap());
    let mut batch = Batch::new();
    batch.program(program(), crate::contract::PROGRAM);
    for run in 0..RUNS {
        batch.start(NewRun::new(run_of(name, run), program(), "main", 0));
    }
    store.commit(batch).wait().unwrap();
    let tickets = (0..batches).map(|number| {
        let (run, seq) = (number % RUNS, number / RUNS);
        let mut batch = Batch::new();
        batch.append(&run_of(name, run), line(name, run, seq));
        store.commit(batch)
    });
    let mut waiting = std::collections::VecDeque::new();
    for ticket in tickets {
        waiting.push_back(ticket);
        if waiting.len() > 8 {
            waiting.pop_front().unwrap().wait().unwrap();
        }
    }
    waiting.into_iter().for_each(|ticket| ticket.wait().unwrap());
    println!("\nhere {}", store.owner());
    std::io::stdout().flush().unwrap();
    // Until it is killed, or its input ends.
    let _ = std::io::stdin().read_line(&mut String::new());
}

const RUNS: u32 = 4;

fn run_of(name: &str, run: u32) -> RunId {
    format!("{name}_{run}").into()
}

fn line(name: &str, run: u32, seq: u32) -> Record {
    Record { seq, at: 5, kind: 1, payload: format!("{name} {run} {seq}").into_bytes() }
}

fn spawned(directory: &Path, name: &str, batches: u32) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["owners::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{}\n{name}\n{batches}", directory.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Waits until a child has done its work; gives its number.
fn done(child: &mut Child) -> u64 {
    // Its end stays open: the child has more to say.
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for line in lines {
        if let Some(owner) = line.unwrap().strip_prefix("here ") {
            return owner.parse().unwrap();
        }
    }
    panic!("the child failed");
}

#[test]
fn two_processes_write_at_once_and_one_takes_over_from_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let [mut a, mut b] = ["a", "b"].map(|name| spawned(directory.path(), name, BATCHES));
    let (of_a, of_b) = (done(&mut a), done(&mut b));
    assert_ne!(of_a, of_b);
    let store = SqliteStore::open(directory.path(), Options::default()).unwrap();
    for (name, of) in [("a", of_a), ("b", of_b)] {
        for run in 0..RUNS {
            let id = run_of(name, run);
            assert_eq!(owner(&store, &id), Some(of));
            let wanted: Vec<_> = (0..BATCHES / RUNS).map(|seq| line(name, run, seq)).collect();
            assert_eq!(records(&store, &id, 0), wanted);
            assert!(matches!(resume(&store, &id), Err(Refused::OwnedElsewhere { .. })));
        }
    }
    // One dies: its runs are free. The other one's are not.
    a.kill().unwrap();
    a.wait().unwrap();
    for run in 0..RUNS {
        let (dead, alive) = (run_of("a", run), run_of("b", run));
        assert_eq!(owner(&store, &dead), None);
        resume(&store, &dead).unwrap();
        append(&store, &dead, BATCHES / RUNS..BATCHES / RUNS + 3).unwrap();
        assert!(matches!(resume(&store, &alive), Err(Refused::OwnedElsewhere { .. })));
    }
    // It ends as it should: the same.
    drop(b.stdin.take());
    assert!(b.wait().unwrap().success());
    for run in 0..RUNS {
        resume(&store, &run_of("b", run)).unwrap();
        end(&store, &run_of("b", run), RunState::Done, 1).unwrap();
    }
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn who_is_killed_in_the_middle_leaves_others_unharmed() {
    let directory = tempfile::tempdir().unwrap();
    let mut a = spawned(directory.path(), "a", u32::MAX);
    let mut b = spawned(directory.path(), "b", BATCHES / 4);
    let reader = loop {
        match kait_store::SqliteReader::open(directory.path()) {
            Ok(reader) => break reader,
            // It is being made.
            Err(StoreError::Missing { .. } | StoreError::NotAStore { .. }) => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Err(error) => panic!("{error}"),
        }
    };
    let count = || reader.run(&run_of("a", 0)).unwrap().map_or(0, |run| run.records);
    while count() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    a.kill().unwrap();
    a.wait().unwrap();
    done(&mut b);
    let store = SqliteStore::open(directory.path(), Options::default()).unwrap();
    for run in 0..RUNS {
        let id = run_of("a", run);
        let found = records(&store, &id, 0);
        let next = u32::try_from(found.len()).unwrap();
        let wanted: Vec<_> = (0..next).map(|seq| line("a", run, seq)).collect();
        assert_eq!(found, wanted);
        resume(&store, &id).unwrap();
        append(&store, &id, next..next + 1).unwrap();
        assert_eq!(records(&store, &run_of("b", run), 0).len() as u32, BATCHES / 4 / RUNS);
    }
    assert_eq!(store.check().unwrap(), []);
    drop(b.stdin.take());
    assert!(b.wait().unwrap().success());
}
