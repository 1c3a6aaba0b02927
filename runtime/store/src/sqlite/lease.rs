//! Who may write: the files of a store with their modes, and the lock of its one writer.
//!
//! The lock is the operating system's, so it ends with its process, however that ends. Should it be lost (a lock file that
//! somebody removed, a network file system), the epoch in the database still stops the old writer: see `writer`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension};

use super::{fault, rows, schema};
use crate::error::{Holder, StoreError};
use crate::types::Nanos;

const DATABASE: &str = "store.sqlite";
const LOCK: &str = "store.lock";

/// The database of a store's directory.
pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// The lock, held until it is dropped. Its file also says that there is a store: it is empty before the first one.
#[derive(Debug)]
pub(super) struct Lease {
    lock: File,
    path: PathBuf,
}

impl Lease {
    /// Makes the directory and the files that are not there, and takes the lock.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        make_directory(directory)?;
        let lock = make_file(&directory.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = schema::connect_reader(&database(directory))
                    .ok()
                    .and_then(|connection| holder(&connection).ok())
                    .unwrap_or(Holder { pid: None, since: None });
                return Err(StoreError::Held { path: directory.into(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(fault::io("lock", directory, error)),
        }
        let path = database(directory);
        let was_there = path.exists();
        let file = make_file(&path)?;
        let fail = |error| fault::io("read", &path, error);
        let used = lock.metadata().map_err(fail)?.len() > 0;
        if was_there && used && file.metadata().map_err(fail)?.len() == 0 {
            let why = "it is empty, but it was not".into();
            return Err(StoreError::Corrupt { path, why });
        }
        Ok(Self { lock, path })
    }

    /// From now on an empty database is one that has lost everything.
    pub(super) fn mark_used(&self) -> Result<(), StoreError> {
        let mark = || -> std::io::Result<()> {
            if self.lock.metadata()?.len() == 0 {
                (&self.lock).write_all(b"kait\n")?;
                self.lock.sync_all()?;
            }
            Ok(())
        };
        mark().map_err(|error| fault::io("mark", &self.path, error))
    }
}

/// Enters this process as the writer; gives its epoch.
pub(super) fn enter(
    connection: &Connection,
    path: &Path,
    created_by: &str,
) -> Result<i64, StoreError> {
    let fail = |error| fault::database("enter the writer in", path, error);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX);
    let (pid, since) = (Some(i64::from(std::process::id())), Some(since));
    let enter = || -> rusqlite::Result<i64> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let known = rows::store(connection).optional()?;
        let (mut row, sound) = match known {
            Some((row, sound)) => (row, sound),
            None => {
                let id = "SELECT lower(hex(randomblob(16)))";
                let id = connection.query_row(id, [], |row| row.get(0))?;
                let created_by = created_by.to_owned();
                (rows::StoreRow { id, created_by, epoch: 0, pid, since }, true)
            }
        };
        row.epoch = row.epoch.wrapping_add(1);
        (row.pid, row.since) = (pid, since);
        // What was damaged must not look sound because a process has entered itself.
        let seal = if sound { row.seal() } else { !row.seal() };
        connection.execute(
            "INSERT OR REPLACE INTO store VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            (&row.id, &row.created_by, row.epoch, row.pid, row.since, seal),
        )?;
        connection.execute_batch("COMMIT")?;
        Ok(row.epoch)
    };
    enter().map_err(|error| {
        // The error that counts is the first one.
        let _ = connection.execute_batch("ROLLBACK");
        fail(error)
    })
}

/// Who is entered as the writer.
pub(super) fn holder(connection: &Connection) -> rusqlite::Result<Holder> {
    let (row, _) = rows::store(connection)?;
    Ok(Holder { pid: row.pid.and_then(|pid| u32::try_from(pid).ok()), since: row.since })
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started shares the file for a moment.
        let _ = self.lock.unlock();
    }
}

#[cfg(unix)]
fn make_directory(directory: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    if !directory.is_dir() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| fault::io("create", directory, error))?;
    }
    let metadata = fs::metadata(directory).map_err(|error| fault::io("read", directory, error))?;
    if metadata.permissions().mode() & 0o022 != 0 {
        // Whoever may write there may put another database in the place of this one.
        return Err(StoreError::Exposed { path: directory.into() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_directory(directory: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(directory).map_err(|error| fault::io("create", directory, error))
}

/// Opens a file that only its owner may read; makes it if it is not there.
#[cfg(unix)]
fn make_file(path: &Path) -> Result<File, StoreError> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    let fail = |error| fault::io("open", path, error);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).mode(0o600).open(path).map_err(fail)?;
    let mode = file.metadata().map_err(fail)?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(fail)?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn make_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(|error| fault::io("open", path, error))
}
