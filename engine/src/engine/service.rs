//! What the service manager is told while the engine runs, and a regular look at the disk.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Engine, control};

/// How often anything is looked at for news.
const EVERY: Duration = Duration::from_secs(5);

impl Engine {
    /// Until `shutdown`.
    pub(super) async fn check_periodically(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        let mut said = String::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {
                    self.store.look_for_stall();
                    self.say_status(&mut said);
                }
            }
        }
    }

    /// What `systemctl status` shows; only news are `said`.
    fn say_status(&self, said: &mut String) {
        let connections = self.statuses.all();
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

    pub(super) async fn keep_alive(self: Arc<Self>, shutdown: CancellationToken) {
        let probe = || async {
            // The rooms that everything goes through: a lock that never comes back would be seen here.
            let _ = (self.host.list(), self.statuses.all());
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.options.service.keep_alive(probe) => {}
        }
    }
}
