//! How nodes and frames end.
//!
//! Failing is as if from top to bottom: when a node fails, what stands below it is cancelled, what stands above it
//! runs to its end, then the block fails with its textually first failure.

use kait_ir::{Failure, NodeKind, Value};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Run;
use super::budget::{RESUMES, WAITS};
use super::control::Control;
use super::state::{Drain, Ended, Fail, Frame, NONE, NodeState, Role, TimerUse, Waiter};
use super::undo::{Then, Undos};
use crate::event::{Command, EffectId, Outcome, TimerId};
use crate::limits::{is_sample, is_too_deep, too_deep};
use crate::load::is_write;

/// What was in flight in frames that were dropped.
#[derive(Debug, Default)]
pub(crate) struct Torn {
    /// Writes that are awaited.
    pub(crate) writes: SmallVec<[EffectId; 2]>,
    /// The name of a write without key that was abandoned: it is not known whether it happened.
    pub(crate) unknown: Option<SmolStr>,
    /// What had succeeded, and is to be undone.
    pub(crate) undos: Undos,
}

impl Run<'_> {
    /// A node has succeeded.
    pub(crate) fn node_ok(&mut self, at: u32, node: u32, value: Value) {
        let frame = &mut self.s.frames[at as usize];
        let table = &self.loaded.regions[frame.region as usize];
        let slot = frame.slots.len() - frame.cells.len() + node as usize;
        let cell = &mut frame.cells[node as usize];
        cell.state = NodeState::Ok;
        cell.link = NONE;
        let waited = cell.waited;
        let flows = frame.extra.as_ref().is_some_and(|e| !e.flows.is_empty());
        frame.slots[slot] = value;
        if self.s.traced {
            self.trace_end(at, node, true);
        }
        if flows {
            self.flows_complete(at, slot as u32);
        }
        if waited {
            self.wake_slot(at, slot as u32);
        }
        let frame = &mut self.s.frames[at as usize];
        let generation = frame.generation;
        for &next in table.successors(node) {
            let cell = &mut frame.cells[next as usize];
            cell.unmet -= 1;
            if cell.unmet == 0 && cell.state == NodeState::Waiting {
                self.s.ready.push_back(Waiter { frame: at, generation, node: next });
            }
        }
        if frame.prefix == node {
            self.advance(at);
            let frame = self.frame(at);
            if frame.prefix as usize == frame.cells.len() {
                self.frame_complete(at);
            } else if frame.prefix == frame.fail_at {
                self.frame_failed(at);
            }
        } else if table.is_ask(node) {
            self.advance(at);
        }
    }

    /// A node has failed: what stands below it is cancelled.
    pub(crate) fn node_failed(&mut self, at: u32, node: u32, mut fail: Fail) {
        self.locate(at, node, &mut fail);
        let frame = &mut self.s.frames[at as usize];
        frame.cells[node as usize].state = NodeState::Failed;
        frame.cells[node as usize].link = NONE;
        if node >= frame.fail_at {
            return; // only a node that was cancelled meanwhile, and those do not end
        }
        let end = if frame.fail_at == NONE { frame.cells.len() as u32 } else { frame.fail_at };
        frame.fail_at = node;
        frame.extra().failure = Some(fail);
        if self.s.traced {
            self.trace_end(at, node, true);
        }
        for below in node + 1..end {
            let torn = self.cancel_node(at, below, false);
            self.leave_undos(at, torn.undos);
        }
        if self.frame(at).prefix == node {
            self.frame_failed(at);
        }
    }

    /// A node ended one way or the other.
    pub(crate) fn node_ended(&mut self, at: u32, node: u32, result: Result<Value, Fail>) {
        match result {
            Ok(value) => self.node_ok(at, node, value),
            Err(fail) => self.node_failed(at, node, fail),
        }
    }

    /// All nodes of a frame have succeeded: it gives its value.
    pub(crate) fn frame_complete(&mut self, at: u32) {
        let frame = self.frame(at);
        let table = &self.loaded.regions[frame.region as usize];
        let waiter = Waiter { frame: at, generation: frame.generation, node: NONE };
        if !table.result_outer.is_empty() && !self.outer_is_there(waiter, &table.result_outer) {
            return;
        }
        if self.frame(at).role == Role::Root {
            let growing = self.frame(at).extra.as_ref().and_then(|e| e.growing.first().copied());
            if let Some(param) = growing {
                return self.wait_for_slot(at, param, waiter);
            }
        }
        let result = self.region(at).result;
        if self.frame(at).role == Role::Round {
            return self.round_complete(at, result);
        }
        let value = match self.at_hand(at, result) {
            Some(value) => Ok(value.clone()),
            None => {
                self.soft = Some((NONE, 0));
                let value = self.eval(at, |e| e.eval(result));
                self.soft = None;
                if let Some(put_off) = self.put_off.take() {
                    return self.compute(at, NONE, put_off);
                }
                value
            }
        };
        if let Ok(value) = &value
            && self.frame(at).extra.is_some()
        {
            self.frame_gives(at, value);
        }
        self.end_frame(at, value);
    }

    /// Everything above a frame's first failure has succeeded: it fails with it.
    fn frame_failed(&mut self, at: u32) {
        let failure = self.frame_mut(at).extra().failure.take();
        let fail = failure.unwrap_or_else(|| Failure::trap("a failure without a reason").into());
        self.end_frame(at, Err(fail));
    }

    pub(crate) fn end_frame(&mut self, at: u32, mut result: Result<Value, Fail>) {
        if !self.s.closings.is_empty()
            && let Some(closing) = self.was_closing(at)
        {
            return self.closed(closing);
        }
        let frame = self.frame(at);
        let (parent, node, role, index) = (frame.parent, frame.node, frame.role, frame.index);
        let frame_depth = frame.depth;
        // Only a recursion can build values as deep as it is itself.
        if role == Role::Call && is_sample(frame_depth) && result.as_ref().is_ok_and(is_too_deep) {
            result = Err(too_deep().into());
        }
        let undoes = frame.extra.as_ref().is_some_and(|extra| !extra.undos.is_empty());
        if undoes && let Err(fail) = result {
            let (undos, frame) = (self.take_undos(at), self.waiter(at, NONE));
            return self.undo_first(undos, Then::Fail(frame, fail));
        }
        if let Err(fail) = &mut result
            && fail.bound == Some((at, frame.generation))
        {
            fail.bound = None; // outside of what the budget bounds it is a failure like others
        }
        if matches!(role, Role::Call | Role::Root) {
            self.close_header(at);
        }
        if role == Role::Root {
            // The frame stays: whoever asks for the state of a finished run finds its values.
            return match result {
                Ok(value) => self.finish(Outcome::Ok(value)),
                Err(fail) => self.finish_failed(at, fail),
            };
        }
        let parent = if role == Role::Undo {
            let place = self.frame_mut(at).extra.as_mut().and_then(|extra| extra.place.take());
            if let (Err(fail), Some(place)) = (&result, place) {
                self.undo_failed(&place, fail.clone());
            }
            Waiter { frame: NONE, generation: 0, node: NONE }
        } else {
            self.waiter(parent, node)
        };
        self.free_frame(at);
        self.s.ended.push(Ended { parent, role, index, result });
    }

    /// A frame has ended: its node goes on.
    pub(crate) fn child_ended(&mut self, ended: Ended) {
        let Ended { parent, role, index, result } = ended;
        if role == Role::Undo {
            return self.undo_ended(index);
        }
        let early = || {
            self.is_current(parent)
                && role == Role::Item
                && self.frame(parent.frame).cells[parent.node as usize].state == NodeState::Waiting
        };
        if !self.is_running(parent) && !early() {
            return;
        }
        let (at, node) = (parent.frame, parent.node);
        match role {
            Role::Root | Role::Undo => {}
            Role::Call | Role::Arm | Role::Handler => self.node_ended(at, node, result),
            Role::Round | Role::Otherwise | Role::Fallback => {
                self.free_control(at, node);
                self.node_ended(at, node, result);
            }
            Role::Item => self.item_ended(at, node, index, result),
            Role::Racer => self.racer_ended(at, node, index, result),
            Role::Body => self.body_ended(at, node, result),
        }
    }

    /// A node that stands below a failure.
    pub(crate) fn cancel_node(&mut self, at: u32, node: u32, keep_writes: bool) -> Torn {
        let mut torn = Torn::default();
        let mut todo = Vec::new();
        self.cancel_one(at, node, keep_writes, &mut todo, &mut torn);
        self.kill_all(todo, keep_writes, &mut torn);
        torn
    }

    /// Drops frames with all that is under way in them. Writes in flight are kept (and given back) or abandoned.
    pub(crate) fn kill(&mut self, frames: &[u32], keep_writes: bool) -> Torn {
        let mut torn = Torn::default();
        self.kill_all(frames.to_vec(), keep_writes, &mut torn);
        torn
    }

    /// Drops all that is under way in the nodes of a frame, which stays.
    pub(crate) fn drop_nodes(&mut self, at: u32, keep_writes: bool) -> Torn {
        let (mut torn, mut todo) = (Torn::default(), Vec::new());
        for node in 0..self.frame(at).cells.len() as u32 {
            self.cancel_one(at, node, keep_writes, &mut todo, &mut torn);
        }
        self.kill_all(todo, keep_writes, &mut torn);
        torn
    }

    fn kill_all(&mut self, mut todo: Vec<u32>, keep_writes: bool, torn: &mut Torn) {
        // What is to be undone may read what the frames around hold: they stay until all has been looked at.
        let undoes = self.loaded.undoes();
        let mut dropped: Vec<u32> = Vec::new();
        while let Some(at) = todo.pop() {
            if !self.s.frames.get(at as usize).is_some_and(|f| f.alive) {
                continue;
            }
            for node in 0..self.frame(at).cells.len() as u32 {
                self.cancel_one(at, node, keep_writes, &mut todo, torn);
            }
            self.stop_computing(at, NONE);
            if matches!(self.frame(at).role, Role::Call | Role::Root) {
                self.close_header(at);
            }
            if undoes {
                self.drop_undos(at, torn);
                dropped.push(at);
            } else {
                self.free_frame(at);
            }
        }
        for at in dropped {
            self.free_frame(at);
        }
    }

    fn cancel_one(
        &mut self,
        at: u32,
        node: u32,
        keep_writes: bool,
        todo: &mut Vec<u32>,
        torn: &mut Torn,
    ) {
        let cell = self.frame(at).cells[node as usize];
        if cell.state == NodeState::Waiting
            && let NodeKind::Undo(undo) = &self.node(at, node).kind
        {
            self.undo_dropped(at, node, undo, torn);
        }
        let running = match cell.state {
            NodeState::Ok | NodeState::Failed | NodeState::Cancelled => return,
            NodeState::Waiting | NodeState::Gated => false,
            NodeState::Running => true,
            NodeState::Computing => {
                self.stop_computing(at, node);
                false
            }
        };
        self.frame_mut(at).cells[node as usize].state = NodeState::Cancelled;
        if (running || cell.state == NodeState::Computing) && self.s.traced {
            self.trace_end(at, node, false);
        }
        if !running && cell.link == NONE {
            return;
        }
        if running && !self.s.undoing.is_empty() {
            self.adopt_undoing(self.waiter(at, node), torn);
        }
        let kind = &self.node(at, node).kind;
        let scope = self.frame(at).scope;
        let effect = self.effect_id(at, node);
        match kind {
            // It has not begun: another one may be the next.
            NodeKind::Leaf(_) | NodeKind::Model(_) if matches!(cell.link, WAITS | RESUMES) => {
                self.wake_waiting(scope);
            }
            NodeKind::Leaf(call) => {
                let leaf = &self.loaded.program().leaves[call.leaf.index()];
                if self.counts_as_work(leaf.class) {
                    self.leave(scope);
                }
                if is_write(leaf.class) && keep_writes {
                    torn.writes.push(effect);
                    return;
                }
                if leaf.class == (kait_ir::EffectClass::Write { keyed: false }) {
                    torn.unknown = Some(leaf.name.clone());
                }
                self.settle(scope, effect, None);
                self.out.push(Command::Abandon(effect));
            }
            NodeKind::Model(_) => {
                self.leave(scope);
                self.settle(scope, effect, None);
                self.out.push(Command::Abandon(effect));
            }
            NodeKind::Approve(_) | NodeKind::Ask(_) if cell.link == NONE => {
                self.drop_promise(self.waiter(at, node));
            }
            NodeKind::Stubbed { .. } | NodeKind::Approve(_) | NodeKind::Ask(_) => {
                if cell.link != NONE {
                    if self.stub_works(at, node) {
                        self.leave(scope);
                    }
                    self.drop_stub_answer(self.waiter(at, node));
                }
            }
            NodeKind::Call(_)
            | NodeKind::Switch { .. }
            | NodeKind::Catch { .. }
            | NodeKind::Try(_) => todo.push(cell.link),
            NodeKind::Map(_) | NodeKind::Loop(_) | NodeKind::Race { .. } | NodeKind::Policy(_) => {
                self.cancel_control(at, node, cell.link, todo);
            }
            NodeKind::Pure(_) | NodeKind::Undo(_) | NodeKind::Expect { .. } => {}
        }
    }

    fn cancel_control(&mut self, at: u32, node: u32, link: u32, todo: &mut Vec<u32>) {
        let Some(control) = self.s.controls.get(link as usize) else { return };
        match control {
            Control::Free => {}
            Control::Map(map) => todo.extend(map.children.iter().filter(|c| **c != NONE)),
            Control::Loop(rounds) => todo.push(rounds.frame),
            Control::Race(race) => todo.extend(race.frames.iter().filter(|c| **c != NONE)),
            Control::Policy(policy) => {
                todo.push(policy.frame);
                self.quit_policy(at, node);
            }
        }
        self.free_control(at, node);
    }

    /// Writes that are in flight though their scope is over: the node fails when they have ended.
    pub(crate) fn drain_or_fail(&mut self, target: Waiter, torn: Torn, fail: Fail) {
        if torn.writes.is_empty() {
            if self.is_running(target) {
                self.node_failed(target.frame, target.node, fail);
            }
            return;
        }
        self.frame_mut(target.frame).cells[target.node as usize].link = NONE;
        self.s.drains.push(Drain { effects: torn.writes, target: Some(target), fail });
    }

    /// The outcome of a write that nobody wants any more. `false` if it is none.
    pub(crate) fn drained(&mut self, effect: EffectId) -> bool {
        let Some(at) = self.s.drains.iter().position(|d| d.effects.contains(&effect)) else {
            return false;
        };
        self.s.drains[at].effects.retain(|e| *e != effect);
        if self.s.drains[at].effects.is_empty() {
            let drain = self.s.drains.remove(at);
            if let Some(target) = drain.target
                && self.is_running(target)
            {
                self.node_failed(target.frame, target.node, drain.fail);
            }
            if self.s.drains.is_empty()
                && let Some(outcome) = self.s.held.take()
            {
                self.finish(outcome);
            }
        }
        true
    }

    pub(crate) fn free_frame(&mut self, at: u32) {
        let frame = self.frame_mut(at);
        frame.alive = false;
        frame.generation = frame.generation.wrapping_add(1);
        frame.slots.clear();
        frame.cells.clear();
        frame.extra = None;
        self.s.free_frames.push(at);
    }

    // ---- control blocks

    pub(crate) fn new_control(&mut self, at: u32, node: u32, control: Control) {
        let link = match self.s.free_controls.pop() {
            Some(link) => {
                self.s.controls[link as usize] = control;
                link
            }
            None => {
                self.s.controls.push(control);
                (self.s.controls.len() - 1) as u32
            }
        };
        self.frame_mut(at).cells[node as usize].link = link;
    }

    pub(crate) fn free_control(&mut self, at: u32, node: u32) {
        let link = std::mem::replace(&mut self.frame_mut(at).cells[node as usize].link, NONE);
        if let Some(control) = self.s.controls.get_mut(link as usize) {
            *control = Control::Free;
            self.s.free_controls.push(link);
        }
    }

    pub(crate) fn control(&mut self, at: u32, node: u32) -> &mut Control {
        let link = self.frame(at).cells[node as usize].link;
        &mut self.s.controls[link as usize]
    }

    // ---- timers and tracing

    pub(crate) fn set_timer(&mut self, due: i64, what: TimerUse) -> u64 {
        let id = self.s.next_timer;
        self.s.next_timer += 1;
        self.s.timers.insert(id, what);
        self.out.push(Command::Timer { timer: TimerId(id), due });
        id
    }

    pub(crate) fn cancel_timer(&mut self, id: u64) {
        if self.s.timers.remove(&id).is_some() {
            self.out.push(Command::CancelTimer(TimerId(id)));
        }
    }

    fn trace_end(&mut self, at: u32, node: u32, ended: bool) {
        let frame = self.frame(at);
        let cell = frame.cells[node as usize];
        let slot = frame.slots.len() - frame.cells.len() + node as usize;
        let outcome = match cell.state {
            NodeState::Ok if ended => Some(Outcome::Ok(frame.slots[slot].clone())),
            NodeState::Failed if ended => frame
                .extra
                .as_ref()
                .and_then(|e| e.failure.as_ref())
                .map(|f| Outcome::Failed((*f.failure).clone())),
            _ => None,
        };
        let (effect, site) = (self.effect_id(at, node), self.site(at, node));
        self.out.push(Command::NodeEnded { effect, site, outcome });
    }
}

impl Frame {
    pub(crate) fn empty() -> Self {
        Self {
            region: 0,
            generation: 0,
            parent: NONE,
            node: NONE,
            index: 0,
            rounds: 0,
            depth: 0,
            scope: NONE,
            prefix: 0,
            ask_prefix: 0,
            fail_at: NONE,
            role: Role::Root,
            alive: false,
            cleared: false,
            quiet: false,
            slots: Vec::new(),
            cells: Vec::new(),
            extra: None,
        }
    }
}
