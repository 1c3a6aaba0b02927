//! The one thread of this process that writes: it commits whatever has gathered since the last commit as one transaction (group commit).
//!
//! A batch that is refused is taken back alone. When the database itself fails within a group, its batches are tried one by
//! one, so that one damaged page does not stop other runs. When nobody can say any more what has reached the disk, the
//! writer stops for good: only a new start, which reads the disk, may go on.
//!
//! Other processes write, too, between its transactions, never within one. So nothing that a transaction has read is
//! believed in the next one if somebody else has committed meanwhile.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::fault::Kind;
use super::owners::{Owner, Turn};
use super::tables::Database;
use super::{Point, Probe, prune, schema};
use crate::batch::Batch;
use crate::error::{Damage, StoreError};
use crate::rules;
use crate::store::Pruned;
use crate::ticket::Resolver;
use crate::types::{Nanos, RunId};

/// Batches and bytes of one transaction, about: beyond, those who wait first would wait too long.
const GROUP: usize = 4_096;
const GROUP_BYTES: usize = 16 << 20;
/// When so much waits, in bytes, whoever commits waits, too.
const WAITING_BYTES: usize = 64 << 20;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Commit(Batch, Resolver),
    Prune(Nanos, SyncSender<Result<prune::Step, StoreError>>),
    SetAside(RunId),
}

/// Jobs in their order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    work: Condvar,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    weight: usize,
    /// Whether the thread is to end when all is done.
    ends: bool,
    /// Why nothing is taken any more.
    closed: Option<StoreError>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; gives it back with the reason if the writer has stopped.
    pub(super) fn push(&self, job: Job) -> Result<(), (Job, StoreError)> {
        let full = |state: &mut Waiting| state.weight > WAITING_BYTES && state.closed.is_none();
        let state = self.room.wait_while(self.state(), full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &state.closed {
            let why = why.clone();
            return Err((job, why));
        }
        state.weight += weight(&job);
        state.jobs.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// What is in the queue is still done.
    pub(super) fn end(&self) {
        self.state().ends = true;
        self.work.notify_one();
    }

    /// Nothing is taken any more; what waits gets to know why.
    fn close(&self, why: &StoreError) {
        let jobs = {
            let mut state = self.state();
            state.closed.get_or_insert_with(|| why.clone());
            state.weight = 0;
            std::mem::take(&mut state.jobs)
        };
        self.room.notify_all();
        for job in jobs {
            match job {
                Job::Commit(_, resolver) => resolver.resolve(Err(why.clone())),
                // Whoever asked may be gone.
                Job::Prune(_, reply) => drop(reply.try_send(Err(why.clone()))),
                Job::SetAside(_) => {}
            }
        }
    }

    /// The next jobs: batches that can be one transaction, or one of another kind. `None` when the thread is to end.
    fn take(&self) -> Option<Vec<Job>> {
        let idle = |state: &mut Waiting| state.jobs.is_empty() && !state.ends;
        let state = self.work.wait_while(self.state(), idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let (mut jobs, mut bytes) = (Vec::new(), 0);
        while let Some(job) = state.jobs.front() {
            let alone = !matches!(job, Job::Commit(..));
            if !jobs.is_empty() && (alone || jobs.len() >= GROUP || bytes >= GROUP_BYTES) {
                break;
            }
            bytes += weight(job);
            jobs.extend(state.jobs.pop_front());
            if alone {
                break;
            }
        }
        state.weight = state.weight.saturating_sub(bytes);
        drop(state);
        self.room.notify_all();
        (!jobs.is_empty()).then_some(jobs)
    }
}

fn weight(job: &Job) -> usize {
    match job {
        Job::Commit(batch, _) => batch.weight(),
        Job::Prune(..) | Job::SetAside(_) => 0,
    }
}

/// What the thread owns. The database is closed before the lock of this process is given back.
pub(super) struct Writer {
    database: Database,
    directory: Box<Path>,
    turn: Turn,
    probe: Option<Probe>,
    owner: Owner,
}

/// Why a transaction was not committed.
struct Failed {
    error: StoreError,
    /// Whether smaller transactions may succeed.
    divisible: bool,
    /// Whether the writer must stop.
    fatal: bool,
}

type Outcomes = Vec<Result<(), StoreError>>;

impl Writer {
    pub(super) fn new(
        database: Database,
        directory: &Path,
        turn: Turn,
        probe: Option<Probe>,
        owner: Owner,
    ) -> Self {
        Self { database, directory: directory.into(), turn, probe, owner }
    }

    /// Works until the queue ends or the writer must stop.
    pub(super) fn run(mut self, queue: &Arc<Queue>) {
        // Also if this thread panics: nobody must wait for it for ever.
        let _closes = Closes(Arc::clone(queue));
        while let Some(jobs) = queue.take() {
            if let Err(why) = self.work(jobs) {
                queue.close(&why);
                return;
            }
        }
        // The next start does it otherwise.
        let _ = schema::checkpoint(self.database.connection());
    }

    fn work(&mut self, jobs: Vec<Job>) -> Result<(), StoreError> {
        let mut group = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Commit(batch, resolver) => group.push((batch, resolver)),
                Job::Prune(before, reply) => {
                    let done = self.transaction(|writer| prune::step(&mut writer.database, before));
                    let (outcome, stop) = parted(done);
                    // Whoever asked may be gone.
                    let _ = reply.try_send(outcome);
                    stop?;
                }
                Job::SetAside(run) => self.set_aside(&run)?,
            }
        }
        if group.is_empty() { Ok(()) } else { self.commit(group) }
    }

    fn commit(&mut self, group: Vec<(Batch, Resolver)>) -> Result<(), StoreError> {
        let (batches, resolvers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let mut stop = None;
        let outcomes = match self.apply(&batches) {
            Ok(outcomes) => outcomes,
            Err(failed) if failed.divisible && batches.len() > 1 => {
                let mut outcomes = Vec::with_capacity(batches.len());
                for batch in &batches {
                    if let Some(why) = &stop {
                        outcomes.push(Err(StoreError::clone(why)));
                        continue;
                    }
                    match self.apply(std::slice::from_ref(batch)) {
                        Ok(one) => outcomes.extend(one),
                        Err(failed) => {
                            stop = failed.fatal.then(|| failed.error.clone());
                            outcomes.push(Err(failed.error));
                        }
                    }
                }
                outcomes
            }
            Err(failed) => {
                stop = failed.fatal.then(|| failed.error.clone());
                vec![Err(failed.error); batches.len()]
            }
        };
        let mut damaged = Vec::new();
        for (resolver, outcome) in resolvers.into_iter().zip(outcomes) {
            if let Err(StoreError::Damaged(Damage::Run { run, .. })) = &outcome {
                damaged.push(run.clone());
            }
            resolver.resolve(outcome);
        }
        match stop {
            Some(why) => Err(why),
            None => damaged.iter().try_for_each(|run| self.set_aside(run)),
        }
    }

    /// Does all batches in one transaction; gives what came of each.
    fn apply(&mut self, batches: &[Batch]) -> Result<Outcomes, Failed> {
        if batches.iter().all(Batch::is_empty) {
            return Ok(vec![Ok(()); batches.len()]);
        }
        self.transaction(|writer| {
            let database = &mut writer.database;
            let mut outcomes = Vec::with_capacity(batches.len());
            for batch in batches {
                let whole = batch.is_single_write();
                if !whole {
                    execute(database, "SAVEPOINT batch")?;
                }
                let outcome = batch.ops.iter().try_for_each(|op| rules::apply(op, database));
                if outcome.is_err() && database.has_failed() {
                    return outcome.map(|()| Vec::new());
                }
                if !whole {
                    if outcome.is_err() {
                        execute(database, "ROLLBACK TO batch")?;
                        database.forget();
                    }
                    execute(database, "RELEASE batch")?;
                }
                outcomes.push(outcome);
            }
            Ok(outcomes)
        })
    }

    /// Runs a transaction.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, Failed> {
        let worked = (|| {
            self.begin()?;
            let value = work(self)?;
            self.probe(Point::BeforeCommit);
            execute(&mut self.database, "COMMIT")?;
            self.probe(Point::AfterCommit);
            Ok(value)
        })();
        worked.map_err(|error| {
            let failure = self.database.take_failure();
            // SQLite may have taken it back itself.
            let _ = self.database.connection().execute_batch("ROLLBACK");
            self.database.forget();
            let fatal = failure == Some(Kind::Uncertain);
            let busy = matches!(error, StoreError::Busy { .. }) || failure == Some(Kind::Busy);
            let divisible = !fatal && !busy;
            Failed { error, divisible, fatal }
        })
    }

    /// Takes the lock of the database, when it is this process's turn.
    fn begin(&mut self) -> Result<(), StoreError> {
        let connection = self.database.connection();
        let begun =
            self.turn.begin(connection, &self.directory, self.owner.number, |connection| {
                connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])
            })?;
        begun.map_err(|error| self.database.fail("begin", error))?;
        self.database.catch_up()
    }

    /// What is damaged is set aside; if even that fails, it is found again with the next read.
    fn set_aside(&mut self, run: &RunId) -> Result<(), StoreError> {
        match self.transaction(|writer| writer.database.set_aside(run)) {
            Err(failed) if failed.fatal => Err(failed.error),
            _ => Ok(()),
        }
    }

    fn probe(&self, point: Point) {
        if let Some(probe) = &self.probe {
            (probe.0)(point);
        }
    }
}

fn execute(database: &mut Database, sql: &str) -> Result<(), StoreError> {
    let done = database.connection().prepare_cached(sql).and_then(|mut it| it.execute([]));
    match done {
        Ok(_) => Ok(()),
        Err(error) => Err(database.fail("commit", error)),
    }
}

/// What to tell who has asked, and whether to stop.
fn parted<T>(done: Result<T, Failed>) -> (Result<T, StoreError>, Result<(), StoreError>) {
    match done {
        Ok(value) => (Ok(value), Ok(())),
        Err(Failed { error, fatal: true, .. }) => (Err(error.clone()), Err(error)),
        Err(failed) => (Err(failed.error), Ok(())),
    }
}

struct Closes(Arc<Queue>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close(&StoreError::Closed { why: "its writer has ended".into() });
    }
}

impl Pruned {
    pub(super) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.records += other.records;
        self.keys += other.keys;
        self.blobs += other.blobs;
        self.programs += other.programs;
    }
}
