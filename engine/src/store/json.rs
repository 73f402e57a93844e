//! Memory for the JSON of one row, used again for the next: a fresh text for each would grow several times until it
//! fits.

use serde::Serialize;
use serde::ser::Error as _;

#[derive(Default)]
pub(super) struct JsonBuffer {
    bytes: Vec<u8>,
}

impl JsonBuffer {
    /// The value as JSON, until the next one is written.
    pub(super) fn write(&mut self, value: &impl Serialize) -> serde_json::Result<&str> {
        self.bytes.clear();
        serde_json::to_writer(&mut self.bytes, value)?;
        str::from_utf8(&self.bytes).map_err(serde_json::Error::custom)
    }
}
