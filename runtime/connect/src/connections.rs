//! The registry: which leaf is which function, and what they share.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use kait_engine::Outcome;
use kait_ir::{EffectClass, Failure, LeafDecl};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::grants::{Access, AllowAll, Grants};
use crate::leaf::{Host, LeafJob, ModelBinding, ModelJob, Started};
use crate::pace::Pace;
use crate::providers::ModelProvider;
use crate::secrets::Secrets;
use crate::{clock, db, externs, files, formats, http, process, random};

/// Starts a call, or says at once why not.
pub(crate) type LeafFn = fn(&Connections, &LeafJob<'_>) -> Result<Started, Failure>;

/// Sizes and times that no leaf exceeds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest file that is read, in bytes.
    pub file: u64,
    /// Largest body of an HTTP answer, in bytes, unpacked.
    pub body: usize,
    /// Most bytes that a process may write to each of its outputs.
    pub output: usize,
    /// Longest answer of a model, in bytes.
    pub answer: usize,
    /// Most files and directories that one `file.list` looks at.
    pub listed: usize,
    /// Most redirects that are followed.
    pub redirects: usize,
    /// Longest time for one page or request, whatever the program's own timeouts say.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 16 << 20,
            body: 16 << 20,
            output: 16 << 20,
            answer: 16 << 20,
            listed: 100_000,
            redirects: 10,
            request: Duration::from_secs(60),
        }
    }
}

/// Looks up an environment variable.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the connections of a profile need to know.
#[derive(Clone)]
pub struct Config {
    /// The directory that relative paths start from.
    pub root: PathBuf,
    /// What leaves may touch.
    pub grants: Arc<dyn Grants>,
    /// Sizes and times.
    pub limits: Limits,
    /// The models of each role: the first answers, the others stand in for it, in order.
    pub models: FxHashMap<SmolStr, Vec<ModelBinding>>,
    /// The model of roles that are not bound; without it they fail with `Unbound`.
    pub default_model: Option<ModelBinding>,
    /// Where keys are looked up by name.
    pub env: Env,
    /// Where the secrets of programs are.
    pub secrets: Secrets,
    /// The file of the profile's database; made when it is first used.
    pub database: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: PathBuf::from("."),
            grants: Arc::new(AllowAll),
            limits: Limits::default(),
            models: FxHashMap::default(),
            default_model: None,
            env: Arc::new(|name| std::env::var(name).ok()),
            secrets: Secrets::default(),
            database: None,
        }
    }
}

/// Everything that calls of a profile share. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Made when first needed: reading the system's certificates takes longer than a small run.
    pub(crate) web: OnceLock<Result<reqwest::Client, String>>,
    /// Hosts of pages and requests that want to be left alone for a while.
    pub(crate) pace: Pace,
    /// The database of the profile.
    pub(crate) database: db::Database,
    /// The model providers in use, by their bindings.
    pub(crate) providers: Mutex<Vec<(ModelBinding, Arc<dyn ModelProvider>)>>,
}

impl Connections {
    /// Connections by that configuration. Nothing is opened yet.
    pub fn new(config: Config) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                web: OnceLock::new(),
                pace: Pace::default(),
                database: db::Database::default(),
                providers: Mutex::default(),
            }),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Begins a call of a leaf. Must be called within a tokio runtime with time and IO.
    pub fn start(&self, job: &LeafJob<'_>) -> Started {
        if let Some(access) = access(job.decl)
            && let Err(why) = self.config().grants.allow(access)
        {
            return Started::Now(Outcome::Failed(Failure::Refused { why }));
        }
        let started = match job.decl.kind.as_str() {
            "native" | "stable" => match leaf(&job.decl.name) {
                Some(leaf) => leaf(self, job),
                None => Err(Failure::Unbound { name: job.decl.name.clone() }),
            },
            "http" => externs::http::start(self, job),
            "process" => externs::process::start(self, job),
            kind => Err(Failure::Tool {
                name: job.decl.name.clone(),
                message: format!("this version cannot call leaves of the kind `{kind}`").into(),
            }),
        };
        started.unwrap_or_else(|failure| Started::Now(Outcome::Failed(failure)))
    }
}

impl Host for Connections {
    fn leaf(&self, job: &LeafJob<'_>) -> Started {
        self.start(job)
    }

    fn model(&self, job: &ModelJob<'_>) -> Started {
        self.model(job)
    }

    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        self.config().grants.allow(access)
    }
}

/// What calling a leaf touches, whatever its arguments are. By what the leaf is, and not by what a program says of it.
fn access(leaf: &LeafDecl) -> Option<Access<'_>> {
    let (name, _) = leaf.name.split_once('.').unwrap_or((&leaf.name, ""));
    match (leaf.kind.as_str(), name) {
        ("native" | "stable", "clock") => Some(Access::Clock),
        ("native" | "stable", "random") => Some(Access::Random),
        ("native" | "stable", "out") => Some(Access::Emit),
        ("native" | "stable", "db") => Some(Access::Database { write: db::writes(&leaf.name) }),
        ("mcp", _) => {
            let server = leaf.locator.split(['.', '#', '/']).next().unwrap_or_default();
            // Its class only says how a failure is to be taken; what it changes, it changes.
            Some(Access::Server { name: server, write: leaf.class != EffectClass::Read })
        }
        _ => None,
    }
}

const MODULES: &[&[(&str, LeafFn)]] =
    &[clock::LEAVES, db::LEAVES, files::LEAVES, http::LEAVES, OUT, process::LEAVES, random::LEAVES];

/// What is shown is shown by the driver ([`crate::emission`]); the call itself is over at once.
const OUT: &[(&str, LeafFn)] =
    &[("out.card", shown), ("out.progress", shown), ("out.status", shown)];

fn shown(_: &Connections, _: &LeafJob<'_>) -> Result<Started, Failure> {
    Ok(Started::Now(Outcome::Ok(kait_ir::Value::None)))
}

fn all_leaves() -> impl Iterator<Item = (&'static str, LeafFn)> {
    MODULES.iter().chain(formats::LEAVES).flat_map(|leaves| leaves.iter().copied())
}

fn leaf(name: &str) -> Option<LeafFn> {
    static BY_NAME: LazyLock<FxHashMap<&str, LeafFn>> = LazyLock::new(|| all_leaves().collect());
    BY_NAME.get(name).copied()
}

/// The full names of all native leaves.
pub fn leaf_names() -> impl Iterator<Item = &'static str> {
    all_leaves().map(|(name, _)| name)
}
