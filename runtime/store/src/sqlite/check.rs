//! Looks through a whole store for what does not hold what was written. It changes nothing.

use std::sync::Arc;

use rusqlite::Row;
use smol_str::{SmolStr, format_smolstr};

use super::reader::{ReadError, Readers};
use super::{fault, rows};
use crate::error::{Damage, StoreError};
use crate::types::RunQuery;

/// The most findings about the structure of the database.
const FINDINGS: u32 = 100;

pub(super) fn check(readers: &Arc<Readers>) -> Result<Vec<Damage>, StoreError> {
    let mut found = structure(readers)?;
    let runs = note(readers.runs(&RunQuery::default()), &mut found)?;
    for run in runs.unwrap_or_default() {
        let read = readers.records(&run.id, 0);
        let read = read.and_then(|mut records| records.try_for_each(|record| record.map(|_| ())));
        note(read, &mut found)?;
    }
    rows_of(readers, &mut found, "SELECT hash, bytes, seal FROM programs", |row| {
        rows::program(row).is_none().then(|| "a program".into())
    })?;
    rows_of(readers, &mut found, "SELECT hash, bytes FROM blobs", |row| {
        rows::blob(row).is_none().then(|| "a value".into())
    })?;
    let kept = "SELECT k.run, k.blob, b.hash, k.seal FROM run_blobs AS k
                LEFT JOIN blobs AS b ON b.nr = k.blob";
    rows_of(readers, &mut found, kept, |row| {
        let seal = rows::kept_seal(rows::int(row, 0), rows::int(row, 1), rows::bytes(row, 2));
        (seal != rows::int(row, 3)).then(|| "what a run keeps".into())
    })?;
    let promises =
        format!("SELECT {} FROM promises AS p LEFT JOIN runs AS r ON r.nr = p.run", rows::PROMISE);
    rows_of(readers, &mut found, &promises, |row| {
        let rows::PromiseRow { promise, sound, .. } = rows::promise(row);
        (!sound).then(|| format_smolstr!("question `{}`", promise.question.key))
    })?;
    rows_of(readers, &mut found, &format!("SELECT {} FROM once", rows::ONCE), |row| {
        rows::once(row).is_none().then(|| format_smolstr!("claim of `{}`", rows::text(row, 0)))
    })?;
    rows_of(readers, &mut found, &format!("SELECT {} FROM sessions", rows::SESSION), |row| {
        rows::session(row).is_none().then(|| format_smolstr!("session `{}`", rows::text(row, 0)))
    })?;
    rows_of(readers, &mut found, &format!("SELECT {} FROM starts", rows::STARTED), |row| {
        let name = || format_smolstr!("start `{}` of `{}`", rows::text(row, 1), rows::text(row, 0));
        rows::started(row).is_none().then(name)
    })?;
    rows_of(readers, &mut found, "SELECT pid, since, seal, nr FROM owners", |row| {
        let number = rows::int(row, 3);
        rows::owner(row, number)
            .is_none()
            .then(|| format_smolstr!("process {number} of those that have it open"))
    })?;
    note(readers.info(), &mut found)?;
    Ok(found)
}

/// What was read, if it could be; what is damaged is a finding.
fn note<T>(read: Result<T, StoreError>, found: &mut Vec<Damage>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => return Ok(Some(value)),
        Err(StoreError::Damaged(damage)) => found.push(damage),
        Err(StoreError::Corrupt { why, .. }) => {
            found.push(Damage::Row { what: "the database".into(), why });
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// What SQLite finds in its trees and indexes.
fn structure(readers: &Readers) -> Result<Vec<Damage>, StoreError> {
    readers.read(|connection| {
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS})"))?;
        let findings = statement.query_map([], |row| Ok(rows::text(row, 0)))?;
        let mut found = Vec::new();
        for finding in findings {
            match finding {
                Ok(finding) if finding == "ok" => {}
                Ok(why) => found.push(Damage::Row { what: "the database".into(), why }),
                Err(error) if fault::is_corrupt(&error) => {
                    found.push(broken("the database"));
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    })
}

fn rows_of(
    readers: &Readers,
    found: &mut Vec<Damage>,
    sql: &str,
    finding: impl Fn(&Row<'_>) -> Option<SmolStr>,
) -> Result<(), StoreError> {
    let findings = readers.read(|connection| {
        let mut statement = match connection.prepare(sql) {
            Err(error) if fault::is_corrupt(&error) => return Ok(vec![broken("a table")]),
            prepared => prepared?,
        };
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        loop {
            match rows.next() {
                Ok(Some(row)) => findings.extend(finding(row).map(|what| {
                    let why = "it does not hold what was written".into();
                    Damage::Row { what, why }
                })),
                Ok(None) => break,
                Err(error) if fault::is_corrupt(&error) => {
                    findings.push(broken("a table"));
                    break;
                }
                Err(error) => return Err(ReadError::from(error)),
            }
        }
        Ok(findings)
    })?;
    found.extend(findings);
    Ok(())
}

fn broken(what: &str) -> Damage {
    Damage::Row { what: what.into(), why: "a page of the database is broken".into() }
}
