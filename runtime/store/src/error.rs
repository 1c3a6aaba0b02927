//! What can go wrong with a store, in words for people: what, where, what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::types::{Answer, Nanos, Once, RunId, RunState, Started};

/// Processes that an error names.
const NAMED: usize = 4;

/// Why a store could not do what was asked. Cheap to clone: what fails for one batch of a group fails for all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The batch does not fit what the store holds. Nothing of it was done; the store goes on.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The disk has no room. Nothing of the batch was done, and it may be committed again.
    #[error(
        "no room is left on the disk of `{}`: free some, or remove old runs with `kait runs prune`",
        path.display()
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The store or its directory cannot be written.
    #[error("`{}` cannot be written: {why}; give this user the right to write there", path.display())]
    ReadOnly {
        /// What cannot be written.
        path: PathBuf,
        /// Why, in the system's words.
        why: SmolStr,
    },
    /// Another process was in the way of a commit for too long. Nothing of the batch was done, and it may be committed again.
    #[error(
        "the store in `{}` has been locked for {} s by {}: let it finish, or end it, and try again",
        path.display(), waited.as_secs(), any(holders)
    )]
    Busy {
        /// The store's directory.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
        /// The processes that have the store open; one of them is in the way. None, if it is another program.
        holders: Vec<Holder>,
    },
    /// The store has to be brought to a newer format, and another process has it open.
    #[error(
        "the store in `{}` has format {found} and is to become format {wanted}, but {} has it open: end that process, then try again",
        path.display(), any(holders)
    )]
    InUse {
        /// The store's directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format it is to have.
        wanted: u32,
        /// The processes that have it open.
        holders: Vec<Holder>,
    },
    /// The store was made by a newer version.
    #[error(
        "the store in `{}` has format {found}, this version reads up to {known}: use the newer version of kait that made it, or another profile",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The file is not a store.
    #[error("`{}` is not a store of kait: {why}; move it away, and a new one is made", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: SmolStr,
    },
    /// There is no store to read.
    #[error("there is no store at `{}`: nothing has run in this profile yet", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The database as a whole does not hold what was written.
    #[error("the store `{}` is damaged: {why}; `kait doctor` shows what can be saved", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What was found.
        why: SmolStr,
    },
    /// Something in the store does not hold what was written; all else is as usable as before.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The database did not take a setting that durability rests on.
    #[error("the database `{}` has `{pragma}` at {found} instead of {wanted}: the file system may not allow it", path.display())]
    Setting {
        /// The database.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it must be.
        wanted: SmolStr,
        /// What it is.
        found: SmolStr,
    },
    /// Others than the owner could change the store.
    #[error("others than its owner may write to `{}`: take that right away (`chmod go-w`)", path.display())]
    Exposed {
        /// The directory or file.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("could not {doing} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `create`, `lock`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The database failed in a way that nothing else here covers.
    #[error("the database `{}` failed to {doing}: {why}", path.display())]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The database.
        path: PathBuf,
        /// Why not, in its words.
        why: SmolStr,
    },
    /// The store was closed, or has stopped after a failure, before this was durable.
    #[error("the store is closed: {why}")]
    Closed {
        /// Why.
        why: SmolStr,
    },
}

/// What a batch asked for that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The program of a run is neither in the store nor in the batch.
    #[error("the program of run `{run}` is not in the store")]
    NoProgram {
        /// The run that was to be started.
        run: RunId,
    },
    /// There is a run of that name already.
    #[error("there is a run `{run}` already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The run belongs to another process, which alone may go on with it.
    #[error(
        "run `{run}` belongs to {holder}: leave it to that process, or end that process and take the run up with `kait resume {run}`"
    )]
    OwnedElsewhere {
        /// The run.
        run: RunId,
        /// The process.
        holder: Holder,
    },
    /// There is no such run.
    #[error("there is no run `{run}` in this profile")]
    NoRun {
        /// The name.
        run: RunId,
    },
    /// The run has ended: nothing is added to it.
    #[error("run `{run}` is {state}: nothing is added to it any more")]
    Ended {
        /// The run.
        run: RunId,
        /// How it stands.
        state: RunState,
    },
    /// The run has not ended.
    #[error("run `{run}` is {state}: cancel it first")]
    NotEnded {
        /// The run.
        run: RunId,
        /// How it stands.
        state: RunState,
    },
    /// A record is not the next one of its run: somebody else writes, or a batch before was refused.
    #[error("the next record of run `{run}` is {next}, not {seq}")]
    OutOfOrder {
        /// The run.
        run: RunId,
        /// What was to be appended.
        seq: u32,
        /// What can be.
        next: u32,
    },
    /// The run asked under that key before.
    #[error("run `{run}` asked `{key}` before")]
    PromiseExists {
        /// The run.
        run: RunId,
        /// The question's key.
        key: SmolStr,
    },
    /// There is no such question.
    #[error("run `{run}` asks nothing called `{key}`")]
    NoPromise {
        /// The run.
        run: RunId,
        /// The question's key.
        key: SmolStr,
    },
    /// Somebody was faster: the first answer counts.
    #[error("{} has answered `{key}` of run `{run}` already", answer.by)]
    Answered {
        /// The run.
        run: RunId,
        /// The question's key.
        key: SmolStr,
        /// The answer that counts.
        answer: Box<Answer>,
    },
    /// The run does not wait for that answer any more.
    #[error("run `{run}` does not wait for `{key}` any more")]
    Withdrawn {
        /// The run.
        run: RunId,
        /// The question's key.
        key: SmolStr,
    },
    /// The call with this value was made before, or is being made.
    #[error("run `{}` has called `{call}` with this value already", once.run)]
    OnceTaken {
        /// The call's name.
        call: SmolStr,
        /// Who has it, and what it gave.
        once: Box<Once>,
    },
    /// The run has not claimed the call.
    #[error("run `{run}` has no claim to `{call}` with this value")]
    OnceNotHeld {
        /// The run.
        run: RunId,
        /// The call's name.
        call: SmolStr,
    },
    /// The session is another run's.
    #[error("session `{session}` belongs to run `{owner}` until that ends")]
    SessionTaken {
        /// The session's key.
        session: SmolStr,
        /// The run that owns it.
        owner: RunId,
    },
    /// The run does not own a session, so it cannot save its cells.
    #[error("run `{run}` owns no session")]
    NoSession {
        /// The run.
        run: RunId,
    },
    /// That start was heard of before.
    #[error("the start `{key}` of `{scope}` was heard of before")]
    KnownKey {
        /// Within what the key is unique.
        scope: SmolStr,
        /// The key.
        key: SmolStr,
        /// What came of it.
        started: Box<Started>,
    },
    /// A change of state that cannot be: back to the queue, or a start as anything but running or queued.
    #[error("run `{run}` cannot become {state}")]
    NoSuchChange {
        /// The run.
        run: RunId,
        /// The state that was asked for.
        state: RunState,
    },
    /// Something is larger than the store takes.
    #[error("{what} has {size} bytes, at most {limit} are kept")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A name is empty.
    #[error("{what} is empty")]
    Empty {
        /// What.
        what: &'static str,
    },
}

/// Something that does not hold what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A run: it is set aside as [`RunState::Damaged`].
    #[error(
        "run `{run}` is damaged at record {seq}: {why}; it is set aside, `kait doctor` shows it"
    )]
    Run {
        /// Its name.
        run: RunId,
        /// The first record that cannot be trusted.
        seq: u32,
        /// What was found.
        why: SmolStr,
    },
    /// Something else.
    #[error("{what} is damaged: {why}")]
    Row {
        /// What: `the session "x"`.
        what: SmolStr,
        /// What was found.
        why: SmolStr,
    },
}

/// A process that uses a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number among all processes that ever have used the store: [`crate::Store::owner`]. 0, if it is not known.
    pub owner: u64,
    /// The process, if it is known.
    pub pid: Option<u32>,
    /// Since when, if it is known.
    pub since: Option<Nanos>,
}

impl Holder {
    /// A process of which only its number is known.
    pub(crate) fn unknown(owner: u64) -> Self {
        Self { owner, pid: None, since: None }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}")?,
            None => f.write_str("another process")?,
        }
        match self.since {
            Some(since) => write!(f, " (since {})", utc(since)),
            None => Ok(()),
        }
    }
}

/// One of them.
fn any(holders: &[Holder]) -> String {
    let mut names: Vec<String> = holders.iter().take(NAMED).map(ToString::to_string).collect();
    if let more @ 1.. = holders.len().saturating_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        None => "another program".into(),
        Some((only, [])) => only.clone(),
        Some((last, names)) => format!("{} or {last}", names.join(", ")),
    }
}

/// A time as `2026-11-23 07:10:42 UTC`.
fn utc(at: Nanos) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(at)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
