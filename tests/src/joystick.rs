//! A Joystick.tv of our own, on one loopback port: the gateway (`/cable`, Action Cable, both shapes of events), OAuth
//! (`/api/oauth`) and REST (`/api/v1`, `/api/users`, `/echo`), that can be told to misbehave.
//!
//! It behaves as Joystick documents, and Action Cable does, and was written from that alone, not
//! from our adapter. It runs on a runtime of its own, so that going away really closes everything, as a killed server
//! would.
//!
//! Things happen in a [`Room`]: `joystick.room().say("alice", "hi")`. Faults and what it saw are methods of
//! [`FakeJoystick`], in a file for each part.

mod actions;
mod authorize;
mod behaviour;
mod event;
mod faults;
mod gateway;
mod oauth;
mod rest;
mod room;
mod samples;
mod seen;
mod shapes;
mod state;
mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use showrunner::config::settings::{JoystickKeys, JoystickSettings, JoystickToken, JoystickVersion};
use showrunner::platform::Pace;
use url::Url;

pub use self::behaviour::{Confirm, ErrorShape, Metadata, Refused};
pub use self::event::{Author, Channel, ChatEvent, Event, What};
pub use self::room::{ChatLine, Room};
pub use self::samples::KINDS;
pub use self::seen::Did;
use self::state::State;
pub use self::tokens::Tokens;
use crate::line::BadLine;
use crate::service::{Requests, Server};

/// A bot with a secret, and one without.
pub const CLIENT_ID: &str = "fake-joystick-bot";
pub const PUBLIC_CLIENT_ID: &str = "fake-joystick-public-bot";
/// Looks like nothing real, and is easy to find where it must not be.
pub const CLIENT_SECRET: &str = "mackerel+not/a-real-secret";

pub const STREAMER: &str = "thestreamer";
pub const CHANNEL: &str = "c3a7f00d";
pub const BOT: &str = "pixel";

/// All scopes there are; `bot` is short for those that were granted.
pub const SCOPES: &str = "identity:read stream:read chat:read chat:write followers:read moderators:read \
    subscribers:read chat:whisper:write chat:moderate moderators:manage stream:manage";

pub struct FakeJoystick {
    state: Arc<State>,
    server: Server,
}

impl FakeJoystick {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn start_at(address: SocketAddr) -> Self {
        let state = Arc::new(State::new());
        let server = Server::start(router(&state), address).await;
        Self { state, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub fn gateway_url(&self) -> Url {
        self.server.url("ws", "/cable")
    }

    /// What a bot with a secret needs to connect to it.
    pub fn settings(&self, version: JoystickVersion) -> JoystickSettings {
        JoystickSettings {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect: "http://localhost:3000/oauth".to_owned(),
            scopes: None,
            channels: vec![CHANNEL.to_owned()],
            bot: BOT.to_owned(),
            version,
            gateway_token: JoystickToken::Access,
            command_keys: JoystickKeys::Snake,
            gateway_url: self.gateway_url(),
            consent_url: self.server.url("http", "/api/oauth/authorize"),
            oauth_base: self.server.url("http", "/api/oauth/"),
            rest_base: self.server.url("http", "/api/v1/"),
            pace: Pace { messages: None, in_flight: 4, expiry: Duration::from_secs(30) },
            echo: Duration::from_secs(5),
        }
    }

    /// A line to it, and what a bot needs to connect over it.
    pub async fn line(&self, version: JoystickVersion) -> (BadLine, JoystickSettings) {
        let line = BadLine::to(self.address()).await;
        let mut settings = self.settings(version);
        let urls =
            [&mut settings.gateway_url, &mut settings.consent_url, &mut settings.oauth_base, &mut settings.rest_base];
        for url in urls {
            url.set_port(Some(line.port())).unwrap();
        }
        (line, settings)
    }

    /// The room of [`STREAMER`].
    pub fn room(&self) -> Room<'_> {
        self.room_of(STREAMER)
    }

    /// The room of anybody; its channel id is made of the name.
    pub fn room_of(&self, username: &str) -> Room<'_> {
        Room::of(&self.state, self.state.channel(username))
    }

    /// Closes the port and everything that is open on it, as if killed.
    pub fn go_away(&mut self) {
        self.server.go_away();
        self.state.forget_sockets();
    }

    /// Is back on the same port; it knows its tokens, and what happened meanwhile is lost.
    pub async fn come_back(&mut self) {
        self.server.come_back().await;
    }
}

fn router(state: &Arc<State>) -> Router {
    Router::new()
        .route("/cable", any(gateway::connect))
        .route("/api/oauth/authorize", get(authorize::authorize))
        .route("/api/oauth/token", post(oauth::token))
        .route("/api/oauth/introspect", post(oauth::introspect))
        .route("/api/oauth/revoke", post(oauth::revoke))
        .merge(rest::router())
        .layer(middleware::from_fn_with_state(Arc::clone(&state.requests), Requests::attend))
        .with_state(Arc::clone(state))
}
