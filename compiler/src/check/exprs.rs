//! Expressions other than calls, control forms and operators: what each gives, and what it hands inwards.

use super::blame::Origin;
use super::infer::{BodyCx, Expect, Fit, UNSET, Unknown, Why};
use super::refine::Verdict;
use super::ty::{Prim, Ty, TyKind};
use super::{Cause, Coercion, DefTypes};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{
    ArgValue, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Literal, Pat, Stmt, TemplatePart,
};

/// Where a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShownTo {
    /// In a template.
    Text,
    /// Beside a question or an approval.
    Person,
}

impl BodyCx<'_, '_> {
    /// Checks an expression against what its place expects, and gives the type that it has there.
    pub(super) fn expr(&mut self, e: ExprId, expect: Expect) -> Ty {
        let ty = self.form(e, expect);
        self.set(e, ty);
        if self.cx.interner.take_too_deep() {
            let span = self.span(e);
            self.cx.type_too_deep(span);
        }
        ty
    }

    fn form(&mut self, e: ExprId, expect: Expect) -> Ty {
        match self.node(e) {
            // These hand the expectation inwards, so that a misfit is reported where it stands.
            Expr::Block(stmts) => self.block(e, stmts, expect),
            Expr::If { condition, then, otherwise } => {
                self.if_(e, *condition, *then, *otherwise, expect)
            }
            Expr::Match { scrutinee, arms } => self.match_(e, *scrutinee, arms, expect),
            Expr::For { .. } => self.for_(e, expect),
            Expr::Loop { .. } => self.loop_(e, expect),
            Expr::Race { need, arms } => self.race(e, *need, arms, expect),
            Expr::Catch { body, arms } => self.catch(*body, arms, expect),
            Expr::Try(inner) => self.try_(e, *inner, expect),
            Expr::Undo { body, undo } => {
                let ty = self.expr(*body, expect);
                self.expr(*undo, Expect::DISCARD);
                ty
            }
            Expr::With { expr, policies } => self.with(e, *expr, policies, expect),
            Expr::Coalesce(left, right) => self.coalesce(e, *left, *right, expect),
            Expr::List(items) => {
                let ty = self.list(e, items, expect);
                self.used(e, ty, expect)
            }
            Expr::Map(entries) => {
                let ty = self.map(e, entries, expect);
                self.used(e, ty, expect)
            }
            Expr::Literal(_) => self.literal_expr(e, expect),
            _ => {
                let ty = self.infer(e, expect);
                if ty == Ty::SECRET && !self.may_be_secret(expect) {
                    return self.misused_secret(e);
                }
                let ty = self.used(e, ty, expect);
                self.coerce(e, ty, expect)
            }
        }
    }

    fn infer(&mut self, e: ExprId, expect: Expect) -> Ty {
        match self.node(e) {
            Expr::Template(parts) => self.template(parts),
            Expr::Local(local) => match self.out.locals.get(local.index()) {
                Some(ty) if *ty != UNSET => *ty,
                _ => Ty::ERROR,
            },
            Expr::Def(def) => self.def_value(*def),
            Expr::Variant(def, index) => self.unit_variant(e, *def, *index),
            Expr::BareVariant { name, candidates } => {
                match self.bare_variant(e, name, candidates, expect) {
                    Some((def, index)) => self.unit_variant(e, def, index),
                    None => Ty::ERROR,
                }
            }
            Expr::Call { callee, args, piped } => self.call(e, callee, args, *piped, expect),
            Expr::Field { base, name, name_span, dot, optional } => {
                let length = if *optional { 2 } else { 1 };
                let dot = Span { start: *dot, end: *dot + length, ..*name_span };
                self.field(e, *base, name, *name_span, dot, *optional)
            }
            Expr::Session { def, name, name_span } => self.session_field(e, *def, name, *name_span),
            Expr::Index { base, index } => self.index(e, *base, *index),
            Expr::Unary(op, inner) => self.unary(e, *op, *inner, expect),
            Expr::Binary(op, left, right) => self.binary(e, *op, *left, *right, expect),
            Expr::In(left, right) => self.in_(*left, *right),
            Expr::Is(left, pat) => self.is(*left, *pat),
            Expr::Fail(inner) => self.fail(*inner),
            Expr::Done(value) => self.done(e, *value),
            Expr::Next(args) => self.next(e, args),
            // The others have their own ways in `form`.
            _ => Ty::ERROR,
        }
    }

    // ---- secrets ----

    /// Whether a place takes a secret, or nothing is known of it.
    fn may_be_secret(&self, expect: Expect) -> bool {
        expect.ty.is_some_and(|ty| matches!(self.present(ty), Ty::SECRET | Ty::ERROR))
    }

    /// Whether an expression is the name of a secret.
    pub(super) fn is_secret_name(&self, e: ExprId) -> bool {
        match self.node(e) {
            Expr::Def(def) => {
                let def = self.cx.hir.defs.get(def.index());
                def.is_some_and(|def| matches!(def.kind, DefKind::Secret))
            }
            Expr::Local(local) => self.out.locals.get(local.index()) == Some(&Ty::SECRET),
            _ => false,
        }
    }

    /// A secret has no operations: it is passed on, and that is all.
    fn misused_secret(&mut self, e: ExprId) -> Ty {
        let span = self.span(e);
        let name = match self.node(e) {
            Expr::Def(def) => self.cx.hir.defs.get(def.index()).map(|def| def.name.clone()),
            Expr::Local(local) => self.body.locals.get(local.index()).map(|l| l.name.clone()),
            _ => None,
        };
        let name = name.map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
        let finding = Diagnostic::new(
            Code::SecretUse,
            span,
            format!("{name} is a secret: it can only be passed on"),
        )
        .here("used here as an ordinary value")
        .help("pass it to a parameter of the type `secret text`, or to `auth:` of an extern");
        self.report(finding);
        Ty::ERROR
    }

    // ---- use ----

    /// A value that nobody uses is a mistake, unless making it does something.
    fn used(&mut self, e: ExprId, ty: Ty, expect: Expect) -> Ty {
        // Whatever is compared: nobody sees how that came out.
        let is_known = |e: &ExprId| self.out.exprs.get(e.index()) != Some(&Ty::ERROR);
        let is_test = match self.node(e) {
            Expr::Binary(op, a, b) => op.compares() && is_known(a) && is_known(b),
            Expr::In(a, b) => is_known(a) && is_known(b),
            Expr::Is(a, _) => is_known(a),
            _ => false,
        };
        if expect.discard && ty != Ty::ERROR && (is_test || self.pure(e)) {
            let span = self.span(e);
            let mut finding = Diagnostic::new(Code::UnusedValue, span, "this value is not used")
                .here("it has no effect");
            finding = if is_test && self.in_test {
                finding.fix("insert `expect`", vec![Edit::new(span.before(), "expect ")])
            } else if self.ends_branch == Some(e) {
                finding.here("the block ends here, but its value goes nowhere").help(
                    "what a block gives counts only where the `if` is the last thing: put what \
                     follows into its `else`",
                )
            } else {
                finding.help("give it a name with `let`, make it the last line, or delete it")
            };
            self.report(finding);
        }
        ty
    }

    /// Whether evaluating it can be seen by nobody, as far as its form tells.
    fn pure(&self, e: ExprId) -> bool {
        match self.node(e) {
            Expr::Literal(value) => *value != Literal::None,
            Expr::Local(_) | Expr::Def(_) | Expr::Variant(..) | Expr::BareVariant { .. } => true,
            Expr::Template(parts) => parts.iter().all(|part| match part {
                TemplatePart::Text(_) => true,
                TemplatePart::Expr(e) => self.pure(*e),
            }),
            Expr::Field { base, .. } => self.pure(*base),
            Expr::Index { base, index } => self.pure(*base) && self.pure(*index),
            Expr::Unary(_, inner) => self.pure(*inner),
            Expr::Binary(_, a, b) | Expr::In(a, b) | Expr::Coalesce(a, b) => {
                self.pure(*a) && self.pure(*b)
            }
            Expr::Is(a, _) => self.pure(*a),
            Expr::List(items) => items.iter().all(|(e, _)| self.pure(*e)),
            Expr::Map(entries) => entries.iter().all(|(k, v)| self.pure(*k) && self.pure(*v)),
            Expr::Call { callee, args, .. } => {
                let makes = match callee {
                    Callee::Variant(..) | Callee::BareVariant { .. } => true,
                    Callee::Def(def) => match self.cx.hir.defs.get(def.index()).map(|d| &d.kind) {
                        Some(DefKind::Record(_)) => true,
                        Some(DefKind::Callable(callable)) => matches!(
                            &callable.kind,
                            CallableKind::Extern { kind, .. } if kind == kait_stdlib::STABLE
                        ),
                        _ => false,
                    },
                    Callee::Missing | Callee::Builtin(_) => false,
                };
                makes
                    && args.iter().all(|arg| match &arg.value {
                        ArgValue::Expr(e) | ArgValue::Spread(e) => self.pure(*e),
                        _ => true,
                    })
            }
            _ => false,
        }
    }

    // ---- blocks ----

    /// A block: its value is the last statement's, if that is an expression.
    pub(super) fn block(&mut self, e: ExprId, stmts: &[Stmt], expect: Expect) -> Ty {
        let Some((last, front)) = stmts.split_last() else {
            return self.no_value(e, expect, "the block is empty");
        };
        let mut ends: Option<Span> = None;
        for (index, stmt) in front.iter().enumerate() {
            let ended = self.stmt(stmt);
            if ended && ends.is_none() {
                let next = stmts.get(index + 1).map_or_else(|| self.span(e), |s| self.stmt_span(s));
                ends = Some(next);
                let here = self.stmt_span(stmt);
                self.report(
                    Diagnostic::new(Code::Unreachable, next, "this never runs")
                        .label(here, "the block always ends here")
                        .help("delete it, or put the line above into an `if`"),
                );
            }
        }
        match last {
            Stmt::Expr(value) => {
                let ty = if ends.is_some() {
                    self.expr(*value, Expect::ERROR)
                } else {
                    self.expr(*value, expect)
                };
                if let Some(max) = self.max_of(*value) {
                    self.out.max_items.insert(e, max);
                }
                if ends.is_some() { Ty::NEVER } else { ty }
            }
            Stmt::Let { .. } => {
                let ended = self.stmt(last);
                if ends.is_some() || ended {
                    return Ty::NEVER;
                }
                // What was taken for its value may be the value of the block.
                if let Stmt::Let { value, .. } = last
                    && self.out.exprs.get(value.index()) == Some(&Ty::ERROR)
                    && matches!(self.node(*value), Expr::Missing)
                {
                    return Ty::ERROR;
                }
                self.no_value(e, expect, "the block ends with a `let`")
            }
        }
    }

    fn no_value(&mut self, e: ExprId, expect: Expect, why: &str) -> Ty {
        let Some(expected) = expect.ty else { return Ty::NONE };
        if self.fit(Ty::NONE, expected) == Fit::Yes {
            return Ty::NONE;
        }
        let want = self.show(expected);
        let span = self.span(e);
        let end = Span { start: span.end.saturating_sub(1).max(span.start), ..span };
        self.report(
            Diagnostic::new(Code::NoValue, end, format!("expected `{want}`, but {why}"))
                .here("write the value here")
                .help("end the block with the value: its last line is what it gives"),
        );
        Ty::ERROR
    }

    /// A role is named where a model is asked, and is nothing that a name could be given to.
    fn role_as_value(&mut self, e: ExprId) {
        let span = self.span(e);
        let Expr::Def(def) = self.node(e) else { return };
        let Some(def) = self.cx.hir.defs.get(def.index()) else { return };
        let name = &def.name;
        self.report(
            Diagnostic::new(
                Code::NotAValue,
                span,
                format!("`{name}` is a model role, not a value"),
            )
            .label(def.name_span, "declared here")
            .help(format!(
                "name it where a model is asked: `model {name}` in a prompt, or `with (model: {name})` behind a call"
            )),
        );
    }

    pub(super) fn stmt_span(&self, stmt: &Stmt) -> Span {
        match stmt {
            Stmt::Let { span, .. } => *span,
            Stmt::Expr(e) => self.span(*e),
        }
    }

    /// A statement; whether nothing below it can run.
    pub(super) fn stmt(&mut self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Expr(e) => self.expr(*e, Expect::DISCARD) == Ty::NEVER,
            Stmt::Let { pat, ty, value, .. } => {
                let annotation = ty.as_ref().map(|written| (self.cx.ty(written), written.span));
                let expect = match annotation {
                    Some((ty, span)) => Expect::of(ty, Why::Annotation(span)),
                    None => Expect::ANY,
                };
                // A compensation may use the name, so it is looked at once the name has its type.
                let (given, undo) = match self.node(*value) {
                    Expr::Undo { body, undo } => {
                        let ty = self.expr(*body, expect);
                        self.set(*value, ty);
                        (ty, Some(*undo))
                    }
                    _ => (self.expr(*value, expect), None),
                };
                if given == Ty::ROLE && annotation.is_none() {
                    self.role_as_value(*value);
                }
                let bound = match annotation {
                    // After a misfit the annotation is still what was meant.
                    Some((ty, _)) => ty,
                    None => given,
                };
                self.matched = match annotation {
                    Some((_, span)) => Origin::Place(span),
                    None => Origin::Value(*value),
                };
                self.pattern(*pat, bound);
                self.matched = Origin::Nowhere;
                self.irrefutable(*pat, bound);
                if let Some(Pat::Bind(local)) = self.body.pats.get(pat.index()) {
                    let max = self.max_of(*value);
                    if let Some(note) = self.notes.get_mut(local.index()) {
                        note.max = max;
                    }
                }
                if let Some(undo) = undo {
                    self.expr(undo, Expect::DISCARD);
                }
                given == Ty::NEVER
            }
        }
    }

    // ---- literals, templates, names ----

    fn literal_expr(&mut self, e: ExprId, expect: Expect) -> Ty {
        let Some(value) = self.literal(e) else { return Ty::ERROR };
        let ty = literal_ty(&value);
        let ty = self.used(e, ty, expect);
        self.fit_literal(e, &value, ty, expect)
    }

    /// A literal where a refined type is expected is checked here and now.
    pub(super) fn fit_literal(&mut self, e: ExprId, value: &Literal, ty: Ty, expect: Expect) -> Ty {
        let Some(expected) = expect.ty else { return ty };
        let target = self.present(expected);
        if !matches!(self.cx.interner.kind(target), TyKind::Refined { .. }) {
            return self.coerce(e, ty, expect);
        }
        let base = self.base(target);
        let to_float = base == Ty::FLOAT && ty == Ty::INT;
        if base != ty && !to_float {
            return self.coerce(e, ty, expect);
        }
        if to_float {
            self.coerced(e, Coercion::ToFloat);
        }
        match self.cx.literal_verdict(target, value) {
            Verdict::Keeps => target,
            Verdict::Unknown => {
                self.coerced(e, Coercion::Check(target));
                target
            }
            Verdict::Breaks(bound, why) => {
                self.breaks(e, expect.why, target, &bound, &why);
                Ty::ERROR
            }
        }
    }

    /// Reports a literal that breaks a bound.
    pub(super) fn breaks(
        &mut self,
        e: ExprId,
        why: Why,
        ty: Ty,
        bound: &super::ty::Constraint,
        how: &str,
    ) {
        let shown = format!("{}: {}", bound.name, super::display::literal(&bound.value.0));
        let what = match self.cx.interner.kind(ty) {
            TyKind::Refined { alias: Some(_), .. } => format!(" of `{}`", self.show(ty)),
            _ => String::new(),
        };
        let mut finding = Diagnostic::new(
            Code::BrokenBound,
            self.span(e),
            format!("the value does not keep `{shown}`{what}"),
        )
        .here(how);
        finding = match why {
            Why::Annotation(span) | Why::Declared(span) => {
                // A bound that was changed is broken by many values: it is said once.
                let finding = finding.label(span, "declared here");
                return self.cx.report_once(Cause::Bound(span, bound.name.clone()), finding);
            }
            _ => finding,
        };
        self.report(finding);
    }

    fn template(&mut self, parts: &[TemplatePart]) -> Ty {
        for part in parts {
            let TemplatePart::Expr(e) = part else { continue };
            let ty = self.expr(*e, Expect::ANY);
            self.shown(*e, ty, ShownTo::Text);
        }
        Ty::TEXT
    }

    /// Whether a value can be shown: in a text, or to a person, who can also look at an image and listen.
    pub(super) fn shown(&mut self, e: ExprId, ty: Ty, to: ShownTo) {
        let why = match self.kind(self.present(ty)) {
            TyKind::Prim(Prim::Image | Prim::Audio | Prim::File) if to == ShownTo::Text => {
                "give it to a prompt as a `user` line of its own"
            }
            // In a text it is a use of a secret, which is reported as that.
            TyKind::Prim(Prim::Secret) if to == ShownTo::Person => {
                "pass a secret only to `secret` parameters"
            }
            TyKind::Prim(Prim::Role) => "the name of a model role is not a value of the program",
            TyKind::Selector(..) => "a field such as `.name` can only be passed on",
            TyKind::List(item) => {
                let item = *item;
                return self.shown(e, item, to);
            }
            _ => return,
        };
        let shown = self.show(ty);
        let cannot = match to {
            ShownTo::Text => "cannot be put into a text",
            ShownTo::Person => "cannot be shown to a person",
        };
        self.report(
            Diagnostic::new(Code::NotRendered, self.span(e), format!("`{shown}` {cannot}"))
                .help(why),
        );
    }

    fn def_value(&mut self, def: DefId) -> Ty {
        match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Const { .. }) => self.cx.constant(def),
            Some(DefKind::Model { .. }) => Ty::ROLE,
            Some(DefKind::Secret) => Ty::SECRET,
            _ => Ty::ERROR,
        }
    }

    // ---- fields and items ----

    fn field(
        &mut self,
        e: ExprId,
        base: ExprId,
        name: &smol_str::SmolStr,
        name_span: Span,
        dot: Span,
        optional: bool,
    ) -> Ty {
        let base_ty = self.expr(base, Expect::ANY);
        let is_optional = matches!(self.kind(base_ty), TyKind::Optional(_));
        if is_optional && !optional {
            let shown = self.show(base_ty);
            self.report(
                Diagnostic::new(
                    Code::MaybeNone,
                    name_span,
                    format!("`{name}` cannot be read: the value may be `none`"),
                )
                .label(self.span(base), format!("this is `{shown}`"))
                .help("use `?.` and give another value with `??`, or use `match`")
                .guess(
                    "fail if it is `none`",
                    vec![
                        Edit::new(self.span(e).before(), "("),
                        Edit::new(dot, "?."),
                        Edit::new(name_span.after(), " ?? fail \"missing\")"),
                    ],
                ),
            );
            return Ty::ERROR;
        }
        if optional && !is_optional && !self.is_error(base_ty) {
            let shown = self.show(base_ty);
            self.report(
                Diagnostic::new(
                    Code::NeverNone,
                    dot,
                    format!("write `.` instead of `?.`: `{shown}` is never `none`"),
                )
                .fix("write `.`", vec![Edit::new(dot, ".")]),
            );
        }
        let inner = self.present(base_ty);
        let Some((index, ty)) = self.find_field(inner, name, name_span, Some(base)) else {
            return Ty::ERROR;
        };
        self.out.fields.insert(e, index);
        if optional && is_optional { self.cx.interner.optional(ty) } else { ty }
    }

    /// The field of a record type by name; reports if there is none.
    pub(super) fn find_field(
        &mut self,
        ty: Ty,
        name: &smol_str::SmolStr,
        span: Span,
        base: Option<ExprId>,
    ) -> Option<(u32, Ty)> {
        let hir = self.cx.hir;
        let (def, args) = match self.kind(ty).clone() {
            TyKind::Named(def, args) => (def, args),
            TyKind::Error | TyKind::Never => return None,
            other => {
                self.no_fields(ty, &other, name, span, base);
                return None;
            }
        };
        let declared = hir.defs.get(def.index())?;
        let DefKind::Record(record) = &declared.kind else {
            let shown = self.show(ty);
            self.report(
                Diagnostic::new(
                    Code::UnknownField,
                    span,
                    format!("`{shown}` is an enum, so it has no field `{name}`"),
                )
                .label(declared.name_span, "declared here")
                .help("use `match` to get the values of a variant"),
            );
            return None;
        };
        let fields = || record.fields.iter().map(|field| field.name.as_str());
        if let Some(index) = self.cx.member(def, name, fields()) {
            let ty = self.cx.defs.get(def.index()).and_then(|types| match types {
                DefTypes::Record(fields) => fields.get(index as usize).copied(),
                _ => None,
            })?;
            let ty = self.cx.interner.subst(ty, &args);
            return Some((index, ty));
        }
        let near = self.cx.suggest(span, name, fields());
        let mut finding = Diagnostic::new(
            Code::UnknownField,
            span,
            format!("`{}` has no field `{name}`", declared.name),
        )
        .label(declared.name_span, "declared here");
        finding = match near {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
            None => {
                // Nothing similar: perhaps the value is of another type than was meant.
                let places = base.map(|base| self.origins(base)).unwrap_or_default();
                if self.blamed(&places, Ty::ERROR) {
                    return None;
                }
                match record.fields.is_empty() {
                    true => finding.help("it has no fields"),
                    false if record.fields.len() == 1 => {
                        finding.help(format!("its only field is {}", names_of(fields())))
                    }
                    false => finding.help(format!("its fields are {}", names_of(fields()))),
                }
            }
        };
        self.cx.report_once(Cause::Member(def, name.clone()), finding);
        None
    }

    fn no_fields(&mut self, ty: Ty, kind: &TyKind, name: &str, span: Span, base: Option<ExprId>) {
        let shown = self.show(ty);
        let finding =
            Diagnostic::new(Code::UnknownField, span, format!("`{shown}` has no field `{name}`"));
        let length = matches!(name, "length" | "len" | "size" | "count");
        let module = match kind {
            TyKind::List(_) => Some("list"),
            TyKind::Map(..) => Some("map"),
            TyKind::Prim(Prim::Text) => Some("text"),
            _ => None,
        };
        let finding = match (kind, module, base) {
            (_, Some(module), Some(base)) if length => {
                let at = self.span(base);
                finding.help(format!("the length is a function: `{module}.length(…)`")).fix(
                    format!("call `{module}.length`"),
                    vec![
                        Edit::new(at.before(), format!("{module}.length(")),
                        Edit::new(Span { start: at.end, ..span }, ")"),
                    ],
                )
            }
            (TyKind::Map(..), _, _) => {
                finding.help(format!("read a key of a map with `[\"{name}\"]`"))
            }
            (TyKind::List(_), _, _) => {
                finding.help("take an item first (`xs[0]`), or go through the items with `for`")
            }
            (TyKind::Prim(Prim::Json), _, _) => {
                finding.help("give it a type (`let value: Type = …`), or use `json.get`")
            }
            (TyKind::Var(_), _, _) => {
                finding.help("write the type of this value where it gets its name")
            }
            (_, Some(module), _) => finding.help(format!("see the functions of `{module}`")),
            _ => finding,
        };
        let places = base.map(|base| self.origins(base)).unwrap_or_default();
        if !self.blamed(&places, Ty::ERROR) {
            self.report(finding);
        }
    }

    /// Other languages count from the end; here there is never such an item.
    fn negative_index(&mut self, e: ExprId, base: ExprId, n: i64) {
        let (whole, list) = (self.span(e), self.span(base));
        let finding = Diagnostic::new(
            Code::NoItems,
            Span { start: list.end, ..whole },
            format!("a list has no item `{n}`: its items are counted from 0"),
        )
        .here("this is always `none`");
        self.report(if n == -1 {
            finding.help("the last item is `list.final(xs)`").guess(
                "write it with `list.final`",
                vec![
                    Edit::new(list.before(), "list.final("),
                    Edit::new(Span { start: list.end, ..whole }, ")"),
                ],
            )
        } else {
            finding.help(format!("count from the end: `list.last(xs, {})[0]`", n.unsigned_abs()))
        });
    }

    fn index(&mut self, e: ExprId, base: ExprId, index: ExprId) -> Ty {
        let base_ty = self.expr(base, Expect::ANY);
        match self.kind(base_ty).clone() {
            TyKind::List(item) => {
                self.expr(index, Expect::of(Ty::INT, Why::Nothing));
                if let Some(n) = self.int_literal(index).filter(|n| *n < 0) {
                    self.negative_index(e, base, n);
                }
                self.cx.interner.optional(item)
            }
            TyKind::Map(key, value) => {
                self.expr(index, Expect::of(key, Why::Nothing));
                self.cx.interner.optional(value)
            }
            TyKind::Error | TyKind::Never => {
                self.expr(index, Expect::ERROR);
                Ty::ERROR
            }
            other => {
                self.expr(index, Expect::ERROR);
                let shown = self.show(base_ty);
                let help = match other {
                    TyKind::Optional(_) => "it may be `none`: give another value with `??`",
                    TyKind::Prim(Prim::Text) => "use `text.slice(…, from:, to:)`",
                    TyKind::Prim(Prim::Json) => {
                        "use `json.get`, or give it a type: `let value: Type = …`"
                    }
                    TyKind::Named(..) => "read a field with `.name`",
                    _ => "use it on a list or a map",
                };
                self.report(
                    Diagnostic::new(
                        Code::NoItems,
                        self.span(base),
                        format!("`[…]` cannot be used on `{shown}`"),
                    )
                    .help(help),
                );
                Ty::ERROR
            }
        }
    }

    /// A type argument that only its surroundings can tell is asked for at the end of the body, or now if there are none.
    pub(super) fn must_be_known(&mut self, e: ExprId, ty: Ty, name: &str, expect: Expect) -> bool {
        let resolved = self.resolve(ty);
        if !self.cx.interner.has_var(resolved) {
            return true;
        }
        let span = self.span(e);
        if expect.ty.is_none() {
            self.report_unknown(span, name);
            self.close(ty);
            return false;
        }
        self.unknowns.push(Unknown { span, ty, name: name.into() });
        true
    }
}

/// The type of a literal.
pub(super) fn literal_ty(value: &Literal) -> Ty {
    match value {
        Literal::Int(_) => Ty::INT,
        Literal::Float(_) => Ty::FLOAT,
        Literal::Text(_) => Ty::TEXT,
        Literal::Bool(_) => Ty::BOOL,
        Literal::None => Ty::NONE,
        Literal::Duration(_) => Ty::DURATION,
        Literal::Size(_) => Ty::SIZE,
        Literal::Money(..) => Ty::MONEY,
    }
}
