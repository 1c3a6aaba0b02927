//! Retention: what is old is removed in steps that are small enough for commits to go on between them.

use rusqlite::{OptionalExtension, ToSql, params};

use super::tables::Database;
use super::{rows, schema};
use crate::error::StoreError;
use crate::rules::Tables;
use crate::store::Pruned;
use crate::types::{Nanos, RunId};

/// Runs, keys, blobs and programs that a step removes of each.
const ROWS: i64 = 256;
/// Records that a step removes.
const RECORDS: u32 = 8_192;
/// Pages that a step gives back to the disk.
const PAGES: u32 = 1_024;

/// What a step has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub(super) pruned: Pruned,
    /// Whether there is more to do.
    pub(super) more: bool,
}

/// One step, within a transaction.
pub(super) fn step(database: &mut Database, before: Nanos) -> Result<Step, StoreError> {
    let mut pruned = Pruned::default();
    let old = work(database, |connection| {
        let sql = "SELECT r.id FROM runs AS r JOIN heads AS h ON h.run = r.nr
                   WHERE r.ended < ?1 AND h.state IN (3, 4, 5) LIMIT ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_map((before, ROWS), |row| Ok(rows::text(row, 0).into()))?;
        found.collect::<rusqlite::Result<Vec<RunId>>>()
    })?;
    let mut more = old.len() as i64 == ROWS;
    for run in &old {
        if let Some(head) = database.head(run)? {
            database.remove_run(run, &head)?;
            pruned.runs += 1;
        }
    }
    let records = collect(database)?;
    more |= records == RECORDS;
    pruned.records = records.into();
    let mut delete = |sql, params: &[&dyn ToSql]| -> Result<u64, StoreError> {
        let removed = work(database, |connection| connection.prepare_cached(sql)?.execute(params))?;
        more |= removed as i64 == ROWS;
        Ok(removed as u64)
    };
    pruned.keys = delete(
        "DELETE FROM starts WHERE (scope, key) IN
           (SELECT scope, key FROM starts WHERE at < ?1 LIMIT ?2)",
        params![before, ROWS],
    )?;
    pruned.blobs = delete(
        "DELETE FROM blobs WHERE nr IN
           (SELECT b.nr FROM blobs AS b
            WHERE NOT EXISTS (SELECT 1 FROM run_blobs WHERE blob = b.nr) LIMIT ?1)",
        params![ROWS],
    )?;
    pruned.programs = delete(
        "DELETE FROM programs WHERE nr IN
           (SELECT p.nr FROM programs AS p
            WHERE NOT EXISTS (SELECT 1 FROM runs WHERE program = p.hash) LIMIT ?1)",
        params![ROWS],
    )?;
    let (was_free, free) = work(database, |connection| {
        let was_free = schema::number(connection, "freelist_count")?;
        // Each row of its answer is a page given back.
        let mut vacuum =
            connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        Ok((was_free, schema::number(connection, "freelist_count")?))
    })?;
    Ok(Step { pruned, more: more || (0 < free && free < was_free) })
}

/// Takes away records of runs that were removed, youngest first; gives how many.
fn collect(database: &mut Database) -> Result<u32, StoreError> {
    let mut removed = 0;
    while removed < RECORDS {
        let next = work(database, |connection| {
            let sql = "SELECT run, last FROM garbage LIMIT 1";
            let found = connection
                .prepare_cached(sql)?
                .query_row([], |row| Ok((rows::int(row, 0), rows::opt_int(row, 1))));
            found.optional()
        })?;
        let Some((run, last)) = next else { break };
        let left = match last {
            Some(last) => walk(database, run, last, &mut removed)?,
            None => work(database, |connection| {
                let sql = "DELETE FROM records WHERE run = ?1";
                let count = connection.execute(sql, [run])?;
                removed = removed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
                Ok(None)
            })?,
        };
        work(database, |connection| match left {
            Some(left) => connection
                .prepare_cached("UPDATE garbage SET last = ?2 WHERE run = ?1")?
                .execute((run, left)),
            None => connection.prepare_cached("DELETE FROM garbage WHERE run = ?1")?.execute([run]),
        })?;
    }
    Ok(removed.min(RECORDS))
}

/// From a run's last record backwards; gives where it stopped before the beginning.
fn walk(
    database: &mut Database,
    run: i64,
    last: i64,
    removed: &mut u32,
) -> Result<Option<i64>, StoreError> {
    work(database, |connection| {
        // The run is compared, so that a damaged link cannot lead to another run's records.
        let mut delete = connection
            .prepare_cached("DELETE FROM records WHERE id = ?1 AND run = ?2 RETURNING back")?;
        let mut at = last;
        while *removed < RECORDS {
            let back = delete.query_row((at, run), |row| Ok(rows::int(row, 0))).optional()?;
            let Some(back) = back else { return Ok(None) };
            *removed += 1;
            if back <= 0 || back >= at {
                return Ok(None);
            }
            at -= back;
        }
        Ok(Some(at))
    })
}

fn work<T>(
    database: &mut Database,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    work(database.connection()).map_err(|error| database.fail("prune", error))
}
