//! A world that answers differently every time, keeps a log of all that was done to it, and dies at a given operation:
//! the process, not what it has done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kait_connect::{Access, Config, Connections, Ended, Growth, Host, LeafJob, ModelJob, Started};
use kait_engine::event::{Outcome, Usage};
use kait_ir::{EffectClass, Value};
use kait_store::{
    Batch, Hash, Holder, Info, MemoryStore, Nanos, Once, Promise, PromiseQuery, Pruned, Read,
    Records, Run, RunId, RunQuery, Session, StartKey, Started as Heard, Store, StoreError, Ticket,
};
use smol_str::SmolStr;
use tokio_util::sync::CancellationToken;

/// A write that has happened outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub name: String,
    pub path: String,
    pub key: Option<Value>,
    pub args: Vec<Value>,
}

/// What outlives every process: the log of writes, and what the other side remembers.
#[derive(Default)]
pub struct Outside {
    pub log: Mutex<Vec<Done>>,
    keys: Mutex<HashMap<Value, Value>>,
    answers: AtomicU64,
}

impl Outside {
    /// Never the same twice.
    fn fresh(&self, name: &str) -> String {
        format!("{name}-{}", self.answers.fetch_add(1, Ordering::SeqCst))
    }
}

/// The life of one process: it ends at its `at`th operation.
pub struct Life {
    at: u64,
    /// Whether the operation at which it ends has still happened.
    after: bool,
    count: AtomicU64,
    dead: AtomicBool,
    died: tokio::sync::Notify,
    /// Whether somebody cancels the run, and at which operation.
    pub cancel: CancellationToken,
    cancel_at: u64,
}

impl Life {
    pub fn until(at: u64, after: bool) -> Arc<Self> {
        Arc::new(Self {
            at,
            after,
            count: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            died: tokio::sync::Notify::new(),
            cancel: CancellationToken::new(),
            cancel_at: u64::MAX,
        })
    }

    /// A life in which the run is cancelled at an operation, and which ends before a later one.
    pub fn cancelled(cancel_at: u64, until: u64) -> Arc<Self> {
        let life = Self::until(until, false);
        Arc::new(Self { cancel_at, ..Arc::into_inner(life).expect("nobody else has it") })
    }

    /// One operation: whether it happens.
    fn operation(&self) -> bool {
        if self.dead.load(Ordering::SeqCst) {
            return false;
        }
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if count == self.cancel_at {
            self.cancel.cancel();
        }
        if count == self.at {
            self.dead.store(true, Ordering::SeqCst);
            self.died.notify_one();
            return self.after;
        }
        true
    }

    pub fn operations(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub async fn ends(&self) {
        self.died.notified().await;
    }
}

/// Calls of a process.
pub struct World {
    pub outside: Arc<Outside>,
    pub life: Arc<Life>,
}

impl Host for World {
    fn leaf(&self, job: &LeafJob<'_>) -> Started {
        // Functions of the library are what they are.
        if job.decl.kind == "native" {
            return Connections::new(Config::default()).leaf(job);
        }
        let (outside, life) = (Arc::clone(&self.outside), Arc::clone(&self.life));
        let name = job.decl.name.to_string();
        let writes = matches!(job.decl.class, EffectClass::Write { .. });
        let done = Done {
            name: name.clone(),
            path: job.path.to_string(),
            key: job.key.clone(),
            args: job.args.to_vec(),
        };
        Started::Later(Box::pin(async move {
            tokio::task::yield_now().await;
            let happens = life.operation();
            if !happens {
                return std::future::pending().await;
            }
            let answer = if writes {
                write(&outside, done)
            } else {
                let of = done.args.first().and_then(Value::as_text).unwrap_or_default();
                Value::text(format!("{} of {of}", outside.fresh(&name)))
            };
            if life.is_dead() {
                return std::future::pending().await;
            }
            tokio::task::yield_now().await;
            Ended::from(Outcome::Ok(answer))
        }))
    }

    fn model(&self, job: &ModelJob<'_>) -> Started {
        let (outside, life) = (Arc::clone(&self.outside), Arc::clone(&self.life));
        let grower = job.grower.clone();
        Started::Later(Box::pin(async move {
            let words = outside.fresh("model");
            let mut text = String::new();
            for piece in
                [format!("One of {words}. "), format!("Two of {words}. "), "Three.".to_owned()]
            {
                tokio::task::yield_now().await;
                if !life.operation() || life.is_dead() {
                    return std::future::pending().await;
                }
                text.push_str(&piece);
                grower.grow(Growth::text(piece));
            }
            let usage = Usage { calls: 1, input_tokens: 10, output_tokens: 5, cost: None };
            Ended { outcome: Outcome::Ok(Value::text(text)), usage: Some(usage) }
        }))
    }

    fn allow(&self, _: Access<'_>) -> Result<(), SmolStr> {
        Ok(())
    }
}

/// The other side knows a key again, and gives what it gave then.
fn write(outside: &Outside, done: Done) -> Value {
    let key = done.key.clone();
    let of = done.args.first().and_then(Value::as_text).unwrap_or_default();
    let fresh = Value::text(format!("{} of {of}", outside.fresh(&done.name)));
    let known = key.and_then(|key| {
        let mut keys = outside.keys.lock().expect("nobody panics");
        let known = keys.get(&key).cloned();
        if known.is_none() {
            keys.insert(key, fresh.clone());
        }
        known
    });
    known.unwrap_or_else(|| {
        outside.log.lock().expect("nobody panics").push(done);
        fresh
    })
}

/// A store whose process dies: from then on it takes nothing.
pub struct Mortal {
    pub store: MemoryStore,
    pub life: Arc<Life>,
}

impl Store for Mortal {
    fn owner(&self) -> u64 {
        self.store.owner()
    }

    fn commit(&self, batch: Batch) -> Ticket {
        if self.life.operation() {
            self.store.commit(batch)
        } else {
            self.store.commit(Batch::new())
        }
    }

    fn prune(&self, before: Nanos) -> Result<Pruned, StoreError> {
        self.store.prune(before)
    }
}

impl Read for Mortal {
    fn info(&self) -> Result<Info, StoreError> {
        self.store.info()
    }

    fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.program(hash)
    }

    fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError> {
        self.store.run(run)
    }

    fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError> {
        self.store.holder(run)
    }

    fn changes(&self) -> Result<u64, StoreError> {
        self.store.changes()
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        self.store.runs(query)
    }

    fn records(&self, run: &RunId, from: u32) -> Result<Records, StoreError> {
        self.store.records(run, from)
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.blob(hash)
    }

    fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError> {
        self.store.promise(run, key)
    }

    fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError> {
        self.store.promises(query)
    }

    fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        self.store.once(call, value)
    }

    fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        self.store.session(key)
    }

    fn sessions(&self, beyond: Option<&str>, limit: u32) -> Result<Vec<String>, StoreError> {
        self.store.sessions(beyond, limit)
    }

    fn started(&self, key: &StartKey) -> Result<Option<Heard>, StoreError> {
        self.store.started(key)
    }
}
