//! Opens the file: the lock, the permissions, the settings of the connection, the migrations.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::lock::Lock;
use super::migrate::{identify, migrate};
use super::presence::Presence;

/// Only the owner may read: the journal holds what people wrote.
const MODE: u32 = 0o600;

/// Enough for every statement of this room, so that none is compiled twice.
const STATEMENTS: usize = 64;

/// Kibibytes of pages kept in memory: the busy ends of the tables and indexes of some thousand viewers.
const CACHE_KIB: i32 = 4096;

/// Another process has no business in the file, but an operator may work on it with a tool. Chat does not wait for it;
/// what does can wait this long rather than fail.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

/// With less than this on its disk a database can't be opened: what its processes share takes half of it.
const LEAST_ROOM: u64 = 64 << 10;

/// The write-ahead log shrinks back to this after a burst.
const WAL_BYTES: u32 = 16 << 20;

/// Events whose numbers were given out and are not in the file: far more than the writer ever holds back, and than a
/// stream has had since any backup that somebody restores.
const LOST_NUMBERS: i64 = 1 << 32;

/// An open and migrated database. The lock is declared last, so that it is let go after the connection.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) presence: Presence,
    /// It may hold less than was written to it.
    pub(super) needs_check: bool,
    pub(super) lock: Lock,
}

pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    let lock = Lock::take(path)?;
    create(path).map_err(|source| StoreError::Io { doing: "open the database", path: path.to_owned(), source })?;
    let was_killed = has_log(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    match prepare(&mut connection, path, was_killed) {
        Ok(needs_check) => {
            let presence = Presence::of(path).map_err(|source| StoreError::Io {
                doing: "look at the database",
                path: path.to_owned(),
                source,
            })?;
            Ok(Database { connection, presence, needs_check, lock })
        }
        Err(StoreError::Sqlite(error)) => Err(explain(path, error)),
        Err(error) => Err(error),
    }
}

/// Says whether the file is to be checked. That is done later and by the way: a large one takes many seconds.
fn prepare(connection: &mut Connection, path: &Path, was_killed: bool) -> Result<bool, StoreError> {
    let version = identify(connection, path)?;
    // No daemon has run on it yet, so it was restored, or copied here by hand.
    let is_copy = version > 0 && !writes_ahead(connection)?;
    configure(connection)?;
    migrate(connection, path)?;
    if was_killed || is_copy {
        skip_lost_numbers(connection)?;
    }
    Ok(was_killed || is_copy)
}

/// Whether a daemon has made it a database with a log. The copies that `backup` makes are plain files.
fn writes_ahead(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).map(|mode| mode == "wal")
}

/// Makes the file before SQLite does, which would make it readable for all. Its companions get the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(())
}

/// A database that was closed has no write-ahead log.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(&log).is_ok_and(|log| log.len() > 0)
}

/// A number must not be given out twice, and watchers may have seen some that never reached the disk.
fn skip_lost_numbers(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE channels SET last_sequence = last_sequence + ?1", [LOST_NUMBERS])?;
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan never depends on a bound value; else some statements would be compiled again for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // What a foreign hand put into the schema must not be able to call anything.
    connection.pragma_update(None, "trusted_schema", false)
}

/// What a failure to open the file means.
pub(super) fn explain(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, detail: error.to_string() },
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        // Where it is the file shared with other processes that finds no room, SQLite has no better word for it.
        Some(ErrorCode::SystemIoFailure) if has_no_room(&path) => StoreError::Full { path },
        _ => StoreError::Open { path, source: error },
    }
}

fn has_no_room(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_ROOM)
}
