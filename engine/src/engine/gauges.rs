//! Metrics that are states, not events: looked at when somebody asks for them. And the counters of what has not
//! happened yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::{counter, gauge};
use tokio::sync::Mutex;

use super::{Engine, control};
use crate::gateway::view::QueueView;
use crate::metric;

pub(super) struct Gauges {
    engine: Arc<Engine>,
    /// All that were ever seen: one that is empty now must not go on to show what it held.
    queues: Mutex<BTreeMap<String, QueueView>>,
}

impl Gauges {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, queues: Mutex::default() }
    }

    /// Looks at everything once.
    pub(super) async fn set(&self) {
        self.set_tasks().await;
        for connection in self.engine.statuses.all() {
            let ready = if connection.is_ready() { 1.0 } else { 0.0 };
            gauge!(metric::CONNECTION_READY, "name" => connection.name).set(ready);
        }
        let store = &self.engine.store;
        #[expect(clippy::cast_precision_loss, reason = "the backlog is bounded far below 2^52")]
        gauge!(metric::STORE_BACKLOG).set(store.backlog() as f64);
        gauge!(metric::STORE_FAILING).set(if control::store_problem(store).is_some() { 1.0 } else { 0.0 });
        self.show_what_never_happened();
    }

    async fn set_tasks(&self) {
        let mut queues = self.queues.lock().await;
        for emptied in queues.values_mut() {
            (emptied.waiting, emptied.leased, emptied.dead) = (0, 0, 0);
        }
        queues.extend(self.engine.queues().await.into_iter().map(|queue| (queue.queue.clone(), queue)));
        for queue in queues.values() {
            for (state, count) in [("waiting", queue.waiting), ("leased", queue.leased), ("dead", queue.dead)] {
                #[expect(clippy::cast_precision_loss, reason = "a queue never holds 2^52 tasks")]
                gauge!(metric::TASKS, "queue" => queue.queue.clone(), "state" => state).set(count as f64);
            }
        }
    }

    /// A counter that appears with its first count has no increase: whoever is alerted by one would miss the first.
    fn show_what_never_happened(&self) {
        counter!(metric::STORE_LOST_WRITES).increment(0);
        for plugin in self.engine.host.list() {
            for name in
                [metric::PLUGIN_CRASHES, metric::PLUGIN_DENIED, metric::QUEUE_DROPPED, metric::REVIEWS_UNANSWERED]
            {
                counter!(name, "plugin" => plugin.id.clone()).increment(0);
            }
        }
    }
}
