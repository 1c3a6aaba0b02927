//! How labels flow through one body: a label for every expression, once those of the callees are known.
//!
//! Parts come before wholes in a body, and the value of a name before its uses, so one pass in the order of the ids is
//! enough; only what a loop hands on to its next round, and an `undo` that uses the name of what it undoes, need further
//! ones.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::channels::Channels;
use super::label::Label;
use super::leaves;
use super::types::{Axis, TypeFacts, Word, field_of};
use crate::check::ty::{Ty, TyKind};
use crate::check::{ArgSource, BodyTypes, CallTypes, SESSION_ID, Types};
use crate::effects::{Effects, walk};
use crate::hir::{
    Arg, ArgValue, Arm, BinaryOp, Body, Builtin, Callable, CallableKind, Callee, DefId, DefKind,
    Expr, ExprId, Hir, LocalId, Pat, PatId, PatTarget, Stmt, TemplatePart, TestItem, TypeRef,
};

/// What is known of a declaration by its callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Where what it gives comes from, in its parameters.
    pub result: Label,
    /// The parameters whose arguments must be clear: declared so, or used where that is needed.
    pub needs: Label,
    /// On the axis of secrecy: the parameters that a model reads.
    pub told: Label,
    /// On the axis of secrecy: the parameters that go out once a person has seen them.
    pub seen: Label,
    /// The parameters of which all parts can get into the result, also those that a field's own word keeps apart.
    pub opaque: Label,
    /// Whether it makes values of one of its type parameters out of something else, such as a text.
    pub conjures: bool,
}

/// What all bodies share.
pub(super) struct Cx<'a> {
    pub hir: &'a Hir,
    pub types: &'a Types,
    pub effects: &'a Effects,
    pub axis: Axis,
    pub facts: TypeFacts,
    /// What the program itself sends to where it reads.
    pub channels: Channels,
    /// By [`DefId`].
    pub summaries: Vec<Summary>,
}

impl<'a> Cx<'a> {
    pub fn summary(&self, def: DefId) -> Summary {
        self.summaries.get(def.index()).copied().unwrap_or_default()
    }

    pub fn callable(&self, def: DefId) -> Option<&'a Callable> {
        match &self.hir.defs.get(def.index())?.kind {
            DefKind::Callable(callable) => Some(callable),
            _ => None,
        }
    }

    /// What a written type says of its values.
    pub fn declared(&self, ty: &TypeRef) -> Option<Word> {
        self.axis.declared(self.hir, ty)
    }

    /// The label of a value whose parts are not told apart any more.
    pub fn opaque(&self, label: Label, ty: Ty) -> Label {
        if self.facts.holds_marked(&self.types.interner, ty) {
            label.join(Label::MARKED)
        } else {
            label
        }
    }

    /// The label of a value of a type: one that only chooses vouches for itself.
    pub fn of_type(&self, label: Label, ty: Ty) -> Label {
        let chooses = self.axis == Axis::Trust
            && !label.is_clear()
            && self.facts.is_closed(&self.types.interner, ty);
        if chooses { Label::CLEAR } else { label }
    }

    /// The label of a field of a value with this label.
    pub fn of_field(&self, base: Label, field: Option<&crate::hir::Field>) -> Label {
        match field.and_then(|field| self.declared(&field.ty)) {
            Some(Word::Clear) => Label::CLEAR,
            Some(Word::Marked) => Label::MARKED,
            None => base,
        }
    }
}

/// Where a name of a body has its value from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// From nowhere that has a label: a test's stub.
    None,
    /// A parameter, by its position.
    Param(u32),
    /// The value of an expression or a part of it; a word on the way to the part decides alone.
    Value { of: ExprId, word: Option<Word> },
    /// What a failure says.
    Failure,
    /// State of a loop, by its first value.
    State { first: ExprId, word: Option<Word> },
}

/// What of a body does not depend on labels.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// By [`LocalId`].
    pub sources: Vec<Source>,
    /// Calls that a person approves with their arguments.
    pub approved: FxHashSet<ExprId>,
    /// By [`ExprId`]: one more than the innermost loop in whose rounds it is evaluated, 0 for none; empty without loops.
    loop_of: Vec<u32>,
    /// Whether something can be used before it has its value.
    is_circular: bool,
}

impl Shape {
    pub fn of(cx: &Cx<'_>, owner: DefId, body: &Body, types: &BodyTypes) -> Self {
        let mut shape = Self { sources: vec![Source::None; body.locals.len()], ..Self::default() };
        let mut has_loops = false;
        let kind = cx.hir.defs.get(owner.index()).map(|def| &def.kind);
        if let Some(DefKind::Callable(callable)) = kind {
            for (index, param) in (0u32..).zip(&callable.params) {
                shape.set(param.local, Source::Param(index));
            }
            // The header may compute the session's name behind its first use.
            shape.is_circular |= policy(&callable.policies, "by").is_some();
        }
        if let Some(DefKind::Test(test)) = kind {
            for item in &test.items {
                if let TestItem::Stmt(stmt) = item {
                    shape.stmt(cx, body, types, stmt);
                }
            }
        }
        for expr in &body.exprs {
            match expr {
                Expr::Block(stmts) => {
                    stmts.iter().for_each(|stmt| shape.stmt(cx, body, types, stmt));
                }
                Expr::Match { scrutinee, arms } => {
                    let source = Source::Value { of: *scrutinee, word: None };
                    shape.arms(cx, body, types, arms, source);
                }
                Expr::Catch { body: tried, arms } => {
                    let source = match cx.axis {
                        Axis::Trust => Source::Failure,
                        Axis::Secrecy => Source::Value { of: *tried, word: None },
                    };
                    shape.arms(cx, body, types, arms, source);
                }
                Expr::For { pat, source, .. } => {
                    let source = Source::Value { of: *source, word: None };
                    shape.bind(cx, body, types, *pat, source);
                }
                Expr::Loop { vars, .. } => {
                    has_loops = true;
                    for (local, ty, first) in vars {
                        let word = ty.as_ref().and_then(|ty| cx.declared(ty));
                        shape.set(*local, Source::State { first: *first, word });
                    }
                }
                Expr::Undo { .. } => shape.is_circular = true,
                Expr::With { expr, policies } if policy(policies, "approve").is_some() => {
                    shape.approved.insert(*expr);
                }
                _ => {}
            }
        }
        if has_loops {
            shape.is_circular = true;
            shape.loop_of = loops(body);
        }
        shape
    }

    fn set(&mut self, local: LocalId, source: Source) {
        if let Some(slot) = self.sources.get_mut(local.index()) {
            *slot = source;
        }
    }

    fn stmt(&mut self, cx: &Cx<'_>, body: &Body, types: &BodyTypes, stmt: &Stmt) {
        if let Stmt::Let { pat, ty, value, .. } = stmt {
            let word = ty.as_ref().and_then(|ty| cx.declared(ty));
            self.bind(cx, body, types, *pat, Source::Value { of: *value, word });
        }
    }

    fn arms(&mut self, cx: &Cx<'_>, body: &Body, types: &BodyTypes, arms: &[Arm], source: Source) {
        arms.iter().for_each(|arm| self.bind(cx, body, types, arm.pat, source));
    }

    /// Binds what a pattern binds; patterns nest no deeper than the parser lets them.
    fn bind(&mut self, cx: &Cx<'_>, body: &Body, types: &BodyTypes, pat: PatId, source: Source) {
        match body.pats.get(pat.index()) {
            Some(Pat::Bind(local)) => self.set(*local, source),
            Some(Pat::List { items, rest }) => {
                items.iter().for_each(|item| self.bind(cx, body, types, *item, source));
                if let Some(Some(local)) = rest {
                    self.set(*local, source);
                }
            }
            Some(Pat::Or(all)) => {
                all.iter().for_each(|inner| self.bind(cx, body, types, *inner, source));
            }
            Some(Pat::Tag { target, args: Some(args) }) => {
                let (def, variant) = match (target, types.pat_variants.get(&pat)) {
                    (PatTarget::Record(def), _) => (Some(*def), None),
                    (PatTarget::Variant(def, variant), _) | (_, Some((def, variant))) => {
                        (Some(*def), Some(*variant))
                    }
                    _ => (None, None),
                };
                let fields = types.pat_fields.get(&pat);
                for (at, arg) in args.iter().enumerate() {
                    let index = fields.and_then(|fields| fields.get(at));
                    let field = index.and_then(|index| field_of(cx.hir, def?, variant, *index));
                    let word = field.and_then(|field| cx.declared(&field.ty));
                    self.bind(cx, body, types, arg.pat, source.part(word));
                }
            }
            _ => {}
        }
    }
}

impl Source {
    /// A part of the value, whose field may have a word of its own.
    fn part(self, word: Option<Word>) -> Self {
        match (self, word) {
            (Self::Value { of, .. }, Some(_)) => Self::Value { of, word },
            // A failure is another's word, whatever its fields are declared to be.
            _ => self,
        }
    }
}

/// By expression: one more than the innermost loop whose rounds evaluate it.
fn loops(body: &Body) -> Vec<u32> {
    let mut loop_of = vec![0u32; body.exprs.len()];
    for (at, expr) in body.exprs.iter().enumerate().rev() {
        let own = loop_of.get(at).copied().unwrap_or(0);
        let mut set = |part: ExprId, value: u32| {
            if let Some(slot) = loop_of.get_mut(part.index()) {
                *slot = value;
            }
        };
        if own > 0 || matches!(expr, Expr::Loop { .. }) {
            walk::parts(expr, |part| set(part, own));
        }
        if let Expr::Loop { body: rounds, .. } = expr {
            set(*rounds, u32::try_from(at + 1).unwrap_or(0));
        }
    }
    loop_of
}

/// The argument of a policy, if it is given.
pub(super) fn policy<'p>(policies: &'p [Arg], wanted: &str) -> Option<&'p Arg> {
    policies.iter().find(|arg| arg.name.as_ref().is_some_and(|(name, _)| name == wanted))
}

pub(super) fn value_of(arg: &Arg) -> Option<ExprId> {
    match arg.value {
        ArgValue::Expr(value) => Some(value),
        _ => None,
    }
}

/// What a call calls, once it is known which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Record(DefId),
    Variant(DefId, u32),
    Alias(DefId),
    Callable(DefId),
    Form(Builtin),
    Unknown,
}

/// One body with the labels of its expressions.
pub(super) struct Flow<'a, 'c> {
    pub cx: &'c Cx<'a>,
    pub owner: DefId,
    pub body: &'a Body,
    pub types: &'a BodyTypes,
    pub shape: Shape,
    /// By [`ExprId`].
    labels: Vec<Label>,
    /// Of loops: what their rounds end with, by the id of the loop.
    dones: FxHashMap<u32, Label>,
    /// What rounds hand on to the next.
    states: FxHashMap<LocalId, Label>,
}

impl<'a, 'c> Flow<'a, 'c> {
    /// The labels of a body, with what is known of its callees so far; `None` if there is no body.
    pub fn of(cx: &'c Cx<'a>, owner: DefId) -> Option<Self> {
        let body = cx.hir.body(owner)?;
        let types = cx.types.body(owner)?;
        let mut flow = Self {
            cx,
            owner,
            body,
            types,
            shape: Shape::of(cx, owner, body, types),
            labels: vec![Label::CLEAR; body.exprs.len()],
            dones: FxHashMap::default(),
            states: FxHashMap::default(),
        };
        // Labels only grow, so this ends.
        while flow.pass() && flow.shape.is_circular {}
        Some(flow)
    }

    fn pass(&mut self) -> bool {
        let mut changed = false;
        for id in walk::parts_first(self.body) {
            let expr = walk::expr(self.body, id);
            let mut label = self.expr(id, expr);
            if !label.is_clear() {
                label = self.cx.of_type(label, self.ty(id));
            }
            if let Some(slot) = self.labels.get_mut(id.index())
                && *slot != label
            {
                *slot = slot.join(label);
                changed = true;
            }
        }
        changed
    }

    pub fn label(&self, id: ExprId) -> Label {
        self.labels.get(id.index()).copied().unwrap_or_default()
    }

    pub fn ty(&self, id: ExprId) -> Ty {
        self.types.exprs.get(id.index()).copied().unwrap_or(Ty::ERROR)
    }

    /// The label of an expression whose parts are not told apart any more.
    pub fn opaque(&self, id: ExprId) -> Label {
        self.cx.opaque(self.label(id), self.ty(id))
    }

    pub fn local(&self, local: LocalId) -> Label {
        let worded = |word: Option<Word>, label: Label| match word {
            Some(Word::Clear) => Label::CLEAR,
            Some(Word::Marked) => Label::MARKED,
            None => label,
        };
        match self.shape.sources.get(local.index()) {
            Some(Source::Param(index)) => self.param(*index),
            Some(Source::Value { of, word }) => worded(*word, self.label(*of)),
            Some(Source::State { first, word }) => {
                let next = self.states.get(&local).copied().unwrap_or_default();
                worded(*word, self.label(*first).join(next))
            }
            Some(Source::Failure) => Label::MARKED,
            Some(Source::None) | None => Label::CLEAR,
        }
    }

    /// The label of a parameter within its declaration.
    pub fn param(&self, index: u32) -> Label {
        let cx = self.cx;
        let Some(callable) = cx.callable(self.owner) else { return Label::CLEAR };
        let Some(param) = callable.params.get(index as usize) else { return Label::CLEAR };
        match cx.declared(&param.ty) {
            Some(Word::Clear) => return Label::CLEAR,
            Some(Word::Marked) => return Label::MARKED,
            None => {}
        }
        if callable.kind == CallableKind::Trigger {
            return match callable.source.map(|source| self.label(source)) {
                Some(label) => label,
                None => Label::MARKED,
            };
        }
        let default = param.default.map_or(Label::CLEAR, |default| self.label(default));
        Label::param(index as usize).join(default)
    }

    fn expr(&mut self, id: ExprId, expr: &Expr) -> Label {
        match expr {
            Expr::Missing
            | Expr::Literal(_)
            | Expr::Variant(..)
            | Expr::BareVariant { .. }
            | Expr::In(..)
            | Expr::Is(..)
            | Expr::Fail(_) => Label::CLEAR,
            Expr::Done(value) => {
                let label = self.label(*value);
                let of = self.shape.loop_of.get(id.index()).copied().unwrap_or(0);
                let done = self.dones.entry(of).or_default();
                *done = done.join(label);
                Label::CLEAR
            }
            Expr::Next(args) => {
                self.next(id, args);
                Label::CLEAR
            }
            Expr::Loop { otherwise, .. } => {
                let done = self.dones.get(&(id.0 + 1)).copied().unwrap_or_default();
                done.join(self.label(*otherwise))
            }
            Expr::Template(parts) => parts.iter().fold(Label::CLEAR, |all, part| match part {
                TemplatePart::Expr(value) => all.join(self.opaque(*value)),
                TemplatePart::Text(_) => all,
            }),
            Expr::Local(local) => self.local(*local),
            Expr::Def(def) => self.cx.summary(*def).result,
            Expr::Call { callee, args, .. } => self.call(id, callee, args),
            Expr::Field { base, .. } => {
                let field = self.field(id, *base);
                self.cx.of_field(self.label(*base), field)
            }
            Expr::Session { def, name, .. } => self.session(*def, name),
            Expr::Binary(op, ..) if op.compares() || matches!(op, BinaryOp::And | BinaryOp::Or) => {
                Label::CLEAR
            }
            _ => {
                let mut all = Label::CLEAR;
                joined(expr, |part| all = all.join(self.label(part)));
                all
            }
        }
    }

    fn next(&mut self, id: ExprId, args: &[Arg]) {
        let of = self.shape.loop_of.get(id.index()).copied().unwrap_or(0);
        let Some(at) = of.checked_sub(1) else { return };
        let body = self.body;
        let Expr::Loop { vars, .. } = walk::expr(body, ExprId(at)) else { return };
        let Some(given) = self.types.nexts.get(&id) else { return };
        for ((local, ..), arg) in vars.iter().zip(given) {
            let arg = arg.and_then(|arg| args.get(arg as usize)).and_then(value_of);
            let Some(arg) = arg else { continue };
            let label = self.label(arg);
            let state = self.states.entry(*local).or_default();
            *state = state.join(label);
        }
    }

    /// What a session keeps is like what a store gives back: a field's own word decides alone.
    fn session(&self, def: DefId, name: &str) -> Label {
        if name == SESSION_ID {
            return self.session_id();
        }
        let field = self.session_field(def, name).map(|(_, field)| field);
        self.cx.of_field(Label::MARKED, field)
    }

    /// The name of the session in which this runs: what the header computes it from, or else its caller's. From outside,
    /// the host keeps sessions apart.
    pub fn session_id(&self) -> Label {
        let Some(callable) = self.cx.callable(self.owner) else { return Label::CLEAR };
        match self.session_by() {
            Some(by) => self.label(by),
            None if callable.session.is_some() => Label::SESSION,
            None => Label::CLEAR,
        }
    }

    /// What the header computes the session's name from.
    pub fn session_by(&self) -> Option<ExprId> {
        policy(&self.cx.callable(self.owner)?.policies, "by").and_then(value_of)
    }

    pub fn session_field(&self, def: DefId, name: &str) -> Option<(u32, &'a crate::hir::Field)> {
        match &self.cx.hir.defs.get(def.index())?.kind {
            DefKind::Session(record) => {
                (0u32..).zip(&record.fields).find(|(_, field)| field.name == name)
            }
            _ => None,
        }
    }

    /// The declaration of the field that an expression reads.
    pub fn field(&self, id: ExprId, base: ExprId) -> Option<&'a crate::hir::Field> {
        let index = self.types.fields.get(&id)?;
        let interner = &self.cx.types.interner;
        let ty = interner.base(interner.present(self.ty(base)));
        match interner.kind(ty) {
            TyKind::Named(def, _) => field_of(self.cx.hir, *def, None, *index),
            _ => None,
        }
    }

    // ---- calls ----

    pub fn target(&self, id: ExprId, callee: &Callee) -> Target {
        match callee {
            Callee::Missing => Target::Unknown,
            Callee::Builtin(form) => Target::Form(*form),
            Callee::Variant(def, index) => Target::Variant(*def, *index),
            Callee::BareVariant { .. } => match self.types.variants.get(&id) {
                Some((def, index)) => Target::Variant(*def, *index),
                None => Target::Unknown,
            },
            Callee::Def(def) => match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Record(_)) => Target::Record(*def),
                Some(DefKind::Alias(_)) => Target::Alias(*def),
                Some(DefKind::Callable(_)) => Target::Callable(*def),
                _ => Target::Unknown,
            },
        }
    }

    /// The label of the argument of a call for one of the callee's parameters or fields, and the expression that has
    /// it; `is_opaque`: of all its parts.
    pub fn arg(
        &self,
        call: &CallTypes,
        args: &[Arg],
        index: usize,
        is_opaque: bool,
    ) -> (Label, Option<ExprId>) {
        match call.args.get(index) {
            Some(ArgSource::Arg(at)) => match args.get(*at as usize).and_then(value_of) {
                Some(value) => {
                    let label = self.label(value);
                    let ty = self.ty(value);
                    let label = if is_opaque { self.cx.opaque(label, ty) } else { label };
                    (label, Some(value))
                }
                None => (Label::CLEAR, None),
            },
            Some(ArgSource::Spread(at, field)) => {
                let spread = match args.get(*at as usize).map(|arg| &arg.value) {
                    Some(ArgValue::Spread(spread)) => *spread,
                    _ => return (Label::CLEAR, None),
                };
                let interner = &self.cx.types.interner;
                let field = match interner.kind(interner.base(self.ty(spread))) {
                    TyKind::Named(def, _) => field_of(self.cx.hir, *def, None, *field),
                    _ => None,
                };
                let label = self.cx.of_field(self.label(spread), field);
                let ty = call.params.get(index).copied().unwrap_or(Ty::ERROR);
                let label = if is_opaque { self.cx.opaque(label, ty) } else { label };
                (self.cx.of_type(label, ty), Some(spread))
            }
            Some(ArgSource::Default | ArgSource::None | ArgSource::Missing) | None => {
                (Label::CLEAR, None)
            }
        }
    }

    fn call(&self, id: ExprId, callee: &Callee, args: &[Arg]) -> Label {
        let Some(call) = self.types.calls.get(&id) else { return Label::CLEAR };
        match self.target(id, callee) {
            Target::Unknown => Label::CLEAR,
            Target::Form(form) => match (form, self.cx.axis) {
                // Who chooses by a label has seen no more than that.
                (Builtin::Choose, Axis::Trust) if !shows_all(call) => {
                    self.arg(call, args, 0, false).0
                }
                // What somebody vouches for is no less private.
                (Builtin::Allow | Builtin::Endorse | Builtin::Choose, Axis::Secrecy) => {
                    self.arg(call, args, 0, true).0
                }
                _ => Label::CLEAR,
            },
            Target::Alias(def) => {
                let word = match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                    Some(DefKind::Alias(alias)) => self.cx.declared(&alias.ty),
                    _ => None,
                };
                match word {
                    Some(Word::Clear) => Label::CLEAR,
                    Some(Word::Marked) => Label::MARKED,
                    None => self.arg(call, args, 0, false).0,
                }
            }
            Target::Record(def) => self.construction(def, None, call, args),
            Target::Variant(def, variant) => self.construction(def, Some(variant), call, args),
            Target::Callable(def) => self.of_callee(id, def, call, args),
        }
    }

    /// A record or variant: where its fields come from, but for those whose own word says it.
    fn construction(
        &self,
        def: DefId,
        variant: Option<u32>,
        call: &CallTypes,
        args: &[Arg],
    ) -> Label {
        let mut all = Label::CLEAR;
        for (index, source) in call.args.iter().enumerate() {
            let field =
                u32::try_from(index).ok().and_then(|at| field_of(self.cx.hir, def, variant, at));
            if field.is_none_or(|field| self.cx.declared(&field.ty).is_none()) {
                all = all.join(match source {
                    ArgSource::Default => self.cx.summary(def).result,
                    _ => self.arg(call, args, index, false).0,
                });
            }
        }
        all
    }

    /// Where what a call gives comes from, whatever its type says.
    pub fn of_callee(&self, id: ExprId, def: DefId, call: &CallTypes, args: &[Arg]) -> Label {
        let Summary { result, opaque, .. } = self.cx.summary(def);
        if result.params().is_clear() || self.is_vouched(id) {
            return if result.is_marked() { Label::MARKED } else { Label::CLEAR };
        }
        let labels: SmallVec<[Label; 8]> = (0..call.args.len())
            .map(|index| self.arg(call, args, index, opaque.has(index)).0)
            .collect();
        result.applied(&labels, self.session_id())
    }

    /// Whether a person sees the arguments of a call before it is made.
    pub fn is_vouched(&self, call: ExprId) -> bool {
        self.cx.axis == Axis::Trust && self.shape.approved.contains(&call)
    }

    /// Where rounds of a loop end with a value: its `done`s.
    pub fn dones(&self, of: ExprId) -> impl Iterator<Item = ExprId> + '_ {
        let wanted = of.0 + 1;
        self.body.exprs.iter().zip(&self.shape.loop_of).filter_map(move |(expr, of)| match expr {
            Expr::Done(value) if *of == wanted => Some(*value),
            _ => None,
        })
    }

    /// What the `next`s of a loop hand on for one of its names.
    pub fn handed_on(&self, of: LocalId) -> Vec<ExprId> {
        let mut all = Vec::new();
        for (at, expr) in (0u32..).map(ExprId).zip(&self.body.exprs) {
            let Expr::Next(args) = expr else { continue };
            let Some(given) = self.types.nexts.get(&at) else { continue };
            let of_loop = self.shape.loop_of.get(at.index()).and_then(|of| of.checked_sub(1));
            let Some(Expr::Loop { vars, .. }) = of_loop.map(|of| walk::expr(self.body, ExprId(of)))
            else {
                continue;
            };
            for ((local, ..), arg) in vars.iter().zip(given) {
                if *local == of {
                    let arg = arg.and_then(|arg| args.get(arg as usize)).and_then(value_of);
                    all.extend(arg);
                }
            }
        }
        all
    }
}

/// Calls `f` with the parts whose labels an expression has, where that is all there is to it.
pub(super) fn joined(expr: &Expr, mut f: impl FnMut(ExprId)) {
    match expr {
        Expr::Template(parts) => parts.iter().for_each(|part| {
            if let TemplatePart::Expr(value) = part {
                f(*value);
            }
        }),
        Expr::Binary(_, a, b) | Expr::Coalesce(a, b) => {
            f(*a);
            f(*b);
        }
        Expr::With { expr, policies } => {
            f(*expr);
            policy(policies, "fallback").and_then(value_of).into_iter().for_each(f);
        }
        // Which item, which arm, how many: that is a choice, and choosing is free.
        Expr::Index { base: one, .. }
        | Expr::Unary(_, one)
        | Expr::Try(one)
        | Expr::For { body: one, .. }
        | Expr::Undo { body: one, .. } => f(*one),
        Expr::If { then, otherwise, .. } => {
            f(*then);
            otherwise.iter().copied().for_each(f);
        }
        Expr::Match { arms, .. } => arms.iter().for_each(|arm| f(arm.body)),
        Expr::Catch { body, arms } => {
            f(*body);
            arms.iter().for_each(|arm| f(arm.body));
        }
        Expr::Race { arms, .. } => arms.iter().copied().for_each(f),
        Expr::Block(stmts) => {
            if let Some(Stmt::Expr(last)) = stmts.last() {
                f(*last);
            }
        }
        Expr::List(items) => items.iter().for_each(|(item, _)| f(*item)),
        Expr::Map(entries) => entries.iter().for_each(|(key, value)| {
            f(*key);
            f(*value);
        }),
        _ => {}
    }
}

/// Whether who answers a `choose` sees all of what is chosen: `label: .name` shows that field only.
pub(super) fn shows_all(call: &CallTypes) -> bool {
    call.selectors.is_empty()
}

/// What is known of what gives no body: externs, prompts and agents from their headers and items.
pub(super) fn without_root(
    flow: Option<&Flow<'_, '_>>,
    cx: &Cx<'_>,
    def: DefId,
    callable: &Callable,
) -> Summary {
    match &callable.kind {
        CallableKind::Extern { kind, locator } => leaves::summary(cx, def, callable, kind, locator),
        _ => Summary {
            result: flow.map_or(Label::CLEAR, |flow| context(flow, callable)),
            ..Summary::default()
        },
    }
}

/// What a model has read when it answers: all that stands in its prompt, and what its tools gave it.
pub(super) fn context(flow: &Flow<'_, '_>, callable: &Callable) -> Label {
    use crate::hir::PromptItem;
    let mut all = Label::CLEAR;
    for item in &callable.items {
        match item {
            PromptItem::Message { expr, .. } => all = all.join(flow.opaque(*expr)),
            PromptItem::Tools { tools, .. } => {
                for tool in tools.iter().filter_map(|tool| tool.target) {
                    if gives_marked(flow.cx, tool) {
                        all = all.join(Label::MARKED);
                    }
                }
            }
            PromptItem::Model { .. } => {}
        }
    }
    all
}

/// Whether what a tool gives comes from outside, whatever it is called with.
pub(super) fn gives_marked(cx: &Cx<'_>, tool: DefId) -> bool {
    let result = cx.types.signature(tool).map_or(Ty::ERROR, |signature| signature.result);
    cx.opaque(cx.of_type(cx.summary(tool).result, result), result).is_marked()
}
