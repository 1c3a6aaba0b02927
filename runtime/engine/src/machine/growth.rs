//! Growing values: who is shown what while it grows.
//!
//! Deltas never come here. Whoever wants to see a value grow asks for it backwards: the run's result is walked, and
//! each of its parts is given a sink; a slot passes its sink to the node, a call to the callee's result, a control form
//! to the region that was chosen, and a model or leaf is at last bound to it. Finished values are put into their
//! sinks. This works at any time of a node's life, so a result that is asked for late begins with what is there.
//!
//! A `for` that may start early asks for cuts of its source in the same way.

use kait_ir::{Expr, ExprId, NodeKind, TemplatePart, TypeId, Value};
use smallvec::SmallVec;

use super::Run;
use super::control::Control;
use super::state::{Flow, FlowMode, NONE, NodeState, PART, Part, Role, Waiter};
use crate::event::{Command, SinkId, SinkSpec, Source};
use crate::limits::SOFT_STEPS;
use crate::load::Refusal;

/// Locals of enclosing `let`s of an expression, with what they stand for.
type Lets = SmallVec<[(u32, ExprId); 2]>;

/// What cuts a growing text: by full name.
const SEGMENTERS: [&str; 4] = ["text.sentences", "text.lines", "text.paragraphs", "text.chunks"];

/// How deeply results may lead to each other when they are asked for late. Beyond, they come when they are finished.
const MAX_WALK: u32 = 128;

impl Run<'_> {
    fn new_sink(&mut self, spec: SinkSpec) -> SinkId {
        let sink = SinkId(self.s.next_sink);
        self.s.next_sink += 1;
        self.out.push(Command::Sink { sink, spec });
        sink
    }

    fn put(&mut self, flow: Flow, value: &Value) {
        let value = match flow.mode {
            FlowMode::Whole => value.clone(),
            FlowMode::Done => match value {
                Value::Variant(0, fields) => fields.first().cloned().unwrap_or_default(),
                _ => return,
            },
            FlowMode::Cuts => return,
        };
        self.out.push(Command::Put { sink: flow.sink, value });
    }

    /// The result of the run flows into its sink.
    pub(crate) fn grow_result_of_run(&mut self, root: u32) {
        let flow = Flow { sink: SinkId::RESULT, mode: FlowMode::Whole, handed: false };
        self.walk_result(root, flow);
    }

    /// A running effect: its output flows into the sinks of its node.
    #[inline(always)]
    pub(crate) fn grow_effect(&mut self, at: u32, node: u32) {
        if self.frame(at).extra.is_some() {
            self.bind_flows(at, node);
        }
    }

    #[cold]
    fn bind_flows(&mut self, at: u32, node: u32) {
        self.each_flow(at, node, |run, flow| run.bind_effect(at, node, flow));
    }

    /// A running node has a new frame: what it gives flows into the sinks of the node.
    #[inline(always)]
    pub(crate) fn grow_into_child(&mut self, at: u32, node: u32, child: u32) {
        if self.frame(at).extra.is_some() {
            self.flows_into_child(at, node, child);
        }
    }

    #[cold]
    fn flows_into_child(&mut self, at: u32, node: u32, child: u32) {
        self.each_flow(at, node, |run, flow| run.flow_to_child(child, flow));
    }

    fn each_flow(&mut self, at: u32, node: u32, mut f: impl FnMut(&mut Self, Flow) -> bool) {
        let frame = self.frame(at);
        let slot = (frame.slots.len() - frame.cells.len()) as u32 + node;
        let Some(extra) = &frame.extra else { return };
        let flows: SmallVec<[(usize, Flow); 2]> = extra
            .flows
            .iter()
            .enumerate()
            .filter(|(_, (s, _))| *s == slot)
            .map(|(at, (_, flow))| (at, *flow))
            .collect();
        for (index, flow) in flows {
            let handed = f(self, flow);
            if let Some(extra) = &mut self.frame_mut(at).extra
                && let Some((_, flow)) = extra.flows.get_mut(index)
            {
                flow.handed = handed;
            }
        }
    }

    fn bind_effect(&mut self, at: u32, node: u32, flow: Flow) -> bool {
        if !self.node(at, node).grows || flow.mode == FlowMode::Done {
            return false;
        }
        let source = Source::Effect(self.effect_id(at, node));
        self.out.push(Command::Bind { source, sink: flow.sink });
        true
    }

    /// Passes a node's sink to the result of a frame that belongs to it. `true` if the frame completes the sink.
    fn flow_to_child(&mut self, child: u32, flow: Flow) -> bool {
        let frame = self.frame(child);
        let (role, parent, node, index) = (frame.role, frame.parent, frame.node, frame.index);
        let whole = flow.mode == FlowMode::Whole;
        let is_try = matches!(self.node(parent, node).kind, NodeKind::Try(_));
        let (flow, same) = match role {
            Role::Racer | Role::Root => return false,
            Role::Round if whole => (Flow { mode: FlowMode::Done, ..flow }, true),
            Role::Round => return false,
            Role::Item if flow.mode != FlowMode::Done => {
                let sink = self.new_sink(SinkSpec::Item { parent: flow.sink, index });
                (Flow { sink, mode: FlowMode::Whole, handed: false }, false)
            }
            Role::Item => return false,
            Role::Body if is_try && whole => {
                let spec = SinkSpec::Field { parent: flow.sink, variant: Some(0), index: 0 };
                (Flow { sink: self.new_sink(spec), ..flow }, false)
            }
            Role::Body if is_try => return false,
            _ => (flow, true),
        };
        let handed = self.walk_result(child, flow);
        if !same && !handed {
            // Nobody below completes the derived sink, and it has no node of its own: the frame's value does.
            self.frame_mut(child).extra().completes = Some(flow);
        }
        same && handed
    }

    /// A slot is filled: sinks that nobody completes get its value.
    pub(crate) fn flows_complete(&mut self, at: u32, slot: u32) {
        let frame = self.frame_mut(at);
        let value = frame.slots[slot as usize].clone();
        let Some(extra) = &mut frame.extra else { return };
        let mut done: SmallVec<[Flow; 2]> = SmallVec::new();
        extra.flows.retain(|(s, flow)| {
            if *s == slot && !flow.handed {
                done.push(*flow);
            }
            *s != slot
        });
        for flow in done {
            self.put(flow, &value);
        }
    }

    /// What a node has let flow is void: another attempt or a handler comes.
    pub(crate) fn reset_flows(&mut self, at: u32, node: u32) {
        self.each_flow(at, node, |run, flow| {
            run.out.push(Command::Reset(flow.sink));
            false
        });
    }

    /// A frame gives its value: the sink that waits for it is complete.
    pub(crate) fn frame_gives(&mut self, at: u32, value: &Value) {
        if let Some(flow) = self.frame(at).extra.as_ref().and_then(|e| e.completes) {
            self.put(flow, value);
        }
    }

    // ---- walking backwards

    /// Lets the value of a frame flow into a sink. Everything below a guard waits for it, and the value stands below all
    /// guards of the frame: before they have succeeded, nobody may see any of it. What stands below something that
    /// changes the world or asks a person waits for that, too: what was shown cannot be taken back, and it may say that
    /// something was done.
    fn walk_result(&mut self, at: u32, flow: Flow) -> bool {
        let frame = self.frame(at);
        let table = &self.loaded.regions[frame.region as usize];
        let result = self.region(at).result;
        let is_open = |node: u32| {
            frame.cells.get(node as usize).is_some_and(|cell| cell.state != NodeState::Ok)
        };
        let guard = table.guards.iter().rev().copied().find(|guard| is_open(*guard));
        let shield = || {
            let first = table.shields.iter().copied().find(|shield| is_open(*shield))?;
            let params = (frame.slots.len() - frame.cells.len()) as u32;
            if self.stands_above(result, params + first) {
                return None;
            }
            table.shields.iter().rev().copied().find(|shield| is_open(*shield))
        };
        match guard.or_else(shield) {
            Some(guard) => {
                let slot = (frame.slots.len() - frame.cells.len()) as u32 + guard;
                let part = Part {
                    frame: at,
                    generation: frame.generation,
                    expr: result,
                    flow,
                    lets: Lets::new(),
                    guarded: true,
                };
                self.wait_for_part(part, at, slot)
            }
            None => self.walk(at, result, flow, &Lets::new()),
        }
    }

    /// Lets the value of an expression flow into a sink. `true` if that completes the sink: nothing is to be put when
    /// the whole is there.
    fn walk(&mut self, at: u32, expr: ExprId, flow: Flow, lets: &Lets) -> bool {
        if self.s.walking >= MAX_WALK {
            return false;
        }
        self.s.walking += 1;
        let handed = self.walk_expr(at, expr, flow, lets);
        self.s.walking -= 1;
        handed
    }

    fn walk_expr(&mut self, at: u32, mut expr: ExprId, flow: Flow, lets: &Lets) -> bool {
        let program = self.loaded.program();
        let mut lets = std::borrow::Cow::Borrowed(lets);
        // Long blocks of `let`s are flat.
        let kind = loop {
            match program.exprs.get(expr.0 as usize) {
                Some(Expr::Let { local, value, body }) => {
                    // What stands below something that may refuse waits for it.
                    if self.loaded.refusal(*value) != Refusal::Never
                        && let Some(handed) = self.refuses(at, expr, *value, flow, &lets)
                    {
                        return handed;
                    }
                    lets.to_mut().push((*local, *value));
                    expr = *body;
                }
                Some(Expr::Vouch(inner, _)) => expr = *inner,
                Some(Expr::Check(inner, ty, _)) if !self.loaded.table().is_whole(*ty) => {
                    expr = *inner
                }
                Some(other) => break other,
                None => return false,
            }
        };
        let lets = &*lets;
        let whole = flow.mode == FlowMode::Whole;
        if matches!(kind, Expr::Variant(..) | Expr::Record(_) | Expr::List(_) | Expr::Template(_))
            && self.loaded.refusal(expr) == Refusal::Fail
        {
            let mut parts = Lets::new();
            crate::load::children(kind, &mut |part| parts.push((0, part)));
            for (_, part) in parts {
                if self.loaded.refusal(part) == Refusal::Fail
                    && let Some(handed) = self.refuses(at, expr, part, flow, lets)
                {
                    return handed;
                }
            }
        }
        match kind {
            Expr::Slot { up, slot } => {
                let at = self.outwards(at, *up);
                self.attach(at, *slot, flow)
            }
            Expr::Local(local) => match lets.iter().rposition(|(l, _)| l == local) {
                Some(found) => {
                    let (outer, bound) = (lets[..found].into(), lets[found].1);
                    self.walk(at, bound, flow, &outer)
                }
                None => false,
            },
            Expr::If(condition, yes, no) => match self.missing(at, *condition, lets) {
                Some((frame, slot)) => {
                    let generation = self.frame(at).generation;
                    let lets = lets.clone();
                    let part = Part { frame: at, generation, expr, flow, lets, guarded: false };
                    self.wait_for_part(part, frame, slot)
                }
                None => match self.now(at, *condition, lets) {
                    Some(Value::Bool(true)) => self.walk(at, *yes, flow, lets),
                    Some(_) => self.walk(at, *no, flow, lets),
                    None => false,
                },
            },
            Expr::Variant(tag, fields) if flow.mode == FlowMode::Done => match fields.first() {
                Some(value) if *tag == 0 => {
                    self.walk(at, *value, Flow { mode: FlowMode::Whole, ..flow }, lets)
                }
                _ => true, // `next`: nothing flows from this round
            },
            Expr::Variant(tag, fields) if whole && !fields.is_empty() => {
                self.fields(at, Some(*tag), fields, flow, lets)
            }
            Expr::Record(fields) if whole => self.fields(at, None, fields, flow, lets),
            Expr::List(items) if whole && items.iter().all(|(_, spread)| !spread) => {
                for (index, (item, _)) in (0u32..).zip(items) {
                    let sink = self.new_sink(SinkSpec::Item { parent: flow.sink, index });
                    self.walk_part(at, *item, sink, lets);
                }
                false
            }
            Expr::Template(parts) if whole => {
                let of = parts.len() as u32;
                for (index, part) in (0u32..).zip(parts) {
                    let ty = match part {
                        TemplatePart::Text(_) => TypeId(u32::MAX),
                        TemplatePart::Value(_, ty) => *ty,
                    };
                    let spec = SinkSpec::Part { parent: flow.sink, index, of, ty };
                    let sink = self.new_sink(spec);
                    match part {
                        TemplatePart::Text(text) => {
                            self.out.push(Command::Put { sink, value: Value::Text(text.clone()) });
                        }
                        TemplatePart::Value(value, _) => self.walk_part(at, *value, sink, lets),
                    }
                }
                false
            }
            Expr::Field(record, index)
                if flow.mode != FlowMode::Done && self.missing(at, *record, lets).is_some() =>
            {
                let sink = self.new_sink(SinkSpec::Select { to: flow.sink, index: *index });
                self.walk(at, *record, Flow { sink, handed: false, ..flow }, lets)
            }
            Expr::Native { name, args, .. }
                if SEGMENTERS.contains(&name.as_str()) && flow.mode != FlowMode::Done =>
            {
                match self.segments(at, name, args, flow, lets) {
                    Some(handed) => handed,
                    None => self.opaque(at, expr, flow, lets),
                }
            }
            _ => self.opaque(at, expr, flow, lets),
        }
    }

    /// Whether a part that may refuse keeps all around it back: because it is not known yet, then the whole waits for
    /// what it needs, or because it does refuse.
    fn refuses(
        &mut self,
        at: u32,
        whole: ExprId,
        part: ExprId,
        flow: Flow,
        lets: &Lets,
    ) -> Option<bool> {
        match self.missing(at, part, lets) {
            Some((frame, slot)) => {
                let generation = self.frame(at).generation;
                let lets = lets.clone();
                let part = Part { frame: at, generation, expr: whole, flow, lets, guarded: false };
                Some(self.wait_for_part(part, frame, slot))
            }
            None if self.now(at, part, lets).is_none() => Some(false),
            None => None,
        }
    }

    fn fields(
        &mut self,
        at: u32,
        variant: Option<u32>,
        fields: &[ExprId],
        flow: Flow,
        lets: &Lets,
    ) -> bool {
        for (index, field) in (0u32..).zip(fields) {
            let sink = self.new_sink(SinkSpec::Field { parent: flow.sink, variant, index });
            self.walk_part(at, *field, sink, lets);
        }
        false
    }

    /// Walks a part of a composed value. Its sink has no node of its own, so if nobody else completes it, its value
    /// does as soon as it is there.
    fn walk_part(&mut self, at: u32, expr: ExprId, sink: SinkId, lets: &Lets) {
        let flow = Flow { sink, mode: FlowMode::Whole, handed: false };
        if !self.walk(at, expr, flow, lets) {
            self.opaque(at, expr, flow, lets);
        }
    }

    /// A value that only flows when it is finished.
    fn opaque(&mut self, at: u32, expr: ExprId, flow: Flow, lets: &Lets) -> bool {
        if flow.mode == FlowMode::Cuts {
            return false;
        }
        if let Some((frame, slot)) = self.missing(at, expr, lets) {
            let flow = Flow { handed: true, ..flow };
            let generation = self.frame(at).generation;
            let lets = lets.clone();
            let part = Part { frame: at, generation, expr, flow, lets, guarded: false };
            return self.wait_for_part(part, frame, slot);
        }
        match self.now(at, expr, lets) {
            Some(value) => {
                self.put(flow, &value);
                true
            }
            None => false, // it fails, and the block will say so
        }
    }

    /// A segmenter over a text that is not there yet.
    fn segments(
        &mut self,
        at: u32,
        name: &smol_str::SmolStr,
        args: &[ExprId],
        flow: Flow,
        lets: &Lets,
    ) -> Option<bool> {
        let (text, further) = args.split_first()?;
        self.missing(at, *text, lets)?;
        if further.iter().any(|arg| self.missing(at, *arg, lets).is_some()) {
            return None;
        }
        let args: Option<Vec<Value>> = further.iter().map(|arg| self.now(at, *arg, lets)).collect();
        let spec = SinkSpec::Segments { to: flow.sink, segmenter: name.clone(), args: args? };
        let sink = self.new_sink(spec);
        // The finished text completes the segments, so it is wanted also where finished lists are not.
        Some(self.walk(at, *text, Flow { sink, mode: flow.mode, handed: false }, lets))
    }

    /// A slot's value flows into a sink: from now on, whatever the slot's node has done so far.
    fn attach(&mut self, at: u32, slot: u32, flow: Flow) -> bool {
        let Some(frame) = self.s.frames.get(at as usize) else { return false };
        let params = frame.slots.len() - frame.cells.len();
        let Some(node) = (slot as usize).checked_sub(params) else {
            if self.slot_is_there(at, slot) {
                let value = frame.slots[slot as usize].clone();
                self.put(flow, &value);
            } else {
                self.out.push(Command::Bind { source: Source::Input(slot), sink: flow.sink });
            }
            return true;
        };
        let node = node as u32;
        let Some(cell) = frame.cells.get(node as usize).copied() else { return false };
        let flow = Flow { handed: false, ..flow };
        match cell.state {
            NodeState::Ok => {
                let value = frame.slots[slot as usize].clone();
                self.put(flow, &value);
                return true;
            }
            NodeState::Failed | NodeState::Cancelled => return true,
            NodeState::Waiting | NodeState::Gated | NodeState::Computing => {
                if let NodeKind::Leaf(call) = &self.node(at, node).kind
                    && flow.mode != FlowMode::Done
                {
                    let name = &self.loaded.program().leaves[call.leaf.index()].name;
                    if SEGMENTERS.contains(&name.as_str())
                        && let Some(true) = self.segments(at, name, &call.args, flow, &Lets::new())
                    {
                        return true;
                    }
                }
                self.frame_mut(at).extra().flows.push((slot, flow));
            }
            NodeState::Running => {
                let handed = self.hand_down(at, node, cell.link, flow);
                self.frame_mut(at).extra().flows.push((slot, Flow { handed, ..flow }));
            }
        }
        true
    }

    /// A node that runs already gets a sink.
    fn hand_down(&mut self, at: u32, node: u32, link: u32, flow: Flow) -> bool {
        let children: SmallVec<[u32; 4]> = match &self.node(at, node).kind {
            NodeKind::Leaf(_) | NodeKind::Model(_) => return self.bind_effect(at, node, flow),
            NodeKind::Call(_)
            | NodeKind::Switch { .. }
            | NodeKind::Catch { .. }
            | NodeKind::Try(_) => SmallVec::from_slice(&[link]),
            _ => match self.s.controls.get(link as usize) {
                Some(Control::Map(map)) => {
                    let results: Vec<(u32, Value)> = (0..)
                        .zip(&map.results)
                        .filter(|(i, _)| map.done.get(*i as usize) == Some(&true))
                        .map(|(i, v)| (i, v.clone()))
                        .collect();
                    let children = map.children.iter().copied().filter(|c| *c != NONE).collect();
                    if flow.mode != FlowMode::Done {
                        for (index, value) in results {
                            let sink = self.new_sink(SinkSpec::Item { parent: flow.sink, index });
                            self.out.push(Command::Put { sink, value });
                        }
                    }
                    children
                }
                Some(Control::Loop(rounds)) => SmallVec::from_slice(&[rounds.frame]),
                Some(Control::Policy(policy)) => SmallVec::from_slice(&[policy.frame]),
                _ => SmallVec::new(),
            },
        };
        let mut handed = false;
        for child in children {
            if self.s.frames.get(child as usize).is_some_and(|f| f.alive) {
                handed = self.flow_to_child(child, flow);
            }
        }
        handed
    }

    /// Whether the value of a block is that of a slot up to this one, so that it does not wait for what stands below it.
    fn stands_above(&self, mut expr: ExprId, last: u32) -> bool {
        let exprs = &self.loaded.program().exprs;
        loop {
            match exprs.get(expr.0 as usize) {
                Some(Expr::Slot { up: 0, slot }) => return *slot <= last,
                Some(Expr::Slot { .. }) => return true,
                Some(Expr::Field(inner, _) | Expr::Check(inner, ..) | Expr::Vouch(inner, _)) => {
                    expr = *inner;
                }
                _ => return false,
            }
        }
    }

    // ---- parts that wait for slots

    /// The first slot that an expression needs and that is not there.
    fn missing(&self, at: u32, expr: ExprId, lets: &Lets) -> Option<(u32, u32)> {
        let mut found = None;
        let mut look = |expr| {
            crate::load::slots_of(self.loaded.program(), expr, &mut |up, slot| {
                let frame = self.outwards(at, up);
                if found.is_none() && !self.slot_is_there(frame, slot) {
                    found = Some((frame, slot));
                }
            });
        };
        look(expr);
        lets.iter().for_each(|(_, bound)| look(*bound));
        found
    }

    /// The value of an expression all of whose slots are there.
    fn now(&mut self, at: u32, expr: ExprId, lets: &Lets) -> Option<Value> {
        self.eval_now(at, |e| {
            // What takes long is shown when the block that it stands in has it.
            e.briefly(SOFT_STEPS);
            for (local, bound) in lets {
                let value = e.eval(*bound)?;
                e.set_local(*local, value);
            }
            e.eval(expr)
        })
        .ok()
    }

    /// A part waits for a slot of a frame.
    fn wait_for_part(&mut self, part: Part, frame: u32, slot: u32) -> bool {
        let id = self.s.next_part;
        self.s.next_part = id.wrapping_add(1);
        self.s.parts.insert(id, part);
        if self.s.parts.len() >= 1024 && self.s.parts.len().is_power_of_two() {
            // Parts of frames that are gone are never woken.
            let frames = &self.s.frames;
            self.s.parts.retain(|_, p| {
                frames
                    .get(p.frame as usize)
                    .is_some_and(|f| f.alive && f.generation == p.generation)
            });
        }
        self.wait_for_slot(frame, slot, Waiter { frame, generation: id, node: PART });
        true
    }

    /// A slot that a part waited for is there.
    pub(crate) fn part_ready(&mut self, id: u32) {
        let Some(part) = self.s.parts.remove(&id) else { return };
        let owner = Waiter { frame: part.frame, generation: part.generation, node: NONE };
        if !self.is_current(owner) {
            return;
        }
        if part.guarded {
            if !self.walk_result(part.frame, part.flow) {
                self.opaque(part.frame, part.expr, part.flow, &part.lets);
            }
        } else if part.flow.handed {
            // It was opaque, and still is.
            self.opaque(part.frame, part.expr, part.flow, &part.lets);
        } else if !self.walk(part.frame, part.expr, part.flow, &part.lets) {
            self.opaque(part.frame, part.expr, part.flow, &part.lets);
        }
    }

    // ---- early maps

    /// Asks for cuts of the lists that early maps of a new frame wait for.
    pub(crate) fn wire_early_maps(&mut self, at: u32) {
        let table = &self.loaded.regions[self.frame(at).region as usize];
        for &node in &table.early {
            let NodeKind::Map(map) = &self.node(at, node).kind else { continue };
            if self.missing(at, map.source, &Lets::new()).is_none() {
                continue;
            }
            let effect = self.effect_id(at, node);
            let sink = self.new_sink(SinkSpec::Cuts { effect });
            self.s.cuts.push((sink, self.waiter(at, node)));
            let flow = Flow { sink, mode: FlowMode::Cuts, handed: false };
            self.walk(at, map.source, flow, &Lets::new());
        }
        if self.s.cuts.len() >= 64 && self.s.cuts.len().is_power_of_two() {
            let frames = &self.s.frames;
            self.s.cuts.retain(|(_, w)| {
                frames
                    .get(w.frame as usize)
                    .is_some_and(|f| f.alive && f.generation == w.generation)
            });
        }
    }
}
