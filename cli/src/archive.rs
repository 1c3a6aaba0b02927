//! The record of runs of a profile: where its store is, how a run gets into it, and how it is found again.

use std::path::PathBuf;
use std::sync::Arc;

use etcetera::BaseStrategy as _;
use kait_engine::Loaded;
use kait_engine::event::Event;
use kait_engine::journal::Entry;
use kait_ir::{GraphId, Program};
use kait_runtime::{Recorder, recorder};
use kait_store::{
    NewRun, Options, Read, Refused, Run, RunId, RunQuery, SqliteReader, SqliteStore, Store,
    StoreError,
};
use serde::{Deserialize, Serialize};

use crate::exit::Coded;

/// What a run's metadata say: lists of runs show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The graph, as `kait serve` calls it.
    pub name: String,
    /// The directory in which relative paths begin.
    pub directory: PathBuf,
    /// Whether it may leave this machine.
    #[serde(default)]
    pub offline: bool,
}

impl Meta {
    /// What was written of a run.
    pub fn of(run: &Run) -> Option<Self> {
        serde_json::from_slice(&run.meta).ok()
    }
}

/// Where the store of a profile is, whether there is one or not.
///
/// # Errors
/// If the user has no home directory.
pub fn directory(profile: &str) -> anyhow::Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(|error| {
        let message = format!("runs cannot be recorded: {error}; set HOME or XDG_DATA_HOME");
        Coded { code: "K9060", message }
    })?;
    Ok(base.data_dir().join("kait").join("profiles").join(profile))
}

/// Opens the store of a profile, or makes it.
///
/// # Errors
/// If it cannot be used.
pub fn open(profile: &str) -> anyhow::Result<Arc<SqliteStore>> {
    let store = SqliteStore::open(&directory(profile)?, Options::default());
    Ok(Arc::new(store.map_err(Coded::from)?))
}

/// Opens the store of a profile for reading; nothing, if nothing was ever recorded there.
///
/// # Errors
/// If it cannot be used.
pub fn read(profile: &str) -> anyhow::Result<Option<SqliteReader>> {
    match SqliteReader::open(&directory(profile)?) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(Coded::from(error).into()),
    }
}

/// Begins the record of a run.
///
/// # Errors
/// If the store cannot be used: whoever wants no record must say so.
pub fn begin(
    profile: &str,
    run: &str,
    program: &Program,
    graph: &str,
    meta: &Meta,
) -> anyhow::Result<Recorder> {
    let store: Arc<dyn Store> = match SqliteStore::open(&directory(profile)?, Options::default()) {
        Ok(store) => Arc::new(store),
        Err(error) => {
            let Coded { code, message } = Coded::from(error);
            let message = format!("{message}\n   = `--no-record` runs it without a record");
            return Err(Coded { code, message }.into());
        }
    };
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let hash = recorder::hash(kait_ir::hash(program));
    let mut new = NewRun::new(run, hash, graph, now);
    new.meta = serde_json::to_vec(meta)?;
    Ok(Recorder::begin(store, new, program))
}

/// The run that a word names: its name or the beginning of it, if no other begins so, or `last`.
///
/// # Errors
/// If there is none, or several.
pub fn find(store: &impl Read, word: &str) -> anyhow::Result<Run> {
    if let Some(run) = store.run(&RunId::from(word)).map_err(Coded::from)? {
        return Ok(run);
    }
    let newest = RunQuery { newest_first: true, ..RunQuery::default() };
    if word == "last" {
        let one = RunQuery { limit: 1, ..newest };
        let runs = store.runs(&one).map_err(Coded::from)?;
        return runs.into_iter().next().ok_or_else(|| no_run(word).into());
    }
    let begins = |run: &Run| {
        let name = run.id.as_str();
        word.len() >= 3
            && (name.starts_with(word) || name.trim_start_matches("r_").starts_with(word))
    };
    let mut found: Vec<Run> = store.runs(&newest).map_err(Coded::from)?;
    found.retain(begins);
    match found.len() {
        0 => Err(no_run(word).into()),
        1 => found.into_iter().next().ok_or_else(|| no_run(word).into()),
        count => {
            let message = format!("{count} runs begin with `{word}`: write more of the name");
            Err(Coded { code: "K9046", message }.into())
        }
    }
}

/// There is no such run.
pub fn no_run(word: &str) -> Coded {
    let message = format!("there is no run `{word}` in this profile\n   = `kait runs` lists them");
    Coded { code: "K9046", message }
}

/// The program that a run is on, verified as every program that is loaded.
///
/// # Errors
/// If it is not there, or this version cannot run it.
pub fn program(store: &impl Read, run: &Run) -> anyhow::Result<Loaded> {
    let program = recorder::program(store, run.program).map_err(Coded::from)?;
    let refused = |why: String| {
        let message =
            format!("the program of run `{}` cannot be run by this version: {why}", run.id);
        Coded { code: "K9033", message }
    };
    if let Err(errors) = kait_ir::verify(&program) {
        let lines = errors.iter().map(|error| error.in_words(&program));
        return Err(refused(lines.collect::<Vec<_>>().join("\n   ")).into());
    }
    Loaded::new(program).map_err(|error| refused(error.to_string()).into())
}

/// The journal of a run, and the graph that it runs.
///
/// # Errors
/// If it does not hold what was written.
pub fn journal(store: &impl Read, run: &Run) -> anyhow::Result<(Vec<Entry>, GraphId)> {
    let entries = recorder::entries(store, &run.id).map_err(Coded::from)?;
    let graph = entries.iter().find_map(|entry| match entry {
        Entry::Happened { event: Event::Start(start), .. } => Some(start.graph),
        _ => None,
    });
    match graph {
        Some(graph) => Ok((entries, graph)),
        None => {
            let message = format!("run `{}` has recorded nothing: it never began", run.id);
            Err(Coded { code: "K9063", message }.into())
        }
    }
}

impl From<StoreError> for Coded {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Busy { .. }
            | StoreError::InUse { .. }
            | StoreError::Refused(Refused::OwnedElsewhere { .. }) => "K9061",
            StoreError::Newer { .. } | StoreError::NotAStore { .. } => "K9062",
            StoreError::Damaged(_) | StoreError::Corrupt { .. } => "K9063",
            StoreError::Refused(_) => "K9064",
            _ => "K9060",
        };
        Self { code, message: error.to_string() }
    }
}
