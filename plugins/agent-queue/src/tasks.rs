//! Remembers who is waiting for which answer. It is kept in kv, because an answer may come after a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;
use showrunner_sdk::{Refused, clock, kv};

/// How often what has expired is swept away.
const SWEEP_MS: u64 = 10 * 60_000;
/// The most that one sweep looks at: about what the quota holds.
const SWEEP_KEYS: u32 = 8_000;
const VERSION: u8 = 1;

pub(crate) struct Tasks {
    expires_ms: u64,
    swept_ms: u64,
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asker {
    v: u8,
    platform: String,
    channel: String,
    /// None for tips, which are no messages.
    message_id: Option<String>,
    name: String,
    login: String,
    asked_ms: u64,
}

impl Asker {
    pub(crate) fn new(envelope: &Envelope, who: &User, message_id: Option<&str>) -> Self {
        Self {
            v: VERSION,
            platform: envelope.platform.clone(),
            channel: envelope.channel.clone(),
            message_id: message_id.map(str::to_owned),
            name: who.shown_name().to_owned(),
            login: who.login.clone(),
            asked_ms: clock::now_ms(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Answers the message, or names the asker where there was none.
    pub(crate) fn tell(&self, text: &str) -> Result<u32, Refused> {
        let place = Place::new(&self.platform, &self.channel);
        match &self.message_id {
            Some(message_id) => chat::reply_to(place, message_id, text),
            None => chat::say(place, format!("@{} {text}", self.login)),
        }
    }
}

impl Tasks {
    pub(crate) fn new(expires: Duration) -> Self {
        Self { expires_ms: u64::try_from(expires.as_millis()).unwrap_or(u64::MAX), swept_ms: 0 }
    }

    /// Notes who asked. The task is in the queue already; if the note can't be kept, its answer will not be
    /// posted, and the operator can read why.
    pub(crate) fn remember(&mut self, task_id: &str, asker: &Asker) {
        self.sweep();
        if let Err(error) = kv::set(&key(task_id), asker) {
            log::warn(format!("The answer to the task {task_id} will not be posted: {error}."));
        }
    }

    /// Gives who is waiting for this answer, once; `None` when nobody is, or not any more.
    pub(crate) fn take(&self, task_id: &str) -> Result<Option<Asker>, String> {
        let key = key(task_id);
        let Some(asker) = kv::get::<Asker>(&key).unwrap_or(None) else { return Ok(None) };
        kv::remove(&key)?;
        Ok(Some(asker).filter(|asker| !self.is_over(asker.asked_ms, clock::now_ms())))
    }

    /// Forgets whoever has waited too long, now and then.
    fn sweep(&mut self) {
        let now_ms = clock::now_ms();
        if now_ms >= self.swept_ms && now_ms - self.swept_ms < SWEEP_MS {
            return;
        }
        self.swept_ms = now_ms;
        for key in kv::keys("task/", SWEEP_KEYS) {
            let asker: Option<Asker> = kv::get(&key).unwrap_or(None);
            if asker.is_none_or(|asker| self.is_over(asker.asked_ms, now_ms))
                && let Err(error) = kv::remove(&key)
            {
                log::warn(format!("{key} could not be forgotten: {error}."));
            }
        }
    }

    const fn is_over(&self, asked_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(asked_ms) >= self.expires_ms
    }
}

fn key(task_id: &str) -> String {
    format!("task/{task_id}")
}
