//! Tells the causes of a refusal apart, by the word that the host puts first. The rest of the text is for people.

/// Why the host refused an effect, or a write to memory, on the spot.
///
/// ```
/// use showrunner_sdk::Refusal;
/// # let result: Result<u32, String> = Err("limit: at most 32 effects for one event".to_owned());
/// if let Err(error) = result {
///     match Refusal::of(&error) {
///         Refusal::Limit => { /* less would have done, or later */ }
///         _ => return Err(error), // the operator reads it
///     }
/// }
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The manifest does not ask for it, or the operator did not grant it.
    Denied,
    /// Over a limit of the event or of the plugin.
    Limit,
    /// Granted, but this engine has no such service, or can't do it now.
    Unavailable,
    /// Not here: a review has no effects.
    Reviewing,
    /// Malformed arguments, or a cause that is newer than this SDK.
    Other,
}

impl Refusal {
    /// The cause of an `Err` that one of the host's functions returned. For a request's
    /// [`Failure`](crate::http::Failure), its `kind` says the same.
    pub fn of(error: &str) -> Self {
        match error.split_once(':') {
            Some(("denied", _)) => Self::Denied,
            Some(("limit", _)) => Self::Limit,
            Some(("unavailable", _)) => Self::Unavailable,
            Some(("refused", _)) => Self::Reviewing,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn the_first_word_says_it() {
        for (error, cause) in [
            ("denied: chat.say was not granted by the operator", Refusal::Denied),
            ("limit: at most 32 effects for one event", Refusal::Limit),
            ("unavailable: this engine has no tool service", Refusal::Unavailable),
            ("refused: a review gives a verdict and has no effects", Refusal::Reviewing),
            ("context-json is no JSON: expected value", Refusal::Other),
            ("the limit: none", Refusal::Other),
            ("", Refusal::Other),
        ] {
            assert_eq!(Refusal::of(error), cause, "{error}");
        }
    }
}
