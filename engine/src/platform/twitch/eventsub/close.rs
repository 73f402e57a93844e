//! Twitch's close codes, in words.

use std::fmt;

/// How the server closed the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Close {
    /// `None` when it closed without one.
    pub(in super::super) code: Option<u16>,
    pub(super) reason: Option<String>,
}

impl Close {
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
        let Some(code) = self.code else { return formatter.write_str("without a code") };
        match (self.meaning(), &self.reason) {
            (Some(meaning), _) => write!(formatter, "{meaning} ({code})"),
            (None, Some(reason)) => write!(formatter, "code {code}, \"{reason}\""),
            (None, None) => write!(formatter, "code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_words_and_an_unknown_one_keeps_its_own() {
        let shown = |code, reason: Option<&str>| Close { code, reason: reason.map(str::to_owned) }.to_string();
        for code in 4000..=4007 {
            let text = shown(Some(code), Some("irrelevant"));
            assert!(text.ends_with(&format!(" ({code})")), "{text}");
        }
        assert_eq!(shown(Some(4999), Some("new here")), "code 4999, \"new here\"");
        assert_eq!(shown(Some(4999), None), "code 4999");
        assert_eq!(shown(None, None), "without a code");
    }
}
