//! Types of declarations: written types become handles; signatures, fields and payloads are resolved once, before
//! any body is looked at. Never looks into a body.

use super::ty::{Prim, Ty, TyKind};
use super::{Checker, State};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{
    BoundValue, Callable, CallableKind, DefId, DefKind, Field, Literal, Qualifier, TypeRef,
    TypeRefKind,
};

/// Longest chain of aliases and constants that need each other.
const MAX_CHAIN: u32 = 128;

/// What a declaration's types are.
#[derive(Debug, Default)]
pub enum DefTypes {
    /// It has none: models, secrets, tests, triggers.
    #[default]
    None,
    /// A constant's type.
    Const(Ty),
    /// Fields of a record or session, in order.
    Record(Vec<Ty>),
    /// Payloads of an enum's variants, in order.
    Enum(Vec<Vec<Ty>>),
    /// What an alias stands for: a refined type that carries the alias's name if it has bounds.
    Alias(Ty),
    /// A callable.
    Callable(Signature),
}

/// Types of a callable, in its type parameters ([`TyKind::Param`]).
#[derive(Debug, Default, Clone)]
pub struct Signature {
    /// Parameters in order.
    pub params: Vec<Ty>,
    /// The result.
    pub result: Ty,
    /// Per type parameter what it takes.
    pub classes: Vec<ParamClass>,
    /// Static bound of the result's length, where the declaration says one.
    pub max_items: Option<ItemBound>,
}

impl Default for Ty {
    fn default() -> Self {
        Self::ERROR
    }
}

/// What a type parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamClass {
    /// Any type.
    Any,
    /// `int` and `float`: a parameter of std that is called `Number`.
    Number,
    /// Also `money`, `duration`, `size`: one that is called `Quantity`.
    Quantity,
}

/// A static bound of a result's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemBound {
    /// `where (max: 30)`
    Fixed(u64),
    /// `where (max: n)`: the value of that parameter.
    Value(u32),
    /// `where (max: len(xs))`: the length of that parameter.
    Length(u32),
    /// The first parameter's length or the second's value, whichever is less: `list.take`.
    Take,
    /// The sum of the lengths of the first two parameters: `list.append`.
    Append,
    /// The sum of the lengths of the lists in the first parameter: `list.concat`.
    Concat,
    /// The lesser length of the first two parameters: `list.zip`.
    Zip,
    /// The first parameter's length by the second's value, rounded up: `list.chunks`.
    Chunks,
    /// The whole numbers from the first parameter's value to the second's: `list.range`.
    Range,
    /// The positions of the first parameter from the second's value to the third's: `list.slice`.
    Slice,
}

impl Checker<'_> {
    /// The types of all declarations, those of constants left out.
    pub(super) fn declarations(&mut self) -> Vec<DefTypes> {
        for index in 0..self.hir.defs.len() {
            let id = DefId(u32::try_from(index).unwrap_or(u32::MAX));
            if matches!(self.hir.defs[index].kind, DefKind::Alias(_)) {
                self.alias(id);
            }
        }
        let hir = self.hir;
        let mut all = Vec::with_capacity(hir.defs.len());
        for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
            all.push(match &def.kind {
                DefKind::Record(record) | DefKind::Session(record) => {
                    DefTypes::Record(self.field_types(&record.fields))
                }
                DefKind::Enum(declared) => DefTypes::Enum(
                    declared.variants.iter().map(|v| self.field_types(&v.fields)).collect(),
                ),
                DefKind::Callable(callable) => {
                    let is_std = hir.modules.get(def.module.index()).is_some_and(|m| m.is_std);
                    DefTypes::Callable(self.signature(callable, is_std))
                }
                DefKind::Alias(_) => DefTypes::Alias(self.alias(id)),
                DefKind::Const { .. }
                | DefKind::Model { .. }
                | DefKind::Secret
                | DefKind::Test(_) => DefTypes::None,
            });
        }
        self.check_declarations(&all);
        all
    }

    fn field_types(&mut self, fields: &[Field]) -> Vec<Ty> {
        fields.iter().map(|field| self.ty(&field.ty)).collect()
    }

    fn signature(&mut self, callable: &Callable, is_std: bool) -> Signature {
        let params = callable.params.iter().map(|param| self.ty(&param.ty)).collect();
        let names_params = matches!(callable.kind, CallableKind::Fn | CallableKind::Extern { .. });
        let result = self.ty_with(&callable.result, None, names_params);
        let classes = callable
            .type_params
            .iter()
            .map(|name| match name.as_str() {
                "Number" if is_std => ParamClass::Number,
                "Quantity" if is_std => ParamClass::Quantity,
                _ => ParamClass::Any,
            })
            .collect();
        let max_items = self.declared_max(callable, result, is_std);
        Signature { params, result, classes, max_items }
    }

    fn declared_max(&self, callable: &Callable, result: Ty, is_std: bool) -> Option<ItemBound> {
        // What no bound can say: sums and minima of lengths.
        if is_std && let CallableKind::Extern { locator, .. } = &callable.kind {
            match locator.as_str() {
                "list.take" | "list.last" => return Some(ItemBound::Take),
                "list.append" => return Some(ItemBound::Append),
                "list.concat" => return Some(ItemBound::Concat),
                "list.zip" => return Some(ItemBound::Zip),
                "list.chunks" => return Some(ItemBound::Chunks),
                "list.range" => return Some(ItemBound::Range),
                "list.slice" => return Some(ItemBound::Slice),
                _ => {}
            }
        }
        let written = callable.result.bounds.iter().find(|bound| bound.name == "max");
        if let Some(BoundValue::Param { index, length }) = written.map(|bound| &bound.value) {
            self.interner.item(result)?;
            return Some(if *length {
                ItemBound::Length(*index)
            } else {
                ItemBound::Value(*index)
            });
        }
        self.type_max(result).map(ItemBound::Fixed)
    }

    /// The alias's type, resolved on first use.
    fn alias(&mut self, id: DefId) -> Ty {
        let hir = self.hir;
        let Some(def) = hir.defs.get(id.index()) else { return Ty::ERROR };
        let DefKind::Alias(alias) = &def.kind else { return Ty::ERROR };
        match self.states[id.index()] {
            State::Done => {}
            State::Busy => {
                self.report(
                    Diagnostic::new(
                        Code::EndlessType,
                        def.name_span,
                        format!("the type `{}` is defined as itself", def.name),
                    )
                    .here("this leads back to it")
                    .help("define it as a record, an enum or a primitive type"),
                );
                return Ty::ERROR;
            }
            State::Fresh => {
                if self.depth > MAX_CHAIN {
                    self.report(Diagnostic::new(
                        Code::EndlessType,
                        def.name_span,
                        format!(
                            "types are defined as other types more than {MAX_CHAIN} times in a row"
                        ),
                    ));
                    return Ty::ERROR;
                }
                self.states[id.index()] = State::Busy;
                self.depth += 1;
                let ty = self.ty_with(&alias.ty, Some(id), false);
                self.depth -= 1;
                self.states[id.index()] = State::Done;
                self.found.insert(id, ty);
            }
        }
        self.found.get(&id).copied().unwrap_or(Ty::ERROR)
    }

    /// A written type.
    pub(super) fn ty(&mut self, written: &TypeRef) -> Ty {
        let ty = self.ty_with(written, None, false);
        if self.interner.take_too_deep() {
            self.type_too_deep(written.span);
        }
        ty
    }

    /// Reports a type that nests too deeply.
    pub(super) fn type_too_deep(&mut self, span: Span) {
        self.trouble();
        // What is built of it would be too deep again.
        if std::mem::replace(&mut self.said_too_deep, true) {
            return;
        }
        self.report(
            Diagnostic::new(
                Code::EndlessType,
                span,
                format!("the type nests more than {} levels deep, the limit", super::ty::MAX_DEPTH),
            )
            .help("declare a record for a part of it"),
        );
    }

    /// A written type; its bounds make it `alias`, and may name parameters if `names_params`.
    fn ty_with(&mut self, written: &TypeRef, alias: Option<DefId>, names_params: bool) -> Ty {
        if written.quals.contains(&Qualifier::Secret) {
            // A secret that may be left out is a matter of the library: elsewhere one could ask whether it is there.
            let may_be_none = matches!(written.kind, TypeRefKind::Optional(_)) && {
                let module = self.module_of_file(written.span);
                self.hir.modules.get(module.index()).is_some_and(|module| module.is_std)
            };
            return if may_be_none { self.interner.optional(Ty::SECRET) } else { Ty::SECRET };
        }
        let base = match &written.kind {
            TypeRefKind::Missing => return Ty::ERROR,
            TypeRefKind::Primitive(name) => match Prim::parse(name) {
                Some(prim) => prim.ty(),
                None => return Ty::ERROR,
            },
            TypeRefKind::Named(def, args) => {
                let args: Vec<Ty> = args.iter().map(|arg| self.ty(arg)).collect();
                match self.hir.defs.get(def.index()).map(|def| &def.kind) {
                    Some(DefKind::Record(_) | DefKind::Enum(_)) => self.interner.named(*def, &args),
                    Some(DefKind::Alias(_)) => {
                        let ty = self.alias(*def);
                        self.interner.subst(ty, &args)
                    }
                    _ => return Ty::ERROR,
                }
            }
            TypeRefKind::Param(index) => self.interner.intern(TyKind::Param(*index)),
            TypeRefKind::List(item) => {
                let item = self.ty(item);
                self.interner.list(item)
            }
            TypeRefKind::Map(key, value) => {
                let key_ty = self.ty(key);
                self.check_key(key_ty, key.span);
                let value = self.ty(value);
                self.interner.map(key_ty, value)
            }
            TypeRefKind::Optional(inner) => {
                let inner = self.ty(inner);
                self.interner.optional(inner)
            }
            TypeRefKind::Selector(record, field) => {
                let record = self.ty(record);
                let field = self.ty(field);
                self.interner.intern(TyKind::Selector(record, field))
            }
        };
        if written.bounds.is_empty() {
            return base;
        }
        // `text? where (max_len: 9)` bounds the text.
        let optional = self.interner.is_optional(base);
        let inner = if optional { self.interner.present(base) } else { base };
        let Some(bounds) = self.constraints(inner, &written.bounds, names_params) else {
            return Ty::ERROR;
        };
        if bounds.is_empty() {
            return base;
        }
        let alias = if optional { None } else { alias };
        let refined = self.interner.intern(TyKind::Refined { alias, base: inner, bounds });
        if optional { self.interner.optional(refined) } else { refined }
    }

    /// Whether values of a type, its bounds aside, can be keys of maps: what has one wire form that is a text.
    pub(super) fn keys_maps(&self, key: Ty) -> bool {
        match self.interner.kind(key) {
            TyKind::Error | TyKind::Param(_) | TyKind::Var(_) => true,
            TyKind::Prim(prim) => matches!(
                prim,
                Prim::Text
                    | Prim::Int
                    | Prim::Bool
                    | Prim::Time
                    | Prim::Duration
                    | Prim::Money
                    | Prim::Size
            ),
            TyKind::Named(def, _) => match self.hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Enum(one)) => one.variants.iter().all(|v| v.fields.is_empty()),
                _ => false,
            },
            _ => false,
        }
    }

    /// Keys of maps have one wire form each: scalars and enums without payload.
    fn check_key(&mut self, key: Ty, span: Span) {
        let fits = self.keys_maps(self.interner.base(key));
        if !fits {
            let module = self.module_of_file(span);
            let shown = self.show(key, module);
            self.report(
                Diagnostic::new(
                    Code::MapKey,
                    span,
                    format!("`{shown}` cannot be the key of a map"),
                )
                .here(
                    "use a text, a whole number, a bool, a time, an amount, or an enum whose variants carry no values",
                ),
            );
        }
    }

    /// The module whose file a place is in; the root module if there is none.
    pub(super) fn module_of_file(&self, span: Span) -> crate::hir::ModuleId {
        let index = self.hir.modules.iter().position(|module| module.file == span.file);
        crate::hir::ModuleId(index.and_then(|i| u32::try_from(i).ok()).unwrap_or(0))
    }

    /// The most items that a list of this type has, if its bounds say so.
    pub(super) fn type_max(&self, mut ty: Ty) -> Option<u64> {
        self.interner.item(ty)?;
        let mut least = None;
        while let TyKind::Refined { base, bounds, .. } = self.interner.kind(ty) {
            for bound in bounds.iter() {
                if let ("max", Literal::Int(n)) = (bound.name.as_str(), &bound.value.0) {
                    let n = u64::try_from(*n).unwrap_or(0);
                    least = Some(least.map_or(n, |old: u64| old.min(n)));
                }
            }
            ty = *base;
        }
        least
    }
}
