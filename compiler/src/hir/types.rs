//! Types as the program writes them, with their names resolved; what they mean is the checker's.

use smol_str::SmolStr;

use super::{DefId, Literal};
use crate::diagnostics::Span;

/// A type as written, names resolved.
#[derive(Clone, Debug)]
pub struct TypeRef {
    /// What it is.
    pub kind: TypeRefKind,
    /// `trusted`, `secret`, …: outermost first.
    pub quals: Vec<Qualifier>,
    /// Constraints of `where (…)`; empty if there are none.
    pub bounds: Vec<BoundRef>,
    /// Where.
    pub span: Span,
}

/// The kinds of written types.
#[derive(Clone, Debug)]
pub enum TypeRefKind {
    /// Could not be read; already reported.
    Missing,
    /// A primitive by name: `text int float bool bytes json time duration money size image audio file none role`.
    Primitive(SmolStr),
    /// A record, enum, alias or session with type arguments.
    Named(DefId, Vec<TypeRef>),
    /// A type parameter of the enclosing declaration, by index.
    Param(u32),
    /// `[T]`
    List(Box<TypeRef>),
    /// `[K: V]`
    Map(Box<TypeRef>, Box<TypeRef>),
    /// `T?`
    Optional(Box<TypeRef>),
    /// `field<T, K>`
    Selector(Box<TypeRef>, Box<TypeRef>),
}

/// A trust or confidentiality word in front of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// `secret`
    Secret,
    /// `trusted`
    Trusted,
    /// `untrusted`
    Untrusted,
    /// `public`
    Public,
    /// `private`
    Private,
}

/// `min: 1` of a `where (…)`.
#[derive(Clone, Debug)]
pub struct BoundRef {
    /// `min max min_len max_len pattern format multiple_of unique`, or what was written instead.
    pub name: SmolStr,
    /// Its value.
    pub value: BoundValue,
    /// Where.
    pub span: Span,
}

/// The value of a bound.
#[derive(Clone, Debug)]
pub enum BoundValue {
    /// A literal.
    Literal(Literal),
    /// A parameter of the signature, by index; or the length of one.
    Param {
        /// The index.
        index: u32,
        /// `len(xs)` rather than the number itself.
        length: bool,
    },
    /// Anything else: reported by the checker.
    Other,
}
