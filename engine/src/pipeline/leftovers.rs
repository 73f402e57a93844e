//! What an earlier run left half done, and what a start does about it.
//!
//! Effects that had not ended: moderation is carried out again, as doing it twice is doing it once, unless it is too
//! old to make sense; what must not appear twice is never sent again, and ends as uncertain. Events that somebody had
//! still in hand go their way again. It is read before anything new happens, and taken up when the plugins run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::carry_out::{Ending, name};
use super::commit::must_not_leave_twice;
use super::{Inner, RESTORED};
use crate::effect::{Effect, NumberedEffect};
use crate::event::{Channel, OutcomeStatus, now_ms};
use crate::plugin::Delivery;
use crate::store::{LastHeard, PendingEffect, Stage, Store, StoreError, Unfinished};

/// How old may be what is still carried out. Ten minutes is the longest suspension that moderators usually give for a
/// first offence: after that most would have ended, the chat has moved on, and whoever was there has decided.
const FRESH: Duration = Duration::from_secs(600);

/// How long ago something may have been missed that a platform tells whenever it is asked, with its time. Half a day: a
/// daemon that fell over at night is up again in the morning, and what is older belongs to another stream.
const NEWS: Duration = Duration::from_secs(12 * 3600);

/// Messages reach us, and come from the history, not quite in the order of their times.
const SLACK_MS: u64 = 2_000;

/// How a start ended what had not ended, for the log.
#[derive(Debug, Default)]
struct Tally {
    moderation_again: usize,
    moderation_expired: usize,
    uncertain: usize,
    events_again: usize,
    events_expired: usize,
}

/// Read at the start.
#[derive(Default)]
pub(super) struct Leftovers {
    state: Mutex<State>,
    /// Empty when the earlier run ended in good order.
    last_heard: Vec<LastHeard>,
}

/// Until it is taken up.
#[derive(Default)]
struct State {
    effects: Vec<PendingEffect>,
    events: Vec<Unfinished>,
}

impl Leftovers {
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        let state = State { effects: store.pending_effects().await?, events: store.unfinished().await? };
        let last_heard = if store.was_killed() { store.last_heard(RESTORED).await? } else { Vec::new() };
        Ok(Self { state: Mutex::new(state), last_heard })
    }

    /// From when on a killed run may have missed what was said in a channel, by the platform's clock.
    pub(super) fn missed_since(&self, channel: &Channel, now_ms: u64) -> Option<u64> {
        let heard_ms = self.last_heard(channel)?.chat_ms?;
        is_fresh(heard_ms, now_ms).then(|| heard_ms.saturating_sub(SLACK_MS))
    }

    /// The same of anything that happened there, and for much longer.
    pub(super) fn missed_events_since(&self, channel: &Channel, now_ms: u64) -> Option<u64> {
        let heard_ms = self.last_heard(channel)?.event_ms;
        is_within(NEWS, heard_ms, now_ms).then(|| heard_ms.saturating_sub(SLACK_MS))
    }

    fn last_heard(&self, channel: &Channel) -> Option<&LastHeard> {
        self.last_heard.iter().find(|heard| heard.channel == *channel)
    }

    fn take(&self) -> State {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    pub(super) async fn recover(self: &Arc<Self>) -> Result<(), StoreError> {
        let State { effects, events } = self.leftovers.take();
        let (now_ms, mut tally) = (now_ms(), Tally::default());
        let open = events.iter().filter(|event| event.stage == Stage::Open);
        // On the disk before anybody sees them: one of them may be what brings the daemon down.
        self.store.note_given(open.map(|event| Arc::clone(&event.envelope.id)).collect()).await?;
        let (held, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.stage == Stage::Held);
        // What is held must be there when an effect lets it go.
        for event in held {
            self.recover_event(event, now_ms, &mut tally);
        }
        for effect in effects {
            self.recover_effect(effect, now_ms, &mut tally);
        }
        for event in others {
            self.recover_event(event, now_ms, &mut tally);
        }
        self.store.note_recovery();
        tally.log();
        Ok(())
    }

    fn recover_effect(&self, pending: PendingEffect, now_ms: u64, tally: &mut Tally) {
        let PendingEffect { key, effect, stored_ms } = pending;
        let numbered = NumberedEffect { number: key.number, effect };
        let is_moderation =
            matches!(numbered.effect, Effect::Platform { .. }) && !must_not_leave_twice(&numbered.effect);
        let (status, detail) = if !is_moderation {
            tally.uncertain += 1;
            (OutcomeStatus::Uncertain, "the daemon ended before it was known whether this was done".to_owned())
        } else if !is_fresh(stored_ms, now_ms) {
            tally.moderation_expired += 1;
            tracing::warn!(
                event = %key.event_id, plugin = %key.plugin, effect = name(&numbered.effect),
                "The daemon was away for too long to carry this out now; see to it by hand if it still matters."
            );
            (
                OutcomeStatus::Expired,
                format!("the daemon ended before it was done, and was away for more than {FRESH:?}"),
            )
        } else {
            tally.moderation_again += 1;
            return self.carry_out(&key.plugin, &key.event_id, vec![numbered]);
        };
        self.end_effect(&key.plugin, &key.event_id, &numbered, Ending { status, detail });
    }

    fn recover_event(self: &Arc<Self>, unfinished: Unfinished, now_ms: u64, tally: &mut Tally) {
        let Unfinished { envelope, stage } = unfinished;
        let envelope = Arc::new(envelope);
        // Struck off when it is dropped.
        let in_flight = self.store.in_flight_again(&envelope.id);
        match stage {
            Stage::Open if is_fresh(envelope.at_ms, now_ms) => {
                tally.events_again += 1;
                let sequencer = self.sequencer.channel(&envelope.channel);
                let state = sequencer.lock();
                self.review_and_give(&sequencer, state, Delivery::in_flight(envelope, in_flight, true));
            }
            Stage::Open => tally.events_expired += 1,
            Stage::Held => self.held.keep(&Delivery::in_flight(envelope, in_flight, true)),
            // What is to be done about it stands in the ledger.
            Stage::TakenAway => {}
        }
    }
}

impl Tally {
    fn log(&self) {
        let Self { moderation_again, moderation_expired, uncertain, events_again, events_expired } = self;
        if moderation_again + moderation_expired + uncertain + events_again + events_expired == 0 {
            return;
        }
        tracing::warn!(
            moderation_again,
            moderation_expired,
            uncertain,
            events_again,
            events_expired,
            "An earlier run ended before it was done; what it left is taken up."
        );
    }
}

fn is_fresh(at_ms: u64, now_ms: u64) -> bool {
    is_within(FRESH, at_ms, now_ms)
}

fn is_within(longest: Duration, at_ms: u64, now_ms: u64) -> bool {
    Duration::from_millis(now_ms.saturating_sub(at_ms)) <= longest
}
