//! TOML as JSON, which is how plugins read their settings: a date is text, and there are only finite numbers.

use serde_json::{Map, Number, Value};

use super::problem::KeyPath;

/// Converts a table that stands at `path`. What JSON has no number for is told to `refuse`.
pub fn from_table(path: &KeyPath, table: &toml::Table, refuse: &mut impl FnMut(&KeyPath)) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.clone(), from_value(&path.key(key), value, refuse))).collect()
}

fn from_value(path: &KeyPath, value: &toml::Value, refuse: &mut impl FnMut(&KeyPath)) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Number::from_f64(*number).map_or_else(
            || {
                refuse(path);
                Value::Null
            },
            Value::Number,
        ),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| from_value(&path.index(index), item, refuse)).collect()
        }
        toml::Value::Table(table) => Value::Object(from_table(path, table, refuse)),
    }
}
