//! Removes what is too old or too much, in bites so small that nobody waits for them.
//!
//! The journal decides: effects, chat lines and recordings stay as long as events of their time do.

use rusqlite::{Connection, OptionalExtension};

use super::{from_integer, to_integer};
use crate::config::settings::JournalSettings;

/// Rows of one table in one batch: some 2 ms.
const BITE: usize = 200;

/// Dead tasks wait for a person, and a person looks at the newest.
const DEAD_TASKS: u32 = 1000;

#[derive(Debug, Clone, Copy)]
pub(super) struct Retention {
    keep_ms: u64,
    keep_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pruned {
    All,
    /// This batch was full, so there is likely another.
    More,
}

impl Retention {
    pub(super) fn new(settings: &JournalSettings) -> Self {
        Self {
            keep_ms: u64::try_from(settings.keep_for.as_millis()).unwrap_or(u64::MAX),
            keep_bytes: settings.keep_bytes,
        }
    }

    /// Looks at the oldest rows of each table only, so that it costs the same however much is kept.
    pub(super) fn prune_batch(self, connection: &Connection, now_ms: u64) -> rusqlite::Result<Pruned> {
        let cutoff_ms = now_ms.saturating_sub(self.keep_ms);
        let mut removed = vec![self.bite_events(connection, cutoff_ms)?];
        let horizon_ms = oldest_event_ms(connection)?.map_or(cutoff_ms, |oldest| oldest.max(cutoff_ms));
        for sql in [
            "DELETE FROM effects WHERE position IN (
                 SELECT position FROM (SELECT position, stored_ms FROM effects ORDER BY position LIMIT ?2)
                 WHERE stored_ms < ?1)",
            "DELETE FROM lines WHERE position IN (
                 SELECT position FROM (SELECT position, stored_ms FROM lines ORDER BY position LIMIT ?2)
                 WHERE stored_ms < ?1)",
            "DELETE FROM removals WHERE rowid IN (
                 SELECT rowid FROM (SELECT rowid, stored_ms FROM removals ORDER BY rowid LIMIT ?2)
                 WHERE stored_ms < ?1)",
            "DELETE FROM notes WHERE position IN (
                 SELECT position FROM (SELECT position, stored_ms FROM notes ORDER BY position LIMIT ?2)
                 WHERE stored_ms < ?1)",
            // The one that still held when the journal begins stays.
            "DELETE FROM starts WHERE position IN (
                 SELECT position FROM starts AS old WHERE stored_ms < ?1 AND EXISTS (
                     SELECT 1 FROM starts AS newer WHERE newer.plugin = old.plugin
                     AND newer.position > old.position AND newer.stored_ms < ?1)
                 ORDER BY position LIMIT ?2)",
        ] {
            removed.push(connection.prepare_cached(sql)?.execute((to_integer(horizon_ms), BITE as i64))?);
        }
        removed.push(bite_tasks(connection, cutoff_ms)?);
        removed.push(bite_inbox(connection, cutoff_ms)?);
        Ok(if removed.contains(&BITE) { Pruned::More } else { Pruned::All })
    }

    fn bite_events(self, connection: &Connection, cutoff_ms: u64) -> rusqlite::Result<usize> {
        let total_bytes = super::journal::total_bytes(connection)?;
        let surplus = total_bytes.saturating_sub(self.keep_bytes);
        connection
            .prepare_cached(
                "DELETE FROM events WHERE position IN (
                     SELECT position FROM (
                         SELECT position, stored_ms, total_bytes FROM events ORDER BY position LIMIT ?3)
                     WHERE stored_ms < ?1 OR total_bytes <= ?2)",
            )?
            .execute((to_integer(cutoff_ms), to_integer(surplus), BITE as i64))
    }
}

fn oldest_event_ms(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let oldest = connection
        .prepare_cached("SELECT stored_ms FROM events ORDER BY position LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(oldest.map(from_integer))
}

fn bite_tasks(connection: &Connection, cutoff_ms: u64) -> rusqlite::Result<usize> {
    let done = connection
        .prepare_cached(
            "DELETE FROM tasks WHERE position IN (
                 SELECT position FROM (
                     SELECT position, ended_ms FROM tasks WHERE state = 'done' ORDER BY position LIMIT ?2)
                 WHERE ended_ms < ?1)",
        )?
        .execute((to_integer(cutoff_ms), BITE as i64))?;
    connection
        .prepare_cached(
            "DELETE FROM tasks WHERE position IN (
                 SELECT position FROM tasks WHERE state = 'dead' ORDER BY position DESC LIMIT ?1 OFFSET ?2)",
        )?
        .execute((BITE as i64, DEAD_TASKS))?;
    Ok(done)
}

/// What waits for a plugin that does not come back.
fn bite_inbox(connection: &Connection, cutoff_ms: u64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM inbox WHERE place IN (
                 SELECT place FROM (SELECT place, stored_ms FROM inbox ORDER BY place LIMIT ?2)
                 WHERE stored_ms < ?1)",
        )?
        .execute((to_integer(cutoff_ms), BITE as i64))
}

#[cfg(test)]
mod tests;
