//! What was told already. Twitch tells of one happening in several topics, in any order, and which of them come depends
//! on what was granted; each happening goes on once, whichever topic is first.
//!
//! Topics have no id in common, so they are matched by what they say. When the same happens twice, each topic tells it
//! twice: the second telling of one topic is the second happening, and what another topic has not told of yet is
//! matched with the oldest of those. So nothing is lost where two things are equal, and nothing is told twice where
//! topics are not even.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Topics are this far apart at most. Twitch sends them within seconds.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Happenings remembered for one channel; the oldest is forgotten first. No channel has as many in a minute.
const REMEMBERED: usize = 4096;

/// Which topic told of something, where several do: one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Topic(u8);

impl Topic {
    /// The chat, which shows most of what the alerts tell.
    pub(super) const CHAT: Self = Self(1);

    pub(super) fn of(topic: &str) -> Self {
        match topic {
            "channel.chat.notification" => Self::CHAT,
            "channel.moderate" => Self(2),
            "channel.bits.use" => Self(4),
            // A happening has one topic of its own at most.
            _ => Self(8),
        }
    }
}

/// The topics that told of one happening.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TopicSet(u8);

impl TopicSet {
    pub(super) fn add(&mut self, topic: Topic) {
        self.0 |= topic.0;
    }

    pub(super) fn has(self, topic: Topic) -> bool {
        self.0 & topic.0 != 0
    }
}

#[derive(Debug, Default)]
pub(super) struct Deduplicator {
    /// By what happened, oldest first.
    known: HashMap<String, VecDeque<Telling>>,
    order: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
struct Telling {
    at: Instant,
    topics: TopicSet,
}

impl Deduplicator {
    /// Notes that `topic` told of `happening`, and says whether it is news.
    pub(super) fn is_news(&mut self, happening: String, topic: Topic, now: Instant) -> bool {
        self.forget(now);
        let tellings = self.known.entry(happening.clone()).or_default();
        if let Some(telling) = tellings.iter_mut().find(|telling| !telling.topics.has(topic)) {
            telling.topics.add(topic);
            return false;
        }
        let mut topics = TopicSet::default();
        topics.add(topic);
        tellings.push_back(Telling { at: now, topics });
        self.order.push_back((now, happening));
        true
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front()
            && (*at + WINDOW <= now || self.order.len() > REMEMBERED)
            && let Some((at, happening)) = self.order.pop_front()
        {
            let Some(tellings) = self.known.get_mut(&happening) else { continue };
            tellings.pop_front_if(|telling| telling.at == at);
            if tellings.is_empty() {
                self.known.remove(&happening);
            }
        }
    }
}
