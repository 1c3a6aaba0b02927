//! The built-in model `echo`: offline and deterministic, for first steps and for tests. It streams word by word, says
//! what it is, and gives every type a valid value made from the words of the request.

use futures_util::future::BoxFuture;
use kait_ir::Failure;

use super::sample::sample;
use super::{ChatRole, Finish, Listener, ModelEvent, ModelProvider, ModelRequest, Output, Part};
use crate::structured::{VALUE, is_wrapped};

/// What every free answer begins with.
const GREETING: &str = "[echo: no model is connected]";

/// Most words of the request that are repeated.
const REPEATED: usize = 60;

/// The model.
pub(crate) struct Echo;

impl ModelProvider for Echo {
    fn ask<'a>(
        &'a self,
        request: &'a ModelRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Finish, Failure>> {
        Box::pin(async move {
            let said = last_user_text(request);
            let answer = match &request.output {
                Output::Text => repeat(&said),
                Output::Typed { table, ty } => {
                    let value = sample(table, *ty, &said);
                    let wrapped = is_wrapped(table, *ty);
                    let value = if wrapped { serde_json::json!({ VALUE: value }) } else { value };
                    value.to_string()
                }
            };
            let limit = request.options.max_tokens.unwrap_or(u64::MAX);
            let mut output = 0;
            let mut finish = Finish::Complete;
            for word in answer.split_inclusive(' ') {
                if output == limit {
                    finish = Finish::Length;
                    break;
                }
                output += 1;
                listener(ModelEvent::Text(word))?;
                // Others run between two words, as with a real model.
                tokio::task::yield_now().await;
            }
            let input = request.messages.iter().map(|message| words_in(&message.parts)).sum();
            listener(ModelEvent::Usage { input, output })?;
            Ok(finish)
        })
    }
}

fn words_in(parts: &[Part]) -> u64 {
    let words = |part: &Part| match part {
        Part::Text(text) => text.split_whitespace().count() as u64,
        // What providers count for a small picture.
        Part::Blob(_) => 85,
    };
    parts.iter().map(words).sum()
}

/// The text of the last message that has any, the user's if there is one.
fn last_user_text(request: &ModelRequest) -> String {
    let text = |parts: &[Part]| {
        let texts = parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Blob(blob) => blob.name.as_str(),
        });
        texts.collect::<Vec<_>>().join(" ")
    };
    let by = |role: Option<ChatRole>| {
        let messages = request.messages.iter().rev();
        messages
            .filter(|m| role.is_none_or(|r| m.role == r))
            .map(|m| text(&m.parts))
            .find(|t| !t.trim().is_empty())
    };
    by(Some(ChatRole::User)).or_else(|| by(None)).unwrap_or_default()
}

fn repeat(said: &str) -> String {
    let mut words = said.split_whitespace();
    let mut answer = GREETING.to_owned();
    for word in words.by_ref().take(REPEATED) {
        answer.push(' ');
        answer.push_str(word);
    }
    if words.next().is_some() {
        answer.push_str(" …");
    }
    answer
}
