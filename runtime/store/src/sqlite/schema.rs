//! The database as such: how a connection is set up, what its tables are, how an older store becomes a newer one.
//!
//! Settings that durability rests on are read back: some are refused in silence.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Options, fault, owners};
use crate::error::{Holder, StoreError};

/// Tells a store from other SQLite databases: `KAIT` in ASCII.
const APPLICATION: i64 = 0x4b41_4954;
/// Once the write-ahead log has so many pages (16 MiB), a commit moves them into the database.
const CHECKPOINT_PAGES: i64 = 4_096;
/// What is kept of the write-ahead log on disk after that, in bytes.
const LOG_BYTES: i64 = 64 << 20;
/// How long a reader waits for a lock that another connection holds for a moment, in milliseconds.
const BUSY_MS: i64 = 10_000;

/// What makes a store of version n one of version n + 1. What stands here is never changed, as stores have been made by it.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The version of the format that is written here.
pub(super) const FORMAT: u32 = MIGRATIONS.len() as u32;

/// Settings of the connection that writes, in the order in which they take effect.
const WRITING: &[(&str, i64)] = &[
    ("synchronous", 2),
    // Where there is a stronger flush than fsync (macOS), it is the one that reaches the disk.
    ("fullfsync", 1),
    ("checkpoint_fullfsync", 1),
    ("foreign_keys", 1),
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ("journal_size_limit", LOG_BYTES),
    ("cell_size_check", 1),
    ("trusted_schema", 0),
    // No value is left in a temporary file.
    ("temp_store", 2),
];

const READING: &[(&str, i64)] = &[
    ("query_only", 1),
    ("busy_timeout", BUSY_MS),
    ("cell_size_check", 1),
    ("trusted_schema", 0),
    ("temp_store", 2),
];

/// Connects for writing to a file that is there (it may be empty), and brings it up to the newest format; that only if no
/// other process has it open.
pub(super) fn connect(
    path: &Path,
    options: &Options,
    others: &BTreeSet<u64>,
) -> Result<Connection, StoreError> {
    let fail = |doing| move |error| fault::database(doing, path, error);
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let patience = i64::try_from(options.patience.as_millis()).unwrap_or(i64::MAX);
    set(&connection, path, "busy_timeout", patience.min(i32::MAX.into()))?;
    let fresh = fs::metadata(path).is_ok_and(|file| file.len() == 0);
    if fresh {
        // Both must stand before the first page is written.
        set(&connection, path, "auto_vacuum", 2)?;
        set(&connection, path, "application_id", APPLICATION)?;
    }
    belongs(&connection, path)?;
    // Before anything is written: what writes may also lengthen the file. What the last process left in the log stays there
    // for now, as moving it may need more room than the disk has.
    // While others write, the length of the file says nothing.
    if others.is_empty() && !has_log(path) {
        whole(&connection, path)?;
    }
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(fail("set up"))?;
    if mode != "wal" {
        return Err(StoreError::Setting {
            path: path.into(),
            pragma: "journal_mode",
            wanted: "wal".into(),
            found: mode.into(),
        });
    }
    for (pragma, wanted) in WRITING {
        set(&connection, path, pragma, *wanted)?;
    }
    expect(&connection, path, "auto_vacuum", 2)?;
    let format = number(&connection, "user_version").map_err(fail("read"))?;
    if format < FORMAT.into() && !others.is_empty() {
        let holders = others.iter().map(|owner| owners::holder(&connection, *owner));
        // Of an older format, nothing is known of who they are.
        let holders = holders
            .zip(others)
            .map(|(known, owner)| known.unwrap_or_else(|_| Holder::unknown(*owner)));
        return Err(StoreError::InUse {
            path: path.parent().unwrap_or(path).into(),
            found: u32::try_from(format).unwrap_or(0),
            wanted: FORMAT,
            holders: holders.collect(),
        });
    }
    migrate(&mut connection, path, MIGRATIONS)?;
    if let Some(bytes) = options.max_bytes {
        let page = number(&connection, "page_size").map_err(fail("set up"))?.max(1);
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page;
        // Never less than it has already, so not read back.
        let limit = format!("PRAGMA max_page_count = {}", pages.max(1));
        connection.query_row(&limit, [], |_| Ok(())).map_err(fail("set up"))?;
    }
    Ok(connection)
}

/// Connects for reading beside whoever writes.
pub(super) fn connect_reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.into() });
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    for (pragma, wanted) in READING {
        set(&connection, path, pragma, *wanted)?;
    }
    belongs(&connection, path)?;
    Ok(connection)
}

/// Moves what the log holds into the database and empties it, as far as readers and other writers allow it within a moment.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA busy_timeout = 100")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A setting that is a number.
pub(super) fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| fault::database("open", path, error))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn set(
    connection: &Connection,
    path: &Path,
    pragma: &'static str,
    wanted: i64,
) -> Result<(), StoreError> {
    let fail = |error| fault::database("set up", path, error);
    connection.execute_batch(&format!("PRAGMA {pragma} = {wanted}")).map_err(fail)?;
    expect(connection, path, pragma, wanted)
}

fn expect(
    connection: &Connection,
    path: &Path,
    pragma: &'static str,
    wanted: i64,
) -> Result<(), StoreError> {
    let fail = |error| fault::database("set up", path, error);
    let found = number(connection, pragma).map_err(fail)?;
    if found == wanted {
        return Ok(());
    }
    let (wanted, found) = (wanted.to_string().into(), found.to_string().into());
    Err(StoreError::Setting { path: path.into(), pragma, wanted, found })
}

/// Refuses a database that is something else, or of a newer version.
fn belongs(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let read =
        |pragma| number(connection, pragma).map_err(|error| fault::database("read", path, error));
    let application = read("application_id")?;
    if application != APPLICATION {
        let why = "it is a database of another program".into();
        return Err(StoreError::NotAStore { path: path.into(), why });
    }
    let found = u32::try_from(read("user_version")?).unwrap_or(u32::MAX);
    if found > FORMAT {
        return Err(StoreError::Newer { path: path.into(), found, known: FORMAT });
    }
    Ok(())
}

/// Whether the last process has left something in the log.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// A file that lost its end is found before anything is read from it.
fn whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| fault::database("read", path, error);
    let pages = number(connection, "page_count").map_err(fail)?;
    let wanted = pages.saturating_mul(number(connection, "page_size").map_err(fail)?);
    let length = fs::metadata(path).map_err(|error| fault::io("read", path, error))?.len();
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if length >= wanted {
        return Ok(());
    }
    let why = format!("it is cut short: {length} of {wanted} bytes are there").into();
    Err(StoreError::Corrupt { path: path.into(), why })
}

fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let fail = |error| fault::database("bring up to date", path, error);
    let version = number(connection, "user_version").map_err(fail)?;
    let done = usize::try_from(version).unwrap_or(0);
    for (step, sql) in migrations.iter().enumerate().skip(done) {
        let step = step + 1;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        transaction.execute_batch(sql).map_err(fail)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {step}")).map_err(fail)?;
        transaction.commit().map_err(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_store_is_brought_up_step_by_step_and_only_once() {
        let path = Path::new("in memory");
        let mut connection = Connection::open_in_memory().unwrap();
        let first = ["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)"];
        let second = [first[0], "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 8"];
        migrate(&mut connection, path, &first).unwrap();
        for _ in 0..2 {
            migrate(&mut connection, path, &second).unwrap();
            let row = connection
                .query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)));
            assert_eq!(row, Ok((7, 8)));
            assert_eq!(number(&connection, "user_version"), Ok(2));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = ["CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER); nonsense"];
        migrate(&mut connection, Path::new("in memory"), &broken).unwrap_err();
        assert_eq!(number(&connection, "user_version"), Ok(1));
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    #[test]
    fn a_setting_that_is_not_taken_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        let refused = set(&connection, Path::new("x"), "page_size", 1_000);
        assert!(matches!(refused, Err(StoreError::Setting { pragma: "page_size", .. })));
    }
}
