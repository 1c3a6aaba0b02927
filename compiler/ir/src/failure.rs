//! The closed set of ways in which something can fail, as Rust data and as the prelude's `Failure` value.

use smol_str::SmolStr;

use crate::value::Value;

/// What the language calls `Failure`. The order of variants is the order of declaration in the prelude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An attempt or a deadline ran out of time.
    Timeout,
    /// The run or an enclosing region was cancelled.
    Cancelled,
    /// A person said no.
    Denied {
        /// Who decided.
        by: SmolStr,
        /// Their reason.
        why: SmolStr,
    },
    /// Nobody answered in time.
    Unanswered,
    /// A grant, a limit or a provider refused.
    Refused {
        /// The reason.
        why: SmolStr,
    },
    /// A value does not fit its type.
    Invalid {
        /// Where in the value, as a JSON-pointer-like path; empty for the whole value.
        path: SmolStr,
        /// What is wrong with it.
        why: SmolStr,
    },
    /// An HTTP answer with status 400 or above, or one that broke off ([`Failure::NO_ANSWER`]).
    Http {
        /// The status code; 0 if there was no whole answer.
        status: i64,
        /// The (cut) body.
        body: SmolStr,
    },
    /// A tool or leaf failed in its own way.
    Tool {
        /// The leaf's name.
        name: SmolStr,
        /// Its message.
        message: SmolStr,
    },
    /// Arithmetic overflow, division by zero, mixed currencies, a plugin's trap.
    Trap {
        /// What happened.
        message: SmolStr,
    },
    /// A budget was used up: `items`, `bytes`, `time`, `calls`, `tokens`, `cost`, `depth`.
    Budget {
        /// Which one.
        kind: SmolStr,
    },
    /// Recursion deeper than its bound.
    Depth,
    /// A role, secret or tool that the profile does not bind.
    Unbound {
        /// Its name.
        name: SmolStr,
    },
    /// A write of which it is not known whether it happened.
    Unknown {
        /// The call.
        call: SmolStr,
    },
    /// The program's own failure.
    Custom {
        /// Its code; `fail "..."` uses `failed`.
        code: SmolStr,
        /// Its message.
        message: SmolStr,
    },
}

impl Failure {
    /// Names of the variants and their fields, in the order of [`Failure::tag`]. The prelude's declaration is tested against it.
    pub const SHAPE: &[(&str, &[&str])] = &[
        ("Timeout", &[]),
        ("Cancelled", &[]),
        ("Denied", &["by", "why"]),
        ("Unanswered", &[]),
        ("Refused", &["why"]),
        ("Invalid", &["path", "why"]),
        ("Http", &["status", "body"]),
        ("Tool", &["name", "message"]),
        ("Trap", &["message"]),
        ("Budget", &["kind"]),
        ("Depth", &[]),
        ("Unbound", &["name"]),
        ("Unknown", &["call"]),
        ("Custom", &["code", "message"]),
    ];

    /// The status of an answer that broke off.
    pub const NO_ANSWER: i64 = 0;

    /// A `Trap`.
    pub fn trap(message: impl Into<SmolStr>) -> Self {
        Self::Trap { message: message.into() }
    }

    /// An `Invalid`.
    pub fn invalid(path: impl Into<SmolStr>, why: impl Into<SmolStr>) -> Self {
        Self::Invalid { path: path.into(), why: why.into() }
    }

    /// `Custom(code: "failed", message)`.
    pub fn failed(message: impl Into<SmolStr>) -> Self {
        Self::Custom { code: "failed".into(), message: message.into() }
    }

    /// The variant's index in the prelude's enum.
    pub fn tag(&self) -> u32 {
        match self {
            Self::Timeout => 0,
            Self::Cancelled => 1,
            Self::Denied { .. } => 2,
            Self::Unanswered => 3,
            Self::Refused { .. } => 4,
            Self::Invalid { .. } => 5,
            Self::Http { .. } => 6,
            Self::Tool { .. } => 7,
            Self::Trap { .. } => 8,
            Self::Budget { .. } => 9,
            Self::Depth => 10,
            Self::Unbound { .. } => 11,
            Self::Unknown { .. } => 12,
            Self::Custom { .. } => 13,
        }
    }

    /// The failure as a value of the prelude's enum.
    pub fn to_value(&self) -> Value {
        let t = |s: &SmolStr| Value::Text(s.clone());
        let fields = match self {
            Self::Timeout | Self::Cancelled | Self::Unanswered | Self::Depth => vec![],
            Self::Denied { by, why } => vec![t(by), t(why)],
            Self::Refused { why } => vec![t(why)],
            Self::Invalid { path, why } => vec![t(path), t(why)],
            Self::Http { status, body } => vec![Value::Int(*status), t(body)],
            Self::Tool { name, message } => vec![t(name), t(message)],
            Self::Trap { message } => vec![t(message)],
            Self::Budget { kind } => vec![t(kind)],
            Self::Unbound { name } => vec![t(name)],
            Self::Unknown { call } => vec![t(call)],
            Self::Custom { code, message } => vec![t(code), t(message)],
        };
        Value::variant(self.tag(), fields)
    }

    /// The failure that a value of the prelude's enum stands for; a `Trap` if the value has another shape.
    pub fn from_value(value: &Value) -> Self {
        let text = |i: usize| match value.fields().get(i) {
            Some(Value::Text(text)) => text.clone(),
            _ => SmolStr::default(),
        };
        match value.tag() {
            Some(0) => Self::Timeout,
            Some(1) => Self::Cancelled,
            Some(2) => Self::Denied { by: text(0), why: text(1) },
            Some(3) => Self::Unanswered,
            Some(4) => Self::Refused { why: text(0) },
            Some(5) => Self::Invalid { path: text(0), why: text(1) },
            Some(6) => Self::Http {
                status: value.fields().first().and_then(Value::as_int).unwrap_or(0),
                body: text(1),
            },
            Some(7) => Self::Tool { name: text(0), message: text(1) },
            Some(8) => Self::Trap { message: text(0) },
            Some(9) => Self::Budget { kind: text(0) },
            Some(10) => Self::Depth,
            Some(11) => Self::Unbound { name: text(0) },
            Some(12) => Self::Unknown { call: text(0) },
            Some(13) => Self::Custom { code: text(0), message: text(1) },
            _ => Self::trap("a failure value of unknown shape"),
        }
    }

    /// Whether a retry policy may try again after it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Http { status, .. } => matches!(*status, Self::NO_ANSWER | 408 | 429 | 500..),
            _ => false,
        }
    }
}
