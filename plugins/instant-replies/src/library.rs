//! All commands: those of the config, and those that moderators made in chat, which are kept in kv and win.
//!
//! kv holds `command/<name>`, `alias/<name>` and `count/<name>`, one value each, so that a change writes little
//! and a value that can't be read costs one command and not all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;

use crate::reply::{COMMAND_NAMES, Reply};
use crate::settings::{ConfiguredCommand, Style};

/// The version of what is kept in kv. What a newer version kept is left alone.
const VERSION: u8 = 1;
/// More than any channel can remember; the bound keeps a start quick.
const COMMANDS: usize = 500;
const NAME_CHARACTERS: usize = 32;

#[derive(Serialize, Deserialize)]
struct StoredCommand {
    v: u8,
    answers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredAlias {
    v: u8,
    command: String,
}

pub(crate) struct Library {
    style: Style,
    configured: BTreeMap<String, Entry>,
    from_chat: BTreeMap<String, Entry>,
    configured_aliases: BTreeMap<String, String>,
    chat_aliases: BTreeMap<String, String>,
}

struct Entry {
    answers: Vec<String>,
    reply: Reply,
}

/// Where a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Config,
    Chat,
    /// Made in chat, over one of the config.
    Override,
}

/// The key of a command's counter.
pub(crate) fn count_key(name: &str) -> String {
    format!("count/{name}")
}

/// A command's name in the form in which it is compared.
pub(crate) fn valid_name(name: &str) -> Result<String, String> {
    let name = name.trim().to_lowercase();
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARACTERS || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("a name is one word of at most {NAME_CHARACTERS} characters"));
    }
    Ok(name)
}

impl Library {
    pub(crate) fn new(commands: Vec<ConfiguredCommand>, style: Style) -> Self {
        let mut library = Self {
            style,
            configured: BTreeMap::new(),
            from_chat: BTreeMap::new(),
            configured_aliases: BTreeMap::new(),
            chat_aliases: BTreeMap::new(),
        };
        for command in commands {
            let name = command.name;
            library.configured_aliases.extend(command.aliases.into_iter().map(|alias| (alias, name.clone())));
            library.configured.insert(name, Entry { answers: command.answers, reply: command.reply });
        }
        library
    }

    /// Reads what is kept in kv. What can't be read is told, left where it is, and not there.
    pub(crate) fn recall(&mut self) {
        let limit = u32::try_from(COMMANDS * 2).unwrap_or(u32::MAX);
        for key in kv::keys("command/", limit) {
            let name = key.trim_start_matches("command/");
            match self.recall_command(name, &key) {
                Ok(entry) => {
                    self.from_chat.insert(name.to_owned(), entry);
                }
                Err(error) => log::warn(format!("The command `{name}` could not be read back: {error}.")),
            }
        }
        for key in kv::keys("alias/", limit) {
            let name = key.trim_start_matches("alias/");
            match kv::get::<StoredAlias>(&key) {
                Ok(Some(alias)) if alias.v == VERSION => {
                    self.chat_aliases.insert(name.to_owned(), alias.command);
                }
                Ok(_) => log::warn(format!("The alias `{name}` was written by a newer version.")),
                Err(error) => log::warn(format!("The alias `{name}` could not be read back: {error}.")),
            }
        }
    }

    fn recall_command(&self, name: &str, key: &str) -> Result<Entry, String> {
        let stored: StoredCommand = kv::get(key)?.ok_or("it is gone")?;
        if stored.v != VERSION {
            return Err(format!("it was written by a newer version (its format is {})", stored.v));
        }
        self.entry(name, stored.answers)
    }

    /// What is made in chat over a command of the config changes its words only: whoever could not use it
    /// before still can't.
    fn entry(&self, name: &str, answers: Vec<String>) -> Result<Entry, String> {
        let mut reply = self.style.reply(format!("command `{name}`"), &answers, COMMAND_NAMES)?;
        if let Some(Entry { reply: configured, .. }) = self.configured.get(name) {
            reply.roles = configured.roles;
            reply.answer_as = configured.answer_as;
            reply.cooldown = configured.cooldown.clone();
        }
        Ok(Entry { answers, reply })
    }

    /// A command by its name or an alias, under its real name.
    pub(crate) fn find(&mut self, typed: &str) -> Option<(String, &mut Reply)> {
        let name = self.resolve(typed)?.to_owned();
        let entries = if self.from_chat.contains_key(&name) { &mut self.from_chat } else { &mut self.configured };
        let entry = entries.get_mut(&name)?;
        Some((name, &mut entry.reply))
    }

    /// The real name behind a name or an alias. Names win over aliases, and chat over the config.
    pub(crate) fn resolve<'a>(&'a self, typed: &'a str) -> Option<&'a str> {
        if self.source(typed).is_some() {
            return Some(typed);
        }
        let target = self.chat_aliases.get(typed).or_else(|| self.configured_aliases.get(typed))?;
        self.source(target).map(|_| target.as_str())
    }

    /// Where the command of this name comes from; `None` when there is none.
    pub(crate) fn source(&self, name: &str) -> Option<Source> {
        match (self.from_chat.contains_key(name), self.configured.contains_key(name)) {
            (true, true) => Some(Source::Override),
            (true, false) => Some(Source::Chat),
            (false, true) => Some(Source::Config),
            (false, false) => None,
        }
    }

    /// Makes a command, or gives one other answers; it is kept before it is used.
    pub(crate) fn put(&mut self, name: &str, answer: &str) -> Result<(), String> {
        if !self.from_chat.contains_key(name) && self.from_chat.len() >= COMMANDS {
            return Err(format!("there are already {COMMANDS} commands; remove one first"));
        }
        let entry = self.entry(name, vec![answer.to_owned()])?;
        kv::set(&format!("command/{name}"), &StoredCommand { v: VERSION, answers: entry.answers.clone() })?;
        self.from_chat.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Removes a command that was made in chat. Its aliases and its count go with it, unless the config has a
    /// command of that name.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), String> {
        kv::remove(&format!("command/{name}"))?;
        self.from_chat.remove(name);
        if !self.configured.contains_key(name) {
            kv::remove(&count_key(name))?;
            for alias in self.aliases_from_chat(name) {
                self.remove_alias(&alias)?;
            }
        }
        Ok(())
    }

    /// Lets `alias` stand for the command `name`.
    pub(crate) fn put_alias(&mut self, alias: &str, name: &str) -> Result<(), String> {
        if !self.chat_aliases.contains_key(alias) && self.chat_aliases.len() >= COMMANDS {
            return Err(format!("there are already {COMMANDS} aliases; remove one first"));
        }
        kv::set(&format!("alias/{alias}"), &StoredAlias { v: VERSION, command: name.to_owned() })?;
        self.chat_aliases.insert(alias.to_owned(), name.to_owned());
        Ok(())
    }

    pub(crate) fn remove_alias(&mut self, alias: &str) -> Result<(), String> {
        kv::remove(&format!("alias/{alias}"))?;
        self.chat_aliases.remove(alias);
        Ok(())
    }

    pub(crate) fn is_chat_alias(&self, alias: &str) -> bool {
        self.chat_aliases.contains_key(alias)
    }

    fn aliases_from_chat(&self, name: &str) -> Vec<String> {
        let aliases = self.chat_aliases.iter().filter(|(_, target)| *target == name);
        aliases.map(|(alias, _)| alias.clone()).collect()
    }

    /// All aliases of a command, in order.
    pub(crate) fn aliases(&self, name: &str) -> Vec<&str> {
        let all = self.configured_aliases.iter().chain(&self.chat_aliases);
        let mut aliases: Vec<&str> =
            all.filter(|(_, target)| *target == name).map(|(alias, _)| alias.as_str()).collect();
        aliases.sort_unstable();
        aliases.dedup();
        aliases
    }

    /// The answers of a command as they were written.
    pub(crate) fn answers(&self, name: &str) -> &[String] {
        let entry = self.from_chat.get(name).or_else(|| self.configured.get(name));
        entry.map_or(&[], |entry| entry.answers.as_slice())
    }

    /// The names of all commands, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.configured.keys().chain(self.from_chat.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
