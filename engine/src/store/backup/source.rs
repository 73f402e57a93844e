//! The file that is read: a database that a daemon may be writing to, or a copy that nobody writes to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use url::Url;

use super::error::{BackupError, Flaw};
use super::{recognise, with_suffix};

/// A daemon that just starts or ends holds the file for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that only reads, and leaves things as it found them.
pub(super) struct Source {
    connection: Connection,
    path: PathBuf,
}

impl Source {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Who closes a database last folds its log into it. A log that is not empty is a daemon's, which may be running or
    /// may have been killed, and the next one must see that.
    pub(super) fn close(self) {
        // In vain only on a connection that is broken, which folds nothing.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log(&self.path));
    }
}

/// Opens a database in its data folder. Takes no lock that keeps a daemon from writing.
pub(super) fn open_database(path: &Path) -> Result<Source, BackupError> {
    if !path.exists() {
        return Err(BackupError::NoDatabase { path: path.to_owned() });
    }
    let flawed = |flaw| BackupError::Database { path: path.to_owned(), flaw };
    let connection = match open_beside_log(path).map_err(Flaw::from).and_then(|opened| recognised(opened, path)) {
        // On a disk that is mounted read-only nothing can be made beside it, and nothing changes it.
        Err(Flaw::Unreadable(error)) if is_shut(&error) && !has_log(path) => {
            open_still(path).map_err(Flaw::from).and_then(|opened| recognised(opened, path)).map_err(flawed)?
        }
        opened => opened.map_err(flawed)?,
    };
    Ok(Source { connection, path: path.to_owned() })
}

fn recognised(connection: Connection, path: &Path) -> Result<Connection, Flaw> {
    recognise(&connection, path).map(|_| connection)
}

fn is_shut(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Opens a file that is to be restored, also where nothing can be written beside it.
pub(super) fn open_copy(path: &Path) -> Result<Source, BackupError> {
    let flawed = |flaw| BackupError::Copy { path: path.to_owned(), flaw };
    // Somebody copied a database with all that belongs to it, or means one that is in use.
    let has_companions = ["-wal", "-shm", "-journal"].iter().any(|suffix| with_suffix(path, suffix).exists());
    let opened = if has_companions { open_beside_log(path) } else { open_still(path) };
    let connection = opened.map_err(Flaw::from).and_then(|opened| recognised(opened, path)).map_err(flawed)?;
    Ok(Source { connection, path: path.to_owned() })
}

fn open_beside_log(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens a file that does not change: nothing is locked, and nothing is made beside it.
pub(super) fn open_still(path: &Path) -> rusqlite::Result<Connection> {
    let mut address = std::path::absolute(path)
        .ok()
        .and_then(|path| Url::from_file_path(path).ok())
        .ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
    address.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(address.as_str(), flags)
}
