//! Hands an event to the plugins that want it: at once to the handlers, and to the fallbacks when every handler has
//! passed on it or time is up. Never waits.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::event::Envelope;
use crate::plugin::{Delivery, Dispatch, PluginHandle, Roster};

/// Events whose fallbacks wait: some seconds of a very busy chat. One more is not watched, and its fallbacks wait for
/// the handlers, each of which has a limit of its own.
const WATCHED: usize = 16_384;

/// The watch looks at most so often in `fallback_after`: a fallback comes that much later, and a busy chat does not
/// set a timer for each message.
const LOOKS: u32 = 10;

pub(super) struct FanOut {
    roster: Roster,
    fallback_after: Duration,
    watched: mpsc::Sender<(Instant, Weak<Dispatch>)>,
}

impl FanOut {
    /// Starts the watch on `runtime`; it ends with the last sender.
    pub(super) fn new(roster: Roster, fallback_after: Duration, runtime: &Handle) -> Self {
        let (watched, dispatches) = mpsc::channel(WATCHED);
        runtime.spawn(Watch { dispatches, slack: fallback_after / LOOKS }.run());
        Self { roster, fallback_after, watched }
    }

    /// The same to all who want it.
    pub(super) fn give(&self, delivery: &Arc<Delivery>, origin: Option<&Arc<Delivery>>) {
        self.give_chosen(delivery, origin, |_| delivery);
    }

    /// To each handler what `choose` says, of the same event. Fallbacks get `delivery`. While they wait for the
    /// handlers, `origin` is not done with.
    pub(super) fn give_chosen<'d>(
        &self,
        delivery: &'d Arc<Delivery>,
        origin: Option<&Arc<Delivery>>,
        choose: impl Fn(&PluginHandle) -> &'d Arc<Delivery>,
    ) {
        let roster = self.roster.load();
        let envelope = &*delivery.envelope;
        let fallbacks = takers(&roster, envelope, true);
        let handlers = takers(&roster, envelope, false);
        // Usually nobody waits for the handlers, and there is nothing to keep.
        let mut fallbacks = fallbacks.peekable();
        if fallbacks.peek().is_none() {
            for handler in handlers {
                handler.offer(Arc::clone(choose(handler)), None);
            }
            return;
        }
        let handlers: Vec<_> = handlers.collect();
        let (dispatch, tickets) =
            Dispatch::new(Arc::clone(delivery), origin.cloned(), fallbacks.cloned().collect(), handlers.len());
        if !handlers.is_empty() {
            // When the watch is full the handlers' own limits will have to do.
            let _ = self.watched.try_send((Instant::now() + self.fallback_after, Arc::downgrade(&dispatch)));
        }
        for (handler, ticket) in handlers.into_iter().zip(tickets) {
            handler.offer(Arc::clone(choose(handler)), Some(ticket));
        }
    }
}

fn takers<'r>(
    roster: &'r [Arc<PluginHandle>],
    envelope: &'r Envelope,
    is_fallback: bool,
) -> impl Iterator<Item = &'r Arc<PluginHandle>> {
    roster.iter().filter(move |plugin| plugin.is_fallback() == is_fallback && plugin.wants(envelope))
}

/// Gives events to the fallbacks whose handlers take too long.
struct Watch {
    /// In the order of their deadlines, which are all equally far away when they are made.
    dispatches: mpsc::Receiver<(Instant, Weak<Dispatch>)>,
    slack: Duration,
}

impl Watch {
    async fn run(mut self) {
        while let Some((deadline, dispatch)) = self.dispatches.recv().await {
            if deadline > Instant::now() {
                tokio::time::sleep_until(deadline + self.slack).await;
            }
            // Nobody holds a dispatch any more whose handlers have all come to an end.
            if let Some(dispatch) = dispatch.upgrade() {
                dispatch.release();
            }
        }
    }
}
