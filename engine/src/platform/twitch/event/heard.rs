//! Which messages came lately. Twitch delivers at least once, and on two sockets while one takes over from the other.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Messages older than ten minutes are refused by those who read the socket.
const REPEATED_WITHIN: Duration = Duration::from_secs(11 * 60);
/// So many at most, without lines of chat, which have ids of their own.
const REMEMBERED: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct Heard {
    known: HashSet<String>,
    order: VecDeque<(Instant, String)>,
}

impl Heard {
    pub(super) fn is_new(&mut self, message_id: &str, now: Instant) -> bool {
        while let Some((at, _)) = self.order.front()
            && (*at + REPEATED_WITHIN <= now || self.order.len() > REMEMBERED)
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        // What has no id can't be told from another.
        if message_id.is_empty() {
            return true;
        }
        let is_new = self.known.insert(message_id.to_owned());
        if is_new {
            self.order.push_back((now, message_id.to_owned()));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_known_for_as_long_as_it_may_come() {
        let (mut heard, now) = (Heard::default(), Instant::now());
        assert!(heard.is_new("m1", now));
        assert!(!heard.is_new("m1", now + Duration::from_secs(600)));
        assert!(heard.is_new("m1", now + REPEATED_WITHIN));
        assert!(heard.is_new("", now) && heard.is_new("", now));
    }

    #[test]
    fn it_stays_bounded() {
        let (mut heard, now) = (Heard::default(), Instant::now());
        for number in 0..REMEMBERED * 2 {
            assert!(heard.is_new(&number.to_string(), now));
        }
        assert!(!heard.is_new(&REMEMBERED.to_string(), now), "the newest are known");
        assert!(heard.is_new("0", now), "the oldest are not");
        assert!(heard.known.len() <= REMEMBERED + 1 && heard.order.len() == heard.known.len());
    }
}
