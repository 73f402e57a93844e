//! One transaction: what its items share, and how each kind of item is carried out.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection};

use super::error::StoreError;
use super::item::Item;
use super::{journal, ledger, lines, to_integer};
use crate::event::Channel;

/// A transaction under way. What it counted is worth nothing until it is committed.
pub(super) struct Group<'a> {
    connection: &'a Connection,
    /// One reading of the clock for all of the group.
    pub(super) now_ms: u64,
    /// The running sum of the journal's bytes, this group's included.
    pub(super) total_bytes: u64,
    sequences: HashMap<Channel, u64>,
}

impl<'a> Group<'a> {
    pub(super) fn new(connection: &'a Connection, now_ms: u64, total_bytes: u64) -> Self {
        Self { connection, now_ms, total_bytes, sequences: HashMap::new() }
    }

    /// A statement that is compiled once for the life of the connection.
    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.connection.prepare_cached(sql)
    }

    pub(super) fn apply(&mut self, item: &mut Item) -> Result<(), StoreError> {
        match item {
            Item::Event { envelope, own } => journal::write(self, envelope, *own),
            Item::Result(result) => ledger::write_result(self, result),
            Item::Removed { channel, message_id } => lines::mark_removed(self, channel, message_id),
            Item::Batch(batch) => ledger::write_batch(self, batch),
            Item::Request(work) => work.run(self),
        }
    }

    /// Notes the newest number of a channel, to be written once for the whole group.
    pub(super) fn note_sequence(&mut self, channel: &Channel, sequence: u64) {
        match self.sequences.get_mut(channel) {
            Some(last) => *last = sequence.max(*last),
            None => {
                self.sequences.insert(channel.clone(), sequence);
            }
        }
    }

    pub(super) fn write_sequences(&mut self) -> Result<(), StoreError> {
        for (channel, sequence) in self.sequences.drain() {
            self.connection
                .prepare_cached(
                    "INSERT INTO channels (platform, channel, last_sequence) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET last_sequence = max(last_sequence, excluded.last_sequence)",
                )?
                .execute((&*channel.platform, &*channel.id, to_integer(sequence)))?;
        }
        Ok(())
    }
}
