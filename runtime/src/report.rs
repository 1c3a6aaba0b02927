//! What is said of a run that has ended: its failure in words, and the run as data. The same on every surface.

use kait_engine::event::{Outcome, Usage};
use kait_engine::json;
use kait_ir::{Failure, GraphId};
use serde_json::{Value as Json, json};

use crate::driver::{FailedAt, RunEnd};
use crate::plan::Plan;
use crate::segments::failure_json;

/// The format of [`run_json`].
pub const SCHEMA: &str = "kait.run/1";

/// The code and the words of a failure, and what a person can do.
pub fn words(failure: &Failure) -> (&'static str, String, Option<String>) {
    let text = |t: &str| t.to_owned();
    match failure {
        Failure::Timeout => (
            "K9010",
            text("it took longer than its timeout or deadline"),
            Some(text("give it more time, or catch `Timeout`")),
        ),
        Failure::Cancelled => ("K9011", text("the run was interrupted"), None),
        Failure::Denied { by, why } => (
            "K9012",
            format!("{by} denied it: {why}"),
            Some(text("catch `Denied` to go on without it")),
        ),
        Failure::Unanswered => {
            ("K9013", text("nobody answered in time"), Some(text("catch `Unanswered`")))
        }
        Failure::Refused { why } => ("K9014", why.to_string(), None),
        Failure::Invalid { path, why } if path.is_empty() => {
            ("K9015", format!("a value does not fit its type: {why}"), None)
        }
        Failure::Invalid { path, why } => {
            ("K9015", format!("a value does not fit its type at `{path}`: {why}"), None)
        }
        Failure::Http { status: Failure::NO_ANSWER, body } => {
            ("K9016", body.to_string(), Some(text("`with (retry: 3)` on the call tries again")))
        }
        Failure::Http { status, body } => {
            let body = body.trim();
            let body = if body.is_empty() { String::new() } else { format!(": {body}") };
            let help = match status {
                401 | 403 => Some(text(
                    "check the key: the profile names the environment variable that holds it",
                )),
                404 => Some(text("check the address, or the model's name in the profile")),
                429 => Some(text("try again later; a call `with (retry: 3)` does so by itself")),
                500.. => Some(text(
                    "the fault is on the other side: try again later; a call `with (retry: 3)` does so by itself",
                )),
                _ => None,
            };
            ("K9016", format!("the other side answered {status}{body}"), help)
        }
        // Some messages begin with the name already.
        Failure::Tool { name, message } if message.contains(name.as_str()) => {
            ("K9017", message.to_string(), None)
        }
        Failure::Tool { name, message } => ("K9017", format!("`{name}` failed: {message}"), None),
        Failure::Trap { message } => ("K9018", message.to_string(), None),
        Failure::Budget { kind } if kind == "bytes" => (
            "K9019",
            text("a text or an answer is longer than 16 MiB"),
            Some(text("take it in parts, or ask for less")),
        ),
        Failure::Budget { kind } => (
            "K9019",
            format!("the budget `{kind}` is used up"),
            Some(text("raise it in the program, or catch `Budget`")),
        ),
        Failure::Depth => (
            "K9020",
            text("a graph called itself more often than its header allows"),
            Some(text("raise `depth` in the header")),
        ),
        Failure::Unbound { name } => (
            "K9021",
            format!("nothing is bound to `{name}`"),
            Some(format!("bind it in kait.toml: [models.{name}]")),
        ),
        Failure::Unknown { call } => (
            "K9022",
            format!("it is not known whether `{call}` has happened"),
            Some(text("look at the other side before you run it again")),
        ),
        Failure::Custom { code, message } if code == "failed" => {
            ("K9023", message.to_string(), None)
        }
        Failure::Custom { code, message } => ("K9023", format!("{code}: {message}"), None),
    }
}

/// A failure as data: its code, its words, what to do, the path of the node that it arose in, and the limit that was
/// reached, if one was.
pub fn failure_report(failure: &Failure, at: Option<&FailedAt>) -> Json {
    let (code, message, help) = words(failure);
    let limit = at.and_then(|at| at.limit.as_deref());
    let node = at.map(|at| at.path.as_str());
    json!({ "code": code, "message": message, "help": help, "node": node, "limit": limit })
}

/// A run that has ended, as data: `schema`, `run`, `graph`, then `result`, or `failure` (its wire form) and `error` (its
/// words), then `usage`.
pub fn run_json(run: &str, plan: &Plan, graph: GraphId, end: &RunEnd) -> Json {
    let decl = plan.program().graphs.get(graph.index());
    let name = decl.map(|graph| graph.name.as_str()).unwrap_or_default();
    let mut out = json!({ "schema": SCHEMA, "run": run, "graph": name });
    match &end.outcome {
        Outcome::Ok(value) => {
            let result = decl.map(|g| json::encode(plan.loaded.table(), g.result, value));
            out["result"] = result.unwrap_or_default();
        }
        Outcome::Failed(failure) => {
            out["failure"] = failure_json(failure);
            out["error"] = failure_report(failure, end.failed_at.as_ref());
        }
    }
    out["usage"] = usage_json(&end.usage);
    out
}

/// What calls of models used up.
pub fn usage_json(usage: &Usage) -> Json {
    json!({
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
    })
}
