//! `config`: the plugin's own table. Needs no grant.

use serde_json::Value;

use super::wit::config::Host;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn get(&mut self, path: String) -> Option<String> {
        let settings = self.context.settings.load();
        lookup(&settings, &path).map(Value::to_string)
    }
}

/// `rules.0.text` looks into tables by key and into lists by number. The empty path is the whole table.
fn lookup<'a>(settings: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(settings);
    }
    path.split('.').try_fold(settings, |value, key| match value {
        Value::Object(table) => table.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lookup;

    #[test]
    fn a_path_goes_through_tables_and_lists() {
        let settings = json!({ "greeting": "Hi", "rules": [{ "text": "gm" }] });
        assert_eq!(lookup(&settings, "greeting"), Some(&json!("Hi")));
        assert_eq!(lookup(&settings, "rules.0.text"), Some(&json!("gm")));
        assert_eq!(lookup(&settings, ""), Some(&settings));
        for path in ["rules.1.text", "rules.x", "greeting.more", "none", "."] {
            assert_eq!(lookup(&settings, path), None, "{path}");
        }
    }
}
