//! The body of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kait_ir::Blob;
use serde_json::{Map, Value as Json, json};

use crate::providers::{ChatMessage, ChatRole, ModelRequest, Output, Part};
use crate::structured::{AnswerSchema, answer_schema};

/// How a structured answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Way {
    /// `response_format: json_schema`.
    Schema = 0,
    /// As the arguments of a tool that must be called.
    Tool = 1,
    /// In words, with the schema in the prompt.
    Prompt = 2,
}

impl Way {
    pub(super) fn of(number: u8) -> Self {
        match number {
            0 => Self::Schema,
            1 => Self::Tool,
            _ => Self::Prompt,
        }
    }

    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Tool),
            Self::Tool => Some(Self::Prompt),
            Self::Prompt => None,
        }
    }
}

/// What the server understands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dialect {
    pub(super) way: Way,
    /// The limit of tokens is called `max_completion_tokens`.
    pub(super) completion_tokens: bool,
    /// Usage can be asked for.
    pub(super) usage: bool,
}

/// The body for a request to that model.
pub(super) fn of(request: &ModelRequest, model: &str, dialect: Dialect) -> Json {
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    let mut messages: Vec<Json> = request.messages.iter().map(message).collect();
    body.insert("stream".into(), json!(true));
    if dialect.usage {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    if let Some(limit) = request.options.max_tokens {
        let name = if dialect.completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        body.insert(name.into(), json!(limit));
    }
    for (name, value) in &request.options.others {
        body.insert(name.to_string(), value.clone());
    }
    if let Output::Typed { table, ty } = &request.output {
        let AnswerSchema { schema, strict } = answer_schema(table, *ty);
        let name = schema_name(&request.prompt);
        match dialect.way {
            Way::Schema => {
                let mut format = json!({"name": name, "schema": schema, "strict": strict});
                describe(&mut format, &request.docs);
                body.insert(
                    "response_format".into(),
                    json!({"type": "json_schema", "json_schema": format}),
                );
            }
            Way::Tool => {
                let mut function = json!({"name": name, "parameters": schema, "strict": strict});
                let docs =
                    if request.docs.is_empty() { "Gives the answer." } else { &request.docs };
                describe(&mut function, docs);
                body.insert("tools".into(), json!([{"type": "function", "function": function}]));
                body.insert(
                    "tool_choice".into(),
                    json!({"type": "function", "function": {"name": name}}),
                );
            }
            Way::Prompt => {
                let words = format!(
                    "Answer with one JSON value that fits this JSON Schema, and with nothing else:\n{schema}"
                );
                // Behind the program's own instructions, before the conversation.
                let at = request.messages.iter().take_while(|m| m.role == ChatRole::System).count();
                messages.insert(at, json!({"role": "system", "content": words}));
            }
        }
    }
    body.insert("messages".into(), Json::Array(messages));
    Json::Object(body)
}

fn describe(object: &mut Json, docs: &str) {
    if let Json::Object(object) = object
        && !docs.is_empty()
    {
        object.insert("description".into(), json!(docs));
    }
}

/// A name as the API wants it: letters, digits, `_` and `-`, at most 64.
fn schema_name(prompt: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = prompt.chars().map(allowed).take(64).collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}

fn message(message: &ChatMessage) -> Json {
    let role = match message.role {
        ChatRole::System => "system",
        ChatRole::User => "user",
        ChatRole::Assistant => "assistant",
    };
    // Plain text is sent as such: not every server knows parts.
    if let [Part::Text(text)] = message.parts.as_slice() {
        return json!({"role": role, "content": text.as_str()});
    }
    let parts: Vec<Json> = message.parts.iter().map(part).collect();
    json!({"role": role, "content": parts})
}

fn part(part: &Part) -> Json {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text.as_str()}),
        Part::Blob(blob) => file(blob),
    }
}

fn file(blob: &Blob) -> Json {
    let media_type = blob.media_type.as_str();
    let data_url = || format!("data:{media_type};base64,{}", STANDARD.encode(&blob.bytes));
    let name = if blob.name.is_empty() { "file" } else { blob.name.as_str() };
    if media_type.starts_with("image/") && media_type != "image/svg+xml" {
        return json!({"type": "image_url", "image_url": {"url": data_url()}});
    }
    if let Some(kind) = media_type.strip_prefix("audio/") {
        let format = if kind == "mpeg" { "mp3" } else { kind.strip_prefix("x-").unwrap_or(kind) };
        return json!({
            "type": "input_audio",
            "input_audio": {"data": STANDARD.encode(&blob.bytes), "format": format},
        });
    }
    match std::str::from_utf8(&blob.bytes) {
        Ok(text) if media_type != "application/pdf" => {
            json!({"type": "text", "text": format!("File `{name}`:\n{text}")})
        }
        _ => json!({"type": "file", "file": {"filename": name, "file_data": data_url()}}),
    }
}
