//! A journal in the database in which it was recorded.

use std::collections::VecDeque;
use std::path::Path;

use super::{KeptMemory, RecordedPlugin};
use crate::recording::{Entry, OwnCall, Start, Window};
use crate::replay::error::JournalError;
use crate::replay::setup::MemoryChoice;
use crate::store::{Archive, Page, StoreError};

/// Events that are read at once.
const PAGE: u32 = 500;

pub(super) struct Database {
    archive: Archive,
    window: Window,
    page: VecDeque<Entry>,
    /// Where the next page begins; `None` behind the last.
    next: Option<i64>,
}

impl Database {
    pub(super) fn open(
        path: &Path,
        window: &Window,
        memory: MemoryChoice,
    ) -> Result<(Self, Vec<RecordedPlugin>, Vec<OwnCall>), JournalError> {
        let archive = Archive::open(path)?;
        let mut plugins = Vec::new();
        for start in archive.starts(window)? {
            let memory = remembered(&archive, &start, window, memory)?;
            let changed_ms = archive.changed_ms(&start.plugin, window)?;
            plugins.push(RecordedPlugin { start, memory, changed_ms });
        }
        let own_calls = archive.own_calls(window)?;
        let database = Self { archive, window: window.clone(), page: VecDeque::new(), next: Some(0) };
        Ok((database, plugins, own_calls))
    }

    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        loop {
            if let Some(entry) = self.page.pop_front() {
                return Ok(Some(entry));
            }
            let Some(after) = self.next else { return Ok(None) };
            let Page { entries, next } = self.archive.page(&self.window, after, PAGE)?;
            (self.page, self.next) = (entries.into(), next);
        }
    }
}

fn remembered(
    archive: &Archive,
    start: &Start,
    window: &Window,
    choice: MemoryChoice,
) -> Result<Option<KeptMemory>, StoreError> {
    let recorded = match choice {
        MemoryChoice::BestKnown | MemoryChoice::Recorded => archive.memory_at(&start.plugin, window)?,
        MemoryChoice::Latest | MemoryChoice::Empty => None,
    };
    Ok(match (recorded, choice) {
        (Some(memory), _) => Some(KeptMemory::Beginning(memory)),
        (None, MemoryChoice::BestKnown | MemoryChoice::Latest) => {
            Some(KeptMemory::End(archive.memory_now(&start.plugin)?))
        }
        (None, MemoryChoice::Recorded | MemoryChoice::Empty) => None,
    })
}
