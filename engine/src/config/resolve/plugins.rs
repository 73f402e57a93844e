//! `[plugins.<id>]`: what the operator says of each plugin.

use std::collections::BTreeMap;

use super::Resolver;
use crate::config::json;
use crate::config::problem::KeyPath;
use crate::config::raw::Plugin;
use crate::config::settings::PluginSettings;
use crate::effect::PluginId;

impl Resolver<'_> {
    pub(super) fn plugins(&mut self, raw: &BTreeMap<String, Plugin>) -> BTreeMap<PluginId, PluginSettings> {
        raw.iter().map(|(id, plugin)| (PluginId::from(id.as_str()), self.plugin(id, plugin))).collect()
    }

    fn plugin(&mut self, id: &str, raw: &Plugin) -> PluginSettings {
        let table = KeyPath::of("plugins").key(id);
        if !is_plugin_id(id) {
            self.found(
                table.clone(),
                "a plugin's id has 1 to 64 lower-case letters, digits and hyphens, and begins with a letter",
            );
        }
        let channels = raw.channels.clone().unwrap_or_default();
        if channels.iter().any(|channel| channel.trim().is_empty()) {
            self.found(table.key("channels"), "a channel must not be empty; leave the key out to allow all channels");
        }
        if raw.pin.as_deref().is_some_and(|pin| !is_pin(pin)) {
            self.found(table.key("pin"), "expected \"sha256:\" and 64 hexadecimal digits");
        }
        let secrets = raw.secrets.iter().filter_map(|(name, reference)| {
            let secret = self.secret(table.key("secrets").key(name), reference)?;
            Some((name.clone(), secret))
        });
        let secrets = secrets.collect();
        let settings = json::from_table(&table.key("settings"), &raw.settings, &mut |path| {
            self.found(path.clone(), "plugins read this as JSON, which has only finite numbers");
        });
        PluginSettings {
            enabled: raw.enabled,
            grant: raw.grant.clone(),
            channels,
            pin: raw.pin.clone(),
            on_failure: raw.on_failure.unwrap_or_default(),
            secrets,
            settings,
        }
    }
}

/// As a manifest's id: it names folders, config tables and metrics, so it is plain.
fn is_plugin_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    id.len() <= 64 && id.starts_with(|first: char| first.is_ascii_lowercase()) && id.bytes().all(plain)
}

fn is_pin(pin: &str) -> bool {
    let digits = pin.strip_prefix("sha256:");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
