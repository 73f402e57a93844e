//! Every default and every range of the config, and where the numbers come from.
//!
//! The limits of the plugin host have their defaults in [`Limits::default`](super::settings::Limits), beside their
//! meaning.

use std::net::{Ipv4Addr, SocketAddr};

use super::units::{Size, Time};

/// A value that may lie between two others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded<T> {
    pub(super) default: T,
    pub(super) least: T,
    pub(super) most: T,
}

pub(super) const fn bounded<T>(default: T, least: T, most: T) -> Bounded<T> {
    Bounded { default, least, most }
}

pub(super) const DATA_DIR: &str = "showrunner-data";
pub(super) const PLUGINS_DIR: &str = "plugins";
pub(super) const LOG_FILTER: &str = "info";
pub(super) const COMMAND_PREFIX: &str = "!";
pub(super) const SIMULATOR_CHANNEL: &str = "demo";

pub(super) const HTTP_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7788);

/// 16 random characters of a token's usual alphabet are 96 bits: out of reach for guessing over a network.
pub(super) const TOKEN_CHARACTERS: usize = 16;

/// All reviewers together: what a viewer does not notice as a delay.
pub(super) const REVIEW: Bounded<Time> = bounded(Time::milliseconds(50), Time::milliseconds(1), Time::seconds(5));

/// Long enough for a handler that asks a web service, short enough that the agent is not late.
pub(super) const FALLBACK_AFTER: Bounded<Time> = bounded(Time::seconds(2), Time::milliseconds(10), Time::seconds(60));

/// systemd kills after 90 s; a chat line is out of date long before.
pub(super) const DRAIN: Bounded<Time> = bounded(Time::seconds(10), Time::milliseconds(0), Time::seconds(80));

pub(super) const KEEP_FOR: Bounded<Time> =
    bounded(Time::seconds(30 * 86_400), Time::seconds(60), Time::seconds(3650 * 86_400));

/// Some months of a busy chat.
pub(super) const KEEP_SIZE: Bounded<Size> = bounded(Size(1 << 30), Size(1 << 20), Size(1 << 40));

pub(super) const QUEUE_BOUND: Bounded<u32> = bounded(1000, 1, 100_000);
/// An agent that thinks about one answer for longer has most likely died.
pub(super) const VISIBILITY: Bounded<Time> = bounded(Time::seconds(300), Time::seconds(1), Time::seconds(86_400));
pub(super) const ATTEMPTS: Bounded<u32> = bounded(5, 1, 100);
/// Agents that poll look about as often.
pub(super) const WAKE_DEBOUNCE: Bounded<Time> = bounded(Time::seconds(3), Time::milliseconds(0), Time::seconds(3600));
pub(super) const WAKE_TIMEOUT: Bounded<Time> = bounded(Time::seconds(30), Time::milliseconds(100), Time::seconds(600));

/// A build writes a plugin in several steps, hardly ever further apart than this; what was looked at too early is
/// looked at again with the next step.
pub(super) const DEBOUNCE: Bounded<Time> = bounded(Time::milliseconds(100), Time::milliseconds(10), Time::seconds(10));
pub(super) const POLL_EVERY: Bounded<Time> = bounded(Time::seconds(2), Time::milliseconds(100), Time::seconds(300));

/// The history is asked this often while the socket is refused; retake.tv's pages advise 2 s to 3 s.
pub(super) const RETAKE_POLL: Bounded<Time> = bounded(Time::seconds(3), Time::milliseconds(500), Time::seconds(60));

/// How fast an account sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaceDefaults {
    /// 0 is no limit of ours.
    pub(super) messages_per_second: f64,
    pub(super) burst: u32,
    pub(super) in_flight: u32,
    pub(super) expiry: Time,
}

/// retake.tv names no limit, so this is what a lively bot needs and what no service takes for an attack.
pub(super) const RETAKE_PACE: PaceDefaults =
    PaceDefaults { messages_per_second: 5.0, burst: 20, in_flight: 8, expiry: Time::seconds(15) };

/// Where the page of a sign-in comes back to.
pub(super) const REDIRECT: &str = "http://localhost:3000/oauth";

/// Twitch's limit for moderators and broadcasters is 100 messages in 30 s; 20 for others, who are slowed by its
/// answers.
pub(super) const TWITCH_PACE: PaceDefaults =
    PaceDefaults { messages_per_second: 2.0, burst: 40, in_flight: 8, expiry: Time::seconds(15) };

/// Channels that one bot can read: Twitch takes three connections of an account, each with 300 subscriptions. A test in
/// `platform::twitch` holds it against what a channel needs.
pub(crate) const TWITCH_BOT_CHANNELS: usize = 33;

/// The subscription types that `platform::twitch` reads; a test there holds the two lists together.
pub(crate) const TWITCH_SUBSCRIPTIONS: [&str; 52] = [
    "channel.chat.message",
    "channel.chat.notification",
    "channel.chat.message_delete",
    "channel.chat.clear_user_messages",
    "channel.chat.clear",
    "channel.chat_settings.update",
    "channel.chat.user_message_hold",
    "channel.chat.user_message_update",
    "stream.online",
    "stream.offline",
    "channel.update",
    "channel.raid",
    "channel.shared_chat.begin",
    "channel.shared_chat.update",
    "channel.shared_chat.end",
    "channel.follow",
    "channel.moderate",
    "automod.message.hold",
    "automod.message.update",
    "channel.suspicious_user.message",
    "channel.suspicious_user.update",
    "channel.shoutout.create",
    "channel.shoutout.receive",
    "channel.warning.send",
    "channel.warning.acknowledge",
    "user.whisper.message",
    "channel.subscribe",
    "channel.subscription.message",
    "channel.subscription.gift",
    "channel.subscription.end",
    "channel.cheer",
    "channel.bits.use",
    "channel.channel_points_custom_reward_redemption.add",
    "channel.channel_points_custom_reward_redemption.update",
    "channel.channel_points_automatic_reward_redemption.add",
    "channel.hype_train.begin",
    "channel.hype_train.progress",
    "channel.hype_train.end",
    "channel.poll.begin",
    "channel.poll.progress",
    "channel.poll.end",
    "channel.prediction.begin",
    "channel.prediction.progress",
    "channel.prediction.lock",
    "channel.prediction.end",
    "channel.ban",
    "channel.unban",
    "channel.moderator.add",
    "channel.moderator.remove",
    "channel.vip.add",
    "channel.vip.remove",
    "channel.ad_break.begin",
];

/// One message a second, as Joystick's own bots send; no limit is documented.
pub(super) const JOYSTICK_PACE: PaceDefaults =
    PaceDefaults { messages_per_second: 1.0, burst: 1, in_flight: 4, expiry: Time::seconds(30) };

/// A line comes back within a second, unless it does not come back at all.
pub(super) const JOYSTICK_ECHO: Bounded<Time> = bounded(Time::seconds(5), Time::milliseconds(100), Time::seconds(60));

/// Nobody is hurt by a fast simulator.
pub(super) const SIMULATOR_PACE: PaceDefaults =
    PaceDefaults { messages_per_second: 0.0, burst: 100, in_flight: 32, expiry: Time::seconds(60) };

pub(super) const MESSAGES_PER_SECOND: (f64, f64) = (0.0, 10_000.0);
pub(super) const BURST: (u32, u32) = (1, 10_000);
pub(super) const IN_FLIGHT: (u32, u32) = (1, 256);
pub(super) const EXPIRY: (Time, Time) = (Time::seconds(1), Time::seconds(3600));
