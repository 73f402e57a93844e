//! The lines that we sent ourselves, so that they are known when they come back.
//!
//! An account that is the bot's alone is known by its user id. Where the sender's id is not told, as in the first
//! generation of retake.tv, or where the bot speaks as a person who writes, too, the id of the message decides that the
//! answer to sending told us, and where there was none, the text, once for each time that it was sent.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines whose text is remembered; the platform shows a line within a second or two.
const CAPACITY: usize = 256;
/// Ids remembered. Sending needs no socket, so a whole outage's worth of answers may be met again in the history.
const IDS: usize = 4096;
/// A text that comes back later than this is somebody else's.
const ECHO_MS: u64 = 60_000;

#[derive(Debug)]
struct Line {
    number: u64,
    text: String,
    message_id: Option<String>,
    at_ms: u64,
    /// Its echo came, so its text is used up.
    was_echoed: bool,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<Line>,
    count: u64,
    ids: Ids,
}

/// A set that forgets its oldest.
#[derive(Debug, Default)]
struct Ids {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Ids {
    fn insert(&mut self, id: &str) {
        let id: Arc<str> = id.into();
        if !self.known.insert(Arc::clone(&id)) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// Shared by the half that sends and the half that listens.
#[derive(Debug, Default)]
pub(super) struct Sent {
    lines: Mutex<Lines>,
}

/// Names a line while it is being sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

impl Sent {
    /// To be called before sending: the echo may come sooner than the answer.
    pub(super) fn begin(&self, text: &str, now_ms: u64) -> Ticket {
        let mut lines = self.lock();
        lines.count += 1;
        let number = lines.count;
        lines.lines.push_back(Line {
            number,
            text: text.to_owned(),
            message_id: None,
            at_ms: now_ms,
            was_echoed: false,
        });
        if lines.lines.len() > CAPACITY {
            // One whose id is known can do without its text. One whose sending was cut has nothing else.
            let forgettable = lines.lines.iter().position(|line| line.message_id.is_some()).unwrap_or(0);
            lines.lines.remove(forgettable);
        }
        Ticket(number)
    }

    pub(super) fn confirm(&self, ticket: Ticket, message_id: Option<&str>) {
        let mut lines = self.lock();
        if let Some(message_id) = message_id {
            lines.ids.insert(message_id);
        }
        if let Some(line) = lines.lines.iter_mut().find(|line| line.number == ticket.0) {
            line.message_id = message_id.map(str::to_owned);
        }
    }

    /// It never reached the platform, so nothing will come back.
    pub(super) fn withdraw(&self, ticket: Ticket) {
        self.lock().lines.retain(|line| line.number != ticket.0);
    }

    pub(super) fn knows_id(&self, message_id: &str) -> bool {
        self.lock().ids.known.contains(message_id)
    }

    /// Whether a line whose sender is unknown is the echo of ours; `message_id` is its id, where it has one.
    pub(super) fn take_echo(&self, message_id: Option<&str>, text: &str, now_ms: u64) -> bool {
        let mut guard = self.lock();
        let lines = &mut *guard;
        let is_echo = |line: &&mut Line| {
            let may_be_ours = match (&line.message_id, message_id) {
                (Some(sent), Some(heard)) => sent == heard,
                _ => true,
            };
            may_be_ours && !line.was_echoed && line.text == text.trim() && now_ms.abs_diff(line.at_ms) <= ECHO_MS
        };
        match lines.lines.iter_mut().find(is_echo) {
            Some(line) => {
                line.was_echoed = true;
                if line.message_id.is_none()
                    && let Some(message_id) = message_id
                {
                    line.message_id = Some(message_id.to_owned());
                    lines.ids.insert(message_id);
                }
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_once() {
        let sent = Sent::default();
        sent.begin("gm", 1000);
        assert!(sent.take_echo(None, "gm", 1500));
        assert!(!sent.take_echo(None, "gm", 1500), "the second is a viewer who repeats it");
        assert!(!sent.take_echo(None, "gn", 1500));
    }

    #[test]
    fn ids_decide_where_both_are_known() {
        let sent = Sent::default();
        let ticket = sent.begin("gm", 1000);
        sent.confirm(ticket, Some("m1"));
        assert!(!sent.take_echo(Some("m2"), "gm", 1500));
        assert!(sent.take_echo(Some("m1"), "gm", 1500));
        assert!(sent.knows_id("m1") && !sent.knows_id("m2"));
    }

    #[test]
    fn an_echo_before_the_answer_teaches_the_id() {
        let sent = Sent::default();
        let ticket = sent.begin("gm", 1000);
        assert!(sent.take_echo(Some("m1"), "gm", 1001));
        assert!(sent.knows_id("m1"));
        sent.confirm(ticket, Some("m1"));
        assert!(sent.knows_id("m1"));
    }

    #[test]
    fn what_was_not_sent_or_long_ago_is_not_expected() {
        let sent = Sent::default();
        sent.withdraw(sent.begin("gm", 1000));
        assert!(!sent.take_echo(None, "gm", 1001));
        sent.begin("gn", 1000);
        assert!(!sent.take_echo(None, "gn", 1001 + ECHO_MS));
        for number in 0..1000 {
            sent.begin(&number.to_string(), 1000);
        }
        assert_eq!(sent.lock().lines.len(), CAPACITY);
    }

    #[test]
    fn the_ids_of_a_long_outage_are_still_known_after_it() {
        let sent = Sent::default();
        for number in 0..=IDS {
            let ticket = sent.begin("gm", 1000);
            sent.confirm(ticket, Some(&number.to_string()));
        }
        assert!(!sent.knows_id("0"), "the oldest was forgotten");
        assert!((1..=IDS).all(|number| sent.knows_id(&number.to_string())));
        assert_eq!(sent.lock().ids.order.len(), IDS);
    }

    #[test]
    fn a_line_that_was_cut_is_known_after_many_that_were_not() {
        let sent = Sent::default();
        sent.begin("cut", 1000);
        for number in 0..=CAPACITY {
            let ticket = sent.begin("gm", 1000);
            sent.confirm(ticket, Some(&number.to_string()));
        }
        assert_eq!(sent.lock().lines.len(), CAPACITY);
        assert!(sent.take_echo(Some("m1"), "cut", 2000));
    }
}
