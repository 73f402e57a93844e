//! Copies of the database: one is made while a daemon writes, and one takes the place of the database.
//!
//! A copy shows the database as it was at one moment, whatever is written meanwhile, and making it holds nobody up: who
//! reads a database with a write-ahead log stands in no writer's way. It is written beside its place, checked from end
//! to end, and gets its name only then; so what bears the name is whole, and what goes wrong leaves nothing behind.
//!
//! Called by `cli`, in a process of its own; by a running daemon only where the file is gone and nobody else can
//! reach what was in it.

mod aside;
mod error;
mod part;
mod restore;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Deserialize, Serialize};

pub use self::error::{BackupError, Flaw};
pub use self::part::part_of;
pub use self::restore::{Restored, restore};

use self::part::Part;
use super::error::StoreError;
use super::item::Access;
use super::migrate::identify;
use super::{Store, from_integer};

/// Pages copied at a time: 4 MiB.
const STEP: i32 = 1024;

/// So many steps, and what was written goes to the disk. All of it at the end would hold up everybody else's writes.
const STEPS_A_SYNC: u32 = 4;

/// What a copy leaves on its disk for others: a daemon's log may grow to this before it shrinks again.
const RESERVE: u64 = 16 << 20;

/// Kibibytes of memory while a copy is checked: each entry of an index is looked up in its table.
const CHECK_CACHE_KIB: i32 = 64 << 10;

/// A copy that is whole, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub file: PathBuf,
    pub bytes: u64,
    /// Of the database; an older one than this program's is brought up when a daemon starts on it.
    pub version: u32,
    pub events: u64,
    pub tasks: u64,
    /// What plugins have stored.
    pub kv: u64,
}

/// Copies a database to `file`, with or without a daemon that writes to it. Blocks.
pub fn back_up(database: &Path, file: &Path, overwrite: bool) -> Result<Copied, BackupError> {
    check_place(database, file, overwrite)?;
    let source = source::open_database(database)?;
    let copied = {
        // Else the copy would begin anew with each write of the daemon, and never end.
        let moment = source.connection().unchecked_transaction().map_err(error::reading(database))?;
        copy(&moment, database, file, overwrite)
    };
    source.close();
    copied
}

impl Store {
    /// Copies the database from the writer's own view of it, which holds the writer up. For when the file is gone,
    /// and this is the only way left to what was in it.
    pub async fn back_up(&self, database: &Path, file: &Path, overwrite: bool) -> Result<Copied, BackupError> {
        check_place(database, file, overwrite)?;
        let (database, file) = (database.to_owned(), file.to_owned());
        let copied = self.request(Access::Read, move |group| {
            match copy(group.connection(), &database, &file, overwrite) {
                // Others in the group have written. Alone it is tried again.
                Err(BackupError::Busy { .. }) => Err(StoreError::Busy),
                copied => Ok(copied),
            }
        });
        copied.await.map_err(BackupError::Store)?
    }

    /// Writes all that waits, and says whether it is on the disk.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.request(Access::Durable, |_| Ok(())).await
    }
}

/// Nothing is overwritten that was not meant, and never the database itself.
fn check_place(database: &Path, file: &Path, overwrite: bool) -> Result<(), BackupError> {
    if file.is_dir() {
        return Err(BackupError::Folder { file: file.to_owned() });
    }
    if is_part_of(database, file) {
        return Err(BackupError::Own { file: file.to_owned() });
    }
    if !overwrite && fs::symlink_metadata(file).is_ok() {
        return Err(BackupError::Exists { file: file.to_owned() });
    }
    Ok(())
}

/// Whether a file is the database or one of its companions, whatever way leads to it.
fn is_part_of(database: &Path, file: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok())?;
        Some((folder, path.file_name()?.to_string_lossy().into_owned()))
    };
    let (Some((home, database)), Some((folder, name))) = (place(database), place(file)) else { return false };
    let companions = ["", "-wal", "-shm", "-journal", ".lock", ".part"];
    home == folder && companions.iter().any(|companion| name == format!("{database}{companion}"))
}

/// From a connection that stands at one moment to a file that is checked. `database` is only named in messages.
fn copy(source: &Connection, database: &Path, file: &Path, overwrite: bool) -> Result<Copied, BackupError> {
    let mut part = Part::create(file)?;
    fill(source, database, &part)?;
    let contents = inspect(part.path()).map_err(|flaw| BackupError::Database { path: database.to_owned(), flaw })?;
    if !overwrite && fs::symlink_metadata(file).is_ok() {
        return Err(BackupError::Exists { file: file.to_owned() });
    }
    let bytes = part.len()?;
    part.keep()?;
    Ok(contents.into_copied(file, bytes))
}

/// Writes every page of the source into the part.
fn fill(source: &Connection, name: &Path, part: &Part) -> Result<(), BackupError> {
    let failed = error::copying(name, part.target());
    let count = |pragma: &str| source.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).map(from_integer);
    let bytes = count("page_count").and_then(|pages| Ok(pages * count("page_size")?)).map_err(error::reading(name))?;
    part.demand_room(bytes)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(part.path(), flags).map_err(&failed)?;
    // Half a copy is thrown away, so it needs no journal; and it is brought to the disk by us.
    target.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(())).map_err(&failed)?;
    target.pragma_update(None, "synchronous", "off").map_err(&failed)?;
    let backup = Backup::new(source, &mut target).map_err(&failed)?;
    let mut steps = 0_u32;
    loop {
        match backup.step(STEP).map_err(&failed)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(BackupError::Busy { path: name.to_owned() }),
        }
        steps += 1;
        if steps.is_multiple_of(STEPS_A_SYNC) {
            part.sync()?;
        }
    }
    drop(backup);
    target.close().map_err(|(_, error)| failed(error))?;
    part.leave_write_ahead()
}

/// What was found in a file.
struct Contents {
    version: u32,
    events: u64,
    tasks: u64,
    kv: u64,
}

impl Contents {
    fn into_copied(self, file: &Path, bytes: u64) -> Copied {
        let Self { version, events, tasks, kv } = self;
        Copied { file: file.to_owned(), bytes, version, events, tasks, kv }
    }
}

/// Checks a file that nobody writes from end to end: that it is one of ours, and that every index fits its table.
fn inspect(file: &Path) -> Result<Contents, Flaw> {
    let connection = source::open_still(file)?;
    let version = recognise(&connection, file)?;
    connection.pragma_update(None, "cache_size", -CHECK_CACHE_KIB)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Flaw::Damaged(verdict));
    }
    let count = |table: &str| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).map(from_integer)
    };
    Ok(Contents { version, events: count("events")?, tasks: count("tasks")?, kv: count("kv")? })
}

/// The version of a database of ours that has something in it.
fn recognise(connection: &Connection, file: &Path) -> Result<u32, Flaw> {
    match identify(connection, file) {
        Ok(0) => Err(Flaw::Empty),
        Ok(version) => Ok(version),
        Err(StoreError::Newer { found, supported, .. }) => Err(Flaw::Newer { found, supported }),
        Err(StoreError::Sqlite(error)) => Err(error.into()),
        Err(_) => Err(Flaw::Foreign),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether SQLite says that the disk has no room.
fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
