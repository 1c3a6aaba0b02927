//! What takes long: expressions that are computed elsewhere, and taking turns with whoever drives the machine.
//!
//! An expression that needs more than a few steps is not finished within the event: it becomes a
//! [`Command::Compute`], and what needs it begins anew when the result is there. All that it does before is evaluating
//! pure expressions, so beginning anew changes nothing. An event that has led to very many steps ends, and the rest waits for
//! [`Event::Resume`], so that timers and cancelling come in between. Both leave the same traces in the record, whatever
//! the machine's speed.

use super::Run;
use super::state::{NONE, NodeState, Waiter};
use crate::eval::job::{ComputeJob, Computed};
use crate::eval::{Answer, PutOff};
use crate::event::{Command, EffectId, Event};
use crate::limits::STEPS_PER_EVENT;

impl Run<'_> {
    /// Before an event: what was left over is not waiting any more.
    pub(super) fn begin_turn(&mut self, event: &Event) {
        self.left = STEPS_PER_EVENT;
        if matches!(event, Event::Resume) {
            self.s.resumes = false;
        } else {
            self.s.tasks = 0;
        }
        for scope in std::mem::take(&mut self.s.pending_scopes) {
            self.leave(scope);
        }
    }

    /// The event has led to enough: what is left is work that waits, and clocks run.
    pub(super) fn end_turn(&mut self) {
        let waiting = self.s.ready.iter().chain(self.s.ended.iter().map(|ended| &ended.parent));
        let mut scopes: Vec<u32> = waiting
            .filter(|waiter| self.is_current(**waiter))
            .map(|waiter| self.frame(waiter.frame).scope)
            .filter(|scope| *scope != NONE)
            .collect();
        if self.s.ready.is_empty() && self.s.ended.is_empty() && self.s.turns.is_empty() {
            return;
        }
        scopes.sort_unstable();
        scopes.dedup();
        for scope in &scopes {
            self.enter(*scope);
        }
        self.s.pending_scopes = scopes;
        if !self.s.resumes {
            self.s.resumes = true;
            self.out.push(Command::Resume);
        }
    }

    /// Something that a node (or the value of a frame) needs is computed elsewhere.
    pub(super) fn compute(&mut self, at: u32, node: u32, put_off: PutOff) {
        let PutOff { ordinal, expr, locals } = put_off;
        let job = ComputeJob::new(self.loaded, &self.s.frames, at, expr, locals, &self.s.log);
        if let Some(cell) = self.frame_mut(at).cells.get_mut(node as usize) {
            cell.state = NodeState::Computing;
        }
        let scope = self.frame(at).scope;
        self.enter(scope);
        self.s.computing.push((self.waiter(at, node), ordinal, scope));
        let effect = self.effect_id(at, node);
        self.out.push(Command::Compute { effect, job: Box::new(job) });
    }

    /// It is there: who needs it begins anew.
    pub(super) fn computed(&mut self, effect: EffectId, result: Computed) {
        let EffectId { frame: at, generation, node } = effect;
        let waiter = Waiter { frame: at, generation, node };
        let Some(found) = self.s.computing.iter().position(|(w, ..)| *w == waiter) else { return };
        let (_, ordinal, scope) = self.s.computing.swap_remove(found);
        self.leave(scope);
        self.frame_mut(at).extra().answers.push(Answer { node, ordinal, result });
        if node == NONE {
            self.frame_complete(at);
        } else {
            let decl = self.node(at, node);
            self.go(at, node, decl);
        }
        if self.is_current(waiter)
            && !self.s.computing.iter().any(|(w, ..)| *w == waiter)
            && let Some(extra) = &mut self.frame_mut(at).extra
        {
            extra.answers.retain(|answer| answer.node != node);
        }
    }

    /// Nobody needs it any more.
    pub(super) fn stop_computing(&mut self, at: u32, node: u32) {
        if self.s.computing.is_empty() {
            return;
        }
        let waiter = self.waiter(at, node);
        if let Some(found) = self.s.computing.iter().position(|(w, ..)| *w == waiter) {
            let (_, _, scope) = self.s.computing.swap_remove(found);
            self.leave(scope);
            self.out.push(Command::Abandon(self.effect_id(at, node)));
        }
    }
}
