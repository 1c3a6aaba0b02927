//! Constants as text.

use std::fmt;

use crate::value::Value;

/// Shows a value without its type: close to how it is written in a program.
pub struct ValueText<'a>(pub &'a Value);

impl fmt::Display for ValueText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::None => f.write_str("none"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x:?}"),
            Value::Text(text) => write!(f, "{:?}", text.as_str()),
            Value::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Value::Json(json) => write!(f, "json {json}"),
            Value::Time(time) => write!(f, "{time}"),
            Value::Duration(nanos) => duration(f, *nanos),
            Value::Money(money) => write!(f, "{}{}", money.amount, money.currency.as_str()),
            Value::Size(bytes) => write!(f, "{bytes}b"),
            Value::Blob(blob) => write!(f, "<{} {:?}>", blob.media_type, blob.name.as_str()),
            Value::List(items) => {
                f.write_str("[")?;
                separated(f, items)?;
                f.write_str("]")
            }
            Value::Map(map) if map.is_empty() => f.write_str("[:]"),
            Value::Map(map) => {
                f.write_str("[")?;
                for (index, (key, value)) in map.iter().enumerate() {
                    let separator = if index > 0 { ", " } else { "" };
                    write!(f, "{separator}{}: {}", ValueText(key), ValueText(value))?;
                }
                f.write_str("]")
            }
            Value::Record(fields) => {
                f.write_str("{")?;
                separated(f, fields)?;
                f.write_str("}")
            }
            Value::Tag(tag) => write!(f, "#{tag}"),
            Value::Variant(tag, fields) => {
                write!(f, "#{tag}(")?;
                separated(f, fields)?;
                f.write_str(")")
            }
        }
    }
}

fn separated(f: &mut fmt::Formatter<'_>, values: &[Value]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        let separator = if index > 0 { ", " } else { "" };
        write!(f, "{separator}{}", ValueText(value))?;
    }
    Ok(())
}

/// The largest unit that gives a whole number: `90s`, `1500ms`; below a millisecond nanoseconds.
fn duration(f: &mut fmt::Formatter<'_>, nanos: i64) -> fmt::Result {
    const UNITS: [(i64, &str); 5] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ];
    let unit = UNITS.into_iter().find(|(size, _)| nanos != 0 && nanos % size == 0);
    match unit {
        Some((size, unit)) => write!(f, "{}{unit}", nanos / size),
        None if nanos == 0 => f.write_str("0s"),
        None => write!(f, "{nanos}ns"),
    }
}
