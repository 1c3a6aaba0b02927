//! OpenAI's Chat Completions, and every server that speaks it: Ollama, llama.cpp, LM Studio, vLLM, OpenRouter, ...
//!
//! What a server does not understand is found out from its refusal and left out from then on: structured answers are
//! asked for by schema, else by a tool, else in the prompt. The key is in one header and nowhere else.

mod body;
mod stream;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use kait_ir::Failure;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use smol_str::SmolStr;
use tokio::time::{Instant, timeout_at};

use self::body::{Dialect, Way};
use self::stream::AnswerStream;
use super::{Finish, Listener, ModelProvider, ModelRequest, Output};
use crate::connections::Env;
use crate::http::{USER_AGENT, chain, prepare_tls};
use crate::leaf::ModelBinding;
use crate::pace::{Pace, retry_after};

/// Where OpenAI itself is.
pub(super) const OPENAI: &str = "https://api.openai.com/v1";

/// Longest error body that is read, in bytes.
const MAX_ERROR: usize = 64 << 10;

/// Most characters of a provider's own words in a failure.
const MAX_WORDS: usize = 600;

/// A model behind Chat Completions.
pub(crate) struct OpenAi {
    client: Client,
    url: Url,
    /// Host and port, for messages.
    host: String,
    model: SmolStr,
    key: Option<Key>,
    first_token: Duration,
    idle: Duration,
    /// The best way to structured answers that the server has not refused.
    way: AtomicU8,
    /// The server calls the limit `max_completion_tokens`.
    completion_tokens: AtomicBool,
    /// The server does not know `stream_options`.
    no_usage: AtomicBool,
    /// The provider asked not to be called before.
    pace: Pace,
}

/// A key, which is never shown.
struct Key {
    variable: SmolStr,
    value: String,
    header: HeaderValue,
}

impl OpenAi {
    /// The provider of a binding.
    ///
    /// # Errors
    /// `Refused` if the base URL is none, or the key is not there.
    pub(crate) fn new(binding: &ModelBinding, env: &Env) -> Result<Self, Failure> {
        let refused = |why: String| Failure::Refused { why: why.into() };
        let base = binding.base_url.as_deref().unwrap_or(OPENAI).trim_end_matches('/');
        let url = Url::parse(&format!("{base}/chat/completions"))
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .ok_or_else(|| refused(format!("`{base}` is no URL of an API, such as `{OPENAI}`")))?;
        let way = match binding.structured.as_deref() {
            None | Some("schema") => Way::Schema,
            Some("tools") => Way::Tool,
            Some("prompt") => Way::Prompt,
            Some(other) => {
                return Err(refused(format!(
                    "`structured` is `schema`, `tools` or `prompt`, not `{other}`"
                )));
            }
        };
        let key = binding.key_env.as_ref().map(|name| key(name, env)).transpose()?;
        if key.is_none() && binding.base_url.is_none() {
            return Err(refused(
                "OpenAI wants a key: say in `key_env` which environment variable holds it"
                    .to_owned(),
            ));
        }
        prepare_tls();
        let seconds = |wanted: Option<u64>, otherwise| {
            Duration::from_secs(wanted.unwrap_or(otherwise).max(1))
        };
        let client = Client::builder()
            .user_agent(USER_AGENT)
            // A redirect could carry the key elsewhere.
            .redirect(redirect::Policy::none())
            .connect_timeout(seconds(binding.connect_timeout, 10))
            .build()
            .map_err(|error| {
                refused(format!("the HTTP client cannot be set up: {}", chain(&error)))
            })?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            client,
            host: format!("{}{port}", url.host_str().unwrap_or_default()),
            url,
            model: binding.model.clone(),
            key,
            first_token: seconds(binding.first_token_timeout, 120),
            idle: seconds(binding.idle_timeout, 60),
            way: AtomicU8::new(way as u8),
            completion_tokens: AtomicBool::new(false),
            no_usage: AtomicBool::new(false),
            pace: Pace::default(),
        })
    }

    /// A failure with the provider's name; the key is blanked out of whatever the provider said.
    fn fail(&self, message: &str) -> Failure {
        Failure::Tool { name: self.host.as_str().into(), message: self.blank(message).into() }
    }

    fn blank(&self, text: &str) -> String {
        match &self.key {
            Some(key) if !key.value.is_empty() => text.replace(&key.value, "[key]"),
            _ => text.to_owned(),
        }
    }

    async fn call(
        &self,
        request: &ModelRequest,
        listener: Listener<'_>,
    ) -> Result<Finish, Failure> {
        let mut way = Way::of(self.way.load(Ordering::Relaxed));
        // Each round leaves out one thing that the server refused; there are not more.
        for _ in 0..6 {
            self.pace.turn(&self.host).await?;
            let dialect = Dialect {
                way,
                completion_tokens: self.completion_tokens.load(Ordering::Relaxed),
                usage: !self.no_usage.load(Ordering::Relaxed),
            };
            let deadline = Instant::now() + self.first_token;
            let response = self.send(&body::of(request, &self.model, dialect), deadline).await?;
            let status = response.status();
            if status.is_success() {
                return self.read(response, deadline, listener).await;
            }
            let wait = retry_after(response.headers());
            let text = error_body(response, deadline).await;
            if !self.adapt(status, &text, request, dialect, &mut way) {
                return Err(self.refusal(status, &text, wait));
            }
        }
        Err(self.fail("the server refuses every form of the request"))
    }

    async fn send(&self, body: &serde_json::Value, deadline: Instant) -> Result<Response, Failure> {
        let mut request =
            self.client.post(self.url.clone()).json(body).header("accept", "text/event-stream");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.header.clone());
        }
        match timeout_at(deadline, request.send()).await {
            Err(_) => Err(Failure::Timeout),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_timeout() => Err(Failure::Timeout),
            Ok(Err(error)) if error.is_connect() => {
                Err(self.fail(&format!("`{}` cannot be reached: {}", self.host, chain(&error))))
            }
            Ok(Err(error)) => Err(self.broken(&chain(&error))),
        }
    }

    /// The connection was lost before the answer's end: the call may be tried again.
    fn broken(&self, why: &str) -> Failure {
        let body = format!("the answer of `{}` broke off: {why}", self.host);
        Failure::Http { status: Failure::NO_ANSWER, body: self.blank(&body).into() }
    }

    async fn read(
        &self,
        mut response: Response,
        first: Instant,
        listener: Listener<'_>,
    ) -> Result<Finish, Failure> {
        let content_type =
            response.headers().get("content-type").and_then(|value| value.to_str().ok());
        // Some servers answer in one piece, whatever they were asked.
        let streams = !content_type.is_some_and(|kind| kind.starts_with("application/json"));
        let mut answer = AnswerStream::new(streams);
        let mut deadline = first;
        while !answer.is_done() {
            let chunk = match timeout_at(deadline, response.chunk()).await {
                Err(_) => return Err(Failure::Timeout),
                Ok(Err(error)) if error.is_timeout() => return Err(Failure::Timeout),
                Ok(Err(error)) => return Err(self.broken(&chain(&error))),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            answer.push(&chunk, listener).map_err(|fault| self.fault(fault))?;
            // Signs of life before the first event do not move its deadline.
            if answer.has_begun() {
                deadline = Instant::now() + self.idle;
            }
        }
        answer.finish(listener).map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: stream::Fault) -> Failure {
        match fault {
            stream::Fault::Listener(failure) => failure,
            stream::Fault::CutOff => self.broken("it ended without saying why"),
            stream::Fault::NotJson(why) => {
                self.fail(&format!("`{}` sent something that is not JSON: {why}", self.host))
            }
            stream::Fault::TooLong => Failure::Budget { kind: "bytes".into() },
            stream::Fault::Reported { status, message } => {
                let message = self.blank(&shorten(&message));
                Failure::Http {
                    status: i64::from(status.unwrap_or(500)),
                    body: format!("`{}` reported: {message}", self.host).into(),
                }
            }
        }
    }

    /// Whether the server refused a part of the request that can be done without; then that is remembered.
    fn adapt(
        &self,
        status: StatusCode,
        text: &str,
        request: &ModelRequest,
        dialect: Dialect,
        way: &mut Way,
    ) -> bool {
        if !matches!(status.as_u16(), 400 | 404 | 405 | 415 | 422 | 500 | 501) {
            return false;
        }
        let text = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if !dialect.completion_tokens && says(&["max_completion_tokens"]) {
            self.completion_tokens.store(true, Ordering::Relaxed);
            return true;
        }
        if dialect.usage && says(&["stream_options", "include_usage"]) {
            self.no_usage.store(true, Ordering::Relaxed);
            return true;
        }
        if !matches!(request.output, Output::Typed { .. }) {
            return false;
        }
        let refused = match dialect.way {
            Way::Schema => says(&[
                "response_format",
                "json_schema",
                "json schema",
                "structured output",
                "grammar",
            ]),
            Way::Tool => says(&["tool", "function"]),
            Way::Prompt => false,
        };
        let Some(next) = dialect.way.next().filter(|_| refused) else { return false };
        *way = next;
        // A schema that this one server cannot take says nothing about other schemas.
        if !says(&["invalid schema"]) {
            self.way.store(next as u8, Ordering::Relaxed);
        }
        true
    }

    /// What an answer with that status means.
    fn refusal(&self, status: StatusCode, text: &str, wait: Option<Duration>) -> Failure {
        let (host, code) = (&self.host, status.as_u16());
        let words = self.blank(&shorten(&stream::message_of(text)));
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        let refused = |why: String| Failure::Refused { why: why.into() };
        match code {
            401 => refused(match &self.key {
                // What the provider says here may repeat a part of the key.
                Some(key) => {
                    format!("`{host}` does not accept the key in `{}` (401)", key.variable)
                }
                None => format!(
                    "`{host}` wants a key: say in `key_env` which environment variable holds it (401)"
                ),
            }),
            403 => refused(format!("`{host}` does not allow this call (403){said}")),
            404 => refused(format!(
                "`{host}` does not know the model `{}`, or the base URL is wrong (404){said}",
                self.model
            )),
            429 if text.contains("insufficient_quota") => {
                refused(format!("the account at `{host}` has no credit left (429){said}"))
            }
            408 | 409 | 425 | 429 | 500.. => {
                let hint =
                    wait.map(|wait| format!(" (wait {} s)", wait.as_secs())).unwrap_or_default();
                if let Some(wait) = wait {
                    self.pace.hold(host, wait);
                }
                Failure::Http {
                    status: i64::from(code),
                    body: format!("`{host}`{hint}{said}").into(),
                }
            }
            300..=399 => refused(format!(
                "`{host}` redirects ({code}): put the address it means into the base URL"
            )),
            _ => refused(format!("`{host}` refuses the request ({code}){said}")),
        }
    }
}

impl ModelProvider for OpenAi {
    fn ask<'a>(
        &'a self,
        request: &'a ModelRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Finish, Failure>> {
        Box::pin(self.call(request, listener))
    }
}

fn key(name: &SmolStr, env: &Env) -> Result<Key, Failure> {
    let refused = |why: String| Failure::Refused { why: why.into() };
    let value = env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        refused(format!("the environment variable `{name}`, which should hold a key, is not set"))
    })?;
    let mut header = HeaderValue::from_str(&format!("Bearer {value}"))
        .map_err(|_| refused(format!("the environment variable `{name}` does not hold a key")))?;
    header.set_sensitive(true);
    Ok(Key { variable: name.clone(), value, header })
}

/// The body of an error, as far as it comes in time and is not absurdly long.
async fn error_body(mut response: Response, deadline: Instant) -> String {
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR {
            body.truncate(MAX_ERROR);
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// A provider's words on one line, and not too many.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_WORDS) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
