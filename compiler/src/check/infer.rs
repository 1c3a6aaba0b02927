//! The relation between types inside a body: variables, "fits into", "has this in common", conversions, and the one
//! place that says "expected this, found that". Knows nothing of the forms of expressions.

use std::sync::Arc;

use super::blame::Origin;
use super::ty::{Prim, Ty, TyKind};
use super::{BodyTypes, Checker, Coercion};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{Body, DefId, Expr, ExprId, Literal, LocalId, ModuleId, PatId, UnaryOp};

/// A type that nobody has said yet.
pub(super) const UNSET: Ty = Ty(u32::MAX);

/// How deep two types are compared.
const MAX_LEVEL: u16 = 4 * super::ty::MAX_DEPTH as u16;

/// How a value's type relates to the type of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It is one.
    Yes,
    /// It is one if it keeps bounds that only the running program can check.
    Check,
    /// It is not.
    No,
}

/// Why a place has its type: what the message about a misfit points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing to point at.
    Nothing,
    /// A written type.
    Annotation(Span),
    /// A parameter or field is declared there.
    Declared(Span),
    /// The result of the declaration that is checked.
    Result(DefId),
    /// Another value decided.
    Because(ExprId),
    /// The first branch of an `if`, `match` or `race` decided.
    Branch(ExprId),
    /// The state of a loop, whose first value decided.
    State(LocalId, ExprId),
    /// Conditions are bools.
    Condition,
}

/// What a place wants of its expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expect {
    /// The type, if there is one.
    pub ty: Option<Ty>,
    /// Who says so.
    pub why: Why,
    /// The value is not used.
    pub discard: bool,
}

impl Expect {
    /// Any type.
    pub const ANY: Self = Self { ty: None, why: Why::Nothing, discard: false };
    /// The value is dropped.
    pub const DISCARD: Self = Self { ty: None, why: Why::Nothing, discard: true };
    /// Something was already reported about the place.
    pub const ERROR: Self = Self { ty: Some(Ty::ERROR), why: Why::Nothing, discard: false };

    pub fn of(ty: Ty, why: Why) -> Self {
        Self { ty: Some(ty), why, discard: false }
    }

    /// The same reason with another type.
    pub fn with(self, ty: Option<Ty>) -> Self {
        Self { ty, ..self }
    }
}

/// An inference variable.
#[derive(Clone, Copy, Debug)]
struct Var {
    ty: Option<Ty>,
    /// The type is only what the surroundings would like.
    hint: bool,
}

/// State of a `loop` around the expression that is checked.
pub(super) struct LoopState {
    /// Its variables, for `next`.
    pub vars: Vec<(LocalId, Ty, ExprId)>,
    /// What `done` is expected to give.
    pub expect: Expect,
    /// What the `done`s gave so far.
    pub result: Vec<(ExprId, Ty)>,
    /// The `done`s and `next`s that end a path through the body.
    pub ends: Vec<ExprId>,
    /// Where a `done` or `next` was found that ends none.
    pub misplaced: Vec<Span>,
}

/// A type argument that only its surroundings can tell: `json.decode`.
pub(super) struct Unknown {
    pub span: Span,
    pub ty: Ty,
    pub name: smol_str::SmolStr,
}

/// What is known of a local beside its type.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note {
    /// Static bound of its length.
    pub max: Option<u64>,
    /// Where its type comes from, for messages.
    pub origin: Origin,
}

/// Memory that one body after the other uses.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    notes: Vec<Note>,
    vars: Vec<Var>,
}

/// The checker at work in one body.
pub(crate) struct BodyCx<'c, 'a> {
    pub(super) cx: &'c mut Checker<'a>,
    pub(super) body: &'a Body,
    pub(super) owner: DefId,
    pub(super) module: ModuleId,
    pub(super) out: BodyTypes,
    /// What is known of each local beside its type.
    pub(super) notes: Vec<Note>,
    /// A pattern that never matches was reported in the arm at hand.
    pub(super) misfit: bool,
    /// Where the type of what is matched comes from, for messages.
    pub(super) matched: Origin,
    pub(super) loops: Vec<LoopState>,
    pub(super) unknowns: Vec<Unknown>,
    /// Where in a test the expression is: `calls` and its like are only known there.
    pub(super) in_test: bool,
    /// What ends the block of an `if` that gives no value.
    pub(super) ends_branch: Option<ExprId>,
    /// The call of a trigger's source, the only place where one is called.
    pub(super) source_call: Option<ExprId>,
    /// The expression is the left side of a `+`.
    pub(super) sum_above: bool,
    /// How deep `fit` and `join` are inside types.
    level: u16,
    vars: Vec<Var>,
}

impl<'c, 'a> BodyCx<'c, 'a> {
    pub(super) fn new(cx: &'c mut Checker<'a>, body: &'a Body, owner: DefId) -> Self {
        let module = cx.hir.defs.get(owner.index()).map_or(ModuleId(0), |def| def.module);
        let out = BodyTypes {
            exprs: vec![UNSET; body.exprs.len()],
            pats: vec![UNSET; body.pats.len()],
            locals: vec![UNSET; body.locals.len()],
            ..BodyTypes::default()
        };
        // A constant that is met in another body is checked meanwhile: it gets memory of its own.
        let Scratch { mut notes, vars } = std::mem::take(&mut cx.scratch);
        notes.resize(body.locals.len(), Note::default());
        Self {
            cx,
            body,
            owner,
            module,
            out,
            notes,
            misfit: false,
            matched: Origin::Nowhere,
            loops: Vec::new(),
            unknowns: Vec::new(),
            in_test: false,
            ends_branch: None,
            source_call: None,
            sum_above: false,
            level: 0,
            vars,
        }
    }

    /// Replaces variables by what was found out about them and hands the result over.
    pub(super) fn finish(mut self) {
        let unknowns = std::mem::take(&mut self.unknowns);
        for unknown in unknowns {
            let ty = self.resolve(unknown.ty);
            if self.cx.interner.has_var(ty) {
                self.report_unknown(unknown.span, &unknown.name);
                self.close(unknown.ty);
            }
        }
        self.shorten();
        let mut out = std::mem::take(&mut self.out);
        if self.vars.is_empty() {
            // The usual body is not generic: nothing was left open.
            for ty in out.exprs.iter_mut().chain(&mut out.pats).chain(&mut out.locals) {
                if *ty == UNSET {
                    *ty = Ty::ERROR;
                }
            }
            return self.hand_over(out);
        }
        out.each_type(&mut |ty| *ty = self.settled(*ty));
        self.hand_over(out);
    }

    fn hand_over(self, mut out: BodyTypes) {
        let Self { cx, mut notes, mut vars, owner, .. } = self;
        out.calls.shrink();
        notes.clear();
        vars.clear();
        cx.scratch = Scratch { notes, vars };
        cx.hand_over(owner, Arc::new(out));
    }

    /// Lets every variable that follows others follow the last of them directly.
    fn shorten(&mut self) {
        let mut path = Vec::new();
        for index in 0..self.vars.len() {
            let mut at = index;
            let mut end = None;
            while let Some(Var { ty: Some(next), .. }) = self.vars.get(at) {
                path.push(at);
                end = Some(*next);
                match self.cx.interner.kind(*next) {
                    TyKind::Var(next) => at = *next as usize,
                    _ => break,
                }
            }
            for at in path.drain(..) {
                if let Some(var) = self.vars.get_mut(at) {
                    var.ty = end;
                }
            }
        }
    }

    /// The type without variables: what nobody ever said is `never` (the items of a list that stays empty).
    fn settled(&mut self, ty: Ty) -> Ty {
        if ty == UNSET {
            return Ty::ERROR;
        }
        let ty = self.resolve(ty);
        if !self.cx.interner.has_var(ty) {
            return ty;
        }
        self.cx.interner.rebuild(ty, &mut |interner, part| match interner.kind(part) {
            TyKind::Var(_) => Some(Ty::NEVER),
            _ if !interner.has_var(part) => Some(part),
            _ => None,
        })
    }

    /// The type as it will be recorded.
    pub(super) fn settled_now(&mut self, ty: Ty) -> Ty {
        self.settled(ty)
    }

    pub(super) fn report_unknown(&mut self, span: Span, name: &str) {
        self.report(
            Diagnostic::new(Code::TypeUnknown, span, "the type of this value must be written")
                .here(format!("`{name}` gives the type that is asked for"))
                .help("write the type with the name: `let name: Type = …`"),
        );
    }

    // ---- places and reports ----

    pub(super) fn span(&self, expr: ExprId) -> Span {
        self.body.expr_spans.get(expr.index()).copied().unwrap_or_else(|| self.owner_span())
    }

    pub(super) fn pat_span(&self, pat: PatId) -> Span {
        self.body.pat_spans.get(pat.index()).copied().unwrap_or_else(|| self.owner_span())
    }

    pub(super) fn owner_span(&self) -> Span {
        self.cx
            .hir
            .defs
            .get(self.owner.index())
            .map_or(Span { file: crate::diagnostics::FileId(0), start: 0, end: 0 }, |def| {
                def.name_span
            })
    }

    pub(super) fn node(&self, expr: ExprId) -> &'a Expr {
        self.body.exprs.get(expr.index()).unwrap_or(&Expr::Missing)
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.cx.report(finding);
    }

    pub(super) fn show(&mut self, ty: Ty) -> String {
        let ty = self.resolve(ty);
        self.cx.show(ty, self.module)
    }

    // ---- variables ----

    pub(super) fn fresh(&mut self) -> Ty {
        let index = u32::try_from(self.vars.len()).unwrap_or(u32::MAX);
        self.vars.push(Var { ty: None, hint: false });
        self.cx.interner.intern(TyKind::Var(index))
    }

    fn var(&self, ty: Ty) -> Option<(u32, Var)> {
        match self.cx.interner.kind(ty) {
            TyKind::Var(index) => self.vars.get(*index as usize).map(|var| (*index, *var)),
            _ => None,
        }
    }

    fn bind(&mut self, index: u32, ty: Ty, hint: bool) -> bool {
        let ty = self.resolve(ty);
        // Of two open variables the younger follows the older, so that chains stay short.
        if let (TyKind::Var(other), false) = (self.cx.interner.kind(ty), hint)
            && *other > index
        {
            let (other, older) = (*other, self.cx.interner.intern(TyKind::Var(index)));
            if let Some(var) = self.vars.get_mut(other as usize) {
                *var = Var { ty: Some(older), hint: false };
            }
            return true;
        }
        if self.occurs(index, ty) {
            return false;
        }
        if let Some(var) = self.vars.get_mut(index as usize) {
            *var = Var { ty: Some(ty), hint };
        }
        true
    }

    fn occurs(&mut self, index: u32, ty: Ty) -> bool {
        let mut found = false;
        if self.cx.interner.has_var(ty) {
            self.cx.interner.rebuild(ty, &mut |interner, part| {
                found |= *interner.kind(part) == TyKind::Var(index);
                (found || !interner.has_var(part)).then_some(part)
            });
        }
        found
    }

    /// Says what a variable would best be, without insisting.
    pub(super) fn hint(&mut self, ty: Ty, wanted: Ty) {
        if let Some((index, Var { ty: None, .. })) = self.var(ty)
            && self.resolve(wanted) != ty
        {
            self.bind(index, wanted, true);
        }
    }

    /// Follows a variable at the top.
    pub(super) fn shallow(&self, mut ty: Ty) -> Ty {
        while let Some((_, Var { ty: Some(next), .. })) = self.var(ty) {
            ty = next;
        }
        ty
    }

    /// Follows all variables in it.
    pub(super) fn resolve(&mut self, ty: Ty) -> Ty {
        if !self.cx.interner.has_var(ty) {
            return ty;
        }
        let vars = std::mem::take(&mut self.vars);
        let new = resolve_with(&mut self.cx.interner, &vars, ty, 0);
        self.vars = vars;
        new
    }

    /// Makes what is still open in it `Error`, so that nothing else is said about it.
    pub(super) fn close(&mut self, ty: Ty) {
        let ty = self.resolve(ty);
        if !self.cx.interner.has_var(ty) {
            return;
        }
        let mut open = Vec::new();
        self.cx.interner.rebuild(ty, &mut |interner, part| {
            if let TyKind::Var(index) = interner.kind(part) {
                open.push(*index);
            }
            (!interner.has_var(part)).then_some(part)
        });
        for index in open {
            if let Some(var) = self.vars.get_mut(index as usize) {
                *var = Var { ty: Some(Ty::ERROR), hint: false };
            }
        }
    }

    /// The type without refinements, variables followed.
    pub(super) fn base(&self, ty: Ty) -> Ty {
        let mut ty = self.shallow(ty);
        while let TyKind::Refined { base, .. } = self.cx.interner.kind(ty) {
            ty = self.shallow(*base);
        }
        ty
    }

    /// What the base type is.
    pub(super) fn kind(&self, ty: Ty) -> &TyKind {
        self.cx.interner.kind(self.base(ty))
    }

    pub(super) fn prim(&self, ty: Ty) -> Option<Prim> {
        match self.kind(ty) {
            TyKind::Prim(prim) => Some(*prim),
            _ => None,
        }
    }

    pub(super) fn is_error(&self, ty: Ty) -> bool {
        self.shallow(ty) == Ty::ERROR
    }

    /// What a value has when it is not `none`.
    pub(super) fn present(&self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::Optional(inner) => *inner,
            _ => self.shallow(ty),
        }
    }

    // ---- the relations ----

    /// Whether a value of type `actual` may stand where `expected` is wanted. Binds variables.
    pub(super) fn fit(&mut self, actual: Ty, expected: Ty) -> Fit {
        if actual == expected {
            return Fit::Yes;
        }
        // Variables inside variables can nest deeper than types do; what is that deep is not told apart.
        if self.level > MAX_LEVEL {
            return Fit::Yes;
        }
        self.level += 1;
        let fit = self.fit_parts(actual, expected);
        self.level -= 1;
        fit
    }

    fn fit_parts(&mut self, actual: Ty, expected: Ty) -> Fit {
        let actual = self.shallow(actual);
        if actual == Ty::ERROR {
            // What is not known because of a mistake is not asked for again.
            self.close(expected);
            return Fit::Yes;
        }
        if let Some((index, var)) = self.var(expected) {
            return self.fit_var(actual, index, var);
        }
        if actual == expected || actual == Ty::NEVER || expected == Ty::ERROR {
            return Fit::Yes;
        }
        if let Some((index, Var { ty: None, .. })) = self.var(actual) {
            return if self.bind(index, expected, false) { Fit::Yes } else { Fit::No };
        }
        match (self.cx.interner.kind(actual).clone(), self.cx.interner.kind(expected).clone()) {
            (_, TyKind::Refined { alias, base, bounds }) => {
                if let TyKind::Refined { base: below, bounds: given, .. } =
                    self.cx.interner.kind(actual).clone()
                {
                    let implied = alias.is_none() && bounds.iter().all(|b| given.contains(b));
                    if (implied && self.fit(actual, base) == Fit::Yes)
                        || self.fit(below, expected) == Fit::Yes
                    {
                        return Fit::Yes;
                    }
                }
                match self.fit(actual, base) {
                    Fit::No => Fit::No,
                    _ if alias.is_some() => Fit::No,
                    _ => Fit::Check,
                }
            }
            (TyKind::Refined { base, .. }, _) => self.fit(base, expected),
            (TyKind::Prim(Prim::None), TyKind::Optional(_)) => Fit::Yes,
            (TyKind::Optional(a), TyKind::Optional(b)) => self.fit(a, b),
            (_, TyKind::Optional(inner)) => self.fit(actual, inner),
            (TyKind::List(a), TyKind::List(b)) => self.fit(a, b),
            (TyKind::Map(k, v), TyKind::Map(l, w)) => self.fit(k, l).max(self.fit(v, w)),
            (TyKind::Named(a, xs), TyKind::Named(b, ys)) if a == b && xs.len() == ys.len() => {
                let mut all = Fit::Yes;
                for (x, y) in xs.iter().zip(ys.iter()) {
                    all = all.max(self.fit(*x, *y));
                }
                // The parts of a record that exists are not checked again.
                if all == Fit::Check { Fit::No } else { all }
            }
            _ => Fit::No,
        }
    }

    fn fit_var(&mut self, actual: Ty, index: u32, var: Var) -> Fit {
        if actual == Ty::NEVER || *self.cx.interner.kind(actual) == TyKind::Var(index) {
            return Fit::Yes;
        }
        let Some(known) = var.ty else {
            return if self.bind(index, actual, false) { Fit::Yes } else { Fit::No };
        };
        if self.fit(actual, known) == Fit::Yes {
            return Fit::Yes;
        }
        if var.hint {
            return if self.bind(index, actual, false) { Fit::Yes } else { Fit::No };
        }
        match self.join(known, actual) {
            Some(common) => {
                if self.bind(index, common, false) {
                    Fit::Yes
                } else {
                    Fit::No
                }
            }
            None => Fit::No,
        }
    }

    /// The least type that both are, if there is one.
    pub(super) fn join(&mut self, a: Ty, b: Ty) -> Option<Ty> {
        if self.level > MAX_LEVEL {
            return Some(Ty::ERROR);
        }
        self.level += 1;
        let common = self.join_parts(a, b);
        self.level -= 1;
        common
    }

    fn join_parts(&mut self, a: Ty, b: Ty) -> Option<Ty> {
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b || b == Ty::NEVER {
            return Some(a);
        }
        if a == Ty::NEVER {
            return Some(b);
        }
        if a == Ty::ERROR || b == Ty::ERROR {
            return Some(Ty::ERROR);
        }
        for (one, other) in [(a, b), (b, a)] {
            if let Some((index, Var { ty: None, .. })) = self.var(one) {
                return self.bind(index, other, false).then_some(other);
            }
        }
        match (self.cx.interner.kind(a).clone(), self.cx.interner.kind(b).clone()) {
            (TyKind::Prim(Prim::None), _) => Some(self.cx.interner.optional(b)),
            (_, TyKind::Prim(Prim::None)) => Some(self.cx.interner.optional(a)),
            (TyKind::Optional(x), TyKind::Optional(y)) => {
                let both = self.join(x, y)?;
                Some(self.cx.interner.optional(both))
            }
            (TyKind::Optional(x), _) => {
                let both = self.join(x, b)?;
                Some(self.cx.interner.optional(both))
            }
            (_, TyKind::Optional(y)) => {
                let both = self.join(a, y)?;
                Some(self.cx.interner.optional(both))
            }
            (TyKind::Refined { base, .. }, _) => {
                if self.refines(b, a) {
                    return Some(a);
                }
                self.join(base, b)
            }
            (_, TyKind::Refined { base, .. }) => self.join(a, base),
            (TyKind::List(x), TyKind::List(y)) => {
                let both = self.join(x, y)?;
                Some(self.cx.interner.list(both))
            }
            (TyKind::Map(k, v), TyKind::Map(l, w)) => {
                let key = self.join(k, l)?;
                let value = self.join(v, w)?;
                Some(self.cx.interner.map(key, value))
            }
            (TyKind::Named(x, xs), TyKind::Named(y, ys)) if x == y && xs.len() == ys.len() => {
                let mut args = Vec::with_capacity(xs.len());
                for (x, y) in xs.iter().zip(ys.iter()) {
                    args.push(self.join(*x, *y)?);
                }
                Some(self.cx.interner.named(x, &args))
            }
            _ => None,
        }
    }

    /// Whether `below` refines `above`, itself included.
    fn refines(&self, mut below: Ty, above: Ty) -> bool {
        loop {
            if below == above {
                return true;
            }
            match self.cx.interner.kind(below) {
                TyKind::Refined { base, .. } => below = *base,
                _ => return false,
            }
        }
    }

    // ---- conversions ----

    pub(super) fn coerced(&mut self, expr: ExprId, coercion: Coercion) {
        self.out.coercions.push(expr, coercion);
    }

    /// Fits a value into its place: notes the conversion that this needs, or reports the misfit.
    pub(super) fn coerce(&mut self, expr: ExprId, actual: Ty, expect: Expect) -> Ty {
        let Some(expected) = expect.ty else { return actual };
        if actual == expected {
            return actual;
        }
        if self.float_literal(expr, actual, expected) {
            return Ty::FLOAT;
        }
        if let Some(ty) = self.decoded(expr, actual, expected, expect.why) {
            return ty;
        }
        match self.fit(actual, expected) {
            Fit::Yes => actual,
            Fit::Check => {
                self.coerced(expr, Coercion::Check(expected));
                expected
            }
            Fit::No => {
                self.mismatch(expr, actual, expect);
                Ty::ERROR
            }
        }
    }

    /// Makes an integer literal a float where one is expected.
    fn float_literal(&mut self, expr: ExprId, actual: Ty, expected: Ty) -> bool {
        if actual != Ty::INT || self.prim(self.present(expected)) != Some(Prim::Float) {
            return false;
        }
        if self.int_literal(expr).is_none() {
            return false;
        }
        self.coerced(expr, Coercion::ToFloat);
        true
    }

    /// Conversions for arms and items that were checked before their common type was known.
    pub(super) fn adapt(&mut self, expr: ExprId, common: Ty) {
        let actual = self.out.exprs.get(expr.index()).copied().unwrap_or(UNSET);
        if actual == Ty::INT && self.float_literal(expr, actual, common) {
            self.set(expr, Ty::FLOAT);
        }
    }

    /// The number of an integer literal, its sign included.
    pub(super) fn int_literal(&self, expr: ExprId) -> Option<i64> {
        match self.node(expr) {
            Expr::Literal(Literal::Int(n)) => Some(*n),
            Expr::Unary(UnaryOp::Neg, _) => match self.literal(expr)? {
                Literal::Int(n) => Some(n),
                _ => None,
            },
            _ => None,
        }
    }

    /// A literal, its sign included.
    pub(super) fn literal(&self, expr: ExprId) -> Option<Literal> {
        match self.node(expr) {
            Expr::Literal(value) => Some(value.clone()),
            Expr::Unary(UnaryOp::Neg, inner) => match self.node(*inner) {
                Expr::Literal(Literal::Int(n)) => n.checked_neg().map(Literal::Int),
                Expr::Literal(Literal::Float(x)) => Some(Literal::Float(-x)),
                Expr::Literal(Literal::Duration(n)) => n.checked_neg().map(Literal::Duration),
                Expr::Literal(Literal::Money(amount, currency)) => {
                    Some(Literal::Money(-*amount, *currency))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// `json` becomes the type that is written around it.
    fn decoded(&mut self, expr: ExprId, actual: Ty, expected: Ty, why: Why) -> Option<Ty> {
        let written = matches!(why, Why::Annotation(_) | Why::Declared(_) | Why::Result(_));
        if !written || self.prim(self.present(actual)) != Some(Prim::Json) {
            return None;
        }
        let expected = self.resolve(expected);
        if self.cx.interner.has_var(expected)
            || self.prim(self.present(expected)) == Some(Prim::Json)
        {
            return None;
        }
        // What may be absent must be taken care of before it is decoded, unless the place takes `none`.
        let optional = matches!(self.kind(actual), TyKind::Optional(_));
        if optional && !matches!(self.kind(expected), TyKind::Optional(_)) {
            return None;
        }
        if !self.is_data(expected) {
            return None;
        }
        self.coerced(expr, Coercion::Decode(expected));
        Some(expected)
    }

    /// Whether values of the type have a wire form that can be read back.
    pub(super) fn is_data(&self, ty: Ty) -> bool {
        match self.kind(ty) {
            TyKind::Prim(prim) => {
                !matches!(prim, Prim::Image | Prim::Audio | Prim::File | Prim::Role | Prim::Secret)
            }
            TyKind::List(item) | TyKind::Optional(item) => self.is_data(*item),
            TyKind::Map(key, value) => self.is_data(*key) && self.is_data(*value),
            TyKind::Selector(..) => false,
            _ => true,
        }
    }

    pub(super) fn set(&mut self, expr: ExprId, ty: Ty) {
        if let Some(slot) = self.out.exprs.get_mut(expr.index()) {
            *slot = ty;
        }
    }
}

/// `level` counts the variables inside variables: types that they nest too deeply are given up.
fn resolve_with(interner: &mut super::ty::Interner, vars: &[Var], ty: Ty, level: u8) -> Ty {
    if level > super::ty::MAX_DEPTH {
        return Ty::ERROR;
    }
    interner.rebuild(ty, &mut |interner, part| {
        // Chains of variables are followed in place, so that only the depth of types is recursion.
        let mut end = part;
        while let TyKind::Var(index) = interner.kind(end)
            && let Some(next) = vars.get(*index as usize).and_then(|var| var.ty)
        {
            end = next;
        }
        if !interner.has_var(end) || matches!(interner.kind(end), TyKind::Var(_)) {
            return Some(end);
        }
        (end != part).then(|| resolve_with(interner, vars, end, level + 1))
    })
}
