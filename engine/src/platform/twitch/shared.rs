//! What all connections of the config share: the memory of messages, and the grouping of events that belong together.

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
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { seen: Mutex::default(), sent: Sent::default(), normalizer: Mutex::new(Normalizer::new()) }
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

    /// All that is held back.
    pub(super) fn all_due(&self) -> Vec<Draft> {
        self.due(Instant::now() + FOR_EVER)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.normalizer().next_due()
    }

    fn normalizer(&self) -> MutexGuard<'_, Normalizer> {
        // What it holds back is whole at any time.
        self.normalizer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
