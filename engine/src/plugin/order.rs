//! What the host tells a plugin's actor.

use tokio::sync::oneshot;

use super::actor::Live;
use super::instance::{CallOutput, Crash};

pub(super) enum Order {
    /// A new instance, complete and initialised: take over between two events. Also ends a quarantine.
    Swap { new: Box<Candidate>, done: oneshot::Sender<Result<(), Crash>> },
    /// No more events until a new instance comes.
    Quarantine { why: String },
    /// Finish the event in hand and end.
    Stop,
}

/// A new instance, with what its `init` asked for; that leaves when it takes over.
pub(super) struct Candidate {
    pub(super) live: Live,
    pub(super) output: CallOutput,
    /// The version of the durable memory that its `init` has used, if it did.
    pub(super) kv_version: Option<u64>,
}
