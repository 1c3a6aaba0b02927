//! Control forms: `if`, `match`, `for`, `loop`, `race`, `catch`, `try`, `??`, `fail`. Each hands what its place expects
//! to its arms, so that a misfit is reported in the arm.

use super::Coercion;
use super::blame::Origin;
use super::infer::{BodyCx, Expect, LoopState, Why};
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, Arm, Expr, ExprId, Pat, PatId, Stmt, TypeRef};
use crate::names::suggest;

impl BodyCx<'_, '_> {
    fn condition(&mut self, e: ExprId) {
        self.expr(e, Expect::of(Ty::BOOL, Why::Condition));
    }

    // ---- arms ----

    /// Checks arms that give one value together; what the place expects decides, else the arms do.
    fn arms_common(&mut self, arms: &[ExprId], expect: Expect) -> Ty {
        let mut common = Ty::NEVER;
        let mut first: Option<ExprId> = None;
        for arm in arms {
            let ty = self.expr(*arm, expect);
            if expect.discard {
                continue;
            }
            if expect.ty.is_some() {
                common = self.join(common, ty).unwrap_or(expect.ty.unwrap_or(Ty::ERROR));
            } else {
                let value = self.value_of(*arm);
                let why = first.map_or(Why::Nothing, Why::Branch);
                common = self.common_because(value, common, ty, why);
                if ty != Ty::NEVER {
                    first.get_or_insert(value);
                }
            }
        }
        if expect.discard {
            // Whether all arms end the block matters: then nothing below them runs.
            let ends = !arms.is_empty()
                && arms.iter().all(|arm| self.out.exprs.get(arm.index()) == Some(&Ty::NEVER));
            return if ends { Ty::NEVER } else { Ty::NONE };
        }
        if expect.ty.is_none() && self.base(self.present(common)) == Ty::FLOAT {
            for arm in arms {
                let value = self.value_of(*arm);
                self.adapt(value, common);
                self.adapt_blocks(*arm, value);
            }
        }
        common
    }

    /// The expression whose value a block gives.
    fn value_of(&self, e: ExprId) -> ExprId {
        let mut e = e;
        while let Expr::Block(stmts) = self.node(e) {
            match stmts.last() {
                Some(Stmt::Expr(last)) => e = *last,
                _ => return e,
            }
        }
        e
    }

    /// Blocks around a value that was converted have its new type.
    fn adapt_blocks(&mut self, outer: ExprId, value: ExprId) {
        let ty = self.out.exprs.get(value.index()).copied().unwrap_or(Ty::ERROR);
        let mut e = outer;
        while e != value {
            self.set(e, ty);
            match self.node(e) {
                Expr::Block(stmts) => match stmts.last() {
                    Some(Stmt::Expr(last)) => e = *last,
                    _ => return,
                },
                _ => return,
            }
        }
    }

    // ---- if ----

    pub(super) fn if_(
        &mut self,
        e: ExprId,
        condition: ExprId,
        then: ExprId,
        otherwise: Option<ExprId>,
        expect: Expect,
    ) -> Ty {
        self.condition(condition);
        let Some(otherwise) = otherwise else {
            return self.if_alone(e, then, expect);
        };
        let ty = self.arms_common(&[then, otherwise], expect);
        self.note_max_of_arms(e, &[then, otherwise]);
        ty
    }

    /// Without `else` it is a statement: it gives no value.
    fn if_alone(&mut self, e: ExprId, then: ExprId, expect: Expect) -> Ty {
        let wants_none = expect.ty.is_some_and(|ty| self.base(ty) == Ty::NONE);
        if expect.discard || wants_none {
            let value = self.value_of(then);
            let around = self.ends_branch.replace(value);
            self.expr(then, Expect::DISCARD);
            self.ends_branch = around;
            return Ty::NONE;
        }
        let ty = self.expr(then, expect.with(expect.ty.map(|_| Ty::ERROR)));
        let gives_none = matches!(self.base(ty), Ty::NONE | Ty::NEVER);
        match expect.ty {
            None if gives_none => Ty::NONE,
            None if self.is_error(ty) => Ty::ERROR,
            Some(wanted) if self.is_error(wanted) => Ty::ERROR,
            _ => {
                let span = self.span(e);
                let finding = Diagnostic::new(
                    Code::IfWithoutElse,
                    span,
                    "this `if` has no `else`, so it may have no value",
                )
                .here("no value if the condition is false");
                let may_be_none = expect
                    .ty
                    .is_none_or(|wanted| self.fit(Ty::NONE, wanted) == super::infer::Fit::Yes);
                self.report(if may_be_none {
                    finding.guess(
                        "add `else { none }`",
                        vec![Edit::new(span.after(), " else { none }")],
                    )
                } else {
                    finding.guess(
                        "add an `else` that fails",
                        vec![Edit::new(span.after(), " else { fail \"no value\" }")],
                    )
                });
                Ty::ERROR
            }
        }
    }

    // ---- match ----

    pub(super) fn match_(
        &mut self,
        e: ExprId,
        scrutinee: ExprId,
        arms: &[Arm],
        expect: Expect,
    ) -> Ty {
        let ty = self.expr(scrutinee, Expect::ANY);
        self.matched = Origin::Value(scrutinee);
        if self.prim(ty) == Some(Prim::Json) {
            self.report(
                Diagnostic::new(
                    Code::Mismatch,
                    self.span(scrutinee),
                    "`json` cannot be used in `match`: its fields are not known",
                )
                .help("give it a type first: `let value: Type = …`"),
            );
            self.arms(arms, Ty::ERROR);
        } else {
            if !self.arms(arms, ty) {
                self.exhaustive(e, scrutinee, ty, arms);
            }
        }
        self.matched = Origin::Nowhere;
        let bodies: Vec<ExprId> = arms.iter().map(|arm| arm.body).collect();
        let ty = self.arms_common(&bodies, expect);
        self.note_max_of_arms(e, &bodies);
        ty
    }

    /// Patterns and guards. After an arm for `none` without guard, a name binds what is there.
    /// Gives whether a pattern never matches.
    fn arms(&mut self, arms: &[Arm], ty: Ty) -> bool {
        let mut none_is_gone = false;
        let (mut ty, mut any) = (ty, false);
        for arm in arms {
            self.misfit = false;
            self.arm_pattern(arm.pat, ty, none_is_gone);
            any |= self.misfit;
            if self.misfit {
                // The value is of another type than was meant: the other arms will not fit, either.
                ty = Ty::ERROR;
            }
            if let Some(guard) = arm.guard {
                self.condition(guard);
            } else if self.covers_none(arm.pat) {
                none_is_gone = true;
            }
        }
        any
    }

    fn arm_pattern(&mut self, pat: PatId, ty: Ty, none_is_gone: bool) {
        let optional = matches!(self.kind(ty), TyKind::Optional(_));
        if none_is_gone && optional && matches!(self.body.pats.get(pat.index()), Some(Pat::Bind(_)))
        {
            self.out.non_none.push(pat);
            let inner = self.present(ty);
            self.pattern(pat, inner);
            if let Some(slot) = self.out.pats.get_mut(pat.index()) {
                *slot = ty;
            }
            return;
        }
        self.pattern(pat, ty);
    }

    fn covers_none(&self, pat: PatId) -> bool {
        match self.body.pats.get(pat.index()) {
            Some(Pat::Literal(crate::hir::Literal::None)) => true,
            Some(Pat::Or(all)) => all.iter().any(|pat| self.covers_none(*pat)),
            _ => false,
        }
    }

    // ---- for ----

    pub(super) fn for_(&mut self, e: ExprId, expect: Expect) -> Ty {
        let Expr::For { pat, source, filter, max, parallel, body } = self.node(e) else {
            return Ty::ERROR;
        };
        let source_ty = self.expr(*source, Expect::ANY);
        let item = self.source_item(*source, source_ty);
        self.matched = Origin::Value(*source);
        self.pattern(*pat, item);
        self.matched = Origin::Nowhere;
        if let Some(filter) = filter {
            self.condition(*filter);
        }
        for bound in [max, parallel].into_iter().flatten() {
            self.expr(*bound, Expect::of(Ty::INT, Why::Nothing));
            if self.int_literal(*bound).is_some_and(|n| n < 1) {
                self.report(Diagnostic::new(
                    Code::BadCount,
                    self.span(*bound),
                    "this number must be at least 1",
                ));
            }
        }
        let limits = [self.max_of(*source), max.and_then(|max| self.count_of(max))];
        if let Some(max) = limits.into_iter().flatten().min() {
            self.out.max_items.insert(e, max);
        }
        if expect.discard {
            self.expr(*body, Expect::DISCARD);
            return Ty::NONE;
        }
        if expect.ty.is_some_and(|ty| self.shallow(ty) == Ty::NONE) {
            // Where nothing is wanted, it goes through the list for the effects of its body alone.
            self.expr(*body, expect);
            return Ty::NONE;
        }
        let inner = match self.wanted_item(expect) {
            Some(item) => Expect { ty: Some(item), why: expect.why, discard: false },
            None => Expect::ANY,
        };
        let body_ty = self.expr(*body, inner);
        let ty = self.cx.interner.list(body_ty);
        self.coerce_list(e, ty, expect)
    }

    /// What a `for` goes through.
    fn source_item(&mut self, source: ExprId, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::List(item) => *item,
            TyKind::Error | TyKind::Never => Ty::ERROR,
            TyKind::Var(_) => {
                let item = self.fresh();
                let list = self.cx.interner.list(item);
                self.fit(ty, list);
                item
            }
            _ => {
                self.not_a_list(source, ty);
                Ty::ERROR
            }
        }
    }
    // ---- loop ----

    pub(super) fn loop_(&mut self, e: ExprId, expect: Expect) -> Ty {
        let Expr::Loop { vars, max, body, otherwise } = self.node(e) else { return Ty::ERROR };
        let mut state = Vec::with_capacity(vars.len());
        for (local, annotation, init) in vars {
            let ty = self.loop_var(annotation.as_ref(), *init);
            if let Some(slot) = self.out.locals.get_mut(local.index()) {
                *slot = ty;
            }
            if let Some(note) = self.notes.get_mut(local.index()) {
                note.origin = Origin::Value(*init);
            }
            state.push((*local, ty, *init));
        }
        self.expr(*max, Expect::of(Ty::INT, Why::Nothing));
        if self.int_literal(*max).is_some_and(|n| n < 1) {
            self.report(Diagnostic::new(
                Code::BadCount,
                self.span(*max),
                "this number must be at least 1",
            ));
        }
        let inner = Expect { discard: false, ..expect };
        let mut ends = Vec::new();
        self.path_ends(*body, &mut ends);
        self.loops.push(LoopState {
            vars: state,
            expect: inner,
            result: Vec::new(),
            ends,
            misplaced: Vec::new(),
        });
        let body_ty = self.expr(*body, Expect::ANY);
        if body_ty != Ty::NEVER && !self.is_error(body_ty) {
            self.require_end(*body);
        }
        let done = self.loops.pop();
        let (mut common, mut first) = (Ty::NEVER, None);
        let mut values = Vec::new();
        for (value, ty) in done.map(|state| state.result).unwrap_or_default() {
            common = match expect.ty {
                Some(wanted) => self.join(common, ty).unwrap_or(wanted),
                None => self.common(value, common, ty, first),
            };
            first.get_or_insert(value);
            values.push(value);
        }
        if expect.ty.is_none() && expect.discard {
            self.expr(*otherwise, Expect::DISCARD);
            return Ty::NONE;
        }
        let otherwise_ty = self.expr(*otherwise, inner);
        let value = self.value_of(*otherwise);
        common = match expect.ty {
            Some(wanted) => self.join(common, otherwise_ty).unwrap_or(wanted),
            None => self.common(value, common, otherwise_ty, first),
        };
        values.push(value);
        if expect.ty.is_none() {
            for value in values {
                self.adapt(value, common);
            }
        }
        common
    }

    /// The type of a loop's state: as written, else of its first value. Bounds of that value bind only if they have a
    /// name, because the state changes.
    fn loop_var(&mut self, annotation: Option<&TypeRef>, init: ExprId) -> Ty {
        if let Some(written) = annotation {
            let ty = self.cx.ty(written);
            self.expr(init, Expect::of(ty, Why::Annotation(written.span)));
            return ty;
        }
        let ty = self.expr(init, Expect::ANY);
        match self.cx.interner.kind(ty).clone() {
            TyKind::Refined { alias: None, base, .. } => base,
            TyKind::Prim(Prim::None) => {
                let later = self.fresh();
                self.cx.interner.optional(later)
            }
            _ => ty,
        }
    }

    /// Finds the path through a loop's body that ends in a value, and reports it.
    fn require_end(&mut self, e: ExprId) -> bool {
        let ty = self.out.exprs.get(e.index()).copied().unwrap_or(Ty::ERROR);
        if ty == Ty::NEVER || self.is_error(ty) {
            return false;
        }
        match self.node(e) {
            Expr::Block(stmts) => match stmts.last() {
                Some(Stmt::Expr(last)) => return self.require_end(*last),
                Some(stmt @ Stmt::Let { .. }) => {
                    let span = self.stmt_span(stmt);
                    self.report_open_end(span);
                    return true;
                }
                None => {}
            },
            Expr::If { then, otherwise: Some(otherwise), .. } => {
                return self.require_end(*then) || self.require_end(*otherwise);
            }
            Expr::Match { arms, .. } => {
                return arms.iter().any(|arm| self.require_end(arm.body));
            }
            _ => {}
        }
        let span = self.span(e);
        self.report_open_end(span);
        true
    }

    fn report_open_end(&mut self, span: Span) {
        let misplaced = self.loops.last().map_or(&[][..], |state| &state.misplaced);
        if misplaced.iter().any(|word| span.contains(*word)) {
            // It was meant to end here, which has been said.
            return;
        }
        self.report(
            Diagnostic::new(
                Code::OpenEnd,
                span,
                "this path through the loop must end with `done` or `next`",
            )
            .help("end it with `done value`, `next(state: value)` or `fail \"why\"`"),
        );
    }

    /// The expressions that end the paths through a loop's body.
    fn path_ends(&self, e: ExprId, ends: &mut Vec<ExprId>) {
        match self.node(e) {
            Expr::Block(stmts) => {
                if let Some(Stmt::Expr(last)) = stmts.last() {
                    self.path_ends(*last, ends);
                }
            }
            Expr::If { then, otherwise: Some(otherwise), .. } => {
                self.path_ends(*then, ends);
                self.path_ends(*otherwise, ends);
            }
            Expr::Match { arms, .. } => {
                for arm in arms {
                    self.path_ends(arm.body, ends);
                }
            }
            Expr::Done(_) | Expr::Next(_) => ends.push(e),
            _ => {}
        }
    }

    /// A round ends where a path through the body ends, and nowhere else.
    fn ends_round(&mut self, e: ExprId, word: &str) -> bool {
        if self.loops.last().is_none_or(|state| state.ends.contains(&e)) {
            return true;
        }
        let span = self.span(e);
        if let Some(state) = self.loops.last_mut() {
            state.misplaced.push(span);
        }
        self.report(
            Diagnostic::new(
                Code::OpenEnd,
                span,
                format!("`{word}` must be the last thing on its path through the loop"),
            )
            .here("the path does not end here")
            .help("let each path end in one: `if … { done value } else { … next(…) }`"),
        );
        false
    }

    pub(super) fn done(&mut self, e: ExprId, value: ExprId) -> Ty {
        if !self.ends_round(e, "done") {
            self.expr(value, Expect::ERROR);
            return Ty::ERROR;
        }
        let Some(expect) = self.loops.last().map(|state| state.expect) else {
            self.expr(value, Expect::ERROR);
            return Ty::ERROR;
        };
        let ty = self.expr(value, expect);
        if let Some(state) = self.loops.last_mut() {
            state.result.push((value, ty));
        }
        Ty::NEVER
    }

    pub(super) fn next(&mut self, e: ExprId, args: &[Arg]) -> Ty {
        if !self.ends_round(e, "next") {
            self.spoil_args(args);
            return Ty::ERROR;
        }
        let Some(vars) = self.loops.last().map(|state| state.vars.clone()) else {
            self.spoil_args(args);
            return Ty::ERROR;
        };
        let mut sources: Vec<Option<u32>> = vec![None; vars.len()];
        let mut position = 0;
        for (index, arg) in (0u32..).zip(args) {
            let ArgValue::Expr(value) = arg.value else {
                self.bad_next(arg.span, "`next` takes only values of the loop");
                continue;
            };
            let name_of = |local: crate::hir::LocalId| {
                self.body.locals.get(local.index()).map_or("", |local| local.name.as_str())
            };
            let found = match &arg.name {
                Some((name, _)) => vars.iter().position(|(local, ..)| name_of(*local) == name),
                None => {
                    position += 1;
                    (position <= vars.len()).then_some(position - 1)
                }
            };
            let Some(found) = found else {
                let names: Vec<&str> = vars.iter().map(|(local, ..)| name_of(*local)).collect();
                self.unknown_state(arg, &names);
                self.expr(value, Expect::ERROR);
                continue;
            };
            let (local, ty, first) = vars[found];
            if sources[found].is_some() {
                self.bad_next(arg.span, "`next` gives this name twice");
                self.expr(value, Expect::ERROR);
                continue;
            }
            sources[found] = Some(index);
            // The state's type is that of its first value, unless one is written.
            self.expr(value, Expect::of(ty, Why::State(local, first)));
        }
        self.out.nexts.insert(e, sources);
        Ty::NEVER
    }

    fn bad_next(&mut self, span: Span, why: &str) {
        self.report(Diagnostic::new(Code::BadNext, span, why));
    }

    fn unknown_state(&mut self, arg: &Arg, names: &[&str]) {
        let Some((name, span)) = &arg.name else {
            self.bad_next(arg.span, "`next` gives more values than the loop has");
            return;
        };
        if self.cx.is_unknown(name) {
            return;
        }
        let mut finding =
            Diagnostic::new(Code::BadNext, *span, format!("the loop has no value `{name}`"));
        finding = match suggest(name, names.iter().copied()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(*span, near)]),
            None => {
                let are = if names.len() == 1 { "value is" } else { "values are" };
                finding.help(format!("its {are} {}", names_of(names.iter().copied())))
            }
        };
        self.report(finding);
    }

    // ---- race, catch, try, fail, ?? ----

    pub(super) fn race(
        &mut self,
        e: ExprId,
        need: Option<u32>,
        arms: &[ExprId],
        expect: Expect,
    ) -> Ty {
        let span = self.span(e);
        let count = u32::try_from(arms.len()).unwrap_or(u32::MAX);
        if arms.is_empty() {
            self.report(
                Diagnostic::new(Code::BadCount, span, "a race needs at least one arm")
                    .help("write one arm per line: `race { first(x)  second(x) }`"),
            );
            return Ty::ERROR;
        }
        if need == Some(0) {
            // The count was reported where it was read; with it or without it, the arms have types of their own.
            for arm in arms {
                self.expr(*arm, Expect::ANY);
            }
            return Ty::ERROR;
        }
        if let Some(need) = need
            && need > count
        {
            self.report(
                Diagnostic::new(
                    Code::BadCount,
                    span,
                    match count {
                        1 => format!("the race has only one arm, so {need} cannot succeed"),
                        _ => format!("the race has only {count} arms, so {need} cannot succeed"),
                    },
                )
                .help("write how many arms must succeed"),
            );
            for arm in arms {
                self.expr(*arm, Expect::ANY);
            }
            return Ty::ERROR;
        }
        let Some(need) = need else {
            return self.arms_common(arms, expect);
        };
        let inner = match self.wanted_item(expect) {
            Some(item) => Expect { ty: Some(item), why: expect.why, discard: false },
            None => Expect { ty: None, why: Why::Nothing, discard: expect.discard },
        };
        let item = self.arms_common(arms, inner);
        if expect.discard {
            return Ty::NONE;
        }
        self.out.max_items.insert(e, u64::from(need));
        let ty = self.cx.interner.list(item);
        self.coerce_list(e, ty, expect)
    }

    pub(super) fn catch(&mut self, body: ExprId, arms: &[Arm], expect: Expect) -> Ty {
        let failure = match self.cx.lang.failure {
            Some(def) => self.cx.interner.named(def, &[]),
            None => Ty::ERROR,
        };
        // Patterns first, because the arms' values use their names; the body's value comes first in the text.
        if !self.arms(arms, failure) {
            self.catch_redundancy(failure, arms);
        }
        let mut all = vec![body];
        all.extend(arms.iter().map(|arm| arm.body));
        self.arms_common(&all, expect)
    }

    pub(super) fn try_(&mut self, e: ExprId, inner: ExprId, expect: Expect) -> Ty {
        let Some(result) = self.cx.lang.result else {
            self.expr(inner, Expect::ANY);
            return Ty::ERROR;
        };
        let wanted = expect.ty.and_then(|ty| match self.kind(self.present(ty)) {
            TyKind::Named(def, args) if *def == result => args.first().copied(),
            TyKind::Error => Some(Ty::ERROR),
            _ => None,
        });
        let given = self.expr(inner, Expect { ty: wanted, why: expect.why, discard: false });
        let given = if given == Ty::NEVER { Ty::NONE } else { given };
        let ty = self.cx.interner.named(result, &[given]);
        self.coerce(e, ty, expect)
    }

    pub(super) fn fail(&mut self, inner: ExprId) -> Ty {
        let failure = match self.cx.lang.failure {
            Some(def) => self.cx.interner.named(def, &[]),
            None => Ty::ERROR,
        };
        // A text is the message of a `Custom` failure; anything else is a failure.
        let is_variant = match self.node(inner) {
            Expr::BareVariant { .. } => true,
            Expr::Call { callee, .. } => {
                matches!(callee, crate::hir::Callee::BareVariant { .. })
            }
            _ => false,
        };
        let expect = if is_variant { Expect::of(failure, Why::Nothing) } else { Expect::ANY };
        let ty = self.expr(inner, expect);
        let base = self.base(ty);
        if base == Ty::TEXT || base == failure || matches!(base, Ty::ERROR | Ty::NEVER) {
            return Ty::NEVER;
        }
        let shown = self.show(ty);
        self.report(
            Diagnostic::new(
                Code::Mismatch,
                self.span(inner),
                format!("expected a text or a `Failure`, found `{shown}`"),
            )
            .here(format!("this is `{shown}`"))
            .help("write `fail \"why\"`, or a failure such as `fail Denied(by: …, why: …)`"),
        );
        Ty::NEVER
    }

    pub(super) fn may_be_optional(&self, e: ExprId) -> bool {
        !matches!(
            self.node(e),
            Expr::Literal(_) | Expr::Template(_) | Expr::List(_) | Expr::Map(_) | Expr::Fail(_)
        )
    }

    // ---- policies around a call ----

    pub(super) fn with(
        &mut self,
        e: ExprId,
        inner: ExprId,
        policies: &[Arg],
        expect: Expect,
    ) -> Ty {
        let named = |name: &str| {
            policies.iter().any(|arg| arg.name.as_ref().is_some_and(|(own, _)| own == name))
        };
        if named("detach") {
            // What it starts goes on by itself: the call gives the id of that run.
            let ty = self.expr(inner, Expect::ANY);
            self.call_policies(inner, policies, ty, Expect::ANY);
            return if self.is_error(ty) { ty } else { self.coerce(e, Ty::TEXT, expect) };
        }
        let ty = self.expr(inner, expect);
        if let Some(max) = self.max_of(inner) {
            self.out.max_items.insert(e, max);
        }
        let fallback = self.call_policies(inner, policies, ty, expect);
        match fallback {
            Some(fallback) if !expect.discard => self.join(ty, fallback).unwrap_or(ty),
            _ => ty,
        }
    }

    /// Whether json was decoded around an expression: then its fallback is of the decoded type.
    pub(super) fn decoded_to(&self, e: ExprId) -> Option<Ty> {
        self.out.coercions.get(&e)?.iter().find_map(|coercion| match coercion {
            Coercion::Decode(ty) => Some(*ty),
            _ => None,
        })
    }
}
