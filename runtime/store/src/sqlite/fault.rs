//! What SQLite and the system report, as errors of the store.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi;

use crate::error::StoreError;

/// An error of the database.
pub(super) fn database(doing: &'static str, path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_path_buf();
    let why = error.to_string().into();
    let rusqlite::Error::SqliteFailure(failure, _) = &error else {
        return StoreError::Database { doing, path, why };
    };
    match failure.code {
        ffi::ErrorCode::DiskFull => StoreError::Full { path },
        // The index of the log is a file, too, and grows by mapping: this is how a full disk shows there.
        _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full { path },
        ffi::ErrorCode::ReadOnly => StoreError::ReadOnly { path, why },
        ffi::ErrorCode::DatabaseCorrupt => StoreError::Corrupt { path, why },
        ffi::ErrorCode::NotADatabase => {
            StoreError::NotAStore { path, why: "it is not a database at all".into() }
        }
        _ => StoreError::Database { doing, path, why },
    }
}

/// What follows from an error of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody knows any more what of the last transaction has reached the disk.
    Uncertain,
    /// Another connection was in the way for too long.
    Busy,
    /// The transaction was taken back.
    Failed,
}

impl Kind {
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = error else { return Self::Failed };
        match failure.code {
            _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Failed,
            ffi::ErrorCode::SystemIoFailure => Self::Uncertain,
            ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => Self::Busy,
            _ => Self::Failed,
        }
    }
}

/// Whether a page of the database does not hold what was written.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    matches!(failure.code, ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase)
}

/// An error of the file system.
pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path, why: error.to_string().into() }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
        _ => StoreError::Io { doing, path, source: Arc::new(error) },
    }
}
