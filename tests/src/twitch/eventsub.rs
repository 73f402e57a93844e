//! The sessions of `EventSub`, their sockets and their subscriptions.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::fields::with_unknown_fields;
use super::kinds::Condition;
use super::kinds::Kind;
use super::seen::Told;
use super::state::{State, new_id, written};

/// What a socket's task is told to do.
pub(super) enum Order {
    /// `said` resolves when it is on its way.
    Say {
        frame: String,
        said: Option<oneshot::Sender<()>>,
    },
    Raw(Message),
    Close(u16),
    /// Ends without a word.
    Cut,
    /// Whether the session has no subscription any more.
    Unused(bool),
    /// Closes with 4004 after this.
    Retire(Duration),
}

pub(super) struct Socket {
    pub(super) session: String,
    pub(super) orders: UnboundedSender<Order>,
    pub(super) is_welcomed: bool,
}

impl Socket {
    pub(super) fn order(&self, order: Order) {
        // An error says that it is closing.
        let _ = self.orders.send(order);
    }
}

/// What stands in the URL of a `session_reconnect`, until the new socket has its welcome.
pub(super) struct Move {
    pub(super) challenge: String,
    pub(super) socket: Option<u64>,
}

pub(super) struct Session {
    pub(super) connected_at: Timestamp,
    pub(super) keepalive_seconds: u64,
    pub(super) host: String,
    /// The one whose end is the end of the session.
    pub(super) socket: u64,
    /// Client and user of its first subscription.
    pub(super) owner: Option<(String, String)>,
    pub(super) moving: Option<Move>,
    pub(super) ended: Option<Instant>,
}

pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) kind: &'static Kind,
    pub(super) condition: Map<String, Value>,
    pub(super) session: String,
    pub(super) client_id: String,
    pub(super) user_id: String,
    pub(super) status: String,
    pub(super) created_at: Timestamp,
    pub(super) cost: u64,
}

impl Subscription {
    pub(super) fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id, "status": self.status, "type": self.kind.name, "version": self.kind.version,
            "condition": self.condition, "created_at": written(self.created_at), "cost": self.cost,
            "transport": { "method": "websocket", "session_id": self.session },
        })
    }

    /// Whether an event is one of those it asked for.
    fn wants(&self, name: &str, version: &str, event: &Value) -> bool {
        let is = |key: &str, pointer: &str| match self.condition.get(key).and_then(Value::as_str) {
            Some(wanted) => event.pointer(pointer).and_then(Value::as_str) == Some(wanted),
            None => true,
        };
        self.is_enabled()
            && self.kind.name == name
            && self.kind.version == version
            && match self.kind.condition {
                Condition::User => is("user_id", "/to_user_id"),
                Condition::Raid => {
                    is("from_broadcaster_user_id", "/from_broadcaster_user_id")
                        && is("to_broadcaster_user_id", "/to_broadcaster_user_id")
                }
                _ => is("broadcaster_user_id", "/broadcaster_user_id") && is("reward_id", "/reward/id"),
            }
    }
}

/// How an event is told.
#[derive(Debug, Clone, Default)]
pub struct Notice {
    /// In place of a new one.
    pub message_id: Option<String>,
    /// In place of now.
    pub sent_at: Option<Timestamp>,
    /// How often beyond once, with the same id.
    pub repeats: usize,
}

#[derive(Default)]
pub(super) struct EventSub {
    pub(super) sockets: HashMap<u64, Socket>,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) opened: u64,
    pub(super) most_sockets: usize,
    /// Told as soon as there is a subscription for it, before that is answered.
    pub(super) early: Vec<(String, Value)>,
}

impl EventSub {
    pub(super) fn sockets_of<'a>(&'a self, session: &str) -> impl Iterator<Item = &'a Socket> {
        let session = session.to_owned();
        self.sockets.values().filter(move |socket| socket.session == session && socket.is_welcomed)
    }

    pub(super) fn enabled_of(&self, session: &str) -> usize {
        self.subscriptions.iter().filter(|one| one.session == session && one.is_enabled()).count()
    }

    /// Tells the sockets of a session whether it is of any use.
    pub(super) fn note_use(&self, session: &str) {
        let is_unused = self.enabled_of(session) == 0;
        for socket in self.sockets_of(session) {
            socket.order(Order::Unused(is_unused));
        }
    }

    /// Says a frame on all sockets of a session, or on the newest alone.
    pub(super) fn say(&self, session: &str, frame: &str, does_overlap: bool) {
        let newest = self.sessions.get(session).map(|session| session.socket);
        for (number, socket) in &self.sockets {
            if socket.session == session && socket.is_welcomed && (does_overlap || Some(*number) == newest) {
                socket.order(Order::Say { frame: frame.to_owned(), said: None });
            }
        }
    }
}

impl State {
    /// Tells those who subscribed. Returns the message ids.
    pub(super) fn notify(&self, name: &str, version: &str, event: &Value, notice: &Notice) -> Vec<String> {
        self.record().told.push(Told { name: name.to_owned(), version: version.to_owned(), event: event.clone() });
        let (does_overlap, unknown) = {
            let behaviour = self.behaviour();
            (behaviour.does_overlap, behaviour.adds_unknown_fields)
        };
        let now = self.now();
        let eventsub = self.eventsub();
        let mut ids = Vec::new();
        for subscription in eventsub.subscriptions.iter().filter(|one| one.wants(name, version, event)) {
            let id = notice.message_id.clone().unwrap_or_else(new_id);
            let frame = notification(subscription, event, &id, notice.sent_at.unwrap_or(now), unknown);
            for _ in 0..=notice.repeats {
                eventsub.say(&subscription.session, &frame, does_overlap);
            }
            ids.push(id);
        }
        ids
    }

    /// Ends subscriptions for a reason, and says so. Returns how many.
    pub(super) fn revoke_subscriptions(&self, reason: &str, is_meant: impl Fn(&Subscription) -> bool) -> usize {
        let now = self.now();
        let mut eventsub = self.eventsub();
        let mut frames = Vec::new();
        for subscription in eventsub.subscriptions.iter_mut().filter(|one| one.is_enabled() && is_meant(one)) {
            reason.clone_into(&mut subscription.status);
            let frame = json!({
                "metadata": metadata("revocation", &new_id(), now, Some(subscription.kind)),
                "payload": { "subscription": subscription.to_json() },
            });
            frames.push((subscription.session.clone(), frame.to_string()));
        }
        for (session, frame) in &frames {
            eventsub.say(session, frame, true);
            eventsub.note_use(session);
        }
        frames.len()
    }

    /// Asks all sockets to move to another one.
    pub(super) fn ask_to_move(&self) {
        let grace = self.behaviour().reconnect_grace;
        let now = self.now();
        let mut eventsub = self.eventsub();
        let sessions = eventsub.sessions.iter_mut().filter(|(_, session)| session.ended.is_none());
        let mut orders = Vec::new();
        for (id, session) in sessions {
            let challenge = new_id();
            let url = format!("ws://{}/ws?challenge={challenge}&id={id}", session.host);
            session.moving = Some(Move { challenge, socket: None });
            let frame = json!({
                "metadata": metadata("session_reconnect", &new_id(), now, None),
                "payload": { "session": {
                    "id": id, "status": "reconnecting", "connected_at": written(session.connected_at),
                    "keepalive_timeout_seconds": null, "reconnect_url": url,
                } },
            });
            orders.push((session.socket, frame.to_string()));
        }
        for (number, frame) in orders {
            if let Some(socket) = eventsub.sockets.get(&number) {
                socket.order(Order::Say { frame, said: None });
                socket.order(Order::Retire(grace));
            }
        }
    }

    pub(super) fn order_all(&self, order: impl Fn() -> Order) {
        for socket in self.eventsub().sockets.values() {
            socket.order(order());
        }
    }

    /// All sockets are gone, as their tasks are.
    pub(super) fn forget_sockets(&self) {
        let numbers: Vec<u64> = self.eventsub().sockets.keys().copied().collect();
        for number in numbers {
            self.close_socket(number, "websocket_disconnected");
        }
    }
}

pub(super) fn metadata(kind: &str, id: &str, sent_at: Timestamp, subject: Option<&Kind>) -> Value {
    let mut metadata = json!({ "message_id": id, "message_type": kind, "message_timestamp": written(sent_at) });
    if let Some(kind) = subject {
        metadata["subscription_type"] = kind.name.into();
        metadata["subscription_version"] = kind.version.into();
    }
    metadata
}

pub(super) fn notification(
    subscription: &Subscription,
    event: &Value,
    id: &str,
    sent_at: Timestamp,
    has_unknown: bool,
) -> String {
    let mut frame = json!({
        "metadata": metadata("notification", id, sent_at, Some(subscription.kind)),
        "payload": { "subscription": subscription.to_json(), "event": event },
    });
    if has_unknown {
        frame = with_unknown_fields(frame);
    }
    frame.to_string()
}
