//! Effects: events of the plugin's own, for dashboards and overlays that subscribed to them.

use serde::Serialize;

use crate::host;

/// Publishes `data` as an event of this kind; returns the effect's number.
///
/// # Errors
/// When the kind is not granted (`gateway = ["<kind>"]`), or the data is not representable as JSON.
pub fn publish<T: Serialize>(kind: &str, data: &T) -> Result<u32, String> {
    let json = serde_json::to_string(data)
        .map_err(|error| format!("the data of `{kind}` can't be written as JSON: {error}"))?;
    host::gateway::publish(kind, &json)
}
