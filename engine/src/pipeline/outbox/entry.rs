//! What waits in an outbox: all that one batch asks of one account, with one priority.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::Instant;

use super::retry;
use crate::effect::{Action, EffectKey, PluginId, Priority};
use crate::event::{Channel, OutcomeStatus};

/// One action and its number within the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Line {
    pub(in crate::pipeline) number: u32,
    pub(in crate::pipeline) channel: Channel,
    pub(in crate::pipeline) action: Action,
}

/// How a line ended, to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Ended {
    pub(in crate::pipeline) key: EffectKey,
    pub(in crate::pipeline) channel: Option<Channel>,
    /// The name of the effect.
    pub(in crate::pipeline) effect: &'static str,
    pub(in crate::pipeline) status: OutcomeStatus,
    pub(in crate::pipeline) message_id: Option<String>,
    pub(in crate::pipeline) detail: String,
}

/// Lines that are sent strictly one after the other, in the order of the plugin's calls.
#[derive(Debug)]
pub(in crate::pipeline) struct Entry {
    pub(super) plugin: PluginId,
    pub(super) event_id: Arc<str>,
    pub(super) priority: Priority,
    pub(super) lines: VecDeque<Line>,
    pub(super) queued_at: Instant,
    /// Of the line in front; `None` until it fails for the first time.
    retries: Option<Box<ExponentialBackoff>>,
}

impl Entry {
    pub(in crate::pipeline) fn new(plugin: PluginId, event_id: Arc<str>, first: Line) -> Self {
        let priority = first.action.priority();
        Self { plugin, event_id, priority, lines: VecDeque::from([first]), queued_at: Instant::now(), retries: None }
    }

    pub(in crate::pipeline) fn priority(&self) -> Priority {
        self.priority
    }

    pub(in crate::pipeline) fn push(&mut self, line: Line) {
        self.lines.push_back(line);
    }

    pub(super) fn has_expired(&self, expiry: Duration, now: Instant) -> bool {
        self.priority == Priority::Chat && now.saturating_duration_since(self.queued_at) >= expiry
    }

    /// How long to wait before the line in front is tried again; `None` when it was tried often enough.
    pub(super) fn next_retry(&mut self) -> Option<Duration> {
        self.retries.get_or_insert_with(|| Box::new(retry::delays())).next()
    }

    /// Takes the line in front, which came to its end. The next one may be sent then.
    pub(super) fn end_line(
        &mut self,
        status: OutcomeStatus,
        message_id: Option<String>,
        detail: impl Into<String>,
    ) -> Option<Ended> {
        let Line { number, channel, action } = self.lines.pop_front()?;
        self.retries = None;
        let key = EffectKey { event_id: Arc::clone(&self.event_id), plugin: PluginId::clone(&self.plugin), number };
        let (channel, effect, detail) = (Some(channel), action.name(), detail.into());
        Some(Ended { key, channel, effect, status, message_id, detail })
    }
}
