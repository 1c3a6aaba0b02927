//! Questions of the run to people: asked, withdrawn, answered.

use std::time::Duration;

use kait_connect::Access;
use kait_engine::event::{Answer, EffectId, Event, FailedAt, Nanos, Outcome, Promise, Site};
use kait_engine::segment::{SegmentKind, SegmentOp};
use kait_ir::Failure;
use kait_store::{Question, Refused, StoreError};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use tokio::time::Instant;

use super::recording::Held;
use super::{Happened, Run};
use crate::people::{self, Given, NotTaken, Taken};
use crate::report::fail_record;

/// How often to look for answers that are given in other processes, while somebody is asked.
const LOOK: Duration = Duration::from_millis(250);

/// An answer that is being recorded.
pub(super) struct Resolving {
    pub(super) question: u64,
    by: SmolStr,
    answer: Json,
    read: Answer,
    taken: Option<Taken>,
}

impl Run {
    /// A question of the engine: recorded before anybody sees it.
    pub(super) fn promise(&mut self, effect: EffectId, site: Site, promise: Box<Promise>) {
        let role = promise.to.as_deref().unwrap_or_default();
        if let Err(why) = self.host.allow(Access::Person(role)) {
            return self.done(effect, Outcome::Failed(Failure::Refused { why }).into());
        }
        if let Some(recorder) = &mut self.recorder {
            let node = self.machine.path(&self.state, effect).unwrap_or_default();
            recorder.asks(Question {
                key: node.into(),
                role: promise.to.clone(),
                asked: self.now,
                due: Some(promise.due),
                shown: promise.about(&self.table).to_string().into_bytes(),
            });
            self.held.insert(effect, Held::Question { site, promise });
            return;
        }
        if self.people.is_none() {
            let node = self.path(effect);
            return self.nobody(node, site, &promise);
        }
        self.ask(effect, site, promise);
    }

    /// Shows a question to whoever may answer it.
    pub(super) fn ask(&mut self, effect: EffectId, site: Site, promise: Box<Promise>) {
        let node = self.path(effect);
        let about = promise.about(&self.table);
        let segment = self.writer.open(node.clone(), SegmentKind::Question, None, Some(about));
        self.questions.add(segment, effect, node, site, promise);
    }

    /// Ends the run, as nobody can be asked what it must ask. What it has begun to write, it finishes.
    pub(super) fn nobody(&mut self, path: SmolStr, site: Site, promise: &Promise) {
        if self.unasked.is_some() {
            return;
        }
        let why = format!("nobody can be asked here: {}", people::wanted(promise));
        let span = self.plan.loaded.node(site).and_then(|node| node.span);
        self.unasked =
            Some((Failure::Refused { why: why.into() }, FailedAt { path, span, limit: None }));
        self.queue.push_back(Event::Cancel);
    }

    /// Nobody is there any more who could answer. What is recorded can be answered later.
    pub(super) fn nobody_answers(&mut self) {
        self.people = None;
        if self.recorder.is_some() {
            return;
        }
        let first = self.questions.first();
        if let Some((node, site, promise)) = first {
            self.nobody(node, site, &promise);
        }
    }

    /// The engine does not want the answer any more.
    pub(super) fn withdraw(&mut self, effect: EffectId, now: Nanos) {
        let Some((segment, question)) = self.questions.close(effect) else { return };
        if let Some(recorder) = &mut self.recorder {
            recorder.withdraws(&question.node);
        }
        let failure = if question.is_late(now) { Failure::Unanswered } else { Failure::Cancelled };
        self.writer.write(question.node, segment, fail_record(&failure, None));
    }

    /// Somebody answers.
    pub(super) fn given(&mut self, given: Given) {
        let now = self.clock.now();
        let Given { question, by, answer, taken } = given;
        let read = match self.questions.read(&self.table, question, &by, &answer) {
            Ok(read) => read,
            Err(why) => {
                // Whoever has sent it may be gone.
                let _ = taken.send(Err(why));
                return;
            }
        };
        let resolving = Resolving { question, by, answer, read, taken: Some(taken) };
        match &mut self.recorder {
            Some(recorder) => {
                let Some(node) = self.questions.node(resolving.question) else { return };
                let answer = kait_store::Answer {
                    by: resolving.by.clone(),
                    at: now,
                    value: resolving.answer.to_string().into_bytes(),
                };
                let ticket = recorder.answers(node, answer);
                self.calls.push(Box::pin(async move {
                    Some(Happened::Resolved(Box::new(resolving), ticket.await))
                }));
            }
            None => self.resolved(resolving, Ok(())),
        }
    }

    /// An answer counts now, or somebody else was faster.
    pub(super) fn resolved(&mut self, resolving: Resolving, result: Result<(), StoreError>) {
        let Resolving { question, by, answer, read, taken } = resolving;
        let told = match result {
            Ok(()) => {
                self.answered(question, &by, &answer, read);
                Ok(())
            }
            // Somebody else was faster, in another process, or the run does not ask any more.
            Err(StoreError::Refused(Refused::Answered { .. } | Refused::Withdrawn { .. })) => {
                self.take_answers();
                Err(NotTaken::Closed)
            }
            Err(error) => Err(NotTaken::Unrecorded(error.to_string().into())),
        };
        if let Some(taken) = taken {
            let _ = taken.send(told);
        }
    }

    /// When to look next for answers that were given in another process; never, if there is nothing to be answered there.
    pub(super) fn next_look(&mut self) -> Option<Instant> {
        if self.recorder.is_none() || self.questions.is_empty() {
            self.next_look = None;
        } else if self.next_look.is_none() {
            self.next_look = Some(Instant::now() + LOOK);
        }
        self.next_look
    }

    /// Looks for answers that were given in another process.
    pub(super) fn look(&mut self) {
        self.next_look = None;
        let Some(recorder) = &mut self.recorder else { return };
        // If the store cannot be read now, the next look may go better; what must not be lost waits for commits.
        if let Ok(true) = recorder.has_news() {
            self.take_answers();
        }
    }

    /// What was answered while nothing ran, or in another process.
    pub(super) fn take_answers(&mut self) {
        for (question, node) in self.questions.nodes() {
            let Some(recorder) = &self.recorder else { return };
            let answer = match recorder.answer(&node) {
                Ok(Some(answer)) => answer,
                Ok(None) => continue,
                Err(error) => {
                    self.unrecorded.get_or_insert(error);
                    return;
                }
            };
            let given = serde_json::from_slice(&answer.value).unwrap_or_default();
            match self.questions.read(&self.table, question, &answer.by, &given) {
                Ok(read) => self.answered(question, &answer.by, &given, read),
                // Whoever took it has checked it: then the store does not hold what was written.
                Err(_) => {
                    let why = format!("the answer to `{node}` does not fit what is asked");
                    self.unrecorded = Some(recorder.damaged(why));
                }
            }
        }
    }

    fn answered(&mut self, question: u64, by: &str, answer: &Json, read: Answer) {
        // It may have become too late meanwhile.
        let Some(asked) = self.questions.answered(question) else { return };
        let value = people::closing(by, answer);
        self.writer.write(asked.node, question, SegmentOp::Close { value });
        self.queue.push_back(Event::Answered { effect: asked.effect, answer: Box::new(read) });
    }

    /// While a journal is gone through: the question was answered then.
    pub(super) fn close_question(&mut self, effect: EffectId, answer: &Answer) {
        let Some((segment, question)) = self.questions.close(effect) else { return };
        let value = match answer {
            Answer::Approved { by, .. } => json!({ "by": by, "decision": "approve" }),
            Answer::Denied { by, why } => json!({ "by": by, "decision": "deny", "why": why }),
            Answer::Given(_) | Answer::Taken(_) => json!({}),
        };
        self.writer.write(question.node, segment, SegmentOp::Close { value });
    }
}
