//! What can be asked for and granted: the words of a manifest's `[permissions]` and of an operator's `grant`.
//!
//! It says what is spelled right and what two lists have in common. Whether a call is allowed is `plugin`'s to decide,
//! and where a word stands in the config `config`'s to tell.

mod url_rule;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use url::Url;

pub use self::url_rule::{UrlRule, UrlRuleError};

/// The permissions that can be asked for, and what each may list. `None`: names of the operator's own choosing.
pub const VOCABULARY: [(&str, Option<&[&str]>); 11] = [
    ("agent", None),
    ("alerts", Some(&["show"])),
    ("chat", Some(&["announce", "reply", "say", "shoutout", "whisper"])),
    ("gateway", None),
    ("http", None),
    ("kv", Some(&["use"])),
    ("moderation", Some(&["block", "lift", "remove-message", "resolve-held", "review", "suspend", "warn"])),
    ("secrets", None),
    ("timers", Some(&["use"])),
    ("tools", None),
    ("viewers", Some(&["read"])),
];

/// As a file spells it: `{ chat = ["say"] }`.
pub type Table = BTreeMap<String, Vec<String>>;

/// One half of a grant: a manifest's `[permissions]`, or an operator's `grant`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct Permissions {
    /// Also those of `http`, as they are written.
    items: BTreeMap<&'static str, BTreeSet<String>>,
    /// By how they are written.
    http: BTreeMap<String, UrlRule>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    #[error("there is no permission `{0}`; there are {known}", known = VOCABULARY.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("`{permission}` has no \"{item}\"; it has {known}")]
    UnknownItem { permission: &'static str, item: String, known: String },
    #[error("`{permission}` lists an empty name")]
    EmptyItem { permission: &'static str },
    #[error("http: {0}")]
    Url(#[from] UrlRuleError),
}

impl Permissions {
    pub fn parse(table: &Table) -> Result<Self, PermissionError> {
        let mut permissions = Self::default();
        for (name, items) in table {
            Self::check_name(name)?;
            for item in items {
                permissions.add(name, item)?;
            }
        }
        Ok(permissions)
    }

    /// Whether there is a permission of that name.
    pub fn check_name(name: &str) -> Result<(), PermissionError> {
        known(name).map(drop)
    }

    pub fn add(&mut self, name: &str, item: &str) -> Result<(), PermissionError> {
        let (permission, words) = known(name)?;
        if item.is_empty() {
            return Err(PermissionError::EmptyItem { permission });
        }
        if let Some(words) = words.filter(|words| !words.contains(&item)) {
            let known = words.join(", ");
            return Err(PermissionError::UnknownItem { permission, item: item.to_owned(), known });
        }
        if permission == "http" {
            self.http.insert(item.to_owned(), UrlRule::parse(item)?);
        }
        self.items.entry(permission).or_default().insert(item.to_owned());
        Ok(())
    }

    pub fn to_table(&self) -> Table {
        self.items.iter().map(|(name, items)| ((*name).to_owned(), items.iter().cloned().collect())).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What is in this half and not in the other.
    pub fn beyond(&self, other: &Self) -> Self {
        let missing = |(name, items): (&&'static str, &BTreeSet<String>)| {
            let items: BTreeSet<String> = items.iter().filter(|item| !other.has(name, item)).cloned().collect();
            (!items.is_empty()).then_some((*name, items))
        };
        let http = self.http.iter().filter(|(written, _)| !other.has("http", written));
        let http = http.map(|(written, rule)| (written.clone(), rule.clone())).collect();
        Self { items: self.items.iter().filter_map(missing).collect(), http }
    }

    pub fn has(&self, permission: &str, item: &str) -> bool {
        self.items.get(permission).is_some_and(|items| items.contains(item))
    }

    /// The rule that opens an address; the one that opens more, where several do.
    pub fn url_rule(&self, url: &Url) -> Option<&UrlRule> {
        self.http.values().filter(|rule| rule.matches(url)).max_by_key(|rule| rule.private)
    }
}

impl TryFrom<Table> for Permissions {
    type Error = PermissionError;

    fn try_from(table: Table) -> Result<Self, Self::Error> {
        Self::parse(&table)
    }
}

impl From<Permissions> for Table {
    fn from(permissions: Permissions) -> Self {
        permissions.to_table()
    }
}

type Words = Option<&'static [&'static str]>;

fn known(name: &str) -> Result<(&'static str, Words), PermissionError> {
    let found = VOCABULARY.into_iter().find(|(permission, _)| *permission == name);
    found.ok_or_else(|| PermissionError::Unknown(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(pairs: &[(&str, &[&str])]) -> Result<Permissions, PermissionError> {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Permissions::parse(&pairs.iter().map(|(name, items)| ((*name).to_owned(), list(items))).collect())
    }

    #[test]
    fn a_word_that_is_not_in_the_vocabulary_is_told_with_those_that_are() {
        let cases: [(&str, &[&str], &str); 5] = [
            ("chat", &["say", "shout"], "`chat` has no \"shout\"; it has announce, reply, say, shoutout, whisper"),
            ("chats", &[], "there is no permission `chats`; there are agent, alerts, chat,"),
            ("tools", &[""], "`tools` lists an empty name"),
            ("http", &["gopher://x/"], "http: \"gopher://x/\": only http:// and https:// can be called"),
            ("kv", &["read"], "`kv` has no \"read\"; it has use"),
        ];
        for (name, items, expected) in cases {
            let error = permissions(&[(name, items)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_beyond_another_half_keeps_its_rules() {
        let asked =
            permissions(&[("chat", &["say", "reply"]), ("http", &["https://a.example/", "https://b.example/"])]);
        let given = permissions(&[("chat", &["say"]), ("http", &["https://a.example/"])]);
        let beyond = asked.unwrap().beyond(&given.unwrap());
        assert_eq!(beyond, permissions(&[("chat", &["reply"]), ("http", &["https://b.example/"])]).unwrap());
        assert!(beyond.url_rule(&Url::parse("https://b.example/x").unwrap()).is_some());
        assert!(beyond.url_rule(&Url::parse("https://a.example/x").unwrap()).is_none());
        assert!(beyond.beyond(&beyond).is_empty());
    }
}
