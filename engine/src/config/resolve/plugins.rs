//! `[plugins.<id>]`: what the operator says of each plugin.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::Resolver;
use crate::config::problem::{Finding, KeyPath};
use crate::config::raw::Plugin;
use crate::config::settings::PluginSettings;
use crate::effect::PluginId;
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
        PluginSettings {
            enabled: raw.enabled,
            grant: raw.grant.as_ref().map(|grant| self.grant(&table.key("grant"), grant)),
            channels,
            pin: raw.pin.clone(),
            on_failure: raw.on_failure.unwrap_or_default(),
            record: raw.record.unwrap_or(false),
            secrets,
            settings: self.plugin_table(&table.key("settings"), &raw.settings),
        }
    }

    /// Every word that is wrong is told, at its own place.
    fn grant(&mut self, path: &KeyPath, written: &permission::Table) -> Permissions {
        let mut grant = Permissions::default();
        for (name, items) in written {
            if let Err(error) = Permissions::check_name(name) {
                self.add(Finding { path: path.key(name), is_key: true, message: error.to_string(), help: None });
                continue;
            }
            for (index, item) in items.iter().enumerate() {
                if let Err(error) = grant.add(name, item) {
                    self.found(path.key(name).index(index), error.to_string());
                }
            }
        }
        grant
    }

    fn plugin_table(&mut self, path: &KeyPath, table: &toml::Table) -> Map<String, Value> {
        table.iter().map(|(key, value)| (key.clone(), self.plugin_value(&path.key(key), value))).collect()
    }

    /// Plugins read their settings as JSON, which has no dates and no infinities.
    fn plugin_value(&mut self, path: &KeyPath, value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) => Value::String(text.clone()),
            toml::Value::Integer(number) => Value::from(*number),
            toml::Value::Float(number) => Number::from_f64(*number).map_or_else(
                || {
                    self.found(path.clone(), "plugins read this as JSON, which has only finite numbers");
                    Value::Null
                },
                Value::Number,
            ),
            toml::Value::Boolean(flag) => Value::Bool(*flag),
            toml::Value::Datetime(date) => Value::String(date.to_string()),
            toml::Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.plugin_value(&path.index(index), item)).collect()
            }
            toml::Value::Table(table) => Value::Object(self.plugin_table(path, table)),
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
