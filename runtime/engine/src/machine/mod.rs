//! The state machine: events in, commands out.
//!
//! [`Machine`] is a loaded program; [`State`] is one run of it; [`Machine::on`] is the only way forward. Within one
//! event everything that can happen happens: nodes that became ready start in plan order, pure ones end at once,
//! frames that are complete end their node. No call recurses into another frame, so depth costs no stack.
//!
//! One file each: readiness (`order`), ends and cancelling (`settle`), leaves and models (`leaf`), and every control
//! form.

mod blame;
mod budget;
mod catch;
mod compute;
mod control;
mod growth;
mod leaf;
mod looping;
mod map;
mod order;
mod people;
mod policy;
mod race;
pub(crate) mod scope;
mod settle;
pub(crate) mod state;
mod stub;
pub(crate) mod undo;

use std::sync::Arc;

use kait_ir::{Expr, ExprId, Failure, GraphId, Node, NodeKind, Region, Value};
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::eval::{Eval, Evaluator, PutOff, Soft};
use crate::event::{Arg, Command, EffectId, Event, FailedAt, Nanos, Outcome, Site, Start};
use crate::limits::{MAX_FRAME_DEPTH, MAX_FRAMES, MAX_TASKS};
use crate::load::Loaded;
pub use state::{CallRecord, State};
use state::{Fail, Frame, NONE, NodeState, Role, TimerUse, Waiter};

/// A program that runs.
#[derive(Clone, Debug)]
pub struct Machine {
    loaded: Arc<Loaded>,
}

impl Machine {
    /// A machine for that program.
    pub fn new(loaded: impl Into<Arc<Loaded>>) -> Self {
        Self { loaded: loaded.into() }
    }

    /// The program.
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }

    /// Lets an event happen at a point in time: changes the state and appends what is to be done. `now` never goes
    /// back (an earlier time counts as the latest one seen). After [`Command::Finish`] every event is ignored.
    pub fn on(&self, state: &mut State, now: Nanos, event: Event, out: &mut Vec<Command>) {
        if state.outcome.is_some() {
            return;
        }
        state.now = state.now.max(now);
        let mut run =
            Run { loaded: &self.loaded, s: state, out, left: 0, soft: None, put_off: None };
        run.begin_turn(&event);
        run.event(event);
        run.work();
        run.clocks();
    }

    /// The stable path of an effect or node in flight, such as `support/reply.draft#2`; `None` if it is over.
    pub fn path(&self, state: &State, effect: EffectId) -> Option<String> {
        crate::path::render(&self.loaded, state, effect)
    }

    /// Which attempt of the nearest policy around it an effect in flight belongs to, from 1.
    pub fn attempt(&self, state: &State, effect: EffectId) -> u32 {
        let mut at = effect.frame;
        while let Some(frame) = state.frames.get(at as usize) {
            match frame.role {
                Role::Body => return frame.index.max(1),
                Role::Call | Role::Root | Role::Undo => return 1,
                _ => at = frame.parent,
            }
        }
        1
    }
}

/// One event at work.
pub(crate) struct Run<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) s: &'a mut State,
    pub(crate) out: &'a mut Vec<Command>,
    /// Steps that are left in this event.
    left: u64,
    /// While a node starts or a block gives its value: what takes long is put off. The node, and parts so far.
    soft: Option<(u32, u32)>,
    /// What was put off.
    put_off: Option<PutOff>,
}

impl<'a> Run<'a> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Start(start) => self.begin(*start),
            Event::Done { effect, outcome, usage } => self.effect_done(effect, outcome, usage),
            Event::Timer(timer) => match self.s.timers.remove(&timer.0) {
                Some(TimerUse::Scope(scope)) => self.scope_is_over(scope),
                Some(TimerUse::Backoff(waiter)) => self.backoff_over(waiter),
                Some(TimerUse::Stub(waiter)) => self.stub_answers(waiter),
                Some(TimerUse::Promise(waiter)) => self.promise_is_over(waiter),
                None => {}
            },
            Event::Cached { effect, value } => self.cache_answers(effect, value),
            Event::Granted(effect) => self.rate_granted(effect),
            Event::Cut { sink, generation, index, value } => {
                self.cut(sink, generation, index, value);
            }
            Event::Superseded { sink, generation } => self.superseded(sink, generation),
            Event::InputDone { param, outcome } => self.input_done(param, outcome),
            Event::Answered { effect, answer } => self.answered(effect, &answer),
            Event::Computed { effect, result } => self.computed(effect, result),
            Event::Resume => {}
            Event::Cancel => self.cancel_run(),
        }
    }

    /// Does all that can be done now.
    fn work(&mut self) {
        let limit = if self.s.task_limit == 0 { MAX_TASKS } else { self.s.task_limit };
        loop {
            self.s.tasks += 1;
            if self.s.tasks > limit {
                let why = format!("more than {limit} steps without any effect");
                self.give_up_run(Failure::trap(why));
                if self.s.undoing.is_empty() || self.s.outcome.is_some() {
                    return;
                }
                self.s.tasks = 0;
                continue;
            }
            if self.left == 0 {
                return self.end_turn();
            }
            self.left -= 1;
            if let Some(ended) = self.s.ended.pop() {
                self.child_ended(ended);
            } else if let Some(waiter) = self.s.ready.pop_front() {
                match waiter.node {
                    NONE => {
                        if self.is_current(waiter) {
                            self.frame_complete(waiter.frame);
                        }
                    }
                    _ => self.try_start(waiter),
                }
            } else if !self.next_turn() && (self.s.closings.is_empty() || !self.close_next()) {
                return;
            }
        }
    }

    fn begin(&mut self, start: Start) {
        if self.s.started {
            return;
        }
        self.s.started = true;
        self.s.seed = start.seed;
        self.s.parallel = start.parallel.max(1);
        self.s.traced = start.traced;
        self.s.terms = start.terms;
        self.s.next_sink = 1;
        self.s.stub_uses = vec![0; self.loaded.program().stubs.len()];
        let Some(graph) = self.loaded.program().graphs.get(start.graph.index()) else {
            return self.finish(Outcome::Failed(Failure::trap("no such graph")));
        };
        let mut params = Vec::with_capacity(graph.params.len());
        let mut growing = Vec::new();
        let mut args = start.args.into_iter();
        for (index, param) in (0u32..).zip(&graph.params) {
            params.push(match (args.next(), param.default) {
                (Some(Arg::Ready(value)), _) => value,
                (Some(Arg::Growing), _) => {
                    growing.push(index);
                    Value::None
                }
                (None, Some(default)) => match self.eval(NONE, |e| e.eval(default)) {
                    Ok(value) => value,
                    Err(fail) => return self.finish_failed(NONE, fail),
                },
                (None, None) => {
                    let why = format!("the parameter `{}` was not given", param.name);
                    return self.finish(Outcome::Failed(Failure::invalid("", why)));
                }
            });
        }
        match self.spawn_call(NONE, NONE, start.graph, params) {
            Ok(root) => {
                if !growing.is_empty() {
                    self.frame_mut(root).extra().growing = growing;
                }
                self.wire_early_maps(root);
                if start.sink {
                    self.grow_result_of_run(root);
                }
            }
            Err(fail) => self.finish_failed(NONE, fail),
        }
    }

    fn input_done(&mut self, param: u32, outcome: Outcome) {
        let Some(root) = self.s.frames.first_mut() else { return };
        if !root.alive || root.role != Role::Root {
            return;
        }
        let Some(extra) = root.extra.as_mut() else { return };
        let Some(at) = extra.growing.iter().position(|p| *p == param) else { return };
        extra.growing.swap_remove(at);
        match outcome {
            Outcome::Ok(value) => {
                if let Some(slot) = root.slots.get_mut(param as usize) {
                    *slot = value;
                }
                self.wake_slot(0, param);
            }
            Outcome::Failed(failure) => self.close_run(failure.into()),
        }
    }

    /// Ends the run with a failure, as soon as writes in flight have ended.
    pub(crate) fn give_up_run(&mut self, failure: Failure) {
        if self.loaded.undoes() {
            return self.drop_run(failure);
        }
        self.s.ready.clear();
        self.s.ended.clear();
        let alive = self.s.frames.first().is_some_and(|f| f.alive);
        let torn = if alive { self.kill(&[0], true) } else { settle::Torn::default() };
        for drain in &mut self.s.drains {
            drain.target = None;
        }
        if !torn.writes.is_empty() {
            let drain =
                state::Drain { effects: torn.writes, target: None, fail: failure.clone().into() };
            self.s.drains.push(drain);
        }
        self.finish(Outcome::Failed(failure));
    }

    /// The same, where something may have to be undone.
    fn drop_run(&mut self, failure: Failure) {
        if self.s.held.is_some() {
            self.stop_undoing(&failure);
            return self.finish(Outcome::Failed(failure));
        }
        self.s.closings.clear();
        let undos = match self.s.frames.first() {
            Some(root) if root.alive => {
                let torn = self.drop_root();
                if !torn.writes.is_empty() {
                    let fail = failure.clone().into();
                    self.s.drains.push(state::Drain { effects: torn.writes, target: None, fail });
                }
                torn.undos
            }
            _ => undo::Undos::default(),
        };
        self.undo_first(undos, undo::Then::Nothing);
        self.finish(Outcome::Failed(failure));
    }

    /// Ends the run from outside: writes in flight go on, and what they lead to is known before anything is undone.
    fn close_run(&mut self, fail: Fail) {
        let root = self.s.frames.first().is_some_and(|root| root.alive);
        if root && self.loaded.undoes() {
            if !self.is_ending() {
                self.close(0, None, fail);
            }
        } else if self.s.held.is_none() {
            self.give_up_run(*fail.failure);
        }
    }

    /// The same, with what is known of where it arose.
    pub(crate) fn give_up_failed(&mut self, fail: Fail) {
        let graph = self.loaded.graph_of(kait_ir::RegionId(self.frame(0).region));
        let graph = &self.loaded.program().graphs[graph.index()];
        let limit = fail.origin.and_then(|origin| origin.limit);
        self.s.failed_at = Some(FailedAt { path: graph.name.clone(), span: graph.span, limit });
        self.close_run((*fail.failure).into());
    }

    fn cancel_run(&mut self) {
        self.close_run(Failure::Cancelled.into());
    }

    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if !self.s.drains.is_empty() || !self.s.undoing.is_empty() {
            self.s.held = Some(outcome);
            return;
        }
        self.s.held = None;
        self.s.ready.clear();
        self.s.ended.clear();
        self.s.outcome = Some(outcome.clone());
        self.out.push(Command::Finish(outcome));
    }

    // ---- frames

    pub(crate) fn frame(&self, at: u32) -> &Frame {
        &self.s.frames[at as usize]
    }

    pub(crate) fn frame_mut(&mut self, at: u32) -> &mut Frame {
        &mut self.s.frames[at as usize]
    }

    pub(crate) fn region(&self, frame: u32) -> &'a Region {
        &self.loaded.program().regions[self.frame(frame).region as usize]
    }

    pub(crate) fn node(&self, frame: u32, node: u32) -> &'a Node {
        &self.region(frame).nodes[node as usize]
    }

    pub(crate) fn waiter(&self, frame: u32, node: u32) -> Waiter {
        Waiter { frame, generation: self.frame(frame).generation, node }
    }

    pub(crate) fn effect_id(&self, frame: u32, node: u32) -> EffectId {
        EffectId { frame, generation: self.frame(frame).generation, node }
    }

    pub(crate) fn site(&self, frame: u32, node: u32) -> Site {
        Site { region: kait_ir::RegionId(self.frame(frame).region), node }
    }

    /// Whether the frame that it names is still the same one.
    pub(crate) fn is_current(&self, waiter: Waiter) -> bool {
        self.s
            .frames
            .get(waiter.frame as usize)
            .is_some_and(|f| f.alive && f.generation == waiter.generation)
    }

    /// Whether it names a node that is under way.
    pub(crate) fn is_running(&self, waiter: Waiter) -> bool {
        self.is_current(waiter)
            && self
                .frame(waiter.frame)
                .cells
                .get(waiter.node as usize)
                .is_some_and(|c| c.state == NodeState::Running)
    }

    /// The value of an expression that is at hand in the frame itself.
    #[inline]
    pub(crate) fn at_hand(&self, frame: u32, expr: ExprId) -> Option<&Value> {
        match self.loaded.program().exprs.get(expr.0 as usize)? {
            Expr::Slot { up: 0, slot } => self.frame(frame).slots.get(*slot as usize),
            Expr::Const(value) => Some(value),
            _ => None,
        }
    }

    /// Evaluates in a frame.
    pub(crate) fn eval<T>(
        &mut self,
        frame: u32,
        f: impl FnOnce(&mut Evaluator<'_>) -> Eval<T>,
    ) -> Result<T, Fail> {
        let mut locals = std::mem::take(&mut self.s.locals);
        let mut evaluator =
            Evaluator::new(self.loaded, &self.s.frames, frame, &self.s.log, &mut locals);
        if let Some((node, ordinal)) = self.soft
            && frame != NONE
        {
            let extra = self.s.frames.get(frame as usize).and_then(|f| f.extra.as_ref());
            let answers = extra.map_or(&[][..], |e| &e.answers);
            evaluator.softly(Soft { answers, node, ordinal, put_off: None, spent: 0 });
        }
        let result = f(&mut evaluator);
        let (blamed, soft) = (evaluator.blamed, evaluator.soft_end());
        if let Some(soft) = soft {
            self.soft = Some((soft.node, soft.ordinal));
            self.left = self.left.saturating_sub(soft.spent);
            self.put_off = soft.put_off;
        }
        if !locals.is_empty() {
            locals.clear();
        }
        self.s.locals = locals;
        match result {
            _ if self.put_off.is_some() => Err(Failure::trap("it is computed elsewhere").into()),
            Ok(value) => Ok(value),
            Err(failure) => Err(self.blaming(failure, blamed)),
        }
    }

    /// Evaluates in a frame, however long it takes: where it cannot be put off, and hardly ever takes long.
    pub(crate) fn eval_now<T>(
        &mut self,
        frame: u32,
        f: impl FnOnce(&mut Evaluator<'_>) -> Eval<T>,
    ) -> Result<T, Fail> {
        let soft = self.soft.take();
        let result = self.eval(frame, f);
        self.soft = soft;
        result
    }

    /// Makes a frame of a region that a node holds.
    #[expect(clippy::too_many_arguments, reason = "each says one thing about the frame")]
    pub(crate) fn spawn(
        &mut self,
        parent: u32,
        node: u32,
        region: kait_ir::RegionId,
        role: Role,
        index: u32,
        scope: u32,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<u32, Fail> {
        let Some(table) = self.loaded.regions.get(region.index()) else {
            return Err(Failure::trap("a region that does not exist").into());
        };
        let (depth, cleared, quiet) = match self.s.frames.get(parent as usize) {
            Some(above) => {
                let writers = &self.loaded.regions[above.region as usize].writers;
                let quiet = above.quiet && writers.first().is_none_or(|w| *w >= node);
                (above.depth + 1, false, quiet)
            }
            None => (0, true, true),
        };
        if depth > MAX_FRAME_DEPTH {
            let limit = format!("{MAX_FRAME_DEPTH} blocks within each other, the most of any run");
            return Err(Fail::limited(Failure::Depth, limit.into()));
        }
        let at = match self.s.free_frames.pop() {
            Some(at) => at,
            None => {
                let at = self.s.frames.len();
                if at >= MAX_FRAMES {
                    return Err(Failure::Budget { kind: "frames".into() }.into());
                }
                self.s.frames.push(Frame::empty());
                at as u32
            }
        };
        let count = self.loaded.program().regions[region.index()].params as usize;
        let frame = &mut self.s.frames[at as usize];
        frame.region = region.0;
        frame.parent = parent;
        frame.node = node;
        frame.index = index;
        frame.depth = depth;
        frame.scope = scope;
        frame.prefix = 0;
        frame.ask_prefix = 0;
        frame.fail_at = NONE;
        frame.role = role;
        frame.alive = true;
        frame.cleared = cleared;
        frame.quiet = quiet;
        frame.slots.extend(params);
        frame.slots.truncate(count);
        frame.slots.resize(count + table.cells.len(), Value::None);
        frame.cells.extend_from_slice(&table.cells);
        self.begin_frame(at);
        Ok(at)
    }

    /// Lets the first nodes of a new frame begin.
    pub(crate) fn begin_frame(&mut self, at: u32) {
        let frame = &mut self.s.frames[at as usize];
        let table = &self.loaded.regions[frame.region as usize];
        let (generation, role) = (frame.generation, frame.role);
        if table.has_asks {
            frame.step_over_asks(table);
        }
        if table.cells.is_empty() {
            self.s.ready.push_back(Waiter { frame: at, generation, node: NONE });
        }
        for &node in &table.roots {
            self.s.ready.push_back(Waiter { frame: at, generation, node });
        }
        if !table.early.is_empty() && role != Role::Root {
            self.wire_early_maps(at);
        }
    }

    /// Makes the frame of a call: budgets of its header, depth of its recursion.
    pub(crate) fn spawn_call(
        &mut self,
        parent: u32,
        node: u32,
        graph: GraphId,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<u32, Fail> {
        let callee = &self.loaded.program().graphs[graph.index()];
        if let Some(most) = callee.depth
            && self.frames_of(parent, graph, most) >= most
        {
            return Err(Fail::limited(Failure::Depth, format!("depth: {most}").into()));
        }
        let scope = self.s.frames.get(parent as usize).map_or(NONE, |f| f.scope);
        let role = if parent == NONE { Role::Root } else { Role::Call };
        let at = self.spawn(parent, node, callee.body, role, 0, scope, params)?;
        if !callee.budgets.is_empty() {
            self.open_header(at, graph)?;
        }
        Ok(at)
    }

    /// How many frames of the graph's body enclose a place, as far as `most`.
    fn frames_of(&self, mut at: u32, graph: GraphId, most: u32) -> u32 {
        let body = self.loaded.program().graphs[graph.index()].body.0;
        let mut count = 0;
        while let Some(frame) = self.s.frames.get(at as usize) {
            if frame.role == Role::Undo {
                // What encloses a compensation is gone.
                let of = frame.recursions().iter().filter(|(region, _)| *region == body);
                count += of.map(|(_, n)| n).sum::<u32>();
            } else if frame.region == body {
                count += 1;
            }
            if count >= most {
                break;
            }
            at = frame.parent;
        }
        count
    }

    // ---- starting nodes

    /// Starts a node for which everything is there.
    pub(crate) fn start(&mut self, frame: u32, node: u32, decl: &'a Node) {
        if !self.s.closings.is_empty() && self.is_too_late(frame, &decl.kind) {
            self.frame_mut(frame).cells[node as usize].state = NodeState::Gated;
            return;
        }
        if self.s.traced {
            let (effect, site) = (self.effect_id(frame, node), self.site(frame, node));
            self.out.push(Command::NodeStarted { effect, site });
        }
        self.go(frame, node, decl);
    }

    /// The same of one that has begun, but had to wait for something that is computed elsewhere.
    pub(crate) fn go(&mut self, frame: u32, node: u32, decl: &'a Node) {
        if !self.s.closings.is_empty() && self.is_too_late(frame, &decl.kind) {
            self.frame_mut(frame).cells[node as usize].state = NodeState::Gated;
            return;
        }
        self.frame_mut(frame).cells[node as usize].state = NodeState::Running;
        self.soft = Some((node, 0));
        let result = match &decl.kind {
            NodeKind::Pure(expr) => {
                let expr = *expr;
                let result = self.eval(frame, |e| e.eval(expr));
                self.soft = None;
                match result {
                    Ok(value) => return self.node_ok(frame, node, value),
                    Err(fail) => Err(fail),
                }
            }
            NodeKind::Leaf(call) => self.start_leaf(frame, node, call),
            NodeKind::Model(call) => self.start_model(frame, node, call),
            NodeKind::Call(call) => self.start_call(frame, node, call),
            NodeKind::Switch { scrutinee, arms } => {
                self.start_switch(frame, node, *scrutinee, arms)
            }
            NodeKind::Map(map) => self.start_map(frame, node, map),
            NodeKind::Loop(rounds) => self.start_loop(frame, node, rounds),
            NodeKind::Race { need, arms, .. } => self.start_race(frame, node, *need, arms),
            NodeKind::Catch { body, .. } | NodeKind::Try(body) => {
                self.start_body(frame, node, *body)
            }
            NodeKind::Policy(policy) => self.start_policy(frame, node, policy),
            NodeKind::Undo(undo) => self.start_undo(frame, node, undo),
            NodeKind::Approve(approve) => self.start_approve(frame, node, approve),
            NodeKind::Ask(ask) => self.start_ask(frame, node, ask),
            NodeKind::Stubbed { target, args, model } => {
                self.start_stubbed(frame, node, *target, args, *model)
            }
            NodeKind::Expect { condition, shows, source } => {
                self.soft = None;
                return self.expect(frame, node, *condition, shows, source);
            }
        };
        self.soft = None;
        if let Err(fail) = result {
            match self.put_off.take() {
                Some(put_off) => self.compute(frame, node, put_off),
                None => self.node_failed(frame, node, fail),
            }
        }
    }

    fn start_call(
        &mut self,
        frame: u32,
        node: u32,
        call: &'a kait_ir::program::Call,
    ) -> Result<(), Fail> {
        let args: SmallVec<[Value; 4]> = self.eval(frame, |e| {
            let mut args = SmallVec::with_capacity(call.args.len());
            for arg in &call.args {
                args.push(e.eval(*arg)?);
            }
            Ok(args)
        })?;
        if let Some(target) = call.target {
            self.log_call(frame, target, args.iter().cloned().collect());
        }
        let child = self.spawn_call(frame, node, call.graph, args)?;
        if call.model.is_some() || call.repair.is_some() {
            let extra = self.frame_mut(child).extra();
            extra.model = call.model.clone();
            extra.repair = call.repair;
        }
        self.adopt(frame, node, child);
        Ok(())
    }

    fn start_switch(
        &mut self,
        frame: u32,
        node: u32,
        scrutinee: ExprId,
        arms: &'a [kait_ir::program::Arm],
    ) -> Result<(), Fail> {
        let chosen = self.eval(frame, |e| {
            let value = e.eval(scrutinee)?;
            e.choose_arm(arms, &value, |_| true)
        })?;
        let Some((index, params)) = chosen else {
            return Err(Failure::trap("no arm of a `match` covers the value").into());
        };
        self.start_arm(frame, node, arms, index, Role::Arm, params)
    }

    /// Starts an arm of a switch or a handler of a catch.
    pub(crate) fn start_arm(
        &mut self,
        frame: u32,
        node: u32,
        arms: &'a [kait_ir::program::Arm],
        index: u32,
        role: Role,
        params: SmallVec<[Value; 4]>,
    ) -> Result<(), Fail> {
        let scope = self.frame(frame).scope;
        let body = arms[index as usize].body;
        let child = self.spawn(frame, node, body, role, index, scope, params)?;
        self.adopt(frame, node, child);
        Ok(())
    }

    /// Makes a frame the one that a running node stands for.
    pub(crate) fn adopt(&mut self, frame: u32, node: u32, child: u32) {
        self.frame_mut(frame).cells[node as usize].link = child;
        self.grow_into_child(frame, node, child);
    }

    /// The role that policies around a place name for models, if any does.
    pub(crate) fn model_override(&self, mut at: u32) -> Option<SmolStr> {
        while let Some(frame) = self.s.frames.get(at as usize) {
            if let Some(model) = frame.extra.as_ref().and_then(|e| e.model.as_ref()) {
                return Some(model.clone());
            }
            at = frame.parent;
        }
        None
    }

    /// The repairs that the nearest call around a place allows, if it says so.
    pub(crate) fn repair_override(&self, mut at: u32) -> Option<u32> {
        while let Some(frame) = self.s.frames.get(at as usize) {
            if matches!(frame.role, Role::Call | Role::Root | Role::Undo) {
                return frame.extra.as_ref().and_then(|e| e.repair);
            }
            at = frame.parent;
        }
        None
    }
}

#[cfg(test)]
mod tests;
