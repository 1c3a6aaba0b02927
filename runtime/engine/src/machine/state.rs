//! The state of a run: plain data, a few words per node that was reached plus its values.
//!
//! A frame is one instance of a region. Frames live in an arena and are used again with a new generation, keeping
//! their memory, so rounds of a loop and items of a map allocate nothing once the first have run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use kait_ir::{ExprId, Failure, TargetId, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::budget::Reservation;
use super::control::Control;
use super::scope::Scope;
use super::undo::{Closing, Place, Undoing, Undos};
use crate::eval::Answer;
use crate::event::{Asks, EffectId, FailedAt, ModelTerms, Nanos, Outcome, SinkId};

/// No frame, no control, no scope.
pub(crate) const NONE: u32 = u32::MAX;

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeState {
    /// It waits for nodes, slots or resources.
    Waiting,
    /// It waits for everything above it in its own frame, and is woken when that is so.
    Gated,
    /// It is under way.
    Running,
    /// It has succeeded: its slot is filled.
    Ok,
    /// It has failed.
    Failed,
    /// It stood below a failure.
    Cancelled,
    /// Something that it needs is computed elsewhere: then it starts.
    Computing,
}

/// What a frame keeps of a node besides its slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Nodes above that have not succeeded yet.
    pub(crate) unmet: u32,
    /// While it runs: the frame of a call, arm or body; the control block of other forms; of a model, whether it waits.
    pub(crate) link: u32,
    pub(crate) state: NodeState,
    /// Whether something outside of the frame waits for its slot.
    pub(crate) waited: bool,
    /// Whether nothing but nodes of its own frame can hold it back.
    pub(crate) plain: bool,
}

/// Why there is a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The run itself.
    Root,
    /// A call of a graph.
    Call,
    /// An arm of a switch; `index` says which.
    Arm,
    /// An item of a map; `index` is its place in the result.
    Item,
    /// A round of a loop; `index` counts from 0.
    Round,
    /// The `else` of a loop.
    Otherwise,
    /// An arm of a race.
    Racer,
    /// The body of a catch, a try or a policy; `index` is the attempt, from 1.
    Body,
    /// A handler of a catch; `index` says which.
    Handler,
    /// What stands in when a policy gives up.
    Fallback,
    /// A compensation, by itself: nothing encloses it. `index` says for whom it runs.
    Undo,
}

/// One instance of a region.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) region: u32,
    pub(crate) generation: u32,
    /// The frame of the enclosing region or call, [`NONE`] for the root.
    pub(crate) parent: u32,
    /// The node of the parent that it belongs to.
    pub(crate) node: u32,
    pub(crate) index: u32,
    /// Of a round: how many there may be.
    pub(crate) rounds: u32,
    /// How many frames enclose it.
    pub(crate) depth: u32,
    /// The nearest scope with a clock or budgets.
    pub(crate) scope: u32,
    /// How many leading nodes have succeeded.
    pub(crate) prefix: u32,
    /// The same, stepping over questions to people.
    pub(crate) ask_prefix: u32,
    /// The first node known to have failed.
    pub(crate) fail_at: u32,
    pub(crate) role: Role,
    pub(crate) alive: bool,
    /// Everything above the enclosing nodes, at every level, has succeeded.
    pub(crate) cleared: bool,
    /// Nothing above the enclosing nodes, at any level, writes anything.
    pub(crate) quiet: bool,
    /// Parameters, then one slot a node.
    pub(crate) slots: Vec<Value>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) extra: Option<Box<Extra>>,
}

/// What only some frames need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// Why the node at `fail_at` failed.
    pub(crate) failure: Option<Fail>,
    /// Who waits for a slot of this frame.
    pub(crate) waiters: Vec<(u32, Waiter)>,
    /// Who, inside a node, waits until everything above that node has succeeded.
    pub(crate) gates: BinaryHeap<Reverse<(u32, Waiter)>>,
    /// The same, for questions.
    pub(crate) ask_gates: BinaryHeap<Reverse<(u32, Waiter)>>,
    /// Where values of slots grow into.
    pub(crate) flows: Vec<(u32, Flow)>,
    /// A sink that the frame's own value completes.
    pub(crate) completes: Option<Flow>,
    /// Parameters that still grow (only at the root).
    pub(crate) growing: Vec<u32>,
    /// The role that a call's policy names for the models below it.
    pub(crate) model: Option<SmolStr>,
    /// The repairs that a call's policy allows.
    pub(crate) repair: Option<u32>,
    /// Parts of expressions that were computed elsewhere.
    pub(crate) answers: Vec<Answer>,
    /// What is to be undone if the frame fails.
    pub(crate) undos: Undos,
    /// Of a compensation: where it stands.
    pub(crate) place: Option<Box<Place>>,
}

/// Somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiter {
    pub(crate) frame: u32,
    pub(crate) generation: u32,
    /// A node of the frame, or [`NONE`] for its result, or [`PART`] for parts of growing results.
    pub(crate) node: u32,
}

/// A [`Waiter`] whose `generation` names a pending part of a growing result in [`State::parts`].
pub(crate) const PART: u32 = u32::MAX - 1;

/// A failure on its way.
#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) failure: Box<Failure>,
    /// A budget of this frame's header was used up: nothing inside of it may handle the failure.
    pub(crate) bound: Option<(u32, u32)>,
    /// What is known of its origin.
    pub(crate) origin: Option<Box<Origin>>,
}

/// Where a failure arose, as far as it is known yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The expression.
    pub(crate) blamed: Option<ExprId>,
    /// The limit that was reached.
    pub(crate) limit: Option<SmolStr>,
    /// The place, as soon as a node has failed with it.
    pub(crate) at: Option<FailedAt>,
}

impl Fail {
    /// The failure of a limit, which is named.
    pub(crate) fn limited(failure: Failure, limit: SmolStr) -> Self {
        let origin = Origin { limit: Some(limit), ..Origin::default() };
        Self { origin: Some(Box::new(origin)), ..failure.into() }
    }
}

impl From<Box<Failure>> for Fail {
    fn from(failure: Box<Failure>) -> Self {
        Self { failure, bound: None, origin: None }
    }
}

impl From<Failure> for Fail {
    fn from(failure: Failure) -> Self {
        Box::new(failure).into()
    }
}

/// Where a value grows into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) sink: SinkId,
    pub(crate) mode: FlowMode,
    /// Somebody below completes the sink: nothing is put when the node ends.
    pub(crate) handed: bool,
}

/// What of the value flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowMode {
    /// All of it.
    Whole,
    /// The value of `done` in a round of a loop.
    Done,
    /// Complete items to an early map: finished values are of no use to it.
    Cuts,
}

/// A part of a growing result that waits for slots.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) frame: u32,
    pub(crate) generation: u32,
    pub(crate) expr: ExprId,
    pub(crate) flow: Flow,
    pub(crate) lets: SmallVec<[(u32, ExprId); 2]>,
    /// It is the frame's value, and waits for a guard.
    pub(crate) guarded: bool,
}

/// A call of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// What was called.
    pub target: TargetId,
    /// Its arguments.
    pub args: SmallVec<[Value; 2]>,
    /// Whether a retry made it.
    pub again: bool,
}

/// A frame that ended, and is gone.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The node of the parent that it belonged to.
    pub(crate) parent: Waiter,
    pub(crate) role: Role,
    pub(crate) index: u32,
    pub(crate) result: Result<Value, Fail>,
}

/// Writes that are awaited though nobody wants their outcome any more.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    /// The writes in flight.
    pub(crate) effects: SmallVec<[EffectId; 2]>,
    /// The node that fails when they have ended; none for the run.
    pub(crate) target: Option<Waiter>,
    pub(crate) fail: Fail,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerUse {
    /// The clock of a scope.
    Scope(u32),
    /// The pause before the next attempt of a policy.
    Backoff(Waiter),
    /// The answer of a stub that takes its time.
    Stub(Waiter),
    /// The deadline of a question to a person.
    Promise(Waiter),
}

/// A question that a person has not answered yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Its deadline.
    pub(crate) timer: u64,
    /// What is asked: the answer is held against it.
    pub(crate) asks: Asks,
}

/// The state of one run.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) frames: Vec<Frame>,
    pub(crate) free_frames: Vec<u32>,
    pub(crate) controls: Vec<Control>,
    pub(crate) free_controls: Vec<u32>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) free_scopes: Vec<u32>,
    /// What calls of models hold in the budgets around them.
    pub(crate) reservations: FxHashMap<EffectId, Reservation>,
    /// What models take and cost, by role.
    pub(crate) terms: Arc<[(SmolStr, ModelTerms)]>,
    /// Scopes whose clock may have to be started or stopped before the event is over.
    pub(crate) dirty_scopes: Vec<u32>,
    pub(crate) ready: VecDeque<Waiter>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) locals: Vec<Value>,
    /// The state of the next round, while it is computed.
    pub(crate) next_state: Vec<Value>,
    pub(crate) timers: FxHashMap<u64, TimerUse>,
    pub(crate) next_timer: u64,
    pub(crate) drains: Vec<Drain>,
    pub(crate) parts: FxHashMap<u32, Part>,
    pub(crate) next_part: u32,
    /// For each cuts sink: the map that listens.
    pub(crate) cuts: Vec<(SinkId, Waiter)>,
    pub(crate) next_sink: u32,
    /// How deep the walk along growing results is.
    pub(crate) walking: u32,
    pub(crate) log: Vec<CallRecord>,
    /// For each stub: how many outcomes it has given.
    pub(crate) stub_uses: Vec<u32>,
    /// What is computed elsewhere: who waits, the part's place among its parts, and the scope in which it is work.
    pub(crate) computing: Vec<(Waiter, u32, u32)>,
    /// Whether the machine is to be called again, and the scopes that have work until then.
    pub(crate) resumes: bool,
    pub(crate) pending_scopes: Vec<u32>,
    /// Steps since something happened outside.
    pub(crate) tasks: u64,
    /// Where the failure of the run arose.
    pub(crate) failed_at: Option<FailedAt>,
    /// Stubbed calls that wait until all calls above them have had their turn.
    pub(crate) turns: Vec<Waiter>,
    /// Questions to people that are open.
    pub(crate) promises: BTreeMap<Waiter, Pending>,
    /// Answers of stubs that take their time.
    pub(crate) stub_answers: Vec<(Waiter, u64, Result<Value, Fail>)>,
    pub(crate) seed: u64,
    pub(crate) parallel: u32,
    pub(crate) traced: bool,
    /// Most steps within one event; 0 stands for [`crate::limits::MAX_TASKS`].
    pub(crate) task_limit: u64,
    pub(crate) started: bool,
    pub(crate) now: Nanos,
    /// How much could be undone so far.
    pub(crate) undone: u64,
    /// What is being undone, and the next name of such.
    pub(crate) undoing: Vec<Undoing>,
    pub(crate) next_undoing: u32,
    /// What ends as soon as writes in flight within it have ended.
    pub(crate) closings: Vec<Closing>,
    /// The run is over as soon as the drains are, and all is undone.
    pub(crate) held: Option<Outcome>,
    pub(crate) outcome: Option<Outcome>,
}

impl State {
    /// The state of a run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with another limit than [`crate::limits::MAX_TASKS`] for steps within one event.
    pub fn with_task_limit(limit: u64) -> Self {
        Self { task_limit: limit.max(1), ..Self::default() }
    }

    /// How the run ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Where the failure that the run ended with arose, if it is known.
    pub fn failed_at(&self) -> Option<&FailedAt> {
        self.failed_at.as_ref()
    }

    /// Calls that a test has made so far, in order.
    pub fn calls(&self) -> &[CallRecord] {
        &self.log
    }
}

impl Frame {
    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Of a compensation: how often the bodies of graphs that call themselves enclose it.
    pub(crate) fn recursions(&self) -> &[(u32, u32)] {
        let place = self.extra.as_ref().and_then(|extra| extra.place.as_ref());
        place.map_or(&[], |place| &place.recursions)
    }
}
