//! Whose messages were cleared, and by what.
//!
//! The chat says only that somebody's messages are gone; a ban or a timeout says more, in a topic that not everybody
//! may read. So the poorer news waits a little for the richer, and is told where none comes.

use std::time::Duration;

use tokio::time::Instant;

use super::deduplicator::WINDOW;
use crate::event::Draft;

/// How long a clearing waits for the ban or the timeout that caused it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of each, the oldest is given up for the newest: more in a minute is a raid of bots.
const REMEMBERED: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct ClearedMessages {
    /// Who was banned or timed out lately, without a clearing that belongs to it.
    causes: Vec<(Instant, String)>,
    waiting: Vec<(Instant, String, Draft)>,
}

impl ClearedMessages {
    /// Somebody was banned or timed out, which is told.
    pub(super) fn cause(&mut self, user_id: String, now: Instant) {
        self.causes.retain(|(at, _)| *at + WINDOW > now);
        match self.waiting.iter().position(|(_, waiting, _)| *waiting == user_id) {
            Some(index) => {
                self.waiting.remove(index);
            }
            None => {
                if self.causes.len() >= REMEMBERED {
                    self.causes.remove(0);
                }
                self.causes.push((now, user_id));
            }
        }
    }

    /// Somebody's messages were cleared. Returns what has to give way for want of room.
    pub(super) fn clear(&mut self, user_id: String, draft: Draft, now: Instant) -> Option<Draft> {
        self.causes.retain(|(at, _)| *at + WINDOW > now);
        if let Some(index) = self.causes.iter().position(|(_, cause)| *cause == user_id) {
            self.causes.remove(index);
            return None;
        }
        let given_up = (self.waiting.len() >= REMEMBERED).then(|| self.waiting.remove(0).2);
        self.waiting.push((now + PATIENCE, user_id, draft));
        given_up
    }

    /// Those that waited in vain.
    pub(super) fn take_due(&mut self, now: Instant, drafts: &mut Vec<Draft>) {
        drafts.extend(self.waiting.extract_if(.., |(until, ..)| *until <= now).map(|(.., draft)| draft));
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.iter().map(|(until, ..)| *until).min()
    }
}
