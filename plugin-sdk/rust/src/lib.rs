#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![allow(clippy::test_attr_in_doctest, reason = "the README shows the author's test, which `tests/greeter` runs")]

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::use_self,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "generated"
)]
#[doc(hidden)]
pub mod bindings;

pub mod agent;
pub mod alerts;
pub mod amount;
pub mod chat;
pub mod clock;
pub mod commands;
pub mod config;
pub mod cooldown;
pub mod event;
pub mod gateway;
pub mod http;
pub mod kv;
pub mod log;
pub mod moderation;
pub mod random;
pub mod template;
pub mod timers;
pub mod tools;
pub mod viewers;

#[doc(hidden)]
pub mod guest;
mod host;
mod plugin;
mod refusal;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use event::{Disposition, Envelope, Event, Place, Verdict};
pub use plugin::{Answer, Handover, Plugin, Reviewer};
pub use refusal::{Refusal, Refused};

/// What nearly every plugin needs: `use showrunner_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::chat;
    pub use crate::config;
    pub use crate::event::Disposition::{Handled, Passed};
    pub use crate::event::{
        AgentReply, ChatMessage, Command, Disposition, Envelope, Event, Follow, Gift, Place, Raid, Redemption, Roles,
        Subscription, Support, Timer, User, Verdict,
    };
    pub use crate::kv;
    pub use crate::log;
    pub use crate::plugin::{Answer, Handover, Plugin, Reviewer};
}
