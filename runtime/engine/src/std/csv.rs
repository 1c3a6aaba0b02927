//! `std.csv`: see `stdlib/csv.kait`. Cells are read by the type of their field, through [`crate::json`].

use ::csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use kait_ir::{Failure, Type, TypeId, Value};
use serde_json::Value as Json;

use super::args::{self, MAX_ITEMS, MAX_TEXT, too_long, too_many};
use super::json::param_type;
use super::{NativeCx, NativeFn};
use crate::json;

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[("csv.decode", decode), ("csv.encode", encode)];

type Native = Result<Value, Failure>;

fn separator(args: &[Value]) -> Result<u8, Failure> {
    let text = args::text(args, 1)?;
    match text.as_bytes() {
        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => {
            let why = format!("`{text}` is not one ASCII character, such as `,` or `;`");
            Err(Failure::invalid("separator", why))
        }
    }
}

/// The type of the rows in a list type.
fn row_type(cx: &NativeCx<'_>, list: TypeId) -> Result<TypeId, Failure> {
    match cx.types().base(list) {
        Type::List(row) => Ok(*row),
        _ => Err(Failure::trap("`csv` works on lists of rows")),
    }
}

/// The columns of a row type: wire name and type; `None` for a map, which has any.
fn columns<'a>(cx: &NativeCx<'a>, row: TypeId) -> Result<Option<Vec<(&'a str, TypeId)>>, Failure> {
    match cx.types().base(row) {
        Type::Record(record) => {
            Ok(Some(record.fields.iter().map(|f| (f.wire.as_str(), f.ty)).collect()))
        }
        Type::Map(..) => Ok(None),
        _ => Err(Failure::invalid("", "a row of CSV is a record, or a map from text")),
    }
}

/// How a cell is read.
#[derive(Clone, Copy, PartialEq)]
enum Cell {
    /// As text, in quotes on the wire.
    Text,
    /// As a number, a truth value or JSON, bare on the wire.
    Bare,
}

/// How cells of a type are read, and whether an empty one means `none`.
fn cell_form(cx: &NativeCx<'_>, ty: TypeId) -> (Cell, bool) {
    match cx.types().base(ty) {
        Type::Optional(inner) => (cell_form(cx, *inner).0, true),
        Type::Int | Type::Float | Type::Bool | Type::Size | Type::Json => (Cell::Bare, false),
        Type::List(_) | Type::Map(..) | Type::Record(_) => (Cell::Bare, false),
        Type::Enum(e) if e.has_payload() => (Cell::Bare, false),
        _ => (Cell::Text, false),
    }
}

fn cell_json(cell: &str, form: (Cell, bool)) -> Json {
    match form {
        (_, true) if cell.trim().is_empty() => Json::Null,
        (Cell::Text, _) => Json::String(cell.to_owned()),
        // What cannot be read stays text, and the decoder says what was expected instead.
        (Cell::Bare, _) => serde_json::from_str(&cell.trim().to_lowercase())
            .ok()
            .filter(|json: &Json| !json.is_object() && !json.is_array())
            .or_else(|| serde_json::from_str(cell).ok())
            .unwrap_or_else(|| Json::String(cell.to_owned())),
    }
}

fn decode(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    let text = args::text(args, 0)?.strip_prefix('\u{feff}').unwrap_or(args::text(args, 0)?);
    let row = row_type(cx, cx.result)?;
    let columns = columns(cx, row)?;
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(args)?)
        .flexible(false)
        .from_reader(text.as_bytes());
    let header: Vec<String> = match reader.byte_headers() {
        Ok(header) => header.iter().map(|h| String::from_utf8_lossy(h).trim().to_owned()).collect(),
        Err(error) => return Err(Failure::invalid("1", error.to_string())),
    };
    // Which column each field takes, worked out once.
    let plan: Vec<(String, Option<usize>, (Cell, bool))> = match &columns {
        Some(fields) => {
            let place = |name: &str| header.iter().position(|h| h == name);
            fields.iter().map(|(n, ty)| ((*n).to_owned(), place(n), cell_form(cx, *ty))).collect()
        }
        None => {
            let value = match cx.types().base(row) {
                Type::Map(_, value) => *value,
                _ => row,
            };
            let form = cell_form(cx, value);
            header.iter().enumerate().map(|(i, h)| (h.clone(), Some(i), form)).collect()
        }
    };
    // Where nothing is written, the default of the field stands; an empty text is a text.
    let defaults: Vec<bool> = match cx.types().base(row) {
        Type::Record(record) => record
            .fields
            .iter()
            .map(|field| {
                let base = cx.types().base(field.ty);
                field.default.is_some() && !matches!(base, Type::Text | Type::Optional(_))
            })
            .collect(),
        _ => Vec::new(),
    };
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(broken_row(&error)),
        }
        if rows.len() >= MAX_ITEMS {
            return Err(too_many());
        }
        let mut object = serde_json::Map::new();
        for (number, (name, place, form)) in plan.iter().enumerate() {
            if let Some(cell) = place.and_then(|place| record.get(place)) {
                // The text was UTF-8, and cells are cut at ASCII characters.
                let cell = String::from_utf8_lossy(cell);
                if cell.trim().is_empty() && defaults.get(number) == Some(&true) {
                    continue;
                }
                object.insert(name.clone(), cell_json(&cell, *form));
            }
        }
        let line = record.position().map_or(0, ::csv::Position::line);
        let decoded = json::decode(cx.table, row, &Json::Object(object));
        rows.push(decoded.map_err(|failure| at_line(failure, line, &plan))?);
    }
    let rows = Value::list(rows);
    cx.table.check(cx.result, &rows)?;
    Ok(rows)
}

/// Puts the line before the path of a failure, and explains a column that is not there.
fn at_line(failure: Failure, line: u64, plan: &[(String, Option<usize>, (Cell, bool))]) -> Failure {
    let Failure::Invalid { path, why } = failure else { return failure };
    let column = path.trim_start_matches('/');
    let missing = plan.iter().any(|(name, place, _)| name == column && place.is_none());
    if missing {
        return Failure::invalid(
            format!("line 1, column {column}"),
            format!("the header has no column `{column}`"),
        );
    }
    let path = if column.is_empty() {
        format!("line {line}")
    } else {
        format!("line {line}, column {column}")
    };
    Failure::invalid(path, why)
}

fn broken_row(error: &::csv::Error) -> Failure {
    match error.kind() {
        ::csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, ::csv::Position::line);
            Failure::invalid(
                format!("line {line}"),
                format!("the row has {len} cells, the header {expected_len}"),
            )
        }
        _ => Failure::invalid("", error.to_string()),
    }
}

fn encode(cx: &NativeCx<'_>, args: &[Value]) -> Native {
    let rows = args::list(args, 0)?;
    let row_type = row_type(cx, param_type(cx, 0)?)?;
    let header: Vec<String> = match columns(cx, row_type)? {
        Some(fields) => fields.iter().map(|(name, _)| (*name).to_owned()).collect(),
        // Maps may differ: every key that occurs is a column, in the order of first appearance.
        None => {
            let keys = rows.iter().filter_map(|row| match row {
                Value::Map(map) => Some(map.keys()),
                _ => None,
            });
            let keys: indexmap::IndexSet<&str> =
                keys.flatten().filter_map(Value::as_text).collect();
            keys.into_iter().map(str::to_owned).collect()
        }
    };
    let mut writer = WriterBuilder::new().delimiter(separator(args)?).from_writer(Vec::<u8>::new());
    let broken = |error: ::csv::Error| Failure::trap(error.to_string());
    if !header.is_empty() {
        writer.write_record(&header).map_err(broken)?;
    }
    for row in rows {
        let json = json::encode(cx.table, row_type, row);
        let cells = header.iter().map(|name| match json.get(name) {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        writer.write_record(cells).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::trap(error.to_string()))?;
    if bytes.len() > MAX_TEXT {
        return Err(too_long());
    }
    Ok(Value::text(String::from_utf8_lossy(&bytes)))
}
