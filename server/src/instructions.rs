//! Whether a client's value holds instructions for a model: `System` messages among a list of messages.
//!
//! Anybody who may run a graph may send what users and models said; it is data. A `System` message tells the model what to
//! do, so the client must vouch for it. This looks at values and types only, never at what the texts say.

use kait_ir::types::{EnumType, Types};
use kait_ir::{Type, TypeId, Value};

/// Whether an enum is the prelude's `Message`.
pub fn is_message(choice: &EnumType) -> bool {
    let variants = choice.variants.iter().map(|variant| variant.wire.as_str());
    choice.name == "Message" && variants.eq(["system", "user", "assistant", "tool_result"])
}

/// Whether a value of a type holds a `System` message anywhere. Values nest no deeper than the JSON they were read from.
pub fn instructs(types: &Types, ty: TypeId, value: &Value) -> bool {
    match (types.base(ty), value) {
        (_, Value::None) => false,
        (Type::Optional(inner), value) => instructs(types, *inner, value),
        (Type::List(item), Value::List(items)) => {
            !is_plain(types, *item) && items.iter().any(|one| instructs(types, *item, one))
        }
        (Type::Map(_, item), Value::Map(map)) => {
            !is_plain(types, *item) && map.values().any(|one| instructs(types, *item, one))
        }
        (Type::Record(record), Value::Record(parts)) => {
            let mut fields = record.fields.iter().zip(parts.iter());
            fields.any(|(field, part)| instructs(types, field.ty, part))
        }
        (Type::Enum(choice), Value::Variant(index, parts)) => {
            if is_message(choice) {
                return *index == 0;
            }
            let Some(variant) = choice.variants.get(*index as usize) else { return false };
            let mut fields = variant.fields.iter().zip(parts.iter());
            fields.any(|(field, part)| instructs(types, field.ty, part))
        }
        _ => false,
    }
}

/// Whether values of a type have no parts: a long list of numbers is not looked through.
fn is_plain(types: &Types, ty: TypeId) -> bool {
    !matches!(
        types.base(ty),
        Type::List(_) | Type::Map(..) | Type::Optional(_) | Type::Record(_) | Type::Enum(_)
    )
}
