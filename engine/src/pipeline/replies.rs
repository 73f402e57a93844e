//! The way of an agent's answer to the plugin that asked.
//!
//! An answer is on the disk before it comes here, and waits there for the plugin until it has handled it: also for one
//! that is disabled, quarantined, or not there yet.

use std::sync::Arc;

use super::sequencer::own_draft;
use super::{Inner, Pipeline};
use crate::agent::OnReply;
use crate::effect::PluginId;
use crate::event::{AgentReply, Channel, Event, Origin};
use crate::plugin::Delivery;
use crate::recording::Note;

impl Pipeline {
    /// Where the agent's answers go. Does not keep the pipeline alive.
    pub fn on_reply(&self) -> OnReply {
        let inner = Arc::downgrade(&self.inner);
        Arc::new(move |plugin, reply| {
            if let Some(inner) = inner.upgrade() {
                inner.deliver_reply(&plugin, reply);
            }
        })
    }
}

impl Inner {
    fn deliver_reply(&self, plugin: &PluginId, reply: AgentReply) {
        let sequencer = self.sequencer.channel(&Channel::engine());
        let mut state = sequencer.lock();
        let draft = own_draft(Some(reply.event_id()), Origin::Live, Channel::engine(), Event::Agent(reply));
        let event = state.number(draft);
        self.record(&event, false, None);
        self.note(&event.id, plugin, Note::Addressed);
        match self.plugin(plugin) {
            Some(handle) if handle.wants(&event) => handle.offer(Delivery::kept(event, &self.store, false), None),
            Some(_) => {
                tracing::debug!(%plugin, "The agent's answer is for a plugin that does not listen to it.");
                self.store.forget_event(plugin, &event.id);
            }
            None => {
                tracing::info!(%plugin, "The agent's answer waits for its plugin, which does not run.");
                // It waits already, but without its number.
                self.store.keep_event(plugin, &event, false);
            }
        }
    }
}
