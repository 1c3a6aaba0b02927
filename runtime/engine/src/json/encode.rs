//! Values to JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kait_ir::{FieldType, Type, TypeId, Value};
use serde_json::{Map, Value as Json, json};

use super::KIND;
use crate::check::{MAX_NESTING, TypeTable};

/// The wire form of a value of that type. A part that does not fit its type (only in damaged programs) or nests
/// deeper than [`MAX_NESTING`] is `null`.
pub fn encode(table: &TypeTable, id: TypeId, value: &Value) -> Json {
    encode_at(table, id, value, 0)
}

fn encode_at(table: &TypeTable, id: TypeId, value: &Value, depth: u32) -> Json {
    if depth > MAX_NESTING {
        return Json::Null;
    }
    let below = depth + 1;
    match (table.types().base(id), value) {
        (_, Value::None) => Json::Null,
        (Type::Optional(inner), _) => encode_at(table, *inner, value, below),
        (Type::Float, Value::Int(n)) => json!(*n as f64),
        (Type::List(item), Value::List(items)) => {
            items.iter().map(|part| encode_at(table, *item, part, below)).collect()
        }
        (Type::Map(key, item), Value::Map(map)) => {
            let entry = |(k, v)| (key_text(table, *key, k), encode_at(table, *item, v, below));
            Json::Object(map.iter().map(entry).collect())
        }
        (Type::Record(record), Value::Record(parts)) => {
            let mut object = Map::with_capacity(parts.len());
            fields(table, &record.fields, parts, &mut object, below);
            Json::Object(object)
        }
        (Type::Enum(choice), Value::Tag(tag) | Value::Variant(tag, _)) => {
            let Some(variant) = choice.variants.get(*tag as usize) else { return Json::Null };
            if !choice.has_payload() {
                return Json::String(variant.wire.to_string());
            }
            let mut object = Map::with_capacity(variant.fields.len() + 1);
            object.insert(KIND.to_owned(), Json::String(variant.wire.to_string()));
            fields(table, &variant.fields, value.fields(), &mut object, below);
            Json::Object(object)
        }
        _ => encode_scalar(value),
    }
}

fn fields(
    table: &TypeTable,
    fields: &[FieldType],
    parts: &[Value],
    object: &mut Map<String, Json>,
    depth: u32,
) {
    for (field, part) in fields.iter().zip(parts) {
        object.insert(field.wire.to_string(), encode_at(table, field.ty, part, depth));
    }
}

/// A key of a map as text: as in a template.
fn key_text(table: &TypeTable, id: TypeId, key: &Value) -> String {
    match key {
        Value::Text(text) => text.to_string(),
        _ => crate::render::to_text(table, id, key),
    }
}

/// The wire form of what needs no type; `null` for lists, maps, records and variants.
pub fn encode_scalar(value: &Value) -> Json {
    match value {
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => json!(*n),
        Value::Float(x) => json!(*x),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) => Json::String(BASE64.encode(bytes)),
        Value::Json(json) => (**json).clone(),
        Value::Time(time) => Json::String(time.to_string()),
        Value::Duration(nanos) => Json::String(encode_duration(*nanos)),
        Value::Money(money) => {
            Json::String(format!("{} {}", money.amount, money.currency.as_str()))
        }
        Value::Size(bytes) => json!(*bytes),
        Value::Blob(blob) => json!({
            "name": blob.name.as_str(),
            "media_type": blob.media_type.as_str(),
            "data": BASE64.encode(&blob.bytes),
        }),
        Value::None
        | Value::List(_)
        | Value::Map(_)
        | Value::Record(_)
        | Value::Tag(_)
        | Value::Variant(..) => Json::Null,
    }
}

/// ISO 8601 in hours, minutes and seconds: `PT1H30M`, `-PT0.5S`, `PT0S`.
pub fn encode_duration(nanos: i64) -> String {
    let mut out = String::from(if nanos < 0 { "-PT" } else { "PT" });
    let total = nanos.unsigned_abs();
    let (seconds, fraction) = (total / 1_000_000_000, total % 1_000_000_000);
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 {
        let _ = write!(out, "{h}H");
    }
    if m > 0 {
        let _ = write!(out, "{m}M");
    }
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        let _ = write!(out, "{s}.{}S", digits.trim_end_matches('0'));
    } else if s > 0 || total == 0 {
        let _ = write!(out, "{s}S");
    }
    out
}

/// The shortest text that reads back as the same float; with an exponent when it is very large or very small.
pub fn write_float(x: f64, out: &mut String) {
    let size = x.abs();
    let _ = if size == 0.0 || (1e-5..1e16).contains(&size) {
        write!(out, "{x}")
    } else {
        write!(out, "{x:e}")
    };
}
