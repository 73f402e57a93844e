//! Tests a plugin with plain `cargo test`: push an event, read the effects. No engine, no WebAssembly.
//!
//! ```
//! use showrunner_sdk::prelude::*;
//! use showrunner_sdk::testing::{Harness, Setup, event};
//! # struct Greeter;
//! # impl Plugin for Greeter {
//! #     fn new() -> Result<Self, String> { Ok(Self) }
//! #     fn on_chat(&mut self, envelope: &Envelope, message: &ChatMessage) -> Answer {
//! #         chat::reply(envelope, format!("Hi {}!", message.author.shown_name()))?;
//! #         Ok(Handled)
//! #     }
//! # }
//! let mut harness: Harness<Greeter> = Harness::start(Setup::new())?;
//! let reaction = harness.push(event::chat("alice", "hi"));
//! assert_eq!(reaction.texts(), ["Hi alice!"]);
//!
//! harness.deny("chat.reply");
//! assert_eq!(harness.push(event::chat("alice", "hi")).error(), Some("denied: chat.reply was not granted by the operator"));
//! # Ok::<(), String>(())
//! ```
//!
//! What the host promises, the harness keeps: effects and memory are kept only when the handler returns `Ok`; an
//! event holds at most 32 effects and 64 KiB; a value of kv 64 KiB, all of it 1 MiB; a review has no effects. What
//! is refused is refused in the host's words. With the plugin's own
//! `plugin.toml` ([`Setup::manifest`]) only the permissions, events and commands that it lists are there.
//!
//! It is not there in a component: on `wasm32` the same functions are the host's.

mod effect;
pub mod event;
pub(crate) mod functions;
mod harness;
mod manifest;
mod setup;
mod state;

pub use effect::Effect;
pub use event::Draft;
pub use harness::{Harness, Reaction};
pub use setup::Setup;

/// Sets the clock of this thread outside of a [`Harness`], for tests of a plugin's parts.
pub fn set_now_ms(now_ms: u64) {
    state::with(|state| state.now_ms = now_ms);
}
