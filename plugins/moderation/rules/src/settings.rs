//! The operator's table of a rule: what every rule has, and what is its own.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What every rule has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Common {
    pub enabled: bool,
    /// It is only told what would have happened.
    pub dry_run: bool,
    /// Roles that the rule leaves alone, besides those that all rules do.
    pub exempt: Vec<String>,
    /// What follows, strike by strike; empty for what follows otherwise.
    pub steps: Vec<String>,
    /// Said to whoever is warned; empty for nothing.
    pub tell: String,
}

impl Default for Common {
    fn default() -> Self {
        Self { enabled: true, dry_run: false, exempt: Vec::new(), steps: Vec::new(), tell: String::new() }
    }
}

/// The keys of [`Common`].
const COMMON: [&str; 5] = ["enabled", "dry-run", "exempt", "steps", "tell"];

/// Reads the table of a rule.
///
/// # Errors
/// Says what does not fit.
pub fn read<T: DeserializeOwned>(table: Value) -> Result<(Common, T), String> {
    let Value::Object(table) = table else { return Err("it must be a table".to_owned()) };
    let (common, own): (Map<String, Value>, _) = table.into_iter().partition(|(key, _)| COMMON.contains(&key.as_str()));
    let keys: Vec<String> = own.keys().cloned().collect();
    Ok((parse(common)?, parse(own).map_err(|error| with_common(&keys, error))?))
}

/// What is wrong with a key of these is told with the keys that every rule has: serde knows only the rule's own.
fn with_common(keys: &[String], error: String) -> String {
    if !keys.iter().any(|key| error.starts_with(&format!("unknown field `{key}`"))) {
        return error;
    }
    let common = COMMON.join(", ");
    match error.strip_suffix(", there are no fields") {
        Some(unknown) => format!("{unknown}, expected one of {common}"),
        None => format!("{error}, or one of {common}"),
    }
}

fn parse<T: DeserializeOwned>(table: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(table)).map_err(|error| error.to_string())
}
