//! The life of one `EventSub` socket, from its welcome to its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::Instant;

use super::eventsub::{Order, Session, Socket, metadata};
use super::fields::with_unknown_fields;
use super::state::{State, new_id, written};
use crate::service::When;
use crate::service::socket::{self, Next};

pub(super) async fn connect(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    upgrade.on_upgrade(move |socket| async move {
        let (orders, to_do) = mpsc::unbounded_channel();
        let opened = state.open_socket(&query, &host, orders);
        let (number, session, keepalive, is_valid) = opened;
        let connection = Connection {
            socket,
            state,
            number,
            session,
            keepalive: Duration::from_secs(keepalive),
            welcome_at: None,
            last_said: None,
            unused_at: None,
            retired_at: None,
            ping_at: Instant::now(),
            is_ponged: true,
            ending: "websocket_disconnected",
        };
        connection.run(to_do, is_valid).await;
    })
}

impl State {
    /// Returns the number, the session, its keepalive, and whether a reconnect URL was valid.
    fn open_socket(
        &self,
        query: &HashMap<String, String>,
        host: &str,
        orders: mpsc::UnboundedSender<Order>,
    ) -> (u64, String, u64, bool) {
        let wish = query.get("keepalive_timeout_seconds").and_then(|seconds| seconds.parse::<u64>().ok());
        let now = self.now();
        let keepalive = self.behaviour().keepalive_seconds.unwrap_or(wish.unwrap_or(10).clamp(10, 600));
        let opened = {
            let mut eventsub = self.eventsub();
            eventsub.opened += 1;
            let number = eventsub.opened;
            let (session, is_valid, keepalive) = match query.get("challenge") {
                None => {
                    let id = format!("Ago{}", new_id().replace('-', ""));
                    let session = Session {
                        connected_at: now,
                        keepalive_seconds: keepalive,
                        host: host.to_owned(),
                        socket: number,
                        owner: None,
                        moving: None,
                        ended: None,
                    };
                    eventsub.sessions.insert(id.clone(), session);
                    (id, true, keepalive)
                }
                Some(challenge) => {
                    let id = query.get("id").cloned().unwrap_or_default();
                    let moved = eventsub.sessions.get_mut(&id).filter(|session| session.ended.is_none());
                    let keepalive = moved.as_ref().map_or(keepalive, |session| session.keepalive_seconds);
                    let moving = moved.and_then(|session| session.moving.as_mut());
                    let is_valid = moving.is_some_and(|moving| {
                        let is_it = moving.challenge == *challenge && moving.socket.is_none();
                        if is_it {
                            moving.socket = Some(number);
                        }
                        is_it
                    });
                    (id, is_valid, keepalive)
                }
            };
            eventsub.sockets.insert(number, Socket { session: session.clone(), orders, is_welcomed: false });
            eventsub.most_sockets = eventsub.most_sockets.max(eventsub.sockets.len());
            (number, session, keepalive, is_valid)
        };
        self.requests.note_activity();
        opened
    }

    /// The socket heard its welcome. A session that was moving is now here.
    fn welcome_socket(&self, number: u64, session: &str) {
        {
            let mut eventsub = self.eventsub();
            if let Some(socket) = eventsub.sockets.get_mut(&number) {
                socket.is_welcomed = true;
            }
            if let Some(session) = eventsub.sessions.get_mut(session) {
                session.socket = number;
                session.moving = None;
            }
            eventsub.note_use(session);
        }
        self.requests.note_activity();
    }

    /// The socket is gone, and the session with it, if it was the one that counted.
    pub(super) fn close_socket(&self, number: u64, reason: &str) {
        {
            let mut eventsub = self.eventsub();
            let Some(socket) = eventsub.sockets.remove(&number) else { return };
            let mut orphan = None;
            let Some(session) = eventsub.sessions.get_mut(&socket.session) else { return };
            match &mut session.moving {
                // The new one may be tried again.
                Some(moving) if moving.socket == Some(number) => moving.socket = None,
                // The old one was closed before the new one had its welcome.
                Some(moving) if session.socket == number => {
                    orphan = moving.socket;
                    session.ended = Some(std::time::Instant::now());
                }
                _ if session.socket == number => session.ended = Some(std::time::Instant::now()),
                _ => {}
            }
            if session.ended.is_some() {
                for one in eventsub.subscriptions.iter_mut() {
                    if one.session == socket.session && one.is_enabled() {
                        reason.clone_into(&mut one.status);
                    }
                }
            }
            if let Some(orphan) = orphan.and_then(|number| eventsub.sockets.get(&number)) {
                orphan.order(Order::Close(4007));
            }
        }
        self.requests.note_activity();
    }
}

/// What a close code makes of the subscriptions.
fn status_after(code: u16) -> &'static str {
    match code {
        4000 => "websocket_internal_error",
        4001 => "websocket_received_inbound_traffic",
        4002 => "websocket_failed_ping_pong",
        4003 => "websocket_connection_unused",
        4004 | 4007 => "websocket_failed_to_reconnect",
        4005 => "websocket_network_timeout",
        4006 => "websocket_network_error",
        _ => "websocket_disconnected",
    }
}

fn reason_of(code: u16) -> &'static str {
    match code {
        4000 => "internal server error",
        4001 => "client sent inbound traffic",
        4002 => "client failed ping-pong",
        4003 => "connection unused",
        4004 => "client reconnect grace time expired",
        4005 => "network timeout",
        4006 => "network error",
        4007 => "invalid reconnect",
        _ => "",
    }
}

struct Connection {
    socket: WebSocket,
    state: Arc<State>,
    number: u64,
    session: String,
    keepalive: Duration,
    welcome_at: Option<Instant>,
    /// `None` before the welcome.
    last_said: Option<Instant>,
    unused_at: Option<Instant>,
    retired_at: Option<Instant>,
    ping_at: Instant,
    is_ponged: bool,
    /// What becomes of its subscriptions.
    ending: &'static str,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.close_socket(self.number, self.ending);
    }
}

/// What a socket does by itself.
enum Due {
    Welcome,
    Ping,
    Keepalive,
    Unused,
    Retired,
}

impl Connection {
    async fn run(mut self, mut orders: UnboundedReceiver<Order>, is_valid: bool) {
        if !is_valid {
            self.close(4007).await;
            return;
        }
        // Whatever ends it is closed without a word, unless it was closed with a code.
        let _ = self.talk(&mut orders).await;
    }

    /// `None` when the socket is at its end.
    async fn talk(&mut self, orders: &mut UnboundedReceiver<Order>) -> Option<()> {
        self.welcome_at = match self.state.behaviour().welcome {
            When::AtOnce => Some(Instant::now()),
            When::After(pause) => Some(Instant::now() + pause),
            When::Never => None,
        };
        self.ping_at = Instant::now() + self.state.behaviour().ping_every;
        loop {
            let deadlines = [
                (self.welcome_at, Due::Welcome),
                (Some(self.ping_at), Due::Ping),
                (self.last_said.map(|said| said + self.keepalive), Due::Keepalive),
                (self.unused_at, Due::Unused),
                (self.retired_at, Due::Retired),
            ];
            let next = socket::next(&mut self.socket, orders, deadlines).await;
            self.carry_out(next).await?;
        }
    }

    async fn carry_out(&mut self, next: Next<Order, Due>) -> Option<()> {
        match next {
            Next::Heard(Message::Text(_) | Message::Binary(_)) => self.close(4001).await,
            Next::Heard(Message::Pong(_)) => {
                self.is_ponged = true;
                self.state.record().pongs += 1;
                self.state.requests.note_activity();
                Some(())
            }
            Next::Heard(Message::Ping(_)) => Some(()),
            Next::Heard(Message::Close(frame)) => {
                self.state.record().closed_by_clients.extend(frame.map(|frame| frame.code));
                None
            }
            Next::Gone => None,
            Next::Ordered(order) => self.obey(order).await,
            Next::Due(Due::Welcome) => self.welcome().await,
            Next::Due(Due::Ping) => self.ping().await,
            Next::Due(Due::Keepalive) => self.keep_alive().await,
            Next::Due(Due::Unused) => self.close(4003).await,
            Next::Due(Due::Retired) => self.close(4004).await,
        }
    }

    async fn welcome(&mut self) -> Option<()> {
        self.welcome_at = None;
        let (has_recovery_url, has_unknown) = {
            let behaviour = self.state.behaviour();
            (behaviour.has_recovery_url, behaviour.adds_unknown_fields)
        };
        let now = self.state.now();
        let connected_at = self.state.eventsub().sessions.get(&self.session)?.connected_at;
        let mut frame = json!({
            "metadata": metadata("session_welcome", &new_id(), now, None),
            "payload": { "session": {
                "id": self.session, "status": "connected", "connected_at": written(connected_at),
                "keepalive_timeout_seconds": self.keepalive.as_secs(), "reconnect_url": null,
            } },
        });
        if has_recovery_url {
            frame["payload"]["session"]["recovery_url"] = serde_json::Value::Null;
        }
        if has_unknown {
            frame = with_unknown_fields(frame);
        }
        // Whoever has its welcome misses nothing any more; what is told from now on waits until it is said.
        self.state.welcome_socket(self.number, &self.session);
        self.say(frame.to_string()).await
    }

    async fn obey(&mut self, order: Order) -> Option<()> {
        match order {
            Order::Say { frame, said } => {
                self.say(frame).await?;
                // Whoever waited may be gone.
                let _ = said.map(|said| said.send(()));
            }
            Order::Raw(message) => self.socket.send(message).await.ok()?,
            Order::Close(code) => self.close(code).await?,
            Order::Cut => return None,
            Order::Unused(true) => {
                let patience = self.state.behaviour().unused_after;
                self.unused_at.get_or_insert(Instant::now() + patience);
            }
            Order::Unused(false) => self.unused_at = None,
            Order::Retire(grace) => self.retired_at = Some(Instant::now() + grace),
        }
        Some(())
    }

    async fn ping(&mut self) -> Option<()> {
        let (every, does_ping) = {
            let behaviour = self.state.behaviour();
            (behaviour.ping_every, behaviour.sends_pings)
        };
        self.ping_at = Instant::now() + every;
        if !does_ping {
            return Some(());
        }
        if !self.is_ponged {
            return self.close(4002).await;
        }
        self.is_ponged = false;
        self.socket.send(Message::Ping("alive?".into())).await.ok()
    }

    async fn keep_alive(&mut self) -> Option<()> {
        if !self.state.behaviour().sends_keepalives {
            self.last_said = Some(Instant::now());
            return Some(());
        }
        let now = self.state.now();
        let frame = json!({ "metadata": metadata("session_keepalive", &new_id(), now, None), "payload": {} });
        self.say(frame.to_string()).await
    }

    async fn say(&mut self, frame: String) -> Option<()> {
        self.last_said = Some(Instant::now());
        self.socket.send(Message::text(frame)).await.ok()
    }

    /// Always `None`: it is the end.
    async fn close(&mut self, code: u16) -> Option<()> {
        self.ending = status_after(code);
        let closed = || self.state.close_socket(self.number, self.ending);
        socket::close(&mut self.socket, code, reason_of(code), closed).await;
        None
    }
}
