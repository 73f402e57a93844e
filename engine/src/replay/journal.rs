//! A recorded stream: what is known of it at its beginning, and then event after event.

mod database;
mod file;
mod line;

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::database::Database;
use self::file::{Beginning, File};
pub use self::line::FORMAT;
pub(super) use self::line::{End, Line};
use super::error::JournalError;
use super::setup::MemoryChoice;
use crate::recording::{Entry, Known, Memory, Note, OwnCall, Start, Window};

/// What the file of every database begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// An open journal.
pub struct Journal {
    pub header: Header,
    /// In the order of their ids.
    pub plugins: Vec<RecordedPlugin>,
    /// What was recorded of timers and starts, which are no events of the journal.
    pub own_calls: Vec<OwnCall>,
    source: Source,
    /// Read, and not yet given out.
    ahead: VecDeque<Entry>,
}

enum Source {
    Database(Database),
    File(File),
}

/// What a journal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: u32,
    /// The version of the engine that wrote it.
    pub engine: String,
    #[serde(flatten)]
    pub window: Window,
}

/// A plugin that ran when the stream was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedPlugin {
    #[serde(flatten)]
    pub start: Start,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<KeptMemory>,
    /// When it was first started with other settings or grants in the midst of the stream. They are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ms: Option<u64>,
}

/// A plugin's memory, and which moment it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", content = "kv", rename_all = "kebab-case")]
pub enum KeptMemory {
    /// When the stream began.
    Beginning(Memory),
    /// When the journal was exported or opened, after the stream.
    End(Memory),
}

impl Journal {
    /// Opens a database or a file. Blocks, as all of it does.
    pub fn open(path: &Path, window: &Window, memory: MemoryChoice) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io { doing: "read the journal", path: path.to_owned(), source };
        if is_database(path).map_err(failed)? {
            return Self::open_database(path, window, memory);
        }
        let (file, Beginning { mut header, plugins, own_calls }) = File::open(path)?;
        header.window = narrowed(&header.window, window);
        let mut journal = Self::new(header, plugins, own_calls, Source::File(file));
        let to_ms = journal.header.window.to_ms.unwrap_or(u64::MAX);
        for plugin in &mut journal.plugins {
            plugin.changed_ms = plugin.changed_ms.filter(|changed_ms| *changed_ms < to_ms);
        }
        journal.skip_to_window()?;
        Ok(journal)
    }

    pub fn open_database(path: &Path, window: &Window, memory: MemoryChoice) -> Result<Self, JournalError> {
        let (database, plugins, own_calls) = Database::open(path, window, memory)?;
        let engine = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { format: FORMAT, engine, window: window.clone() };
        let mut journal = Self::new(header, plugins, own_calls, Source::Database(database));
        let first = journal.read()?;
        journal.ahead.extend(first);
        Ok(journal)
    }

    fn new(header: Header, mut plugins: Vec<RecordedPlugin>, own_calls: Vec<OwnCall>, source: Source) -> Self {
        plugins.sort_by(|one, other| one.start.plugin.cmp(&other.start.plugin));
        Self { header, plugins, own_calls, source, ahead: VecDeque::new() }
    }

    /// A file is of a longer stretch than is wanted: what plugins wrote to their memory before, they have written.
    fn skip_to_window(&mut self) -> Result<(), JournalError> {
        let from_ms = self.header.window.from_ms.unwrap_or(0);
        let (before, within) = std::mem::take(&mut self.own_calls).into_iter().partition(|call| call.at_ms < from_ms);
        self.own_calls = within;
        let before: Vec<OwnCall> = before;
        before.iter().for_each(|call| self.remember(&call.known));
        while let Some(entry) = self.read()? {
            if self.header.window.shows(&entry.envelope) {
                self.ahead.push_back(entry);
                break;
            }
            self.remember(&entry.known);
            entry.notice.iter().for_each(|notice| self.remember(&notice.known));
        }
        Ok(())
    }

    fn remember(&mut self, known: &Known) {
        for noted in &known.notes {
            let plugin = self.plugins.iter_mut().find(|plugin| plugin.start.plugin == noted.plugin);
            if let (Some(KeptMemory::Beginning(memory)), Note::Call(call)) =
                (plugin.and_then(|plugin| plugin.memory.as_mut()), &noted.note)
            {
                call.apply_to(memory);
            }
        }
    }

    /// When its first event happened.
    pub fn began_ms(&self) -> Option<u64> {
        self.ahead.front().map(|entry| entry.envelope.at_ms)
    }

    pub fn plugin(&self, id: &str) -> Option<&RecordedPlugin> {
        self.plugins.iter().find(|plugin| *plugin.start.plugin == *id)
    }

    /// The next event; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        if let Some(entry) = self.ahead.pop_front() {
            return Ok(Some(entry));
        }
        while let Some(entry) = self.read()? {
            if self.header.window.shows(&entry.envelope) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<Entry>, JournalError> {
        match &mut self.source {
            Source::Database(database) => database.next_entry(),
            Source::File(file) => file.next_entry(),
        }
    }
}

fn is_database(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, SQLITE.len() as u64), &mut beginning)?;
    Ok(beginning == SQLITE)
}

/// What both show.
fn narrowed(one: &Window, other: &Window) -> Window {
    Window {
        from_ms: one.from_ms.max(other.from_ms),
        to_ms: match (one.to_ms, other.to_ms) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        },
        channel: other.channel.clone().or_else(|| one.channel.clone()),
    }
}
