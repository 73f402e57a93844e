//! Makes events for tests: `event::chat("alice", "!hello").moderator()`.
//!
//! Everything that a test does not say is filled in: platform "test", channel "studio", a user id made from the
//! name ("id-alice"), a message id. A text that begins with `!` gets its command, as from the engine.

use std::time::Duration;

use crate::event::{
    AgentReply, ChatMessage, Command, Envelope, Event, Follow, Gift, Origin, Outcome, Raid, Raw, Redemption, Roles,
    Subscription, Support, System, Timer, User,
};

/// An event on its way into a [`Harness`](super::Harness), which gives it its id, number and time.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(super) envelope: Envelope,
    /// How long ago it happened.
    pub(super) age: Duration,
}

/// Somebody called `name`, without roles.
pub fn user(name: &str) -> User {
    User {
        id: format!("id-{}", name.to_lowercase()),
        login: name.to_lowercase(),
        display_name: name.to_owned(),
        roles: Roles::empty(),
        badges: Vec::new(),
        color: None,
    }
}

/// Any event.
pub fn any(event: Event) -> Draft {
    Draft {
        envelope: Envelope {
            id: String::new(),
            sequence: 0,
            at_ms: 0,
            origin: Origin::Live,
            platform: "test".to_owned(),
            channel: "studio".to_owned(),
            event,
            extra: None,
        },
        age: Duration::ZERO,
    }
}

/// A line of chat.
pub fn chat(name: &str, text: &str) -> Draft {
    any(Event::Chat(message(name, text)))
}

/// A private message to the bot.
pub fn whisper(name: &str, text: &str) -> Draft {
    any(Event::Whisper(message(name, text)))
}

/// A new follower.
pub fn follow(name: &str) -> Draft {
    any(Event::Follow(Follow { who: user(name) }))
}

/// A tip in US dollars: `tip("alice", 500, "for the coffee")` is 5.00 USD. An empty text is none.
pub fn tip(name: &str, cents: u32, text: &str) -> Draft {
    let draft = support(name, "tip", cents, 2, "USD");
    if text.is_empty() { draft } else { draft.saying(text) }
}

/// Any other kind of support: `support("alice", "bits", 100, 0, "bits")` is 100 bits. The amount is `minor_units` /
/// 10^`exponent`.
pub fn support(name: &str, kind: &str, minor_units: u32, exponent: i8, currency: &str) -> Draft {
    any(Event::Support(Support {
        kind: kind.to_owned(),
        who: Some(user(name)),
        minor_units,
        exponent,
        currency: currency.to_owned(),
        message: None,
        item: None,
    }))
}

/// A subscription of a tier "1000", new in the first month and renewed ("resub") in later ones.
pub fn subscription(name: &str, months: u32) -> Draft {
    any(Event::Subscription(Subscription {
        kind: if months > 1 { "resub" } else { "new" }.to_owned(),
        who: user(name),
        tier: "1000".to_owned(),
        months,
        streak_months: None,
        message: None,
    }))
}

/// The receiving end of a gift of a subscription: what [`gift`] is followed by, once for each recipient.
pub fn gifted(name: &str) -> Draft {
    let mut draft = subscription(name, 1);
    if let Event::Subscription(subscription) = &mut draft.envelope.event {
        "gifted".clone_into(&mut subscription.kind);
    }
    draft
}

/// Gifts of subscriptions, to people whose names are not known; [`Draft::recipients`] names them.
pub fn gift(name: &str, count: u32) -> Draft {
    let giver = Some(user(name));
    any(Event::Gift(Gift { giver, recipients: Vec::new(), count, tier: "1000".to_owned(), total: None }))
}

/// Another channel arrives, with so many viewers.
pub fn raid(name: &str, viewers: u32) -> Draft {
    any(Event::Raid(Raid { source: user(name), viewers }))
}

/// A reward of this title, bought with channel points, and what they typed with it; an empty text is none.
pub fn redemption(name: &str, title: &str, input: &str) -> Draft {
    any(Event::Redemption(Redemption {
        id: format!("redemption-{title}"),
        reward_id: format!("reward-{title}"),
        title: title.to_owned(),
        cost: 100,
        who: user(name),
        input: (!input.is_empty()).then(|| input.to_owned()),
        status: "unfulfilled".to_owned(),
    }))
}

/// The agent's answer to a task, by the id that [`agent::enqueue`](crate::agent::enqueue) returned; or with `ok` false,
/// why there is none.
pub fn agent_reply(task_id: &str, ok: bool, text: &str) -> Draft {
    any(Event::Agent(AgentReply { task_id: task_id.to_owned(), ok, text: text.to_owned() })).of_the_engine()
}

/// A timer ran out. [`Harness::advance`](super::Harness::advance) does it for timers that were started.
pub fn timer(name: &str) -> Draft {
    any(Event::Timer(Timer { name: name.to_owned() })).of_the_engine()
}

/// News of the host, such as `system("started", "1.0.0")`.
pub fn system(kind: &str, detail: &str) -> Draft {
    any(Event::System(System { kind: kind.to_owned(), detail: detail.to_owned() })).of_the_engine()
}

/// What became of an effect of the plugin: the id of the event that it was asked for in, the effect's number, and
/// "done", "failed", "expired", "unsupported" or "uncertain".
pub fn outcome(event_id: &str, effect: u32, status: &str) -> Draft {
    let (event_id, status) = (event_id.to_owned(), status.to_owned());
    any(Event::Outcome(Outcome { event_id, effect, status, message_id: None, detail: String::new() }))
}

/// A platform's own payload, of the platform "test" unless [`Draft::at`] names another:
/// `raw("channel.poll.begin", "{}")`.
pub fn raw(kind: &str, json: &str) -> Draft {
    any(Event::Raw(Raw { kind: kind.to_owned(), json: json.to_owned() }))
}

fn message(name: &str, text: &str) -> ChatMessage {
    let command = text.trim_start().strip_prefix('!').and_then(|rest| {
        let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        (!name.is_empty()).then(|| Command { name: name.to_lowercase(), args: args.trim().to_owned() })
    });
    ChatMessage {
        id: String::new(),
        author: user(name),
        text: text.to_owned(),
        spans: Vec::new(),
        reply_to: None,
        command,
        mirrored_from: None,
    }
}

impl Draft {
    /// On another platform and channel.
    #[must_use]
    pub fn at(mut self, platform: &str, channel: &str) -> Self {
        platform.clone_into(&mut self.envelope.platform);
        channel.clone_into(&mut self.envelope.channel);
        self
    }

    /// Events of the engine itself belong to no channel.
    fn of_the_engine(self) -> Self {
        self.at("engine", "")
    }

    /// With this id, so that a test can name it, or repeat it.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.envelope.id);
        self
    }

    /// With this message id.
    #[must_use]
    pub fn message_id(self, id: &str) -> Self {
        self.message(|message| id.clone_into(&mut message.id))
    }

    /// By somebody with these roles.
    #[must_use]
    pub fn roles(self, roles: Roles) -> Self {
        self.person(|user| user.roles |= roles)
    }

    /// By a moderator.
    #[must_use]
    pub fn moderator(self) -> Self {
        self.roles(Roles::MODERATOR)
    }

    /// By the broadcaster.
    #[must_use]
    pub fn broadcaster(self) -> Self {
        self.roles(Roles::BROADCASTER)
    }

    /// As an answer to another message.
    #[must_use]
    pub fn replying_to(self, message_id: &str) -> Self {
        self.message(|message| message.reply_to = Some(message_id.to_owned()))
    }

    /// Mirrored from another channel.
    #[must_use]
    pub fn mirrored_from(self, channel: &str) -> Self {
        self.message(|message| message.mirrored_from = Some(channel.to_owned()))
    }

    /// From a `simulate`, or a replay.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.envelope.origin = origin;
        self
    }

    /// With `extra`, a JSON object.
    #[must_use]
    pub fn extra(mut self, json: &str) -> Self {
        self.envelope.extra = Some(json.to_owned());
        self
    }

    /// That happened some time ago, and is told only now.
    #[must_use]
    pub const fn ago(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// By a giver or supporter who stays anonymous.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        match &mut self.envelope.event {
            Event::Gift(gift) => gift.giver = None,
            Event::Support(support) => support.who = None,
            _ => {}
        }
        self
    }

    /// A gift to these people.
    #[must_use]
    pub fn recipients<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        if let Event::Gift(gift) = &mut self.envelope.event {
            gift.recipients = names.iter().map(|name| user(name.as_ref())).collect();
        }
        self
    }

    /// A subscription or a gift of this tier.
    #[must_use]
    pub fn tier(mut self, tier: &str) -> Self {
        match &mut self.envelope.event {
            Event::Subscription(Subscription { tier: own, .. }) | Event::Gift(Gift { tier: own, .. }) => {
                tier.clone_into(own);
            }
            _ => {}
        }
        self
    }

    /// Support or a subscription with these words.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        match &mut self.envelope.event {
            Event::Support(Support { message, .. }) | Event::Subscription(Subscription { message, .. }) => {
                *message = Some(text.to_owned());
            }
            _ => {}
        }
        self
    }

    /// With a change that no other function here makes.
    #[must_use]
    pub fn changed(mut self, change: impl FnOnce(&mut Event)) -> Self {
        change(&mut self.envelope.event);
        self
    }

    fn message(mut self, change: impl FnOnce(&mut ChatMessage)) -> Self {
        if let Event::Chat(message) | Event::Whisper(message) = &mut self.envelope.event {
            change(message);
        }
        self
    }

    fn person(mut self, change: impl FnOnce(&mut User)) -> Self {
        match &mut self.envelope.event {
            Event::Chat(message) | Event::Whisper(message) => change(&mut message.author),
            Event::Presence(presence) => change(&mut presence.who),
            Event::Follow(follow) => change(&mut follow.who),
            Event::Subscription(subscription) => change(&mut subscription.who),
            Event::Raid(raid) => change(&mut raid.source),
            Event::Redemption(redemption) => change(&mut redemption.who),
            Event::Gift(Gift { giver: Some(user), .. }) | Event::Support(Support { who: Some(user), .. }) => {
                change(user);
            }
            _ => {}
        }
        self
    }
}
