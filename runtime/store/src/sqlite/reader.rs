//! Reading, on connections of its own: never behind the writer, and everything held against its seal.

use std::path::Path;
use std::sync::{Mutex, PoisonError, Weak};

use rusqlite::types::Value as Param;
use rusqlite::{Connection, OptionalExtension, Params, Row, params_from_iter};
use smol_str::format_smolstr;

use super::rows::{self, RunRow};
use super::tables::sound;
use super::writer::{Job, Queue};
use super::{fault, owners, records, schema};
use crate::error::{Damage, Holder, Refused, StoreError};
use crate::store::Records;
use crate::types::{
    Hash, Info, Once, Promise, PromiseQuery, Run, RunId, RunQuery, RunState, Session, StartKey,
    Started,
};

/// Connections that are kept open while nobody reads.
const IDLE: usize = 4;

/// Connections for reading.
#[derive(Debug)]
pub(super) struct Readers {
    path: Box<Path>,
    directory: Box<Path>,
    idle: Mutex<Vec<Connection>>,
    watch: Mutex<Watch>,
    /// The writer, if it is this process's: told what is found damaged.
    writer: Weak<Queue>,
}

/// Sees whether somebody has committed.
#[derive(Debug, Default)]
struct Watch {
    /// The connection, as what it says can be compared only with what it said before; and what it said.
    connection: Option<(Connection, i64)>,
    changes: u64,
}

impl Readers {
    pub(super) fn new(directory: &Path, writer: Weak<Queue>) -> Self {
        Self {
            path: owners::database(directory).into(),
            directory: directory.into(),
            idle: Mutex::default(),
            watch: Mutex::default(),
            writer,
        }
    }

    /// Runs a read on a connection; an error of the database becomes one of the store.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::connect_reader(&self.path)?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        drop(idle);
        result.map_err(|error| {
            let error = match error {
                ReadError::Database(error) => fault::database("read", &self.path, error),
                ReadError::Store(error) => error,
            };
            if let StoreError::Damaged(Damage::Run { run, .. }) = &error {
                self.set_aside(run);
            }
            error
        })
    }

    fn set_aside(&self, run: &RunId) {
        if let Some(writer) = self.writer.upgrade() {
            // A store that has stopped cannot; whoever reads next finds the damage again.
            let _ = writer.push(Job::SetAside(run.clone()));
        }
    }

    pub(super) fn changes(&self) -> Result<u64, StoreError> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match watch.connection.take() {
            Some((connection, before)) => (connection, Some(before)),
            None => (schema::connect_reader(&self.path)?, None),
        };
        let (connection, before) = connection;
        let version = schema::number(&connection, "data_version")
            .map_err(|error| fault::database("read", &self.path, error))?;
        if before != Some(version) {
            watch.changes += 1;
        }
        watch.connection = Some((connection, version));
        Ok(watch.changes)
    }

    pub(super) fn holder(&self, run: &RunId) -> Result<Option<Holder>, StoreError> {
        let found = self.read(|connection| {
            let owner = run_row(connection, run)?.and_then(|row| row.owner);
            Ok(owner.map(|owner| owners::holder(connection, owner)).transpose()?)
        })?;
        match found {
            Some(holder) if owners::lives(&self.directory, holder.owner)? => Ok(Some(holder)),
            _ => Ok(None),
        }
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row(params, |row| Ok(read(row))).optional()?)
        })
    }

    pub(super) fn info(&self) -> Result<Info, StoreError> {
        self.read(|connection| {
            let (row, is_sound) = rows::store(connection)?;
            let info = Info { id: row.id.into(), format: 0, created_by: row.created_by.into() };
            let mut info =
                sound(is_sound.then_some(info), || "what the store says of itself".into())?;
            let format = schema::number(connection, "user_version")?;
            info.format = u32::try_from(format).unwrap_or(u32::MAX);
            Ok(info)
        })
    }

    pub(super) fn program(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT hash, bytes, seal FROM programs WHERE hash = ?1";
        let what = || format_smolstr!("program {hash}");
        self.one(sql, [&hash.0[..]], rows::program)?.map(|it| sound(it, what)).transpose()
    }

    pub(super) fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT hash, bytes FROM blobs WHERE hash = ?1";
        let what = || format_smolstr!("value {hash}");
        self.one(sql, [&hash.0[..]], rows::blob)?.map(|it| sound(it, what)).transpose()
    }

    pub(super) fn run(&self, run: &RunId) -> Result<Option<Run>, StoreError> {
        let row = self.read(|connection| Ok(run_row(connection, run)?))?;
        Ok(row.map(|row| self.told(row)))
    }

    pub(super) fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let mut wanted = Wanted::new();
        let states = &query.states;
        if !states.is_empty() {
            let numbers: Vec<_> =
                states.iter().map(|state| rows::state_number(*state).to_string()).collect();
            let damaged =
                if states.contains(&RunState::Damaged) { " OR h.state IS NULL" } else { "" };
            wanted.add(&format!("(h.state IN ({}){damaged})", numbers.join(", ")));
            if states.iter().all(|state| !state.is_final()) {
                // As the index says it.
                wanted.add("h.state < 3");
            }
        }
        wanted.equal("r.graph", query.graph.as_deref());
        wanted.equal("r.session", query.session.as_deref());
        wanted.equal("r.parent", query.parent.as_ref().map(RunId::as_str));
        let order = if query.newest_first { "DESC" } else { "ASC" };
        if let Some(beyond) = query.beyond {
            let than = if query.newest_first { "<" } else { ">" };
            wanted.compare(&format!("r.nr {than}"), i64::from(beyond));
        }
        let sql = format!(
            "SELECT {} FROM runs AS r LEFT JOIN heads AS h ON h.run = r.nr{} ORDER BY r.nr {order} LIMIT {}",
            rows::RUN,
            wanted.clause(),
            query.limit,
        );
        let rows = self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows =
                statement.query_map(params_from_iter(wanted.params), |row| Ok(rows::run(row)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(rows.into_iter().map(|row| self.told(row)).collect())
    }

    /// A run whose row is damaged is shown as such.
    fn told(&self, row: RunRow) -> Run {
        let mut run = row.run;
        if !row.sound && run.state != RunState::Damaged {
            self.set_aside(&run.id);
            run.state = RunState::Damaged;
        }
        run
    }

    pub(super) fn promise(&self, run: &RunId, key: &str) -> Result<Option<Promise>, StoreError> {
        let sql = format!(
            "SELECT {} FROM runs AS r JOIN promises AS p ON p.run = r.nr WHERE r.id = ?1 AND p.key = ?2",
            rows::PROMISE
        );
        let what = || format_smolstr!("question `{key}` of run `{run}`");
        let found = self.one(&sql, [run.as_str(), key], rows::promise)?;
        found.map(|row| sound(row.sound.then_some(row.promise), what)).transpose()
    }

    pub(super) fn promises(&self, query: &PromiseQuery) -> Result<Vec<Promise>, StoreError> {
        let mut wanted = Wanted::new();
        if query.open {
            wanted.add("p.state = 0");
        }
        wanted.equal("r.id", query.run.as_ref().map(RunId::as_str));
        wanted.equal("p.role", query.role.as_deref());
        if let Some(beyond) = query.beyond {
            wanted.compare("p.nr >", i64::try_from(beyond).unwrap_or(i64::MAX));
        }
        let sql = format!(
            "SELECT {} FROM promises AS p JOIN runs AS r ON r.nr = p.run{} ORDER BY p.nr LIMIT {}",
            rows::PROMISE,
            wanted.clause(),
            query.limit,
        );
        let rows = self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement
                .query_map(params_from_iter(wanted.params), |row| Ok(rows::promise(row)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        let (good, bad): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.sound);
        bad.iter().for_each(|row| self.set_aside(&row.promise.run));
        Ok(good.into_iter().map(|row| row.promise).collect())
    }

    pub(super) fn once(&self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError> {
        let sql = format!("SELECT {} FROM once WHERE call = ?1 AND value = ?2", rows::ONCE);
        let what = || format_smolstr!("claim of `{call}`");
        let found = self.one(&sql, rusqlite::params![call, &value.0[..]], rows::once)?;
        found.map(|it| sound(it, what)).transpose()
    }

    pub(super) fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        let sql = format!("SELECT {} FROM sessions WHERE key = ?1", rows::SESSION);
        let what = || format_smolstr!("session `{key}`");
        self.one(&sql, [key], rows::session)?.map(|it| sound(it, what)).transpose()
    }

    pub(super) fn sessions(
        &self,
        beyond: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT key FROM sessions WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT ?2";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let keys = statement.query_map((beyond, limit), |row| Ok(rows::text(row, 0).into()))?;
            Ok(keys.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    pub(super) fn started(&self, key: &StartKey) -> Result<Option<Started>, StoreError> {
        let sql = format!("SELECT {} FROM starts WHERE scope = ?1 AND key = ?2", rows::STARTED);
        let what = || format_smolstr!("start `{}` of `{}`", key.key, key.scope);
        let found = self.one(&sql, [key.scope.as_str(), key.key.as_str()], rows::started)?;
        found.map(|it| sound(it, what)).transpose()
    }

    pub(super) fn records(
        self: &std::sync::Arc<Self>,
        run: &RunId,
        from: u32,
    ) -> Result<Records, StoreError> {
        let cursor = self.read(|connection| records::Cursor::new(connection, run, from))?;
        Ok(Records::new(cursor.read_by(std::sync::Arc::clone(self))))
    }
}

/// A run's rows.
pub(super) fn run_row(connection: &Connection, run: &RunId) -> rusqlite::Result<Option<RunRow>> {
    let sql = format!(
        "SELECT {} FROM runs AS r LEFT JOIN heads AS h ON h.run = r.nr WHERE r.id = ?1",
        rows::RUN
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row([run.as_str()], |row| Ok(rows::run(row))).optional()
}

/// Why a read failed.
#[derive(Debug)]
pub(super) enum ReadError {
    Database(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The conditions of a query.
struct Wanted {
    conditions: Vec<String>,
    params: Vec<Param>,
}

impl Wanted {
    fn new() -> Self {
        Self { conditions: Vec::new(), params: Vec::new() }
    }

    fn add(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.params.push(Param::Text(value.to_owned()));
            self.conditions.push(format!("{column} = ?{}", self.params.len()));
        }
    }

    fn compare(&mut self, column_and_operator: &str, value: i64) {
        self.params.push(Param::Integer(value));
        self.conditions.push(format!("{column_and_operator} ?{}", self.params.len()));
    }

    fn clause(&self) -> String {
        match self.conditions.as_slice() {
            [] => String::new(),
            conditions => format!(" WHERE {}", conditions.join(" AND ")),
        }
    }
}

/// There is no such run.
pub(super) fn no_run(run: &RunId) -> StoreError {
    Refused::NoRun { run: run.clone() }.into()
}
