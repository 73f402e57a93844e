//! How a new version takes over between two events, with the memory of the old one where both carry it.

use super::Actor;
use crate::plugin::instance::Crash;
use crate::plugin::order::Candidate;
use crate::plugin::restart::Restarts;

/// What a version may hand over to the next: as much as its durable memory may hold by default.
const HANDOVER_BYTES: usize = 1 << 20;

impl Actor {
    /// Takes over a new instance, with the old one's memory where both carry it. On an error the old one stays.
    pub(super) async fn swap(&mut self, new: Candidate) -> Result<(), Crash> {
        let new = self.refresh(new).await?;
        let saved = if self.live.instance.restores() && new.live.instance.restores() {
            self.live.instance.save().await.unwrap_or_else(|crash| {
                tracing::warn!(plugin = %self.handle.id(), error = %crash, "The old version could not save its memory; the new one starts without it.");
                None
            })
        } else {
            None
        };
        let new = match saved {
            Some(saved) => self.hand_over(&saved, new).await?,
            None => new,
        };
        self.take_over(new);
        Ok(())
    }

    /// Its `init` ran while the old version was at work. Where both use the durable memory, the new one would go on
    /// with what was there before, and write it over what came since; so it is initialised again, now that nobody
    /// writes.
    pub(super) async fn refresh(&mut self, new: Candidate) -> Result<Candidate, Crash> {
        let kv_version = self.live.context.kv_version();
        match new.kv_version {
            Some(used) if used != kv_version => new.live.start_again().await,
            _ => Ok(new),
        }
    }

    async fn hand_over(&mut self, saved: &[u8], mut new: Candidate) -> Result<Candidate, Crash> {
        let saved_by = &self.live.loaded.manifest.version;
        if saved.len() > HANDOVER_BYTES {
            tracing::warn!(plugin = %self.handle.id(), bytes = saved.len(), limit = HANDOVER_BYTES, "The old version saved too much; the new one starts without it.");
            return Ok(new);
        }
        match new.live.instance.restore(saved, saved_by).await {
            Ok(Ok(())) => Ok(new),
            Ok(Err(error)) => {
                tracing::warn!(plugin = %self.handle.id(), %error, "The new version refused the old one's memory and starts without it.");
                Ok(new)
            }
            Err(crash) => {
                tracing::warn!(plugin = %self.handle.id(), error = %crash, "The new version crashed on the old one's memory and starts without it.");
                new.live.start_again().await
            }
        }
    }

    pub(super) fn take_over(&mut self, new: Candidate) {
        self.timers.clear();
        self.restarts = Restarts::default();
        self.live = new.live;
        self.record_start();
        self.commit_start(new.output);
    }
}
