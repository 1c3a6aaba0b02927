//! Scalars as models write them: what plainly means a value of the type counts as one.

use kait_engine::check::TypeTable;
use kait_engine::json::{KIND, decode};
use kait_ir::{EnumType, Failure, Type, TypeId, Value};
use serde_json::{Value as Json, json};

/// The type below refinements and optionals.
pub(super) fn inner(table: &TypeTable, mut id: TypeId) -> &Type {
    // Optionals do not nest; the bound is for damaged tables.
    for _ in 0..8 {
        match table.types().base(id) {
            Type::Optional(inner) => id = *inner,
            other => return other,
        }
    }
    table.types().base(id)
}

/// Decodes by type; a number written as text, another spelling of a variant's name and the like are understood.
///
/// # Errors
/// `Invalid`, with a path below the value.
pub(super) fn decode_lenient(table: &TypeTable, ty: TypeId, json: &Json) -> Result<Value, Failure> {
    let failure = match decode(table, ty, json) {
        Ok(value) => return Ok(value),
        Err(failure) => failure,
    };
    let other = match (inner(table, ty), json) {
        (Type::Int | Type::Float | Type::Size | Type::Bool, Json::String(text)) => {
            serde_json::from_str::<Json>(&text.trim().to_ascii_lowercase()).ok()
        }
        (Type::Text, Json::Number(_) | Json::Bool(_)) => Some(Json::String(json.to_string())),
        (Type::Enum(choice), Json::String(text)) => variant_named(choice, text).map(|tag| {
            let wire = choice.variants.get(tag).map_or("", |variant| variant.wire.as_str());
            if choice.has_payload() { json!({ KIND: wire }) } else { json!(wire) }
        }),
        _ => None,
    };
    // The first failure names what was really written.
    other.and_then(|other| decode(table, ty, &other).ok()).ok_or(failure)
}

/// The variant that a text means: its name on the wire or in the program, in any case, with any separators.
pub(super) fn variant_named(choice: &EnumType, text: &str) -> Option<usize> {
    if let Some(exact) = choice.variants.iter().position(|variant| variant.wire == text) {
        return Some(exact);
    }
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(text);
    let mut matching = (0..)
        .zip(&choice.variants)
        .filter(|(_, variant)| plain(&variant.wire) == wanted || plain(&variant.name) == wanted);
    let (first, _) = matching.next()?;
    // Two that differ only in their separators are not told apart here.
    matching.next().is_none().then_some(first)
}
