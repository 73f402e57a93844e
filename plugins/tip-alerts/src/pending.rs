//! Keeps the groups that are not finished: in kv, so that a crash or a restart loses none and thanks nobody twice.
//!
//! kv is the only truth: each event reads it anew, so a new instance of the plugin, whenever it takes over, knows what
//! the old one knew. Groups of tests are in memory, because a test changes nothing that lasts; so is, for want of
//! something better, what kv refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use showrunner_sdk::prelude::*;
use showrunner_sdk::{clock, timers};

use crate::group::{Entry, Group, State, VERSION};

const PREFIX: &str = "pending/";
/// Many more than ever go on at once. When there are more, the oldest is thanked for before its time.
const MOST: usize = 256;
const TIMER: &str = "due";
/// Between the start of a new instance and its taking over, the old one may have begun a group whose timer went with
/// it.
const FIRST_LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Pending {
    memory: BTreeMap<String, Group>,
}

/// The name of a group that begins with this event.
pub(crate) fn key(envelope: &Envelope) -> String {
    format!("{PREFIX}{}/{}/{}", envelope.platform, envelope.channel, envelope.sequence)
}

impl Pending {
    /// Wakes the plugin for what an earlier instance left.
    pub(crate) fn start() -> Self {
        wake_in(FIRST_LOOK);
        Self::default()
    }

    /// All groups, the oldest first.
    pub(crate) fn open(&self) -> Vec<Entry> {
        let limit = u32::try_from(MOST * 2).unwrap_or(u32::MAX);
        let kept = kv::keys(PREFIX, limit).into_iter().filter(|key| !self.memory.contains_key(key));
        let kept = kept.filter_map(|key| recall(&key).map(|group| Entry { key, group, state: State::Kept }));
        let remembered = self.memory.iter();
        let remembered =
            remembered.map(|(key, group)| Entry { key: key.clone(), group: group.clone(), state: State::Kept });
        let mut entries: Vec<Entry> = kept.chain(remembered).collect();
        entries.sort_by_key(|entry| entry.group.began_ms);
        entries
    }

    /// Keeps what has changed, and wakes the plugin when the next one is due.
    pub(crate) fn keep(&mut self, entries: Vec<Entry>) {
        let open = entries.iter().filter(|entry| entry.state != State::Gone);
        if let Some(due_ms) = open.map(|entry| entry.group.due_ms).min() {
            wake_in(Duration::from_millis(due_ms.saturating_sub(clock::now_ms())));
        }
        for Entry { key, group, state } in entries {
            match state {
                State::Kept => {}
                State::Changed => self.put(key, group),
                State::Gone => self.remove(&key, &group),
            }
        }
    }

    fn put(&mut self, key: String, group: Group) {
        if !group.source.test {
            match kv::set(&key, &group) {
                Ok(()) => {
                    self.memory.remove(&key);
                    return;
                }
                Err(error) => log::warn(format!("Whom to thank is only in memory, and lost by a crash: {error}.")),
            }
        }
        self.memory.insert(key, group);
    }

    fn remove(&mut self, key: &str, group: &Group) {
        self.memory.remove(key);
        if !group.source.test
            && let Err(error) = kv::remove(key)
        {
            log::warn(format!("{key} could not be forgotten: {error}."));
        }
    }

    /// What is in memory, for a reload.
    pub(crate) const fn memory(&self) -> &BTreeMap<String, Group> {
        &self.memory
    }

    pub(crate) fn take_over(&mut self, memory: BTreeMap<String, Group>) {
        self.memory = memory;
    }
}

/// When there are too many groups: what is only remembered is forgotten, and else the oldest is due.
pub(crate) fn make_room(entries: &mut [Entry], now_ms: u64) {
    let count = entries.iter().filter(|entry| entry.state != State::Gone).count();
    if count <= MOST {
        return;
    }
    let open = || entries.iter().position(|entry| entry.state != State::Gone);
    let thanked = entries.iter().position(|entry| entry.state != State::Gone && entry.group.thanked);
    if let Some(index) = thanked {
        if let Some(entry) = entries.get_mut(index) {
            entry.state = State::Gone;
        }
    } else if let Some(entry) = open().and_then(|index| entries.get_mut(index)) {
        entry.group.due_ms = now_ms;
    }
}

/// What can't be read is of no use to anybody a minute later, so it goes.
fn recall(key: &str) -> Option<Group> {
    let why = match kv::get::<Group>(key) {
        Ok(Some(group)) if group.v == VERSION => return Some(group),
        Ok(None) => return None,
        Ok(Some(group)) => format!("its format is {}", group.v),
        Err(error) => error,
    };
    log::warn(format!("Somebody is not thanked, because {key} can't be read: {why}."));
    if let Err(error) = kv::remove(key) {
        log::warn(format!("{key} could not be forgotten: {error}."));
    }
    None
}

fn wake_in(time: Duration) {
    if let Err(error) = timers::once(TIMER, time) {
        log::warn(format!("Without a timer, who is to be thanked waits for the next event: {error}."));
    }
}
