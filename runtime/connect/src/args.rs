//! Reads the arguments of leaves. The checker has proven their types; a mismatch is an internal fault and becomes a
//! `Trap`, never a panic.

use kait_ir::{Failure, Value, ValueMap};
use smol_str::SmolStr;

fn wrong(index: usize, wanted: &str) -> Failure {
    Failure::trap(format!("argument {} of a leaf is not {wanted}", index + 1))
}

pub(crate) fn text(args: &[Value], index: usize) -> Result<SmolStr, Failure> {
    match args.get(index) {
        Some(Value::Text(text)) => Ok(text.clone()),
        _ => Err(wrong(index, "a text")),
    }
}

pub(crate) fn int(args: &[Value], index: usize) -> Result<i64, Failure> {
    match args.get(index) {
        Some(Value::Int(n)) => Ok(*n),
        _ => Err(wrong(index, "an int")),
    }
}

pub(crate) fn time(args: &[Value], index: usize) -> Result<jiff::Timestamp, Failure> {
    match args.get(index) {
        Some(Value::Time(time)) => Ok(*time),
        _ => Err(wrong(index, "a time")),
    }
}

/// A duration; negative ones count as none.
pub(crate) fn duration(args: &[Value], index: usize) -> Result<std::time::Duration, Failure> {
    match args.get(index) {
        Some(Value::Duration(nanos)) => {
            Ok(std::time::Duration::from_nanos(u64::try_from(*nanos).unwrap_or(0)))
        }
        _ => Err(wrong(index, "a duration")),
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

pub(crate) fn tag(args: &[Value], index: usize) -> Result<u32, Failure> {
    args.get(index).and_then(Value::tag).ok_or_else(|| wrong(index, "an enum"))
}
