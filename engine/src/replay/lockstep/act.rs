//! What plugins made of one event.

use std::sync::Arc;

use crate::effect::{Action, Effect, PluginId, Verdict};
use crate::event::{Channel, Envelope};
use crate::plugin::player::{Judged, Played};

#[derive(Debug, Clone)]
pub struct Act {
    pub envelope: Arc<Envelope>,
    pub reviews: Vec<Review>,
    pub decisions: Vec<Decided>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub plugin: PluginId,
    pub judged: Judged,
    /// What counted: the operator's `on-failure` where there was no verdict.
    pub counted: Verdict,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    pub plugin: PluginId,
    pub played: Played,
}

impl Act {
    pub(super) fn new(envelope: &Arc<Envelope>) -> Self {
        Self { envelope: Arc::clone(envelope), reviews: Vec::new(), decisions: Vec::new() }
    }

    /// Nobody was asked.
    pub(super) const fn is_empty(&self) -> bool {
        self.reviews.is_empty() && self.decisions.is_empty()
    }

    /// Whether the plugins came to the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.reviews == other.reviews && self.decisions == other.decisions
    }

    /// The held events that somebody let go: by channel, and what they are asked for by.
    pub(super) fn allowed(&self) -> impl Iterator<Item = (Channel, String)> {
        let effects = self.decisions.iter().flat_map(|decided| &decided.played.effects);
        effects.filter_map(|numbered| match &numbered.effect {
            Effect::Platform { channel, action: Action::ResolveHeld { message_id, allow: true } } => {
                Some((channel.clone(), message_id.clone()))
            }
            _ => None,
        })
    }
}
