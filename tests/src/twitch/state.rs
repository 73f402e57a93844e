//! What the fake knows. Each part has a lock of its own, and whoever holds one asks for no other.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use uuid::Uuid;

use super::behaviour::Behaviour;
use super::device::Devices;
use super::eventsub::EventSub;
use super::helix::Meters;
use super::memory::Rooms;
use super::seen::Record;
use super::tokens::TokenStore;
use super::users::{User, Users};
use crate::service::Requests;

pub(super) struct State {
    pub(super) requests: Arc<Requests>,
    behaviour: Mutex<Behaviour>,
    users: Mutex<Users>,
    tokens: Mutex<TokenStore>,
    devices: Mutex<Devices>,
    eventsub: Mutex<EventSub>,
    rooms: Mutex<Rooms>,
    meters: Mutex<Meters>,
    record: Mutex<Record>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            requests: Arc::new(Requests::new()),
            behaviour: Mutex::new(Behaviour::new()),
            users: Mutex::new(Users::new()),
            tokens: Mutex::default(),
            devices: Mutex::default(),
            eventsub: Mutex::default(),
            rooms: Mutex::default(),
            meters: Mutex::default(),
            record: Mutex::default(),
        }
    }

    pub(super) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    pub(super) fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap()
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, TokenStore> {
        self.tokens.lock().unwrap()
    }

    pub(super) fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap()
    }

    pub(super) fn eventsub(&self) -> MutexGuard<'_, EventSub> {
        self.eventsub.lock().unwrap()
    }

    pub(super) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap()
    }

    pub(super) fn meters(&self) -> MutexGuard<'_, Meters> {
        self.meters.lock().unwrap()
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    pub(super) fn user(&self, login: &str) -> User {
        self.users().named(login)
    }

    /// By its clock, which may be wrong.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now() + self.behaviour().skew
    }
}

/// With nine digits after the second, as Twitch writes most of its times.
pub(super) fn written(time: Timestamp) -> String {
    format!("{time:.9}")
}

pub(super) fn new_id() -> String {
    Uuid::new_v4().to_string()
}
