//! Twitch's close codes, in words.

use std::fmt;

use crate::web::one_line;

/// How the server closed the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Close {
    /// `None` when it closed without one.
    pub(in super::super) code: Option<u16>,
    reason: String,
}

impl Close {
    pub(super) fn new(code: Option<u16>, reason: &str) -> Self {
        Self { code, reason: one_line(reason) }
    }

    /// We sent something: a bug of ours.
    pub(super) fn blames_us(&self) -> bool {
        self.code == Some(4001)
    }

    /// Nothing is subscribed, or not any more.
    pub(in super::super) fn is_unused(&self) -> bool {
        self.code == Some(4003)
    }

    /// The address that we were sent to is of no use.
    pub(super) fn is_invalid_move(&self) -> bool {
        self.code == Some(4007)
    }

    fn meaning(&self) -> Option<&'static str> {
        Some(match self.code? {
            1000 => "in good order",
            1001 => "it goes away",
            1006 => "without a word",
            1012 => "it restarts",
            4000 => "an error inside of Twitch",
            4001 => "we sent what a client must not send, which is a bug in Showrunner",
            4002 => "a ping was not answered",
            4003 => "nothing is subscribed on it",
            4004 => "the time to move to another address was over",
            4005 => "a timeout in Twitch's network",
            4006 => "an error in Twitch's network",
            4007 => "the address to move to was not valid",
            _ => return None,
        })
    }
}

impl fmt::Display for Close {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.meaning()) {
            (None, _) => formatter.write_str("without a code"),
            (Some(code), Some(meaning)) => write!(formatter, "{meaning} ({code})"),
            (Some(code), None) if self.reason.is_empty() => write!(formatter, "code {code}"),
            (Some(code), None) => write!(formatter, "code {code}, \"{}\"", self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_words_and_an_unknown_one_keeps_its_own() {
        for code in 4000..=4007 {
            let text = Close::new(Some(code), "irrelevant").to_string();
            assert!(text.ends_with(&format!(" ({code})")), "{text}");
        }
        assert_eq!(Close::new(Some(4999), "new\nhere").to_string(), "code 4999, \"newhere\"");
        assert_eq!(Close::new(Some(4999), "").to_string(), "code 4999");
        assert_eq!(Close::new(None, "").to_string(), "without a code");
    }
}
