//! Lines in the engine's log, with the plugin's name on them. It needs no grant.
//!
//! At most 50 lines a second are kept; what is above is counted and dropped. A line of more than 2 KiB is cut, and a
//! line break in it becomes a space. It is written at once, also when the handler returns an error afterwards.

pub use crate::bindings::showrunner::plugin::log::Level;

use crate::host;

/// Writes a line at a level.
pub fn write(level: Level, message: impl AsRef<str>) {
    host::log::write(level, message.as_ref());
}

/// What only somebody who follows each step wants to read.
pub fn trace(message: impl AsRef<str>) {
    write(Level::Trace, message);
}

/// What helps to find a fault.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message);
}

/// What the operator did, or asked for.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message);
}

/// Something is not as it should be, and the plugin copes.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message);
}

/// Somebody has to do something.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message);
}
