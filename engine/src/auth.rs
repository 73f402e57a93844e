//! Who is signed in where: tokens, sealed in the database, refreshed by one hand.
//!
//! Platforms see a grant as [`Tokens`] and nothing else: an access token to use now, and a way to get another one
//! when that is refused. Nobody but this room sees a refresh token.
//!
//! [`Grants`] is made once, by the engine, or by the command line where no daemon runs. It owns every grant, so that a
//! refresh token is presented by one hand only. [`consent`] brings a person to the page
//! where they agree, and takes them in when they come back.

pub mod answer;
pub mod consent;
mod grant;
mod grants;
mod http;
pub(crate) mod scopes;
mod seal;
mod service;
mod vault;
mod view;
mod words;

use async_trait::async_trait;
use secrecy::SecretString;

pub use self::grants::Grants;
pub use self::vault::{KeyError, KeyView, key_file, make_key_file};
pub use self::view::{Condition, GrantView, Overview};
pub use crate::store::{GrantId, GrantState, Role};

/// An access token and whose it is.
#[derive(Debug, Clone)]
pub struct Access {
    pub token: SecretString,
    /// The user's id on the platform; of a bot its own, of a broadcaster the channel's.
    pub user_id: String,
    pub login: String,
    pub scopes: Vec<String>,
    /// When it ends, where that is known; milliseconds since 1970.
    pub expires_at_ms: Option<u64>,
}

impl Access {
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// One grant, as a platform uses it.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// The access token as it stands in the database, refreshed before when it is about to end. To be asked for at
    /// each connection.
    async fn read(&self) -> Result<Access, TokenError>;

    /// Another one, after the platform refused `stale`. However many ask at once, it is refreshed once; the new one
    /// is durable before it is given out.
    async fn refresh(&self, stale: &Access) -> Result<Access, TokenError>;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody is signed in, or not any more: only a person can help.
    #[error("{why}")]
    SignIn { why: String, what_to_do: String },
    /// The service or the disk did not answer; later it may.
    #[error("{0}")]
    Later(String),
}

#[cfg(test)]
mod tests;
