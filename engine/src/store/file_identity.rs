//! Whether the database is still where it was opened.
//!
//! A file that is deleted while it is open lives on without a name: everything that is written to it succeeds, and is
//! gone with the process. Somebody has to look.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often to look when nothing is written that somebody relies on: the operator is to hear of it soon.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The file by its place and by what can't be mistaken for another one.
#[derive(Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    identity: (u64, u64),
    looked_at: Instant,
}

impl FileIdentity {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let identity = identity(&std::fs::metadata(path)?);
        Ok(Self { path: path.to_owned(), identity, looked_at: Instant::now() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn next_look(&self) -> Instant {
        self.looked_at + LOOK_EVERY
    }

    /// Says that it is gone when it certainly is: a disk that does not answer has other words for it.
    pub(super) fn is_gone(&mut self) -> bool {
        self.looked_at = Instant::now();
        match std::fs::metadata(&self.path) {
            Ok(found) => identity(&found) != self.identity,
            Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_gone_when_it_is_deleted_moved_or_replaced_and_back_when_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let path = home.join("showrunner.db");
        fs::write(&path, "one").unwrap();
        let mut identity = FileIdentity::of(&path).unwrap();
        fs::write(&path, "two").unwrap();
        assert!(!identity.is_gone(), "it is the same file with other content");

        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        assert!(identity.is_gone());
        fs::write(&path, "another").unwrap();
        assert!(identity.is_gone());
        fs::rename(&elsewhere, &path).unwrap();
        assert!(!identity.is_gone());

        fs::remove_dir_all(&home).unwrap();
        assert!(identity.is_gone());
        fs::write(&home, "a file in the place of the folder").unwrap();
        assert!(identity.is_gone());
    }
}
