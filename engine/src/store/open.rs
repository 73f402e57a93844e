//! Opens the file: the lock, the permissions, the check, the settings of the connection, the migrations.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::lock::Lock;
use super::migrate::{identify, migrate};

/// Only the owner may read: the journal holds what people wrote.
const MODE: u32 = 0o600;

/// Enough for every statement of this room, so that none is compiled twice.
const STATEMENTS: usize = 64;

/// Kibibytes of pages kept in memory: the busy ends of the tables and indexes of some thousand viewers.
const CACHE_KIB: i32 = 4096;

/// Events whose numbers were given out and not written when a process ended without a stop: more than the writer
/// ever holds back.
const LOST_NUMBERS: i64 = 1 << 20;

/// Another process has no business in the file, but an operator may look at it with a tool.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The write-ahead log shrinks back to this after a burst.
const WAL_BYTES: u32 = 16 << 20;

/// An open, checked and migrated database. The lock is declared last, so that it is let go after the connection.
pub(super) struct Database {
    pub(super) connection: Connection,
    /// Whether the run before this one did not come to close it.
    pub(super) was_killed: bool,
    pub(super) lock: Lock,
}

pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    let lock = Lock::take(path)?;
    create(path).map_err(|source| StoreError::Io { doing: "open the database", path: path.to_owned(), source })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    let prepared = identify(&connection, path)
        .and_then(|version| check(&connection, path).map(|()| version == 0))
        .and_then(|is_new| configure(&connection).map(|()| is_new).map_err(StoreError::from))
        .and_then(|is_new| migrate(&mut connection, path).map(|()| is_new))
        .and_then(|is_new| begin_run(&mut connection).map(|was_open| was_open && !is_new));
    match prepared {
        Ok(was_killed) => Ok(Database { connection, was_killed, lock }),
        Err(StoreError::Sqlite(error)) => Err(explain(path, error)),
        Err(error) => Err(error),
    }
}

/// Makes the file before SQLite does, which would make it readable for all. Its companions get the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(())
}

/// Notes that a run has begun, and says whether the one before never ended. Then numbers are skipped: none must be given
/// out twice, and watchers may have seen some that never reached the disk.
///
/// It is on the disk before anything else happens, so that not even a power cut makes a run look closed that was not.
fn begin_run(connection: &mut Connection) -> Result<bool, StoreError> {
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction()?;
    let was_open = transaction.query_row("SELECT closed = 0 FROM run", [], |row| row.get(0))?;
    if was_open {
        transaction.execute("UPDATE channels SET last_sequence = last_sequence + ?1", [LOST_NUMBERS])?;
    }
    transaction.execute("UPDATE run SET closed = 0", [])?;
    transaction.commit()?;
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(was_open)
}

/// Notes that all was written that there was to write.
pub(super) fn end_run(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute("UPDATE run SET closed = 1", [])?;
    Ok(())
}

/// `quick_check` reads every page once and compares the structure, not every index entry with its row.
fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), detail: verdict }) }
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

pub(super) fn explain(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, detail: error.to_string() },
        _ => StoreError::Open { path, source: error },
    }
}
