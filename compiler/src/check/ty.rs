//! Types of the checker: small handles into an interner, so that equality is a comparison of numbers.
//!
//! Trust and confidentiality words are not part of a type: labels are a pass of their own.

use rustc_hash::FxHashMap;

use crate::hir::{DefId, Literal};

/// A type; compare with `==`. Index into [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(pub u32);

/// What a type is.
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
    Named(DefId, Box<[Ty]>),
    /// A type with bounds; `alias` is set for a declared one, which is nominal upwards.
    Refined {
        /// The declaration.
        alias: Option<DefId>,
        /// What it refines.
        base: Ty,
        /// The constraints.
        bounds: Box<[Constraint]>,
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

/// All types of a compilation, each once.
#[derive(Debug, Default)]
pub struct Interner {
    kinds: Vec<TyKind>,
    known: FxHashMap<TyKind, Ty>,
}

impl Interner {
    /// The handle of a type.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(ty) = self.known.get(&kind) {
            return *ty;
        }
        let ty = Ty(u32::try_from(self.kinds.len()).unwrap_or(u32::MAX));
        self.kinds.push(kind.clone());
        self.known.insert(kind, ty);
        ty
    }

    /// What a type is; `Error` for a handle of another interner.
    pub fn kind(&self, ty: Ty) -> &TyKind {
        self.kinds.get(ty.0 as usize).unwrap_or(&TyKind::Error)
    }
}
