//! Review: nobody sees an event before the reviewers have said what they think of it, or their time is up.
//!
//! All reviewers of an event are asked the moment it arrives, so their time runs for all waiting events at once; the
//! answers are acted on strictly in the channel's order. An event that nobody reviews waits its turn behind one that
//! somebody does, and passes at once when there is none.

use std::sync::{Arc, MutexGuard, Weak};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::Inner;
use super::ruling::{self, Ruling};
use super::sequencer::{Lane, Turn, own_draft};
use crate::config::settings::OnFailure;
use crate::effect::{Batch, PluginId};
use crate::event::{Envelope, Event};
use crate::observation::Observation;
use crate::plugin::{Delivery, PluginHandle, Verdict};

/// With so many waiting, the time of the next would be up before its reviewers got to it: they are not asked.
const ASKED: usize = 4096;

/// All who wait are through when the time for one review is up, so this many means that something is stuck.
const QUEUE: usize = 2 * ASKED;

/// The events of one channel that wait for their review. Lives in the channel's turn.
#[derive(Default)]
pub(super) struct Waiting {
    count: usize,
    /// There once a reviewer has wanted an event of the channel.
    door: Option<mpsc::Sender<Reviewing>>,
}

/// An event in review.
struct Reviewing {
    delivery: Arc<Delivery>,
    questions: Vec<Question>,
    deadline: Instant,
}

struct Question {
    reviewer: PluginId,
    on_failure: OnFailure,
    /// `None` when it was not asked.
    answer: Option<oneshot::Receiver<Verdict>>,
}

impl Inner {
    /// Gives a numbered event to the plugins, after its review.
    pub(super) fn hand_on(self: &Arc<Self>, lane: &Arc<Lane>, mut turn: MutexGuard<'_, Turn>, envelope: Arc<Envelope>) {
        let delivery = Delivery::new(envelope);
        let questions = ask(&self.roster.load(), &delivery, turn.waiting.count < ASKED);
        if questions.is_empty() && turn.waiting.count == 0 {
            self.fan_out.give(&delivery);
            return;
        }
        let reviewing = Reviewing { delivery, questions, deadline: Instant::now() + self.review };
        let door = turn.waiting.door.get_or_insert_with(|| self.open_door(lane));
        match door.try_send(reviewing) {
            Ok(()) => turn.waiting.count += 1,
            Err(refused) => {
                // Better out of order than lost.
                drop(turn);
                let (delivery, ruling) = refused.into_inner().unanswered();
                self.conclude(lane, &delivery, ruling);
            }
        }
    }

    fn open_door(self: &Arc<Self>, lane: &Arc<Lane>) -> mpsc::Sender<Reviewing> {
        let (door, waiting) = mpsc::channel(QUEUE);
        let reviews = Reviews { waiting, lane: Arc::downgrade(lane), pipeline: Arc::downgrade(self) };
        self.runtime.spawn(reviews.run());
        door
    }

    /// Carries out what the reviewers came to.
    fn conclude(&self, lane: &Lane, delivery: &Arc<Delivery>, ruling: Option<Ruling>) {
        let Some(Ruling { reviewer, verdict }) = ruling else {
            let _turn = lane.turn();
            self.fan_out.give(delivery);
            return;
        };
        let envelope = &delivery.envelope;
        self.observer.observe(|| Observation::Verdict {
            event_id: Arc::clone(&envelope.id),
            plugin: PluginId::clone(&reviewer),
            verdict: verdict.name().to_owned(),
            reason: verdict.reason().to_owned(),
        });
        if let Verdict::Flag { .. } = verdict {
            let mut turn = lane.turn();
            self.fan_out.give(delivery);
            self.announce(&mut turn, envelope, &verdict);
        } else {
            // Before anybody hears of it.
            self.take_away(envelope, reviewer, &verdict);
            self.announce(&mut lane.turn(), envelope, &verdict);
        }
    }

    fn take_away(&self, envelope: &Arc<Envelope>, reviewer: PluginId, verdict: &Verdict) {
        if let Verdict::Hold { .. } = verdict {
            self.held.keep(envelope);
        }
        if let Event::Chat(message) = &envelope.event {
            self.store.mark_removed(&envelope.channel, &message.id);
        }
        let effects = ruling::measures(envelope, verdict);
        self.commit(Batch { plugin: reviewer, cause: Arc::clone(envelope), effects, kv: Vec::new() });
    }

    /// Tells the plugins of a verdict, in the channel's order.
    fn announce(&self, turn: &mut Turn, envelope: &Envelope, verdict: &Verdict) {
        let event = |with_text| Event::Moderation(ruling::notice(envelope, verdict, with_text));
        // The same id for the same verdict, however often the event is played.
        let id = Arc::from(format!("{}/{}", envelope.id, ruling::kind(verdict)));
        let notice = turn.number(own_draft(Some(id), envelope.origin, envelope.channel.clone(), event(false)));
        self.record(&notice, false);
        let with_text = Delivery::new(Arc::new(Envelope { event: event(true), ..Envelope::clone(&notice) }));
        let delivery = Delivery::new(notice);
        self.fan_out.give_chosen(&delivery, |plugin| if plugin.sees_removed_text() { &with_text } else { &delivery });
    }

    /// A held event goes its way after all.
    pub(super) fn let_pass(&self, envelope: Arc<Envelope>) {
        let lane = self.sequencer.lane(&envelope.channel);
        let _turn = lane.turn();
        self.fan_out.give(&Delivery::new(envelope));
    }
}

fn ask(roster: &[Arc<PluginHandle>], delivery: &Arc<Delivery>, has_time: bool) -> Vec<Question> {
    let reviewers = roster.iter().filter(|plugin| plugin.reviews(&delivery.envelope));
    reviewers
        .map(|plugin| Question {
            reviewer: PluginId::clone(plugin.id()),
            on_failure: plugin.on_failure(),
            answer: has_time.then(|| plugin.review(Arc::clone(delivery))),
        })
        .collect()
}

impl Reviewing {
    /// Waits for the answers, at most until the deadline. One after the other, as all were asked before.
    async fn decide(self) -> (Arc<Delivery>, Option<Ruling>) {
        let mut rulings = Vec::with_capacity(self.questions.len());
        for Question { reviewer, on_failure, answer } in self.questions {
            let verdict = match answer {
                Some(answer) => timeout_at(self.deadline, answer).await.ok().and_then(Result::ok),
                None => None,
            };
            let verdict = verdict.unwrap_or_else(|| without_answer(&reviewer, on_failure));
            rulings.push(Ruling { reviewer, verdict });
        }
        (self.delivery, ruling::strictest(rulings))
    }

    fn unanswered(self) -> (Arc<Delivery>, Option<Ruling>) {
        let rulings = self.questions.into_iter().map(|Question { reviewer, on_failure, .. }| {
            let verdict = without_answer(&reviewer, on_failure);
            Ruling { reviewer, verdict }
        });
        (self.delivery, ruling::strictest(rulings))
    }
}

fn without_answer(reviewer: &PluginId, on_failure: OnFailure) -> Verdict {
    metrics::counter!("showrunner_reviews_unanswered_total", "plugin" => reviewer.to_string()).increment(1);
    match on_failure {
        OnFailure::Pass => Verdict::Pass,
        OnFailure::Hold => Verdict::Hold { reason: format!("the reviewer {reviewer} gave no verdict in time") },
    }
}

/// One channel's reviews, in order. Ends with the channel.
struct Reviews {
    waiting: mpsc::Receiver<Reviewing>,
    lane: Weak<Lane>,
    pipeline: Weak<Inner>,
}

impl Reviews {
    async fn run(mut self) {
        while let Some(reviewing) = self.waiting.recv().await {
            let (delivery, ruling) = reviewing.decide().await;
            let (Some(lane), Some(pipeline)) = (self.lane.upgrade(), self.pipeline.upgrade()) else { return };
            pipeline.conclude(&lane, &delivery, ruling);
            // Only now: until here, whoever comes must wait behind this one.
            lane.turn().waiting.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
