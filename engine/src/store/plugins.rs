//! What outlives a restart of a plugin: the events that it had still to handle, and what was decided about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::item::Access;
use super::{Store, to_integer};
use crate::effect::PluginId;
use crate::event::Envelope;

/// What the operator and the host decided about a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PluginFlags {
    /// `None` while nobody said so.
    pub enabled: Option<bool>,
    /// The hash of the file that is not to be run any more.
    pub quarantined: Option<String>,
    /// Why, in words for the operator.
    pub reason: Option<String>,
}

impl Store {
    /// Keeps the events that a plugin has still to handle, in the place of those that were kept before.
    pub async fn save_backlog(&self, plugin: &PluginId, events: &[Arc<Envelope>]) -> Result<(), StoreError> {
        let (plugin, events) = (plugin.clone(), events.to_vec());
        self.request(Access::Durable, move |group| {
            group.prepare("DELETE FROM backlog WHERE plugin = ?1")?.execute([&*plugin])?;
            let mut insert = group.prepare("INSERT INTO backlog (plugin, place, envelope) VALUES (?1, ?2, ?3)")?;
            for (place, envelope) in events.iter().enumerate() {
                insert.execute((&*plugin, to_integer(place as u64), serde_json::to_string(envelope)?))?;
            }
            Ok(())
        })
        .await
    }

    /// Hands back the kept events, in order, and forgets them.
    pub async fn take_backlog(&self, plugin: &PluginId) -> Result<Vec<Envelope>, StoreError> {
        let plugin = plugin.clone();
        self.request(Access::Durable, move |group| {
            let mut select = group.prepare("SELECT envelope FROM backlog WHERE plugin = ?1 ORDER BY place")?;
            let rows = select.query_map([&*plugin], |row| row.get::<_, String>(0))?;
            let mut events = Vec::new();
            for json in rows {
                match serde_json::from_str(&json?) {
                    Ok(envelope) => events.push(envelope),
                    Err(error) => tracing::warn!(%plugin, %error, "A kept event can't be read; skipped."),
                }
            }
            group.prepare("DELETE FROM backlog WHERE plugin = ?1")?.execute([&*plugin])?;
            Ok(events)
        })
        .await
    }

    pub async fn plugin_flags(&self) -> Result<BTreeMap<PluginId, PluginFlags>, StoreError> {
        self.request(Access::Read, |group| {
            let mut statement = group.prepare("SELECT plugin, enabled, quarantined, reason FROM plugin_flags")?;
            let rows = statement.query_map([], |row| {
                let plugin: PluginId = row.get::<_, String>(0)?.into();
                Ok((plugin, PluginFlags { enabled: row.get(1)?, quarantined: row.get(2)?, reason: row.get(3)? }))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    pub async fn set_plugin_flags(&self, plugin: &PluginId, flags: &PluginFlags) -> Result<(), StoreError> {
        let (plugin, flags) = (plugin.clone(), flags.clone());
        self.request(Access::Durable, move |group| {
            group
                .prepare(
                    "INSERT INTO plugin_flags (plugin, enabled, quarantined, reason) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (plugin) DO UPDATE SET
                         enabled = excluded.enabled, quarantined = excluded.quarantined, reason = excluded.reason",
                )?
                .execute((&*plugin, flags.enabled, &flags.quarantined, &flags.reason))?;
            Ok(())
        })
        .await
    }
}
