//! The pure functions of std whose results are recorded, because they get better with the crates behind them: formats
//! of documents and data. One file per module of std; this one holds what they share.
//!
//! Nothing in here touches the world. What is decoded is first made a tree of nodes that know their places, so that a
//! value that does not fit its type is reported with the line and column where it stands.

mod diff;
mod html;
mod markdown;
mod node;
#[cfg(test)]
mod tests;
mod text;
mod toml;
mod xml;
mod yaml;

use std::sync::Arc;

use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::{Failure, TypeId, Value};
use serde_json::Value as Json;

use crate::args;
use crate::connections::LeafFn;
use crate::leaf::{Ended, LeafJob, Started};

/// The leaves of the modules.
pub(crate) const LEAVES: &[&[(&str, LeafFn)]] = &[
    diff::LEAVES,
    html::LEAVES,
    markdown::LEAVES,
    text::LEAVES,
    toml::LEAVES,
    xml::LEAVES,
    yaml::LEAVES,
];

/// What is up to this size, in bytes, is worked on at once: that takes less than a thread would.
const AT_ONCE: usize = 32 << 10;

/// Longest text that is made, in bytes.
const MAX_TEXT: usize = 16 << 20;

/// Begins work on something of about that size: at once if it is small, else on another thread.
fn start(
    size: usize,
    work: impl FnOnce() -> Result<Value, Failure> + Send + 'static,
) -> Result<Started, Failure> {
    if size <= AT_ONCE {
        return work().map(|value| Started::Now(Outcome::Ok(value)));
    }
    Ok(Started::Later(Box::pin(async move {
        let outcome = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(value)) => Outcome::Ok(value),
            Ok(Err(failure)) => Outcome::Failed(failure),
            Err(_) => Outcome::Failed(Failure::trap("the conversion broke down")),
        };
        Ended::from(outcome)
    })))
}

/// Converts the text that is the first argument.
fn converted(
    job: &LeafJob<'_>,
    by: fn(&str) -> Result<Value, Failure>,
) -> Result<Started, Failure> {
    let text = args::text(job.args, 0)?;
    start(text.len(), move || by(&text))
}

/// Decodes the text that is the first argument to the type that the call wants.
fn decoded(
    job: &LeafJob<'_>,
    by: fn(&TypeTable, TypeId, &str) -> Result<Value, Failure>,
) -> Result<Started, Failure> {
    let text = args::text(job.args, 0)?;
    let (table, ty) = (Arc::clone(job.table), job.decl.result);
    start(text.len(), move || by(&table, ty, &text))
}

/// Encodes the first argument, by way of its wire form, with the others at hand.
fn encoded(
    job: &LeafJob<'_>,
    by: fn(&Json, &[Value]) -> Result<String, Failure>,
) -> Result<Started, Failure> {
    let untyped = || Failure::trap("a call of a standard function does not say its types");
    let ty = job.decl.params.first().ok_or_else(untyped)?.ty;
    let (table, all) = (Arc::clone(job.table), job.args.to_vec());
    let value = all.first().cloned().unwrap_or_default();
    start(parts(&value), move || {
        let text = by(&json::encode(&table, ty, &value), &all)?;
        if text.len() > MAX_TEXT {
            return Err(Failure::Budget { kind: "bytes".into() });
        }
        Ok(Value::text(text))
    })
}

/// About how many bytes a value is written with; counting stops where it is no longer small.
fn parts(value: &Value) -> usize {
    let mut open = vec![value];
    let mut size = 0;
    while let Some(value) = open.pop() {
        size += match value {
            Value::Text(text) => text.len(),
            Value::List(items) => {
                open.extend(items.iter().take(AT_ONCE));
                items.len()
            }
            Value::Map(map) => {
                open.extend(map.values().take(AT_ONCE));
                map.len() * 8
            }
            Value::Json(_) => AT_ONCE,
            other => {
                open.extend(other.fields());
                8
            }
        };
        if size > AT_ONCE {
            break;
        }
    }
    size
}
