//! What plugins may call, one file a capability. Each checks the grant in each call, reads at once, and writes effects
//! down for later.

mod agent;
mod alerts;
mod chat;
mod clock;
mod config;
mod gateway;
pub(super) mod http;
pub(super) mod kv;
pub(super) mod log;
mod moderation;
pub(super) mod stdio;
mod timers;
mod tools;
mod viewers;

use super::wit::v0_1::bindings::showrunner::plugin as wit;

impl wit::types::Host for super::guest::Guest {}
