//! `tools`: the tool service's actions.

use super::wit::tools::Host;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn call(&mut self, name: String, _args_json: String) -> Result<String, String> {
        self.check("tools", &name).map_err(|denied| denied.to_string())?;
        Err(format!("unavailable: this engine has no tool service, so {name} can't be called"))
    }
}
