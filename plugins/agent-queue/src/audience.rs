//! Decides what is meant for the agent.

use serde::Deserialize;
use showrunner_sdk::commands;
use showrunner_sdk::prelude::*;

/// How much of the chat the agent gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    All,
    Addressed,
}

/// Which tips become tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tips {
    WithText,
    All,
    None,
}

pub(crate) struct Audience {
    pub(crate) mode: Mode,
    pub(crate) names: Vec<String>,
    pub(crate) anywhere: bool,
    pub(crate) skip_others: bool,
    pub(crate) tips: Tips,
}

impl Audience {
    pub(crate) fn is_for_agent(&self, message: &ChatMessage) -> bool {
        let text = message.text.trim();
        // A mirrored message belongs to the bot of the channel where it was written, a command to the plugin
        // that knows it, and bots that answer bots never stop.
        if text.is_empty() || message.command.is_some() || message.mirrored_from.is_some() || message.author.is_bot() {
            return false;
        }
        let addressed = commands::addressed(text, &self.names).is_some()
            || (self.anywhere && commands::mentions(text, &self.names));
        match self.mode {
            Mode::Addressed => addressed,
            Mode::All => addressed || !(self.skip_others && is_for_somebody(text)),
        }
    }

    pub(crate) const fn takes_tip(&self, text: &str) -> bool {
        match self.tips {
            Tips::WithText => !text.is_empty(),
            Tips::All => true,
            Tips::None => false,
        }
    }
}

/// Whether a message begins with an @ and a name.
fn is_for_somebody(text: &str) -> bool {
    text.strip_prefix('@').is_some_and(|rest| rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}
