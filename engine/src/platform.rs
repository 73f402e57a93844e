//! The streaming platforms: each turns its own wire format into [`Draft`]s and carries out [`Action`]s.
//!
//! A platform never knows a plugin. Each of its listeners holds one connection at a time; connecting again after an end
//! is the business of the [`supervisor`] alone, so no two parts can ever reconnect at once.

pub mod actioncable;
mod backoff;
mod fields;
pub mod http;
pub mod joystick;
pub(crate) mod panic;
pub mod retake;
mod sent;
pub mod simulator;
pub mod socketio;
pub mod supervisor;
pub mod twitch;
pub mod websocket;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::backoff::Backoff;
pub use crate::config::settings::{Pace, Rate};
use crate::effect::Action;
use crate::event::{Channel, Draft};
use crate::observation::ConnectionState;

/// The half that listens. One value lives as long as its entry in the config and is run again and again.
#[async_trait]
pub trait Source: Send {
    /// Connects, joins, reports [`ConnectionState::Ready`] when events will really come, and hands every event to
    /// `link` until the connection ends. Returns why it ended; it never reconnects by itself.
    ///
    /// The supervisor drops the future when the connection is to be closed.
    async fn run(&mut self, link: &Link) -> Disconnect;
}

/// The half that acts. Shared by all who send on this account. Where a platform takes actions over the socket that it
/// tells events by, this half needs the listening one: without a connection it answers
/// [`ActionError::Unreachable`], and never opens one of its own.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Carries out one action, once. Retrying is the outbox's business.
    async fn perform(&self, channel: &Channel, action: &Action) -> Result<Receipt, ActionError>;
}

/// A configured account on a platform, ready to run.
pub struct Account {
    /// For logs and status: "retake:5b7c".
    pub name: String,
    /// The channels that this account reads and writes.
    pub channels: Vec<Channel>,
    /// What listens. More than one where one login can't hear everything; each is connected on its own.
    pub sources: Vec<Listener>,
    pub sink: Arc<dyn Sink>,
    pub pace: Pace,
}

/// A source and the name that its connection has in logs and status.
pub struct Listener {
    pub name: String,
    pub channels: Vec<Channel>,
    pub source: Box<dyn Source>,
}

/// What a platform says when it did something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The platform's id of the message that was sent.
    pub message_id: Option<String>,
}

/// Why an action was not done. Only the first three may be tried again, `Lost` only when it is repeatable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// It never reached the platform.
    #[error("not sent: {0}")]
    Unreachable(String),
    /// The platform asks to wait.
    #[error("rate-limited by the platform{}", retry_after.map_or_else(String::new, |wait| format!(", for {wait:?}")))]
    RateLimited { retry_after: Option<Duration> },
    /// It was sent, and no answer came.
    #[error("sent, but no answer came: {0}")]
    Lost(String),
    /// The platform said no, and would again.
    #[error("refused: {0}")]
    Refused(String),
    #[error("{platform} has no way to {action}")]
    Unsupported { platform: &'static str, action: &'static str },
}

/// Why a connection ended, and what the supervisor is to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disconnect {
    /// Connect again after a pause.
    Retry(String),
    /// Connecting again can't help; says what a person has to do.
    Stop { why: String, what_to_do: String },
}

/// What a running source is given: where to hand events to, and where to say how it is.
pub struct Link {
    pub(crate) accept: Arc<dyn Fn(Draft) + Send + Sync>,
    pub(crate) report: Arc<dyn Fn(ConnectionState) + Send + Sync>,
}

impl Link {
    /// Hands over an event. Never waits: what can't be taken in time is dropped by the lanes' rules, further on.
    pub fn emit(&self, draft: Draft) {
        (self.accept)(draft);
    }

    pub fn report(&self, state: ConnectionState) {
        (self.report)(state);
    }
}
