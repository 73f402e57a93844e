//! `plugin.toml`: who a plugin is, what it wants to hear and what it asks for.

use std::path::PathBuf;

use serde::Deserialize;

use super::subscription::{Subscription, UnknownEvent};
use crate::config::{KeyPath, Lines, json};
use crate::permission::{self, PermissionError, Permissions};

/// The WIT versions that this engine runs, as a manifest's `wit` spells them.
pub const WIT_VERSIONS: [&str; 1] = ["0.1"];

/// A checked manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub id: String,
    pub name: String,
    pub version: String,
    pub description: String,
    pub wit: String,
    /// Gets only what no other plugin handled.
    pub fallback: bool,
    pub events: Vec<String>,
    pub commands: Vec<String>,
    pub permissions: Permissions,
    /// Less memory than the operator's limit, in bytes.
    pub memory_bytes: Option<usize>,
    /// Settings that hold where the operator sets none.
    pub defaults: serde_json::Map<String, serde_json::Value>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawManifest {
    id: String,
    name: Option<String>,
    version: String,
    #[serde(default)]
    description: String,
    wit: String,
    #[serde(default)]
    fallback: bool,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    commands: Vec<String>,
    #[serde(default)]
    permissions: permission::Table,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    defaults: toml::Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawLimits {
    memory_mib: Option<usize>,
}

/// Why a `plugin.toml` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("can't read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("plugin.toml:{line}:{column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("plugin.toml: id = \"{0}\": an id has 1 to 64 characters of a-z, 0-9 and -, and begins with a letter")]
    Id(String),
    #[error("plugin.toml: id = \"{id}\", but its folder is called \"{folder}\"; rename one of them")]
    Folder { id: String, folder: String },
    #[error("plugin.toml: wit = \"{0}\": this engine runs {known}", known = WIT_VERSIONS.join(", "))]
    Wit(String),
    #[error("plugin.toml: version = \"{0}\": a version has 1 to 64 printable characters")]
    Version(String),
    #[error("plugin.toml: events: {0}")]
    Event(#[from] UnknownEvent),
    #[error("plugin.toml: commands: \"{0}\" is written without the prefix and without spaces, as in \"so\"")]
    Command(String),
    #[error("plugin.toml: permissions: {0}")]
    Permission(#[from] PermissionError),
    #[error("plugin.toml: limits.memory-mib = {0}: at least 1, at most 4095")]
    Memory(usize),
    #[error("plugin.toml: defaults.{0}: plugins read this as JSON, which has only finite numbers")]
    Infinite(KeyPath),
    #[error("plugin.toml: a plugin that hears nothing would never be called; list `events` or `commands`")]
    Deaf,
}

/// The parser's own message, without its drawing.
fn syntax(text: &str, error: &toml::de::Error) -> ManifestError {
    let (line, column) = Lines::of(text).line_and_column(error.span().map_or(0, |span| span.start));
    ManifestError::Syntax { line, column, message: error.message().to_owned() }
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        if !is_id(&raw.id) {
            return Err(ManifestError::Id(raw.id));
        }
        if !WIT_VERSIONS.contains(&raw.wit.as_str()) {
            return Err(ManifestError::Wit(raw.wit));
        }
        if raw.version.is_empty() || raw.version.len() > 64 || raw.version.contains(char::is_control) {
            return Err(ManifestError::Version(raw.version));
        }
        Subscription::new(&raw.events, &raw.commands, &[])?;
        if let Some(command) = raw.commands.iter().find(|command| !is_command(command)) {
            return Err(ManifestError::Command(command.clone()));
        }
        if raw.events.is_empty() && raw.commands.is_empty() {
            return Err(ManifestError::Deaf);
        }
        let memory_bytes = match raw.limits.memory_mib {
            Some(mib @ (0 | 4096..)) => return Err(ManifestError::Memory(mib)),
            Some(mib) => Some(mib << 20),
            None => None,
        };
        let mut infinite = None;
        let defaults = json::from_table(&KeyPath::default(), &raw.defaults, &mut |path| infinite = Some(path.clone()));
        if let Some(path) = infinite {
            return Err(ManifestError::Infinite(path));
        }
        Ok(Self {
            name: raw.name.unwrap_or_else(|| raw.id.clone()),
            permissions: Permissions::parse(&raw.permissions)?,
            id: raw.id,
            version: raw.version,
            description: raw.description,
            wit: raw.wit,
            fallback: raw.fallback,
            events: raw.events,
            commands: raw.commands,
            memory_bytes,
            defaults,
        })
    }
}

/// Ids name folders, config tables and metrics, so they are plain.
pub fn is_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
}

fn is_command(command: &str) -> bool {
    !command.is_empty()
        && !command.contains(char::is_whitespace)
        && command.starts_with(|first: char| first.is_alphanumeric())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    const GREETER: &str = r#"
        id = "greeter"
        version = "1.2.0"
        wit = "0.1"
        events = ["chat", "raw:twitch:channel.poll.begin"]
        commands = ["hello"]
        [permissions]
        chat = ["say"]
        http = ["https://api.example.com/v1/"]
        [limits]
        memory-mib = 32
        [defaults]
        greeting = "Hi"
        since = 2026-01-02
    "#;

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = Manifest::parse(GREETER).unwrap();
        assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("greeter", "greeter"));
        assert_eq!(manifest.memory_bytes, Some(32 << 20));
        assert_eq!(manifest.defaults["greeting"], "Hi");
        assert_eq!(manifest.defaults["since"], "2026-01-02");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("id = \"greeter\"", "id = \"Gréeter\"", "id = \"Gréeter\""),
            ("wit = \"0.1\"", "wit = \"0.9\"", "this engine runs 0.1"),
            ("\"chat\",", "\"chats\",", "there is no event `chats`"),
            ("chat = [\"say\"]", "chat = [\"sing\"]", "sing"),
            ("chat = [\"say\"]", "karaoke = [\"sing\"]", "karaoke"),
            ("[limits]", "[limit]", "unknown field `limit`"),
            ("memory-mib = 32", "memory-mib = 0", "at least 1"),
            ("[\"hello\"]", "[\"!hello\"]", "without the prefix"),
            ("https://api", "gopher://api", "gopher"),
            ("greeting = \"Hi\"", "rate = [{ of = inf }]", "defaults.rate[0].of: plugins read this as JSON"),
        ];
        for (before, after, expected) in cases {
            let message = Manifest::parse(&GREETER.replace(before, after)).unwrap_err().to_string();
            assert!(message.contains(expected), "{after}: {message}");
        }
    }
}
