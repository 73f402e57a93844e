//! The plugin host: loads WebAssembly components, keeps each in a store and a task of its own, gives it events, and
//! takes the effects of those handlers that end well.
//!
//! Nothing in here knows a platform. What a plugin wants done leaves through an
//! [`EffectSink`](crate::effect::EffectSink).

mod actor;
mod admission;
mod backlog;
#[doc(hidden)]
pub mod bench;
mod clock;
mod delivery;
pub mod grants;
mod guest;
mod handle;
mod host;
mod imports;
pub mod inspect;
mod instance;
mod lanes;
mod loader;
mod machine;
pub mod manifest;
mod memory;
mod order;
pub mod player;
mod restart;
mod services;
pub mod shipped;
mod status;
mod subscription;
mod threads;
mod timers;
mod watcher;
mod wit;

pub use self::delivery::{Delivery, Dispatch, Ticket};
#[cfg(test)]
pub(crate) use self::handle::Given;
pub use self::handle::{PluginHandle, Roster};
pub use self::host::{Host, HostError, HostOptions, OrderError};
pub use self::status::{Phase, PluginState};
pub use self::threads::Threads;
