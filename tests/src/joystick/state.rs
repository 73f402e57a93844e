//! What the fake knows. Each part has a lock of its own, and whoever holds one asks for no other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use uuid::Uuid;

use super::behaviour::Behaviour;
use super::event::{Channel, Event};
use super::gateway::Gateway;
use super::room::Memory;
use super::seen::Record;
use super::shapes::Shape;
use super::tokens::TokenStore;
use super::{CHANNEL, STREAMER};
use crate::service::Requests;

pub(super) struct State {
    pub(super) requests: Arc<Requests>,
    behaviour: Mutex<Behaviour>,
    channels: Mutex<BTreeMap<String, Channel>>,
    tokens: Mutex<TokenStore>,
    gateway: Mutex<Gateway>,
    memories: Mutex<BTreeMap<String, Memory>>,
    record: Mutex<Record>,
    /// Events that wait until they are told in another order.
    held: Mutex<Option<Vec<Event>>>,
}

impl State {
    pub(super) fn new() -> Self {
        let streamer = Channel { id: CHANNEL.to_owned(), username: STREAMER.to_owned() };
        Self {
            requests: Arc::new(Requests::new()),
            behaviour: Mutex::new(Behaviour::new()),
            channels: Mutex::new(BTreeMap::from([(STREAMER.to_owned(), streamer)])),
            tokens: Mutex::default(),
            gateway: Mutex::default(),
            memories: Mutex::default(),
            record: Mutex::default(),
            held: Mutex::default(),
        }
    }

    pub(super) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, TokenStore> {
        self.tokens.lock().unwrap()
    }

    pub(super) fn gateway(&self) -> MutexGuard<'_, Gateway> {
        self.gateway.lock().unwrap()
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<Vec<Event>>> {
        self.held.lock().unwrap()
    }

    /// What a channel remembers.
    pub(super) fn remember<T>(&self, channel_id: &str, change: impl FnOnce(&mut Memory) -> T) -> T {
        change(self.memories.lock().unwrap().entry(channel_id.to_owned()).or_default())
    }

    pub(super) fn channel(&self, username: &str) -> Channel {
        let mut channels = self.channels.lock().unwrap();
        let number = channels.len();
        let made = || Channel { id: format!("c0ffee{number:02}"), username: username.to_owned() };
        channels.entry(username.to_owned()).or_insert_with(made).clone()
    }

    pub(super) fn channel_with_id(&self, id: &str) -> Option<Channel> {
        self.channels.lock().unwrap().values().find(|channel| channel.id == id).cloned()
    }

    /// Tells the sockets, or keeps it until it is released.
    pub(super) fn tell(&self, event: Event) {
        {
            let mut held = self.held();
            if let Some(held) = held.as_mut() {
                held.push(event);
                return;
            }
        }
        self.tell_now(&event);
    }

    pub(super) fn tell_now(&self, event: &Event) {
        let (shape, serves_all) = {
            let behaviour = self.behaviour();
            (Shape::of(&behaviour), behaviour.serves_all)
        };
        self.gateway().tell(event, &shape, serves_all);
        self.record().told.push(event.clone());
        self.requests.note_activity();
    }
}

pub(super) fn new_id() -> String {
    Uuid::new_v4().to_string()
}
