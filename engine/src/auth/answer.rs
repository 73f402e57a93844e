//! What the command line asks of the grants: of a daemon's over the control socket, or of its own where none runs.
//!
//! Codes cross the socket, tokens never: they are fetched, sealed and kept on this side.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::grant::seal;
use super::http::RequestError;
use super::scopes::wanted;
use super::seal::Key;
use super::service::{Authority, Consent, Identity, Polled, TokenSet};
use super::view::{GrantView, Overview};
use super::words::{INVALID_SCOPE, JOYSTICK, describe, platform_name, scopes_help};
use super::{Grants, KeyError};
use crate::config::settings::{Settings, TwitchAccounts};
use crate::store::{GrantId, GrantState, Role, StoreError, StoredGrant};

/// What is not to be shown, on its way over the control socket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "auth", rename_all = "kebab-case")]
pub enum AuthRequest {
    List,
    /// The browser came back with a code.
    Exchange {
        platform: String,
        role: Role,
        code: Hidden,
        /// As it was in the address of the consent page.
        redirect: String,
        verifier: Option<Hidden>,
    },
    /// A code to be typed on another device.
    DeviceCode {
        platform: String,
        role: Role,
    },
    /// Whether it was typed by now.
    PollDevice {
        platform: String,
        role: Role,
        device_code: Hidden,
    },
    Revoke {
        #[serde(flatten)]
        id: GrantId,
        /// Deletes the tokens also when the service can't be told.
        forget: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum AuthAnswer {
    Grants(Overview),
    SignedIn(GrantView),
    DeviceCode {
        device_code: Hidden,
        user_code: String,
        address: String,
        interval_s: u64,
        expires_s: u64,
    },
    Pending {
        slow_down: bool,
    },
    Revoked {
        /// Why the service was not told, where that was accepted.
        untold: Option<String>,
    },
}

/// Why it was not done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AuthError {
    pub message: String,
    pub help: Option<String>,
}

impl AuthError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self { message: error.to_string(), help: error.help().map(str::to_owned) }
    }
}

impl From<KeyError> for AuthError {
    fn from(error: KeyError) -> Self {
        Self::new(error.to_string(), error.help())
    }
}

/// Whether somebody is to sign in so, by the config.
pub fn check_role(settings: &Settings, platform: &str, role: Role) -> Result<(), AuthError> {
    if platform == JOYSTICK {
        return if settings.joystick.is_some() { Ok(()) } else { Err(no_section(platform)) };
    }
    let Some(twitch) = &settings.twitch else { return Err(no_section(platform)) };
    match (twitch.accounts, role) {
        (TwitchAccounts::Broadcaster, Role::Bot) => Err(AuthError::new(
            "the bot has no account of its own: `accounts = \"broadcaster\"` in [twitch]",
            "set `accounts = \"both\"` (or \"bot\"), or sign in without --bot",
        )),
        (TwitchAccounts::Bot, Role::Broadcaster) => Err(AuthError::new(
            "no broadcaster signs in: `accounts = \"bot\"` in [twitch]",
            "sign in with --bot, or set `accounts = \"both\"`",
        )),
        _ => Ok(()),
    }
}

fn no_section(platform: &str) -> AuthError {
    let help = format!("set `client-id` in [{platform}]; config/showrunner.toml explains it");
    AuthError::new(format!("the config has no [{platform}]"), help)
}

impl Grants {
    /// Carries out what was asked for. A sign-in that has begun is not given up when nobody waits for its answer.
    pub async fn answer(&self, request: AuthRequest) -> Result<AuthAnswer, AuthError> {
        let grants = self.clone();
        let task = self.shared.tracker.spawn(async move { grants.carry_out(request).await });
        task.await.unwrap_or_else(|_| {
            Err(AuthError { message: "it panicked, which is a bug in Showrunner".to_owned(), help: None })
        })
    }

    async fn carry_out(&self, request: AuthRequest) -> Result<AuthAnswer, AuthError> {
        match request {
            AuthRequest::List => Ok(AuthAnswer::Grants(self.overview().await?)),
            AuthRequest::Exchange { platform, role, code, redirect, verifier } => {
                let authority = self.authority(&platform, role)?;
                let verifier = verifier.as_ref().map(|verifier| verifier.0.as_str());
                let consent = Consent { code: &code.0, redirect: &redirect, verifier };
                // A code serves once: without a key its tokens would be lost.
                let key = self.shared.vault.key_to_seal()?;
                let set = authority.exchange(consent).await.map_err(|error| refused(&platform, "the code", &error))?;
                self.keep(&platform, role, &*authority, &key, set).await
            }
            AuthRequest::DeviceCode { platform, role } => self.device_code(&platform, role).await,
            AuthRequest::PollDevice { platform, role, device_code } => {
                let authority = self.authority(&platform, role)?;
                let scopes = self.scopes(&platform, role);
                let key = self.shared.vault.key_to_seal()?;
                match authority.poll_device(&SecretString::from(device_code.0), &scopes).await {
                    Ok(Polled::Pending) => Ok(AuthAnswer::Pending { slow_down: false }),
                    // It may do so the next time.
                    Ok(Polled::SlowDown) | Err(RequestError::Undone(_)) => Ok(AuthAnswer::Pending { slow_down: true }),
                    Ok(Polled::Tokens(set)) => self.keep(&platform, role, &*authority, &key, set).await,
                    Err(error) => Err(refused(&platform, "the code", &error)),
                }
            }
            AuthRequest::Revoke { id, forget } => self.revoke(&id, forget).await,
        }
    }

    fn authority(&self, platform: &str, role: Role) -> Result<Arc<dyn Authority>, AuthError> {
        check_role(&self.shared.settings.load(), platform, role)?;
        self.shared.authority(platform).ok_or_else(|| no_section(platform))
    }

    fn scopes(&self, platform: &str, role: Role) -> String {
        wanted(&self.shared.settings.load(), platform, role).join(" ")
    }

    async fn device_code(&self, platform: &str, role: Role) -> Result<AuthAnswer, AuthError> {
        let authority = self.authority(platform, role)?;
        let Some(code) = authority.device_code(&self.scopes(platform, role)).await else {
            let message = format!("{} knows no codes for devices", authority.name());
            return Err(AuthError::new(message, "sign in without --device"));
        };
        let code = code.map_err(|error| refused(platform, "the request for a code", &error))?;
        Ok(AuthAnswer::DeviceCode {
            device_code: Hidden(code.device_code.expose_secret().to_owned()),
            user_code: code.user_code,
            address: code.address,
            interval_s: code.interval_s,
            expires_s: code.expires_s,
        })
    }

    async fn keep(
        &self,
        platform: &str,
        role: Role,
        authority: &dyn Authority,
        key: &Key,
        set: TokenSet,
    ) -> Result<AuthAnswer, AuthError> {
        let settings = self.shared.settings.load_full();
        let identity = match authority.identify(&set.access).await {
            Ok(identity) => complete(&settings, platform, identity),
            Err(error) => Err(nobody(platform, &error.to_string(), "sign in again")),
        };
        let (user_id, Identity { login, scopes, .. }) = match identity {
            Ok(identity) => identity,
            Err(error) => return Err(give_back(authority, &set, error).await),
        };
        let id = match role {
            Role::Bot => GrantId::bot(platform),
            Role::Broadcaster => GrantId::broadcaster(platform, &user_id),
        };
        let asked = || wanted(&settings, platform, role).into_iter().map(str::to_owned).collect();
        let row = StoredGrant {
            id,
            login: login.unwrap_or_else(|| user_id.clone()),
            user_id,
            client_id: authority.client_id().to_owned(),
            sealed: Vec::new(),
            key_id: key.fingerprint().to_owned(),
            scopes: scopes.or_else(|| set.scopes.clone()).unwrap_or_else(asked),
            issued_ms: set.issued_ms,
            expires_ms: set.expires_ms,
            state: GrantState::Ready,
            reason: None,
        };
        let sealed = seal(key, &row, &set.access, set.refresh.as_ref()).map_err(KeyError::from)?;
        let row = StoredGrant { sealed, ..row };
        self.grant(&row.id).keep(row.clone()).await?;
        tracing::info!(grant = describe(&row.id), login = row.login, "Signed in.");
        Ok(AuthAnswer::SignedIn(self.view(&settings, row).await))
    }

    async fn revoke(&self, id: &GrantId, forget: bool) -> Result<AuthAnswer, AuthError> {
        let rows = self.shared.store.grants().await?;
        if !rows.iter().any(|row| row.id == *id) {
            let help = "`showrunner auth status` shows who is";
            return Err(AuthError::new(format!("nobody is signed in ({})", describe(id)), help));
        }
        let untold = self.grant(id).revoke(forget).await.map_err(|error| {
            let platform = platform_name(&id.platform);
            AuthError::new(
                format!("{platform} can't be told, so nothing was deleted: {error}"),
                format!("try again; --forget deletes the tokens here, while at {platform} they hold until they end"),
            )
        })?;
        tracing::info!(grant = describe(id), untold, "Signed out.");
        Ok(AuthAnswer::Revoked { untold })
    }
}

/// Who it is. Where Joystick has no word for that, the config may.
fn complete(settings: &Settings, platform: &str, identity: Identity) -> Result<(String, Identity), AuthError> {
    if let Some(user_id) = identity.user_id.clone() {
        return Ok((user_id, identity));
    }
    let Some(joystick) = settings.joystick.as_ref().filter(|_| platform == JOYSTICK) else {
        return Err(nobody(platform, "its answer names nobody", "sign in again"));
    };
    let [channel] = joystick.channels.as_slice() else {
        let help = "set `channels` in [joystick] to the id of this channel, and sign in again";
        return Err(nobody(platform, "its answer names nobody", help));
    };
    let login = identity.login.or_else(|| Some(joystick.bot.clone()));
    Ok((channel.clone(), Identity { login, ..identity }))
}

fn nobody(platform: &str, why: &str, help: &str) -> AuthError {
    let platform = platform_name(platform);
    AuthError::new(format!("{platform} gave tokens, but does not say whose they are: {why}"), help)
}

/// Nobody here will ever use them.
async fn give_back(authority: &dyn Authority, set: &TokenSet, error: AuthError) -> AuthError {
    let message = match authority.revoke(&set.access, set.refresh.as_ref()).await {
        Ok(()) => format!("{error}; the tokens were revoked"),
        Err(untold) => format!("{error}; the tokens could not be revoked, and end by themselves: {untold}"),
    };
    AuthError { message, help: error.help }
}

fn refused(platform: &str, what: &str, error: &RequestError) -> AuthError {
    let help = scopes_help(platform);
    let platform = platform_name(platform);
    match error {
        RequestError::Application(why) => AuthError::new(
            format!("{platform} does not know this application: {why}"),
            "check `client-id` and `client-secret`, and that `redirect` is registered with it letter by letter",
        ),
        RequestError::Refused(why) if why.contains(INVALID_SCOPE) => {
            AuthError::new(format!("{platform} refused what was asked for: {why}"), help)
        }
        RequestError::Refused(why) => AuthError::new(
            format!("{platform} refused {what}: {why}"),
            "sign in again; a code holds for some minutes and serves once",
        ),
        RequestError::Undone(why) | RequestError::Lost(why) => {
            AuthError::new(format!("{platform} did not answer to {what}: {why}"), "sign in again")
        }
    }
}
