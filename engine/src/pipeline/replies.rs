//! The way of an agent's answer to the plugin that asked.
//!
//! An answer is on the disk before it comes here, and waits there for the plugin until it has handled it: also for one
//! that is disabled, quarantined, or not there yet.

use std::sync::{Arc, Weak};

use super::Inner;
use super::sequencer::{Turn, own_draft};
use crate::agent::ReplySink;
use crate::effect::PluginId;
use crate::event::{AgentReply, Channel, Draft, Envelope, Event, Origin};
use crate::plugin::Delivery;

/// Does not keep the pipeline alive, as the queue that holds it belongs to the pipeline.
pub(super) struct Replies {
    pub(super) pipeline: Weak<Inner>,
}

impl ReplySink for Replies {
    fn event(&self, reply: AgentReply) -> Arc<Envelope> {
        // The same id however often it is made.
        let id = Arc::from(format!("agent:{}", reply.task_id));
        let draft = own_draft(Some(id), Origin::Live, Channel::engine(), Event::Agent(reply));
        match self.pipeline.upgrade() {
            Some(pipeline) => Turn::number(&mut pipeline.sequencer.lane(&Channel::engine()).turn(), draft),
            None => unnumbered(draft),
        }
    }

    fn deliver(&self, plugin: &PluginId, event: Arc<Envelope>) {
        if let Some(pipeline) = self.pipeline.upgrade() {
            pipeline.deliver_reply(plugin, event);
        }
    }
}

/// The engine has ended meanwhile: whoever gets it gets it from the disk.
fn unnumbered(draft: Draft) -> Arc<Envelope> {
    let Draft { id, at_ms, origin, channel, event, extra, own: _ } = draft;
    Arc::new(Envelope { id: id.unwrap_or_default(), sequence: 0, at_ms, origin, channel, event, extra })
}

impl Inner {
    fn deliver_reply(&self, plugin: &PluginId, event: Arc<Envelope>) {
        self.record(&event, false, None);
        match self.plugin(plugin) {
            Some(handle) if handle.wants(&event) => handle.offer(Delivery::kept(event, &self.store, false), None),
            Some(_) => {
                tracing::debug!(%plugin, "The agent's answer is for a plugin that does not listen to it.");
                self.store.forget_event(plugin, &event.id);
            }
            None => tracing::info!(%plugin, "The agent's answer waits for its plugin, which does not run."),
        }
    }
}
