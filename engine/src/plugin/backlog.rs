//! What waits for a plugin and must not be missed: how its queue is kept on the disk while nothing takes from it, and
//! comes back. Whoever ends or starts the taking calls this: the supervisor, and the actor for its own pauses.

use std::time::Duration;

use tokio::time::timeout;

use super::delivery::Delivery;
use super::handle::PluginHandle;
use crate::effect::EffectSink;
use crate::store::{Store, StoreError};

/// How long a plugin, or its end, waits for a disk that hangs. Chat goes on without it.
const DISK_PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Backlog<'a> {
    pub(super) handle: &'a PluginHandle,
    pub(super) store: &'a Store,
}

impl Backlog<'_> {
    /// Writes what waits in the place of what was written before: nothing of it is begun. What the disk does not take
    /// soon is taken later; nobody waits for it.
    pub(super) async fn save(&self) {
        let waiting = self.handle.lanes.backlog();
        if let Err(error) = patiently(self.store.save_backlog(self.handle.id(), &waiting)).await {
            tracing::error!(plugin = %self.handle.id(), waiting = waiting.len(), %error, "Events that wait for this plugin can't be saved; they are in the journal.");
        }
    }

    /// What waits in the queue is about to begin; after a kill it must not be done as if it were for the first time.
    pub(super) fn mark_given(&self) {
        if let Err(error) = self.store.give_backlog(self.handle.id(), &self.handle.lanes.backlog()) {
            tracing::warn!(plugin = %self.handle.id(), %error, "It can't be noted that the plugin gets what waited for it.");
        }
    }

    /// Events that waited when the plugin or the engine was stopped come first.
    pub(super) async fn restore(&self, sink: &dyn EffectSink) {
        if !self.handle.lanes.backlog().is_empty() {
            // What was restored before is in the queue already.
            return self.mark_given();
        }
        let plugin = self.handle.id();
        let waiting = match self.store.take_backlog(plugin).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%plugin, %error, "The events that waited for this plugin can't be read; they are in the journal.");
                return;
            }
        };
        for mut waiting in waiting {
            if waiting.envelope.sequence == 0 {
                // The daemon was killed before it had a number.
                waiting.envelope.sequence = sink.next_number();
            }
            if self.handle.wants(&waiting.envelope) {
                self.handle.offer(Delivery::waiting(waiting), None);
            } else {
                // It no longer listens to that.
                self.store.forget_event(plugin, &waiting.envelope.id);
            }
        }
    }
}

/// An answer of the disk, or that there was none in time.
pub(super) async fn patiently<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(DISK_PATIENCE, asked).await.unwrap_or(Err(StoreError::Timeout { after: DISK_PATIENCE }))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_does_not_answer_is_called_that() {
        let Err(error) = patiently(pending::<Result<(), _>>()).await else { panic!("there is no answer") };
        assert_eq!(error.to_string(), "the disk did not answer within 2s");
    }
}
