//! What is to happen at once: a [`Batch`] is built here, and its sizes are checked. It does nothing to a store.

use smol_str::SmolStr;

use crate::error::Refused;
use crate::types::{
    Answer, Hash, Nanos, NewRun, Question, Record, RunId, RunState, StartKey, Started,
};
use crate::{MAX_BYTES, MAX_META, MAX_NAME};

/// Operations that happen together or not at all, in this order. An empty one is a barrier: its ticket resolves when all
/// that was committed before is durable.
#[derive(Clone, Debug, Default)]
#[must_use = "a batch does nothing before it is committed"]
pub struct Batch {
    pub(crate) ops: Vec<Op>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Program { hash: Hash, bytes: Vec<u8> },
    Start(Box<NewRun>),
    Append { run: RunId, records: Vec<Record> },
    Blob { run: RunId, hash: Hash, bytes: Vec<u8> },
    State(Box<Change>),
    Ask { run: RunId, question: Box<Question> },
    Answer { run: RunId, key: SmolStr, answer: Box<Answer> },
    Withdraw { run: RunId, key: SmolStr },
    Claim { run: RunId, seq: u32, call: SmolStr, value: Hash },
    Settle { run: RunId, call: SmolStr, value: Hash, result: Vec<u8> },
    Release { run: RunId, call: SmolStr, value: Hash },
    Cells { run: RunId, cells: Vec<u8> },
    Key { key: Box<StartKey>, started: Started },
    RemoveRun(RunId),
    RemoveSession(SmolStr),
}

/// A change of a run's state.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) run: RunId,
    pub(crate) state: RunState,
    pub(crate) wake: Option<Nanos>,
    pub(crate) ended: Option<Nanos>,
    pub(crate) summary: Vec<u8>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Keeps a program under its hash, for the runs that name it. The hash is the caller's: what it covers is the
    /// caller's to say. One that is there already is left as it is.
    pub fn program(&mut self, hash: Hash, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.op(Op::Program { hash, bytes: bytes.into() })
    }

    /// Begins a run. If it begins [`RunState::Running`], it belongs to this process. Refused if there is one of that name, if its program is not there, or if it is to own a session that
    /// another one owns ([`Refused::SessionTaken`]).
    pub fn start(&mut self, run: NewRun) -> &mut Self {
        self.op(Op::Start(Box::new(run)))
    }

    /// Adds a record to a run. Refused if it is not the next one: [`Record::seq`] counts from 0, so that no two writers
    /// can mix their records. A payload of more than [`crate::BLOB_FROM`] bytes is kept as a blob, like any other.
    pub fn append(&mut self, run: &RunId, record: Record) -> &mut Self {
        if let Some(Op::Append { run: last, records }) = self.ops.last_mut()
            && last == run
        {
            records.push(record);
            return self;
        }
        self.op(Op::Append { run: run.clone(), records: vec![record] })
    }

    /// Keeps a value aside, once for all who keep the same, as long as the run. Gives the name by which [`crate::Read::blob`]
    /// finds it.
    pub fn blob(&mut self, run: &RunId, bytes: impl Into<Vec<u8>>) -> Hash {
        let bytes = bytes.into();
        let hash = Hash::of(&bytes);
        self.op(Op::Blob { run: run.clone(), hash, bytes });
        hash
    }

    /// The run goes on, and belongs to this process: from waiting, or from the queue of its session, which it owns from now
    /// on (refused with [`Refused::SessionTaken`] if another run does), or from a process that has ended without it. Refused
    /// with [`Refused::OwnedElsewhere`] if its process lives.
    pub fn resume(&mut self, run: &RunId) -> &mut Self {
        self.change(run, RunState::Running, None, None, Vec::new())
    }

    /// The run waits, for an answer or an event, at most until `wake`. It belongs to no process then: any may resume it.
    pub fn wait(&mut self, run: &RunId, wake: Option<Nanos>) -> &mut Self {
        self.change(run, RunState::Waiting, wake, None, Vec::new())
    }

    /// The run has ended: nothing can be added to it any more, its open questions are withdrawn, its session is free.
    /// `state` is a final one. The summary is what lists of runs show; at most [`MAX_META`] bytes.
    pub fn end(
        &mut self,
        run: &RunId,
        state: RunState,
        at: Nanos,
        summary: impl Into<Vec<u8>>,
    ) -> &mut Self {
        self.change(run, state, None, Some(at), summary.into())
    }

    /// Asks a person. To be committed with the record that says so and with [`Self::wait`].
    pub fn ask(&mut self, run: &RunId, question: Question) -> &mut Self {
        self.op(Op::Ask { run: run.clone(), question: Box::new(question) })
    }

    /// Answers a question, whichever process its run belongs to. The first answer counts; a later one is refused with it ([`Refused::Answered`]), unless it is
    /// the very same, which changes nothing.
    pub fn answer(&mut self, run: &RunId, key: impl Into<SmolStr>, answer: Answer) -> &mut Self {
        self.op(Op::Answer { run: run.clone(), key: key.into(), answer: Box::new(answer) })
    }

    /// Nobody wants the answer any more. A question that is not open stays as it is.
    pub fn withdraw(&mut self, run: &RunId, key: impl Into<SmolStr>) -> &mut Self {
        self.op(Op::Withdraw { run: run.clone(), key: key.into() })
    }

    /// Claims a call with this value for the run, once in this profile: to be committed with its intent, which is the
    /// record `seq`. Refused with [`Refused::OnceTaken`] if it was claimed before.
    pub fn claim(
        &mut self,
        run: &RunId,
        seq: u32,
        call: impl Into<SmolStr>,
        value: Hash,
    ) -> &mut Self {
        self.op(Op::Claim { run: run.clone(), seq, call: call.into(), value })
    }

    /// Keeps what a claimed call gave.
    pub fn settle(
        &mut self,
        run: &RunId,
        call: impl Into<SmolStr>,
        value: Hash,
        result: impl Into<Vec<u8>>,
    ) -> &mut Self {
        self.op(Op::Settle { run: run.clone(), call: call.into(), value, result: result.into() })
    }

    /// Gives a claim up, as the call has definitely not happened.
    pub fn release(&mut self, run: &RunId, call: impl Into<SmolStr>, value: Hash) -> &mut Self {
        self.op(Op::Release { run: run.clone(), call: call.into(), value })
    }

    /// Saves the cells of the session that the run owns: to be committed with the record that says so.
    pub fn save(&mut self, run: &RunId, cells: impl Into<Vec<u8>>) -> &mut Self {
        self.op(Op::Cells { run: run.clone(), cells: cells.into() })
    }

    /// Remembers what has come of a start, so that another delivery of it does nothing: to be committed with
    /// [`Self::start`], or alone if no run came of it. Refused with [`Refused::KnownKey`] if it was heard of before.
    pub fn heard(&mut self, key: StartKey, started: Started) -> &mut Self {
        self.op(Op::Key { key: Box::new(key), started })
    }

    /// Forgets a run that has ended, with its records and questions.
    pub fn remove_run(&mut self, run: &RunId) -> &mut Self {
        self.op(Op::RemoveRun(run.clone()))
    }

    /// Forgets a session that no run owns, or that is damaged; nothing happens if there is none.
    pub fn remove_session(&mut self, key: impl Into<SmolStr>) -> &mut Self {
        self.op(Op::RemoveSession(key.into()))
    }

    fn change(
        &mut self,
        run: &RunId,
        state: RunState,
        wake: Option<Nanos>,
        ended: Option<Nanos>,
        summary: Vec<u8>,
    ) -> &mut Self {
        self.op(Op::State(Box::new(Change { run: run.clone(), state, wake, ended, summary })))
    }

    fn op(&mut self, op: Op) -> &mut Self {
        self.ops.push(op);
        self
    }

    /// Whether it has changed nothing when it is refused, as it checks everything before its only change.
    pub(crate) fn is_single_write(&self) -> bool {
        match self.ops.as_slice() {
            [] => true,
            [op] => !matches!(op, Op::Start(_) | Op::State(_) | Op::RemoveRun(_)),
            _ => false,
        }
    }

    /// How much there is to write, about, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.ops.iter().map(Op::weight).fold(64, usize::saturating_add)
    }

    /// Checks all sizes.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        self.ops.iter().try_for_each(Op::check)
    }
}

impl Op {
    fn weight(&self) -> usize {
        let bytes = match self {
            Self::Program { bytes, .. } | Self::Blob { bytes, .. } => bytes.len(),
            Self::Append { records, .. } => records.iter().map(|r| r.payload.len() + 64).sum(),
            Self::Start(run) => run.meta.len(),
            Self::State(change) => change.summary.len(),
            Self::Ask { question, .. } => question.shown.len(),
            Self::Answer { answer, .. } => answer.value.len(),
            Self::Settle { result, .. } => result.len(),
            Self::Cells { cells, .. } => cells.len(),
            Self::Withdraw { .. }
            | Self::Claim { .. }
            | Self::Release { .. }
            | Self::Key { .. }
            | Self::RemoveRun(_)
            | Self::RemoveSession(_) => 0,
        };
        bytes.saturating_add(128)
    }

    fn check(&self) -> Result<(), Refused> {
        match self {
            Self::Program { bytes, .. } => within("the program", bytes, MAX_BYTES),
            Self::Start(run) => {
                name("the name of the run", run.id.as_str())?;
                name("the name of the graph", &run.graph)?;
                run.session.iter().try_for_each(|key| name("the key of the session", key))?;
                run.parent
                    .iter()
                    .try_for_each(|parent| name("the parent's name", parent.run().as_str()))?;
                within("the metadata of the run", &run.meta, MAX_META)
            }
            Self::Append { records, .. } => records
                .iter()
                .try_for_each(|record| within("the payload", &record.payload, MAX_BYTES)),
            Self::Blob { bytes, .. } => within("the value", bytes, MAX_BYTES),
            Self::State(change) => within("the summary of the run", &change.summary, MAX_META),
            Self::Ask { question, .. } => {
                name("the key of the question", &question.key)?;
                question.role.iter().try_for_each(|role| name("the role", role))?;
                within("what is shown", &question.shown, MAX_BYTES)
            }
            Self::Answer { answer, .. } => {
                name("who answers", &answer.by)?;
                within("the answer", &answer.value, MAX_BYTES)
            }
            Self::Claim { call, .. } => name("the name of the call", call),
            Self::Settle { result, .. } => within("the result", result, MAX_BYTES),
            Self::Cells { cells, .. } => within("the session", cells, MAX_BYTES),
            Self::Key { key, .. } => {
                name("the scope of the key", &key.scope)?;
                name("the key of the start", &key.key)
            }
            Self::Withdraw { .. }
            | Self::Release { .. }
            | Self::RemoveRun(_)
            | Self::RemoveSession(_) => Ok(()),
        }
    }
}

fn within(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), Refused> {
    let size = bytes.len();
    if size > limit { Err(Refused::TooLarge { what, size, limit }) } else { Ok(()) }
}

fn name(what: &'static str, text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::Empty { what });
    }
    within(what, text.as_bytes(), MAX_NAME)
}
