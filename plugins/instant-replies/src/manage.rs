//! `!cmd`: how moderators manage the commands in chat. Every use gets a clear answer, and what could not be
//! kept is said to be so.

use showrunner_sdk::commands::{first_word, prefix};
use showrunner_sdk::prelude::*;

use crate::library::{Library, Source, count_key, valid_name};

/// The longest answer that fits one line of chat on every platform.
const ANSWER_CHARACTERS: usize = 400;
/// How much of a list goes into one line.
const PAGE_CHARACTERS: usize = 350;

/// Carries a management command out, for those who may; others get no answer, so that it can't be used to make
/// the bot talk.
pub(crate) fn run(
    library: &mut Library,
    manage: &str,
    envelope: &Envelope,
    message: &ChatMessage,
    command: &Command,
) -> Answer {
    if !message.author.is_moderator() {
        return Ok(Handled);
    }
    let prefix = prefix(message);
    let request = Request { prefix, manage };
    let text = request.carry_out(library, &command.args).unwrap_or_else(|error| format!("That did not work: {error}."));
    // The change is made: an answer that can't be sent must not take it back.
    if let Err(error) = chat::reply(envelope, &text) {
        log::warn(format!("The answer to `{}` could not be sent: {error}.", message.text));
    }
    Ok(Handled)
}

/// How the moderator typed it, so that answers show the same.
struct Request<'a> {
    prefix: &'a str,
    manage: &'a str,
}

impl Request<'_> {
    fn carry_out(&self, library: &mut Library, arguments: &str) -> Result<String, String> {
        let (verb, rest) = first_word(arguments);
        let (name, text) = first_word(rest);
        match verb.to_lowercase().as_str() {
            "list" => Ok(self.list(library, name)),
            "add" => self.add(library, &self.name(name, "add")?, text),
            "edit" => self.edit(library, &self.name(name, "edit")?, text),
            "remove" | "delete" => self.remove(library, &self.name(name, "remove")?),
            "show" => self.show(library, &self.name(name, "show")?),
            "alias" => self.alias(library, &self.name(name, "alias")?, text),
            "unalias" => self.unalias(library, &self.name(name, "unalias")?),
            _ => Ok(format!("Please {}", self.usage(""))),
        }
    }

    fn usage(&self, verb: &str) -> String {
        let rest = match verb {
            "add" | "edit" => " <name> <answer>",
            "remove" | "show" | "unalias" => " <name>",
            "alias" => " <name> <other name>",
            _ => "add|edit|remove|list|show|alias|unalias",
        };
        format!("use {}{} {verb}{rest}", self.prefix, self.manage)
    }

    /// Reads a name, typed with the prefix or without.
    fn name(&self, typed: &str, verb: &str) -> Result<String, String> {
        let bare = typed.strip_prefix(self.prefix).unwrap_or(typed);
        if bare.is_empty() {
            return Err(self.usage(verb));
        }
        let name = valid_name(bare)?;
        if name == self.manage { Err(format!("{}{name} manages the commands", self.prefix)) } else { Ok(name) }
    }

    fn add(&self, library: &mut Library, name: &str, answer: &str) -> Result<String, String> {
        let (prefix, manage) = (self.prefix, self.manage);
        let before = library.source(name);
        if matches!(before, Some(Source::Chat | Source::Override)) {
            return Err(format!("{prefix}{name} is already there; use {prefix}{manage} edit {name} <answer>"));
        }
        library.put(name, self.answer(answer, "add")?)?;
        Ok(match before {
            Some(_) => format!("{prefix}{name} now goes before the one in the config."),
            None => format!("{prefix}{name} is there."),
        })
    }

    fn edit(&self, library: &mut Library, name: &str, answer: &str) -> Result<String, String> {
        let (prefix, manage) = (self.prefix, self.manage);
        let name = library
            .resolve(name)
            .ok_or_else(|| format!("there is no {prefix}{name}; use {prefix}{manage} add {name} <answer>"))?;
        let name = name.to_owned();
        let before = library.source(&name);
        library.put(&name, self.answer(answer, "edit")?)?;
        Ok(match before {
            Some(Source::Config) => format!("{prefix}{name} now goes before the one in the config."),
            _ => format!("{prefix}{name} is changed."),
        })
    }

    /// What a moderator wrote as an answer, if it can be one.
    fn answer<'t>(&self, text: &'t str, verb: &str) -> Result<&'t str, String> {
        let mut start = text.chars();
        if text.is_empty() {
            Err(self.usage(verb))
        } else if text.chars().count() > ANSWER_CHARACTERS {
            Err(format!("an answer has at most {ANSWER_CHARACTERS} characters"))
        } else if start.next().is_some_and(|first| matches!(first, '/' | '.'))
            && start.next().is_some_and(char::is_alphanumeric)
        {
            // Some platforms would carry it out with the bot's rights.
            Err("an answer can't begin with a command of the platform".to_owned())
        } else {
            Ok(text)
        }
    }

    fn remove(&self, library: &mut Library, name: &str) -> Result<String, String> {
        let prefix = self.prefix;
        match library.source(name) {
            Some(Source::Config) => {
                Err(format!("{prefix}{name} is from the config; it can be edited here, not removed"))
            }
            Some(Source::Override) => {
                library.remove(name)?;
                Ok(format!("{prefix}{name} is as in the config again."))
            }
            Some(Source::Chat) => {
                library.remove(name)?;
                Ok(format!("{prefix}{name} is gone."))
            }
            None if library.is_chat_alias(name) => self.unalias(library, name),
            None => Err(format!("there is no {prefix}{name}")),
        }
    }

    fn show(&self, library: &Library, name: &str) -> Result<String, String> {
        let prefix = self.prefix;
        let name = library.resolve(name).ok_or_else(|| format!("there is no {prefix}{name}"))?;
        let uses: i32 = kv::get(&count_key(name)).ok().flatten().unwrap_or(0);
        let source = match library.source(name) {
            Some(Source::Config) => "from the config",
            Some(Source::Override) => "made in chat, over the config",
            _ => "made in chat",
        };
        let aliases: String = library.aliases(name).iter().map(|alias| format!(", also {prefix}{alias}")).collect();
        let times = if uses == 1 { "once".to_owned() } else { format!("{uses} times") };
        Ok(format!("{prefix}{name} ({source}, used {times}{aliases}): {}", library.answers(name).join(" | ")))
    }

    fn alias(&self, library: &mut Library, name: &str, text: &str) -> Result<String, String> {
        let prefix = self.prefix;
        let alias = self.name(first_word(text).0, "alias")?;
        let name = library.resolve(name).ok_or_else(|| format!("there is no {prefix}{name}"))?.to_owned();
        if library.source(&alias).is_some() {
            return Err(format!("{prefix}{alias} is a command of its own"));
        }
        library.put_alias(&alias, &name)?;
        Ok(format!("{prefix}{alias} now does what {prefix}{name} does."))
    }

    fn unalias(&self, library: &mut Library, alias: &str) -> Result<String, String> {
        let prefix = self.prefix;
        if !library.is_chat_alias(alias) {
            return Err(format!("{prefix}{alias} is no alias that was made in chat"));
        }
        library.remove_alias(alias)?;
        Ok(format!("{prefix}{alias} is gone."))
    }

    fn list(&self, library: &Library, page: &str) -> String {
        let pages = pages(&library.names(), self.prefix);
        if pages.is_empty() {
            return format!("There is no command yet; {}", self.usage("add"));
        }
        let wanted = page.parse::<usize>().unwrap_or(1).clamp(1, pages.len());
        let names = pages.get(wanted - 1).map_or("", String::as_str);
        match pages.len() {
            1 => names.to_owned(),
            all => format!("{names} ({wanted} of {all}; {}{} list <page>)", self.prefix, self.manage),
        }
    }
}

/// The names in lines that fit the chat.
fn pages(names: &[&str], prefix: &str) -> Vec<String> {
    let mut pages: Vec<String> = Vec::new();
    for name in names {
        let length = prefix.chars().count() + name.chars().count() + 1;
        match pages.last_mut() {
            Some(page) if page.chars().count() + length <= PAGE_CHARACTERS => {
                page.push(' ');
                page.push_str(prefix);
                page.push_str(name);
            }
            _ => pages.push(format!("{prefix}{name}")),
        }
    }
    pages
}
