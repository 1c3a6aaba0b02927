//! Tests of the machine: a small driver with virtual time, and one file per theme.

mod budgets;
mod chaos;
mod compute;
mod control;
mod growth;
mod oracle;
mod people;
mod policies;
mod promises;
mod stubs;
mod undo;

use kait_ir::{Failure, GraphId, Program, Value};

use super::{Machine, State};
use crate::event::{Command, ComputeJob, EffectId, Event, Nanos, Outcome, Promise, Start, TimerId};
use crate::load::Loaded;

pub(super) const SECOND: i64 = 1_000_000_000;

/// A leaf or model in flight.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) effect: EffectId,
    pub(super) name: String,
    pub(super) args: Vec<Value>,
    pub(super) path: String,
}

/// Drives one run by hand. Every event and every command is kept; `rebuild` checks that the same events give the same
/// commands.
pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) state: State,
    pub(super) now: Nanos,
    pub(super) events: Vec<(Nanos, Event)>,
    pub(super) commands: Vec<Command>,
    pub(super) in_flight: Vec<InFlight>,
    pub(super) timers: Vec<(TimerId, Nanos)>,
    /// What people are asked and have not answered.
    pub(super) asked: Vec<(EffectId, Promise)>,
    /// Whether that is in flight like an effect.
    pub(super) people_are_effects: bool,
    /// Everything that is not a leaf, a model or a timer.
    pub(super) others: Vec<Command>,
    pub(super) abandoned: Vec<EffectId>,
    pub(super) outcome: Option<Outcome>,
    /// What is to be computed elsewhere, and whether there is more to do.
    pub(super) computing: Vec<(EffectId, ComputeJob)>,
    pub(super) resumes: bool,
    /// Whether both are done at once.
    pub(super) prompt: bool,
}

impl Driver {
    pub(super) fn new(loaded: Loaded) -> Self {
        Self {
            machine: Machine::new(loaded),
            state: State::new(),
            now: 0,
            events: Vec::new(),
            commands: Vec::new(),
            in_flight: Vec::new(),
            timers: Vec::new(),
            asked: Vec::new(),
            people_are_effects: false,
            others: Vec::new(),
            abandoned: Vec::new(),
            outcome: None,
            computing: Vec::new(),
            resumes: false,
            prompt: true,
        }
    }

    /// Starts the last graph of the program.
    pub(super) fn started(loaded: Loaded, args: Vec<Value>) -> Self {
        let graph = GraphId(loaded.program().graphs.len() as u32 - 1);
        let mut driver = Self::new(loaded);
        driver.event(Event::Start(Box::new(Start::new(graph, args))));
        driver
    }

    pub(super) fn program(&self) -> &Program {
        self.machine.loaded().program()
    }

    pub(super) fn event(&mut self, event: Event) {
        let mut out = Vec::new();
        self.events.push((self.now, event.clone()));
        if let Event::Answered { effect, .. } = &event {
            self.asked.retain(|(asked, _)| asked != effect);
        }
        self.machine.on(&mut self.state, self.now, event, &mut out);
        for command in &out {
            assert!(self.outcome.is_none(), "a command after the end: {command:?}");
            match command {
                Command::Leaf { effect, leaf, args, .. } => {
                    let name = self.program().leaves[leaf.index()].name.to_string();
                    let path = self.machine.path(&self.state, *effect).unwrap_or_default();
                    self.in_flight.push(InFlight {
                        effect: *effect,
                        name,
                        args: args.to_vec(),
                        path,
                    });
                }
                Command::Model { effect, request } => {
                    let path = self.machine.path(&self.state, *effect).unwrap_or_default();
                    self.in_flight.push(InFlight {
                        effect: *effect,
                        name: request.role.to_string(),
                        args: request.messages.clone(),
                        path,
                    });
                }
                Command::Abandon(effect)
                    if self.computing.iter().any(|(computed, _)| computed == effect) =>
                {
                    self.computing.retain(|(computed, _)| computed != effect);
                }
                Command::Promise { effect, .. } if self.people_are_effects => {
                    let path = self.machine.path(&self.state, *effect).unwrap_or_default();
                    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                    self.in_flight.push(InFlight { effect: *effect, name, args: vec![], path });
                }
                Command::Promise { effect, promise, .. } => {
                    self.asked.push((*effect, (**promise).clone()));
                }
                Command::Abandon(effect) if self.asked.iter().any(|(asked, _)| asked == effect) => {
                    self.asked.retain(|(asked, _)| asked != effect);
                    self.abandoned.push(*effect);
                }
                Command::Abandon(effect) => {
                    let at = self.in_flight.iter().position(|f| f.effect == *effect);
                    self.in_flight.remove(at.expect("only what is in flight is abandoned"));
                    self.abandoned.push(*effect);
                }
                Command::Timer { timer, due } => self.timers.push((*timer, *due)),
                Command::CancelTimer(timer) => {
                    let at = self.timers.iter().position(|(t, _)| t == timer);
                    self.timers.remove(at.expect("only a set timer is cancelled"));
                }
                Command::Finish(outcome) => self.outcome = Some(outcome.clone()),
                Command::Compute { effect, job } => self.computing.push((*effect, (**job).clone())),
                Command::Resume => self.resumes = true,
                other => self.others.push(other.clone()),
            }
        }
        self.commands.extend(out);
        while self.prompt && self.outcome.is_none() {
            if let Some((effect, job)) = self.computing.pop() {
                let result = job.run(self.machine.loaded(), &|| false);
                self.event(Event::Computed { effect, result });
            } else if std::mem::take(&mut self.resumes) {
                self.event(Event::Resume);
            } else {
                return;
            }
        }
    }

    /// Names of what is in flight, in the order of its start.
    pub(super) fn flying(&self) -> Vec<&str> {
        self.in_flight.iter().map(|f| f.name.as_str()).collect()
    }

    pub(super) fn end(&mut self, name: &str, outcome: Outcome) {
        let at = self.in_flight.iter().position(|f| f.name == name);
        let at = at.unwrap_or_else(|| panic!("{name} is not in flight: {:?}", self.flying()));
        let effect = self.in_flight.remove(at).effect;
        self.event(Event::Done { effect, outcome, usage: None });
    }

    pub(super) fn ok(&mut self, name: &str, value: impl Into<Value2>) {
        self.end(name, Outcome::Ok(value.into().0));
    }

    pub(super) fn fail(&mut self, name: &str, failure: Failure) {
        self.end(name, Outcome::Failed(failure));
    }

    /// Lets the next timer fire.
    pub(super) fn tick(&mut self) -> bool {
        let Some(at) = (0..self.timers.len()).min_by_key(|i| self.timers[*i].1) else {
            return false;
        };
        let (timer, due) = self.timers.remove(at);
        self.now = self.now.max(due);
        self.event(Event::Timer(timer));
        true
    }

    /// Time passes; timers that fall due fire.
    pub(super) fn pass(&mut self, nanos: i64) {
        let until = self.now + nanos;
        while self.timers.iter().any(|(_, due)| *due <= until) {
            self.tick();
        }
        self.now = until;
    }

    #[track_caller]
    pub(super) fn ended_with(&self, value: impl Into<Value2>) {
        assert_eq!(self.outcome, Some(Outcome::Ok(value.into().0)));
        self.rebuild();
    }

    #[track_caller]
    pub(super) fn failed_with(&self, failure: Failure) {
        assert_eq!(self.outcome, Some(Outcome::Failed(failure)));
        self.rebuild();
    }

    /// The same events give the same commands, from a state that is thrown away.
    #[track_caller]
    pub(super) fn rebuild(&self) {
        let (mut state, mut out) = (State::new(), Vec::new());
        for (now, event) in &self.events {
            self.machine.on(&mut state, *now, event.clone(), &mut out);
            state = state.clone();
        }
        assert_eq!(out, self.commands);
    }
}

/// Literals in tests.
pub(super) struct Value2(pub(super) Value);

impl From<i64> for Value2 {
    fn from(n: i64) -> Self {
        Self(Value::Int(n))
    }
}

impl From<&str> for Value2 {
    fn from(text: &str) -> Self {
        Self(Value::text(text))
    }
}

impl From<Value> for Value2 {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl<T: Into<Value2>> From<Vec<T>> for Value2 {
    fn from(items: Vec<T>) -> Self {
        Self(Value::list(items.into_iter().map(|i| i.into().0).collect()))
    }
}

pub(super) fn int(n: i64) -> Value {
    Value::Int(n)
}

pub(super) fn custom(message: &str) -> Failure {
    Failure::failed(message)
}
