//! The JSON Schema that a provider is given, in the dialect that strict modes accept: every property required,
//! nothing additional, optional fields nullable; what the dialect cannot say goes into descriptions.

use kait_engine::check::TypeTable;
use kait_engine::json::schema;
use kait_ir::{Type, TypeId};
use serde_json::{Map, Value as Json, json};

use super::VALUE;

/// A schema for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerSchema {
    /// The schema: an object at its root.
    pub schema: Json,
    /// Whether a strict mode can take it: maps and `json` have no place there.
    pub strict: bool,
}

/// Whether an answer of that type is wrapped in an object: everything but records is.
pub fn is_wrapped(table: &TypeTable, ty: TypeId) -> bool {
    !matches!(table.types().base(ty), Type::Record(_))
}

/// The schema of answers of that type.
pub fn answer_schema(table: &TypeTable, ty: TypeId) -> AnswerSchema {
    let mut root = schema(table, ty);
    let mut strict = true;
    let mut defs = match &mut root {
        Json::Object(root) => root.remove("$defs"),
        _ => None,
    };
    if let Some(Json::Object(defs)) = &mut defs {
        defs.values_mut().for_each(|def| tighten(def, &mut strict, 0));
    }
    tighten(&mut root, &mut strict, 0);
    if is_wrapped(table, ty) {
        root = json!({
            "type": "object",
            "properties": { VALUE: root },
            "required": [VALUE],
            "additionalProperties": false,
        });
    }
    if let (Some(defs), Json::Object(root)) = (defs, &mut root) {
        root.insert("$defs".into(), defs);
    }
    AnswerSchema { schema: root, strict }
}

/// Keywords that strict modes refuse, with the words that stand for them.
const SAID_IN_WORDS: &[(&str, &str)] = &[
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("uniqueItems", "all items differ"),
    ("contentEncoding", "encoded as {}"),
    ("default", "if in doubt, {}"),
];

/// Formats that strict modes know.
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

fn tighten(schema: &mut Json, strict: &mut bool, depth: usize) {
    let Json::Object(object) = schema else { return };
    if depth > 128 {
        *strict = false;
        return;
    }
    if object.is_empty() {
        // Anything at all: `json`.
        *strict = false;
        return;
    }
    if let Some(Json::Array(parts)) = object.remove("allOf") {
        // One part with a description beside it: the same as a choice of one.
        object.insert("anyOf".into(), Json::Array(parts));
    }
    let mut words = Vec::new();
    for (keyword, template) in SAID_IN_WORDS {
        if let Some(value) = object.remove(*keyword) {
            words.push(template.replace("{}", &plain(&value)));
        }
    }
    if let Some(format) = object.get("format").and_then(Json::as_str)
        && !FORMATS.contains(&format)
    {
        words.push(format!("in the format `{format}`"));
        object.remove("format");
    }
    if !words.is_empty() {
        let words = words.join(", ");
        let description = match object.get("description").and_then(Json::as_str) {
            Some(text) => format!("{text} ({words})"),
            None => words,
        };
        object.insert("description".into(), Json::String(description));
    }
    for key in ["items", "anyOf", "properties"] {
        match object.get_mut(key) {
            Some(Json::Array(parts)) => {
                parts.iter_mut().for_each(|part| tighten(part, strict, depth + 1));
            }
            Some(Json::Object(parts)) if key == "properties" => {
                parts.values_mut().for_each(|part| tighten(part, strict, depth + 1));
            }
            Some(part) => tighten(part, strict, depth + 1),
            None => {}
        }
    }
    if object.get("additionalProperties").is_some_and(Json::is_object) {
        *strict = false;
    }
    close(object);
}

/// Makes every property required; optional ones are nullable already, or have a default that is said in words.
fn close(object: &mut Map<String, Json>) {
    let Some(Json::Object(properties)) = object.get("properties") else { return };
    let names: Vec<Json> = properties.keys().cloned().map(Json::String).collect();
    object.insert("required".into(), Json::Array(names));
    object.insert("additionalProperties".into(), Json::Bool(false));
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
