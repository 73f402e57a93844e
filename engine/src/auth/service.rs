//! What the id servers of platforms have in common: tokens in return for a code or a refresh token, and whose they are.

mod joystick;
mod twitch;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;

pub(super) use self::joystick::Joystick;
pub(super) use self::twitch::Twitch;
use super::http::RequestError;
use crate::event::now_ms;

/// What a service gives at a sign-in and at each refresh.
#[derive(Debug, Clone)]
pub(super) struct TokenSet {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) issued_ms: u64,
    pub(super) expires_ms: Option<u64>,
    /// Where the answer names them.
    pub(super) scopes: Option<Vec<String>>,
}

/// Whose tokens they are, as far as the service says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user_id: Option<String>,
    pub(super) login: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
}

/// What a person's consent came back with.
pub(super) struct Consent<'a> {
    pub(super) code: &'a str,
    /// As it was in the address of the consent page.
    pub(super) redirect: &'a str,
    /// For public clients (PKCE).
    pub(super) verifier: Option<&'a str>,
}

/// How a device code is answered.
#[derive(Debug)]
pub(super) enum Polled {
    Pending,
    SlowDown,
    Tokens(TokenSet),
}

/// A code for a person to type on another device.
#[derive(Debug, Clone)]
pub(super) struct DeviceCode {
    pub(super) device_code: SecretString,
    pub(super) user_code: String,
    pub(super) address: String,
    pub(super) interval_s: u64,
    pub(super) expires_s: u64,
}

/// The id server of one platform, for one application.
#[async_trait]
pub(super) trait Authority: Send + Sync {
    /// As a person calls it.
    fn name(&self) -> &'static str;
    fn client_id(&self) -> &str;
    /// Whether a refresh token serves once: presenting an old one may cost every token there is.
    fn rotates(&self) -> bool;
    async fn exchange(&self, consent: Consent<'_>) -> Result<TokenSet, RequestError>;
    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenSet, RequestError>;
    async fn identify(&self, access: &SecretString) -> Result<Identity, RequestError>;
    /// Whether the token is still good, where the service wants to be asked from time to time.
    async fn validate(&self, access: &SecretString) -> Option<Result<Identity, RequestError>>;
    /// Fails where any of the tokens may still be good.
    async fn revoke(&self, access: &SecretString, refresh: Option<&SecretString>) -> Result<(), RequestError>;
    /// `None` where there is no such way to sign in.
    async fn device_code(&self, scopes: &str) -> Option<Result<DeviceCode, RequestError>>;
    async fn poll_device(&self, device_code: &SecretString, scopes: &str) -> Result<Polled, RequestError>;
}

/// Beyond this a lifetime is a date: seconds since 1970.
const LONGEST_LIFE_S: u64 = 1_000_000_000;

/// Reads an answer of a token endpoint, whatever else stands in it.
fn read_tokens(answer: &Value) -> Result<TokenSet, RequestError> {
    let text = |key| answer.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let access = text("access_token").ok_or_else(|| RequestError::Lost("the answer holds no token".to_owned()))?;
    let issued_ms = now_ms();
    let expires_ms = answer.get("expires_in").and_then(number).map(|seconds| match seconds {
        0..=LONGEST_LIFE_S => issued_ms.saturating_add(seconds * 1000),
        date => date.saturating_mul(1000),
    });
    Ok(TokenSet {
        access: access.into(),
        refresh: text("refresh_token").map(SecretString::from),
        issued_ms,
        expires_ms,
        scopes: answer.get("scope").and_then(words),
    })
}

/// What a service does not know any more is revoked already.
fn revoked(answer: Result<Value, RequestError>) -> Result<(), RequestError> {
    match answer {
        Ok(_) | Err(RequestError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Also as text, as some services write it.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

/// A list, or words in one text.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        _ => None,
    }
}

/// An id, also where it is a number.
fn id(answer: &Value, key: &str) -> Option<String> {
    match answer.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lifetime_is_seconds_or_a_date() {
        let ends = |expires_in: Value| {
            let set = read_tokens(&json!({ "access_token": "a", "expires_in": expires_in })).unwrap();
            set.expires_ms.map(|ms| if ms >= set.issued_ms { ms - set.issued_ms } else { ms })
        };
        assert_eq!(ends(json!(14_400)), Some(14_400_000));
        assert_eq!(ends(json!("14400")), Some(14_400_000));
        assert_eq!(ends(json!(1_682_098_467_u64)), Some(1_682_098_467_000), "a date that has passed");
        assert_eq!((ends(json!(null)), ends(json!("soon"))), (None, None));
    }

    #[test]
    fn scopes_are_a_list_or_words_and_a_token_must_be_there() {
        let scopes = |scope| read_tokens(&json!({ "access_token": "a", "scope": scope })).unwrap().scopes;
        assert_eq!(scopes(json!(["a:b", "c", 3])), Some(vec!["a:b".to_owned(), "c".to_owned()]));
        assert_eq!(scopes(json!("a:b c")), Some(vec!["a:b".to_owned(), "c".to_owned()]));
        assert_eq!(scopes(json!(null)), None);
        for empty in [json!({}), json!({ "access_token": " " }), json!([]), json!(null)] {
            assert!(read_tokens(&empty).is_err());
        }
        let set = read_tokens(&json!({ "access_token": "a", "refresh_token": "", "new": {} })).unwrap();
        assert!(set.refresh.is_none() && set.access.expose_secret() == "a");
    }

    proptest! {
        #[test]
        fn any_lifetime_is_survived(seconds in any::<u64>()) {
            let answer = json!({ "access_token": "a", "expires_in": seconds });
            prop_assert!(read_tokens(&answer).unwrap().expires_ms.is_some());
        }
    }
}
