//! Data that knows where it stands in its text: what the decoders of all formats make.

use indexmap::IndexMap;
use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::{Failure, TypeId, Value};
use serde_json::Value as Json;

/// How deep decoded data may nest.
pub(super) const MAX_DEPTH: usize = 100;

/// Most parts of decoded data, repeated ones (aliases of YAML) counted each time.
pub(super) const MAX_NODES: usize = 2_000_000;

/// A part of a document. As deep as [`MAX_DEPTH`] at most: whoever makes nodes sees to it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it begins, in the unit of its format (bytes or characters from the start).
    pub at: usize,
    /// What it holds.
    pub kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A text, number, truth value or null.
    Scalar(Json),
    /// Items.
    List(Vec<Node>),
    /// Values by key, in order.
    Map(IndexMap<String, Node>),
}

impl Node {
    /// The data without its places.
    pub fn json(&self) -> Json {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.clone(),
            Kind::List(items) => Json::Array(items.iter().map(Self::json).collect()),
            Kind::Map(map) => {
                Json::Object(map.iter().map(|(key, node)| (key.clone(), node.json())).collect())
            }
        }
    }

    /// The deepest part that a JSON pointer leads to: where something is missing, what should hold it.
    fn at_pointer(&self, pointer: &str) -> &Self {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &here.kind {
                Kind::Scalar(_) => None,
                Kind::List(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
                Kind::Map(map) => map.get(&step),
            };
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        here
    }
}

/// The value of decoded data, checked against the type that is wanted; `place` says line and column of a place.
///
/// # Errors
/// `Invalid`, whose path is `line 3, column 7 (/server/port)`.
pub(super) fn decode(
    table: &TypeTable,
    ty: TypeId,
    node: &Node,
    place: impl Fn(usize) -> (usize, usize),
) -> Result<Value, Failure> {
    json::decode(table, ty, &node.json()).map_err(|failure| match failure {
        Failure::Invalid { path, why } => {
            let (line, column) = place(node.at_pointer(&path).at);
            let inner = if path.is_empty() { String::new() } else { format!(" ({path})") };
            Failure::invalid(format!("line {line}, column {column}{inner}"), why.to_string())
        }
        other => other,
    })
}

/// The failure of a text that is not of its format, at a place.
pub(super) fn broken((line, column): (usize, usize), why: impl std::fmt::Display) -> Failure {
    Failure::invalid(format!("line {line}, column {column}"), why.to_string())
}

/// Line and column (in characters), counted from 1, of a byte offset.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// The failure of data that nests too deep.
pub(super) fn too_deep(place: (usize, usize)) -> Failure {
    broken(place, format!("is nested deeper than {MAX_DEPTH} levels"))
}

/// The failure of data with too many parts.
pub(super) fn too_many() -> Failure {
    Failure::Budget { kind: "items".into() }
}
