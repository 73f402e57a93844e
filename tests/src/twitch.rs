//! A Twitch of our own, on one loopback port: `EventSub` over WebSocket (`/ws`), Helix (`/helix`) and the id server
//! (`/oauth2`), that can be told to misbehave.
//!
//! It behaves as Twitch documents and others have seen it, and was written from that alone, not from our adapter. It
//! runs on a runtime of its own, so that going away really closes everything, as a killed server would.
//!
//! Things happen in a [`Room`]: `twitch.room().say("alice", "hi")`. Faults and what it saw are methods of
//! [`FakeTwitch`], in a file for each part.

mod authorize;
mod behaviour;

mod device;
mod events;
mod eventsub;
mod faults;
mod fields;
mod helix;
mod identity;
mod kinds;
mod memory;
mod refusal;
mod room;
mod seen;
mod socket;
mod state;
mod subscriptions;
mod tokens;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use showrunner::config::settings::{TwitchAccounts, TwitchSettings};
use showrunner::platform::Pace;
use url::Url;

pub use self::behaviour::{DeviceAnswer, DropReason};
pub use self::events::chat::ChatLine;
pub use self::eventsub::Notice;
pub use self::kinds::{ALL as KINDS, Condition, Kind};
pub use self::room::Room;
pub use self::seen::{Sent, Subscribed, Told};
use self::state::State;
pub use self::tokens::Tokens;
pub use self::users::User;
use crate::line::BadLine;
use crate::service::{Requests, Server};

/// An application with a secret, and one without.
pub const CLIENT_ID: &str = "fakeclientidconfidential000000";
pub const PUBLIC_CLIENT_ID: &str = "fakeclientidpublic000000000000";
/// Looks like nothing real, and is easy to find where it must not be.
pub const CLIENT_SECRET: &str = "halibut-not-a-real-secret";

/// The broadcaster whose room it is, and the bot, who is a moderator there.
pub const STREAMER: &str = "streamer";
pub const STREAMER_ID: &str = "1337";
pub const BOT: &str = "showrunner";
pub const BOT_ID: &str = "4242";

/// What a full bot asks for: the bot's half, and the broadcaster's.
pub const BOT_SCOPES: &str = "user:read:chat user:write:chat user:bot moderator:read:followers \
    moderator:manage:banned_users moderator:manage:chat_messages moderator:manage:announcements \
    moderator:manage:shoutouts moderator:manage:automod moderator:manage:warnings moderator:read:suspicious_users \
    moderator:read:blocked_terms moderator:read:chat_settings moderator:read:unban_requests moderator:read:moderators \
    moderator:read:vips user:manage:whispers";
pub const BROADCASTER_SCOPES: &str = "channel:bot channel:moderate channel:read:subscriptions bits:read \
    channel:read:redemptions channel:read:hype_train channel:read:polls channel:read:predictions channel:read:ads \
    channel:read:vips moderation:read channel:manage:broadcast clips:edit";

pub struct FakeTwitch {
    state: Arc<State>,
    server: Server,
}

impl FakeTwitch {
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

    pub fn eventsub_url(&self) -> Url {
        self.server.url("ws", "/ws")
    }

    pub fn helix_base(&self) -> Url {
        self.server.url("http", "/helix/")
    }

    pub fn oauth_base(&self) -> Url {
        self.server.url("http", "/oauth2/")
    }

    /// What a bot needs to connect to it, as the broadcaster.
    pub fn settings(&self) -> TwitchSettings {
        TwitchSettings {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect: "http://localhost:3000/oauth".to_owned(),
            channels: vec![STREAMER_ID.to_owned()],
            accounts: TwitchAccounts::Broadcaster,
            subscriptions: None,
            eventsub_url: self.eventsub_url(),
            helix_base: self.helix_base(),
            oauth_base: self.oauth_base(),
            pace: Pace { messages: None, in_flight: 4, expiry: Duration::from_secs(30) },
        }
    }

    /// A line to it, and what a bot needs to connect over it.
    pub async fn line(&self) -> (BadLine, TwitchSettings) {
        let line = BadLine::to(self.address()).await;
        let mut settings = self.settings();
        for url in [&mut settings.eventsub_url, &mut settings.helix_base, &mut settings.oauth_base] {
            url.set_port(Some(line.port())).unwrap();
        }
        (line, settings)
    }

    /// The room of [`STREAMER`].
    pub fn room(&self) -> Room<'_> {
        self.room_of(STREAMER)
    }

    pub fn room_of(&self, login: &str) -> Room<'_> {
        Room::of(&self.state, self.state.user(login))
    }

    /// Closes the port and everything that is open on it, as if killed.
    pub fn go_away(&mut self) {
        self.server.go_away();
        self.state.forget_sockets();
    }

    /// Is back on the same port; it knows its tokens, and its sessions are gone.
    pub async fn come_back(&mut self) {
        self.server.come_back().await;
    }
}

fn router(state: &Arc<State>) -> Router {
    let helix = helix::router().layer(middleware::from_fn_with_state(Arc::clone(state), helix::meter));
    Router::new()
        .route("/ws", any(socket::connect))
        .nest("/helix", helix)
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/oauth2/token", post(identity::token))
        .route("/oauth2/validate", get(identity::validate))
        .route("/oauth2/revoke", post(identity::revoke))
        .route("/oauth2/device", post(device::begin))
        .route("/activate", get(device::activate))
        .layer(middleware::from_fn_with_state(Arc::clone(&state.requests), Requests::attend))
        .with_state(Arc::clone(state))
}
