//! What anybody may put into a plugin folder: a manifest that holds what it promises, or an error that says where.

use serde_json::Value;
use showrunner_fuzz::fuzz_text;

use super::*;

#[test]
fn manifests() {
    fuzz_text!(1024, |text| {
        let manifest = match Manifest::parse(text) {
            Ok(manifest) => manifest,
            Err(error) => return assert!(error.to_string().starts_with("plugin.toml:")),
        };
        assert!(is_id(&manifest.id) && WIT_VERSIONS.contains(&manifest.wit.as_str()));
        assert!((1..=64).contains(&manifest.version.len()));
        assert!(!manifest.events.is_empty() || !manifest.commands.is_empty());
        assert!(manifest.memory_bytes.is_none_or(|bytes| (1 << 20..4096 << 20).contains(&bytes)));
        let permissions = manifest.permissions;
        assert_eq!(Permissions::parse(&permissions.to_table()).unwrap(), permissions);
        assert!(permissions.beyond(&permissions).is_empty());
        assert_plain(&Value::Object(manifest.defaults));
    });
}

/// Plugins read their defaults as JSON, where a date is text.
fn assert_plain(value: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, field)| {
            assert!(!key.starts_with("$__"), "{key} is the parser's own");
            assert_plain(field);
        }),
        Value::Array(items) => items.iter().for_each(assert_plain),
        _ => {}
    }
}
