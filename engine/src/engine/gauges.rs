//! Metrics that are states, not events: looked at every few seconds.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use tokio_util::sync::CancellationToken;

use super::{Engine, control};
use crate::gateway::metrics as names;

/// Prometheus asks every 15 s or so.
const EVERY: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) async fn keep_gauges(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => self.set_gauges().await,
            }
        }
    }

    async fn set_gauges(&self) {
        for connection in control::connections(&self.statuses) {
            let ready = if connection.is_ready() { 1.0 } else { 0.0 };
            gauge!(names::CONNECTION_READY, "name" => connection.name).set(ready);
        }
        for queue in self.queues().await {
            for (state, count) in [("waiting", queue.waiting), ("leased", queue.leased), ("dead", queue.dead)] {
                #[expect(clippy::cast_precision_loss, reason = "a queue never holds 2^52 tasks")]
                gauge!(names::TASKS, "queue" => queue.queue.clone(), "state" => state).set(count as f64);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "the backlog is bounded far below 2^52")]
        gauge!(names::STORE_BACKLOG).set(self.store.backlog() as f64);
    }
}
