//! Inputs that come as JSON: from files, standard input, bodies of requests.
//!
//! Stricter than what leaves and models answer with: a key that means nothing is a mistake, and all mistakes are found.

use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::types::FieldType;
use kait_ir::{Type, TypeId, Value};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::{InputError, explain};

/// How deeply lists and objects of an input may nest.
pub const MAX_JSON_DEPTH: usize = 127;

/// JSON from a text that comes from outside: a file, standard input, the body of a request.
///
/// # Errors
/// If it is no UTF-8, no JSON, or nests too deep.
pub fn parse_json(text: &[u8]) -> Result<Json, InputError> {
    if nests_deeper(text, MAX_JSON_DEPTH) {
        return Err(InputError::TooDeep);
    }
    serde_json::from_slice(text).map_err(|error| InputError::NoJson { why: error.to_string() })
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
            (Type::Map(_, item), Json::Object(entries)) => {
                for (key, part) in entries {
                    self.at(key, |walk| walk.value(*item, part, fails));
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
            _ if fails => self.leaf(ty, json),
            _ => {}
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
