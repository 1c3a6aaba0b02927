//! Writes the journal of one run into a store: everything that the engine was told of, in order, and what is about to be done
//! to the world.
//!
//! Entries gather until somebody commits them, so that a burst of events is one record. Whoever is about to do something that
//! cannot be taken back commits first, and waits for the [`Ticket`]: the journal is always ahead of the world.

use std::sync::Arc;

use kait_engine::event::{EffectId, Event, Nanos};
use kait_engine::journal::{self, Entry};
use kait_ir::codec::CodecError;
use kait_ir::{DecodeError, PlanHash, Program, Value};
use kait_store::{
    Answer, Batch, Damage, Hash, NewRun, PromiseState, Question, Read, Record, Refused, RunId,
    RunState, Store, StoreError, Ticket,
};
use smol_str::{SmolStr, format_smolstr};

/// What the kind of a record says: that its payload is [`journal::Entry`]s in the first format.
pub const ENTRIES: u8 = 1;

/// Entries of one record, in bytes: beyond, a record is closed though nobody waits for it.
const RECORD_BYTES: usize = 32 * 1024;

/// Writes the journal of one run.
pub struct Recorder {
    store: Arc<dyn Store>,
    run: RunId,
    /// The number of the next record.
    next: u32,
    entries: Vec<u8>,
    /// When the first of the entries was made.
    since: Nanos,
    /// What is committed together with the entries.
    batch: Batch,
    /// What [`kait_store::Read::changes`] gave last.
    changes: Option<u64>,
}

impl Recorder {
    /// Begins the journal of a new run. Nothing is in the store before the first commit.
    pub fn begin(store: Arc<dyn Store>, run: NewRun, program: &Program) -> Self {
        let encoded = kait_ir::encode(program);
        let mut batch = Batch::new();
        let id = run.id.clone();
        batch.program(run.program, encoded);
        batch.start(run);
        Self { store, run: id, next: 0, entries: Vec::new(), since: 0, batch, changes: None }
    }

    /// Goes on with the journal of a run that has not ended. It belongs to this process from the first commit on, unless
    /// another one was faster: then that commit is refused.
    ///
    /// # Errors
    /// [`Refused::OwnedElsewhere`] if another process goes on with it; if the store does not hold it, or what it holds is not
    /// what was written.
    pub fn go_on(store: Arc<dyn Store>, run: &RunId) -> Result<(Self, Vec<Entry>), StoreError> {
        if let Some(holder) = store.holder(run)?
            && holder.owner != store.owner()
        {
            return Err(Refused::OwnedElsewhere { run: run.clone(), holder }.into());
        }
        let (entries, next) = read(&*store, run)?;
        let run = run.clone();
        let (batch, changes) = (Batch::new(), None);
        let recorder = Self { store, run, next, entries: Vec::new(), since: 0, batch, changes };
        Ok((recorder, entries))
    }

    /// The name of the run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The engine was told of something.
    pub(crate) fn happened(&mut self, at: Nanos, event: &Event, asked: u32) {
        self.begin_entry(at);
        journal::write_event(at, event, asked, &mut self.entries);
        if self.entries.len() >= RECORD_BYTES {
            self.close_record();
        }
    }

    /// A call that changes the world is about to be made.
    pub(crate) fn intends(&mut self, at: Nanos, effect: EffectId, path: SmolStr, args: &[Value]) {
        self.begin_entry(at);
        let entry = Entry::Intent { effect, path, args: args.to_vec() };
        journal::write(&entry, &mut self.entries);
    }

    /// This process has taken the run up.
    pub(crate) fn taken_up(&mut self, at: Nanos) {
        self.begin_entry(at);
        journal::write(&Entry::TakenUp { at }, &mut self.entries);
        self.batch.resume(&self.run);
    }

    /// The run has ended.
    pub(crate) fn ended(&mut self, at: Nanos, state: RunState, summary: Vec<u8>) {
        self.close_record();
        self.batch.end(&self.run, state, at, summary);
    }

    /// The run waits for people, and needs no process until somebody answers or `wake` has come.
    pub(crate) fn waits(&mut self, wake: Option<Nanos>) {
        self.close_record();
        self.batch.wait(&self.run, wake);
    }

    /// A person is asked.
    pub(crate) fn asks(&mut self, question: Question) {
        self.close_record();
        self.batch.ask(&self.run, question);
    }

    /// Nobody wants the answer any more.
    pub(crate) fn withdraws(&mut self, question: &str) {
        self.batch.withdraw(&self.run, question);
    }

    /// Somebody answers: by itself, as it may be refused.
    pub(crate) fn answers(&self, question: &str, answer: Answer) -> Ticket {
        let mut batch = Batch::new();
        batch.answer(&self.run, question, answer);
        self.store.commit(batch)
    }

    /// What somebody has answered to a question of the run, perhaps while nothing ran.
    pub(crate) fn answer(&self, question: &str) -> Result<Option<Answer>, StoreError> {
        let promise = self.store.promise(&self.run, question)?;
        Ok(promise.and_then(|promise| match promise.state {
            PromiseState::Answered(answer) => Some(answer),
            PromiseState::Open | PromiseState::Withdrawn => None,
        }))
    }

    /// Whether somebody, perhaps in another process, has committed since this was asked last.
    pub(crate) fn has_news(&mut self) -> Result<bool, StoreError> {
        let changes = self.store.changes()?;
        Ok(self.changes.replace(changes) != Some(changes))
    }

    /// The store does not hold what was written of this run.
    pub(crate) fn damaged(&self, why: impl Into<SmolStr>) -> StoreError {
        Damage::Run { run: self.run.clone(), seq: self.next, why: why.into() }.into()
    }

    /// Whether something has not been committed.
    pub(crate) fn is_behind(&self) -> bool {
        !self.batch.is_empty() || !self.entries.is_empty()
    }

    /// Commits all so far; the ticket says when it is durable.
    pub(crate) fn commit(&mut self) -> Ticket {
        self.close_record();
        self.store.commit(std::mem::take(&mut self.batch))
    }

    fn begin_entry(&mut self, at: Nanos) {
        if self.entries.is_empty() {
            self.since = at;
        }
    }

    fn close_record(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        let payload = std::mem::take(&mut self.entries);
        let record = Record { seq: self.next, at: self.since, kind: ENTRIES, payload };
        self.next += 1;
        self.batch.append(&self.run, record);
    }
}

/// The journal of a run.
///
/// # Errors
/// If the store does not hold it, or what it holds is not what was written.
pub fn entries(store: &(impl Read + ?Sized), run: &RunId) -> Result<Vec<Entry>, StoreError> {
    Ok(read(store, run)?.0)
}

/// The journal of a run, and the number of the record that follows it.
fn read(store: &(impl Read + ?Sized), run: &RunId) -> Result<(Vec<Entry>, u32), StoreError> {
    let (mut entries, mut next) = (Vec::new(), 0);
    for record in store.records(run, 0)? {
        let record = record?;
        let damaged = |why: SmolStr| Damage::Run { run: run.clone(), seq: record.seq, why };
        if record.kind != ENTRIES {
            let why = format_smolstr!("a record of the unknown kind {}", record.kind);
            return Err(damaged(why).into());
        }
        let read = journal::read(&record.payload);
        let read = read.map_err(|error: CodecError| damaged(format_smolstr!("{error}")))?;
        entries.extend(read);
        next = record.seq + 1;
    }
    Ok((entries, next))
}

/// The program that a run is on; it is still to be verified.
///
/// # Errors
/// If the store does not hold it, or what it holds is no program.
pub fn program(store: &(impl Read + ?Sized), hash: Hash) -> Result<Program, StoreError> {
    let damaged = |why: SmolStr| Damage::Row { what: format_smolstr!("the program {hash}"), why };
    let Some(bytes) = store.program(&hash)? else {
        return Err(damaged("it is not there".into()).into());
    };
    let program = kait_ir::decode(&bytes);
    program.map_err(|error: DecodeError| damaged(format_smolstr!("{error}")).into())
}

/// The hash by which a store knows a program: the plan's.
pub fn hash(plan: PlanHash) -> Hash {
    Hash(plan.0)
}
