//! The type table of a program: types of the checker, instantiated, each once.

use kait_ir::types::{Bound, EnumType, FieldType, RecordType, Type, TypeId, VariantType};
use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::Lowerer;
use super::values::literal;
use crate::check::ty::{Constraint, Prim, Ty, TyKind};
use crate::hir::{DefId, DefKind, Field, Literal};

/// Which types the program has so far.
#[derive(Default)]
pub(super) struct TypeTable {
    /// Types without type parameters, by the checker's handle.
    closed: FxHashMap<Ty, TypeId>,
    /// Structural types.
    structural: FxHashMap<Type, TypeId>,
    /// Records and enums with their type arguments.
    nominal: FxHashMap<(DefId, Box<[TypeId]>), TypeId>,
    /// Nominal types that are reserved and still to be filled: they may contain themselves.
    pending: Vec<(TypeId, DefId, Box<[TypeId]>)>,
}

impl Lowerer<'_> {
    /// A type of the checker, with type parameters replaced by `subst`.
    pub(super) fn ty(&mut self, ty: Ty, subst: &[TypeId]) -> TypeId {
        if let Some(known) = self.table.closed.get(&ty) {
            return *known;
        }
        let types = self.input.types;
        let kind = types.interner.kind(ty);
        let found = match kind {
            TyKind::Param(index) => match subst.get(*index as usize) {
                Some(known) => return *known,
                None => self.plain(Type::None),
            },
            TyKind::Error | TyKind::Never | TyKind::Var(_) => self.plain(Type::None),
            TyKind::Prim(prim) => self.plain(primitive(*prim)),
            TyKind::List(item) => {
                let item = self.ty(*item, subst);
                self.plain(Type::List(item))
            }
            TyKind::Map(key, value) => {
                let key = self.ty(*key, subst);
                let value = self.ty(*value, subst);
                self.plain(Type::Map(key, value))
            }
            TyKind::Optional(inner) => {
                let inner = self.ty(*inner, subst);
                match self.program.types.get(inner) {
                    // `T?` where `T` became an optional is that optional.
                    Type::Optional(_) | Type::None => inner,
                    _ => self.plain(Type::Optional(inner)),
                }
            }
            TyKind::Selector(..) => self.plain(Type::Selector),
            TyKind::Refined { alias, base, bounds } => {
                let base = self.ty(*base, subst);
                let name = alias.map(|alias| self.qualified(alias));
                let bounds = bounds.iter().filter_map(bound).collect();
                self.plain(Type::Refined { name, base, bounds })
            }
            TyKind::Named(def, args) => {
                let args: Box<[TypeId]> = args.iter().map(|arg| self.ty(*arg, subst)).collect();
                self.nominal(*def, args)
            }
        };
        // What has type parameters is another type in each instance.
        if subst.is_empty() && !types.interner.has_param(ty) {
            self.table.closed.insert(ty, found);
        }
        found
    }

    /// A type that is not nominal.
    pub(super) fn plain(&mut self, ty: Type) -> TypeId {
        if let Some(known) = self.table.structural.get(&ty) {
            return *known;
        }
        let id = self.program.types.push(ty.clone());
        self.table.structural.insert(ty, id);
        id
    }

    fn nominal(&mut self, def: DefId, args: Box<[TypeId]>) -> TypeId {
        let key = (def, args);
        if let Some(known) = self.table.nominal.get(&key) {
            return *known;
        }
        let mut name = self.qualified(def).to_string();
        if !key.1.is_empty() {
            let shown: Vec<String> = key.1.iter().map(|arg| self.program.type_text(*arg)).collect();
            name = format!("{name}<{}>", shown.join(", "));
        }
        // Until it is filled it stands there as a record of its name.
        let reserved =
            RecordType { name: name.into(), docs: SmolStr::default(), fields: Vec::new() };
        let id = self.program.types.push(Type::Record(reserved));
        self.table.pending.push((id, def, key.1.clone()));
        self.table.nominal.insert(key, id);
        id
    }

    /// Fills the next nominal type that is only reserved; says whether there was one.
    pub(super) fn fill_type(&mut self) -> bool {
        let Some((id, def, args)) = self.table.pending.pop() else { return false };
        let hir = self.input.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return true };
        let name = match self.program.types.get(id) {
            Type::Record(reserved) => reserved.name.clone(),
            _ => SmolStr::default(),
        };
        let docs = declared.docs.clone();
        let types = self.input.types;
        let ty = match &declared.kind {
            DefKind::Record(record) => {
                let tys = types.fields(def).unwrap_or_default();
                let fields = self.fields(def, &record.fields, tys, &args);
                Type::Record(RecordType { name, docs, fields })
            }
            DefKind::Enum(declared) => {
                let mut variants = Vec::with_capacity(declared.variants.len());
                for (index, variant) in (0u32..).zip(&declared.variants) {
                    let tys = types.variant(def, index).unwrap_or_default();
                    let mut fields = self.fields(def, &variant.fields, tys, &args);
                    for field in fields.iter_mut().filter(|field| field.wire == "kind") {
                        // Only `Failure.Budget` has such a field; `kind` says which variant a value is.
                        field.wire = SmolStr::new_static("kind_");
                    }
                    variants.push(VariantType {
                        name: variant.name.clone(),
                        wire: variant
                            .wire
                            .clone()
                            .unwrap_or_else(|| crate::check::snake_case(&variant.name)),
                        docs: variant.docs.clone(),
                        fields,
                    });
                }
                Type::Enum(EnumType { name, docs, variants })
            }
            _ => Type::None,
        };
        self.program.types.set(id, ty);
        true
    }

    fn fields(
        &mut self,
        owner: DefId,
        fields: &[Field],
        tys: &[Ty],
        subst: &[TypeId],
    ) -> Vec<FieldType> {
        let mut found = Vec::with_capacity(fields.len());
        for (field, ty) in fields.iter().zip(tys) {
            let default = field.default.and_then(|default| self.folded(owner, default, subst));
            found.push(FieldType {
                name: field.name.clone(),
                wire: field.wire.clone().unwrap_or_else(|| field.name.clone()),
                docs: field.docs.clone(),
                ty: self.ty(*ty, subst),
                default,
                trust: crate::labels::word(self.input.hir, &field.ty),
            });
        }
        found
    }

    /// A definition's name as a program shows it: that of the root module and the prelude without module.
    pub(super) fn qualified(&self, def: DefId) -> SmolStr {
        let hir = self.input.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return SmolStr::new_static("?") };
        match hir.modules.get(declared.module.index()) {
            Some(module) if module.is_std && module.name == kait_stdlib::PRELUDE => {
                declared.name.clone()
            }
            Some(module) if !module.name.is_empty() => {
                format_smolstr!("{}.{}", module.name, declared.name)
            }
            _ => declared.name.clone(),
        }
    }
}

pub(crate) fn primitive(prim: Prim) -> Type {
    match prim {
        Prim::Text => Type::Text,
        Prim::Secret => Type::Secret,
        Prim::Int => Type::Int,
        Prim::Float => Type::Float,
        Prim::Bool => Type::Bool,
        Prim::Bytes => Type::Bytes,
        Prim::Json => Type::Json,
        Prim::Time => Type::Time,
        Prim::Duration => Type::Duration,
        Prim::Money => Type::Money,
        Prim::Size => Type::Size,
        Prim::Image => Type::Image,
        Prim::Audio => Type::Audio,
        Prim::File => Type::File,
        Prim::None => Type::None,
        Prim::Role => Type::Role,
    }
}

pub(crate) fn bound(constraint: &Constraint) -> Option<Bound> {
    let value = &constraint.value.0;
    let length = |value: &Literal| match value {
        Literal::Int(n) => u64::try_from(*n).ok(),
        _ => None,
    };
    let text = |value: &Literal| match value {
        Literal::Text(text) => Some(text.clone()),
        _ => None,
    };
    Some(match constraint.name.as_str() {
        "min" => Bound::Min(literal(value)),
        "max" => Bound::Max(literal(value)),
        "min_len" => Bound::MinLen(length(value)?),
        "max_len" => Bound::MaxLen(length(value)?),
        "pattern" => Bound::Pattern(text(value)?),
        "format" => Bound::Format(text(value)?),
        "multiple_of" => Bound::MultipleOf(literal(value)),
        "unique" if *value == Literal::Bool(true) => Bound::Unique,
        _ => return None,
    })
}
