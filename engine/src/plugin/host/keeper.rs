//! The one task that changes anything about plugins: it hears of changed files, orders and reports, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Command, HostOptions, OrderError, Table, publish};
use crate::config::settings::{PluginSettings, Settings};
use crate::effect::PluginId;
use crate::event::System;
use crate::observation::Observation;
use crate::plugin::actor::{Report, Surroundings};
use crate::plugin::guest::Context;
use crate::plugin::handle::PluginHandle;
use crate::plugin::imports::http::HttpWays;
use crate::plugin::imports::kv::Kv;
use crate::plugin::loader::{Identity, Loaded};
use crate::plugin::machine::SharedMachine;
use crate::plugin::order::Order;
use crate::plugin::shipped::SHIPPED;
use crate::plugin::status::{Phase, PluginState};
use crate::plugin::watcher::{self, Watcher};
use crate::store::PluginFlags;

/// Builds delete a folder and make it anew; only one that stays away is meant.
const GONE: Duration = Duration::from_secs(2);

/// A plugin at which the host has failed so often is left alone.
const MOST_DEATHS: u64 = 5;

/// How often a stop looks whether the queues are empty.
const LOOK: Duration = Duration::from_millis(5);

/// An actor that does not end within this is given up.
pub(super) const LAST_CALL: Duration = Duration::from_secs(2);

/// Why a plugin is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Start,
    FileChanged,
    Settings,
    Operator,
}

pub(super) struct Keeper {
    pub(super) machine: SharedMachine,
    pub(super) ways: HttpWays,
    pub(super) options: HostOptions,
    pub(super) flags: BTreeMap<PluginId, PluginFlags>,
    pub(super) known: BTreeMap<PluginId, Known>,
    pub(super) surroundings: Surroundings,
    /// Folders to be looked at once more, and when.
    pub(super) later: BTreeMap<String, Instant>,
    /// Folders that went away, until they come back or it is meant.
    pub(super) gone: BTreeMap<String, Instant>,
    table: Table,
    reports: mpsc::UnboundedReceiver<(PluginId, u64, Report)>,
}

/// A plugin that has been seen.
pub(super) struct Known {
    pub(super) handle: Arc<PluginHandle>,
    pub(super) state: PluginState,
    pub(super) running: Option<Running>,
    pub(super) actor: Option<JoinHandle<()>>,
    /// The durable memory, shared by all instances that there ever are of it.
    pub(super) kv: Option<Arc<Mutex<Kv>>>,
    /// The files that could not be started: not tried again by themselves.
    pub(super) failed: Option<Identity>,
    /// It is quarantined since before the engine started: nothing of it runs, and its events wait all the same,
    /// whatever becomes of its files meanwhile.
    pub(super) keeps_events: bool,
    pub(super) generation: u64,
}

/// The version that runs.
pub(super) struct Running {
    pub(super) loaded: Arc<Loaded>,
    pub(super) context: Arc<Context>,
    /// The very bytes that come with the engine.
    pub(super) ships: bool,
    pub(super) settings: PluginSettings,
}

impl Keeper {
    pub(super) fn new(
        machine: SharedMachine,
        ways: HttpWays,
        options: HostOptions,
        flags: BTreeMap<PluginId, PluginFlags>,
        table: Table,
    ) -> Self {
        // Bounded by how often plugins may restart; an actor must not wait here while the keeper waits for it.
        let (sender, reports) = mpsc::unbounded_channel();
        let surroundings = Surroundings {
            sink: Arc::clone(&options.sink),
            observer: options.observer.clone(),
            store: options.store.clone(),
            reports: sender,
        };
        let (known, later, gone) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { machine, ways, options, flags, known, surroundings, later, gone, table, reports }
    }

    /// Every plugin there is: those that ship, and the folders.
    pub(super) async fn start_all(&mut self) {
        for id in self.candidates() {
            self.consider(&id, Reason::Start).await;
        }
    }

    fn candidates(&self) -> BTreeSet<String> {
        let shipped = SHIPPED.iter().map(|shipped| shipped.id.to_owned());
        let folders = match self.settings().host.safe_mode {
            true => Vec::new(),
            false => folders(&self.settings().host.plugins_dir),
        };
        let known = self.known.keys().map(ToString::to_string);
        shipped.chain(folders).chain(known).collect()
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        let host = &self.settings().host;
        let (folder, watch, quiet) = (host.plugins_dir.clone(), host.watch, host.debounce);
        let mut watcher: Option<Watcher> = None;
        let starting = watcher::start_when_there(&folder, watch, quiet);
        tokio::pin!(starting);
        let mut is_starting = !host.safe_mode;
        loop {
            let due = self.later.values().min().copied();
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
                Some((id, generation, report)) = self.reports.recv() => self.heard(&id, generation, report).await,
                started = &mut starting, if is_starting => {
                    is_starting = false;
                    match started {
                        Ok(started) => {
                            watcher = started;
                            // What came between the first look and the watch.
                            for id in self.candidates() {
                                self.consider(&id, Reason::FileChanged).await;
                            }
                        }
                        Err(error) => tracing::error!(%error, "Plugins are not reloaded by themselves."),
                    }
                }
                Some(id) = changed(watcher.as_mut()) => self.consider(&id, Reason::FileChanged).await,
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => self.look_again().await,
            }
        }
    }

    async fn obey(&mut self, order: Command) {
        match order {
            Command::Reload { id, done } => {
                let answer = if self.candidates().contains(&id) {
                    self.consider(&id, Reason::Operator).await;
                    let state = self.known.get(id.as_str()).map(|known| known.state.clone());
                    state.ok_or(OrderError::Unknown(id))
                } else {
                    Err(OrderError::Unknown(id))
                };
                let _ = done.send(answer);
            }
            Command::Apply { settings, done } => {
                self.options.settings = self.with_fixed_folder(settings);
                for id in self.candidates() {
                    self.consider(&id, Reason::Settings).await;
                }
                let _ = done.send(());
            }
            Command::Stop { .. } => {}
        }
    }

    /// The folder and how it is watched are settled at the start.
    fn with_fixed_folder(&self, settings: Arc<Settings>) -> Arc<Settings> {
        let host = &self.settings().host;
        let mut settings = Settings::clone(&settings);
        settings.host.plugins_dir.clone_from(&host.plugins_dir);
        (settings.host.watch, settings.host.debounce) = (host.watch, host.debounce);
        Arc::new(settings)
    }

    async fn look_again(&mut self) {
        let now = Instant::now();
        let due: Vec<String> = self.later.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.later.remove(&id);
            self.consider(&id, Reason::FileChanged).await;
        }
    }

    pub(super) fn look_later(&mut self, id: &str, pause: Duration) {
        self.later.insert(id.to_owned(), Instant::now() + pause);
    }

    /// A folder went away: at first only noted, then meant.
    pub(super) async fn missing(&mut self, id: &str) {
        if !self.known.contains_key(id) {
            return;
        }
        let first_missed = *self.gone.entry(id.to_owned()).or_insert_with(Instant::now);
        if first_missed.elapsed() < GONE {
            return self.look_later(id, GONE);
        }
        self.gone.remove(id);
        if let Some(mut known) = self.known.remove(id) {
            self.end(&mut known, Instant::now() + LAST_CALL).await;
            self.table.with(|states| states.remove(id));
            self.publish();
            self.tell(&known.state, "removed", "its folder is gone");
        }
    }

    /// What an actor says of a version that has been replaced since is old news.
    async fn heard(&mut self, id: &str, generation: u64, report: Report) {
        let Some(known) = self.known.get_mut(id).filter(|known| known.generation == generation) else { return };
        match report {
            Report::Crashed { why } => {
                known.state.phase = Phase::Restarting;
                known.state.detail = why;
                known.state.crashes += 1;
                self.note(id, "crashed");
            }
            Report::Recovered if known.state.phase == Phase::Restarting => {
                known.state.phase = Phase::Running;
                self.note(id, "restarted");
            }
            Report::Recovered => {}
            Report::Quarantined { why } => {
                let identity = known.running.as_ref().map(|running| running.loaded.identity.as_str().to_owned());
                known.state.phase = Phase::Quarantined;
                known.state.detail =
                    format!("{why}; change its file, or run `showrunner plugins reload {id}` to start it again");
                self.note(id, "quarantined");
                self.remember_quarantine(id, identity, Some(why)).await;
            }
            Report::Died => self.died(id).await,
        }
    }

    /// The host's own code failed while it served the plugin: it starts anew, unless that goes on.
    async fn died(&mut self, id: &str) {
        let Some(known) = self.known.get_mut(id) else { return };
        tracing::error!(plugin = id, "The host panicked while it served the plugin; please report it.");
        known.handle.set_running(false);
        known.running = None;
        known.actor = None;
        known.state.crashes += 1;
        known.state.phase = Phase::Failed;
        known.state.detail = "the host panicked while it served the plugin".to_owned();
        let goes_on = known.state.crashes >= MOST_DEATHS;
        self.note(id, "failed");
        if !goes_on {
            self.consider(id, Reason::Operator).await;
        }
    }

    /// Kept over restarts: a plugin that brings itself down must not do so again after each start.
    pub(super) async fn remember_quarantine(&mut self, id: &str, hash: Option<String>, reason: Option<String>) {
        let flags = self.flags.entry(id.into()).or_default();
        if flags.quarantined == hash {
            return;
        }
        flags.quarantined = hash;
        flags.reason = reason;
        if let Err(error) = self.options.store.set_plugin_flags(&id.into(), flags).await {
            tracing::warn!(plugin = id, %error, "The plugin's quarantine can't be remembered over a restart.");
        }
    }

    /// Copies a plugin's state to where readers find it.
    pub(super) fn copy_state(&self, id: &str) {
        if let Some(known) = self.known.get(id) {
            self.table.with(|states| states.insert(id.into(), known.state.clone()));
        }
    }

    /// Copies a plugin's state, and says what happened.
    pub(super) fn note(&self, id: &str, what: &str) {
        self.copy_state(id);
        if let Some(known) = self.known.get(id) {
            self.tell(&known.state, what, &known.state.detail);
        }
    }

    fn tell(&self, state: &PluginState, what: &str, detail: &str) {
        self.options.observer.observe(|| Observation::Plugin {
            plugin: state.id.as_str().into(),
            state: what.to_owned(),
            detail: format!("{} {}", state.version, detail).trim().to_owned(),
        });
        let facts = serde_json::json!({
            "plugin": state.id, "version": state.version, "hash": state.hash, "generation": state.generation,
            "wit": state.wit, "detail": detail,
        });
        (self.options.announce)(System { kind: format!("plugin-{what}"), detail: facts.to_string() });
    }

    pub(super) fn publish(&self) {
        let takes = |known: &&Known| known.running.is_some() || known.keeps_events;
        let running = self.known.values().filter(takes);
        publish(&self.options.roster, running.map(|known| Arc::clone(&known.handle)).collect());
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.options.settings
    }

    /// Handlers first, so that the fallbacks still get what these pass on.
    async fn stop(&mut self, deadline: Duration) {
        let until = Instant::now() + deadline;
        let known = std::mem::take(&mut self.known);
        let (fallbacks, handlers): (Vec<_>, Vec<_>) = known.into_values().partition(|known| known.handle.is_fallback());
        for mut plugins in [handlers, fallbacks] {
            // Whoever is down will not take any more.
            let is_busy = |known: &Known| known.handle.is_running() && known.handle.waiting() > 0;
            while plugins.iter().any(is_busy) && Instant::now() < until {
                tokio::time::sleep(LOOK).await;
            }
            let last_call = until.max(Instant::now() + LAST_CALL);
            let endings = plugins.iter_mut().map(|plugin| self.end(plugin, last_call));
            futures_util::future::join_all(endings).await;
        }
        publish(&self.options.roster, Vec::new());
    }

    /// Ends a plugin's actor after the event in hand. What is still in its queue and must not be lost is kept on disk.
    pub(super) async fn end(&self, known: &mut Known, until: Instant) {
        known.running = None;
        known.keeps_events = false;
        let actor = known.actor.take();
        let has_run = actor.is_some();
        if let Some(mut actor) = actor {
            known.handle.lanes.order(Order::Stop);
            if timeout_at(until, &mut actor).await.is_err() {
                tracing::warn!(plugin = %known.handle.id(), "The plugin did not end in time and is given up.");
                actor.abort();
                // An error is the abortion.
                let _ = actor.await;
            }
        }
        known.handle.set_running(false);
        // What waits on disk for a plugin that never ran stays there.
        if has_run || known.handle.waiting() > 0 {
            self.keep_backlog(known).await;
        }
        // Whoever comes next starts with an empty queue, and with what is on disk.
        known.handle = PluginHandle::new(known.handle.id().clone());
    }

    /// Writes what waits for a plugin in the place of what was written before.
    pub(super) async fn keep_backlog(&self, known: &Known) {
        let waiting = known.handle.lanes.backlog();
        if let Err(error) = self.options.store.save_backlog(known.handle.id(), &waiting).await {
            tracing::error!(plugin = %known.handle.id(), waiting = waiting.len(), %error, "Events that wait for this plugin can't be saved; they are in the journal.");
        }
    }
}

/// Waits for ever where nothing is watched.
async fn changed(watcher: Option<&mut Watcher>) -> Option<String> {
    match watcher {
        Some(watcher) => watcher.next().await,
        None => std::future::pending().await,
    }
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
