//! Timers, which arrive as `timer` events. They end with the plugin's instance, so start them in
//! [`Plugin::new`](crate::Plugin::new).

use std::time::Duration;

use crate::host;

/// Starts a timer that runs out once. One of the same name is replaced.
///
/// # Errors
/// When it is not granted (`timers = ["use"]`), or there are too many.
pub fn once(name: &str, after: Duration) -> Result<(), String> {
    host::timers::start(name, milliseconds(after), false)
}

/// Starts a timer that runs out again and again. One of the same name is replaced.
///
/// # Errors
/// When it is not granted (`timers = ["use"]`), or there are too many.
pub fn every(name: &str, period: Duration) -> Result<(), String> {
    host::timers::start(name, milliseconds(period), true)
}

/// Ends a timer; nothing happens when there is none of that name.
pub fn cancel(name: &str) {
    host::timers::cancel(name);
}

/// 49 days are the longest that fits; more is as good as that.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
