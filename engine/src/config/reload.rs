//! What a new config changes in a running engine: a pure comparison of two [`Settings`].
//!
//! The engine acts on it, so that a connection whose entry did not change is not touched. Every struct is taken apart
//! field by field: a new setting does not compile until it has its place here.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::settings::{
    AuthSettings, HostSettings, HttpSettings, JoystickSettings, LogSettings, PluginSettings, RetakeSettings, Settings,
    SimulatorSettings, TwitchSettings,
};
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
    pub pipeline: bool,
    pub journal: bool,
    pub agent: bool,
    /// `[host.limits]`: holds from each plugin's next start.
    pub limits: bool,
    /// `host.safe-mode`.
    pub safe_mode: bool,
    /// `[simulator]`, its channel, script, record or pace.
    pub simulator: bool,
    /// Keys that changed and are read only at the start.
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
        ("http.token", !is_same_secret(token.as_ref(), new.http.token.as_ref())),
        ("auth.key", !is_same_secret(key.as_ref(), new.auth.key.as_ref())),
        ("host.plugins-dir", *plugins_dir != new.host.plugins_dir),
        ("host.watch", *watch != new.host.watch),
        ("host.debounce", *debounce != new.host.debounce),
    ];
    Changes {
        retake: entries(&by_room(retake), &by_room(&new.retake), |old, new| is_same_account(old, new)),
        twitch: !is_same(twitch.as_ref(), new.twitch.as_ref(), is_same_twitch),
        joystick: !is_same(joystick.as_ref(), new.joystick.as_ref(), is_same_joystick),
        plugins: entries(plugins, &new.plugins, is_same_plugin),
        log_filter: *filter != new.log.filter,
        pipeline: *pipeline != new.pipeline,
        journal: *journal != new.journal,
        agent: *agent != new.agent,
        limits: *limits != new.host.limits,
        safe_mode: *safe_mode != new.host.safe_mode,
        simulator: !is_same_simulator(simulator, &new.simulator),
        needs_restart: restarts.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect(),
    }
}

fn entries<Name: Ord + Clone, Entry>(
    old: &BTreeMap<Name, Entry>,
    new: &BTreeMap<Name, Entry>,
    is_same: impl Fn(&Entry, &Entry) -> bool,
) -> Entries<Name> {
    let missing_in = |map: &BTreeMap<Name, Entry>, name: &Name| !map.contains_key(name);
    Entries {
        added: new.keys().filter(|name| missing_in(old, name)).cloned().collect(),
        removed: old.keys().filter(|name| missing_in(new, name)).cloned().collect(),
        changed: old
            .iter()
            .filter(|(name, entry)| new.get(name).is_some_and(|new| !is_same(entry, new)))
            .map(|(name, _)| name.clone())
            .collect(),
    }
}

/// A room is what an account is known by: one bot is in a room once.
fn by_room(accounts: &[RetakeSettings]) -> BTreeMap<String, &RetakeSettings> {
    accounts.iter().map(|account| (account.room.clone(), account)).collect()
}

fn is_same_account(old: &RetakeSettings, new: &RetakeSettings) -> bool {
    let RetakeSettings { generation, room, user_id, token, rest_base, socket_url, pace, poll } = old;
    *generation == new.generation
        && *room == new.room
        && *user_id == new.user_id
        && is_same_secret(Some(token), Some(&new.token))
        && *rest_base == new.rest_base
        && *socket_url == new.socket_url
        && *pace == new.pace
        && *poll == new.poll
}

fn is_same<Section>(
    old: Option<&Section>,
    new: Option<&Section>,
    is_same: impl Fn(&Section, &Section) -> bool,
) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => is_same(old, new),
        (None, None) => true,
        _ => false,
    }
}

fn is_same_twitch(old: &TwitchSettings, new: &TwitchSettings) -> bool {
    let TwitchSettings {
        client_id,
        client_secret,
        redirect,
        channels,
        accounts,
        subscriptions,
        eventsub_url,
        helix_base,
        oauth_base,
        pace,
    } = old;
    *client_id == new.client_id
        && is_same_secret(client_secret.as_ref(), new.client_secret.as_ref())
        && *redirect == new.redirect
        && *channels == new.channels
        && *accounts == new.accounts
        && *subscriptions == new.subscriptions
        && *eventsub_url == new.eventsub_url
        && *helix_base == new.helix_base
        && *oauth_base == new.oauth_base
        && *pace == new.pace
}

fn is_same_joystick(old: &JoystickSettings, new: &JoystickSettings) -> bool {
    let JoystickSettings {
        client_id,
        client_secret,
        redirect,
        scopes,
        channels,
        bot,
        version,
        gateway_token,
        command_keys,
        gateway_url,
        consent_url,
        oauth_base,
        rest_base,
        pace,
        echo,
    } = old;
    *client_id == new.client_id
        && is_same_secret(client_secret.as_ref(), new.client_secret.as_ref())
        && *redirect == new.redirect
        && *scopes == new.scopes
        && *channels == new.channels
        && *bot == new.bot
        && *version == new.version
        && *gateway_token == new.gateway_token
        && *command_keys == new.command_keys
        && *gateway_url == new.gateway_url
        && *consent_url == new.consent_url
        && *oauth_base == new.oauth_base
        && *rest_base == new.rest_base
        && *pace == new.pace
        && *echo == new.echo
}

fn is_same_plugin(old: &PluginSettings, new: &PluginSettings) -> bool {
    let PluginSettings { enabled, grant, channels, pin, on_failure, record, secrets, settings } = old;
    *enabled == new.enabled
        && *grant == new.grant
        && *channels == new.channels
        && *pin == new.pin
        && *on_failure == new.on_failure
        && *record == new.record
        && secrets.len() == new.secrets.len()
        && secrets.iter().all(|(name, secret)| is_same_secret(Some(secret), new.secrets.get(name)))
        && *settings == new.settings
}

fn is_same_simulator(old: &SimulatorSettings, new: &SimulatorSettings) -> bool {
    let SimulatorSettings { channel, script, record, pace } = old;
    *channel == new.channel && *script == new.script && *record == new.record && *pace == new.pace
}

/// Both come from the operator, so how long it takes tells nobody anything.
fn is_same_secret(old: Option<&SecretString>, new: Option<&SecretString>) -> bool {
    old.map(ExposeSecret::expose_secret) == new.map(ExposeSecret::expose_secret)
}

#[cfg(test)]
mod tests;
