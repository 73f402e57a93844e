//! The agent's side: a queue of tasks that it leases, and the ways to tell it that there is something to do.
//!
//! It owns the rules of the queue (bounds, leases, attempts, dead letters), the command that wakes the agent and the
//! two files of the older protocol. It never runs a shell, and nothing that a viewer wrote ever reaches a command line.
//! `engine` makes it, `pipeline` announces the tasks that plugins asked for, `gateway` serves the agent's requests.

pub mod files;
mod queue;
pub mod wake;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::queue::{Lease, OnReply, QueueError, TaskQueue};

use self::files::QueueFile;
use self::wake::Waker;

/// How often leases are looked at. An agent that died holding one is noticed by at most this much later.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Tells the time in milliseconds since 1970; tests bring their own.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What has to run for the queue to be alive: the waker, the queue file, the look after leases.
pub struct Upkeep {
    queue: TaskQueue,
    waker: Option<Waker>,
    file: Option<QueueFile>,
}

impl Upkeep {
    /// Runs until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { queue, waker, file } = self;
        let waking = async {
            if let Some(waker) = waker {
                waker.run(shutdown.clone()).await;
            }
        };
        let writing = async {
            if let Some(file) = file {
                file.run(shutdown.clone()).await;
            }
        };
        tokio::join!(waking, writing, sweep(&queue, &shutdown));
    }
}

/// The first look finds what an earlier run left behind.
async fn sweep(queue: &TaskQueue, shutdown: &CancellationToken) {
    let mut since_ms = 0;
    loop {
        since_ms = queue.sweep(since_ms).await;
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
