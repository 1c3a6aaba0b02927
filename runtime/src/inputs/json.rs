//! Inputs that come as JSON: from files, standard input, bodies of requests.
//!
//! Stricter than what leaves and models answer with: a key that means nothing or stands twice is a mistake, every value
//! has one form (what [`kait_engine::json::input_schema`] says, neither more nor less), and all mistakes are found.

use std::fmt;

use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::types::FieldType;
use kait_ir::{Type, TypeId, Value};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::{InputError, explain};

/// How deeply lists and objects of an input may nest.
pub const MAX_JSON_DEPTH: usize = 127;

/// JSON from a text that comes from outside: a file, standard input, the body of a request.
///
/// # Errors
/// If it is no UTF-8, no JSON, nests too deep, or an object in it has one key twice: nobody can say which of the values
/// is meant.
pub fn parse_json(text: &[u8]) -> Result<Json, InputError> {
    if nests_deeper(text, MAX_JSON_DEPTH) {
        return Err(InputError::TooDeep);
    }
    match serde_json::from_slice(text) {
        Ok(Unambiguous(json)) => Ok(json),
        Err(error) => Err(InputError::NoJson { why: json_words(&error) }),
    }
}

/// What is wrong with a text that should be JSON, and where.
fn json_words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    let known = KNOWN.iter().find(|(begins, _)| said.starts_with(begins));
    let words = known.map_or(said, |(_, words)| words);
    format!("{words}, at line {}, column {}", error.line(), error.column())
}

/// What the parser says, as far as it begins so, and what is said instead.
const KNOWN: &[(&str, &str)] = &[
    ("EOF while parsing a string", "it ends within a text"),
    ("EOF", "it ends too early"),
    ("expected value", "there is no value"),
    (
        "expected ident",
        "there is no value: only `true`, `false` and `null` are written without quotes",
    ),
    ("expected `:`", "a `:` is missing behind a key"),
    ("expected `,` or `]`", "a `,` or `]` is missing"),
    ("expected `,` or `}`", "a `,` or `}` is missing"),
    ("key must be a string", "a key must be a text in double quotes"),
    ("trailing comma", "there is a comma too many"),
    ("trailing characters", "something follows behind the end"),
    (
        "control character",
        "a line break or another control character stands in a text: write it like `\\n`",
    ),
    ("invalid escape", "there is no such escape: a backslash is written `\\\\`"),
    ("lone leading surrogate", "a `\\u` escape is half of a character"),
    ("unexpected end of hex escape", "a `\\u` escape is half of a character"),
    ("invalid unicode code point", "it is not UTF-8 text, or a `\\u` escape is not a character"),
    ("invalid number", "this is not how numbers are written"),
    ("number out of range", "a number is too large"),
    ("recursion limit", "it nests too deep"),
];

/// JSON in which no object has a key twice.
struct Unambiguous(Json);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let shown = super::shown(&key);
                return Err(A::Error::custom(format!(
                    "the key `{shown}` stands twice in one object"
                )));
            }
            let Unambiguous(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}

/// Whether brackets outside of texts nest deeper than `most`. Right for valid JSON; whatever it says of other texts,
/// the parser refuses them.
fn nests_deeper(text: &[u8], most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Where in a value, as a JSON pointer, and what is wrong there.
pub(super) type Mistake = (SmolStr, String);

/// The value that the JSON stands for.
///
/// # Errors
/// All mistakes, at least one.
pub(super) fn decode(table: &TypeTable, ty: TypeId, json: &Json) -> Result<Value, Vec<Mistake>> {
    let mut walk = Walk { table, path: String::new(), found: Vec::new() };
    let decoded = json::decode(table, ty, json);
    // What decodes has at most keys too many; what does not is taken apart for all that is wrong.
    walk.value(ty, json, decoded.is_err());
    match decoded {
        Ok(value) if walk.found.is_empty() => Ok(value),
        Err(failure) if walk.found.is_empty() => Err(vec![explain(&failure)]),
        _ => Err(walk.found),
    }
}

struct Walk<'t> {
    table: &'t TypeTable,
    path: String,
    found: Vec<Mistake>,
}

impl Walk<'_> {
    fn value(&mut self, ty: TypeId, json: &Json, fails: bool) {
        match (self.table.types().base(ty), json) {
            (Type::Optional(_), Json::Null) => {}
            (Type::Optional(inner), json) => self.value(*inner, json, fails),
            (Type::List(item), Json::Array(items)) => {
                for (index, part) in items.iter().enumerate() {
                    self.at(&index.to_string(), |walk| walk.value(*item, part, fails));
                }
            }
            (Type::Map(key_type, item), Json::Object(entries)) => {
                for (key, part) in entries {
                    self.at(key, |walk| {
                        walk.key(*key_type, key);
                        walk.value(*item, part, fails);
                    });
                }
            }
            (Type::Record(record), Json::Object(object)) => {
                self.fields(&record.fields, object, None, fails);
            }
            (Type::Enum(choice), Json::Object(object)) if choice.has_payload() => {
                let kind = object.get(json::KIND).and_then(Json::as_str);
                match choice.variants.iter().find(|v| Some(v.wire.as_str()) == kind) {
                    Some(v) => self.fields(&v.fields, object, Some(json::KIND), fails),
                    None => self.leaf(ty, json),
                }
            }
            (Type::Image | Type::Audio | Type::File, Json::Object(blob)) => {
                if fails {
                    self.leaf(ty, json);
                }
                self.blob(blob);
            }
            (base, json) => {
                let before = self.found.len();
                if fails {
                    self.leaf(ty, json);
                }
                if let Json::String(text) = json
                    && self.found.len() == before
                {
                    self.form(base, text);
                }
            }
        }
    }

    /// A text that decodes has the form that callers are told of.
    fn form(&mut self, ty: &Type, text: &str) {
        if let Err(form) = json::check_form(ty, text) {
            self.push(format!("`{}` is not {form}", super::shown(text)));
        }
    }

    /// Keys are written as values are told to be written; each has one form, so that none stands twice.
    fn key(&mut self, ty: TypeId, key: &str) {
        match self.table.types().base(ty) {
            Type::Int if key.parse::<i64>().is_ok_and(|n| n.to_string() == key) => {}
            Type::Size if key.parse::<u64>().is_ok_and(|n| n.to_string() == key) => {}
            Type::Bool if matches!(key, "true" | "false") => {}
            Type::Bool => self.push(format!("`{}` is neither true nor false", super::shown(key))),
            Type::Int | Type::Size => {
                self.push(format!("`{}` is not how a whole number is written", super::shown(key)));
            }
            base => self.form(base, key),
        }
    }

    fn blob(&mut self, blob: &Map<String, Json>) {
        for (key, part) in blob {
            match (key.as_str(), part) {
                ("media_type", _) | ("name", Json::String(_)) => {}
                ("data", Json::String(text)) => self.at(key, |walk| walk.form(&Type::Bytes, text)),
                ("data", _) => {}
                ("name", _) => self.at(key, |walk| walk.push("should be a text".to_owned())),
                _ => self.at(key, |walk| walk.push("there is no such field".to_owned())),
            }
        }
    }

    fn fields(
        &mut self,
        fields: &[FieldType],
        object: &Map<String, Json>,
        tag: Option<&str>,
        fails: bool,
    ) {
        for (key, part) in object {
            match fields.iter().find(|field| field.wire == *key) {
                Some(field) => self.at(key, |walk| walk.value(field.ty, part, fails)),
                None if tag == Some(key) => {}
                None => self.at(key, |walk| walk.push(unknown(fields, key))),
            }
        }
        for field in fields.iter().filter(|field| !object.contains_key(field.wire.as_str())) {
            let optional = matches!(self.table.types().base(field.ty), Type::Optional(_));
            if field.default.is_none() && !optional {
                self.at(&field.wire, |walk| walk.push("is missing".to_owned()));
            }
        }
    }

    fn leaf(&mut self, ty: TypeId, json: &Json) {
        if let Err(failure) = json::decode(self.table, ty, json) {
            let (below, why) = explain(&failure);
            self.found.push((format!("{}{below}", self.path).into(), why));
        }
    }

    fn push(&mut self, why: String) {
        self.found.push((self.path.as_str().into(), why));
    }

    fn at(&mut self, key: &str, inside: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        inside(self);
        self.path.truncate(length);
    }
}

fn unknown(fields: &[FieldType], key: &str) -> String {
    let near = fields.iter().map(|field| (strsim::jaro_winkler(&field.wire, key), &field.wire));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((score, near)) if score > 0.8 => {
            format!("there is no such field; did you mean `{near}`?")
        }
        _ => "there is no such field".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded_and_named() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_json(nested(MAX_JSON_DEPTH).as_bytes()).is_ok());
        let deep = parse_json(nested(MAX_JSON_DEPTH + 1).as_bytes());
        assert_eq!(deep, Err(InputError::TooDeep));
        assert_eq!(parse_json(nested(1_000_000).as_bytes()), Err(InputError::TooDeep));
        assert!(InputError::TooDeep.to_string().contains("127 levels"));
    }

    #[test]
    fn brackets_in_texts_do_not_nest() {
        let text = format!(r#"{{"a": "\"{}\\", "b": []}}"#, "[{".repeat(500));
        assert!(parse_json(text.as_bytes()).is_ok(), "{text}");
    }

    #[test]
    fn what_is_no_json_says_where() {
        for text in [&b""[..], b"{", b"{\"a\":}", b"[1] 2", b"\xff", b"\"\xff\"", b"]]", b"nul"] {
            let error = parse_json(text).unwrap_err();
            assert!(error.to_string().contains("at line 1"), "{error}");
        }
    }
}
