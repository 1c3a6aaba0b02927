//! Who writes: the files of a store with their modes, and the locks of its processes.
//!
//! Each process that has the store open is an owner: a number from the database that is never used again, and a lock file of
//! its own, which the operating system holds for as long as the process lives, however that ends. So others see whether it
//! is there, and take over what it has left. Should the lock be lost (a file that somebody removed, a network file system),
//! the database still knows to whom a run belongs, and refuses the old owner: see `rules`.
//!
//! Two more locks are held for moments only: `store.lock` by whoever is opening the store, so that it is made and brought up
//! to date by one; `store.turn` by whoever waits for SQLite's own lock, so that writers take turns. SQLite alone lets whoever
//! has just committed go first again, and the others wait as long as that one has work.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension};

use super::{fault, rows};
use crate::error::{Holder, StoreError};
use crate::types::Nanos;

const DATABASE: &str = "store.sqlite";
const GATE: &str = "store.lock";
const TURN: &str = "store.turn";
const OWNERS: &str = "owners";
/// How long to sleep between two looks at a lock, at first and at most.
const FIRST_SLEEP: Duration = Duration::from_micros(50);
const LONGEST_SLEEP: Duration = Duration::from_millis(5);

/// The database of a store's directory.
pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
struct Locked<'l>(&'l File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started shares the file for a moment.
        let _ = self.0.unlock();
    }
}

/// Waits for a lock; gives whether it was to be had in time.
fn wait_for(file: &File, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    let mut sleep = FIRST_SLEEP;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(sleep),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        sleep = (sleep * 2).min(LONGEST_SLEEP);
    }
}

/// The store, while this process opens it and no other one does. The file of the lock also says that there is a store: it is
/// empty before the first one.
#[derive(Debug)]
pub(super) struct Gate {
    lock: File,
    directory: PathBuf,
    /// The owners that live.
    living: BTreeSet<u64>,
}

impl Gate {
    /// Makes the directory and the files that are not there, and waits until nobody else is opening the store.
    pub(super) fn enter(directory: &Path, patience: Duration) -> Result<Self, StoreError> {
        make_directory(directory)?;
        let lock = make_file(&directory.join(GATE))?;
        let locked = wait_for(&lock, patience).map_err(|e| fault::io("lock", directory, e))?;
        if !locked {
            let path = directory.to_path_buf();
            let holders = super::schema::connect_reader(&database(directory))
                .and_then(|connection| holders(&connection, directory, 0))
                .unwrap_or_default();
            return Err(StoreError::Busy { path, waited: patience, holders });
        }
        let mut gate = Self { lock, directory: directory.into(), living: BTreeSet::new() };
        let path = database(directory);
        let length = make_database(&path)?;
        let fail = |error| fault::io("read", &path, error);
        let used = gate.lock.metadata().map_err(fail)?.len() > 0;
        if used && length == Some(0) {
            let why = "it is empty, but it was not".into();
            return Err(StoreError::Corrupt { path, why });
        }
        make_directory(&directory.join(OWNERS))?;
        gate.living = living(directory)?;
        Ok(gate)
    }

    /// The other processes that have the store open.
    pub(super) fn others(&self) -> &BTreeSet<u64> {
        &self.living
    }

    /// From now on an empty database is one that has lost everything.
    pub(super) fn mark_used(&self) -> Result<(), StoreError> {
        let mark = || -> io::Result<()> {
            if self.lock.metadata()?.len() == 0 {
                (&self.lock).write_all(b"kait\n")?;
                self.lock.sync_all()?;
            }
            Ok(())
        };
        mark().map_err(|error| fault::io("mark", &self.directory.join(GATE), error))
    }

    /// Enters this process as an owner, and strikes out those that are gone.
    pub(super) fn own(
        &self,
        connection: &Connection,
        turn: &Turn,
        created_by: &str,
    ) -> Result<Owner, StoreError> {
        let path = database(&self.directory);
        let fail = |error| fault::database("enter this process in", &path, error);
        let own = || -> Result<Owner, StoreError> {
            turn.begin(connection, &self.directory, 0, |connection| {
                connection.execute_batch("BEGIN IMMEDIATE")
            })?
            .map_err(fail)?;
            let known = rows::store(connection).optional().map_err(fail)?;
            let (mut row, sound) = match known {
                Some((row, sound)) => (row, sound),
                None => {
                    let id = "SELECT lower(hex(randomblob(16)))";
                    let id = connection.query_row(id, [], |row| row.get(0)).map_err(fail)?;
                    let created_by = created_by.to_owned();
                    (rows::StoreRow { id, created_by, epoch: 0, pid: None, since: None }, true)
                }
            };
            let sql = "SELECT coalesce(max(nr), 0) FROM owners";
            let last: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(fail)?;
            let last = u64::try_from(row.epoch.max(last)).unwrap_or(0);
            let owner = self.next(last)?;
            row.epoch = i64::try_from(owner.number).unwrap_or(i64::MAX);
            (row.pid, row.since) = (None, None);
            // What was damaged must not look sound because a process has entered itself.
            let seal = if sound { row.seal() } else { !row.seal() };
            let enter = || -> rusqlite::Result<()> {
                connection.execute(
                    "INSERT OR REPLACE INTO store VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    (&row.id, &row.created_by, row.epoch, row.pid, row.since, seal),
                )?;
                let numbers = "SELECT nr FROM owners";
                let numbers: Vec<i64> = connection
                    .prepare(numbers)?
                    .query_map([], |row| Ok(rows::int(row, 0)))?
                    .collect::<rusqlite::Result<_>>()?;
                for number in numbers {
                    if !u64::try_from(number).is_ok_and(|number| self.living.contains(&number)) {
                        connection.execute("DELETE FROM owners WHERE nr = ?1", [number])?;
                    }
                }
                let me = rows::OwnerRow { pid: std::process::id().into(), since: now() };
                connection.execute(
                    "INSERT INTO owners VALUES (?1, ?2, ?3, ?4)",
                    (row.epoch, me.pid, me.since, me.seal(row.epoch)),
                )?;
                connection.execute_batch("COMMIT")
            };
            enter().map_err(fail)?;
            Ok(owner)
        };
        own().inspect_err(|_| {
            // The error that counts is the first one.
            let _ = connection.execute_batch("ROLLBACK");
        })
    }

    /// The next number whose lock is to be had: one that is not may have been given before an older state of the database was
    /// put back.
    fn next(&self, last: u64) -> Result<Owner, StoreError> {
        let mut number = last;
        loop {
            number = number.wrapping_add(1).max(1);
            let path = lock_file(&self.directory, number);
            let lock = make_file(&path)?;
            match lock.try_lock() {
                Ok(()) => return Ok(Owner { number, lock, path }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(fault::io("lock", &path, error)),
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(Locked(&self.lock));
    }
}

fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
}

/// This process as an owner, until it is dropped.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) number: u64,
    lock: File,
    path: PathBuf,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Whoever sees it later removes it otherwise.
        let _ = fs::remove_file(&self.path);
        drop(Locked(&self.lock));
    }
}

fn lock_file(directory: &Path, owner: u64) -> PathBuf {
    directory.join(OWNERS).join(format!("{owner}.lock"))
}

/// Whether an owner is there. What one that is gone has left behind is removed.
pub(super) fn lives(directory: &Path, owner: u64) -> Result<bool, StoreError> {
    let path = lock_file(directory, owner);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(fault::io("open", &path, error)),
    };
    // Shared, so that two who look at once do not take each other for the owner.
    match file.try_lock_shared() {
        Ok(()) => {
            let _unlocks = Locked(&file);
            // Whoever opens the store next removes it otherwise.
            let _ = fs::remove_file(&path);
            Ok(false)
        }
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(fault::io("lock", &path, error)),
    }
}

/// All owners that are there.
fn living(directory: &Path) -> Result<BTreeSet<u64>, StoreError> {
    let path = directory.join(OWNERS);
    let fail = |error| fault::io("read", &path, error);
    let mut living = BTreeSet::new();
    for entry in fs::read_dir(&path).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".lock"));
        let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
        if lives(directory, number)? {
            living.insert(number);
        }
    }
    Ok(living)
}

/// What is known of an owner.
pub(super) fn holder(connection: &Connection, owner: u64) -> rusqlite::Result<Holder> {
    let sql = "SELECT pid, since, seal FROM owners WHERE nr = ?1";
    let number = i64::try_from(owner).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row([number], |row| Ok(rows::owner(row, number))).optional()?;
    Ok(row.flatten().map_or_else(|| Holder::unknown(owner), |row| row.holder(owner)))
}

/// The processes that have the store open, but for one.
pub(super) fn holders(
    connection: &Connection,
    directory: &Path,
    but: u64,
) -> Result<Vec<Holder>, StoreError> {
    let fail = |error| fault::database("read", &database(directory), error);
    if !has_owners(connection).map_err(fail)? {
        // A store of the first format has one writer, which says so in the store's own row.
        let known = rows::store(connection).optional().map_err(fail)?;
        let pid = known.as_ref().and_then(|(row, _)| u32::try_from(row.pid?).ok());
        let since = known.and_then(|(row, _)| row.since);
        return Ok(pid.map(|_| Holder { owner: 0, pid, since }).into_iter().collect());
    }
    let living = living(directory)?;
    let others = living.into_iter().filter(|owner| *owner != but);
    others.map(|owner| holder(connection, owner).map_err(fail)).collect()
}

fn has_owners(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'owners'";
    Ok(connection.query_row(sql, [], |_| Ok(())).optional()?.is_some())
}

/// Who waits to write.
#[derive(Debug)]
pub(super) struct Turn {
    lock: File,
    patience: Duration,
}

impl Turn {
    /// Writers of the store in this directory take turns.
    pub(super) fn new(directory: &Path, patience: Duration) -> Result<Self, StoreError> {
        Ok(Self { lock: make_file(&directory.join(TURN))?, patience })
    }

    /// Begins a transaction when it is this process's turn: while one waits for the database, no other one asks for it.
    pub(super) fn begin<T>(
        &self,
        connection: &Connection,
        directory: &Path,
        me: u64,
        begin: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<rusqlite::Result<T>, StoreError> {
        let turn = wait_for(&self.lock, self.patience);
        let turn = turn.map_err(|error| fault::io("lock", &directory.join(TURN), error))?;
        if !turn {
            return Err(self.busy(connection, directory, me));
        }
        let turn = Locked(&self.lock);
        let begun = begin(connection);
        drop(turn);
        match begun {
            Err(error) if fault::Kind::of(&error) == fault::Kind::Busy => {
                Err(self.busy(connection, directory, me))
            }
            begun => Ok(begun),
        }
    }

    fn busy(&self, connection: &Connection, directory: &Path, me: u64) -> StoreError {
        // Who it is may not be known; that it is somebody is.
        let holders = holders(connection, directory, me).unwrap_or_default();
        StoreError::Busy { path: directory.into(), waited: self.patience, holders }
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

/// Makes the database if it is not there. Gives its length if it was; it is not opened then: to close a file takes away the
/// locks that SQLite has on it anywhere else in this process.
fn make_database(path: &Path) -> Result<Option<u64>, StoreError> {
    let fail = |error| fault::io("read", path, error);
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_file(path)?;
            return Ok(None);
        }
        Err(error) => return Err(fail(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
                .map_err(|error| fault::io("protect", path, error))?;
        }
    }
    Ok(Some(metadata.len()))
}
