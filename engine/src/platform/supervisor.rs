//! Keeps one source connected: runs it, waits after it ended, runs it again, for ever.
//!
//! The supervisor is the only one that connects again, so a connection can never be doubled. It knows nothing of
//! any platform. It also tells the truth about the connection: to the log, to whoever watches, and in
//! [`Statuses`]. The engine starts one supervisor a configured account.

mod statuses;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::statuses::Entry;
pub use self::statuses::{ConnectionStatus, Statuses};
use super::backoff::YOUNG_OUTAGE;
use super::panic::said;
use super::{Backoff, Disconnect, Link, Source};
use crate::event::{Channel, Draft, now_ms};
use crate::observation::{ConnectionState, Observation, Observer};

/// What a supervisor needs beside the source itself.
pub struct Supervision {
    /// The name of the account, unique among all that are connected.
    pub name: String,
    pub channels: Vec<Channel>,
    /// Takes every event; must not wait.
    pub accept: Arc<dyn Fn(Draft) + Send + Sync>,
    pub observer: Observer,
    pub statuses: Statuses,
}

/// Waits start small again after a connection that was ready for this long. A server that lets us join and puts us
/// out at once, each time, is not one that works.
const HELD: Duration = Duration::from_secs(1);

/// Runs `source` until `shutdown`, which drops it and with it the socket, whatever it is doing. The connection is in
/// the statuses when this returns, before anything runs: whoever asks whether all are ready must not overlook it.
pub fn supervise(
    mut source: Box<dyn Source>,
    supervision: Supervision,
    shutdown: CancellationToken,
) -> impl Future<Output = ()> + Send {
    let Supervision { name, channels, accept, observer, statuses } = supervision;
    let entry = statuses.add(&name, channels);
    let connection = Connection { name, entry, observer, ready_since: Arc::default() };
    async move {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = connection.keep(source.as_mut(), accept) => {}
        }
        statuses.remove(&connection.name, &connection.entry);
        connection.report(ConnectionState::Stopped {
            why: "it was switched off".to_owned(),
            what_to_do: "nothing is to be done".to_owned(),
        });
    }
}

/// One supervised connection, for as long as its account is configured.
#[derive(Clone)]
struct Connection {
    name: String,
    entry: Arc<Entry>,
    observer: Observer,
    /// When this run of the source was first ready.
    ready_since: Arc<Mutex<Option<Instant>>>,
}

impl Connection {
    async fn keep(&self, source: &mut dyn Source, accept: Arc<dyn Fn(Draft) + Send + Sync>) {
        let link = self.link(accept);
        let mut backoff = Backoff::new();
        let mut young_until = Instant::now();
        loop {
            self.set_ready_since(None);
            self.entry.forget_restart();
            self.report(ConnectionState::Connecting);
            let end = run_once(source, &link).await;
            if self.held() {
                young_until = Instant::now() + YOUNG_OUTAGE;
            }
            if Instant::now() < young_until {
                backoff.reset();
            }
            match end {
                Disconnect::Retry(why) => self.back_off(backoff.draw(), why).await,
                Disconnect::Stop { why, what_to_do } => {
                    self.report(ConnectionState::Stopped { why, what_to_do });
                    self.entry.restart_asked().await;
                    backoff.reset();
                }
            }
            self.entry.count_reconnect();
        }
    }

    /// Whether this run of the source was ready, and stayed so.
    fn held(&self) -> bool {
        let since = *self.ready_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= HELD)
    }

    /// Keeps the first time: being ready in another way is not being ready anew.
    fn set_ready_since(&self, since: Option<Instant>) {
        let mut ready_since = self.ready_since.lock().unwrap_or_else(PoisonError::into_inner);
        *ready_since = since.map(|since| ready_since.unwrap_or(since));
    }

    /// Waits, or less long when somebody asks for a try at once.
    async fn back_off(&self, wait: Duration, why: String) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.report(ConnectionState::BackingOff { until_ms: now_ms().saturating_add(wait_ms), why });
        tokio::select! {
            () = sleep(wait) => {}
            () = self.entry.restart_asked() => {}
        }
    }

    fn link(&self, accept: Arc<dyn Fn(Draft) + Send + Sync>) -> Link {
        let (entry, connection, name) = (self.entry.clone(), self.clone(), self.name.clone());
        Link {
            accept: Arc::new(move |draft| {
                entry.saw_event(now_ms());
                tracing::debug!(connection = name, channel = %draft.channel, event = draft.event.name(), id = draft.id.as_deref(), "Heard.");
                accept(draft);
            }),
            report: Arc::new(move |state| connection.report(state)),
        }
    }

    /// Says how the connection is, once for each change.
    fn report(&self, state: ConnectionState) {
        if matches!(state, ConnectionState::Ready { .. }) {
            self.set_ready_since(Some(Instant::now()));
        }
        if !self.entry.change(&state, now_ms()) {
            return;
        }
        let connection = self.name.as_str();
        match &state {
            ConnectionState::Stopped { .. } if !self.entry.is_listed() => {
                tracing::info!(connection, "The connection was closed.");
            }
            ConnectionState::Stopped { why, what_to_do } => {
                tracing::error!(connection, why, what_to_do, "The connection stopped and stays closed.");
            }
            ConnectionState::BackingOff { why, .. } => {
                tracing::warn!(connection, why, "The connection was lost; {state}.");
            }
            ConnectionState::Ready { degraded: Some(why) } => {
                tracing::warn!(connection, why, "The connection works in part.");
            }
            ConnectionState::Ready { degraded: None } => tracing::info!(connection, "The connection is ready."),
            _ => tracing::debug!(connection, "The connection is {state}."),
        }
        self.observer.observe(|| Observation::Connection { name: self.name.clone(), state });
    }
}

/// A source that panics must not take its supervisor along: that is a lost connection like any other.
async fn run_once(source: &mut dyn Source, link: &Link) -> Disconnect {
    match AssertUnwindSafe(source.run(link)).catch_unwind().await {
        Ok(end) => end,
        Err(panic) => {
            tracing::error!(message = said(&*panic), "A platform's code panicked; this is a bug in Showrunner.");
            Disconnect::Retry("its code panicked, which is a bug in Showrunner".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
