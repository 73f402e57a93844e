//! The three platforms, each as the load needs it: a viewer asks, gives, spams; the platform fails.

use async_trait::async_trait;
use showrunner_tests::answers;
use showrunner_tests::joystick::{self, FakeJoystick};
#[cfg(feature = "real-peers")]
use showrunner_tests::real_peers::socketio::{GoingAway, SocketIoPeer};
use showrunner_tests::retake::FakeRetake;
use showrunner_tests::twitch::{self, FakeTwitch};

use super::installation::Who;
use super::load::VIEWER;

/// What moderation is told to suspend for.
pub(super) const SPAM: &str = "cheap herrings here";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Every socket breaks.
    Cut,
    /// The whole server is gone for a while.
    Restart,
    /// The platform asks for another connection, in its own way.
    Reconnect,
    /// Every access token is too old at once.
    Expire,
    /// Whoever signed in takes everything back.
    Revoke,
}

impl Fault {
    /// Whether nothing may be lost by it: no connection breaks.
    pub(super) fn is_harmless(self, stream: &str) -> bool {
        match self {
            Self::Cut | Self::Restart | Self::Revoke => false,
            Self::Reconnect => stream == "twitch",
            Self::Expire => true,
        }
    }
}

#[async_trait]
pub(super) trait Stream: Send {
    fn name(&self) -> &'static str;
    /// Whether it is told how its viewers are called.
    fn names_its_viewers(&self) -> bool {
        true
    }
    /// The viewer asks the question of this number; they are asked in order.
    async fn ask(&mut self, number: usize);
    /// Somebody of this name gives money. Says whether that can be done there.
    async fn give(&mut self, name: &str) -> bool;
    /// Somebody writes what is forbidden.
    async fn spam(&mut self);
    /// The lines that the bot sent, in any order.
    async fn sent(&mut self) -> Vec<String>;
    /// How many connections the bot has made ever, and whether it hears everything now.
    async fn connection(&mut self) -> (usize, bool);
    async fn fail(&mut self, fault: Fault);
    /// Who must sign in again after everything was taken back.
    fn signs_in(&self) -> Option<Who>;
    /// Ends a restart.
    async fn come_back(&mut self);
    /// Whether what happened to the spammer is what this platform can do.
    fn has_judged(&self) -> bool;
    /// What must be true of it in the end.
    fn check(&self, spam: &str);
}

pub(super) struct Twitch(pub(super) FakeTwitch);

impl Twitch {
    pub(super) async fn start() -> Self {
        let twitch = FakeTwitch::start().await;
        // What is tested here is not its patience.
        twitch.set_points_per_minute(1e9);
        twitch.rotate_refresh_tokens(true);
        twitch.revoke_families(true);
        Self(twitch)
    }
}

#[async_trait]
impl Stream for Twitch {
    fn name(&self) -> &'static str {
        "twitch"
    }

    async fn ask(&mut self, number: usize) {
        self.0.room().say(VIEWER, &question(number));
    }

    async fn give(&mut self, name: &str) -> bool {
        self.0.room().cheer(name, 100, "for the show");
        true
    }

    async fn spam(&mut self) {
        self.0.room().say("spammer", SPAM);
    }

    async fn sent(&mut self) -> Vec<String> {
        self.0.sent_texts()
    }

    async fn connection(&mut self) -> (usize, bool) {
        let hears = ["channel.chat.message", "channel.cheer"].iter().all(|name| self.0.is_subscribed(name));
        // The bot has one, the broadcaster another.
        (self.0.sockets_ever(), hears && self.0.sockets() == 2)
    }

    async fn fail(&mut self, fault: Fault) {
        match fault {
            Fault::Cut => self.0.drop_sockets(),
            Fault::Restart => self.0.go_away(),
            Fault::Reconnect => self.0.reconnect(),
            Fault::Expire => self.0.expire_access_tokens(),
            Fault::Revoke => {
                self.0.disconnect(twitch::BOT);
                self.0.signs_in(twitch::BOT);
            }
        }
    }

    fn signs_in(&self) -> Option<Who> {
        Some(Who::Bot)
    }

    async fn come_back(&mut self) {
        self.0.come_back().await;
    }

    fn has_judged(&self) -> bool {
        self.0.room().is_banned("spammer")
    }

    fn check(&self, _: &str) {
        assert!(self.has_judged(), "the spammer is not suspended");
        assert!(self.0.sent().iter().all(|sent| {
            (sent.broadcaster_id.as_str(), sent.sender_id.as_str()) == (twitch::STREAMER_ID, twitch::BOT_ID)
        }));
        assert!(self.0.refreshes() >= 1, "no token was refreshed");
        assert_eq!(self.0.spent_refreshes(), 0, "a refresh token was used twice");
        // For a moment of each reconnect there are both.
        assert!(self.0.most_sockets() <= 4, "{} sockets at once", self.0.most_sockets());
    }
}

pub(super) struct Joystick(pub(super) FakeJoystick);

impl Joystick {
    pub(super) async fn start() -> Self {
        Self(FakeJoystick::start().await)
    }
}

#[async_trait]
impl Stream for Joystick {
    fn name(&self) -> &'static str {
        "joystick"
    }

    async fn ask(&mut self, number: usize) {
        self.0.room().say(VIEWER, &question(number));
    }

    async fn give(&mut self, name: &str) -> bool {
        self.0.room().tip(name, 50, None);
        true
    }

    async fn spam(&mut self) {
        self.0.room().say("spammer", SPAM);
    }

    async fn sent(&mut self) -> Vec<String> {
        self.0.sent_texts()
    }

    async fn connection(&mut self) -> (usize, bool) {
        (self.0.sockets_ever(), self.0.listeners() == 1)
    }

    async fn fail(&mut self, fault: Fault) {
        match fault {
            Fault::Cut => self.0.drop_sockets(),
            Fault::Restart => self.0.go_away(),
            Fault::Reconnect => self.0.disconnect(Some("server_restart"), true),
            // It is looked at when somebody connects.
            Fault::Expire => self.0.expire_access_tokens(),
            Fault::Revoke => {
                self.0.uninstall(joystick::STREAMER);
                self.0.close(4401);
                self.0.signs_in(joystick::STREAMER);
            }
        }
    }

    fn signs_in(&self) -> Option<Who> {
        Some(Who::Streamer)
    }

    async fn come_back(&mut self) {
        self.0.come_back().await;
    }

    fn has_judged(&self) -> bool {
        self.0.room().is_muted("spammer")
    }

    fn check(&self, _: &str) {
        assert!(self.has_judged(), "the spammer is not muted");
        assert!(self.0.did().iter().all(|did| did.channel_id == joystick::CHANNEL && did.action != "block_user"));
        assert!(self.0.refreshes() >= 1, "no token was refreshed");
        assert_eq!(self.0.spent_refreshes(), 0, "a refresh token was used twice, which costs the installation");
        assert_eq!(self.0.ignored(), Vec::<serde_json::Value>::new());
        assert_eq!(self.0.most_sockets(), 1);
    }
}

pub(super) enum Retake {
    Fake(FakeRetake),
    #[cfg(feature = "real-peers")]
    Real(Box<SocketIoPeer>),
}

impl Retake {
    pub(super) fn rest_base(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/", self.port())
    }

    pub(super) fn socket_url(&self) -> String {
        format!("ws://127.0.0.1:{}/socket.io/", self.port())
    }

    fn port(&self) -> u16 {
        match self {
            Self::Fake(fake) => fake.address().port(),
            #[cfg(feature = "real-peers")]
            Self::Real(peer) => peer.port,
        }
    }
}

#[async_trait]
impl Stream for Retake {
    fn name(&self) -> &'static str {
        "retake"
    }

    fn names_its_viewers(&self) -> bool {
        matches!(self, Self::Fake(_))
    }

    async fn ask(&mut self, number: usize) {
        match self {
            Self::Fake(fake) => {
                fake.say(VIEWER, &question(number));
            }
            #[cfg(feature = "real-peers")]
            // It counts for itself, and in the same way.
            Self::Real(peer) => assert_eq!(peer.say(1, true).await, number + 1),
        }
    }

    async fn give(&mut self, _: &str) -> bool {
        false
    }

    async fn spam(&mut self) {
        match self {
            Self::Fake(fake) => {
                fake.say("spammer", SPAM);
            }
            // Its viewers do nothing but ask.
            #[cfg(feature = "real-peers")]
            Self::Real(_) => {}
        }
    }

    async fn sent(&mut self) -> Vec<String> {
        match self {
            Self::Fake(fake) => fake.sent(),
            #[cfg(feature = "real-peers")]
            Self::Real(peer) => peer.answers().await,
        }
    }

    async fn connection(&mut self) -> (usize, bool) {
        match self {
            Self::Fake(fake) => (fake.joins(), fake.sockets_in_room() == 1),
            #[cfg(feature = "real-peers")]
            Self::Real(peer) => (0, peer.sockets().await.room == 1),
        }
    }

    async fn fail(&mut self, fault: Fault) {
        match (self, fault) {
            (Self::Fake(fake), Fault::Restart) => fake.go_away(),
            (Self::Fake(fake), _) => fake.drop_sockets(),
            #[cfg(feature = "real-peers")]
            (Self::Real(peer), Fault::Restart) => peer.go_away(GoingAway::InGoodOrder).await,
            #[cfg(feature = "real-peers")]
            (Self::Real(peer), _) => {
                peer.go_away(GoingAway::Abruptly).await;
                peer.come_back().await;
            }
        }
    }

    fn signs_in(&self) -> Option<Who> {
        None
    }

    async fn come_back(&mut self) {
        match self {
            Self::Fake(fake) => fake.come_back().await,
            #[cfg(feature = "real-peers")]
            Self::Real(peer) => peer.come_back().await,
        }
    }

    fn has_judged(&self) -> bool {
        // There is no way to.
        true
    }

    fn check(&self, spam: &str) {
        match self {
            Self::Fake(fake) => {
                assert_eq!(fake.most_sockets(), 1);
                assert!(fake.sent().iter().all(|line| !line.contains(spam)));
            }
            #[cfg(feature = "real-peers")]
            Self::Real(_) => {}
        }
    }
}

fn question(number: usize) -> String {
    format!("!{} {number}", answers::COMMAND)
}
