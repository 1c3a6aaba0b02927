//! The runs of this life of the process: those under way, and a bounded number of those that have ended.
//!
//! They are in memory only. The name of a run carries the name of the process's life, so that a run which a restart
//! has forgotten is told from one that never was.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::StatusCode;
use jiff::Timestamp;
use kait_compiler::diagnostics::Code;
use kait_engine::event::{Arg, Outcome};
pub use kait_runtime::report::{RunDocument, RunState, RunUsage};
use kait_runtime::{Run, RunEnd, RunLog, RunStart, Shared};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalog::Hosted;
use crate::config::Limits;
use crate::feed::Feed;
use crate::problem::Problem;

/// Crockford's alphabet: no letter looks like a digit.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of the name of a process's life: 40 random bits.
const EPOCH: usize = 8;
/// Least letters of a run's number.
const NUMBER: usize = 5;

/// A run that the server knows.
pub struct RunHandle {
    /// Its number in this life of the process.
    pub number: u64,
    /// Its name.
    pub name: SmolStr,
    /// The graph's name.
    pub graph: SmolStr,
    plan: SmolStr,
    started: Timestamp,
    /// Its log, for clients, as long as it is remembered.
    feed: Mutex<Option<Arc<Feed>>>,
    /// Asks it to end.
    pub cancel: CancellationToken,
    /// Set once it has ended.
    pub over: CancellationToken,
    end: OnceLock<(RunState, Bytes)>,
    once: Option<OnceKey>,
}

/// Whose key of a request it is: the token's hash, and what the client calls the request.
type OnceKey = (blake3::Hash, SmolStr);

/// A request that may be sent again and starts one run only.
#[derive(Clone, Debug)]
pub struct Once {
    /// The sender's token.
    pub sender: blake3::Hash,
    /// The request's name.
    pub key: SmolStr,
    /// All that the request asks for: another one cannot have its name.
    pub request: blake3::Hash,
}

/// How a run ended, for whoever waited for it.
pub struct Ended {
    /// The run.
    pub handle: Arc<RunHandle>,
    /// With a value or a failure.
    pub outcome: Outcome,
    /// What it used up.
    pub usage: RunUsage,
}

impl RunHandle {
    /// How it stands.
    pub fn state(&self) -> RunState {
        self.end.get().map_or(RunState::Running, |(state, _)| *state)
    }

    /// Its [`RunDocument`], as JSON.
    pub fn document(&self) -> Bytes {
        match self.end.get() {
            Some((_, document)) => document.clone(),
            None => to_bytes(&self.begun()),
        }
    }

    fn begun(&self) -> RunDocument {
        RunDocument::begun(&self.name, &self.graph, &self.plan, self.started)
    }

    fn ended(&self, hosted: &Hosted, end: &RunEnd) {
        let span = end.failed_at.as_ref().and_then(|at| at.span);
        let place = span.and_then(|span| hosted.program.files.place(span));
        let plan = &hosted.program.plan;
        let document = self.begun().ended(plan, hosted.graph, end, Timestamp::now(), place);
        let _ = self.end.set((document.state, to_bytes(&document)));
    }

    /// Its log.
    ///
    /// # Errors
    /// 410 if the log is forgotten and only the run's document is remembered.
    pub fn feed(&self) -> Result<Arc<Feed>, Box<Problem>> {
        self.known_feed().ok_or_else(|| {
            let detail = format!(
                "the log of the run `{}` is forgotten, as the server remembers only so much of what has ended; how \
                 the run ended is still known",
                self.name
            );
            Problem::new(StatusCode::GONE, Code::NoSuchRun, detail)
                .help(format!("GET /api/runs/{}", self.name))
        })
    }

    fn known_feed(&self) -> Option<Arc<Feed>> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// About how much memory it takes once it has ended, without its log, in bytes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.end.get().map_or(0, |(_, document)| document.len())
    }
}

fn to_bytes(document: &RunDocument) -> Bytes {
    // Keys are texts and numbers are finite: this cannot fail.
    serde_json::to_vec(document).unwrap_or_default().into()
}

/// A run and its task; none if the run was begun by an earlier request.
pub type Begun = (Arc<RunHandle>, Option<JoinHandle<Ended>>);

/// All runs.
pub struct Runs {
    epoch: SmolStr,
    limits: Limits,
    next: AtomicU64,
    slots: Arc<Semaphore>,
    shared: Arc<Shared>,
    table: Mutex<Table>,
    draining: CancellationToken,
}

#[derive(Default)]
struct Table {
    all: BTreeMap<u64, Arc<RunHandle>>,
    /// Those that have ended, in that order, with their bytes; and those of them whose log is remembered, with the
    /// bytes of that.
    finished: VecDeque<(u64, usize)>,
    logs: VecDeque<(u64, usize)>,
    finished_bytes: usize,
    /// What has been asked for under which name, and the run that it started.
    once: FxHashMap<OnceKey, (blake3::Hash, u64)>,
}

/// What a table has let go of: large, so it is freed without the table's lock.
#[derive(Default)]
struct Forgotten {
    runs: Vec<Arc<RunHandle>>,
    logs: Vec<Arc<Feed>>,
}

impl Table {
    /// Adds a run that has ended, and forgets what is too much: first the logs of the oldest, then the oldest runs. How
    /// the newest ended is always remembered: its client has not seen it yet.
    fn finished(&mut self, handle: &RunHandle, limits: &Limits) -> Forgotten {
        let log = handle.known_feed().map_or(0, |feed| feed.log().bytes());
        self.finished.push_back((handle.number, handle.bytes()));
        self.logs.push_back((handle.number, log));
        self.finished_bytes += handle.bytes() + log;
        let mut forgotten = Forgotten::default();
        while self.finished.len() > limits.finished_runs.max(1) {
            self.forget_oldest(&mut forgotten);
        }
        while self.finished_bytes > limits.finished_bytes {
            if let Some((oldest, bytes)) = self.logs.pop_front() {
                self.finished_bytes -= bytes;
                let run = self.all.get(&oldest);
                forgotten.logs.extend(run.and_then(|run| {
                    run.feed.lock().unwrap_or_else(PoisonError::into_inner).take()
                }));
            } else if self.finished.len() > 1 {
                self.forget_oldest(&mut forgotten);
            } else {
                break;
            }
        }
        forgotten
    }

    fn forget_oldest(&mut self, forgotten: &mut Forgotten) {
        let Some((oldest, bytes)) = self.finished.pop_front() else { return };
        self.finished_bytes -= bytes;
        if self.logs.front().is_some_and(|(number, _)| *number == oldest)
            && let Some((_, bytes)) = self.logs.pop_front()
        {
            self.finished_bytes -= bytes;
        }
        if let Some(run) = self.all.remove(&oldest) {
            if let Some(key) = &run.once {
                self.once.remove(key);
            }
            forgotten.runs.push(run);
        }
    }

    /// The run that a request has started before.
    fn known(&self, once: &Once) -> Result<Option<Arc<RunHandle>>, Box<Problem>> {
        let Some((request, number)) = self.once.get(&(once.sender, once.key.clone())) else {
            return Ok(None);
        };
        if *request != once.request {
            let detail = format!("the `Idempotency-Key` `{}` came with another request", once.key);
            // The request is right by itself; it contradicts what was taken before.
            let status = StatusCode::CONFLICT;
            return Err(Problem::new(status, Code::KeyReused, detail)
                .help("send a new key with a new request"));
        }
        Ok(self.all.get(number).cloned())
    }
}

/// What is asked of a list of runs.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only runs before this one.
    pub before: Option<u64>,
    /// Only runs that stand so.
    pub state: Option<RunState>,
    /// Only runs of this graph.
    pub graph: Option<String>,
}

/// Runs that a list looks at, at most: a filter that fits nothing must not walk through all of them again and again.
const MAX_LOOKED_AT: usize = 10_000;

impl Runs {
    /// No runs yet. `draining` says when nothing new may begin.
    pub fn new(limits: Limits, draining: CancellationToken) -> Self {
        let mut seed = [0u8; 8];
        if getrandom::fill(&mut seed).is_err() {
            // Only uniqueness is asked of it, and the clock gives that, too.
            seed = Timestamp::now()
                .as_nanosecond()
                .to_le_bytes()
                .first_chunk()
                .copied()
                .unwrap_or(seed);
        }
        Self {
            epoch: letters(u64::from_le_bytes(seed) & ((1 << (5 * EPOCH)) - 1), EPOCH).into(),
            slots: Arc::new(Semaphore::new(limits.runs.min(Semaphore::MAX_PERMITS))),
            limits,
            next: AtomicU64::new(0),
            shared: Arc::default(),
            table: Mutex::default(),
            draining,
        }
    }

    /// The name of this life of the process.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Begins a run, unless the request has begun one before: then there is no task.
    ///
    /// # Errors
    /// 429 if as many runs are under way as may be, 503 if the server is about to end, 422 if the name of the request
    /// is that of another one.
    pub fn start(
        self: &Arc<Self>,
        hosted: &Arc<Hosted>,
        args: Vec<Arg>,
        traced: bool,
        once: Option<Once>,
    ) -> Result<Begun, Box<Problem>> {
        // Held until the run is in the table: two requests of one name begin one run.
        let mut table = self.table();
        if let Some(once) = &once
            && let Some(known) = table.known(once)?
        {
            return Ok((known, None));
        }
        if self.draining.is_cancelled() {
            let detail = "the server is about to end, and begins no new runs";
            return Err(
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ServerBusy, detail).busy()
            );
        }
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            let detail = format!("{} runs are under way, and no more are taken", self.limits.runs);
            return Err(
                Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::ServerBusy, detail).busy()
            );
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = SmolStr::from(format!("r_{}{}", self.epoch, letters(number, NUMBER)));
        let log = RunLog::bounded(name.clone(), self.limits.ring_records, self.limits.ring_bytes);
        let feed = Arc::new(Feed::new(Arc::clone(&log), self.epoch.clone()));
        let handle = Arc::new(RunHandle {
            number,
            name: name.clone(),
            graph: hosted.name.clone(),
            plan: hosted.hash.clone(),
            started: Timestamp::now(),
            feed: Mutex::new(Some(feed)),
            cancel: CancellationToken::new(),
            over: CancellationToken::new(),
            end: OnceLock::new(),
            once: once.as_ref().map(|once| (once.sender, once.key.clone())),
        });
        if let Some(once) = once {
            table.once.insert((once.sender, once.key), (once.request, number));
        }
        table.all.insert(number, Arc::clone(&handle));
        drop(table);
        let start = RunStart {
            run: name,
            graph: hosted.graph,
            args,
            growing: Vec::new(),
            traced,
            parallel: self.limits.parallel,
            people: None,
            recorder: None,
            leave: CancellationToken::new(),
            journal: Vec::new(),
        };
        let run = Arc::clone(&handle);
        let driven = Arc::clone(self).drive(Arc::clone(hosted), run, log, start, slot);
        Ok((handle, Some(tokio::spawn(driven))))
    }

    async fn drive(
        self: Arc<Self>,
        hosted: Arc<Hosted>,
        handle: Arc<RunHandle>,
        log: Arc<RunLog>,
        start: RunStart,
        slot: OwnedSemaphorePermit,
    ) -> Ended {
        // Whatever happens, nobody waits for ever.
        let _over = handle.over.clone().drop_guard();
        let run = Run::start(
            Arc::clone(&hosted.program.plan),
            Arc::clone(&hosted.program.connections),
            Arc::clone(&self.shared),
            start,
            log,
            handle.cancel.clone(),
        );
        // A fault of ours in one run must not leave it under way for ever.
        let end = AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| RunEnd::fault());
        handle.ended(&hosted, &end);
        let forgotten = self.table().finished(&handle, &self.limits);
        drop(forgotten);
        drop(slot);
        Ended { handle, usage: RunUsage::from(&end.usage), outcome: end.outcome }
    }

    /// The run of that name.
    ///
    /// # Errors
    /// 404 if there never was one, 410 if it has been forgotten, with the reason.
    pub fn get(&self, name: &str) -> Result<Arc<RunHandle>, Box<Problem>> {
        let unknown = || {
            Problem::new(
                StatusCode::NOT_FOUND,
                Code::NoSuchRun,
                format!("there is no run `{}`", shown(name)),
            )
        };
        let (epoch, number) = self.split(name).ok_or_else(unknown)?;
        if epoch != self.epoch {
            let detail = format!(
                "the run `{name}` is of an earlier life of the server: runs are kept in memory only, and a \
                 restart loses them with their events"
            );
            return Err(
                Problem::new(StatusCode::GONE, Code::NoSuchRun, detail).help("start it again")
            );
        }
        if let Some(handle) = self.table().all.get(&number) {
            return Ok(Arc::clone(handle));
        }
        if number >= self.next.load(Ordering::Relaxed) {
            return Err(unknown());
        }
        let detail = format!(
            "the run `{name}` has ended and is forgotten: the server remembers {} finished runs, and {} MB of them",
            self.limits.finished_runs,
            self.limits.finished_bytes >> 20,
        );
        Err(Problem::new(StatusCode::GONE, Code::NoSuchRun, detail).help("start it again"))
    }

    /// The number of a run of this life, for lists.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.split(name).filter(|(epoch, _)| *epoch == self.epoch).map(|(_, number)| number)
    }

    fn split<'n>(&self, name: &'n str) -> Option<(&'n str, u64)> {
        let (epoch, number) = name.strip_prefix("r_")?.split_at_checked(EPOCH)?;
        let known = |text: &str| text.bytes().all(|byte| DIGITS.contains(&byte));
        if !known(epoch) || !known(number) || !(NUMBER..=12).contains(&number.len()) {
            return None;
        }
        // One name a run: zeros in front only fill it up.
        if number.len() > NUMBER && number.starts_with('0') {
            return None;
        }
        let digit = |byte| DIGITS.iter().position(|digit| *digit == byte).unwrap_or(0) as u64;
        Some((epoch, number.bytes().fold(0, |number, byte| (number << 5) | digit(byte))))
    }

    /// The newest runs that fit, at most `most`, and whether there are more.
    pub fn list(&self, filter: &Filter, most: usize) -> (Vec<Arc<RunHandle>>, bool) {
        let table = self.table();
        let mut found = Vec::new();
        let before = filter.before.unwrap_or(u64::MAX);
        for handle in table.all.range(..before).rev().take(MAX_LOOKED_AT).map(|(_, handle)| handle)
        {
            if filter.state.is_none_or(|state| handle.state() == state)
                && filter.graph.as_ref().is_none_or(|graph| *graph == handle.graph)
            {
                if found.len() == most {
                    return (found, true);
                }
                found.push(Arc::clone(handle));
            }
        }
        (found, false)
    }

    /// Asks all runs under way to end.
    pub fn cancel_all(&self) {
        let running: Vec<_> = self.table().all.values().cloned().collect();
        for handle in running.iter().filter(|handle| handle.state() == RunState::Running) {
            handle.cancel.cancel();
        }
    }

    /// How many runs are under way.
    pub fn running(&self) -> usize {
        self.limits.runs.saturating_sub(self.slots.available_permits())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No call that can panic is made while it is held.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in Crockford's alphabet, at least so many letters.
fn letters(mut number: u64, least: usize) -> String {
    let mut out = Vec::with_capacity(least);
    while number > 0 || out.len() < least {
        out.push(DIGITS.get((number & 31) as usize).copied().unwrap_or(b'0'));
        number >>= 5;
    }
    out.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// What a client sent, cut for a message.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Runs {
        Runs::new(Limits::default(), CancellationToken::new())
    }

    #[test]
    fn names_come_apart_as_they_were_put_together() {
        let runs = runs();
        for number in [0, 1, 31, 32, 1 << 25, (1 << 40) + 5] {
            let name = format!("r_{}{}", runs.epoch(), letters(number, NUMBER));
            assert_eq!(runs.number(&name), Some(number), "{name}");
        }
    }

    #[test]
    fn what_is_forgotten_is_told_from_what_never_was() {
        let (runs, before) = (runs(), runs());
        let old = format!("r_{}00000", before.epoch());
        let gone = runs.get(&old).err().unwrap();
        assert_eq!((gone.status, gone.code.as_str()), (410, "K9046"));
        assert!(gone.detail.contains("earlier life"), "{}", gone.detail);
        let (never, odd) =
            (format!("r_{}00000", runs.epoch()), format!("r_{}000000", before.epoch()));
        for never in ["", "r_", "x", "r_ü", "r_0000000", &never, &odd] {
            assert_eq!(runs.get(never).err().unwrap().status, 404, "{never}");
        }
        let long = "y".repeat(10_000);
        assert!(runs.get(&long).err().unwrap().detail.len() < 300);
    }
}
