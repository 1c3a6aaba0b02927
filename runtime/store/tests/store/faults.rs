//! What goes wrong with files and disks: each is found, named, and does no more harm than it must.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use fastrand::Rng;
use kait_store::{
    Answer, BLOB_FROM, Batch, Damage, Fault, FaultyStore, Hash, MemoryStore, NewRun, Options,
    Point, Probe, Question, Read, Record, Refused, RunId, RunQuery, RunState, SqliteReader,
    SqliteStore, StartKey, Started, Store, StoreError,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::dump::dump;

fn program() -> Hash {
    Hash::of(b"p")
}

fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(directory, Options::default())
}

fn start(store: &dyn Store, run: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.program(program(), b"p").start(NewRun::new(run, program(), "main", 7));
    store.commit(batch).wait()
}

fn append(store: &dyn Store, run: &str, seq: u32, payload: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    let payload = payload.to_vec();
    batch.append(&run.into(), Record { seq, at: 9, kind: 1, payload });
    store.commit(batch).wait()
}

/// Two runs with some of everything; `a` owns the session `s`.
fn filled() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for name in ["a", "b"] {
        let run = RunId::from(name);
        let mut batch = Batch::new();
        let session = (name == "a").then(|| "s".into());
        let new = NewRun { session, ..NewRun::new(name, program(), "main", 7) };
        batch.program(program(), b"p").start(new);
        for seq in 0..300 {
            let payload = format!("record {seq} of {name}").into_bytes();
            batch.append(&run, Record { seq, at: 9, kind: 1, payload });
        }
        let payload = vec![name.as_bytes()[0]; BLOB_FROM + 1];
        batch.append(&run, Record { seq: 300, at: 9, kind: 1, payload });
        let (key, shown) = ("q".into(), b"shown".to_vec());
        batch.ask(&run, Question { key, role: None, asked: 1, due: Some(2), shown });
        batch.answer(&run, "q", Answer { by: "ann".into(), at: 3, value: b"yes".to_vec() });
        batch.claim(&run, 1, "mail.send", Hash::of(name.as_bytes()));
        let key = StartKey { scope: "hook".into(), key: name.into() };
        batch.heard(key, Started { run: Some(run.clone()), at: 4 });
        if name == "a" {
            batch.save(&run, b"cells");
        }
        batch.wait(&run, Some(9));
        store.commit(batch).wait().unwrap();
    }
    drop(store);
    directory
}

fn database(directory: &TempDir) -> Connection {
    Connection::open(directory.path().join("store.sqlite")).unwrap()
}

// Who may write.

#[test]
fn a_second_process_is_told_who_has_a_run() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    start(&first, "a").unwrap();
    let second = open(directory.path()).unwrap();
    let error = append(&second, "a", 0, b"x").unwrap_err();
    let said = error.to_string();
    assert!(said.contains(&format!("process {} (since 2", std::process::id())), "{said}");
    assert!(said.contains("kait resume a"), "{said}");
    // Who only reads, reads what was written.
    let reader = SqliteReader::open(directory.path()).unwrap();
    start(&second, "b").unwrap();
    assert_eq!(dump(&reader), dump(&first));
    assert_eq!(reader.holder(&"b".into()).unwrap().map(|it| it.owner), Some(second.owner()));
    // A clone is the same process; it ends with the last one.
    let clone = first.clone();
    drop(first);
    assert!(append(&second, "a", 0, b"x").is_err());
    assert!(reader.holder(&"a".into()).unwrap().is_some());
    drop(clone);
    assert_eq!(reader.holder(&"a".into()).unwrap(), None);
    resume(&second, "a").unwrap();
    append(&second, "a", 0, b"x").unwrap();
    assert_eq!(locks(directory.path()), [format!("{}.lock", second.owner())]);
}

fn resume(store: &dyn Store, run: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.resume(&run.into());
    store.commit(batch).wait()
}

fn locks(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory.join("owners")).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn who_lost_its_lock_loses_its_runs() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    for run in ["a", "b"] {
        start(&first, run).unwrap();
    }
    fs::remove_file(directory.path().join(format!("owners/{}.lock", first.owner()))).unwrap();
    let second = open(directory.path()).unwrap();
    append(&first, "a", 0, b"x").unwrap();
    resume(&second, "a").unwrap();
    let owned =
        |refused| matches!(refused, Err(StoreError::Refused(Refused::OwnedElsewhere { .. })));
    assert!(owned(append(&first, "a", 1, b"x")));
    assert!(owned(resume(&first, "a")));
    append(&second, "a", 1, b"x").unwrap();
    // What was not taken from it is still its own.
    append(&first, "b", 0, b"x").unwrap();
    // Its number is not used again.
    drop(first);
    let third = open(directory.path()).unwrap();
    assert!(third.owner() > second.owner());
}

#[test]
fn numbers_of_a_store_that_was_put_back_are_passed_over_while_they_live() {
    let directory = filled();
    let copy = fs::read(directory.path().join("store.sqlite")).unwrap();
    let first = open(directory.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("owners")).unwrap();
    fs::write(other.path().join("store.sqlite"), copy).unwrap();
    let taken =
        fs::File::create(other.path().join(format!("owners/{}.lock", first.owner()))).unwrap();
    taken.lock().unwrap();
    let second = open(other.path()).unwrap();
    assert_eq!(second.owner(), first.owner() + 1);
}

/// A store as the first version made it.
fn of_format_1() -> TempDir {
    let directory = filled();
    fs::remove_dir_all(directory.path().join("owners")).unwrap();
    database(&directory)
        .execute_batch(
            "DROP TABLE owners; ALTER TABLE heads DROP COLUMN owner; PRAGMA user_version = 1",
        )
        .unwrap();
    directory
}

#[test]
fn a_store_of_the_first_format_is_brought_up_to_date() {
    for reads in [false, true] {
        let directory = of_format_1();
        let wanted = dump(&open(filled().path()).unwrap());
        if reads {
            let reader = SqliteReader::open(directory.path()).unwrap();
            assert_eq!((dump(&reader), reader.check().unwrap()), (wanted, Vec::new()));
            assert_eq!(reader.info().unwrap().format, 2);
        } else {
            let store = open(directory.path()).unwrap();
            assert_eq!((dump(&store), store.check().unwrap()), (wanted, Vec::new()));
            resume(&store, "b").unwrap();
            append(&store, "b", 301, b"x").unwrap();
        }
    }
}

#[test]
fn a_store_that_others_have_open_is_not_brought_up_to_date() {
    let directory = of_format_1();
    let quick = || {
        let patience = std::time::Duration::from_millis(20);
        SqliteStore::open(directory.path(), Options { patience, ..Options::default() }).map(drop)
    };
    // As a process of a version between them has it open.
    fs::create_dir(directory.path().join("owners")).unwrap();
    let owner = fs::File::create(directory.path().join("owners/7.lock")).unwrap();
    owner.lock().unwrap();
    let error = quick().unwrap_err();
    assert!(matches!(error, StoreError::InUse { found: 1, wanted: 2, .. }), "{error}");
    assert!(error.to_string().contains("another process has it open"), "{error}");
    owner.unlock().unwrap();
    // As a process of the first version has it open.
    let lock = fs::File::open(directory.path().join("store.lock")).unwrap();
    lock.lock().unwrap();
    let error = quick().unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    lock.unlock().unwrap();
    quick().unwrap();
    assert_eq!(locks(directory.path()), [""; 0]);
}

#[test]
fn who_is_in_the_way_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let patience = std::time::Duration::from_millis(50);
        SqliteStore::open(directory.path(), Options { patience, ..Options::default() }).unwrap()
    };
    let (first, second) = (open(), open());
    start(&first, "a").unwrap();
    let other = database(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = append(&first, "a", 0, b"x").unwrap_err();
    let StoreError::Busy { holders, .. } = &error else { panic!("{error}") };
    assert_eq!(holders.iter().map(|it| it.owner).collect::<Vec<_>>(), [second.owner()]);
    drop(second);
    let error = append(&first, "a", 0, b"x").unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    append(&first, "a", 0, b"x").unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let above = tempfile::tempdir().unwrap();
    let directory = above.path().join("profiles/local");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let store = open(&directory).unwrap();
    start(&store, "a").unwrap();
    assert_eq!(mode(&directory), 0o700);
    let owners = directory.join("owners");
    for file in fs::read_dir(&directory).unwrap().chain(fs::read_dir(&owners).unwrap()) {
        let path = file.unwrap().path();
        let wanted = if path == owners { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
    drop(store);
    let file = directory.join("store.sqlite");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&directory).unwrap());
    assert_eq!(mode(&file), 0o600);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(open(&directory), Err(StoreError::Exposed { .. })));
}

// Files that are not what they should be.

#[test]
fn what_is_no_store_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    for reads in [false, true] {
        let open = || {
            if reads {
                SqliteReader::open(directory.path()).map(drop)
            } else {
                open(directory.path()).map(drop)
            }
        };
        fs::write(
            &path,
            "a letter to somebody, and not a database; long enough for a header. ".repeat(9),
        )
        .unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(open(), Err(StoreError::NotAStore { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(open(), Err(StoreError::NotAStore { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(&path).unwrap();
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(SqliteReader::open(empty.path()), Err(StoreError::Missing { .. })));
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let directory = filled();
    database(&directory).execute_batch("PRAGMA user_version = 99").unwrap();
    for error in [
        open(directory.path()).map(drop).unwrap_err(),
        SqliteReader::open(directory.path()).map(drop).unwrap_err(),
    ] {
        let StoreError::Newer { found: 99, known: 2, .. } = error else { panic!("{error}") };
    }
}

#[test]
fn a_store_that_is_cut_short_is_not_taken_for_a_store() {
    let directory = filled();
    let path = directory.path().join("store.sqlite");
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 4_096, 1_000, 100, 1, 0] {
        fs::write(&path, &whole[..length]).unwrap();
        let opened = open(directory.path());
        let Err(error) = opened else { panic!("{length} of {} bytes were opened", whole.len()) };
        let named = matches!(error, StoreError::Corrupt { .. } | StoreError::NotAStore { .. });
        assert!(named, "{length}: {error}");
    }
    fs::write(&path, &whole).unwrap();
    start(&open(directory.path()).unwrap(), "c").unwrap();
}

#[test]
fn a_damaged_run_is_set_aside_and_others_go_on() {
    let directory = filled();
    let sql = "UPDATE records SET payload = x'00' WHERE seq = 280
               AND run = (SELECT nr FROM runs WHERE id = 'a')";
    assert_eq!(database(&directory).execute(sql, []), Ok(1));
    let store = open(directory.path()).unwrap();
    let read: Vec<_> = store.records(&"a".into(), 0).unwrap().collect();
    assert_eq!(read.len(), 281);
    assert!(read[..280].iter().all(Result::is_ok), "what is sound before it is given");
    let Some(Err(StoreError::Damaged(Damage::Run { run, seq: 280, .. }))) = read.last() else {
        panic!("{:?}", read.last());
    };
    assert_eq!(run.as_str(), "a");
    store.commit(Batch::new()).wait().unwrap();
    assert_eq!(store.run(run).unwrap().unwrap().state, RunState::Damaged);
    let refused = append(&store, "a", 301, b"x").unwrap_err();
    assert!(
        matches!(refused, StoreError::Refused(Refused::Ended { state: RunState::Damaged, .. })),
        "{refused}"
    );
    // It does not keep its session, and can still be looked at.
    assert_eq!(store.session("s").unwrap().unwrap().owner, None);
    assert_eq!(store.records(run, 0).unwrap().filter(Result::is_ok).count(), 280);
    assert_eq!(store.check().unwrap().len(), 1);
    append(&store, "b", 301, b"x").unwrap();
    assert_eq!(store.records(&"b".into(), 0).unwrap().filter(Result::is_ok).count(), 302);
}

#[test]
fn a_damaged_session_stops_only_who_needs_it_and_can_be_removed() {
    let directory = filled();
    assert_eq!(database(&directory).execute("UPDATE sessions SET cells = x'00'", []), Ok(1));
    let store = open(directory.path()).unwrap();
    assert!(matches!(store.session("s"), Err(StoreError::Damaged(Damage::Row { .. }))));
    let mut batch = Batch::new();
    batch.save(&"a".into(), b"more");
    assert!(matches!(store.commit(batch).wait(), Err(StoreError::Damaged(_))));
    append(&store, "a", 301, b"x").unwrap();
    let mut batch = Batch::new();
    batch.remove_session("s");
    store.commit(batch).wait().unwrap();
    assert_eq!(store.session("s").unwrap(), None);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn damage_in_any_column_of_any_table_is_found() {
    // What cannot be told from something else that may well be so, or what nothing is read from.
    let exempt = ["programs.nr", "once.nr", "sessions.nr", "blobs.nr", "store.only", "promises.nr"];
    let directory = filled();
    let columns: Vec<(String, String)> = {
        let database = database(&directory);
        let sql = "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
                   WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'garbage'";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert!(columns.len() > 60);
    for (table, column) in columns {
        if exempt.contains(&format!("{table}.{column}").as_str()) {
            continue;
        }
        let copy = tempfile::tempdir().unwrap();
        fs::copy(directory.path().join("store.sqlite"), copy.path().join("store.sqlite")).unwrap();
        let database = database(&copy);
        database.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let change = format!(
            "UPDATE {table} SET {column} = CASE typeof({column})
               WHEN 'integer' THEN {column} + 1 WHEN 'text' THEN {column} || 'x'
               WHEN 'blob' THEN x'01020304' ELSE 'x' END
             WHERE rowid = (SELECT max(rowid) FROM {table})"
        );
        let change = if ["run_blobs", "starts"].contains(&table.as_str()) {
            change.split(" WHERE rowid").next().unwrap().to_owned()
        } else {
            change
        };
        // What is empty takes only what its type allows.
        let other = |value| database.execute(&format!("UPDATE {table} SET {column} = {value}"), []);
        let changed = database.execute(&change, []).or_else(|_| other("5"));
        let changed = changed.or_else(|_| other("x'05'"));
        assert!(changed.unwrap() > 0, "{change}");
        drop(database);
        let found = SqliteReader::open(copy.path()).unwrap().check().unwrap();
        assert!(!found.is_empty(), "{table}.{column} was changed, and nobody has seen it");
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let directory = filled();
    let path = directory.path().join("store.sqlite");
    let (whole, wanted) = (fs::read(&path).unwrap(), dump(&open(directory.path()).unwrap()));
    let mut rng = Rng::with_seed(1);
    let (mut refused, mut changed, mut same) = (0, 0, 0);
    for _ in 0..120 {
        let (byte, bit) = (rng.usize(..whole.len()), rng.u8(..8));
        let copy = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << bit;
        fs::write(copy.path().join("store.sqlite"), bytes).unwrap();
        let Ok(store) = open(copy.path()) else {
            refused += 1;
            continue;
        };
        if dump(&store) == wanted {
            same += 1;
        } else {
            changed += 1;
            // Whatever it was, somebody who looks for it finds it.
            let findings = store.check();
            let found = findings.as_ref().is_ok_and(|it| !it.is_empty());
            assert!(found, "byte {byte}, bit {bit}: {findings:?}");
        }
        // The store as a whole goes on, unless it says that it cannot.
        match start(&store, "c") {
            Ok(())
            | Err(
                StoreError::Corrupt { .. } | StoreError::Damaged(_) | StoreError::Database { .. },
            ) => {}
            Err(other) => panic!("byte {byte}, bit {bit}: {other}"),
        }
    }
    println!("refused {refused}, changed {changed}, same {same}");
    assert!(changed > 10 && same > 10);
}

// Disks that are full, files that cannot be written.

#[test]
fn a_full_disk_is_said_and_room_helps() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { max_bytes: Some(1 << 20), ..Options::default() };
    let store = SqliteStore::open(directory.path(), options).unwrap();
    start(&store, "old").unwrap();
    start(&store, "new").unwrap();
    let (mut next, payload) = (0, vec![1; 10_000]);
    let error = loop {
        match append(&store, "old", next, &payload) {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("kait runs prune"));
    assert!(next > 50, "{next}");
    assert_eq!(
        store.records(&"old".into(), 0).unwrap().filter(Result::is_ok).count(),
        next as usize
    );
    let mut batch = Batch::new();
    batch.end(&"old".into(), RunState::Done, 1, b"");
    store.commit(batch).wait().unwrap();
    assert_eq!(store.prune(2).unwrap().records, u64::from(next));
    for seq in 0..next {
        append(&store, "new", seq, &payload).unwrap();
    }
}

#[test]
fn pruned_room_is_given_back_to_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let store = open(directory.path()).unwrap();
    start(&store, "old").unwrap();
    let mut batch = Batch::new();
    for seq in 0..20_000 {
        let payload = vec![1; 100];
        batch.append(&"old".into(), Record { seq, at: 9, kind: 1, payload });
    }
    batch.append(&"old".into(), Record { seq: 20_000, at: 9, kind: 1, payload: vec![1; 1 << 20] });
    batch.end(&"old".into(), RunState::Done, 1, b"");
    store.commit(batch).wait().unwrap();
    drop(store);
    let full = fs::metadata(&path).unwrap().len();
    let store = open(directory.path()).unwrap();
    let pruned = store.prune(2).unwrap();
    assert_eq!((pruned.runs, pruned.records, pruned.blobs), (1, 20_001, 1));
    drop(store);
    let left = fs::metadata(&path).unwrap().len();
    assert!(left < full / 10, "{full} bytes before, {left} after");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file).unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write everywhere, but not in here.
    let superuser = fs::write(directory.path().join("probe"), "").is_ok();
    let place = if superuser { Path::new("/proc") } else { directory.path() };
    let error = open(place).unwrap_err();
    let said = error.to_string();
    assert!(
        matches!(error, StoreError::ReadOnly { .. } | StoreError::Io { .. })
            && said.contains("store.lock"),
        "{said}"
    );
    if !superuser {
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{said}");
    }
}

// The writer.

#[test]
fn what_gathers_is_committed_together() {
    const RUNS: u32 = 64;
    let directory = tempfile::tempdir().unwrap();
    let (commits, holds) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let barrier = Arc::new(Barrier::new(2));
    let probe = Probe(Arc::new({
        let (commits, holds, barrier) = (commits.clone(), holds.clone(), barrier.clone());
        move |point| {
            if point == Point::BeforeCommit {
                commits.fetch_add(1, Ordering::SeqCst);
                if holds.swap(false, Ordering::SeqCst) {
                    barrier.wait();
                }
            }
        }
    }));
    let store =
        SqliteStore::open(directory.path(), Options { probe: Some(probe), ..Options::default() })
            .unwrap();
    for run in 0..RUNS {
        start(&store, &format!("r_{run}")).unwrap();
    }
    let before = commits.load(Ordering::SeqCst);
    holds.store(true, Ordering::SeqCst);
    let tickets: Vec<_> = (0..RUNS)
        .map(|run| {
            let mut batch = Batch::new();
            // One of them does not fit: that is its own affair.
            let seq = u32::from(run == 7);
            batch.append(
                &format!("r_{run}").into(),
                Record { seq, at: 0, kind: 0, payload: Vec::new() },
            );
            store.commit(batch)
        })
        .collect();
    barrier.wait();
    let refused = tickets.into_iter().map(kait_store::Ticket::wait).filter(Result::is_err).count();
    assert_eq!(refused, 1);
    let commits = commits.load(Ordering::SeqCst) - before;
    assert!(commits <= 2, "{commits} commits for {RUNS} batches");
}

#[test]
fn what_waits_is_written_before_the_store_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    start(&store, "a").unwrap();
    let tickets: Vec<_> = (0..500)
        .map(|seq| {
            let mut batch = Batch::new();
            batch.append(&"a".into(), Record { seq, at: 0, kind: 0, payload: vec![0; 40] });
            store.commit(batch)
        })
        .collect();
    drop(store);
    assert!(tickets.into_iter().all(|ticket| matches!(ticket.outcome(), Some(Ok(())))));
    let store = open(directory.path()).unwrap();
    assert_eq!(store.run(&"a".into()).unwrap().unwrap().records, 500);
}

#[test]
fn a_writer_that_panics_leaves_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let probe = Probe(Arc::new(|point| assert_ne!(point, Point::AfterCommit, "as it should")));
    let options = Options { probe: Some(probe), ..Options::default() };
    let store = SqliteStore::open(directory.path(), options).unwrap();
    assert!(matches!(start(&store, "a"), Err(StoreError::Closed { .. })));
    assert!(matches!(start(&store, "b"), Err(StoreError::Closed { .. })));
    drop(store);
    // It was durable by then, only nobody was told.
    assert!(open(directory.path()).unwrap().run(&"a".into()).unwrap().is_some());
}

#[test]
fn ten_thousand_waiting_runs_are_listed_without_their_records() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let mut batch = Batch::new();
    batch.program(program(), b"p");
    for number in 0..10_000 {
        let run = RunId::from(format!("r_{number}"));
        batch.start(NewRun::new(run.as_str(), program(), "main", 0));
        batch.append(&run, Record { seq: 0, at: 0, kind: 0, payload: vec![0; 40] });
        batch.wait(&run, Some(number));
    }
    store.commit(batch).wait().unwrap();
    drop(store);
    database(&directory).execute_batch("DELETE FROM records").unwrap();
    let store = open(directory.path()).unwrap();
    let waiting = store.runs(&RunQuery::unfinished()).unwrap();
    assert_eq!(waiting.len(), 10_000);
    assert!(waiting.iter().all(|run| run.state == RunState::Waiting && run.records == 1));
    // Only who loads one finds out.
    assert!(store.records(&"r_5".into(), 0).is_err());
}

// Faults on demand.

#[test]
fn the_operation_that_shall_fail_fails() {
    let full = StoreError::Full { path: "there".into() };
    let once = FaultyStore::new(MemoryStore::new(), 1, Fault::Once(full));
    start(&once, "a").unwrap();
    assert!(matches!(append(&once, "a", 0, b"x"), Err(StoreError::Full { .. })));
    append(&once, "a", 0, b"x").unwrap();
    assert_eq!(once.operations(), 3);

    let crash = FaultyStore::new(MemoryStore::new(), 1, Fault::Crash);
    start(&crash, "a").unwrap();
    for _ in 0..2 {
        assert!(matches!(append(&crash, "a", 0, b"x"), Err(StoreError::Closed { .. })));
        assert!(crash.run(&"a".into()).is_err());
    }
    assert!(crash.inner().run(&"a".into()).unwrap().is_some());
}
