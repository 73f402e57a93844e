//! What was decided about plugins, over restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Store;
use super::error::StoreError;
use super::item::Access;
use crate::effect::PluginId;

/// What the host decided about a plugin; what the operator did stands in the config.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PluginFlags {
    /// The hash of the file that is not to be run any more.
    pub quarantined: Option<String>,
    /// Why, in words for the operator.
    pub reason: Option<String>,
}

impl Store {
    pub async fn plugin_flags(&self) -> Result<BTreeMap<PluginId, PluginFlags>, StoreError> {
        self.request(Access::Read, |group| {
            let mut statement = group.prepare("SELECT plugin, quarantined, reason FROM plugin_flags")?;
            let rows = statement.query_map([], |row| {
                let plugin: PluginId = row.get::<_, String>(0)?.into();
                Ok((plugin, PluginFlags { quarantined: row.get(1)?, reason: row.get(2)? }))
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
                    "INSERT INTO plugin_flags (plugin, quarantined, reason) VALUES (?1, ?2, ?3)
                     ON CONFLICT (plugin) DO UPDATE SET quarantined = excluded.quarantined, reason = excluded.reason",
                )?
                .execute((&*plugin, &flags.quarantined, &flags.reason))?;
            Ok(())
        })
        .await
    }
}
