//! Opens the file: the lock, the permissions, the settings of the connection, the migrations.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::file_identity::FileIdentity;
use super::lock::Lock;
use super::migrate::{identify, migrate};

/// Only the owner may read: the journal holds what people wrote.
const MODE: u32 = 0o600;

/// Enough for every statement of this room, so that none is compiled twice.
const STATEMENTS: usize = 64;

/// Kibibytes of pages kept in memory: the busy ends of the tables and indexes, and what one group changes. What does
/// not fit is read again from the system's own cache; four times as much saves a chat of thousands of viewers nothing.
const CACHE_KIB: i32 = 1024;

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
    pub(super) file_identity: FileIdentity,
    pub(super) past: Past,
    pub(super) lock: Lock,
}

/// What became of the file before this run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    /// The run before this one did not come to close it.
    pub(super) was_killed: bool,
    /// No daemon has run on it yet: it was restored, or copied here by hand.
    pub(super) is_copy: bool,
}

impl Past {
    /// It may hold less than was written to it. The check comes later and by the way: a large file takes many seconds.
    pub(super) const fn calls_for_check(self) -> bool {
        self.was_killed || self.is_copy
    }
}

pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    let lock = Lock::take(path)?;
    create(path).map_err(|source| StoreError::Io { doing: "open the database", path: path.to_owned(), source })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    match prepare(&mut connection, path) {
        Ok(past) => {
            let file_identity = FileIdentity::of(path).map_err(|source| StoreError::Io {
                doing: "look at the database",
                path: path.to_owned(),
                source,
            })?;
            Ok(Database { connection, file_identity, past, lock })
        }
        Err(StoreError::Sqlite(error)) => Err(explain(path, error)),
        Err(error) => Err(error),
    }
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<Past, StoreError> {
    let is_new = identify(connection, path)? == 0;
    let is_copy = !is_new && !writes_ahead(connection)?;
    configure(connection)?;
    migrate(connection, path)?;
    let was_open = begin_run(connection, is_copy)?;
    Ok(Past { was_killed: was_open && !is_new, is_copy })
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

/// Notes that a run has begun, and says whether the one before never ended. Where the file may not tell of all that was
/// done, numbers are skipped: none must be given out twice, and watchers may have seen some that are not in it.
///
/// It is on the disk before anything else happens, so that not even a power cut makes a run look closed that was not.
fn begin_run(connection: &mut Connection, is_copy: bool) -> Result<bool, StoreError> {
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction()?;
    let was_open = transaction.query_row("SELECT closed = 0 FROM run", [], |row| row.get(0))?;
    if is_copy {
        // They may have been handled since the copy was made; who handles them now is told that they come again.
        transaction.execute("UPDATE inbox SET given = max(given, 1)", [])?;
    }
    if was_open || is_copy {
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
