//! Whether the engine is alive, and whether it is ready: what `/healthz` and `/readyz` say.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::platform::supervisor::ConnectionStatus;

/// A connection that was not ready for longer than this is dead, however busily it tries. Reconnecting backs off to
/// 30 s, so this is two tries in vain at least.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// Asks the engine how it is, and remembers since when a connection has not been ready: its own `since_ms` begins
/// anew with each try.
pub struct Health {
    connections: Box<dyn Fn() -> Vec<ConnectionStatus> + Send + Sync>,
    store: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// By name: when it was first seen not to be ready.
    unready_since: Mutex<BTreeMap<String, u64>>,
}

/// The answer of `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Liveness {
    pub alive: bool,
    /// Connections that are dead.
    pub dead: Vec<DeadConnection>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadConnection {
    pub name: String,
    pub state: String,
    pub unready_for_s: u64,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    pub ready: bool,
    pub store: StoreReadiness,
    pub connections: Vec<ConnectionReadiness>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreReadiness {
    pub ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionReadiness {
    pub name: String,
    pub ready: bool,
    /// The state in words, with what to do where a person must.
    pub state: String,
    pub since_ms: u64,
    pub last_event_ms: Option<u64>,
}

impl Health {
    pub fn new(
        connections: impl Fn() -> Vec<ConnectionStatus> + Send + Sync + 'static,
        store: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { connections: Box::new(connections), store: Box::new(store), unready_since: Mutex::default() }
    }

    /// Looks at every connection. Called on a tick, so that a connection which came back between two requests is not
    /// taken for one that was away all the time.
    pub fn sample(&self, now_ms: u64) -> Liveness {
        let connections = (self.connections)();
        // A panic while it was held leaves nothing half done.
        let mut unready = self.unready_since.lock().unwrap_or_else(PoisonError::into_inner);
        unready.retain(|name, _| connections.iter().any(|connection| connection.name == *name));
        let mut dead = Vec::new();
        for connection in connections {
            if connection.is_ready() {
                unready.remove(&connection.name);
                continue;
            }
            let since_ms = *unready.entry(connection.name.clone()).or_insert(connection.since_ms.min(now_ms));
            let unready_for = Duration::from_millis(now_ms.saturating_sub(since_ms));
            if unready_for > DEAD_AFTER {
                let (state, unready_for_s) = (connection.state.to_string(), unready_for.as_secs());
                dead.push(DeadConnection { name: connection.name, state, unready_for_s });
            }
        }
        Liveness { alive: dead.is_empty(), dead }
    }

    pub fn readiness(&self) -> Readiness {
        let why = (self.store)().err();
        let store = StoreReadiness { ready: why.is_none(), why };
        let connections: Vec<_> = (self.connections)()
            .into_iter()
            .map(|connection| ConnectionReadiness {
                ready: connection.is_ready(),
                state: connection.state.to_string(),
                name: connection.name,
                since_ms: connection.since_ms,
                last_event_ms: connection.last_event_ms,
            })
            .collect();
        Readiness { ready: store.ready && connections.iter().all(|connection| connection.ready), store, connections }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::observation::ConnectionState;

    fn connection(state: ConnectionState, since_ms: u64) -> ConnectionStatus {
        let name = "retake:r".to_owned();
        ConnectionStatus { name, channels: Vec::new(), state, since_ms, last_event_ms: None, reconnects: 0 }
    }

    fn changing() -> (Health, Arc<Mutex<Vec<ConnectionStatus>>>) {
        let connections = Arc::new(Mutex::new(Vec::new()));
        let shown = connections.clone();
        (Health::new(move || shown.lock().unwrap().clone(), || Ok(())), connections)
    }

    #[test]
    fn a_connection_that_tries_again_and_again_is_dead_after_a_minute() {
        let (health, connections) = changing();
        for second in 0..=61 {
            let at_ms = second * 1000;
            let backing_off = ConnectionState::BackingOff { until_ms: 0, why: "refused".into() };
            let state = if second % 2 == 0 { ConnectionState::Connecting } else { backing_off };
            // Each try begins a new state.
            *connections.lock().unwrap() = vec![connection(state, at_ms)];
            assert_eq!(health.sample(at_ms).alive, second <= 60, "after {second} s");
        }
        let dead = health.sample(70_000).dead;
        assert_eq!((dead[0].name.as_str(), dead[0].unready_for_s), ("retake:r", 70));
    }

    #[test]
    fn a_connection_that_was_ready_in_between_lives() {
        let (health, connections) = changing();
        let ready = ConnectionState::Ready { degraded: None };
        for (state, at_ms) in [(ConnectionState::Connecting, 0), (ready, 50_000), (ConnectionState::Connecting, 51_000)]
        {
            *connections.lock().unwrap() = vec![connection(state, at_ms)];
            health.sample(at_ms);
        }
        assert!(health.sample(111_000).alive);
        assert!(!health.sample(111_001).alive);
        connections.lock().unwrap().clear();
        assert!(health.sample(200_000).alive, "what is no longer configured is not missed");
    }

    #[test]
    fn ready_means_every_connection_and_the_store() {
        let ready = || connection(ConnectionState::Ready { degraded: Some("polling".into()) }, 0);
        assert!(Health::new(move || vec![ready()], || Ok(())).readiness().ready);
        let readiness = Health::new(move || vec![ready()], || Err("the disk is full".into())).readiness();
        assert!(!readiness.ready);
        assert_eq!(readiness.store.why.as_deref(), Some("the disk is full"));
        let subscribing = || vec![connection(ConnectionState::Subscribing, 0)];
        assert!(!Health::new(subscribing, || Ok(())).readiness().ready);
    }
}
