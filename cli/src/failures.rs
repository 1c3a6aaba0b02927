//! What a failed run says: a code, plain words, where it arose, and what to do.

use kait_ir::Failure;
use kait_runtime::driver::FailedAt;
use serde_json::{Value as Json, json};

use crate::compile::Compiled;

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
        Failure::Http { status, body } => {
            let body = body.trim();
            let body = if body.is_empty() { String::new() } else { format!(": {body}") };
            let help = match status {
                401 | 403 => Some(text(
                    "check the key: the profile names the environment variable that holds it",
                )),
                404 => Some(text("check the address, or the model's name in the profile")),
                429 => Some(text("wait, or add `with (retry: 3)` to the call")),
                500.. => {
                    Some(text("the fault is on the other side; `with (retry: 3)` tries again"))
                }
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

/// Prints it on stderr.
pub fn print(failure: &Failure, at: Option<&FailedAt>, compiled: &Compiled) {
    let (code, message, help) = words(failure);
    anstream::eprintln!("error {code}: {message}");
    if let Some(at) = at {
        let place = at.span.and_then(|span| compiled.place(span));
        match place {
            Some(place) => anstream::eprintln!("   {place} in {}", at.path),
            None => anstream::eprintln!("   in {}", at.path),
        }
    }
    if let Some(help) = help {
        anstream::eprintln!("   = {help}");
    }
    anstream::eprintln!("   kait explain {code}");
}

/// The same as data.
pub fn to_json(failure: &Failure, at: Option<&FailedAt>) -> Json {
    let (code, message, help) = words(failure);
    json!({ "code": code, "message": message, "help": help, "node": at.map(|at| at.path.as_str()) })
}
