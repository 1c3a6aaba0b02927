//! Types: inference, exhaustiveness, refinements of literals, and what later stages need to know per expression.

pub mod ty;

use rustc_hash::FxHashMap;

use crate::hir::{DefId, ExprId, LocalId, PatId};
use ty::Ty;

/// What the checker found out about one body.
#[derive(Debug, Default)]
pub struct BodyTypes {
    /// Type of every expression, by [`ExprId`], after coercion to what its place expects.
    pub exprs: Vec<Ty>,
    /// Type of every pattern, by [`PatId`]: of what it is matched against.
    pub pats: Vec<Ty>,
    /// Type of every local, by [`LocalId`].
    pub locals: Vec<Ty>,
    /// Which variant a bare name means.
    pub variants: FxHashMap<ExprId, (DefId, u32)>,
    /// Which variant or record a pattern's tag means.
    pub pat_variants: FxHashMap<PatId, (DefId, u32)>,
    /// Calls: where each parameter's (or field's) value comes from, by declaration order.
    pub calls: FxHashMap<ExprId, CallTypes>,
    /// Index of the field that a `Field` expression reads.
    pub fields: FxHashMap<ExprId, u32>,
    /// Conversions that stand around an expression, innermost first.
    pub coercions: FxHashMap<ExprId, Vec<Coercion>>,
    /// Names in patterns that bind a value with `none` excluded.
    pub non_none: Vec<PatId>,
    /// Patterns' fields: index by position of the argument.
    pub pat_fields: FxHashMap<PatId, Vec<u32>>,
    /// `next(…)`: for each state variable, the argument that gives it (by index), or none to keep it.
    pub nexts: FxHashMap<ExprId, Vec<Option<u32>>>,
    /// Static length bound of list-typed expressions, where one is known.
    pub max_items: FxHashMap<ExprId, u64>,
    /// Unused: kept so that locals can be asked for by id uniformly.
    pub unused_lets: Vec<LocalId>,
}

/// A resolved call.
#[derive(Debug, Clone)]
pub struct CallTypes {
    /// Sources by parameter.
    pub args: Vec<ArgSource>,
    /// Types of the parameters as instantiated.
    pub params: Vec<Ty>,
    /// The result as instantiated, before coercion.
    pub result: Ty,
    /// The instantiation of the callee's type parameters.
    pub type_args: Vec<Ty>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgSource {
    /// The argument at this index (an expression, or a selector: then the value is the field's index).
    Arg(u32),
    /// A field of the spread record at this argument index.
    Spread(u32, u32),
    /// The declaration's default.
    Default,
    /// Not given and optional: `none`.
    None,
    /// Missing; already reported.
    Missing,
}

/// A conversion around an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coercion {
    /// `int` to `float`.
    ToFloat,
    /// The refinements of the type are checked when it is evaluated.
    Check(Ty),
    /// `json` is decoded to the type.
    Decode(Ty),
}
