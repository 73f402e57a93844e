//! The lock beside the database: one daemon a database.
//!
//! SQLite itself would let a second process in and the two would overwrite each other's idea of the world. The lock is
//! the operating system's, so it is gone with the process however that ends; the file stays and is of no consequence.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// Holds the lock for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let failed = |doing, source| StoreError::Io { doing, path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| failed("open the lock file", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: database.to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
        }
        if let Err(error) = write_pid(&mut file) {
            // It only tells others who holds it. On a full disk the lock itself works all the same.
            tracing::debug!(%error, "The lock file does not say whose it is.");
        }
        Ok(Self { file, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only tidies up: the lock would go with the process. It is let go by name all the same, as a child that is
        // just being started holds a copy of the handle for a moment.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Whether a daemon, or a command that does without one, has this database open.
pub fn is_in_use(database: &Path) -> bool {
    // Shared, so that several may look at once; whoever can't open the file can't be in the way of whoever made it.
    let looked = File::open(lock_path(database)).map(|file| file.try_lock_shared());
    matches!(looked, Ok(Err(TryLockError::WouldBlock)))
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    // More than a number's worth is not what we wrote.
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_with_the_process_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("showrunner.db");
        assert!(!is_in_use(&database));
        let first = Lock::take(&database).unwrap();
        assert!(is_in_use(&database));

        let refused = Lock::take(&database).unwrap_err();
        assert!(matches!(&refused, StoreError::InUse { pid, .. } if *pid == Some(std::process::id())), "{refused:?}");
        assert!(refused.to_string().contains("in use by another daemon"), "{refused}");

        drop(first);
        assert!(!is_in_use(&database));
        Lock::take(&database).unwrap();
    }

    #[test]
    fn what_an_earlier_process_left_in_the_file_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("showrunner.db");
        std::fs::write(lock_path(&database), "4000000000 and a lot of rubbish that nobody wrote").unwrap();
        let lock = Lock::take(&database).unwrap();
        drop(lock);
        assert_eq!(std::fs::read_to_string(lock_path(&database)).unwrap(), "");
    }
}
