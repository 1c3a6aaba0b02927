//! `std.math`: see `stdlib/math.kait`.

use kait_ir::{Failure, Value};

use super::args;
use super::decimal;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("math.abs", abs),
    ("math.ceil", ceil),
    ("math.clamp", clamp),
    ("math.floor", floor),
    ("math.max", max),
    ("math.min", min),
    ("math.pow", pow),
    ("math.round", round),
    ("math.round_to", round_to),
    ("math.sqrt", sqrt),
    ("math.to_float", to_float),
];

type Native = Result<Value, Failure>;

/// A float of the language, which is never infinite and never NaN.
fn finite(x: f64, what: &str) -> Native {
    if x.is_finite() { Ok(Value::Float(x)) } else { Err(Failure::trap(what)) }
}

/// A whole float as an int.
fn whole(x: f64) -> Native {
    // The bounds are exact: 2^63 is a float, 2^63 - 1 is not.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&x) {
        Ok(Value::Int(x as i64))
    } else {
        Err(Failure::trap(format!("{x} is too large for an int")))
    }
}

fn abs(_: &NativeCx<'_>, args: &[Value]) -> Native {
    match args::any(args, 0) {
        Value::Int(n) => n
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| Failure::trap("the smallest int has no positive counterpart")),
        _ => Ok(Value::Float(args::float(args, 0)?.abs())),
    }
}

fn min(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::any(args, 0).min(args::any(args, 1)).clone())
}

fn max(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::any(args, 0).max(args::any(args, 1)).clone())
}

fn clamp(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (x, low, high) = (args::any(args, 0), args::any(args, 1), args::any(args, 2));
    if low > high {
        return Err(Failure::invalid("min", "the smallest value is above the largest"));
    }
    Ok(x.clamp(low, high).clone())
}

fn round(_: &NativeCx<'_>, args: &[Value]) -> Native {
    whole(args::float(args, 0)?.round())
}

fn floor(_: &NativeCx<'_>, args: &[Value]) -> Native {
    whole(args::float(args, 0)?.floor())
}

fn ceil(_: &NativeCx<'_>, args: &[Value]) -> Native {
    whole(args::float(args, 0)?.ceil())
}

fn round_to(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (x, digits) = (args::float(args, 0)?, args::int(args, 1)?);
    let Some(digits) = u32::try_from(digits).ok().filter(|digits| *digits <= 15) else {
        return Err(Failure::invalid("digits", format!("{digits} is not between 0 and 15")));
    };
    // The number is rounded as it is written: 1.005 is nearer to 1.01 than its binary form says.
    match decimal::of_float(x) {
        Some(exact) => {
            let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
            Ok(Value::Float(decimal::to_float(exact.round_dp_with_strategy(digits, strategy))))
        }
        // Beyond 28 digits there is nothing behind the point.
        None => Ok(Value::Float(x)),
    }
}

fn to_float(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Float(args::float(args, 0)?))
}

fn sqrt(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let x = args::float(args, 0)?;
    finite(x.sqrt(), &format!("{x} has no square root"))
}

fn pow(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (x, y) = (args::float(args, 0)?, args::float(args, 1)?);
    finite(x.powf(y), &format!("{x} to the power of {y} is not a number that a float can hold"))
}
