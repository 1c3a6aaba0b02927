//! Model providers: one trait, one file (or folder) a protocol. A provider turns a request into events; what the
//! answer means (its type, growth, repairs) is not its business.

mod echo;
mod openai;
mod pattern;
mod sample;
mod sse;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use kait_engine::check::TypeTable;
use kait_ir::{Blob, Failure, TypeId};
use smol_str::SmolStr;

use crate::connections::Env;
use crate::leaf::ModelBinding;

pub(crate) use echo::Echo;
pub use sse::{SseEvent, SseReader};

/// One call of a model: everything that a provider needs, nothing of the program around it.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The prompt's name: it names the schema.
    pub prompt: SmolStr,
    /// The prompt's documentation.
    pub docs: SmolStr,
    /// The conversation, in order.
    pub messages: Vec<ChatMessage>,
    /// How the model should answer.
    pub options: Options,
    /// What it should answer.
    pub output: Output,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: ChatRole,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl ChatMessage {
    /// A message that is only text.
    pub fn text(role: ChatRole, text: impl Into<SmolStr>) -> Self {
        Self { role, parts: vec![Part::Text(text.into())] }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatRole {
    /// Instructions.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text(SmolStr),
    /// A picture, a recording or another file, by its MIME type.
    Blob(Arc<Blob>),
}

/// How a model should answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Most tokens of the answer.
    pub max_tokens: Option<u64>,
    /// What the program says beside that, by name: `temperature`, `top_p`, `seed`, ...
    pub others: Vec<(SmolStr, serde_json::Value)>,
}

/// What a model should answer.
#[derive(Clone, Debug)]
pub enum Output {
    /// Free text.
    Text,
    /// A value of a type.
    Typed {
        /// The program's types.
        table: Arc<TypeTable>,
        /// The type.
        ty: TypeId,
    },
}

/// Something that happened while a model answers.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelEvent<'a> {
    /// The answer grows.
    Text(&'a str),
    /// The model thinks aloud; not part of the answer.
    Thinking(&'a str),
    /// What the call used up, as far as it is known now: each event replaces the one before.
    Usage {
        /// Tokens read.
        input: u64,
        /// Tokens written.
        output: u64,
    },
    /// What came so far is void: the provider asks again in another way.
    Restart,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Complete,
    /// The limit of tokens was reached.
    Length,
    /// The model (or a filter of the provider) refused, in its words.
    Refused(SmolStr),
}

/// Takes the events of an answer; its failure ends the call at once and is passed on.
pub type Listener<'a> = &'a mut (dyn FnMut(ModelEvent<'_>) -> Result<(), Failure> + Send);

/// A model behind a protocol.
pub trait ModelProvider: Send + Sync {
    /// Asks once, and reports the answer as it comes.
    ///
    /// # Errors
    /// What kept the provider from answering, in plain words and never with the key; or the listener's failure.
    fn ask<'a>(
        &'a self,
        request: &'a ModelRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Finish, Failure>>;
}

/// Host and port that a binding leads to, if it leads anywhere, once all that a call of its model needs is there: a
/// provider that exists, a URL, a key. Connects to nothing.
///
/// # Errors
/// `Refused`, in the words that a run would fail with. They never hold the key.
pub fn examine(binding: &ModelBinding, env: &Env) -> Result<Option<(String, u16)>, Failure> {
    open(binding, env)?;
    if binding.provider != "openai" {
        return Ok(None);
    }
    let url = binding.base_url.as_deref().unwrap_or(openai::OPENAI);
    Ok(reqwest::Url::parse(url).ok().and_then(|url| {
        // Brackets around an IPv6 address belong to the URL.
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((host, url.port_or_known_default()?))
    }))
}

/// The provider of a binding.
///
/// # Errors
/// `Unbound` for a provider that does not exist, `Refused` for a key that is not there.
pub(crate) fn open(binding: &ModelBinding, env: &Env) -> Result<Arc<dyn ModelProvider>, Failure> {
    match binding.provider.as_str() {
        "echo" => Ok(Arc::new(Echo)),
        "openai" => Ok(Arc::new(openai::OpenAi::new(binding, env)?)),
        other => Err(Failure::Refused {
            why: format!("there is no model provider `{other}`: `openai` and `echo` are known")
                .into(),
        }),
    }
}
