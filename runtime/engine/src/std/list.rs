//! `std.list`: see `stdlib/list.kait`.

use std::cmp::Ordering;

use kait_ir::{Failure, Money, Type, Value, ValueMap};
use rust_decimal::Decimal;
use rustc_hash::FxHashSet;

use super::args::{self, MAX_ITEMS, too_many};
use super::{NativeCx, NativeFn};
use crate::eval::arith::{compare, mixed};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("list.all", all),
    ("list.any", any),
    ("list.append", append),
    ("list.average", average),
    ("list.chunks", chunks),
    ("list.concat", concat),
    ("list.contains", contains),
    ("list.drop", drop),
    ("list.enumerate", enumerate),
    ("list.failures", failures),
    ("list.final", final_item),
    ("list.first", first),
    ("list.group", group),
    ("list.index_of", index_of),
    ("list.is_empty", is_empty),
    ("list.last", last),
    ("list.length", length),
    ("list.max", max),
    ("list.min", min),
    ("list.present", present),
    ("list.range", range),
    ("list.reverse", reverse),
    ("list.slice", slice),
    ("list.sort", sort),
    ("list.successes", successes),
    ("list.sum", sum),
    ("list.take", take),
    ("list.unique", unique),
    ("list.zip", zip),
];

/// Most numbers that `list.range` gives.
const MAX_RANGE: u64 = 1_000_000;

type Native = Result<Value, Failure>;

fn int(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn length(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(int(args::list(args, 0)?.len()))
}

fn is_empty(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::list(args, 0)?.is_empty()))
}

fn first(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::list(args, 0)?.first().cloned().unwrap_or_default())
}

fn final_item(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::list(args, 0)?.last().cloned().unwrap_or_default())
}

/// The items of a range, with both ends cut to the list.
fn part(args: &[Value], from: usize, end: usize) -> Native {
    let xs = args::list(args, 0)?;
    let end = end.min(xs.len());
    if from == 0 && end == xs.len() {
        // Nothing is left out: the list is shared, not copied.
        return Ok(args::any(args, 0).clone());
    }
    Ok(Value::list(xs.get(from.min(end)..end).unwrap_or_default().to_vec()))
}

fn take(_: &NativeCx<'_>, args: &[Value]) -> Native {
    part(args, 0, args::count(args, 1)?)
}

fn last(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let len = args::list(args, 0)?.len();
    part(args, len.saturating_sub(args::count(args, 1)?), len)
}

fn drop(_: &NativeCx<'_>, args: &[Value]) -> Native {
    part(args, args::count(args, 1)?, usize::MAX)
}

fn slice(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let to = args::int(args, 2)?;
    let end = usize::try_from(to).map_or(0, |to| to.saturating_add(1));
    part(args, args::count(args, 1)?, end)
}

pub(super) fn append(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, items) = (args::list(args, 0)?, args::list(args, 1)?);
    if xs.len().saturating_add(items.len()) > MAX_ITEMS {
        return Err(too_many());
    }
    Ok(Value::list([xs, items].concat()))
}

/// Appends to a list that nobody else holds; `None` if it does not fit.
pub(super) fn append_in_place(xs: &mut Vec<Value>, rest: &[Value]) -> Option<()> {
    let items = rest.first()?.as_list()?;
    if xs.len().saturating_add(items.len()) > MAX_ITEMS {
        return None;
    }
    xs.extend_from_slice(items);
    Some(())
}

fn concat(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let lists = args::list(args, 0)?;
    let mut out = Vec::new();
    for items in lists.iter().filter_map(Value::as_list) {
        if out.len().saturating_add(items.len()) > MAX_ITEMS {
            return Err(too_many());
        }
        out.extend_from_slice(items);
    }
    Ok(Value::list(out))
}

fn reverse(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::list(args::list(args, 0)?.iter().rev().cloned().collect()))
}

/// Amounts that are held against each other must be in one currency.
fn one_currency(xs: &[Value], by: Option<usize>) -> Result<(), Failure> {
    let mut amounts = xs.iter().filter_map(|x| match args::key(x, by) {
        Value::Money(money) => Some(money),
        _ => None,
    });
    let Some(first) = amounts.next() else { return Ok(()) };
    match amounts.find(|money| money.currency != first.currency) {
        Some(other) => Err(*mixed(first, other)),
        None => Ok(()),
    }
}

fn unique(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, by) = (args::list(args, 0)?, args::selector(args, 1)?);
    one_currency(xs, by)?;
    let mut seen = FxHashSet::default();
    Ok(Value::list(xs.iter().filter(|x| seen.insert(args::key(x, by))).cloned().collect()))
}

fn sort(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, by) = (args::list(args, 0)?, args::selector(args, 1)?);
    let descending = args::bool(args, 2)?;
    let mut out = xs.to_vec();
    let mut failure = None;
    out.sort_by(|a, b| match compare(args::key(a, by), args::key(b, by)) {
        Ok(order) if descending => order.reverse(),
        Ok(order) => order,
        Err(why) => {
            failure.get_or_insert(why);
            // Sorting goes on, so there must be some order.
            args::key(a, by).cmp(args::key(b, by))
        }
    });
    match failure {
        Some(why) => Err(*why),
        None => Ok(Value::list(out)),
    }
}

fn group(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, by) = (args::list(args, 0)?, args::selector(args, 1)?);
    one_currency(xs, by)?;
    let mut groups: indexmap::IndexMap<&Value, Vec<Value>, rustc_hash::FxBuildHasher> =
        indexmap::IndexMap::default();
    for x in xs {
        groups.entry(args::key(x, by)).or_default().push(x.clone());
    }
    let map: ValueMap =
        groups.into_iter().map(|(key, items)| (key.clone(), Value::list(items))).collect();
    Ok(Value::Map(map.into()))
}

fn overflow() -> Failure {
    Failure::trap("the sum is too large")
}

fn sum(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    let xs = args::list(args, 0)?;
    let zero = match cx.types().base(cx.result) {
        Type::Float => Value::Float(0.0),
        Type::Duration => Value::Duration(0),
        Type::Size => Value::Size(0),
        Type::Money => match xs.first() {
            Some(Value::Money(first)) => {
                Value::Money(Money { amount: Decimal::ZERO, currency: first.currency })
            }
            _ => {
                return Err(Failure::trap(
                    "the sum of an empty list of money: nobody knows its currency",
                ));
            }
        },
        _ => Value::Int(0),
    };
    xs.iter().try_fold(zero, plus)
}

/// The sum of two quantities of one kind.
fn plus(total: Value, x: &Value) -> Native {
    Ok(match (total, x) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b).ok_or_else(overflow)?),
        (Value::Float(a), Value::Float(b)) => finite(a + b)?,
        (Value::Float(a), Value::Int(b)) => finite(a + *b as f64)?,
        (Value::Duration(a), Value::Duration(b)) => {
            Value::Duration(a.checked_add(*b).ok_or_else(overflow)?)
        }
        (Value::Size(a), Value::Size(b)) => Value::Size(a.checked_add(*b).ok_or_else(overflow)?),
        (Value::Money(a), Value::Money(b)) if a.currency == b.currency => {
            let amount = a.amount.checked_add(b.amount).ok_or_else(overflow)?;
            Value::Money(Money { amount, currency: a.currency })
        }
        (Value::Money(a), Value::Money(b)) => {
            return Err(Failure::trap(format!(
                "a sum of mixed currencies: {} and {}",
                a.currency.as_str(),
                b.currency.as_str()
            )));
        }
        _ => return Err(Failure::trap("a sum of things that cannot be added")),
    })
}

fn finite(x: f64) -> Native {
    if x.is_finite() { Ok(Value::Float(x)) } else { Err(overflow()) }
}

fn average(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let xs = args::list(args, 0)?;
    if xs.is_empty() {
        return Ok(Value::None);
    }
    // Whole numbers are summed exactly: 2^63 of them still fit.
    let (mut whole, mut total) = (0i128, 0.0);
    for (index, x) in xs.iter().enumerate() {
        match x {
            Value::Int(n) => whole += i128::from(*n),
            _ => total += args::float(xs, index)?,
        }
    }
    finite((whole as f64 + total) / xs.len() as f64)
}

/// The first item whose key comes before (`Less`) or after (`Greater`) those of all others.
fn extreme(args: &[Value], wanted: Ordering) -> Native {
    let (xs, by) = (args::list(args, 0)?, args::selector(args, 1)?);
    let Some((mut best, rest)) = xs.split_first() else { return Ok(Value::None) };
    for x in rest {
        if compare(args::key(x, by), args::key(best, by)).map_err(|why| *why)? == wanted {
            best = x;
        }
    }
    Ok(best.clone())
}

fn min(_: &NativeCx<'_>, args: &[Value]) -> Native {
    extreme(args, Ordering::Less)
}

fn max(_: &NativeCx<'_>, args: &[Value]) -> Native {
    extreme(args, Ordering::Greater)
}

fn zip(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, ys) = (args::list(args, 0)?, args::list(args, 1)?);
    let pair = |(x, y): (&Value, &Value)| Value::record([x.clone(), y.clone()]);
    Ok(Value::list(xs.iter().zip(ys).map(pair).collect()))
}

fn enumerate(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let xs = args::list(args, 0)?;
    let indexed = |(i, x): (usize, &Value)| Value::record([int(i), x.clone()]);
    Ok(Value::list(xs.iter().enumerate().map(indexed).collect()))
}

fn chunks(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, size) = (args::list(args, 0)?, args::int(args, 1)?);
    match usize::try_from(size) {
        Ok(size) if size >= 1 => {
            Ok(Value::list(xs.chunks(size).map(|items| Value::list(items.to_vec())).collect()))
        }
        _ => Err(Failure::invalid("size", format!("{size} is less than 1"))),
    }
}

fn present(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let xs = args::list(args, 0)?;
    Ok(Value::list(xs.iter().filter(|x| !matches!(x, Value::None)).cloned().collect()))
}

/// The payloads of the results with that tag.
fn payloads(args: &[Value], tag: u32) -> Native {
    let chosen = args::list(args, 0)?.iter().filter(|result| result.tag() == Some(tag));
    Ok(Value::list(chosen.map(|result| args::any(result.fields(), 0).clone()).collect()))
}

fn successes(_: &NativeCx<'_>, args: &[Value]) -> Native {
    payloads(args, 0)
}

fn failures(_: &NativeCx<'_>, args: &[Value]) -> Native {
    payloads(args, 1)
}

fn range(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (from, to) = (args::int(args, 0)?, args::int(args, 1)?);
    if from <= to && to.abs_diff(from) >= MAX_RANGE {
        return Err(too_many());
    }
    Ok(Value::list((from..=to).map(Value::Int).collect()))
}

fn contains(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::list(args, 0)?.contains(args::any(args, 1))))
}

fn index_of(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let at = args::list(args, 0)?.iter().position(|x| x == args::any(args, 1));
    Ok(at.map_or(Value::None, int))
}

fn any(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::list(args, 0)?.contains(&Value::Bool(true))))
}

fn all(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(!args::list(args, 0)?.contains(&Value::Bool(false))))
}
