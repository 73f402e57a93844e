//! `viewers`: what the engine knows of those who watch. Reads wait for the store; the guest's time does not run.

use std::sync::Arc;

use super::wit::viewers::{Host, Line, Viewer};
use crate::event::Channel;
use crate::plugin::guest::Guest;
use crate::plugin::wit::v0_1::convert;
use crate::store::{self, StoreError};

/// The store keeps no more of one viewer in one channel.
const LINES: u32 = 50;

impl Host for Guest {
    async fn get(&mut self, platform: String, user_id: String) -> Option<Viewer> {
        self.check("viewers", "read").ok()?;
        let context = Arc::clone(&self.context);
        let viewer = self.soon(context.services.viewer(&platform, &user_id)).await;
        self.readable(viewer)?.map(viewer_record)
    }

    async fn find(&mut self, platform: String, login: String) -> Option<Viewer> {
        self.check("viewers", "read").ok()?;
        let context = Arc::clone(&self.context);
        let viewer = self.soon(context.services.find_viewer(&platform, &login)).await;
        self.readable(viewer)?.map(viewer_record)
    }

    async fn recent_messages(&mut self, platform: String, channel: String, user_id: String, limit: u32) -> Vec<Line> {
        if self.check("viewers", "read").is_err() {
            return Vec::new();
        }
        let context = Arc::clone(&self.context);
        let channel = Channel::new(platform, channel);
        let lines = self.soon(context.services.recent_lines(&channel, &user_id, limit.min(LINES))).await;
        let record = |line: store::ChatLine| Line {
            message_id: line.message_id,
            at_ms: line.at_ms,
            text: line.text,
            removed: line.removed,
        };
        self.readable(lines).unwrap_or_default().into_iter().map(record).collect()
    }
}

impl Guest {
    /// To a plugin a store that can't be read, or not soon, looks like one that knows nobody. The store itself tells
    /// the operator.
    fn readable<T>(&self, read: Option<Result<T, StoreError>>) -> Option<T> {
        read?
            .inspect_err(|error| {
                tracing::debug!(plugin = %self.context.plugin, %error, "A plugin's question about viewers can't be answered.");
            })
            .ok()
    }
}

fn viewer_record(viewer: store::Viewer) -> Viewer {
    let store::Viewer { user, first_seen_ms, last_seen_ms, messages } = viewer;
    Viewer { user: convert::owned_user(user), first_seen_ms, last_seen_ms, messages }
}
