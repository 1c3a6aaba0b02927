//! Reads a structured answer while it comes: a machine over characters that knows the type it reads.
//!
//! Growth is reported as soon as it is certain, and does not depend on how the answer was cut; the cost is linear in
//! the answer's length over all pieces. The parser is tolerant, because models are not careful: prose and fences
//! around the value, comments, trailing and missing commas, keys without quotes or in single quotes, numbers as text
//! and other spellings of variants are understood. An answer that ends too early is an error.

mod escape;
mod start;

use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::json::{KIND, decode};
use kait_ir::{Bound, Failure, FieldType, Type, TypeId, Value};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use self::escape::{Escape, unescape};
use self::start::Opening;
use super::lenient::{decode_lenient, inner, variant_named};
use super::{VALUE, is_wrapped};
use crate::growth::{Growth, Path, Step};

/// Deepest nesting of an answer.
const MAX_DEPTH: usize = 128;

/// How much of an answer without any bracket is kept, in case all of it is the value.
const MAX_BARE_ANSWER: usize = 4096;

/// Parses one answer of a type.
pub struct AnswerParser {
    table: Arc<TypeTable>,
    root: TypeId,
    wrapped: bool,
    mode: Mode,
    frames: Vec<Frame>,
    path: Path,
    /// The key, text or bare word under way.
    buffer: String,
    /// How much of a growing text was reported.
    reported: usize,
    /// Whether the text under way grows.
    growing: bool,
    /// What the value under way must be.
    expected: Expected,
    /// What follows a possible start: read again if it was none.
    held: String,
    /// The beginning of an answer that has shown no bracket yet.
    prose: String,
    result: Option<Value>,
    /// Whether anything was reported.
    grew: bool,
}

/// What the machine reads.
#[derive(Clone, Debug, PartialEq)]
enum Mode {
    /// What stands before the value.
    Seek,
    /// After a bracket that may be the value's first.
    Opening(Opening),
    /// A value begins here.
    Value,
    /// In an object: a key, or its end.
    Key,
    /// Within a key in quotes.
    QuotedKey { quote: char, escape: Escape },
    /// Within a key without quotes.
    BareKey,
    /// The colon.
    Colon,
    /// In a list: an item, or its end.
    Item,
    /// Within a text.
    Text { quote: char, escape: Escape },
    /// Within a number, a word, or a text without quotes.
    Bare,
    /// Within a comment; what was read before goes on behind it.
    Comment { kind: Comment, back: Box<Mode> },
    /// The value is complete; what follows is ignored.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comment {
    /// After the first slash.
    Slash,
    Line,
    Block,
    /// In a block, after an asterisk.
    Star,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// Of that type.
    Typed(TypeId),
    /// Anything: it is kept as JSON.
    Json,
}

/// A list or object that is open.
enum Frame {
    /// `{"value": …}` around the root.
    Wrapper {
        inside: bool,
    },
    /// A record, or a variant whose tag is known.
    Record {
        ty: TypeId,
        variant: Option<u32>,
        values: Vec<Option<Value>>,
        field: Option<usize>,
        key: String,
    },
    /// An enum whose tag is not known yet.
    Choice {
        ty: TypeId,
        entries: Map<String, Json>,
        key: String,
    },
    List {
        ty: TypeId,
        item: TypeId,
        items: Vec<Value>,
    },
    /// What has no type of its own; the outermost one may have to become a type in the end.
    Object {
        target: Expected,
        entries: Map<String, Json>,
        key: String,
    },
    Array {
        target: Expected,
        items: Vec<Json>,
    },
}

type Sink<'a> = &'a mut dyn FnMut(Growth);

impl AnswerParser {
    /// A parser for answers of that type.
    pub fn new(table: Arc<TypeTable>, root: TypeId) -> Self {
        let wrapped = is_wrapped(&table, root);
        Self {
            table,
            root,
            wrapped,
            mode: Mode::Seek,
            frames: Vec::new(),
            path: Path::new(),
            buffer: String::new(),
            reported: 0,
            growing: false,
            expected: Expected::Json,
            held: String::new(),
            prose: String::new(),
            result: None,
            grew: false,
        }
    }

    /// Whether anything was reported so far.
    pub fn has_grown(&self) -> bool {
        self.grew
    }

    /// Takes the next piece of the answer and reports what is certain now.
    ///
    /// # Errors
    /// `Invalid` as soon as a part cannot become a value of its type any more. The parser is of no use then.
    pub fn push(&mut self, piece: &str, out: Sink<'_>) -> Result<(), Failure> {
        self.feed(piece, out)?;
        self.report_text(out);
        Ok(())
    }

    /// The answer has ended.
    ///
    /// # Errors
    /// `Invalid` if it holds no value, ends within it, or the value does not fit its type.
    pub fn finish(mut self, out: Sink<'_>) -> Result<Value, Failure> {
        if matches!(self.mode, Mode::Seek | Mode::Opening(_)) {
            self.result = Some(self.bare_answer()?);
        }
        let Some(value) = self.result.take() else {
            self.report_text(out);
            return Err(self.invalid("the answer ends before it is complete"));
        };
        self.table.check(self.root, &value)?;
        Ok(value)
    }

    /// The value of an answer that is nothing but a scalar.
    fn bare_answer(&self) -> Result<Value, Failure> {
        let nothing = || Failure::invalid("", "the answer holds no JSON");
        let scalar = !matches!(
            inner(&self.table, self.root),
            Type::Record(_) | Type::List(_) | Type::Map(..) | Type::Json
        );
        let text = self.prose.trim().trim_matches(['`', '"', '\'', '.']).trim();
        if !scalar || text.is_empty() || self.prose.len() >= MAX_BARE_ANSWER {
            return Err(nothing());
        }
        decode_lenient(&self.table, self.root, &bare_json(text)).map_err(|_| nothing())
    }

    fn grow(&mut self, growth: Growth, out: Sink<'_>) {
        self.grew = true;
        out(growth);
    }

    fn report_text(&mut self, out: Sink<'_>) {
        if self.growing
            && let Some(text) = self.buffer.get(self.reported..).filter(|text| !text.is_empty())
        {
            let growth = Growth::Append { path: self.path.clone(), text: text.into() };
            self.reported = self.buffer.len();
            self.grow(growth, out);
        }
    }

    fn feed(&mut self, piece: &str, out: Sink<'_>) -> Result<(), Failure> {
        let mut rest = piece;
        while let Some(c) = rest.chars().next() {
            // Most of an answer is text: runs of it are taken at once.
            if let Mode::Text { quote, escape: Escape::None }
            | Mode::QuotedKey { quote, escape: Escape::None } = self.mode
            {
                let run = rest.find([quote, '\\']).unwrap_or(rest.len());
                if run > 0 {
                    let (text, behind) = rest.split_at(run);
                    self.buffer.push_str(text);
                    rest = behind;
                    continue;
                }
            }
            if self.mode == Mode::Done {
                return Ok(());
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            self.take(c, out)?;
        }
        Ok(())
    }

    fn take(&mut self, c: char, out: Sink<'_>) -> Result<(), Failure> {
        match &mut self.mode {
            Mode::Seek => self.seek(c),
            Mode::Opening(opening) => {
                let opening = *opening;
                return self.opening(opening, c, out);
            }
            Mode::Key => match c {
                '}' => return self.close_object(out),
                '"' | '\'' => self.mode = Mode::QuotedKey { quote: c, escape: Escape::None },
                '/' => self.comment(),
                c if c.is_whitespace() || c == ',' => {}
                c if is_bare_key(c) => {
                    self.buffer.push(c);
                    self.mode = Mode::BareKey;
                }
                c => return Err(self.invalid(&format!("there is `{c}` where a key should be"))),
            },
            Mode::QuotedKey { quote, escape } => {
                if c == *quote && !matches!(escape, Escape::Backslash | Escape::HighBackslash(_)) {
                    self.mode = Mode::Colon;
                } else {
                    unescape(c, escape, &mut self.buffer);
                }
            }
            Mode::BareKey => match c {
                ':' => self.begin_field(),
                c if c.is_whitespace() => self.mode = Mode::Colon,
                c if is_bare_key(c) => self.buffer.push(c),
                c => return Err(self.invalid(&format!("there is `{c}` within a key"))),
            },
            Mode::Colon => match c {
                ':' => self.begin_field(),
                '/' => self.comment(),
                c if c.is_whitespace() => {}
                c => return Err(self.invalid(&format!("there is `{c}` where `:` should be"))),
            },
            Mode::Item => match c {
                ']' => return self.close_list(out),
                '}' => return Err(self.invalid("there is `}` where `]` should be")),
                '/' => self.comment(),
                c if c.is_whitespace() || c == ',' => {}
                c => {
                    self.begin_item();
                    return self.begin_value(c, out);
                }
            },
            Mode::Value => match c {
                '/' => self.comment(),
                c if c.is_whitespace() => {}
                c => return self.begin_value(c, out),
            },
            Mode::Text { quote, escape } => {
                if c == *quote && !matches!(escape, Escape::Backslash | Escape::HighBackslash(_)) {
                    if *escape != Escape::None {
                        self.buffer.push(char::REPLACEMENT_CHARACTER);
                    }
                    self.report_text(out);
                    self.growing = false;
                    let text = std::mem::take(&mut self.buffer);
                    return self.scalar(Json::String(text), out);
                }
                unescape(c, escape, &mut self.buffer);
            }
            Mode::Bare => {
                let comment = c == '/' && self.buffer.ends_with(char::is_whitespace);
                if !comment && !matches!(c, ',' | '}' | ']' | '\n' | '\r') {
                    self.buffer.push(c);
                    return Ok(());
                }
                let word = std::mem::take(&mut self.buffer);
                self.scalar(bare_json(word.trim()), out)?;
                // The character that ended it belongs to what is around.
                return if self.mode == Mode::Done { Ok(()) } else { self.take(c, out) };
            }
            Mode::Comment { kind, back } => match (*kind, c) {
                (Comment::Slash, '/') => *kind = Comment::Line,
                (Comment::Slash, '*') => *kind = Comment::Block,
                (Comment::Slash, _) => return Err(self.invalid("there is a lone `/`")),
                (Comment::Line, '\n') | (Comment::Star, '/') => {
                    self.mode = std::mem::replace(back, Mode::Done);
                }
                (Comment::Block | Comment::Star, '*') => *kind = Comment::Star,
                (Comment::Star, _) => *kind = Comment::Block,
                _ => {}
            },
            Mode::Done => {}
        }
        Ok(())
    }

    fn comment(&mut self) {
        let back = Box::new(std::mem::replace(&mut self.mode, Mode::Done));
        self.mode = Mode::Comment { kind: Comment::Slash, back };
    }

    // ---- keys and items

    fn begin_field(&mut self) {
        let key = std::mem::take(&mut self.buffer);
        self.mode = Mode::Value;
        let table = self.table.clone();
        match self.frames.last_mut() {
            Some(Frame::Wrapper { inside }) => {
                *inside = key == VALUE && self.result.is_none();
                self.expected = if *inside { Expected::Typed(self.root) } else { Expected::Json };
            }
            Some(Frame::Record { ty, variant, values, field, key: current }) => {
                let fields = fields_of(&table, *ty, *variant);
                // A key that comes again is ignored: its first value was reported already.
                *field = field_named(fields, &key)
                    .filter(|index| values.get(*index).is_some_and(Option::is_none));
                self.expected = match field.and_then(|index| fields.get(index)) {
                    Some(found) => Expected::Typed(found.ty),
                    None => Expected::Json,
                };
                if let Some(index) = field {
                    self.path.push(Step::Field(u32::try_from(*index).unwrap_or(u32::MAX)));
                }
                *current = key;
            }
            Some(Frame::Choice { key: current, .. } | Frame::Object { key: current, .. }) => {
                *current = key;
                self.expected = Expected::Json;
            }
            _ => self.expected = Expected::Json,
        }
    }

    fn begin_item(&mut self) {
        match self.frames.last() {
            Some(Frame::List { item, items, .. }) => {
                self.expected = Expected::Typed(*item);
                self.path.push(Step::Item(u32::try_from(items.len()).unwrap_or(u32::MAX)));
            }
            _ => self.expected = Expected::Json,
        }
    }

    // ---- values

    fn begin_value(&mut self, c: char, out: Sink<'_>) -> Result<(), Failure> {
        match c {
            '{' | '[' => return self.open(c),
            '"' | '\'' => {
                self.growing = self.text_grows();
                self.reported = 0;
                self.mode = Mode::Text { quote: c, escape: Escape::None };
            }
            ',' | '}' | ']' | ':' => {
                return Err(self.invalid(&format!("there is `{c}` where a value should be")));
            }
            c => {
                self.mode = Mode::Bare;
                return self.take(c, out);
            }
        }
        Ok(())
    }

    /// Whether the expected value is a text that is shown while it grows: one without pattern or format.
    fn text_grows(&self) -> bool {
        let Expected::Typed(mut ty) = self.expected else { return false };
        for _ in 0..16 {
            match self.table.get(ty) {
                Type::Text => return true,
                Type::Optional(inner) => ty = *inner,
                Type::Refined { base, bounds, .. } => {
                    if bounds.iter().any(|b| matches!(b, Bound::Pattern(_) | Bound::Format(_))) {
                        return false;
                    }
                    ty = *base;
                }
                _ => return false,
            }
        }
        false
    }

    fn open(&mut self, bracket: char) -> Result<(), Failure> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(
                self.invalid(&format!("the answer is nested deeper than {MAX_DEPTH} levels"))
            );
        }
        let table = self.table.clone();
        let frame = match (self.expected, bracket) {
            (Expected::Typed(ty), '{') => match inner(&table, ty) {
                Type::Record(record) => Frame::Record {
                    ty,
                    variant: None,
                    values: vec![None; record.fields.len()],
                    field: None,
                    key: String::new(),
                },
                Type::Enum(choice) if choice.has_payload() => {
                    Frame::Choice { ty, entries: Map::new(), key: String::new() }
                }
                _ => {
                    Frame::Object { target: self.expected, entries: Map::new(), key: String::new() }
                }
            },
            (Expected::Typed(ty), _) => match inner(&table, ty) {
                Type::List(item) => Frame::List { ty, item: *item, items: Vec::new() },
                _ => Frame::Array { target: self.expected, items: Vec::new() },
            },
            (Expected::Json, '{') => {
                Frame::Object { target: Expected::Json, entries: Map::new(), key: String::new() }
            }
            (Expected::Json, _) => Frame::Array { target: Expected::Json, items: Vec::new() },
        };
        self.frames.push(frame);
        self.mode = if bracket == '{' { Mode::Key } else { Mode::Item };
        Ok(())
    }

    /// A value without parts is complete.
    fn scalar(&mut self, json: Json, out: Sink<'_>) -> Result<(), Failure> {
        match self.expected {
            Expected::Json => self.attach_json(json, out),
            Expected::Typed(ty) => {
                let value = match self.default_for_null(&json) {
                    Some(default) => default,
                    None => {
                        let decoded = decode_lenient(&self.table, ty, &json);
                        decoded.map_err(|failure| self.below(failure))?
                    }
                };
                self.attach(value, out)
            }
        }
    }

    /// `null` for a field that may be left out means that it was.
    fn default_for_null(&self, json: &Json) -> Option<Value> {
        let Some(Frame::Record { ty, variant, field: Some(index), .. }) = self.frames.last() else {
            return None;
        };
        let field = fields_of(&self.table, *ty, *variant).get(*index)?;
        if json.is_null() { field.default.clone() } else { None }
    }

    /// A typed value is complete: it is reported and given to what is around it.
    fn attach(&mut self, value: Value, out: Sink<'_>) -> Result<(), Failure> {
        if !self.path.is_empty() {
            let set = Growth::Set { path: self.path.clone(), value: value.clone() };
            self.grow(set, out);
        }
        match self.frames.last_mut() {
            Some(Frame::Record { values, field, .. }) => {
                if let Some(slot) = field.take().and_then(|index| values.get_mut(index)) {
                    *slot = Some(value);
                }
                self.path.pop();
                self.mode = Mode::Key;
            }
            Some(Frame::List { items, .. }) => {
                items.push(value);
                self.path.pop();
                self.mode = Mode::Item;
            }
            Some(Frame::Wrapper { inside }) => {
                *inside = false;
                self.result = Some(value);
                self.mode = Mode::Key;
            }
            _ => {
                self.result = Some(value);
                self.mode = Mode::Done;
            }
        }
        Ok(())
    }

    /// A value without a type of its own is complete.
    fn attach_json(&mut self, json: Json, out: Sink<'_>) -> Result<(), Failure> {
        match self.frames.last_mut() {
            Some(Frame::Object { entries, key, .. }) => {
                entries.insert(std::mem::take(key), json);
                self.mode = Mode::Key;
            }
            Some(Frame::Array { items, .. }) => {
                items.push(json);
                self.mode = Mode::Item;
            }
            Some(Frame::Choice { entries, key, .. }) => {
                let key = std::mem::take(key);
                self.mode = Mode::Key;
                if key == KIND {
                    return self.choose(&json, out);
                }
                entries.insert(key, json);
            }
            // Unknown keys are left out.
            _ => self.mode = Mode::Key,
        }
        Ok(())
    }

    /// The tag of an enum is known: its payload is typed from here on.
    fn choose(&mut self, tag: &Json, out: Sink<'_>) -> Result<(), Failure> {
        let Some(Frame::Choice { ty, entries, .. }) = self.frames.pop() else { return Ok(()) };
        let table = self.table.clone();
        let Type::Enum(choice) = inner(&table, ty) else { return Ok(()) };
        let Some(index) = tag.as_str().and_then(|name| variant_named(choice, name)) else {
            // The decoder says which names there are.
            let mut object = Map::new();
            object.insert(KIND.into(), tag.clone());
            let failure = decode(&table, ty, &Json::Object(object));
            return match failure {
                Err(failure) => Err(self.below(failure)),
                Ok(value) => self.attach(value, out),
            };
        };
        let variant = u32::try_from(index).unwrap_or(u32::MAX);
        let fields = fields_of(&table, ty, Some(variant));
        if !fields.is_empty() {
            let growth = Growth::Tag { path: self.path.clone(), variant };
            self.grow(growth, out);
        }
        self.frames.push(Frame::Record {
            ty,
            variant: Some(variant),
            values: vec![None; fields.len()],
            field: None,
            key: String::new(),
        });
        // What came before its tag is typed now.
        for (key, json) in entries {
            self.buffer = key;
            self.begin_field();
            if let Expected::Typed(part) = self.expected {
                let value =
                    decode_lenient(&table, part, &json).map_err(|failure| self.below(failure))?;
                self.attach(value, out)?;
            }
        }
        self.mode = Mode::Key;
        Ok(())
    }

    fn close_object(&mut self, out: Sink<'_>) -> Result<(), Failure> {
        match self.frames.pop() {
            Some(Frame::Record { ty, variant, values, .. }) => {
                self.close_record(ty, variant, values, out)
            }
            Some(Frame::Object { target, entries, .. }) => {
                self.close_json(target, Json::Object(entries), out)
            }
            Some(Frame::Choice { .. }) => Err(self.at(KIND, "is missing")),
            Some(Frame::Wrapper { .. }) => {
                if self.result.is_none() {
                    return Err(Failure::invalid("", format!("the answer has no key `{VALUE}`")));
                }
                self.mode = Mode::Done;
                Ok(())
            }
            other => {
                self.frames.extend(other);
                Err(self.invalid("there is `}` where `]` should be"))
            }
        }
    }

    fn close_list(&mut self, out: Sink<'_>) -> Result<(), Failure> {
        match self.frames.pop() {
            Some(Frame::List { ty, items, .. }) => self.complete(ty, Value::list(items), out),
            Some(Frame::Array { target, items }) => {
                self.close_json(target, Json::Array(items), out)
            }
            other => {
                self.frames.extend(other);
                Err(self.invalid("there is `]` where `}` should be"))
            }
        }
    }

    /// What a field takes that the answer leaves out.
    fn left_out(&self, field: &FieldType) -> Option<Value> {
        let optional = matches!(self.table.types().base(field.ty), Type::Optional(_));
        field.default.clone().or(optional.then_some(Value::None))
    }

    fn close_record(
        &mut self,
        ty: TypeId,
        variant: Option<u32>,
        values: Vec<Option<Value>>,
        out: Sink<'_>,
    ) -> Result<(), Failure> {
        let table = self.table.clone();
        let mut parts = Vec::with_capacity(values.len());
        for ((index, value), field) in (0..).zip(values).zip(fields_of(&table, ty, variant)) {
            let part = match value {
                Some(value) => value,
                None => {
                    let Some(value) = self.left_out(field) else {
                        return Err(self.at(&field.wire, "is missing"));
                    };
                    let mut path = self.path.clone();
                    path.push(Step::Field(index));
                    self.grow(Growth::Set { path, value: value.clone() }, out);
                    value
                }
            };
            parts.push(part);
        }
        let value = match variant {
            Some(tag) => Value::variant(tag, parts),
            None => Value::record(parts),
        };
        self.complete(ty, value, out)
    }

    fn close_json(&mut self, target: Expected, json: Json, out: Sink<'_>) -> Result<(), Failure> {
        match target {
            Expected::Json => self.attach_json(json, out),
            Expected::Typed(ty) => {
                let value =
                    decode(&self.table, ty, &json).map_err(|failure| self.below(failure))?;
                self.attach(value, out)
            }
        }
    }

    /// A record or list is complete. An item of a list may be used at once, so all of it is checked; everything else
    /// is checked with the whole answer.
    fn complete(&mut self, ty: TypeId, value: Value, out: Sink<'_>) -> Result<(), Failure> {
        if matches!(self.frames.last(), Some(Frame::List { .. })) {
            self.table.check(ty, &value).map_err(|failure| self.below(failure))?;
        }
        self.attach(value, out)
    }

    // ---- failures

    /// Where the machine stands in the value, as a JSON pointer.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            match frame {
                Frame::Record { field: Some(_), key, .. } => push_token(&mut pointer, key),
                Frame::Choice { key, .. } | Frame::Object { key, .. } if !key.is_empty() => {
                    push_token(&mut pointer, key);
                }
                Frame::List { items, .. } => push_token(&mut pointer, &items.len().to_string()),
                Frame::Array { items, .. } => push_token(&mut pointer, &items.len().to_string()),
                _ => {}
            }
        }
        pointer
    }

    fn invalid(&self, why: &str) -> Failure {
        Failure::invalid(self.pointer(), why)
    }

    fn at(&self, key: &str, why: &str) -> Failure {
        let mut pointer = self.pointer();
        push_token(&mut pointer, key);
        Failure::invalid(pointer, why)
    }

    /// A failure within the value that is under way.
    fn below(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Invalid { path, why } => {
                Failure::invalid(format!("{}{path}", self.pointer()), why)
            }
            other => other,
        }
    }
}

fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

fn is_bare_key(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$')
}

/// The field that a key means: by its name on the wire, else by its name in the program, in any case.
fn field_named(fields: &[FieldType], key: &str) -> Option<usize> {
    fields
        .iter()
        .position(|field| field.wire == key)
        .or_else(|| fields.iter().position(|field| field.name.eq_ignore_ascii_case(key)))
}

/// The fields of a record, or of a variant of an enum.
fn fields_of(table: &TypeTable, ty: TypeId, variant: Option<u32>) -> &[FieldType] {
    match (inner(table, ty), variant) {
        (Type::Record(record), _) => &record.fields,
        (Type::Enum(choice), Some(tag)) => {
            choice.variants.get(tag as usize).map_or(&[][..], |variant| &variant.fields)
        }
        _ => &[],
    }
}

/// A word without quotes: JSON where it is, Python's constants, else a text.
fn bare_json(word: &str) -> Json {
    match word {
        "True" => Json::Bool(true),
        "False" => Json::Bool(false),
        "None" | "undefined" | "NaN" => Json::Null,
        _ => {
            let number = word.strip_prefix('+').unwrap_or(word);
            serde_json::from_str(number).unwrap_or_else(|_| Json::String(word.into()))
        }
    }
}

impl std::fmt::Debug for AnswerParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerParser")
            .field("mode", &self.mode)
            .field("at", &SmolStr::from(self.pointer()))
            .finish()
    }
}
