//! Effects: alerts on the stream's overlay.

pub use crate::bindings::showrunner::plugin::alerts::Alert;

use crate::host;

/// Shows an alert; returns the effect's number.
///
/// # Errors
/// When it is not granted (`alerts = ["show"]`) or over a limit.
pub fn show(alert: &Alert) -> Result<u32, String> {
    host::alerts::show(alert)
}
