//! The outboxes of the attached accounts, and which channel goes by which.

use std::collections::HashMap;
use std::sync::Arc;

use super::outbox::Outbox;
use crate::event::Channel;

#[derive(Default)]
pub(super) struct Outboxes {
    accounts: Vec<Arc<Outbox>>,
    by_channel: HashMap<Channel, Arc<Outbox>>,
}

impl Outboxes {
    pub(super) fn of(&self, name: &str) -> Option<Arc<Outbox>> {
        self.accounts.iter().find(|outbox| outbox.name() == name).cloned()
    }

    pub(super) fn add(&mut self, outbox: Arc<Outbox>) {
        self.accounts.push(outbox);
    }

    /// These channels go by this outbox, and no others. A channel that two accounts have goes by the one that came
    /// last.
    pub(super) fn lead(&mut self, channels: &[Channel], outbox: &Arc<Outbox>) {
        self.by_channel.retain(|_, other| !Arc::ptr_eq(other, outbox));
        self.by_channel.extend(channels.iter().map(|channel| (channel.clone(), Arc::clone(outbox))));
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Arc<Outbox>> {
        let position = self.accounts.iter().position(|outbox| outbox.name() == name)?;
        self.by_channel.retain(|_, outbox| outbox.name() != name);
        Some(self.accounts.remove(position))
    }

    pub(super) fn find(&self, channel: &Channel) -> Option<Arc<Outbox>> {
        self.by_channel.get(channel).cloned()
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.by_channel.keys()
    }

    pub(super) fn shut_down(&self) {
        self.accounts.iter().for_each(|outbox| outbox.shut_down());
    }

    pub(super) fn open_lines(&self) -> usize {
        self.accounts.iter().map(|outbox| outbox.open_lines()).sum()
    }

    pub(super) fn sent_lines(&self) -> u64 {
        self.accounts.iter().map(|outbox| outbox.sent_lines()).sum()
    }
}
