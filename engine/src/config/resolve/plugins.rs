//! `[plugins.<id>]`: what the operator says of each plugin.

use std::collections::BTreeMap;

use super::Resolver;
use crate::config::json;
use crate::config::problem::{Blame, Finding, KeyPath};
use crate::config::raw::Plugin;
use crate::config::settings::PluginSettings;
use crate::effect::PluginId;
use crate::event::{Channel, NoChannel};
use crate::permission::{self, Permissions};

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
        let channels = raw.channels.iter().flatten().enumerate().filter_map(|(index, channel)| {
            let wrong = |why: NoChannel| self.found(table.key("channels").index(index), why.to_string());
            channel.parse::<Channel>().map_err(wrong).ok()
        });
        let channels = channels.collect();
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
            grant: raw.grant.as_ref().map(|grant| self.grant(&table.key("grant"), grant)),
            channels,
            pin: raw.pin.clone(),
            on_failure: raw.on_failure.unwrap_or_default(),
            record: raw.record.unwrap_or(false),
            secrets,
            settings,
        }
    }

    /// Every word that is wrong is told, at its own place.
    fn grant(&mut self, path: &KeyPath, written: &permission::Table) -> Permissions {
        let mut grant = Permissions::default();
        for (name, items) in written {
            if let Err(error) = Permissions::check_name(name) {
                self.add(Finding { path: path.key(name), blame: Blame::Key, message: error.to_string(), help: None });
                continue;
            }
            for (index, item) in items.iter().enumerate() {
                if let Err(error) = grant.add(name, item) {
                    // An address may hold a user, which the message leaves out.
                    let blame = if name == "http" { Blame::PartOfValue } else { Blame::Value };
                    let path = path.key(name).index(index);
                    self.add(Finding { path, blame, message: error.to_string(), help: None });
                }
            }
        }
        grant
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
