//! Calls and construction: which argument goes to which parameter, type arguments by unification, selectors, spreads.

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::infer::{BodyCx, Expect, Fit, Why};
use super::signatures::ParamClass;
use super::ty::{Prim, Ty, TyKind};
use super::{ArgSource, CallTypes, Coercion, DefTypes};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{Arg, ArgValue, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Field, Param};

/// What can be given: parameters of a callable, or fields of a record or variant.
#[derive(Clone, Copy)]
pub(super) enum Places<'a> {
    Params(&'a [Param]),
    Fields(&'a [Field]),
}

impl<'a> Places<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Params(all) => all.len(),
            Self::Fields(all) => all.len(),
        }
    }

    pub(super) fn name(self, index: usize) -> &'a SmolStr {
        static NOTHING: SmolStr = SmolStr::new_static("");
        match self {
            Self::Params(all) => all.get(index).map_or(&NOTHING, |one| &one.name),
            Self::Fields(all) => all.get(index).map_or(&NOTHING, |one| &one.name),
        }
    }

    pub(super) fn span(self, index: usize) -> Option<Span> {
        match self {
            Self::Params(all) => all.get(index).map(|one| one.span),
            Self::Fields(all) => all.get(index).map(|one| one.span),
        }
    }

    pub(super) fn has_default(self, index: usize) -> bool {
        match self {
            Self::Params(all) => all.get(index).is_some_and(|one| one.default.is_some()),
            Self::Fields(all) => all.get(index).is_some_and(|one| one.default.is_some()),
        }
    }

    pub(super) fn find(self, name: &str) -> Option<usize> {
        (0..self.len()).find(|index| self.name(*index) == name)
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |index| self.name(index).as_str())
    }
}

/// What is called.
pub(super) struct Target<'a> {
    pub def: DefId,
    pub name: &'a str,
    pub span: Span,
    pub places: Places<'a>,
    /// Types of the places, in type parameters.
    pub types: &'a [Ty],
    pub result: Ty,
    pub type_params: usize,
    pub classes: &'a [ParamClass],
    /// Some arguments may be missing: a question to the record of calls.
    pub partial: bool,
}

impl Target<'_> {
    /// The place of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.find(name)
    }

    /// Where a place is declared.
    pub fn place(&self, index: usize) -> Option<Span> {
        self.places.span(index)
    }

    /// The names of all places.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.names()
    }
}

impl<'a> BodyCx<'_, 'a> {
    /// A call; the type that it gives before it is fitted into its place.
    pub(super) fn call(
        &mut self,
        e: ExprId,
        callee: &'a Callee,
        args: &'a [Arg],
        piped: bool,
        expect: Expect,
    ) -> Ty {
        match callee {
            Callee::Missing => {
                self.spoil_args(args);
                Ty::ERROR
            }
            Callee::Builtin(builtin) => self.builtin(e, *builtin, args, expect),
            Callee::Def(def) if self.source_called(e, *def) => {
                self.spoil_args(args);
                Ty::ERROR
            }
            Callee::Def(def) => match self.target(*def) {
                Some(target) => {
                    let ty = self.call_target(e, &target, args, expect);
                    self.note_call_max(e, *def, args);
                    ty
                }
                None if self.is_alias(*def) => self.construct_alias(e, *def, args),
                None => {
                    self.spoil_args(args);
                    Ty::ERROR
                }
            },
            Callee::Variant(def, index) => self.construct_variant(e, *def, *index, args, expect),
            Callee::BareVariant { name, candidates } => {
                let _ = piped;
                match self.bare_variant(e, name, candidates, expect) {
                    Some((def, index)) => self.construct_variant(e, def, index, args, expect),
                    None => {
                        self.spoil_args(args);
                        Ty::ERROR
                    }
                }
            }
        }
    }

    /// Arguments of something that is not known: their own mistakes are still found, but nothing is expected of them.
    pub(super) fn spoil_args(&mut self, args: &[Arg]) {
        for arg in args {
            if let ArgValue::Expr(e) | ArgValue::Spread(e) = arg.value {
                self.expr(e, Expect::ERROR);
            }
        }
    }

    fn is_alias(&self, def: DefId) -> bool {
        matches!(self.cx.hir.defs.get(def.index()).map(|def| &def.kind), Some(DefKind::Alias(_)))
    }

    /// A callable or record as something to call.
    pub(super) fn target(&mut self, def: DefId) -> Option<Target<'a>> {
        let hir = self.cx.hir;
        let declared = hir.defs.get(def.index())?;
        match (&declared.kind, self.cx.defs.get(def.index())?) {
            (DefKind::Callable(callable), DefTypes::Callable(signature)) => Some(Target {
                def,
                name: &declared.name,
                span: declared.name_span,
                places: Places::Params(&callable.params),
                types: &signature.params,
                result: signature.result,
                type_params: callable.type_params.len(),
                classes: &signature.classes,
                partial: false,
            }),
            (DefKind::Record(record), DefTypes::Record(types)) => {
                let params = self.own_params(record.type_params.len());
                Some(Target {
                    def,
                    name: &declared.name,
                    span: declared.name_span,
                    places: Places::Fields(&record.fields),
                    types,
                    result: self.cx.interner.named(def, &params),
                    type_params: params.len(),
                    classes: &[],
                    partial: false,
                })
            }
            _ => None,
        }
    }

    /// The type parameters of a declaration, as its own text sees them.
    fn own_params(&mut self, count: usize) -> SmallVec<[Ty; 4]> {
        let indices = 0..u32::try_from(count).unwrap_or(u32::MAX);
        indices.map(|index| self.cx.interner.intern(TyKind::Param(index))).collect()
    }

    fn construct_variant(
        &mut self,
        e: ExprId,
        def: DefId,
        index: u32,
        args: &'a [Arg],
        expect: Expect,
    ) -> Ty {
        let hir = self.cx.hir;
        let (Some(declared), Some(DefTypes::Enum(types))) =
            (hir.defs.get(def.index()), self.cx.defs.get(def.index()))
        else {
            self.spoil_args(args);
            return Ty::ERROR;
        };
        let DefKind::Enum(all) = &declared.kind else {
            self.spoil_args(args);
            return Ty::ERROR;
        };
        let (Some(variant), Some(types)) =
            (all.variants.get(index as usize), types.get(index as usize))
        else {
            self.spoil_args(args);
            return Ty::ERROR;
        };
        let params = self.own_params(all.type_params.len());
        let target = Target {
            def,
            name: &variant.name,
            span: variant.span,
            places: Places::Fields(&variant.fields),
            types,
            result: self.cx.interner.named(def, &params),
            type_params: params.len(),
            classes: &[],
            partial: false,
        };
        self.call_target(e, &target, args, expect)
    }

    /// `OrderId(x)`: checks a value and makes it one.
    fn construct_alias(&mut self, e: ExprId, def: DefId, args: &[Arg]) -> Ty {
        let hir = self.cx.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return Ty::ERROR };
        let ty = match self.cx.defs.get(def.index()) {
            Some(DefTypes::Alias(ty)) => *ty,
            _ => Ty::ERROR,
        };
        let span = self.span(e);
        let [Arg { name: None, value: ArgValue::Expr(value), .. }] = args else {
            self.spoil_args(args);
            self.report(
                Diagnostic::new(
                    Code::MissingArgument,
                    span,
                    format!("`{}(…)` takes one value, without a name", declared.name),
                )
                .label(declared.name_span, "declared here"),
            );
            return ty;
        };
        let value = *value;
        if !matches!(self.cx.interner.kind(ty), TyKind::Refined { alias: Some(_), .. }) {
            self.expr(value, Expect::ERROR);
            if ty != Ty::ERROR {
                self.report(
                    Diagnostic::new(
                        Code::NotCallable,
                        span,
                        format!("`{}` has no rules, so there is nothing to check", declared.name),
                    )
                    .label(declared.name_span, "declared here")
                    .help("write the value itself"),
                );
            }
            return ty;
        }
        let result = match self.literal(value) {
            Some(_) => self.expr(value, Expect::of(ty, Why::Declared(declared.name_span))),
            None => {
                let base = self.base(ty);
                let given = self.expr(value, Expect::of(base, Why::Declared(declared.name_span)));
                if given != Ty::ERROR && self.fit(given, ty) != Fit::Yes {
                    self.coerced(value, Coercion::Check(ty));
                    self.set(value, ty);
                }
                ty
            }
        };
        self.out.calls.insert(
            e,
            CallTypes {
                args: smallvec::smallvec![ArgSource::Arg(0)],
                params: smallvec::smallvec![ty],
                result: ty,
                type_args: SmallVec::new(),
                selectors: Vec::new(),
            },
        );
        if result == Ty::ERROR { Ty::ERROR } else { ty }
    }

    /// A call of something whose places are known.
    pub(super) fn call_target(
        &mut self,
        e: ExprId,
        target: &Target<'a>,
        args: &'a [Arg],
        expect: Expect,
    ) -> Ty {
        let type_args: SmallVec<[Ty; 4]> = (0..target.type_params).map(|_| self.fresh()).collect();
        let params: SmallVec<[Ty; 4]> =
            target.types.iter().map(|ty| self.cx.interner.subst(*ty, &type_args)).collect();
        let result = self.cx.interner.subst(target.result, &type_args);
        let open = self.open_params(target);
        if !type_args.is_empty()
            && let Some(expected) = expect.ty
        {
            self.seed(result, expected, &type_args, &open);
        }
        let mut sources: SmallVec<[ArgSource; 2]> =
            smallvec::smallvec![ArgSource::Missing; params.len()];
        let mut broken = false;
        let reports = self.cx.reports;
        let places = self.assign(e, target, args, &mut sources, &mut broken);
        let mut selectors = Vec::new();
        // Integer literals last, because they become floats if the others are; selectors need what the others say.
        for pass in 0..3 {
            for (index, (arg, place)) in args.iter().zip(&places).enumerate() {
                let turn = match &arg.value {
                    ArgValue::Expr(e) => u8::from(self.int_literal(*e).is_some()),
                    ArgValue::Spread(_) => 0,
                    _ => 2,
                };
                if turn == pass {
                    self.argument(
                        target,
                        args,
                        index,
                        *place,
                        &params,
                        &mut sources,
                        &mut selectors,
                    );
                }
            }
        }
        self.missing(e, target, &params, &mut sources, broken);
        let fits = broken
            || self.check_classes(e, target, args, &type_args)
                && (self.cx.reports != reports
                    || self.check_order(target, args, &sources, &type_args));
        for (ty, is_open) in type_args.iter().zip(&open) {
            // What a mistake left open is not asked for.
            let is_spoiled = expect.ty.is_some_and(|ty| self.cx.interner.has_error(ty));
            if is_spoiled || self.cx.reports != reports {
                self.close(*ty);
            } else if *is_open {
                self.must_be_known(e, *ty, target.name, expect);
            }
        }
        // What a generic call gives depends on what it takes, so after a mistake nothing is known of it.
        let known = type_args.is_empty() || (fits && !broken && self.cx.reports == reports);
        let result = if known { result } else { Ty::ERROR };
        let result_now = self.resolve(result);
        self.out.calls.insert(e, CallTypes { args: sources, params, result, type_args, selectors });
        result_now
    }

    /// Which type parameters no parameter mentions: only the wanted type can tell them.
    fn open_params(&mut self, target: &Target<'_>) -> SmallVec<[bool; 4]> {
        let mut open: SmallVec<[bool; 4]> = smallvec::smallvec![true; target.type_params];
        if target.type_params > 0 {
            for ty in target.types {
                self.cx.interner.rebuild(*ty, &mut |interner, part| {
                    if let TyKind::Param(index) = interner.kind(part)
                        && let Some(slot) = open.get_mut(*index as usize)
                    {
                        *slot = false;
                    }
                    (!interner.has_param(part)).then_some(part)
                });
            }
        }
        open
    }

    /// Tells variables of the result what its place would like.
    fn seed(&mut self, result: Ty, expected: Ty, type_args: &[Ty], open: &[bool]) {
        let expected = self.shallow(expected);
        if expected == Ty::ERROR {
            return;
        }
        match self.cx.interner.kind(self.shallow(result)).clone() {
            TyKind::Var(_) => {
                let position = type_args.iter().position(|ty| *ty == result);
                let is_open = position.is_some_and(|i| open.get(i).copied().unwrap_or(false));
                let wanted = if is_open { expected } else { self.base(self.present(expected)) };
                self.hint(result, wanted);
            }
            TyKind::Optional(inner) => {
                let expected = self.present(expected);
                self.seed(inner, expected, type_args, open);
            }
            TyKind::Refined { base, .. } => {
                let expected = self.base(expected);
                self.seed(base, expected, type_args, open);
            }
            TyKind::List(item) => {
                if let TyKind::List(wanted) = self.kind(self.present(expected)).clone() {
                    self.seed(item, wanted, type_args, open);
                }
            }
            TyKind::Map(key, value) => {
                if let TyKind::Map(k, v) = self.kind(self.present(expected)).clone() {
                    self.seed(key, k, type_args, open);
                    self.seed(value, v, type_args, open);
                }
            }
            TyKind::Named(def, args) => {
                if let TyKind::Named(other, wanted) = self.kind(self.present(expected)).clone()
                    && def == other
                {
                    for (one, wanted) in args.iter().zip(wanted.iter()) {
                        // Parts of a record that exists keep their type exactly.
                        let exact: SmallVec<[bool; 4]> = smallvec::smallvec![true; type_args.len()];
                        self.seed(*one, *wanted, type_args, &exact);
                    }
                }
            }
            _ => {}
        }
    }

    /// Type parameters of std that only take numbers or quantities: whether they got such.
    fn check_classes(
        &mut self,
        e: ExprId,
        target: &Target<'_>,
        args: &[Arg],
        type_args: &[Ty],
    ) -> bool {
        let mut all = true;
        for (class, ty) in target.classes.iter().zip(type_args) {
            let what = match class {
                ParamClass::Any => continue,
                ParamClass::Number => "`int` and `float`",
                ParamClass::Quantity => "`int`, `float`, `money`, `duration` and `size`",
            };
            let fits = match self.kind(*ty) {
                TyKind::Prim(Prim::Int | Prim::Float) => true,
                TyKind::Prim(Prim::Money | Prim::Duration | Prim::Size) => {
                    *class == ParamClass::Quantity
                }
                TyKind::Error | TyKind::Never | TyKind::Var(_) | TyKind::Param(_) => true,
                _ => false,
            };
            if fits {
                continue;
            }
            let shown = self.show(*ty);
            let place = args.first().map_or_else(|| self.span(e), |arg| arg.span);
            self.report(
                Diagnostic::new(
                    Code::Mismatch,
                    place,
                    format!("`{}` needs {what}, found `{shown}`", target.name),
                )
                .label(target.span, "declared here"),
            );
            self.close(*ty);
            all = false;
        }
        all
    }

    /// Functions of std that sort, and those that make keys of maps: whether what they got can be that.
    fn check_order(
        &mut self,
        target: &Target<'_>,
        args: &[Arg],
        sources: &[ArgSource],
        type_args: &[Ty],
    ) -> bool {
        let hir = self.cx.hir;
        let Some(DefKind::Callable(callable)) = hir.defs.get(target.def.index()).map(|d| &d.kind)
        else {
            return true;
        };
        // Natives and their locators are the standard library's alone.
        let locator = match &callable.kind {
            CallableKind::Extern { kind, locator } if kind == "stable" => locator.as_str(),
            _ => return true,
        };
        let given = |name: &str| {
            let source = target.find(name).and_then(|place| sources.get(place)).copied();
            match source {
                Some(ArgSource::Arg(index)) => args.get(index as usize),
                _ => None,
            }
        };
        let selector = given("by").filter(|arg| matches!(arg.value, ArgValue::Selector(..)));
        let (ty, sorts) = match (locator, type_args) {
            ("list.sort" | "list.min" | "list.max", [item, key]) => {
                (if selector.is_some() { *key } else { *item }, true)
            }
            ("list.group", [_, key]) | ("map.from", [key, _]) => (*key, false),
            _ => return true,
        };
        let Some(place) = selector.or(args.first()) else { return true };
        let base = self.base(ty);
        let fits = if sorts { self.ordered(base) } else { self.cx.keys_maps(base) };
        if fits {
            return true;
        }
        let places = match (selector.map(|arg| &arg.value), args.first().map(|arg| &arg.value)) {
            (Some(ArgValue::Selector(name, _)), _) => {
                let item = type_args.first().map(|item| self.base(*item));
                item.and_then(|item| self.place_of_field(item, name)).into_iter().collect()
            }
            (_, Some(ArgValue::Expr(value))) => self.origins(*value),
            _ => SmallVec::<[Span; 4]>::new(),
        };
        if self.blamed(&places, Ty::ERROR) {
            return false;
        }
        let shown = self.show(ty);
        if sorts {
            let finding = Diagnostic::new(
                Code::BadOperands,
                place.span,
                format!("`{}` cannot put values of type `{shown}` in order", target.name),
            );
            let finding = if selector.is_some() {
                finding.here(format!("this field is `{shown}`"))
            } else {
                finding.here(format!("its items are `{shown}`"))
            };
            let is_record = matches!(self.kind(base), TyKind::Named(..)) && selector.is_none();
            self.report(if is_record {
                finding.help("name the field that counts: `by: .field`")
            } else {
                finding.help("use numbers, amounts, times, texts or enums")
            });
        } else {
            self.report(
                Diagnostic::new(
                    Code::MapKey,
                    place.span,
                    format!("`{shown}` cannot be the key of a map"),
                )
                .here(format!("`{}` would make keys of it", target.name))
                .help(
                    "use a text, a whole number, a bool, a time, an amount, or an enum whose variants carry no values",
                ),
            );
        }
        false
    }

    /// Where a field of a record type is declared.
    fn place_of_field(&self, ty: Ty, name: &str) -> Option<Span> {
        let TyKind::Named(def, _) = self.kind(ty) else { return None };
        match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Record(record)) => {
                record.fields.iter().find(|field| field.name == name).map(|field| field.span)
            }
            _ => None,
        }
    }

    /// The callable behind an argument such as `f` in `calls(f)`, or `f("a")` in `order(f("a"), g)`.
    pub(super) fn call_shape(&mut self, e: ExprId) {
        let Expr::Call { callee: Callee::Def(def), args, .. } = self.node(e) else {
            self.expr(e, Expect::ERROR);
            self.report(
                Diagnostic::new(Code::BadQuestion, self.span(e), "expected the name of a function")
                    .help("write a name, or a name with arguments: `order(first(\"a\"), second)`"),
            );
            return;
        };
        self.set(e, Ty::NONE);
        match self.target(*def) {
            Some(target) => {
                let target = Target { partial: true, ..target };
                self.call_target(e, &target, args, Expect::ERROR);
            }
            None => self.spoil_args(args),
        }
    }
}
