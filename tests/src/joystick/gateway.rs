//! The gateway: Action Cable, one task for each socket.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use showrunner::config::settings::JoystickVersion;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use super::actions::{self, Sender};
use super::behaviour::{Confirm, Refused};
use super::event::Event;
use super::shapes::Shape;
use super::state::State;
use super::tokens::basic_key;
use crate::service::When;
use crate::service::socket::{self, Next};

pub(super) const PROTOCOL: &str = "actioncable-v1-json";

/// What a socket's task is told to do.
pub(super) enum Order {
    Say(String),
    Raw(Message),
    Close(u16),
    Cut,
}

pub(super) struct Socket {
    orders: UnboundedSender<Order>,
    /// The channel of its token; `None` for all.
    channel: Option<String>,
    /// Identifiers as they were sent, letter by letter.
    pub(super) subscriptions: Vec<(String, JoystickVersion)>,
}

#[derive(Default)]
pub(super) struct Gateway {
    pub(super) sockets: HashMap<u64, Socket>,
    pub(super) opened: u64,
    pub(super) most_sockets: usize,
    pub(super) subscribes: usize,
}

impl Gateway {
    pub(super) fn order_all(&self, order: impl Fn() -> Order) {
        for socket in self.sockets.values() {
            // An error says that it is closing.
            let _ = socket.orders.send(order());
        }
    }

    pub(super) fn tell(&self, event: &Event, shape: &Shape, serves_all: bool) {
        for socket in self.sockets.values() {
            let is_meant = serves_all || socket.channel.as_ref().is_none_or(|channel| *channel == event.channel.id);
            for (identifier, version) in socket.subscriptions.iter().filter(|_| is_meant) {
                let frame = json!({ "identifier": identifier, "message": shape.write(event, *version) });
                let _ = socket.orders.send(Order::Say(frame.to_string()));
            }
        }
    }
}

pub(super) async fn connect(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let offered = headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_spoken = offered.split(',').any(|protocol| protocol.trim() == PROTOCOL);
    let Some(upgrade) = upgrade.ok().filter(|_| is_spoken) else {
        return (StatusCode::NOT_FOUND, "Page not found").into_response();
    };
    let sender = state.sender(query.get("token").map(String::as_str).unwrap_or_default());
    upgrade.protocols([PROTOCOL]).on_upgrade(move |socket| async move {
        let (orders, to_do) = mpsc::unbounded_channel();
        let number = state.open_socket(orders, sender.as_ref());
        let mut connection = Connection {
            socket,
            state,
            number,
            sender: sender.clone().unwrap_or_default(),
            welcome_at: None,
            ping_at: None,
            confirmations: Vec::new(),
            waiting: Vec::new(),
        };
        // Whatever ends it is closed without a word, unless it was closed with a code.
        let _ = match sender {
            Some(_) => connection.talk(to_do).await,
            None => connection.refuse().await,
        };
    })
}

impl State {
    /// Who speaks with this token; `None` for nobody.
    fn sender(&self, token: &str) -> Option<Sender> {
        let (takes_access, takes_basic, granted) = {
            let behaviour = self.behaviour();
            (behaviour.takes_access, behaviour.takes_basic, behaviour.granted.clone())
        };
        if takes_basic && token == basic_key() {
            return Some(Sender { channel: None, scopes: granted.into_iter().collect::<BTreeSet<_>>() });
        }
        let (installation, _) = self.tokens().holder(token).filter(|_| takes_access)?;
        Some(Sender { channel: Some(installation.channel.id), scopes: installation.scopes })
    }

    fn open_socket(&self, orders: UnboundedSender<Order>, sender: Option<&Sender>) -> u64 {
        let number = {
            let mut gateway = self.gateway();
            gateway.opened += 1;
            let number = gateway.opened;
            let channel = sender.and_then(|sender| sender.channel.clone());
            gateway.sockets.insert(number, Socket { orders, channel, subscriptions: Vec::new() });
            gateway.most_sockets = gateway.most_sockets.max(gateway.sockets.len());
            number
        };
        self.requests.note_activity();
        number
    }

    fn close_socket(&self, number: u64) {
        self.gateway().sockets.remove(&number);
        self.requests.note_activity();
    }

    /// All sockets are gone, as their tasks are.
    pub(super) fn forget_sockets(&self) {
        self.gateway().sockets.clear();
        self.requests.note_activity();
    }
}

struct Connection {
    socket: WebSocket,
    state: Arc<State>,
    number: u64,
    sender: Sender,
    welcome_at: Option<Instant>,
    /// `None` before the welcome.
    ping_at: Option<Instant>,
    /// What is said later, and when.
    confirmations: Vec<(Instant, String)>,
    /// Commands that came before the welcome.
    waiting: Vec<String>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.close_socket(self.number);
    }
}

/// What a socket does by itself.
enum Due {
    Welcome,
    Ping,
    Confirm,
}

impl Connection {
    async fn refuse(&mut self) -> Option<()> {
        let refused = self.state.behaviour().refused;
        match refused {
            Refused::Close => self.close(4401).await,
            Refused::Disconnect => {
                let frame = json!({ "type": "disconnect", "reason": "unauthorized", "reconnect": false });
                self.say(frame.to_string()).await?;
                self.close(1000).await
            }
        }
    }

    /// `None` when the socket is at its end.
    async fn talk(&mut self, mut orders: UnboundedReceiver<Order>) -> Option<()> {
        self.welcome_at = match self.state.behaviour().welcome {
            When::AtOnce => Some(Instant::now()),
            When::After(pause) => Some(Instant::now() + pause),
            When::Never => None,
        };
        loop {
            let deadlines = [
                (self.welcome_at, Due::Welcome),
                (self.ping_at, Due::Ping),
                (self.confirmations.first().map(|(at, _)| *at), Due::Confirm),
            ];
            match socket::next(&mut self.socket, &mut orders, deadlines).await {
                Next::Heard(Message::Text(text)) if self.ping_at.is_none() => self.waiting.push(text.to_string()),
                Next::Heard(Message::Text(text)) => self.hear(&text).await?,
                Next::Heard(Message::Close(_)) | Next::Gone => return None,
                Next::Heard(_) => {}
                Next::Ordered(Order::Say(frame)) => self.say(frame).await?,
                Next::Ordered(Order::Raw(message)) => self.socket.send(message).await.ok()?,
                Next::Ordered(Order::Close(code)) => self.close(code).await?,
                Next::Ordered(Order::Cut) => return None,
                Next::Due(Due::Welcome) => self.welcome().await?,
                Next::Due(Due::Ping) => self.ping().await?,
                Next::Due(Due::Confirm) => {
                    let (_, frame) = self.confirmations.remove(0);
                    self.say(frame).await?;
                }
            }
        }
    }

    async fn welcome(&mut self) -> Option<()> {
        self.welcome_at = None;
        self.say(json!({ "type": "welcome" }).to_string()).await?;
        self.ping_at = Some(Instant::now() + self.state.behaviour().ping_every);
        for command in std::mem::take(&mut self.waiting) {
            self.hear(&command).await?;
        }
        Some(())
    }

    async fn ping(&mut self) -> Option<()> {
        let (every, does_ping) = {
            let behaviour = self.state.behaviour();
            (behaviour.ping_every, behaviour.sends_pings)
        };
        self.ping_at = Some(Instant::now() + every);
        if does_ping {
            let now = Timestamp::now().as_second();
            self.say(json!({ "type": "ping", "message": now }).to_string()).await?;
        }
        Some(())
    }

    /// A command. What is not understood is ignored without a word, as Rails does.
    async fn hear(&mut self, text: &str) -> Option<()> {
        let command: Value = serde_json::from_str(text).unwrap_or_default();
        let text = |name: &str| command.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(identifier) = text("identifier") else {
            self.state.ignore(&command);
            return Some(());
        };
        match text("command").as_deref() {
            Some("subscribe") => self.subscribe(&identifier).await?,
            Some("unsubscribe") => self.subscriptions(|known| known.retain(|(one, _)| *one != identifier))?,
            Some("message") => self.act(&identifier, &text("data").unwrap_or_default(), &command).await?,
            _ => self.state.ignore(&command),
        }
        self.state.requests.note_activity();
        Some(())
    }

    /// `None` when a test had all sockets forgotten, which ends this one.
    fn subscriptions<T>(&self, change: impl FnOnce(&mut Vec<(String, JoystickVersion)>) -> T) -> Option<T> {
        self.state.gateway().sockets.get_mut(&self.number).map(|socket| change(&mut socket.subscriptions))
    }

    async fn subscribe(&mut self, identifier: &str) -> Option<()> {
        self.state.gateway().subscribes += 1;
        let asked: Value = serde_json::from_str(identifier).unwrap_or_default();
        let version = match asked.get("event_version").and_then(Value::as_str) {
            Some("v2") => JoystickVersion::V2,
            _ => JoystickVersion::V1,
        };
        let is_known = self.subscriptions(|known| known.iter().any(|(one, _)| one == identifier))?;
        if asked.get("channel").and_then(Value::as_str) != Some("GatewayChannel") || is_known {
            return Some(());
        }
        let confirm = {
            let mut behaviour = self.state.behaviour();
            behaviour.next_confirms.pop_front().unwrap_or(behaviour.confirm)
        };
        let answer = |kind: &str| json!({ "identifier": identifier, "type": kind }).to_string();
        if matches!(confirm, Confirm::Properly | Confirm::After(_) | Confirm::Unsaid) {
            self.subscriptions(|known| known.push((identifier.to_owned(), version)))?;
        }
        match confirm {
            Confirm::Properly => self.say(answer("confirm_subscription")).await?,
            Confirm::After(pause) => {
                self.confirmations.push((Instant::now() + pause, answer("confirm_subscription")));
                self.confirmations.sort();
            }
            Confirm::Rejected => self.say(answer("reject_subscription")).await?,
            Confirm::Unsaid | Confirm::Unheard => {}
        }
        Some(())
    }

    async fn act(&mut self, identifier: &str, data: &str, command: &Value) -> Option<()> {
        let knows_plain = self.state.behaviour().knows_plain_identifier;
        let is_known = self.subscriptions(|known| {
            let is_plain = knows_plain && !known.is_empty() && identifier == r#"{"channel":"GatewayChannel"}"#;
            is_plain || known.iter().any(|(one, _)| one == identifier)
        })?;
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        if !is_known || !data.is_object() {
            self.state.ignore(command);
            return Some(());
        }
        if let Err(error) = actions::carry_out(&self.state, &self.sender, &data) {
            let frame = actions::error_frame(&self.state, identifier, &error);
            self.say(frame).await?;
        }
        Some(())
    }

    async fn say(&mut self, frame: String) -> Option<()> {
        self.socket.send(Message::text(frame)).await.ok()
    }

    /// Always `None`: it is the end.
    async fn close(&mut self, code: u16) -> Option<()> {
        socket::close(&mut self.socket, code, "", || self.state.close_socket(self.number)).await;
        None
    }
}
