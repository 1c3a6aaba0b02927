//! `std.time`, the part that never changes: see `stdlib/time.kait`. What needs time zones is a leaf.

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};
use kait_ir::{Failure, Value};

use super::args;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("time.add", add),
    ("time.between", between),
    ("time.from_unix", from_unix),
    ("time.parse", parse),
    ("time.seconds", seconds),
    ("time.unix", unix),
];

type Native = Result<Value, Failure>;

fn parse(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let s = args::text(args, 0)?;
    s.trim().parse::<Timestamp>().map(Value::Time).map_err(|_| {
        // What is written like a time may name none that can be counted with.
        let is_written_so =
            Pieces::parse(s.trim()).is_ok_and(|p| p.time().is_some() && p.offset().is_some());
        Failure::invalid(
            "",
            if is_written_so {
                format!(
                    "`{s}` is not between {} and {}, the first and the last time",
                    Timestamp::MIN,
                    Timestamp::MAX
                )
            } else {
                format!("`{s}` is not a time such as `2026-01-05T09:00:00Z`")
            },
        )
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

fn unix(_: &NativeCx<'_>, args: &[Value]) -> Native {
    // Rounded down, so that every second has one number before 1970, too.
    Ok(Value::Int(
        i64::try_from(args::time(args, 0)?.as_nanosecond().div_euclid(1_000_000_000))
            .unwrap_or(i64::MAX),
    ))
}

fn from_unix(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let seconds = args::int(args, 0)?;
    Timestamp::from_second(seconds).map(Value::Time).map_err(|_| {
        let why = format!("{seconds} lies beyond the years -9999 to 9999");
        Failure::invalid("seconds", why)
    })
}
