//! Notices changes in the plugin folder. Says which plugin has changed once its folder has been quiet for a while; what
//! changed is the host's business.
//!
//! The folder is watched, never a file: a save that writes a new file and renames it would leave a watched file behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{PollWatcher, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::config::settings::Watch;

/// A build that goes on and on is looked at all the same after this long.
const LONGEST: Duration = Duration::from_secs(2);

/// A missing folder is looked for again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The file system can't be watched; changes are only found by `showrunner plugins reload`.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be watched ({source}); set host.watch to \"poll\"", folder.display())]
pub(super) struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

/// Names the folders inside the plugin folder that have changed.
pub(super) struct Watcher {
    folder: PathBuf,
    quiet: Duration,
    changes: mpsc::UnboundedReceiver<PathBuf>,
    debounce: Debounce,
    /// Watching ends when this is dropped.
    _watching: Box<dyn notify::Watcher + Send>,
}

impl Watcher {
    pub(super) fn start(folder: &Path, watch: Watch, quiet: Duration) -> Result<Option<Self>, WatchError> {
        // Unbounded because the giver is a thread of the file system's, which must not wait; what it gives is small
        // and taken at once.
        let (sender, changes) = mpsc::unbounded_channel();
        let handler = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !event.kind.is_access() {
                for path in event.paths {
                    // An error only says that nobody watches any more.
                    let _ = sender.send(path);
                }
            }
        };
        let failed = |source| WatchError { folder: folder.to_owned(), source };
        let mut watching: Box<dyn notify::Watcher + Send> = match watch {
            Watch::Off => return Ok(None),
            Watch::Native => Box::new(RecommendedWatcher::new(handler, notify::Config::default()).map_err(failed)?),
            Watch::Poll(interval) => {
                let config = notify::Config::default().with_poll_interval(interval).with_compare_contents(true);
                Box::new(PollWatcher::new(handler, config).map_err(failed)?)
            }
        };
        // What changes is named by the path that is watched, so that must be the one that it is compared with.
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        watching.watch(&folder, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Some(Self { folder, quiet, changes, debounce: Debounce::default(), _watching: watching }))
    }

    /// The name of the next folder that changed and has been quiet since.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(name) = self.debounce.take(Instant::now(), self.quiet) {
                return Some(name);
            }
            let due = self.debounce.next_due(self.quiet);
            tokio::select! {
                path = self.changes.recv() => {
                    if let Some(name) = plugin_folder(&self.folder, &path?) {
                        self.debounce.changed(name, Instant::now());
                    }
                }
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
            }
        }
    }
}

/// Watches, and waits for the folder where there is none yet.
pub(super) async fn start_when_there(
    folder: &Path,
    watch: Watch,
    quiet: Duration,
) -> Result<Option<Watcher>, WatchError> {
    while !folder.is_dir() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Watcher::start(folder, watch, quiet)
}

fn plugin_folder(folder: &Path, changed: &Path) -> Option<String> {
    let inside = changed.strip_prefix(folder).ok()?;
    let name = inside.components().next()?.as_os_str().to_str()?;
    // Tools keep their own things under such names; no plugin can have one.
    (!name.starts_with('.')).then(|| name.to_owned())
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
        assert_eq!(plugin_folder(folder, Path::new("/plugins/.git/HEAD")), None);
        assert_eq!(plugin_folder(folder, Path::new("/elsewhere/x")), None);
    }
}
