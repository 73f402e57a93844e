//! One subscription that is wanted, and how it stands; and what is missing, in words that fit a status line.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::eventsub::Subscription;
use super::super::helix::Request;
use super::super::topics::Topic;
use crate::auth::Access;
use crate::event::Channel;

/// Of the types that are missing for the same reason, so many are named.
const MOST_NAMED: usize = 3;

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) channel: Channel,
    pub(super) topic: &'static Topic,
    pub(super) condition: Value,
    pub(super) standing: Standing,
    /// How often it failed in a row.
    pub(super) failures: u32,
    /// It was asked for, and the answer is to come.
    pub(super) is_asked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// No answer was ever had.
    Open,
    Confirmed,
    /// It is tried again.
    Later {
        why: String,
        at: Instant,
    },
    /// The token lacks what it needs; it is tried when that has changed.
    Unscoped {
        why: String,
    },
    /// Twitch took it away; it is tried when somebody has signed in again.
    Revoked {
        why: String,
    },
    /// Twitch does not want it. It is lost, and asked for again where Twitch may come to want it.
    Refused {
        why: String,
        again: Option<Instant>,
    },
}

impl Wanted {
    pub(super) fn new(channel: &Channel, topic: &'static Topic, access: &Access) -> Self {
        let standing = scoped(topic, access);
        let condition = topic.condition(&channel.id, &access.user_id);
        Self { channel: channel.clone(), topic, condition, standing, failures: 0, is_asked: false }
    }

    pub(super) fn request(&self, session_id: &str) -> Request {
        Request::post("eventsub/subscriptions").body(json!({
            "type": self.topic.name,
            "version": self.topic.version,
            "condition": self.condition,
            "transport": { "method": "websocket", "session_id": session_id },
        }))
    }

    /// When it is to be asked for; `None` when it is not.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        match &self.standing {
            _ if self.is_asked => None,
            Standing::Open => Some(now),
            Standing::Later { at, .. } => Some(*at),
            Standing::Refused { again, .. } => *again,
            _ => None,
        }
    }

    /// Whether it is to be had, and is not there yet.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.standing, Standing::Open | Standing::Later { .. })
    }

    /// Whether events of it go by that are heard at other times.
    pub(super) fn is_interrupted(&self) -> bool {
        self.is_awaited() || matches!(self.standing, Standing::Revoked { .. })
    }

    /// Whether another token could bring it.
    pub(super) fn lacks_consent(&self) -> bool {
        matches!(self.standing, Standing::Unscoped { .. } | Standing::Revoked { .. })
    }

    /// Looks again whether the token may have it, now that it is another.
    pub(super) fn reconsider(&mut self, access: &Access) {
        if self.lacks_consent() {
            self.standing = scoped(self.topic, access);
        }
    }

    /// Fields that Twitch adds, and those that it leaves out, make no other subscription of it; but one that names none
    /// of ours, and others, is another one. What is empty names nothing.
    pub(super) fn is(&self, subscription: &Subscription) -> bool {
        let named =
            |condition: &Value| condition.as_object().is_some_and(|fields| fields.values().any(|one| one != ""));
        let ours: Vec<(&Value, Option<&Value>)> = self.condition.as_object().map_or_else(Vec::new, |fields| {
            fields.iter().map(|(field, value)| (value, subscription.condition.get(field))).collect()
        });
        self.topic.name == subscription.topic
            && ours.iter().all(|(value, other)| other.is_none_or(|other| other == *value))
            && (!named(&subscription.condition) || ours.iter().any(|(_, other)| other.is_some()))
    }

    pub(super) fn why_missing(&self) -> Option<&str> {
        match &self.standing {
            Standing::Open | Standing::Confirmed => None,
            Standing::Later { why, .. }
            | Standing::Unscoped { why }
            | Standing::Revoked { why }
            | Standing::Refused { why, .. } => Some(why),
        }
    }
}

fn scoped(topic: &Topic, access: &Access) -> Standing {
    if topic.is_allowed(|scope| access.has_scope(scope)) {
        return Standing::Open;
    }
    let missing = topic.missing(|scope| access.has_scope(scope));
    let noun = if missing.contains(',') { "scopes" } else { "scope" };
    Standing::Unscoped { why: format!("needs the {noun} {missing}") }
}

/// What is missing and why, the same reason once; `None` when nothing is.
pub(super) fn missing(wanted: &[Wanted], sign_in: &str) -> Option<String> {
    let has_several_channels =
        wanted.iter().any(|other| Some(&other.channel) != wanted.first().map(|one| &one.channel));
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for wanted in wanted {
        let Some(why) = wanted.why_missing() else { continue };
        let name = match has_several_channels {
            true => format!("{} of {}", wanted.topic.name, wanted.channel.id),
            false => wanted.topic.name.to_owned(),
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => reasons.push((why, vec![name])),
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = reasons.iter().map(|(why, names)| format!("{}: {why}", list(names))).collect();
    if wanted.iter().any(|wanted| matches!(wanted.standing, Standing::Unscoped { .. })) {
        parts.push(format!("run `{sign_in}` again"));
    }
    Some(parts.join("; "))
}

fn list(names: &[String]) -> String {
    let named = names.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::super::super::topics::TOPICS;
    use super::*;

    fn access(scopes: &[&str]) -> Access {
        Access {
            token: SecretString::from("irrelevant"),
            user_id: "9001".into(),
            login: "bot".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_at_ms: None,
        }
    }

    fn wanted(channel: &str, topic: &str, scopes: &[&str]) -> Wanted {
        let topic = TOPICS.iter().find(|known| known.name == topic).unwrap();
        Wanted::new(&Channel::new("twitch", channel), topic, &access(scopes))
    }

    #[test]
    fn what_is_missing_for_the_same_reason_is_one_sentence() {
        let all: Vec<Wanted> = ["channel.poll.begin", "channel.poll.progress", "channel.poll.end", "channel.follow"]
            .map(|topic| wanted("1", topic, &[]))
            .into_iter()
            .chain(["channel.chat.message"].map(|topic| wanted("1", topic, &["user:read:chat"])))
            .collect();
        assert_eq!(
            missing(&all, "showrunner auth twitch").unwrap(),
            "channel.poll.begin, channel.poll.progress, channel.poll.end: needs the scope channel:read:polls or \
             channel:manage:polls; channel.follow: needs the scope moderator:read:followers; run `showrunner auth \
             twitch` again"
        );
    }

    #[test]
    fn long_lists_are_cut_and_several_channels_are_told_apart() {
        let topics = ["channel.poll.begin", "channel.poll.progress"];
        let all: Vec<Wanted> =
            ["1", "2"].iter().flat_map(|channel| topics.map(|topic| wanted(channel, topic, &[]))).collect();
        let missing = missing(&all, "sign in").unwrap();
        assert!(
            missing.starts_with(
                "channel.poll.begin of 1, channel.poll.progress of 1, channel.poll.begin of 2 and 1 more: needs"
            ),
            "{missing}"
        );
    }

    #[test]
    fn a_scope_that_was_granted_since_opens_it() {
        let mut follow = wanted("1", "channel.follow", &[]);
        let now = Instant::now();
        assert_eq!(follow.due(now), None);
        follow.reconsider(&access(&["moderator:read:followers"]));
        assert_eq!(follow.due(now), Some(now));
    }

    #[test]
    fn it_is_known_by_its_condition_whatever_twitch_adds_or_leaves_out() {
        let raid = wanted("1", "channel.raid", &[]);
        let subscription = |condition| Subscription {
            topic: "channel.raid".into(),
            version: "1".into(),
            status: String::new(),
            condition,
        };
        assert!(raid.is(&subscription(json!({ "to_broadcaster_user_id": "1", "from_broadcaster_user_id": "" }))));
        assert!(raid.is(&subscription(Value::Null)));
        assert!(!raid.is(&subscription(json!({ "to_broadcaster_user_id": "2" }))));
        // The other kind of raids of the same channel.
        assert!(!raid.is(&subscription(json!({ "to_broadcaster_user_id": "", "from_broadcaster_user_id": "1" }))));
        assert!(!raid.is(&subscription(json!({ "from_broadcaster_user_id": "1" }))));
    }
}
