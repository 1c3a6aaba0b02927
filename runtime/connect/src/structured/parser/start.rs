//! Finds where the value begins: models put prose, fences and other brackets before it. A bracket is taken for the
//! value's first when a key (or an item) that fits follows; until then nothing is reported.

use kait_engine::json::KIND;
use kait_ir::{Failure, Type};

use super::{
    AnswerParser, Expected, Frame, MAX_BARE_ANSWER, Mode, Sink, field_named, inner, is_bare_key,
};
use crate::structured::VALUE;

/// Longest key that may begin an answer: bounds how much of a false start is read again.
const MAX_FIRST_KEY: usize = 64;

/// The first characters after a possible start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Opening {
    Object,
    ObjectSlash,
    Quoted(char),
    Bare,
    AfterQuoted,
    AfterBare,
    List,
}

impl AnswerParser {
    pub(super) fn seek(&mut self, c: char) {
        if self.prose.len() < MAX_BARE_ANSWER {
            self.prose.push(c);
        }
        let list_root = || matches!(inner(&self.table, self.root), Type::List(_));
        match c {
            '{' => self.mode = Mode::Opening(Opening::Object),
            '[' if self.wrapped && list_root() => self.mode = Mode::Opening(Opening::List),
            _ => {}
        }
    }

    pub(super) fn opening(
        &mut self,
        opening: Opening,
        c: char,
        out: Sink<'_>,
    ) -> Result<(), Failure> {
        self.held.push(c);
        let next = match (opening, c) {
            (Opening::Object, c) if c.is_whitespace() => Some(Opening::Object),
            (Opening::Object, '"' | '\'') => Some(Opening::Quoted(c)),
            (Opening::Object, '/') => Some(Opening::ObjectSlash),
            (Opening::Object, '}') if self.may_be_empty() => return self.open_root('{', out),
            (Opening::Object, c) if is_bare_key(c) => Some(Opening::Bare),
            (Opening::ObjectSlash, '/' | '*') => return self.open_root('{', out),
            (Opening::Quoted(quote), c) if c == quote => Some(Opening::AfterQuoted),
            (Opening::Quoted(quote), c) if c != '\n' => Some(Opening::Quoted(quote)),
            (Opening::Bare, c) if is_bare_key(c) => Some(Opening::Bare),
            (Opening::Bare | Opening::AfterBare, ':') if self.is_known_key() => {
                return self.open_root('{', out);
            }
            (Opening::AfterQuoted, ':') => return self.open_root('{', out),
            (Opening::Bare, c) if c.is_whitespace() => Some(Opening::AfterBare),
            (Opening::AfterQuoted | Opening::AfterBare, c) if c.is_whitespace() => Some(opening),
            (Opening::List, c) if c.is_whitespace() => Some(Opening::List),
            (Opening::List, c) if self.may_begin_item(c) => return self.open_root('[', out),
            _ => None,
        };
        match next {
            // White space alone does not count: a pretty answer may be indented deeply.
            Some(next)
                if self.held.trim_start().len() <= MAX_FIRST_KEY
                    && self.held.len() <= 4 * MAX_FIRST_KEY =>
            {
                self.mode = Mode::Opening(next);
                Ok(())
            }
            _ => {
                // It was none: what came since may hold the real one.
                self.mode = Mode::Seek;
                let held = std::mem::take(&mut self.held);
                self.feed(&held, out)
            }
        }
    }

    /// The text before the colon, if it names a part of the root.
    fn is_known_key(&self) -> bool {
        let key = self.held.trim_end_matches(':').trim();
        match inner(&self.table, self.root) {
            Type::Record(record) => field_named(&record.fields, key).is_some(),
            Type::Enum(choice) if choice.has_payload() && key == KIND => true,
            _ => key == VALUE,
        }
    }

    fn may_be_empty(&self) -> bool {
        match inner(&self.table, self.root) {
            Type::Record(record) => {
                record.fields.iter().all(|field| self.left_out(field).is_some())
            }
            _ => false,
        }
    }

    fn may_begin_item(&self, c: char) -> bool {
        let Type::List(item) = inner(&self.table, self.root) else { return false };
        match inner(&self.table, *item) {
            Type::Record(_) | Type::Map(..) => matches!(c, '{' | ']'),
            Type::List(_) => matches!(c, '[' | ']'),
            _ => matches!(c, '{' | '"' | '\'' | ']' | '-') || c.is_alphanumeric(),
        }
    }

    /// The value begins: the bracket is opened, and what came since is read by the machine.
    fn open_root(&mut self, bracket: char, out: Sink<'_>) -> Result<(), Failure> {
        let held = std::mem::take(&mut self.held);
        self.prose = String::new();
        self.expected = Expected::Typed(self.root);
        let first_key = held.trim_end_matches(':').trim().trim_matches(['"', '\'']);
        let own_object = match inner(&self.table, self.root) {
            Type::Enum(choice) => choice.has_payload() && first_key != VALUE,
            Type::Map(..) | Type::Json => first_key != VALUE,
            _ => false,
        };
        if bracket == '{' && self.wrapped && !own_object {
            self.frames.push(Frame::Wrapper { inside: false });
            self.mode = Mode::Key;
        } else {
            self.begin_value(bracket, out)?;
        }
        self.feed(&held, out)
    }
}
