//! The newest chat lines of each viewer in each channel: what a moderator wants to see of somebody.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item};
use super::{Store, from_integer, to_integer};
use crate::event::{Channel, ChatMessage, Envelope, PlatformName};

/// Lines of one viewer in one channel that can be asked for.
const KEPT: u32 = 50;

/// A viewer's surplus is cleared away with every so many lines, as looking for it costs more than writing one.
const CLEAR_EVERY: u32 = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLine {
    pub message_id: String,
    pub at_ms: u64,
    pub text: String,
    /// A moderator, or the platform, took it away.
    pub removed: bool,
}

impl Store {
    /// The newest lines of a viewer in a channel, the newest first; at most 50.
    pub async fn recent_lines(
        &self,
        channel: &Channel,
        user_id: &str,
        limit: u32,
    ) -> Result<Vec<ChatLine>, StoreError> {
        let (channel, user_id) = (channel.clone(), user_id.to_owned());
        self.request(Access::Read, move |group| {
            group.project()?;
            let mut statement = group.prepare(
                "SELECT message_id, at_ms, text,
                        EXISTS (SELECT 1 FROM removals WHERE removals.platform = lines.platform
                                AND removals.channel = lines.channel AND removals.message_id = lines.message_id)
                 FROM lines WHERE platform = ?1 AND channel = ?2 AND user_id = ?3 ORDER BY position DESC LIMIT ?4",
            )?;
            let values = (&*channel.platform, &*channel.id, &user_id, limit.min(KEPT));
            let lines = statement.query_map(values, |row| {
                Ok(ChatLine {
                    message_id: row.get(0)?,
                    at_ms: from_integer(row.get(1)?),
                    text: row.get(2)?,
                    removed: row.get(3)?,
                })
            })?;
            Ok(lines.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The channels of a platform where lines of this viewer are kept.
    pub async fn channels_with_lines(&self, platform: &str, user_id: &str) -> Result<Vec<Channel>, StoreError> {
        let (platform, user_id) = (PlatformName::from(platform), user_id.to_owned());
        self.request(Access::Read, move |group| {
            group.project()?;
            let mut statement =
                group.prepare("SELECT DISTINCT channel FROM lines WHERE platform = ?1 AND user_id = ?2")?;
            let channels = statement.query_map((&*platform, &user_id), |row| {
                Ok(Channel::new(platform.clone(), row.get::<_, String>(0)?))
            })?;
            Ok(channels.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Marks a line as taken away. Never waits.
    pub fn mark_removed(&self, channel: &Channel, message_id: &str) {
        self.write_behind(Item::Removed { channel: channel.clone(), message_id: message_id.to_owned() });
    }
}

/// A line that is to be written.
pub(super) type Line<'e> = (&'e Envelope, &'e ChatMessage);

/// Drops of one viewer's lines what would be cleared away at once: a flood is not worth writing.
pub(super) fn drop_surplus(lines: &mut Vec<Line<'_>>) {
    if lines.len() <= KEPT as usize {
        return;
    }
    let mut kept: HashMap<&Channel, u32> = HashMap::new();
    lines.reverse();
    lines.retain(|(envelope, _)| {
        let kept = kept.entry(&envelope.channel).or_default();
        *kept += 1;
        *kept <= KEPT
    });
    lines.reverse();
}

pub(super) fn write(group: &Group<'_>, envelope: &Envelope, message: &ChatMessage) -> Result<(), StoreError> {
    let channel = &envelope.channel;
    group
        .prepare(
            "INSERT INTO lines (platform, channel, user_id, message_id, at_ms, text, stored_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            &*channel.platform,
            &*channel.id,
            &message.author.id,
            &message.id,
            to_integer(envelope.at_ms),
            &message.text,
            to_integer(group.now_ms),
        ))?;
    Ok(())
}

/// Removes what is more than can be asked for, when `new` lines made it `messages` and that is time for it. In all
/// channels at once, as the count is over all of them; one after the other, as the index then leads straight to it.
pub(super) fn clear_surplus(
    group: &Group<'_>,
    platform: &str,
    user_id: &str,
    messages: u32,
    new: u32,
) -> Result<(), StoreError> {
    if messages / CLEAR_EVERY == messages.saturating_sub(new) / CLEAR_EVERY {
        return Ok(());
    }
    let channels: Vec<String> = group
        .prepare("SELECT DISTINCT channel FROM lines WHERE platform = ?1 AND user_id = ?2")?
        .query_map((platform, user_id), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for channel in channels {
        group
            .prepare(
                "DELETE FROM lines WHERE platform = ?1 AND user_id = ?2 AND channel = ?3 AND position <= (
                     SELECT position FROM lines WHERE platform = ?1 AND user_id = ?2 AND channel = ?3
                     ORDER BY position DESC LIMIT 1 OFFSET ?4)",
            )?
            .execute((platform, user_id, &channel, KEPT))?;
    }
    Ok(())
}

pub(super) fn mark_removed(group: &Group<'_>, channel: &Channel, message_id: &str) -> Result<(), StoreError> {
    group
        .prepare(
            "INSERT INTO removals (platform, channel, message_id, stored_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((&*channel.platform, &*channel.id, message_id, to_integer(group.now_ms)))?;
    Ok(())
}
