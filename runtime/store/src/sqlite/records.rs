//! The records of a run: found from the last one backwards, then read forwards and held against their chain of sums.
//!
//! Records of all runs lie in one table in the order of their commits. Each knows how far back the one before it in its run
//! lies, and the head of the run knows the last one. What is kept while reading is one number a record, less where they
//! lie side by side.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::fault;
use super::reader::{ReadError, Readers, no_run, run_row};
use super::rows::{self, IN_BLOB, Sum};
use crate::error::{Damage, StoreError};
use crate::types::{Hash, Nanos, Record, RunId};

/// How much is read at a time.
const PAGE_RECORDS: usize = 256;
const PAGE_BYTES: usize = 1 << 20;

/// Where the reading of a run stands.
#[derive(Debug)]
pub(super) struct Cursor {
    run: RunId,
    number: u32,
    created: Nanos,
    /// Rows that are still to be read, first run of neighbours last.
    rows: Vec<Neighbours>,
    next: u32,
    end: u32,
    /// The sum of the last record read.
    sum: Sum,
    /// What it must be in the end.
    end_sum: Sum,
}

/// Records of the run that lie side by side.
#[derive(Clone, Copy, Debug)]
struct Neighbours {
    first: i64,
    last: i64,
}

impl Cursor {
    /// Finds the records from number `from` on, as the run is now.
    pub(super) fn new(connection: &Connection, run: &RunId, from: u32) -> Result<Self, ReadError> {
        let row = run_row(connection, run)?.ok_or_else(|| no_run(run))?;
        if !row.sound {
            return Err(damaged(run, 0, "its own row does not hold what was written"));
        }
        let (end, end_sum) = (row.run.records, row.sum);
        let mut cursor = Self {
            run: run.clone(),
            number: row.run.number,
            created: row.run.created,
            rows: Vec::new(),
            next: from.min(end),
            end,
            sum: row.first_sum(),
            end_sum,
        };
        if !row.head_is_sound {
            return Err(damaged(run, 0, "its head does not hold what was written"));
        }
        cursor.find(connection, row.last)?;
        cursor.check_end()?;
        Ok(cursor)
    }

    fn find(&mut self, connection: &Connection, last: i64) -> Result<(), ReadError> {
        let sql = "SELECT back, run, seq, sum FROM records WHERE id = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let (mut at, mut seq) = (last, self.end);
        // The record before the first wanted one is read for its sum.
        while seq > self.next.saturating_sub(1) {
            seq -= 1;
            let found = statement.query_row([at], |row| {
                let sum: Sum = rows::bytes(row, 3).try_into().unwrap_or_default();
                Ok((rows::int(row, 0), rows::int(row, 1), rows::int(row, 2), sum))
            });
            let found = self.sound(found.optional(), seq)?;
            let Some((back, run, number, sum)) = found else {
                return Err(self.missing(connection, seq, "it is not there"));
            };
            let links = (run, number) == (self.number.into(), seq.into())
                && ((seq == 0) == (back == 0))
                && (0..=at).contains(&back);
            if !links {
                return Err(self.missing(connection, seq, "another record stands in its place"));
            }
            if seq >= self.next {
                match self.rows.last_mut() {
                    Some(neighbours) if neighbours.first == at + 1 => neighbours.first = at,
                    _ => self.rows.push(Neighbours { first: at, last: at }),
                }
            } else {
                self.sum = sum;
            }
            at -= back;
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), ReadError> {
        if self.rows.is_empty() && self.sum != self.end_sum {
            return Err(damaged(
                &self.run,
                self.end,
                "its records do not end as they were written",
            ));
        }
        Ok(())
    }

    /// Reads the next page, as far as it is sound.
    fn page(
        &mut self,
        connection: &Connection,
        page: &mut VecDeque<Record>,
    ) -> Result<(), ReadError> {
        let sql = "SELECT at, kind, payload, sum FROM records WHERE id = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut bytes = 0;
        while page.len() < PAGE_RECORDS
            && bytes < PAGE_BYTES
            && let Some(neighbours) = self.rows.last_mut()
        {
            let id = neighbours.first;
            if neighbours.first == neighbours.last {
                self.rows.pop();
            } else {
                neighbours.first += 1;
            }
            let seq = self.next;
            let found = statement.query_row([id], |row| {
                let sum: Sum = rows::bytes(row, 3).try_into().unwrap_or_default();
                let payload = rows::bytes(row, 2);
                let (at, kind) = (rows::int(row, 0), rows::int(row, 1));
                let wanted = rows::record_sum(&self.sum, seq, at, kind, payload);
                Ok((at, kind, payload.to_vec(), sum, sum == wanted))
            });
            let found = self.sound(found.optional(), seq)?;
            let Some((at, kind, payload, sum, sound)) = found else {
                return Err(self.missing(connection, seq, "it is not there"));
            };
            if !sound {
                return Err(self.missing(connection, seq, "it does not hold what was written"));
            }
            let payload =
                if kind >= IN_BLOB { self.large(connection, seq, &payload)? } else { payload };
            bytes += payload.len() + 64;
            let kind = u8::try_from(kind & 0xff).unwrap_or_default();
            page.push_back(Record { seq, at: at.wrapping_add(self.created), kind, payload });
            (self.next, self.sum) = (seq + 1, sum);
        }
        self.check_end()
    }

    /// A payload that is kept as a blob.
    fn large(&self, connection: &Connection, seq: u32, hash: &[u8]) -> Result<Vec<u8>, ReadError> {
        let sql = "SELECT hash, bytes FROM blobs WHERE hash = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_row([hash], |row| {
            Ok(rows::blob(row).filter(|bytes| Hash::of(bytes).0.as_slice() == hash))
        });
        let found = self.sound(found.optional(), seq)?.flatten();
        let why = "its value does not hold what was written";
        found.ok_or_else(|| self.missing(connection, seq, why))
    }

    /// Damage, unless the run was removed meanwhile.
    fn missing(&self, connection: &Connection, seq: u32, why: &str) -> ReadError {
        match run_row(connection, &self.run) {
            Ok(Some(row)) if row.run.number == self.number => damaged(&self.run, seq, why),
            Ok(_) => no_run(&self.run).into(),
            Err(error) => error.into(),
        }
    }

    /// A page of the database that is broken is the damage of the run whose records lie there.
    fn sound<T>(&self, found: rusqlite::Result<T>, seq: u32) -> Result<T, ReadError> {
        found.map_err(|error| {
            if fault::is_corrupt(&error) {
                damaged(&self.run, seq, "the page of the database it lies on is broken")
            } else {
                error.into()
            }
        })
    }

    /// All records, read page by page.
    pub(super) fn read_by(
        mut self,
        readers: Arc<Readers>,
    ) -> impl Iterator<Item = Result<Record, StoreError>> + Send {
        let mut page = VecDeque::new();
        let mut failed = None;
        std::iter::from_fn(move || {
            if page.is_empty()
                && !self.rows.is_empty()
                && let Err(error) = readers.read(|connection| self.page(connection, &mut page))
            {
                self.rows.clear();
                failed = Some(error);
            }
            page.pop_front().map(Ok).or_else(|| failed.take().map(Err))
        })
    }
}

fn damaged(run: &RunId, seq: u32, why: &str) -> ReadError {
    let (run, why) = (run.clone(), why.into());
    ReadError::Store(Damage::Run { run, seq, why }.into())
}
