//! `std.yaml`: YAML 1.2 (the core schema) to and from typed values. One document; no tags of applications.

use std::borrow::Cow;
use std::fmt::Write as _;

use indexmap::IndexMap;
use kait_engine::check::TypeTable;
use kait_ir::{Failure, TypeId, Value};
use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Number, Value as Json};

use super::node::{self, Kind, MAX_DEPTH, MAX_NODES, Node, broken, too_deep, too_many};
use super::{decoded, encoded};
use crate::connections::LeafFn;

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("yaml.decode", |_, job| decoded(job, decode)),
    ("yaml.encode", |_, job| encoded(job, |json, _| Ok(encode(json)))),
];

pub(super) fn decode(table: &TypeTable, ty: TypeId, source: &str) -> Result<Value, Failure> {
    let root = parse(source)?;
    node::decode(table, ty, &root, |at| place(source, at))
}

/// Line and column of a position in characters.
fn place(source: &str, at: usize) -> (usize, usize) {
    let bytes = source.char_indices().nth(at).map_or(source.len(), |(bytes, _)| bytes);
    node::line_and_column(source, bytes)
}

fn no_yaml(source: &str, error: &ScanError) -> Failure {
    broken(place(source, error.marker().index()), format!("is no YAML: {}", error.info()))
}

/// A list or map that is not closed yet.
struct Open {
    at: usize,
    anchor: usize,
    /// Parts in it so far, itself included.
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// With the key whose value comes next.
    Map(IndexMap<String, Node>, Option<String>),
}

struct Builder<'s> {
    source: &'s str,
    open: Vec<Open>,
    anchors: FxHashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

/// The one document of a text; nothing at all is null.
fn parse(source: &str) -> Result<Node, Failure> {
    let mut builder =
        Builder { source, open: vec![], anchors: FxHashMap::default(), nodes: 0, root: None };
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| no_yaml(source, &error))?;
        builder.event(event, span)?;
    }
    Ok(builder.root.unwrap_or(Node { at: 0, kind: Kind::Scalar(Json::Null) }))
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        let at = span.start.index();
        let here = || place(self.source, at);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(broken(here(), "a second document begins; one is read"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let json =
                    scalar(&text, style, tag.as_deref()).map_err(|why| broken(here(), why))?;
                self.add(Node { at, kind: Kind::Scalar(json) }, anchor, 1)
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(broken(here(), "the alias has no anchor before it"));
                };
                // Counted before it is copied: ten lines of aliases can stand for billions of parts.
                if self.nodes.saturating_add(*size) > MAX_NODES {
                    return Err(too_many());
                }
                if self.open.len() + depth(node) > MAX_DEPTH {
                    return Err(too_deep(here()));
                }
                let (node, size) = (node.clone(), *size);
                self.add(Node { at, ..node }, 0, size)
            }
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.begin(at, anchor, Content::Map(IndexMap::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = self.open.pop() else { return Ok(()) };
                let kind = match done.content {
                    Content::List(items) => Kind::List(items),
                    Content::Map(map, _) => Kind::Map(map),
                };
                self.nodes -= done.size - 1;
                self.add(Node { at: done.at, kind }, done.anchor, done.size)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: usize, anchor: usize, content: Content) -> Result<(), Failure> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(place(self.source, at)));
        }
        if let Some(Open { content: Content::Map(_, None), .. }) = self.open.last() {
            return Err(broken(
                place(self.source, at),
                "a key is a text, a number or a truth value",
            ));
        }
        self.open.push(Open { at, anchor, size: 1, content });
        Ok(())
    }

    /// Takes a finished part, of that many parts itself.
    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Failure> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err(too_many());
        }
        if anchor != 0 {
            self.nodes += size;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size += size;
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map(map, key) => match key.take() {
                Some(key) => {
                    map.insert(key, node);
                }
                None => {
                    let name = match &node.kind {
                        Kind::Scalar(Json::String(text)) => text.clone(),
                        Kind::Scalar(other) => other.to_string(),
                        _ => {
                            let why = "a key is a text, a number or a truth value";
                            return Err(broken(place(self.source, node.at), why));
                        }
                    };
                    if map.contains_key(&name) {
                        let why = format!("the key `{name}` stands here twice");
                        return Err(broken(place(self.source, node.at), why));
                    }
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

/// How deep a part is.
fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Map(map) => 1 + map.values().map(depth).max().unwrap_or(0),
    }
}

/// What a scalar means in the core schema (YAML 1.2.2, 10.3.2).
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Json, String> {
    let known = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    if known == Some("str") || style != ScalarStyle::Plain {
        return Ok(Json::String(text.to_owned()));
    }
    let json = match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => number(text)?.unwrap_or_else(|| Json::String(text.to_owned())),
    };
    Ok(json)
}

/// The number that a plain scalar spells; `None` for other words.
fn number(text: &str) -> Result<Option<Json>, String> {
    let radix = |digits: &str, radix| {
        i64::from_str_radix(digits, radix).map_err(|_| "the number does not fit 64 bits".to_owned())
    };
    let is = |digits: &str, ok: fn(char) -> bool| !digits.is_empty() && digits.chars().all(ok);
    if let Some(hex) = text.strip_prefix("0x").filter(|rest| is(rest, |c| c.is_ascii_hexdigit())) {
        return Ok(Some(radix(hex, 16)?.into()));
    }
    if let Some(octal) = text.strip_prefix("0o").filter(|rest| is(rest, |c| c.is_digit(8))) {
        return Ok(Some(radix(octal, 8)?.into()));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if is(unsigned, |c| c.is_ascii_digit()) {
        return Ok(Some(radix(text, 10)?.into()));
    }
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&unsigned) {
        return Err("infinity and `.nan` are no numbers of the language".to_owned());
    }
    let begins = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let digits =
        unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !(begins && digits && unsigned.contains(|c: char| c.is_ascii_digit())) {
        return Ok(None);
    }
    let parsed: Option<f64> = text.parse().ok();
    Ok(parsed.and_then(Number::from_f64).map(Json::Number))
}

/// JSON as YAML in block style. Texts that a reader could take for something else stand in double quotes, as in JSON.
pub(super) fn encode(json: &Json) -> String {
    let mut out = String::new();
    write(&mut out, json, 0, false);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Writes a value behind `-` or `key:` (`inline`), or at the start of a line.
fn write(out: &mut String, json: &Json, indent: usize, behind_key: bool) {
    let pad = |out: &mut String, first: bool| {
        if !first || behind_key {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        }
    };
    match json {
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                pad(out, index == 0);
                out.push_str("- ");
                write(out, item, indent + 2, false);
            }
        }
        Json::Object(fields) if !fields.is_empty() => {
            for (index, (key, value)) in fields.iter().enumerate() {
                pad(out, index == 0);
                out.push_str(&word(key));
                out.push(':');
                let block = match value {
                    Json::Array(items) => !items.is_empty(),
                    Json::Object(fields) => !fields.is_empty(),
                    _ => false,
                };
                if !block {
                    out.push(' ');
                }
                write(out, value, indent + 2, true);
            }
        }
        Json::String(text) => out.push_str(&word(text)),
        scalar => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{scalar}");
        }
    }
}

/// A text as a plain scalar, if every reader takes it for just that text; else in quotes.
fn word(text: &str) -> Cow<'_, str> {
    let plain_chars =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '(' | ')');
    // Words of YAML 1.1, which many readers still follow.
    let special = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = text.starts_with(char::is_alphabetic)
        && text.chars().all(plain_chars)
        && !text.ends_with(' ')
        && !special.contains(&text.to_lowercase().as_str());
    if plain { Cow::Borrowed(text) } else { Cow::Owned(Json::from(text).to_string()) }
}
