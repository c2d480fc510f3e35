//! What can go wrong, said to a person: what happened, where, and what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::cursor::ParseCursorError;

/// A store that cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("{}: cannot be opened: {detail}. Check that the folder exists and that this user may write there", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A later version of the program wrote it.
    #[error("{}: was written by a newer Wardwatch (schema {found}, this one knows {known}). Use that version, or another --data folder", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Schema of the file.
        found: i64,
        /// Latest schema that this program knows.
        known: i64,
    },
    /// It is a database, and not one of ours.
    #[error("{}: is a database of another program. Nothing was changed. Use another file name", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The file is damaged, or no database.
    #[error("{}: is damaged or is no store ({detail}). Move the file and its -wal and -shm files away and start again: a new store is made; put a backup in its place where there is one", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// No room on the disk.
    #[error("{}: the disk is full. Nothing acknowledged is lost. Make room, or lower the store's bound", path.display())]
    DiskFull {
        /// Which file.
        path: PathBuf,
    },
    /// Nothing that may be dropped is left within the bound.
    #[error("{}: the store is at its bound of {max_bytes} bytes, and holds nothing more that may be dropped. Raise the bound", path.display())]
    Bound {
        /// Which file.
        path: PathBuf,
        /// The bound.
        max_bytes: u64,
    },
    /// It can be read and not written.
    #[error("{}: is read-only. Check the rights of the file and its folder, and that the file system is not mounted read-only", path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
    },
    /// Another process holds it for too long.
    #[error("{}: is held by another process. Stop the other Wardwatch, or try again", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// Looking took too long.
    #[error("{}: the search took too long. Narrow it with since, until, kind or device", path.display())]
    TooSlow {
        /// Which file.
        path: PathBuf,
    },
    /// The cursor belongs to another list, or is none.
    #[error(transparent)]
    Cursor(#[from] ParseCursorError),
    /// The list has no such filter.
    #[error("{list} have no filter '{filter}': leave it out")]
    Filter {
        /// The list.
        list: &'static str,
        /// The filter.
        filter: &'static str,
    },
    /// Anything else that the database says.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Says what the database said in the reader's terms.
    pub(crate) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = source.to_string();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, detail }
            }
            Some(ErrorCode::OperationInterrupted) => Self::TooSlow { path },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Open { path, detail }
            }
            _ => Self::Database { path, source },
        }
    }
}
