//! The look-ups of one session, one at a time, as the bucket of calls is everybody's.
//!
//! Each is begun once what tells the same live is subscribed, and tried again, with pauses, for as long as the session
//! lasts and the error may pass. From when on something is missing is the source's to remember: [`Found`] says when
//! that is done with.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::{Instant, sleep_until};

use super::super::helix::{Helix, HelixError};
use super::memory::Memory;
use super::missed::{Errand, Gap, Missed, look_up};

/// The first pause after a look-up failed, and the longest. The calls in it were tried for a while already.
const FAILED: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));

pub(super) struct LookUps {
    helix: Arc<Helix>,
    memory: Arc<Memory>,
    /// What need not be begun any more.
    begun: HashSet<Gap>,
    waiting: Vec<Waiting>,
    running: Option<BoxFuture<'static, (Waiting, Outcome)>>,
}

type Outcome = Result<Vec<Missed>, HelixError>;

struct Waiting {
    errand: Errand,
    at: Instant,
    failures: u32,
}

/// A look-up that has ended.
pub(super) struct Found {
    pub(super) gap: Gap,
    /// Nothing more went by since it began.
    pub(super) is_closed: bool,
    /// Empty when it failed for good.
    pub(super) missed: Vec<Missed>,
}

impl LookUps {
    pub(super) fn new(helix: Arc<Helix>, memory: Arc<Memory>) -> Self {
        Self { helix, memory, begun: HashSet::new(), waiting: Vec::new(), running: None }
    }

    /// Looks up once what happened since then; `None` only learns how things stand.
    pub(super) fn begin(&mut self, gap: &Gap, since_ms: Option<u64>) {
        if self.begun.insert(gap.clone()) {
            let errand = Errand { gap: gap.clone(), since_ms };
            self.waiting.push(Waiting { errand, at: Instant::now(), failures: 0 });
        }
    }

    /// More goes by, so that it has to be begun once more.
    pub(super) fn interrupt(&mut self, gap: &Gap) {
        self.begun.remove(gap);
        self.waiting.retain(|waiting| waiting.errand.gap != *gap);
    }

    /// The next that has ended. May be dropped at any await and called again.
    pub(super) async fn next(&mut self) -> Found {
        loop {
            let Some(running) = &mut self.running else {
                let Some(due) = self.waiting.iter().map(|waiting| waiting.at).min() else { return pending().await };
                sleep_until(due).await;
                self.run_next();
                continue;
            };
            let (waiting, outcome) = running.await;
            self.running = None;
            if let Some(found) = self.take(waiting, outcome) {
                return found;
            }
        }
    }

    fn run_next(&mut self) {
        let first = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.at).map(|(index, _)| index);
        let Some(waiting) = first.map(|index| self.waiting.remove(index)) else { return };
        let (helix, memory) = (Arc::clone(&self.helix), Arc::clone(&self.memory));
        let running = async move {
            let outcome = look_up(&helix, &memory, &waiting.errand).await;
            (waiting, outcome)
        };
        self.running = Some(running.boxed());
    }

    /// `None` when it is tried again, or begun once more.
    fn take(&mut self, waiting: Waiting, outcome: Outcome) -> Option<Found> {
        let gap = waiting.errand.gap.clone();
        let is_closed = self.begun.contains(&gap);
        let (channel, what) = &gap;
        match outcome {
            Ok(missed) => return Some(Found { gap, is_closed, missed }),
            Err(_) if !is_closed => return None,
            Err(error) if may_pass(&error) => {
                let pause = FAILED.0.saturating_mul(2_u32.saturating_pow(waiting.failures)).min(FAILED.1);
                tracing::warn!(%channel, %what, %error, ?pause, "What was missed can't be looked up now; it is tried again.");
                let (at, failures) = (Instant::now() + pause, waiting.failures.saturating_add(1));
                self.waiting.push(Waiting { at, failures, ..waiting });
                return None;
            }
            Err(error) => tracing::warn!(%channel, %what, %error, "What was missed can't be looked up."),
        }
        Some(Found { gap, is_closed, missed: Vec::new() })
    }
}

/// Somebody may sign in again.
fn may_pass(error: &HelixError) -> bool {
    error.is_passing() || matches!(error, HelixError::SignIn { .. })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{Answer, Service};
    use super::super::missed::What;
    use super::*;
    use crate::event::Channel;

    fn gap() -> Gap {
        (Channel::new("twitch", "1337"), What::Followers)
    }

    fn followers() -> Answer {
        let follower =
            json!({ "user_id": "7", "user_login": "dora", "user_name": "Dora", "followed_at": "2026-01-01T00:00:00Z" });
        Answer::json(200, &json!({ "data": [follower] }))
    }

    fn look_ups(service: &Service) -> LookUps {
        let mut look_ups = LookUps::new(service.helix(&Arc::default()), Arc::default());
        look_ups.begin(&gap(), Some(0));
        look_ups
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_passes_is_tried_again_for_as_long_as_it_takes() {
        let down = (0..33).map(|_| Answer::error(503, "down"));
        let service = Service::start(down.chain([followers()])).await;
        let found = look_ups(&service).next().await;
        assert!(found.is_closed && found.gap == gap());
        assert_eq!((found.missed.len(), service.asked().len()), (1, 34));
    }

    #[tokio::test]
    async fn an_error_that_stays_ends_it() {
        let service = Service::start([Answer::error(403, "no moderator"), followers()]).await;
        let found = look_ups(&service).next().await;
        assert!(found.is_closed && found.missed.is_empty());
        assert_eq!(service.asked().len(), 1);
    }

    #[tokio::test]
    async fn what_was_interrupted_is_begun_once_more() {
        let service = Service::start([followers(), followers()]).await;
        let mut look_ups = look_ups(&service);
        look_ups.run_next();
        look_ups.interrupt(&gap());
        let found = look_ups.next().await;
        assert!(!found.is_closed, "more went by");
        look_ups.begin(&gap(), Some(0));
        look_ups.begin(&gap(), Some(0));
        assert!(look_ups.next().await.is_closed);
        assert!(look_ups.next().now_or_never().is_none());
        assert_eq!(service.asked().len(), 2);
    }
}
