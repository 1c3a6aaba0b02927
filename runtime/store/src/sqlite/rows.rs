//! Rows as they are read and sealed. Whatever the database gives is taken as it is, and then held against its seal: so
//! one flipped bit makes one row unsound, and no read fail.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use smol_str::SmolStr;

use crate::error::Holder;
use crate::types::{
    Answer, Hash, Nanos, Once, Parent, Promise, PromiseState, Question, Run, RunId, RunState,
    Session, Started,
};

/// The checksum of a record: BLAKE3, cut to 128 bits. It guards against accidents, not against whoever may write the file.
pub(super) type Sum = [u8; 16];

/// Marks a record whose payload is the hash of a blob.
pub(super) const IN_BLOB: i64 = 256;

/// Takes fields in and gives their checksum. Each is framed, so that no two lists of fields look the same.
pub(super) struct Sealer(Vec<u8>);

impl Sealer {
    pub(super) fn new(table: &str) -> Self {
        Self(Vec::with_capacity(128)).text(table)
    }

    pub(super) fn int(mut self, value: i64) -> Self {
        self.0.push(1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.push(2);
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    fn none(mut self) -> Self {
        self.0.push(0);
        self
    }

    pub(super) fn opt_int(self, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.int(value),
            None => self.none(),
        }
    }

    pub(super) fn opt_bytes(self, value: Option<&[u8]>) -> Self {
        match value {
            Some(value) => self.bytes(value),
            None => self.none(),
        }
    }

    pub(super) fn opt_text(self, value: Option<&str>) -> Self {
        self.opt_bytes(value.map(str::as_bytes))
    }

    /// The checksum of a record.
    pub(super) fn sum(self) -> Sum {
        let hash = blake3::hash(&self.0);
        let mut sum = Sum::default();
        sum.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        sum
    }

    /// The checksum of a row: 64 bits.
    pub(super) fn seal(self) -> i64 {
        let mut seal = [0; 8];
        seal.iter_mut().zip(blake3::hash(&self.0).as_bytes()).for_each(|(to, from)| *to = *from);
        i64::from_le_bytes(seal)
    }
}

pub(super) fn int(row: &Row<'_>, column: usize) -> i64 {
    opt_int(row, column).unwrap_or(i64::MIN)
}

pub(super) fn opt_int(row: &Row<'_>, column: usize) -> Option<i64> {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(value)) => Some(value),
        _ => None,
    }
}

pub(super) fn opt_bytes<'r>(row: &'r Row<'_>, column: usize) -> Option<&'r [u8]> {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => Some(bytes),
        _ => None,
    }
}

pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> &'r [u8] {
    opt_bytes(row, column).unwrap_or_default()
}

pub(super) fn opt_text(row: &Row<'_>, column: usize) -> Option<SmolStr> {
    opt_bytes(row, column).map(|bytes| String::from_utf8_lossy(bytes).into())
}

pub(super) fn text(row: &Row<'_>, column: usize) -> SmolStr {
    opt_text(row, column).unwrap_or_default()
}

fn hash(row: &Row<'_>, column: usize) -> Hash {
    Hash(bytes(row, column).try_into().unwrap_or_default())
}

fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

// The store's own row.

#[derive(Debug)]
pub(super) struct StoreRow {
    pub(super) id: String,
    pub(super) created_by: String,
    pub(super) epoch: i64,
    pub(super) pid: Option<i64>,
    pub(super) since: Option<Nanos>,
}

impl StoreRow {
    pub(super) fn seal(&self) -> i64 {
        Sealer::new("store")
            .text(&self.id)
            .text(&self.created_by)
            .int(self.epoch)
            .opt_int(self.pid)
            .opt_int(self.since)
            .seal()
    }
}

/// The row, and whether it is sound.
pub(super) fn store(connection: &Connection) -> rusqlite::Result<(StoreRow, bool)> {
    let sql = "SELECT id, created_by, epoch, pid, since, seal FROM store WHERE only = 1";
    connection.query_row(sql, [], |row| {
        let store = StoreRow {
            id: text(row, 0).into(),
            created_by: text(row, 1).into(),
            epoch: int(row, 2),
            pid: opt_int(row, 3),
            since: opt_int(row, 4),
        };
        let sound = store.seal() == int(row, 5);
        Ok((store, sound))
    })
}

// Owners.

/// A process that has the store open.
#[derive(Debug)]
pub(super) struct OwnerRow {
    pub(super) pid: i64,
    pub(super) since: Nanos,
}

impl OwnerRow {
    pub(super) fn seal(&self, number: i64) -> i64 {
        Sealer::new("owners").int(number).int(self.pid).int(self.since).seal()
    }

    pub(super) fn holder(&self, owner: u64) -> Holder {
        Holder { owner, pid: u32::try_from(self.pid).ok(), since: Some(self.since) }
    }
}

/// From `pid, since, seal`; `None` if it is unsound.
pub(super) fn owner(row: &Row<'_>, number: i64) -> Option<OwnerRow> {
    let owner = OwnerRow { pid: int(row, 0), since: int(row, 1) };
    (owner.seal(number) == int(row, 2)).then_some(owner)
}

/// As the database has it.
pub(super) fn owner_number(owner: u64) -> i64 {
    i64::try_from(owner).unwrap_or(i64::MAX)
}

// Runs.

/// What [`run`] reads, from `runs AS r LEFT JOIN heads AS h ON h.run = r.nr`.
pub(super) const RUN: &str = "r.nr, r.id, r.program, r.graph, r.meta, r.created, r.parent, \
     r.forked, r.session, r.ended, r.summary, r.seal, h.next, h.last, h.state, h.wake, h.sum, h.seal, \
     h.owner";

/// A run with where its records end.
#[derive(Clone, Debug)]
pub(super) struct RunRow {
    pub(super) run: Run,
    /// Whether it is a fork of its parent.
    pub(super) forked: i64,
    /// The process it belongs to.
    pub(super) owner: Option<u64>,
    /// The row of its last record.
    pub(super) last: i64,
    pub(super) sum: Sum,
    /// Whether both rows are what was written; of a run that is set aside, its own.
    pub(super) sound: bool,
    /// Whether the row that says where its records end is what was written.
    pub(super) head_is_sound: bool,
}

pub(super) fn state_number(state: RunState) -> i64 {
    match state {
        RunState::Queued => 0,
        RunState::Running => 1,
        RunState::Waiting => 2,
        RunState::Done => 3,
        RunState::Failed => 4,
        RunState::Cancelled => 5,
        RunState::Damaged => 6,
    }
}

fn state(number: i64) -> RunState {
    let known = RunState::ALL.into_iter().find(|state| state_number(*state) == number);
    known.unwrap_or(RunState::Damaged)
}

pub(super) fn run(row: &Row<'_>) -> RunRow {
    let parent = opt_text(row, 6).map(RunId::from);
    let run = Run {
        number: count(int(row, 0)),
        id: text(row, 1).into(),
        program: hash(row, 2),
        graph: text(row, 3),
        meta: bytes(row, 4).to_vec(),
        created: int(row, 5),
        parent: match int(row, 7) {
            0 => parent.map(Parent::Detached),
            _ => parent.map(Parent::Forked),
        },
        session: opt_text(row, 8),
        ended: opt_int(row, 9),
        summary: bytes(row, 10).to_vec(),
        records: count(int(row, 12)),
        state: state(int(row, 14)),
        wake: opt_int(row, 15),
    };
    let sum = bytes(row, 16).try_into().unwrap_or_default();
    let mut found = RunRow {
        run,
        forked: int(row, 7),
        owner: opt_int(row, 18).map(|owner| u64::try_from(owner).unwrap_or(0)),
        last: int(row, 13),
        sum,
        sound: false,
        head_is_sound: false,
    };
    found.head_is_sound = found.head_seal() == int(row, 17);
    found.sound = found.run_seal() == int(row, 11)
        && (found.head_is_sound || found.run.state == RunState::Damaged);
    found
}

impl RunRow {
    pub(super) fn run_seal(&self) -> i64 {
        let run = &self.run;
        Sealer::new("runs")
            .int(run.number.into())
            .text(run.id.as_str())
            .bytes(&run.program.0)
            .text(&run.graph)
            .bytes(&run.meta)
            .int(run.created)
            .opt_text(run.parent.as_ref().map(|parent| parent.run().as_str()))
            .int(self.forked)
            .opt_text(run.session.as_deref())
            .opt_int(run.ended)
            .bytes(&run.summary)
            .seal()
    }

    pub(super) fn head_seal(&self) -> i64 {
        let Self { run, owner, last, sum, .. } = self;
        head_seal(run.number, run.records, *last, run.state, run.wake, sum, *owner)
    }

    /// What the first record's sum follows: no two runs begin alike.
    pub(super) fn first_sum(&self) -> Sum {
        first_sum(self.run.number, self.run.id.as_str())
    }
}

pub(super) fn first_sum(number: u32, id: &str) -> Sum {
    Sealer::new("records").int(number.into()).text(id).sum()
}

pub(super) fn head_seal(
    run: u32,
    next: u32,
    last: i64,
    state: RunState,
    wake: Option<Nanos>,
    sum: &Sum,
    owner: Option<u64>,
) -> i64 {
    let sealer = Sealer::new("heads")
        .int(run.into())
        .int(next.into())
        .int(last)
        .int(state_number(state))
        .opt_int(wake)
        .bytes(sum);
    // Format 1 has no owners: its seals hold.
    match owner {
        Some(owner) => sealer.int(owner_number(owner)).seal(),
        None => sealer.seal(),
    }
}

/// The sum of a record, from the one before.
pub(super) fn record_sum(before: &Sum, seq: u32, at: i64, kind: i64, payload: &[u8]) -> Sum {
    Sealer::new("").bytes(before).int(seq.into()).int(at).int(kind).bytes(payload).sum()
}

// Questions.

/// What [`promise`] reads, from `promises AS p LEFT JOIN runs AS r ON r.nr = p.run`.
pub(super) const PROMISE: &str = "p.nr, p.run, p.key, p.role, p.asked, p.due, p.shown, p.state, \
     p.by, p.at, p.answer, p.seal, r.id";

/// A question, and whether it is sound.
#[derive(Clone, Debug)]
pub(super) struct PromiseRow {
    pub(super) promise: Promise,
    pub(super) sound: bool,
}

pub(super) fn promise(row: &Row<'_>) -> PromiseRow {
    let number = int(row, 7);
    let state = match number {
        0 => PromiseState::Open,
        1 => PromiseState::Answered(Answer {
            by: text(row, 8),
            at: int(row, 9),
            value: bytes(row, 10).to_vec(),
        }),
        _ => PromiseState::Withdrawn,
    };
    let question = Question {
        key: text(row, 2),
        role: opt_text(row, 3),
        asked: int(row, 4),
        due: opt_int(row, 5),
        shown: bytes(row, 6).to_vec(),
    };
    let run = count(int(row, 1));
    let known = (0..=2).contains(&number);
    let promise = Promise {
        number: u64::try_from(int(row, 0)).unwrap_or_default(),
        run: text(row, 12).into(),
        question,
        state,
    };
    let sound = known && promise_seal(run, &promise.question, &promise.state) == int(row, 11);
    PromiseRow { promise, sound }
}

pub(super) fn promise_seal(run: u32, question: &Question, state: &PromiseState) -> i64 {
    let sealer = Sealer::new("promises")
        .int(run.into())
        .text(&question.key)
        .opt_text(question.role.as_deref())
        .int(question.asked)
        .opt_int(question.due)
        .bytes(&question.shown);
    match state {
        PromiseState::Open => sealer.int(0),
        PromiseState::Answered(answer) => {
            sealer.int(1).text(&answer.by).int(answer.at).bytes(&answer.value)
        }
        PromiseState::Withdrawn => sealer.int(2),
    }
    .seal()
}

// All else: each gives `None` for a row that is unsound.

/// What [`once`] reads.
pub(super) const ONCE: &str = "call, value, run, seq, result, seal";

pub(super) fn once(row: &Row<'_>) -> Option<Once> {
    let once = Once {
        run: text(row, 2).into(),
        seq: count(int(row, 3)),
        result: opt_bytes(row, 4).map(<[u8]>::to_vec),
    };
    let sound = once_seal(&text(row, 0), &hash(row, 1), &once) == int(row, 5);
    sound.then_some(once)
}

pub(super) fn once_seal(call: &str, value: &Hash, once: &Once) -> i64 {
    Sealer::new("once")
        .text(call)
        .bytes(&value.0)
        .text(once.run.as_str())
        .int(once.seq.into())
        .opt_bytes(once.result.as_deref())
        .seal()
}

/// What [`session`] reads.
pub(super) const SESSION: &str = "key, cells, version, owner, seal";

pub(super) fn session(row: &Row<'_>) -> Option<Session> {
    let session = Session {
        key: text(row, 0),
        cells: bytes(row, 1).to_vec(),
        version: u64::try_from(int(row, 2)).unwrap_or_default(),
        owner: opt_text(row, 3).map(RunId::from),
    };
    let sound = session_seal(&session) == int(row, 4);
    sound.then_some(session)
}

pub(super) fn session_seal(session: &Session) -> i64 {
    Sealer::new("sessions")
        .text(&session.key)
        .bytes(&session.cells)
        .int(i64::try_from(session.version).unwrap_or(i64::MAX))
        .opt_text(session.owner.as_ref().map(RunId::as_str))
        .seal()
}

/// What [`started`] reads.
pub(super) const STARTED: &str = "scope, key, run, at, seal";

pub(super) fn started(row: &Row<'_>) -> Option<Started> {
    let started = Started { run: opt_text(row, 2).map(RunId::from), at: int(row, 3) };
    let sound = started_seal(&text(row, 0), &text(row, 1), &started) == int(row, 4);
    sound.then_some(started)
}

pub(super) fn started_seal(scope: &str, key: &str, started: &Started) -> i64 {
    Sealer::new("starts")
        .text(scope)
        .text(key)
        .opt_text(started.run.as_ref().map(RunId::as_str))
        .int(started.at)
        .seal()
}

/// The bytes of a program under its hash, from `hash, bytes, seal`.
pub(super) fn program(row: &Row<'_>) -> Option<Vec<u8>> {
    let found = bytes(row, 1);
    let sound = program_seal(&hash(row, 0), found) == int(row, 2);
    sound.then(|| found.to_vec())
}

pub(super) fn program_seal(hash: &Hash, bytes: &[u8]) -> i64 {
    Sealer::new("programs").bytes(&hash.0).bytes(bytes).seal()
}

/// The bytes of a blob, from `hash, bytes`.
pub(super) fn blob(row: &Row<'_>) -> Option<Vec<u8>> {
    let found = bytes(row, 1);
    (Hash::of(found) == hash(row, 0)).then(|| found.to_vec())
}

/// That a run keeps a blob.
pub(super) fn kept_seal(run: i64, blob: i64, hash: &[u8]) -> i64 {
    Sealer::new("run_blobs").int(run).int(blob).bytes(hash).seal()
}
