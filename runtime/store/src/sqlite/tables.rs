//! The rows of the database as the rules change them, within a transaction that `writer` begins and ends.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::fault::{self, Kind};
use super::owners;
use super::rows::{self, IN_BLOB, RunRow, Sum};
use crate::BLOB_FROM;
use crate::batch::Change;
use crate::error::{Damage, Holder, StoreError};
use crate::rules::{Head, Tables};
use crate::types::{
    Hash, Nanos, NewRun, Once, Parent, PromiseState, Question, Record, Run, RunId, RunState,
    Session, StartKey, Started,
};

/// Runs whose heads are remembered. Beyond, all are forgotten and read again.
const HEADS: usize = 16_384;

/// The tables.
pub(super) struct Database {
    connection: Connection,
    directory: Box<Path>,
    path: Box<Path>,
    /// The number of this process among the owners.
    me: u64,
    /// Changes when another connection commits.
    version: Option<i64>,
    heads: FxHashMap<RunId, Cached>,
    /// The row of the last record of all. Rows of transactions that were taken back stay unused.
    last_record: i64,
    /// What made the transaction under way fail, if that was the database.
    failure: Option<Kind>,
}

#[derive(Clone, Debug)]
struct Cached {
    head: Head,
    created: Nanos,
    wake: Option<Nanos>,
    last: i64,
    sum: Sum,
}

impl Cached {
    fn of(row: RunRow) -> Self {
        let RunRow { run, owner, last, sum, .. } = row;
        let Run { number, state, session, records, created, wake, .. } = run;
        let head = Head { number, state, session, next: records, owner };
        Self { head, created, wake, last, sum }
    }
}

impl Cached {
    fn seal(&self) -> i64 {
        let Head { number, next, state, owner, .. } = self.head;
        rows::head_seal(number, next, self.last, state, self.wake, &self.sum, owner)
    }
}

impl Database {
    pub(super) fn new(connection: Connection, directory: &Path, me: u64) -> Self {
        let path = owners::database(directory).into();
        let heads = FxHashMap::default();
        let (directory, version) = (directory.into(), None);
        Self { connection, directory, path, me, version, heads, last_record: 0, failure: None }
    }

    /// Forgets what may not be so any more, as somebody else has committed: at the beginning of a transaction.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        let version = self.read("PRAGMA data_version", [], |row| rows::int(row, 0))?;
        if version != self.version || version.is_none() {
            self.forget();
            let last = "SELECT max(id) FROM records";
            let last = self.read(last, [], |row| rows::opt_int(row, 0))?.flatten().unwrap_or(0);
            // Rows are not used again while this process lives, so that no reader of it takes one for another.
            self.last_record = self.last_record.max(last);
            self.version = version;
        }
        Ok(())
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What was read within a transaction that is taken back must be read again.
    pub(super) fn forget(&mut self) {
        self.heads.clear();
    }

    /// What made the transaction fail, if it was the database itself.
    pub(super) fn take_failure(&mut self) -> Option<Kind> {
        self.failure.take()
    }

    /// Reports an error of the database, and remembers it.
    pub(super) fn fail(&mut self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        self.failure = Some(Kind::of(&error));
        fault::database(doing, &self.path, error)
    }

    fn write(&mut self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        let done = self.connection.prepare_cached(sql).and_then(|mut it| it.execute(params));
        done.map_err(|error| self.fail("write", error))
    }

    fn read<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        let found = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut it| it.query_row(params, |row| Ok(read(row))).optional());
        found.map_err(|error| self.fail("read", error))
    }

    fn cached(&mut self, run: &RunId) -> Result<Option<&mut Cached>, StoreError> {
        if !self.heads.contains_key(run) {
            let Some(row) = self.run_row(run)? else { return Ok(None) };
            if !row.sound && row.run.state != RunState::Damaged {
                let (run, seq) = (run.clone(), 0);
                let why = "its own row does not hold what was written".into();
                return Err(Damage::Run { run, seq, why }.into());
            }
            if self.heads.len() >= HEADS {
                self.heads.clear();
            }
            self.heads.insert(run.clone(), Cached::of(row));
        }
        Ok(self.heads.get_mut(run))
    }

    fn run_row(&mut self, run: &RunId) -> Result<Option<RunRow>, StoreError> {
        let sql = run_sql();
        self.read(sql, [run.as_str()], rows::run)
    }

    fn put_head(&mut self, cached: Cached, run: &RunId) -> Result<(), StoreError> {
        let Cached { head, wake, last, sum, .. } = &cached;
        let seal = cached.seal();
        self.write(
            "INSERT OR REPLACE INTO heads (run, next, last, state, wake, sum, seal, owner)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                head.number,
                head.next,
                last,
                rows::state_number(head.state),
                wake,
                &sum[..],
                seal,
                head.owner.map(rows::owner_number),
            ],
        )?;
        self.heads.insert(run.clone(), cached);
        Ok(())
    }

    fn session_row(&mut self, key: &str) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT key, cells, version, owner, seal FROM sessions WHERE key = ?1";
        let what = || format_smolstr!("session `{key}`");
        self.read(sql, [key], rows::session)?.map(|found| sound(found, what)).transpose()
    }

    fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let version = i64::try_from(session.version).unwrap_or(i64::MAX);
        let owner = session.owner.as_ref().map(RunId::as_str);
        let seal = rows::session_seal(session);
        self.write(
            "INSERT INTO sessions (key, cells, version, owner, seal) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO UPDATE
             SET cells = excluded.cells, version = excluded.version, owner = excluded.owner,
                 seal = excluded.seal",
            params![session.key.as_str(), session.cells, version, owner, seal],
        )?;
        Ok(())
    }

    fn change_session(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut Session),
    ) -> Result<(), StoreError> {
        let none = || Session { key: key.into(), cells: Vec::new(), version: 0, owner: None };
        let mut session = self.session_row(key)?.unwrap_or_else(none);
        change(&mut session);
        self.put_session(&session)
    }

    /// Sets a run aside, whatever its rows hold.
    pub(super) fn set_aside(&mut self, run: &RunId) -> Result<(), StoreError> {
        self.heads.remove(run);
        let Some(row) = self.run_row(run)? else { return Ok(()) };
        if row.run.state == RunState::Damaged {
            return Ok(());
        }
        if row.sound {
            let mut cached = Cached::of(row);
            (cached.head.state, cached.head.owner) = (RunState::Damaged, None);
            self.put_head(cached, run)?;
        } else {
            // Nothing is sealed anew that was not sound.
            self.write(
                "INSERT INTO heads (run, next, last, state, sum, seal)
                 SELECT nr, 0, 0, ?2, x'', 0 FROM runs WHERE id = ?1
                 ON CONFLICT (run) DO UPDATE SET state = ?2",
                params![run.as_str(), rows::state_number(RunState::Damaged)],
            )?;
        }
        let sql = "SELECT key, cells, version, owner, seal FROM sessions WHERE owner = ?1";
        if let Some(Some(mut session)) = self.read(sql, [run.as_str()], rows::session)? {
            session.owner = None;
            self.put_session(&session)?;
        }
        Ok(())
    }

    /// Whether the transaction under way has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }
}

/// How [`Database::run_row`] asks.
fn run_sql() -> &'static str {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(
            "SELECT {} FROM runs AS r LEFT JOIN heads AS h ON h.run = r.nr WHERE r.id = ?1",
            rows::RUN
        )
    });
    &SQL
}

/// A row, if it holds what was written.
pub(super) fn sound<T>(row: Option<T>, what: impl FnOnce() -> SmolStr) -> Result<T, StoreError> {
    row.ok_or_else(|| {
        let why = "it does not hold what was written".into();
        Damage::Row { what: what(), why }.into()
    })
}

impl Tables for Database {
    fn me(&self) -> u64 {
        self.me
    }

    fn lives(&mut self, owner: u64) -> Result<bool, StoreError> {
        owners::lives(&self.directory, owner)
    }

    fn holder(&mut self, owner: u64) -> Result<Holder, StoreError> {
        owners::holder(&self.connection, owner).map_err(|error| self.fail("read", error))
    }

    fn has_program(&mut self, hash: &Hash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM programs WHERE hash = ?1";
        Ok(self.read(sql, [&hash.0[..]], |_| ())?.is_some())
    }

    fn put_program(&mut self, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO programs (hash, bytes, seal) VALUES (?1, ?2, ?3)";
        self.write(sql, params![&hash.0[..], bytes, rows::program_seal(hash, bytes)])?;
        Ok(())
    }

    fn head(&mut self, run: &RunId) -> Result<Option<Head>, StoreError> {
        Ok(self.cached(run)?.map(|cached| cached.head.clone()))
    }

    fn insert_run(&mut self, new: &NewRun) -> Result<(), StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'runs'";
        let last = self.read(sql, [], |row| rows::int(row, 0))?.unwrap_or(0);
        let number = u32::try_from(last + 1).unwrap_or(u32::MAX);
        let NewRun { id, program, graph, meta, created, parent, session, state } = new.clone();
        let (wake, ended, summary, records) = (None, None, Vec::new(), 0);
        if let Some(session) = &session {
            self.change_session(session, |_| {})?;
        }
        let run = Run {
            number,
            id,
            program,
            graph,
            meta,
            created,
            parent,
            session,
            state,
            wake,
            ended,
            summary,
            records,
        };
        let sum = rows::first_sum(number, run.id.as_str());
        let forked = i64::from(matches!(run.parent, Some(Parent::Forked(_))));
        let owner = (state == RunState::Running).then_some(self.me);
        let row = RunRow { run, forked, owner, last: 0, sum, sound: true, head_is_sound: true };
        let run = &row.run;
        self.write(
            "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                run.number,
                run.id.as_str(),
                &run.program.0[..],
                run.graph.as_str(),
                run.meta,
                run.created,
                run.parent.as_ref().map(|parent| parent.run().as_str()),
                row.forked,
                run.session.as_deref(),
                run.ended,
                run.summary,
                row.run_seal(),
            ],
        )?;
        let head = Head { number, state, session: run.session.clone(), next: 0, owner };
        let cached = Cached { head, created: run.created, wake: None, last: 0, sum };
        self.put_head(cached, &run.id)
    }

    fn change_run(&mut self, _: &Head, change: &Change) -> Result<(), StoreError> {
        let run = &change.run;
        if change.ended.is_some() || !change.summary.is_empty() {
            let Some(mut row) = self.run_row(run)? else { return Ok(()) };
            row.run.ended = change.ended.or(row.run.ended);
            if !change.summary.is_empty() {
                row.run.summary.clone_from(&change.summary);
            }
            self.write(
                "UPDATE runs SET ended = ?2, summary = ?3, seal = ?4 WHERE nr = ?1",
                params![row.run.number, row.run.ended, row.run.summary, row.run_seal()],
            )?;
        }
        let Some(cached) = self.cached(run)? else { return Ok(()) };
        let mut cached = cached.clone();
        cached.head.state = change.state;
        cached.head.owner = (change.state == RunState::Running).then_some(self.me);
        cached.wake = change.wake;
        self.put_head(cached, run)
    }

    fn append(&mut self, run: &RunId, head: &Head, records: &[Record]) -> Result<(), StoreError> {
        let Some(cached) = self.cached(run)? else { return Ok(()) };
        let mut cached = cached.clone();
        for record in records {
            let hash;
            let (kind, payload) = if record.payload.len() > BLOB_FROM {
                hash = Hash::of(&record.payload);
                self.put_blob(head, &hash, &record.payload)?;
                (i64::from(record.kind) + IN_BLOB, &hash.0[..])
            } else {
                (i64::from(record.kind), record.payload.as_slice())
            };
            let at = record.at.wrapping_sub(cached.created);
            let sum = rows::record_sum(&cached.sum, record.seq, at, kind, payload);
            let id = self.last_record + 1;
            let back = if cached.last == 0 { 0 } else { id - cached.last };
            self.write(
                "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![id, head.number, record.seq, back, at, kind, payload, &sum[..]],
            )?;
            self.last_record = id;
            (cached.last, cached.sum) = (id, sum);
            cached.head.next = record.seq + 1;
        }
        let Cached { head, last, sum, .. } = &cached;
        let seal = cached.seal();
        self.write(
            "UPDATE heads SET next = ?2, last = ?3, sum = ?4, seal = ?5 WHERE run = ?1",
            params![head.number, head.next, last, &sum[..], seal],
        )?;
        if let Some(known) = self.heads.get_mut(run) {
            *known = cached;
        }
        Ok(())
    }

    fn remove_run(&mut self, run: &RunId, head: &Head) -> Result<(), StoreError> {
        // Where the records of a damaged run end, only a search can tell.
        let sql = "SELECT last FROM heads WHERE run = ?1 AND state <> 6";
        let last = self.read(sql, [head.number], |row| rows::int(row, 0))?;
        if last != Some(0) {
            let sql = "INSERT OR REPLACE INTO garbage VALUES (?1, ?2)";
            self.write(sql, (head.number, last))?;
        }
        self.write("DELETE FROM runs WHERE nr = ?1", [head.number])?;
        self.heads.remove(run);
        Ok(())
    }

    fn put_blob(&mut self, head: &Head, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "SELECT nr FROM blobs WHERE hash = ?1";
        let number = match self.read(sql, [&hash.0[..]], |row| rows::int(row, 0))? {
            Some(number) => number,
            None => {
                let sql = "INSERT INTO blobs (hash, bytes) VALUES (?1, ?2)";
                self.write(sql, params![&hash.0[..], bytes])?;
                self.connection.last_insert_rowid()
            }
        };
        let seal = rows::kept_seal(head.number.into(), number, &hash.0);
        let sql = "INSERT OR IGNORE INTO run_blobs VALUES (?1, ?2, ?3)";
        self.write(sql, (head.number, number, seal))?;
        Ok(())
    }

    fn promise(&mut self, head: &Head, key: &str) -> Result<Option<PromiseState>, StoreError> {
        let sql = "SELECT p.nr, p.run, p.key, p.role, p.asked, p.due, p.shown, p.state, p.by, p.at,
                   p.answer, p.seal, NULL FROM promises AS p WHERE p.run = ?1 AND p.key = ?2";
        let found = self.read(sql, params![head.number, key], rows::promise)?;
        let what = || format_smolstr!("question `{key}`");
        let check = |row: rows::PromiseRow| sound(row.sound.then_some(row.promise.state), what);
        found.map(check).transpose()
    }

    fn insert_promise(
        &mut self,
        _: &RunId,
        head: &Head,
        question: &Question,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO promises (run, key, role, asked, due, shown, state, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
            params![
                head.number,
                question.key.as_str(),
                question.role.as_deref(),
                question.asked,
                question.due,
                question.shown,
                rows::promise_seal(head.number, question, &PromiseState::Open),
            ],
        )?;
        Ok(())
    }

    fn change_promise(
        &mut self,
        head: &Head,
        key: &str,
        state: &PromiseState,
    ) -> Result<(), StoreError> {
        let sql = "SELECT p.nr, p.run, p.key, p.role, p.asked, p.due, p.shown, p.state, p.by, p.at,
                   p.answer, p.seal, NULL FROM promises AS p WHERE p.run = ?1 AND p.key = ?2";
        let Some(row) = self.read(sql, params![head.number, key], rows::promise)? else {
            return Ok(());
        };
        let seal = rows::promise_seal(head.number, &row.promise.question, state);
        let (number, answer) = match state {
            PromiseState::Open => (0, None),
            PromiseState::Answered(answer) => (1, Some(answer)),
            PromiseState::Withdrawn => (2, None),
        };
        self.write(
            "UPDATE promises SET state = ?3, by = ?4, at = ?5, answer = ?6, seal = ?7
             WHERE run = ?1 AND key = ?2",
            params![
                head.number,
                key,
                number,
                answer.map(|answer| answer.by.as_str()),
                answer.map(|answer| answer.at),
                answer.map(|answer| &answer.value),
                seal,
            ],
        )?;
        Ok(())
    }

    fn withdraw_open(&mut self, head: &Head) -> Result<(), StoreError> {
        let sql = "SELECT key FROM promises WHERE run = ?1 AND state = 0";
        let keys = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let keys = statement.query_map([head.number], |row| Ok(rows::text(row, 0)))?;
            keys.collect::<rusqlite::Result<Vec<_>>>()
        });
        for key in keys.map_err(|error| self.fail("read", error))? {
            self.change_promise(head, &key, &PromiseState::Withdrawn)?;
        }
        Ok(())
    }

    fn once(&mut self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        let sql = "SELECT call, value, run, seq, result, seal FROM once
                   WHERE call = ?1 AND value = ?2";
        let what = || format_smolstr!("claim of `{call}`");
        let found = self.read(sql, params![call, &value.0[..]], rows::once)?;
        found.map(|found| sound(found, what)).transpose()
    }

    fn put_once(
        &mut self,
        call: &str,
        value: &Hash,
        once: Option<&Once>,
    ) -> Result<(), StoreError> {
        match once {
            Some(once) => self.write(
                "INSERT INTO once (call, value, run, seq, result, seal)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (call, value) DO UPDATE
                 SET run = excluded.run, seq = excluded.seq, result = excluded.result,
                     seal = excluded.seal",
                params![
                    call,
                    &value.0[..],
                    once.run.as_str(),
                    once.seq,
                    once.result,
                    rows::once_seal(call, value, once)
                ],
            ),
            None => {
                let sql = "DELETE FROM once WHERE call = ?1 AND value = ?2";
                self.write(sql, params![call, &value.0[..]])
            }
        }?;
        Ok(())
    }

    fn owner(&mut self, session: &str) -> Result<Option<RunId>, StoreError> {
        Ok(self.session_row(session)?.and_then(|session| session.owner))
    }

    fn set_owner(&mut self, session: &str, owner: Option<&RunId>) -> Result<(), StoreError> {
        self.change_session(session, |session| session.owner = owner.cloned())
    }

    fn save_cells(&mut self, session: &str, cells: &[u8]) -> Result<(), StoreError> {
        self.change_session(session, |session| {
            session.cells = cells.to_vec();
            session.version += 1;
        })
    }

    fn remove_session(&mut self, session: &str) -> Result<(), StoreError> {
        self.write("DELETE FROM sessions WHERE key = ?1", [session])?;
        Ok(())
    }

    fn started(&mut self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        let StartKey { scope, key } = key;
        let sql = "SELECT scope, key, run, at, seal FROM starts WHERE scope = ?1 AND key = ?2";
        let what = || format_smolstr!("start `{key}` of `{scope}`");
        let found = self.read(sql, [scope.as_str(), key.as_str()], rows::started)?;
        found.map(|found| sound(found, what)).transpose()
    }

    fn put_started(&mut self, key: &StartKey, started: &Started) -> Result<(), StoreError> {
        let StartKey { scope, key } = key;
        self.write(
            "INSERT INTO starts VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                scope.as_str(),
                key.as_str(),
                started.run.as_ref().map(RunId::as_str),
                started.at,
                rows::started_seal(scope, key, started)
            ],
        )?;
        Ok(())
    }
}
