//! Changes a config as a person would: the one key that is meant, with comments, order and layout kept.
//!
//! Called by `showrunner plugins grant|revoke|enable|disable` and by `showrunner auth`. The file is replaced in one
//! step, so that neither a crash nor a daemon that reads at this moment ever sees half of it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// What to write of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Enabled(bool),
    /// Replaces the grant as a whole; empty for "nothing".
    Grant(BTreeMap<String, Vec<String>>),
    /// "sha256:<hex>".
    Pin(String),
    /// Takes the grant and its pin away: nobody has decided.
    Undecide,
}

#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("can't {what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is not TOML, so it can't be changed: {message}", path.display())]
    Syntax { path: PathBuf, message: String },
    #[error("{key} in {} is not {expected}", path.display())]
    Shape { path: PathBuf, expected: &'static str, key: String },
}

impl EditError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        let Self::File { source, .. } = self else { return None };
        Some(match source.kind() {
            io::ErrorKind::PermissionDenied => {
                "nothing was changed; do it as the owner of the file, or make it writable"
            }
            io::ErrorKind::ReadOnlyFilesystem => "nothing was changed; its disk is mounted read-only",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "nothing was changed; free some space, and try again"
            }
            _ => return None,
        })
    }
}

/// Writes the changes of one plugin into the config. All of them or none.
pub fn change_plugin(config: &Path, plugin: &str, changes: &[Change]) -> Result<(), EditError> {
    change(config, |path, text| edited(path, text, plugin, changes))
}

/// Adds a channel to those of a platform that is configured already, unless it is there.
pub fn add_channel(config: &Path, platform: &str, channel: &str) -> Result<(), EditError> {
    change(config, |path, text| with_channel(path, text, platform, channel))
}

fn change(config: &Path, edit: impl FnOnce(&Path, &str) -> Result<String, EditError>) -> Result<(), EditError> {
    // The link stays a link: what it leads to is replaced.
    let path = fs::canonicalize(config).map_err(|source| failed("find", config, source))?;
    let text = fs::read_to_string(&path).map_err(|source| failed("read", &path, source))?;
    let changed = edit(&path, &text)?;
    if changed == text {
        return Ok(());
    }
    // A file that is kept from being written is not replaced either, which its folder alone would allow.
    OpenOptions::new().write(true).open(&path).map_err(|source| failed("write", &path, source))?;
    replace(&path, &changed)
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> EditError {
    EditError::File { what, path: path.to_owned(), source }
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error: toml_edit::TomlError| EditError::Syntax {
        path: path.to_owned(),
        message: error.message().to_owned(),
    })
}

fn shape(path: &Path, expected: &'static str, key: &str) -> EditError {
    EditError::Shape { path: path.to_owned(), expected, key: key.to_owned() }
}

fn with_channel(path: &Path, text: &str, platform: &str, channel: &str) -> Result<String, EditError> {
    let mut document = parse(path, text)?;
    let table = document.get_mut(platform).and_then(Item::as_table_like_mut);
    let table = table.ok_or_else(|| shape(path, "a table", platform))?;
    let channels = table.entry("channels").or_insert_with(|| Item::Value(Array::new().into()));
    let channels = channels.as_array_mut().ok_or_else(|| shape(path, "a list", &format!("{platform}.channels")))?;
    if !channels.iter().any(|known| known.as_str() == Some(channel)) {
        push(channels, channel);
    }
    Ok(document.to_string())
}

/// On a line of its own, where the others are.
fn push(list: &mut Array, text: &str) {
    let rest = list.trailing().as_str().unwrap_or_default().to_owned();
    let Some((before, last)) = rest.rsplit_once('\n') else {
        list.push(text);
        return;
    };
    let first = list.get(0).and_then(|value| value.decor().prefix()).and_then(|prefix| prefix.as_str());
    let indent = first.and_then(|prefix| prefix.rsplit('\n').next()).unwrap_or_default();
    let mut value = Value::from(text);
    value.decor_mut().set_prefix(format!("{before}\n{indent}"));
    list.push_formatted(value);
    list.set_trailing(format!("\n{last}"));
    list.set_trailing_comma(true);
}

fn edited(path: &Path, text: &str, plugin: &str, changes: &[Change]) -> Result<String, EditError> {
    let shape = |key: &str| shape(path, "a table", key);
    let mut document = with_entry(parse(path, text)?, text, plugin);
    let plugins = document.entry("plugins").or_insert_with(implicit_table);
    // An inline table takes nothing but values.
    let new_entry =
        if plugins.is_inline_table() { Item::Value(InlineTable::new().into()) } else { Item::Table(Table::new()) };
    let plugins = plugins.as_table_like_mut().ok_or_else(|| shape("plugins"))?;
    let entry = plugins.entry(plugin).or_insert(new_entry);
    let table = entry.as_table_like_mut().ok_or_else(|| shape(&format!("plugins.{plugin}")))?;
    for change in changes {
        match change {
            Change::Enabled(enabled) => set(table, "enabled", (*enabled).into()),
            Change::Grant(grant) => set(table, "grant", grant_value(grant)),
            Change::Pin(pin) => set(table, "pin", pin.as_str().into()),
            Change::Undecide => {
                table.remove("grant");
                table.remove("pin");
            }
        }
    }
    Ok(document.to_string())
}

/// Adds the header of a plugin that has none, at the very end of the text: a comment at the end belongs to the table
/// above it, and a new table must not come between the two.
///
/// Where the plugins are written in a way that a header can't add to, as an inline table, nothing is added.
fn with_entry(document: DocumentMut, text: &str, plugin: &str) -> DocumentMut {
    if document.get("plugins").and_then(|plugins| plugins.get(plugin)).is_some() {
        return document;
    }
    let before = text.trim_end_matches(['\n', '\r']);
    let gap = if before.is_empty() { "" } else { "\n\n" };
    let longer = format!("{before}{gap}[plugins.{}]\n", toml_edit::Key::new(plugin));
    longer.parse().unwrap_or(document)
}

/// `[plugins]` needs no line of its own.
fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// Keeps what stands around the old value: the space before it, the comments above it and the one behind it.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    // A table of its own, `[plugins.greeter.grant]`, makes way for the one line.
    let above = match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
            return;
        }
        Some(Item::Table(old)) => old.decor().prefix().cloned(),
        _ => None,
    };
    table.insert(key, Item::Value(value));
    if let (Some(above), Some(mut key)) = (above, table.key_mut(key)) {
        key.leaf_decor_mut().set_prefix(above);
    }
}

fn grant_value(grant: &BTreeMap<String, Vec<String>>) -> Value {
    let pairs = grant.iter().map(|(name, values)| (name.as_str(), Value::from(values.iter().collect::<Array>())));
    Value::InlineTable(pairs.collect::<InlineTable>())
}

/// Writes beside the file, makes it durable, then renames: the old file or the new one, never half of it.
fn replace(path: &Path, text: &str) -> Result<(), EditError> {
    let folder = path.parent().unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
    let written = write_beside(path, &temporary, text).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // It may not even have been made.
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path, source));
    }
    // Without this the rename itself could be lost with the power.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| failed("make durable", path, source))
}

fn write_beside(path: &Path, temporary: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(text.as_bytes())?;
    let new = file.metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        std::os::unix::fs::chown(temporary, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(old.permissions())?;
    file.sync_all()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
