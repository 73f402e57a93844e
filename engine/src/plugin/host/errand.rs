//! What the dispatcher asks a supervisor to do, why, and who waits for the end of it.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::OrderError;
use crate::plugin::status::PluginState;

/// Why a plugin is looked at, from the least to what counts for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Start,
    FileChanged,
    Settings,
    /// The host's own code has failed over it, and nothing of it runs.
    HostFailed,
    Operator,
}

/// What a supervisor is asked to do.
pub(super) enum Errand {
    /// To look at the plugin and do what is to be done: start, replace, change rights, stop, or nothing.
    Consider { reason: Reason, waiter: Waiter },
    /// To end the plugin and itself.
    End { until: Instant },
}

/// Who waits for the end of an errand.
pub(super) enum Waiter {
    Nobody,
    /// Somebody who waits for many, and not for long.
    Group(Arc<LastOne>),
    /// A person who asked for this very plugin, and waits however long it takes.
    Operator(oneshot::Sender<Result<PluginState, OrderError>>),
}

/// Tells when the last of those who share it has let go.
pub(super) struct LastOne(Option<oneshot::Sender<()>>);

impl LastOne {
    pub(super) fn new() -> (Arc<Self>, oneshot::Receiver<()>) {
        let (done, told) = oneshot::channel();
        (Self::telling(done), told)
    }

    pub(super) fn telling(done: oneshot::Sender<()>) -> Arc<Self> {
        Arc::new(Self(Some(done)))
    }
}

impl Drop for LastOne {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            // Whoever waited may have gone away.
            let _ = done.send(());
        }
    }
}
