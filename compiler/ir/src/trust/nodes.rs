//! Graphs, regions and nodes: leaves bring in what nobody vouches for, and take what somebody must vouch for.

use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::exprs::wanted;
use super::flow::{Flow, Shape, Values};
use super::label::Label;
use super::types::TypeFacts;
use super::{Known, Library, Trusted};
use crate::expr::{Expr, ExprId};
use crate::facts::{callees_first, calls};
use crate::program::{
    Approve, Approved, Arm, Ask, Graph, GraphId, LeafId, MessageRole, ModelCall, Node, NodeKind,
    Param, Program, RegionId,
};
use crate::types::{Trust, TypeId};
use crate::value::Value;
use crate::verify::{MAX_ERRORS, Place, Problem, VerifyError};

/// Labels grow in each round, and rounds are linear; a program that takes more is refused.
const MAX_ROUNDS: u32 = 256;

/// Kinds of leaves whose results come from outside whatever their headers say.
const OUTSIDE: [&str; 3] = ["http", "process", "mcp"];

/// What callers know of a graph or function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Where what it gives comes from, in its parameters.
    label: Label,
    /// Whether what it gives is made as its type says.
    fits: bool,
    /// The parameters that must be trusted.
    pub(super) needs: Label,
}

impl Default for Summary {
    fn default() -> Self {
        Self { label: Label::CLEAR, fits: true, needs: Label::CLEAR }
    }
}

/// Whose state a loop's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum StateOf {
    Expr(ExprId),
    Node(RegionId, u32),
}

pub(super) struct Checker<'p> {
    pub(super) program: &'p Program,
    pub(super) values: Values<'p>,
    pub(super) locals: Vec<Flow>,
    /// Slots of the regions around the place, innermost last.
    frames: Vec<Vec<Flow>>,
    pub(super) functions: Vec<Summary>,
    graphs: Vec<Summary>,
    states: FxHashMap<StateOf, Vec<Flow>>,
    /// By expression, for calls of the library.
    natives: FxHashMap<ExprId, Known>,
    /// By leaf.
    leaves: Vec<Known>,
    /// The parameters of what is looked at that must be trusted.
    needs: Label,
    place: Place,
    changed: bool,
    /// Whether labels are final, so that what is wrong is.
    is_last: bool,
    errors: Vec<VerifyError>,
}

pub(super) fn check(program: &Program, library: &dyn Library) -> Result<Trusted, Vec<VerifyError>> {
    let fuel = (program.exprs.len() as u64 + program.types.len() as u64 + 1_000) * 4_096;
    let mut checker = Checker {
        program,
        values: Values::new(TypeFacts::of(program), fuel),
        locals: vec![Flow::OUTSIDE; program.max_locals as usize],
        frames: Vec::new(),
        functions: vec![Summary::default(); program.functions.len()],
        graphs: vec![Summary::default(); program.graphs.len()],
        states: FxHashMap::default(),
        natives: FxHashMap::default(),
        leaves: Vec::new(),
        needs: Label::CLEAR,
        place: Place::Program,
        changed: false,
        is_last: false,
        errors: Vec::new(),
    };
    checker.compare(library);
    checker.stop()?;
    let order = callees_first(&calls(program));
    let mut rounds = 0;
    loop {
        checker.changed = false;
        checker.round(&order);
        if !checker.changed {
            break;
        }
        rounds += 1;
        if rounds >= MAX_ROUNDS {
            checker.place = Place::Program;
            checker.add(
                "what comes from where cannot be told: its parts depend on each other too often"
                    .into(),
            );
            checker.stop()?;
        }
    }
    checker.is_last = true;
    checker.round(&order);
    checker.stop()?;
    let graphs = (0..program.graphs.len()).map(|index| checker.vouched(index)).collect();
    Ok(Trusted { graphs })
}

impl<'p> Checker<'p> {
    fn stop(&mut self) -> Result<(), Vec<VerifyError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.errors)) }
    }

    fn add(&mut self, problem: SmolStr) {
        let error = VerifyError { place: self.place, problem: Problem::Trust(problem) };
        if self.errors.len() < MAX_ERRORS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Holds what the program says of the library against the library.
    fn compare(&mut self, library: &dyn Library) {
        let program = self.program;
        for (id, leaf) in (0..).map(LeafId).zip(&program.leaves) {
            self.place = Place::Leaf(id);
            let known = match leaf.kind.as_str() {
                "native" => library.leaf(program, leaf),
                "http" | "process" | "wasm" | "mcp" => Ok(Known {
                    params: leaf.params.iter().map(|param| param.trust).collect(),
                    result: leaf.trust,
                    moves: None,
                }),
                kind => Err(format_smolstr!("there are no leaves from `{kind}`")),
            };
            let known = known.unwrap_or_else(|problem| {
                self.add(problem);
                Known::default()
            });
            self.leaves.push(known);
        }
        for (id, expr) in (0..).map(ExprId).zip(&program.exprs) {
            let Expr::Native { name, params, result, .. } = expr else { continue };
            self.place = Place::Expr(id);
            match library.function(program, name, params, *result) {
                Ok(known) => drop(self.natives.insert(id, known)),
                Err(problem) => self.add(problem),
            }
        }
    }

    pub(super) fn native_of(&self, id: ExprId) -> Known {
        self.natives.get(&id).cloned().unwrap_or_default()
    }

    // ---- what is wrong ----

    /// A value with this label stands where only trusted ones may.
    pub(super) fn wants(&mut self, label: Label, problem: impl FnOnce() -> SmolStr) {
        self.needs = self.needs.join(label.params());
        if self.is_last && label.is_marked() {
            self.add(problem());
        }
    }

    pub(super) fn refuse(&mut self, problem: SmolStr) {
        if self.is_last {
            self.add(problem);
        }
    }

    // ---- rounds ----

    fn round(&mut self, order: &[usize]) {
        let program = self.program;
        for (index, function) in program.functions.iter().enumerate() {
            self.place = Place::Function(crate::FunctionId(index as u32));
            self.needs = Label::CLEAR;
            self.frames.clear();
            for (at, ty) in (0u32..).zip(&function.params) {
                let value = self.values.typed(Label::param(at as usize), *ty);
                self.set(at, value);
            }
            let value = self.eval(function.body);
            let summary = self.summary(&value, function.result);
            if let Some(known) = self.functions.get_mut(index).filter(|known| **known != summary) {
                *known = summary;
                self.changed = true;
            }
        }
        for index in order {
            let Some(graph) = program.graphs.get(*index) else { continue };
            self.place = Place::Graph(GraphId(*index as u32));
            self.needs = Label::CLEAR;
            self.frames.clear();
            let params = self.params(graph);
            for (_, budget) in &graph.budgets {
                self.eval(*budget);
            }
            let value = self.region(graph.body, params, false);
            self.place = Place::Graph(GraphId(*index as u32));
            let summary = self.summary(&value, graph.result);
            if let Some(known) = self.graphs.get_mut(*index).filter(|known| **known != summary) {
                *known = summary;
                self.changed = true;
            }
        }
    }

    fn summary(&mut self, value: &Flow, result: TypeId) -> Summary {
        let found = self.values.conform(value, result, false);
        let program = self.program;
        self.wants(found.wants, || {
            format_smolstr!(
                "it gives a `{}`, of which a field is `trusted`, made of what nobody vouches for",
                program.type_text(result)
            )
        });
        Summary { label: found.flow.label, fits: found.fits, needs: self.needs }
    }

    /// The parameters of a graph, as its block sees them.
    fn params(&mut self, graph: &Graph) -> Vec<Flow> {
        let mut all = Vec::with_capacity(graph.params.len());
        for (index, param) in graph.params.iter().enumerate() {
            let own = Label::param(index);
            let default = param.default.map(|default| {
                let value = self.eval(default);
                self.at_type(&value, param.ty, false).label
            });
            let default = default.unwrap_or(Label::CLEAR);
            let label = match param.trust {
                None => own.join(default),
                Some(word) => {
                    if word.wants_trusted() {
                        self.needs = self.needs.join(own);
                        self.wants(default, || wanted(&param.name, &graph.name));
                    }
                    if word == Trust::Trusted { Label::CLEAR } else { Label::MARKED }
                }
            };
            all.push(self.values.typed(label, param.ty));
        }
        all
    }

    fn vouched(&self, graph: usize) -> Vec<u32> {
        let needs = self.graphs.get(graph).map_or(Label::CLEAR, |known| known.needs);
        let params = self.program.graphs.get(graph).map_or(&[][..], |graph| &graph.params);
        let needed = (0u32..).zip(params).filter(|(index, param)| {
            let facts = self.values.types.get(param.ty);
            needs.has(*index as usize) && !facts.closed || facts.holds_clear
        });
        needed.map(|(index, _)| index).collect()
    }

    /// What a call gives, of a callee of which so much is known.
    pub(super) fn applied(&self, summary: Summary, args: &[Label], result: TypeId) -> Flow {
        let label = summary.label.applied(args);
        if summary.fits {
            self.values.typed(label, result)
        } else {
            Flow::of(label, Shape::Unknown)
        }
    }

    // ---- loops ----

    /// The state of a loop, after these values were added to it.
    pub(super) fn states(&mut self, of: StateOf, more: Vec<Flow>) -> Vec<Flow> {
        let mut known = self.states.remove(&of).unwrap_or_default();
        for (index, value) in more.into_iter().enumerate() {
            match known.get_mut(index) {
                None => {
                    known.push(value);
                    self.changed = true;
                }
                Some(slot) => {
                    let joined = self.values.join(slot, &value);
                    if !self.values.same(slot, &joined) {
                        *slot = joined;
                        self.changed = true;
                    }
                }
            }
        }
        self.states.insert(of, known.clone());
        known
    }

    /// What a round ends with: the value of `done`; what `next` hands on is added to the state.
    pub(super) fn stepped(&mut self, of: StateOf, step: &Flow) -> Flow {
        let count = self.states.get(&of).map_or(0, Vec::len);
        let Shape::Variants(ways) = &step.shape else {
            if matches!(step.shape, Shape::Any) {
                return Flow::ANY;
            }
            // Nobody can say which it is.
            let value = self.values.blurred(step);
            self.states(of, vec![value.clone(); count]);
            return value;
        };
        let mut done = Flow::ANY;
        for (tag, parts) in ways.iter() {
            match (tag, &parts[..]) {
                (0, [value]) => done = self.values.join(&done, value),
                (1, all) if all.len() == count => drop(self.states(of, all.to_vec())),
                _ => {
                    let value = self.values.blurred(step);
                    self.states(of, vec![value.clone(); count]);
                    done = self.values.join(&done, &value);
                }
            }
        }
        done
    }

    // ---- regions ----

    pub(super) fn slot(&self, up: u32, slot: u32) -> Flow {
        let frame = self.frames.iter().rev().nth(up as usize);
        frame.and_then(|frame| frame.get(slot as usize)).cloned().unwrap_or(Flow::OUTSIDE)
    }

    /// The value of a region. `is_step`: it is what a round of a loop ends with, a choice between `done` and `next`.
    fn region(&mut self, id: RegionId, params: Vec<Flow>, is_step: bool) -> Flow {
        let Some(region) = self.program.regions.get(id.index()) else { return Flow::OUTSIDE };
        self.frames.push(params);
        let ends = if is_step { self.ends(region.result, region.params) } else { Vec::new() };
        for (index, node) in (0u32..).zip(&region.nodes) {
            self.place = Place::Node(id, index);
            let value = self.node(id, index, node, ends.contains(&index));
            if let Some(frame) = self.frames.last_mut() {
                frame.push(value);
            }
        }
        self.place = Place::Region(id);
        let value = self.eval(region.result);
        self.frames.pop();
        value
    }

    /// The nodes whose value is that of the region, as it is.
    fn ends(&self, result: ExprId, params: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![result];
        while let Some(id) = open.pop() {
            match self.program.exprs.get(id.0 as usize) {
                Some(Expr::Slot { up: 0, slot }) => found.extend(slot.checked_sub(params)),
                Some(Expr::Let { body, .. }) => open.push(*body),
                Some(Expr::If(_, yes, no)) => open.extend([*yes, *no]),
                Some(Expr::Match { arms, .. }) => open.extend(arms.iter().map(|arm| arm.body)),
                Some(Expr::Catch { body, arms }) => {
                    open.push(*body);
                    open.extend(arms.iter().map(|arm| arm.body));
                }
                _ => {}
            }
        }
        found
    }

    fn node(&mut self, region: RegionId, index: u32, node: &Node, is_step: bool) -> Flow {
        let here = self.place;
        let value = match &node.kind {
            NodeKind::Pure(expr) => self.eval(*expr),
            NodeKind::Call(call) => {
                let program = self.program;
                let Some(graph) = program.graphs.get(call.graph.index()) else {
                    return Flow::OUTSIDE;
                };
                let summary = self.graphs.get(call.graph.index()).copied().unwrap_or_default();
                let labels = self
                    .args(&call.args, &graph.params, &graph.name, |at, _| summary.needs.has(at));
                let labels: Vec<Label> = labels.iter().map(|arg| arg.label).collect();
                return self.applied(summary, &labels, graph.result);
            }
            NodeKind::Leaf(call) => return self.leaf(call.leaf, &call.args, call.key),
            NodeKind::Model(call) => return self.model(call),
            NodeKind::Approve(approve) => {
                self.approve(approve);
                return self.values.typed(Label::CLEAR, node.ty);
            }
            NodeKind::Ask(ask) => return self.ask(ask, node.ty),
            NodeKind::Switch { scrutinee, arms } => {
                let value = self.eval(*scrutinee);
                self.switch(Flow::ANY, &value, arms, is_step)
            }
            NodeKind::Catch { body, arms } => {
                let body = self.region(*body, Vec::new(), is_step);
                self.place = here;
                self.switch(body, &Flow::OUTSIDE, arms, is_step)
            }
            NodeKind::Map(map) => {
                let source = self.eval(map.source);
                for expr in map.max.iter().chain(&map.parallel) {
                    self.eval(*expr);
                }
                let item = self.values.item(&source);
                self.bind(&map.pattern, &item);
                map.filter.iter().for_each(|filter| drop(self.eval(*filter)));
                let params = self.bound(map.body);
                let item = self.region(map.body, params, false);
                self.values.list(item)
            }
            NodeKind::Loop(repeat) => {
                let mut first = Vec::with_capacity(repeat.init.len());
                for value in &repeat.init {
                    first.push(self.eval(*value));
                }
                self.eval(repeat.max);
                let of = StateOf::Node(region, index);
                let known = self.states(of, first);
                let step = self.region(repeat.body, known, true);
                self.place = here;
                let done = self.stepped(of, &step);
                let known = self.states(of, Vec::new());
                let otherwise = self.region(repeat.otherwise, known, false);
                self.values.join(&done, &otherwise)
            }
            NodeKind::Race { list, arms, .. } => {
                let mut joined = Flow::ANY;
                for arm in arms {
                    let value = self.region(*arm, Vec::new(), is_step);
                    joined = self.values.join(&joined, &value);
                }
                if *list { self.values.list(joined) } else { joined }
            }
            NodeKind::Try(body) => {
                let value = self.region(*body, Vec::new(), false);
                self.tried(value)
            }
            NodeKind::Policy(policy) => {
                let mut exprs = Vec::new();
                node.kind.for_each_expr(|expr| exprs.push(expr));
                for expr in exprs {
                    self.eval(expr);
                }
                let body = self.region(policy.body, Vec::new(), is_step);
                match policy.fallback {
                    Some(fallback) => {
                        let value = self.region(fallback, Vec::new(), is_step);
                        self.values.join(&body, &value)
                    }
                    None => body,
                }
            }
            NodeKind::Undo(undo) => {
                let mut params = Vec::with_capacity(undo.args.len());
                for arg in &undo.args {
                    params.push(self.eval(*arg));
                }
                // It reads nothing else: what stands around it is gone when it runs.
                let around = std::mem::take(&mut self.frames);
                self.region(undo.body, params, false);
                self.frames = around;
                self.place = here;
                return self.values.typed(Label::CLEAR, node.ty);
            }
            NodeKind::Stubbed { .. } | NodeKind::Expect { .. } => return Flow::OUTSIDE,
        };
        self.place = here;
        if is_step { value } else { self.at_type(&value, node.ty, false) }
    }

    fn switch(&mut self, mut joined: Flow, value: &Flow, arms: &[Arm], is_step: bool) -> Flow {
        let here = self.place;
        for arm in arms {
            self.place = here;
            self.bind(&arm.pattern, value);
            arm.guard.iter().for_each(|guard| drop(self.eval(*guard)));
            let params = self.bound(arm.body);
            let value = self.region(arm.body, params, is_step);
            joined = self.values.join(&joined, &value);
        }
        joined
    }

    /// The parameters of a region that a pattern has bound: local `i` is slot `i`.
    fn bound(&self, body: RegionId) -> Vec<Flow> {
        let count = self.program.regions.get(body.index()).map_or(0, |region| region.params);
        let local = |at: u32| self.locals.get(at as usize).cloned().unwrap_or(Flow::OUTSIDE);
        (0..count).map(local).collect()
    }

    // ---- what reaches outside ----

    /// Arguments at the parameters that they are for; those that are wanted there are trusted.
    fn args(
        &mut self,
        args: &[ExprId],
        params: &[Param],
        callee: &str,
        wants: impl Fn(usize, &Param) -> bool,
    ) -> Vec<Flow> {
        let mut all = Vec::with_capacity(args.len());
        for (index, (arg, param)) in args.iter().zip(params).enumerate() {
            let value = self.eval(*arg);
            let value = self.at_type(&value, param.ty, false);
            if wants(index, param) {
                self.wants(value.label, || wanted(&param.name, callee));
            }
            all.push(value);
        }
        all
    }

    fn leaf(&mut self, id: LeafId, args: &[ExprId], key: Option<ExprId>) -> Flow {
        let program = self.program;
        let Some(leaf) = program.leaves.get(id.index()) else { return Flow::OUTSIDE };
        let known = self.leaves.get(id.index()).cloned().unwrap_or_default();
        let is_wanted = |at: usize, _: &Param| {
            known.params.get(at).copied().flatten().is_some_and(Trust::wants_trusted)
        };
        key.iter().for_each(|key| drop(self.eval(*key)));
        let values = self.args(args, &leaf.params, &leaf.name, is_wanted);
        let mut joined = Label::CLEAR;
        for (index, (value, param)) in values.iter().zip(&leaf.params).enumerate() {
            // All parts get there, also those that a field's own word keeps apart.
            if is_wanted(index, param) && known.moves.is_none() {
                let label = self.values.opaque(value);
                self.wants(label, || wanted(&param.name, &leaf.name));
            }
            joined = joined.join(match &known.moves {
                Some(moved) if moved.get(index) == Some(&true) => value.label,
                Some(_) => Label::CLEAR,
                None => self.values.opaque(value),
            });
        }
        let is_outside = OUTSIDE.contains(&leaf.kind.as_str())
            || !leaf.reads.is_empty()
            || !leaf.writes.is_empty();
        let label = match known.result {
            Some(Trust::Trusted) => Label::CLEAR,
            Some(_) => Label::MARKED,
            None if is_outside => Label::MARKED,
            None => joined,
        };
        self.values.typed(label, leaf.result)
    }

    /// What a model answers is made of all that it reads.
    fn model(&mut self, call: &ModelCall) -> Flow {
        for (_, option) in &call.options {
            self.eval(*option);
        }
        let answers = self.values.types.get(call.output).holds_clear;
        let mut joined = Label::CLEAR;
        for message in &call.messages {
            let value = self.eval(message.content);
            let value = self.at_type(&value, message.ty, false);
            let label = self.values.opaque(&value);
            if message.role == MessageRole::System {
                self.wants(label, || {
                    "a `system` line instructs a model, so it takes only what somebody vouches for, and a part of it comes from outside".into()
                });
            }
            if answers {
                self.wants(label, || {
                    "a model that reads what nobody vouches for cannot vouch for the `trusted` fields of its answer".into()
                });
            }
            joined = joined.join(label);
        }
        self.values.typed(joined, call.output)
    }

    fn approve(&mut self, approve: &Approve) {
        let program = self.program;
        let (params, name) = match approve.what {
            Approved::Leaf(id) => match program.leaves.get(id.index()) {
                Some(leaf) => (&leaf.params[..], leaf.name.as_str()),
                None => return,
            },
            Approved::Graph(id) => match program.graphs.get(id.index()) {
                Some(graph) => (&graph.params[..], graph.name.as_str()),
                None => return,
            },
            Approved::Stub(_) => return,
        };
        for (index, (arg, param)) in (0u32..).zip(approve.args.iter().zip(params)) {
            let value = self.eval(*arg);
            // A person looks at all of it, so nothing has to be trusted yet.
            let value = self.values.conform(&value, param.ty, false).flow;
            if !value.label.is_clear() && !approve.untrusted.contains(&index) {
                self.refuse(format_smolstr!(
                    "a person is asked to approve `{name}`, and is not told that nobody vouches for its argument `{}`",
                    param.name
                ));
            }
        }
        for expr in approve.key.iter().chain(approve.show.iter().map(|(show, _)| show)) {
            self.eval(*expr);
        }
        self.eval(approve.within);
        self.person(approve.role);
        self.answerable(Some(approve.role), approve.within);
    }

    /// That there is somebody who can answer, and time to.
    fn answerable(&mut self, role: Option<ExprId>, within: ExprId) {
        let program = self.program;
        let constant = |id: ExprId| match program.exprs.get(id.0 as usize) {
            Some(Expr::Const(value)) => Some(value),
            _ => None,
        };
        match constant(within) {
            None | Some(Value::Duration(1..)) => {}
            Some(_) => {
                self.refuse(
                    "a person is left no time to answer: `within` must be above zero".into(),
                );
            }
        }
        match role.and_then(constant) {
            None => {}
            Some(Value::Text(role)) if !role.trim().is_empty() => {}
            Some(_) => self.refuse("nobody is asked: the role is empty".into()),
        }
    }

    /// Who is asked.
    fn person(&mut self, role: ExprId) {
        let role = self.eval(role);
        self.wants(role.label, || {
            "who is asked must be trusted, and this comes from outside".into()
        });
    }

    fn ask(&mut self, ask: &Ask, ty: TypeId) -> Flow {
        let shown = ask.show.map(|(show, _)| show);
        for expr in [ask.question, shown, ask.start].into_iter().flatten() {
            self.eval(expr);
        }
        self.eval(ask.within);
        ask.to.iter().for_each(|to| self.person(*to));
        self.answerable(ask.to, ask.within);
        let Some(choose) = &ask.choose else { return self.values.typed(Label::CLEAR, ty) };
        let items = self.eval(choose.items);
        choose.max.iter().for_each(|max| drop(self.eval(*max)));
        // Who chooses by a label has seen no more than that.
        let label = match choose.label {
            Some(_) => items.label,
            None => Label::CLEAR,
        };
        let found = self.values.conform(&items, ty, false);
        if found.fits || label.is_clear() {
            self.values.typed(label, ty)
        } else {
            self.values.blurred(&items)
        }
    }
}
