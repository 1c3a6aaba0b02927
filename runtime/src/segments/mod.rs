//! What clients see of a run: the log of segments, its readers, and the result's way into it.

mod log;
mod result;

pub use log::{RING_RECORDS, Reader, RunLog, Snapshot, Visited, Writer};
pub use result::ResultSegment;

use kait_ir::{Failure, Value};
use serde_json::{Value as Json, json};

/// The wire form of a failure: an object whose `kind` is the variant in snake case.
pub fn failure_json(failure: &Failure) -> Json {
    let (name, fields) =
        Failure::SHAPE.get(failure.tag() as usize).copied().unwrap_or(("Trap", &["message"]));
    let mut out = serde_json::Map::new();
    out.insert("kind".into(), json!(name.to_lowercase()));
    let value = failure.to_value();
    for (field, value) in fields.iter().zip(value.fields()) {
        let value = match value {
            Value::Int(n) => json!(n),
            value => json!(value.as_text().unwrap_or_default()),
        };
        out.insert((*field).into(), value);
    }
    Json::Object(out)
}
