//! Who is signed in where, with tokens that are sealed before they come here.
//!
//! Every write is durable when it is answered: what a grant's row says decides whether a refresh token may be used.

use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::item::Access;
use super::{Store, from_integer, to_integer};
use crate::event::now_ms;

/// Which sign-in is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GrantId {
    /// "twitch", "joystick".
    pub platform: String,
    pub role: Role,
    /// The channel of a broadcaster; empty for the bot, of which a platform has one.
    pub account: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Bot,
    Broadcaster,
}

impl GrantId {
    pub fn bot(platform: &str) -> Self {
        Self { platform: platform.to_owned(), role: Role::Bot, account: String::new() }
    }

    pub fn broadcaster(platform: &str, channel: &str) -> Self {
        Self { platform: platform.to_owned(), role: Role::Broadcaster, account: channel.to_owned() }
    }
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Broadcaster => "broadcaster",
        }
    }
}

/// What may be done with the refresh token of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    Ready,
    /// It is being used, or was by a run that ended over it.
    Refreshing,
    /// It may have been used, and nobody knows what came of it.
    Spent,
    /// The service has refused it.
    SignedOut,
}

impl GrantState {
    const ALL: [Self; 4] = [Self::Ready, Self::Refreshing, Self::Spent, Self::SignedOut];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Refreshing => "refreshing",
            Self::Spent => "spent",
            Self::SignedOut => "signed-out",
        }
    }

    fn parse(text: &str) -> Self {
        // The table takes no other words.
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Spent)
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGrant {
    pub id: GrantId,
    pub user_id: String,
    pub login: String,
    pub client_id: String,
    pub sealed: Vec<u8>,
    /// The fingerprint of the key that opens it.
    pub key_id: String,
    pub scopes: Vec<String>,
    pub issued_ms: u64,
    pub expires_ms: Option<u64>,
    pub state: GrantState,
    /// Why it is in this state.
    pub reason: Option<String>,
}

const COLUMNS: &str = "platform, role, account, user_id, login, client_id, sealed, key_id, scopes, issued_ms, \
                       expires_ms, state, reason";

impl Store {
    /// In the order of their ids.
    pub async fn grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        self.request(Access::Read, |group| {
            let mut statement =
                group.prepare(&format!("SELECT {COLUMNS} FROM grants ORDER BY platform, role, account"))?;
            let rows = statement.query_map([], read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    pub async fn grant(&self, id: &GrantId) -> Result<Option<StoredGrant>, StoreError> {
        let id = id.clone();
        self.request(Access::Read, move |group| {
            let mut statement = group
                .prepare(&format!("SELECT {COLUMNS} FROM grants WHERE platform = ?1 AND role = ?2 AND account = ?3"))?;
            Ok(statement.query_row(key(&id), read).optional()?)
        })
        .await
    }

    /// In the place of the one there was, if any.
    pub async fn put_grant(&self, grant: &StoredGrant) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.request(Access::Durable, move |group| {
            let StoredGrant { id, user_id, login, client_id, sealed, key_id, .. } = &grant;
            let scopes = serde_json::to_string(&grant.scopes)?;
            let (role, state) = (id.role.as_str(), grant.state.as_str());
            let (issued_ms, changed_ms) = (to_integer(grant.issued_ms), to_integer(now_ms()));
            let expires_ms = grant.expires_ms.map(to_integer);
            let row: [&dyn ToSql; 14] = [
                &id.platform,
                &role,
                &id.account,
                user_id,
                login,
                client_id,
                sealed,
                key_id,
                &scopes,
                &issued_ms,
                &expires_ms,
                &state,
                &grant.reason,
                &changed_ms,
            ];
            group
                .prepare(&format!(
                    "INSERT OR REPLACE INTO grants ({COLUMNS}, changed_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
                ))?
                .execute(row)?;
            Ok(())
        })
        .await
    }

    pub async fn set_grant_state(
        &self,
        id: &GrantId,
        state: GrantState,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let (id, reason) = (id.clone(), reason.map(str::to_owned));
        self.request(Access::Durable, move |group| {
            let (platform, role, account) = key(&id);
            group
                .prepare(
                    "UPDATE grants SET state = ?4, reason = ?5, changed_ms = ?6
                     WHERE platform = ?1 AND role = ?2 AND account = ?3",
                )?
                .execute((platform, role, account, state.as_str(), &reason, to_integer(now_ms())))?;
            Ok(())
        })
        .await
    }

    /// What the service says of a grant; its tokens stay as they are.
    pub async fn describe_grant(&self, id: &GrantId, login: &str, scopes: &[String]) -> Result<(), StoreError> {
        let (id, login, scopes) = (id.clone(), login.to_owned(), scopes.to_vec());
        self.request(Access::Durable, move |group| {
            let (platform, role, account) = key(&id);
            let scopes = serde_json::to_string(&scopes)?;
            group
                .prepare(
                    "UPDATE grants SET login = ?4, scopes = ?5, changed_ms = ?6
                     WHERE platform = ?1 AND role = ?2 AND account = ?3",
                )?
                .execute((platform, role, account, &login, &scopes, to_integer(now_ms())))?;
            Ok(())
        })
        .await
    }

    /// Says whether there was one.
    pub async fn remove_grant(&self, id: &GrantId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.request(Access::Durable, move |group| {
            let mut statement =
                group.prepare("DELETE FROM grants WHERE platform = ?1 AND role = ?2 AND account = ?3")?;
            Ok(statement.execute(key(&id))? > 0)
        })
        .await
    }
}

/// For a database that was put back from a copy: whether its refresh tokens were used since, nobody knows. One that may
/// be used again is used all the same.
pub(super) fn distrust(connection: &mut Connection) -> rusqlite::Result<()> {
    const WHY: &str = "the database was put back from a backup, and its refresh token may have been used since";
    let has_grants: bool = connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'grants'",
        [],
        |row| row.get(0),
    )?;
    if has_grants {
        connection.execute("UPDATE grants SET state = 'spent', reason = ?1 WHERE state = 'ready'", [WHY])?;
    }
    Ok(())
}

fn key(id: &GrantId) -> (&str, &'static str, &str) {
    (&id.platform, id.role.as_str(), &id.account)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredGrant> {
    let role = if row.get_ref(1)?.as_str()? == Role::Bot.as_str() { Role::Bot } else { Role::Broadcaster };
    let scopes: String = row.get(8)?;
    Ok(StoredGrant {
        id: GrantId { platform: row.get(0)?, role, account: row.get(2)? },
        user_id: row.get(3)?,
        login: row.get(4)?,
        client_id: row.get(5)?,
        sealed: row.get(6)?,
        key_id: row.get(7)?,
        // Without its scopes a token is still good.
        scopes: serde_json::from_str(&scopes).unwrap_or_default(),
        issued_ms: from_integer(row.get(9)?),
        expires_ms: row.get::<_, Option<i64>>(10)?.map(from_integer),
        state: GrantState::parse(row.get_ref(11)?.as_str()?),
        reason: row.get(12)?,
    })
}
