//! A store in memory: for simulated runs and tests. Nothing outlives the process.
//!
//! Several processes can be played on it ([`MemoryStore::another`]). Each can hold its commits back ([`MemoryStore::hold`]),
//! as a disk does, and crash ([`MemoryStore::crash`]): what it had not committed by then is lost, and whoever still has its
//! handles is shut out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smol_str::SmolStr;

use crate::BLOB_FROM;
use crate::batch::{Batch, Change};
use crate::error::{Holder, Refused, StoreError};
use crate::rules::{self, Head, Tables};
use crate::store::{Pruned, Read, Records, Store};
use crate::ticket::{Resolver, Ticket};
use crate::types::{
    Hash, Info, Nanos, NewRun, Once, Promise, PromiseQuery, PromiseState, Question, Record, Run,
    RunId, RunQuery, RunState, Session, StartKey, Started,
};

/// A store in memory. Clones are handles of the same process; it ends with the last of them.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Process>);

/// One process of those that have the store open.
#[derive(Debug)]
struct Process {
    owner: u64,
    rows: Arc<Mutex<Rows>>,
    own: Mutex<Own>,
}

/// What ends with a process.
#[derive(Debug, Default)]
struct Own {
    held: VecDeque<(Batch, Resolver)>,
    holds: bool,
    crashed: bool,
}

impl Process {
    fn new(rows: Arc<Mutex<Rows>>) -> Self {
        let owner = {
            let mut rows = locked(&rows);
            rows.last_owner += 1;
            let owner = rows.last_owner;
            rows.living.insert(owner);
            owner
        };
        Self { owner, rows, own: Mutex::default() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        locked(&self.rows).living.remove(&self.owner);
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self(Arc::new(Process::new(Arc::default())))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is durable, as far as memory can be.
#[derive(Debug, Default)]
struct Rows {
    last_owner: u64,
    living: BTreeSet<u64>,
    /// Whose batch is under way.
    me: u64,
    /// How many batches have been committed.
    changes: u64,
    programs: BTreeMap<Hash, Arc<[u8]>>,
    runs: BTreeMap<u32, Entry>,
    numbers: BTreeMap<RunId, u32>,
    last_run: u32,
    blobs: BTreeMap<Hash, Arc<[u8]>>,
    promises: BTreeMap<u64, Promise>,
    /// By the number of the run and the question's key.
    promise_numbers: BTreeMap<(u32, SmolStr), u64>,
    last_promise: u64,
    once: BTreeMap<(SmolStr, Hash), Once>,
    sessions: BTreeMap<SmolStr, Session>,
    started: BTreeMap<StartKey, Started>,
    /// How to take back what the batch under way has changed, in reverse; `None` if it need not be possible.
    undo: Option<Vec<Undo>>,
}

#[derive(Debug)]
struct Entry {
    run: Run,
    owner: Option<u64>,
    records: Vec<Record>,
    /// The blobs that it keeps.
    blobs: Vec<Hash>,
}

/// A row as it was before a change.
#[derive(Debug)]
enum Undo {
    Program(Hash),
    NewRun(u32),
    Run(Box<Run>, Option<u64>),
    Records(u32, u32),
    RemovedRun(Box<Entry>),
    Blob(u32, Hash, bool),
    NewPromise(u64),
    Promise(Box<Promise>),
    Once(SmolStr, Hash, Option<Once>),
    Session(SmolStr, Option<Session>),
    Started(StartKey, Option<Started>),
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another process opens the same store.
    #[must_use = "it ends with its last handle"]
    pub fn another(&self) -> Self {
        Self(Arc::new(Process::new(Arc::clone(&self.0.rows))))
    }

    /// From now on commits of this process are held back until [`Self::flush`].
    pub fn hold(&self) {
        self.own().holds = true;
    }

    /// Commits at most so many of the batches that this process holds back, oldest first. Gives how many are still held
    /// back.
    pub fn flush(&self, at_most: usize) -> usize {
        for _ in 0..at_most {
            let mut own = self.own();
            let Some((batch, resolver)) = own.held.pop_front() else { break };
            let outcome = locked(&self.0.rows).commit(self.0.owner, &batch);
            // Whoever is woken may come back at once.
            drop(own);
            resolver.resolve(outcome);
        }
        self.own().held.len()
    }

    /// The process ends here: what it holds back is lost, this store and its clones commit nothing any more. Gives the store
    /// that the next process finds; it holds nothing back.
    #[must_use = "it holds what has survived"]
    pub fn crash(&self) -> Self {
        let mut own = self.own();
        own.crashed = true;
        let held = std::mem::take(&mut own.held);
        locked(&self.0.rows).living.remove(&self.0.owner);
        drop(own);
        drop(held);
        self.another()
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        locked(&self.0.own)
    }

    fn read<T>(&self, read: impl FnOnce(&Rows) -> T) -> Result<T, StoreError> {
        let own = self.own();
        if own.crashed { Err(crashed()) } else { Ok(read(&locked(&self.0.rows))) }
    }
}

fn crashed() -> StoreError {
    StoreError::Closed { why: "its process has crashed".into() }
}

impl Store for MemoryStore {
    fn owner(&self) -> u64 {
        self.0.owner
    }

    fn commit(&self, batch: Batch) -> Ticket {
        if let Err(refused) = batch.check() {
            return Ticket::ready(Err(refused.into()));
        }
        let mut own = self.own();
        if own.crashed {
            return Ticket::ready(Err(crashed()));
        }
        if own.holds {
            let (ticket, resolver) = Ticket::pair();
            own.held.push_back((batch, resolver));
            return ticket;
        }
        Ticket::ready(locked(&self.0.rows).commit(self.0.owner, &batch))
    }

    fn prune(&self, before: Nanos) -> Result<Pruned, StoreError> {
        let own = self.own();
        if own.crashed { Err(crashed()) } else { locked(&self.0.rows).prune(before) }
    }
}

impl Read for MemoryStore {
    fn info(&self) -> Result<Info, StoreError> {
        let created_by = concat!("kait ", env!("CARGO_PKG_VERSION")).into();
        self.read(|_| Info { id: "0".repeat(32).into(), format: 0, created_by })
    }

    fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|rows| rows.programs.get(hash).map(|bytes| bytes.to_vec()))
    }

    fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError> {
        self.read(|rows| rows.entry(run).map(|entry| entry.run.clone()))
    }

    fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError> {
        self.read(|rows| {
            let owner = rows.entry(run).and_then(|entry| entry.owner);
            owner.filter(|owner| rows.living.contains(owner)).map(this_process)
        })
    }

    fn changes(&self) -> Result<u64, StoreError> {
        self.read(|rows| rows.changes)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        self.read(|rows| {
            let wanted = |entry: &&Entry| query.wants(&entry.run);
            let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
            let runs = rows.runs.values();
            let take = |entry: &Entry| entry.run.clone();
            if query.newest_first {
                runs.rev().filter(wanted).take(limit).map(take).collect()
            } else {
                runs.filter(wanted).take(limit).map(take).collect()
            }
        })
    }

    fn records(&self, run: &RunId, from: u32) -> Result<Records, StoreError> {
        let (number, end) = self
            .read(|rows| rows.entry(run).map(|entry| (entry.run.number, entry.run.records)))?
            .ok_or_else(|| Refused::NoRun { run: run.clone() })?;
        let (store, run) = (self.clone(), run.clone());
        let mut seq = from;
        Ok(Records::new(std::iter::from_fn(move || {
            if seq >= end {
                return None;
            }
            let record = store.read(|rows| {
                rows.runs.get(&number).and_then(|entry| entry.records.get(seq as usize).cloned())
            });
            seq += 1;
            match record {
                Ok(Some(record)) => Some(Ok(record)),
                // Removed meanwhile.
                Ok(None) => {
                    seq = end;
                    Some(Err(Refused::NoRun { run: run.clone() }.into()))
                }
                Err(error) => {
                    seq = end;
                    Some(Err(error))
                }
            }
        })))
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|rows| rows.blobs.get(hash).map(|bytes| bytes.to_vec()))
    }

    fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError> {
        self.read(|rows| rows.promise_of(*rows.numbers.get(run)?, key).cloned())
    }

    fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError> {
        self.read(|rows| {
            let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
            let beyond = query.beyond.map_or(Bound::Unbounded, Bound::Excluded);
            let promises = rows.promises.range((beyond, Bound::Unbounded));
            let wanted = promises.map(|(_, promise)| promise).filter(|it| query.wants(it));
            wanted.take(limit).cloned().collect()
        })
    }

    fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        self.read(|rows| rows.once.get(&(call.into(), *value)).cloned())
    }

    fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        self.read(|rows| rows.sessions.get(key).cloned())
    }

    fn sessions(&self, beyond: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        self.read(|rows| {
            let beyond = beyond.map_or(Bound::Unbounded, Bound::Excluded);
            let sessions = rows.sessions.range::<str, _>((beyond, Bound::Unbounded));
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            sessions.take(limit).map(|(key, _)| key.to_string()).collect()
        })
    }

    fn started(&self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        self.read(|rows| rows.started.get(key).cloned())
    }
}

impl RunQuery {
    fn wants(&self, run: &Run) -> bool {
        let beyond = self.beyond.is_none_or(|beyond| {
            if self.newest_first { run.number < beyond } else { run.number > beyond }
        });
        beyond
            && (self.states.is_empty() || self.states.contains(&run.state))
            && self.graph.as_ref().is_none_or(|graph| *graph == run.graph)
            && (self.session.is_none() || self.session == run.session)
            && (self.parent.is_none()
                || self.parent.as_ref() == run.parent.as_ref().map(|p| p.run()))
    }
}

impl PromiseQuery {
    fn wants(&self, promise: &Promise) -> bool {
        (!self.open || promise.state == PromiseState::Open)
            && self.run.as_ref().is_none_or(|run| *run == promise.run)
            && (self.role.is_none() || self.role == promise.question.role)
    }
}

impl Rows {
    fn entry(&self, run: &RunId) -> Option<&Entry> {
        self.runs.get(self.numbers.get(run)?)
    }

    fn promise_of(&self, run: u32, key: &str) -> Option<&Promise> {
        self.promises.get(self.promise_numbers.get(&(run, key.into()))?)
    }

    fn commit(&mut self, owner: u64, batch: &Batch) -> Result<(), StoreError> {
        self.me = owner;
        self.undo = (!batch.is_single_write()).then(Vec::new);
        let outcome = batch.ops.iter().try_for_each(|op| rules::apply(op, self));
        let undo = self.undo.take().unwrap_or_default();
        if outcome.is_err() {
            undo.into_iter().rev().for_each(|change| self.take_back(change));
        } else if !batch.is_empty() {
            self.changes += 1;
        }
        outcome
    }

    fn did(&mut self, undo: impl FnOnce() -> Undo) {
        if let Some(changes) = &mut self.undo {
            changes.push(undo());
        }
    }

    fn take_back(&mut self, change: Undo) {
        match change {
            Undo::Program(hash) => drop(self.programs.remove(&hash)),
            Undo::NewRun(number) => {
                if let Some(entry) = self.runs.remove(&number) {
                    self.numbers.remove(&entry.run.id);
                }
                self.last_run = number - 1;
            }
            Undo::Run(run, owner) => {
                if let Some(entry) = self.runs.get_mut(&run.number) {
                    (entry.run, entry.owner) = (*run, owner);
                }
            }
            Undo::Records(number, count) => {
                if let Some(entry) = self.runs.get_mut(&number) {
                    entry.records.truncate(count as usize);
                    entry.run.records = count;
                }
            }
            Undo::RemovedRun(entry) => {
                self.numbers.insert(entry.run.id.clone(), entry.run.number);
                self.runs.insert(entry.run.number, *entry);
            }
            Undo::Blob(number, hash, is_new) => {
                if let Some(entry) = self.runs.get_mut(&number) {
                    entry.blobs.pop();
                }
                if is_new {
                    self.blobs.remove(&hash);
                }
            }
            Undo::NewPromise(number) => {
                self.promises.remove(&number);
                self.promise_numbers.retain(|_, other| *other != number);
                self.last_promise = number - 1;
            }
            Undo::Promise(promise) => {
                if let Some(run) = self.numbers.get(&promise.run) {
                    let key = (*run, promise.question.key.clone());
                    self.promise_numbers.insert(key, promise.number);
                }
                self.promises.insert(promise.number, *promise);
            }
            Undo::Once(call, value, once) => put_back(&mut self.once, (call, value), once),
            Undo::Session(key, session) => put_back(&mut self.sessions, key, session),
            Undo::Started(key, started) => put_back(&mut self.started, key, started),
        }
    }

    fn prune(&mut self, before: Nanos) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        self.changes += 1;
        let old = |run: &Run| {
            run.state != RunState::Damaged
                && run.state.is_final()
                && run.ended.is_some_and(|ended| ended < before)
        };
        let runs: Vec<_> =
            self.runs.values().map(|entry| &entry.run).filter(|run| old(run)).cloned().collect();
        for run in runs {
            let Some(head) = self.head(&run.id)? else { continue };
            self.remove_run(&run.id, &head)?;
            pruned.runs += 1;
            pruned.records += u64::from(run.records);
        }
        let count = self.started.len();
        self.started.retain(|_, started| started.at >= before);
        pruned.keys = (count - self.started.len()) as u64;
        let entries = self.runs.values();
        let kept: std::collections::BTreeSet<Hash> = entries
            .flat_map(|entry| entry.blobs.iter().copied().chain([entry.run.program]))
            .collect();
        let count = self.blobs.len();
        self.blobs.retain(|hash, _| kept.contains(hash));
        pruned.blobs = (count - self.blobs.len()) as u64;
        let count = self.programs.len();
        self.programs.retain(|hash, _| kept.contains(hash));
        pruned.programs = (count - self.programs.len()) as u64;
        Ok(pruned)
    }

    fn change_session(&mut self, key: &str, change: impl FnOnce(&mut Session)) {
        let before = self.sessions.get(key).cloned();
        self.did(|| Undo::Session(key.into(), before));
        let none = || Session { key: key.into(), cells: Vec::new(), version: 0, owner: None };
        change(self.sessions.entry(key.into()).or_insert_with(none));
    }
}

fn put_back<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, row: Option<V>) {
    match row {
        Some(row) => drop(rows.insert(key, row)),
        None => drop(rows.remove(&key)),
    }
}

/// All processes that are played are this one.
fn this_process(owner: u64) -> Holder {
    Holder { owner, pid: Some(std::process::id()), since: None }
}

impl Tables for Rows {
    fn me(&self) -> u64 {
        self.me
    }

    fn lives(&mut self, owner: u64) -> Result<bool, StoreError> {
        Ok(self.living.contains(&owner))
    }

    fn holder(&mut self, owner: u64) -> Result<Holder, StoreError> {
        Ok(this_process(owner))
    }

    fn has_program(&mut self, hash: &Hash) -> Result<bool, StoreError> {
        Ok(self.programs.contains_key(hash))
    }

    fn put_program(&mut self, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        self.did(|| Undo::Program(*hash));
        self.programs.insert(*hash, bytes.into());
        Ok(())
    }

    fn head(&mut self, run: &RunId) -> Result<Option<Head>, StoreError> {
        Ok(self.entry(run).map(|Entry { run, owner, .. }| Head {
            number: run.number,
            state: run.state,
            session: run.session.clone(),
            next: run.records,
            owner: *owner,
        }))
    }

    fn insert_run(&mut self, new: &NewRun) -> Result<(), StoreError> {
        self.last_run += 1;
        let number = self.last_run;
        self.did(|| Undo::NewRun(number));
        let NewRun { id, program, graph, meta, created, parent, session, state } = new.clone();
        let (wake, ended, summary, records) = (None, None, Vec::new(), 0);
        self.numbers.insert(id.clone(), number);
        if let Some(session) = &session {
            self.change_session(session, |_| {});
        }
        let run = Run {
            number,
            id,
            program,
            graph,
            meta,
            created,
            parent,
            session,
            state,
            wake,
            ended,
            summary,
            records,
        };
        let owner = (state == RunState::Running).then_some(self.me);
        self.runs.insert(number, Entry { run, owner, records: Vec::new(), blobs: Vec::new() });
        Ok(())
    }

    fn change_run(&mut self, head: &Head, change: &Change) -> Result<(), StoreError> {
        let before = self.runs.get(&head.number).map(|entry| (entry.run.clone(), entry.owner));
        let Some((before, its_owner)) = before else { return Ok(()) };
        self.did(|| Undo::Run(Box::new(before), its_owner));
        let me = self.me;
        if let Some(Entry { run, owner, .. }) = self.runs.get_mut(&head.number) {
            run.state = change.state;
            *owner = (change.state == RunState::Running).then_some(me);
            run.wake = change.wake;
            // What was known of the end of a run stays when it turns out to be damaged.
            run.ended = change.ended.or(run.ended);
            if !change.summary.is_empty() {
                run.summary.clone_from(&change.summary);
            }
        }
        Ok(())
    }

    fn append(&mut self, _: &RunId, head: &Head, records: &[Record]) -> Result<(), StoreError> {
        for record in records.iter().filter(|record| record.payload.len() > BLOB_FROM) {
            self.put_blob(head, &Hash::of(&record.payload), &record.payload)?;
        }
        self.did(|| Undo::Records(head.number, head.next));
        if let Some(entry) = self.runs.get_mut(&head.number) {
            entry.records.extend_from_slice(records);
            entry.run.records = records.last().map_or(head.next, |last| last.seq + 1);
        }
        Ok(())
    }

    fn remove_run(&mut self, run: &RunId, head: &Head) -> Result<(), StoreError> {
        let keys = self.promise_numbers.range((head.number, SmolStr::default())..);
        let keys: Vec<_> = keys
            .take_while(|((run, _), _)| *run == head.number)
            .map(|(key, _)| key.clone())
            .collect();
        let mut promises = Vec::new();
        for key in keys {
            let number = self.promise_numbers.remove(&key);
            promises.extend(number.and_then(|number| self.promises.remove(&number)));
        }
        self.numbers.remove(run);
        let entry = self.runs.remove(&head.number);
        // Taken back in reverse: the run has to be there before its questions.
        for promise in promises {
            self.did(|| Undo::Promise(Box::new(promise)));
        }
        if let Some(entry) = entry {
            self.did(|| Undo::RemovedRun(Box::new(entry)));
        }
        Ok(())
    }

    fn put_blob(&mut self, head: &Head, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        let is_new = !self.blobs.contains_key(hash);
        self.did(|| Undo::Blob(head.number, *hash, is_new));
        if is_new {
            self.blobs.insert(*hash, bytes.into());
        }
        if let Some(entry) = self.runs.get_mut(&head.number) {
            entry.blobs.push(*hash);
        }
        Ok(())
    }

    fn promise(&mut self, head: &Head, key: &str) -> Result<Option<PromiseState>, StoreError> {
        Ok(self.promise_of(head.number, key).map(|promise| promise.state.clone()))
    }

    fn insert_promise(
        &mut self,
        run: &RunId,
        head: &Head,
        question: &Question,
    ) -> Result<(), StoreError> {
        self.last_promise += 1;
        let number = self.last_promise;
        self.did(|| Undo::NewPromise(number));
        self.promise_numbers.insert((head.number, question.key.clone()), number);
        let (run, question) = (run.clone(), question.clone());
        self.promises.insert(number, Promise { number, run, question, state: PromiseState::Open });
        Ok(())
    }

    fn change_promise(
        &mut self,
        head: &Head,
        key: &str,
        state: &PromiseState,
    ) -> Result<(), StoreError> {
        let Some(before) = self.promise_of(head.number, key).cloned() else { return Ok(()) };
        let number = before.number;
        self.did(|| Undo::Promise(Box::new(before)));
        if let Some(promise) = self.promises.get_mut(&number) {
            promise.state = state.clone();
        }
        Ok(())
    }

    fn withdraw_open(&mut self, head: &Head) -> Result<(), StoreError> {
        let keys = self.promise_numbers.range((head.number, SmolStr::default())..);
        let of_run = keys.take_while(|((run, _), _)| *run == head.number);
        let open = |number: &&u64| {
            self.promises.get(number).is_some_and(|promise| promise.state == PromiseState::Open)
        };
        let numbers: Vec<u64> = of_run.map(|(_, number)| number).filter(open).copied().collect();
        for number in numbers {
            let Some(before) = self.promises.get(&number).cloned() else { continue };
            self.did(|| Undo::Promise(Box::new(before)));
            if let Some(promise) = self.promises.get_mut(&number) {
                promise.state = PromiseState::Withdrawn;
            }
        }
        Ok(())
    }

    fn once(&mut self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        Ok(self.once.get(&(call.into(), *value)).cloned())
    }

    fn put_once(
        &mut self,
        call: &str,
        value: &Hash,
        once: Option<&Once>,
    ) -> Result<(), StoreError> {
        let key = (SmolStr::from(call), *value);
        let before = self.once.get(&key).cloned();
        self.did(|| Undo::Once(call.into(), *value, before));
        put_back(&mut self.once, key, once.cloned());
        Ok(())
    }

    fn owner(&mut self, session: &str) -> Result<Option<RunId>, StoreError> {
        Ok(self.sessions.get(session).and_then(|session| session.owner.clone()))
    }

    fn set_owner(&mut self, session: &str, owner: Option<&RunId>) -> Result<(), StoreError> {
        self.change_session(session, |session| session.owner = owner.cloned());
        Ok(())
    }

    fn save_cells(&mut self, session: &str, cells: &[u8]) -> Result<(), StoreError> {
        self.change_session(session, |session| {
            session.cells = cells.to_vec();
            session.version += 1;
        });
        Ok(())
    }

    fn remove_session(&mut self, session: &str) -> Result<(), StoreError> {
        let before = self.sessions.remove(session);
        self.did(|| Undo::Session(session.into(), before));
        Ok(())
    }

    fn started(&mut self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        Ok(self.started.get(key).cloned())
    }

    fn put_started(&mut self, key: &StartKey, started: &Started) -> Result<(), StoreError> {
        let before = self.started.insert(key.clone(), started.clone());
        self.did(|| Undo::Started(key.clone(), before));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(store: &MemoryStore, run: &str) -> Ticket {
        let program = Hash::of(b"p");
        let mut batch = Batch::new();
        batch.program(program, b"p").start(NewRun::new(run, program, "main", 0));
        store.commit(batch)
    }

    #[test]
    fn what_is_held_back_is_not_seen_and_lost_in_a_crash() {
        let store = MemoryStore::new();
        started(&store, "a").wait().unwrap();
        store.hold();
        let (b, c) = (started(&store, "b"), started(&store, "c"));
        assert!(b.outcome().is_none() && store.run(&"b".into()).unwrap().is_none());
        assert_eq!(store.flush(1), 1);
        b.wait().unwrap();

        let after = store.crash();
        assert!(matches!(c.wait(), Err(StoreError::Closed { .. })));
        assert!(matches!(started(&store, "d").wait(), Err(StoreError::Closed { .. })));
        assert!(store.run(&"a".into()).is_err(), "the old process reads nothing any more");
        let names: Vec<_> =
            after.runs(&RunQuery::default()).unwrap().iter().map(|r| r.id.to_string()).collect();
        assert_eq!(names, ["a", "b"]);
        started(&after, "c").wait().unwrap();
    }
}
