//! Notices changes in the plugin folder. Says which plugin has changed once its folder has been quiet for a while; what
//! changed is the host's business.
//!
//! The folder is watched, never a file: a save that writes a new file and renames it would leave a watched file behind.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::{EventKind, ModifyKind};
use notify::{PollWatcher, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::config::settings::Watch;

/// A build that goes on and on is looked at all the same after this long.
const LONGEST: Duration = Duration::from_secs(2);

/// How often it is looked whether the folder is there, and still the same.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The file system can't be watched; changes are only found by `showrunner plugins reload`.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be watched ({source}); set host.watch to \"poll\"", folder.display())]
pub(super) struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The folder of this name, inside of the plugin folder.
    Plugin(String),
    /// All of it: the plugin folder is gone, or another is in its place. This watcher sees nothing any more.
    Folder,
}

/// What the file system tells.
enum Told {
    Changed(PathBuf),
    /// The watched folder itself was removed or renamed.
    Gone,
}

/// Names the folders inside the plugin folder that have changed.
pub(super) struct Watcher {
    /// As it is configured: links may lead elsewhere by now.
    given: PathBuf,
    identity: Option<Identity>,
    look_at: Instant,
    folder: PathBuf,
    quiet: Duration,
    changes: mpsc::UnboundedReceiver<Told>,
    debounce: Debounce,
    /// Watching ends when this is dropped.
    _watching: Box<dyn notify::Watcher + Send>,
}

impl Watcher {
    /// Blocks: it walks through the folder, and where it polls it reads every file.
    fn start(folder: &Path, watch: Watch, quiet: Duration) -> Result<Option<Self>, WatchError> {
        let (given, identity) = (folder.to_owned(), Identity::of(folder));
        // Changes are told by the path that is watched, so that must be the one they are compared with.
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        // Unbounded because the giver is a thread of the file system's, which must not wait; what it gives is small
        // and taken at once.
        let (sender, changes) = mpsc::unbounded_channel();
        let all = folder.clone();
        let handler = move |event: notify::Result<notify::Event>| {
            let Ok(mut event) = event else { return };
            if event.need_rescan() {
                // Changes were missed: everything may have changed.
                event.paths =
                    std::fs::read_dir(&all).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            }
            if event.kind.is_access() {
                return;
            }
            let is_away = event.kind.is_remove() || matches!(event.kind, EventKind::Modify(ModifyKind::Name(_)));
            for path in event.paths {
                let told = if is_away && path == all { Told::Gone } else { Told::Changed(path) };
                // An error only says that nobody watches any more.
                let _ = sender.send(told);
            }
        };
        let failed = |source| WatchError { folder: folder.clone(), source };
        let mut watching: Box<dyn notify::Watcher + Send> = match watch {
            Watch::Off => return Ok(None),
            Watch::Native => Box::new(RecommendedWatcher::new(handler, notify::Config::default()).map_err(failed)?),
            Watch::Poll(interval) => {
                let config = notify::Config::default().with_poll_interval(interval).with_compare_contents(true);
                Box::new(PollWatcher::new(handler, config).map_err(failed)?)
            }
        };
        watching.watch(&folder, RecursiveMode::Recursive).map_err(failed)?;
        let look_at = Instant::now() + LOOK_AGAIN;
        let debounce = Debounce::default();
        Ok(Some(Self { given, identity, look_at, folder, quiet, changes, debounce, _watching: watching }))
    }

    /// The next folder that changed and has been quiet since.
    pub(super) async fn next(&mut self) -> Change {
        loop {
            if let Some(name) = self.debounce.take(Instant::now(), self.quiet) {
                return Change::Plugin(name);
            }
            let due = self.debounce.next_due(self.quiet).map_or(self.look_at, |due| due.min(self.look_at));
            tokio::select! {
                Some(told) = self.changes.recv() => match told {
                    Told::Gone => return Change::Folder,
                    Told::Changed(path) => {
                        if let Some(name) = plugin_folder(&self.folder, &path) {
                            self.debounce.changed(name, Instant::now());
                        }
                    }
                },
                () = sleep_until(due) => {
                    if self.look_at <= Instant::now() && self.is_another().await {
                        return Change::Folder;
                    }
                }
            }
        }
    }

    /// Whether another folder is where the watched one was: a watch follows the folder that it was set on, not its
    /// name.
    async fn is_another(&mut self) -> bool {
        self.look_at = Instant::now() + LOOK_AGAIN;
        let given = self.given.clone();
        // Looking may take its time on a network mount.
        let now = tokio::task::spawn_blocking(move || Identity::of(&given)).await.unwrap_or_default();
        now != self.identity
    }
}

/// Watches, and waits for the folder where there is none yet.
pub(super) async fn start_when_there(
    folder: &Path,
    watch: Watch,
    quiet: Duration,
) -> Result<Option<Watcher>, WatchError> {
    loop {
        if let Some(started) = start_if_there(folder, watch, quiet).await {
            return started;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Watches, unless there is no folder.
pub(super) async fn start_if_there(
    folder: &Path,
    watch: Watch,
    quiet: Duration,
) -> Option<Result<Option<Watcher>, WatchError>> {
    let folder = folder.to_owned();
    let starting = tokio::task::spawn_blocking(move || {
        if !folder.is_dir() {
            return None;
        }
        let started = Watcher::start(&folder, watch, quiet);
        // It may have gone away in between.
        Some(started).filter(|started| started.is_ok() || folder.is_dir())
    });
    starting.await.unwrap_or_default()
}

/// What tells one folder from another of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// Where the file system keeps it: an inode is used again at once.
    created: Option<SystemTime>,
}

impl Identity {
    /// `None` when there is nothing.
    fn of(folder: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(folder).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino(), created: metadata.created().ok() })
    }
}

fn plugin_folder(folder: &Path, changed: &Path) -> Option<String> {
    let inside = changed.strip_prefix(folder).ok()?;
    let name = inside.components().next()?;
    Some(name.as_os_str().to_str()?.to_owned()).filter(|name| !name.starts_with('.'))
}

/// When which folder began to change, and when it last did.
#[derive(Debug, Default)]
struct Debounce {
    folders: HashMap<String, (Instant, Instant)>,
}

impl Debounce {
    fn changed(&mut self, name: String, now: Instant) {
        self.folders.entry(name).and_modify(|(_, last)| *last = now).or_insert((now, now));
    }

    fn due((first, last): (Instant, Instant), quiet: Duration) -> Instant {
        (last + quiet).min(first + LONGEST)
    }

    fn next_due(&self, quiet: Duration) -> Option<Instant> {
        self.folders.values().map(|times| Self::due(*times, quiet)).min()
    }

    fn take(&mut self, now: Instant, quiet: Duration) -> Option<String> {
        let name = self.folders.iter().find(|(_, times)| Self::due(**times, quiet) <= now)?.0.clone();
        self.folders.remove(&name);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(250);

    #[test]
    fn twenty_saves_in_a_second_are_one_change() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        let mut seen = 0;
        for step in 0..20 {
            let now = start + Duration::from_millis(50 * step);
            debounce.changed("greeter".into(), now);
            seen += u32::from(debounce.take(now, QUIET).is_some());
        }
        assert_eq!(seen, 0);
        assert_eq!(debounce.take(start + Duration::from_millis(950 + 250), QUIET).as_deref(), Some("greeter"));
        assert_eq!(debounce.next_due(QUIET), None);
    }

    #[test]
    fn what_never_rests_is_looked_at_after_two_seconds() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        for step in 0..=20 {
            debounce.changed("greeter".into(), start + Duration::from_millis(100 * step));
        }
        assert!(debounce.take(start + LONGEST, QUIET).is_some());
    }

    #[test]
    fn each_folder_waits_for_itself() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        debounce.changed("a".into(), start);
        debounce.changed("b".into(), start + Duration::from_millis(200));
        assert_eq!(debounce.take(start + QUIET, QUIET).as_deref(), Some("a"));
        assert_eq!(debounce.take(start + QUIET, QUIET), None);
    }

    #[test]
    fn a_change_belongs_to_the_folder_it_is_in() {
        let folder = Path::new("/plugins");
        assert_eq!(plugin_folder(folder, Path::new("/plugins/greeter/plugin.wasm")).as_deref(), Some("greeter"));
        assert_eq!(plugin_folder(folder, Path::new("/plugins/greeter")).as_deref(), Some("greeter"));
        assert_eq!(plugin_folder(folder, Path::new("/plugins")), None);
        assert_eq!(plugin_folder(folder, Path::new("/plugins/.git/index")), None);
        assert_eq!(plugin_folder(folder, Path::new("/elsewhere/x")), None);
    }
}
