//! Which values can be seen while they grow, and which of these are never issued again.
//!
//! An abstract interpretation over the graphs of a program: growth comes from models and from a run's inputs, and passes
//! through calls, templates, choices, constructors, fields, `for` and segmenters. Everything else waits for the
//! finished value. Then, from the results downwards, the pure choices and maps are found through which something that
//! somebody watches would have to pass.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lowerer;
use crate::check::BodyTypes;
use crate::check::ty::{Prim, Ty, TyKind};
use crate::effects::walk;
use crate::hir::{
    Arg, ArgValue, Body, Callable, CallableKind, Callee, Def, DefId, DefKind, Expr, ExprId, Hir,
    Pat, PatId, PromptItem, Stmt, TemplatePart, TestItem,
};

/// How a value grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Growth {
    /// It is there as a whole or not at all.
    #[default]
    No,
    /// What has been seen of it stays.
    Steady,
    /// A retry, repair or handler may begin it anew.
    Again,
}

/// The growth of everything in a program.
#[derive(Debug, Default)]
pub(super) struct Growths {
    params: FxHashMap<DefId, Vec<Growth>>,
    results: FxHashMap<DefId, Growth>,
    bodies: FxHashMap<DefId, BodyGrowth>,
}

/// The growth of a body's expressions.
#[derive(Debug, Default)]
struct BodyGrowth {
    exprs: Vec<Growth>,
    /// Pure choices and maps that must be nodes so that growth can pass.
    forced: FxHashSet<ExprId>,
}

impl Growths {
    /// Analyses the roots (callables, whose inputs may grow, or a test) and all that they call.
    pub(super) fn of(lowerer: &Lowerer<'_>, roots: &[DefId]) -> Self {
        Self::analysed(lowerer, roots, true)
    }

    /// As [`Self::of`], where the inputs of the roots do not grow.
    pub(super) fn from_within(lowerer: &Lowerer<'_>, roots: &[DefId]) -> Self {
        Self::analysed(lowerer, roots, false)
    }

    fn analysed(lowerer: &Lowerer<'_>, roots: &[DefId], inputs_grow: bool) -> Self {
        let mut growths = Self::default();
        let mut queue: Vec<DefId> = Vec::new();
        let mut callers: FxHashMap<DefId, FxHashSet<DefId>> = FxHashMap::default();
        for root in roots {
            let params = lowerer.input.types.signature(*root).map(|s| s.params.clone());
            let grown = params.into_iter().flatten().map(|ty| {
                if inputs_grow && can_grow(lowerer, ty) { Growth::Steady } else { Growth::No }
            });
            growths.params.insert(*root, grown.collect());
            queue.push(*root);
        }
        let mut seen: FxHashSet<DefId> = queue.iter().copied().collect();
        while let Some(def) = queue.pop() {
            let mut analysis = Analysis::new(lowerer, &growths, def);
            let Some(result) = analysis.run() else { continue };
            let Analysis { exprs, calls, .. } = analysis;
            growths.bodies.insert(def, BodyGrowth { exprs, forced: FxHashSet::default() });
            let known = growths.results.entry(def).or_default();
            if result > *known {
                *known = result;
                queue.extend(callers.get(&def).into_iter().flatten());
            }
            for (callee, args) in calls {
                callers.entry(callee).or_default().insert(def);
                let known = growths.params.entry(callee).or_default();
                let mut changed = seen.insert(callee);
                known.resize(known.len().max(args.len()), Growth::No);
                for (known, new) in known.iter_mut().zip(args) {
                    changed |= new > *known;
                    *known = new.max(*known);
                }
                if changed {
                    queue.push(callee);
                }
            }
        }
        growths.force(lowerer);
        growths
    }

    /// How an expression grows.
    pub(super) fn expr(&self, owner: DefId, id: ExprId) -> Growth {
        let body = self.bodies.get(&owner);
        body.and_then(|body| body.exprs.get(id.index())).copied().unwrap_or_default()
    }

    /// How a parameter grows.
    pub(super) fn param(&self, owner: DefId, index: usize) -> Growth {
        self.params.get(&owner).and_then(|all| all.get(index)).copied().unwrap_or_default()
    }

    /// How the result of a callable grows.
    pub(super) fn result(&self, def: DefId) -> Growth {
        self.results.get(&def).copied().unwrap_or_default()
    }

    /// Pure expressions of a body that must be nodes all the same.
    pub(super) fn forced(&self, owner: DefId) -> Option<&FxHashSet<ExprId>> {
        self.bodies.get(&owner).map(|body| &body.forced)
    }

    /// Finds the pure choices and maps through which watched values pass.
    fn force(&mut self, lowerer: &Lowerer<'_>) {
        let owners: Vec<DefId> = self.bodies.keys().copied().collect();
        for owner in owners {
            let Some(body) = lowerer.input.hir.body(owner) else {
                continue;
            };
            if lowerer.callable_kind(owner) != Some(&CallableKind::Graph) {
                continue;
            }
            let mut watch = Watch {
                lowerer,
                growths: self,
                owner,
                body,
                watched: vec![false; body.locals.len()],
                forced: FxHashSet::default(),
            };
            if let Some(root) = body.root {
                watch.expr(root, true);
            }
            let forced = watch.forced;
            if let Some(found) = self.bodies.get_mut(&owner) {
                found.forced = forced;
            }
        }
    }
}

/// Whether values of a type can grow: text, lists, records, payloads. Texts whose form is checked appear whole.
fn can_grow(lowerer: &Lowerer<'_>, ty: Ty) -> bool {
    match lowerer.input.types.interner.kind(ty) {
        TyKind::Prim(prim) => *prim == Prim::Text,
        TyKind::List(_) => true,
        TyKind::Optional(inner) => can_grow(lowerer, *inner),
        TyKind::Refined { base, bounds, .. } => {
            can_grow(lowerer, *base)
                && !bounds.iter().any(|bound| matches!(bound.name.as_str(), "pattern" | "format"))
        }
        TyKind::Named(def, _) => match lowerer.def(*def).map(|def| &def.kind) {
            Some(DefKind::Record(_)) => true,
            Some(DefKind::Enum(one)) => one.variants.iter().any(|v| !v.fields.is_empty()),
            _ => false,
        },
        _ => false,
    }
}

/// One body under analysis.
struct Analysis<'l, 'a> {
    lowerer: &'l Lowerer<'a>,
    growths: &'l Growths,
    owner: DefId,
    exprs: Vec<Growth>,
    locals: Vec<Growth>,
    /// Values of lets, with the patterns that bind them.
    lets: FxHashMap<ExprId, PatId>,
    /// Locals whose value takes time.
    late: Vec<bool>,
    /// Expressions that take time.
    slow: Vec<bool>,
    calls: Vec<(DefId, Vec<Growth>)>,
}

impl<'l, 'a> Analysis<'l, 'a> {
    fn new(lowerer: &'l Lowerer<'a>, growths: &'l Growths, owner: DefId) -> Self {
        Self {
            lowerer,
            growths,
            owner,
            exprs: Vec::new(),
            locals: Vec::new(),
            lets: FxHashMap::default(),
            late: Vec::new(),
            slow: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Analyses the body; gives the growth of its result, or `None` if there is no body.
    fn run(&mut self) -> Option<Growth> {
        let input = self.lowerer.input;
        let def = self.lowerer.def(self.owner)?;
        let body = input.hir.body(self.owner)?;
        let types = input.types.body(self.owner)?;
        self.exprs = vec![Growth::No; body.exprs.len()];
        self.locals = vec![Growth::No; body.locals.len()];
        self.late = vec![false; body.locals.len()];
        self.slow = vec![false; body.exprs.len()];
        self.lets = lets(def, body);
        if let DefKind::Callable(callable) = &def.kind {
            for (index, param) in callable.params.iter().enumerate() {
                let growth = self.growths.param(self.owner, index);
                if let Some(slot) = self.locals.get_mut(param.local.index()) {
                    *slot = growth;
                }
            }
        }
        for id in walk::parts_first(body) {
            // Parts come in textual order, so a let's value comes before the uses of its name.
            self.clock(body, id);
            let growth = self.at(body, types, id);
            if let Some(slot) = self.exprs.get_mut(id.index()) {
                *slot = growth;
            }
            self.bind(body, id, growth);
        }
        match &def.kind {
            DefKind::Callable(callable) if callable.kind == CallableKind::Prompt => {
                Some(self.prompt(callable))
            }
            _ => body.root.map(|root| self.of(root)),
        }
    }

    fn of(&self, id: ExprId) -> Growth {
        self.exprs.get(id.index()).copied().unwrap_or_default()
    }

    /// If the expression is the value of a `let` of one name, the name grows as the value does.
    fn bind(&mut self, body: &Body, value: ExprId, growth: Growth) {
        let Some(pat) = self.lets.get(&value).copied() else { return };
        let slow = self.is_slow(value);
        crate::effects::binders(body, pat, &mut |local| {
            if let Some(late) = self.late.get_mut(local.index()) {
                *late = slow;
            }
        });
        if let Some(Pat::Bind(local)) = body.pats.get(pat.index())
            && let Some(slot) = self.locals.get_mut(local.index())
        {
            *slot = growth;
        }
    }

    /// Notes whether an expression takes time, once its parts are known.
    fn clock(&mut self, body: &Body, id: ExprId) {
        let expr = walk::expr(body, id);
        let mut slow = match expr {
            Expr::Call { callee: Callee::Def(def), .. } => self.lowerer.is_node(*def),
            Expr::Local(local) => self.late.get(local.index()).copied().unwrap_or(false),
            _ => false,
        };
        walk::parts(expr, |part| slow |= self.is_slow(part));
        if let Some(slot) = self.slow.get_mut(id.index()) {
            *slot = slow;
        }
    }

    fn is_slow(&self, id: ExprId) -> bool {
        self.slow.get(id.index()).copied().unwrap_or(false)
    }

    fn at(&mut self, body: &Body, types: &BodyTypes, id: ExprId) -> Growth {
        // What is converted or checked waits for the whole.
        if types.coercions.get(&id).is_some_and(|all| !all.is_empty()) {
            return Growth::No;
        }
        let expr = walk::expr(body, id);
        let ty = types.exprs.get(id.index()).copied();
        let fits = |growth: Growth| {
            let can = ty.is_some_and(|ty| can_grow(self.lowerer, ty));
            if can { growth } else { Growth::No }
        };
        match expr {
            Expr::Local(local) => fits(self.locals.get(local.index()).copied().unwrap_or_default()),
            Expr::Field { base, .. } => fits(self.of(*base)),
            Expr::Template(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TemplatePart::Expr(value) => Some(self.of(*value)),
                    TemplatePart::Text(_) => None,
                })
                .max()
                .unwrap_or_default(),
            Expr::Block(stmts) => match stmts.last() {
                Some(Stmt::Expr(last)) => self.of(*last),
                _ => Growth::No,
            },
            Expr::If { then, otherwise, .. } => {
                self.of(*then).max(otherwise.map_or(Growth::No, |e| self.of(e)))
            }
            Expr::Match { arms, .. } => {
                arms.iter().map(|arm| self.of(arm.body)).max().unwrap_or_default()
            }
            Expr::Done(value) => self.of(*value),
            Expr::Loop { body: inner, otherwise, .. } => self.of(*inner).max(self.of(*otherwise)),
            Expr::Catch { body: inner, arms } => {
                let all = arms.iter().map(|arm| self.of(arm.body)).max().unwrap_or_default();
                if self.of(*inner).max(all) == Growth::No { Growth::No } else { Growth::Again }
            }
            Expr::List(items) => {
                let parts: Vec<ExprId> = items.iter().map(|(item, _)| *item).collect();
                self.construct(&parts)
            }
            Expr::For { source, body: inner, .. } => {
                let slow = self.is_slow(*inner);
                let parts = self.of(*source).max(self.of(*inner));
                if slow || parts != Growth::No { fits(Growth::Steady) } else { Growth::No }
            }
            Expr::With { expr, policies } => self.with(body, *expr, policies),
            Expr::Call { callee, args, .. } => {
                let growth = self.call(types, id, callee, args);
                if matches!(callee, Callee::Def(_)) { self.fits(ty, growth) } else { growth }
            }
            _ => Growth::No,
        }
    }

    fn fits(&self, ty: Option<Ty>, growth: Growth) -> Growth {
        if ty.is_some_and(|ty| can_grow(self.lowerer, ty)) { growth } else { Growth::No }
    }

    /// A record, variant or list: its parts grow, and those that take time come one by one.
    fn construct(&self, parts: &[ExprId]) -> Growth {
        let parts = parts.iter().map(|part| {
            if self.is_slow(*part) { self.of(*part).max(Growth::Steady) } else { self.of(*part) }
        });
        parts.max().unwrap_or_default()
    }

    fn call(&mut self, types: &BodyTypes, id: ExprId, callee: &Callee, args: &[Arg]) -> Growth {
        let values: Vec<ExprId> = args
            .iter()
            .filter_map(|arg| match &arg.value {
                ArgValue::Expr(value) | ArgValue::Spread(value) => Some(*value),
                _ => None,
            })
            .collect();
        let def = match callee {
            Callee::Def(def) => *def,
            Callee::Variant(..) | Callee::BareVariant { .. } => return self.construct(&values),
            Callee::Missing | Callee::Builtin(_) => return Growth::No,
        };
        let callable = match self.lowerer.def(def).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => callable,
            Some(DefKind::Record(_)) => return self.construct(&values),
            _ => return Growth::No,
        };
        let by_param = |this: &Self, index: usize| {
            let call = types.calls.get(&id)?;
            match call.args.get(index)? {
                crate::check::ArgSource::Arg(arg) => match &args.get(*arg as usize)?.value {
                    ArgValue::Expr(value) => Some(this.of(*value)),
                    _ => None,
                },
                _ => None,
            }
        };
        let grown: Vec<Growth> = (0..callable.params.len())
            .map(|index| by_param(self, index).unwrap_or_default())
            .collect();
        if self.lowerer.targets.get(&def).is_some_and(|target| target.stubbed) {
            return Growth::No;
        }
        match &callable.kind {
            CallableKind::Graph | CallableKind::Prompt => {
                self.calls.push((def, grown));
                self.growths.results.get(&def).copied().unwrap_or_default()
            }
            CallableKind::Extern { .. } => {
                let streams = callable.params.iter().zip(&grown).filter(|(param, _)| param.stream);
                streams.map(|(_, growth)| *growth).max().unwrap_or_default()
            }
            CallableKind::Fn => {
                if self.lowerer.is_node(def) {
                    self.calls.push((def, vec![Growth::No; grown.len()]));
                }
                Growth::No
            }
            CallableKind::Trigger => {
                self.calls.push((def, grown));
                Growth::No
            }
            CallableKind::Agent => Growth::No,
        }
    }

    /// Policies may issue a call again.
    fn with(&self, body: &Body, call: ExprId, policies: &[Arg]) -> Growth {
        let growth = self.of(call);
        if growth == Growth::No {
            return growth;
        }
        let named = |name: &str| policies.iter().find(|arg| named(arg, name));
        let again = named("fallback").is_some()
            || named("retry").is_some_and(|retry| !is_zero(self.lowerer.input.hir, body, retry));
        if again {
            return Growth::Again;
        }
        match named("repair") {
            Some(repair)
                if is_zero(self.lowerer.input.hir, body, repair) && self.is_prompt(body, call) =>
            {
                Growth::Steady
            }
            Some(_) if self.is_prompt(body, call) => growth,
            _ => growth,
        }
    }

    fn is_prompt(&self, body: &Body, call: ExprId) -> bool {
        match walk::expr(body, call) {
            Expr::Call { callee: Callee::Def(def), .. } => {
                self.lowerer.callable_kind(*def) == Some(&CallableKind::Prompt)
            }
            _ => false,
        }
    }

    /// What a prompt gives grows; if it may be repaired, it may begin anew. Plain text has nothing to repair.
    fn prompt(&self, callable: &Callable) -> Growth {
        let input = self.lowerer.input;
        let Some(signature) = input.types.signature(self.owner) else { return Growth::No };
        if !can_grow(self.lowerer, signature.result) {
            return Growth::No;
        }
        if *input.types.interner.kind(signature.result) == TyKind::Prim(Prim::Text) {
            return Growth::Steady;
        }
        let body = input.hir.body(self.owner);
        let items = callable.items.iter().flat_map(|item| match item {
            PromptItem::Model { policies, .. } => policies.as_slice(),
            _ => &[],
        });
        let mut all = items.chain(&callable.policies);
        let unrepaired = all.any(|arg| {
            named(arg, "repair") && body.is_some_and(|body| is_zero(input.hir, body, arg))
        });
        if unrepaired { Growth::Steady } else { Growth::Again }
    }
}

/// The values of a body's lets, with the patterns that bind them.
fn lets(def: &Def, body: &Body) -> FxHashMap<ExprId, PatId> {
    let in_test = match &def.kind {
        DefKind::Test(test) => test.items.as_slice(),
        _ => &[],
    };
    let in_test = in_test.iter().filter_map(|item| match item {
        TestItem::Stmt(stmt) => Some(stmt),
        _ => None,
    });
    let in_blocks = body.exprs.iter().flat_map(|expr| match expr {
        Expr::Block(stmts) => stmts.as_slice(),
        _ => &[],
    });
    let all = in_test.chain(in_blocks).filter_map(|stmt| match stmt {
        Stmt::Let { pat, value, .. } => Some((*value, *pat)),
        Stmt::Expr(_) => None,
    });
    all.collect()
}

pub(super) fn named(arg: &Arg, name: &str) -> bool {
    arg.name.as_ref().is_some_and(|(own, _)| own == name)
}

fn is_zero(hir: &Hir, body: &Body, arg: &Arg) -> bool {
    match &arg.value {
        ArgValue::Expr(value) => walk::whole_number(hir, body, *value) == Some(0),
        _ => false,
    }
}

/// Finds what must be a node because somebody may watch it: from results upwards to where growth comes from.
struct Watch<'l, 'a> {
    lowerer: &'l Lowerer<'a>,
    growths: &'l Growths,
    owner: DefId,
    body: &'l Body,
    watched: Vec<bool>,
    forced: FxHashSet<ExprId>,
}

impl Watch<'_, '_> {
    fn grows(&self, id: ExprId) -> bool {
        self.growths.expr(self.owner, id) != Growth::No
    }

    /// Walks an expression whose value is watched, or only used. As deep as the source, whose depth the parser bounds.
    fn expr(&mut self, id: ExprId, watched: bool) {
        let body = self.body;
        let watched = watched && self.grows(id);
        match walk::expr(body, id) {
            Expr::Local(local) => {
                if let Some(slot) = self.watched.get_mut(local.index()) {
                    *slot |= watched;
                }
            }
            Expr::Block(stmts) => {
                // Uses stand below definitions.
                for (index, stmt) in stmts.iter().enumerate().rev() {
                    match stmt {
                        Stmt::Expr(value) => self.expr(*value, watched && index + 1 == stmts.len()),
                        Stmt::Let { pat, value, .. } => {
                            let seen = self.is_watched(*pat);
                            self.expr(*value, seen);
                        }
                    }
                }
            }
            Expr::If { condition, then, otherwise } => {
                if watched {
                    self.forced.insert(id);
                }
                self.expr(*then, watched);
                otherwise.iter().for_each(|otherwise| self.expr(*otherwise, watched));
                self.expr(*condition, false);
            }
            Expr::Match { scrutinee, arms } => {
                if watched {
                    self.forced.insert(id);
                }
                for arm in arms {
                    self.expr(arm.body, watched);
                    arm.guard.iter().for_each(|guard| self.expr(*guard, false));
                }
                self.expr(*scrutinee, false);
            }
            Expr::Catch { body, arms } => {
                for arm in arms {
                    self.expr(arm.body, watched);
                    arm.guard.iter().for_each(|guard| self.expr(*guard, false));
                }
                self.expr(*body, watched);
            }
            Expr::For { source, body: inner, filter, max, parallel, .. } => {
                if watched {
                    self.forced.insert(id);
                }
                self.expr(*inner, watched);
                for part in filter.iter().chain(max).chain(parallel) {
                    self.expr(*part, false);
                }
                // Items may start work while the list grows, whoever watches the result.
                self.expr(*source, true);
            }
            Expr::Loop { vars, max, body: inner, otherwise } => {
                self.expr(*otherwise, watched);
                self.expr(*inner, watched);
                self.expr(*max, false);
                vars.iter().for_each(|(_, _, first)| self.expr(*first, false));
            }
            Expr::With { expr, policies } => {
                walk::arg_parts(policies, |part| self.expr(part, false));
                for arg in policies.iter().filter(|arg| named(arg, "fallback")) {
                    if let ArgValue::Expr(value) = arg.value {
                        self.expr(value, watched);
                    }
                }
                self.expr(*expr, watched);
            }
            Expr::Call { callee, args, .. } => {
                let passes = match callee {
                    Callee::Def(def) => match self.lowerer.def(*def).map(|def| &def.kind) {
                        Some(DefKind::Callable(callable)) => match callable.kind {
                            // Inside, it may be watched, or start work early.
                            CallableKind::Graph => true,
                            CallableKind::Extern { .. } => {
                                callable.params.iter().any(|param| param.stream)
                            }
                            _ => false,
                        },
                        Some(DefKind::Record(_)) => watched,
                        _ => false,
                    },
                    Callee::Variant(..) | Callee::BareVariant { .. } => watched,
                    Callee::Missing | Callee::Builtin(_) => false,
                };
                walk::arg_parts(args, |part| self.expr(part, passes));
            }
            Expr::Template(_) | Expr::List(_) | Expr::Field { .. } | Expr::Done(_) => {
                walk::parts(walk::expr(body, id), |part| self.expr(part, watched));
            }
            other => walk::parts(other, |part| self.expr(part, false)),
        }
    }

    fn is_watched(&self, pat: PatId) -> bool {
        let mut any = false;
        crate::effects::binders(self.body, pat, &mut |local| {
            any |= self.watched.get(local.index()).copied().unwrap_or(false);
        });
        any
    }
}
