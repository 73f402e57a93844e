//! Turns what the gateway said into drafts, each in its channel, and knows which lines are our own.

use std::collections::HashSet;
use std::sync::Arc;

use super::PLATFORM;
use super::authors::{Author, Authors};
use super::wire::{Parsed, user_id};
use crate::event::{Channel, ChatMessage, Draft, Event, Origin, now_ms};

/// Channels that are not ours and were told of. A bot may be installed anywhere, by anybody.
const MOST_STRANGE: usize = 64;

pub(super) struct Reader {
    channels: Vec<Channel>,
    bot_id: String,
    authors: Arc<Authors>,
    /// Channels whose events are dropped, each told once; empty for events that name none.
    strange: HashSet<String>,
}

impl Reader {
    pub(super) fn new(channels: Vec<Channel>, bot: &str, authors: Arc<Authors>) -> Self {
        Self { channels, bot_id: user_id(bot), authors, strange: HashSet::new() }
    }

    /// `None` for what happened in a channel that is none of ours.
    pub(super) fn draft(&mut self, parsed: Parsed) -> Option<Draft> {
        let channel = self.channel(parsed.channel.as_deref())?;
        let own = self.is_own(&parsed.event);
        if let Event::Chat(message) = &parsed.event
            && !own
            && !message.id.is_empty()
        {
            let author = Author { login: message.author.login.clone(), message_id: message.id.clone() };
            self.authors.wrote(&channel.id, &message.author.id, author);
        }
        let now_ms = now_ms();
        Some(Draft {
            // Nothing is ever sent again, so what has no id can be no repeat.
            id: parsed.id.map(|id| format!("{PLATFORM}:{id}").into()),
            // The service's clock may be ahead; what happened has happened.
            at_ms: parsed.at_ms.unwrap_or(now_ms).min(now_ms),
            origin: if parsed.is_fake { Origin::Test } else { Origin::Live },
            extra: parsed.extra,
            own,
            ..Draft::new(channel, now_ms, parsed.event)
        })
    }

    /// The line of our own that a draft is.
    pub(super) fn own_line(draft: &Draft) -> Option<&ChatMessage> {
        match &draft.event {
            Event::Chat(message) if draft.own => Some(message),
            _ => None,
        }
    }

    /// Who comes and goes is told of the bot too, and nobody greets himself.
    pub(super) fn is_own(&self, event: &Event) -> bool {
        let is_told = matches!(event, Event::Chat(_) | Event::Whisper(_) | Event::Presence(_));
        is_told && event.actor().is_some_and(|actor| actor.id == self.bot_id)
    }

    /// What names no channel can only be of the one there is.
    fn channel(&mut self, id: Option<&str>) -> Option<Channel> {
        let channel = match (id, self.channels.as_slice()) {
            (None, [only]) => Some(only.clone()),
            (None, _) => None,
            (Some(id), channels) => channels.iter().find(|channel| *channel.id == *id).cloned(),
        };
        if channel.is_none() {
            self.tell_strange(id.unwrap_or_default());
        }
        channel
    }

    fn tell_strange(&mut self, id: &str) {
        if self.strange.len() >= MOST_STRANGE || !self.strange.insert(id.to_owned()) {
            return;
        }
        if id.is_empty() {
            tracing::warn!("Joystick events that name no channel are dropped, as there are several in [joystick].");
        } else {
            tracing::warn!(channel = id, "Events of a channel that is not in `channels` of [joystick] are dropped.");
        }
    }
}

#[cfg(test)]
mod tests;
