//! Lines in the engine's log, with the plugin's name on them. At most 50 a second are kept; what is above is
//! counted and dropped.

pub use crate::bindings::showrunner::plugin::log::Level;

use crate::host;

/// Writes a line at a level.
pub fn write(level: Level, message: &str) {
    host::log::write(level, message);
}

/// What only somebody who follows each step wants to read.
pub fn trace(message: &str) {
    write(Level::Trace, message);
}

/// What helps to find a fault.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What the operator did, or asked for.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something is not as it should be, and the plugin copes.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Somebody has to do something.
pub fn error(message: &str) {
    write(Level::Error, message);
}
