//! Rows as values and values as rows. A column holds what SQL has a type for as that, texts and whatever is written as
//! a text as text, and lists, records and the like as JSON. What comes back is decoded by its type, like everything that
//! comes from outside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::{Failure, Type, TypeId, Value};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Row, Statement};
use serde_json::{Map, Value as Json};

use super::DbCall;

/// How values of a type stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Int,
    Float,
    Bool,
    Bytes,
    Text,
    /// As JSON.
    Json,
}

impl Form {
    pub fn of(table: &TypeTable, ty: TypeId) -> Self {
        match present(table, ty).1 {
            Type::Int | Type::Size => Self::Int,
            Type::Float => Self::Float,
            Type::Bool => Self::Bool,
            Type::Bytes => Self::Bytes,
            Type::Text | Type::Time | Type::Duration | Type::Money | Type::Role | Type::Secret => {
                Self::Text
            }
            Type::Enum(choice) if !choice.has_payload() => Self::Text,
            _ => Self::Json,
        }
    }

    /// The type of a column in SQL. It has the affinity that keeps what is written as it is.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Float => "real",
            Self::Bool => "boolean",
            Self::Bytes => "blob",
            Self::Text | Self::Json => "text",
        }
    }

    /// A value for a column.
    pub fn cell(self, table: &TypeTable, ty: TypeId, value: &Value) -> Cell {
        match (self, value) {
            (_, Value::None) => Cell::Null,
            (Self::Bool, Value::Bool(is)) => Cell::Integer(i64::from(*is)),
            (Self::Float, Value::Float(x)) => Cell::Real(*x),
            (Self::Float, Value::Int(n)) => Cell::Real(*n as f64),
            (Self::Bytes, Value::Bytes(bytes)) => Cell::Blob(bytes.to_vec()),
            (Self::Int, Value::Int(n)) => Cell::Integer(*n),
            (Self::Int, Value::Size(n)) if i64::try_from(*n).is_ok() => {
                Cell::Integer(i64::try_from(*n).unwrap_or(i64::MAX))
            }
            _ => match json::encode(table, ty, value) {
                Json::String(text) if self == Self::Text => Cell::Text(text),
                other => Cell::Text(other.to_string()),
            },
        }
    }

    /// What a column holds, in the wire form of such values; nothing for `null`.
    fn json(self, cell: ValueRef<'_>) -> Option<Json> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(match (self, cell) {
            (_, ValueRef::Null) => return None,
            (Self::Bool, ValueRef::Integer(n @ (0 | 1))) => Json::Bool(n == 1),
            (Self::Text, ValueRef::Integer(n)) => Json::String(n.to_string()),
            (Self::Text, ValueRef::Real(x)) => Json::String(x.to_string()),
            (_, ValueRef::Integer(n)) => n.into(),
            (_, ValueRef::Real(x)) => x.into(),
            (Self::Bytes, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
                Json::String(BASE64.encode(bytes))
            }
            (Self::Text, ValueRef::Text(bytes)) => Json::String(text(bytes)),
            (_, ValueRef::Text(bytes)) => {
                serde_json::from_slice(bytes).unwrap_or_else(|_| Json::String(text(bytes)))
            }
            (_, ValueRef::Blob(bytes)) => Json::String(BASE64.encode(bytes)),
        })
    }
}

/// The type below refinements and `?`.
pub(super) fn present(table: &TypeTable, ty: TypeId) -> (TypeId, &Type) {
    match table.types().base(ty) {
        Type::Optional(inner) => (*inner, table.types().base(*inner)),
        other => (ty, other),
    }
}

/// The type of a list's items.
pub(super) fn item(table: &TypeTable, list: TypeId) -> TypeId {
    match table.types().base(list) {
        Type::List(item) => *item,
        _ => list,
    }
}

/// What becomes of a row.
pub(super) enum Shape {
    /// A record: columns by the names of its fields on the wire.
    Record(Vec<(String, Form)>),
    /// All columns by their names.
    All(Option<Form>),
    /// Its only column.
    One(Form),
}

impl Shape {
    pub fn of(table: &TypeTable, ty: TypeId) -> Self {
        match present(table, ty).1 {
            Type::Record(record) => {
                let form = |field: &kait_ir::FieldType| {
                    (field.wire.to_string(), Form::of(table, field.ty))
                };
                Self::Record(record.fields.iter().map(form).collect())
            }
            Type::Map(_, value) => Self::All(Some(Form::of(table, *value))),
            Type::Json => Self::All(None),
            _ => Self::One(Form::of(table, ty)),
        }
    }

    /// Whether it is one column.
    pub fn is_one(&self) -> bool {
        matches!(self, Self::One(_))
    }
}

/// Where the columns of a statement go.
struct Plan {
    /// Name, column and form of each part; a part without name is all there is.
    parts: Vec<(String, usize, Option<Form>)>,
    is_one: bool,
}

impl Plan {
    fn of(call: &DbCall<'_>, statement: &Statement<'_>, shape: Shape) -> Result<Self, Failure> {
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let is_one = shape.is_one();
        let parts = match shape {
            Shape::One(form) if names.len() == 1 => vec![(String::new(), 0, Some(form))],
            Shape::One(_) => {
                let wanted = call.table.types().get(item(call.table, call.decl.result));
                let what = if matches!(wanted, Type::List(_)) { "one list" } else { "one value" };
                return Err(call.fail(format!(
                    "a row has {} columns ({}), and {what} is wanted: name one column, or a record type with these fields",
                    names.len(),
                    names.join(", ")
                )));
            }
            Shape::All(form) => {
                names.into_iter().enumerate().map(|(at, name)| (name, at, form)).collect()
            }
            Shape::Record(fields) => {
                let at = |wanted: &str| {
                    let exact = names.iter().position(|name| name == wanted);
                    exact
                        .or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
                };
                let part = |(name, form): (String, Form)| Some((at(&name)?, name, form));
                let parts = fields.into_iter().filter_map(part);
                parts.map(|(at, name, form)| (name, at, Some(form))).collect()
            }
        };
        Ok(Self { parts, is_one })
    }

    /// A row in wire form, and about how many bytes it takes.
    fn row(&self, row: &Row<'_>) -> rusqlite::Result<(Json, usize)> {
        let mut object = Map::with_capacity(self.parts.len());
        let mut size = 16;
        for (name, at, form) in &self.parts {
            let cell = row.get_ref(*at)?;
            size += 16
                + match cell {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                    _ => 8,
                };
            let json = match form {
                Some(form) => form.json(cell),
                None => Some(natural(cell)),
            };
            if self.is_one {
                return Ok((json.unwrap_or(Json::Null), size));
            }
            // `null` is left out, so that the field's default takes its place.
            if let Some(json) = json {
                object.insert(name.clone(), json);
            }
        }
        Ok((Json::Object(object), size))
    }
}

/// What a column holds, where no type says more.
fn natural(cell: ValueRef<'_>) -> Json {
    match cell {
        ValueRef::Null => Json::Null,
        ValueRef::Text(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
        other => Form::Json.json(other).unwrap_or(Json::Null),
    }
}

/// The rows of a statement whose arguments are bound, in wire form.
///
/// # Errors
/// `Budget` if there are more rows than `limit`, or they take too many bytes.
pub(super) fn read(
    call: &DbCall<'_>,
    statement: &mut Statement<'_>,
    shape: Shape,
    limit: Option<usize>,
) -> Result<Vec<Json>, Failure> {
    let plan = Plan::of(call, statement, shape)?;
    let (mut found, mut size) = (Vec::new(), 0);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| call.explained(&error))? {
        if limit.is_some_and(|limit| found.len() >= limit) {
            return Err(Failure::Budget { kind: "items".into() });
        }
        let (json, bytes) = plan.row(row).map_err(|error| call.failure(&error))?;
        size += bytes;
        if size > call.most {
            return Err(Failure::Budget { kind: "bytes".into() });
        }
        found.push(json);
    }
    Ok(found)
}

/// Rows as the list that the call gives.
pub(super) fn decoded(call: &DbCall<'_>, rows: Vec<Json>) -> Result<Value, Failure> {
    json::decode(call.table, call.decl.result, &Json::Array(rows))
}
