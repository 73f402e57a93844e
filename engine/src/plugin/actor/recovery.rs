//! How a plugin comes back after a crash, and how it waits while it can't: for the end of a pause, or in quarantine for
//! a new version. Its queue stays; what must not be missed is on the disk meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Actor, Live, Pause, Report};
use crate::metric;
use crate::plugin::instance::Crash;
use crate::plugin::order::{Candidate, Order};
use crate::plugin::restart::After;

/// Events wait for a plugin that comes back this soon, and the fallbacks with them; after a longer pause chatter would
/// be answered when nobody remembers it.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// How a pause ended.
enum Paused {
    Over,
    Replaced,
    Ended(Pause),
}

impl Actor {
    /// After a crash: a new instance, at once or after a pause. Returns when that can't be.
    pub(super) async fn recover(&mut self, crash: Crash) -> Option<Pause> {
        metrics::counter!(metric::PLUGIN_CRASHES, "plugin" => self.handle.id().to_string()).increment(1);
        self.timers.clear();
        let mut why = crash.to_string();
        loop {
            self.report(Report::Crashed { why: why.clone() });
            let pause = match self.restarts.crashed(Instant::now()) {
                After::Restart { pause } => pause,
                After::Quarantine => {
                    return Some(Pause::Quarantine(format!("too many crashes in a minute, the last: {why}")));
                }
            };
            if !pause.is_zero() {
                if pause > SHORT_PAUSE {
                    self.handle.set_running(false);
                }
                tracing::info!(plugin = %self.handle.id(), ?pause, "The plugin starts again after a pause.");
                match self.pause(Instant::now() + pause).await {
                    Paused::Over => {}
                    Paused::Replaced => return None,
                    Paused::Ended(pause) => return Some(pause),
                }
            }
            let (loaded, context) = (Arc::clone(&self.live.loaded), Arc::clone(&self.live.context));
            match Live::start(loaded, context, self.live.generation).await {
                Ok(Candidate { live, output, kv_version: _ }) => {
                    if !self.handle.is_running() {
                        self.backlog().mark_given();
                    }
                    self.live = live;
                    self.commit_start(output);
                    self.handle.set_running(true);
                    self.report(Report::Recovered);
                    return None;
                }
                Err(error) => {
                    tracing::error!(plugin = %self.handle.id(), %error, "The plugin could not be started again.");
                    why = error.to_string();
                }
            }
        }
    }

    /// Waits without an instance, open to orders.
    async fn pause(&mut self, until: Instant) -> Paused {
        let order = tokio::select! {
            order = self.handle.lanes.next_order() => order,
            () = sleep_until(until) => return Paused::Over,
        };
        match order {
            Order::Stop => Paused::Ended(Pause::Stop),
            Order::Quarantine { why } => Paused::Ended(Pause::Quarantine(why)),
            Order::Swap { new, done } => {
                let revived = self.revive(*new).await;
                let paused = if revived.is_ok() { Paused::Replaced } else { Paused::Over };
                let _ = done.send(revived);
                paused
            }
        }
    }

    /// A new instance for a plugin that is down: there is no memory to hand over.
    async fn revive(&mut self, new: Candidate) -> Result<(), Crash> {
        let new = self.refresh(new).await?;
        self.backlog().mark_given();
        self.take_over(new);
        self.handle.set_running(true);
        Ok(())
    }

    /// Returns whether to go on.
    pub(super) async fn wait_out_quarantine(&mut self, why: String) -> bool {
        tracing::error!(plugin = %self.handle.id(), why, "The plugin is quarantined until its file changes or `showrunner plugins reload` is called.");
        self.handle.set_running(false);
        self.timers.clear();
        self.backlog().save().await;
        self.report(Report::Quarantined { why });
        loop {
            match self.handle.lanes.next_order().await {
                Order::Stop => return false,
                Order::Quarantine { .. } => {}
                Order::Swap { new, done } => {
                    let revived = self.revive(*new).await;
                    let goes_on = revived.is_ok();
                    let _ = done.send(revived);
                    if goes_on {
                        return true;
                    }
                }
            }
        }
    }
}
