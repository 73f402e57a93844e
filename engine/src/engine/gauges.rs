//! Metrics that are states, not events: looked at every few seconds. And the counters of what has not happened yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio_util::sync::CancellationToken;

use super::{Engine, control};
use crate::gateway::metrics as names;
use crate::gateway::view::QueueView;

/// Prometheus asks every 15 s or so.
const EVERY: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) async fn keep_gauges(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        let mut queues = BTreeMap::new();
        let mut said = String::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {
                    self.store.look_for_stall();
                    self.set_gauges(&mut queues).await;
                    self.say_status(&mut said);
                }
            }
        }
    }

    /// What `systemctl status` shows; only news are `said`.
    fn say_status(&self, said: &mut String) {
        let connections = control::connections(&self.statuses);
        let ready = connections.iter().filter(|connection| connection.is_ready()).count();
        let mut status = format!("{ready} of {} connections are ready", connections.len());
        if let Some(problem) = control::store_problem(&self.store) {
            status.push_str(&format!("; {problem}"));
        }
        if *said != status {
            self.options.service.status(&status);
            *said = status;
        }
    }

    /// `queues` are those that were seen before: one that is empty now must not go on to show what it held.
    async fn set_gauges(&self, queues: &mut BTreeMap<String, QueueView>) {
        for connection in control::connections(&self.statuses) {
            let ready = if connection.is_ready() { 1.0 } else { 0.0 };
            gauge!(names::CONNECTION_READY, "name" => connection.name).set(ready);
        }
        for emptied in queues.values_mut() {
            (emptied.waiting, emptied.leased, emptied.dead) = (0, 0, 0);
        }
        queues.extend(self.queues().await.into_iter().map(|queue| (queue.queue.clone(), queue)));
        for queue in queues.values() {
            for (state, count) in [("waiting", queue.waiting), ("leased", queue.leased), ("dead", queue.dead)] {
                #[expect(clippy::cast_precision_loss, reason = "a queue never holds 2^52 tasks")]
                gauge!(names::TASKS, "queue" => queue.queue.clone(), "state" => state).set(count as f64);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "the backlog is bounded far below 2^52")]
        gauge!(names::STORE_BACKLOG).set(self.store.backlog() as f64);
        gauge!(names::STORE_FAILING).set(if control::store_problem(&self.store).is_some() { 1.0 } else { 0.0 });
        self.show_what_never_happened();
    }

    /// A counter that appears with its first count has no increase: whoever is alerted by one would miss the first.
    fn show_what_never_happened(&self) {
        counter!(names::STORE_LOST_WRITES).increment(0);
        for plugin in self.host.list() {
            for name in [names::PLUGIN_CRASHES, names::PLUGIN_DENIED, names::QUEUE_DROPPED, names::REVIEWS_UNANSWERED] {
                counter!(name, "plugin" => plugin.id.clone()).increment(0);
            }
        }
    }
}
