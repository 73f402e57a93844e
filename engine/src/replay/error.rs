//! Why a journal can't be read, with the place in it and what to do.

use std::io;
use std::path::PathBuf;

use super::journal::FORMAT;
use crate::store::StoreError;

const WHAT_TO_GIVE: &str = "give the file of `showrunner journal export FILE`, or a database (showrunner.db)";

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("can't {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is no journal: {problem}", path.display())]
    Foreign { path: PathBuf, problem: String },
    #[error(
        "{} was written by a newer Showrunner ({engine}): it has format {found}, this program reads up to {FORMAT}",
        path.display()
    )]
    Newer { path: PathBuf, engine: String, found: u32 },
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Line { path: PathBuf, line: u64, column: usize, problem: String },
    #[error("{}:{line}: the journal ends here, without its last line; it was cut off", path.display())]
    Cut { path: PathBuf, line: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl JournalError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { .. } | Self::Store(StoreError::NotOurs { .. }) => Some(WHAT_TO_GIVE),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => Some(WHAT_TO_GIVE),
                _ => None,
            },
            Self::Newer { .. } => Some("use the program that wrote it, or a newer one"),
            Self::Line { .. } => Some("export the journal again, or take the line out to play it without"),
            Self::Cut { .. } => Some("export the journal again"),
            Self::Store(_) => None,
        }
    }
}
