//! Turns what was read into drafts and hands each of them on exactly once, in order, whichever way it came.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::PLATFORM;
use super::super::history::{Epoch, Gap, GapStart, Seen, Way};
use super::super::wire::{Parsed, read_event};
use crate::config::settings::{RetakeGeneration, RetakeSettings};
use crate::event::{Channel, Draft, Event, now_ms};
use crate::platform::Link;
use crate::platform::sent::Sent;
use crate::platform::socketio::Incoming;

/// Live events that wait for the history at most: a busy chat's worth of the few seconds that it may take.
const MAX_HELD: usize = 1000;

/// Sessions of the stream whose rooms are joined on one connection. Their ids stand in messages, and whoever
/// writes those must not make us join without end.
const MAX_SESSIONS: usize = 8;

pub(super) struct Reader {
    channel: Channel,
    user_id: String,
    sent: Arc<Sent>,
    seen: Seen,
    epoch: Epoch,
    /// From when on a run that was killed may have missed what was said.
    missed_since: Option<u64>,
    /// When the first connection was begun; nothing else from before is told.
    started_ms: Option<u64>,
    /// Where the gap begins that is not filled yet.
    gap: Option<GapStart>,
    /// Live events that wait until the gap is filled. `None` when they are told at once.
    held: Option<Vec<(Way, Parsed)>>,
    /// The sessions of the stream whose rooms were joined on this connection.
    sessions: Vec<String>,
}

impl Reader {
    pub(super) fn new(settings: &RetakeSettings, channel: Channel, sent: Arc<Sent>, missed_since: Option<u64>) -> Self {
        // The first generation names a message only in its history: what was told of it live can't be told apart.
        let missed_since = missed_since.filter(|_| settings.generation == RetakeGeneration::V2);
        Self {
            channel,
            user_id: settings.user_id.clone(),
            sent,
            seen: Seen::default(),
            epoch: 0,
            missed_since,
            started_ms: None,
            gap: None,
            held: None,
            sessions: Vec::new(),
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// What is seen from now on is newer than whatever is missing.
    pub(super) fn begin_connection(&mut self) {
        self.started_ms.get_or_insert_with(now_ms);
        self.epoch += 1;
        self.held = None;
        self.sessions.clear();
        self.open_gap();
    }

    fn open_gap(&mut self) -> GapStart {
        let tells_from_ms = self.missed_since.or(self.started_ms).unwrap_or_else(now_ms);
        *self.gap.get_or_insert_with(|| GapStart::new(&self.seen, self.epoch, tells_from_ms))
    }

    /// What has to be looked for in the history.
    pub(super) fn gap(&mut self) -> Gap {
        Gap::new(self.open_gap())
    }

    /// Keeps live events back until the gap is closed or given up.
    pub(super) fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Takes an event of the socket. Returns a session of the stream that is new.
    pub(super) fn hear(&mut self, event: &Incoming, link: &Link) -> Option<String> {
        if event.name == "joinedRoom" {
            return None;
        }
        let way = if event.name == "tip_received" { Way::Notice } else { Way::Live };
        let mut new_session = None;
        for item in read_event(&event.name, &event.args, &self.channel.id) {
            if let Some(session_id) = &item.session_id
                && !self.sessions.contains(session_id)
                && self.sessions.len() < MAX_SESSIONS
            {
                self.sessions.push(session_id.clone());
                new_session = Some(session_id.clone());
            }
            match &mut self.held {
                Some(held) if held.len() < MAX_HELD => held.push((way, item)),
                Some(_) => {
                    self.release(link);
                    self.tell(item, way, link);
                }
                None => self.tell(item, way, link),
            }
        }
        new_session
    }

    /// Tells what was missed, and then what came meanwhile.
    pub(super) fn close_gap(&mut self, gap: Gap, link: &Link) {
        let missed = gap.finish(&mut self.seen, now_ms());
        if !missed.is_empty() {
            tracing::debug!(channel = %self.channel, count = missed.len(), "Messages were read from the history.");
        }
        for item in missed {
            if self.is_of_this_run(&item) || has_one_name(&item) {
                self.hand_on(item, link);
            }
        }
        self.gap = None;
        // What it missed is told; the next gap begins where this connection ends.
        self.missed_since = None;
        self.release(link);
    }

    fn is_of_this_run(&self, item: &Parsed) -> bool {
        item.at_ms.is_none() || item.at_ms >= self.started_ms
    }

    pub(super) fn give_up_gap(&mut self, link: &Link) {
        self.gap = None;
        self.release(link);
    }

    /// Tells what was held back, and holds nothing back any more.
    pub(super) fn release(&mut self, link: &Link) {
        for (way, item) in self.held.take().unwrap_or_default() {
            self.tell(item, way, link);
        }
    }

    fn tell(&mut self, item: Parsed, way: Way, link: &Link) {
        if self.seen.admit(&item, way, self.epoch, now_ms()) {
            self.hand_on(item, link);
        }
    }

    fn hand_on(&self, item: Parsed, link: &Link) {
        let now_ms = now_ms();
        let own = self.is_own(&item, now_ms);
        link.emit(Draft {
            id: draft_id(&item),
            // The sender's clock may be ahead; what happened has happened.
            at_ms: item.at_ms.unwrap_or(now_ms).min(now_ms),
            extra: item.extra,
            own,
            ..Draft::new(self.channel.clone(), now_ms, item.event)
        });
    }

    /// Our own lines are known by our user id. Where the platform does not tell the sender's id nothing is
    /// compared but what we sent: the id that sending gave, else the text, once for each time that it was sent.
    fn is_own(&self, item: &Parsed, now_ms: u64) -> bool {
        let Event::Chat(chat) = &item.event else {
            return false;
        };
        match &item.sender_id {
            Some(sender_id) => *sender_id == self.user_id,
            None => {
                let message_id = Some(chat.id.as_str()).filter(|id| !id.is_empty());
                message_id.is_some_and(|id| self.sent.knows_id(id))
                    || self.sent.take_echo(message_id, &chat.text, now_ms)
            }
        }
    }
}

/// Whether it would have had the same id, had an earlier run been told of it, so that the journal knows it again. A tip
/// without a transaction may have been told by a notice, which has none.
fn has_one_name(item: &Parsed) -> bool {
    let Some(key) = &item.key else { return false };
    match item.event {
        Event::Chat(_) | Event::Moderation(_) => true,
        Event::Support(_) => key.starts_with("tx:"),
        _ => false,
    }
}

/// The id that the platform gave, else one made of what it is, who did it and when.
fn draft_id(item: &Parsed) -> Option<Arc<str>> {
    if let Some(key) = &item.key {
        return Some(format!("{PLATFORM}:{key}").into());
    }
    let (content, at_ms) = (item.content.as_ref()?, item.at_ms?);
    let digest = Sha256::digest(format!("{content}\0{at_ms}"));
    let short: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{PLATFORM}:h:{short}").into())
}
