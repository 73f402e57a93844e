//! How the fake is told to behave. All of it can be changed at any time.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::SignedDuration;

use super::{BOT, STREAMER};
use crate::service::When;

/// Why a chat line is not sent, and in which of the two shapes that is said.
#[derive(Debug, Clone)]
pub struct DropReason {
    pub code: String,
    pub message: String,
    /// The older shape: a list with one reason in it.
    pub is_list: bool,
}

impl DropReason {
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), is_list: false }
    }
}

/// What becomes of those who sign in with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// Somebody agrees after so many polls that were too early.
    After(u32),
    Never,
    /// The code is not valid any more.
    Expired,
}

pub(super) struct Behaviour {
    // EventSub
    /// The first thing that a socket hears.
    pub(super) welcome: When,
    /// In place of what the client wished.
    pub(super) keepalive_seconds: Option<u64>,
    pub(super) sends_keepalives: bool,
    pub(super) ping_every: Duration,
    pub(super) sends_pings: bool,
    pub(super) unused_after: Duration,
    pub(super) reconnect_grace: Duration,
    /// Whether the old socket still delivers when the new one has its welcome.
    pub(super) does_overlap: bool,
    /// How long a session that broke off still counts.
    pub(super) reaped_after: Duration,
    /// Added to all times it names.
    pub(super) skew: SignedDuration,
    pub(super) has_recovery_url: bool,
    pub(super) adds_unknown_fields: bool,
    /// Every subscription to a channel that did not agree costs 1, also where the reader agreed.
    pub(super) has_strict_cost: bool,
    pub(super) max_subscriptions: usize,
    // Helix
    pub(super) points_per_minute: f64,
    pub(super) has_endpoint_limits: bool,
    pub(super) drops: VecDeque<DropReason>,
    /// Whether what was sent comes back as an event.
    pub(super) does_echo: bool,
    /// Whether `drop_reason` is there, as null, when a line was sent.
    pub(super) names_no_drop_reason: bool,
    // The id server
    pub(super) access_lifetime: Duration,
    pub(super) does_rotate: bool,
    /// An old refresh token that comes again costs all tokens of its grant.
    pub(super) does_revoke_family: bool,
    /// `None` for the bot where only a bot's scopes are asked for, and the streamer otherwise.
    pub(super) signs_in: Option<String>,
    pub(super) denies: bool,
    /// Where a browser may be sent; empty for any place on this machine.
    pub(super) redirects: Vec<String>,
    pub(super) device: DeviceAnswer,
    pub(super) device_interval: u64,
}

impl Behaviour {
    /// Who agrees to these scopes.
    pub(super) fn who_signs_in(&self, scopes: &[String]) -> String {
        let is_broadcasters = |scope: &String| !scope.starts_with("user:") && !scope.starts_with("moderator:");
        let likely = if scopes.iter().any(is_broadcasters) { STREAMER } else { BOT };
        self.signs_in.clone().unwrap_or_else(|| likely.to_owned())
    }

    pub(super) fn new() -> Self {
        Self {
            welcome: When::AtOnce,
            keepalive_seconds: None,
            sends_keepalives: true,
            ping_every: Duration::from_secs(5),
            sends_pings: true,
            unused_after: Duration::from_secs(10),
            reconnect_grace: Duration::from_secs(30),
            does_overlap: true,
            reaped_after: Duration::ZERO,
            skew: SignedDuration::ZERO,
            has_recovery_url: true,
            adds_unknown_fields: false,
            has_strict_cost: false,
            max_subscriptions: 300,
            points_per_minute: 800.0,
            has_endpoint_limits: true,
            drops: VecDeque::new(),
            does_echo: true,
            names_no_drop_reason: true,
            access_lifetime: Duration::from_secs(14_124),
            does_rotate: false,
            does_revoke_family: false,
            signs_in: Some(STREAMER.to_owned()),
            denies: false,
            redirects: Vec::new(),
            device: DeviceAnswer::After(1),
            device_interval: 5,
        }
    }
}
