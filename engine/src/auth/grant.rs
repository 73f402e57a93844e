//! One grant: whoever asks for its token waits in one line, and one refresh at a time is under way.
//!
//! [`renew`] refreshes it. What is found in the middle of a refresh after a crash is never presented again.

mod renew;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::grants::Shared;
use super::http::RequestError;
use super::seal::{Key, NoChance};
use super::service::Authority;
use super::words::{command, describe, platform_name};
use super::{Access, TokenError, Tokens};
use crate::event::now_ms;
use crate::store::{GrantId, GrantState, StoreError, StoredGrant};

/// A token is renewed when so little of its life is left, or a tenth of it where that is less.
const AHEAD_MS: u64 = 5 * 60 * 1000;

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    access: String,
    refresh: Option<String>,
}

/// A grant as it stands in the database, opened.
pub(super) struct Held {
    pub(super) row: StoredGrant,
    /// What it was opened with; what comes in its place is sealed with the same.
    key: Arc<Key>,
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
}

impl Held {
    fn access(&self) -> Access {
        Access {
            token: self.access.clone(),
            user_id: self.row.user_id.clone(),
            login: self.row.login.clone(),
            scopes: self.row.scopes.clone(),
            expires_at_ms: self.row.expires_ms,
        }
    }

    fn has_ended(&self, now_ms: u64) -> bool {
        self.row.expires_ms.is_some_and(|end| end <= now_ms)
    }

    fn is_about_to_end(&self, now_ms: u64) -> bool {
        self.row.expires_ms.is_some_and(|end| {
            let life = end.saturating_sub(self.row.issued_ms);
            end <= now_ms.saturating_add(AHEAD_MS.min(life / 10))
        })
    }
}

/// What only this process knows of a grant.
#[derive(Default)]
pub(super) struct Hand {
    /// Tokens that the service gave and the disk has not taken yet.
    unsaved: Option<StoredGrant>,
    /// The row says that the refresh token is being used, and this process knows that it is not.
    is_untouched: bool,
    /// Why the refresh token must not be used any more, where the disk has not taken that yet.
    spent: Option<String>,
    last_failure: Option<TokenError>,
    /// Before this a token that is still good is not renewed ahead.
    try_again: Option<Instant>,
}

pub(super) struct Grant {
    id: GrantId,
    shared: Arc<Shared>,
    hand: Arc<Mutex<Hand>>,
    /// Renewals that came to an end.
    renewals: AtomicU64,
}

#[async_trait]
impl Tokens for Handle {
    async fn read(&self) -> Result<Access, TokenError> {
        self.0.read().await
    }

    async fn refresh(&self, stale: &Access) -> Result<Access, TokenError> {
        self.0.refresh(stale).await
    }
}

/// A grant for a platform.
pub(super) struct Handle(pub(super) Arc<Grant>);

impl Grant {
    pub(super) fn new(id: GrantId, shared: Arc<Shared>) -> Self {
        Self { id, shared, hand: Arc::default(), renewals: AtomicU64::new(0) }
    }

    pub(super) async fn read(self: &Arc<Self>) -> Result<Access, TokenError> {
        let seen = self.renewals.load(Ordering::Acquire);
        let mut hand = Arc::clone(&self.hand).lock_owned().await;
        let held = self.load(&mut hand).await?;
        if held.row.state == GrantState::SignedOut {
            return Err(self.sign_in(held.row.reason));
        }
        let (access, now_ms) = (held.access(), now_ms());
        if !held.is_about_to_end(now_ms) {
            return Ok(access);
        }
        let has_ended = held.has_ended(now_ms);
        let can_renew = held.row.state == GrantState::Ready && held.refresh.is_some();
        let may_wait = !can_renew || hand.try_again.is_some_and(|at| Instant::now() < at);
        if may_wait && !has_ended {
            return Ok(access);
        }
        match self.renew(hand, held, seen).await {
            // It is still good for a while.
            Err(TokenError::Later(_)) if !has_ended => Ok(access),
            Err(TokenError::SignIn { .. }) if !has_ended && !self.is_signed_out().await => Ok(access),
            renewed => renewed,
        }
    }

    pub(super) async fn refresh(self: &Arc<Self>, stale: &Access) -> Result<Access, TokenError> {
        let seen = self.renewals.load(Ordering::Acquire);
        let mut hand = Arc::clone(&self.hand).lock_owned().await;
        let held = self.load(&mut hand).await?;
        if held.row.state == GrantState::SignedOut {
            return Err(self.sign_in(held.row.reason));
        }
        if held.access.expose_secret() != stale.token.expose_secret() && !held.has_ended(now_ms()) {
            return Ok(held.access());
        }
        self.renew(hand, held, seen).await
    }

    /// Puts a sign-in in the place of what there was.
    pub(super) async fn keep(&self, row: StoredGrant) -> Result<(), StoreError> {
        // A refresh under way ends first, so that it can't overwrite this.
        let mut hand = self.hand.lock().await;
        let old = std::mem::take(&mut *hand);
        let kept = self.shared.store.put_grant(&row).await;
        if kept.is_err() {
            *hand = old;
        }
        kept
    }

    /// Takes it back at the service, then deletes it. Says why the service was not told, where that was accepted.
    pub(super) async fn revoke(&self, forget: bool) -> Result<Option<String>, TokenError> {
        let mut hand = self.hand.lock().await;
        let untold = match self.tell_revoked(&mut hand).await {
            Ok(()) => None,
            Err(error) if forget => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        let removed = self.shared.store.remove_grant(&self.id).await;
        removed.map_err(|error| TokenError::Later(error.to_string()))?;
        *hand = Hand::default();
        Ok(untold)
    }

    async fn tell_revoked(&self, hand: &mut Hand) -> Result<(), TokenError> {
        let held = self.load(hand).await?;
        let revoked = self.authority()?.revoke(&held.access, held.refresh.as_ref()).await;
        revoked.map_err(|error| TokenError::Later(error.to_string()))
    }

    /// As it stands in the database.
    pub(super) async fn opened(&self) -> Result<Held, TokenError> {
        self.load(&mut *self.hand.lock().await).await
    }

    /// Asks the service whether the token is still good, where it wants to be asked. Fails where it is to be asked
    /// again.
    pub(super) async fn validate(self: &Arc<Self>) -> Result<(), TokenError> {
        let authority = self.authority()?;
        let access = self.read().await?;
        match authority.validate(&access.token).await {
            None => Ok(()),
            Some(Ok(identity)) => {
                let login = identity.login.unwrap_or_else(|| access.login.clone());
                let scopes = identity.scopes.unwrap_or_else(|| access.scopes.clone());
                if login != access.login || scopes != access.scopes {
                    self.describe(&access, &login, &scopes).await?;
                }
                Ok(())
            }
            Some(Err(RequestError::Refused(why))) => {
                tracing::debug!(grant = describe(&self.id), why, "The token is not valid any more.");
                self.refresh(&access).await.map(drop)
            }
            Some(Err(error)) => Err(TokenError::Later(error.to_string())),
        }
    }

    /// Notes what the service says of a token, unless there is another one since it was asked: of somebody else even.
    async fn describe(&self, access: &Access, login: &str, scopes: &[String]) -> Result<(), TokenError> {
        let mut hand = self.hand.lock().await;
        let held = self.load(&mut hand).await?;
        if held.access.expose_secret() != access.token.expose_secret() {
            return Ok(());
        }
        let described = self.shared.store.describe_grant(&self.id, login, scopes).await;
        described.map_err(|error| TokenError::Later(error.to_string()))
    }

    /// What the disk has not taken is brought to it first; then the row, opened.
    async fn load(&self, hand: &mut Hand) -> Result<Held, TokenError> {
        self.save(hand).await?;
        let row = self.shared.store.grant(&self.id).await.map_err(|error| TokenError::Later(error.to_string()))?;
        let Some(mut row) = row else { return Err(self.sign_in(None)) };
        let authority = self.authority()?;
        if row.client_id != authority.client_id() {
            let why = "it was signed in for another application (another `client-id`)".to_owned();
            return Err(self.sign_in(Some(why)));
        }
        if !authority.rotates() || hand.is_untouched {
            // The same refresh token may be used again.
            if matches!(row.state, GrantState::Refreshing | GrantState::Spent) {
                row.state = GrantState::Ready;
            }
        } else if row.state == GrantState::Refreshing {
            let why = "Showrunner ended while it refreshed the token, so the refresh token may be used up";
            self.spend(hand, &mut row, why).await;
        }
        self.open(row)
    }

    fn open(&self, row: StoredGrant) -> Result<Held, TokenError> {
        let key = self.shared.vault.key(&row.key_id).map_err(|error| {
            let what_to_do = format!("{}, or {}", error.help(), command(&self.id));
            TokenError::SignIn { why: format!("{}: {error}", describe(&self.id)), what_to_do }
        })?;
        let damaged = || self.sign_in(Some("its tokens in the database are damaged or were exchanged".to_owned()));
        let plain = key.open(&owner(&row), &row.sealed).map_err(|_| damaged())?;
        let Sealed { access, refresh } = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        Ok(Held { row, key, access: access.into(), refresh: refresh.map(SecretString::from) })
    }

    fn authority(&self) -> Result<Arc<dyn Authority>, TokenError> {
        self.shared.authority(&self.id.platform).ok_or_else(|| TokenError::SignIn {
            why: format!("the config has no [{}]", self.id.platform),
            what_to_do: format!("set its `client-id`, then {}", command(&self.id)),
        })
    }

    fn sign_in(&self, why: Option<String>) -> TokenError {
        let why = match why {
            Some(why) => format!("{}: {why}", describe(&self.id)),
            None => format!("nobody is signed in ({})", describe(&self.id)),
        };
        let mut what_to_do = command(&self.id);
        if !self.id.account.is_empty() {
            what_to_do.push_str(&format!(
                " as the broadcaster {} at {}",
                self.id.account,
                platform_name(&self.id.platform)
            ));
        }
        TokenError::SignIn { why, what_to_do }
    }
}

/// Seals tokens for a row; its own `sealed` is ignored.
pub(super) fn seal(
    key: &Key,
    row: &StoredGrant,
    access: &SecretString,
    refresh: Option<&SecretString>,
) -> Result<Vec<u8>, NoChance> {
    let refresh = refresh.map(|refresh| refresh.expose_secret().to_owned());
    let sealed = Sealed { access: access.expose_secret().to_owned(), refresh };
    // Two texts are always JSON.
    let plain = serde_json::to_vec(&sealed).unwrap_or_default();
    key.seal(&owner(row), &plain)
}

/// Whose tokens they are, so that no row can be given those of another. Each part has its length before it.
fn owner(row: &StoredGrant) -> Vec<u8> {
    let parts = [&row.id.platform, row.id.role.as_str(), &row.id.account, &row.user_id, &row.client_id];
    parts.iter().flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes())).collect()
}
