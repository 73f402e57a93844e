//! Writes a journal into a file of its own, line by line.

use std::io::{self, Write};

use serde::Serialize;

use super::error::JournalError;
use super::journal::{End, Journal, Line};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    pub events: u64,
    pub plugins: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes all that is left of the journal. Blocks.
pub fn export(journal: &mut Journal, mut writer: impl Write) -> Result<Exported, ExportError> {
    write(&mut writer, &Line::Journal(journal.header.clone()))?;
    for plugin in &journal.plugins {
        write(&mut writer, &Line::Plugin(Box::new(plugin.clone())))?;
    }
    for call in &journal.own_calls {
        write(&mut writer, &Line::OwnCall(call.clone()))?;
    }
    let mut events = 0;
    while let Some(entry) = journal.next_entry()? {
        write(&mut writer, &Line::Event(Box::new(entry)))?;
        events += 1;
    }
    write(&mut writer, &Line::End(End { events }))?;
    writer.flush()?;
    Ok(Exported { events, plugins: journal.plugins.len() })
}

fn write(writer: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, line)?;
    writer.write_all(b"\n")
}
