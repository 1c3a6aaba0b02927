//! What the driver asks of this crate: start a call, and either have its outcome at once or a future to poll.
//!
//! Futures are polled inside the run's own task; nothing is spawned per call. Dropping the future abandons the call:
//! a leaf holds nothing that outlives it, but writes that were begun are completed (they run to their end).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use kait_engine::check::TypeTable;
use kait_engine::event::{EffectId, Outcome, Usage};
use kait_ir::program::ModelCall;
use kait_ir::{LeafDecl, Program, TypeId, Value};
use smol_str::SmolStr;
use tokio::sync::mpsc::UnboundedSender;

use crate::grants::Access;
use crate::growth::Growth;
use crate::price::Price;

/// How a call ended.
pub struct Ended {
    /// With a value or a failure.
    pub outcome: Outcome,
    /// What it used up, for models.
    pub usage: Option<Usage>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, usage: None }
    }
}

/// A call that was begun.
pub enum Started {
    /// It is over already.
    Now(Outcome),
    /// It goes on.
    Later(BoxFuture<'static, Ended>),
}

/// Where a call reports growth. Cheap to clone; reporting never waits and never fails.
#[derive(Clone)]
pub struct Grower {
    effect: EffectId,
    to: Option<UnboundedSender<(EffectId, Growth)>>,
}

impl Grower {
    /// A grower for that effect; without a receiver growth is dropped.
    pub fn new(effect: EffectId, to: Option<UnboundedSender<(EffectId, Growth)>>) -> Self {
        Self { effect, to }
    }

    /// Whether anybody listens: if not, a leaf may skip the work of taking growth apart.
    pub fn is_watched(&self) -> bool {
        self.to.is_some()
    }

    /// Reports one step of growth.
    pub fn grow(&self, growth: Growth) {
        if let Some(to) = &self.to {
            // The receiver is gone when the run is over; then nobody needs it.
            let _ = to.send((self.effect, growth));
        }
    }
}

/// A call of a leaf.
pub struct LeafJob<'a> {
    /// The declaration.
    pub decl: &'a LeafDecl,
    /// The program's types.
    pub table: &'a Arc<TypeTable>,
    /// Arguments in declaration order.
    pub args: &'a [Value],
    /// The idempotency key, if the program gives one.
    pub key: Option<Value>,
    /// The run's stable path of this call: the root of derived idempotency keys, and for messages.
    pub path: SmolStr,
    /// Where growth goes.
    pub grower: Grower,
}

/// A call of a model.
pub struct ModelJob<'a> {
    /// The program.
    pub program: &'a Program,
    /// The program's types.
    pub table: &'a Arc<TypeTable>,
    /// The prompt as it stands in the program.
    pub call: &'a ModelCall,
    /// The role that answers, after policies.
    pub role: &'a str,
    /// Values of `call.options`, in order.
    pub options: &'a [Value],
    /// Contents of `call.messages`, in order.
    pub messages: &'a [Value],
    /// What it must give.
    pub output: TypeId,
    /// Further calls that it may make when the answer does not fit.
    pub repair: u32,
    /// What budgets leave for output, in tokens.
    pub tokens_left: Option<u64>,
    /// Where growth goes.
    pub grower: Grower,
}

/// What calls the world for a run. The driver knows nothing else of it.
pub trait Host: Send + Sync {
    /// Begins a call of a leaf.
    fn leaf(&self, job: &LeafJob<'_>) -> Started;

    /// Begins a call of a model.
    fn model(&self, job: &ModelJob<'_>) -> Started;

    /// Whether something may be touched that is not called through here.
    ///
    /// # Errors
    /// The reason why not, in plain words.
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr>;
}

/// How a role is bound to a model: from a profile.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelBinding {
    /// Which protocol: `echo`, or `openai` for Chat Completions and everything compatible with it.
    pub provider: SmolStr,
    /// The provider's name of the model.
    #[serde(default)]
    pub model: SmolStr,
    /// Where the API is, up to and with its version: `https://api.openai.com/v1`.
    #[serde(default)]
    pub base_url: Option<SmolStr>,
    /// The environment variable that holds the key. Never the key itself.
    #[serde(default)]
    pub key_env: Option<SmolStr>,
    /// Seconds to wait for the connection (10 if left out).
    #[serde(default)]
    pub connect_timeout: Option<u64>,
    /// Seconds to wait for the first piece of the answer (120).
    #[serde(default)]
    pub first_token_timeout: Option<u64>,
    /// Seconds between two pieces (60).
    #[serde(default)]
    pub idle_timeout: Option<u64>,
    /// How structured answers are asked for: `schema`, `tools`, `prompt`; left out, each is tried in this order.
    #[serde(default)]
    pub structured: Option<SmolStr>,
    /// The most tokens that the model reads for one answer.
    #[serde(default)]
    pub context: Option<u64>,
    /// The most tokens that the model writes in one answer.
    #[serde(default)]
    pub max_output: Option<u64>,
    /// What a million tokens cost that it reads: `"0.25 usd"`.
    #[serde(default)]
    pub input_price: Option<Price>,
    /// What a million tokens cost that it writes.
    #[serde(default)]
    pub output_price: Option<Price>,
}

impl ModelBinding {
    /// The built-in offline model.
    pub fn echo() -> Self {
        Self {
            provider: "echo".into(),
            model: "echo".into(),
            base_url: None,
            key_env: None,
            connect_timeout: None,
            first_token_timeout: None,
            idle_timeout: None,
            structured: None,
            context: None,
            max_output: None,
            input_price: None,
            output_price: None,
        }
    }
}
