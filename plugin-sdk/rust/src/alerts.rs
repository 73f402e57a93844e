//! Effects: alerts on the stream's overlay.
//!
//! An [`Alert`] has a `kind` that overlays filter by, such as "tip"; a `title` and a `text` for the viewers; and, where
//! the overlay shall not decide, the addresses of an `image` and a `sound`, and how long it is shown (`duration_ms`, in
//! milliseconds).

pub use crate::bindings::showrunner::plugin::alerts::Alert;

use crate::{Refused, host};

/// Shows an alert; returns the effect's number, counted from 0 within the event.
///
/// # Errors
/// When it is not granted (`alerts = ["show"]`) or over a limit.
pub fn show(alert: &Alert) -> Result<u32, Refused> {
    host::alerts::show(alert).map_err(Refused::new)
}
