//! Words for patterns, with the names of variants where the type is known.

use crate::display::ValueText;
use crate::expr::{Expr, ExprId, Pattern};
use crate::failure::Failure;
use crate::program::{Program, RegionId};
use crate::types::{Type, TypeId};
use crate::value::Value;

/// What a pattern is held against.
#[derive(Clone, Copy)]
pub(super) enum Subject {
    /// Values of this type.
    Type(TypeId),
    /// A failure.
    Failure,
    /// Nobody knows.
    Unknown,
}

/// A pattern in a few words: `Technical`, `none`, `1..5`, `else`.
pub(super) fn pattern(program: &Program, of: &Pattern, subject: Subject) -> String {
    match of {
        Pattern::Any => "else".into(),
        Pattern::Bind(_) => "any".into(),
        Pattern::Const(Value::Bool(true)) => "if true".into(),
        Pattern::Const(value) => ValueText(value).to_string(),
        Pattern::Range(from, to) => format!("{}..{}", ValueText(from), ValueText(to)),
        Pattern::Variant(tag, _) => variant(program, *tag, subject),
        Pattern::Record(_) => "record".into(),
        Pattern::List(items, rest) => match (items.len(), rest) {
            (0, None) => "[]".into(),
            (n, None) => format!("{n} items"),
            (n, Some(_)) => format!("{n} items or more"),
        },
        Pattern::Or(all) => {
            let all: Vec<String> = all.iter().map(|one| pattern(program, one, subject)).collect();
            all.join(" | ")
        }
        Pattern::Some(inner) => match &**inner {
            Pattern::Bind(_) | Pattern::Any => "not none".into(),
            inner => pattern(program, inner, subject),
        },
    }
}

fn variant(program: &Program, tag: u32, subject: Subject) -> String {
    let named = match subject {
        Subject::Failure => Failure::SHAPE.get(tag as usize).map(|(name, _)| (*name).to_owned()),
        Subject::Type(id) => {
            let ty = match program.types.base(id) {
                Type::Optional(inner) => program.types.base(*inner),
                other => other,
            };
            match ty {
                Type::Enum(one) => one.variants.get(tag as usize).map(|v| v.name.to_string()),
                _ => None,
            }
        }
        Subject::Unknown => None,
    };
    named.unwrap_or_else(|| format!("variant {}", tag + 1))
}

/// The type of what an expression gives, where it is easily seen; `slots` gives the types of slots.
pub(super) fn type_of(
    program: &Program,
    id: ExprId,
    slots: &dyn Fn(usize, usize) -> Option<TypeId>,
) -> Option<TypeId> {
    match program.exprs.get(id.0 as usize)? {
        Expr::Slot { up, slot } => slots(*up as usize, *slot as usize),
        Expr::Field(base, index) => match program.types.base(type_of(program, *base, slots)?) {
            Type::Record(record) => Some(record.fields.get(*index as usize)?.ty),
            _ => None,
        },
        Expr::Native { result, .. } | Expr::Check(_, result, _) => Some(*result),
        _ => None,
    }
}

/// The type of a slot of a region whose parameters have these types.
pub(super) fn slot_type(
    program: &Program,
    region: RegionId,
    params: &[Option<TypeId>],
    slot: usize,
) -> Option<TypeId> {
    match slot.checked_sub(params.len()) {
        None => params.get(slot).copied().flatten(),
        Some(node) => Some(program.regions.get(region.index())?.nodes.get(node)?.ty),
    }
}
