//! What a new config changes in a running engine: a pure comparison of two [`Settings`].
//!
//! The engine acts on it, so that a connection whose entry did not change is not touched. What is not compared as a
//! whole is taken apart field by field: a new setting does not compile until it has its place here.

use std::collections::BTreeMap;

use super::settings::{AuthSettings, HostSettings, HttpSettings, LogSettings, RetakeSettings, Settings};
use crate::effect::PluginId;

/// What is to be done, and what can only be done by a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub retake: Entries,
    pub twitch: bool,
    pub joystick: bool,
    pub plugins: Entries<PluginId>,
    /// `log.filter`.
    pub log_filter: bool,
    /// `[host.limits]`: holds from each plugin's next start.
    pub limits: bool,
    /// `host.safe-mode`.
    pub safe_mode: bool,
    /// Keys and sections that changed and are read only at the start.
    pub needs_restart: Vec<&'static str>,
}

/// What became of the entries of a list, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<Name = String> {
    pub added: Vec<Name>,
    pub removed: Vec<Name>,
    pub changed: Vec<Name>,
}

impl<Name> Default for Entries<Name> {
    fn default() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), changed: Vec::new() }
    }
}

impl<Name> Entries<Name> {
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Changes {
    /// Whether the two configs mean the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Settings {
    /// As an engine that was started with `running` goes on: what holds only after a restart stays as it is there.
    #[must_use]
    pub fn keeping_fixed(mut self, running: &Self) -> Self {
        let Self {
            source: _,
            data_dir,
            log,
            http,
            pipeline,
            journal,
            agent,
            host,
            plugins: _,
            retake: _,
            twitch: _,
            joystick: _,
            auth,
            simulator,
        } = running.clone();
        let LogSettings { filter: _, format } = log;
        let HostSettings { plugins_dir, watch, debounce, safe_mode: _, limits: _ } = host;
        (self.data_dir, self.log.format, self.http, self.auth) = (data_dir, format, http, auth);
        (self.pipeline, self.journal, self.agent, self.simulator) = (pipeline, journal, agent, simulator);
        (self.host.plugins_dir, self.host.watch, self.host.debounce) = (plugins_dir, watch, debounce);
        self
    }
}

/// Compares all but [`Settings::source`].
pub fn compare(old: &Settings, new: &Settings) -> Changes {
    let Settings {
        source: _,
        data_dir,
        log,
        http,
        pipeline,
        journal,
        agent,
        host,
        plugins,
        retake,
        twitch,
        joystick,
        auth,
        simulator,
    } = old;
    let AuthSettings { key } = auth;
    let LogSettings { filter, format } = log;
    let HttpSettings { listen, token } = http;
    let HostSettings { plugins_dir, watch, debounce, safe_mode, limits } = host;
    let restarts = [
        ("data-dir", *data_dir != new.data_dir),
        ("log.format", *format != new.log.format),
        ("http.listen", *listen != new.http.listen),
        ("http.token", *token != new.http.token),
        ("auth.key", *key != new.auth.key),
        ("host.plugins-dir", *plugins_dir != new.host.plugins_dir),
        ("host.watch", *watch != new.host.watch),
        ("host.debounce", *debounce != new.host.debounce),
        ("pipeline", *pipeline != new.pipeline),
        ("journal", *journal != new.journal),
        ("agent", *agent != new.agent),
        ("simulator", *simulator != new.simulator),
    ];
    Changes {
        retake: entries(&by_room(retake), &by_room(&new.retake)),
        twitch: *twitch != new.twitch,
        joystick: *joystick != new.joystick,
        plugins: entries(plugins, &new.plugins),
        log_filter: *filter != new.log.filter,
        limits: *limits != new.host.limits,
        safe_mode: *safe_mode != new.host.safe_mode,
        needs_restart: restarts.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect(),
    }
}

fn entries<Name: Ord + Clone, Entry: PartialEq>(
    old: &BTreeMap<Name, Entry>,
    new: &BTreeMap<Name, Entry>,
) -> Entries<Name> {
    let missing_in = |map: &BTreeMap<Name, Entry>, name: &Name| !map.contains_key(name);
    Entries {
        added: new.keys().filter(|name| missing_in(old, name)).cloned().collect(),
        removed: old.keys().filter(|name| missing_in(new, name)).cloned().collect(),
        changed: old
            .iter()
            .filter(|(name, entry)| new.get(name).is_some_and(|new| *entry != new))
            .map(|(name, _)| name.clone())
            .collect(),
    }
}

/// A room is what an account is known by: one bot is in a room once.
fn by_room(accounts: &[RetakeSettings]) -> BTreeMap<String, &RetakeSettings> {
    accounts.iter().map(|account| (account.room.clone(), account)).collect()
}

#[cfg(test)]
mod tests;
