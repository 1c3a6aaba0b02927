//! `/v1`: every public graph of text to text is a model of an OpenAI-compatible endpoint.
//!
//! A graph whose one parameter without default (or whose only parameter) is a list of the prelude's `Message` gets the
//! whole conversation; one where it is a text gets the user's last message. Sampling is the program's business, so
//! `temperature` and the like are read over; what would promise an answer of another kind (`tools`, `stop`, a
//! `response_format`, …) is refused. Whoever breaks off cancels the run: there is no way to come back to it through this
//! door.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::StatusCode;
use jiff::Timestamp;
use kait_compiler::diagnostics::Code;
use kait_engine::event::Outcome;
use kait_engine::segment::{Segment, SegmentKind, SegmentOp, SegmentRole};
use kait_ir::Failure;
use kait_runtime::segments::Visited;
use kait_runtime::{Inputs, report};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::chat_request::{ChatMessage, ChatRequest, ChatRole, read};
use super::request::{Part, Whole};
use crate::app::App;
use crate::catalog::{Chat, Hosted};
use crate::feed::Feed;
use crate::guard::{MayRead, MayRun, Sender, unvouched_instructions, vouches};
use crate::problem::Problem;
use crate::runs::{Ended, RunUsage};
use crate::tokens::{Principal, Scope};

/// Records that are looked at in one piece.
const BATCH: usize = 256;

/// The next message of a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatAnswer {
    /// `chatcmpl-` and the run's name.
    id: String,
    /// `chat.completion`.
    object: &'static str,
    /// When it began: seconds since 1970.
    created: i64,
    /// The graph.
    model: String,
    /// One.
    choices: Vec<ChatChoice>,
    /// What the graph's calls of models used up.
    usage: ChatUsage,
}

/// The one choice of an answer.
#[derive(Debug, Serialize, JsonSchema)]
struct ChatChoice {
    index: u32,
    message: ChatAnswerMessage,
    /// `stop`.
    finish_reason: &'static str,
    logprobs: Option<()>,
}

/// The message of an answer.
#[derive(Debug, Serialize, JsonSchema)]
struct ChatAnswerMessage {
    /// `assistant`.
    role: &'static str,
    content: String,
    refusal: Option<()>,
}

/// A piece of a streamed answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatChunk {
    /// `chatcmpl-` and the run's name.
    id: String,
    /// `chat.completion.chunk`.
    object: &'static str,
    /// When the answer began: seconds since 1970.
    created: i64,
    /// The graph.
    model: String,
    /// One, or none in the chunk with the usage.
    choices: Vec<ChunkChoice>,
    /// In the last chunk, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ChatUsage>,
}

/// The one choice of a chunk.
#[derive(Debug, Serialize, JsonSchema)]
struct ChunkChoice {
    index: u32,
    delta: ChunkDelta,
    finish_reason: Option<&'static str>,
    logprobs: Option<()>,
}

/// What a chunk adds.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct ChunkDelta {
    /// `assistant`, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// What was used up.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct ChatUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl From<RunUsage> for ChatUsage {
    fn from(usage: RunUsage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
        }
    }
}

/// The graphs that can be chatted with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ModelList {
    /// `list`.
    object: &'static str,
    /// The graphs.
    data: Vec<ModelRow>,
}

/// A graph that can be chatted with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ModelRow {
    /// The graph's name: module and graph.
    id: String,
    /// `model`.
    object: &'static str,
    /// 0: a graph has no date.
    created: i64,
    /// `kait`.
    owned_by: &'static str,
}

impl ModelRow {
    fn of(hosted: &Hosted) -> Self {
        Self { id: hosted.name.to_string(), object: "model", created: 0, owned_by: "kait" }
    }
}

/// `GET /v1/models`
pub(crate) async fn models(State(app): State<App>, _: MayRead) -> Json<ModelList> {
    let now = app.catalog.now();
    let chats = now.graphs().filter(|hosted| hosted.chat.is_some());
    Json(ModelList { object: "list", data: chats.map(|hosted| ModelRow::of(hosted)).collect() })
}

/// `GET /v1/models/{model}`
pub(crate) async fn model(
    State(app): State<App>,
    _: MayRead,
    part: Result<Part, Box<Problem>>,
) -> Result<Json<ModelRow>, Box<Problem>> {
    let Part(name) = part.map_err(Problem::for_openai)?;
    let (hosted, _) = chat_graph(&app, &name).map_err(Problem::for_openai)?;
    Ok(Json(ModelRow::of(&hosted)))
}

/// `POST /v1/chat/completions`
pub(crate) async fn completions(
    State(app): State<App>,
    _: MayRun,
    Sender(principal): Sender,
    body: Result<Whole, Box<Problem>>,
) -> Result<Response, Box<Problem>> {
    let answered = async {
        let Whole(body) = body?;
        let request = read(&body)?;
        complete(&app, request, &principal).await
    };
    answered.await.map_err(Problem::for_openai)
}

fn chat_graph(app: &App, name: &str) -> Result<(Arc<Hosted>, Chat), Box<Problem>> {
    let now = app.catalog.now();
    let hosted = now.graph(name)?;
    match &hosted.chat {
        Some(chat) => Ok((Arc::clone(hosted), chat.clone())),
        None => {
            let detail = format!(
                "`{}` is no chat: that takes a text result, and one parameter without default that is a text or a \
                 list of `Message`",
                hosted.name
            );
            Err(Problem::new(StatusCode::NOT_FOUND, Code::NoSuchGraph, detail)
                .help("GET /v1/models lists the graphs that are"))
        }
    }
}

async fn complete(
    app: &App,
    request: ChatRequest,
    principal: &Principal,
) -> Result<Response, Box<Problem>> {
    let (hosted, chat) = chat_graph(app, &request.model)?;
    let (Chat::Messages(given) | Chat::Text(given)) = &chat;
    vouches(principal, &hosted, std::iter::once(given.as_str()))?;
    // A conversation is data but for its instructions: those need somebody who vouches for them.
    let instructs =
        |message: &ChatMessage| matches!(message.role, ChatRole::System | ChatRole::Developer);
    if let Chat::Messages(name) = &chat
        && !principal.may(Scope::Vouch)
        && request.messages.iter().any(instructs)
    {
        return Err(unvouched_instructions(name, &hosted));
    }
    let mut inputs = Inputs::new(&hosted.program.plan.loaded, hosted.graph);
    match chat {
        Chat::Messages(name) => {
            let messages = request.messages.iter().map(ChatMessage::message).collect();
            inputs.give_json(&name, &messages);
        }
        Chat::Text(name) => {
            let mut said = request.messages.iter().rev();
            let Some(last) = said.find(|message| message.role == ChatRole::User) else {
                return Err(Problem::bad_request("`messages` has no message of the role `user`"));
            };
            inputs.give_json(&name, &Value::String(last.text()));
        }
    }
    let args = inputs.finish().map_err(|errors| Problem::input(&errors))?;
    let (run, task) = app.runs.start(&hosted, args, false, None)?;
    let Some(task) = task else { return Err(Problem::fault("a run was not begun")) };
    let feed = run.feed()?;
    let head = Head {
        id: format!("chatcmpl-{}", run.name),
        created: Timestamp::now().as_second(),
        model: request.model,
    };
    let guard = run.cancel.clone().drop_guard();
    if request.stream == Some(true) {
        let usage = request.stream_options.and_then(|o| o.include_usage).unwrap_or(false);
        let heartbeat = app.config.limits.heartbeat;
        let chat =
            ChatStream::new(head, feed, task, usage, guard, (principal.revoked.clone(), heartbeat));
        let headers = super::events::HEADERS;
        return Ok((headers, Body::from_stream(chat.pieces())).into_response());
    }
    let ended = task.await.map_err(|_| Problem::fault("the run ended in a fault of ours"))?;
    let _ = guard.disarm();
    match ended.outcome {
        Outcome::Ok(value) => {
            let content = value.as_text().unwrap_or_default().to_owned();
            let message = ChatAnswerMessage { role: "assistant", content, refusal: None };
            Ok(Json(ChatAnswer {
                id: head.id,
                object: "chat.completion",
                created: head.created,
                model: head.model,
                choices: vec![ChatChoice {
                    index: 0,
                    message,
                    finish_reason: "stop",
                    logprobs: None,
                }],
                usage: ended.usage.into(),
            })
            .into_response())
        }
        Outcome::Failed(failure) => Err(failed(&failure)),
    }
}

/// A run that failed. The status is one that clients do not take for a reason to try again by themselves: what the run
/// has done would be done twice.
fn failed(failure: &Failure) -> Box<Problem> {
    let (code, message, help) = report::words(failure);
    let title = Code::parse(code).map(|code| code.info().title).unwrap_or_default();
    let mut problem = Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, code, title, message);
    problem.help = help;
    problem.ours = true;
    problem
}

/// What all chunks of an answer say.
struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    fn chunk(&self, choices: Vec<ChunkChoice>, usage: Option<ChatUsage>) -> Bytes {
        event(&ChatChunk {
            id: self.id.clone(),
            object: "chat.completion.chunk",
            created: self.created,
            model: self.model.clone(),
            choices,
            usage,
        })
    }

    fn delta(&self, delta: ChunkDelta, finish_reason: Option<&'static str>) -> Bytes {
        self.chunk(vec![ChunkChoice { index: 0, delta, finish_reason, logprobs: None }], None)
    }
}

fn event(data: &impl Serialize) -> Bytes {
    // Texts and numbers only: this cannot fail.
    format!("data: {}\n\n", serde_json::to_string(data).unwrap_or_default()).into()
}

/// The result's text as it grows, in chunks.
struct ChatStream {
    head: Head,
    feed: Arc<Feed>,
    task: Option<JoinHandle<Ended>>,
    usage: bool,
    _guard: DropGuard,
    /// Set once the client's token is taken back.
    revoked: CancellationToken,
    /// How often an idle stream shows that it is alive.
    heartbeat: Duration,
    /// `seq` of the next record.
    next: u64,
    /// The result's segment.
    segment: Option<u64>,
    answer: Answer,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Text,
    Ended,
}

impl ChatStream {
    fn new(
        head: Head,
        feed: Arc<Feed>,
        task: JoinHandle<Ended>,
        usage: bool,
        guard: DropGuard,
        (revoked, heartbeat): (CancellationToken, Duration),
    ) -> Self {
        Self {
            head,
            feed,
            task: Some(task),
            usage,
            _guard: guard,
            revoked,
            heartbeat,
            next: 0,
            segment: None,
            answer: Answer::default(),
            stage: Stage::Open,
        }
    }

    fn pieces(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut chat| async move {
            match chat.stage {
                Stage::Open => {
                    chat.stage = Stage::Text;
                    let delta =
                        ChunkDelta { role: Some("assistant"), content: Some(String::new()) };
                    let first = chat.head.delta(delta, None);
                    Some((Ok(first), chat))
                }
                Stage::Text => {
                    let piece = chat.grow().await;
                    Some((Ok(piece), chat))
                }
                Stage::Ended => None,
            }
        })
    }

    /// The next chunk with text, or those at the end.
    async fn grow(&mut self) -> Bytes {
        loop {
            if self.revoked.is_cancelled() {
                return self.taken_back();
            }
            let log = self.feed.log();
            let (segment, answer) = (&mut self.segment, &mut self.answer);
            let seen = log.visit(self.next, BATCH, |record| look(record, segment, answer));
            let over = match seen {
                Visited::Seen { next, over } => {
                    self.next = next;
                    over
                }
                Visited::Behind => {
                    // What stands is all that has grown: the answer is compared with what was sent.
                    let snapshot = log.snapshot();
                    answer.restart();
                    for record in &snapshot.records {
                        look(record, segment, answer);
                    }
                    self.next = snapshot.next;
                    false
                }
            };
            if let Some(text) = self.answer.take() {
                return self.head.delta(ChunkDelta { role: None, content: Some(text) }, None);
            }
            if over {
                self.stage = Stage::Ended;
                return self.end().await;
            }
            if matches!(seen, Visited::Seen { .. }) {
                tokio::select! {
                    () = self.feed.log().wait(self.next) => {}
                    () = self.revoked.cancelled() => {}
                    () = tokio::time::sleep(self.heartbeat) => return super::events::HEARTBEAT,
                }
            }
        }
    }

    /// Whoever asked may not ask any more; the run is cancelled with the stream.
    fn taken_back(&mut self) -> Bytes {
        self.stage = Stage::Ended;
        let detail = "the token was taken back";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, Code::NoToken, detail).for_openai();
        event(&json!({ "error": problem.error }))
    }

    async fn end(&mut self) -> Bytes {
        let ended = match self.task.take() {
            Some(task) => task.await.ok(),
            None => None,
        };
        let problem = match &ended {
            None => Some(Problem::fault("the run ended in a fault of ours")),
            Some(Ended { outcome: Outcome::Failed(failure), .. }) => Some(failed(failure)),
            Some(Ended { outcome: Outcome::Ok(value), .. }) => {
                let whole = value.as_text().unwrap_or_default();
                (!self.answer.is_all_of(whole)).then(|| {
                    let detail = "the answer was made again after a part of it had been sent, and it came out differently";
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::MadeAgain, detail)
                        .help("what was sent is not the answer; ask without `stream` to get only what is final")
                })
            }
        };
        if let Some(problem) = problem {
            let problem = problem.for_openai();
            return event(&json!({ "error": problem.error }));
        }
        let mut out = self.head.delta(ChunkDelta::default(), Some("stop")).to_vec();
        if let Some(ended) = ended.filter(|_| self.usage) {
            out.extend_from_slice(&self.head.chunk(Vec::new(), Some(ended.usage.into())));
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        out.into()
    }
}

/// Takes what a record says of the result.
fn look(record: &Segment, segment: &mut Option<u64>, answer: &mut Answer) {
    match &record.op {
        SegmentOp::Open { kind: SegmentKind::Text, role: Some(SegmentRole::Result), .. } => {
            *segment = Some(record.segment);
        }
        _ if *segment != Some(record.segment) => {}
        SegmentOp::Delta { text, .. } => answer.grow(text),
        SegmentOp::Reset { .. } => answer.restart(),
        SegmentOp::Close { value } if answer.fresh => {
            // From a snapshot: the segment had ended, so its value stands for its pieces.
            answer.grow(value.as_str().unwrap_or_default());
        }
        _ => {}
    }
}

/// A text that grows, towards a client to which nothing can be unsaid: after a new attempt only what goes on from
/// what was sent is sent.
#[derive(Default)]
struct Answer {
    sent: String,
    /// What this attempt has made again of what was sent, in bytes.
    repeated: usize,
    /// Text that is to be sent.
    waiting: String,
    /// Nothing of this attempt has come yet.
    fresh: bool,
    /// What came differs from what was sent.
    differs: bool,
}

impl Answer {
    fn restart(&mut self) {
        self.sent.push_str(&std::mem::take(&mut self.waiting));
        self.repeated = 0;
        self.fresh = true;
        self.differs = false;
    }

    fn grow(&mut self, text: &str) {
        self.fresh = false;
        if self.differs {
            return;
        }
        let known = self.sent.as_bytes().get(self.repeated..).unwrap_or_default();
        let both = known.len().min(text.len());
        if known.get(..both) != text.as_bytes().get(..both) {
            self.differs = true;
            return;
        }
        self.repeated += both;
        // What was sent ends between characters, and the text agrees with it up to there.
        self.waiting.push_str(text.get(both..).unwrap_or_default());
    }

    fn take(&mut self) -> Option<String> {
        if self.waiting.is_empty() || self.differs {
            return None;
        }
        let text = std::mem::take(&mut self.waiting);
        self.sent.push_str(&text);
        self.repeated = self.sent.len();
        Some(text)
    }

    fn is_all_of(&self, whole: &str) -> bool {
        !self.differs && self.sent == whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_made_again_goes_on_or_is_spoiled() {
        let mut answer = Answer::default();
        answer.grow("Good to ");
        assert_eq!(answer.take().as_deref(), Some("Good to "));
        answer.restart();
        answer.grow("Good");
        assert_eq!(answer.take(), None);
        answer.grow(" to see ");
        answer.grow("you");
        assert_eq!(answer.take().as_deref(), Some("see you"));
        assert!(answer.is_all_of("Good to see you"));
        assert!(!answer.is_all_of("Good to see you!"));
        answer.restart();
        answer.grow("Bad");
        assert_eq!(answer.take(), None);
        assert!(!answer.is_all_of("Bad"));
    }

    #[test]
    fn what_was_not_sent_yet_can_be_unsaid() {
        let mut answer = Answer::default();
        answer.grow("a");
        answer.restart();
        answer.grow("ab");
        assert_eq!(answer.take().as_deref(), Some("b"));
        assert!(answer.is_all_of("ab"));
    }
}
