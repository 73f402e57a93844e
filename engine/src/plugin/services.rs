//! What lies behind a plugin's imports: the world as it is, or as it was recorded.
//!
//! This is the one seam between a plugin that runs and one that is replayed. An import checks the grant and the limits
//! in the same way for both, and then asks here. What the live world answers is noted where the operator wants it, so
//! that a replay has it.

mod past;
mod recorder;

use serde::Serialize;
use uuid::Uuid;
use wasmtime_wasi::WasiCtxBuilder;

pub(super) use self::past::{Past, Remembered};
pub(super) use self::recorder::{Recorder, fingerprint};
use super::imports::http::HttpClient;
use crate::agent::{QueueError, TaskQueue};
use crate::effect::KvWrite;
use crate::event::{Channel, now_ms};
use crate::observation::Observer;
use crate::recording::Call;
use crate::store::{ChatLine, Store, StoreError, Viewer};

/// What the functions are called in recordings.
const CLOCK: &str = "clock.now-ms";
const VIEWER: &str = "viewers.get";
const FIND_VIEWER: &str = "viewers.find";
const RECENT_LINES: &str = "viewers.recent-messages";
const HAS_ROOM: &str = "agent.enqueue";
pub(super) const HTTP: &str = "http.send";

pub(super) enum Services {
    Live(Live),
    Past(Past),
}

/// The world as it is.
pub(super) struct Live {
    pub(super) http: HttpClient,
    pub(super) store: Store,
    pub(super) tasks: TaskQueue,
    pub(super) observer: Observer,
    /// There where the operator wants calls to be recorded.
    pub(super) recorder: Option<Recorder>,
}

impl Services {
    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        match self {
            Self::Live(live) => {
                let now_ms = now_ms();
                live.note(CLOCK, &(), &now_ms);
                now_ms
            }
            Self::Past(past) => past.now_ms(),
        }
    }

    /// Whether what the database is asked now would be answered late.
    pub(super) fn is_slow(&self) -> bool {
        match self {
            Self::Live(live) => live.store.is_slow(),
            Self::Past(_) => false,
        }
    }

    pub(super) async fn viewer(&self, platform: &str, user_id: &str) -> Result<Option<Viewer>, StoreError> {
        let asked = (platform, user_id);
        match self {
            Self::Live(live) => live.noted(VIEWER, &asked, live.store.viewer(platform, user_id).await),
            Self::Past(past) => Ok(past.answer(VIEWER, &asked).unwrap_or_default()),
        }
    }

    pub(super) async fn find_viewer(&self, platform: &str, login: &str) -> Result<Option<Viewer>, StoreError> {
        let asked = (platform, login);
        match self {
            Self::Live(live) => live.noted(FIND_VIEWER, &asked, live.store.find_viewer(platform, login).await),
            Self::Past(past) => Ok(past.answer(FIND_VIEWER, &asked).unwrap_or_default()),
        }
    }

    pub(super) async fn recent_lines(
        &self,
        channel: &Channel,
        user_id: &str,
        limit: u32,
    ) -> Result<Vec<ChatLine>, StoreError> {
        let asked = (channel, user_id, limit);
        match self {
            Self::Live(live) => {
                live.noted(RECENT_LINES, &asked, live.store.recent_lines(channel, user_id, limit).await)
            }
            Self::Past(past) => Ok(past.answer(RECENT_LINES, &asked).unwrap_or_default()),
        }
    }

    /// Whether the agent would take a task. Where it was not recorded, it would: a full queue is rare.
    pub(super) async fn has_room(&self, queue: &str) -> Result<bool, QueueError> {
        match self {
            Self::Live(live) => live.noted(HAS_ROOM, &queue, live.tasks.has_room(queue).await),
            Self::Past(past) => Ok(past.recall(HAS_ROOM, &queue).unwrap_or(true)),
        }
    }

    pub(super) fn task_id(&self) -> String {
        match self {
            // Ordered by time, so that a queue's tables stay in the order of arrival.
            Self::Live(_) => Uuid::now_v7().to_string(),
            Self::Past(past) => past.task_id(),
        }
    }

    /// The clocks and the chance of WASI: those of the machine, or some that are the same in every replay.
    pub(super) fn furnish(&self, wasi: &mut WasiCtxBuilder) {
        match self {
            Self::Live(_) => {}
            Self::Past(past) => past.furnish(wasi),
        }
    }

    /// What is to be recorded of the call that has just ended, where the operator wants that.
    pub(super) fn take_call(&self, kv: &[KvWrite]) -> Option<Call> {
        match self {
            Self::Live(Live { recorder: Some(recorder), .. }) => Some(Call::new(recorder.take(), kv)),
            Self::Live(_) | Self::Past(_) => None,
        }
    }
}

impl Live {
    pub(super) fn note(&self, function: &str, asked: &impl Serialize, answer: &impl Serialize) {
        if let Some(recorder) = &self.recorder {
            recorder.note(function, fingerprint(function, asked), answer);
        }
    }

    fn noted<T: Serialize, E>(&self, function: &str, asked: &impl Serialize, answer: Result<T, E>) -> Result<T, E> {
        answer.inspect(|answer| self.note(function, asked, answer))
    }
}
