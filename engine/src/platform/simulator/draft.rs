//! From what a person describes in a few words to an event, with errors that say what is missing.

use serde::{Deserialize, Serialize};

use super::PLATFORM;
use crate::event::{
    Amount, Broadcast, Channel, ChatMessage, Draft, Event, Follow, Gift, Origin, Presence, Raid, Raw, Redemption,
    Roles, Subscription, Support, User, now_ms,
};

/// Who it was when nobody is named.
const SOMEBODY: &str = "viewer";
/// A giver or supporter of this name has none.
const ANONYMOUS: &str = "anonymous";

/// An event in the words of `showrunner simulate` and of scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    /// One of [`KINDS`], or "raw:" and the kind of a raw event.
    pub kind: String,
    pub user: Option<String>,
    /// "broadcaster", "moderator", "vip" or "subscriber".
    pub role: Option<String>,
    pub text: Option<String>,
    /// A number, and after a space the currency: "5", "5.00 EUR".
    pub amount: Option<String>,
    pub months: Option<u32>,
    pub count: Option<u32>,
    /// Else the simulator's own channel.
    pub channel: Option<String>,
}

/// Why there is no such event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    #[error("there is no \"{0}\" to simulate; there are {known}", known = known_kinds())]
    UnknownKind(String),
    #[error("{kind} needs --{argument}: {hint}")]
    Missing { kind: String, argument: &'static str, hint: &'static str },
    #[error("{kind} has no --{argument}; it takes {takes}")]
    Superfluous { kind: String, argument: &'static str, takes: String },
    #[error("--{argument} \"{value}\" is of no use: {hint}")]
    Wrong { argument: &'static str, value: String, hint: &'static str },
    #[error("the simulator has more events waiting than it can take; try again more slowly")]
    Busy,
    #[error("the simulator is not running; switch it on in the config")]
    Closed,
}

/// A kind and the arguments that mean something to it, besides `user`, `role` and `channel`.
struct Kind {
    name: &'static str,
    takes: &'static [&'static str],
}

const fn kind(name: &'static str, takes: &'static [&'static str]) -> Kind {
    Kind { name, takes }
}

/// Everything that can be simulated.
const KINDS: [Kind; 16] = [
    kind("chat", &["text"]),
    kind("tip", &["amount", "text"]),
    kind("cheer", &["amount", "text"]),
    kind("bits", &["amount", "text"]),
    kind("follow", &[]),
    kind("sub", &["months", "text"]),
    kind("resub", &["months", "text"]),
    kind("gift", &["count", "text"]),
    kind("raid", &["count"]),
    kind("dropin", &[]),
    kind("presence", &["text"]),
    kind("redemption", &["text", "amount"]),
    kind("online", &["text"]),
    kind("offline", &[]),
    kind("viewers", &["count"]),
    kind("raw", &["text"]),
];

fn known_kinds() -> String {
    KINDS.map(|kind| kind.name).join(", ")
}

/// Makes the event. `channel` is where it happens unless it says so itself.
pub fn draft(simulated: &Simulated, channel: &str) -> Result<Draft, SimulationError> {
    let (name, detail) = simulated.kind.split_once(':').unwrap_or((&simulated.kind, ""));
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == name && (detail.is_empty() || name == "raw"))
        .ok_or_else(|| SimulationError::UnknownKind(simulated.kind.clone()))?;
    refuse_superfluous(simulated, kind)?;
    let event = event(simulated, kind.name, detail)?;
    let channel = Channel::new(PLATFORM, simulated.channel.as_deref().unwrap_or(channel));
    Ok(Draft { origin: Origin::Test, ..Draft::new(channel, now_ms(), event) })
}

fn refuse_superfluous(simulated: &Simulated, kind: &Kind) -> Result<(), SimulationError> {
    let given = [
        ("text", simulated.text.is_some()),
        ("amount", simulated.amount.is_some()),
        ("months", simulated.months.is_some()),
        ("count", simulated.count.is_some()),
    ];
    match given.iter().find(|(argument, is_given)| *is_given && !kind.takes.contains(argument)) {
        None => Ok(()),
        Some((argument, _)) => {
            let takes: Vec<String> =
                ["user", "role", "channel"].iter().chain(kind.takes).map(|argument| format!("--{argument}")).collect();
            Err(SimulationError::Superfluous { kind: kind.name.to_owned(), argument, takes: takes.join(", ") })
        }
    }
}

fn event(simulated: &Simulated, kind: &str, detail: &str) -> Result<Event, SimulationError> {
    let who = user(simulated)?;
    let text = simulated.text.clone();
    Ok(match kind {
        "chat" => Event::Chat(ChatMessage {
            id: uuid::Uuid::new_v4().to_string(),
            author: who,
            text: required(text, kind, "text", "what is written, such as --text \"gm\"")?,
            ..ChatMessage::default()
        }),
        "tip" => support(simulated, "tip", "USD", who)?,
        "cheer" | "bits" => support(simulated, "bits", "bits", who)?,
        "follow" => Event::Follow(Follow { who }),
        "sub" => Event::Subscription(subscription("new", who, simulated.months.unwrap_or(1), text)),
        "resub" => {
            let months = required(simulated.months, kind, "months", "for how long by now, such as --months 7")?;
            Event::Subscription(subscription("resub", who, months, text))
        }
        "gift" => Event::Gift(gift(simulated, who)?),
        "raid" => {
            let viewers = required(simulated.count, kind, "count", "how many arrive, such as --count 120")?;
            Event::Raid(Raid { source: who, viewers })
        }
        "dropin" => Event::Presence(Presence { kind: "join".to_owned(), who }),
        "presence" => Event::Presence(Presence { kind: presence(text)?, who }),
        "redemption" => Event::Redemption(redemption(simulated, who)?),
        "online" | "offline" => {
            Event::Broadcast(Broadcast { kind: kind.to_owned(), title: text, ..Broadcast::default() })
        }
        "viewers" => {
            let count = required(simulated.count, kind, "count", "how many watch, such as --count 250")?;
            Event::Broadcast(Broadcast { kind: kind.to_owned(), count: Some(count), ..Broadcast::default() })
        }
        "raw" => Event::Raw(raw(simulated, detail)?),
        other => return Err(SimulationError::UnknownKind(other.to_owned())),
    })
}

fn required<T>(value: Option<T>, kind: &str, argument: &'static str, hint: &'static str) -> Result<T, SimulationError> {
    value.ok_or_else(|| SimulationError::Missing { kind: kind.to_owned(), argument, hint })
}

/// Somebody of this name, without roles.
fn person(name: &str) -> Result<User, SimulationError> {
    let shown = name.trim().trim_start_matches('@');
    if shown.is_empty() {
        let hint = "a name, such as --user alice";
        return Err(SimulationError::Wrong { argument: "user", value: shown.to_owned(), hint });
    }
    let login = shown.to_lowercase();
    Ok(User { id: format!("simulated:{login}"), login, display_name: shown.to_owned(), ..User::default() })
}

fn user(simulated: &Simulated) -> Result<User, SimulationError> {
    let mut roles = Roles::default();
    match simulated.role.as_deref() {
        None => {}
        Some("broadcaster") => roles.broadcaster = true,
        Some("moderator") => roles.moderator = true,
        Some("vip") => roles.vip = true,
        Some("subscriber") => roles.subscriber = true,
        Some(other) => {
            let hint = "it is one of broadcaster, moderator, vip and subscriber";
            return Err(SimulationError::Wrong { argument: "role", value: other.to_owned(), hint });
        }
    }
    Ok(User { roles, ..person(simulated.user.as_deref().unwrap_or(SOMEBODY))? })
}

fn known(who: User) -> Option<User> {
    Some(who).filter(|who| who.login != ANONYMOUS)
}

fn amount<'text>(
    simulated: &'text Simulated,
    kind: &str,
    currency: &'text str,
) -> Result<(Amount, &'text str), SimulationError> {
    let hint = "a number above 0, and a currency if you like, such as --amount \"5.00 EUR\"";
    let given = required(simulated.amount.as_deref(), kind, "amount", hint)?;
    let (number, currency) = given.trim().split_once(' ').unwrap_or((given, currency));
    let wrong = || SimulationError::Wrong { argument: "amount", value: given.to_owned(), hint };
    let amount = Amount::parse(number).filter(|amount| amount.minor_units > 0);
    Ok((amount.ok_or_else(wrong)?, currency.trim()))
}

fn support(simulated: &Simulated, kind: &str, currency: &str, who: User) -> Result<Event, SimulationError> {
    let (amount, currency) = amount(simulated, kind, currency)?;
    Ok(Event::Support(Support {
        kind: kind.to_owned(),
        who: known(who),
        amount,
        currency: currency.to_owned(),
        message: simulated.text.clone(),
        item: None,
    }))
}

fn subscription(kind: &str, who: User, months: u32, message: Option<String>) -> Subscription {
    Subscription { kind: kind.to_owned(), who, tier: "1000".to_owned(), months, streak_months: None, message }
}

/// The text names those who receive it, with commas in between.
fn gift(simulated: &Simulated, who: User) -> Result<Gift, SimulationError> {
    let names = simulated.text.as_deref().unwrap_or("").split(',').filter(|name| !name.trim().is_empty());
    let recipients = names.map(person).collect::<Result<Vec<_>, _>>()?;
    let named = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
    if simulated.count == Some(0) {
        let hint = "how many are given, 1 or more";
        return Err(SimulationError::Wrong { argument: "count", value: "0".to_owned(), hint });
    }
    let count = simulated.count.unwrap_or(1).max(named);
    Ok(Gift { giver: known(who), recipients, count, tier: "1000".to_owned(), total: None })
}

fn presence(text: Option<String>) -> Result<String, SimulationError> {
    let kind = text.unwrap_or_else(|| "join".to_owned());
    if kind == "join" || kind == "part" {
        return Ok(kind);
    }
    Err(SimulationError::Wrong { argument: "text", value: kind, hint: "a presence is \"join\" or \"part\"" })
}

fn redemption(simulated: &Simulated, who: User) -> Result<Redemption, SimulationError> {
    let title = required(simulated.text.clone(), "redemption", "text", "the reward, such as --text \"Hydrate\"")?;
    let cost = match &simulated.amount {
        None => 0,
        Some(cost) => cost.trim().parse().map_err(|_| SimulationError::Wrong {
            argument: "amount",
            value: cost.clone(),
            hint: "what it costs, in whole points",
        })?,
    };
    Ok(Redemption {
        id: uuid::Uuid::new_v4().to_string(),
        reward_id: title.to_lowercase().replace(' ', "-"),
        title,
        cost,
        who,
        input: None,
        status: "unfulfilled".to_owned(),
    })
}

fn raw(simulated: &Simulated, kind: &str) -> Result<Raw, SimulationError> {
    let hint = "the payload as JSON, such as --text '{\"x\": 1}'";
    let json = required(simulated.text.clone(), "raw", "text", hint)?;
    if serde_json::from_str::<serde_json::Value>(&json).is_err() {
        return Err(SimulationError::Wrong { argument: "text", value: json, hint });
    }
    Ok(Raw { kind: if kind.is_empty() { "simulated" } else { kind }.to_owned(), json })
}

#[cfg(test)]
mod fuzz;
