//! What plugins were started with, and what they remembered at a moment of the stream.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::{Archive, bounds, integer, readable};
use crate::event::ENGINE;
use crate::recording::{Blob, Call, Memory, Note, Start, Window};
use crate::store::{StoreError, from_integer};

/// The first event of a window: where it stands, and when it was written.
struct First {
    position: i64,
    stored_ms: i64,
}

impl Archive {
    /// Every plugin that ever ran, as it was started when the window begins, or later for the first time.
    pub fn starts(&self, window: &Window) -> Result<Vec<Start>, StoreError> {
        let first = self.first(window)?;
        let plugins = self.collect("SELECT DISTINCT plugin FROM starts ORDER BY plugin", [], |row| {
            Ok(Some(row.get::<_, String>(0)?))
        })?;
        let mut starts = Vec::new();
        for plugin in plugins {
            starts.extend(self.start(&plugin, &first)?.map(|(start, ..)| start));
        }
        Ok(starts)
    }

    /// When a plugin was first started with other settings or grants than those of [`Archive::starts`], within the
    /// window.
    pub fn changed_ms(&self, plugin: &str, window: &Window) -> Result<Option<u64>, StoreError> {
        let Some((start, _, stored_ms)) = self.start(plugin, &self.first(window)?)? else { return Ok(None) };
        let sql = "SELECT start, stored_ms FROM starts
                   WHERE plugin = ?1 AND stored_ms > ?2 AND stored_ms <= ?3 ORDER BY position";
        let later = self.collect(sql, (plugin, stored_ms, self.last_ms(window)?), |row| {
            Ok(readable::<Start>(row.get(0)?).zip(Some(from_integer(row.get(1)?))))
        })?;
        Ok(later.into_iter().find(|(later, _)| !later.agrees_with(&start)).map(|(_, at_ms)| at_ms))
    }

    /// A plugin's memory when the window begins, where it was recorded without a gap up to there.
    pub fn memory_at(&self, plugin: &str, window: &Window) -> Result<Option<Memory>, StoreError> {
        let first = self.first(window)?;
        let Some((_, Some(mut memory), stored_ms)) = self.start(plugin, &first)? else { return Ok(None) };
        let oldest = self.optional("SELECT stored_ms FROM events ORDER BY position LIMIT 1", [], integer)?;
        if stored_ms > first.stored_ms || !self.has_events_between(stored_ms, &first)? {
            // The first call of the window is the start itself.
            return Ok(Some(memory));
        }
        if oldest.is_some_and(|oldest| oldest > stored_ms) {
            // What it wrote since may be gone with the journal of that time.
            return Ok(None);
        }
        for call in self.calls_between(plugin, stored_ms, &first)? {
            call.apply_to(&mut memory);
        }
        Ok(Some(memory))
    }

    /// A plugin's memory as it is now.
    pub fn memory_now(&self, plugin: &str) -> Result<Memory, StoreError> {
        let rows = self.collect("SELECT key, value FROM kv WHERE plugin = ?1", [plugin], |row| {
            Ok(Some((row.get::<_, String>(0)?, Blob(row.get(1)?))))
        })?;
        Ok(BTreeMap::from_iter(rows))
    }

    fn first(&self, window: &Window) -> Result<First, StoreError> {
        let (from, to, platform, channel) = bounds(window);
        let first = self.optional(
            "SELECT position, stored_ms FROM events WHERE at_ms >= ?1 AND at_ms < ?2
             AND (?3 IS NULL OR (platform = ?3 AND channel = ?4) OR platform = ?5) ORDER BY position LIMIT 1",
            (from, to, platform, channel, ENGINE),
            |row| Ok(First { position: row.get(0)?, stored_ms: row.get(1)? }),
        )?;
        Ok(first.unwrap_or(First { position: i64::MAX, stored_ms: i64::MAX }))
    }

    /// When the last event of a window was written.
    fn last_ms(&self, window: &Window) -> Result<i64, StoreError> {
        let (from, to, platform, channel) = bounds(window);
        let last = self.optional(
            "SELECT stored_ms FROM events WHERE at_ms >= ?1 AND at_ms < ?2
             AND (?3 IS NULL OR (platform = ?3 AND channel = ?4) OR platform = ?5) ORDER BY position DESC LIMIT 1",
            (from, to, platform, channel, ENGINE),
            integer,
        )?;
        Ok(last.unwrap_or(0))
    }

    /// The start that held at the first event, or the first one after it; with the memory, and when it was written.
    fn start(&self, plugin: &str, first: &First) -> Result<Option<(Start, Option<Memory>, i64)>, StoreError> {
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?));
        let before = "SELECT start, memory, stored_ms FROM starts
                      WHERE plugin = ?1 AND stored_ms <= ?2 ORDER BY position DESC LIMIT 1";
        let after = "SELECT start, memory, stored_ms FROM starts
                     WHERE plugin = ?1 AND stored_ms > ?2 ORDER BY position LIMIT 1";
        let found = match self.optional(before, (plugin, first.stored_ms), read)? {
            Some(found) => Some(found),
            None => self.optional(after, (plugin, first.stored_ms), read)?,
        };
        let Some((start, memory, stored_ms)) = found else { return Ok(None) };
        Ok(readable(start).map(|start| (start, memory.and_then(readable), stored_ms)))
    }

    fn has_events_between(&self, stored_ms: i64, first: &First) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM events WHERE position < ?1 AND stored_ms >= ?2 LIMIT 1";
        Ok(self.optional(sql, (first.position, stored_ms), integer)?.is_some())
    }

    fn calls_between(&self, plugin: &str, stored_ms: i64, first: &First) -> Result<Vec<Call>, StoreError> {
        let sql = "SELECT note FROM notes LEFT JOIN events ON events.id = notes.event_id
                   WHERE notes.plugin = ?1 AND notes.stored_ms >= ?2
                   AND coalesce(events.position < ?3, notes.stored_ms < ?4) ORDER BY notes.position";
        self.collect(sql, (plugin, stored_ms, first.position, first.stored_ms), |row| {
            Ok(match readable(row.get(0)?) {
                Some(Note::Call(call)) => Some(call),
                _ => None,
            })
        })
    }
}
