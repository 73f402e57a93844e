//! A version that may run: what was loaded, with the operator's word on it.

use std::sync::Arc;

use crate::config::settings::PluginSettings;
use crate::plugin::grants::Grants;
use crate::plugin::handle::Role;
use crate::plugin::loader::Loaded;
use crate::plugin::status::PluginState;

pub(super) struct Admitted {
    pub(super) loaded: Arc<Loaded>,
    pub(super) grants: Grants,
    pub(super) settings: PluginSettings,
    /// The very bytes that come with the engine.
    pub(super) ships: bool,
}

impl Admitted {
    pub(super) fn role(&self) -> Role {
        Role::of(&self.loaded, &self.grants, &self.settings)
    }

    /// As it is shown when it runs, but for what it does at the moment.
    pub(super) fn describe(&self, generation: u64) -> PluginState {
        PluginState { granted: self.grants.given.to_table(), ..describe(&self.loaded, self.ships, generation) }
    }
}

/// A version as it is shown when nothing of it runs and so nothing is granted.
pub(super) fn describe(loaded: &Loaded, ships: bool, generation: u64) -> PluginState {
    let manifest = &loaded.manifest;
    PluginState {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        hash: loaded.hash.clone(),
        generation,
        wit: loaded.wit.clone(),
        ships,
        events: manifest.events.clone(),
        imports: loaded.imports.clone(),
        asked: manifest.permissions.to_table(),
        ..PluginState::default()
    }
}
