//! Effects: events of the plugin's own, for dashboards and overlays that subscribed to them.

use serde::Serialize;

use crate::{Refused, host};

/// Publishes `data`, as JSON, as an event of this kind; returns the effect's number, counted from 0 within the event.
///
/// # Errors
/// When the kind is not granted (`gateway = ["<kind>"]`), over a limit, or when the data is not representable as JSON.
pub fn publish<T: Serialize + ?Sized>(kind: &str, data: &T) -> Result<u32, Refused> {
    let json = serde_json::to_string(data)
        .map_err(|error| Refused::new(format!("the data of `{kind}` can't be written as JSON: {error}")))?;
    host::gateway::publish(kind, &json).map_err(Refused::new)
}
