//! What is said of a run that has ended: its failure in words, and the run as data. The same on every surface.

use jiff::Timestamp;
use kait_engine::event::{Outcome, Usage};
use kait_engine::json;
use kait_engine::segment::SegmentOp;
use kait_ir::{Failure, GraphId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::driver::{FailedAt, RunEnd};
use crate::plan::Plan;
use crate::segments::failure_json;

/// The format of [`RunDocument`], and of the records of a log on the command line.
pub const SCHEMA: &str = "kait.run/1";

/// Letters of a path that a person is shown.
const SHOWN_PATH: usize = 120;

/// The path of a node as a person is shown it: of a long one, its beginning and its end.
pub fn short_path(path: &str) -> String {
    let letters = path.chars().count();
    if letters <= SHOWN_PATH {
        return path.to_owned();
    }
    let half = SHOWN_PATH / 2;
    let first: String = path.chars().take(half).collect();
    let last: String = path.chars().skip(letters - half).collect();
    format!("{first} … {last}")
}

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
            text("calls within calls go deeper than is allowed"),
            Some(text("go less deep, or raise `depth` if it is the header's")),
        ),
        Failure::Unbound { name } if name.starts_with("secret ") => {
            let name = name.trim_start_matches("secret ");
            let variable = name.to_ascii_uppercase().replace(['.', '-'], "_");
            let key = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
            (
                "K9021",
                format!("nothing says where the secret `{name}` is"),
                Some(format!(
                    "write in kait.toml, or in your profile, below [secrets]: {key} = {{ env = \"{variable}\" }}"
                )),
            )
        }
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

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It is under way.
    Running,
    /// It ended with a result.
    Done,
    /// It ended with a failure.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It is left as it stands, and waits to be taken up.
    Waiting,
}

impl RunState {
    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "running" => Some(Self::Running),
            "done" => Some(Self::Done),
            "failed" => Some(Self::Failed),
            "cancelled" => Some(Self::Cancelled),
            "waiting" => Some(Self::Waiting),
            _ => None,
        }
    }
}

/// A run: how it stands, and once it has ended, with what.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunDocument {
    /// `kait.run/1`.
    pub schema: &'static str,
    /// Its name.
    pub run: String,
    /// The graph: module and graph.
    pub graph: String,
    /// The hash of the plan that it runs on.
    pub plan: String,
    /// How it stands.
    pub state: RunState,
    /// When it began: RFC 3339.
    pub started: String,
    /// When it ended: RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Its result, if it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// The wire form of its failure: `kind`, and what belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Json>,
    /// Its failure in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// Compensations (`undo`) that have failed: what they were to undo is perhaps not undone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_undone: Vec<RunError>,
    /// What calls of models used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<RunUsage>,
}

/// The failure of a run in the words of the command line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunError {
    /// The code: `kait explain CODE` prints its page.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The path of the call that it arose in.
    pub node: Option<String>,
    /// Where that stands: `file:line:column`.
    pub place: Option<String>,
    /// The limit that was reached, if one was: `timeout: 10ms`.
    pub limit: Option<String>,
}

/// What calls of models used up.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct RunUsage {
    /// Calls.
    pub calls: u64,
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Tokens that came back.
    pub output_tokens: u64,
    /// What they cost, if the profile has prices: `0.0125 usd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
}

impl From<&Usage> for RunUsage {
    fn from(usage: &Usage) -> Self {
        Self {
            calls: usage.calls.into(),
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cost: usage
                .cost
                .map(|cost| format!("{} {}", cost.amount.normalize(), cost.currency.as_str())),
        }
    }
}

impl RunError {
    /// The words of a failure; `place` is where the span of `at` stands.
    pub fn new(failure: &Failure, at: Option<&FailedAt>, place: Option<String>) -> Self {
        let (code, message, help) = words(failure);
        let node = at.map(|at| at.path.to_string());
        let limit = at.and_then(|at| at.limit.as_ref()).map(ToString::to_string);
        Self { code: code.to_owned(), message, help, node, place, limit }
    }
}

impl RunDocument {
    /// A run that is under way.
    pub fn begun(run: &str, graph: &str, plan: &str, started: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            run: run.to_owned(),
            graph: graph.to_owned(),
            plan: plan.to_owned(),
            state: RunState::Running,
            started: started.to_string(),
            ended: None,
            result: None,
            failure: None,
            error: None,
            not_undone: Vec::new(),
            usage: None,
        }
    }

    /// The same run when it has ended so. `place` is where the span of the failure stands.
    #[must_use]
    pub fn ended(
        mut self,
        plan: &Plan,
        graph: GraphId,
        end: &RunEnd,
        ended: Timestamp,
        place: Option<String>,
    ) -> Self {
        if end.suspended {
            self.state = RunState::Waiting;
            return self;
        }
        self.ended = Some(ended.to_string());
        self.usage = Some(RunUsage::from(&end.usage));
        let errors = end.not_undone.iter().map(|u| RunError::new(&u.failure, Some(&u.at), None));
        self.not_undone = errors.collect();
        match &end.outcome {
            Outcome::Ok(value) => {
                self.state = RunState::Done;
                let graph = plan.program().graphs.get(graph.index());
                let result = graph.map(|g| json::encode(plan.loaded.table(), g.result, value));
                self.result = Some(result.unwrap_or_default());
            }
            Outcome::Failed(failure) => {
                self.state = match failure {
                    Failure::Cancelled => RunState::Cancelled,
                    _ => RunState::Failed,
                };
                self.failure = Some(failure_json(failure));
                let mut error = RunError::new(failure, end.failed_at.as_ref(), place);
                if end.unasked {
                    error.code = UNASKED.to_owned();
                    error.help = Some(UNASKED_HELP.to_owned());
                }
                self.error = Some(error);
            }
        }
        self
    }
}

/// The code of a run that ended because nobody could be asked what it had to ask.
pub const UNASKED: &str = "K9024";

/// The record that ends a run which ended because nobody could be asked.
pub fn unasked_record(failure: &Failure, at: Option<&FailedAt>) -> SegmentOp {
    let mut record = fail_record(failure, at);
    if let SegmentOp::Fail { error, .. } = &mut record {
        error["code"] = UNASKED.into();
        error["help"] = UNASKED_HELP.into();
    }
    record
}

/// What to do where nobody can be asked.
pub const UNASKED_HELP: &str =
    "run it at a terminal, where you are asked; everything before the question has been done";

/// The record that ends a segment with a failure: its wire form, and its words. Where it stands in a file is not known
/// here.
pub fn fail_record(failure: &Failure, at: Option<&FailedAt>) -> SegmentOp {
    let error = RunError::new(failure, at, None);
    let mut words = json!({ "code": error.code, "message": error.message });
    for (key, word) in [("help", error.help), ("node", error.node), ("limit", error.limit)] {
        if let Some(word) = word {
            words[key] = word.into();
        }
    }
    SegmentOp::Fail { failure: failure_json(failure), error: words }
}
