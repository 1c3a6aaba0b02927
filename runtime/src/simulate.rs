//! Runs a test of the language: virtual time, no leaf reachable, the same engine.
//!
//! Stubs are answered by the engine itself. What the language builds in for tests (emits, the clock, sleeping, the
//! cache, rate limits) is answered here; any other effect has no stub and fails the test.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use kait_connect::{Config, Connections, Grower, Growth, LeafJob, Started, Step};
use kait_engine::event::{
    Asks, CacheKey, Command, EffectId, Event, ExpectFailed, FailedAt, Nanos, Outcome, Site, Start,
    TimerId,
};
use kait_engine::machine::State;
use kait_engine::{Loaded, Machine, render};
use kait_ir::program::LeafDecl;
use kait_ir::{EffectClass, Failure, GraphId, NodeKind, TypeId, Value};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::plane::{Plane, Watcher};

/// The virtual clock of every test begins here: 2026-01-01T00:00:00Z.
pub const BEGIN: Nanos = 1_767_225_600_000_000_000;

/// Events of one test; more means that it would go on practically for ever.
pub const MAX_EVENTS: usize = 10_000_000;

/// An effect that the test has no stub for.
#[derive(Clone, Debug)]
pub struct Unstubbed {
    /// What was called.
    pub name: SmolStr,
    /// Where.
    pub site: Site,
    /// The arguments, rendered.
    pub args: Vec<String>,
}

/// How a test ended. It has passed if `outcome` is a value and nothing else is reported.
#[derive(Debug)]
pub struct TestEnd {
    /// How its block ended.
    pub outcome: Outcome,
    /// Where its block failed, if it did.
    pub failed_at: Option<FailedAt>,
    /// Expectations that did not hold.
    pub failed: Vec<ExpectFailed>,
    /// Effects without stub, in the order in which they were called; the first of each place.
    pub unstubbed: Vec<Unstubbed>,
    /// Virtual time that passed, in nanoseconds.
    pub elapsed: i64,
    /// Everything that happened, with the virtual time.
    pub record: Vec<(Nanos, Event)>,
}

impl TestEnd {
    /// Whether the test has passed.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_))
            && self.failed.is_empty()
            && self.unstubbed.is_empty()
    }
}

/// Runs a test graph to its end.
pub fn simulate(loaded: &Arc<Loaded>, graph: GraphId) -> TestEnd {
    Simulation {
        machine: Machine::new(Arc::clone(loaded)),
        state: State::default(),
        loaded: Arc::clone(loaded),
        now: BEGIN,
        queue: VecDeque::new(),
        due: BTreeSet::new(),
        cache: FxHashMap::default(),
        sessions: FxHashMap::default(),
        plane: Plane::new(),
        connections: Connections::new(Config::default()),
        failed: Vec::new(),
        unstubbed: Vec::new(),
        record: Vec::new(),
    }
    .run(graph)
}

/// What comes due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Timer(TimerId),
    Awake(EffectId),
}

struct Simulation {
    machine: Machine,
    state: State,
    loaded: Arc<Loaded>,
    now: Nanos,
    queue: VecDeque<Event>,
    due: BTreeSet<(Nanos, Due)>,
    cache: FxHashMap<(SmolStr, Vec<Value>), (Nanos, Value)>,
    /// What was saved, by session and field: one session of each kind lasts for the test.
    sessions: FxHashMap<(SmolStr, SmolStr), Value>,
    plane: Plane,
    connections: Connections,
    failed: Vec<ExpectFailed>,
    unstubbed: Vec<Unstubbed>,
    record: Vec<(Nanos, Event)>,
}

/// Nobody watches a test.
struct Nobody;

impl Watcher for Nobody {
    fn grow(&mut self, _: &Growth) {}
    fn reset(&mut self, _: &[Step]) {}
    fn render(&self, _: TypeId, _: &Value) -> SmolStr {
        SmolStr::default()
    }
}

impl Simulation {
    fn run(mut self, graph: GraphId) -> TestEnd {
        self.queue.push_back(Event::Start(Box::new(Start::new(graph, Vec::new()))));
        let mut commands = Vec::new();
        let mut finished = None;
        for _ in 0..MAX_EVENTS {
            let event = match self.queue.pop_front() {
                Some(event) => event,
                None => match self.due.pop_first() {
                    Some((due, what)) => {
                        self.now = self.now.max(due);
                        match what {
                            Due::Timer(timer) => Event::Timer(timer),
                            Due::Awake(effect) => done(effect, Outcome::Ok(Value::None)),
                        }
                    }
                    None => break,
                },
            };
            self.record.push((self.now, event.clone()));
            self.machine.on(&mut self.state, self.now, event, &mut commands);
            for command in commands.drain(..) {
                if let Some(outcome) = self.command(command) {
                    finished = Some(outcome);
                }
            }
            self.queue.extend(self.plane.take_events());
            if finished.is_some() {
                break;
            }
        }
        let stuck = || Outcome::Failed(Failure::trap("the test does not come to an end"));
        TestEnd {
            outcome: finished.unwrap_or_else(stuck),
            failed_at: self.state.failed_at().cloned(),
            failed: self.failed,
            unstubbed: self.unstubbed,
            elapsed: self.now - BEGIN,
            record: self.record,
        }
    }

    fn command(&mut self, command: Command) -> Option<Outcome> {
        match command {
            Command::Leaf { effect, leaf, site, args, .. } => {
                let loaded = Arc::clone(&self.loaded);
                let decl = loaded.program().leaves.get(leaf.index())?;
                let outcome = match (decl.class, decl.name.as_str()) {
                    (EffectClass::Emit, _) => Outcome::Ok(Value::None),
                    _ if decl.kind == "session" => self.session(decl, &args),
                    (_, "clock.sleep") => {
                        let nanos = match args.first() {
                            Some(Value::Duration(nanos)) => (*nanos).max(0),
                            _ => 0,
                        };
                        self.due.insert((self.now.saturating_add(nanos), Due::Awake(effect)));
                        return None;
                    }
                    (EffectClass::Clock, name) => self.clock(name, &args),
                    // Nothing of the world is in it: it is only recorded because its answer may change with a release.
                    (EffectClass::Read, _) if decl.reads.is_empty() && decl.kind == "native" => {
                        let job = LeafJob {
                            decl,
                            table: &loaded.shared_table(),
                            args: &args,
                            key: None,
                            path: SmolStr::default(),
                            grower: Grower::new(effect, None),
                        };
                        match self.connections.start(&job) {
                            Started::Now(outcome) => outcome,
                            Started::Later(_) => {
                                self.unstubbed(decl.name.clone(), site, Vec::new())
                            }
                        }
                    }
                    _ => {
                        let table = loaded.table();
                        let args = decl.params.iter().zip(&args);
                        let args = args.map(|(p, v)| render::to_text(table, p.ty, v)).collect();
                        self.unstubbed(decl.name.clone(), site, args)
                    }
                };
                self.queue.push_back(done(effect, outcome));
            }
            Command::Model { effect, request } => {
                let loaded = Arc::clone(&self.loaded);
                let region = loaded.program().regions.get(request.site.region.index());
                let node = region.and_then(|r| r.nodes.get(request.site.node as usize));
                let name = match node.map(|node| &node.kind) {
                    Some(NodeKind::Model(call)) => call.prompt.clone(),
                    _ => request.role.clone(),
                };
                let outcome = self.unstubbed(name, request.site, Vec::new());
                self.queue.push_back(done(effect, outcome));
            }
            // Approvals and questions of a test are answered by its stubs, never by people.
            Command::Promise { site, promise, .. } => {
                let name = match promise.asks {
                    Asks::Approval { call, .. } => format!("approve {call}").into(),
                    Asks::Question { .. } => "ask".into(),
                    Asks::Selection { .. } => "choose".into(),
                };
                self.unstubbed(name, site, Vec::new());
            }
            Command::Compute { effect, job } => {
                let result = job.run(&self.loaded, &|| false);
                self.queue.push_back(Event::Computed { effect, result });
            }
            Command::Resume => self.queue.push_back(Event::Resume),
            Command::Timer { timer, due } => {
                self.due.insert((due, Due::Timer(timer)));
            }
            Command::CancelTimer(timer) => self.due.retain(|(_, due)| *due != Due::Timer(timer)),
            Command::Abandon(effect) => self.due.retain(|(_, due)| *due != Due::Awake(effect)),
            Command::Lookup { effect, key } => {
                let CacheKey { call, args } = *key;
                let found = self.cache.get(&(call, args)).filter(|(until, _)| *until > self.now);
                let value = found.map(|(_, value)| value.clone());
                self.queue.push_back(Event::Cached { effect, value });
            }
            Command::Store { key, value, ttl } => {
                let CacheKey { call, args } = *key;
                self.cache.insert((call, args), (self.now.saturating_add(ttl), value));
            }
            Command::Acquire { effect, .. } => self.queue.push_back(Event::Granted(effect)),
            Command::Sink { sink, spec } => self.plane.sink(sink, spec),
            Command::Bind { source, sink } => self.plane.bind(source, sink, &mut Nobody),
            Command::Put { sink, value } => self.plane.put(sink, value, &mut Nobody),
            Command::Reset(sink) => self.plane.reset(sink, &mut Nobody),
            Command::ExpectFailed(failed) => self.failed.push(*failed),
            Command::Unstubbed { site, target, args } => {
                let loaded = Arc::clone(&self.loaded);
                let name = loaded.program().targets.get(target.index()).cloned();
                let args = args.iter().map(render::plain).collect();
                self.unstubbed(name.unwrap_or_default(), site, args);
            }
            // A test says itself what it expects of it.
            Command::UndoFailed(_)
            | Command::Release(_)
            | Command::NodeStarted { .. }
            | Command::NodeEnded { .. } => {}
            Command::Finish(outcome) => return Some(outcome),
        }
        None
    }

    fn unstubbed(&mut self, name: SmolStr, site: Site, args: Vec<String>) -> Outcome {
        let failure = Failure::Unbound { name: name.clone() };
        if !self.unstubbed.iter().any(|u| u.site == site) {
            self.unstubbed.push(Unstubbed { name, site, args });
        }
        Outcome::Failed(failure)
    }

    /// A read of a session, whose argument is what the field begins with, or a save, whose arguments are per field its
    /// new value or nothing.
    fn session(&mut self, decl: &LeafDecl, args: &[Value]) -> Outcome {
        let key = |field: &SmolStr| (decl.name.clone(), field.clone());
        if decl.locator == "read" {
            let kept = decl.params.first().and_then(|param| self.sessions.get(&key(&param.name)));
            return Outcome::Ok(kept.or(args.first()).cloned().unwrap_or(Value::None));
        }
        for (param, value) in decl.params.iter().zip(args) {
            if let Value::List(items) = value
                && let Some(value) = items.first()
            {
                self.sessions.insert(key(&param.name), value.clone());
            }
        }
        Outcome::Ok(Value::None)
    }

    /// The virtual clock's answers.
    fn clock(&self, name: &str, args: &[Value]) -> Outcome {
        let now = jiff::Timestamp::from_nanosecond(i128::from(self.now)).unwrap_or_default();
        match name {
            "clock.today" => {
                let zone = args.first().and_then(Value::as_text).unwrap_or("UTC");
                match now.in_tz(zone) {
                    Ok(local) => Outcome::Ok(Value::text(local.date().to_string())),
                    Err(_) => Outcome::Failed(Failure::invalid(
                        "zone",
                        format!("`{zone}` is not a time zone"),
                    )),
                }
            }
            _ => Outcome::Ok(Value::Time(now)),
        }
    }
}

fn done(effect: EffectId, outcome: Outcome) -> Event {
    Event::Done { effect, outcome, usage: None }
}
