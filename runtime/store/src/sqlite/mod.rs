//! The store on disk: one SQLite database a profile, one thread that writes it in each process, readers beside.

mod check;
mod fault;
mod owners;
mod prune;
mod reader;
mod records;
mod rows;
mod schema;
mod tables;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use smol_str::SmolStr;

use crate::batch::Batch;
use crate::error::{Damage, Holder, StoreError};
use crate::store::{Pruned, Read, Records, Store};
use crate::ticket::Ticket;
use crate::types::{
    Hash, Info, Nanos, Once, Promise, PromiseQuery, Run, RunId, RunQuery, Session, StartKey,
    Started,
};
use owners::{Gate, Turn};
use reader::Readers;
use tables::Database;
use writer::{Job, Queue, Writer};

/// How a store on disk is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is written into a new store as its maker: a program and its version.
    pub created_by: SmolStr,
    /// The most that the database may take on disk, in bytes; its log (up to 64 MiB, for a moment more) comes on top.
    /// Beyond, commits fail as on a full disk.
    pub max_bytes: Option<u64>,
    /// How long a commit waits for other processes: beyond, it fails with [`StoreError::Busy`].
    pub patience: Duration,
    /// Is called around every commit: for tests that end the process there.
    pub probe: Option<Probe>,
}

impl Default for Options {
    fn default() -> Self {
        let created_by = concat!("kait ", env!("CARGO_PKG_VERSION")).into();
        Self { created_by, max_bytes: None, patience: Duration::from_secs(10), probe: None }
    }
}

/// Where a [`Probe`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// All is written that the next commit makes durable.
    BeforeCommit,
    /// It is durable, and nobody was told yet.
    AfterCommit,
}

/// A function that the writer calls around every commit.
#[derive(Clone)]
pub struct Probe(pub Arc<dyn Fn(Point) + Send + Sync>);

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// The store of a profile on disk, with the right to write, as any number of processes may have it at once. Clones are
/// handles of the same store; when the last one is dropped, what waits is written, and the runs that are still running are
/// left to whoever resumes them.
#[derive(Clone, Debug)]
pub struct SqliteStore(Arc<Open>);

#[derive(Debug)]
struct Open {
    owner: u64,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the store in a directory of its own, or makes it. Directory and files are made for their owner alone.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer version made it, [`StoreError::InUse`] if it must be brought up to date and another
    /// process has it open, and whatever else keeps it from being durable: see [`StoreError`].
    pub fn open(directory: &Path, options: Options) -> Result<Self, StoreError> {
        let gate = Gate::enter(directory, options.patience)?;
        let path = owners::database(directory);
        let connection = schema::connect(&path, &options, gate.others())?;
        let turn = Turn::new(directory, options.patience)?;
        let owner = gate.own(&connection, &turn, &options.created_by)?;
        gate.mark_used()?;
        drop(gate);
        let number = owner.number;
        let database = Database::new(connection, directory, number);
        let queue = Arc::<Queue>::default();
        let writer = Writer::new(database, directory, turn, options.probe, owner);
        let thread = thread::Builder::new().name("kait-store".into()).spawn({
            let queue = Arc::clone(&queue);
            move || writer.run(&queue)
        });
        let thread = thread.map_err(|error| fault::io("start the writer of", &path, error))?;
        let readers = Arc::new(Readers::new(directory, Arc::downgrade(&queue)));
        let thread = Mutex::new(Some(thread));
        Ok(Self(Arc::new(Open { owner: number, queue, readers, thread })))
    }

    /// Looks through everything: the database's own structure, every record of every run, every other row. Gives what does
    /// not hold what was written; nothing is changed. Takes as long as reading the store does.
    ///
    /// # Errors
    /// If the store as a whole cannot be read.
    pub fn check(&self) -> Result<Vec<Damage>, StoreError> {
        check::check(&self.0.readers)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A probe may drop the last handle: the thread cannot wait for itself.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            // It has told everybody who waited, even if it panicked.
            let _ = thread.join();
        }
    }
}

impl Store for SqliteStore {
    fn owner(&self) -> u64 {
        self.0.owner
    }

    fn commit(&self, batch: Batch) -> Ticket {
        if let Err(refused) = batch.check() {
            return Ticket::ready(Err(refused.into()));
        }
        let (ticket, resolver) = Ticket::pair();
        if let Err((Job::Commit(_, resolver), why)) =
            self.0.queue.push(Job::Commit(batch, resolver))
        {
            resolver.resolve(Err(why));
        }
        ticket
    }

    fn prune(&self, before: Nanos) -> Result<Pruned, StoreError> {
        let mut all = Pruned::default();
        loop {
            let (reply, answer) = sync_channel(1);
            self.0.queue.push(Job::Prune(before, reply)).map_err(|(_, why)| why)?;
            let ended = || StoreError::Closed { why: "its writer has ended".into() };
            let step = answer.recv().map_err(|_| ended())??;
            all.add(&step.pruned);
            if !step.more {
                return Ok(all);
            }
        }
    }
}

/// The store of a profile on disk, for reading beside those who write it.
#[derive(Clone, Debug)]
pub struct SqliteReader(Arc<Readers>);

impl SqliteReader {
    /// Opens the store in a directory for reading. One of an older format is brought up to date first.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none, [`StoreError::Newer`] if a newer version made it; if it is of an older
    /// format, as [`SqliteStore::open`].
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let readers = Readers::new(directory, Weak::new());
        // The file is opened now, so that what is wrong with it is said now.
        let format = readers.read(|connection| Ok(schema::number(connection, "user_version")?))?;
        if format < schema::FORMAT.into() {
            drop(SqliteStore::open(directory, Options::default())?);
        }
        Ok(Self(Arc::new(readers)))
    }

    /// As [`SqliteStore::check`].
    ///
    /// # Errors
    /// If the store as a whole cannot be read.
    pub fn check(&self) -> Result<Vec<Damage>, StoreError> {
        check::check(&self.0)
    }
}

trait Reads {
    fn readers(&self) -> &Arc<Readers>;
}

impl Reads for SqliteStore {
    fn readers(&self) -> &Arc<Readers> {
        &self.0.readers
    }
}

impl Reads for SqliteReader {
    fn readers(&self) -> &Arc<Readers> {
        &self.0
    }
}

impl<T: Reads + Send + Sync> Read for T {
    fn info(&self) -> Result<Info, StoreError> {
        self.readers().info()
    }

    fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers().program(hash)
    }

    fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError> {
        self.readers().run(run)
    }

    fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError> {
        self.readers().holder(run)
    }

    fn changes(&self) -> Result<u64, StoreError> {
        self.readers().changes()
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        self.readers().runs(query)
    }

    fn records(&self, run: &RunId, from: u32) -> Result<Records, StoreError> {
        self.readers().records(run, from)
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers().blob(hash)
    }

    fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError> {
        self.readers().promise(run, key)
    }

    fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError> {
        self.readers().promises(query)
    }

    fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        self.readers().once(call, value)
    }

    fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        self.readers().session(key)
    }

    fn sessions(&self, beyond: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        self.readers().sessions(beyond, limit)
    }

    fn started(&self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        self.readers().started(key)
    }
}
