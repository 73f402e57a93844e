//! What the outside sees of a running engine: health and metrics over HTTP, and the control socket for the command
//! line.
//!
//! Everything here asks the engine through [`Health`] and [`control::Control`]; it knows nothing of how the engine
//! works, and nothing here can slow down an event.

pub mod control;
mod health;
pub mod http;
pub mod metrics;
pub mod service;
pub mod view;

pub use self::health::{Health, Liveness, Readiness};

/// What the HTTP routes answer from.
pub struct State {
    pub health: Health,
    /// `None` where no recorder is installed, as in tests.
    pub metrics: Option<metrics::Page>,
}
