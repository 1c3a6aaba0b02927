//! `std.json`: see `stdlib/json.kait`. The work is done by [`crate::json`].

use std::sync::Arc;

use kait_ir::{Failure, TypeId, Value};
use serde_json::Value as Json;

use super::args::{self, MAX_TEXT, too_long};
use super::{NativeCx, NativeFn};
use crate::json;

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] =
    &[("json.decode", decode), ("json.encode", encode), ("json.get", get), ("json.pretty", pretty)];

type Native = Result<Value, Failure>;

fn decode(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    json::decode_text(cx.table, cx.result, args::text(args, 0)?)
}

/// The type of a parameter as instantiated at the call.
pub(super) fn param_type(cx: &NativeCx<'_>, index: usize) -> Result<TypeId, Failure> {
    cx.params
        .get(index)
        .copied()
        .ok_or_else(|| Failure::trap("a call of a standard function does not say its types"))
}

fn written(text: String) -> Native {
    if text.len() > MAX_TEXT { Err(too_long()) } else { Ok(Value::text(text)) }
}

fn encode(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    written(json::encode(cx.table, param_type(cx, 0)?, args::any(args, 0)).to_string())
}

fn pretty(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    written(format!("{:#}", json::encode(cx.table, param_type(cx, 0)?, args::any(args, 0))))
}

fn get(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let Value::Json(root) = args::any(args, 0) else { return Ok(Value::None) };
    let path = args::text(args, 1)?;
    let found = if path.is_empty() || path.starts_with('/') {
        root.pointer(path)
    } else {
        path.split('.').try_fold(&**root, |here, step| match here {
            Json::Object(fields) => fields.get(step),
            Json::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    };
    // `null` is how JSON says that there is nothing.
    Ok(match found {
        None | Some(Json::Null) => Value::None,
        Some(found) => Value::Json(Arc::new(found.clone())),
    })
}
