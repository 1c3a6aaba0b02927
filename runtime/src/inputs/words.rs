//! Values as they are written on a command line.

use kait_engine::check::TypeTable;
use kait_ir::{Type, TypeId, Types, Value};
use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{InputError, describe, explain, parse_json};

/// The type below its refinements and its `?`.
pub(super) fn inner(types: &Types, ty: TypeId) -> &Type {
    match types.base(ty) {
        Type::Optional(inner) => self::inner(types, *inner),
        other => other,
    }
}

/// A value of the type from a word of a command line.
///
/// # Errors
/// The path in the value and what is wrong with it.
pub fn parse_text(table: &TypeTable, ty: TypeId, text: &str) -> Result<Value, (SmolStr, String)> {
    let types = table.types();
    let expected =
        || (SmolStr::default(), format!("expected {}, found `{text}`", describe(table, ty)));
    let word = text.trim();
    let value = match types.base(ty) {
        Type::Text | Type::Role => Value::text(text),
        Type::Int => Value::Int(word.replace('_', "").parse().map_err(|_| expected())?),
        Type::Float => {
            let x: f64 = word.parse().map_err(|_| expected())?;
            if !x.is_finite() {
                return Err(expected());
            }
            Value::Float(x)
        }
        Type::Bool => Value::Bool(word.parse().map_err(|_| expected())?),
        Type::None if word == "none" => Value::None,
        Type::Optional(_) if word == "none" => Value::None,
        Type::Optional(inner) => parse_text(table, *inner, text)?,
        Type::Enum(choice) if !choice.has_payload() => {
            let named = choice.variants.iter().position(|v| v.wire == word || v.name == word);
            let index = named.and_then(|index| u32::try_from(index).ok());
            Value::Tag(index.ok_or_else(expected)?)
        }
        Type::Money => {
            Value::Money(kait_engine::json::decode_money(&spaced(word)).map_err(|_| expected())?)
        }
        Type::Duration => Value::Duration(
            literal_duration(word)
                .or_else(|| kait_engine::json::decode_duration(word).ok())
                .ok_or_else(expected)?,
        ),
        Type::Time => Value::Time(word.parse().map_err(|_| expected())?),
        Type::Size => Value::Size(literal_size(word).ok_or_else(expected)?),
        Type::Bytes => {
            return kait_engine::json::decode(table, ty, &Json::String(word.to_owned()))
                .map_err(|failure| explain(&failure));
        }
        Type::Secret => {
            return kait_engine::json::decode(table, ty, &Json::Null)
                .map_err(|failure| explain(&failure));
        }
        Type::Image | Type::Audio | Type::File => {
            let why = format!("expected the name of a file behind `@`: `@{word}`");
            return Err((SmolStr::default(), why));
        }
        _ => {
            let json = parse_json(text.as_bytes()).map_err(|error| {
                let why = match error {
                    InputError::NoJson { why } => why,
                    other => other.to_string(),
                };
                (SmolStr::default(), format!("expected {} as JSON: {why}", describe(table, ty)))
            })?;
            return super::json::decode(table, ty, &json)
                .map_err(|mut mistakes| mistakes.swap_remove(0));
        }
    };
    table.check(ty, &value).map_err(|failure| explain(&failure))?;
    Ok(value)
}

/// `20.00usd` → `20.00 usd`
fn spaced(word: &str) -> String {
    match word.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) if !word.contains(' ') => {
            let (amount, currency) = word.split_at(at);
            format!("{amount} {currency}")
        }
        _ => word.to_owned(),
    }
}

/// `3mb`, `1.5gb`, `512`: as in programs, in powers of 1,000 and exact.
fn literal_size(word: &str) -> Option<u64> {
    let at = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
    let (number, unit) = word.split_at(at);
    let unit = match unit {
        "" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits: u64 = format!("{}{part}", whole.replace('_', "")).parse().ok()?;
    let scale = 10u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let bytes = u128::from(digits) * unit;
    (bytes % u128::from(scale) == 0).then(|| u64::try_from(bytes / u128::from(scale)).ok())?
}

/// `10s`, `250ms`, `2d`: as in programs.
fn literal_duration(word: &str) -> Option<i64> {
    let at = word.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = word.split_at(at);
    let unit = match unit {
        "ms" => 1_000_000.0,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        "d" => 86_400e9,
        _ => return None,
    };
    let nanos = number.parse::<f64>().ok()? * unit;
    (nanos.abs() < 9.2e18).then_some(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (word, bytes) in
            [("3mb", 3_000_000), ("1.5kb", 1_500), ("12", 12), ("2gb", 2_000_000_000)]
        {
            assert_eq!(literal_size(word), Some(bytes), "{word}");
        }
        for word in ["1.5", "0.0001kb", "3mib", "-1kb", "kb", "", "1.2.3kb", "99999999999gb"] {
            assert_eq!(literal_size(word), None, "{word}");
        }
    }
}
