//! Reads the arguments of natives. The checker has proven their types, so a mismatch is an internal fault: it is
//! reported as a `Trap`, never a panic.

use kait_ir::{Failure, Money, Value, ValueMap};
use smol_str::SmolStr;

/// Longest text that a native makes, in bytes.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// Longest list that a native makes.
pub(crate) const MAX_ITEMS: usize = 10_000_000;

/// The failure of a text beyond [`MAX_TEXT`].
pub(crate) fn too_long() -> Failure {
    Failure::Budget { kind: "bytes".into() }
}

/// The failure of a list beyond its limit.
pub(crate) fn too_many() -> Failure {
    Failure::Budget { kind: "items".into() }
}

fn wrong(index: usize, wanted: &str) -> Failure {
    Failure::trap(format!("argument {} of a standard function is not {wanted}", index + 1))
}

/// The argument, whatever it is; `none` if it was left out.
pub(crate) fn any(args: &[Value], index: usize) -> &Value {
    const NONE: &Value = &Value::None;
    args.get(index).unwrap_or(NONE)
}

pub(crate) fn text(args: &[Value], index: usize) -> Result<&SmolStr, Failure> {
    match args.get(index) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(wrong(index, "a text")),
    }
}

pub(crate) fn int(args: &[Value], index: usize) -> Result<i64, Failure> {
    match args.get(index) {
        Some(Value::Int(n)) => Ok(*n),
        _ => Err(wrong(index, "an int")),
    }
}

/// A count: an int, where negative ones count as 0.
pub(crate) fn count(args: &[Value], index: usize) -> Result<usize, Failure> {
    Ok(usize::try_from(int(args, index)?.max(0)).unwrap_or(usize::MAX))
}

pub(crate) fn float(args: &[Value], index: usize) -> Result<f64, Failure> {
    match args.get(index) {
        Some(Value::Float(x)) => Ok(*x),
        Some(Value::Int(n)) => Ok(*n as f64),
        _ => Err(wrong(index, "a float")),
    }
}

pub(crate) fn bool(args: &[Value], index: usize) -> Result<bool, Failure> {
    match args.get(index) {
        Some(Value::Bool(b)) => Ok(*b),
        _ => Err(wrong(index, "a bool")),
    }
}

pub(crate) fn list(args: &[Value], index: usize) -> Result<&[Value], Failure> {
    match args.get(index) {
        Some(Value::List(items)) => Ok(items),
        _ => Err(wrong(index, "a list")),
    }
}

pub(crate) fn map(args: &[Value], index: usize) -> Result<&ValueMap, Failure> {
    match args.get(index) {
        Some(Value::Map(map)) => Ok(map),
        _ => Err(wrong(index, "a map")),
    }
}

pub(crate) fn money(args: &[Value], index: usize) -> Result<Money, Failure> {
    match args.get(index) {
        Some(Value::Money(money)) => Ok(*money),
        _ => Err(wrong(index, "money")),
    }
}

pub(crate) fn time(args: &[Value], index: usize) -> Result<jiff::Timestamp, Failure> {
    match args.get(index) {
        Some(Value::Time(time)) => Ok(*time),
        _ => Err(wrong(index, "a time")),
    }
}

pub(crate) fn duration(args: &[Value], index: usize) -> Result<i64, Failure> {
    match args.get(index) {
        Some(Value::Duration(nanos)) => Ok(*nanos),
        _ => Err(wrong(index, "a duration")),
    }
}

/// A field selector, or `None` if none was given.
pub(crate) fn selector(args: &[Value], index: usize) -> Result<Option<usize>, Failure> {
    match args.get(index) {
        None | Some(Value::None) => Ok(None),
        Some(Value::Int(field)) => {
            usize::try_from(*field).map(Some).map_err(|_| wrong(index, "a field selector"))
        }
        _ => Err(wrong(index, "a field selector")),
    }
}

/// The part of an item that a selector means: the item itself without one.
pub(crate) fn key(item: &Value, by: Option<usize>) -> &Value {
    match by {
        None => item,
        Some(field) => any(item.fields(), field),
    }
}
