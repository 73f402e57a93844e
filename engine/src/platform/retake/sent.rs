//! The lines that we sent ourselves, so that they are known when they come back.
//!
//! Our own messages are known by our user id. The first generation of the service does not tell the sender's id,
//! and a name is no identity: anybody can take ours. So there the id of the message decides that the answer to
//! sending told us, and where there was none, the text, once for each time that it was sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines remembered; the platform shows a line within a second or two.
const CAPACITY: usize = 256;
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
            lines.lines.pop_front();
        }
        Ticket(number)
    }

    pub(super) fn confirm(&self, ticket: Ticket, message_id: Option<&str>) {
        if let Some(line) = self.lock().lines.iter_mut().find(|line| line.number == ticket.0) {
            line.message_id = message_id.map(str::to_owned);
        }
    }

    /// It never reached the platform, so nothing will come back.
    pub(super) fn withdraw(&self, ticket: Ticket) {
        self.lock().lines.retain(|line| line.number != ticket.0);
    }

    pub(super) fn knows_id(&self, message_id: &str) -> bool {
        self.lock().lines.iter().any(|line| line.message_id.as_deref() == Some(message_id))
    }

    /// Whether a line whose sender is unknown is the echo of ours; `message_id` is its id, where it has one.
    pub(super) fn take_echo(&self, message_id: Option<&str>, text: &str, now_ms: u64) -> bool {
        let mut lines = self.lock();
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
                if line.message_id.is_none() {
                    line.message_id = message_id.map(str::to_owned);
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
}
