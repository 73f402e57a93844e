//! Answers messages and commands at once, from rules. Nothing here thinks: what no rule knows is passed on to
//! other plugins, such as the agent queue.
//!
//! `settings` reads the operator's tables, `matcher` finds the rule for a text, `reply` gives its answer,
//! `library` keeps the commands that moderators made in chat, and `manage` is the chat command for that.

#[cfg(test)]
mod fuzz;
mod library;
mod manage;
mod matcher;
mod reply;
mod settings;
#[cfg(test)]
mod tests;

use library::Library;
use matcher::Matcher;
use reply::{Given, Reply};
use settings::Settings;
use showrunner_sdk::prelude::*;

struct InstantReplies {
    manage: String,
    ignore_bots: bool,
    matcher: Matcher,
    /// In the order in which the matcher counts them.
    rules: Vec<Reply>,
    library: Library,
}

impl Plugin for InstantReplies {
    fn new() -> Result<Self, String> {
        let settings = Settings::load()?;
        let mut library = Library::new(settings.commands, settings.style);
        library.recall();
        Ok(Self {
            manage: settings.manage,
            ignore_bots: settings.ignore_bots,
            matcher: settings.matcher,
            rules: settings.rules,
            library,
        })
    }

    fn on_command(&mut self, envelope: &Envelope, message: &ChatMessage, command: &Command) -> Answer {
        if self.is_for_others(message) {
            return Ok(Passed);
        }
        if !self.manage.is_empty() && command.name == self.manage {
            return manage::run(&mut self.library, &self.manage, envelope, message, command);
        }
        let Some((name, reply)) = self.library.find(&command.name) else { return Ok(Passed) };
        if !message.author.has_any(reply.roles) {
            // It is our command, so nobody else should take it for a question.
            return Ok(Handled);
        }
        reply.give(envelope, message, &command.args, Some(&library::count_key(&name)))?;
        Ok(Handled)
    }

    fn on_chat(&mut self, envelope: &Envelope, message: &ChatMessage) -> Answer {
        // A command that nobody here knows is no small talk either.
        if self.is_for_others(message) || message.command.is_some() {
            return Ok(Passed);
        }
        for index in self.matcher.matches(&message.text) {
            let Some(rule) = self.rules.get_mut(index).filter(|rule| message.author.has_any(rule.roles)) else {
                continue;
            };
            let (Given::Answered | Given::Cooling) = rule.give(envelope, message, "", None)?;
            return Ok(Handled);
        }
        Ok(Passed)
    }
}

impl InstantReplies {
    /// A mirrored message belongs to the bot of the channel where it was written.
    const fn is_for_others(&self, message: &ChatMessage) -> bool {
        message.mirrored_from.is_some() || (self.ignore_bots && message.author.is_bot())
    }
}

showrunner_sdk::export!(InstantReplies);
