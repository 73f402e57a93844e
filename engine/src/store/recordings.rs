//! What is kept for replays, written as the journal is: behind, and nobody waits.

use super::error::StoreError;
use super::group::Group;
use super::item::Item;
use super::{Store, to_integer};
use crate::recording::Recording;

impl Store {
    /// Keeps something for replays. Never waits and never fails, as the journal.
    pub fn record(&self, recording: Recording) {
        self.write_behind(Item::Recording(Box::new(recording)));
    }
}

pub(super) fn write(group: &mut Group<'_>, recording: &Recording) -> Result<(), StoreError> {
    let now_ms = to_integer(group.now_ms);
    let bytes = match recording {
        Recording::Start { start, memory } => {
            let (json, memory) =
                (serde_json::to_string(start)?, memory.as_ref().map(serde_json::to_string).transpose()?);
            group
                .prepare("INSERT INTO starts (plugin, start, memory, stored_ms) VALUES (?1, ?2, ?3, ?4)")?
                .execute((&*start.plugin, &json, &memory, now_ms))?;
            json.len() + memory.map_or(0, |memory| memory.len())
        }
        Recording::Note { event_id, plugin, note } => {
            let mut insert =
                group.prepare("INSERT INTO notes (event_id, plugin, note, stored_ms) VALUES (?1, ?2, ?3, ?4)")?;
            let json = group.json.write(note)?;
            insert.execute((&**event_id, &**plugin, json, now_ms))?;
            json.len()
        }
    };
    group.total_bytes = group.total_bytes.saturating_add(bytes as u64);
    Ok(())
}
