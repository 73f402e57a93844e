//! What a gap has cost, as far as REST tells it: the state of the stream, its counts, new followers and subscribers.
//!
//! Nothing of the chat can be had again. The service has no history of follows either, so new ones are found by
//! comparing the list with the one from before, which is only kept of lists that are not too long, and only by this
//! process: what changed while the engine was down is not told. All of it is about the channel that the token is of.

mod known;
mod look_up;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::Instant;

use self::known::{Known, TOLD_AGAIN};
use self::look_up::{Found, look_up};
use super::rest::Rest;
use crate::auth::Access;
use crate::event::{Channel, Draft, now_ms};

pub(super) struct CatchUp {
    rest: Option<Arc<Rest>>,
    known: HashMap<Channel, Known>,
    under_way: Option<BoxFuture<'static, Found>>,
    /// The ids of what came live after it was told, and when. No one else hears of them, and frames are repeated.
    held_back: HashMap<Arc<str>, Instant>,
}

impl CatchUp {
    /// Without `rest` nothing is ever looked up.
    pub(super) fn new(channels: &[Channel], rest: Option<Arc<Rest>>) -> Self {
        let known = channels.iter().map(|channel| (channel.clone(), Known::default())).collect();
        Self { rest, known, under_way: None, held_back: HashMap::new() }
    }

    /// To be called when events come again. What is heard from now on is newer than what is looked up.
    pub(super) fn begin(&mut self, access: Option<&Access>) {
        self.under_way = match (&self.rest, access) {
            (Some(rest), Some(access)) => Some(look_up(Arc::clone(rest), access.clone()).boxed()),
            _ => None,
        };
        if self.under_way.is_some() {
            let now_ms = now_ms();
            self.known.values_mut().for_each(|known| known.begin(now_ms));
        }
    }

    /// What was missed, once it was looked up. May be dropped at any await.
    pub(super) async fn missed(&mut self) -> Vec<Draft> {
        let found = match &mut self.under_way {
            Some(under_way) => under_way.await,
            None => pending().await,
        };
        self.under_way = None;
        let channel_id = found.channel_id.clone();
        let known = self.known.iter_mut().find(|(channel, _)| *channel.id == *channel_id);
        let compared = known.map(|(channel, known)| (channel.clone(), known.compare(found)));
        self.known.values_mut().for_each(Known::end);
        let Some((channel, events)) = compared else {
            tracing::debug!(channel = channel_id, "The token is of a channel that is not in the config.");
            return Vec::new();
        };
        if !events.is_empty() {
            tracing::debug!(%channel, count = events.len(), "What changed in a gap was looked up.");
        }
        events.into_iter().map(|event| Draft::new(channel.clone(), now_ms(), event).late()).collect()
    }

    /// Takes note of what is told live. Says whether it was told before, when it was looked up.
    pub(super) fn hears(&mut self, draft: &Draft) -> bool {
        if draft.id.as_ref().is_some_and(|id| self.held_back.contains_key(id)) {
            return true;
        }
        let known = self.known.get_mut(&draft.channel);
        let was_told = known.is_some_and(|known| known.hears(&draft.event, draft.at_ms));
        if let Some(id) = draft.id.as_ref().filter(|_| was_told) {
            self.held_back.retain(|_, at| at.elapsed() < TOLD_AGAIN);
            self.held_back.insert(Arc::clone(id), Instant::now());
        }
        was_told
    }
}
