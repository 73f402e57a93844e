//! The task that hears of changed files and of orders, and passes each on to the supervisor of the plugin that it
//! concerns. It never waits for a plugin, and where it waits for the file system, which may be a network's, no thread
//! does that others need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all, pending};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::errand::{Errand, LastOne, Reason, Waiter};
use super::shared::Shared;
use super::supervisor::{LAST_CALL, Supervisor};
use super::{Command, OrderError};
use crate::effect::PluginId;
use crate::plugin::handle::PluginHandle;
use crate::plugin::shipped::SHIPPED;
use crate::plugin::watcher::{self, Change, WatchError, Watcher};
use crate::store::PluginFlags;

/// How often a stop looks whether the queues are empty.
const LOOK: Duration = Duration::from_millis(5);

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    /// What is remembered of plugins over restarts, until their supervisor takes it over.
    flags: BTreeMap<PluginId, PluginFlags>,
    supervisors: BTreeMap<String, Supervised>,
}

/// A supervisor, as the dispatcher sees it.
struct Supervised {
    /// Unbounded, because the dispatcher must not wait: each is a change of files that was debounced, or a person's
    /// order.
    errands: mpsc::UnboundedSender<Errand>,
    task: JoinHandle<()>,
}

/// `None` where nothing is to be watched.
pub(super) type Started = Result<Option<Watcher>, WatchError>;
type Starting = BoxFuture<'static, Started>;

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>, flags: BTreeMap<PluginId, PluginFlags>) -> Self {
        Self { shared, flags, supervisors: BTreeMap::new() }
    }

    /// Has every plugin looked at, all at the same time; resolves when each was, or takes its time about it.
    pub(super) async fn start_all(&mut self) {
        let (last, all) = LastOne::new();
        self.consider_all(Reason::Start, || Waiter::Group(Arc::clone(&last))).await;
        drop(last);
        // It is always told.
        let _ = all.await;
    }

    /// Every plugin there is: those that ship, and the folders.
    async fn candidates(&self) -> BTreeSet<String> {
        let shipped = SHIPPED.iter().map(|shipped| shipped.id.to_owned());
        let settings = self.shared.settings();
        let folders = if settings.host.safe_mode {
            Vec::new()
        } else {
            looked(move || folders(&settings.host.plugins_dir)).await
        };
        shipped.chain(folders).chain(self.shared.shown()).collect()
    }

    async fn consider_all(&mut self, reason: Reason, waiter: impl Fn() -> Waiter) {
        for id in self.candidates().await {
            self.consider(&id, reason, waiter());
        }
    }

    fn consider(&mut self, id: &str, reason: Reason, waiter: Waiter) {
        let supervised = self.supervisors.entry(id.to_owned()).or_insert_with(|| {
            let (errands, received) = mpsc::unbounded_channel();
            let flags = self.flags.remove(id).unwrap_or_default();
            let supervisor = Supervisor::new(Arc::clone(&self.shared), id, flags, received);
            Supervised { errands, task: tokio::spawn(supervisor.run()) }
        });
        // An error says that it has panicked, which was logged; whoever waits is told by the dropped waiter.
        let _ = supervised.errands.send(Errand::Consider { reason, waiter });
    }

    /// Watches the plugin folder if there is one. To be called before [`Dispatcher::start_all`], so that no change
    /// comes between the look and the watch.
    pub(super) async fn watch(&self) -> Option<Started> {
        let host = self.shared.settings().host.clone();
        if host.safe_mode {
            return Some(Ok(None));
        }
        watcher::start_if_there(&host.plugins_dir, host.watch, host.debounce).await
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Command>, watch: Option<Started>) {
        let (mut watcher, mut starting) = match watch {
            Some(started) => (watching(started), pending().boxed()),
            None => (None, self.start_watching()),
        };
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Command::Stop { deadline, done }) => {
                        self.stop(deadline).await;
                        let _ = done.send(());
                        return;
                    }
                    Some(order) => self.obey(order).await,
                    None => return self.stop(Duration::ZERO).await,
                },
                started = &mut starting => {
                    (watcher, starting) = (watching(started), pending().boxed());
                    // What came between the last look and the watch.
                    self.consider_all(Reason::FileChanged, || Waiter::Nobody).await;
                }
                change = changed(watcher.as_mut()) => match change {
                    Change::Plugin(id) => self.changed(&id).await,
                    Change::Folder => {
                        tracing::info!("The plugin folder is gone, or another one in its place; all of it is looked at.");
                        watcher = None;
                        starting = self.start_watching();
                        self.consider_all(Reason::FileChanged, || Waiter::Nobody).await;
                    }
                },
            }
        }
    }

    fn start_watching(&self) -> Starting {
        let host = self.shared.settings().host.clone();
        async move { watcher::start_when_there(&host.plugins_dir, host.watch, host.debounce).await }.boxed()
    }

    /// What lies beside the plugins changes, too, and is nobody's business.
    async fn changed(&mut self, id: &str) {
        let path = self.shared.settings().host.plugins_dir.join(id);
        if self.supervisors.contains_key(id) || looked(move || path.is_dir()).await {
            self.consider(id, Reason::FileChanged, Waiter::Nobody);
        }
    }

    async fn obey(&mut self, order: Command) {
        match order {
            Command::Reload { id, done } => {
                if self.candidates().await.contains(&id) {
                    self.consider(&id, Reason::Operator, Waiter::Operator(done));
                } else {
                    let _ = done.send(Err(OrderError::Unknown(id)));
                }
            }
            Command::Apply { settings, done } => {
                self.shared.take_settings(&settings);
                let last = LastOne::telling(done);
                self.consider_all(Reason::Settings, || Waiter::Group(Arc::clone(&last))).await;
            }
            Command::Stop { .. } => {}
        }
    }

    /// Handlers first, so that the fallbacks still get what these pass on.
    async fn stop(&mut self, deadline: Duration) {
        let until = Instant::now() + deadline;
        self.shared.stopping.cancel();
        let supervisors = std::mem::take(&mut self.supervisors).into_iter();
        let plugins = supervisors.map(|(id, supervised)| (self.shared.taker(&id), supervised));
        let is_fallback = |taker: &Option<Arc<PluginHandle>>| taker.as_ref().is_some_and(|taker| taker.is_fallback());
        let (fallbacks, handlers): (Vec<_>, Vec<_>) = plugins.partition(|(taker, _)| is_fallback(taker));
        for plugins in [handlers, fallbacks] {
            // Whoever is down will not take any more.
            let is_busy = |taker: &Arc<PluginHandle>| taker.is_running() && taker.waiting() > 0;
            while plugins.iter().any(|(taker, _)| taker.as_ref().is_some_and(is_busy)) && Instant::now() < until {
                tokio::time::sleep(LOOK).await;
            }
            let last_call = until.max(Instant::now() + LAST_CALL);
            let endings = plugins.into_iter().map(|(_, Supervised { errands, task })| async move {
                let _ = errands.send(Errand::End { until: last_call });
                // A panic was logged; then there is nothing left to end.
                let _ = task.await;
            });
            join_all(endings).await;
        }
        self.shared.strike_off_all();
    }
}

fn watching(started: Started) -> Option<Watcher> {
    started.unwrap_or_else(|error| {
        tracing::error!(%error, "Plugins are not reloaded by themselves.");
        None
    })
}

/// Waits for ever where nothing is watched.
async fn changed(watcher: Option<&mut Watcher>) -> Change {
    match watcher {
        Some(watcher) => watcher.next().await,
        None => pending().await,
    }
}

/// What a look at the file system shows; nothing where the look itself fails.
async fn looked<T: Default + Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// The names of the folders in the plugin folder. One that can't be read is said, and taken for empty.
fn folders(plugins_dir: &Path) -> Vec<String> {
    let entries = match std::fs::read_dir(plugins_dir) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(folder = %plugins_dir.display(), %error, "The plugin folder can't be read; only what ships is started.");
            return Vec::new();
        }
    };
    let names = entries.flatten().filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| !name.starts_with('.')).collect()
}
