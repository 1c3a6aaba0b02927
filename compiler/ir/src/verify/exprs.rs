//! Second step of the verifier: expressions on their own, functions, and the walk that later steps use to learn which
//! slots an expression reads.

use super::{Errors, MAX_EXPR_DEPTH, MAX_SHARING, Place, Problem};
use crate::expr::{Expr, ExprArm, ExprId, Pattern};
use crate::program::{FunctionId, GraphId, LeafId, Param, Program};

pub(super) fn check(program: &Program, errors: &mut Errors) {
    depths(program, errors);
    if !errors.0.is_empty() {
        return;
    }
    let mut walker = Walker::new(program);
    for (id, function) in (0..).map(FunctionId).zip(&program.functions) {
        let place = Place::Function(id);
        let params: Vec<u32> = (0..function.arity()).collect();
        walker.closed(function.body, &params, place, errors);
    }
    let defaults = |params: &[Param]| params.iter().filter_map(|p| p.default).collect::<Vec<_>>();
    for (id, graph) in (0..).map(GraphId).zip(&program.graphs) {
        let budgets = graph.budgets.iter().map(|(_, value)| *value);
        for value in defaults(&graph.params).into_iter().chain(budgets) {
            walker.closed(value, &[], Place::Graph(id), errors);
        }
    }
    for (id, leaf) in (0..).map(LeafId).zip(&program.leaves) {
        for value in defaults(&leaf.params) {
            walker.closed(value, &[], Place::Leaf(id), errors);
        }
    }
    recursion(program, errors);
}

/// Evaluation is recursive, so the depth of every expression is bounded.
fn depths(program: &Program, errors: &mut Errors) {
    let mut depth = vec![0u32; program.exprs.len()];
    for (index, expr) in program.exprs.iter().enumerate() {
        let of = |id: ExprId| depth.get(id.0 as usize).copied().unwrap_or(0);
        let mut deepest = 0;
        match expr {
            // The body of a `let` is evaluated in its place, so a long block is not a deep one.
            Expr::Let { value, body, .. } => deepest = of(*value).max(of(*body).saturating_sub(1)),
            _ => expr.for_each_child(|child| deepest = deepest.max(of(child))),
        }
        if let Some(slot) = depth.get_mut(index) {
            *slot = deepest + 1;
        }
        if deepest >= MAX_EXPR_DEPTH {
            let place = Place::Expr(ExprId(index as u32));
            errors.add(place, Problem::TooDeep { what: "expressions", limit: MAX_EXPR_DEPTH });
            return;
        }
    }
}

/// Functions do not call themselves, on any way.
fn recursion(program: &Program, errors: &mut Errors) {
    // What each expression calls, summed up per function over the walk of its body.
    let calls: Vec<Vec<usize>> = program
        .functions
        .iter()
        .map(|function| {
            let mut found = Vec::new();
            let mut seen = rustc_hash::FxHashSet::default();
            let mut stack = vec![function.body];
            while let Some(id) = stack.pop() {
                if !seen.insert(id) {
                    continue;
                }
                let Some(expr) = program.exprs.get(id.0 as usize) else { continue };
                if let Expr::CallFn(callee, _) = expr {
                    found.push(callee.index());
                }
                expr.for_each_child(|child| stack.push(child));
            }
            found
        })
        .collect();
    if let Some(function) = first_cycle(&calls, |_| false) {
        errors.add(Place::Function(FunctionId(function as u32)), Problem::Recursion);
    }
}

/// A member of some cycle of a call graph that contains no `bounded` one.
pub(super) fn first_cycle(calls: &[Vec<usize>], bounded: impl Fn(usize) -> bool) -> Option<usize> {
    let mut state = vec![0u8; calls.len()];
    for start in 0..calls.len() {
        let mut stack = vec![(start, 0usize)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                if bounded(at) || state.get(at).is_none_or(|s| *s == 2) {
                    continue;
                }
                if let Some(mark) = state.get_mut(at) {
                    *mark = 1;
                }
            }
            match calls.get(at).and_then(|callees| callees.get(next)) {
                Some(callee) => {
                    stack.push((at, next + 1));
                    match state.get(*callee) {
                        Some(1) if !bounded(*callee) => return Some(*callee),
                        Some(0) => stack.push((*callee, 0)),
                        _ => {}
                    }
                }
                None => {
                    if let Some(mark) = state.get_mut(at) {
                        *mark = 2;
                    }
                }
            }
        }
    }
    None
}

/// Walks expressions with the locals that are known at each place, and collects the slots that they read.
pub(super) struct Walker<'p> {
    program: &'p Program,
    live: Vec<bool>,
    /// Expressions that may still be walked.
    fuel: usize,
    /// Slots read since the last [`Walker::slots`].
    read: Vec<(u32, u32)>,
}

impl<'p> Walker<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Self {
            program,
            live: vec![false; program.max_locals as usize],
            fuel: 1000 + MAX_SHARING * program.exprs.len(),
            read: Vec::new(),
        }
    }

    /// Walks an expression that reads no slots.
    fn closed(&mut self, root: ExprId, locals: &[u32], place: Place, errors: &mut Errors) {
        self.walk(root, locals, place, errors);
        if let Some((up, slot)) = self.slots().first().copied() {
            errors.add(place, Problem::Slot { up, slot });
        }
    }

    /// The slots that were read by all walks since the last time, sorted, each once.
    pub(super) fn slots(&mut self) -> Vec<(u32, u32)> {
        let mut slots = std::mem::take(&mut self.read);
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Walks an expression in which `locals` are known.
    pub(super) fn walk(&mut self, root: ExprId, locals: &[u32], place: Place, errors: &mut Errors) {
        self.bind(locals, place, errors);
        self.expr(root, place, errors);
        self.unbind(locals);
    }

    fn bind(&mut self, locals: &[u32], place: Place, errors: &mut Errors) {
        for local in locals {
            match self.live.get_mut(*local as usize) {
                Some(live @ false) => *live = true,
                Some(_) => errors.add(place, Problem::Rewritten(*local)),
                None => errors.add(place, Problem::Local(*local)),
            }
        }
    }

    fn unbind(&mut self, locals: &[u32]) {
        for local in locals {
            if let Some(live) = self.live.get_mut(*local as usize) {
                *live = false;
            }
        }
    }

    /// Depth is bounded by [`MAX_EXPR_DEPTH`], which was checked before; chains of `let`s are walked flat.
    fn expr(&mut self, mut id: ExprId, place: Place, errors: &mut Errors) {
        let mut bound = Vec::new();
        while let Some(Expr::Let { local, value, body }) = self.program.exprs.get(id.0 as usize) {
            if self.fuel == 0 {
                break;
            }
            self.fuel -= 1;
            self.expr(*value, place, errors);
            self.bind(&[*local], place, errors);
            bound.push(*local);
            id = *body;
        }
        self.tail(id, place, errors);
        self.unbind(&bound);
    }

    fn tail(&mut self, id: ExprId, place: Place, errors: &mut Errors) {
        if errors.0.len() >= super::MAX_ERRORS {
            return;
        }
        match self.fuel {
            0 => return,
            1 => errors.add(place, Problem::Sharing),
            _ => {}
        }
        self.fuel -= 1;
        let program = self.program;
        let Some(expr) = program.exprs.get(id.0 as usize) else { return };
        match expr {
            Expr::Slot { up, slot } => self.read.push((*up, *slot)),
            Expr::Local(local) => {
                if self.live.get(*local as usize) != Some(&true) {
                    errors.add(place, Problem::Unwritten(*local));
                }
            }
            Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
                self.expr(*first, place, errors);
                self.arms(arms, place, errors);
            }
            Expr::For { source, pattern, filter, body, max } => {
                self.expr(*source, place, errors);
                max.iter().for_each(|max| self.expr(*max, place, errors));
                let binders = pattern.binders();
                self.bind(&binders, place, errors);
                filter.iter().for_each(|filter| self.expr(*filter, place, errors));
                self.expr(*body, place, errors);
                self.unbind(&binders);
            }
            Expr::Loop { state, max, body, otherwise } => {
                state.iter().for_each(|(_, first)| self.expr(*first, place, errors));
                self.expr(*max, place, errors);
                let locals: Vec<u32> = state.iter().map(|(local, _)| *local).collect();
                self.bind(&locals, place, errors);
                self.expr(*body, place, errors);
                self.expr(*otherwise, place, errors);
                self.unbind(&locals);
            }
            other => other.for_each_child(|child| self.expr(child, place, errors)),
        }
    }

    fn arms(&mut self, arms: &[ExprArm], place: Place, errors: &mut Errors) {
        for arm in arms {
            let binders = arm.pattern.binders();
            self.bind(&binders, place, errors);
            arm.guard.iter().for_each(|guard| self.expr(*guard, place, errors));
            self.expr(arm.body, place, errors);
            self.unbind(&binders);
        }
    }

    /// Walks a guard or filter that sees the binders of its pattern.
    pub(super) fn guarded(
        &mut self,
        guard: Option<ExprId>,
        pattern: &Pattern,
        place: Place,
        errors: &mut Errors,
    ) {
        if let Some(guard) = guard {
            self.walk(guard, &pattern.binders(), place, errors);
        }
    }
}
