//! The file that a copy is written to before it is whole: beside its place, under a name of its own.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{BackupError, io};
use super::{RESERVE, with_suffix};

/// Only the owner may read: a copy holds what people wrote.
const MODE: u32 = 0o600;

/// Where SQLite's header says how the file is written: two bytes that are 2 with a write-ahead log, and 1 without.
const WRITE_VERSION: u64 = 18;
const WITHOUT_LOG: [u8; 2] = [1, 1];

/// Where a copy to `file` is written until it is whole.
pub fn part_of(file: &Path) -> PathBuf {
    with_suffix(file, ".part")
}

/// A copy that is not yet whole. It is gone with this value, unless it is kept.
pub(super) struct Part {
    path: PathBuf,
    target: PathBuf,
    /// Locked, so that no other copy is written to the same file.
    file: File,
    is_kept: bool,
}

impl Part {
    /// What was left by a process that was killed is replaced.
    pub(super) fn create(target: &Path) -> Result<Self, BackupError> {
        let path = part_of(target);
        let failed = |doing| io(doing, &path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(MODE);
        let file = options.open(&path).map_err(failed("write"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::UnderWay { file: target.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        file.set_len(0).map_err(failed("write"))?;
        file.set_permissions(Permissions::from_mode(MODE)).map_err(failed("keep others out of"))?;
        Ok(Self { path, target: target.to_owned(), file, is_kept: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it will be called.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    pub(super) fn len(&self) -> Result<u64, BackupError> {
        self.file.metadata().map(|file| file.len()).map_err(io("look at", &self.path))
    }

    /// Room for this many bytes, and some for others. Better refused than begun: a disk that a copy fills up is full
    /// for the daemon, too.
    pub(super) fn demand_room(&self, needed: u64) -> Result<(), BackupError> {
        let disk =
            rustix::fs::fstatvfs(&self.file).map_err(|error| io("look at the disk of", &self.target)(error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed.saturating_add(RESERVE) {
            Err(BackupError::NoRoom { file: self.target.clone(), needed, free })
        } else {
            Ok(())
        }
    }

    /// Brings to the disk what was written so far.
    pub(super) fn sync(&self) -> Result<(), BackupError> {
        self.file.sync_data().map_err(io("write", &self.target))
    }

    /// Makes it a file that can be read where nothing can be written beside it: the header was copied from a database
    /// that has a log. A daemon that starts on it gives it one again.
    pub(super) fn leave_write_ahead(&self) -> Result<(), BackupError> {
        self.file.write_all_at(&WITHOUT_LOG, WRITE_VERSION).map_err(io("write", &self.target))
    }

    /// Gives it to the owner of what it will stand beside: root may write for a daemon that is not root.
    pub(super) fn give_to(&self, owner: &Metadata) -> Result<(), BackupError> {
        give(&self.path, owner).map_err(io("give to its owner", &self.path))
    }

    /// Makes it durable and gives it its name, in the place of what bears it.
    pub(super) fn keep(&mut self) -> Result<(), BackupError> {
        self.file.sync_all().map_err(io("write", &self.target))?;
        fs::rename(&self.path, &self.target).map_err(io("write", &self.target))?;
        self.is_kept = true;
        let folder = self.target.parent().unwrap_or(&self.target);
        // Without this the name itself could be lost with the power.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("make durable", folder))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept {
            // It was ours alone, and there is nothing more to be done about it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a file belong to whom another one belongs, where it does not yet.
pub(super) fn give(path: &Path, owner: &Metadata) -> std::io::Result<()> {
    let file = fs::metadata(path)?;
    if (file.uid(), file.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))
}
