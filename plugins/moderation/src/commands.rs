//! What moderators type: `!permit`, `!release`, `!ban`, `!forgive`, `!why`. Names are looked up among those who spoke
//! here; what is done is done to their user ids.

use serde::Deserialize;
use showrunner_sdk::commands::{first_word, mention};
use showrunner_sdk::prelude::*;
use showrunner_sdk::{moderation, viewers};

use crate::channels::Channel;
use crate::people::{Forgiving, Told};
use crate::reason::cut;
use crate::settings::Settings;
use crate::speakers::Who;

/// The longest answer that fits one line of chat on every platform.
const ANSWER_CHARACTERS: usize = 400;
/// Longer permits are a matter of roles.
const PERMIT_SECONDS: u32 = 24 * 60 * 60;

/// The names of the commands; an empty one is off.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Orders {
    permit: String,
    release: String,
    ban: String,
    forgive: String,
    why: String,
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Permit,
    Release,
    Ban,
    Forgive,
    Why,
}

impl Orders {
    /// In the form in which commands arrive, each once.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        let names = [&mut self.permit, &mut self.release, &mut self.ban, &mut self.forgive, &mut self.why];
        let mut seen = Vec::new();
        for name in names {
            *name = name.trim().to_lowercase();
            if name.contains(char::is_whitespace) {
                return Err(format!("commands: `{name}` is more than one word"));
            }
            if !name.is_empty() && seen.contains(name) {
                return Err(format!("commands: `{name}` is there twice"));
            }
            seen.push(name.clone());
        }
        Ok(self)
    }

    pub(crate) fn order(&self, name: &str) -> Option<Order> {
        let orders = [
            (&self.permit, Order::Permit),
            (&self.release, Order::Release),
            (&self.ban, Order::Ban),
            (&self.forgive, Order::Forgive),
            (&self.why, Order::Why),
        ];
        orders.into_iter().find(|(known, _)| !known.is_empty() && *known == name).map(|(_, order)| order)
    }
}

/// Carries a command out and answers it.
pub(crate) fn run(
    order: Order,
    settings: &Settings,
    channel: &mut Channel,
    envelope: &Envelope,
    message: &ChatMessage,
    arguments: &str,
) -> Answer {
    let mut run = Run { settings, channel, envelope, message };
    let text = run.carry_out(order, arguments).unwrap_or_else(|error| format!("That did not work: {error}."));
    // It is done: an answer that can't be sent must not take it back.
    if let Err(error) = chat::reply(envelope, cut(&text, ANSWER_CHARACTERS)) {
        log::warn(format!("The answer to `{}` could not be sent: {error}.", message.text));
    }
    Ok(Handled)
}

struct Run<'r> {
    settings: &'r Settings,
    channel: &'r mut Channel,
    envelope: &'r Envelope,
    message: &'r ChatMessage,
}

impl Run<'_> {
    fn carry_out(&mut self, order: Order, arguments: &str) -> Result<String, String> {
        let (name, rest) = first_word(arguments);
        if name.is_empty() && order == Order::Release {
            return Ok(self.waiting());
        }
        let who = self.who(mention(name))?;
        match order {
            Order::Permit => self.permit(&who, rest),
            Order::Release => self.release(&who),
            Order::Ban => self.ban(&who),
            Order::Forgive => self.forgive(&who),
            Order::Why => Ok(self.why(&who)),
        }
    }

    /// Whom a name means. Who spoke here goes first; what the engine knows of others is of all its channels.
    fn who(&self, name: &str) -> Result<Who, String> {
        if name.is_empty() {
            return Err("name somebody, such as @somebody".to_owned());
        }
        let spoke = self.channel.speakers.named(name);
        if let [_, _, ..] = spoke.as_slice() {
            let logins: Vec<&str> = spoke.iter().map(|who| who.login.as_str()).collect();
            return Err(format!("several people are called {name}; they are {}", logins.join(", ")));
        }
        let kept = || self.channel.newcomers.named(name).or_else(|| self.channel.people.named(name));
        let known = || {
            let viewer = viewers::find(&self.envelope.platform, name).filter(|_| self.channel.is_live())?;
            Some(Who::from(&viewer.user))
        };
        let who = spoke.into_iter().next().or_else(kept).or_else(known);
        who.ok_or_else(|| format!("nobody called {name} was here"))
    }

    fn permit(&mut self, who: &Who, seconds: &str) -> Result<String, String> {
        let seconds = match seconds.trim_end_matches('s') {
            "" => self.settings.permit_seconds,
            number => number.parse().map_err(|_| format!("`{number}` is no number of seconds"))?,
        };
        let seconds = seconds.min(PERMIT_SECONDS);
        let now_ms = self.envelope.at_ms;
        self.channel.speakers.permit(&who.id, now_ms, now_ms.saturating_add(u64::from(seconds) * 1_000));
        Ok(format!("{} may post links for {seconds} s.", who.shown()))
    }

    fn release(&mut self, who: &Who) -> Result<String, String> {
        let messages = self.channel.newcomers.let_in(who, self.envelope.at_ms);
        for message_id in &messages {
            moderation::resolve_held(self.envelope, message_id, true)?;
        }
        Ok(match messages.len() {
            // Perhaps because they were banned, which this does not end.
            0 => format!("{} is no newcomer any more{}.", who.shown(), self.lifting()),
            1 => format!("{} may write; one message is let through.", who.shown()),
            number => format!("{} may write; {number} messages are let through.", who.shown()),
        })
    }

    /// How a ban or timeout ends, where moderators can end it in chat.
    fn lifting(&self) -> String {
        match self.settings.commands.forgive.as_str() {
            "" => String::new(),
            forgive => format!("; a ban or timeout is lifted by !{forgive}"),
        }
    }

    fn waiting(&self) -> String {
        let waiting = self.channel.newcomers.waiting();
        let waiting: Vec<String> =
            waiting.into_iter().map(|(login, messages)| format!("{login} ({})", counted(messages))).collect();
        if waiting.is_empty() { "Nobody waits.".to_owned() } else { format!("These wait: {}.", waiting.join(", ")) }
    }

    fn ban(&mut self, who: &Who) -> Result<String, String> {
        if who.roles.intersects(Roles::MODERATOR | Roles::BROADCASTER) || who.id == self.message.author.id {
            return Err(format!("{} is a moderator here", who.shown()));
        }
        let reason = format!("banned by {}", self.message.author.shown_name());
        moderation::suspend(self.envelope, &who.id, None, &reason)?;
        for message_id in self.channel.newcomers.forget(&who.id) {
            moderation::resolve_held(self.envelope, &message_id, false)?;
        }
        self.channel.people.note(who, Told { at_ms: self.envelope.at_ms, reason, gives_way: false });
        Ok(format!("{} is banned.", who.shown()))
    }

    fn forgive(&mut self, who: &Who) -> Result<String, String> {
        moderation::lift(self.envelope, &who.id)?;
        Ok(if self.channel.people.forgive(&who.id) {
            format!("{} may write again; their strikes are forgotten.", who.shown())
        } else {
            format!("{} may write again; there were no strikes.", who.shown())
        })
    }

    fn why(&self, who: &Who) -> String {
        let now_ms = self.envelope.at_ms;
        let forgiving = Forgiving { strike_ms: self.settings.strike_ms, grace_ms: self.settings.grace_ms };
        let (strikes, person) = self.channel.people.of(&who.id, forgiving, now_ms).unzip();
        let waits = self.channel.newcomers.waits_with(&who.id);
        let strikes = strikes.map(|strikes| match strikes {
            0 => "has no strikes now".to_owned(),
            1 => "has 1 strike now".to_owned(),
            number => format!("has {number} strikes now"),
        });
        let waiting = waits.map(|(messages, _)| format!("waits with {}", counted(messages)));
        let standing: Vec<String> = strikes.into_iter().chain(waiting).collect();
        if standing.is_empty() {
            return format!("There is nothing against {}.", who.shown());
        }
        let held = waits.and_then(|(_, last)| last);
        let verdicts = held.into_iter().chain(person.into_iter().flat_map(|person| &person.verdicts));
        let verdicts = verdicts.map(|told| format!("{}: {}", ago(told.at_ms, now_ms), told.reason));
        let verdicts = verdicts.collect::<Vec<_>>().join(" | ");
        format!("{} {}. {verdicts}", who.shown(), standing.join(" and ")).trim_end().to_owned()
    }
}

fn counted(messages: usize) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}

fn ago(at_ms: u64, now_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(at_ms) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

impl Who {
    fn shown(&self) -> &str {
        if self.name.is_empty() { &self.login } else { &self.name }
    }
}

impl From<&User> for Who {
    fn from(user: &User) -> Self {
        let User { id, login, display_name, roles, badges: _, color: _ } = user.clone();
        Self { id, login, name: display_name, roles }
    }
}
