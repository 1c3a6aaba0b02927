//! `std.map`: see `stdlib/map.kait`.

use std::sync::Arc;

use kait_ir::{Failure, Value, ValueMap};

use super::args;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("map.entries", entries),
    ("map.from", from),
    ("map.get", get),
    ("map.keys", keys),
    ("map.length", length),
    ("map.merge", merge),
    ("map.remove", remove),
    ("map.values", values),
];

type Native = Result<Value, Failure>;

fn length(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Int(i64::try_from(args::map(args, 0)?.len()).unwrap_or(i64::MAX)))
}

fn keys(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::list(args::map(args, 0)?.keys().cloned().collect()))
}

fn values(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::list(args::map(args, 0)?.values().cloned().collect()))
}

fn get(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::map(args, 0)?.get(args::any(args, 1)).cloned().unwrap_or_default())
}

fn entries(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let pair = |(key, value): (&Value, &Value)| Value::record([key.clone(), value.clone()]);
    Ok(Value::list(args::map(args, 0)?.iter().map(pair).collect()))
}

fn from(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let pairs = args::list(args, 0)?;
    let part = |pair: &Value, i: usize| args::any(pair.fields(), i).clone();
    let map: ValueMap = pairs.iter().map(|pair| (part(pair, 0), part(pair, 1))).collect();
    Ok(Value::Map(Arc::new(map)))
}

pub(super) fn merge(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (mut merged, with) = (args::map(args, 0)?.clone(), args::map(args, 1)?);
    merged.extend(with.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(Value::Map(Arc::new(merged)))
}

/// Merges into a map that nobody else holds.
pub(super) fn merge_in_place(map: &mut ValueMap, rest: &[Value]) -> Option<()> {
    let Some(Value::Map(with)) = rest.first() else { return None };
    map.extend(with.iter().map(|(key, value)| (key.clone(), value.clone())));
    Some(())
}

fn remove(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let mut map = args::map(args, 0)?.clone();
    map.shift_remove(args::any(args, 1));
    Ok(Value::Map(Arc::new(map)))
}
