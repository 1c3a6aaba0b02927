//! What a run asked of the world, and what came of it: gathered while its journal is gone through.

use std::sync::Arc;

use indexmap::IndexMap;
use kait_engine::event::{Answer, Command, EffectId, Event, Nanos, Outcome, Usage};
use kait_engine::json;
use kait_ir::{EffectClass, Failure, NodeKind, TypeId};
use rustc_hash::FxBuildHasher;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use super::Run;

/// One call of the world by a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The node's path.
    pub path: SmolStr,
    /// What was called.
    pub call: Called,
    /// When it was called, in nanoseconds since the Unix epoch.
    pub began: Nanos,
    /// When it ended; nothing while it is open.
    pub ended: Option<Nanos>,
    /// What it gave; nothing while it is open, and if nobody wanted it any more.
    pub outcome: Option<Result<Json, Failure>>,
    /// What it used up.
    pub usage: Option<Usage>,
}

/// What a run calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    /// A leaf.
    Leaf {
        /// Its name.
        name: SmolStr,
        /// Whether it changes the world.
        writes: bool,
        /// Its arguments by name.
        args: Vec<(SmolStr, Json)>,
        /// Its idempotency key, if it has one.
        key: Option<Json>,
    },
    /// A model.
    Model {
        /// The prompt's name.
        prompt: SmolStr,
        /// The role that answers.
        role: SmolStr,
        /// What was sent: who speaks, and what they say.
        messages: Vec<(&'static str, Json)>,
    },
    /// A person: what they were shown.
    Person(Json),
}

/// The steps of a run, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct History {
    steps: Vec<(Step, TypeId)>,
    open: IndexMap<EffectId, usize, FxBuildHasher>,
}

impl History {
    /// The steps.
    pub(super) fn steps(self) -> Vec<Step> {
        self.steps.into_iter().map(|(step, _)| step).collect()
    }

    fn begin(&mut self, effect: EffectId, step: Step, ty: TypeId) {
        self.open.insert(effect, self.steps.len());
        self.steps.push((step, ty));
    }

    fn end(&mut self, effect: EffectId) -> Option<&mut (Step, TypeId)> {
        let at = self.open.swap_remove(&effect)?;
        self.steps.get_mut(at)
    }
}

impl Run {
    /// Something is asked of the world.
    pub(super) fn note_asked(&mut self, command: &Command, at: Nanos) {
        if self.history.is_none() {
            return;
        }
        let (effect, site) = match command {
            Command::Leaf { effect, site, .. } | Command::Promise { effect, site, .. } => {
                (*effect, *site)
            }
            Command::Model { effect, request } => (*effect, request.site),
            _ => return,
        };
        let plan = Arc::clone(&self.plan);
        let program = plan.program();
        let node = plan.loaded.node(site);
        let ty = node.map_or(TypeId(0), |node| node.ty);
        let call = match command {
            Command::Leaf { leaf, args, key, .. } => {
                let Some(decl) = program.leaves.get(leaf.index()) else { return };
                let named = decl.params.iter().zip(args);
                let named = named.map(|(param, value)| {
                    (param.name.clone(), json::encode(&self.table, param.ty, value))
                });
                Called::Leaf {
                    name: decl.name.clone(),
                    writes: matches!(decl.class, EffectClass::Write { .. }),
                    args: named.collect(),
                    key: key.as_ref().map(|key| json!(kait_engine::render::plain(key))),
                }
            }
            Command::Model { request, .. } => {
                let Some(NodeKind::Model(call)) = node.map(|node| &node.kind) else { return };
                let messages = call.messages.iter().zip(&request.messages);
                let messages = messages.map(|(message, value)| {
                    (message.role.word(), json::encode(&self.table, message.ty, value))
                });
                Called::Model {
                    prompt: call.prompt.clone(),
                    role: request.role.clone(),
                    messages: messages.collect(),
                }
            }
            Command::Promise { promise, .. } => Called::Person(promise.about(&self.table)),
            _ => return,
        };
        let path = self.path(effect);
        let step = Step { path, call, began: at, ended: None, outcome: None, usage: None };
        if let Some(history) = &mut self.history {
            history.begin(effect, step, ty);
        }
    }

    /// Something asked of the world has come to its end.
    pub(super) fn note_happened(&mut self, event: &Event, at: Nanos) {
        let (effect, outcome, usage) = match event {
            Event::Done { effect, outcome, usage } => {
                (*effect, Ok(outcome), usage.as_deref().cloned())
            }
            Event::Answered { effect, answer } => (*effect, Err(answer), None),
            _ => return,
        };
        let table = Arc::clone(&self.table);
        let Some((step, ty)) = self.history.as_mut().and_then(|it| it.end(effect)) else { return };
        step.ended = Some(at);
        step.usage = usage;
        step.outcome = Some(match outcome {
            Ok(Outcome::Ok(value)) => Ok(json::encode(&table, *ty, value)),
            Ok(Outcome::Failed(failure)) => Err(failure.clone()),
            Err(answer) => match &**answer {
                Answer::Denied { by, why } => {
                    Err(Failure::Denied { by: by.clone(), why: why.clone() })
                }
                Answer::Approved { by, edits } => {
                    Ok(json!({ "approved_by": by.as_str(), "edits": edits.len() }))
                }
                Answer::Given(value) => Ok(json::encode(&table, *ty, value)),
                Answer::Taken(places) => Ok(json!(places)),
            },
        });
    }

    /// Nobody wants the outcome any more.
    pub(super) fn note_abandoned(&mut self, effect: EffectId, at: Nanos) {
        if let Some((step, _)) = self.history.as_mut().and_then(|it| it.end(effect)) {
            step.ended = Some(at);
        }
    }
}
