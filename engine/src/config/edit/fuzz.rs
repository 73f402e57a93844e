//! Whatever the config is: an edit changes what it says and nothing else, and a second time nothing at all.

use showrunner_fuzz::fuzz_text;
use toml::{Table as Values, Value as Plain};
use toml_edit::Document;

use super::*;

/// The first line of an input is the id of the plugin, the rest is the config.
#[test]
fn config_edits() {
    fuzz_text!(4096, |text| {
        let (plugin, config) = text.split_once('\n').unwrap_or(("greeter", text));
        let grant = BTreeMap::from([("chat".to_owned(), vec!["say".to_owned()]), ("kv".to_owned(), vec![])]);
        let changes = [Change::Enabled(false), Change::Grant(grant), Change::Pin("sha256:00".to_owned())];
        let edit = |config: &str| edited(Path::new("showrunner.toml"), config, plugin, &changes);
        let after = match edit(config) {
            Ok(after) => after,
            Err(error) => return assert!(error.to_string().contains("showrunner.toml")),
        };
        assert_eq!(edit(&after).unwrap(), after, "the second time changes something");

        let (before, after_values) = (values(config), values(&after));
        let entry = &after_values["plugins"][plugin];
        assert_eq!(entry["enabled"], Plain::Boolean(false));
        assert_eq!(entry["grant"], Plain::Table(values("chat = [\"say\"]\nkv = []")));
        assert_eq!(entry["pin"], Plain::String("sha256:00".to_owned()));
        assert_eq!(others(before, plugin), others(after_values, plugin));
        assert_lines_kept(config, &after, plugin);
    });
}

fn values(text: &str) -> Values {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// All that an edit must leave as it is.
fn others(mut values: Values, plugin: &str) -> Values {
    if let Some(Plain::Table(plugins)) = values.get_mut("plugins") {
        if let Some(Plain::Table(entry)) = plugins.get_mut(plugin) {
            entry.retain(|key, _| !["enabled", "grant", "pin"].contains(&key));
            if entry.is_empty() {
                plugins.remove(plugin);
            }
        }
        if plugins.is_empty() {
            values.remove("plugins");
        }
    }
    values
}

/// Every line that says something else is still there, in its order.
fn assert_lines_kept(before: &str, after: &str, plugin: &str) {
    let mut left = after.lines();
    let touched = touched(before, plugin);
    let mut offset = 0;
    for line in before.split_inclusive('\n') {
        let is_touched = touched.iter().any(|(begin, end)| *begin < offset + line.len() && offset <= *end);
        offset += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if !is_touched && !line.is_empty() {
            assert!(left.any(|kept| kept == line), "{line:?} is gone or elsewhere:\n{after}");
        }
    }
}

/// Where the three keys stand, and what is behind them; what is within one line counts as a whole.
fn touched(text: &str, plugin: &str) -> Vec<(usize, usize)> {
    let document: Document<&str> = Document::parse(text).unwrap();
    let Some(plugins) = document.get("plugins") else { return Vec::new() };
    if plugins.is_inline_table() {
        return extent(plugins).into_iter().collect();
    }
    let Some(entry) = plugins.get(plugin) else { return Vec::new() };
    if entry.is_inline_table() {
        return extent(entry).into_iter().collect();
    }
    let keys = ["enabled", "grant", "pin"].into_iter();
    keys.filter_map(|key| {
        let (key, item) = entry.as_table_like()?.get_key_value(key)?;
        let places = key.span().map(|span| (span.start, span.end)).into_iter().chain(extent(item));
        places.reduce(around)
    })
    .collect()
}

fn extent(item: &Item) -> Option<(usize, usize)> {
    let own = item.span().map(|span| (span.start, span.end));
    let inner = item.as_table_like().into_iter().flat_map(|table| table.iter()).filter_map(|(_, item)| extent(item));
    own.into_iter().chain(inner).reduce(around)
}

fn around(one: (usize, usize), other: (usize, usize)) -> (usize, usize) {
    (one.0.min(other.0), one.1.max(other.1))
}
