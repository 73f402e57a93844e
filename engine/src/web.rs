//! What all who ask services on the web have in common: bounded answers, and words that may stand in an error or a log.
//!
//! It sends nothing and judges nothing: whether something was done, and whether to try again, is for those who asked.

use reqwest::Response;

/// Of what a service says of itself, this many characters are told; more would explain nothing more.
pub(crate) const LONGEST_TOLD: usize = 200;

/// What a service wrote, as it may stand in an error or a log.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(LONGEST_TOLD).collect()
}

/// The same without the secrets that were sent along: some services tell them back.
pub(crate) fn one_line_without(text: &str, secrets: &[&str]) -> String {
    let mut line: String = text.chars().filter(|character| !character.is_control()).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        line = line.replace(secret, "…");
    }
    line.chars().take(LONGEST_TOLD).collect()
}

/// Why there is no body.
pub(crate) enum BodyError {
    Broken(reqwest::Error),
    TooLong,
}

pub(crate) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error in words: without its address, whose query may hold what nobody is to see, and with what is behind it.
pub(crate) fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_one_short_line_without_what_was_sent() {
        assert_eq!(one_line("no\n token abc \u{1b}[2J"), "no token abc [2J");
        assert_eq!(one_line_without("no\n token abc \u{1b}[2J", &["abc", ""]), "no token … [2J");
        for line in [one_line(&"é".repeat(1000)), one_line_without(&"é".repeat(1000), &[])] {
            assert_eq!(line.chars().count(), LONGEST_TOLD);
        }
    }
}
