//! Which recorded stream is meant, which part of it, and with what memory, as people type it: what the commands that
//! play one, or write one into a file, have in common.

mod stretch;

use std::path::PathBuf;

pub(super) use self::stretch::Stretch;
use crate::replay::{Journal, MemoryChoice};

/// A stream to be played again, and for whom.
#[derive(Debug, clap::Args)]
pub(super) struct Recorded {
    /// A file of `showrunner journal export`, or a database.
    journal: PathBuf,
    #[command(flatten)]
    stretch: Stretch,
    /// The memory (kv) that plugins begin with. Without this: as recorded when the stream began, else what the journal
    /// has.
    #[arg(long, value_enum)]
    kv: Option<Kv>,
    /// One JSON value a line, for programs.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Kv {
    Recorded,
    Latest,
    Empty,
}

impl Recorded {
    /// With the memory that plugins begin with: what was typed, or else this one.
    pub(super) fn open(&self, otherwise: MemoryChoice) -> anyhow::Result<(Journal, MemoryChoice)> {
        let memory = self.kv.map_or(otherwise, MemoryChoice::from);
        Ok((Journal::open(&self.journal, &self.stretch.window()?, memory)?, memory))
    }
}

impl From<Kv> for MemoryChoice {
    fn from(kv: Kv) -> Self {
        match kv {
            Kv::Recorded => Self::Recorded,
            Kv::Latest => Self::Latest,
            Kv::Empty => Self::Empty,
        }
    }
}
