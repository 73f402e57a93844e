//! The plugin's settings: the `[defaults]` of its manifest with the operator's `settings` on top.

use serde::de::DeserializeOwned;

use crate::host;

/// All settings as one typed value. Call it in [`Plugin::new`](crate::Plugin::new) and hand the error on.
///
/// A type with `#[serde(deny_unknown_fields)]` finds the operator's slips of the pen.
///
/// # Errors
/// Says what does not fit, without a place in the file.
pub fn load<T: DeserializeOwned>() -> Result<T, String> {
    let json = host::config::get("").unwrap_or_else(|| "{}".to_owned());
    serde_json::from_str(&json).map_err(|error| format!("settings: {}", without_position(&error)))
}

/// The value at a dotted path such as "cooldown.user-seconds" or "rules.0.text"; `None` when there is none.
///
/// # Errors
/// Names the path and says what does not fit.
pub fn get<T: DeserializeOwned>(path: &str) -> Result<Option<T>, String> {
    let Some(json) = host::config::get(path) else { return Ok(None) };
    serde_json::from_str(&json).map(Some).map_err(|error| format!("settings: {path}: {}", without_position(&error)))
}

/// The text of an error without its line and column: the host made the JSON from the operator's TOML, so they would
/// only mislead.
pub fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").and_then(|end| text.get(..end)).map_or_else(|| text.clone(), str::to_owned)
}
