//! `std.db`: the SQLite database of the profile. It is a file of its own, so that no table of a user's comes near the
//! record of runs.
//!
//! One connection for all calls, on tokio's blocking threads. SQL of a program is prepared under an authorizer: it touches
//! this file and no other, leaves no transaction open, and changes no setting. Every call has an end: [`Limits::request`].
//!
//! [`Limits::request`]: crate::Limits

mod find;
mod rows;
mod tables;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_ir::{Failure, LeafDecl, Value};
use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Batch, Connection, ErrorCode, OpenFlags, Statement};
use smol_str::SmolStr;

use crate::connections::{Connections, LeafFn};
use crate::leaf::{Ended, LeafJob, Started};

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[
    ("db.delete", |cx, job| later(cx, job, tables::delete)),
    ("db.execute", |cx, job| later(cx, job, execute)),
    ("db.explain", |cx, job| later(cx, job, explain)),
    ("db.get", |cx, job| later(cx, job, tables::get)),
    ("db.nearest", |cx, job| later(cx, job, find::nearest)),
    ("db.query", |cx, job| later(cx, job, query)),
    ("db.schema", |cx, job| later(cx, job, tables::schema)),
    ("db.search", |cx, job| later(cx, job, find::search)),
    ("db.tables", |cx, job| later(cx, job, tables::tables)),
    ("db.upsert", |cx, job| later(cx, job, tables::upsert)),
];

/// Longest wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// Longest SQL, in bytes.
const MAX_SQL: i32 = 1 << 20;

/// What a program may ask SQLite about its own tables.
const PRAGMAS: &[&str] = &[
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Whether a leaf changes the database.
pub(crate) fn writes(name: &str) -> bool {
    matches!(name, "db.delete" | "db.execute" | "db.upsert")
}

/// The database, opened by the first call.
#[derive(Default)]
pub(crate) struct Database {
    open: Mutex<Option<Open>>,
}

struct Open {
    connection: Connection,
    /// SQL that a program wrote is being prepared or run.
    is_theirs: Arc<AtomicBool>,
}

/// A call, on a blocking thread.
pub(crate) struct DbCall<'c> {
    db: &'c Connection,
    is_theirs: &'c AtomicBool,
    decl: &'c LeafDecl,
    table: &'c TypeTable,
    args: &'c [Value],
    /// Most bytes of rows.
    most: usize,
}

/// Tells the call that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn later(
    cx: &Connections,
    job: &LeafJob<'_>,
    work: fn(&DbCall<'_>) -> Result<Value, Failure>,
) -> Result<Started, Failure> {
    let (cx, decl, table, args) =
        (cx.clone(), job.decl.clone(), Arc::clone(job.table), job.args.to_vec());
    let is_abandoned = Arc::new(AtomicBool::new(false));
    // What changes something runs to its end.
    let abandon = (!writes(&decl.name)).then(|| Abandon(Arc::clone(&is_abandoned)));
    let handle = tokio::task::spawn_blocking(move || {
        let config = cx.config();
        let fail =
            |message: String| Failure::Tool { name: decl.name.clone(), message: message.into() };
        let Some(path) = &config.database else {
            return Err(fail("this profile has no database".to_owned()));
        };
        let mut held = cx.shared.database.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *held {
            Some(open) => open,
            none => none.insert(open(path).map_err(|why| {
                fail(format!("the database {} cannot be opened: {why}", path.display()))
            })?),
        };
        let until = Instant::now() + config.limits.request;
        let is_over = move || is_abandoned.load(Ordering::Relaxed) || Instant::now() >= until;
        open.connection
            .progress_handler(STEPS, Some(is_over))
            .map_err(|error| fail(error.to_string()))?;
        let call = DbCall {
            db: &open.connection,
            is_theirs: &open.is_theirs,
            decl: &decl,
            table: &table,
            args: &args,
            most: config.limits.body,
        };
        let result = work(&call);
        open.is_theirs.store(false, Ordering::Relaxed);
        result
    });
    Ok(Started::Later(Box::pin(async move {
        let _abandon = abandon;
        let result =
            handle.await.unwrap_or_else(|_| Err(Failure::trap("the database leaf broke down")));
        Ended::from(match result {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(failure),
        })
    })))
}

fn open(path: &Path) -> Result<Open, String> {
    let words = |error: rusqlite::Error| error.to_string();
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    }
    own(path).map_err(|error| error.to_string())?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(words)?;
    connection.busy_timeout(BUSY).map_err(words)?;
    connection
        .execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
             pragma temp_store = memory",
        )
        .map_err(words)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(words)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(words)?;
    for (limit, most) in
        [(Limit::SQLITE_LIMIT_ATTACHED, 0), (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL)]
    {
        connection.set_limit(limit, most).map_err(words)?;
    }
    let is_theirs = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_theirs);
    let judge = move |context: AuthContext<'_>| match asked.load(Ordering::Relaxed) {
        true => judged(&context.action),
        false => Authorization::Allow,
    };
    connection.authorizer(Some(judge)).map_err(words)?;
    Ok(Open { connection, is_theirs })
}

/// A new file is its owner's alone.
fn own(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

/// Whether SQL of a program may do that.
fn judged(action: &AuthAction<'_>) -> Authorization {
    match action {
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_name, .. } if !PRAGMAS.contains(pragma_name) => {
            Authorization::Deny
        }
        AuthAction::Function { function_name } if *function_name == "load_extension" => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

impl<'c> DbCall<'c> {
    fn fail(&self, message: impl Into<String>) -> Failure {
        Failure::Tool { name: self.decl.name.clone(), message: message.into().into() }
    }

    /// What SQLite says, as a failure.
    fn failure(&self, error: &rusqlite::Error) -> Failure {
        let code = error.sqlite_error_code();
        match code {
            Some(ErrorCode::OperationInterrupted) => Failure::Timeout,
            Some(ErrorCode::AuthorizationForStatementDenied) => Failure::Refused {
                why: "SQL of a program opens no other file or transaction and changes no setting"
                    .into(),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => self
                .fail("another process has been writing to the database for too long: try again"),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                self.fail(format!("the file of the database is damaged: {error}"))
            }
            _ => match error {
                rusqlite::Error::SqliteFailure(_, Some(message)) => self.fail(message.clone()),
                rusqlite::Error::SqlInputError { msg, .. } => self.fail(msg.clone()),
                other => self.fail(other.to_string()),
            },
        }
    }

    /// A statement that a program wrote, with its arguments.
    fn theirs(&self, sql: &str, args: &[Value]) -> Result<Statement<'c>, Failure> {
        self.is_theirs.store(true, Ordering::Relaxed);
        let mut batch = Batch::new(self.db, sql);
        let first = batch.next().map_err(|error| self.explained(&error))?;
        let Some(mut statement) = first else {
            return Err(self.fail("there is no statement in this SQL"));
        };
        // What follows is not run, so it need not even be right.
        if !matches!(batch.next(), Ok(None)) {
            return Err(
                self.fail("there is more than one statement in this SQL: run one at a time")
            );
        }
        let wanted = statement.parameter_count();
        if wanted != args.len() {
            let given = args.len();
            return Err(self.fail(format!(
                "the SQL has {wanted} places for arguments (`?1`, `?2` …), and `args` has {given}"
            )));
        }
        for (index, arg) in (1usize..).zip(args) {
            let text = arg.as_text().unwrap_or_default();
            statement.raw_bind_parameter(index, text).map_err(|error| self.failure(&error))?;
        }
        Ok(statement)
    }

    /// As [`Self::failure`]; a table that is missing with those that are there.
    fn explained(&self, error: &rusqlite::Error) -> Failure {
        let failure = self.failure(error);
        match &failure {
            Failure::Tool { message, .. } => match message.strip_prefix("no such table: ") {
                Some(table) => self.no_table(table),
                None => failure,
            },
            _ => failure,
        }
    }

    /// That there is no such table, and what to do.
    fn no_table(&self, table: &str) -> Failure {
        self.is_theirs.store(false, Ordering::Relaxed);
        let known = tables::names(self).unwrap_or_default();
        let known = match known.as_slice() {
            [] => "the database is empty".to_owned(),
            some => {
                let some: Vec<_> = some.iter().take(8).map(|name| format!("`{name}`")).collect();
                format!("there is {}", some.join(", "))
            }
        };
        self.fail(format!(
            "there is no table `{table}`: {known}; `db.upsert` makes a table from a record, and `db.execute(\"create table …\")` as SQL says it"
        ))
    }

    fn sql(&self) -> Result<SmolStr, Failure> {
        crate::args::text(self.args, 0)
    }
}

fn query(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (sql, args) = (call.sql()?, crate::args::list(call.args, 1)?);
    let limit = usize::try_from(crate::args::int(call.args, 2)?).unwrap_or(0);
    let mut statement = call.theirs(&sql, args)?;
    if !statement.readonly() {
        return Err(Failure::Refused {
            why: "`db.query` only reads, and this SQL would change something: use `db.execute`"
                .into(),
        });
    }
    if statement.column_count() == 0 {
        return Err(call.fail("this SQL gives no rows: use `db.execute`"));
    }
    let shape = rows::Shape::of(call.table, rows::item(call.table, call.decl.result));
    let found = rows::read(call, &mut statement, shape, Some(limit))?;
    rows::decoded(call, found)
}

fn execute(call: &DbCall<'_>) -> Result<Value, Failure> {
    let (sql, args) = (call.sql()?, crate::args::list(call.args, 1)?);
    let mut statement = call.theirs(&sql, args)?;
    if statement.readonly() && statement.column_count() > 0 {
        return Err(call.fail("this SQL only reads: use `db.query`, which gives its rows"));
    }
    let before = call.db.total_changes();
    let mut rows = statement.raw_query();
    while rows.next().map_err(|error| call.explained(&error))?.is_some() {}
    // Statements that change no rows leave the count of the one before them.
    let changed = if call.db.total_changes() == before { 0 } else { call.db.changes() };
    Ok(Value::Int(i64::try_from(changed).unwrap_or(i64::MAX)))
}

fn explain(call: &DbCall<'_>) -> Result<Value, Failure> {
    let sql = call.sql()?;
    // Checked alone first, so that nothing behind it slips in.
    call.is_theirs.store(true, Ordering::Relaxed);
    let places = {
        let mut batch = Batch::new(call.db, &sql);
        let first = batch.next().map_err(|error| call.explained(&error))?;
        let Some(statement) = first else {
            return Err(call.fail("there is no statement in this SQL"));
        };
        if statement.is_explain() != 0 {
            return Err(call.fail("the SQL explains itself already: leave `explain` out of it"));
        }
        statement.parameter_count()
    };
    let nothing = vec![Value::text(""); places];
    let mut statement = call.theirs(&format!("explain query plan {sql}"), &nothing)?;
    let mut rows = statement.raw_query();
    let (mut depths, mut text) = (vec![(0i64, 0usize)], String::new());
    while let Some(row) = rows.next().map_err(|error| call.failure(&error))? {
        let part = (|| Ok((row.get(0)?, row.get(1)?, row.get(3)?)))();
        let (id, parent, detail): (i64, i64, String) =
            part.map_err(|error: rusqlite::Error| call.failure(&error))?;
        let above = depths.iter().rev().find(|(known, _)| *known == parent);
        let depth = above.map_or(0, |(_, depth)| *depth);
        depths.push((id, depth + 1));
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&"  ".repeat(depth));
        text.push_str(&detail);
    }
    Ok(Value::text(text))
}
