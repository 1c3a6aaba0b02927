//! The answer as it comes: chunks of a stream, or one whole completion.

use kait_ir::Failure;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::providers::{Finish, Listener, ModelEvent, SseEvent, SseReader};

/// Longest whole completion, in bytes.
const MAX_WHOLE: usize = 32 << 20;

/// What can be wrong with an answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// Who listens wants no more.
    Listener(Failure),
    /// It ended in the middle.
    CutOff,
    /// It holds something else than JSON.
    NotJson(String),
    /// It is absurdly long.
    TooLong,
    /// The server says within the stream that it failed.
    Reported { status: Option<u16>, message: String },
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Json>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    message: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    #[serde(alias = "reasoning_content")]
    reasoning: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// The state between two pieces of an answer.
pub(super) struct AnswerStream {
    reader: SseReader,
    /// The body, if it does not come as events.
    whole: Option<Vec<u8>>,
    thoughts: Thoughts,
    finish: Option<Finish>,
    refusal: String,
    begun: bool,
    done: bool,
}

impl AnswerStream {
    pub(super) fn new(streams: bool) -> Self {
        Self {
            reader: SseReader::default(),
            whole: (!streams).then(Vec::new),
            thoughts: Thoughts::Undecided(String::new()),
            finish: None,
            refusal: String::new(),
            begun: false,
            done: false,
        }
    }

    /// Whether the server said that nothing follows.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether an event came.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn push(&mut self, bytes: &[u8], listener: Listener<'_>) -> Result<(), Fault> {
        if let Some(whole) = &mut self.whole {
            whole.extend_from_slice(bytes);
            self.begun = true;
            return if whole.len() > MAX_WHOLE { Err(Fault::TooLong) } else { Ok(()) };
        }
        let mut events = Vec::new();
        let pushed = self.reader.push(bytes, &mut events);
        for event in events {
            self.event(&event, listener)?;
        }
        pushed.map_err(|_| Fault::TooLong)
    }

    /// The body has ended.
    pub(super) fn finish(mut self, listener: Listener<'_>) -> Result<Finish, Fault> {
        match self.whole.take() {
            Some(whole) => self.chunk(&String::from_utf8_lossy(&whole), listener)?,
            None => {
                let mut events = Vec::new();
                self.reader.finish(&mut events);
                for event in events {
                    // A last event that is not whole was cut off with the stream.
                    let last = self.event(&event, listener);
                    if !matches!(last, Err(Fault::NotJson(_))) {
                        last?;
                    }
                }
            }
        }
        self.thoughts.end(listener).map_err(Fault::Listener)?;
        if !self.refusal.trim().is_empty() {
            return Ok(Finish::Refused(self.refusal.trim().into()));
        }
        match self.finish {
            Some(finish) => Ok(finish),
            // Some servers only say that nothing follows.
            None if self.done && self.begun => Ok(Finish::Complete),
            None => Err(Fault::CutOff),
        }
    }

    fn event(&mut self, event: &SseEvent, listener: Listener<'_>) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        let data = event.data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        self.begun = true;
        if event.name == "error" {
            return Err(reported(serde_json::from_str(data).unwrap_or_else(|_| data.into())));
        }
        self.chunk(data, listener)
    }

    fn chunk(&mut self, data: &str, listener: Listener<'_>) -> Result<(), Fault> {
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| Fault::NotJson(error.to_string()))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(reported(error));
        }
        // Only one answer is ever asked for.
        if let Some(choice) = chunk.choices.into_iter().flatten().next() {
            if let Some(delta) = choice.delta.or(choice.message) {
                self.delta(delta, listener).map_err(Fault::Listener)?;
            }
            if let Some(reason) = choice.finish_reason {
                self.finish = Some(match reason.as_str() {
                    "length" | "max_tokens" => Finish::Length,
                    "content_filter" => {
                        Finish::Refused("the provider's filter stopped the answer".into())
                    }
                    _ => Finish::Complete,
                });
            }
        }
        if let Some(usage) = chunk.usage {
            let event =
                ModelEvent::Usage { input: usage.prompt_tokens, output: usage.completion_tokens };
            listener(event).map_err(Fault::Listener)?;
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, listener: Listener<'_>) -> Result<(), Failure> {
        if let Some(thought) = delta.reasoning.filter(|text| !text.is_empty()) {
            listener(ModelEvent::Thinking(&thought))?;
        }
        if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
            self.thoughts.take(&text, listener)?;
        }
        for call in delta.tool_calls.into_iter().flatten() {
            if let Some(arguments) =
                call.function.and_then(|f| f.arguments).filter(|a| !a.is_empty())
            {
                self.thoughts.end(listener)?;
                listener(ModelEvent::Text(&arguments))?;
            }
        }
        if let Some(refusal) = delta.refusal {
            self.refusal.push_str(&refusal);
        }
        Ok(())
    }
}

fn reported(error: Json) -> Fault {
    let number =
        |json: Option<&Json>| json.and_then(Json::as_u64).and_then(|n| u16::try_from(n).ok());
    let status = number(error.get("code"))
        .or_else(|| number(error.get("status")))
        .filter(|n| (400..600).contains(n));
    Fault::Reported { status, message: message_of(&error.to_string()) }
}

/// The words in an error's body, in the forms that servers use.
pub(super) fn message_of(body: &str) -> String {
    let Ok(json) = serde_json::from_str::<Json>(body) else { return body.trim().to_owned() };
    let inner = json.get("error").unwrap_or(&json);
    for candidate in [inner, &inner["message"], &inner["detail"], &json["message"], &json["detail"]]
    {
        if let Some(text) = candidate.as_str() {
            return text.to_owned();
        }
    }
    body.trim().to_owned()
}

/// Local models write their thoughts into the answer, between `<think>` and `</think>` at its beginning.
#[derive(Debug)]
enum Thoughts {
    /// So far it could still become the mark.
    Undecided(String),
    /// Within the thoughts; what is kept may be the beginning of the closing mark.
    Inside(String),
    /// Behind them; white space up to the answer itself is left out.
    Behind,
    /// There are none, or the answer has begun.
    Over,
}

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

impl Thoughts {
    fn take(&mut self, text: &str, listener: Listener<'_>) -> Result<(), Failure> {
        match self {
            Self::Over => listener(ModelEvent::Text(text)),
            Self::Behind => {
                let rest = text.trim_start();
                if rest.is_empty() {
                    return Ok(());
                }
                *self = Self::Over;
                listener(ModelEvent::Text(rest))
            }
            Self::Undecided(held) => {
                held.push_str(text);
                let begun = held.trim_start();
                if let Some(inside) = begun.strip_prefix(OPEN) {
                    let inside = inside.to_owned();
                    *self = Self::Inside(String::new());
                    return self.take(&inside, listener);
                }
                if OPEN.starts_with(begun) && held.len() < 64 {
                    return Ok(());
                }
                let held = std::mem::take(held);
                *self = Self::Over;
                listener(ModelEvent::Text(&held))
            }
            Self::Inside(held) => {
                held.push_str(text);
                if let Some(at) = held.find(CLOSE) {
                    let behind = held.get(at + CLOSE.len()..).unwrap_or_default().to_owned();
                    held.truncate(at);
                    let thought = std::mem::take(held);
                    *self = Self::Behind;
                    if !thought.is_empty() {
                        listener(ModelEvent::Thinking(&thought))?;
                    }
                    return self.take(&behind, listener);
                }
                // All but what may be the beginning of the mark is a thought.
                let safe = (held.len().saturating_sub(CLOSE.len() - 1)..held.len())
                    .find(|at| held.get(*at..).is_some_and(|tail| CLOSE.starts_with(tail)))
                    .unwrap_or(held.len());
                let tail = held.split_off(safe);
                let thought = std::mem::replace(held, tail);
                if thought.is_empty() { Ok(()) } else { listener(ModelEvent::Thinking(&thought)) }
            }
        }
    }

    /// The text has ended: what was held back is part of the answer.
    fn end(&mut self, listener: Listener<'_>) -> Result<(), Failure> {
        match std::mem::replace(self, Self::Over) {
            Self::Undecided(held) if !held.is_empty() => listener(ModelEvent::Text(&held)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text, thoughts and end of an answer whose content comes in these pieces.
    fn answer(pieces: &[&str]) -> (String, String) {
        let (mut text, mut thought) = (String::new(), String::new());
        let mut listener = |event: ModelEvent<'_>| {
            match event {
                ModelEvent::Text(piece) => text.push_str(piece),
                ModelEvent::Thinking(piece) => thought.push_str(piece),
                _ => {}
            }
            Ok(())
        };
        let mut thoughts = Thoughts::Undecided(String::new());
        for piece in pieces {
            thoughts.take(piece, &mut listener).unwrap();
        }
        thoughts.end(&mut listener).unwrap();
        (text, thought)
    }

    #[test]
    fn thoughts_are_told_from_the_answer() {
        let both = |text: &str, thought: &str| (text.to_owned(), thought.to_owned());
        assert_eq!(answer(&["\n<think>hm < 3</think>\n\nYes"]), both("Yes", "hm < 3"));
        assert_eq!(answer(&["Yes <think>no</think>"]), both("Yes <think>no</think>", ""));
        assert_eq!(answer(&[" <thin"]), both(" <thin", ""));
        assert_eq!(answer(&["<think>for ever"]), both("", "for ever"));
        assert_eq!(answer(&["  Yes"]), both("  Yes", ""));
    }

    #[test]
    fn words_are_found_in_the_bodies_of_many_servers() {
        for body in [
            r#"{"error": {"message": "no tea", "type": "x"}}"#,
            r#"{"error": "no tea"}"#,
            r#"{"message": "no tea"}"#,
            r#"{"detail": "no tea"}"#,
            " no tea\n",
        ] {
            assert_eq!(message_of(body), "no tea", "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_thought_depends_on_how_it_was_cut(
            content in "(| |\n)(<think>|<thi)?[a-z<>/é ]{0,9}(</think>)?[ \n]{0,2}[a-z</]{0,5}",
            cuts in proptest::collection::vec(0usize..40, 0..8),
        ) {
            let mut cuts: Vec<usize> =
                cuts.into_iter().filter(|at| *at <= content.len() && content.is_char_boundary(*at)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut last = 0;
            for at in cuts {
                pieces.push(&content[last..at]);
                last = at;
            }
            pieces.push(&content[last..]);
            prop_assert_eq!(answer(&pieces), answer(&[&content]));
        }
    }
}
