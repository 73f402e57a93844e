//! `viewers`: what the engine knows of those who watch. Reads wait for the store; the guest's time does not run.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::wit::viewers::{Host, Line, Viewer};
use crate::event::Channel;
use crate::plugin::guest::Guest;
use crate::plugin::wit::v0_1::convert;
use crate::store::{self, StoreError};

/// The store keeps no more of one viewer in one channel.
const LINES: u32 = 50;

/// An answer takes a millisecond; a store that is stuck must not hold up a whole chat.
const PATIENCE: Duration = Duration::from_secs(1);

impl Host for Guest {
    async fn get(&mut self, platform: String, user_id: String) -> Option<Viewer> {
        self.check("viewers", "read").ok()?;
        let context = Arc::clone(&self.context);
        let viewer = self.read(context.services.viewer(&platform, &user_id)).await;
        viewer?.map(viewer_record)
    }

    async fn find(&mut self, platform: String, login: String) -> Option<Viewer> {
        self.check("viewers", "read").ok()?;
        let context = Arc::clone(&self.context);
        let viewer = self.read(context.services.find_viewer(&platform, &login)).await;
        viewer?.map(viewer_record)
    }

    async fn recent_messages(&mut self, platform: String, channel: String, user_id: String, limit: u32) -> Vec<Line> {
        if self.check("viewers", "read").is_err() {
            return Vec::new();
        }
        let context = Arc::clone(&self.context);
        let channel = Channel::new(platform, channel);
        let lines = self.read(context.services.recent_lines(&channel, &user_id, limit.min(LINES))).await;
        let record = |line: store::ChatLine| Line {
            message_id: line.message_id,
            at_ms: line.at_ms,
            text: line.text,
            removed: line.removed,
        };
        lines.unwrap_or_default().into_iter().map(record).collect()
    }
}

impl Guest {
    /// To a plugin a store that can't be read looks like one that knows nobody; the operator is told.
    async fn read<T>(&mut self, question: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let answer = self.waiting(timeout(PATIENCE, question)).await;
        let answer = answer.map_err(|_| format!("the database gives no answer within {PATIENCE:?}"));
        let answer = answer.and_then(|answer| answer.map_err(|error| error.to_string()));
        answer
            .inspect_err(|error| {
                tracing::warn!(plugin = %self.context.plugin, error, "A plugin's question about viewers can't be answered.");
            })
            .ok()
    }
}

fn viewer_record(viewer: store::Viewer) -> Viewer {
    Viewer {
        user: convert::user(&viewer.user),
        first_seen_ms: viewer.first_seen_ms,
        last_seen_ms: viewer.last_seen_ms,
        messages: viewer.messages,
    }
}
