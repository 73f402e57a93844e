//! What the simulator was asked for, in a file with one JSON object a line: what a bot would have done to a real
//! channel.
//!
//! A line is in the file before the action is answered, so a daemon that is killed leaves no action unrecorded.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::effect::Action;
use crate::event::{Channel, now_ms};
use crate::platform::ActionError;

/// It holds what people wrote.
const MODE: u32 = 0o600;

/// The file can't be opened for writing.
#[derive(Debug, thiserror::Error)]
#[error("can't write {path}: {source}")]
pub struct RecordError {
    path: PathBuf,
    source: io::Error,
}

pub(super) struct Record {
    path: PathBuf,
    file: Mutex<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    at_ms: u64,
    channel: &'a Channel,
    #[serde(flatten)]
    action: &'a Action,
}

impl Record {
    pub(super) fn open(path: &Path) -> Result<Self, RecordError> {
        let opened = OpenOptions::new().append(true).create(true).mode(MODE).open(path);
        let file = opened.map_err(|source| RecordError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Blocks for as long as a short write to a file does.
    pub(super) fn write(&self, channel: &Channel, action: &Action) -> Result<(), ActionError> {
        let failed =
            |error: String| ActionError::Refused(format!("it can't be recorded in {}: {error}", self.path.display()));
        let mut line = serde_json::to_vec(&Line { at_ms: now_ms(), channel, action })
            .map_err(|error| failed(error.to_string()))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).map_err(|error| failed(error.to_string()))
    }
}
