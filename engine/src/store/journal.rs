//! The journal: every event, in the order in which it was handed over.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item};
use super::unfinished::WeakInFlight;
use super::{Store, from_integer, projection, to_integer};
use crate::effect::EffectResult;
use crate::event::{Channel, Envelope};

/// What an event costs on the disk beyond its JSON: the columns, the indexes, its line of chat. Measured, roughly.
const ROW_BYTES: u64 = 250;

pub(super) const INSERT: &str =
    "INSERT INTO events (id, platform, channel, sequence, at_ms, type, own, envelope, stored_ms, total_bytes)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING";

impl Store {
    /// Journals an event; a live one counts for its viewer. An id that is already in the journal changes nothing.
    ///
    /// Never waits and never fails: what the disk refuses shows in [`Store::health`].
    pub fn journal_event(&self, envelope: Arc<Envelope>, own: bool) {
        self.write_behind(Item::Event { envelope, own, in_flight: WeakInFlight::default() });
    }

    /// Notes in the ledger how an effect ended.
    pub fn journal_result(&self, result: EffectResult) {
        self.write_behind(Item::Result(result));
    }

    /// The ids of the newest events, the newest last: what a restarted sequencer must know as already seen.
    pub async fn recent_event_ids(&self, limit: usize) -> Result<Vec<(Channel, Arc<str>)>, StoreError> {
        self.request(Access::Read, move |group| {
            let mut statement =
                group.prepare("SELECT platform, channel, id FROM events ORDER BY position DESC LIMIT ?1")?;
            let rows = statement.query_map([to_integer(limit as u64)], |row| {
                Ok((
                    Channel::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
                    Arc::from(row.get::<_, String>(2)?),
                ))
            })?;
            let mut ids = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            ids.reverse();
            Ok(ids)
        })
        .await
    }

    /// Notes a number that was given to what is not journalled, so that a later run does not give it again.
    pub fn note_sequence(&self, channel: &Channel, sequence: u64) {
        self.write_behind(Item::Sequence { channel: channel.clone(), sequence });
    }

    /// The last sequence number of every channel that was ever heard.
    pub async fn last_sequences(&self) -> Result<Vec<(Channel, u64)>, StoreError> {
        self.request(Access::Read, |group| {
            // Those of this very group are not yet in the table.
            group.write_sequences()?;
            let mut statement = group.prepare("SELECT platform, channel, last_sequence FROM channels")?;
            let rows = statement.query_map([], |row| {
                Ok((Channel::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?), from_integer(row.get(2)?)))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

pub(super) fn write(group: &mut Group<'_>, envelope: &Arc<Envelope>, own: bool) -> Result<(), StoreError> {
    let json = group.json.write(envelope)?;
    let total_bytes = group.total_bytes.saturating_add(json.len() as u64 + ROW_BYTES);
    let inserted = group.insert_event.execute((
        &*envelope.id,
        &*envelope.channel.platform,
        &*envelope.channel.id,
        to_integer(envelope.sequence),
        to_integer(envelope.at_ms),
        envelope.event.name(),
        own,
        json,
        to_integer(group.now_ms),
        to_integer(total_bytes),
    ))?;
    if inserted == 0 {
        return Ok(());
    }
    group.total_bytes = total_bytes;
    group.note_sequence(&envelope.channel, envelope.sequence);
    if projection::counts(envelope, own) {
        group.note_counted(envelope);
    }
    Ok(())
}

/// The running sum up to the newest event.
pub(super) fn total_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let newest = connection
        .query_row("SELECT total_bytes FROM events ORDER BY position DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    Ok(newest.map_or(0, from_integer))
}
