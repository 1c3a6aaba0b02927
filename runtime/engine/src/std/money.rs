//! `std.money`: see `stdlib/money.kait`.

use kait_ir::{Currency, Failure, Money, Value};
use rust_decimal::RoundingStrategy;

use super::args;
use super::decimal;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("money.amount", amount),
    ("money.convert", convert),
    ("money.currency", currency),
    ("money.max", max),
    ("money.min", min),
    ("money.of", of),
    ("money.round", round),
];

type Native = Result<Value, Failure>;

fn two(args: &[Value]) -> Result<(Money, Money), Failure> {
    let (a, b) = (args::money(args, 0)?, args::money(args, 1)?);
    if a.currency == b.currency {
        return Ok((a, b));
    }
    let (a, b) = (a.currency.as_str(), b.currency.as_str());
    Err(Failure::trap(format!("{a} and {b} cannot be compared: convert one of them first")))
}

fn min(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (a, b) = two(args)?;
    Ok(Value::Money(if b.amount < a.amount { b } else { a }))
}

fn max(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (a, b) = two(args)?;
    Ok(Value::Money(if b.amount > a.amount { b } else { a }))
}

fn round(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (money, digits) = (args::money(args, 0)?, args::int(args, 1)?);
    let Some(digits) = u32::try_from(digits).ok().filter(|digits| *digits <= 10) else {
        return Err(Failure::invalid("digits", format!("{digits} is not between 0 and 10")));
    };
    let amount = money.amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
    Ok(Value::Money(Money { amount, ..money }))
}

fn currency_named(args: &[Value], index: usize) -> Result<Currency, Failure> {
    let name = args::text(args, index)?;
    Currency::parse(name).ok_or_else(|| {
        Failure::invalid("currency", format!("`{name}` is not a currency code of three letters"))
    })
}

fn decimal_of(args: &[Value], index: usize) -> Result<rust_decimal::Decimal, Failure> {
    let x = args::float(args, index)?;
    decimal::of_float(x).ok_or_else(|| Failure::trap(format!("{x} has too many digits for money")))
}

fn convert(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (money, currency) = (args::money(args, 0)?, currency_named(args, 1)?);
    let rate = decimal_of(args, 2)?;
    let amount = money
        .amount
        .checked_mul(rate)
        .ok_or_else(|| Failure::trap("the converted amount is too large"))?;
    Ok(Value::Money(Money { amount, currency }))
}

fn of(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (amount, currency) = (decimal_of(args, 0)?, currency_named(args, 1)?);
    Ok(Value::Money(Money { amount, currency }))
}

fn amount(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Float(decimal::to_float(args::money(args, 0)?.amount)))
}

fn currency(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::text(args::money(args, 0)?.currency.as_str()))
}
