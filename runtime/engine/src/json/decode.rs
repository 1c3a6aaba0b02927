//! JSON to values, with refinements checked on the way.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kait_ir::{Blob, Currency, EnumType, Failure, FieldType, Money, Type, TypeId, Value, ValueMap};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::KIND;
use crate::check::{MAX_NESTING, Path, TypeTable, too_deep};

/// The value that the JSON stands for, checked against the type and its refinements. Unknown keys of objects are
/// left out; a missing key takes the field's default, or `none` if the field is optional.
///
/// # Errors
/// `Invalid` with a JSON pointer to the first part that does not fit, and why.
pub fn decode(table: &TypeTable, id: TypeId, json: &Json) -> Result<Value, Failure> {
    decode_at(table, id, json, &mut Path::default(), 0)
}

/// Decodes text that should be JSON.
///
/// # Errors
/// `Invalid` with line and column if it is no JSON, or as [`decode`].
pub fn decode_text(table: &TypeTable, id: TypeId, text: &str) -> Result<Value, Failure> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let (place, why) =
            (format!("line {}, column {}", error.line(), error.column()), error.to_string());
        // The crate's message ends with the place.
        let why = why.split(" at line ").next().unwrap_or_default();
        Failure::invalid(place, format!("is no JSON: {why}"))
    })?;
    decode(table, id, &json)
}

const NO_BASE64: &str = "is not base64 with its padding (RFC 4648)";

fn decode_at(
    table: &TypeTable,
    id: TypeId,
    json: &Json,
    path: &mut Path,
    depth: u32,
) -> Result<Value, Failure> {
    if depth > MAX_NESTING {
        return Err(too_deep(path));
    }
    let below = depth + 1;
    let value = match table.types().base(id) {
        Type::Optional(_) if json.is_null() => Value::None,
        Type::Optional(inner) => decode_at(table, *inner, json, path, below)?,
        Type::List(item) => {
            let Json::Array(items) = json else { return Err(expected("a list", json, path)) };
            let mut list = Vec::with_capacity(items.len());
            for (index, part) in items.iter().enumerate() {
                list.push(path.index(index, |path| decode_at(table, *item, part, path, below))?);
            }
            Value::list(list)
        }
        Type::Map(key, item) => {
            let Json::Object(entries) = json else { return Err(expected("an object", json, path)) };
            let mut map = ValueMap::default();
            for (name, part) in entries {
                let (k, v) = path.key(name, |path| {
                    let k = decode_key(table, *key, name, path, below)?;
                    Ok((k, decode_at(table, *item, part, path, below)?))
                })?;
                map.insert(k, v);
            }
            Value::Map(Arc::new(map))
        }
        Type::Record(record) => {
            let Json::Object(object) = json else { return Err(expected("an object", json, path)) };
            Value::record(fields(table, &record.fields, object, path, below)?)
        }
        Type::Enum(choice) => decode_enum(table, choice, json, path, below)?,
        other => decode_scalar(other, json, path)?,
    };
    table.check_own(id, &value, path)?;
    Ok(value)
}

fn fields(
    table: &TypeTable,
    fields: &[FieldType],
    object: &Map<String, Json>,
    path: &mut Path,
    depth: u32,
) -> Result<Vec<Value>, Failure> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        let part = match object.get(field.wire.as_str()) {
            Some(json) => {
                path.key(&field.wire, |path| decode_at(table, field.ty, json, path, depth))?
            }
            None => match &field.default {
                Some(default) => default.clone(),
                None if matches!(table.types().base(field.ty), Type::Optional(_)) => Value::None,
                None => return Err(path.key(&field.wire, |path| path.invalid("is missing"))),
            },
        };
        parts.push(part);
    }
    Ok(parts)
}

fn decode_enum(
    table: &TypeTable,
    choice: &EnumType,
    json: &Json,
    path: &mut Path,
    depth: u32,
) -> Result<Value, Failure> {
    let find = |name: &str| (0u32..).zip(&choice.variants).find(|(_, v)| v.wire == name);
    let unknown = |name: &str| {
        let names: Vec<_> = choice.variants.iter().map(|v| format!("`{}`", v.wire)).collect();
        format!("`{}` is none of {}", cut(name), names.join(", "))
    };
    if !choice.has_payload() {
        let Json::String(name) = json else { return Err(expected("a text", json, path)) };
        return match find(name) {
            Some((tag, _)) => Ok(Value::Tag(tag)),
            None => Err(path.invalid(unknown(name))),
        };
    }
    let Json::Object(object) = json else {
        return Err(expected("an object with the key `kind`", json, path));
    };
    let name = match object.get(KIND) {
        Some(Json::String(name)) => name,
        Some(other) => return Err(path.key(KIND, |path| expected("a text", other, path))),
        None => return Err(path.key(KIND, |path| path.invalid("is missing"))),
    };
    match find(name) {
        Some((tag, variant)) => {
            Ok(Value::variant(tag, fields(table, &variant.fields, object, path, depth)?))
        }
        None => Err(path.key(KIND, |path| path.invalid(unknown(name)))),
    }
}

/// Keys are texts on the wire; other key types read them as they are written in templates.
fn decode_key(
    table: &TypeTable,
    id: TypeId,
    name: &str,
    path: &mut Path,
    depth: u32,
) -> Result<Value, Failure> {
    let json = match table.types().base(id) {
        Type::Int | Type::Float | Type::Bool | Type::Size => {
            serde_json::from_str(name).unwrap_or_else(|_| Json::String(name.to_owned()))
        }
        _ => Json::String(name.to_owned()),
    };
    decode_at(table, id, &json, path, depth)
}

fn decode_scalar(ty: &Type, json: &Json, path: &Path) -> Result<Value, Failure> {
    let text = |what: &str| json.as_str().ok_or_else(|| expected(what, json, path));
    match ty {
        Type::None => {
            if json.is_null() {
                Ok(Value::None)
            } else {
                Err(expected("null", json, path))
            }
        }
        Type::Bool => json.as_bool().map(Value::Bool).ok_or_else(|| expected("a bool", json, path)),
        Type::Int => integer(json).map(Value::Int).ok_or_else(|| {
            if json.is_number() {
                path.invalid("should be a whole number of at most 64 bits")
            } else {
                expected("a whole number", json, path)
            }
        }),
        Type::Float => match json.as_f64() {
            Some(x) if x.is_finite() => Ok(Value::Float(x)),
            _ => Err(expected("a number", json, path)),
        },
        Type::Text | Type::Role => Ok(Value::text(text("a text")?)),
        // Whoever may name any secret of the profile could have it sent anywhere.
        Type::Secret => Err(path.invalid(
            "is a secret, which cannot be given from outside: call it from a graph that names one",
        )),
        Type::Json => Ok(Value::Json(Arc::new(json.clone()))),
        Type::Bytes => {
            let bytes = BASE64.decode(text("base64")?);
            let bytes = bytes.map_err(|_| path.invalid(NO_BASE64))?;
            Ok(Value::Bytes(bytes.into()))
        }
        Type::Time => {
            decode_time(text("an RFC 3339 time")?).map(Value::Time).map_err(|why| path.invalid(why))
        }
        Type::Duration => decode_duration(text("an ISO 8601 duration")?)
            .map(Value::Duration)
            .map_err(|why| path.invalid(why)),
        Type::Money => decode_money(text("an amount with its currency, such as \"20.00 usd\"")?)
            .map(Value::Money)
            .map_err(|why| path.invalid(why)),
        Type::Size => bytes(json)
            .map(Value::Size)
            .ok_or_else(|| expected("a whole number of bytes", json, path)),
        Type::Selector => {
            integer(json).map(Value::Int).ok_or_else(|| expected("a whole number", json, path))
        }
        Type::Image | Type::Audio | Type::File => decode_blob(json, path),
        // Handled by the caller; a damaged table cannot do more harm than this.
        Type::List(_)
        | Type::Map(..)
        | Type::Optional(_)
        | Type::Record(_)
        | Type::Enum(_)
        | Type::Refined { .. } => Err(path.invalid("has a type that cannot be decoded")),
    }
}

fn decode_blob(json: &Json, path: &Path) -> Result<Value, Failure> {
    let what = "an object with the keys `media_type` and `data` (base64)";
    let field = |name: &str| json.get(name).and_then(Json::as_str);
    let (Some(media_type), Some(data)) = (field("media_type"), field("data")) else {
        return Err(expected(what, json, path));
    };
    let bytes = BASE64.decode(data).map_err(|_| path.invalid(format!("`data` {NO_BASE64}")))?;
    Ok(Value::Blob(Arc::new(Blob {
        name: SmolStr::new(field("name").unwrap_or_default()),
        media_type: SmolStr::new(media_type),
        bytes: bytes.into(),
    })))
}

/// Whole numbers, also when they are written `3.0` or `1e18`: JSON Schema's `integer` takes those, and models write them.
/// Beyond 2^53 such a number is the nearest one of 64 bits in binary, as everywhere in JSON.
fn integer(json: &Json) -> Option<i64> {
    if let Some(n) = json.as_i64() {
        return Some(n);
    }
    let x = json.as_f64()?;
    // 2^63; its negative is the least integer.
    let end = 9_223_372_036_854_775_808.0;
    (!json.is_u64() && x.fract() == 0.0 && (-end..end).contains(&x)).then_some(x as i64)
}

/// A number of bytes, read as whole numbers are.
fn bytes(json: &Json) -> Option<u64> {
    if let Some(n) = json.as_u64() {
        return Some(n);
    }
    let x = json.as_f64()?;
    (x.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(&x)).then_some(x as u64)
}

/// The moment that an RFC 3339 time stands for.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn decode_time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse()
        .map_err(|_| format!("`{}` is no RFC 3339 time, such as `2026-01-31T09:00:00Z`", cut(text)))
}

/// The amount that `20.00 usd` (or `usd 20.00`) stands for.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn decode_money(text: &str) -> Result<Money, String> {
    let wrong =
        || format!("`{}` is not an amount with its currency, such as `20.00 usd`", cut(text));
    let (a, b) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
    let (number, code) =
        if Currency::parse(b.trim()).is_some() { (a, b.trim()) } else { (b.trim(), a) };
    let currency = Currency::parse(code).ok_or_else(wrong)?;
    let amount: Decimal = number.parse().map_err(|_| wrong())?;
    Ok(Money { amount, currency })
}

/// The nanoseconds of an ISO 8601 duration; a day has 24 hours, months and years are refused.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn decode_duration(text: &str) -> Result<i64, String> {
    let wrong = |why: &str| format!("`{}` is no ISO 8601 duration: {why}", cut(text));
    let span: jiff::Span = text.trim().parse().map_err(|_| wrong("write it like `PT1H30M`"))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(wrong("months and years have no fixed length"));
    }
    let days = i128::from(span.get_weeks()) * 7 + i128::from(span.get_days());
    let seconds = days * 86_400
        + i128::from(span.get_hours()) * 3600
        + i128::from(span.get_minutes()) * 60
        + i128::from(span.get_seconds());
    let nanos = seconds * 1_000_000_000
        + i128::from(span.get_milliseconds()) * 1_000_000
        + i128::from(span.get_microseconds()) * 1000
        + i128::from(span.get_nanoseconds());
    i64::try_from(nanos).map_err(|_| wrong("it is longer than 292 years"))
}

fn expected(what: &str, json: &Json, path: &Path) -> Failure {
    let is = match json {
        Json::Null => "null".to_owned(),
        Json::Bool(b) => b.to_string(),
        Json::Number(n) => format!("the number {n}"),
        Json::String(text) => format!("the text {:?}", cut(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    path.invalid(format!("should be {what}, is {is}"))
}

/// At most 60 characters of a text, for messages.
fn cut(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
