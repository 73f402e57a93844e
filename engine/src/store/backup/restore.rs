//! A copy takes the place of the database, which is set aside and never thrown away.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::aside::Aside;
use super::error::{self, BackupError, io};
use super::part::{Part, give};
use super::{Copied, fill, inspect, is_part_of, source};
use crate::store::StoreError;
use crate::store::grants;
use crate::store::lock::Lock;

/// What is now in the place of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// As read from the file that was given.
    pub copied: Copied,
    /// Where the database is that was there before.
    pub aside: Option<PathBuf>,
}

/// Puts a copy of `file` in the place of `database`, which no daemon may be using. At every moment there is the old
/// database or the new one. Blocks.
pub fn restore(file: &Path, database: &Path) -> Result<Restored, BackupError> {
    if is_part_of(database, file) {
        return Err(BackupError::Own { file: file.to_owned() });
    }
    if fs::metadata(file).map_err(io("read", file))?.is_dir() {
        return Err(BackupError::Folder { file: file.to_owned() });
    }
    let lock = lock(database)?;
    let mut part = Part::create(database)?;
    let source = source::open_copy(file)?;
    fill(source.connection(), file, &part)?;
    source.close();
    let contents = inspect(part.path()).map_err(|flaw| BackupError::Copy { path: file.to_owned(), flaw })?;
    distrust(part.path()).map_err(error::copying(file, database))?;
    let folder = database.parent().unwrap_or(database);
    part.give_to(&fs::metadata(folder).map_err(io("look at", folder))?)?;
    let bytes = part.len()?;
    let aside = Aside::set(database)?;
    if let Err(error) = part.keep() {
        aside.undo();
        return Err(error);
    }
    drop(lock);
    Ok(Restored { copied: contents.into_copied(file, bytes), aside: aside.kept() })
}

/// Refresh tokens that serve once may have been used since the copy was made.
fn distrust(part: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(part, flags)?;
    // What fails half way is thrown away, so it needs no journal.
    connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    grants::distrust(&mut connection)?;
    connection.close().map_err(|(_, error)| error)
}

/// Keeps daemons out while the database is exchanged. Makes the data folder, where this is a new machine.
fn lock(database: &Path) -> Result<Lock, BackupError> {
    let folder = database.parent().unwrap_or(database);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io("make the data folder", folder))?;
    let lock = Lock::take(database).map_err(|error| match error {
        StoreError::InUse { pid, .. } => BackupError::Running { pid },
        StoreError::Io { doing, path, source } => BackupError::Io { doing, path, source },
        error => BackupError::Store(error),
    })?;
    let owner = fs::metadata(folder).map_err(io("look at", folder))?;
    give(lock.path(), &owner).map_err(io("give to its owner", lock.path()))?;
    Ok(lock)
}
