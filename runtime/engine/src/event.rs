//! What the engine is told ([`Event`]) and what it asks for ([`Command`]).
//!
//! These types are the whole contract between the state machine and whoever drives it. Nothing in here does
//! anything.

use std::sync::Arc;

pub use crate::eval::job::{ComputeJob, Computed};
use kait_ir::{Failure, GraphId, LeafId, RegionId, TypeId, Value};
use rust_decimal::Decimal;
use smallvec::SmallVec;
use smol_str::SmolStr;

pub use crate::promise::{Answer, Asks, Promise, Shown};

/// A point in time, in nanoseconds since the Unix epoch (or since anything, in virtual time).
pub type Nanos = i64;

/// Arguments of a leaf: most have one or two.
pub type Args = SmallVec<[Value; 2]>;

/// Names one execution of a node in a run. It is never used again within the run, and the same events give
/// the same ids. [`crate::Machine::path`] renders the path that is stable across runs, while the effect is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectId {
    /// Index of the frame.
    pub frame: u32,
    /// Generation of the frame: frames are used again.
    pub generation: u32,
    /// Index of the node in the frame's region.
    pub node: u32,
}

impl EffectId {
    /// Stands for a block's value where there is no node.
    pub const VALUE: u32 = u32::MAX;
}

/// Where a node stands in the program: `program.regions[region].nodes[node]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// The region.
    pub region: RegionId,
    /// Index of the node in it.
    pub node: u32,
}

/// Names a timer; never used again within the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// Names a sink: a place into which a value grows. The driver keeps them, the engine only wires them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SinkId(pub u32);

impl SinkId {
    /// The sink of the run's result: it exists from the start, if [`Start::sink`] says so.
    pub const RESULT: Self = Self(0);
}

/// How something ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With a value.
    Ok(Value),
    /// With a failure.
    Failed(Failure),
}

/// Where the failure of a run arose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAt {
    /// The node's path, as [`crate::Machine::path`] gives it; the graph's name where its value itself failed.
    pub path: SmolStr,
    /// Where the expression, or else the node or graph, stands in the source.
    pub span: Option<kait_ir::program::Span>,
    /// Which limit was reached, if one was: `timeout: 10ms`.
    pub limit: Option<SmolStr>,
}

/// What a call used up: it settles the budgets of the graphs around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Model calls, repairs included.
    pub calls: u32,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost, if the profile has prices.
    pub cost: Option<kait_ir::Money>,
}

impl Usage {
    /// Adds what another call used up. A profile has prices in one currency; what was paid in another one than the
    /// first is left out.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        match (&mut self.cost, other.cost) {
            (Some(sum), Some(cost)) if sum.currency == cost.currency => {
                sum.amount = sum.amount.saturating_add(cost.amount);
            }
            (none @ None, cost) => *none = cost,
            _ => {}
        }
    }
}

/// An argument of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// It is here.
    Ready(Value),
    /// It still grows (text from a pipe): [`Event::InputDone`] gives the finished value.
    Growing,
}

/// How a run begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// What is run.
    pub graph: GraphId,
    /// Its arguments in declaration order; left-out ones at the end take their defaults.
    pub args: Vec<Arg>,
    /// Enters the jitter of retries: the same seed gives the same run.
    pub seed: u64,
    /// How many bodies of one `for` run at once where the program says nothing; at least 1.
    pub parallel: u32,
    /// Whether [`Command::NodeStarted`] and [`Command::NodeEnded`] are wanted.
    pub traced: bool,
    /// Whether somebody watches the result grow: then it is wired into [`SinkId::RESULT`].
    pub sink: bool,
    /// What the models take and cost, by role: what budgets set aside before a call begins. Calls of a role that is not
    /// in it use up what nobody knows beforehand.
    pub terms: Arc<[(SmolStr, ModelTerms)]>,
}

/// What the model that plays a role takes and costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelTerms {
    /// Tokens that it reads at most for one answer.
    pub context: Option<u64>,
    /// Tokens that it writes at most in one answer.
    pub max_output: Option<u64>,
    /// What a token costs; `None` if its calls report no cost.
    pub price: Option<TokenPrice>,
}

/// What tokens cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPrice {
    /// The currency of both.
    pub currency: kait_ir::Currency,
    /// One that is read.
    pub read: Decimal,
    /// One that is written.
    pub written: Decimal,
}

impl Start {
    /// A plain start with finished arguments: not traced, nobody watches, 16 bodies at once.
    pub fn new(graph: GraphId, args: Vec<Value>) -> Self {
        let args = args.into_iter().map(Arg::Ready).collect();
        Self {
            graph,
            args,
            seed: 0,
            parallel: 16,
            traced: false,
            sink: false,
            terms: Arc::default(),
        }
    }
}

/// Something that happened. Events for what was abandoned meanwhile are ignored, so a driver need not filter them.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins: always the first event, and only once.
    Start(Box<Start>),
    /// An effect ended.
    Done {
        /// Which.
        effect: EffectId,
        /// How.
        outcome: Outcome,
        /// What it used, if it is something that budgets count.
        usage: Option<Box<Usage>>,
    },
    /// A timer is due.
    Timer(TimerId),
    /// The answer to [`Command::Lookup`]: what the cache holds.
    Cached {
        /// Who asked.
        effect: EffectId,
        /// The cached value, if there is one that may still be used.
        value: Option<Value>,
    },
    /// The answer to [`Command::Acquire`]: the call may begin.
    Granted(EffectId),
    /// An item of a growing list is complete: item `index` of what flows into a [`SinkSpec::Cuts`].
    /// Items come in order, each once a generation.
    Cut {
        /// The sink.
        sink: SinkId,
        /// 0 at first; one more with each [`Event::Superseded`].
        generation: u32,
        /// The item's place.
        index: u32,
        /// The item.
        value: Value,
    },
    /// What has flowed into the cuts was void (its source is issued again): what was started from it is dropped.
    Superseded {
        /// The sink.
        sink: SinkId,
        /// The generation that begins now.
        generation: u32,
    },
    /// An argument that was [`Arg::Growing`] is finished.
    InputDone {
        /// Index of the parameter.
        param: u32,
        /// Its value; a failure fails the run.
        outcome: Outcome,
    },
    /// Somebody has kept a [`Command::Promise`]. An answer that does not fit makes the call fail with `Invalid`, so whoever
    /// takes answers checks them first ([`Promise::read_answer`]).
    Answered {
        /// Which.
        effect: EffectId,
        /// What was answered.
        answer: Box<Answer>,
    },
    /// A [`Command::Compute`] is done.
    Computed {
        /// The node whose expression it was; of a block's value, `node` is [`EffectId::VALUE`].
        effect: EffectId,
        /// What it came to.
        result: Computed,
    },
    /// The answer to [`Command::Resume`].
    Resume,
    /// Somebody wants the run to end. Writes in flight are awaited, all else is abandoned.
    Cancel,
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Call a leaf; answered by [`Event::Done`].
    Leaf {
        /// The call's id.
        effect: EffectId,
        /// Which leaf.
        leaf: LeafId,
        /// Where the call stands.
        site: Site,
        /// Its arguments in declaration order.
        args: Args,
        /// The idempotency key that the program gives, if it gives one.
        key: Option<Value>,
    },
    /// Call a model; answered by [`Event::Done`].
    Model {
        /// The call's id.
        effect: EffectId,
        /// What is asked.
        request: Box<ModelRequest>,
    },
    /// Ask a person; answered by [`Event::Answered`]. The engine itself looks to the deadline; when it has passed, or when
    /// nobody wants the answer any more, [`Command::Abandon`] follows.
    Promise {
        /// The question's id.
        effect: EffectId,
        /// Where it stands.
        site: Site,
        /// All that the person is shown.
        promise: Box<Promise>,
    },
    /// Evaluate an expression that takes long, away from whatever must not wait; answered by [`Event::Computed`].
    Compute {
        /// The node whose expression it is; of a block's value, `node` is [`EffectId::VALUE`].
        effect: EffectId,
        /// The expression, with all that it reads.
        job: Box<ComputeJob>,
    },
    /// There is more to do at once, but others should have their turn: send [`Event::Resume`] after what is due.
    Resume,
    /// The outcome of this effect is not wanted any more: stop it if that is possible. No answer is expected.
    Abandon(EffectId),
    /// Send [`Event::Timer`] when `due` has come.
    Timer {
        /// The timer.
        timer: TimerId,
        /// When.
        due: Nanos,
    },
    /// The timer is not needed any more.
    CancelTimer(TimerId),
    /// Look into the cache; answered by [`Event::Cached`].
    Lookup {
        /// Who asks.
        effect: EffectId,
        /// What for.
        key: Box<CacheKey>,
    },
    /// Keep a success for later lookups.
    Store {
        /// Under which key.
        key: Box<CacheKey>,
        /// The value.
        value: Value,
        /// For how long it may be used, in nanoseconds.
        ttl: i64,
    },
    /// Wait for the profile's shared rate limit; answered by [`Event::Granted`].
    Acquire {
        /// Who waits.
        effect: EffectId,
        /// The limit.
        rate: Box<RateRequest>,
    },
    /// What was acquired under this id is over (also when it was only waited for).
    Release(EffectId),
    /// There is a sink: see [`SinkSpec`].
    Sink {
        /// Its id: not used before.
        sink: SinkId,
        /// Where what flows into it goes.
        spec: SinkSpec,
    },
    /// What this source gives while it grows flows into the sink, from its beginning on; one source may flow into
    /// several sinks. When it has ended well, its sinks are complete.
    Bind {
        /// Where it comes from.
        source: Source,
        /// Where it goes.
        sink: SinkId,
    },
    /// The finished value of a sink that no source fills.
    Put {
        /// The sink.
        sink: SinkId,
        /// The value.
        value: Value,
    },
    /// What has flowed into the sink is void, and sinks that were derived from it (`parent`, `to`) are gone: another
    /// attempt, a handler or a fallback fills it anew.
    Reset(SinkId),
    /// A node began (only if [`Start::traced`]).
    NodeStarted {
        /// Its id.
        effect: EffectId,
        /// Where it stands.
        site: Site,
    },
    /// A node ended (only if [`Start::traced`]).
    NodeEnded {
        /// Its id.
        effect: EffectId,
        /// Where it stands.
        site: Site,
        /// How: `None` if it was cancelled.
        outcome: Option<Outcome>,
    },
    /// An expectation of a test did not hold. The test goes on, but it has failed.
    ExpectFailed(Box<ExpectFailed>),
    /// A compensation has failed: what it was to undo is perhaps not undone. The others run.
    UndoFailed(Box<UndoFailed>),
    /// A test called something that it stubs, with arguments that no stub fits: the test has failed. The call itself
    /// fails with `Unbound`.
    Unstubbed {
        /// Where the call stands.
        site: Site,
        /// What was called.
        target: kait_ir::TargetId,
        /// With what, in declaration order.
        args: Args,
    },
    /// The run is over; always the last command, and only once.
    Finish(Outcome),
}

/// What a model is asked. The prompt's name, docs and structured type are in the program at `site`.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The node: a [`kait_ir::NodeKind::Model`].
    pub site: Site,
    /// The role that answers.
    pub role: SmolStr,
    /// The values of the node's options, in its order.
    pub options: Vec<Value>,
    /// The contents of the node's messages, in its order.
    pub messages: Vec<Value>,
    /// What it must give.
    pub output: TypeId,
    /// Further calls with the error's path that it may make when the answer does not fit.
    pub repair: u32,
    /// What budgets leave for output, in tokens, if any of them counts tokens.
    pub tokens_left: Option<u64>,
}

/// What a cached success is looked up by.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheKey {
    /// The call's name.
    pub call: SmolStr,
    /// Its arguments.
    pub args: Vec<Value>,
}

/// A shared limit of the profile.
#[derive(Clone, Debug, PartialEq)]
pub struct RateRequest {
    /// The name that shares the limit.
    pub name: SmolStr,
    /// Calls per period.
    pub calls: Option<i64>,
    /// The period in nanoseconds.
    pub per: Option<i64>,
    /// At once.
    pub parallel: Option<i64>,
}

/// Where a growing value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The output of an effect.
    Effect(EffectId),
    /// An argument of the run that grows.
    Input(u32),
}

/// What a sink is: where that goes what flows into it. Types follow from the run's result type and the types of sources.
#[derive(Clone, Debug, PartialEq)]
pub enum SinkSpec {
    /// A field of the record (or of variant `variant`) that grows in `parent`.
    Field {
        /// The sink of the whole.
        parent: SinkId,
        /// The variant that the parent turned out to be, if it is an enum.
        variant: Option<u32>,
        /// Index of the field.
        index: u32,
    },
    /// An item of the list that grows in `parent`.
    Item {
        /// The sink of the list.
        parent: SinkId,
        /// Its place in the list.
        index: u32,
    },
    /// A part of the text that grows in `parent`: parts follow each other. A value that is not a text is rendered by
    /// its type, as in templates.
    Part {
        /// The sink of the text.
        parent: SinkId,
        /// Its place.
        index: u32,
        /// How many parts there are in all.
        of: u32,
        /// The type of what flows in.
        ty: TypeId,
    },
    /// A record flows in, and only one of its fields goes on.
    Select {
        /// Where the field goes.
        to: SinkId,
        /// Index of the field.
        index: u32,
    },
    /// A text flows in, and the list of its segments goes on. Only boundaries that no continuation can move.
    Segments {
        /// Where the list goes.
        to: SinkId,
        /// The segmenter: `text.sentences`, `text.lines`, `text.paragraphs` or `text.chunks`.
        segmenter: SmolStr,
        /// Its further arguments (of `chunks`: size, overlap).
        args: Vec<Value>,
    },
    /// A list flows in, and each item that is complete comes back as [`Event::Cut`].
    Cuts {
        /// The `for` that waits for them.
        effect: EffectId,
    },
}

/// A compensation that has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoFailed {
    /// The path of the `undo`.
    pub undo: SmolStr,
    /// Where in it the failure arose.
    pub at: FailedAt,
    /// Why.
    pub failure: Failure,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectFailed {
    /// Where it stands in the program.
    pub site: Site,
    /// Its source text.
    pub source: SmolStr,
    /// What to show: source text and rendered value.
    pub shows: Vec<(SmolStr, String)>,
    /// The failure, if the condition could not be evaluated.
    pub failure: Option<Failure>,
}
