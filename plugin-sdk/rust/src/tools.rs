//! Effects: the tool service's actions, such as setting the title or making a clip.

use serde::Serialize;

use crate::{Refused, host};

/// Calls a tool with arguments that are written as JSON, and returns the id that the later `tool` event carries
/// ([`Plugin::on_tool_result`](crate::Plugin::on_tool_result)).
///
/// # Errors
/// When the tool is not granted (`tools = ["<tool>"]`), the engine has no tool service
/// ([`Refusal::Unavailable`](crate::Refusal::Unavailable)), or the arguments are not representable as JSON.
pub fn call<T: Serialize + ?Sized>(name: &str, arguments: &T) -> Result<String, Refused> {
    let json = serde_json::to_string(arguments)
        .map_err(|error| Refused::new(format!("the arguments of `{name}` can't be written as JSON: {error}")))?;
    host::tools::call(name, &json).map_err(Refused::new)
}
