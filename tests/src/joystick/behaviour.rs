//! How the fake is told to behave. All of it can be changed at any time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::service::When;

/// What becomes of a subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    Properly,
    After(Duration),
    /// It is subscribed, and the confirmation is lost. Asked again, it does not confirm again.
    Unsaid,
    /// The command is lost.
    Unheard,
    Rejected,
}

/// How a socket without a valid token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Code 4401.
    Close,
    /// Action Cable's own `disconnect`, with "unauthorized".
    Disconnect,
}

/// The two ways in which a failed command may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    Bare,
    Wrapped,
}

/// How version 1 writes metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// A text that holds JSON.
    Text,
    Object,
    Missing,
    /// "".
    Empty,
    /// "{}".
    Braces,
    /// A text that holds no JSON.
    Broken,
}

pub(super) struct Behaviour {
    // The gateway
    pub(super) welcome: When,
    pub(super) ping_every: Duration,
    pub(super) sends_pings: bool,
    pub(super) confirm: Confirm,
    pub(super) next_confirms: VecDeque<Confirm>,
    pub(super) refused: Refused,
    pub(super) takes_access: bool,
    pub(super) takes_basic: bool,
    /// A socket hears of all channels, also where its token is of one.
    pub(super) serves_all: bool,
    /// `{"channel":"GatewayChannel"}` is also known after a subscribe with a version.
    pub(super) knows_plain_identifier: bool,
    // Events
    pub(super) metadata: Metadata,
    pub(super) numbers_are_texts: bool,
    /// The sample of the docs that says `chat_message`.
    pub(super) says_chat_message: bool,
    pub(super) adds_unknown_fields: bool,
    // Commands
    pub(super) echo: When,
    pub(super) next_echoes: VecDeque<When>,
    /// What was said comes back as a `BotMessage`, which names no channel.
    pub(super) echoes_as_bot: bool,
    pub(super) echoes_whispers: bool,
    pub(super) error_shape: ErrorShape,
    /// In place of carrying out the next commands.
    pub(super) next_errors: VecDeque<String>,
    /// A server of before July 2026.
    pub(super) knows_camel_only: bool,
    // OAuth
    /// `None` for what the kind of client has.
    pub(super) access_lifetime: Option<Duration>,
    pub(super) expiry_is_absolute: bool,
    pub(super) denies: bool,
    pub(super) signs_in: String,
    /// What the bot was granted when it was made.
    pub(super) granted: Vec<String>,
    pub(super) redirects: Vec<String>,
}

impl Behaviour {
    pub(super) fn new() -> Self {
        Self {
            welcome: When::AtOnce,
            ping_every: Duration::from_secs(3),
            sends_pings: true,
            confirm: Confirm::Properly,
            next_confirms: VecDeque::new(),
            refused: Refused::Close,
            takes_access: true,
            takes_basic: true,
            serves_all: true,
            knows_plain_identifier: false,
            metadata: Metadata::Text,
            numbers_are_texts: false,
            says_chat_message: false,
            adds_unknown_fields: false,
            echo: When::AtOnce,
            next_echoes: VecDeque::new(),
            echoes_as_bot: false,
            echoes_whispers: false,
            error_shape: ErrorShape::Bare,
            next_errors: VecDeque::new(),
            knows_camel_only: false,
            access_lifetime: None,
            expiry_is_absolute: false,
            denies: false,
            signs_in: super::STREAMER.to_owned(),
            granted: super::SCOPES.split_whitespace().map(str::to_owned).collect(),
            redirects: Vec::new(),
        }
    }
}
