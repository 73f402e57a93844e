//! Who was seen. Fed by live events only; identity is (platform, user id), a login can change hands.

use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::group::Group;
use super::item::Access;
use super::{Store, from_integer, to_integer};
use crate::event::{Roles, User};

/// Somebody who was seen, as of the last time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub user: User,
    pub first_seen_ms: u64,
    pub last_seen_ms: u64,
    /// Chat lines, on all channels of the platform.
    pub messages: u32,
}

impl Store {
    pub async fn viewer(&self, platform: &str, user_id: &str) -> Result<Option<Viewer>, StoreError> {
        let (platform, user_id) = (platform.to_owned(), user_id.to_owned());
        self.request(Access::Read, move |group| {
            group.draw()?;
            let mut statement = group.prepare(
                "SELECT user_id, login, display_name, roles, badges, first_seen_ms, last_seen_ms, messages
                 FROM viewers WHERE platform = ?1 AND user_id = ?2",
            )?;
            Ok(statement.query_row((&platform, &user_id), read).optional()?)
        })
        .await
    }

    /// By login, whatever its case. When several had it, the one who was seen last.
    pub async fn find_viewer(&self, platform: &str, login: &str) -> Result<Option<Viewer>, StoreError> {
        let (platform, login) = (platform.to_owned(), fold(login));
        self.request(Access::Read, move |group| {
            group.draw()?;
            let mut statement = group.prepare(
                "SELECT user_id, login, display_name, roles, badges, first_seen_ms, last_seen_ms, messages
                 FROM viewers WHERE platform = ?1 AND login_folded = ?2 ORDER BY last_seen_ms DESC LIMIT 1",
            )?;
            Ok(statement.query_row((&platform, &login), read).optional()?)
        })
        .await
    }
}

/// Somebody who wrote lines that are to be counted.
#[derive(Debug, Default)]
pub(super) struct Seen<'e> {
    /// As of the newest line, which tells all there is to know of its author.
    user: Option<&'e User>,
    pub(super) messages: u32,
    first_ms: u64,
    last_ms: u64,
}

impl<'e> Seen<'e> {
    pub(super) fn add(&mut self, user: &'e User, at_ms: u64) {
        self.first_ms = if self.messages == 0 { at_ms } else { self.first_ms.min(at_ms) };
        self.last_ms = self.last_ms.max(at_ms);
        self.messages = self.messages.saturating_add(1);
        self.user = Some(user);
    }
}

/// Counts somebody's lines. Returns how many that makes.
pub(super) fn count(group: &Group<'_>, platform: &str, seen: &Seen<'_>) -> Result<u32, StoreError> {
    let Some(user) = seen.user else { return Ok(0) };
    // That it was the first line is true of the line, not of the viewer.
    let roles = serde_json::to_string(&Roles { first_time: false, ..user.roles })?;
    let badges = serde_json::to_string(&user.badges)?;
    let login = &user.login;
    let (first_ms, last_ms) = (to_integer(seen.first_ms), to_integer(seen.last_ms));
    // Somebody known by the same login, as nearly always: the index by login stays as it is.
    let known = group
        .prepare(
            "UPDATE viewers SET display_name = ?4, roles = ?5, badges = ?6, messages = messages + ?9,
                 first_seen_ms = min(first_seen_ms, ?7), last_seen_ms = max(last_seen_ms, ?8)
             WHERE platform = ?1 AND user_id = ?2 AND login = ?3 RETURNING messages",
        )?
        .query_row(
            (platform, &user.id, login, &user.display_name, &roles, &badges, first_ms, last_ms, seen.messages),
            read_count,
        )
        .optional()?;
    if let Some(messages) = known {
        return Ok(messages);
    }
    let messages = group
        .prepare(
            "INSERT INTO viewers (platform, user_id, login, login_folded, display_name, roles, badges,
                                  first_seen_ms, last_seen_ms, messages)
             VALUES (?1, ?2, ?3, ?10, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (platform, user_id) DO UPDATE SET
                 login = excluded.login, login_folded = excluded.login_folded, display_name = excluded.display_name,
                 roles = excluded.roles, badges = excluded.badges,
                 first_seen_ms = min(first_seen_ms, excluded.first_seen_ms),
                 last_seen_ms = max(last_seen_ms, excluded.last_seen_ms), messages = messages + excluded.messages
             RETURNING messages",
        )?
        .query_row(
            (
                platform,
                &user.id,
                login,
                &user.display_name,
                &roles,
                &badges,
                first_ms,
                last_ms,
                seen.messages,
                fold(login),
            ),
            read_count,
        )?;
    Ok(messages)
}

fn read_count(row: &Row<'_>) -> rusqlite::Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(0)?).unwrap_or(u32::MAX))
}

/// Notes that somebody was there, by an event that may know only a part of who it was.
pub(super) fn see(group: &Group<'_>, platform: &str, user: &User, at_ms: u64) -> Result<(), StoreError> {
    let roles = serde_json::to_string(&user.roles)?;
    let badges = serde_json::to_string(&user.badges)?;
    let login = &user.login;
    group
        .prepare(
            "INSERT INTO viewers (platform, user_id, login, login_folded, display_name, roles, badges,
                                  first_seen_ms, last_seen_ms, messages)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 0)
             ON CONFLICT (platform, user_id) DO UPDATE SET
                 login = iif(excluded.login = '', login, excluded.login),
                 login_folded = iif(excluded.login = '', login_folded, excluded.login_folded),
                 display_name = iif(excluded.display_name = '', display_name, excluded.display_name),
                 first_seen_ms = min(first_seen_ms, excluded.first_seen_ms),
                 last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)",
        )?
        .execute((platform, &user.id, login, fold(login), &user.display_name, roles, badges, to_integer(at_ms)))?;
    Ok(())
}

/// SQLite folds ASCII only, and logins are not always that.
fn fold(login: &str) -> String {
    login.to_lowercase()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Viewer> {
    let roles: String = row.get(3)?;
    let badges: String = row.get(4)?;
    let messages: i64 = row.get(7)?;
    Ok(Viewer {
        user: User {
            id: row.get(0)?,
            login: row.get(1)?,
            display_name: row.get(2)?,
            // Roles are a hint, never worth failing for.
            roles: serde_json::from_str(&roles).unwrap_or_default(),
            badges: serde_json::from_str(&badges).unwrap_or_default(),
        },
        first_seen_ms: from_integer(row.get(5)?),
        last_seen_ms: from_integer(row.get(6)?),
        messages: u32::try_from(messages).unwrap_or(u32::MAX),
    })
}
