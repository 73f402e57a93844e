//! Who was seen. Fed by live events only; identity is (platform, user id), a login can change hands.

use rusqlite::{OptionalExtension, Row, ToSql};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::group::Group;
use super::item::Access;
use super::lines::Line;
use super::{Store, from_integer, to_integer};
use crate::event::{ChatMessage, Envelope, PlatformName, Roles, User};

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
            group.project()?;
            let mut statement = group.prepare(
                "SELECT user_id, login, display_name, roles, badges, first_seen_ms, last_seen_ms, messages, color
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
            group.project()?;
            let mut statement = group.prepare(
                "SELECT user_id, login, display_name, roles, badges, first_seen_ms, last_seen_ms, messages, color
                 FROM viewers WHERE platform = ?1 AND login_folded = ?2 ORDER BY last_seen_ms DESC LIMIT 1",
            )?;
            Ok(statement.query_row((&platform, &login), read).optional()?)
        })
        .await
    }

    /// Everybody of this name, on one platform or on all: by login, by the name that is shown, or by id. The one who
    /// was seen last comes first.
    pub async fn viewers_called(
        &self,
        name: &str,
        platform: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(PlatformName, Viewer)>, StoreError> {
        let (name, folded) = (name.to_owned(), fold(name));
        let platform = platform.map(str::to_owned);
        self.request(Access::Read, move |group| {
            group.project()?;
            let mut statement = group.prepare(
                "SELECT user_id, login, display_name, roles, badges, first_seen_ms, last_seen_ms, messages, color, platform
                 FROM viewers WHERE (login_folded = ?2 OR user_id = ?1 OR display_name = ?1)
                 AND (?3 IS NULL OR platform = ?3) ORDER BY last_seen_ms DESC LIMIT ?4",
            )?;
            let viewers = statement.query_map((&name, &folded, &platform, limit), |row| {
                Ok((row.get::<_, String>(9)?.into(), read(row)?))
            })?;
            Ok(viewers.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// What somebody did since the last projection, and who that is by now.
#[derive(Debug, Default)]
pub(super) struct Seen<'e> {
    login: &'e str,
    display_name: &'e str,
    roles: Roles,
    badges: &'e [String],
    color: Option<&'e str>,
    first_ms: Option<u64>,
    last_ms: u64,
    pub(super) messages: u32,
    /// The lines that these messages are, in order.
    pub(super) lines: Vec<Line<'e>>,
}

impl<'e> Seen<'e> {
    /// A line tells all there is to know of its author.
    pub(super) fn add_line(&mut self, envelope: &'e Envelope, message: &'e ChatMessage) {
        let author = &message.author;
        self.login = &author.login;
        self.display_name = &author.display_name;
        // That it was the first line is true of the line, not of the viewer.
        self.roles = Roles { first_time: false, ..author.roles };
        self.badges = &author.badges;
        if author.color.is_some() {
            self.color = author.color.as_deref();
        }
        self.add_time(envelope.at_ms);
        self.messages = self.messages.saturating_add(1);
        self.lines.push((envelope, message));
    }

    /// Any other event may know only a part of who it was, and no more of roles and badges than there is of somebody
    /// new.
    pub(super) fn add(&mut self, user: &'e User, at_ms: u64) {
        if !user.login.is_empty() {
            self.login = &user.login;
        }
        if !user.display_name.is_empty() {
            self.display_name = &user.display_name;
        }
        if self.first_ms.is_none() {
            self.roles = user.roles;
            self.badges = &user.badges;
        }
        self.add_time(at_ms);
    }

    fn add_time(&mut self, at_ms: u64) {
        self.first_ms = Some(self.first_ms.map_or(at_ms, |first_ms| first_ms.min(at_ms)));
        self.last_ms = self.last_ms.max(at_ms);
    }

    fn first_ms(&self) -> u64 {
        self.first_ms.unwrap_or(self.last_ms)
    }
}

/// Counts somebody's lines. Returns how many there were ever.
pub(super) fn count(group: &Group<'_>, platform: &str, user_id: &str, seen: &Seen<'_>) -> Result<u32, StoreError> {
    let roles = serde_json::to_string(&seen.roles)?;
    let badges = serde_json::to_string(seen.badges)?;
    let (first_ms, last_ms) = (to_integer(seen.first_ms()), to_integer(seen.last_ms));
    let row: [&dyn ToSql; 10] = [
        &platform,
        &user_id,
        &seen.login,
        &seen.display_name,
        &roles,
        &badges,
        &first_ms,
        &last_ms,
        &seen.messages,
        &seen.color,
    ];
    // Somebody known by the same login, as nearly always: the index by login stays as it is.
    let known = group
        .prepare(
            "UPDATE viewers SET display_name = ?4, roles = ?5, badges = ?6, messages = messages + ?9,
                 color = coalesce(?10, color), first_seen_ms = min(first_seen_ms, ?7), last_seen_ms = max(last_seen_ms, ?8)
             WHERE platform = ?1 AND user_id = ?2 AND login = ?3",
        )?
        .execute(row)?;
    if known == 0 {
        group
            .prepare(
                "INSERT INTO viewers (platform, user_id, login, login_folded, display_name, roles, badges,
                                      first_seen_ms, last_seen_ms, messages, color)
                 VALUES (?1, ?2, ?3, ?11, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (platform, user_id) DO UPDATE SET
                     login = excluded.login, login_folded = excluded.login_folded,
                     display_name = excluded.display_name, roles = excluded.roles, badges = excluded.badges,
                     first_seen_ms = min(first_seen_ms, excluded.first_seen_ms),
                     last_seen_ms = max(last_seen_ms, excluded.last_seen_ms),
                     messages = messages + excluded.messages,
                     color = coalesce(excluded.color, color)",
            )?
            .execute([&row[..], &[&fold(seen.login)]].concat().as_slice())?;
    }
    // Not by RETURNING, which makes a table of its rows and costs more than a look at one that is at hand.
    let ever: i64 = group
        .prepare("SELECT messages FROM viewers WHERE platform = ?1 AND user_id = ?2")?
        .query_row((platform, user_id), |row| row.get(0))?;
    Ok(u32::try_from(ever).unwrap_or(u32::MAX))
}

/// Notes that somebody was there who wrote nothing.
pub(super) fn see(group: &Group<'_>, platform: &str, user_id: &str, seen: &Seen<'_>) -> Result<(), StoreError> {
    let roles = serde_json::to_string(&seen.roles)?;
    let badges = serde_json::to_string(seen.badges)?;
    let (first_ms, last_ms) = (to_integer(seen.first_ms()), to_integer(seen.last_ms));
    group
        .prepare(
            "INSERT INTO viewers (platform, user_id, login, login_folded, display_name, roles, badges,
                                  first_seen_ms, last_seen_ms, messages)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)
             ON CONFLICT (platform, user_id) DO UPDATE SET
                 login = iif(excluded.login = '', login, excluded.login),
                 login_folded = iif(excluded.login = '', login_folded, excluded.login_folded),
                 display_name = iif(excluded.display_name = '', display_name, excluded.display_name),
                 first_seen_ms = min(first_seen_ms, excluded.first_seen_ms),
                 last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)",
        )?
        .execute((
            platform,
            user_id,
            seen.login,
            fold(seen.login),
            seen.display_name,
            roles,
            badges,
            first_ms,
            last_ms,
        ))?;
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
            color: row.get(8)?,
        },
        first_seen_ms: from_integer(row.get(5)?),
        last_seen_ms: from_integer(row.get(6)?),
        messages: u32::try_from(messages).unwrap_or(u32::MAX),
    })
}
