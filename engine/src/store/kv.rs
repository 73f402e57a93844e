//! The durable memory of plugins. A plugin's is read whole when it starts; from then on the host only writes.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::Store;
use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Request};
use crate::effect::{KvWrite, PluginId};

impl Store {
    /// All that a plugin has stored, with what is still queued for it. Refused while the disk does not take that: a
    /// plugin that began with what is older would write it over what is newer.
    pub async fn kv(&self, plugin: &PluginId) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let owner = plugin.clone();
        let read = move |group: &mut Group<'_>| {
            let mut statement = group.prepare("SELECT key, value FROM kv WHERE plugin = ?1")?;
            let rows = statement.query_map([&*owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let request = Request::new(Access::Read, read, answer).reading_memory_of(plugin.clone());
        self.queue_work(request, answered)?.await
    }
}

pub(super) fn write(group: &Group<'_>, plugin: &str, write: &KvWrite) -> Result<(), StoreError> {
    match write {
        KvWrite::Set { key, value } => group
            .prepare(
                "INSERT INTO kv (plugin, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value",
            )?
            .execute((plugin, key, value))?,
        KvWrite::Remove { key } => {
            group.prepare("DELETE FROM kv WHERE plugin = ?1 AND key = ?2")?.execute((plugin, key))?
        }
    };
    Ok(())
}
