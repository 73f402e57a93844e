//! All that an engine was seen to do, and waiting for more of it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use showrunner::event::Event;
use showrunner::observation::{Observation, Observer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::timeout;

/// Longer than anything here takes, also where plugins are compiled while all cores are busy; only a hung test meets
/// it.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Shown of a record when a wait was in vain.
const SHOWN: usize = 40;

pub(super) struct Record {
    seen: Vec<Arc<Observation>>,
    watch: broadcast::Receiver<Arc<Observation>>,
    /// Where the news begin that were not given out yet.
    unread: usize,
}

/// What the host told of a plugin.
#[derive(Debug, Clone, Deserialize)]
pub struct News {
    #[serde(skip)]
    pub what: String,
    pub plugin: String,
    pub version: String,
    pub hash: String,
    pub generation: u64,
    pub wit: String,
    pub detail: String,
}

impl News {
    pub(super) fn read(seen: &Observation) -> Option<Self> {
        let Observation::Event { envelope, .. } = seen else { return None };
        let Event::System(system) = &envelope.event else { return None };
        let what = system.kind.strip_prefix("plugin-")?;
        let news: Self = serde_json::from_str(&system.detail).unwrap();
        Some(Self { what: what.to_owned(), ..news })
    }
}

impl Record {
    pub(super) fn new(observer: &Observer) -> Self {
        Self { seen: Vec::new(), watch: observer.watch(), unread: 0 }
    }

    pub(super) fn so_far(&mut self) -> &[Arc<Observation>] {
        loop {
            match self.watch.try_recv() {
                Ok(observation) => self.seen.push(observation),
                Err(TryRecvError::Lagged(missed)) => panic!("{missed} observations were missed"),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return &self.seen,
            }
        }
    }

    pub(super) async fn next(&mut self) {
        let place = self.so_far().len();
        let _ = self.find_from(place, "anything", |_| Some(())).await;
    }

    /// Takes the next observation, whenever that comes.
    pub(super) async fn take(&mut self) {
        match self.watch.recv().await {
            Ok(observation) => self.seen.push(observation),
            Err(RecvError::Lagged(missed)) => panic!("{missed} observations were missed"),
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Resolves when this was seen. Whoever waits for an engine that may not come up looks at that meanwhile.
    pub(super) async fn saw(&mut self, is_it: impl Fn(&Observation) -> bool) {
        while !self.seen.iter().any(|seen| is_it(seen)) {
            self.take().await;
        }
    }

    /// The first of all that were ever seen, and of those to come, that `pick` takes.
    pub(super) async fn find<T>(&mut self, what: &str, pick: impl Fn(&Observation) -> Option<T>) -> T {
        self.find_from(0, what, pick).await.1
    }

    pub(super) async fn news(&mut self, plugin: &str, what: &str) -> News {
        let told = |seen: &Observation| News::read(seen).filter(|news| news.plugin == plugin && news.what == what);
        let (place, news) = self.find_from(self.unread, &format!("{plugin} {what}"), told).await;
        self.unread = place + 1;
        news
    }

    async fn find_from<T>(&mut self, from: usize, what: &str, pick: impl Fn(&Observation) -> Option<T>) -> (usize, T) {
        let mut place = from;
        loop {
            if let Some(seen) = self.seen.get(place) {
                if let Some(found) = pick(seen) {
                    return (place, found);
                }
                place += 1;
                continue;
            }
            match timeout(PATIENCE, self.watch.recv()).await {
                Ok(Ok(observation)) => self.seen.push(observation),
                Ok(Err(error)) => panic!("waiting for {what}: {error}; {}", self.last()),
                Err(_) => panic!("waited in vain for {what}; {}", self.last()),
            }
        }
    }

    fn last(&self) -> String {
        let last = self.seen.iter().rev().take(SHOWN).rev();
        last.fold("the last that was seen:".to_owned(), |text, seen| format!("{text}\n  {seen:?}"))
    }
}
