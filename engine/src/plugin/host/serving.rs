//! What of a plugin takes its events.

use std::future::pending;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::admitted::Admitted;
use crate::config::settings::PluginSettings;
use crate::plugin::guest::Context;
use crate::plugin::loader::Loaded;

pub(super) enum Serving {
    /// Nothing, and nothing waits for it.
    Stopped,
    /// Nothing for now. Events that must not be missed wait for it.
    Holding(HeldFor),
    Running(Running),
}

/// Why events wait, from the least to what counts for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HeldFor {
    /// Its `init` takes long. When that fails, nothing waits any more.
    SlowStart,
    /// The host's own code has failed over it.
    HostFailure,
    /// It is quarantined since before the engine started, whatever becomes of its files meanwhile.
    Quarantine,
}

/// The version that runs. What it is granted is in its context.
pub(super) struct Running {
    pub(super) loaded: Arc<Loaded>,
    pub(super) context: Arc<Context>,
    /// The very bytes that come with the engine.
    pub(super) ships: bool,
    pub(super) settings: PluginSettings,
    pub(super) actor: JoinHandle<()>,
}

impl Running {
    pub(super) fn new(version: &Admitted, context: Arc<Context>, actor: JoinHandle<()>) -> Self {
        let Admitted { loaded, settings, ships, grants: _ } = version;
        Self { loaded: Arc::clone(loaded), context, ships: *ships, settings: settings.clone(), actor }
    }

    /// The actor has taken over another version.
    pub(super) fn replace(&mut self, version: &Admitted, context: Arc<Context>) {
        self.loaded = Arc::clone(&version.loaded);
        self.context = context;
        self.ships = version.ships;
        self.settings = version.settings.clone();
    }
}

impl Serving {
    pub(super) const fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
            Self::Stopped | Self::Holding(_) => None,
        }
    }

    pub(super) const fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Running(running) => Some(running),
            Self::Stopped | Self::Holding(_) => None,
        }
    }

    /// Resolves when the actor has ended although nobody told it to, which only a panic can do.
    pub(super) async fn lost(&mut self) {
        match self {
            // The panic itself was logged.
            Self::Running(running) => drop((&mut running.actor).await),
            Self::Stopped | Self::Holding(_) => pending().await,
        }
    }
}
