//! What all connections of the config share: the memory of messages, and the grouping of events that belong together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::event::{Normalizer, Notice};
use super::eventsub::Seen;
use crate::event::{Channel, Draft, Event, now_ms};
use crate::platform::sent::Sent;

/// Longer than anything is held back.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Shared {
    seen: Mutex<Seen>,
    /// What the bot said in the name of a person.
    pub(super) sent: Sent,
    normalizer: Mutex<Normalizer>,
    /// Sessions that run.
    sessions: AtomicUsize,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            seen: Mutex::default(),
            sent: Sent::default(),
            normalizer: Mutex::new(Normalizer::new()),
            sessions: AtomicUsize::new(0),
        }
    }

    /// A session begins; [`Self::end_session`] belongs to it.
    pub(super) fn begin_session(&self) {
        self.sessions.fetch_add(1, Ordering::AcqRel);
    }

    /// What waits for its group and waits in vain: all that is held back, when it was the last session. Until then the
    /// others may bring the rest, and tell in time what has none.
    pub(super) fn end_session(&self) -> Vec<Draft> {
        match self.sessions.fetch_sub(1, Ordering::AcqRel) {
            ..=1 => self.due(Instant::now() + FOR_EVER),
            _ => Vec::new(),
        }
    }

    /// Whether the message comes for the first time, on whichever connection.
    pub(super) fn is_new(&self, message_id: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(message_id, Instant::now())
    }

    /// Whether it is a line of the bot's in the name of this user.
    pub(super) fn is_echo(&self, user_id: &str, draft: &Draft) -> bool {
        match &draft.event {
            Event::Chat(chat) if chat.author.id == user_id => {
                self.sent.knows_id(&chat.id) || self.sent.take_echo(Some(&chat.id), &chat.text, now_ms())
            }
            _ => false,
        }
    }

    pub(super) fn read(&self, channel: &Channel, own: &str, notice: &Notice<'_>) -> Vec<Draft> {
        self.normalizer().read(channel, own, notice, Instant::now())
    }

    /// What was held back long enough.
    pub(super) fn due(&self, now: Instant) -> Vec<Draft> {
        self.normalizer().due(now)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.normalizer().next_due()
    }

    fn normalizer(&self) -> MutexGuard<'_, Normalizer> {
        // What it holds back is whole at any time.
        self.normalizer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_held_back_outlives_all_sessions_but_the_last() {
        let shared = Shared::new();
        let channel = Channel::new("twitch", "1337");
        let event = json!({ "user_id": "7", "user_login": "gina", "user_name": "Gina", "total": 3, "tier": "1000" });
        let (topic, version) = ("channel.subscription.gift", "1");
        [(); 2].iter().for_each(|()| shared.begin_session());
        let notice = Notice { message_id: "m1", topic, version, at_ms: 1, event: &event };
        assert!(shared.read(&channel, "", &notice).is_empty(), "its names are to come");
        assert!(shared.end_session().is_empty());
        assert!(shared.next_due().is_some());
        let told = shared.end_session();
        assert!(matches!(told.as_slice(), [Draft { event: Event::Gift(_), .. }]), "{told:?}");
    }
}
