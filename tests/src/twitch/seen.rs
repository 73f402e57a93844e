//! What the fake saw, for tests that ask and for tests that wait.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::FakeTwitch;
use super::users::User;
use crate::service::Asked;

/// A chat line that was sent through Helix and accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub broadcaster_id: String,
    pub sender_id: String,
    pub text: String,
    pub reply_to: Option<String>,
    pub message_id: String,
}

/// An event, whether or not anybody had subscribed.
#[derive(Debug, Clone)]
pub struct Told {
    pub name: String,
    pub version: String,
    pub event: Value,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscribed {
    pub id: String,
    pub name: String,
    pub version: String,
    pub condition: Map<String, Value>,
    pub session: String,
    pub user_id: String,
    /// "enabled", or why not.
    pub status: String,
}

#[derive(Default)]
pub(super) struct Record {
    pub(super) sent: Vec<Sent>,
    pub(super) told: Vec<Told>,
    pub(super) pongs: usize,
    /// The codes with which clients closed sockets, where they named one.
    pub(super) closed_by_clients: Vec<u16>,
}

impl FakeTwitch {
    /// Every request of any kind, the upgrade of sockets too.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.requests.asked()
    }

    /// Those after the first `count`.
    pub fn asked_since(&self, count: usize) -> Vec<Asked> {
        self.state.requests.asked_since(count)
    }

    /// Those whose line begins like this: "POST /helix/chat".
    pub fn asked_for(&self, line: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.line().starts_with(line)).collect()
    }

    /// The chat lines that were sent through it, in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.record().sent.clone()
    }

    pub fn sent_texts(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.text).collect()
    }

    /// All events that happened.
    pub fn told(&self) -> Vec<Told> {
        self.state.record().told.clone()
    }

    pub fn sockets(&self) -> usize {
        self.state.eventsub().sockets.len()
    }

    /// How many sockets there ever were at one time.
    pub fn most_sockets(&self) -> usize {
        self.state.eventsub().most_sockets
    }

    /// How many sockets were ever opened.
    pub fn sockets_ever(&self) -> usize {
        usize::try_from(self.state.eventsub().opened).unwrap()
    }

    /// The ids of the sessions that live.
    pub fn sessions(&self) -> Vec<String> {
        let eventsub = self.state.eventsub();
        let living = eventsub.sessions.iter().filter(|(_, session)| session.ended.is_none());
        living.map(|(id, _)| id.clone()).collect()
    }

    /// All that were ever made, those that ended too, in their order.
    pub fn subscriptions(&self) -> Vec<Subscribed> {
        let eventsub = self.state.eventsub();
        let subscriptions = eventsub.subscriptions.iter();
        subscriptions
            .map(|one| Subscribed {
                id: one.id.clone(),
                name: one.kind.name.to_owned(),
                version: one.kind.version.to_owned(),
                condition: one.condition.clone(),
                session: one.session.clone(),
                user_id: one.user_id.clone(),
                status: one.status.clone(),
            })
            .collect()
    }

    /// The types of those that are enabled.
    pub fn subscribed(&self) -> BTreeSet<String> {
        self.subscriptions().into_iter().filter(|one| one.status == "enabled").map(|one| one.name).collect()
    }

    pub fn is_subscribed(&self, name: &str) -> bool {
        self.subscribed().contains(name)
    }

    pub fn pongs(&self) -> usize {
        self.state.record().pongs
    }

    /// The codes with which clients closed sockets, where they named one.
    pub fn closed_by_clients(&self) -> Vec<u16> {
        self.state.record().closed_by_clients.clone()
    }

    /// How often a refresh token was presented, whatever came of it.
    pub fn refreshes(&self) -> usize {
        self.state.tokens().refreshes
    }

    /// How often one was presented that had been used up.
    pub fn spent_refreshes(&self) -> usize {
        self.state.tokens().spent_again
    }

    pub fn user(&self, login: &str) -> User {
        self.state.user(login)
    }

    /// Resolves when `is_enough` of whatever it saw until then.
    pub async fn saw(&self, is_enough: impl Fn(&Self) -> bool) {
        self.state.requests.activity.subscribe().wait_for(|()| is_enough(self)).await.unwrap();
    }

    /// Resolves when so many chat lines were sent.
    pub async fn has_sent(&self, count: usize) {
        self.saw(|twitch| twitch.sent().len() >= count).await;
    }

    /// Resolves when all these types are subscribed to.
    pub async fn has_subscribed(&self, names: &[&str]) {
        self.saw(|twitch| names.iter().all(|name| twitch.is_subscribed(name))).await;
    }
}
