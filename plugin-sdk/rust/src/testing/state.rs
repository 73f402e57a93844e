//! What the fake host knows. Each harness has its own state and puts it into the thread while its plugin runs.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::effect::Effect;
use super::manifest::Manifest;
use crate::event::Place;
use crate::http::{Failure, Request, Response};
use crate::log::Level;
use crate::viewers::{Line, Viewer};

/// The limits of the host, per event and per plugin.
const EFFECTS: usize = 32;
const EFFECT_BYTES: usize = 64 * 1024;
const KV_KEY_BYTES: usize = 256;
const KV_VALUE_BYTES: usize = 64 * 1024;
const KV_BYTES: usize = 1024 * 1024;

/// Where the clock starts when a test does not say: a Saturday noon, 2026-01-03T12:00:00Z.
pub(super) const START_MS: u64 = 1_767_441_600_000;

pub(super) type HttpServer = Box<dyn FnMut(&Request) -> Result<Response, Failure>>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Alarm {
    pub(super) at_ms: u64,
    pub(super) repeat_ms: Option<u32>,
}

pub(super) struct State {
    pub(super) now_ms: u64,
    pub(super) settings: Value,
    pub(super) manifest: Option<Manifest>,
    /// Function or permission to the reason why it is refused.
    pub(super) refused: BTreeMap<String, String>,
    pub(super) kv: BTreeMap<String, Vec<u8>>,
    pub(super) timers: BTreeMap<String, Alarm>,
    pub(super) effects: Vec<Effect>,
    pub(super) logs: Vec<(Level, String)>,
    pub(super) viewers: Vec<(String, Viewer)>,
    /// (platform, channel, user id) and what they wrote, oldest first.
    pub(super) lines: Vec<([String; 3], Line)>,
    pub(super) server: Option<HttpServer>,
    pub(super) requests: Vec<Request>,
    pub(super) ids: u32,
    /// A review has no effects.
    pub(super) reviewing: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            now_ms: START_MS,
            settings: Value::Object(serde_json::Map::new()),
            manifest: None,
            refused: BTreeMap::new(),
            kv: BTreeMap::new(),
            timers: BTreeMap::new(),
            effects: Vec::new(),
            logs: Vec::new(),
            viewers: Vec::new(),
            lines: Vec::new(),
            server: None,
            requests: Vec::new(),
            ids: 0,
            reviewing: false,
        }
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// What the host's functions work on.
pub(super) fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(work)
}

/// Puts this state into the thread while `work` runs, and takes it out again.
pub(super) fn install<T>(state: &mut State, work: impl FnOnce() -> T) -> T {
    let outer = STATE.replace(std::mem::take(state));
    let result = work();
    *state = STATE.replace(outer);
    result
}

/// The host's words for what `plugin.toml` does not list.
pub(super) fn not_asked(permission: &str) -> String {
    format!("denied: {permission} is not among the permissions in plugin.toml")
}

/// The host's words for what the operator did not grant.
pub(super) fn not_granted(permission: &str) -> String {
    format!("denied: {permission} was not granted by the operator")
}

impl State {
    /// Whether a permission of the manifest's vocabulary ("chat.say", "agent.main") is there.
    pub(super) fn check(&self, permission: &str) -> Result<(), String> {
        if self.manifest.as_ref().is_some_and(|manifest| !manifest.allows(permission)) {
            return Err(not_asked(permission));
        }
        self.refused.get(permission).map_or(Ok(()), |reason| Err(reason.clone()))
    }

    pub(super) fn add(&mut self, permission: &str, effect: Effect) -> Result<u32, String> {
        self.check(permission)?;
        if self.reviewing {
            return Err("refused: a review gives a verdict and has no effects; act on the event in the handler".into());
        }
        if self.effects.len() >= EFFECTS {
            return Err(format!("limit: at most {EFFECTS} effects for one event"));
        }
        if self.effects.iter().map(Effect::size).sum::<usize>() + effect.size() > EFFECT_BYTES {
            return Err(format!("limit: the effects of one event may hold at most {EFFECT_BYTES} bytes"));
        }
        self.effects.push(effect);
        Ok(u32::try_from(self.effects.len() - 1).unwrap_or(u32::MAX))
    }

    pub(super) fn next_id(&mut self, kind: &str) -> String {
        self.ids += 1;
        format!("{kind}-{}", self.ids)
    }

    pub(super) fn set(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        self.check("kv.use")?;
        if key.is_empty() || key.len() > KV_KEY_BYTES {
            return Err(format!("limit: a key has 1 to {KV_KEY_BYTES} bytes"));
        }
        if value.len() > KV_VALUE_BYTES {
            let bytes = value.len();
            return Err(format!("limit: a value may have at most {KV_VALUE_BYTES} bytes, this one has {bytes}"));
        }
        let others = self.kv.iter().filter(|(other, _)| *other != key);
        let used: usize = others.map(|(other, value)| other.len() + value.len()).sum();
        let after = used + key.len() + value.len();
        if after > KV_BYTES {
            return Err(format!("limit: a plugin may keep at most {KV_BYTES} bytes, this would make {after}"));
        }
        self.kv.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    pub(super) fn setting(&self, path: &str) -> Option<String> {
        let found =
            path.split('.').filter(|step| !step.is_empty()).try_fold(&self.settings, |value, step| match value {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            });
        found.map(Value::to_string)
    }

    pub(super) fn recent_lines(&self, place: Place<'_>, user_id: &str, limit: u32) -> Vec<Line> {
        let wanted = [place.platform, place.channel, user_id];
        let lines = self.lines.iter().rev().filter(|(who, _)| who.iter().eq(wanted));
        lines.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|(_, line)| line.clone()).collect()
    }
}
