//! Errors as RFC 9457 problem documents: a code that `kait explain` knows, the words of the command line, what to do.
//!
//! Nothing that a client sent as a secret is ever repeated here.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use kait_compiler::diagnostics::Code;
use kait_runtime::InputError;
use kait_runtime::inputs::MAX_JSON_DEPTH;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a client that was turned away may try again.
const RETRY_SECONDS: u32 = 1;

/// A problem document (RFC 9457), with the code that `kait explain` knows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// `urn:kait:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What problems of this code are about.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong in this case.
    pub detail: String,
    /// The code: `kait explain CODE` prints its page.
    pub code: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Everything that is wrong with the input of a run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// What the compiler found in the file, as `kait check --json` prints it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Json>,
    /// The same for clients of the OpenAI API; only under `/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
    /// Whether trying again later helps.
    #[serde(skip)]
    pub busy: bool,
    /// Whether the request was right, and something behind it went wrong.
    #[serde(skip)]
    pub ours: bool,
}

/// One mistake in the input of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Fault {
    /// The code.
    pub code: String,
    /// What is wrong, as `kait run` says it.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Where in its value, as a JSON pointer; empty for the whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// An error as the OpenAI API writes it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApiError {
    /// What is wrong.
    pub message: String,
    /// `invalid_request_error`, `authentication_error`, `permission_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The parameter, if it is about one.
    pub param: Option<String>,
    /// The code.
    pub code: String,
}

impl Problem {
    /// A problem with its status, code and words.
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Box<Self> {
        Self::coded(status, code.as_str(), code.info().title, detail)
    }

    /// A problem whose code is not known before.
    pub fn coded(
        status: StatusCode,
        code: &str,
        title: &str,
        detail: impl Into<String>,
    ) -> Box<Self> {
        Box::new(Self {
            kind: format!("urn:kait:error:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            help: None,
            errors: Vec::new(),
            diagnostics: Vec::new(),
            error: None,
            busy: false,
            ours: false,
        })
    }

    /// The request itself is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, detail)
    }

    /// A body that is no input of a run is no JSON.
    pub fn no_json(error: &InputError) -> Box<Self> {
        let detail = match error {
            InputError::NoJson { why } => format!("the body is not valid JSON: {why}"),
            InputError::TooDeep => format!("the body nests deeper than {MAX_JSON_DEPTH} levels"),
            other => format!("the body does not fit: {other}"),
        };
        Self::bad_request(detail)
    }

    /// Something of ours went wrong.
    pub fn fault(detail: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, detail)
    }

    /// The input of a run does not fit.
    pub fn input(errors: &[InputError]) -> Box<Self> {
        let detail = match errors {
            [one] => one.to_string(),
            many => format!("{} mistakes in the input", many.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::BadInput, detail);
        if let [one] = errors {
            problem.help = one.help();
        }
        problem.errors = errors
            .iter()
            .map(|error| Fault {
                code: Code::BadInput.as_str().to_owned(),
                message: error.to_string(),
                help: error.help(),
                parameter: error.parameter().map(str::to_owned),
                path: error.path().to_owned(),
            })
            .collect();
        // What is no JSON at all is a mistake in the request, not in the values.
        if errors.iter().any(|e| matches!(e, InputError::NoJson { .. } | InputError::TooDeep)) {
            problem.status = StatusCode::BAD_REQUEST.as_u16();
        }
        problem
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// Later it may work.
    #[must_use]
    pub fn busy(mut self: Box<Self>) -> Box<Self> {
        self.busy = true;
        self
    }

    /// Adds the form that clients of the OpenAI API read.
    #[must_use]
    pub fn for_openai(mut self: Box<Self>) -> Box<Self> {
        let kind = match self.status {
            _ if self.ours => "server_error",
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let message = match &self.help {
            Some(help) => format!("{} ({help})", self.detail),
            None => self.detail.clone(),
        };
        self.error = Some(ApiError {
            message,
            kind: kind.into(),
            param: self.errors.first().and_then(|fault| fault.parameter.clone()),
            code: self.code.clone(),
        });
        self
    }
}

impl IntoResponse for Box<Problem> {
    fn into_response(self) -> Response {
        // Strings and numbers only: this cannot fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"kait\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.busy {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}
