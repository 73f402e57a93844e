//! What the host refuses, and why. The cause is the word that the host puts first; the rest of the text is for people.

use std::error::Error;
use std::fmt;

/// An effect, a timer or a write to memory that was refused on the spot.
///
/// It displays as the host's words, such as "denied: chat.say was not granted by the operator". A handler that has
/// nothing better to do hands it on with `?`: its own error is then this text, and the operator reads it.
///
/// ```
/// use showrunner_sdk::prelude::*;
/// use showrunner_sdk::{Refusal, moderation};
///
/// fn warn(envelope: &Envelope, author: &User) -> Answer {
///     match moderation::warn(envelope, &author.id, "no links, please") {
///         Err(refused) if refused.cause() == Refusal::Denied => {
///             chat::reply(envelope, "no links, please")?; // what is not granted can be done otherwise
///         }
///         result => drop(result?),
///     }
///     Ok(Handled)
/// }
/// # let _ = warn;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    words: String,
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// "denied": the manifest does not ask for it, or the operator did not grant it, or not for this channel.
    Denied,
    /// "limit": over a limit of the event or of the plugin.
    Limit,
    /// "unavailable": granted, but this engine has no such service, or can't do it now.
    Unavailable,
    /// "refused": not here, as a review has no effects.
    Reviewing,
    /// Malformed arguments, or a cause that is newer than this SDK.
    Other,
}

impl Refused {
    pub(crate) const fn new(words: String) -> Self {
        Self { words }
    }

    /// Why.
    pub fn cause(&self) -> Refusal {
        match self.words.split_once(':') {
            Some(("denied", _)) => Refusal::Denied,
            Some(("limit", _)) => Refusal::Limit,
            Some(("unavailable", _)) => Refusal::Unavailable,
            Some(("refused", _)) => Refusal::Reviewing,
            _ => Refusal::Other,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl Error for Refused {}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.words
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Refused};

    #[test]
    fn the_first_word_says_it() {
        for (words, cause) in [
            ("denied: chat.say was not granted by the operator", Refusal::Denied),
            ("limit: at most 32 effects for one event", Refusal::Limit),
            ("unavailable: this engine has no tool service", Refusal::Unavailable),
            ("refused: a review gives a verdict and has no effects", Refusal::Reviewing),
            ("context-json is no JSON: expected value", Refusal::Other),
            ("the limit: none", Refusal::Other),
            ("", Refusal::Other),
        ] {
            let refused = Refused::new(words.to_owned());
            assert_eq!(refused.cause(), cause, "{words}");
            assert_eq!(refused.to_string(), words);
            assert_eq!(String::from(refused), words);
        }
    }
}
