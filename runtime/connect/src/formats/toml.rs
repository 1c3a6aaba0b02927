//! `std.toml`: TOML 1.0 to and from typed values.

use indexmap::IndexMap;
use kait_engine::check::TypeTable;
use kait_ir::{Failure, TypeId, Value};
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{self, Kind, MAX_DEPTH, Node, broken, line_and_column, too_deep};
use super::{decoded, encoded};
use crate::connections::LeafFn;

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("toml.decode", |_, job| decoded(job, decode)),
    ("toml.encode", |_, job| encoded(job, |json, _| encode(json))),
];

pub(super) fn decode(table: &TypeTable, ty: TypeId, source: &str) -> Result<Value, Failure> {
    let document = DeTable::parse(source).map_err(|error| {
        let at = error.span().map_or(source.len(), |span| span.start);
        broken(line_and_column(source, at), format!("is no TOML: {}", error.message()))
    })?;
    let root = Node { at: 0, kind: entries(document.into_inner(), source, 0)? };
    node::decode(table, ty, &root, |at| line_and_column(source, at))
}

fn entries(table: DeTable<'_>, source: &str, depth: usize) -> Result<Kind, Failure> {
    let mut map = IndexMap::new();
    for (key, value) in table {
        map.insert(key.into_inner().into_owned(), part(value, source, depth + 1)?);
    }
    Ok(Kind::Map(map))
}

fn part(value: Spanned<DeValue<'_>>, source: &str, depth: usize) -> Result<Node, Failure> {
    let at = value.span().start;
    let place = || line_and_column(source, at);
    if depth > MAX_DEPTH {
        return Err(too_deep(place()));
    }
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::Scalar(Json::String(text.into_owned())),
        DeValue::Integer(digits) => {
            let number = i64::from_str_radix(digits.as_str(), digits.radix())
                .map_err(|_| broken(place(), "the number does not fit 64 bits"))?;
            Kind::Scalar(number.into())
        }
        DeValue::Float(digits) => {
            let number = digits.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            let no = || broken(place(), "infinity and `nan` are no numbers of the language");
            Kind::Scalar(Json::Number(number.ok_or_else(no)?))
        }
        DeValue::Boolean(value) => Kind::Scalar(Json::Bool(value)),
        DeValue::Datetime(time) => Kind::Scalar(Json::String(time.to_string())),
        DeValue::Array(items) => {
            let items = items.into_iter().map(|item| part(item, source, depth + 1));
            Kind::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => entries(table, source, depth)?,
    };
    Ok(Node { at, kind })
}

pub(super) fn encode(json: &Json) -> Result<String, Failure> {
    let Json::Object(fields) = json else {
        return Err(Failure::invalid("", "a TOML document is a record, or a map from text"));
    };
    let document = without_null(fields)?;
    ::toml::to_string_pretty(&document).map_err(|error| Failure::invalid("", error.to_string()))
}

/// TOML has no null: what is `none` is left out.
fn without_null(fields: &Map<String, Json>) -> Result<Map<String, Json>, Failure> {
    let kept = fields.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| Ok((key.clone(), item(value)?))).collect()
}

fn item(value: &Json) -> Result<Json, Failure> {
    Ok(match value {
        Json::Null => return Err(Failure::invalid("", "TOML has no `none` in lists")),
        Json::Array(items) => Json::Array(items.iter().map(item).collect::<Result<_, _>>()?),
        Json::Object(fields) => Json::Object(without_null(fields)?),
        scalar => scalar.clone(),
    })
}
