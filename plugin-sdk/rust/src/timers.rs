//! Timers, which arrive as `timer` events: list "timer" under `events` in plugin.toml.
//!
//! They begin when the handler that started them returns `Ok`, and end with the plugin's instance, so start those that
//! shall always run in [`Plugin::new`](crate::Plugin::new). A name has 1 to 64 bytes; a plugin has at most 64 timers.

use std::time::Duration;

use crate::{Refused, host};

/// Starts a timer that runs out once. One of the same name is replaced. It counts in milliseconds, and 49 days are the
/// longest; more is as good as that.
///
/// # Errors
/// When it is not granted (`timers = ["use"]`), the name is too long or empty, or the event has changed 64 timers
/// already.
pub fn once(name: &str, after: Duration) -> Result<(), Refused> {
    host::timers::start(name, milliseconds(after), false).map_err(Refused::new)
}

/// Starts a timer that runs out again and again, the first time after one period. One of the same name is replaced.
/// What was missed several times, as the plugin was busy, comes once.
///
/// # Errors
/// As [`once`], and when the period is shorter than 100 ms.
pub fn every(name: &str, period: Duration) -> Result<(), Refused> {
    host::timers::start(name, milliseconds(period), true).map_err(Refused::new)
}

/// Ends a timer; nothing happens when there is none of that name, or when timers are not granted.
pub fn cancel(name: &str) {
    host::timers::cancel(name);
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
