//! What the dispatcher and all supervisors share: the machinery, the settings that hold, and what others see of the
//! plugins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::{HostOptions, Table};
use crate::config::settings::{PluginSettings, Settings};
use crate::effect::PluginId;
use crate::event::System;
use crate::observation::{Observation, PluginChange};
use crate::plugin::handle::PluginHandle;
use crate::plugin::imports::http::HttpWays;
use crate::plugin::machine::SharedMachine;
use crate::plugin::status::PluginState;

/// Components that are read and compiled at once. Each takes all cores and many times its size in memory; the second
/// place is for the case that the first one has something that takes for ever.
const COMPILING: usize = 2;

pub(super) struct Shared {
    pub(super) machine: SharedMachine,
    pub(super) ways: HttpWays,
    pub(super) options: HostOptions,
    /// Set once, when everything is to end: nobody waits for a plugin any more.
    pub(super) stopping: CancellationToken,
    settings: ArcSwap<Settings>,
    table: Table,
    /// Those that take events.
    takers: Mutex<BTreeMap<PluginId, Arc<PluginHandle>>>,
    compiling: Semaphore,
}

impl Shared {
    pub(super) fn new(machine: SharedMachine, ways: HttpWays, options: HostOptions, table: Table) -> Self {
        Self {
            machine,
            ways,
            settings: ArcSwap::new(Arc::clone(&options.settings)),
            options,
            stopping: CancellationToken::new(),
            table,
            takers: Mutex::default(),
            compiling: Semaphore::new(COMPILING),
        }
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// What the operator says of one plugin.
    pub(super) fn settings_of(&self, id: &str) -> PluginSettings {
        self.settings.load().plugins.get(id).cloned().unwrap_or_default()
    }

    /// The folder and how it is watched are settled at the start.
    pub(super) fn take_settings(&self, settings: &Settings) {
        let settings = settings.clone().keeping_fixed(&self.settings());
        self.settings.store(Arc::new(settings));
    }

    /// A place among those that compile. `None` only if there were no places at all.
    pub(super) async fn compiling(&self) -> Option<SemaphorePermit<'_>> {
        self.compiling.acquire().await.ok()
    }

    pub(super) fn show(&self, state: &PluginState) {
        self.table.with(|states| states.insert(state.id.as_str().into(), state.clone()));
    }

    pub(super) fn hide(&self, id: &str) {
        self.table.with(|states| states.remove(id));
    }

    pub(super) fn is_shown(&self, id: &str) -> bool {
        self.table.with(|states| states.contains_key(id))
    }

    pub(super) fn shown(&self) -> Vec<String> {
        self.table.with(|states| states.keys().map(ToString::to_string).collect())
    }

    /// Says what happened to a plugin.
    pub(super) fn tell(&self, state: &PluginState, change: PluginChange, detail: &str) {
        self.options.observer.observe(|| Observation::Plugin {
            plugin: state.id.as_str().into(),
            change,
            detail: format!("{} {}", state.version, detail).trim().to_owned(),
        });
        let facts = serde_json::json!({
            "plugin": state.id, "version": state.version, "hash": state.hash, "generation": state.generation,
            "wit": state.wit, "detail": detail,
        });
        (self.options.announce)(System { kind: format!("plugin-{}", change.as_str()), detail: facts.to_string() });
    }

    /// Lets the pipeline find a plugin from now on.
    pub(super) fn enlist(&self, handle: &Arc<PluginHandle>) {
        self.with_takers(|takers| takers.insert(handle.id().clone(), Arc::clone(handle)));
    }

    pub(super) fn strike_off(&self, id: &str) {
        self.with_takers(|takers| takers.remove(id));
    }

    pub(super) fn strike_off_all(&self) {
        self.with_takers(BTreeMap::clear);
    }

    pub(super) fn taker(&self, id: &str) -> Option<Arc<PluginHandle>> {
        self.takers.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn with_takers<T>(&self, change: impl FnOnce(&mut BTreeMap<PluginId, Arc<PluginHandle>>) -> T) {
        let mut takers = self.takers.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = change(&mut takers);
        self.options.roster.store(Arc::new(takers.values().cloned().collect()));
    }
}
