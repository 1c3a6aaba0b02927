//! What a store holds, as plain data. Nothing in here does anything.

use std::fmt;

use smol_str::SmolStr;

/// A point in time, in nanoseconds since the Unix epoch. The store compares such times with deadlines and limits of
/// retention, and never derives an order from them.
pub type Nanos = i64;

/// The name of a run: unique in its store, chosen by whoever starts it. At most [`crate::MAX_NAME`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(SmolStr);

impl RunId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<SmolStr>> From<T> for RunId {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Names this store among all stores: 32 hexadecimal digits; zeros in memory.
    pub id: SmolStr,
    /// The version of its format.
    pub format: u32,
    /// What made it: a program and its version.
    pub created_by: SmolStr,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunState {
    /// It waits for its session: another run owns it.
    Queued,
    /// It runs, or ran when the process ended.
    Running,
    /// It waits for a person, an event or a time: [`Run::wake`].
    Waiting,
    /// It has succeeded.
    Done,
    /// It has failed.
    Failed,
    /// It was cancelled, and all that it had begun has settled.
    Cancelled,
    /// Its record does not hold what was written: it must not go on.
    Damaged,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Damaged,
    ];

    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled | Self::Damaged)
    }

    /// In a word: `queued`, `running` …
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Damaged => "damaged",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which run another one comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// It was started by a call of that run, and lives on its own.
    Detached(RunId),
    /// It was forked from that run. The one it comes from need not be there any more.
    Forked(RunId),
}

impl Parent {
    /// The run it comes from.
    pub fn run(&self) -> &RunId {
        match self {
            Self::Detached(run) | Self::Forked(run) => run,
        }
    }
}

/// A run that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its name.
    pub id: RunId,
    /// The program it runs on: in the store already, or put there by the same batch. It is kept as long as the run.
    pub program: Hash,
    /// The graph that is run.
    pub graph: SmolStr,
    /// What lists of runs show of its entry, as the caller writes it; at most [`crate::MAX_META`] bytes. Arguments
    /// belong into its first record.
    pub meta: Vec<u8>,
    /// When it was asked for.
    pub created: Nanos,
    /// Which run it comes from.
    pub parent: Option<Parent>,
    /// The key of the session whose cells it reads and writes. A run that begins [`RunState::Running`] owns the session
    /// from then on until it ends.
    pub session: Option<SmolStr>,
    /// [`RunState::Running`], or [`RunState::Queued`] behind whoever owns its session.
    pub state: RunState,
}

impl NewRun {
    /// A run that begins at once, without session or parent.
    pub fn new(
        id: impl Into<RunId>,
        program: Hash,
        graph: impl Into<SmolStr>,
        created: Nanos,
    ) -> Self {
        Self {
            id: id.into(),
            program,
            graph: graph.into(),
            meta: Vec::new(),
            created,
            parent: None,
            session: None,
            state: RunState::Running,
        }
    }
}

/// A run as the store knows it, without its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its place among all runs of the store, in the order in which they were started. Never used again.
    pub number: u32,
    /// Its name.
    pub id: RunId,
    /// The program it runs on.
    pub program: Hash,
    /// The graph that is run.
    pub graph: SmolStr,
    /// What was given at its start.
    pub meta: Vec<u8>,
    /// When it was asked for.
    pub created: Nanos,
    /// Which run it comes from.
    pub parent: Option<Parent>,
    /// The key of its session.
    pub session: Option<SmolStr>,
    /// How it stands.
    pub state: RunState,
    /// When it must be looked at though nobody has answered, while it is [`RunState::Waiting`].
    pub wake: Option<Nanos>,
    /// When it ended.
    pub ended: Option<Nanos>,
    /// What lists of runs show of its end, as the caller wrote it.
    pub summary: Vec<u8>,
    /// How many records it has: the number of the next one.
    pub records: u32,
}

/// An entry of a run's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the run: 0 for the first, and so on without gaps.
    pub seq: u32,
    /// When it was made.
    pub at: Nanos,
    /// What it is: the caller's to say.
    pub kind: u8,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// Something that a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names it within its run: never used again there. For example the path of the node that asks.
    pub key: SmolStr,
    /// The role that is asked, if one is named.
    pub role: Option<SmolStr>,
    /// When it was asked.
    pub asked: Nanos,
    /// When it is too late, if ever. The store only keeps it: whoever runs the program looks to it.
    pub due: Option<Nanos>,
    /// What is shown: the caller's to read.
    pub shown: Vec<u8>,
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub by: SmolStr,
    /// When.
    pub at: Nanos,
    /// What: the caller's to read.
    pub value: Vec<u8>,
}

/// How a question stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromiseState {
    /// Nobody has answered yet.
    Open,
    /// Somebody was the first to answer.
    Answered(Answer),
    /// Nobody wants the answer any more: it is too late, or the run goes on without it, or has ended.
    Withdrawn,
}

/// A question of a run with how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its place among all questions of the store, in the order in which they were asked.
    pub number: u64,
    /// Who asks.
    pub run: RunId,
    /// What is asked.
    pub question: Question,
    /// How it stands.
    pub state: PromiseState,
}

/// A call that may happen only once in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The run whose call it is.
    pub run: RunId,
    /// The record of that run which holds its intent.
    pub seq: u32,
    /// What it gave; `None` if that is not known (yet).
    pub result: Option<Vec<u8>>,
}

/// What tells two deliveries of one start from two starts: an idempotency key of a client, or what a trigger knows an
/// event by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StartKey {
    /// Within what the key is unique: a trigger, a principal.
    pub scope: SmolStr,
    /// The key.
    pub key: SmolStr,
}

/// What has come of a [`StartKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The run that was started; `None` if none was, as a policy said so.
    pub run: Option<RunId>,
    /// When.
    pub at: Nanos,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its key.
    pub key: SmolStr,
    /// Its cells, as the last run that saved them wrote them. Empty before the first time.
    pub cells: Vec<u8>,
    /// How often they were saved.
    pub version: u64,
    /// The run that may save them now. Those that wait behind it are its [`RunState::Queued`] runs.
    pub owner: Option<RunId>,
}

/// Which runs are wanted. All, by default, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunQuery {
    /// Those in one of these states; in any, if empty.
    pub states: Vec<RunState>,
    /// Those of this graph.
    pub graph: Option<SmolStr>,
    /// Those of this session.
    pub session: Option<SmolStr>,
    /// Those that come from this run.
    pub parent: Option<RunId>,
    /// The youngest first.
    pub newest_first: bool,
    /// Those beyond this [`Run::number`], in the wanted order: the last one of the page before.
    pub beyond: Option<u32>,
    /// At most so many.
    pub limit: u32,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self {
            states: Vec::new(),
            graph: None,
            session: None,
            parent: None,
            newest_first: false,
            beyond: None,
            limit: u32::MAX,
        }
    }
}

impl RunQuery {
    /// Runs that have not ended, oldest first.
    pub fn unfinished() -> Self {
        let states = RunState::ALL.into_iter().filter(|state| !state.is_final()).collect();
        Self { states, ..Self::default() }
    }
}

/// Which questions are wanted, oldest first. The open ones of all runs, by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromiseQuery {
    /// Only open ones.
    pub open: bool,
    /// Those of this run.
    pub run: Option<RunId>,
    /// Those that this role is asked.
    pub role: Option<SmolStr>,
    /// Those beyond this [`Promise::number`]: the last one of the page before.
    pub beyond: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

impl Default for PromiseQuery {
    fn default() -> Self {
        Self { open: true, run: None, role: None, beyond: None, limit: u32::MAX }
    }
}
