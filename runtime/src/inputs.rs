//! Arguments of a run from outside: `name=value` words and JSON, checked against the graph's parameters.
//!
//! All mistakes are found at once, each with the parameter that it is about.

use kait_engine::check::TypeTable;
use kait_engine::event::Arg;
use kait_engine::{Loaded, json};
use kait_ir::program::Param;
use kait_ir::{Failure, GraphId, Type, TypeId, Value};
use serde_json::Value as Json;
use smol_str::SmolStr;

/// What is wrong with the arguments of a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InputError {
    /// The graph has no such parameter.
    #[error("there is no parameter `{name}`{}", known_names(.known))]
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

fn known_names(names: &[SmolStr]) -> String {
    match names {
        [] => "; the graph takes none".into(),
        names => format!("; there is {}", names.join(", ")),
    }
}

fn at_path(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at `{path}`") }
}

/// Collects the arguments of one graph.
pub struct Inputs<'a> {
    loaded: &'a Loaded,
    params: &'a [Param],
    values: Vec<Option<Arg>>,
    errors: Vec<InputError>,
}

impl<'a> Inputs<'a> {
    /// Nothing given yet.
    pub fn new(loaded: &'a Loaded, graph: GraphId) -> Self {
        let graph = loaded.program().graphs.get(graph.index());
        let params = graph.map_or(&[][..], |graph| &graph.params);
        Self { loaded, params, values: vec![None; params.len()], errors: Vec::new() }
    }

    /// The parameters in declaration order.
    pub fn params(&self) -> &'a [Param] {
        self.params
    }

    /// Whether the parameter takes text as it is, so that a stream can fill it.
    pub fn is_text(&self, name: &str) -> bool {
        self.params.iter().any(|p| p.name == name && *self.table().types().base(p.ty) == Type::Text)
    }

    fn table(&self) -> &'a TypeTable {
        self.loaded.table()
    }

    /// `name=value`: the value is written as its type is: text as it is, numbers, `true`, `10s`, `20.00usd`, an
    /// enum's name, JSON for lists, maps and records.
    pub fn give_text(&mut self, name: &str, text: &str) {
        if let Some(param) = self.find(name) {
            let (index, ty) = param;
            match parse_text(self.table(), ty, text) {
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
                Err(failure) => {
                    let (path, why) = explain(&failure);
                    self.unfit(name, path, why);
                }
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

    /// Parameters without value and default.
    pub fn missing(&self) -> Vec<&'a Param> {
        let given = self.params.iter().zip(&self.values);
        given.filter(|(p, v)| v.is_none() && p.default.is_none()).map(|(p, _)| p).collect()
    }

    /// The arguments in declaration order, defaults filled in.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn finish(mut self) -> Result<Vec<Arg>, Vec<InputError>> {
        for param in self.missing() {
            let unfit =
                |e: &InputError| matches!(e, InputError::Unfit { name, .. } if *name == param.name);
            if !self.errors.iter().any(unfit) {
                let ty = describe(self.table(), param.ty);
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

/// A value of the type from a word of a command line.
///
/// # Errors
/// The path in the value and what is wrong with it.
pub fn parse_text(table: &TypeTable, ty: TypeId, text: &str) -> Result<Value, (SmolStr, String)> {
    let types = table.types();
    let expected =
        || (SmolStr::default(), format!("expected {}, found `{text}`", describe(table, ty)));
    let word = text.trim();
    let value = match types.base(ty) {
        Type::Text | Type::Role => Value::text(text),
        Type::Int => Value::Int(word.replace('_', "").parse().map_err(|_| expected())?),
        Type::Float => {
            let x: f64 = word.parse().map_err(|_| expected())?;
            if !x.is_finite() {
                return Err(expected());
            }
            Value::Float(x)
        }
        Type::Bool => Value::Bool(word.parse().map_err(|_| expected())?),
        Type::None if word == "none" => Value::None,
        Type::Optional(_) if word == "none" => Value::None,
        Type::Optional(inner) => parse_text(table, *inner, text)?,
        Type::Enum(choice) if !choice.has_payload() => {
            let named = choice.variants.iter().position(|v| v.wire == word || v.name == word);
            let index = named.and_then(|index| u32::try_from(index).ok());
            Value::Tag(index.ok_or_else(expected)?)
        }
        Type::Money => Value::Money(json::decode_money(&spaced(word)).map_err(|_| expected())?),
        Type::Duration => Value::Duration(
            literal_duration(word)
                .or_else(|| json::decode_duration(word).ok())
                .ok_or_else(expected)?,
        ),
        Type::Time => Value::Time(word.parse().map_err(|_| expected())?),
        _ => {
            let json: Json = serde_json::from_str(text).map_err(|error| {
                let why = format!("expected {} as JSON: {error}", describe(table, ty));
                (SmolStr::default(), why)
            })?;
            return json::decode(table, ty, &json).map_err(|failure| explain(&failure));
        }
    };
    table.check(ty, &value).map_err(|failure| explain(&failure))?;
    Ok(value)
}

/// `20.00usd` → `20.00 usd`
fn spaced(word: &str) -> String {
    match word.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) if !word.contains(' ') => {
            let (amount, currency) = word.split_at(at);
            format!("{amount} {currency}")
        }
        _ => word.to_owned(),
    }
}

/// `10s`, `250ms`, `2d`: as in programs.
fn literal_duration(word: &str) -> Option<i64> {
    let at = word.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = word.split_at(at);
    let unit = match unit {
        "ms" => 1_000_000.0,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        "d" => 86_400e9,
        _ => return None,
    };
    let nanos = number.parse::<f64>().ok()? * unit;
    (nanos.abs() < 9.2e18).then_some(nanos as i64)
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
        Type::Size => "size".into(),
        Type::Image => "image".into(),
        Type::Audio => "audio".into(),
        Type::File => "file".into(),
        Type::None => "none".into(),
        Type::Role => "role".into(),
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
