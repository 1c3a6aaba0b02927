//! `undo`: what has succeeded is taken back when its graph fails or is cancelled later.
//!
//! A compensation is kept by the frame of its graph, with copies of all that it reads, and is dropped when the graph
//! succeeds. When the graph fails, its frame stays until the compensations have run, the last one first, one at a time; only
//! then its failure goes on. When frames are dropped, their compensations run before whatever was to happen thereupon.
//! Compensations stand in no frame and no scope: nothing cancels them, and no budget or clock around their graph counts
//! them. One that fails is reported, and the next one runs.

use kait_ir::program::Undo;
use kait_ir::{Failure, NodeKind, Value};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Run;
use super::control::Control;
use super::settle::Torn;
use super::state::{Fail, NONE, NodeState, Role, Waiter};
use crate::event::{Command, EffectId, FailedAt, Outcome, UndoFailed};
use crate::load::is_write;

/// How to take back something that has succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Compensation {
    /// Its place in the order in which things have succeeded.
    seq: u64,
    region: kait_ir::RegionId,
    args: SmallVec<[Value; 2]>,
    place: Box<Place>,
}

/// Where a compensation stands: the frames around it are gone when it runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The path of its node.
    pub(crate) path: SmolStr,
    span: Option<kait_ir::program::Span>,
    /// How often the bodies of graphs that call themselves enclose it.
    pub(crate) recursions: Vec<(u32, u32)>,
}

/// What is to be undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undos {
    waiting: Vec<Compensation>,
    /// Compensations that run already, though what they were to lead to is not wanted any more, by [`Undoing::id`].
    running: Vec<u32>,
}

impl Undos {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    fn append(&mut self, mut other: Self) {
        self.waiting.append(&mut other.waiting);
        self.running.append(&mut other.running);
    }
}

/// Compensations that run, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Undoing {
    id: u32,
    /// In the order in which things have succeeded: the last one is the next.
    left: Vec<Compensation>,
    /// Whether one runs.
    runs: bool,
    /// How many others have to come to their end first.
    waits: u32,
    then: Then,
}

/// What happens when all has been undone.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// A frame fails.
    Fail(Waiter, Fail),
    /// A node ends.
    End(Waiter, Result<Value, Fail>),
    /// An attempt of a policy has failed.
    Attempt(Waiter, Fail),
    /// The time of all attempts is over.
    Deadline(Waiter, Fail),
    /// Others go on.
    Others(u32),
    /// Nothing but what waits for all of them.
    Nothing,
}

/// A call, or the whole run, that is over as soon as writes in flight within it have ended: what they lead to without
/// any further effect still happens, so that what has succeeded is known, and undone.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    frame: Waiter,
    writes: Vec<EffectId>,
    /// The node that fails then; none for the run.
    target: Option<Waiter>,
    fail: Fail,
}

impl<'a> Run<'a> {
    /// What is to be undone has succeeded.
    pub(crate) fn start_undo(&mut self, at: u32, node: u32, undo: &'a Undo) -> Result<(), Fail> {
        let args = self.eval(at, |e| undo.args.iter().map(|arg| e.eval(*arg)).collect())?;
        let compensation = self.compensation(at, node, undo, args);
        let graph = self.graph_around(at);
        self.frame_mut(graph).extra().undos.waiting.push(compensation);
        self.node_ok(at, node, Value::None);
        Ok(())
    }

    fn compensation(
        &mut self,
        at: u32,
        node: u32,
        undo: &Undo,
        args: SmallVec<[Value; 2]>,
    ) -> Compensation {
        let path = crate::path::render(self.loaded, self.s, self.effect_id(at, node));
        let place = Box::new(Place {
            path: path.unwrap_or_default().into(),
            span: self.node(at, node).span,
            recursions: self.recursions(at),
        });
        let seq = self.s.undone;
        self.s.undone += 1;
        Compensation { seq, region: undo.body, args, place }
    }

    /// The frame of the graph, or of the compensation, that a place belongs to.
    fn graph_around(&self, mut at: u32) -> u32 {
        loop {
            let frame = self.frame(at);
            if matches!(frame.role, Role::Call | Role::Root | Role::Undo) {
                return at;
            }
            at = frame.parent;
        }
    }

    fn recursions(&self, mut at: u32) -> Vec<(u32, u32)> {
        let mut found: Vec<(u32, u32)> = Vec::new();
        let mut count = |region: u32, n: u32| match found.iter_mut().find(|(r, _)| *r == region) {
            Some((_, known)) => *known += n,
            None => found.push((region, n)),
        };
        while let Some(frame) = self.s.frames.get(at as usize) {
            match frame.role {
                Role::Call | Role::Root => {
                    let graph = self.loaded.graph_of(kait_ir::RegionId(frame.region));
                    let graph = self.loaded.program().graphs.get(graph.index());
                    if graph.is_some_and(|graph| graph.depth.is_some()) {
                        count(frame.region, 1);
                    }
                }
                Role::Undo => frame.recursions().iter().for_each(|(r, n)| count(*r, *n)),
                _ => {}
            }
            at = frame.parent;
        }
        found
    }

    // ---- running them

    /// Undoes what there is to be undone, and then goes on.
    pub(crate) fn undo_first(&mut self, undos: Undos, then: Then) {
        if undos.is_empty() {
            return self.after_undo(then);
        }
        let id = self.s.next_undoing;
        self.s.next_undoing = id.wrapping_add(1);
        let Undos { waiting: mut left, running } = undos;
        let mut waits = 0;
        for other in running {
            if let Some(other) = self.s.undoing.iter_mut().find(|u| u.id == other) {
                left.append(&mut other.left);
                other.then = Then::Others(id);
                waits += 1;
            }
        }
        left.sort_by_key(|one| one.seq);
        self.s.undoing.push(Undoing { id, left, runs: false, waits, then });
        if waits == 0 {
            self.undo_next(id);
        }
    }

    fn undo_next(&mut self, id: u32) {
        loop {
            let Some(at) = self.s.undoing.iter().position(|u| u.id == id) else { return };
            let Some(next) = self.s.undoing[at].left.pop() else {
                let then = self.s.undoing.remove(at).then;
                return self.after_undo(then);
            };
            let Compensation { region, args, place, .. } = next;
            match self.spawn(NONE, NONE, region, Role::Undo, id, NONE, args) {
                Ok(frame) => {
                    self.frame_mut(frame).extra().place = Some(place);
                    self.s.undoing[at].runs = true;
                    return;
                }
                Err(fail) => self.undo_failed(&place, fail),
            }
        }
    }

    /// A compensation has ended.
    pub(crate) fn undo_ended(&mut self, id: u32) {
        if let Some(undoing) = self.s.undoing.iter_mut().find(|u| u.id == id) {
            undoing.runs = false;
            self.undo_next(id);
        }
    }

    /// A compensation has failed: the others run.
    pub(crate) fn undo_failed(&mut self, place: &Place, fail: Fail) {
        let at = fail.origin.and_then(|origin| origin.at);
        let at = at.unwrap_or_else(|| FailedAt {
            path: place.path.clone(),
            span: place.span,
            limit: None,
        });
        let undo = place.path.clone();
        let failure = *fail.failure;
        self.out.push(Command::UndoFailed(Box::new(UndoFailed { undo, at, failure })));
    }

    fn after_undo(&mut self, then: Then) {
        match then {
            Then::Fail(frame, fail) => {
                if self.is_current(frame) {
                    self.end_frame(frame.frame, Err(fail));
                }
            }
            Then::End(node, result) => {
                if self.is_running(node) {
                    self.node_ended(node.frame, node.node, result);
                }
            }
            Then::Attempt(node, fail) => self.attempt_torn(node, fail),
            Then::Deadline(node, fail) => self.deadline_torn(node, fail),
            Then::Others(id) => {
                if let Some(other) = self.s.undoing.iter_mut().find(|u| u.id == id) {
                    other.waits -= 1;
                    if other.waits == 0 {
                        self.undo_next(id);
                    }
                }
            }
            Then::Nothing => {}
        }
        if let Some(outcome) = self.s.held.take() {
            self.finish(outcome);
        }
    }

    // ---- what is dropped

    /// Leaves it to a frame that is about to fail.
    pub(crate) fn leave_undos(&mut self, at: u32, undos: Undos) {
        if !undos.is_empty() {
            self.frame_mut(at).extra().undos.append(undos);
        }
    }

    /// Leaves it to the graph around a place.
    pub(crate) fn leave_undos_to_graph(&mut self, at: u32, undos: Undos) {
        if !undos.is_empty() {
            self.leave_undos(self.graph_around(at), undos);
        }
    }

    /// What a frame that ends holds.
    pub(crate) fn take_undos(&mut self, at: u32) -> Undos {
        match &mut self.frame_mut(at).extra {
            Some(extra) => std::mem::take(&mut extra.undos),
            None => Undos::default(),
        }
    }

    /// A frame is dropped: what was kept there is to be undone, and what is being undone there goes on.
    pub(crate) fn drop_undos(&mut self, at: u32, torn: &mut Torn) {
        let undos = self.take_undos(at);
        torn.undos.append(undos);
        self.adopt_undoing(self.waiter(at, NONE), torn);
    }

    /// Compensations after which a frame or node was to go on, which is dropped.
    pub(crate) fn adopt_undoing(&mut self, dropped: Waiter, torn: &mut Torn) {
        for undoing in &mut self.s.undoing {
            let of = match &undoing.then {
                Then::Fail(waiter, _)
                | Then::End(waiter, _)
                | Then::Attempt(waiter, _)
                | Then::Deadline(waiter, _) => *waiter,
                Then::Others(_) | Then::Nothing => continue,
            };
            if of == dropped {
                undoing.then = Then::Nothing;
                torn.undos.running.push(undoing.id);
            }
        }
    }

    /// An `undo` is dropped before its turn, though what is to be undone has succeeded.
    pub(crate) fn undo_dropped(&mut self, at: u32, node: u32, undo: &'a Undo, torn: &mut Torn) {
        let decl = self.node(at, node);
        let frame = self.frame(at);
        let ok = |above: &u32| frame.cells[*above as usize].state == NodeState::Ok;
        let there = decl.data.iter().chain(&decl.order).all(ok)
            && decl
                .outer
                .iter()
                .all(|(up, slot)| self.slot_is_there(self.outwards(at, *up), *slot));
        if !there {
            return;
        }
        // What cannot be evaluated has not succeeded.
        let args = self.eval_now(at, |e| undo.args.iter().map(|arg| e.eval(*arg)).collect());
        if let Ok(args) = args {
            let compensation = self.compensation(at, node, undo, args);
            torn.undos.waiting.push(compensation);
        }
    }

    // ---- closing

    /// Ends a call whose time is over, or the run, as soon as writes in flight within it have ended.
    pub(crate) fn close(&mut self, at: u32, target: Option<Waiter>, fail: Fail) {
        let mut writes = Vec::new();
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            let Some(frame) = self.s.frames.get(at as usize).filter(|f| f.alive) else { continue };
            for node in 0..frame.cells.len() as u32 {
                self.close_node(at, node, &mut todo, &mut writes);
            }
        }
        let frame = self.waiter(at, NONE);
        let closing = Closing { frame, writes, target, fail };
        if closing.writes.is_empty() {
            return self.closed(closing);
        }
        self.s.closings.push(closing);
    }

    /// Writes go on, other effects are dropped.
    fn close_node(&mut self, at: u32, node: u32, todo: &mut Vec<u32>, writes: &mut Vec<EffectId>) {
        let cell = self.frame(at).cells[node as usize];
        if cell.state != NodeState::Running {
            return;
        }
        let decl = self.node(at, node);
        match &decl.kind {
            NodeKind::Leaf(call)
                if is_write(self.loaded.program().leaves[call.leaf.index()].class) =>
            {
                writes.push(self.effect_id(at, node));
            }
            // In a test, a write that takes its time.
            NodeKind::Stubbed { .. } if !decl.writes.is_empty() => {
                writes.push(self.effect_id(at, node));
            }
            kind if kind.is_leaf() => {
                self.cancel_node(at, node, true);
            }
            NodeKind::Call(_)
            | NodeKind::Switch { .. }
            | NodeKind::Catch { .. }
            | NodeKind::Try(_) => todo.push(cell.link),
            _ => match self.s.controls.get(cell.link as usize) {
                Some(Control::Map(map)) => todo.extend(&map.children),
                Some(Control::Loop(rounds)) => todo.push(rounds.frame),
                Some(Control::Race(race)) => todo.extend(&race.frames),
                Some(Control::Policy(policy)) => todo.push(policy.frame),
                Some(Control::Free) | None => {}
            },
        }
    }

    /// Whether a place is within something that is being closed.
    pub(crate) fn is_closing(&self, at: u32) -> bool {
        if self.s.closings.is_empty() {
            return false;
        }
        let mut place = at;
        while let Some(frame) = self.s.frames.get(place as usize) {
            let waiter = Waiter { frame: place, generation: frame.generation, node: NONE };
            if self.s.closings.iter().any(|closing| closing.frame == waiter) {
                return true;
            }
            place = frame.parent;
        }
        false
    }

    /// Whether a node must not begin any more: it calls something.
    pub(crate) fn is_too_late(&self, at: u32, kind: &NodeKind) -> bool {
        !self.s.closings.is_empty()
            && (kind.is_leaf() || matches!(kind, NodeKind::Policy(_)))
            && self.is_closing(at)
    }

    /// Nothing else can happen in this event: ends what was being closed, if its writes have ended. `true` if there is one.
    pub(crate) fn close_next(&mut self) -> bool {
        let over = |closing: &Closing| {
            closing.writes.iter().all(|effect| {
                !self.is_running(Waiter {
                    frame: effect.frame,
                    generation: effect.generation,
                    node: effect.node,
                })
            })
        };
        let Some(at) = self.s.closings.iter().position(over) else { return false };
        let closing = self.s.closings.remove(at);
        self.closed(closing);
        true
    }

    /// A frame has ended: if it was being closed, it ends in that way.
    pub(crate) fn was_closing(&mut self, at: u32) -> Option<Closing> {
        let waiter = self.waiter(at, NONE);
        let found = self.s.closings.iter().position(|closing| closing.frame == waiter)?;
        Some(self.s.closings.remove(found))
    }

    /// Drops what was closed, undoes, and goes on.
    pub(crate) fn closed(&mut self, closing: Closing) {
        let Closing { frame, target, fail, .. } = closing;
        if !self.is_current(frame) {
            return;
        }
        let Some(target) = target else {
            let torn = self.drop_root();
            self.undo_first(torn.undos, Then::Nothing);
            return self.finish(Outcome::Failed(*fail.failure));
        };
        let torn = self.kill(&[frame.frame], true);
        self.frame_mut(target.frame).cells[target.node as usize].link = NONE;
        self.undo_first(torn.undos, Then::End(target, Err(fail)));
    }

    /// Drops all that is under way in the run. The frame of the root stays: whoever asks for the state of a finished run, and
    /// stubs that read what their test binds, find its values.
    pub(crate) fn drop_root(&mut self) -> Torn {
        let mut torn = self.drop_nodes(0, true);
        self.stop_computing(0, NONE);
        self.close_header(0);
        self.drop_undos(0, &mut torn);
        // Whoever waits for something of it, waits no more.
        let root = self.frame_mut(0);
        root.generation = root.generation.wrapping_add(1);
        torn
    }

    /// Whether a frame has failed already, or is being closed.
    pub(crate) fn is_failing(&self, frame: Waiter) -> bool {
        self.s.closings.iter().any(|closing| closing.frame == frame)
            || self.s.undoing.iter().any(|u| matches!(&u.then, Then::Fail(at, _) if *at == frame))
    }

    /// Whether the run is over but for what is being undone, or for writes in flight.
    pub(crate) fn is_ending(&self) -> bool {
        let Some(root) = self.s.frames.first() else { return false };
        let root = Waiter { frame: 0, generation: root.generation, node: NONE };
        self.s.held.is_some() || self.is_failing(root)
    }

    /// Ends the run at once: what is still to be undone stays as it is, and that is reported.
    pub(crate) fn stop_undoing(&mut self, why: &Failure) {
        self.s.closings.clear();
        for undoing in std::mem::take(&mut self.s.undoing) {
            for left in undoing.left.iter().rev() {
                self.undo_failed(&left.place, why.clone().into());
            }
        }
        let alive = |at: &u32| self.s.frames[*at as usize].alive;
        let frames: Vec<u32> = (0..self.s.frames.len() as u32)
            .filter(alive)
            .filter(|at| self.frame(*at).role == Role::Undo)
            .collect();
        for at in &frames {
            if let Some(place) = self.frame_mut(*at).extra().place.take() {
                self.undo_failed(&place, why.clone().into());
            }
        }
        let torn = self.kill(&frames, false);
        for within in torn.undos.waiting.iter().rev() {
            self.undo_failed(&within.place, why.clone().into());
        }
    }
}
