//! What the OpenAI-compatible door is asked for: the request's type, and what is wrong with one, in words of ours.

use bytes::Bytes;
use kait_runtime::inputs::parse_json;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::runs::shown;

/// Messages of one conversation, at most.
const MAX_MESSAGES: usize = 10_000;

/// A request for the next message of a chat. Members that are not listed are read over.
#[derive(Debug, Deserialize, JsonSchema)]
#[expect(
    dead_code,
    reason = "members that must not ask for anything are checked before, and only described here"
)]
pub(crate) struct ChatRequest {
    /// The graph: a name of `GET /v1/models`.
    pub(super) model: String,
    /// The conversation so far.
    #[schemars(length(min = 1, max = 10_000))]
    pub(super) messages: Vec<ChatMessage>,
    /// Whether the answer is streamed.
    #[serde(default)]
    pub(super) stream: Option<bool>,
    /// What a stream ends with.
    #[serde(default)]
    pub(super) stream_options: Option<StreamOptions>,
    /// How many answers: 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1))]
    n: Option<u32>,
    /// Tools: none. A graph brings its own.
    #[serde(default)]
    #[schemars(length(max = 0))]
    tools: Option<Vec<Value>>,
    /// The older name of tools: none.
    #[serde(default)]
    #[schemars(length(max = 0))]
    functions: Option<Vec<Value>>,
    /// Which tool must be called: no one can say.
    #[serde(default)]
    #[schemars(extend("enum" = ["none", "auto", null]))]
    tool_choice: Option<Value>,
    /// Its older name.
    #[serde(default)]
    #[schemars(extend("enum" = ["none", "auto", null]))]
    function_call: Option<Value>,
    /// Texts that the answer ends before: none. A graph says itself where it ends.
    #[serde(default)]
    #[schemars(length(max = 0))]
    stop: Option<Vec<Value>>,
    /// The form of the answer: `{"type": "text"}`. A graph with another result is called by its own route.
    #[serde(default)]
    response_format: Option<ResponseFormat>,
    /// Probabilities of tokens: `false`.
    #[serde(default)]
    #[schemars(extend("enum" = [false, null]))]
    logprobs: Option<bool>,
    /// Probabilities of how many others: 0.
    #[serde(default)]
    #[schemars(range(max = 0))]
    top_logprobs: Option<u32>,
    /// In which ways the answer comes: `text`.
    #[serde(default)]
    modalities: Option<Vec<Modality>>,
}

/// The form of an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    /// Text, as it is.
    Text,
}

/// A way in which an answer comes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Modality {
    /// In words.
    Text,
}

/// What a stream ends with.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct StreamOptions {
    /// Whether the last chunk says what was used up.
    #[serde(default)]
    pub(super) include_usage: Option<bool>,
}

/// A message of a chat.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ChatMessage {
    /// Who speaks.
    pub(super) role: ChatRole,
    /// What was said.
    #[serde(default)]
    content: Option<Content>,
    /// For `tool`: the call that it answers.
    #[serde(default)]
    tool_call_id: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatRole {
    /// Instructions.
    System,
    /// Instructions, under their newer name.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool.
    Tool,
}

/// What was said: a text, or parts that are texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Content {
    /// A text.
    Text(String),
    /// Parts.
    Parts(Vec<ContentPart>),
}

/// A part of a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentPart {
    /// A text.
    Text {
        /// The text.
        text: String,
    },
    /// What a model said instead of an answer.
    Refusal {
        /// Its words.
        refusal: String,
    },
}

impl ChatMessage {
    pub(super) fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => {
                let text = |part: &'_ ContentPart| match part {
                    ContentPart::Text { text } => text.clone(),
                    ContentPart::Refusal { refusal } => refusal.clone(),
                };
                parts.iter().map(text).collect()
            }
        }
    }

    /// The wire form of the prelude's `Message`.
    pub(super) fn message(&self) -> Value {
        let content = self.text();
        match self.role {
            ChatRole::System | ChatRole::Developer => {
                json!({ "kind": "system", "content": content })
            }
            ChatRole::User => json!({ "kind": "user", "content": content }),
            ChatRole::Assistant => json!({ "kind": "assistant", "content": content }),
            ChatRole::Tool => json!({
                "kind": "tool_result",
                "call": self.tool_call_id.as_deref().unwrap_or_default(),
                "content": content,
            }),
        }
    }
}

/// The request that a body is.
///
/// # Errors
/// 400, with the place of what does not fit.
pub(super) fn read(body: &Bytes) -> Result<ChatRequest, Box<Problem>> {
    let json = parse_json(body).map_err(|error| Problem::no_json(&error))?;
    if let Some(why) = unfit(&json) {
        return Err(Problem::bad_request(format!("the request does not fit: {why}")));
    }
    // What is wrong with it was found above, in words of ours.
    serde_json::from_value(json)
        .map_err(|_| Problem::bad_request("the request does not fit: `/openapi.json` describes it"))
}

/// A member, whether its value may be, and what it must be.
type Rule = (&'static str, fn(&Value) -> bool, &'static str);

/// What is wrong with a request, with its place.
fn unfit(json: &Value) -> Option<String> {
    let Value::Object(request) = json else { return Some("it must be a JSON object".into()) };
    let given = |name: &str| request.get(name).filter(|value| !value.is_null());
    match request.get("model") {
        None => {
            return Some(
                "`model` is missing: the name of a graph, as `GET /v1/models` lists them".into(),
            );
        }
        Some(Value::String(_)) => {}
        Some(_) => return Some("`model` must be a text: the name of a graph".into()),
    }
    let messages = match request.get("messages") {
        None => return Some("`messages` is missing".into()),
        Some(Value::Array(messages)) => messages,
        Some(_) => return Some("`messages` must be a list".into()),
    };
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        return Some(format!("`messages` must be from 1 to {MAX_MESSAGES} messages"));
    }
    for (index, message) in messages.iter().enumerate() {
        if let Some((below, why)) = unfit_message(message) {
            return Some(format!("`messages[{index}]{below}` {why}"));
        }
    }
    let is_list_of_none = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let plain_choice = |value: &Value| matches!(value.as_str(), Some("none" | "auto"));
    let usage = |value: &Value| match value {
        Value::Object(options) => {
            options.get("include_usage").is_none_or(|usage| usage.is_boolean() || usage.is_null())
        }
        _ => false,
    };
    let only_text = |value: &Value| {
        value.as_array().is_some_and(|ways| ways.iter().all(|way| way.as_str() == Some("text")))
    };
    let rules: [Rule; 12] = [
        ("stream", Value::is_boolean, "must be true or false"),
        ("stream_options", usage, "may have `include_usage`, true or false"),
        ("n", |n| n.as_u64() == Some(1), "must be 1: a graph gives one answer"),
        ("tools", is_list_of_none, "must be empty: a graph brings its own"),
        ("functions", is_list_of_none, "must be empty: a graph brings its own"),
        ("tool_choice", plain_choice, "must be `none` or `auto`: a graph decides itself"),
        ("function_call", plain_choice, "must be `none` or `auto`: a graph decides itself"),
        ("stop", is_list_of_none, "must be empty: a graph says itself where its answer ends"),
        (
            "response_format",
            |format| format["type"] == "text",
            "must be `{\"type\": \"text\"}`: a graph with a typed result is run by `POST /api/graphs/{graph}/runs`",
        ),
        ("logprobs", |value| value == &Value::Bool(false), "must be false: a graph has none"),
        ("top_logprobs", |n| n.as_u64() == Some(0), "must be 0: a graph has none"),
        ("modalities", only_text, "must be `[\"text\"]`: graphs answer in words"),
    ];
    let broken = rules.iter().find(|(name, fits, _)| given(name).is_some_and(|value| !fits(value)));
    broken.map(|(name, _, must)| format!("`{name}` {must}"))
}

/// Where below a message something is wrong, and what.
fn unfit_message(message: &Value) -> Option<(String, String)> {
    let here = |below: &str, why: &str| Some((below.to_owned(), why.to_owned()));
    let Value::Object(message) = message else { return here("", "must be an object") };
    let role = message.get("role").and_then(Value::as_str);
    if !matches!(role, Some("system" | "developer" | "user" | "assistant" | "tool")) {
        return here(".role", "must be system, developer, user, assistant or tool");
    }
    if message.get("tool_call_id").is_some_and(|id| !id.is_string() && !id.is_null()) {
        return here(".tool_call_id", "must be a text");
    }
    let parts = match message.get("content") {
        None | Some(Value::Null | Value::String(_)) => return None,
        Some(Value::Array(parts)) => parts,
        Some(_) => return here(".content", "must be a text, or a list of parts"),
    };
    parts.iter().enumerate().find_map(|(index, part)| {
        let why = match part.get("type").and_then(Value::as_str) {
            Some(kind @ ("text" | "refusal")) if part.get(kind).is_some_and(Value::is_string) => {
                return None;
            }
            Some("text" | "refusal") => "has no text".to_owned(),
            Some(kind) => {
                format!("is of the type `{}`: graphs are asked with texts only", shown(kind))
            }
            None => "must be an object with a `type`".to_owned(),
        };
        Some((format!(".content[{index}]"), why))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_clients_write_them() {
        let request = |text: &'static str| read(&Bytes::from_static(text.as_bytes()));
        let parts = request(
            r#"{"model":"m","temperature":1,"messages":[{"role":"developer","content":"d"},
                {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                {"role":"assistant","content":null},{"role":"tool","tool_call_id":"c","content":"t"}]}"#,
        )
        .unwrap();
        let messages: Vec<_> = parts.messages.iter().map(ChatMessage::message).collect();
        assert_eq!(messages[0], json!({ "kind": "system", "content": "d" }));
        assert_eq!(messages[1], json!({ "kind": "user", "content": "ab" }));
        assert_eq!(messages[2], json!({ "kind": "assistant", "content": "" }));
        assert_eq!(messages[3], json!({ "kind": "tool_result", "call": "c", "content": "t" }));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"model":"m","messages":[]}"#,
            r#"{"model":"m","messages":[{"role":"boss","content":"x"}]}"#,
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            r#"{"model":"m","n":2,"messages":[{"role":"user","content":"x"}]}"#,
            r#"{"model":"m","tools":[1],"messages":[{"role":"user","content":"x"}]}"#,
        ] {
            assert_eq!(request(wrong).err().map(|problem| problem.status), Some(400), "{wrong}");
        }
    }

    /// A request with one more member.
    fn with(member: &str) -> Result<ChatRequest, Box<Problem>> {
        let text =
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{member}}}"#);
        read(&Bytes::from(text))
    }

    #[test]
    fn what_promises_another_answer_is_refused_with_its_place() {
        for (member, word) in [
            (r#""response_format":{"type":"json_schema","json_schema":{}}"#, "`response_format`"),
            (r#""response_format":{"type":"json_object"}"#, "`response_format`"),
            (r#""response_format":"text""#, "`response_format`"),
            (r#""tools":[{"type":"function"}]"#, "`tools`"),
            (r#""tool_choice":"required""#, "`tool_choice`"),
            (r#""functions":[{}]"#, "`functions`"),
            (r#""stop":"END""#, "`stop`"),
            (r#""stop":["END"]"#, "`stop`"),
            (r#""logprobs":true"#, "`logprobs`"),
            (r#""top_logprobs":3"#, "`top_logprobs`"),
            (r#""modalities":["text","audio"]"#, "`modalities`"),
            (r#""n":2"#, "`n`"),
            (r#""stream":"yes""#, "`stream`"),
            (r#""stream_options":{"include_usage":1}"#, "`stream_options`"),
        ] {
            let problem = with(member).err().unwrap();
            assert_eq!((problem.status, problem.code.as_str()), (400, "K9045"), "{member}");
            assert!(problem.detail.contains(word), "{member}: {}", problem.detail);
        }
    }

    #[test]
    fn what_clients_send_of_themselves_is_read_over() {
        for member in [
            r#""temperature":0.2,"top_p":1,"max_tokens":9,"max_completion_tokens":null,"seed":1,"user":"u""#,
            r#""frequency_penalty":0,"presence_penalty":0,"logit_bias":{},"metadata":{},"store":false"#,
            r#""tools":[],"tool_choice":"auto","parallel_tool_calls":true,"functions":null"#,
            r#""stop":null,"logprobs":false,"top_logprobs":null,"n":1,"modalities":["text"]"#,
            r#""response_format":{"type":"text"},"reasoning_effort":"low","service_tier":"auto""#,
        ] {
            assert!(with(member).is_ok(), "{member}");
        }
    }

    #[test]
    fn a_message_that_does_not_fit_is_named() {
        for (messages, words) in [
            ("{}", "`messages` must be a list"),
            ("[1]", "`messages[0]` must be an object"),
            (r#"[{"role":"boss"}]"#, "`messages[0].role` must be system,"),
            (r#"[{"role":"user","content":5}]"#, "`messages[0].content` must be a text"),
            (
                r#"[{"role":"user"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"}]}]"#,
                "`messages[1].content[1]` is of the type `image_url`: graphs are asked with texts only",
            ),
            (
                r#"[{"role":"user","content":[{"type":"text"}]}]"#,
                "`messages[0].content[0]` has no text",
            ),
            (r#"[{"role":"tool","tool_call_id":5}]"#, "`messages[0].tool_call_id` must be a text"),
        ] {
            let text = format!(r#"{{"model":"m","messages":{messages}}}"#);
            let problem = read(&Bytes::from(text)).err().unwrap();
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
    }
}
