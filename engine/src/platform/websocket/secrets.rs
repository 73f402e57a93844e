//! What the query of a dialled address holds, taken out of all that the server says: some tell back what they were
//! asked.

use secrecy::{ExposeSecret, SecretString};
use tokio_tungstenite::tungstenite::http::Uri;
use url::form_urlencoded;

use crate::web::one_line_without;

/// A shorter value is a word or a number of the protocol, as in `transport=websocket`, and words are needed.
const SHORTEST: usize = 12;

#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// The values of the query, each as it is and as it stands in the address.
    pub(super) fn of(address: &Uri) -> Self {
        let query = address.query().unwrap_or_default();
        let plain = form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned());
        let encoded = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
        let mut values: Vec<String> = plain.chain(encoded).filter(|value| value.len() >= SHORTEST).collect();
        // One value may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into_iter().map(SecretString::from).collect())
    }

    /// What the server wrote, as it may stand in an error or a log.
    pub(super) fn one_line(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.0.iter().map(ExposeSecret::expose_secret).collect();
        one_line_without(text, &secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::LONGEST_TOLD;

    fn secrets(address: &'static str) -> Secrets {
        Secrets::of(&Uri::from_static(address))
    }

    #[test]
    fn a_token_is_told_in_neither_spelling_and_words_are() {
        let secrets =
            secrets("wss://x/cable?transport=websocket&EIO=4&token=bWFja2VyZWw%2BeA%3D%3D&part=bWFja2VyZWw%2BeA");
        for (said, told) in [
            ("no websocket of version 4 for bWFja2VyZWw+eA==", "no websocket of version 4 for …"),
            ("GET /cable?token=bWFja2VyZWw%2BeA%3D%3D: no", "GET /cable?token=…: no"),
            ("bWFja2\r\nVyZWw+eA", "…"),
        ] {
            assert_eq!(secrets.one_line(said), told);
        }
        assert!(!format!("{secrets:?}").contains("bWFj"));
    }

    #[test]
    fn a_token_is_taken_out_before_the_rest_is_cut() {
        let said = format!("{}abcdefghijklmnop", "é".repeat(LONGEST_TOLD - 4));
        let told = secrets("wss://x/?token=abcdefghijklmnop").one_line(&said);
        assert!(told.ends_with("é…"), "{told}");
    }
}
