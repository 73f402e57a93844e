//! Notices that the config file was saved.
//!
//! Watches the folder, never the file: most editors save by renaming a new file over the old one, and a watch on the
//! file would stay with the old one. The engine owns the watcher and loads the config when it resolves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

/// An editor writes, renames and sets permissions within this.
const SILENCE: Duration = Duration::from_millis(250);

/// Something that writes without a pause is listened to all the same.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("can't watch the folder of the config {}: {source}", path.display())]
pub struct WatchError {
    path: PathBuf,
    source: notify::Error,
}

/// Resolves [`Self::changed`] when the content of the file is another one than before.
pub struct ConfigWatcher {
    path: PathBuf,
    /// Full is enough: one token says "something happened".
    events: mpsc::Receiver<()>,
    seen: Option<[u8; 32]>,
    /// Stops watching when it is dropped.
    _watcher: RecommendedWatcher,
}

impl ConfigWatcher {
    pub fn new(path: &Path) -> Result<Self, WatchError> {
        let failed = |source| WatchError { path: path.to_owned(), source };
        let path = std::path::absolute(path).map_err(|error| failed(notify::Error::io(error)))?;
        let (sender, events) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the file is an access too, and it must not look like a change.
            if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
                let _ = sender.try_send(());
            }
        })
        .map_err(failed)?;
        let folder = path.parent().unwrap_or(&path);
        watcher.watch(folder, RecursiveMode::NonRecursive).map_err(failed)?;
        Ok(Self { seen: fingerprint(&path), path, events, _watcher: watcher })
    }

    /// Waits for the next change of content. A file that is gone for a moment, as between two steps of a save, is none.
    pub async fn changed(&mut self) {
        loop {
            if self.events.recv().await.is_none() {
                // The system stopped telling; the control socket can still reload.
                return std::future::pending().await;
            }
            self.settle().await;
            let path = self.path.clone();
            let now = tokio::task::spawn_blocking(move || fingerprint(&path)).await.ok().flatten();
            if now.is_some() && now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Waits until nothing happened for a while.
    async fn settle(&mut self) {
        let last = Instant::now() + LONGEST;
        loop {
            let quiet = (Instant::now() + SILENCE).min(last);
            match timeout_at(quiet, self.events.recv()).await {
                Ok(Some(())) if quiet < last => {}
                Ok(_) => return sleep_until(quiet).await,
                Err(_) => return,
            }
        }
    }
}

fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;

    /// Only an upper bound: a test that passes does not wait for it.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_rename_over_the_file_is_a_change() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("showrunner.toml");
        fs::write(&path, "one").unwrap();
        let mut watcher = ConfigWatcher::new(&path).unwrap();
        let temporary = folder.path().join("new");
        fs::write(&temporary, "two").unwrap();
        fs::rename(&temporary, &path).unwrap();
        timeout(PATIENCE, watcher.changed()).await.expect("the change was not noticed");
        fs::write(&path, "three").unwrap();
        timeout(PATIENCE, watcher.changed()).await.expect("the watch was lost with the old file");
    }

    #[tokio::test]
    async fn saving_the_same_content_is_no_change() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("showrunner.toml");
        fs::write(&path, "one").unwrap();
        let mut watcher = ConfigWatcher::new(&path).unwrap();
        fs::write(&path, "one").unwrap();
        assert!(timeout(SILENCE * 3, watcher.changed()).await.is_err(), "nothing had changed");
        fs::write(&path, "two").unwrap();
        timeout(PATIENCE, watcher.changed()).await.expect("the change was not noticed");
    }
}
