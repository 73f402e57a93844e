//! The events that one plugin has still to handle and must not miss: money, moderation, answers of the agent.
//!
//! Such an event is written when the plugin gets it, and goes in the same transaction as the batch that the plugin
//! makes of it. So a kill neither loses it nor has it handled twice. Chat has no place here: there is too much of it,
//! and [`unfinished`](super::unfinished) sees to it.

use std::sync::Arc;

use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item};
use super::{Store, to_integer};
use crate::effect::PluginId;
use crate::event::Envelope;

/// How often a plugin is given an event whose handling the daemon did not survive; see [`super::unfinished`].
const ATTEMPTS: u32 = 10;

/// An event that waits for a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub envelope: Envelope,
    /// In how many earlier runs the plugin may have begun with it.
    pub attempts: u32,
}

impl Waiting {
    /// Whether a run that was killed may have carried out a part of what the plugin made of it.
    pub const fn again(&self) -> bool {
        self.attempts > 0
    }
}

/// An event in a plugin's queue, with the [`attempts`](Waiting::attempts) of earlier runs.
pub type Queued = (Arc<Envelope>, u32);

impl Store {
    /// Keeps an event for a plugin until it has handled it. `is_given`: it runs, and may begin at once. Never waits.
    pub fn keep_event(&self, plugin: &PluginId, envelope: &Arc<Envelope>, is_given: bool) {
        self.write_behind(Item::Kept { plugin: plugin.clone(), envelope: Arc::clone(envelope), is_given });
    }

    /// The plugin is done with an event of which it made no batch. Never waits.
    pub fn forget_event(&self, plugin: &PluginId, event_id: &Arc<str>) {
        self.write_behind(Item::Forgotten { plugin: plugin.clone(), event_id: Arc::clone(event_id) });
    }

    /// A plugin has ended, with these events still in its queue: nothing that is kept for it is begun, but for those
    /// that an earlier run may have begun.
    pub async fn save_backlog(&self, plugin: &PluginId, events: &[Queued]) -> Result<(), StoreError> {
        let (plugin, events) = (plugin.clone(), events.to_vec());
        self.request(Access::Durable, move |group| {
            group.prepare("UPDATE inbox SET given = 0 WHERE plugin = ?1")?.execute([&*plugin])?;
            for (envelope, attempts) in &events {
                write(group, &plugin, envelope, *attempts)?;
            }
            Ok(())
        })
        .await
    }

    /// All that waits for a plugin, in order, as it is given to it now. It stays until it is handled.
    pub async fn take_backlog(&self, plugin: &PluginId) -> Result<Vec<Waiting>, StoreError> {
        let plugin = plugin.clone();
        self.request(Access::Durable, move |group| {
            give_up(group, &plugin)?;
            let mut select = group.prepare("SELECT envelope, given FROM inbox WHERE plugin = ?1 ORDER BY place")?;
            let rows = select.query_map([&*plugin], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let mut waiting = Vec::new();
            for row in rows {
                let (json, attempts) = row?;
                match serde_json::from_str(&json) {
                    Ok(envelope) => waiting.push(Waiting { envelope, attempts }),
                    Err(error) => tracing::warn!(%plugin, %error, "A kept event can't be read; skipped."),
                }
            }
            group.prepare("UPDATE inbox SET given = given + 1 WHERE plugin = ?1")?.execute([&*plugin])?;
            Ok(waiting)
        })
        .await
    }

    /// A plugin that was down runs again and is about to get all that waited in its queue, which counts once for
    /// a run. Never waits: what it makes of them is written behind this.
    pub fn give_backlog(&self, plugin: &PluginId, events: &[Queued]) -> Result<(), StoreError> {
        let plugin = plugin.clone();
        let attempted = events.iter().filter(|(_, attempts)| *attempts > 0);
        let attempted: Vec<_> = attempted.map(|(envelope, attempts)| (Arc::clone(&envelope.id), *attempts)).collect();
        let given = self.queue_request(Access::Durable, move |group| {
            group.prepare("UPDATE inbox SET given = 1 WHERE plugin = ?1 AND given = 0")?.execute([&*plugin])?;
            let mut count = group.prepare("UPDATE inbox SET given = ?3 + 1 WHERE plugin = ?1 AND event_id = ?2")?;
            for (event_id, attempts) in &attempted {
                count.execute((&*plugin, &**event_id, attempts))?;
            }
            Ok(())
        });
        given.map(drop)
    }
}

fn give_up(group: &Group<'_>, plugin: &str) -> Result<(), StoreError> {
    let mut statement = group.prepare("DELETE FROM inbox WHERE plugin = ?1 AND given >= ?2 RETURNING event_id")?;
    let mut rows = statement.query((plugin, ATTEMPTS))?;
    while let Some(row) = rows.next()? {
        let event_id: String = row.get(0)?;
        tracing::error!(
            plugin,
            event_id,
            attempts = ATTEMPTS,
            "The daemon ended each time before the plugin had handled this event, which is given up; it is in the journal."
        );
    }
    Ok(())
}

pub(super) fn write(
    group: &mut Group<'_>,
    plugin: &str,
    envelope: &Envelope,
    given: impl Into<u32>,
) -> Result<(), StoreError> {
    let mut insert = group.prepare(
        "INSERT INTO inbox (plugin, event_id, envelope, given, stored_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (plugin, event_id) DO UPDATE SET
                 envelope = excluded.envelope, given = max(given, excluded.given)",
    )?;
    let json = group.json.write(envelope)?;
    insert.execute((plugin, &*envelope.id, json, given.into(), to_integer(group.now_ms)))?;
    Ok(())
}

pub(super) fn strike_off(group: &Group<'_>, plugin: &str, event_id: &str) -> Result<(), StoreError> {
    group.prepare("DELETE FROM inbox WHERE plugin = ?1 AND event_id = ?2")?.execute((plugin, event_id))?;
    Ok(())
}
