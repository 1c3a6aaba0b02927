//! Sessions: what their fields must be, and what a graph that runs in one reads and saves. Which graphs may call each
//! other is asked with the effects, not here.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::infer::{BodyCx, Expect, Why};
use super::ty::{Prim, Ty, TyKind};
use super::{ArgSource, CallTypes, Cause, Checker, DefTypes};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, Callable, Def, DefId, DefKind, Expr, ExprId, Field, Record};

/// What every session has beside its fields: the text that tells it from others of its kind.
pub(crate) const SESSION_ID: &str = "id";

/// The function that changes a session.
const SAVE: &str = "save";

/// Why a type cannot be kept or sent.
pub(super) struct Unfit {
    /// The part of it that cannot.
    pub part: Ty,
}

impl Checker<'_> {
    /// Fields of a session: named apart from what every session has, with a default, of a type that can be kept.
    pub(super) fn session_fields(
        &mut self,
        id: DefId,
        def: &Def,
        fields: &[Field],
        types: &[DefTypes],
    ) {
        let tys: Vec<Ty> = match types.get(id.index()) {
            Some(DefTypes::Record(tys)) => tys.clone(),
            _ => Vec::new(),
        };
        for (field, ty) in fields.iter().zip(tys) {
            if field.name == SESSION_ID || field.name == SAVE {
                let what =
                    if field.name == SESSION_ID { "names the session" } else { "changes it" };
                self.report(
                    Diagnostic::new(
                        Code::Duplicate,
                        field.span,
                        format!("`session.{}` is taken: it {what}", field.name),
                    )
                    .help("give the field another name"),
                );
            }
            if field.default.is_none() {
                self.no_default(field, ty);
            }
            if let Some(unfit) = self.unstorable(types, ty, &mut Vec::new()) {
                let module = def.module;
                let (shown, part) = (self.show(ty, module), self.show(unfit.part, module));
                let here = if part == shown {
                    "it cannot be stored".to_owned()
                } else {
                    format!("`{part}` in it cannot be stored")
                };
                self.report(
                    Diagnostic::new(
                        Code::NotStorable,
                        field.ty.span,
                        format!("a session cannot keep `{shown}`"),
                    )
                    .here(here)
                    .help("keep what it is made from, such as a text, a number or a record"),
                );
            }
        }
    }

    /// A session begins with the defaults of its fields.
    fn no_default(&mut self, field: &Field, ty: Ty) {
        let finding = Diagnostic::new(
            Code::SessionDefault,
            field.span,
            format!("the field `{}` of a session needs a default", field.name),
        )
        .label(field.ty.span, "nothing says what a new session begins with")
        .help("write `= value` after the type: a session begins with the defaults of its fields");
        let finding = match self.interner.kind(self.interner.base(ty)) {
            TyKind::Optional(_) => Some("none"),
            TyKind::List(_) => Some("[]"),
            TyKind::Map(..) => Some("[:]"),
            TyKind::Prim(Prim::Text) => Some("\"\""),
            TyKind::Prim(Prim::Int) => Some("0"),
            TyKind::Prim(Prim::Float) => Some("0.0"),
            TyKind::Prim(Prim::Bool) => Some("false"),
            _ => None,
        }
        .map_or_else(
            || finding.clone(),
            |value| {
                finding.clone().guess(
                    format!("begin with `{value}`"),
                    vec![Edit::new(field.ty.span.after(), format!(" = {value}"))],
                )
            },
        );
        self.report(finding);
    }

    /// A part of the type whose values have no form outside of a run. Types that hold themselves are looked at once.
    pub(super) fn unstorable(
        &mut self,
        types: &[DefTypes],
        ty: Ty,
        seen: &mut Vec<Ty>,
    ) -> Option<Unfit> {
        let base = self.interner.base(ty);
        if seen.contains(&base) {
            return None;
        }
        match self.interner.kind(base).clone() {
            TyKind::Prim(Prim::Image | Prim::Audio | Prim::File | Prim::Role | Prim::Secret)
            | TyKind::Selector(..) => Some(Unfit { part: base }),
            TyKind::List(item) | TyKind::Optional(item) => self.unstorable(types, item, seen),
            TyKind::Map(key, value) => {
                self.unstorable(types, key, seen).or_else(|| self.unstorable(types, value, seen))
            }
            TyKind::Named(def, args) => {
                seen.push(base);
                let fields: Vec<Ty> = match types.get(def.index()) {
                    Some(DefTypes::Record(fields)) => fields.clone(),
                    Some(DefTypes::Enum(all)) => all.iter().flatten().copied().collect(),
                    _ => Vec::new(),
                };
                fields.into_iter().find_map(|ty| {
                    let ty = self.interner.subst(ty, &args);
                    self.unstorable(types, ty, seen)
                })
            }
            _ => None,
        }
    }
}

impl<'a> BodyCx<'_, 'a> {
    fn session(&self, def: DefId) -> Option<(&'a Def, &'a Record)> {
        let declared = self.cx.hir.defs.get(def.index())?;
        match &declared.kind {
            DefKind::Session(record) => Some((declared, record)),
            _ => None,
        }
    }

    fn session_types(&self, def: DefId) -> &'a [Ty] {
        match self.cx.defs.get(def.index()) {
            Some(DefTypes::Record(types)) => types,
            _ => &[],
        }
    }

    /// `session.name`
    pub(super) fn session_field(
        &mut self,
        e: ExprId,
        def: DefId,
        name: &SmolStr,
        span: Span,
    ) -> Ty {
        if name == SESSION_ID {
            return Ty::TEXT;
        }
        let Some((declared, record)) = self.session(def) else { return Ty::ERROR };
        let names = record.fields.iter().map(|field| field.name.as_str());
        if let Some(index) = self.cx.member(def, name, names) {
            self.out.fields.insert(e, index);
            return self.session_types(def).get(index as usize).copied().unwrap_or(Ty::ERROR);
        }
        self.unknown_session_field(def, declared, record, name, span, Some(SESSION_ID));
        Ty::ERROR
    }

    fn unknown_session_field(
        &mut self,
        def: DefId,
        declared: &Def,
        record: &Record,
        name: &SmolStr,
        span: Span,
        own: Option<&'static str>,
    ) {
        let names = || record.fields.iter().map(|field| field.name.as_str()).chain(own);
        let finding = Diagnostic::new(
            Code::UnknownField,
            span,
            format!("the session `{}` has no field `{name}`", declared.name),
        )
        .label(declared.name_span, "declared here");
        let finding = match self.cx.suggest(span, name, names()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
            None if record.fields.is_empty() => finding.help("it has no fields"),
            None => finding.help(format!("its fields are {}", names_of(names()))),
        };
        self.cx.report_once(Cause::Member(def, name.clone()), finding);
    }

    /// The session that the declaration runs in.
    fn own_session(&self) -> Option<DefId> {
        match &self.cx.hir.defs.get(self.owner.index())?.kind {
            DefKind::Callable(callable) => callable.session.as_ref()?.def,
            _ => None,
        }
    }

    /// What the header of a graph says about other runs in its session.
    pub(super) fn session_policies(&mut self, callable: &Callable) {
        let named = |name: &str| {
            callable.policies.iter().find_map(|arg| match &arg.name {
                Some((own, span)) if own == name => Some((arg, *span)),
                _ => None,
            })
        };
        if callable.session.is_none() {
            for name in ["overlap", "by"] {
                let Some((_, span)) = named(name) else { continue };
                self.report(
                    Diagnostic::new(
                        Code::SessionPolicy,
                        span,
                        format!("`{name}` is for graphs that run in a session"),
                    )
                    .here("this graph has no session")
                    .help("add `in Session` before `with`, or leave the policy out"),
                );
            }
            return;
        }
        if let Some((arg, _)) = named("overlap")
            && let ArgValue::Expr(value) = arg.value
            && self.policy_variant(value) == Some("Skip")
        {
            self.report(
                Diagnostic::new(
                    Code::OverlapKind,
                    self.span(value),
                    "`Skip` would leave the caller without an answer",
                )
                .here("the caller of the graph waits for its answer")
                .help("use `Queue`, `Reject`, `CancelPrevious` or `Parallel`"),
            );
        }
    }

    /// The variant that a policy's value names.
    pub(super) fn policy_variant(&self, value: ExprId) -> Option<&'a str> {
        let (def, index) = match self.node(value) {
            Expr::Variant(def, index) => (*def, *index),
            Expr::BareVariant { .. } => *self.out.variants.get(&value)?,
            _ => return None,
        };
        match &self.cx.hir.defs.get(def.index())?.kind {
            DefKind::Enum(one) => {
                one.variants.get(index as usize).map(|variant| variant.name.as_str())
            }
            _ => None,
        }
    }

    /// `session.save(field: value, …)`: fields that it leaves out keep their values.
    pub(super) fn session_save(&mut self, e: ExprId, args: &'a [Arg]) -> Ty {
        let found = self.own_session().and_then(|def| Some((def, self.session(def)?)));
        let Some((def, (declared, record))) = found else {
            self.spoil_args(args);
            return Ty::NONE;
        };
        let types = self.session_types(def);
        if args.is_empty() {
            self.report(
                Diagnostic::new(Code::MissingArgument, self.span(e), "nothing is saved here")
                    .label(declared.name_span, "the session")
                    .help("name what changes: `session.save(field: value)`"),
            );
        }
        let mut sources = vec![ArgSource::None; record.fields.len()];
        let mut places: FxHashMap<usize, Span> = FxHashMap::default();
        for (index, arg) in (0u32..).zip(args) {
            let Some((name, span)) = &arg.name else {
                self.spoil_args(std::slice::from_ref(arg));
                self.report(
                    Diagnostic::new(
                        Code::UnknownArgument,
                        arg.span,
                        "a field that is saved needs its name",
                    )
                    .help("write `session.save(field: value)`"),
                );
                continue;
            };
            let Some(field) = record.fields.iter().position(|field| field.name == *name) else {
                self.spoil_args(std::slice::from_ref(arg));
                self.unknown_session_field(def, declared, record, name, *span, None);
                continue;
            };
            if let Some(first) = places.insert(field, *span) {
                self.report(
                    Diagnostic::new(
                        Code::RepeatedArgument,
                        *span,
                        format!("the field `{name}` is saved twice"),
                    )
                    .label(first, "first saved here"),
                );
                self.spoil_args(std::slice::from_ref(arg));
                continue;
            }
            let declared_at = record.fields.get(field).map_or(*span, |field| field.span);
            let ty = types.get(field).copied().unwrap_or(Ty::ERROR);
            match arg.value {
                ArgValue::Expr(value) => {
                    self.expr(value, Expect::of(ty, Why::Declared(declared_at)));
                    if let Some(slot) = sources.get_mut(field) {
                        *slot = ArgSource::Arg(index);
                    }
                }
                _ => {
                    self.spoil_args(std::slice::from_ref(arg));
                    self.report(
                        Diagnostic::new(
                            Code::MisplacedSelector,
                            arg.span,
                            format!("the field `{name}` is saved from a value"),
                        )
                        .help("write the value itself"),
                    );
                }
            }
        }
        self.out.calls.insert(
            e,
            CallTypes {
                args: sources.into(),
                params: types.into(),
                result: Ty::NONE,
                type_args: smallvec::SmallVec::new(),
                selectors: Vec::new(),
            },
        );
        Ty::NONE
    }
}
