//! Who wrote what lately. The service mutes and blocks the author of a message, and asks for the message, not for a
//! name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Authors of all channels that are kept at least; twice as many at most.
const KEPT: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Author {
    /// The username as it is written.
    pub login: String,
    /// The message of theirs that was heard last.
    pub message_id: String,
}

/// By the id of the channel and of the user.
type Known = HashMap<(Arc<str>, String), Author>;

/// Shared by the half that hears messages and the half that needs them. Who has written lately is in `young`; when that
/// is full, it takes the place of `old`, and with that the most silent are forgotten.
#[derive(Debug, Default)]
pub(super) struct Authors {
    known: Mutex<(Known, Known)>,
}

impl Authors {
    pub(super) fn wrote(&self, channel: &Arc<str>, user_id: &str, author: Author) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *known;
        young.insert((Arc::clone(channel), user_id.to_owned()), author);
        if young.len() >= KEPT {
            *old = std::mem::take(young);
        }
    }

    pub(super) fn find(&self, channel: &Arc<str>, user_id: &str) -> Option<Author> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(channel), user_id.to_owned());
        known.0.get(&key).or_else(|| known.1.get(&key)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(message_id: &str) -> Author {
        Author { login: "Alice".into(), message_id: message_id.into() }
    }

    #[test]
    fn the_last_message_in_each_channel_is_known() {
        let authors = Authors::default();
        let (one, two): (Arc<str>, Arc<str>) = ("one".into(), "two".into());
        authors.wrote(&one, "alice", author("m1"));
        authors.wrote(&two, "alice", author("m2"));
        authors.wrote(&one, "alice", author("m3"));
        assert_eq!(authors.find(&one, "alice"), Some(author("m3")));
        assert_eq!(authors.find(&two, "alice"), Some(author("m2")));
        assert_eq!(authors.find(&two, "bob"), None);
    }

    #[test]
    fn who_is_silent_is_forgotten_and_who_speaks_is_not() {
        let authors = Authors::default();
        let channel: Arc<str> = "one".into();
        for number in 0..KEPT * 3 {
            authors.wrote(&channel, &number.to_string(), author("m"));
            authors.wrote(&channel, "talker", author("t"));
        }
        assert_eq!(authors.find(&channel, "0"), None);
        assert_eq!(authors.find(&channel, "talker"), Some(author("t")));
        let (young, old) = &*authors.known.lock().unwrap();
        assert!(young.len() + old.len() <= 2 * KEPT && old.len() == KEPT);
    }
}
