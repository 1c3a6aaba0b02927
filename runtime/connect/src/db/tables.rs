//! Tables: which there are, single rows by their key, and rows that are written.

use kait_engine::json;
use kait_ir::{Failure, Type, Value};
use rusqlite::types::Value as Cell;
use rusqlite::{TransactionBehavior, params_from_iter};
use serde_json::Value as Json;

use super::DbCall;
use super::rows::{self, Form, Shape, item, present};
use crate::args;

/// A column of a table.
pub(super) struct Column {
    pub name: String,
    pub sql: String,
    pub is_optional: bool,
    pub is_key: bool,
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The names of the tables, sorted; without those that belong to full-text indexes.
pub(super) fn names(call: &DbCall<'_>) -> Result<Vec<String>, Failure> {
    const SQL: &str = "select name from pragma_table_list where schema = 'main' \
        and type in ('table', 'virtual', 'view') and name not like 'sqlite\\_%' escape '\\' order by name";
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = call.db.prepare(SQL)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    read().map_err(|error| call.failure(&error))
}

/// The columns of a table.
///
/// # Errors
/// `Tool` if there is no such table.
pub(super) fn columns(call: &DbCall<'_>, table: &str) -> Result<Vec<Column>, Failure> {
    let read = || -> rusqlite::Result<Vec<Column>> {
        let mut statement = call.db.prepare(
            "select name, type, \"notnull\", dflt_value is not null, pk from pragma_table_info(?1)",
        )?;
        let column = |row: &rusqlite::Row<'_>| {
            let (must, has_default): (bool, bool) = (row.get(2)?, row.get(3)?);
            let key: i64 = row.get(4)?;
            Ok(Column {
                name: row.get(0)?,
                sql: row.get(1)?,
                is_optional: has_default || (!must && key == 0),
                is_key: key > 0,
            })
        };
        statement.query_map([table], column)?.collect()
    };
    let found = read().map_err(|error| call.failure(&error))?;
    if found.is_empty() { Err(call.no_table(table)) } else { Ok(found) }
}

/// The primary key of a table, which is one column.
fn key_of<'c>(call: &DbCall<'_>, table: &str, columns: &'c [Column]) -> Result<&'c str, Failure> {
    let mut keys = columns.iter().filter(|column| column.is_key);
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(&key.name),
        (None, _) => Err(call.fail(format!(
            "the table `{table}` has no primary key: use `db.query` or `db.execute`"
        ))),
        _ => Err(call.fail(format!(
            "the primary key of the table `{table}` is more than one column: use `db.query` or `db.execute`"
        ))),
    }
}

pub(super) fn tables(call: &DbCall<'_>) -> Result<Value, Failure> {
    Ok(Value::list(names(call)?.into_iter().map(Value::text).collect()))
}

pub(super) fn schema(call: &DbCall<'_>) -> Result<Value, Failure> {
    let all = columns(call, &args::text(call.args, 0)?)?;
    let column = |one: Column| {
        Value::record([Value::text(one.name), Value::text(one.sql), Value::Bool(one.is_optional)])
    };
    Ok(Value::list(all.into_iter().map(column).collect()))
}

pub(super) fn get(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (key, table) = (args::text(call.args, 0)?, args::text(call.args, 1)?);
    let all = columns(call, &table)?;
    let by = key_of(call, &table, &all)?;
    let shape = Shape::of(call.table, call.decl.result);
    // One value is what stands beside the key.
    let wanted = all.iter().filter(|column| !shape.is_one() || !column.is_key || all.len() == 1);
    let wanted: Vec<_> = wanted.map(|column| quoted(&column.name)).collect();
    let sql =
        format!("select {} from {} where {} = ?1", wanted.join(", "), quoted(&table), quoted(by));
    let mut statement = call.db.prepare(&sql).map_err(|error| call.failure(&error))?;
    statement.raw_bind_parameter(1, key.as_str()).map_err(|error| call.failure(&error))?;
    let found = rows::read(call, &mut statement, shape, None)?;
    match found.into_iter().next() {
        None | Some(Json::Null) => Ok(Value::None),
        Some(row) => json::decode(call.table, call.decl.result, &row),
    }
}

pub(super) fn delete(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (key, table) = (args::text(call.args, 0)?, args::text(call.args, 1)?);
    let all = columns(call, &table)?;
    let sql = format!(
        "delete from {} where {} = ?1",
        quoted(&table),
        quoted(key_of(call, &table, &all)?)
    );
    let count = call.db.execute(&sql, [key.as_str()]).map_err(|error| call.failure(&error))?;
    Ok(Value::Bool(count > 0))
}

pub(super) fn upsert(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (all, table) = (args::list(call.args, 0)?, args::text(call.args, 1)?);
    let key = usize::try_from(args::int(call.args, 2)?).unwrap_or(usize::MAX);
    let ty = call.decl.params.first().map(|param| item(call.table, param.ty));
    let record = match ty.map(|ty| present(call.table, ty).1) {
        Some(Type::Record(record)) => record,
        _ => return Err(call.fail("only records are rows: write the rows as records")),
    };
    let fields = &record.fields;
    let Some(key) = fields.get(key) else { return Err(Failure::trap("a key that is no field")) };
    let forms: Vec<Form> = fields.iter().map(|field| Form::of(call.table, field.ty)).collect();
    let columns = fields.iter().zip(&forms).map(|(field, form)| {
        let is_optional = matches!(call.table.types().base(field.ty), Type::Optional(_));
        let must = if is_optional { "" } else { " not null" };
        let primary = if field.wire == key.wire { " primary key" } else { "" };
        format!("{} {}{must}{primary}", quoted(&field.wire), form.sql())
    });
    let create = format!(
        "create table if not exists {} ({})",
        quoted(&table),
        columns.collect::<Vec<_>>().join(", ")
    );
    let names: Vec<_> = fields.iter().map(|field| quoted(&field.wire)).collect();
    let others = names.iter().filter(|name| **name != quoted(&key.wire));
    let set: Vec<_> = others.map(|name| format!("{name} = excluded.{name}")).collect();
    let action = match set.as_slice() {
        [] => "nothing".to_owned(),
        some => format!("update set {}", some.join(", ")),
    };
    let places: Vec<_> = (1..=names.len()).map(|at| format!("?{at}")).collect();
    let insert = format!(
        "insert into {} ({}) values ({}) on conflict ({}) do {action}",
        quoted(&table),
        names.join(", "),
        places.join(", "),
        quoted(&key.wire)
    );
    let write = || -> rusqlite::Result<()> {
        // All or nothing: dropped without its commit, it is as if it had not been.
        let transaction =
            rusqlite::Transaction::new_unchecked(call.db, TransactionBehavior::Immediate)?;
        transaction.execute(&create, [])?;
        let mut statement = transaction.prepare(&insert)?;
        for row in all {
            let cells = fields.iter().zip(&forms).zip(row.fields());
            let cells: Vec<Cell> = cells
                .map(|((field, form), value)| form.cell(call.table, field.ty, value))
                .collect();
            statement.execute(params_from_iter(cells))?;
        }
        drop(statement);
        transaction.commit()
    };
    write().map_err(|error| match call.failure(&error) {
        Failure::Tool { name, message } if message.contains("ON CONFLICT clause") => Failure::Tool {
            name,
            message: format!(
                "`{}` is no key of the table `{table}`: make it one with `create unique index`, or choose its primary key",
                key.wire
            )
            .into(),
        },
        Failure::Tool { name, message } if message.contains("has no column named") => Failure::Tool {
            name,
            message: format!(
                "{message}: the table was made for other records; add the column with `db.execute(\"alter table …\")`"
            )
            .into(),
        },
        other => other,
    })?;
    Ok(Value::Int(i64::try_from(all.len()).unwrap_or(i64::MAX)))
}
