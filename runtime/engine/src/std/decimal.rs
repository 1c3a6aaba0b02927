//! Floats as exact decimals, by the digits that a reader sees.

use rust_decimal::Decimal;

/// The decimal that the float's shortest notation spells; `None` if it has more than 28 digits.
pub(crate) fn of_float(x: f64) -> Option<Decimal> {
    Decimal::from_str_exact(&x.to_string()).ok()
}

/// The nearest float.
pub(crate) fn to_float(x: Decimal) -> f64 {
    // Going through text gives the nearest float, which dividing the mantissa does not.
    x.to_string().parse().unwrap_or(0.0)
}
