//! Takes a run up where its journal ends: what was recorded goes through the engine again, nothing of the world is touched, and
//! then what was in flight when the run stopped is begun anew.

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::IndexMap;
use kait_connect::{Access, Growth, Host, LeafJob, ModelJob, Started};
use kait_engine::event::{Arg, Command, EffectId, Event, Nanos, Outcome, Source};
use kait_engine::journal::{self, Entry};
use kait_ir::{EffectClass, Failure, Value};
use rustc_hash::{FxBuildHasher, FxHashSet};
use smol_str::SmolStr;

use super::commands::{Call, is_sleep};
use super::history::Step;
use super::recording::Held;
use super::{Happened, Run, RunEnd};

/// What the record leaves open.
#[derive(Default)]
pub(super) struct Open {
    /// What was asked of the world and has not been answered, in the order in which it was asked.
    asked: IndexMap<EffectId, Command, FxBuildHasher>,
    /// Writes that may have begun.
    intended: FxHashSet<EffectId>,
    /// Calls that had their turn under a shared limit; what they wait for is in `asked`.
    granted: IndexMap<EffectId, Command, FxBuildHasher>,
    /// What came of growth while the journal was gone through, and has not been met in it yet.
    grown: VecDeque<Event>,
}

/// Why a record cannot be gone through: the engine does something else than it did.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("entry {entry} of the journal: {why}")]
pub struct Diverged {
    /// The entry, counted from 0.
    pub entry: usize,
    /// What is not as it was.
    pub why: String,
    /// The node, if there is one.
    pub path: Option<SmolStr>,
}

/// What going through a whole journal came to.
pub struct Replayed {
    /// What was asked of the world, in the order in which it was.
    pub steps: Vec<Step>,
    /// How the run ended; nothing if the journal ends before.
    pub end: Option<RunEnd>,
}

/// A world that nothing reaches.
pub(super) struct Nowhere;

impl Host for Nowhere {
    fn leaf(&self, job: &LeafJob<'_>) -> Started {
        nowhere(&job.decl.name)
    }

    fn model(&self, job: &ModelJob<'_>) -> Started {
        nowhere(&job.call.prompt)
    }

    fn allow(&self, _: Access<'_>) -> Result<(), SmolStr> {
        Ok(())
    }
}

fn nowhere(name: &SmolStr) -> Started {
    Started::Now(Outcome::Failed(Failure::Unbound { name: name.clone() }))
}

impl Run {
    /// Goes through a journal. Afterwards the run stands where the journal ends, and nothing is in flight.
    pub(super) fn replay(&mut self, entries: Vec<Entry>) -> Result<(), Diverged> {
        self.open = Some(Open::default());
        for (index, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Intent { effect, .. } => {
                    if let Some(open) = &mut self.open {
                        open.intended.insert(effect);
                    }
                }
                Entry::TakenUp { .. } => {}
                Entry::Happened { at, event, asked } => {
                    self.replay_event(index, at, event, asked)?
                }
            }
        }
        Ok(())
    }

    fn replay_event(
        &mut self,
        entry: usize,
        at: Nanos,
        event: Event,
        asked: u32,
    ) -> Result<(), Diverged> {
        if self.ended.is_some() {
            let why = "the run ended before it".into();
            return Err(Diverged { entry, why, path: None });
        }
        self.now = at;
        self.clock.advance(at);
        self.resumes = false;
        self.remember(&event);
        self.note_happened(&event, at);
        self.record.push((at, event.clone()));
        let effect = effect_of(&event);
        let path = effect.and_then(|effect| self.machine.path(&self.state, effect));
        let mut commands = std::mem::take(&mut self.commands);
        self.machine.on(&mut self.state, at, event, &mut commands);
        if journal::digest(&commands) != asked {
            let why = "what follows from it is not what followed when it was recorded".into();
            return Err(Diverged { entry, why, path: path.map(SmolStr::from) });
        }
        for command in commands.drain(..) {
            self.command(command, at);
        }
        self.commands = commands;
        // What growth led to is in the journal, too, unless it ends before.
        if let Some(open) = &mut self.open {
            open.grown.extend(self.plane.take_events());
        }
        Ok(())
    }

    /// What an event means for everything beside the engine.
    fn remember(&mut self, event: &Event) {
        if let (Some(open), Some(effect)) = (&mut self.open, effect_of(event)) {
            open.intended.remove(&effect);
            let command = open.asked.shift_remove(&effect);
            if let (Event::Granted(_), Some(command)) = (event, command) {
                open.granted.insert(effect, command);
            }
        }
        match event {
            Event::Start(start) => {
                let growing = (0u32..).zip(&start.args).filter(|(_, arg)| **arg == Arg::Growing);
                self.inputs.extend(growing.map(|(param, _)| (param, String::new())));
            }
            Event::Done { effect, outcome, usage } => {
                self.sleeps.retain(|(_, asleep)| asleep != effect);
                let source = Source::Effect(*effect);
                match outcome {
                    Outcome::Ok(value) => self.plane.finished(source, value, &mut self.result),
                    Outcome::Failed(_) => self.plane.forget(source),
                }
                if let Some(usage) = usage {
                    self.usage.add(usage);
                }
            }
            Event::InputDone { param, outcome } => {
                self.inputs.remove(param);
                if let Outcome::Ok(value) = outcome {
                    self.plane.finished(Source::Input(*param), value, &mut self.result);
                }
            }
            Event::Timer(timer) => {
                if let Some(due) = self.due.remove(timer) {
                    self.timers.remove(&(due, *timer));
                }
            }
            Event::Answered { effect, answer } => self.close_question(*effect, answer),
            Event::Cut { .. } | Event::Superseded { .. } => {
                let known = self.open.as_mut().and_then(|open| {
                    let at = open.grown.iter().position(|grown| is_same_cut(grown, event))?;
                    open.grown.remove(at)
                });
                // It came of pieces, which are not recorded.
                if known.is_none() {
                    self.plane.catch_up(event);
                }
            }
            _ => {}
        }
    }

    /// Notes what is asked of the world while a journal is gone through; gives everything else back.
    pub(super) fn hold_back(&mut self, command: Command) -> Option<Command> {
        if self.open.is_none() {
            return Some(command);
        }
        self.note_asked(&command, self.now);
        let effect = match &command {
            Command::Leaf { effect, leaf, site, args, key } => {
                let decl = self.plan.program().leaves.get(leaf.index());
                if decl.is_some_and(is_sleep) {
                    let (effect, leaf, site) = (*effect, *leaf, *site);
                    let call = Call { effect, leaf, site, args: args.clone(), key: key.clone() };
                    self.sleep(&call, self.now);
                    return None;
                }
                // What was shown is shown again: this log begins anew.
                let class = self.plan.program().leaves.get(leaf.index()).map(|leaf| leaf.class);
                if class == Some(EffectClass::Emit) {
                    self.show(*effect, *leaf, args);
                }
                *effect
            }
            Command::Model { effect, .. }
            | Command::Compute { effect, .. }
            | Command::Lookup { effect, .. }
            | Command::Acquire { effect, .. } => *effect,
            Command::Promise { .. } => {
                if let Command::Promise { effect, site, promise } = command {
                    self.ask(effect, site, promise);
                }
                return None;
            }
            Command::Abandon(effect) | Command::Release(effect) => {
                let effect = *effect;
                if let Some(open) = &mut self.open {
                    open.asked.shift_remove(&effect);
                    open.granted.shift_remove(&effect);
                }
                self.note_abandoned(effect, self.now);
                return Some(command);
            }
            _ => return Some(command),
        };
        if let Some(open) = &mut self.open {
            open.asked.insert(effect, command);
        }
        None
    }

    /// Begins anew what was in flight.
    pub(super) fn take_up(&mut self) {
        let Some(open) = self.open.take() else { return };
        let now = self.clock.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.taken_up(now);
        }
        self.queue.extend(open.grown);
        for (effect, granted) in open.granted {
            let Command::Acquire { rate, .. } = granted else { continue };
            let permit = Arc::clone(&self.shared).acquire(*rate);
            let again = async move { Some(Happened::GrantedAgain(effect, permit.await)) };
            self.poll(effect, Box::pin(again));
        }
        for (effect, command) in open.asked {
            // Whatever had grown is void: its source begins anew.
            if self.plane.is_bound(Source::Effect(effect)) {
                self.plane.grow(Source::Effect(effect), Growth::Restart, &mut self.result);
            }
            let Command::Leaf { leaf, site, args, key, .. } = command else {
                self.command(command, now);
                continue;
            };
            let plan = Arc::clone(&self.plan);
            let Some(decl) = plan.program().leaves.get(leaf.index()) else { continue };
            let call = Call { effect, leaf, site, args, key };
            match decl.class {
                EffectClass::Write { .. } if !open.intended.contains(&effect) => {
                    self.intend(now, call);
                }
                // It has no key, so it must not happen twice.
                EffectClass::Write { .. } if call.key.is_none() => {
                    let unknown = Failure::Unknown { call: decl.name.clone() };
                    self.done(effect, Outcome::Failed(unknown).into());
                }
                // It has a key. That this process takes it up is recorded before it is called again.
                EffectClass::Write { .. } => {
                    self.held.insert(effect, Held::Call(call));
                }
                // It was shown when the journal was gone through.
                EffectClass::Emit => self.done(effect, Outcome::Ok(Value::None).into()),
                _ => self.call(call),
            }
        }
        self.take_answers();
        // A pipe that fed an argument is gone with the process that read it.
        let mut cut: Vec<u32> = self.inputs.drain().map(|(param, _)| param).collect();
        cut.sort_unstable();
        for param in cut {
            let why = "its input had not been read to its end when the process that ran it ended";
            let outcome = Outcome::Failed(Failure::invalid("", why));
            self.queue.push_back(Event::InputDone { param, outcome });
        }
        self.hear_plane();
    }
}

/// Whether both tell of the same item, or of the same beginning.
fn is_same_cut(a: &Event, b: &Event) -> bool {
    match (a, b) {
        (
            Event::Cut { sink: a, generation: x, index: i, .. },
            Event::Cut { sink: b, generation: y, index: j, .. },
        ) => (a, x, i) == (b, y, j),
        (
            Event::Superseded { sink: a, generation: x },
            Event::Superseded { sink: b, generation: y },
        ) => (a, x) == (b, y),
        _ => false,
    }
}

fn effect_of(event: &Event) -> Option<EffectId> {
    match event {
        Event::Done { effect, .. }
        | Event::Cached { effect, .. }
        | Event::Granted(effect)
        | Event::Answered { effect, .. }
        | Event::Computed { effect, .. } => Some(*effect),
        _ => None,
    }
}
