//! Keeps spam out of chat: judges each line before anybody sees it, escalates with strikes that are forgiven in time,
//! and can say why.
//!
//! The review gives verdicts and counts; what is said and done in chat happens in the handlers. `settings` reads the
//! operator's table, the crate `moderation-rules` judges the text, `judge` puts that together with what the channel
//! remembers (`speakers`, `waves`, `people`, `newcomers`) into a verdict, `kept` is how the last two outlive a restart,
//! `words` is what is said about it, and `commands` is what moderators type. What is simulated or replayed has a memory
//! of its own and never counts.

mod channels;
mod commands;
#[cfg(test)]
mod fuzz;
mod judge;
mod kept;
mod newcomers;
mod people;
mod reason;
mod settings;
mod speakers;
mod steps;
#[cfg(test)]
mod tests;
mod waves;
mod words;

use channels::Channels;
use settings::Settings;
use showrunner_sdk::event::Moderation as ModerationEvent;
use showrunner_sdk::prelude::*;
use words::Words;

struct Moderation {
    settings: Settings,
    channels: Channels,
    words: Words,
}

impl Plugin for Moderation {
    fn new() -> Result<Self, String> {
        let settings = Settings::load()?;
        let words = Words::new(settings.tell_cooldown);
        Ok(Self { settings, channels: Channels::recall(), words })
    }

    fn on_command(&mut self, envelope: &Envelope, message: &ChatMessage, command: &Command) -> Answer {
        // A mirrored message belongs to the bot of the channel where it was written.
        if message.mirrored_from.is_some() || !message.author.is_moderator() {
            return Ok(Passed);
        }
        let Some(order) = self.settings.commands.order(&command.name) else { return Ok(Passed) };
        let channel = self.channels.at(envelope);
        commands::run(order, &self.settings, channel, envelope, message, &command.args)
    }

    fn on_moderation(&mut self, envelope: &Envelope, moderation: &ModerationEvent) -> Answer {
        self.words.say(envelope, moderation, &mut self.channels.at(envelope).newcomers);
        Ok(Passed)
    }
}

impl Reviewer for Moderation {
    fn review(&mut self, envelope: &Envelope) -> Verdict {
        let Event::Chat(message) = &envelope.event else { return Verdict::Pass };
        let channel = self.channels.at(envelope);
        let ruling = judge::judge(&self.settings, channel, envelope, message);
        if let Some(word) = ruling.word {
            self.words.prepare(envelope, message, word, &ruling.verdict);
        }
        ruling.verdict
    }
}

showrunner_sdk::export!(Moderation: reviewer);
