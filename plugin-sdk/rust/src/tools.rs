//! Effects: the tool service's actions, such as setting the title or making a clip.

use serde::Serialize;

use crate::host;

/// Calls a tool and returns the id that the later `tool` event carries.
///
/// # Errors
/// When the tool is not granted (`tools = ["<tool>"]`), the engine has no tool service
/// ([`Refusal::Unavailable`](crate::Refusal::Unavailable)), or the arguments are not representable as JSON.
pub fn call<T: Serialize>(name: &str, arguments: &T) -> Result<String, String> {
    let json = serde_json::to_string(arguments)
        .map_err(|error| format!("the arguments of `{name}` can't be written as JSON: {error}"))?;
    host::tools::call(name, &json)
}
