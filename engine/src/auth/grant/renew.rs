//! A refresh: the tokens that come of it, and what becomes of the refresh token where none come.
//!
//! It runs in a task of its own, so that nobody who gives up waiting can lose the tokens that are on their way. Before
//! a refresh token that serves once is presented, the database says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep};

use super::{Grant, Hand, Held, seal};
use crate::auth::http::RequestError;
use crate::auth::seal::Key;
use crate::auth::service::{Authority, TokenSet};
use crate::auth::words::{command, describe};
use crate::auth::{Access, TokenError};
use crate::store::{GrantId, GrantState, StoredGrant};

/// After a refresh in vain, how long to go on with a token that is still good.
const PAUSE: Duration = Duration::from_secs(30);
/// How often it is tried to save tokens that the disk did not take.
const SAVE_AGAIN: Duration = Duration::from_secs(2);

impl Grant {
    /// One refresh, in a task of its own. Who waited for one that failed gets its failure.
    pub(super) async fn renew(
        self: &Arc<Self>,
        hand: OwnedMutexGuard<Hand>,
        held: Held,
        seen: u64,
    ) -> Result<Access, TokenError> {
        if self.renewals.load(Ordering::Acquire) != seen
            && let Some(failure) = hand.last_failure.clone()
        {
            return Err(failure);
        }
        let grant = Arc::clone(self);
        let task = self.shared.tracker.spawn(async move {
            let mut hand = hand;
            let renewed = grant.present(&mut hand, held).await;
            hand.last_failure = renewed.as_ref().err().cloned();
            hand.try_again = renewed.is_err().then(|| Instant::now() + PAUSE);
            grant.renewals.fetch_add(1, Ordering::Release);
            if hand.unsaved.is_some() {
                grant.shared.tracker.spawn(Arc::clone(&grant).save_again());
            }
            renewed
        });
        task.await
            .unwrap_or_else(|_| Err(TokenError::Later("the refresh panicked, which is a bug in Showrunner".into())))
    }

    async fn present(&self, hand: &mut Hand, held: Held) -> Result<Access, TokenError> {
        let Held { mut row, key, refresh, .. } = held;
        let authority = self.authority()?;
        if row.state == GrantState::Spent {
            // Called only when the access token is of no use any more.
            let why = row.reason.clone().unwrap_or_else(|| "its refresh token is used up".to_owned());
            return Err(self.sign_out(&row.id, why).await);
        }
        let Some(refresh) = refresh else {
            let why = "the token has ended, and the service gave none to refresh it with".to_owned();
            return Err(self.sign_out(&row.id, why).await);
        };
        let store = &self.shared.store;
        if authority.rotates() && !hand.is_untouched {
            let marked = store.set_grant_state(&self.id, GrantState::Refreshing, None).await;
            marked.map_err(|error| TokenError::Later(format!("the token can't be refreshed now: {error}")))?;
        }
        hand.is_untouched = false;
        match authority.refresh(&refresh).await {
            Ok(set) => {
                let refresh = set.refresh.clone().or_else(|| (!authority.rotates()).then(|| refresh.clone()));
                let renewed = renewed(row, key, TokenSet { refresh, ..set })?;
                let access = renewed.access();
                hand.unsaved = Some(renewed.row);
                self.save(hand).await?;
                tracing::debug!(grant = describe(&self.id), "The token was refreshed.");
                Ok(access)
            }
            Err(RequestError::Refused(why)) => {
                Err(self.sign_out(&row.id, format!("{} refused to refresh it: {why}", authority.name())).await)
            }
            Err(RequestError::Lost(why)) if authority.rotates() => {
                let why = format!(
                    "{} did not say what came of a refresh ({why}), so the refresh token may be used up",
                    authority.name()
                );
                self.spend(hand, &mut row, &why).await;
                Err(self.sign_in(Some(why)))
            }
            Err(RequestError::Lost(why)) => Err(later(&*authority, &why)),
            Err(RequestError::Undone(why)) => {
                self.clear_mark(hand, &*authority).await;
                Err(later(&*authority, &why))
            }
            Err(RequestError::Application(why)) => {
                self.clear_mark(hand, &*authority).await;
                let platform = authority.name();
                let why = format!("{platform} does not know this application: {why}");
                Err(TokenError::SignIn { why, what_to_do: "check `client-id` and `client-secret`".to_owned() })
            }
        }
    }

    /// Nothing was used: the database may say so again. Where it can't now, this process remembers.
    async fn clear_mark(&self, hand: &mut Hand, authority: &dyn Authority) {
        if authority.rotates() {
            let cleared = self.shared.store.set_grant_state(&self.id, GrantState::Ready, None).await;
            hand.is_untouched = cleared.is_err();
        }
    }

    /// The refresh token must not be presented again. Where the disk does not take that, the mark says as much.
    pub(super) async fn spend(&self, hand: &mut Hand, row: &mut StoredGrant, why: &str) {
        if hand.spent.is_none() {
            let (grant, what_to_do) = (describe(&self.id), command(&self.id));
            tracing::error!(grant, why, what_to_do, "The token can't be refreshed any more; it is used until it ends.");
        }
        let why = hand.spent.take().unwrap_or_else(|| why.to_owned());
        let written = self.shared.store.set_grant_state(&self.id, GrantState::Spent, Some(&why)).await;
        hand.spent = written.is_err().then(|| why.clone());
        row.state = GrantState::Spent;
        row.reason = Some(why);
    }

    async fn sign_out(&self, id: &GrantId, why: String) -> TokenError {
        let (grant, what_to_do) = (describe(id), command(id));
        tracing::error!(grant, why, what_to_do, "Nobody is signed in any more.");
        if let Err(error) = self.shared.store.set_grant_state(id, GrantState::SignedOut, Some(&why)).await {
            tracing::warn!(grant, %error, "What became of the grant is not in the database yet.");
        }
        self.sign_in(Some(why))
    }

    pub(super) async fn is_signed_out(&self) -> bool {
        let row = self.shared.store.grant(&self.id).await;
        row.is_ok_and(|row| row.is_none_or(|row| row.state == GrantState::SignedOut))
    }

    pub(super) async fn save(&self, hand: &mut Hand) -> Result<(), TokenError> {
        let Some(row) = &hand.unsaved else { return Ok(()) };
        let saved = self.shared.store.put_grant(row).await;
        saved.map_err(|error| TokenError::Later(format!("the new token can't be saved yet: {error}")))?;
        hand.unsaved = None;
        Ok(())
    }

    /// Until the disk has taken it, or the engine ends.
    async fn save_again(self: Arc<Self>) {
        loop {
            let is_last = tokio::select! {
                () = self.shared.closing.cancelled() => true,
                () = sleep(SAVE_AGAIN) => false,
            };
            match self.save(&mut *self.hand.lock().await).await {
                Ok(()) => return,
                Err(error) if is_last => {
                    let (grant, what_to_do) = (describe(&self.id), command(&self.id));
                    tracing::error!(grant, %error, what_to_do, "New tokens are lost, as the disk did not take them.");
                    return;
                }
                Err(_) => {}
            }
        }
    }
}

/// The same grant with new tokens, sealed with the key of the old ones: whatever became of its place meanwhile, they
/// are all there is.
fn renewed(row: StoredGrant, key: Arc<Key>, set: TokenSet) -> Result<Held, TokenError> {
    let row = StoredGrant {
        issued_ms: set.issued_ms,
        expires_ms: set.expires_ms,
        scopes: set.scopes.clone().unwrap_or_else(|| row.scopes.clone()),
        state: GrantState::Ready,
        reason: None,
        ..row
    };
    let sealed = seal(&key, &row, &set.access, set.refresh.as_ref());
    let sealed = sealed.map_err(|error| TokenError::Later(error.to_string()))?;
    Ok(Held { row: StoredGrant { sealed, ..row }, key, access: set.access, refresh: set.refresh })
}

fn later(authority: &dyn Authority, why: &str) -> TokenError {
    TokenError::Later(format!("{} did not refresh the token: {why}", authority.name()))
}
