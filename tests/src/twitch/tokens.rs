//! Tokens: who granted what to which application, and what became of it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::state::new_id;
use super::users::User;
use super::{CLIENT_ID, CLIENT_SECRET, PUBLIC_CLIENT_ID};

/// So many access tokens of one refresh token live at a time.
const LIVE_ACCESS_TOKENS: usize = 50;

/// What a sign-in, or a refresh, gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub expires_in: Duration,
    pub scopes: Vec<String>,
}

impl Tokens {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "access_token": self.access, "expires_in": self.expires_in.as_secs(), "refresh_token": self.refresh,
            "scope": self.scopes, "token_type": "bearer",
        })
    }
}

/// Who calls, by the token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) client_id: String,
    /// `None` for a token of the application itself.
    pub(super) user: Option<User>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires_in: Duration,
}

/// A family: all tokens that come from one sign-in.
struct Grant {
    client_id: String,
    user: Option<User>,
    scopes: BTreeSet<String>,
    is_revoked: bool,
}

struct Access {
    grant: usize,
    value: String,
    expires: Instant,
    is_revoked: bool,
}

struct Refresh {
    grant: usize,
    is_spent: bool,
}

/// A code of the consent page.
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) user: User,
    pub(super) scopes: Vec<String>,
    pub(super) redirect: String,
}

#[derive(Default)]
pub(super) struct TokenStore {
    grants: Vec<Grant>,
    access: Vec<Access>,
    refresh: HashMap<String, Refresh>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) refreshes: usize,
    /// How often a refresh token came that had been used up.
    pub(super) spent_again: usize,
}

/// How a refresh goes, as the fake was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) lifetime: Duration,
    pub(super) does_rotate: bool,
    pub(super) does_revoke_family: bool,
}

pub(super) fn secret_of(client_id: &str) -> Option<&'static str> {
    (client_id == CLIENT_ID).then_some(CLIENT_SECRET)
}

pub(super) fn is_known_client(client_id: &str) -> bool {
    [CLIENT_ID, PUBLIC_CLIENT_ID].contains(&client_id)
}

impl TokenStore {
    pub(super) fn grant(
        &mut self,
        client_id: &str,
        user: Option<User>,
        scopes: &[String],
        lifetime: Duration,
    ) -> Tokens {
        self.grants.push(Grant {
            client_id: client_id.to_owned(),
            user,
            scopes: scopes.iter().cloned().collect(),
            is_revoked: false,
        });
        let refresh = self.new_refresh(self.grants.len() - 1);
        self.tokens(self.grants.len() - 1, refresh, lifetime)
    }

    fn new_refresh(&mut self, grant: usize) -> String {
        let value = format!("refresh-not-real-{}", new_id());
        self.refresh.insert(value.clone(), Refresh { grant, is_spent: false });
        value
    }

    fn tokens(&mut self, grant: usize, refresh: String, lifetime: Duration) -> Tokens {
        let value = format!("access-not-real-{}", new_id());
        self.access.push(Access { grant, value: value.clone(), expires: Instant::now() + lifetime, is_revoked: false });
        let now = Instant::now();
        let is_live = |token: &&mut Access| token.grant == grant && !token.is_revoked && token.expires > now;
        let excess = self.access.iter_mut().filter(is_live).count().saturating_sub(LIVE_ACCESS_TOKENS);
        for token in self.access.iter_mut().filter(is_live).take(excess) {
            token.is_revoked = true;
        }
        let scopes = self.grants[grant].scopes.iter().cloned().collect();
        Tokens { access: value, refresh, expires_in: lifetime, scopes }
    }

    /// `None` when the refresh token is not, or no longer, one of this application.
    pub(super) fn refresh(&mut self, client_id: &str, value: &str, rules: Rules) -> Option<Tokens> {
        self.refreshes += 1;
        let token = self.refresh.get_mut(value)?;
        let grant = token.grant;
        if token.is_spent {
            self.spent_again += 1;
            if rules.does_revoke_family {
                self.grants[grant].is_revoked = true;
            }
            return None;
        }
        if self.grants[grant].is_revoked || self.grants[grant].client_id != client_id {
            return None;
        }
        // Those of an application without a secret serve once.
        let refresh = if rules.does_rotate || secret_of(client_id).is_none() {
            token.is_spent = true;
            self.new_refresh(grant)
        } else {
            value.to_owned()
        };
        Some(self.tokens(grant, refresh, rules.lifetime))
    }

    /// Who has this access token, if it is valid.
    pub(super) fn caller(&self, value: &str) -> Option<Caller> {
        let token = self.access.iter().find(|token| token.value == value)?;
        let grant = &self.grants[token.grant];
        let expires_in = token.expires.saturating_duration_since(Instant::now());
        if token.is_revoked || grant.is_revoked || expires_in.is_zero() {
            return None;
        }
        Some(Caller {
            client_id: grant.client_id.clone(),
            user: grant.user.clone(),
            scopes: grant.scopes.clone(),
            expires_in,
        })
    }

    /// Whether a user agreed to an application and did not take it back.
    pub(super) fn has_authorized(&self, client_id: &str, user_id: &str) -> bool {
        self.grants.iter().any(|grant| {
            grant.client_id == client_id
                && !grant.is_revoked
                && grant.user.as_ref().is_some_and(|user| user.id == user_id)
        })
    }

    /// The access token, or the whole grant of a refresh token.
    pub(super) fn revoke(&mut self, client_id: &str, value: &str) -> bool {
        if let Some(token) = self.access.iter_mut().find(|token| token.value == value) {
            token.is_revoked |= self.grants[token.grant].client_id == client_id;
            return token.is_revoked;
        }
        let Some(token) = self.refresh.get(value) else { return false };
        self.grants[token.grant].is_revoked = true;
        true
    }

    /// Everything that a user ever agreed to.
    pub(super) fn disconnect(&mut self, user_id: &str) {
        for grant in self.grants.iter_mut().filter(|grant| grant.user.as_ref().is_some_and(|user| user.id == user_id)) {
            grant.is_revoked = true;
        }
    }

    /// All access tokens are too old; refresh tokens stay.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        for token in &mut self.access {
            token.expires = now;
        }
    }
}
