//! Drives one run on tokio: one task, whatever the run does.
//!
//! Events go into the engine one at a time; what it commands is begun here, and what is begun is polled here. What
//! grows never passes through the engine: it goes from the leaf over the data plane to the log. The record of all
//! events, in their order, is kept in memory, so that a run can be checked by replaying it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, BoxFuture, abortable};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use kait_connect::{
    Access, Connections, Emission, Ended, Grower, Growth, LeafJob, ModelJob, Started, emission,
};
use kait_engine::check::TypeTable;
pub use kait_engine::event::FailedAt;
use kait_engine::event::{
    Arg, Command, Computed, EffectId, Event, ModelRequest, Nanos, Outcome, Promise, Site, Source,
    Start, TimerId, Usage,
};
use kait_engine::machine::State;
use kait_engine::segment::{SegmentKind, SegmentOp, SegmentRole};
use kait_engine::{Machine, json};
use kait_ir::{EffectClass, Failure, GraphId, NodeKind, Value};
use rustc_hash::FxHashMap;
use serde_json::json;
use smol_str::SmolStr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::people::{self, AnswerReceiver, Given, Questions};
use crate::plan::Plan;
use crate::plane::Plane;
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
    /// Whether it ended because a person had to be asked and nobody could be.
    pub unasked: bool,
    /// Everything that happened, in order, with the time: enough to replay the run.
    pub record: Vec<(Nanos, Event)>,
}

/// A run that is being driven.
pub struct Run {
    plan: Arc<Plan>,
    connections: Arc<Connections>,
    shared: Arc<Shared>,
    machine: Machine,
    state: State,
    table: Arc<TypeTable>,
    graph: GraphId,
    queue: VecDeque<Event>,
    now: Nanos,
    commands: Vec<Command>,
    record: Vec<(Nanos, Event)>,
    calls: FuturesUnordered<BoxFuture<'static, Option<Happened>>>,
    in_flight: FxHashMap<EffectId, AbortHandle>,
    permits: FxHashMap<EffectId, Permit>,
    timers: BTreeSet<(Nanos, TimerId)>,
    due: FxHashMap<TimerId, Nanos>,
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
        connections: Arc<Connections>,
        shared: Arc<Shared>,
        start: RunStart,
        log: Arc<RunLog>,
        cancel: CancellationToken,
    ) -> RunEnd {
        let mut writer = Writer::new(log);
        let graph = plan.program().graphs.get(start.graph.index());
        let name = graph.map(|g| g.name.clone()).unwrap_or_default();
        let ty = graph.map_or(kait_ir::TypeId(0), |g| g.result);
        let run_segment = writer.open(name.clone(), SegmentKind::Run, None, None);
        let table = plan.loaded.shared_table();
        let result = ResultSegment::open(name, ty, Arc::clone(&table), &mut writer);
        let (grower, growth) = unbounded_channel();
        let mut run = Self {
            machine: Machine::new(Arc::clone(&plan.loaded)),
            state: State::default(),
            table,
            plan,
            connections,
            shared,
            graph: start.graph,
            queue: VecDeque::new(),
            now: now(),
            commands: Vec::new(),
            record: Vec::new(),
            calls: FuturesUnordered::new(),
            in_flight: FxHashMap::default(),
            permits: FxHashMap::default(),
            timers: BTreeSet::new(),
            due: FxHashMap::default(),
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
            people: start.people,
            questions: Questions::default(),
            unasked: None,
            resumes: false,
            ended: None,
        };
        run.queue.push_back(Event::Start(Box::new(Start {
            graph: start.graph,
            args: start.args,
            seed: seed_of(&start.run),
            parallel: start.parallel.max(1),
            traced: start.traced,
            sink: true,
            terms: Arc::clone(&run.plan.terms),
        })));
        for (param, pieces) in start.growing {
            run.inputs.insert(param, String::new());
            run.listen(param, pieces);
        }
        run.drive(cancel).await
    }

    async fn drive(mut self, cancel: CancellationToken) -> RunEnd {
        let mut cancelled = false;
        let outcome = loop {
            for handled in 0..BATCH {
                let Some(event) = self.queue.pop_front() else { break };
                if handled % EVENTS_PER_TICK == 0 {
                    self.now = now();
                }
                self.step(event);
            }
            self.result.write(&mut self.writer);
            self.writer.flush();
            if let Some(outcome) = self.ended.take() {
                break outcome;
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
            if self.calls.is_empty() && self.timers.is_empty() {
                // Nothing is in flight and the engine waits: only a fault of ours leads here, and it must not hang.
                break Outcome::Failed(Failure::trap(
                    "the run waits for something that can never happen",
                ));
            }
            let next_timer = self.timers.first().map(|(due, _)| *due);
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.queue.push_back(Event::Cancel);
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
                () = sleep_until(next_timer), if next_timer.is_some() => self.fire_timers(),
            }
        };
        self.finish(outcome)
    }

    fn finish(mut self, mut outcome: Outcome) -> RunEnd {
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
        RunEnd { outcome, usage: self.usage, failed_at, unasked, record: self.record }
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

    fn command(&mut self, command: Command, now: Nanos) {
        match command {
            Command::Leaf { effect, leaf, site, args, key } => {
                let Some(decl) = self.plan.program().leaves.get(leaf.index()) else { return };
                if decl.class == EffectClass::Emit {
                    self.emit(effect, leaf, &args);
                    return;
                }
                let started = self.connections.start(&LeafJob {
                    decl,
                    table: &self.table,
                    args: &args,
                    key,
                    path: self.path_of(decl.class, effect),
                    grower: self.grower_of(effect, site),
                });
                self.begin(effect, started);
            }
            Command::Model { effect, request } => self.model(effect, &request),
            Command::Promise { effect, site, promise } => self.ask(effect, site, promise),
            Command::Compute { effect, job } => {
                let (loaded, wanted) =
                    (Arc::clone(&self.plan.loaded), Arc::new(AtomicBool::new(true)));
                self.computing.insert(effect, Wanted(Arc::clone(&wanted)));
                let task = tokio::task::spawn_blocking(move || {
                    job.run(&loaded, &|| !wanted.load(Ordering::Relaxed))
                });
                let computed = Box::pin(async move {
                    let result = task.await.unwrap_or_else(|_| Computed {
                        outcome: Outcome::Failed(Failure::trap("an evaluation was lost")),
                        blamed: None,
                    });
                    Some(Happened::Computed(effect, result))
                });
                self.poll(effect, computed);
            }
            Command::Resume => self.resumes = true,
            Command::Abandon(effect) => {
                self.computing.remove(&effect);
                if let Some(handle) = self.in_flight.remove(&effect) {
                    handle.abort();
                }
                self.plane.forget(Source::Effect(effect));
                if let Some((segment, question)) = self.questions.close(effect) {
                    let failure = if question.is_late(now) {
                        Failure::Unanswered
                    } else {
                        Failure::Cancelled
                    };
                    self.writer.write(question.node, segment, fail_record(&failure, None));
                }
            }
            Command::Timer { timer, due } => {
                self.timers.insert((due, timer));
                self.due.insert(timer, due);
            }
            Command::CancelTimer(timer) => {
                if let Some(due) = self.due.remove(&timer) {
                    self.timers.remove(&(due, timer));
                }
            }
            Command::Lookup { effect, key } => {
                let value = self.shared.lookup(&key, now);
                self.queue.push_back(Event::Cached { effect, value });
            }
            Command::Store { key, value, ttl } => self.shared.store(*key, value, now, ttl),
            Command::Acquire { effect, rate } => {
                let permit = Arc::clone(&self.shared).acquire(*rate);
                let granted =
                    Box::pin(async move { Some(Happened::Granted(effect, permit.await)) });
                self.poll(effect, granted);
            }
            Command::Release(effect) => {
                self.permits.remove(&effect);
                if let Some(handle) = self.in_flight.remove(&effect) {
                    handle.abort();
                }
            }
            Command::Sink { sink, spec } => self.plane.sink(sink, spec),
            Command::Bind { source, sink } => self.plane.bind(source, sink, &mut self.result),
            Command::Put { sink, value } => self.plane.put(sink, value, &mut self.result),
            Command::Reset(sink) => self.plane.reset(sink, &mut self.result),
            Command::NodeStarted { effect, .. } => {
                let node = self.path(effect);
                let segment = self.writer.open(node.clone(), SegmentKind::Node, None, None);
                self.nodes.insert(effect, (segment, node));
            }
            Command::NodeEnded { effect, site, outcome } => self.node_ended(effect, site, outcome),
            // Only tests have expectations and stubs, and those run in the simulator.
            Command::ExpectFailed(_) | Command::Unstubbed { .. } => {}
            Command::Finish(outcome) => self.ended = Some(outcome),
        }
    }

    /// Shows a question to whoever may answer it.
    fn ask(&mut self, effect: EffectId, site: Site, promise: Box<Promise>) {
        let role = promise.to.as_deref().unwrap_or_default();
        if let Err(why) = self.connections.config().grants.allow(Access::Person(role)) {
            return self.done(effect, Outcome::Failed(Failure::Refused { why }).into());
        }
        let node = self.path(effect);
        if self.people.is_none() {
            return self.nobody(node, site, &promise);
        }
        let about = promise.about(&self.table);
        let segment = self.writer.open(node.clone(), SegmentKind::Question, None, Some(about));
        self.questions.add(segment, effect, node, site, promise);
    }

    /// Ends the run, as nobody can be asked what it must ask. What it has begun to write, it finishes.
    fn nobody(&mut self, path: SmolStr, site: Site, promise: &Promise) {
        if self.unasked.is_some() {
            return;
        }
        let why = format!("nobody can be asked here: {}", people::wanted(promise));
        let span = self.plan.loaded.node(site).and_then(|node| node.span);
        self.unasked =
            Some((Failure::Refused { why: why.into() }, FailedAt { path, span, limit: None }));
        self.queue.push_back(Event::Cancel);
    }

    /// Nobody is there any more who could answer.
    fn nobody_answers(&mut self) {
        self.people = None;
        let first = self.questions.first();
        if let Some((node, site, promise)) = first {
            self.nobody(node, site, &promise);
        }
    }

    fn given(&mut self, given: Given) {
        let Given { question, by, answer, taken } = given;
        let result = self.questions.take(&self.table, question, &by, &answer);
        let result = result.map(|(asked, read)| {
            let value = people::closing(&by, &answer);
            self.writer.write(asked.node, question, SegmentOp::Close { value });
            let answer = Box::new(read);
            self.queue.push_back(Event::Answered { effect: asked.effect, answer });
        });
        // Whoever has sent it may be gone.
        let _ = taken.send(result);
    }

    fn node_ended(&mut self, effect: EffectId, site: Site, outcome: Option<Outcome>) {
        let Some((segment, path)) = self.nodes.remove(&effect) else { return };
        let program = self.plan.program();
        let region = program.regions.get(site.region.index());
        let ty = region.and_then(|r| r.nodes.get(site.node as usize)).map(|node| node.ty);
        let op = match outcome {
            Some(Outcome::Ok(value)) => {
                let table = &self.table;
                let value = ty.map(|ty| json::encode(table, ty, &value)).unwrap_or_default();
                SegmentOp::Close { value }
            }
            Some(Outcome::Failed(failure)) => fail_record(&failure, None),
            None => fail_record(&Failure::Cancelled, None),
        };
        self.writer.write(path, segment, op);
    }

    fn model(&mut self, effect: EffectId, request: &ModelRequest) {
        let program = self.plan.program();
        let region = program.regions.get(request.site.region.index());
        let node = region.and_then(|r| r.nodes.get(request.site.node as usize));
        let Some(NodeKind::Model(call)) = node.map(|node| &node.kind) else { return };
        let job = ModelJob {
            program,
            table: &self.table,
            call,
            role: &request.role,
            options: &request.options,
            messages: &request.messages,
            output: request.output,
            repair: request.repair,
            tokens_left: request.tokens_left,
            grower: self.grower_of(effect, request.site),
        };
        let started = self.connections.model(&job);
        self.begin(effect, started);
    }

    /// Paths are rendered only for calls that derive a key from them.
    fn path_of(&self, class: EffectClass, effect: EffectId) -> SmolStr {
        match class {
            EffectClass::Write { .. } => self.path(effect),
            _ => SmolStr::default(),
        }
    }

    /// Growth is only taken apart where somebody may watch.
    fn grower_of(&self, effect: EffectId, site: Site) -> Grower {
        let region = self.plan.program().regions.get(site.region.index());
        let node = region.and_then(|r| r.nodes.get(site.node as usize));
        let grows = node.is_some_and(|node| node.grows);
        Grower::new(effect, grows.then(|| self.grower.clone()))
    }

    fn begin(&mut self, effect: EffectId, started: Started) {
        match started {
            Started::Now(outcome) => self.done(effect, outcome.into()),
            Started::Later(future) => {
                let ended = Box::pin(async move { Some(Happened::Ended(effect, future.await)) });
                self.poll(effect, ended);
            }
        }
    }

    fn poll(&mut self, effect: EffectId, future: BoxFuture<'static, Option<Happened>>) {
        let (future, handle) = abortable(future);
        self.in_flight.insert(effect, handle);
        self.calls.push(Box::pin(async move { future.await.ok().flatten() }));
    }

    fn listen(&self, param: u32, mut pieces: UnboundedReceiver<GrowingInput>) {
        self.calls.push(Box::pin(async move {
            let piece = pieces.recv().await;
            Some(Happened::Input(param, piece, pieces))
        }));
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Ended(effect, ended) => {
                self.in_flight.remove(&effect);
                self.done(effect, ended);
            }
            Happened::Computed(effect, result) => {
                self.in_flight.remove(&effect);
                self.computing.remove(&effect);
                self.queue.push_back(Event::Computed { effect, result });
            }
            Happened::Granted(effect, permit) => {
                self.in_flight.remove(&effect);
                self.permits.insert(effect, permit);
                self.queue.push_back(Event::Granted(effect));
            }
            Happened::Input(param, piece, pieces) => {
                let source = Source::Input(param);
                let outcome = match piece {
                    Some(GrowingInput::Text(text)) => {
                        if let Some(so_far) = self.inputs.get_mut(&param) {
                            so_far.push_str(&text);
                        }
                        self.plane.grow(source, Growth::text(text), &mut self.result);
                        self.hear_plane();
                        self.listen(param, pieces);
                        return;
                    }
                    Some(GrowingInput::Failed(failure)) => Outcome::Failed(failure),
                    None => {
                        let text = self.inputs.remove(&param).unwrap_or_default();
                        let value = Value::text(text);
                        self.plane.finished(source, &value, &mut self.result);
                        Outcome::Ok(value)
                    }
                };
                self.hear_plane();
                self.queue.push_back(Event::InputDone { param, outcome });
            }
        }
    }

    fn done(&mut self, effect: EffectId, ended: Ended) {
        let source = Source::Effect(effect);
        match &ended.outcome {
            Outcome::Ok(value) => self.plane.finished(source, value, &mut self.result),
            Outcome::Failed(_) => self.plane.forget(source),
        }
        // Cuts stand before the end of their source in the record.
        self.hear_plane();
        if let Some(usage) = &ended.usage {
            self.usage.add(usage);
        }
        let usage = ended.usage.map(Box::new);
        self.queue.push_back(Event::Done { effect, outcome: ended.outcome, usage });
    }

    fn grow(&mut self, effect: EffectId, growth: Growth) {
        if self.in_flight.contains_key(&effect) {
            self.plane.grow(Source::Effect(effect), growth, &mut self.result);
            self.hear_plane();
        }
    }

    /// What has happened by now, without waiting.
    fn take_due(&mut self) {
        self.fire_timers();
        self.take_growth();
        while let Some(Some(happened)) = self.calls.next().now_or_never() {
            self.take_growth();
            if let Some(happened) = happened {
                self.happened(happened);
            }
        }
    }

    /// Growth that is there already: it stands before the end of its call.
    fn take_growth(&mut self) {
        while let Ok((effect, growth)) = self.growth.try_recv() {
            self.grow(effect, growth);
        }
    }

    fn fire_timers(&mut self) {
        let now = now();
        while let Some((due, timer)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.pop_first();
            self.due.remove(&timer);
            self.queue.push_back(Event::Timer(timer));
        }
    }

    /// What the program shows on the way: segments of their own.
    fn emit(&mut self, effect: EffectId, leaf: kait_ir::LeafId, args: &[Value]) {
        let node = self.path(effect);
        let plan = Arc::clone(&self.plan);
        let Some(decl) = plan.program().leaves.get(leaf.index()) else { return };
        if let Err(why) = self.connections.config().grants.allow(Access::Emit) {
            return self.done(effect, Outcome::Failed(Failure::Refused { why }).into());
        }
        let (kind, value) = match emission(decl, args) {
            Some(Ok(Emission::Status(text))) => (SegmentKind::Status, json!(text.as_str())),
            Some(Ok(Emission::Progress { done, of })) => {
                (SegmentKind::Status, json!({ "done": done, "of": of }))
            }
            Some(Ok(Emission::Card { ty, value })) => {
                (SegmentKind::Card, json::encode(&self.table, ty, &value))
            }
            Some(Err(failure)) => return self.done(effect, Outcome::Failed(failure).into()),
            None => {
                let failure = Failure::Unbound { name: decl.name.clone() };
                return self.done(effect, Outcome::Failed(failure).into());
            }
        };
        let role = Some(SegmentRole::Progress);
        let segment = self.writer.open(node.clone(), kind, role, None);
        self.writer.write(node, segment, SegmentOp::Close { value });
        self.done(effect, Outcome::Ok(Value::None).into());
    }
}

/// Now, in nanoseconds since the Unix epoch.
fn now() -> Nanos {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// The next answer of somebody; never, if nobody can be asked.
async fn hear(people: &mut Option<AnswerReceiver>) -> Option<Given> {
    match people {
        Some(people) => people.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(due: Option<Nanos>) {
    let Some(due) = due else { return std::future::pending().await };
    let wait = u64::try_from(due.saturating_sub(now())).unwrap_or(0);
    tokio::time::sleep(Duration::from_nanos(wait)).await;
}

/// The seed of a run's jitter, from its name: FNV-1a.
fn seed_of(run: &str) -> u64 {
    run.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
