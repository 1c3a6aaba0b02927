//! A store that fails where a test wants it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::Batch;
use crate::error::{Holder, StoreError};
use crate::store::{Pruned, Read, Records, Store};
use crate::ticket::Ticket;
use crate::types::{
    Hash, Info, Nanos, Once, Promise, PromiseQuery, Run, RunId, RunQuery, Session, StartKey,
    Started,
};

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This one operation fails with this error, and changes nothing; all others work.
    Once(StoreError),
    /// This operation and all after it fail, as if the process had ended before it.
    Crash,
}

/// A store of which one operation fails. Commits, prunings and reads are counted together, from 0 on, in the order of the
/// calls; each step of [`Records`] is not one of its own.
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: S,
    at: u64,
    fault: Fault,
    count: AtomicU64,
}

impl<S> FaultyStore<S> {
    /// Lets the operation with this number fail.
    pub fn new(store: S, at: u64, fault: Fault) -> Self {
        Self { store, at, fault, count: AtomicU64::new(0) }
    }

    /// How many operations there were: a test that tries each runs until this stays below its number.
    pub fn operations(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The store itself.
    pub fn inner(&self) -> &S {
        &self.store
    }

    fn step(&self) -> Result<(), StoreError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        match &self.fault {
            Fault::Once(error) if number == self.at => Err(error.clone()),
            Fault::Crash if number >= self.at => {
                Err(StoreError::Closed { why: "its process has crashed".into() })
            }
            _ => Ok(()),
        }
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn owner(&self) -> u64 {
        self.store.owner()
    }

    fn commit(&self, batch: Batch) -> Ticket {
        match self.step() {
            Ok(()) => self.store.commit(batch),
            Err(error) => Ticket::ready(Err(error)),
        }
    }

    fn prune(&self, before: Nanos) -> Result<Pruned, StoreError> {
        self.step()?;
        self.store.prune(before)
    }
}

impl<S: Read> Read for FaultyStore<S> {
    fn info(&self) -> Result<Info, StoreError> {
        self.step()?;
        self.store.info()
    }

    fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.step()?;
        self.store.program(hash)
    }

    fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError> {
        self.step()?;
        self.store.run(run)
    }

    fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError> {
        self.step()?;
        self.store.holder(run)
    }

    fn changes(&self) -> Result<u64, StoreError> {
        self.step()?;
        self.store.changes()
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        self.step()?;
        self.store.runs(query)
    }

    fn records(&self, run: &RunId, from: u32) -> Result<Records, StoreError> {
        self.step()?;
        self.store.records(run, from)
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.step()?;
        self.store.blob(hash)
    }

    fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError> {
        self.step()?;
        self.store.promise(run, key)
    }

    fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError> {
        self.step()?;
        self.store.promises(query)
    }

    fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        self.step()?;
        self.store.once(call, value)
    }

    fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        self.step()?;
        self.store.session(key)
    }

    fn sessions(&self, beyond: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        self.step()?;
        self.store.sessions(beyond, limit)
    }

    fn started(&self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        self.step()?;
        self.store.started(key)
    }
}
