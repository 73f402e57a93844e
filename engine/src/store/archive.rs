//! The database for those who only read: events with all that is known of them, page by page.
//!
//! It takes no lock and changes nothing, so it works beside a daemon, which writes at the same time: what is not on the
//! disk yet is not seen.

mod own_calls;
mod plugins;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::open::{BUSY_TIMEOUT, explain};
use super::{from_integer, migrate, to_integer};
use crate::effect::{PluginId, notice};
use crate::event::{ENGINE, Envelope, Event};
use crate::recording::{Done, Entry, Known, Note, Noted, Window};

/// An open database.
pub struct Archive {
    connection: Connection,
}

/// Some events, in order.
#[derive(Debug, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` when this one is the last.
    pub next: Option<i64>,
}

impl Archive {
    /// Blocks, as all of it does.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| explain(path, error))?;
        let checked = migrate::identify(&connection, path).and_then(|found| {
            let recordings = "SELECT 1 FROM sqlite_schema WHERE name = 'notes'";
            match connection.query_row(recordings, [], integer).optional()? {
                Some(_) => Ok(()),
                None => Err(StoreError::Older { path: path.to_owned(), found }),
            }
        });
        match checked {
            Ok(()) => Ok(Self { connection }),
            Err(StoreError::Sqlite(error)) => Err(not_ours(path, explain(path, error))),
            Err(error) => Err(not_ours(path, error)),
        }
    }

    /// At most `limit` events behind the position `after`; 0 begins with the oldest.
    pub fn page(&self, window: &Window, after: i64, limit: u32) -> Result<Page, StoreError> {
        let mut statement = self.prepare(
            "SELECT position, own, envelope FROM events
             WHERE position > ?1 AND at_ms >= ?2 AND at_ms < ?3
             AND (?4 IS NULL OR (platform = ?4 AND channel = ?5) OR platform = ?6)
             ORDER BY position LIMIT ?7",
        )?;
        let (from, to, platform, channel) = bounds(window);
        let rows = statement.query_map((after, from, to, platform, channel, ENGINE, limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?))
        })?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let next = rows.last().filter(|_| rows.len() == limit as usize).map(|(position, ..)| *position);
        let mut entries = Vec::with_capacity(rows.len());
        for (position, own, json) in rows {
            entries.extend(self.entry(position, own, &json)?);
        }
        Ok(Page { entries, next })
    }

    /// `None` for a notice: it stands with what it is about. And for what can't be read, which hides nothing else.
    fn entry(&self, position: i64, own: bool, json: &str) -> Result<Option<Entry>, StoreError> {
        let Some(mut entry) = self.plain_entry(position, own, json)? else { return Ok(None) };
        if self.is_notice(&entry)? {
            return Ok(None);
        }
        if has_verdict(&entry.known) {
            entry.notice = self.notice(&entry.envelope.id)?.map(Box::new);
        }
        Ok(Some(entry))
    }

    fn plain_entry(&self, position: i64, own: bool, json: &str) -> Result<Option<Entry>, StoreError> {
        match serde_json::from_str::<Envelope>(json) {
            Ok(envelope) => {
                let known = self.known(&envelope.id)?;
                Ok(Some(Entry { envelope: Arc::new(envelope), own, known, notice: None }))
            }
            Err(error) => {
                tracing::warn!(position, %error, "An entry of the journal can't be read; skipped.");
                Ok(None)
            }
        }
    }

    fn known(&self, event_id: &str) -> Result<Known, StoreError> {
        Ok(Known { notes: self.notes(event_id)?, effects: self.effects(event_id)? })
    }

    fn notes(&self, event_id: &str) -> Result<Vec<Noted>, StoreError> {
        let sql = "SELECT plugin, note FROM notes WHERE event_id = ?1 ORDER BY position";
        self.collect(sql, [event_id], |row| {
            let plugin = plugin(row, 0)?;
            Ok(readable(row.get(1)?).map(|note| Noted { plugin, note }))
        })
    }

    fn effects(&self, event_id: &str) -> Result<Vec<Done>, StoreError> {
        let sql = "SELECT plugin, number, effect, state, message_id, detail, ended_ms FROM effects
                   WHERE event_id = ?1 ORDER BY plugin, number";
        self.collect(sql, [event_id], done)
    }

    fn is_notice(&self, entry: &Entry) -> Result<bool, StoreError> {
        let Event::Moderation(moderation) = &entry.envelope.event else { return Ok(false) };
        match notice::judged(&entry.envelope.id, &moderation.kind) {
            Some(judged) => Ok(self.notes(judged)?.iter().any(|noted| matches!(noted.note, Note::Verdict { .. }))),
            None => Ok(false),
        }
    }

    fn notice(&self, judged: &str) -> Result<Option<Entry>, StoreError> {
        for kind in notice::KINDS {
            let found = self.optional(
                "SELECT position, envelope FROM events WHERE id = ?1",
                [notice::id(judged, kind)],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
            )?;
            if let Some((position, json)) = found {
                return self.plain_entry(position, false, &json);
            }
        }
        Ok(None)
    }

    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql)
    }

    fn collect<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(values, |row| read(row))?;
        Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    fn optional<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.prepare(sql)?.query_row(values, read).optional()?)
    }
}

/// Who only reads need not move a file away that is another program's.
fn not_ours(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::NotADatabase { .. } | StoreError::Foreign { .. } | StoreError::Older { found: 0, .. } => {
            StoreError::NotOurs { path: path.to_owned() }
        }
        other => other,
    }
}

/// As the columns have them. No platform for every channel.
fn bounds(window: &Window) -> (i64, i64, Option<&str>, Option<&str>) {
    let from = window.from_ms.map_or(0, to_integer);
    let to = window.to_ms.map_or(i64::MAX, to_integer);
    let channel = window.channel.as_ref();
    (from, to, channel.map(|channel| &*channel.platform), channel.map(|channel| &*channel.id))
}

fn has_verdict(known: &Known) -> bool {
    known.notes.iter().any(|noted| matches!(noted.note, Note::Verdict { .. }))
}

fn plugin(row: &Row<'_>, index: usize) -> rusqlite::Result<PluginId> {
    Ok(row.get::<_, String>(index)?.into())
}

fn integer(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(0)
}

fn done(row: &Row<'_>) -> rusqlite::Result<Option<Done>> {
    let (plugin, number) = (plugin(row, 0)?, row.get(1)?);
    let (state, message_id, detail) = (row.get(3)?, row.get(4)?, row.get(5)?);
    let ended_ms = row.get::<_, Option<i64>>(6)?.map(from_integer);
    Ok(readable(row.get(2)?).map(|effect| Done { plugin, number, effect, state, message_id, detail, ended_ms }))
}

/// One row that can't be read must not hide the others.
fn readable<T: DeserializeOwned>(json: String) -> Option<T> {
    serde_json::from_str(&json)
        .inspect_err(|error| tracing::warn!(%error, "Something recorded can't be read; skipped."))
        .ok()
}
