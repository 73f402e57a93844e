//! One rule's or command's answer: which text, to whom, how often.

use std::borrow::Cow;

use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::prelude::*;
use showrunner_sdk::template::Template;
use showrunner_sdk::{commands, random};

/// What a rule's template may use.
pub(crate) const RULE_NAMES: &[&str] = &["user", "login", "platform", "count"];
/// What a command's template may use: `{1}` is the first argument, `{target}` the person it names, or the one
/// who asks.
pub(crate) const COMMAND_NAMES: &[&str] =
    &["user", "login", "platform", "count", "args", "target", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Which of several answers is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pick {
    #[default]
    Random,
    Rotate,
}

/// How an answer reaches the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AnswerAs {
    Say,
    Reply,
}

/// What came of asking for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Answered,
    /// It was given too lately.
    Cooling,
}

pub(crate) struct Reply {
    /// Which rule or command it is, for the log: why something was said.
    pub(crate) name: String,
    pub(crate) answers: Vec<Template>,
    pub(crate) pick: Pick,
    pub(crate) answer_as: AnswerAs,
    pub(crate) roles: Roles,
    pub(crate) cooldown: Cooldown,
    /// How many answers a rotation has given.
    pub(crate) turn: usize,
    /// Where the uses of a rule that shows them are counted.
    pub(crate) count_key: Option<String>,
}

impl Reply {
    /// Gives the answer, and counts it where `count_key` says, or where the rule itself asks for it.
    pub(crate) fn give(
        &mut self,
        envelope: &Envelope,
        message: &ChatMessage,
        arguments: &str,
        count_key: Option<&str>,
    ) -> Result<Given, String> {
        if !self.cooldown.try_start(&envelope.platform, &message.author.id) {
            log::debug(format!("{} rests", self.name));
            return Ok(Given::Cooling);
        }
        log::debug(&self.name);
        let count = count_key.or(self.count_key.as_deref()).map_or(0, count);
        let words = commands::split(arguments);
        let author = &message.author;
        let value = |name: &str| -> Option<Cow<'_, str>> {
            Some(match name {
                "user" => Cow::Borrowed(author.shown_name()),
                "login" => Cow::Borrowed(author.login.as_str()),
                "platform" => Cow::Borrowed(envelope.platform.as_str()),
                "count" => Cow::Owned(count.to_string()),
                "args" => Cow::Borrowed(arguments),
                "target" => {
                    let named = words.first().map(|word| commands::mention(word)).filter(|name| !name.is_empty());
                    named.map_or(Cow::Borrowed(author.shown_name()), |name| Cow::Owned(name.to_owned()))
                }
                number => {
                    let word = number.parse::<usize>().ok().and_then(|number| words.get(number.checked_sub(1)?))?;
                    Cow::Owned(word.clone())
                }
            })
        };
        let Some(template) = self.choose() else { return Ok(Given::Answered) };
        let text = template.render(value);
        // A command that repeats its arguments has nothing to say without them.
        if !text.trim().is_empty() {
            match self.answer_as {
                AnswerAs::Say => chat::say(envelope, &text)?,
                AnswerAs::Reply => chat::reply(envelope, &text)?,
            };
        }
        Ok(Given::Answered)
    }

    fn choose(&mut self) -> Option<&Template> {
        match self.pick {
            Pick::Random => random::pick(&self.answers),
            Pick::Rotate => {
                let index = self.turn.checked_rem(self.answers.len())?;
                self.turn = index + 1;
                self.answers.get(index)
            }
        }
    }
}

/// Counts a use. An answer matters more than its number, so a full memory only stops the counting.
fn count(key: &str) -> i32 {
    kv::increment(key, 1).unwrap_or_else(|error| {
        log::warn(format!("A use could not be counted: {error}."));
        kv::get(key).ok().flatten().unwrap_or(0)
    })
}
