//! Finding by nearness and by words. Both look at every row of the table: no index is kept beside it.

use kait_engine::check::TypeTable;
use kait_ir::{Failure, Type, TypeId, Value};
use serde_json::Value as Json;

use super::DbCall;
use super::rows::{self, Shape, decoded, item, present};
use super::tables::{columns, quoted};
use crate::args;

/// Whether a type is a vector.
fn is_vector(table: &TypeTable, ty: TypeId) -> bool {
    match present(table, ty).1 {
        Type::List(item) => matches!(table.types().base(*item), Type::Float),
        _ => false,
    }
}

pub(super) fn nearest(call: &DbCall<'_>) -> Result<Value, Failure> {
    let wanted: Vec<f64> = args::list(call.args, 0)?
        .iter()
        .map(|part| match part {
            Value::Float(x) => *x,
            Value::Int(n) => *n as f64,
            _ => 0.0,
        })
        .collect();
    let table = args::text(call.args, 1)?;
    let limit = usize::try_from(args::int(call.args, 2)?).unwrap_or(0);
    let row = item(call.table, call.decl.result);
    let field = match present(call.table, row).1 {
        Type::Record(record) => {
            let mut vectors = record.fields.iter().filter(|field| is_vector(call.table, field.ty));
            match (vectors.next(), vectors.next()) {
                (Some(field), None) => field.wire.to_string(),
                _ => {
                    return Err(call.fail(
                        "the rows need one field of the type `[float]`, which is compared: read them into such a record",
                    ));
                }
            }
        }
        _ => return Err(call.fail("the rows must be records with one field of the type `[float]`")),
    };
    columns(call, &table)?;
    let mut statement = call
        .db
        .prepare(&format!("select * from {}", quoted(&table)))
        .map_err(|error| call.failure(&error))?;
    let all = rows::read(call, &mut statement, Shape::of(call.table, row), None)?;
    let mut found: Vec<(f64, usize, Json)> = Vec::with_capacity(all.len());
    for (index, row) in all.into_iter().enumerate() {
        let vector = row.get(&field).and_then(Json::as_array);
        // A row without a vector is near to nothing.
        let Some(vector) = vector else { continue };
        if vector.len() != wanted.len() {
            let why = format!(
                "has {} numbers, and the vector that is looked for has {}",
                vector.len(),
                wanted.len()
            );
            return Err(Failure::invalid(format!("/{index}/{field}"), why));
        }
        let parts = vector.iter().zip(&wanted);
        let distance: f64 =
            parts.map(|(a, b)| (a.as_f64().unwrap_or(f64::INFINITY) - b).powi(2)).sum();
        found.push((distance, index, row));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(limit);
    decoded(call, found.into_iter().map(|(_, _, row)| row).collect())
}

pub(super) fn search(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (words, table) = (args::text(call.args, 0)?, args::text(call.args, 1)?);
    let limit = args::int(call.args, 2)?;
    let all = columns(call, &table)?;
    // Each word stands for itself: what has a meaning in the language of queries is quoted.
    let quoted_words = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>();
    if quoted_words.is_empty() {
        return decoded(call, Vec::new());
    }
    let texts: Vec<_> = all
        .iter()
        .filter(|column| {
            let sql = column.sql.to_ascii_lowercase();
            sql.is_empty() || ["text", "char", "clob"].iter().any(|word| sql.contains(word))
        })
        .collect();
    if texts.is_empty() {
        return Err(call.fail(format!("the table `{table}` has no column of texts")));
    }
    let own: Vec<_> = (0..texts.len()).map(|at| format!("c{at}")).collect();
    let theirs: Vec<_> = texts.iter().map(|column| quoted(&column.name)).collect();
    let (own, theirs, of) = (own.join(", "), theirs.join(", "), quoted(&table));
    // An index for this search alone, in memory.
    let begin = format!(
        "drop table if exists temp.kait_found; \
         create virtual table temp.kait_found using fts5({own}, content = ''); \
         insert into temp.kait_found (rowid, {own}) select rowid, {theirs} from main.{of}"
    );
    let result = call.db.execute_batch(&begin).map_err(|error| call.failure(&error)).and_then(|()| {
        let sql = format!(
            "select row.* from temp.kait_found as found join main.{of} as row on row.rowid = found.rowid \
             where kait_found match ?1 order by found.rank, found.rowid limit ?2"
        );
        let mut statement = call.db.prepare(&sql).map_err(|error| call.failure(&error))?;
        let bound = statement
            .raw_bind_parameter(1, quoted_words.join(" "))
            .and_then(|()| statement.raw_bind_parameter(2, limit));
        bound.map_err(|error| call.failure(&error))?;
        let shape = Shape::of(call.table, item(call.table, call.decl.result));
        rows::read(call, &mut statement, shape, None)
    });
    // What is left of it after a failure goes with the next search, or with the connection.
    let _ = call.db.execute_batch("drop table if exists temp.kait_found");
    decoded(call, result?)
}
