//! Arguments of a run from outside: `name=value` words and JSON, checked against the graph's parameters.
//!
//! All mistakes are found at once, each with the parameter that it is about. `words` reads what is written on a command
//! line, `json` what comes as JSON. Nothing here reads a file or a stream.

mod json;
#[cfg(test)]
mod schema_tests;
mod words;

use std::sync::Arc;

use kait_engine::Loaded;
use kait_engine::check::TypeTable;
use kait_engine::event::Arg;
use kait_ir::program::Param;
use kait_ir::{Failure, GraphId, Type, TypeId, Value};
use serde_json::Value as Json;
use smol_str::SmolStr;

pub use json::{MAX_JSON_DEPTH, parse_json};
pub use words::parse_text;

/// What is wrong with the arguments of a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InputError {
    /// The graph has no such parameter.
    #[error("there is no parameter `{}`{}", shown(.name), known_names(.known))]
    Surplus {
        /// What was given.
        name: SmolStr,
        /// What there is.
        known: Vec<SmolStr>,
    },
    /// A parameter without default was not given.
    #[error("the parameter `{name}` is missing ({ty})")]
    Missing {
        /// Its name.
        name: SmolStr,
        /// Its type, readable.
        ty: String,
        /// Its documentation.
        docs: SmolStr,
    },
    /// A parameter was given twice.
    #[error("the parameter `{name}` is given twice")]
    Twice {
        /// Its name.
        name: SmolStr,
    },
    /// The value does not fit the type.
    #[error("`{name}`{path} does not fit: {why}", path = at_path(.path))]
    Unfit {
        /// The parameter.
        name: SmolStr,
        /// Where in the value; empty for the whole.
        path: SmolStr,
        /// What is wrong, and what is expected.
        why: String,
    },
    /// The input is no JSON.
    #[error("the input is not valid JSON: {why}")]
    NoJson {
        /// What is wrong, and where.
        why: String,
    },
    /// The input nests deeper than [`MAX_JSON_DEPTH`].
    #[error("the input nests deeper than {MAX_JSON_DEPTH} levels")]
    TooDeep,
    /// The whole input is not a JSON object.
    #[error("the input must be a JSON object with the parameters as keys, not {what}")]
    NoObject {
        /// What it is.
        what: &'static str,
    },
}

impl InputError {
    /// What to do about it, if there is something to say: the parameter's documentation, or a similar name.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Missing { docs, .. } => {
                docs.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
            }
            Self::Surplus { name, known } => {
                let near = known.iter().map(|k| (strsim::jaro_winkler(name, k), k));
                let near = near.max_by(|a, b| a.0.total_cmp(&b.0));
                near.filter(|(score, _)| *score > 0.8)
                    .map(|(_, near)| format!("did you mean `{near}`?"))
            }
            _ => None,
        }
    }

    /// The parameter that it is about.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Surplus { name, .. }
            | Self::Missing { name, .. }
            | Self::Twice { name }
            | Self::Unfit { name, .. } => Some(name),
            Self::NoJson { .. } | Self::TooDeep | Self::NoObject { .. } => None,
        }
    }

    /// Where in the parameter's value, as a JSON pointer; empty for the whole.
    pub fn path(&self) -> &str {
        match self {
            Self::Unfit { path, .. } => path,
            _ => "",
        }
    }
}

fn known_names(names: &[SmolStr]) -> String {
    match names {
        [] => "; the graph takes none".into(),
        names => format!("; there is {}", names.join(", ")),
    }
}

fn at_path(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at `{}`", shown(path)) }
}

/// Letters of a name from outside that a message shows.
const SHOWN: usize = 200;

/// A name from outside as it may stand in a message: cut if it is long, and characters that would do something to a
/// terminal or to the order of letters written as escapes.
fn shown(name: &str) -> String {
    let mut out = String::new();
    for (number, letter) in name.chars().enumerate() {
        if number == SHOWN {
            out.push('…');
            break;
        }
        match letter {
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => {
                out.extend(letter.escape_unicode());
            }
            letter if letter.is_control() => out.extend(letter.escape_unicode()),
            letter => out.push(letter),
        }
    }
    out
}

/// Collects the arguments of one graph.
pub struct Inputs<'a> {
    loaded: &'a Loaded,
    params: &'a [Param],
    values: Vec<Option<Arg>>,
    errors: Vec<InputError>,
    /// Whether all of it is JSON: then what is missing is described as JSON has it.
    is_json: bool,
}

impl<'a> Inputs<'a> {
    /// Nothing given yet.
    pub fn new(loaded: &'a Loaded, graph: GraphId) -> Self {
        let graph = loaded.program().graphs.get(graph.index());
        let params = graph.map_or(&[][..], |graph| &graph.params);
        Self {
            loaded,
            params,
            values: vec![None; params.len()],
            errors: Vec::new(),
            is_json: false,
        }
    }

    /// The parameters in declaration order.
    pub fn params(&self) -> &'a [Param] {
        self.params
    }

    /// Whether the parameter takes text as it is, so that a stream can fill it.
    pub fn is_text(&self, name: &str) -> bool {
        self.params.iter().any(|p| p.name == name && *self.table().types().base(p.ty) == Type::Text)
    }

    /// Whether the parameter takes the content of a file as it is, and not as text.
    pub fn takes_bytes(&self, name: &str) -> bool {
        let types = self.table().types();
        self.params.iter().any(|p| {
            p.name == name
                && matches!(
                    words::inner(types, p.ty),
                    Type::Bytes | Type::Image | Type::Audio | Type::File
                )
        })
    }

    fn table(&self) -> &'a TypeTable {
        self.loaded.table()
    }

    /// `name=value`: the value is written as its type is: text as it is, numbers, `true`, `10s`, `20.00usd`, `3mb`,
    /// an enum's name, base64 for bytes, JSON for lists, maps and records.
    pub fn give_text(&mut self, name: &str, text: &str) {
        if let Some(param) = self.find(name) {
            let (index, ty) = param;
            match words::parse_text(self.table(), ty, text) {
                Ok(value) => self.set(index, Arg::Ready(value)),
                Err((path, why)) => self.unfit(name, path, why),
            }
        }
    }

    /// `name:=json`
    pub fn give_json(&mut self, name: &str, json: &Json) {
        if let Some((index, ty)) = self.find(name) {
            match json::decode(self.table(), ty, json) {
                Ok(value) => self.set(index, Arg::Ready(value)),
                Err(mistakes) => {
                    for (path, why) in mistakes {
                        self.unfit(name, path, why);
                    }
                }
            }
        }
    }

    /// `name=@file` for a parameter that [takes bytes](Self::takes_bytes): the content of a file, and its name.
    pub fn give_bytes(&mut self, name: &str, file: &str, bytes: Vec<u8>) {
        let Some((index, ty)) = self.find(name) else { return };
        let types = self.table().types();
        let blob = |bytes| Value::Blob(Arc::new(kait_connect::blob(file, bytes)));
        let value = match words::inner(types, ty) {
            Type::Image if !kait_connect::is_picture(&bytes) => {
                let why = format!("`{file}` is not a PNG, JPEG, GIF or WebP picture");
                return self.unfit(name, SmolStr::default(), why);
            }
            Type::Image | Type::Audio | Type::File => blob(bytes),
            _ => Value::Bytes(bytes.into()),
        };
        match self.table().check(ty, &value) {
            Ok(()) => self.set(index, Arg::Ready(value)),
            Err(failure) => {
                let (path, why) = explain(&failure);
                self.unfit(name, path, why);
            }
        }
    }

    /// A parameter whose text comes in pieces; gives its index.
    pub fn give_growing(&mut self, name: &str) -> Option<u32> {
        let (index, _) = self.find(name)?;
        self.set(index, Arg::Growing);
        u32::try_from(index).ok()
    }

    /// A JSON object with parameters as keys.
    pub fn give_object(&mut self, json: &Json) {
        self.is_json = true;
        match json {
            Json::Object(fields) => {
                for (name, value) in fields {
                    self.give_json(name, value);
                }
            }
            other => self.errors.push(InputError::NoObject { what: kind_of(other) }),
        }
    }

    /// A value that could not be had (a file that is not there).
    pub fn give_nothing(&mut self, name: &str, why: String) {
        if self.find(name).is_some() {
            self.unfit(name, SmolStr::default(), why);
        }
    }

    /// Parameters without value that are [required](is_required).
    pub fn missing(&self) -> Vec<&'a Param> {
        let given = self.params.iter().zip(&self.values);
        given.filter(|(p, v)| v.is_none() && is_required(self.table(), p)).map(|(p, _)| p).collect()
    }

    /// The arguments in declaration order, defaults filled in; what is optional and left out is `none`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn finish(mut self) -> Result<Vec<Arg>, Vec<InputError>> {
        for param in self.missing() {
            let unfit =
                |e: &InputError| matches!(e, InputError::Unfit { name, .. } if *name == param.name);
            if !self.errors.iter().any(unfit) {
                let ty = match self.is_json {
                    true => describe_json(self.table(), param.ty),
                    false => describe(self.table(), param.ty),
                };
                let (name, docs) = (param.name.clone(), param.docs.clone());
                self.errors.push(InputError::Missing { name, ty, docs });
            }
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let mut args = Vec::with_capacity(self.params.len());
        for (param, value) in self.params.iter().zip(self.values) {
            args.push(match (value, param.default) {
                (Some(arg), _) => arg,
                (None, Some(default)) => match self.loaded.constant(default) {
                    Ok(value) => Arg::Ready(value),
                    Err(failure) => {
                        let (path, why) = explain(&failure);
                        let name = param.name.clone();
                        return Err(vec![InputError::Unfit { name, path, why }]);
                    }
                },
                (None, None) => Arg::Ready(Value::None),
            });
        }
        Ok(args)
    }

    fn find(&mut self, name: &str) -> Option<(usize, TypeId)> {
        let found = self.params.iter().position(|p| p.name == name);
        if found.is_none() {
            let known = self.params.iter().map(|p| p.name.clone()).collect();
            self.errors.push(InputError::Surplus { name: name.into(), known });
        }
        found.and_then(|index| self.params.get(index).map(|p| (index, p.ty)))
    }

    fn set(&mut self, index: usize, arg: Arg) {
        let Some(slot) = self.values.get_mut(index) else { return };
        if slot.replace(arg).is_some()
            && let Some(param) = self.params.get(index)
        {
            self.errors.push(InputError::Twice { name: param.name.clone() });
        }
    }

    fn unfit(&mut self, name: &str, path: SmolStr, why: String) {
        self.errors.push(InputError::Unfit { name: name.into(), path, why });
    }
}

/// Whether a run must be given the parameter: one of an optional type is `none` if it is left out.
pub fn is_required(table: &TypeTable, param: &Param) -> bool {
    let types = table.types();
    param.default.is_none() && !matches!(types.base(param.ty), Type::Optional(_) | Type::None)
}

fn explain(failure: &Failure) -> (SmolStr, String) {
    match failure {
        Failure::Invalid { path, why } => (path.clone(), why.to_string()),
        Failure::Trap { message } | Failure::Custom { message, .. } => {
            (SmolStr::default(), message.to_string())
        }
        other => (SmolStr::default(), format!("{other:?}")),
    }
}

fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// A type with the form that its values have in JSON, as far as a person who writes a request needs it.
pub fn describe_json(table: &TypeTable, ty: TypeId) -> String {
    let types = table.types();
    match types.get(ty) {
        Type::Time => "time such as \"2026-01-31T09:00:00Z\"".into(),
        Type::Duration => "duration such as \"PT1M30S\"".into(),
        Type::Money => "money such as \"20.00 usd\"".into(),
        Type::Size => "size, a number of bytes".into(),
        Type::Image => "image such as {\"data\": base64}".into(),
        Type::Audio => "audio such as {\"data\": base64}".into(),
        Type::File => "file such as {\"data\": base64}".into(),
        Type::List(item) => format!("[{}]", describe_json(table, *item)),
        Type::Map(key, value) => {
            format!("[{}: {}]", describe_json(table, *key), describe_json(table, *value))
        }
        Type::Optional(inner) => format!("{}?", describe_json(table, *inner)),
        Type::Refined { name: None, base, .. } => describe_json(table, *base),
        _ => describe(table, ty),
    }
}

/// A type as the language writes it, as far as a person at a command line needs it.
pub fn describe(table: &TypeTable, ty: TypeId) -> String {
    let types = table.types();
    match types.get(ty) {
        Type::Text => "text".into(),
        Type::Int => "int".into(),
        Type::Float => "float".into(),
        Type::Bool => "bool".into(),
        Type::Bytes => "bytes (base64)".into(),
        Type::Json => "json".into(),
        Type::Time => "time such as 2026-01-31T09:00:00Z".into(),
        Type::Duration => "duration such as 90s".into(),
        Type::Money => "money such as 20.00usd".into(),
        Type::Size => "size such as 3mb".into(),
        Type::Image => "image (a file: name=@path)".into(),
        Type::Audio => "audio (a file: name=@path)".into(),
        Type::File => "file (name=@path)".into(),
        Type::None => "none".into(),
        Type::Role => "role".into(),
        Type::Secret => "secret text".into(),
        Type::Selector => "field".into(),
        Type::List(item) => format!("[{}]", describe(table, *item)),
        Type::Map(key, value) => {
            format!("[{}: {}]", describe(table, *key), describe(table, *value))
        }
        Type::Optional(inner) => format!("{}?", describe(table, *inner)),
        Type::Record(record) => record.name.to_string(),
        Type::Enum(choice) if choice.has_payload() => choice.name.to_string(),
        Type::Enum(choice) => {
            let names: Vec<_> = choice.variants.iter().map(|v| v.wire.as_str()).collect();
            format!("one of {}", names.join(", "))
        }
        Type::Refined { name: Some(name), .. } => name.to_string(),
        Type::Refined { base, .. } => describe(table, *base),
    }
}
