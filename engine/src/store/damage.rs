//! Reads the whole file once, beside the writer, and reports what is broken in it.
//!
//! That takes seconds to minutes for a large journal, so nobody waits for it. It is done when the run before was killed
//! or its machine lost power, as a disk may then have kept less than it said; else a file does not change by itself,
//! and each backup is checked, too.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use super::health::Health;

/// A check that is under way, or done.
pub(super) struct DamageCheck {
    interrupt: InterruptHandle,
    thread: JoinHandle<()>,
}

impl DamageCheck {
    /// Begins, if that can be. The connection is its own: it sees the file as of now, and holds up no writer.
    pub(super) fn begin(path: &Path, health: Arc<Health>) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).inspect_err(|error| say_unchecked(error)).ok()?;
        let interrupt = connection.get_interrupt_handle();
        let check = move || match find(&connection) {
            Ok(None) => tracing::debug!("The database was checked and is whole."),
            Ok(Some(damage)) => health.set_damaged(&damage),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
            Err(error) => say_unchecked(&error),
        };
        let thread = std::thread::Builder::new().name("store-check".to_owned()).spawn(check);
        let thread = thread.inspect_err(|error| say_unchecked(error)).ok()?;
        Some(Self { interrupt, thread })
    }

    /// Returns when it reads no more.
    pub(super) fn end(self) {
        while !self.thread.is_finished() {
            // Again and again: an interrupt that comes between two statements is forgotten.
            self.interrupt.interrupt();
            std::thread::park_timeout(Duration::from_millis(1));
        }
        // A panic was said by the thread itself.
        let _ = self.thread.join();
    }
}

fn say_unchecked(error: &dyn std::error::Error) {
    tracing::warn!(%error, "The database was not closed in order, and it could not be checked.");
}

/// `quick_check` reads every page and compares the structure, not each index entry with its row: a third of the time.
fn find(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    match verdict {
        Ok(verdict) => Ok(Some(verdict).filter(|verdict| verdict != "ok")),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}
