//! The program as data: the one contract between compiler and runtime.
//!
//! The compiler lowers a checked module to a [`Program`]; the engine runs it, the store keeps it, the CLI draws it.
//! Nothing in here parses, checks or runs: it only describes, encodes ([`encode`], [`file`]), and verifies ([`verify`]).

#[macro_use]
pub mod codec;
pub mod display;
pub mod draw;
pub mod encode;
pub mod expr;
mod facts;
pub mod failure;
pub mod file;
pub mod pin;
pub mod program;
#[cfg(test)]
mod tests;
pub mod trust;
pub mod types;
pub mod value;
pub mod verify;
mod visit;

pub use encode::{DecodeError, PlanHash, decode, encode, hash};
pub use expr::{
    BinaryOp, Expr, ExprArm, ExprId, LogQuery, Pattern, TemplatePart, UnaryOp, Voucher,
};
pub use facts::fill;
pub use failure::Failure;
pub use program::{
    Approve, Approved, Ask, Choose, EffectClass, Function, FunctionId, Gate, Graph, GraphId,
    LeafDecl, LeafId, Node, NodeKind, Policy, Program, Region, RegionId, ResourceId, TargetId,
};
pub use types::{Bound, EnumType, FieldType, RecordType, Trust, Type, TypeId, Types, VariantType};
pub use value::{Blob, Currency, Money, Value, ValueMap};
pub use verify::{VerifyError, verify};
