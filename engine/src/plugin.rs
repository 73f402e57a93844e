//! The plugin host: loads WebAssembly components, keeps each in a store and a task of its own, gives it events, and
//! takes the effects of those handlers that end well.
//!
//! Nothing in here knows a platform. What a plugin wants done leaves through an [`EffectSink`](crate::effect::EffectSink).

mod delivery;
mod handle;
mod instance;
mod lanes;
mod order;
mod subscription;

pub use self::delivery::{Delivery, Dispatch, Ticket};
pub use self::handle::{PluginHandle, Roster};
pub use self::instance::Verdict;
