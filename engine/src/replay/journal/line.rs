//! The lines of an exported journal: one JSON value each. The header first, then the plugins, then what was recorded of
//! their own timers, then the events in order, and a last line, so that a file that was cut off is known for one.

use serde::{Deserialize, Serialize};

use super::{Header, RecordedPlugin};
use crate::recording::{Entry, OwnCall};

/// The newest format that this program knows. A reader refuses a newer one; new fields need no new number.
pub const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub(in crate::replay) enum Line {
    Journal(Header),
    Plugin(Box<RecordedPlugin>),
    OwnCall(OwnCall),
    Event(Box<Entry>),
    End(End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::replay) struct End {
    pub(in crate::replay) events: u64,
}

/// As much of a first line as every format will have.
#[derive(Debug, Deserialize)]
pub(super) struct FirstLine {
    pub(super) line: String,
    pub(super) format: u32,
    #[serde(default)]
    pub(super) engine: String,
}
