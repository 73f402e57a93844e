//! The database that makes way for a restored one, under a name that says when.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use rusqlite::{Connection, OpenFlags};

use super::error::{BackupError, io};
use super::with_suffix;

/// What was set aside, and from where.
pub(super) struct Aside {
    database: PathBuf,
    /// `None` where there was nothing.
    kept: Option<PathBuf>,
}

impl Aside {
    /// Gives the database a second name, which it keeps when a new one takes over the first. What belongs to it goes
    /// with it at once: a log that stayed would be taken for the new one's.
    pub(super) fn set(database: &Path) -> Result<Self, BackupError> {
        let log = with_suffix(database, "-wal");
        let mut aside = Self { database: database.to_owned(), kept: None };
        if database.exists() || has_something(&log) {
            let kept = aside.kept.insert(free_name(database));
            if has_something(&log) {
                set_log_aside(database, &log, &with_suffix(kept, "-wal")).map_err(io("set aside", &log))?;
            }
            if database.exists() {
                name_twice(database, kept).map_err(io("set aside", database))?;
            }
        }
        for suffix in ["-wal", "-shm", "-journal"] {
            remove(&with_suffix(database, suffix))?;
        }
        Ok(aside)
    }

    pub(super) fn kept(self) -> Option<PathBuf> {
        self.kept
    }

    /// Nothing took its place. What goes wrong now has gone wrong before, and was said.
    pub(super) fn undo(self) {
        let Some(kept) = self.kept else { return };
        let _ = fs::rename(with_suffix(&kept, "-wal"), with_suffix(&self.database, "-wal"));
        let _ = if self.database.exists() { fs::remove_file(kept) } else { fs::rename(kept, self.database) };
    }
}

/// After a kill, brings the log into the database, so that one file is all of it. One that is damaged keeps its log,
/// which gets a second name before: SQLite throws away what it can't read.
fn set_log_aside(database: &Path, log: &Path, kept: &Path) -> std::io::Result<()> {
    fs::hard_link(log, kept).or_else(|_| fs::copy(log, kept).map(drop))?;
    match fold(database) {
        Ok(true) => fs::remove_file(kept),
        folded => {
            tracing::debug!(?folded, "The log of the old database is set aside as it is.");
            Ok(())
        }
    }
}

/// Says whether nothing of the log is left.
fn fold(database: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        // Whether somebody was in the way, and how many pages the log holds.
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?) == (0, 0))
    })
}

/// On a file system that knows no second names there is a short moment without any.
fn name_twice(database: &Path, kept: &Path) -> std::io::Result<()> {
    fs::hard_link(database, kept).or_else(|_| fs::rename(database, kept))
}

fn free_name(database: &Path) -> PathBuf {
    let name = with_suffix(database, &Zoned::now().strftime(".before-restore-%Y%m%d-%H%M%S").to_string());
    let is_taken = |path: &Path| fs::symlink_metadata(path).is_ok();
    // Several restores within a second are a test's.
    let numbered = (2_u32..).map(|number| with_suffix(&name, &format!("-{number}")));
    std::iter::once(name.clone()).chain(numbered).find(|path| !is_taken(path)).unwrap_or(name)
}

fn has_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", path)(error)),
        _ => Ok(()),
    }
}
