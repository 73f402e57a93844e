//! What a session does about gaps: it notes them, has them looked up, and tells what was missed.

use super::Session;
use super::look_ups::Found;
use super::missed::{Missed, What};
use crate::platform::twitch::event::Notice;

impl Session<'_> {
    /// Looks up what can be told live from now on, and notes what goes by unheard until then.
    pub(super) fn look_after_gaps(&mut self) {
        let now_ms = self.clock.now_ms();
        for channel in &self.source.listening.channels {
            for what in What::ALL {
                let gap = (channel.clone(), what);
                let wanted = || what.topics().iter().filter(|topic| self.subscriptions.wants(channel, topic));
                let is_heard = wanted().all(|topic| self.subscriptions.is_confirmed(channel, topic));
                if is_heard && wanted().next().is_some() {
                    self.look_ups.begin(&gap, self.source.memory.gap(&gap));
                } else if wanted().any(|topic| self.subscriptions.is_interrupted(channel, topic)) {
                    self.look_ups.interrupt(&gap);
                    self.source.memory.note_gap(&gap, now_ms);
                }
            }
        }
    }

    pub(super) fn tell_missed(&mut self, found: Found) {
        let Found { gap, is_closed, missed } = found;
        if is_closed {
            self.source.memory.close_gap(&gap);
        }
        // Reading tells what is due, too, and only what was missed is late.
        self.emit_due();
        let count = missed.len();
        for missed in missed {
            match missed {
                Missed::Event(draft) => self.link.emit(*draft),
                Missed::Notice { channel, topic, .. } if !self.subscriptions.wants(&channel, topic) => {}
                Missed::Notice { channel, topic, version, id, at_ms, event } => {
                    let at_ms = at_ms.unwrap_or_else(|| self.clock.now_ms());
                    let notice = Notice { message_id: &id, topic, version, at_ms, event: &event };
                    for draft in self.read(&channel, &notice) {
                        self.link.emit(draft.late());
                    }
                }
            }
        }
        if count > 0 {
            tracing::debug!(count, "Events that were missed were looked up.");
        }
    }
}
