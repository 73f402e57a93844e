//! Pieces of events: the three fields of a user, and how pieces become one.

use serde_json::{Map, Value, json};

use super::users::User;

/// `<prefix>_id`, `<prefix>_login`, `<prefix>_name`.
pub(super) fn person(prefix: &str, user: &User) -> Value {
    three(prefix, json!(user.id), json!(user.login), json!(user.name))
}

pub(super) fn somebody(prefix: &str, user: Option<&User>) -> Value {
    match user {
        Some(user) => person(prefix, user),
        None => three(prefix, Value::Null, Value::Null, Value::Null),
    }
}

fn three(prefix: &str, id: Value, login: Value, name: Value) -> Value {
    Value::Object(Map::from_iter([
        (format!("{prefix}_id"), id),
        (format!("{prefix}_login"), login),
        (format!("{prefix}_name"), name),
    ]))
}

/// All fields of all objects; what comes later wins.
pub(super) fn merged<const N: usize>(parts: [Value; N]) -> Value {
    let mut whole = Map::new();
    for part in parts {
        let Value::Object(fields) = part else { panic!("a piece of an event is an object") };
        whole.extend(fields);
    }
    Value::Object(whole)
}

/// A field that nobody has heard of, in every object of a value.
pub(super) fn with_unknown_fields(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<String, Value> = fields.into_iter().map(|(key, value)| grown(key, value)).collect();
            fields.insert("field_of_tomorrow".to_owned(), json!({ "with": ["anything", 1, null] }));
            Value::Object(fields)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(with_unknown_fields).collect()),
        other => other,
    }
}

/// A condition has the keys that the client gave it.
fn grown(key: String, value: Value) -> (String, Value) {
    let value = if key == "condition" { value } else { with_unknown_fields(value) };
    (key, value)
}
