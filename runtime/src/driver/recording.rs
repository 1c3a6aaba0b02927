//! Keeps the journal ahead of the world: what changes it, and what is shown as final, waits here until all that led to it is
//! durable.

use kait_engine::event::{EffectId, FailedAt, Nanos, Outcome, Promise, Site};
use kait_ir::Failure;
use kait_store::{RunState, StoreError};
use serde_json::json;

use super::commands::Call;
use super::{Happened, Run};
use crate::people;

/// What waits until it is recorded.
pub(super) enum Held {
    /// A call that changes the world.
    Call(Call),
    /// A question.
    Question {
        /// Where it stands.
        site: Site,
        /// What is asked.
        promise: Box<Promise>,
    },
}

impl Run {
    /// A call that changes the world is to be made, as soon as it is durable that it will be.
    pub(super) fn intend(&mut self, now: Nanos, call: Call) {
        if self.leaving {
            // Whoever takes the run up begins it.
            return;
        }
        let effect = call.effect;
        let path = self.path(effect);
        if let Some(recorder) = &mut self.recorder {
            recorder.intends(now, effect, path, &call.args);
        }
        self.held.insert(effect, Held::Call(call));
    }

    /// Commits what was recorded, before the run waits for anything.
    pub(super) fn commit(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        if !recorder.is_behind() {
            return;
        }
        let ticket = recorder.commit();
        let mut held: Vec<_> =
            self.held.keys().copied().filter(|id| !self.waits.contains(id)).collect();
        held.sort_unstable();
        self.waits.extend(held.iter().copied());
        self.calls.push(Box::pin(async move { Some(Happened::Durable(held, ticket.await)) }));
    }

    /// What was held back is durable: now it may be done.
    pub(super) fn durable(&mut self, held: Vec<EffectId>, result: Result<(), StoreError>) {
        for effect in &held {
            self.waits.remove(effect);
        }
        if let Err(error) = result {
            self.unrecorded.get_or_insert(error);
            return;
        }
        for effect in held {
            match self.held.remove(&effect) {
                Some(Held::Call(call)) => self.call(call),
                Some(Held::Question { site, promise }) => self.ask(effect, site, promise),
                // It was abandoned meanwhile.
                None => {}
            }
        }
    }

    /// Makes the end of the run durable. What cannot be recorded has not come to an end.
    pub(super) async fn record_end(&mut self, outcome: &mut Outcome) {
        let now = self.clock.now();
        let Some(recorder) = &mut self.recorder else { return };
        if self.suspended || self.diverged.is_some() {
            return;
        }
        if self.unrecorded.is_none() {
            let (state, summary) = match outcome {
                Outcome::Ok(_) => (RunState::Done, json!({})),
                Outcome::Failed(Failure::Cancelled) => (RunState::Cancelled, json!({})),
                Outcome::Failed(failure) => {
                    let (code, message, _) = crate::report::words(failure);
                    (RunState::Failed, json!({ "code": code, "message": message }))
                }
            };
            let mut summary = summary;
            if !self.not_undone.is_empty() {
                let paths: Vec<_> = self.not_undone.iter().map(|u| u.undo.as_str()).collect();
                summary["not_undone"] = json!(paths);
            }
            recorder.ended(now, state, summary.to_string().into_bytes());
            if let Err(error) = recorder.commit().await {
                self.unrecorded = Some(error);
            }
        }
        if let Some(error) = &self.unrecorded {
            let why = format!("the run could not be recorded any more: {error}");
            *outcome = Outcome::Failed(Failure::trap(why));
        }
    }

    /// Whether nothing can happen before somebody answers or a time has come, and nobody is here to answer: then the run needs no
    /// process.
    pub(super) fn is_suspended(&self) -> bool {
        self.recorder.is_some()
            && self.people.is_none()
            && !self.questions.is_empty()
            && self.calls.is_empty()
            && self.held.is_empty()
    }

    /// Leaves the run to whoever takes it up later.
    pub(super) async fn suspend(&mut self) {
        let wake = self.next_due();
        let Some(recorder) = &mut self.recorder else { return };
        self.suspended = true;
        if let Some((path, site, promise)) = self.questions.first().filter(|_| !self.leaving) {
            let why = format!("waits: {}", people::wanted(&promise));
            let span = self.plan.loaded.node(site).and_then(|node| node.span);
            let at = FailedAt { path, span, limit: None };
            self.unasked = Some((Failure::Refused { why: why.into() }, at));
        }
        recorder.waits(wake);
        if let Err(error) = recorder.commit().await {
            self.unrecorded = Some(error);
        }
    }
}
