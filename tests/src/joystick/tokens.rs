//! Tokens: installations of the bot, and what became of theirs.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::event::Channel;
use super::state::new_id;
use super::{CLIENT_ID, CLIENT_SECRET, PUBLIC_CLIENT_ID};

/// How long the code of a consent page can be exchanged.
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// What a sign-in, or a refresh, gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub expires_in: Duration,
}

/// A bot in a channel.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) client_id: String,
    pub(super) channel: Channel,
    pub(super) scopes: BTreeSet<String>,
}

struct Access {
    installation: usize,
    value: String,
    expires: Instant,
    is_revoked: bool,
}

struct Refresh {
    installation: usize,
    is_spent: bool,
    is_revoked: bool,
}

pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) channel: Channel,
    pub(super) scopes: Vec<String>,
    pub(super) redirect: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) made: Instant,
}

impl Code {
    pub(super) fn is_fresh(&self) -> bool {
        self.made.elapsed() < CODE_LIFETIME
    }

    /// Whether somebody knows what the challenge was made of.
    pub(super) fn is_met_by(&self, verifier: Option<&str>) -> bool {
        match (&self.challenge, verifier) {
            (None, _) => true,
            (Some(challenge), Some(verifier)) => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
            (Some(_), None) => false,
        }
    }
}

#[derive(Default)]
pub(super) struct TokenStore {
    installations: Vec<Installation>,
    access: Vec<Access>,
    refresh: HashMap<String, Refresh>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) refreshes: usize,
    /// How often a refresh token came that had been used up: each cost an installation all its tokens.
    pub(super) spent_again: usize,
}

pub(super) fn is_known_client(client_id: &str) -> bool {
    [CLIENT_ID, PUBLIC_CLIENT_ID].contains(&client_id)
}

/// base64(client id:client secret), as the older gateway wants it.
pub(super) fn basic_key() -> String {
    STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"))
}

pub(super) fn has_basic_header(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value.as_bytes() == format!("Basic {}", basic_key()).as_bytes())
}

/// 4 hours without a secret, 10 days with one.
fn lifetime(client_id: &str) -> Duration {
    Duration::from_secs(if client_id == PUBLIC_CLIENT_ID { 14_400 } else { 864_000 })
}

impl TokenStore {
    /// The same bot in the same channel is the same installation.
    pub(super) fn install(
        &mut self,
        client_id: &str,
        channel: &Channel,
        scopes: &[String],
        expires_in: Option<Duration>,
    ) -> Tokens {
        let known = self.installations.iter().position(|one| one.client_id == client_id && one.channel == *channel);
        let scopes: BTreeSet<String> = scopes.iter().cloned().collect();
        let installation = match known {
            Some(installation) => {
                self.installations[installation].scopes = scopes;
                installation
            }
            None => {
                let one = Installation { client_id: client_id.to_owned(), channel: channel.clone(), scopes };
                self.installations.push(one);
                self.installations.len() - 1
            }
        };
        self.tokens(installation, expires_in)
    }

    fn tokens(&mut self, installation: usize, expires_in: Option<Duration>) -> Tokens {
        let one = &self.installations[installation];
        let expires_in = expires_in.unwrap_or_else(|| lifetime(&one.client_id));
        let claims = json!({ "jti": new_id(), "sub": one.channel.id, "aud": one.client_id });
        let [header, claims] =
            [json!({ "alg": "none", "typ": "JWT" }), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let access = format!("{header}.{claims}.not-a-real-signature");
        let refresh = format!("refresh-not-real-{}", new_id());
        let expires = Instant::now() + expires_in;
        self.access.push(Access { installation, value: access.clone(), expires, is_revoked: false });
        self.refresh.insert(refresh.clone(), Refresh { installation, is_spent: false, is_revoked: false });
        Tokens { access, refresh, expires_in }
    }

    /// Always gives another refresh token. An old one that comes again ends all tokens of its installation.
    pub(super) fn refresh(&mut self, client_id: &str, value: &str, expires_in: Option<Duration>) -> Option<Tokens> {
        self.refreshes += 1;
        let token = self.refresh.get_mut(value)?;
        let installation = token.installation;
        if self.installations[installation].client_id != client_id {
            return None;
        }
        if token.is_spent {
            self.spent_again += 1;
            self.revoke_installation(installation);
            return None;
        }
        if token.is_revoked {
            return None;
        }
        token.is_spent = true;
        Some(self.tokens(installation, expires_in))
    }

    fn revoke_installation(&mut self, installation: usize) {
        for token in self.access.iter_mut().filter(|token| token.installation == installation) {
            token.is_revoked = true;
        }
        for token in self.refresh.values_mut().filter(|token| token.installation == installation) {
            token.is_revoked = true;
        }
    }

    /// The streamer removes the bot.
    pub(super) fn uninstall(&mut self, channel_id: &str) {
        for installation in 0..self.installations.len() {
            if self.installations[installation].channel.id == channel_id {
                self.revoke_installation(installation);
            }
        }
    }

    /// Whose access token this is, if it is valid, and for how long.
    pub(super) fn holder(&self, value: &str) -> Option<(Installation, Duration)> {
        let token = self.access.iter().find(|token| token.value == value)?;
        let left = token.expires.saturating_duration_since(Instant::now());
        let is_valid = !token.is_revoked && !left.is_zero();
        is_valid.then(|| (self.installations[token.installation].clone(), left))
    }

    pub(super) fn revoke(&mut self, value: &str) {
        if let Some(token) = self.access.iter_mut().find(|token| token.value == value) {
            token.is_revoked = true;
        }
        if let Some(token) = self.refresh.get_mut(value) {
            token.is_revoked = true;
        }
    }

    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        for token in &mut self.access {
            token.expires = now;
        }
    }
}
