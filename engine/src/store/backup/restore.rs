//! A copy takes the place of the database, which is set aside and never thrown away.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::aside::Aside;
use super::error::{BackupError, io};
use super::part::{Part, give};
use super::{Copied, fill, inspect, is_part_of, source};
use crate::store::StoreError;
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
    if !file.is_file() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(BackupError::Io { doing: "read", path: file.to_owned(), source });
    }
    let lock = lock(database)?;
    let mut part = Part::create(database)?;
    let source = source::open_copy(file)?;
    fill(source.connection(), file, &part)?;
    source.close();
    let contents = inspect(part.path()).map_err(|flaw| BackupError::Copy { path: file.to_owned(), flaw })?;
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
