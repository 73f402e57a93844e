//! What can go wrong with a copy, in words for the operator.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{RESERVE, is_full};
use crate::store::StoreError;

/// Every case says what was tried with which file; [`BackupError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no database {}", path.display())]
    NoDatabase { path: PathBuf },
    #[error("{} is there already, and it is not overwritten", file.display())]
    Exists { file: PathBuf },
    #[error("{} is a folder", file.display())]
    Folder { file: PathBuf },
    #[error("{} is the database itself, or belongs to it", file.display())]
    Own { file: PathBuf },
    #[error("another copy to {} is being made", file.display())]
    UnderWay { file: PathBuf },
    #[error(
        "there is no room for {}: its disk has {} MiB left, and {} MiB are needed, {} of them for others",
        file.display(), free / (1 << 20), mebibytes(needed + RESERVE), mebibytes(RESERVE)
    )]
    NoRoom { file: PathBuf, needed: u64, free: u64 },
    #[error("there is no room for {}: its disk is full", file.display())]
    Full { file: PathBuf },
    #[error("a daemon runs on this data folder{}", pid.map_or_else(String::new, |pid| format!(" (process {pid})")))]
    Running { pid: Option<u32> },
    /// The database in the data folder, found out by its copy.
    #[error("the database {} {flaw}", path.display())]
    Database { path: PathBuf, flaw: Flaw },
    /// The file that was to be restored.
    #[error("{} {flaw}", path.display())]
    Copy { path: PathBuf, flaw: Flaw },
    #[error("the database {} is locked by another program", path.display())]
    Busy { path: PathBuf },
    #[error("can't copy {} to {}: {source}", from.display(), to.display())]
    Copying { from: PathBuf, to: PathBuf, source: rusqlite::Error },
    #[error("can't {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(StoreError),
}

/// Why a file is no database that could be used.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    #[error("is damaged ({0})")]
    Damaged(String),
    #[error("is not an SQLite database")]
    NotADatabase,
    #[error("was not written by Showrunner")]
    Foreign,
    #[error("is empty")]
    Empty,
    #[error("was written by a newer Showrunner: it has version {found}, this program knows up to {supported}")]
    Newer { found: u32, supported: u32 },
    #[error("can't be read: {0}")]
    Unreadable(rusqlite::Error),
}

impl BackupError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoDatabase { .. } => "a daemon makes one when it starts; `--config FILE` says which is meant",
            Self::Exists { .. } => "choose another name, or add --force to replace it",
            Self::Folder { .. } => "name a file in it",
            Self::Own { .. } => "choose another place, best on another disk",
            Self::UnderWay { .. } => "wait for it, or choose another name",
            Self::NoRoom { .. } | Self::Full { .. } => "free some space, or choose a place on another disk",
            Self::Running { .. } => {
                "stop it first: `showrunner stop`, or `systemctl stop showrunner` for a service, which is else started again"
            }
            Self::Database { flaw: Flaw::Damaged(_), .. } => {
                "`showrunner restore` puts an earlier backup in its place; nothing was written"
            }
            Self::Database { flaw: Flaw::Newer { .. }, .. } => "use the newer program, which its daemon runs",
            Self::Database { flaw: Flaw::Unreadable(_), .. } => {
                "copy it, with the file beside it that ends in -wal, to where that can be written, and restore that"
            }
            Self::Copy { flaw: Flaw::Newer { .. }, .. } => "restore it with the newer program; nothing was changed",
            Self::Copy { .. } => "choose another backup; nothing was changed",
            Self::Busy { .. } => "end whatever holds it, and try again",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "do it as root or as the daemon's user, in a folder that may be written"
                }
                io::ErrorKind::NotFound => "check how the path is spelled; its folders must be there",
                io::ErrorKind::IsADirectory => "name a file in it",
                _ => return None,
            },
            Self::Database { .. } | Self::Copying { .. } | Self::Store(_) => return None,
        })
    }
}

impl From<rusqlite::Error> for Flaw {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Unreadable(error),
        }
    }
}

/// An error with the database that is read.
pub(super) fn reading(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError + '_ {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => BackupError::Busy { path: path.to_owned() },
        _ => BackupError::Database { path: path.to_owned(), flaw: error.into() },
    }
}

/// An error while pages go from one file to the other. A full disk can only be the other's.
pub(super) fn copying(from: &Path, to: &Path) -> impl Fn(rusqlite::Error) -> BackupError {
    move |source| {
        if is_full(&source) {
            BackupError::Full { file: to.to_owned() }
        } else {
            BackupError::Copying { from: from.to_owned(), to: to.to_owned(), source }
        }
    }
}

pub(super) fn io<'p>(doing: &'static str, path: &'p Path) -> impl Fn(io::Error) -> BackupError + 'p {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            BackupError::Full { file: path.to_owned() }
        }
        _ => BackupError::Io { doing, path: path.to_owned(), source },
    }
}

/// Rounded up: what is needed must not look like less.
const fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
