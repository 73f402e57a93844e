//! What was written, as far as it can be read.
//!
//! serde stops at the first error. So the entry that it stops at is noted and taken out of a copy of the tree, and the
//! rest is read again, until what is left can be read: that finds every wrong key and type of a file at once.

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer};

use super::locate::Document;
use super::problem::{Blame, Finding, KeyPath, MOST_FINDINGS, Step};
use super::raw::Raw;
use super::secret::HOW_TO_REFER;

pub(super) fn read(document: &Document<'_>) -> (Raw, Vec<Finding>) {
    let mut tree = document.tree().clone();
    let mut findings = Vec::new();
    while findings.len() < MOST_FINDINGS {
        let error = match Raw::deserialize(Deserializer::from(tree.clone())) {
            Ok(raw) => return (raw, findings),
            Err(error) => error,
        };
        let path = error.span().and_then(|span| document.path_at(span.start));
        let removed = path.as_ref().is_some_and(|path| remove(tree.get_mut(), path.steps()));
        findings.push(finding(path.unwrap_or_default(), error.message()));
        if !removed {
            break;
        }
    }
    (Raw::default(), findings)
}

fn finding(path: KeyPath, message: &str) -> Finding {
    // serde repeats the value it did not like.
    if path.is_secret() && message.starts_with("invalid") {
        let message = "expected a reference to a secret, as text".to_owned();
        return Finding { path, blame: Blame::Value, message, help: Some(HOW_TO_REFER.to_owned()) };
    }
    let blame = if message.starts_with("unknown field") { Blame::Key } else { Blame::Value };
    let is_single = message.starts_with("invalid type: map") && path.to_string() == "retake";
    let help = is_single.then(|| "write it as [[retake]]: there may be several".to_owned());
    Finding { path, blame, message: in_words_of_toml(message), help }
}

/// serde has words of its own for what TOML calls a table and a list.
fn in_words_of_toml(message: &str) -> String {
    let message = message
        .replace("invalid type: map", "invalid type: table")
        .replace("invalid type: sequence", "invalid type: list")
        .replace("expected a map", "expected a table")
        .replace("expected a sequence", "expected a list, as in [\"a\", \"b\"]");
    match message.split_once("expected struct ") {
        Some((what, _)) => format!("{what}expected a table"),
        None => message,
    }
}

/// Takes out the entry at `path`; a single element of an array takes its array along.
fn remove(table: &mut DeTable<'_>, path: &[Step]) -> bool {
    match path {
        [Step::Key(key)] => table.remove(key.as_str()).is_some(),
        [Step::Key(key), rest @ ..] => {
            let Some(value) = table.get_mut(key.as_str()) else { return false };
            remove_within(value.get_mut(), rest) || table.remove(key.as_str()).is_some()
        }
        _ => false,
    }
}

fn remove_within(value: &mut DeValue<'_>, path: &[Step]) -> bool {
    match (value, path) {
        (DeValue::Table(table), path) => remove(table, path),
        (DeValue::Array(items), [Step::Index(index), rest @ ..]) if !rest.is_empty() => {
            items.get_mut(*index).is_some_and(|item| remove_within(item.get_mut(), rest))
        }
        _ => false,
    }
}
