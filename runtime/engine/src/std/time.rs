//! `std.time`, the part that never changes: see `stdlib/time.kait`. What needs time zones is a leaf.

use jiff::{SignedDuration, Timestamp};
use kait_ir::{Failure, Value};

use super::args;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("time.add", add),
    ("time.between", between),
    ("time.parse", parse),
    ("time.seconds", seconds),
];

type Native = Result<Value, Failure>;

fn parse(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let s = args::text(args, 0)?;
    s.trim().parse::<Timestamp>().map(Value::Time).map_err(|_| {
        Failure::invalid("", format!("`{s}` is not a time such as `2026-01-05T09:00:00Z`"))
    })
}

fn add(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (time, nanos) = (args::time(args, 0)?, args::duration(args, 1)?);
    time.checked_add(SignedDuration::from_nanos(nanos))
        .map(Value::Time)
        .map_err(|_| Failure::trap("the time lies beyond the years -9999 to 9999"))
}

fn between(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (a, b) = (args::time(args, 0)?, args::time(args, 1)?);
    i64::try_from(b.as_nanosecond() - a.as_nanosecond())
        .map(Value::Duration)
        .map_err(|_| Failure::trap("the times lie more than 292 years apart"))
}

fn seconds(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Float(args::duration(args, 0)? as f64 / 1e9))
}
