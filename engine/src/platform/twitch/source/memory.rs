//! What is known of a channel while it is heard, so that after a gap it shows what has changed.
//!
//! It outlives the sources: what was not looked up when an account was taken away is the business of the one that takes
//! its place.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::missed::{Gap, What};
use crate::event::Channel;

/// So long after an end was found out Twitch may still tell it.
const BELATED: Duration = Duration::from_secs(60);

/// By channel; shared by the reading of events and the look-ups that run beside it.
#[derive(Debug, Default)]
pub struct Memory {
    channels: Mutex<HashMap<Channel, Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Their user ids; `None` while they are not known, or too many.
    subscribers: Option<HashSet<String>>,
    /// Who came since the list was asked for; `None` while it is not.
    joined: Option<Vec<String>>,
    stream: Stream,
    /// When a look-up found out that it had ended, while that is the last that was heard of it.
    end_found: Option<Instant>,
    /// Counts what was heard of the stream, so that an older answer does not count for news.
    stream_events: u64,
    /// From when on something may have been missed, by Twitch's clock, until it was looked up.
    missed_since: HashMap<What, u64>,
}

/// How a stream stands; what is not known of it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stream {
    pub(super) state: State,
    pub(super) title: String,
    pub(super) category_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Nothing was heard of it yet.
    #[default]
    Unknown,
    Offline,
    Live {
        id: String,
    },
}

impl State {
    pub(super) fn live_id(&self) -> Option<&str> {
        match self {
            Self::Live { id } => Some(id),
            Self::Unknown | Self::Offline => None,
        }
    }
}

impl Memory {
    /// A run that was killed may have missed whatever happened since then, by Twitch's clock.
    pub fn missed_since(&self, channel: &Channel, since_ms: u64) {
        for what in What::ALL {
            self.note_gap(&(channel.clone(), what), since_ms);
        }
    }

    /// Forgets what nobody listens to any more: when it is listened to again, the time between is no gap. Without
    /// `types` of subscriptions it is all of these channels.
    pub fn keep_to(&self, channels: &[String], types: Option<&[String]>) {
        let is_told = |what: &What| {
            types.is_none_or(|types| what.topics().iter().any(|topic| types.iter().any(|name| name == topic)))
        };
        let mut known = self.channels();
        known.retain(|channel, _| channels.iter().any(|id| **id == *channel.id));
        known.values_mut().for_each(|known| known.missed_since.retain(|what, _| is_told(what)));
    }

    /// What an earlier gap cost, and was not looked up yet, is part of this one.
    pub(super) fn note_gap(&self, (channel, what): &Gap, since_ms: u64) {
        self.with(channel, |known| *known.missed_since.entry(*what).or_insert(since_ms));
    }

    pub(super) fn gap(&self, (channel, what): &Gap) -> Option<u64> {
        self.with(channel, |known| known.missed_since.get(what).copied())
    }

    pub(super) fn close_gap(&self, (channel, what): &Gap) {
        self.with(channel, |known| known.missed_since.remove(what));
    }

    /// Whether the event tells the end of a stream that a look-up told already: live it has no id to know it by. To be
    /// asked before it is heard.
    pub(super) fn is_told(&self, channel: &Channel, topic: &str) -> bool {
        topic == "stream.offline"
            && self.with(channel, |known| known.end_found.is_some_and(|found| found.elapsed() < BELATED))
    }

    /// A look-up tells the end of the stream.
    pub(super) fn tell_end(&self, channel: &Channel) {
        self.with(channel, |known| known.end_found = Some(Instant::now()));
    }

    /// Takes note of a live event.
    pub(super) fn hear(&self, channel: &Channel, topic: &str, event: &Value) {
        let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
        match topic {
            "channel.subscribe" | "channel.subscription.message" => self.with(channel, |known| {
                let user_id = text("user_id").to_owned();
                if let Some(joined) = &mut known.joined {
                    joined.push(user_id.clone());
                }
                if let Some(subscribers) = &mut known.subscribers {
                    subscribers.insert(user_id);
                }
            }),
            "channel.subscription.end" => self.with(channel, |known| {
                if let Some(joined) = &mut known.joined {
                    joined.retain(|user_id| user_id != text("user_id"));
                }
                if let Some(subscribers) = &mut known.subscribers {
                    subscribers.remove(text("user_id"));
                }
            }),
            "stream.online" => self.with(channel, |known| {
                known.stream_events += 1;
                known.end_found = None;
                known.stream.state = State::Live { id: text("id").to_owned() };
            }),
            "stream.offline" => self.with(channel, |known| {
                known.stream_events += 1;
                known.end_found = None;
                known.stream.state = State::Offline;
            }),
            "channel.update" => self.with(channel, |known| {
                known.stream_events += 1;
                text("title").clone_into(&mut known.stream.title);
                text("category_id").clone_into(&mut known.stream.category_id);
            }),
            _ => {}
        }
    }

    /// To be called before the list of subscribers is asked for; one of the three that follow belongs to it.
    pub(super) fn begin_subscribers(&self, channel: &Channel) {
        self.with(channel, |known| known.joined = Some(Vec::new()));
    }

    /// The list can't be had now.
    pub(super) fn leave_subscribers(&self, channel: &Channel) {
        self.with(channel, |known| known.joined = None);
    }

    /// Takes the whole list and returns those who were not known; none when nobody was known before.
    pub(super) fn take_subscribers(&self, channel: &Channel, listed: &[&str]) -> HashSet<String> {
        self.with(channel, |known| {
            let mut now: HashSet<String> = listed.iter().map(|user_id| (*user_id).to_owned()).collect();
            let new = known.subscribers.as_ref().map(|before| now.difference(before).cloned().collect());
            // Who came meanwhile may not be on the list yet.
            now.extend(known.joined.take().into_iter().flatten());
            known.subscribers = Some(now);
            new.unwrap_or_default()
        })
    }

    /// There are too many to keep.
    pub(super) fn forget_subscribers(&self, channel: &Channel) {
        self.with(channel, |known| (known.subscribers, known.joined) = (None, None));
    }

    /// To be called before the stream is asked for; what it returns belongs to [`Self::take_stream`].
    pub(super) fn begin_stream(&self, channel: &Channel) -> u64 {
        self.with(channel, |known| known.stream_events)
    }

    /// Takes the stream as it is now and returns how it was; `None` when something newer was heard meanwhile.
    pub(super) fn take_stream(&self, channel: &Channel, began: u64, stream: &Stream) -> Option<Stream> {
        self.with(channel, |known| {
            let is_newest = known.stream_events == began;
            is_newest.then(|| std::mem::replace(&mut known.stream, stream.clone()))
        })
    }

    fn with<Result>(&self, channel: &Channel, change: impl FnOnce(&mut Known) -> Result) -> Result {
        change(self.channels().entry(channel.clone()).or_default())
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Channel, Known>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn channel() -> Channel {
        Channel::new("twitch", "1337")
    }

    #[test]
    fn only_who_was_not_there_before_is_new() {
        let memory = Memory::default();
        let new = |listed: &[&str]| {
            memory.begin_subscribers(&channel());
            let mut new: Vec<String> = memory.take_subscribers(&channel(), listed).into_iter().collect();
            new.sort();
            new
        };
        assert!(new(&["1", "2"]).is_empty(), "nobody was known");
        memory.hear(&channel(), "channel.subscribe", &json!({ "user_id": "3" }));
        memory.hear(&channel(), "channel.subscription.end", &json!({ "user_id": "1" }));
        assert_eq!(new(&["1", "2", "3", "4"]), ["1", "4"]);
        assert!(new(&["1", "2", "3", "4"]).is_empty());
    }

    #[test]
    fn who_comes_while_the_list_is_read_is_not_new_later() {
        let memory = Memory::default();
        memory.begin_subscribers(&channel());
        memory.hear(&channel(), "channel.subscribe", &json!({ "user_id": "3" }));
        memory.take_subscribers(&channel(), &["1"]);
        memory.begin_subscribers(&channel());
        assert!(memory.take_subscribers(&channel(), &["1", "3"]).is_empty());
    }

    #[test]
    fn who_comes_is_noted_only_while_the_list_is_read() {
        let memory = Memory::default();
        let count = || memory.with(&channel(), |known| known.joined.as_ref().map(Vec::len));
        let join = || memory.hear(&channel(), "channel.subscribe", &json!({ "user_id": "3" }));
        join();
        assert_eq!(count(), None);
        for end in [Memory::leave_subscribers, Memory::forget_subscribers] {
            memory.begin_subscribers(&channel());
            join();
            assert_eq!(count(), Some(1));
            end(&memory, &channel());
            assert_eq!(count(), None);
        }
        memory.begin_subscribers(&channel());
        memory.take_subscribers(&channel(), &[]);
        join();
        assert_eq!(count(), None);
    }

    #[test]
    fn a_gap_stays_until_it_was_looked_up_or_nobody_listens_any_more() {
        let memory = Memory::default();
        let of = |what| (channel(), what);
        memory.missed_since(&channel(), 5);
        memory.note_gap(&of(What::Followers), 9);
        assert_eq!(memory.gap(&of(What::Followers)), Some(5));
        memory.close_gap(&of(What::Followers));
        memory.note_gap(&of(What::Followers), 9);
        memory.keep_to(&["1337".into()], Some(&["channel.follow".into()]));
        assert_eq!((memory.gap(&of(What::Followers)), memory.gap(&of(What::Stream))), (Some(9), None));
        memory.keep_to(&["7".into()], None);
        assert_eq!(memory.gap(&of(What::Followers)), None);
    }

    #[test]
    fn an_answer_that_is_older_than_an_event_counts_for_nothing() {
        let memory = Memory::default();
        let began = memory.begin_stream(&channel());
        memory.hear(&channel(), "stream.online", &json!({ "id": "s1" }));
        assert_eq!(memory.take_stream(&channel(), began, &Stream::default()), None);
        let began = memory.begin_stream(&channel());
        let before = memory.take_stream(&channel(), began, &Stream::default()).unwrap();
        assert_eq!(before.state.live_id(), Some("s1"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_was_looked_up_is_told_once() {
        let memory = Memory::default();
        let is_told = || memory.is_told(&channel(), "stream.offline");
        assert!(!is_told());
        memory.tell_end(&channel());
        assert!(is_told() && !memory.is_told(&channel(), "stream.online"));
        memory.hear(&channel(), "stream.offline", &json!({}));
        assert!(!is_told(), "the next is another one");
        memory.tell_end(&channel());
        memory.hear(&channel(), "stream.online", &json!({ "id": "s2" }));
        assert!(!is_told());
        memory.tell_end(&channel());
        tokio::time::advance(BELATED).await;
        assert!(!is_told(), "nobody told that one began meanwhile");
    }

    #[test]
    fn a_title_says_nothing_of_whether_the_stream_is_live() {
        let memory = Memory::default();
        memory.hear(&channel(), "channel.update", &json!({ "title": "gm" }));
        let before = memory.take_stream(&channel(), memory.begin_stream(&channel()), &Stream::default()).unwrap();
        assert_eq!((before.state, &*before.title), (State::Unknown, "gm"));
    }
}
