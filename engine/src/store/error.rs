//! What can go wrong with the database, in words for the operator.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ErrorCode;

const FREE_SPACE: &str = "free some space; a service manager then starts it by itself";
const MAKE_WRITABLE: &str = "data-dir and what is in it must be writable for the daemon's user, on a disk that is not \
                             mounted read-only";

/// Every case says what was tried; those that a person can mend say how.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("can't {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },

    #[error("can't open the database {path}: {source}")]
    Open { path: PathBuf, source: rusqlite::Error },

    #[error("can't open the database {path}: its disk is full")]
    Full { path: PathBuf },

    #[error(
        "the database {path} is in use by another daemon{}; stop that one, or give this one a `data-dir` of its own",
        pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    InUse { path: PathBuf, pid: Option<u32> },

    #[error("{path} is not an SQLite database; move it away, or choose another `data-dir`")]
    NotADatabase { path: PathBuf },

    #[error("{path} belongs to another program; move it away, or choose another `data-dir`")]
    Foreign { path: PathBuf },

    #[error("{path} is no database of Showrunner")]
    NotOurs { path: PathBuf },

    #[error(
        "the database {path} is damaged ({detail}); restore it from a backup (`showrunner restore FILE`), or move it \
         away to begin anew"
    )]
    Damaged { path: PathBuf, detail: String },

    #[error(
        "the database {path} was written by a newer Showrunner: it has version {found}, this program knows up to \
         {supported}; run the newer program, or restore a backup from before"
    )]
    Newer { path: PathBuf, found: u32, supported: u32 },

    #[error("the database {path} was written by an older Showrunner (version {found}); start the daemon on it once")]
    Older { path: PathBuf, found: u32 },

    #[error("can't bring the database {path} to version {version}: {source}; nothing was changed")]
    Migration { path: PathBuf, version: u32, source: rusqlite::Error },

    #[error(
        "the file of the database {path} was deleted or replaced while it is in use; save what was in it with \
         `showrunner backup FILE`, stop the daemon, and restore that"
    )]
    Gone { path: PathBuf },

    #[error("the database can't be written: {why}")]
    Unwritable { why: String },

    #[error("the database can't keep up: too many requests are waiting; try again")]
    Busy,

    /// For those who do not wait for it any more; it may still do what it was asked.
    #[error("the disk did not answer within {after:?}")]
    Timeout { after: Duration },

    #[error("the database is closed")]
    Closed,

    #[error("the database was given up, as its writer failed ({why}); restart the daemon and report it")]
    Broken { why: String },

    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),

    #[error("can't turn a value to or from JSON for the database: {0}")]
    Json(#[from] serde_json::Error),
}

impl StoreError {
    /// What to do about a database that can't be opened, where the message does not say it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Full { .. } => Some(FREE_SPACE),
            Self::Io { source, .. } => help_with_file(source.kind()),
            Self::Open { source, .. } => match source.sqlite_error_code()? {
                ErrorCode::SystemIoFailure => Some("the disk may be failing: the system's log (`dmesg`) says more"),
                ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Some(MAKE_WRITABLE),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some("end the program that holds it"),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the cause lies with the file or the disk, so that nothing at all can be written now, and not with the
    /// one thing that was to be written.
    pub(super) fn concerns_the_file(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::PermissionDenied
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::OutOfMemory
            )
        )
    }
}

fn help_with_file(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Some(FREE_SPACE),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(MAKE_WRITABLE),
        _ => None,
    }
}
