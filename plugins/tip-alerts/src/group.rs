//! What belongs together and is thanked for once: the gifts of one giver, the follows of one burst.
//!
//! Pure: it is told the time, and what is to be done is somebody else's business. `pending` keeps groups.

use serde::{Deserialize, Serialize};
use showrunner_sdk::event::User;

use crate::occasion::Source;
use crate::person::{People, Person};

/// The version of what is kept in kv.
pub(crate) const VERSION: u8 = 1;

/// How long a group of gifts is remembered when it was thanked for, so that what still belongs to it is not thanked
/// for again. Platforms are done within seconds.
const REMEMBERED_MS: u64 = 60_000;

/// When a group is complete, as far as time says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) quiet_ms: u64,
    pub(crate) longest_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) v: u8,
    pub(crate) source: Source,
    pub(crate) about: About,
    pub(crate) people: People,
    /// Whether some of it came in time to be thanked for.
    pub(crate) timely: bool,
    pub(crate) began_ms: u64,
    /// When it is thanked for, or if it was, forgotten.
    pub(crate) due_ms: u64,
    pub(crate) thanked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum About {
    Follows {
        first: Person,
    },
    Gifts(Gifts),
    /// The receiving ends of gifts. They say no giver and are never thanked for; they lend their names to a gift whose
    /// own events name nobody.
    Arrivals {
        tier: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Gifts {
    pub(crate) giver: Option<Person>,
    pub(crate) tier: String,
    /// How many were said to come, all announcements together.
    pub(crate) announced: u32,
    /// What the giver has given in all; 0 where the platform does not say.
    pub(crate) total: u32,
}

/// A group and the name under which it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) group: Group,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Kept,
    Changed,
    Gone,
}

/// What is known of an event beside what it says.
#[derive(Debug)]
pub(crate) struct Moment {
    /// The name of a group that begins with it.
    pub(crate) key: String,
    pub(crate) source: Source,
    /// Whether it came in time to be thanked for.
    pub(crate) is_timely: bool,
    pub(crate) window: Window,
    pub(crate) now_ms: u64,
}

/// Begins a group with an event.
pub(crate) fn begin(entries: &mut Vec<Entry>, moment: &Moment, about: About) -> usize {
    let group = Group::new(moment.source.clone(), about, moment.now_ms);
    entries.push(Entry { key: moment.key.clone(), group, state: State::Changed });
    entries.len() - 1
}

/// Adds a follow to the burst that goes on, or begins one. Returns whether it is somebody new.
pub(crate) fn follow(entries: &mut Vec<Entry>, moment: &Moment, who: &User) -> bool {
    let person = Person::from(who);
    let is_open = |entry: &Entry| {
        matches!(entry.group.about, About::Follows { .. }) && entry.is_here(moment) && !entry.group.thanked
    };
    let index = entries.iter().position(is_open);
    let index = index.unwrap_or_else(|| begin(entries, moment, About::Follows { first: person.clone() }));
    let Some(entry) = entries.get_mut(index) else { return false };
    entry.state = State::Changed;
    entry.group.timely |= moment.is_timely;
    let is_new = entry.group.people.add(&person);
    if is_new {
        entry.group.touch(moment.window, moment.now_ms);
    }
    is_new
}

impl Entry {
    /// Whether an event may belong to it.
    pub(crate) fn is_here(&self, moment: &Moment) -> bool {
        self.state != State::Gone && self.group.source == moment.source
    }
}

impl Group {
    pub(crate) fn new(source: Source, about: About, now_ms: u64) -> Self {
        Self {
            v: VERSION,
            source,
            about,
            people: People::default(),
            timely: false,
            began_ms: now_ms,
            due_ms: now_ms,
            thanked: false,
        }
    }

    pub(crate) const fn gifts(&self) -> Option<&Gifts> {
        match &self.about {
            About::Gifts(gifts) => Some(gifts),
            _ => None,
        }
    }

    /// How many were given, as far as it is known.
    pub(crate) fn given(&self) -> u32 {
        self.gifts().map_or(0, |gifts| gifts.announced.max(self.people.count()))
    }

    /// How many of those that were announced have nobody's name yet.
    pub(crate) fn outstanding(&self) -> u32 {
        self.gifts().map_or(0, |gifts| gifts.announced.saturating_sub(self.people.count()))
    }

    /// How many came without being announced.
    pub(crate) fn unannounced(&self) -> u32 {
        self.gifts().map_or(0, |gifts| self.people.count().saturating_sub(gifts.announced))
    }

    /// Something more has come: it waits a little longer, but not for ever, and not at all when it is complete. What
    /// was thanked for is only remembered.
    pub(crate) fn touch(&mut self, window: Window, now_ms: u64) {
        if self.thanked {
            return;
        }
        let is_complete = self.gifts().is_some_and(|gifts| gifts.announced > 0) && self.outstanding() == 0;
        self.due_ms = if is_complete { now_ms } else { window.end(self.began_ms, now_ms) };
    }

    /// It was thanked for and is remembered a while.
    pub(crate) const fn thanked(&mut self, now_ms: u64) {
        self.thanked = true;
        self.remember(now_ms);
    }

    pub(crate) const fn remember(&mut self, now_ms: u64) {
        self.due_ms = now_ms.saturating_add(REMEMBERED_MS);
    }

    /// A clock that was set back does not keep anybody waiting.
    pub(crate) const fn is_due(&self, now_ms: u64) -> bool {
        now_ms >= self.due_ms || now_ms < self.began_ms
    }
}

impl Window {
    fn end(self, began_ms: u64, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.quiet_ms).min(began_ms.saturating_add(self.longest_ms).max(now_ms))
    }
}
