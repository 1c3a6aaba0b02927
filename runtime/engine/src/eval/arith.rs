//! Operators on finished values: exact where the type is, `Trap` where there is no result.

use std::cmp::Ordering;

use kait_ir::{BinaryOp, Money, UnaryOp, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::{Eval, trap};

pub(super) fn unary(op: UnaryOp, value: Value) -> Eval {
    match (op, value) {
        (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
        (UnaryOp::Neg, Value::Int(n)) => whole(n.checked_neg(), "-"),
        (UnaryOp::Neg, Value::Float(x)) => Ok(Value::Float(-x)),
        (UnaryOp::Neg, Value::Duration(n)) => {
            n.checked_neg().map(Value::Duration).ok_or_else(|| overflow("-"))
        }
        (UnaryOp::Neg, Value::Money(m)) => {
            Ok(Value::Money(Money { amount: -m.amount, currency: m.currency }))
        }
        (UnaryOp::ToFloat, Value::Int(n)) => Ok(Value::Float(n as f64)),
        (UnaryOp::ToFloat, value @ (Value::Float(_) | Value::None)) => Ok(value),
        _ => Err(trap("an operator on a value of another type than it takes")),
    }
}

pub(super) fn binary(op: BinaryOp, a: &Value, b: &Value) -> Eval {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        match op {
            BinaryOp::Add => return whole(a.checked_add(*b), "+"),
            BinaryOp::Sub => return whole(a.checked_sub(*b), "-"),
            BinaryOp::Lt => return Ok(Value::Bool(a < b)),
            BinaryOp::Ge => return Ok(Value::Bool(a >= b)),
            _ => {}
        }
    }
    match op {
        BinaryOp::Eq => Ok(Value::Bool(a == b)),
        BinaryOp::Ne => Ok(Value::Bool(a != b)),
        BinaryOp::Lt => compare(a, b).map(|o| Value::Bool(o.is_lt())),
        BinaryOp::Le => compare(a, b).map(|o| Value::Bool(o.is_le())),
        BinaryOp::Gt => compare(a, b).map(|o| Value::Bool(o.is_gt())),
        BinaryOp::Ge => compare(a, b).map(|o| Value::Bool(o.is_ge())),
        BinaryOp::In => Ok(Value::Bool(match b {
            Value::List(items) => items.contains(a),
            Value::Map(map) => map.contains_key(a),
            Value::Text(text) => a.as_text().is_some_and(|part| text.contains(part)),
            _ => false,
        })),
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
            arithmetic(op, a, b)
        }
    }
}

/// Which of two values comes first. Amounts in different currencies have no order, wherever in the values they meet.
pub(crate) fn compare(a: &Value, b: &Value) -> Eval<Ordering> {
    let parts = |a: &[Value], b: &[Value]| {
        for (a, b) in a.iter().zip(b) {
            let order = compare(a, b)?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(a.len().cmp(&b.len()))
    };
    match (a, b) {
        (Value::Money(a), Value::Money(b)) if a.currency != b.currency => Err(mixed(a, b)),
        (Value::List(a), Value::List(b)) => parts(a, b),
        (Value::Record(a), Value::Record(b)) => parts(a, b),
        (Value::Variant(x, a), Value::Variant(y, b)) if x == y => parts(a, b),
        _ => Ok(a.cmp(b)),
    }
}

fn arithmetic(op: BinaryOp, a: &Value, b: &Value) -> Eval {
    use Value::{Duration, Float, Int, Money as Cash, Size, Time};
    match (a, b) {
        (Int(a), Int(b)) => ints(op, *a, *b),
        (Float(a), Float(b)) => floats(op, *a, *b),
        (Int(a), Float(b)) => floats(op, *a as f64, *b),
        (Float(a), Int(b)) => floats(op, *a, *b as f64),
        (Cash(a), Cash(b)) => cash(op, a, b),
        (Cash(a), Int(_) | Float(_)) => scale(op, a, b),
        (Int(_) | Float(_), Cash(b)) if op == BinaryOp::Mul => scale(op, b, a),
        (Duration(a), Duration(b)) => match op {
            BinaryOp::Add | BinaryOp::Sub => nanos(integer(op, *a, *b), op),
            BinaryOp::Div => floats(op, *a as f64, *b as f64),
            BinaryOp::Rem => nanos(nonzero(*b)?.checked_rem_of(*a), op),
            _ => Err(unfit()),
        },
        (Duration(a), Int(b)) if op == BinaryOp::Mul => nanos(a.checked_mul(*b), op),
        (Int(a), Duration(b)) if op == BinaryOp::Mul => nanos(a.checked_mul(*b), op),
        (Duration(a), Int(b)) if op == BinaryOp::Div => {
            nonzero(*b)?;
            nanos(a.checked_div(*b), op)
        }
        (Duration(a), Float(b)) if matches!(op, BinaryOp::Mul | BinaryOp::Div) => {
            scale_nanos(op, *a, *b)
        }
        (Float(a), Duration(b)) if op == BinaryOp::Mul => scale_nanos(op, *b, *a),
        (Time(a), Duration(b)) if matches!(op, BinaryOp::Add | BinaryOp::Sub) => {
            let by = jiff::SignedDuration::from_nanos(*b);
            let sum = if op == BinaryOp::Add { a.checked_add(by) } else { a.checked_sub(by) };
            sum.map(Time).map_err(|_| trap("the time is outside of the calendar"))
        }
        (Duration(_), Time(_)) if op == BinaryOp::Add => arithmetic(op, b, a),
        (Time(a), Time(b)) if op == BinaryOp::Sub => {
            let between = a.duration_since(*b).as_nanos();
            i64::try_from(between).map(Duration).map_err(|_| overflow("-"))
        }
        (Size(a), Size(b)) => match op {
            BinaryOp::Add => size(a.checked_add(*b), op),
            BinaryOp::Sub => size(a.checked_sub(*b), op),
            BinaryOp::Div => floats(op, *a as f64, *b as f64),
            _ => Err(unfit()),
        },
        (Size(a), Int(b)) | (Int(b), Size(a)) if op == BinaryOp::Mul => {
            size(u64::try_from(*b).ok().and_then(|b| a.checked_mul(b)), op)
        }
        (Size(a), Int(b)) if op == BinaryOp::Div => {
            nonzero(*b)?;
            size(u64::try_from(*b).ok().and_then(|b| a.checked_div(b)), op)
        }
        _ => Err(unfit()),
    }
}

fn ints(op: BinaryOp, a: i64, b: i64) -> Eval {
    if matches!(op, BinaryOp::Div | BinaryOp::Rem) && b == 0 {
        return Err(trap("division by zero"));
    }
    whole(integer(op, a, b), sign(op))
}

fn integer(op: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div => a.checked_div(b),
        BinaryOp::Rem => a.checked_rem(b),
        _ => None,
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Eval {
    if matches!(op, BinaryOp::Div | BinaryOp::Rem) && b == 0.0 {
        return Err(trap("division by zero"));
    }
    let x = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Rem => a % b,
        _ => return Err(unfit()),
    };
    if x.is_finite() { Ok(Value::Float(x)) } else { Err(overflow(sign(op))) }
}

fn cash(op: BinaryOp, a: &Money, b: &Money) -> Eval {
    if a.currency != b.currency {
        return Err(mixed(a, b));
    }
    let amount = match op {
        BinaryOp::Add => a.amount.checked_add(b.amount),
        BinaryOp::Sub => a.amount.checked_sub(b.amount),
        BinaryOp::Div => {
            let ratio = a.amount.checked_div(b.amount).and_then(|d| d.to_f64());
            return ratio.map(Value::Float).ok_or_else(|| trap("division by zero"));
        }
        _ => return Err(unfit()),
    };
    let amount = amount.ok_or_else(|| overflow(sign(op)))?;
    Ok(Value::Money(Money { amount, currency: a.currency }))
}

fn scale(op: BinaryOp, money: &Money, by: &Value) -> Eval {
    let by = match by {
        Value::Int(n) => Some(Decimal::from(*n)),
        Value::Float(x) => Decimal::from_f64(*x),
        _ => None,
    };
    let by = by.ok_or_else(|| overflow(sign(op)))?;
    let amount = match op {
        BinaryOp::Mul => money.amount.checked_mul(by),
        BinaryOp::Div if by.is_zero() => return Err(trap("division by zero")),
        BinaryOp::Div => money.amount.checked_div(by),
        _ => return Err(unfit()),
    };
    let amount = amount.ok_or_else(|| overflow(sign(op)))?;
    Ok(Value::Money(Money { amount, currency: money.currency }))
}

fn scale_nanos(op: BinaryOp, n: i64, by: f64) -> Eval {
    if op == BinaryOp::Div && by == 0.0 {
        return Err(trap("division by zero"));
    }
    let x = if op == BinaryOp::Mul { n as f64 * by } else { n as f64 / by };
    // 2^63 itself is the first float that does not fit.
    if x.abs() < 9_223_372_036_854_775_808.0 {
        Ok(Value::Duration(x.round() as i64))
    } else {
        Err(overflow(sign(op)))
    }
}

/// A divisor that is not zero.
struct Divisor(i64);

impl Divisor {
    fn checked_rem_of(&self, a: i64) -> Option<i64> {
        a.checked_rem(self.0)
    }
}

fn nonzero(n: i64) -> Eval<Divisor> {
    if n == 0 { Err(trap("division by zero")) } else { Ok(Divisor(n)) }
}

fn whole(n: Option<i64>, sign: &str) -> Eval {
    n.map(Value::Int).ok_or_else(|| overflow(sign))
}

fn nanos(n: Option<i64>, op: BinaryOp) -> Eval {
    n.map(Value::Duration).ok_or_else(|| overflow(sign(op)))
}

fn size(n: Option<u64>, op: BinaryOp) -> Eval {
    n.map(Value::Size).ok_or_else(|| overflow(sign(op)))
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        _ => "?",
    }
}

#[cold]
fn overflow(sign: &str) -> Box<kait_ir::Failure> {
    trap(format!("the result of `{sign}` is out of range"))
}

#[cold]
pub(crate) fn mixed(a: &Money, b: &Money) -> Box<kait_ir::Failure> {
    trap(format!("mixed currencies: {} and {}", a.currency.as_str(), b.currency.as_str()))
}

#[cold]
fn unfit() -> Box<kait_ir::Failure> {
    trap("an operator on values of other types than it takes")
}
