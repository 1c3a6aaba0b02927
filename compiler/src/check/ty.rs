//! Types of the checker: small handles into an interner, so that equality is a comparison of numbers.
//!
//! Trust and confidentiality words are not part of a type: labels are a pass of their own.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::hir::{DefId, Literal};

/// A type; compare with `==`. Index into [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(pub u32);

/// What a type is; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TyKind {
    /// Something that was already reported: fits everywhere, reports nothing.
    Error,
    /// The type of `fail`, `done`, `next`: fits everywhere.
    Never,
    /// A primitive.
    Prim(Prim),
    /// `[T]`
    List(Ty),
    /// `[K: V]`
    Map(Ty, Ty),
    /// `T?`; never of an optional.
    Optional(Ty),
    /// A record or enum with type arguments.
    Named(DefId, Arc<[Ty]>),
    /// A type with bounds; `alias` is set for a declared one, which is nominal upwards.
    Refined {
        /// The declaration.
        alias: Option<DefId>,
        /// What it refines.
        base: Ty,
        /// The constraints.
        bounds: Arc<[Constraint]>,
    },
    /// A type parameter of the declaration that is checked.
    Param(u32),
    /// `field<T, K>`
    Selector(Ty, Ty),
    /// Not yet known (an empty list's items): only inside inference.
    Var(u32),
}

/// Primitive types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the language's word for it")]
pub enum Prim {
    Text,
    Int,
    Float,
    Bool,
    Bytes,
    Json,
    Time,
    Duration,
    Money,
    Size,
    Image,
    Audio,
    File,
    None,
    Role,
    Secret,
}

/// A constraint of `where (…)`, with numbers as literals so that it can be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// `min max min_len max_len pattern format multiple_of unique`
    pub name: smol_str::SmolStr,
    /// Its value.
    pub value: LiteralKey,
}

/// A literal that can be hashed: floats by their bits.
#[derive(Clone, Debug, PartialEq)]
pub struct LiteralKey(pub Literal);

impl Eq for LiteralKey {}

impl std::hash::Hash for LiteralKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match &self.0 {
            Literal::Int(n) => n.hash(state),
            Literal::Float(x) => x.to_bits().hash(state),
            Literal::Text(text) => text.hash(state),
            Literal::Bool(b) => b.hash(state),
            Literal::None => 0u8.hash(state),
            Literal::Duration(n) => n.hash(state),
            Literal::Size(n) => n.hash(state),
            Literal::Money(amount, currency) => {
                amount.hash(state);
                currency.hash(state);
            }
        }
    }
}

/// A type contains inference variables.
const HAS_VAR: u8 = 1;
/// A type contains type parameters.
const HAS_PARAM: u8 = 2;
/// A type contains `Error`.
const HAS_ERROR: u8 = 4;

/// How deep types nest: beyond it they become `Error`, and [`Interner::take_too_deep`] tells. Whoever walks types by
/// recursion may rely on it.
pub const MAX_DEPTH: u8 = 100;

#[expect(missing_docs, reason = "each is the language's word for it")]
impl Ty {
    pub const ERROR: Self = Self(0);
    pub const NEVER: Self = Self(1);
    pub const TEXT: Self = Self(2);
    pub const INT: Self = Self(3);
    pub const FLOAT: Self = Self(4);
    pub const BOOL: Self = Self(5);
    pub const BYTES: Self = Self(6);
    pub const JSON: Self = Self(7);
    pub const TIME: Self = Self(8);
    pub const DURATION: Self = Self(9);
    pub const MONEY: Self = Self(10);
    pub const SIZE: Self = Self(11);
    pub const IMAGE: Self = Self(12);
    pub const AUDIO: Self = Self(13);
    pub const FILE: Self = Self(14);
    pub const NONE: Self = Self(15);
    pub const ROLE: Self = Self(16);
    pub const SECRET: Self = Self(17);
}

impl Prim {
    /// Every primitive, in the order of their handles: `ALL[i]` is `Ty(2 + i)`.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::Bytes,
        Self::Json,
        Self::Time,
        Self::Duration,
        Self::Money,
        Self::Size,
        Self::Image,
        Self::Audio,
        Self::File,
        Self::None,
        Self::Role,
        Self::Secret,
    ];

    /// Whether each value has one short written form, which people write into a form and addresses hold.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Int
                | Self::Float
                | Self::Bool
                | Self::Time
                | Self::Duration
                | Self::Money
                | Self::Size
        )
    }

    /// The primitive of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prim| prim.as_str() == name)
    }

    /// The language's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Money => "money",
            Self::Size => "size",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::File => "file",
            Self::None => "none",
            Self::Role => "role",
            Self::Secret => "secret",
        }
    }

    /// Its handle.
    #[must_use]
    pub fn ty(self) -> Ty {
        let index = Self::ALL.iter().position(|prim| *prim == self).unwrap_or(0);
        Ty(u32::try_from(index + 2).unwrap_or(0))
    }
}

/// All types of a compilation, each once. Handles of the primitives are constants of [`Ty`].
#[derive(Clone, Debug)]
pub struct Interner {
    kinds: Vec<TyKind>,
    flags: Vec<u8>,
    depths: Vec<u8>,
    known: FxHashMap<TyKind, Ty>,
    /// The arguments of what has none.
    no_args: Arc<[Ty]>,
    too_deep: bool,
}

impl Default for Interner {
    fn default() -> Self {
        let mut new = Self {
            kinds: Vec::new(),
            flags: Vec::new(),
            depths: Vec::new(),
            known: FxHashMap::default(),
            no_args: Arc::default(),
            too_deep: false,
        };
        new.intern(TyKind::Error);
        new.intern(TyKind::Never);
        for prim in Prim::ALL {
            new.intern(TyKind::Prim(prim));
        }
        new
    }
}

impl Interner {
    /// The handle of a type.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(ty) = self.known.get(&kind) {
            return *ty;
        }
        let (mut flags, mut depth) = match &kind {
            TyKind::Error => (HAS_ERROR, 0),
            TyKind::Param(_) => (HAS_PARAM, 0),
            TyKind::Var(_) => (HAS_VAR, 0),
            _ => (0, 0),
        };
        let mut part = |ty: Ty| {
            flags |= self.flags_of(ty);
            depth = depth.max(self.depths.get(ty.0 as usize).map_or(0, |depth| depth + 1));
        };
        match &kind {
            TyKind::List(t) | TyKind::Optional(t) | TyKind::Refined { base: t, .. } => part(*t),
            TyKind::Map(k, v) | TyKind::Selector(k, v) => {
                part(*k);
                part(*v);
            }
            TyKind::Named(_, args) => args.iter().copied().for_each(part),
            TyKind::Error | TyKind::Never | TyKind::Prim(_) | TyKind::Param(_) | TyKind::Var(_) => {
            }
        }
        if depth > MAX_DEPTH {
            self.too_deep = true;
            return Ty::ERROR;
        }
        let ty = Ty(u32::try_from(self.kinds.len()).unwrap_or(u32::MAX));
        self.kinds.push(kind.clone());
        self.flags.push(flags);
        self.depths.push(depth);
        self.known.insert(kind, ty);
        ty
    }

    /// What a type is; `Error` for a handle of another interner.
    #[must_use]
    pub fn kind(&self, ty: Ty) -> &TyKind {
        self.kinds.get(ty.0 as usize).unwrap_or(&TyKind::Error)
    }

    /// Whether a type was nested more than [`MAX_DEPTH`] levels since this was last asked; it became `Error`.
    pub fn take_too_deep(&mut self) -> bool {
        std::mem::take(&mut self.too_deep)
    }

    /// How many types there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Never: the primitives are always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// `[T]`
    pub fn list(&mut self, item: Ty) -> Ty {
        self.intern(TyKind::List(item))
    }

    /// `[K: V]`
    pub fn map(&mut self, key: Ty, value: Ty) -> Ty {
        self.intern(TyKind::Map(key, value))
    }

    /// `T?`, flat: the optional of an optional is itself, and of `none` is `none`.
    pub fn optional(&mut self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::Error | TyKind::Optional(_) | TyKind::Prim(Prim::None) => ty,
            TyKind::Never => Ty::NONE,
            _ => self.intern(TyKind::Optional(ty)),
        }
    }

    /// A record or enum.
    pub fn named(&mut self, def: DefId, args: &[Ty]) -> Ty {
        let args = if args.is_empty() { Arc::clone(&self.no_args) } else { args.into() };
        self.intern(TyKind::Named(def, args))
    }

    /// Whether there is the type of a record or enum without type parameters: whether anything is of it.
    #[must_use]
    pub fn has_named(&self, def: DefId) -> bool {
        self.known.contains_key(&TyKind::Named(def, Arc::clone(&self.no_args)))
    }

    /// The type below all refinements.
    #[must_use]
    pub fn base(&self, mut ty: Ty) -> Ty {
        // A refinement is interned after what it refines, so the chain ends.
        while let TyKind::Refined { base, .. } = self.kind(ty) {
            ty = *base;
        }
        ty
    }

    /// What is inside an optional, refinements around it set aside; the type itself if it is none.
    #[must_use]
    pub fn present(&self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::Optional(inner) => *inner,
            TyKind::Refined { base, .. } if self.is_optional(*base) => self.present(*base),
            _ => ty,
        }
    }

    /// Whether a value may be `none` besides something else.
    #[must_use]
    pub fn is_optional(&self, ty: Ty) -> bool {
        matches!(self.kind(self.base(ty)), TyKind::Optional(_))
    }

    /// The items of a list type, refinements set aside.
    #[must_use]
    pub fn item(&self, ty: Ty) -> Option<Ty> {
        match self.kind(self.base(ty)) {
            TyKind::List(item) => Some(*item),
            _ => None,
        }
    }

    /// Whether an inference variable is in it.
    #[must_use]
    pub fn has_var(&self, ty: Ty) -> bool {
        self.flags_of(ty) & HAS_VAR != 0
    }

    /// Whether a type parameter is in it.
    #[must_use]
    pub fn has_param(&self, ty: Ty) -> bool {
        self.flags_of(ty) & HAS_PARAM != 0
    }

    /// Whether something that was already reported is in it.
    #[must_use]
    pub fn has_error(&self, ty: Ty) -> bool {
        self.flags_of(ty) & HAS_ERROR != 0
    }

    /// The type with its parameters replaced; those that `args` does not have become `Error`.
    pub fn subst(&mut self, ty: Ty, args: &[Ty]) -> Ty {
        if !self.has_param(ty) {
            return ty;
        }
        self.rebuild(ty, &mut |interner, leaf| match interner.kind(leaf) {
            TyKind::Param(index) => Some(args.get(*index as usize).copied().unwrap_or(Ty::ERROR)),
            _ if !interner.has_param(leaf) => Some(leaf),
            _ => None,
        })
    }

    /// The type with parts replaced: `change` gives the new part, or `None` to look into it.
    pub fn rebuild(&mut self, ty: Ty, change: &mut impl FnMut(&mut Self, Ty) -> Option<Ty>) -> Ty {
        if let Some(new) = change(self, ty) {
            return new;
        }
        match self.kind(ty).clone() {
            TyKind::Error | TyKind::Never | TyKind::Prim(_) | TyKind::Param(_) | TyKind::Var(_) => {
                ty
            }
            TyKind::List(item) => {
                let item = self.rebuild(item, change);
                self.list(item)
            }
            TyKind::Map(key, value) => {
                let key = self.rebuild(key, change);
                let value = self.rebuild(value, change);
                self.map(key, value)
            }
            TyKind::Optional(inner) => {
                let inner = self.rebuild(inner, change);
                self.optional(inner)
            }
            TyKind::Named(def, args) => {
                let args: Arc<[Ty]> = args.iter().map(|ty| self.rebuild(*ty, change)).collect();
                self.intern(TyKind::Named(def, args))
            }
            TyKind::Refined { alias, base, bounds } => {
                let base = self.rebuild(base, change);
                self.intern(TyKind::Refined { alias, base, bounds })
            }
            TyKind::Selector(record, field) => {
                let record = self.rebuild(record, change);
                let field = self.rebuild(field, change);
                self.intern(TyKind::Selector(record, field))
            }
        }
    }

    /// Takes over what another interner, which began with the first `old` types of this one, has besides: the handles
    /// here of its types, from that one on.
    pub(super) fn adopt(&mut self, other: &Self, old: usize) -> Vec<Ty> {
        let mut handles: Vec<Ty> = Vec::with_capacity(other.kinds.len().saturating_sub(old));
        for kind in other.kinds.iter().skip(old) {
            // Parts are interned before wholes.
            let here = |ty: Ty| {
                let new = (ty.0 as usize).checked_sub(old).and_then(|at| handles.get(at));
                new.copied().unwrap_or(ty)
            };
            let kind = match kind {
                TyKind::Error
                | TyKind::Never
                | TyKind::Prim(_)
                | TyKind::Param(_)
                | TyKind::Var(_) => kind.clone(),
                TyKind::List(item) => TyKind::List(here(*item)),
                TyKind::Map(key, value) => TyKind::Map(here(*key), here(*value)),
                TyKind::Optional(inner) => TyKind::Optional(here(*inner)),
                TyKind::Named(def, args) => {
                    TyKind::Named(*def, args.iter().copied().map(here).collect())
                }
                TyKind::Refined { alias, base, bounds } => {
                    TyKind::Refined { alias: *alias, base: here(*base), bounds: Arc::clone(bounds) }
                }
                TyKind::Selector(record, field) => TyKind::Selector(here(*record), here(*field)),
            };
            handles.push(self.intern(kind));
        }
        handles
    }

    fn flags_of(&self, ty: Ty) -> u8 {
        self.flags.get(ty.0 as usize).copied().unwrap_or(HAS_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_of_primitives_are_the_constants() {
        let interner = Interner::default();
        for prim in Prim::ALL {
            assert_eq!(interner.kind(prim.ty()), &TyKind::Prim(prim));
            assert_eq!(Prim::parse(prim.as_str()), Some(prim));
        }
        assert_eq!(interner.kind(Ty::ERROR), &TyKind::Error);
        assert_eq!(interner.kind(Ty::NEVER), &TyKind::Never);
        assert_eq!(Prim::Secret.ty(), Ty::SECRET);
        assert_eq!(Prim::Text.ty(), Ty::TEXT);
    }

    #[test]
    fn equal_types_have_equal_handles_and_optionals_are_flat() {
        let mut interner = Interner::default();
        let one = interner.list(Ty::TEXT);
        assert_eq!(one, interner.list(Ty::TEXT));
        let optional = interner.optional(one);
        assert_ne!(one, optional);
        assert_eq!(interner.optional(optional), optional);
        assert_eq!(interner.optional(Ty::NONE), Ty::NONE);
        assert_eq!(interner.present(optional), one);
    }

    #[test]
    fn types_do_not_nest_without_end() {
        let mut interner = Interner::default();
        let mut ty = Ty::TEXT;
        for _ in 0..MAX_DEPTH {
            ty = interner.list(ty);
        }
        assert!(!interner.take_too_deep());
        assert_eq!(interner.list(ty), Ty::ERROR);
        assert!(interner.take_too_deep());
        assert!(!interner.take_too_deep());
    }

    #[test]
    fn types_of_another_interner_get_their_handles_here() {
        let mut one = Interner::default();
        one.list(Ty::TEXT);
        let mut other = one.clone();
        let old = one.len();
        one.list(Ty::INT);
        let deep = other.list(Ty::INT);
        let whole = other.named(DefId(3), &[deep, Ty::BOOL]);
        let handles = one.adopt(&other, old);
        assert_eq!(handles.len(), 2);
        let of = |ty: Ty| handles[ty.0 as usize - old];
        assert_eq!(one.kind(of(whole)), &TyKind::Named(DefId(3), [of(deep), Ty::BOOL].into()));
        assert_eq!(of(deep), one.list(Ty::INT));
        assert_eq!(one.len(), old + 2, "none is there twice");
    }

    #[test]
    fn parameters_are_replaced_everywhere() {
        let mut interner = Interner::default();
        let t = interner.intern(TyKind::Param(0));
        let u = interner.intern(TyKind::Param(1));
        let pair = interner.named(DefId(3), &[t, u]);
        let list = interner.list(pair);
        assert!(interner.has_param(list));
        let new = interner.subst(list, &[Ty::TEXT, Ty::INT]);
        let want = interner.named(DefId(3), &[Ty::TEXT, Ty::INT]);
        assert_eq!(new, interner.list(want));
        assert!(!interner.has_param(new));
    }
}
