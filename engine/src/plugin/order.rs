//! What the host tells a plugin's actor.

use tokio::sync::oneshot;

use super::actor::Candidate;
use super::instance::Crash;

pub(super) enum Order {
    /// A new instance, complete and initialised: take over between two events.
    Swap { candidate: Box<Candidate>, done: oneshot::Sender<Result<(), Crash>> },
    /// A reviver's or the operator's word: start again whatever the crash count says.
    Revive { candidate: Box<Candidate> },
    /// No more events until the file changes or the operator says so.
    Quarantine { why: String },
    /// Finish the event in hand and end.
    Stop { done: oneshot::Sender<()> },
}
