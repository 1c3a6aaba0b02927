//! The contract: what each operation does, and what it refuses. One suite over the traits, run for every backend.

use kait_store::{
    Answer, BLOB_FROM, Batch, Fault, FaultyStore, Hash, MAX_META, MAX_NAME, MemoryStore, NewRun,
    Once, Options, Parent, PromiseQuery, PromiseState, Pruned, Question, Record, Refused, RunId,
    RunQuery, RunState, SqliteStore, StartKey, Started, Store, StoreError,
};

use crate::dump::dump;

type Case = fn(&dyn Store);

const CASES: &[(&str, Case)] = &[
    ("runs_start_once_on_programs_that_are_there", runs_start_once_on_programs_that_are_there),
    ("records_are_appended_in_order", records_are_appended_in_order),
    ("records_are_read_from_anywhere", records_are_read_from_anywhere),
    ("large_payloads_and_values_are_kept", large_payloads_and_values_are_kept),
    ("a_refused_batch_changes_nothing", a_refused_batch_changes_nothing),
    ("states_change_as_they_may", states_change_as_they_may),
    ("lists_of_runs_are_filtered_and_paged", lists_of_runs_are_filtered_and_paged),
    ("the_first_answer_counts", the_first_answer_counts),
    ("questions_end_with_their_run", questions_end_with_their_run),
    ("questions_are_listed_in_order", questions_are_listed_in_order),
    ("a_call_is_claimed_once", a_call_is_claimed_once),
    ("a_session_has_one_owner", a_session_has_one_owner),
    ("a_start_is_heard_of_once", a_start_is_heard_of_once),
    ("order_does_not_depend_on_clocks", order_does_not_depend_on_clocks),
    ("what_is_old_is_pruned", what_is_old_is_pruned),
    ("runs_are_removed_by_name", runs_are_removed_by_name),
    ("who_reads_a_run_is_told_when_it_is_removed", who_reads_a_run_is_told_when_it_is_removed),
    ("sizes_have_limits", sizes_have_limits),
    ("an_empty_batch_is_a_barrier", an_empty_batch_is_a_barrier),
    ("changes_are_seen_and_nothing_else_is", changes_are_seen_and_nothing_else_is),
];

#[test]
fn in_memory() {
    for (name, case) in CASES {
        println!("{name}");
        case(&MemoryStore::new());
    }
}

#[test]
fn on_disk() {
    for (name, case) in CASES {
        println!("{name}");
        let directory = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(directory.path(), Options::default()).unwrap();
        let store = open();
        case(&store);
        let before = dump(&store);
        assert_eq!(store.check().unwrap(), []);
        drop(store);
        assert_eq!(dump(&open()), before, "{name}: another process sees the same");
    }
}

#[test]
fn with_faults_that_never_come() {
    for (name, case) in CASES {
        println!("{name}");
        case(&FaultyStore::new(MemoryStore::new(), u64::MAX, Fault::Crash));
    }
}

// What the cases share.

pub const PROGRAM: &[u8] = b"a program";

pub fn program() -> Hash {
    Hash::of(PROGRAM)
}

pub fn commit(store: &dyn Store, build: impl FnOnce(&mut Batch)) -> Result<(), Refused> {
    let mut batch = Batch::new();
    build(&mut batch);
    match store.commit(batch).wait() {
        Ok(()) => Ok(()),
        Err(StoreError::Refused(refused)) => Err(refused),
        Err(other) => panic!("{other}"),
    }
}

pub fn start(store: &dyn Store, run: &str) -> RunId {
    start_with(store, run, |_| {}).unwrap()
}

pub fn start_with(
    store: &dyn Store,
    run: &str,
    change: impl FnOnce(&mut NewRun),
) -> Result<RunId, Refused> {
    let mut new = NewRun::new(run, program(), "main", 1_000);
    change(&mut new);
    commit(store, |batch| {
        batch.program(program(), PROGRAM).start(new);
    })?;
    Ok(run.into())
}

pub fn record(seq: u32, payload: &[u8]) -> Record {
    Record { seq, at: i64::from(seq) * 7, kind: 3, payload: payload.to_vec() }
}

pub fn append(store: &dyn Store, run: &RunId, seqs: std::ops::Range<u32>) -> Result<(), Refused> {
    commit(store, |batch| {
        for seq in seqs {
            batch.append(run, record(seq, &seq.to_le_bytes()));
        }
    })
}

pub fn end(store: &dyn Store, run: &RunId, state: RunState, at: i64) -> Result<(), Refused> {
    commit(store, |batch| {
        batch.end(run, state, at, b"summary");
    })
}

pub fn state(store: &dyn Store, run: &RunId) -> RunState {
    store.run(run).unwrap().unwrap().state
}

pub fn records(store: &dyn Store, run: &RunId, from: u32) -> Vec<Record> {
    store.records(run, from).unwrap().collect::<Result<_, _>>().unwrap()
}

pub fn question(key: &str) -> Question {
    let (role, shown) = (Some("lead".into()), b"shown".to_vec());
    Question { key: key.into(), role, asked: 5, due: Some(50), shown }
}

pub fn answer(by: &str, value: &[u8]) -> Answer {
    Answer { by: by.into(), at: 9, value: value.to_vec() }
}

pub fn names(store: &dyn Store, query: &RunQuery) -> Vec<String> {
    store.runs(query).unwrap().iter().map(|run| run.id.to_string()).collect()
}

// The cases.

fn runs_start_once_on_programs_that_are_there(store: &dyn Store) {
    let new = NewRun {
        meta: b"meta".to_vec(),
        parent: Some(Parent::Forked("r_0".into())),
        ..NewRun::new("r_1", program(), "main", -5)
    };
    let refused = commit(store, |batch| {
        batch.start(new.clone());
    });
    assert_eq!(refused, Err(Refused::NoProgram { run: "r_1".into() }));
    assert_eq!(store.run(&"r_1".into()).unwrap(), None);
    assert_eq!(store.program(&program()).unwrap(), None);

    let run = start_with(store, "r_1", |it| *it = new.clone()).unwrap();
    assert_eq!(store.program(&program()).unwrap().as_deref(), Some(PROGRAM));
    let found = store.run(&run).unwrap().unwrap();
    assert_eq!((found.meta, found.parent, found.created), (new.meta, new.parent, -5));
    assert_eq!((found.state, found.records, found.ended), (RunState::Running, 0, None));
    assert_eq!(start_with(store, "r_1", |_| {}), Err(Refused::RunExists { run }));
    // What is kept under a hash is never replaced.
    commit(store, |batch| {
        batch.program(program(), b"another one");
    })
    .unwrap();
    assert_eq!(store.program(&program()).unwrap().as_deref(), Some(PROGRAM));
    let odd = start_with(store, "r_2", |it| it.state = RunState::Done);
    assert!(matches!(odd, Err(Refused::NoSuchChange { .. })));
}

fn records_are_appended_in_order(store: &dyn Store) {
    let run = start(store, "r_1");
    append(store, &run, 0..3).unwrap();
    for wrong in [0, 2, 4, u32::MAX] {
        let refused = append(store, &run, wrong..wrong.saturating_add(1).max(1));
        if wrong == u32::MAX {
            continue;
        }
        let (run, seq, next) = (run.clone(), wrong, 3);
        assert_eq!(refused, Err(Refused::OutOfOrder { run, seq, next }));
    }
    // A gap within a batch refuses all of it.
    let gap = commit(store, |batch| {
        batch.append(&run, record(3, b"a")).append(&run, record(5, b"b"));
    });
    assert_eq!(gap, Err(Refused::OutOfOrder { run: run.clone(), seq: 5, next: 4 }));
    append(store, &run, 3..5).unwrap();
    let all: Vec<_> = (0..5).map(|seq| record(seq, &seq.to_le_bytes())).collect();
    assert_eq!(records(store, &run, 0), all);
    assert_eq!(store.run(&run).unwrap().unwrap().records, 5);
    let nobody = RunId::from("nobody");
    let refused = append(store, &nobody, 0..1);
    assert_eq!(refused, Err(Refused::NoRun { run: nobody.clone() }));
    let missing = store.records(&nobody, 0).err();
    assert!(matches!(missing, Some(StoreError::Refused(Refused::NoRun { .. }))));
    end(store, &run, RunState::Done, 3).unwrap();
    let ended = Refused::Ended { run: run.clone(), state: RunState::Done };
    assert_eq!(append(store, &run, 5..6), Err(ended));
}

fn records_are_read_from_anywhere(store: &dyn Store) {
    // Two runs whose records lie between each other, more than any page takes.
    let (a, b) = (start(store, "a"), start(store, "b"));
    let mut seq = 0;
    for step in [1, 2, 1, 300, 1, 400] {
        append(store, &a, seq..seq + step).unwrap();
        append(store, &b, seq..seq + step).unwrap();
        seq += step;
    }
    for from in [0, 1, 2, 255, 256, 257, 700, 704, 705, 706, u32::MAX] {
        let wanted: Vec<_> = (from..seq).map(|seq| record(seq, &seq.to_le_bytes())).collect();
        assert_eq!(records(store, &a, from), wanted, "from {from}");
        assert_eq!(records(store, &b, from), wanted, "from {from}");
    }
    // What is appended while somebody reads is not seen by that reader.
    let mut reading = store.records(&a, 0).unwrap();
    reading.next();
    append(store, &a, seq..seq + 1).unwrap();
    assert_eq!(reading.count(), seq as usize - 1);
}

fn large_payloads_and_values_are_kept(store: &dyn Store) {
    let (a, b) = (start(store, "a"), start(store, "b"));
    let large = vec![7; BLOB_FROM + 1];
    let (edge, huge) = (vec![8; BLOB_FROM], vec![9; 3 << 20]);
    let mut name = None;
    for run in [&a, &b] {
        commit(store, |batch| {
            batch.append(run, record(0, &large)).append(run, record(1, &edge));
            batch.append(run, record(2, b"small")).append(run, record(3, &huge));
            batch.append(run, record(4, b""));
            name = Some(batch.blob(run, b"aside".to_vec()));
        })
        .unwrap();
        let payloads: Vec<_> = records(store, run, 0).into_iter().map(|it| it.payload).collect();
        assert_eq!(payloads, [&large, &edge, b"small".as_slice(), &huge, b""]);
    }
    let name = name.unwrap();
    assert_eq!(store.blob(&name).unwrap().as_deref(), Some(b"aside".as_slice()));
    assert_eq!(store.blob(&Hash::of(b"never kept")).unwrap(), None);
    // It is kept as long as one of them is there.
    commit(store, |batch| {
        batch.end(&a, RunState::Done, 1, b"").remove_run(&a);
    })
    .unwrap();
    store.prune(i64::MIN).unwrap();
    assert!(store.blob(&name).unwrap().is_some());
    assert_eq!(records(store, &b, 0).len(), 5);
}

fn a_refused_batch_changes_nothing(store: &dyn Store) {
    let run = start_with(store, "r_1", |it| it.session = Some("s".into())).unwrap();
    append(store, &run, 0..2).unwrap();
    let taken = Hash::of(b"taken");
    commit(store, |batch| {
        batch.claim(&run, 1, "mail.send", taken);
        batch.ask(&run, question("q"));
    })
    .unwrap();
    let before = dump(store);
    let (other, key) = (Hash::of(b"other"), StartKey { scope: "t".into(), key: "k".into() });
    let refused = commit(store, |batch| {
        batch.program(other, b"other").start(NewRun::new("r_2", other, "main", 0));
        batch.append(&run, record(2, b"x")).append(&"r_2".into(), record(0, b"x"));
        let aside = batch.blob(&run, b"aside".to_vec());
        assert_eq!(aside, Hash::of(b"aside"));
        batch.ask(&run, question("q2"));
        batch.answer(&run, "q", answer("ann", b"yes"));
        batch.save(&run, b"cells");
        batch.claim(&run, 2, "mail.send", other).settle(&run, "mail.send", other, b"sent");
        batch.heard(key.clone(), Started { run: None, at: 0 });
        batch.end(&"r_2".into(), RunState::Done, 1, b"").remove_run(&"r_2".into());
        batch.end(&run, RunState::Done, 1, b"over");
        batch.start(NewRun { session: Some("s".into()), ..NewRun::new("r_3", other, "main", 0) });
        // It all would do, but for this.
        batch.claim(&"r_3".into(), 0, "mail.send", taken);
    });
    assert!(matches!(refused, Err(Refused::OnceTaken { .. })), "{refused:?}");
    assert_eq!(dump(store), before);
    assert_eq!(store.program(&other).unwrap(), None);
    assert_eq!(store.blob(&Hash::of(b"aside")).unwrap(), None);
    assert_eq!(store.once("mail.send", &other).unwrap(), None);
    assert_eq!(store.started(&key).unwrap(), None);
    // The next batch finds everything as it was.
    append(store, &run, 2..3).unwrap();
    assert_eq!(start_with(store, "r_2", |_| {}), Ok("r_2".into()));
}

fn states_change_as_they_may(store: &dyn Store) {
    let run = start(store, "r_1");
    commit(store, |batch| {
        batch.wait(&run, Some(77));
    })
    .unwrap();
    let found = store.run(&run).unwrap().unwrap();
    assert_eq!((found.state, found.wake), (RunState::Waiting, Some(77)));
    append(store, &run, 0..1).unwrap();
    assert_eq!(store.run(&run).unwrap().unwrap().wake, Some(77));
    commit(store, |batch| {
        batch.resume(&run);
    })
    .unwrap();
    let found = store.run(&run).unwrap().unwrap();
    assert_eq!((found.state, found.wake, found.ended), (RunState::Running, None, None));
    for wrong in [RunState::Queued, RunState::Running, RunState::Waiting] {
        let refused = Refused::NoSuchChange { run: run.clone(), state: wrong };
        assert_eq!(end(store, &run, wrong, 5), Err(refused));
    }
    end(store, &run, RunState::Failed, 5).unwrap();
    let found = store.run(&run).unwrap().unwrap();
    assert_eq!((found.ended, found.summary.as_slice()), (Some(5), b"summary".as_slice()));
    for state in [RunState::Done, RunState::Failed] {
        let ended = Refused::Ended { run: run.clone(), state: RunState::Failed };
        assert_eq!(end(store, &run, state, 6), Err(ended));
    }
    // But what has ended may turn out to be damaged; what was known of its end stays.
    commit(store, |batch| {
        batch.end(&run, RunState::Damaged, 9, b"");
    })
    .unwrap();
    let found = store.run(&run).unwrap().unwrap();
    assert_eq!((found.state, found.summary.as_slice()), (RunState::Damaged, b"summary".as_slice()));
}

fn lists_of_runs_are_filtered_and_paged(store: &dyn Store) {
    for number in 0..10 {
        start_with(store, &format!("r_{number}"), |it| {
            it.graph = if number % 2 == 0 { "even" } else { "odd" }.into();
            it.parent = (number > 6).then(|| Parent::Detached("r_0".into()));
        })
        .unwrap();
    }
    end(store, &"r_3".into(), RunState::Done, 5).unwrap();
    commit(store, |batch| {
        batch.wait(&"r_4".into(), None);
    })
    .unwrap();
    let all = RunQuery::default();
    assert_eq!(names(store, &all).len(), 10);
    let page = RunQuery { limit: 3, newest_first: true, ..all.clone() };
    assert_eq!(names(store, &page), ["r_9", "r_8", "r_7"]);
    let last = store.runs(&page).unwrap().last().map(|run| run.number);
    assert_eq!(names(store, &RunQuery { beyond: last, ..page }), ["r_6", "r_5", "r_4"]);
    let odd = RunQuery { graph: Some("odd".into()), limit: 2, ..all.clone() };
    assert_eq!(names(store, &odd), ["r_1", "r_3"]);
    let last = store.runs(&odd).unwrap().last().map(|run| run.number);
    assert_eq!(names(store, &RunQuery { beyond: last, ..odd }), ["r_5", "r_7"]);
    let children = RunQuery { parent: Some("r_0".into()), ..all.clone() };
    assert_eq!(names(store, &children), ["r_7", "r_8", "r_9"]);
    assert_eq!(names(store, &RunQuery::unfinished()).len(), 9);
    let waiting = RunQuery { states: vec![RunState::Waiting, RunState::Done], ..all.clone() };
    assert_eq!(names(store, &waiting), ["r_3", "r_4"]);
    assert_eq!(names(store, &RunQuery { limit: 0, ..all }), [""; 0]);
}

fn the_first_answer_counts(store: &dyn Store) {
    let run = start(store, "r_1");
    commit(store, |batch| {
        batch.append(&run, record(0, b"asks")).ask(&run, question("q")).wait(&run, Some(50));
    })
    .unwrap();
    let open = store.promise(&run, "q").unwrap().unwrap();
    assert_eq!((&open.question, &open.state), (&question("q"), &PromiseState::Open));
    let again = commit(store, |batch| {
        batch.ask(&run, question("q"));
    });
    assert!(matches!(again, Err(Refused::PromiseExists { .. })));
    let give = |by: &str, value: &[u8]| {
        commit(store, |batch| {
            batch.answer(&run, "q", answer(by, value));
        })
    };
    let first = answer("ann", b"yes");
    give("ann", b"yes").unwrap();
    give("ann", b"yes").unwrap();
    let late = |by, value| match give(by, value) {
        Err(Refused::Answered { answer, .. }) => *answer,
        other => panic!("{other:?}"),
    };
    assert_eq!(late("bob", b"yes"), first);
    assert_eq!(late("ann", b"no"), first);
    let found = store.promise(&run, "q").unwrap().unwrap();
    assert_eq!(found.state, PromiseState::Answered(first));
    // To withdraw what was answered changes nothing.
    commit(store, |batch| {
        batch.withdraw(&run, "q");
    })
    .unwrap();
    assert_eq!(store.promise(&run, "q").unwrap().unwrap().state, found.state);
    let unknown = commit(store, |batch| {
        batch.answer(&run, "never asked", answer("ann", b"yes"));
    });
    assert!(matches!(unknown, Err(Refused::NoPromise { .. })));
}

fn questions_end_with_their_run(store: &dyn Store) {
    let run = start(store, "r_1");
    commit(store, |batch| {
        batch.ask(&run, question("a")).ask(&run, question("b")).ask(&run, question("c"));
        batch.answer(&run, "a", answer("ann", b"yes")).withdraw(&run, "b");
    })
    .unwrap();
    let late = |key: &str| {
        commit(store, |batch| {
            batch.answer(&run, key, answer("bob", b"yes"));
        })
    };
    assert!(matches!(late("b"), Err(Refused::Withdrawn { .. })));
    end(store, &run, RunState::Cancelled, 5).unwrap();
    assert!(matches!(late("c"), Err(Refused::Withdrawn { .. })));
    assert!(matches!(late("a"), Err(Refused::Answered { .. })));
    assert_eq!(store.promises(&PromiseQuery::default()).unwrap(), []);
    let ask = commit(store, |batch| {
        batch.ask(&run, question("d"));
    });
    assert!(matches!(ask, Err(Refused::Ended { .. })));
}

fn questions_are_listed_in_order(store: &dyn Store) {
    let (a, b) = (start(store, "a"), start(store, "b"));
    for (run, key, role) in
        [(&b, "1", Some("lead")), (&a, "1", None), (&a, "2", Some("lead")), (&b, "2", Some("ops"))]
    {
        commit(store, |batch| {
            batch.ask(run, Question { role: role.map(Into::into), ..question(key) });
        })
        .unwrap();
    }
    let list = |query: &PromiseQuery| -> Vec<String> {
        let found = store.promises(query).unwrap();
        found.iter().map(|it| format!("{}{}", it.run, it.question.key)).collect()
    };
    let all = PromiseQuery::default();
    assert_eq!(list(&all), ["b1", "a1", "a2", "b2"]);
    assert_eq!(list(&PromiseQuery { run: Some(a.clone()), ..all.clone() }), ["a1", "a2"]);
    assert_eq!(list(&PromiseQuery { role: Some("lead".into()), ..all.clone() }), ["b1", "a2"]);
    let page = PromiseQuery { limit: 2, ..all.clone() };
    let last = store.promises(&page).unwrap().last().map(|it| it.number);
    assert_eq!(list(&PromiseQuery { beyond: last, ..page }), ["a2", "b2"]);
    commit(store, |batch| {
        batch.answer(&a, "1", answer("ann", b"yes"));
    })
    .unwrap();
    assert_eq!(list(&all), ["b1", "a2", "b2"]);
    assert_eq!(list(&PromiseQuery { open: false, ..all }), ["b1", "a1", "a2", "b2"]);
}

fn a_call_is_claimed_once(store: &dyn Store) {
    let (a, b) = (start(store, "a"), start(store, "b"));
    let (x, y) = (Hash::of(b"x"), Hash::of(b"y"));
    let claim = |run: &RunId, value: Hash| {
        commit(store, |batch| {
            batch.claim(run, 4, "mail.send", value);
        })
    };
    claim(&a, x).unwrap();
    claim(&b, y).unwrap();
    let mut once = Once { run: a.clone(), seq: 4, result: None };
    let taken = Refused::OnceTaken { call: "mail.send".into(), once: Box::new(once.clone()) };
    assert_eq!(claim(&b, x), Err(taken.clone()));
    assert_eq!(claim(&a, x), Err(taken));
    let not_held = commit(store, |batch| {
        batch.settle(&b, "mail.send", x, b"stolen");
    });
    assert!(matches!(not_held, Err(Refused::OnceNotHeld { .. })));
    commit(store, |batch| {
        batch.settle(&a, "mail.send", x, b"sent").release(&b, "mail.send", y);
    })
    .unwrap();
    once.result = Some(b"sent".to_vec());
    // It outlives its run.
    end(store, &a, RunState::Done, 1).unwrap();
    store.prune(i64::MAX).unwrap();
    assert_eq!(store.run(&a).unwrap(), None);
    assert_eq!(store.once("mail.send", &x).unwrap(), Some(once));
    assert_eq!(store.once("mail.send", &y).unwrap(), None);
    assert_eq!(store.once("mail.forward", &x).unwrap(), None);
    claim(&b, y).unwrap();
}

fn a_session_has_one_owner(store: &dyn Store) {
    let with =
        |state: RunState| move |it: &mut NewRun| (it.session, it.state) = (Some("s".into()), state);
    let a = start_with(store, "a", with(RunState::Running)).unwrap();
    let b = start_with(store, "b", with(RunState::Queued)).unwrap();
    let c = start_with(store, "c", with(RunState::Queued)).unwrap();
    let taken = Refused::SessionTaken { session: "s".into(), owner: a.clone() };
    assert_eq!(start_with(store, "d", with(RunState::Running)), Err(taken.clone()));
    let queue = RunQuery {
        session: Some("s".into()),
        states: vec![RunState::Queued],
        ..RunQuery::default()
    };
    assert_eq!(names(store, &queue), ["b", "c"]);
    let resume = |run: &RunId| {
        commit(store, |batch| {
            batch.resume(run);
        })
    };
    let save = |run: &RunId, cells: &[u8]| {
        commit(store, |batch| {
            batch.save(run, cells);
        })
    };
    assert_eq!(resume(&b), Err(taken.clone()));
    save(&a, b"one").unwrap();
    assert_eq!(save(&b, b"two"), Err(Refused::NoSession { run: b.clone() }));
    let session = store.session("s").unwrap().unwrap();
    assert_eq!((session.cells.as_slice(), session.version), (b"one".as_slice(), 1));
    assert_eq!(session.owner, Some(a.clone()));
    let remove = |key: &str| {
        commit(store, |batch| {
            batch.remove_session(key);
        })
    };
    assert_eq!(remove("s"), Err(taken));
    // The end of one and the start of the next are one step.
    commit(store, |batch| {
        batch.end(&a, RunState::Done, 5, b"").resume(&b);
    })
    .unwrap();
    save(&b, b"two").unwrap();
    assert_eq!(store.session("s").unwrap().unwrap().owner, Some(b.clone()));
    end(store, &c, RunState::Cancelled, 6).unwrap();
    assert_eq!(store.session("s").unwrap().unwrap().owner, Some(b.clone()), "c never had it");
    end(store, &b, RunState::Failed, 7).unwrap();
    let session = store.session("s").unwrap().unwrap();
    assert_eq!((session.cells.as_slice(), session.version), (b"two".as_slice(), 2));
    assert_eq!(session.owner, None);
    let other = start_with(store, "e", |it| it.session = Some("another".into())).unwrap();
    assert_eq!(store.sessions(None, 9).unwrap(), ["another", "s"]);
    assert_eq!(store.sessions(Some("another"), 9).unwrap(), ["s"]);
    assert_eq!(store.sessions(None, 1).unwrap(), ["another"]);
    remove("s").unwrap();
    remove("never there").unwrap();
    assert_eq!(store.session("s").unwrap(), None);
    let plain = start(store, "f");
    assert_eq!(save(&plain, b"x"), Err(Refused::NoSession { run: plain.clone() }));
    let queued = start_with(store, "g", |it| it.state = RunState::Queued);
    assert_eq!(queued, Err(Refused::NoSession { run: "g".into() }));
    assert_eq!(state(store, &other), RunState::Running);
}

fn a_start_is_heard_of_once(store: &dyn Store) {
    let key = |key: &str| StartKey { scope: "hook".into(), key: key.into() };
    let begin = |run: &str, of: &str| {
        commit(store, |batch| {
            batch.program(program(), PROGRAM).start(NewRun::new(run, program(), "main", 3));
            batch.heard(key(of), Started { run: Some(run.into()), at: 3 });
        })
    };
    begin("a", "1").unwrap();
    let Err(Refused::KnownKey { started, .. }) = begin("b", "1") else {
        panic!("it started again")
    };
    assert_eq!(*started, Started { run: Some("a".into()), at: 3 });
    assert_eq!(store.run(&"b".into()).unwrap(), None);
    begin("b", "2").unwrap();
    let skipped = Started { run: None, at: 8 };
    commit(store, |batch| {
        batch.heard(key("3"), skipped.clone());
    })
    .unwrap();
    assert_eq!(store.started(&key("3")).unwrap(), Some(skipped));
    let elsewhere = StartKey { scope: "other".into(), key: "1".into() };
    assert_eq!(store.started(&elsewhere).unwrap(), None);
}

fn order_does_not_depend_on_clocks(store: &dyn Store) {
    let day = 86_400_000_000_000;
    for (run, created) in [("late", 9 * day), ("early", day), ("before", -day), ("last", i64::MAX)]
    {
        let run = start_with(store, run, |it| it.created = created).unwrap();
        let times = [created, i64::MIN, i64::MAX, 0];
        for (seq, at) in (0..).zip(times) {
            commit(store, |batch| {
                batch.append(&run, Record { seq, at, kind: 255, payload: Vec::new() });
                batch.ask(&run, Question { asked: at, ..question(&seq.to_string()) });
            })
            .unwrap();
        }
        let found: Vec<_> = records(store, &run, 0).iter().map(|it| (it.at, it.kind)).collect();
        assert_eq!(found, times.map(|at| (at, 255)));
    }
    assert_eq!(names(store, &RunQuery::default()), ["late", "early", "before", "last"]);
    let asked = store.promises(&PromiseQuery::default()).unwrap();
    assert!(asked.is_sorted_by_key(|promise| promise.number));
    assert_eq!(asked.len(), 16);
}

fn what_is_old_is_pruned(store: &dyn Store) {
    let old: Vec<RunId> = (0..300).map(|number| format!("old_{number}").into()).collect();
    commit(store, |batch| {
        batch.program(program(), PROGRAM);
        for run in &old {
            batch.start(NewRun::new(run.as_str(), program(), "main", 0));
        }
    })
    .unwrap();
    let (young, running) = (start(store, "young"), start(store, "running"));
    let damaged = start(store, "damaged");
    let (only_old, shared) = (vec![1; BLOB_FROM + 1], vec![2; BLOB_FROM + 1]);
    for run in old.iter().take(3).chain([&young, &running, &damaged]) {
        append(store, run, 0..40).unwrap();
        commit(store, |batch| {
            batch.append(run, record(40, &shared)).ask(run, question("q"));
        })
        .unwrap();
    }
    commit(store, |batch| {
        batch.append(&old[0], record(41, &only_old));
        for run in &old {
            batch.end(run, RunState::Done, 99, b"");
        }
        batch.end(&young, RunState::Done, 100, b"").end(&damaged, RunState::Damaged, 1, b"");
        for (key, at) in [("a", 99), ("b", 100)] {
            let key = StartKey { scope: "hook".into(), key: key.into() };
            batch.heard(key, Started { run: None, at });
        }
        let unused = Hash::of(b"nobody runs it");
        batch.program(unused, b"nobody runs it");
    })
    .unwrap();
    let pruned = store.prune(100).unwrap();
    let wanted = Pruned { runs: 300, records: 3 * 41 + 1, keys: 1, blobs: 1, programs: 1 };
    assert_eq!(pruned, wanted);
    assert_eq!(names(store, &RunQuery::default()), ["young", "running", "damaged"]);
    for run in [&young, &running, &damaged] {
        assert_eq!(records(store, run, 0).len(), 41);
    }
    assert_eq!(store.blob(&Hash::of(&shared)).unwrap(), Some(shared));
    assert_eq!(store.blob(&Hash::of(&only_old)).unwrap(), None);
    assert_eq!(
        store.promises(&PromiseQuery { open: false, ..Default::default() }).unwrap().len(),
        3
    );
    assert_eq!(store.prune(100).unwrap(), Pruned::default());
    // Numbers are not used again.
    let number = |run: &RunId| store.run(run).unwrap().unwrap().number;
    commit(store, |batch| {
        batch.remove_run(&damaged);
    })
    .unwrap();
    assert!(number(&start(store, "new")) > 303);
    assert_eq!(store.prune(100).unwrap().programs, 0);
}

fn runs_are_removed_by_name(store: &dyn Store) {
    let (a, b) = (start(store, "a"), start(store, "b"));
    for seq in 0..20 {
        append(store, &a, seq..seq + 1).unwrap();
        append(store, &b, seq..seq + 1).unwrap();
    }
    let remove = |run: &RunId| {
        commit(store, |batch| {
            batch.remove_run(run);
        })
    };
    let refused = Refused::NotEnded { run: a.clone(), state: RunState::Running };
    assert_eq!(remove(&a), Err(refused));
    end(store, &a, RunState::Damaged, 1).unwrap();
    remove(&a).unwrap();
    assert_eq!(remove(&a), Err(Refused::NoRun { run: a.clone() }));
    store.prune(i64::MIN).unwrap();
    assert_eq!(records(store, &b, 0).len(), 20);
    // The name is free again, and nothing of the old one is left.
    let a = start(store, "a");
    assert_eq!(records(store, &a, 0), []);
    append(store, &a, 0..1).unwrap();
    assert_eq!(records(store, &a, 0).len(), 1);
}

fn who_reads_a_run_is_told_when_it_is_removed(store: &dyn Store) {
    let run = start(store, "a");
    append(store, &run, 0..2_000).unwrap();
    commit(store, |batch| {
        batch.append(&run, record(2_000, &vec![1; BLOB_FROM + 1]));
    })
    .unwrap();
    let mut reading = store.records(&run, 0).unwrap();
    assert!(matches!(reading.next(), Some(Ok(_))));
    end(store, &run, RunState::Done, 1).unwrap();
    assert_eq!(store.prune(2).unwrap().records, 2_001);
    let rest: Vec<_> = reading.collect();
    assert!(rest.len() < 2_000);
    let last = rest.last();
    assert!(matches!(last, Some(Err(StoreError::Refused(Refused::NoRun { .. })))), "{last:?}");
}

fn sizes_have_limits(store: &dyn Store) {
    let long = "x".repeat(MAX_NAME + 1);
    for run in [long.as_str(), ""] {
        let refused = start_with(store, run, |_| {});
        assert!(
            matches!(refused, Err(Refused::TooLarge { .. } | Refused::Empty { .. })),
            "{refused:?}"
        );
    }
    start_with(store, &"x".repeat(MAX_NAME), |it| it.meta = vec![0; MAX_META]).unwrap();
    let refused = start_with(store, "r", |it| it.meta = vec![0; MAX_META + 1]);
    let (size, limit) = (MAX_META + 1, MAX_META);
    assert_eq!(refused, Err(Refused::TooLarge { what: "the metadata of the run", size, limit }));
}

fn an_empty_batch_is_a_barrier(store: &dyn Store) {
    let run = start(store, "r_1");
    let mut tickets = Vec::new();
    for seq in 0..50 {
        let mut batch = Batch::new();
        batch.append(&run, record(seq, b"x"));
        tickets.push(store.commit(batch));
    }
    store.commit(Batch::new()).wait().unwrap();
    for ticket in tickets {
        assert!(matches!(ticket.outcome(), Some(Ok(()))));
    }
    assert_eq!(records(store, &run, 0).len(), 50);
}

fn changes_are_seen_and_nothing_else_is(store: &dyn Store) {
    let before = store.changes().unwrap();
    assert_eq!(store.changes().unwrap(), before);
    let run = start(store, "r_1");
    let started = store.changes().unwrap();
    assert_ne!(started, before);
    records(store, &run, 0);
    assert_eq!(store.changes().unwrap(), started);
    append(store, &run, 0..1).unwrap();
    assert_ne!(store.changes().unwrap(), started);
}
