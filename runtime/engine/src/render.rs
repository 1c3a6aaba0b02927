//! Values as text: what templates and messages show.
//!
//! Text stands as it is, numbers in the shortest form that reads back the same, enums by wire name, a list as its
//! items on lines of their own, an absent optional as nothing; records, maps and enums with payload as JSON; money
//! and time as on the wire.

use std::fmt::Write as _;

use kait_ir::{Type, TypeId, Value};

use crate::check::TypeTable;
use crate::json;

/// Renders a value into a template by its type.
pub fn render(table: &TypeTable, id: TypeId, value: &Value, out: &mut String) {
    match (value, table.types().base(id)) {
        (Value::None, _) => {}
        (Value::Text(text), _) => out.push_str(text),
        (_, Type::Optional(inner)) => render(table, *inner, value, out),
        (Value::List(items), Type::List(item)) => {
            for (i, part) in items.iter().enumerate() {
                if i > 0 {
                    out.push('\n');
                }
                render(table, *item, part, out);
            }
        }
        (Value::Tag(tag), Type::Enum(choice)) if !choice.has_payload() => {
            if let Some(variant) = choice.variants.get(*tag as usize) {
                out.push_str(&variant.wire);
            }
        }
        (Value::Record(_) | Value::Map(_) | Value::Tag(_) | Value::Variant(..), _) => {
            let _ = write!(out, "{}", json::encode(table, id, value));
        }
        _ => scalar(value, out),
    }
}

/// A rendered value as its own text.
pub fn to_text(table: &TypeTable, id: TypeId, value: &Value) -> String {
    let mut out = String::new();
    render(table, id, value, &mut out);
    out
}

/// A value as a failed expectation shows it: texts in quotes, all else as in a template, lists as JSON.
pub fn shown(table: &TypeTable, id: TypeId, value: &Value) -> String {
    match (value, table.types().base(id)) {
        (Value::None, _) => "none".to_owned(),
        (_, Type::Optional(inner)) => shown(table, *inner, value),
        (Value::Text(_) | Value::List(_), _) => json::encode(table, id, value).to_string(),
        _ => to_text(table, id, value),
    }
}

/// A value without its type, for messages: parts of records and variants have no names here.
pub fn plain(value: &Value) -> String {
    let mut out = String::new();
    scalar(value, &mut out);
    out
}

/// Values that are written alike whatever their type is.
fn scalar(value: &Value, out: &mut String) {
    let _ = match value {
        Value::None => Ok(()),
        Value::Bool(b) => write!(out, "{b}"),
        Value::Int(n) => write!(out, "{n}"),
        Value::Float(x) => {
            json::write_float(*x, out);
            Ok(())
        }
        Value::Text(text) => {
            out.push_str(text);
            Ok(())
        }
        Value::Json(value) => write!(out, "{value}"),
        Value::Blob(blob) => write!(out, "{}", blob.name),
        Value::Bytes(_)
        | Value::Time(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Size(_) => match json::encode_scalar(value) {
            serde_json::Value::String(text) => write!(out, "{text}"),
            other => write!(out, "{other}"),
        },
        Value::List(items) => write!(out, "a list of {}", items.len()),
        Value::Map(map) => write!(out, "a map of {}", map.len()),
        Value::Record(_) => write!(out, "a record"),
        Value::Tag(tag) | Value::Variant(tag, _) => write!(out, "variant {tag}"),
    };
}
