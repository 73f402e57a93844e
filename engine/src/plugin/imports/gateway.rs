//! `gateway`: events of the plugin's own for whoever watches. A grant lists the kinds.

use super::wit::gateway::Host;
use crate::effect::Effect;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn publish(&mut self, kind: String, data_json: String) -> Result<u32, String> {
        self.check("gateway", &kind).map_err(|denied| denied.to_string())?;
        serde_json::from_str::<serde::de::IgnoredAny>(&data_json)
            .map_err(|error| format!("data-json is no JSON: {error}"))?;
        self.push_effect(Effect::Publish { kind, data_json })
    }
}
