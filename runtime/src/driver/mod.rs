//! Drives one run on tokio: one task, whatever the run does.
//!
//! Events go into the engine one at a time; what it commands is begun here, and what is begun is polled here. What
//! grows never passes through the engine: it goes from the leaf over the data plane to the log. The record of all
//! events, in their order, is kept in memory, so that a run can be checked by replaying it.

mod asking;
mod clock;
mod commands;
mod happenings;
mod history;
mod recording;
mod taking_up;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{AbortHandle, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use kait_connect::{Ended, Growth, Host};
use kait_engine::Machine;
use kait_engine::check::TypeTable;
pub use kait_engine::event::FailedAt;
use kait_engine::event::{
    Arg, Command, Computed, EffectId, Event, Nanos, Outcome, Start, TimerId, UndoFailed, Usage,
};
use kait_engine::journal::{self, Entry};
use kait_engine::machine::State;
use kait_engine::segment::{SegmentKind, SegmentOp};
use kait_ir::{Failure, GraphId};
use kait_store::StoreError;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use smol_str::SmolStr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::asking::Resolving;
use self::clock::Clock;
use self::history::History;
pub use self::history::{Called, Step};
use self::recording::Held;
pub use self::taking_up::{Diverged, Replayed};
use self::taking_up::{Nowhere, Open};
use crate::people::{AnswerReceiver, Given, Questions};
use crate::plan::Plan;
use crate::plane::Plane;
use crate::recorder::Recorder;
use crate::report::{RunUsage, fail_record, unasked_record};
use crate::segments::{ResultSegment, RunLog, Writer};
use crate::shared::{Permit, Shared};

/// Events that are handled before the task lets others run.
const BATCH: usize = 4_096;

/// Events that share one look at the clock, if nothing was waited for between them: reading it costs as much as the
/// engine needs for a third of a node.
const EVENTS_PER_TICK: usize = 16;

/// How a run begins.
pub struct RunStart {
    /// The run's name, unique.
    pub run: SmolStr,
    /// What is run.
    pub graph: GraphId,
    /// Its arguments in declaration order, all of them.
    pub args: Vec<Arg>,
    /// Pieces of the arguments that grow; each ends with its channel.
    pub growing: Vec<(u32, UnboundedReceiver<GrowingInput>)>,
    /// Whether segments tell of every node.
    pub traced: bool,
    /// How many bodies of one `for` run at once where the program says nothing.
    pub parallel: u32,
    /// Where answers to its questions come from; nothing if nobody can be asked. Then, and when the channel ends while
    /// somebody is waited for, the run ends.
    pub people: Option<AnswerReceiver>,
    /// Where it is recorded; nothing if it leaves no trace.
    pub recorder: Option<Recorder>,
    /// When it is cancelled, the run is left as it stands, to be taken up later: what it has begun to write ends, and nothing
    /// new is begun. Only of a run that is recorded.
    pub leave: CancellationToken,
    /// What was recorded of it: then it is taken up where that ends, and the arguments are those of the record.
    pub journal: Vec<Entry>,
}

/// A piece of an argument that grows; the end of the channel is the end of the argument.
pub enum GrowingInput {
    /// More text.
    Text(String),
    /// It cannot be read on.
    Failed(Failure),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// With a value or a failure.
    pub outcome: Outcome,
    /// What its model calls used up, in all.
    pub usage: Usage,
    /// Where the failure arose, if the run failed and it is known: everything but an interrupted run.
    pub failed_at: Option<FailedAt>,
    /// Compensations that have failed: what they were to undo is perhaps not undone.
    pub not_undone: Vec<UndoFailed>,
    /// Whether it ended because a person had to be asked and nobody could be.
    pub unasked: bool,
    /// Whether it has not ended, but waits in its store until somebody answers or a time has come.
    pub suspended: bool,
    /// Why it could not be recorded to its end: it is in its store as it stood then.
    pub unrecorded: Option<StoreError>,
    /// Why its journal could not be gone through.
    pub diverged: Option<Diverged>,
    /// Everything that happened, in order, with the time: enough to replay the run.
    pub record: Vec<(Nanos, Event)>,
}

impl RunEnd {
    /// The end of a run that a fault of ours ended.
    pub fn fault() -> Self {
        Self {
            outcome: Outcome::Failed(Failure::trap("the run was ended by a fault of ours")),
            usage: Usage::default(),
            failed_at: None,
            not_undone: Vec::new(),
            unasked: false,
            suspended: false,
            unrecorded: None,
            diverged: None,
            record: Vec::new(),
        }
    }
}

/// A run that is being driven.
pub struct Run {
    plan: Arc<Plan>,
    host: Arc<dyn Host>,
    shared: Arc<Shared>,
    machine: Machine,
    state: State,
    table: Arc<TypeTable>,
    graph: GraphId,
    queue: VecDeque<Event>,
    clock: Clock,
    now: Nanos,
    commands: Vec<Command>,
    record: Vec<(Nanos, Event)>,
    calls: FuturesUnordered<BoxFuture<'static, Option<Happened>>>,
    in_flight: FxHashMap<EffectId, AbortHandle>,
    permits: FxHashMap<EffectId, Permit>,
    timers: BTreeSet<(Nanos, TimerId)>,
    due: FxHashMap<TimerId, Nanos>,
    /// Calls that only let time pass, and when it has passed.
    sleeps: BTreeSet<(Nanos, EffectId)>,
    growth: UnboundedReceiver<(EffectId, Growth)>,
    grower: UnboundedSender<(EffectId, Growth)>,
    inputs: FxHashMap<u32, String>,
    plane: Plane,
    result: ResultSegment,
    writer: Writer,
    run_segment: u64,
    /// Segments of nodes under way, and their paths: a path is not known any more once the node has ended.
    nodes: FxHashMap<EffectId, (u64, SmolStr)>,
    usage: Usage,
    /// Evaluations under way elsewhere; dropped, they end.
    computing: FxHashMap<EffectId, Wanted>,
    people: Option<AnswerReceiver>,
    questions: Questions,
    recorder: Option<Recorder>,
    /// When to look for answers that were given in another process.
    next_look: Option<Instant>,
    /// What waits until it is durable that it will be done.
    held: FxHashMap<EffectId, Held>,
    /// Those of them whose commit is under way.
    waits: FxHashSet<EffectId>,
    /// While a journal is gone through: what it leaves open.
    open: Option<Open>,
    /// What is gathered meanwhile, if somebody wants to see it.
    history: Option<History>,
    /// Writes under way.
    writing: FxHashSet<EffectId>,
    /// Nothing new is to be begun.
    leaving: bool,
    unrecorded: Option<StoreError>,
    diverged: Option<Diverged>,
    suspended: bool,
    not_undone: Vec<UndoFailed>,
    /// What nobody could be asked, and where.
    unasked: Option<(Failure, FailedAt)>,
    /// The engine has more to do, and is called again after what is due.
    resumes: bool,
    ended: Option<Outcome>,
}

/// What a polled future came to.
enum Happened {
    Computed(EffectId, Computed),
    Ended(EffectId, Ended),
    Granted(EffectId, Permit),
    /// A call that was under way when the run was taken up has its turn again.
    GrantedAgain(EffectId, Permit),
    /// What led to these is durable.
    Durable(Vec<EffectId>, Result<(), StoreError>),
    /// An answer counts, or does not.
    Resolved(Box<Resolving>, Result<(), StoreError>),
    Input(u32, Option<GrowingInput>, UnboundedReceiver<GrowingInput>),
}

/// While it lives, somebody wants the result of an evaluation.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Run {
    /// Drives a run to its end. Cancelling lets writes in flight finish; dropping the future does not.
    pub async fn start(
        plan: Arc<Plan>,
        host: Arc<impl Host + 'static>,
        shared: Arc<Shared>,
        start: RunStart,
        log: Arc<RunLog>,
        cancel: CancellationToken,
    ) -> RunEnd {
        let RunStart {
            run,
            graph,
            args,
            growing,
            traced,
            parallel,
            people,
            recorder,
            leave,
            journal,
        } = start;
        let name = run;
        let mut run = Self::new(plan, host, shared, graph, log);
        run.people = people;
        run.recorder = recorder;
        if journal.is_empty() {
            run.queue.push_back(Event::Start(Box::new(Start {
                graph,
                args,
                seed: seed_of(&name),
                parallel: parallel.max(1),
                traced,
                sink: true,
                terms: Arc::clone(&run.plan.terms),
            })));
            for (param, pieces) in growing {
                run.inputs.insert(param, String::new());
                run.listen(param, pieces);
            }
        } else {
            match run.replay(journal) {
                Ok(()) => run.take_up(),
                Err(diverged) => run.diverged = Some(diverged),
            }
        }
        run.drive(cancel, leave).await
    }

    /// Goes through the journal of a run, without a way to the world. The log is written as it was then; with every node, if
    /// `traced`, whether they were then or not.
    ///
    /// # Errors
    /// If the engine does something else than it did.
    pub async fn replayed(
        plan: Arc<Plan>,
        graph: GraphId,
        mut journal: Vec<Entry>,
        log: Arc<RunLog>,
        traced: bool,
    ) -> Result<Replayed, Diverged> {
        if let Some(Entry::Happened { event: Event::Start(start), .. }) = journal.first_mut() {
            start.traced |= traced;
        }
        let mut run = Self::new(plan, Arc::new(Nowhere), Arc::default(), graph, log);
        run.history = Some(History::default());
        run.replay(journal)?;
        let steps = run.history.take().map(History::steps).unwrap_or_default();
        run.open = None;
        let end = match run.ended.take() {
            Some(outcome) => Some(run.finish(outcome).await),
            None => None,
        };
        Ok(Replayed { steps, end })
    }

    /// A run that has not begun.
    fn new(
        plan: Arc<Plan>,
        host: Arc<dyn Host>,
        shared: Arc<Shared>,
        graph: GraphId,
        log: Arc<RunLog>,
    ) -> Self {
        let root = graph;
        let mut writer = Writer::new(log);
        let graph = plan.program().graphs.get(graph.index());
        let name = graph.map(|g| g.name.clone()).unwrap_or_default();
        let ty = graph.map_or(kait_ir::TypeId(0), |g| g.result);
        let run_segment = writer.open(name.clone(), SegmentKind::Run, None, None);
        let table = plan.loaded.shared_table();
        let result = ResultSegment::open(name, ty, Arc::clone(&table), &mut writer);
        let (grower, growth) = unbounded_channel();
        Self {
            machine: Machine::new(Arc::clone(&plan.loaded)),
            state: State::default(),
            table,
            plan,
            host,
            shared,
            graph: root,
            queue: VecDeque::new(),
            now: 0,
            clock: Clock::default(),
            commands: Vec::new(),
            record: Vec::new(),
            calls: FuturesUnordered::new(),
            in_flight: FxHashMap::default(),
            permits: FxHashMap::default(),
            timers: BTreeSet::new(),
            due: FxHashMap::default(),
            sleeps: BTreeSet::new(),
            growth,
            grower,
            inputs: FxHashMap::default(),
            plane: Plane::new(),
            result,
            writer,
            run_segment,
            nodes: FxHashMap::default(),
            usage: Usage::default(),
            computing: FxHashMap::default(),
            people: None,
            questions: Questions::default(),
            recorder: None,
            next_look: None,
            held: FxHashMap::default(),
            waits: FxHashSet::default(),
            open: None,
            history: None,
            writing: FxHashSet::default(),
            leaving: false,
            unrecorded: None,
            diverged: None,
            suspended: false,
            not_undone: Vec::new(),
            unasked: None,
            resumes: false,
            ended: None,
        }
    }

    async fn drive(mut self, cancel: CancellationToken, leave: CancellationToken) -> RunEnd {
        let mut cancelled = false;
        let outcome = loop {
            for handled in 0..BATCH {
                let Some(event) = self.queue.pop_front() else { break };
                if handled % EVENTS_PER_TICK == 0 {
                    self.now = self.clock.now();
                }
                self.step(event);
            }
            self.result.write(&mut self.writer);
            self.writer.flush();
            if let Some(outcome) = self.ended.take() {
                break outcome;
            }
            if self.unrecorded.is_some() || self.diverged.is_some() {
                // Whatever it did from here on, nobody would know of.
                break Outcome::Failed(Failure::Cancelled);
            }
            if !self.queue.is_empty() || self.resumes {
                tokio::task::yield_now().await;
                if cancel.is_cancelled() && !cancelled {
                    cancelled = true;
                    self.queue.push_back(Event::Cancel);
                }
                if std::mem::take(&mut self.resumes) {
                    self.take_due();
                    self.queue.push_back(Event::Resume);
                }
                continue;
            }
            self.commit();
            if self.leaving && self.writing.is_empty() && self.held.is_empty() {
                self.suspend().await;
                break Outcome::Failed(Failure::Cancelled);
            }
            if self.is_suspended() {
                self.suspend().await;
                break Outcome::Failed(Failure::Unanswered);
            }
            let next_timer = self.next_due();
            if self.calls.is_empty() && next_timer.is_none() && self.questions.is_empty() {
                // Nothing is in flight and the engine waits: only a fault of ours leads here, and it must not hang.
                break Outcome::Failed(Failure::trap(
                    "the run waits for something that can never happen",
                ));
            }
            let next_look = self.next_look();
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.queue.push_back(Event::Cancel);
                }
                () = leave.cancelled(), if !self.leaving && self.recorder.is_some() => {
                    self.leaving = true;
                }
                Some((effect, growth)) = self.growth.recv() => {
                    self.grow(effect, growth);
                    self.take_growth();
                }
                Some(happened) = self.calls.next() => {
                    self.take_growth();
                    if let Some(happened) = happened {
                        self.happened(happened);
                    }
                }
                given = hear(&mut self.people) => match given {
                    Some(given) => self.given(given),
                    None => self.nobody_answers(),
                },
                () = sleep_until(next_look), if next_look.is_some() => self.look(),
                () = self.clock.sleep_until(next_timer), if next_timer.is_some() => self.fire_timers(),
            }
        };
        self.finish(outcome).await
    }

    async fn finish(mut self, mut outcome: Outcome) -> RunEnd {
        self.record_end(&mut outcome).await;
        for (segment, question) in self.questions.drain() {
            self.writer.write(question.node, segment, fail_record(&Failure::Cancelled, None));
        }
        // What was in flight has ended; the run ended because of this.
        let unasked = self.unasked.take().filter(|_| matches!(outcome, Outcome::Failed(_)));
        let failed_at = match &unasked {
            Some((failure, at)) => {
                outcome = Outcome::Failed(failure.clone());
                Some(at.clone())
            }
            None => self.state.failed_at().cloned(),
        };
        let unasked = unasked.is_some();
        let mut open: Vec<_> = std::mem::take(&mut self.nodes).into_values().collect();
        open.sort_unstable();
        for (segment, path) in open {
            self.writer.write(path, segment, fail_record(&Failure::Cancelled, None));
        }
        let result = match &outcome {
            Outcome::Ok(value) => Ok(value),
            Outcome::Failed(failure) => Err(failure),
        };
        self.result.end(result, &mut self.writer);
        if self.usage.calls > 0 {
            let node = self.name();
            let segment = self.writer.open(node.clone(), SegmentKind::Usage, None, None);
            let value = json!(RunUsage::from(&self.usage));
            self.writer.write(node, segment, SegmentOp::Close { value });
        }
        let op = match result {
            Ok(_) => SegmentOp::Close { value: json!("done") },
            Err(failure) if unasked => unasked_record(failure, failed_at.as_ref()),
            Err(failure) => fail_record(failure, failed_at.as_ref()),
        };
        let node = self.name();
        self.writer.write(node, self.run_segment, op);
        self.writer.end();
        RunEnd {
            outcome,
            usage: self.usage,
            failed_at,
            not_undone: self.not_undone,
            unasked,
            suspended: self.suspended,
            unrecorded: self.unrecorded,
            diverged: self.diverged,
            record: self.record,
        }
    }

    /// When the next timer is due, or the next sleep is over.
    fn next_due(&self) -> Option<Nanos> {
        let timer = self.timers.first().map(|(due, _)| *due);
        let sleep = self.sleeps.first().map(|(due, _)| *due);
        timer.into_iter().chain(sleep).min()
    }

    fn path(&self, effect: EffectId) -> SmolStr {
        self.machine.path(&self.state, effect).unwrap_or_default().into()
    }

    fn name(&self) -> SmolStr {
        let graph = self.plan.program().graphs.get(self.graph.index());
        graph.map(|graph| graph.name.clone()).unwrap_or_default()
    }

    /// One event through the engine, and all that it commands.
    fn step(&mut self, event: Event) {
        let now = self.now;
        self.record.push((now, event.clone()));
        let mut commands = std::mem::take(&mut self.commands);
        self.machine.on(&mut self.state, now, event, &mut commands);
        if let Some(recorder) = &mut self.recorder
            && let Some((_, event)) = self.record.last()
        {
            recorder.happened(now, event, journal::digest(&commands));
        }
        for command in commands.drain(..) {
            self.command(command, now);
        }
        self.commands = commands;
        self.hear_plane();
    }

    /// What came of growth, for the engine.
    fn hear_plane(&mut self) {
        if self.plane.has_events() {
            self.queue.extend(self.plane.take_events());
        }
    }
}

/// The next answer of somebody; never, if nobody can be asked.
async fn hear(people: &mut Option<AnswerReceiver>) -> Option<Given> {
    match people {
        Some(people) => people.recv().await,
        None => std::future::pending().await,
    }
}

/// Sleeps until then; for ever, if never.
async fn sleep_until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// The seed of a run's jitter, from its name: FNV-1a.
fn seed_of(run: &str) -> u64 {
    run.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
