//! What every store can do: [`Read`], and [`Store`] for whoever may also write.

use crate::batch::Batch;
use crate::error::{Holder, StoreError};
use crate::ticket::Ticket;
use crate::types::{
    Hash, Info, Nanos, Once, Promise, PromiseQuery, Record, Run, RunId, RunQuery, Session,
    StartKey, Started,
};

/// Reads what is durable. Every call may touch the disk and so block for a moment, but never for a writer.
///
/// Each of them fails with [`StoreError::Damaged`] where that one thing does not hold what was written, and otherwise only
/// if the store as a whole cannot be read.
pub trait Read: Send + Sync {
    /// What the store says of itself.
    ///
    /// # Errors
    /// See [`Read`].
    fn info(&self) -> Result<Info, StoreError>;

    /// The program of that hash.
    ///
    /// # Errors
    /// See [`Read`].
    fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// A run, without its records.
    ///
    /// # Errors
    /// See [`Read`].
    fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError>;

    /// The process that goes on with a run: the one that owns it, if that lives. Nothing for a run that nobody goes on with,
    /// as it waits, or has ended, or as its process is gone: then [`Batch::resume`] takes it up.
    ///
    /// # Errors
    /// See [`Read`].
    fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError>;

    /// A number that is another one whenever somebody has committed meanwhile, in this process or another, as far as
    /// this handle is asked. Costs a look at shared memory: to be asked a few times a second.
    ///
    /// # Errors
    /// See [`Read`].
    fn changes(&self) -> Result<u64, StoreError>;

    /// Runs, without their records: lists cost nothing for what runs have recorded. One whose row is damaged is listed as
    /// [`crate::RunState::Damaged`], so that others can be found.
    ///
    /// # Errors
    /// See [`Read`].
    fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError>;

    /// The records of a run from number `from` on, as they are durable now; each is checked as it is read. The first
    /// error ends them.
    ///
    /// # Errors
    /// [`crate::Refused::NoRun`] if there is no such run; see [`Read`].
    fn records(&self, run: &RunId, from: u32) -> Result<Records, StoreError>;

    /// The value that [`Batch::blob`] has given this name.
    ///
    /// # Errors
    /// See [`Read`].
    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// A question.
    ///
    /// # Errors
    /// See [`Read`].
    fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError>;

    /// Questions. A damaged one is left out, and its run is set aside.
    ///
    /// # Errors
    /// See [`Read`].
    fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError>;

    /// Who has claimed a call with this value, and what it gave.
    ///
    /// # Errors
    /// See [`Read`].
    fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError>;

    /// A session. There is one as soon as a run has begun that names it.
    ///
    /// # Errors
    /// See [`Read`].
    fn session(&self, key: &str) -> Result<Option<Session>, StoreError>;

    /// The keys of at most `limit` sessions beyond a key, in their order.
    ///
    /// # Errors
    /// See [`Read`].
    fn sessions(&self, beyond: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError>;

    /// What has come of a start.
    ///
    /// # Errors
    /// See [`Read`].
    fn started(&self, key: &StartKey) -> Result<Option<Started>, StoreError>;
}

/// A store that this process may write, beside others.
///
/// Each process that has a store open is an owner. A run belongs to one of them while it is running: only its batches
/// change it, those of others are [`crate::Refused::OwnedElsewhere`]. To answer its questions is everybody's right.
pub trait Store: Read {
    /// The number of this process among all that ever have opened the store, from 1 on.
    fn owner(&self) -> u64;

    /// Takes a batch. It never waits for the disk: what is under way is committed in groups, in the order of the calls.
    /// Only when very much waits to be written does the call wait until some of it is.
    fn commit(&self, batch: Batch) -> Ticket;

    /// Removes runs that ended before a time (damaged ones stay: they are evidence), and starts heard of before it; then
    /// blobs and programs that no run keeps. Gives room back to the disk. Takes small steps, so that commits go on
    /// meanwhile; blocks until it is done.
    ///
    /// # Errors
    /// If the store cannot be written. What was removed until then stays removed.
    fn prune(&self, before: Nanos) -> Result<Pruned, StoreError>;
}

/// What [`Store::prune`] has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs.
    pub runs: u64,
    /// Their records, and those that runs which were removed by name before have left on disk.
    pub records: u64,
    /// Starts that are not known any more.
    pub keys: u64,
    /// Blobs that no run kept.
    pub blobs: u64,
    /// Programs on which no run ran.
    pub programs: u64,
}

/// The records of a run: read as they are asked for.
pub struct Records(Box<dyn Iterator<Item = Result<Record, StoreError>> + Send>);

impl Records {
    pub(crate) fn new(
        records: impl Iterator<Item = Result<Record, StoreError>> + Send + 'static,
    ) -> Self {
        Self(Box::new(records))
    }
}

impl Iterator for Records {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Records")
    }
}
