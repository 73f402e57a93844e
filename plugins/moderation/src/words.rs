//! What is said in chat about a verdict, once the engine tells that it holds. A review itself can say nothing.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::event::Moderation;
use showrunner_sdk::prelude::*;
use showrunner_sdk::template::Template;

use crate::judge::subject;

/// Verdicts that the engine has not told of yet; it does so within milliseconds.
const PREPARED: usize = 64;

/// A text for the chat.
pub(crate) struct Word(String);

impl Word {
    pub(crate) fn new(template: &Template, user: &str, login: &str) -> Self {
        let value = |name: &str| Some(Cow::Borrowed(if name == "login" { login } else { user }));
        Self(template.render(value))
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
    pub(crate) fn say(&mut self, envelope: &Envelope, moderation: &Moderation) {
        let Some(subject) = &moderation.message_id else { return };
        let Some(index) = self.prepared.iter().position(|prepared| prepared.subject == *subject) else { return };
        let Some(prepared) = self.prepared.remove(index) else { return };
        let is_ours = moderation.reason.as_deref() == Some(prepared.reason.as_str());
        // A raid must not make the bot the loudest of all.
        if !is_ours || !self.cooldown.try_start("", "") {
            return;
        }
        let Word(text) = prepared.word;
        if let Err(error) = chat::say(envelope, &text) {
            log::warn(&format!("A word about a verdict could not be said: {error}."));
        }
    }
}

/// Not every platform has a name to show.
pub(crate) fn shown_name(user: &User) -> &str {
    if user.display_name.is_empty() { &user.login } else { &user.display_name }
}
