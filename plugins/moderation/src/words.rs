//! What is said in chat about a verdict, once the engine tells that it holds. A review itself can say nothing.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::event::Moderation;
use showrunner_sdk::prelude::*;
use showrunner_sdk::template::Template;

use crate::judge::subject;
use crate::newcomers::Newcomers;

/// Verdicts that the engine has not told of yet; it does so within milliseconds.
const PREPARED: usize = 64;

/// A text for the chat.
pub(crate) struct Word {
    text: String,
    /// The id of the newcomer that it tells of.
    announces: Option<String>,
}

impl Word {
    pub(crate) fn new(template: &Template, user: &str, login: &str) -> Self {
        let value = |name: &str| Some(Cow::Borrowed(if name == "login" { login } else { user }));
        Self { text: template.render(value), announces: None }
    }

    /// Tells moderators that somebody waits.
    pub(crate) fn announcing(self, user_id: &str) -> Self {
        Self { announces: Some(user_id.to_owned()), ..self }
    }
}

pub(crate) struct Words {
    prepared: VecDeque<Prepared>,
    cooldown: Cooldown,
}

struct Prepared {
    subject: String,
    reason: String,
    word: Word,
}

impl Words {
    pub(crate) fn new(cooldown: Duration) -> Self {
        Self { prepared: VecDeque::new(), cooldown: Cooldown::new(cooldown, Duration::ZERO) }
    }

    /// Holds a word ready until the verdict is told of.
    pub(crate) fn prepare(&mut self, envelope: &Envelope, message: &ChatMessage, word: Word, verdict: &Verdict) {
        let (Verdict::Hold(reason) | Verdict::Remove(reason)) = verdict else { return };
        if self.prepared.len() >= PREPARED {
            self.prepared.pop_front();
        }
        let (subject, reason) = (subject(envelope, message).to_owned(), reason.clone());
        self.prepared.push_back(Prepared { subject, reason, word });
    }

    /// Says what was prepared for this verdict. Another reviewer may have been stricter; then its reason is another.
    pub(crate) fn say(&mut self, envelope: &Envelope, moderation: &Moderation, newcomers: &mut Newcomers) {
        let Some(subject) = &moderation.message_id else { return };
        let Some(index) = self.prepared.iter().position(|prepared| prepared.subject == *subject) else { return };
        let Some(prepared) = self.prepared.remove(index) else { return };
        let is_ours = moderation.reason.as_deref() == Some(prepared.reason.as_str());
        let Word { text, announces } = prepared.word;
        // Another line of theirs may have been told of since.
        let is_needed = announces.as_ref().is_none_or(|user_id| newcomers.is_unannounced(user_id));
        // A raid must not make the bot the loudest of all.
        if !is_ours || !is_needed || !self.cooldown.try_start("", "") {
            return;
        }
        match chat::say(envelope, &text) {
            Ok(_) => announces.iter().for_each(|user_id| newcomers.announce(user_id)),
            Err(error) => log::warn(format!("A word about a verdict could not be said: {error}.")),
        }
    }
}
