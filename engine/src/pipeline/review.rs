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
use super::sequencer::{ChannelSequencer, ChannelState, own_draft};
use crate::config::settings::OnFailure;
use crate::effect::{Batch, Maker, PluginId, Verdict, notice};
use crate::event::{Envelope, Event, now_ms};
use crate::metric;
use crate::observation::Observation;
use crate::plugin::{Delivery, PluginHandle};
use crate::recording::Note;

/// With so many waiting, the time of the next would be up before its reviewers got to it: they are not asked.
const ASKED: usize = 4096;

/// All who wait are through when the time for one review is up, so this many means that something is stuck.
const QUEUE: usize = 2 * ASKED;

/// The events of one channel that wait for their review. Lives in the channel's state.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) count: usize,
    /// There once a reviewer has wanted an event of the channel.
    queue: Option<mpsc::Sender<Reviewing>>,
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
    pub(super) fn review_and_give(
        self: &Arc<Self>,
        sequencer: &Arc<ChannelSequencer>,
        mut state: MutexGuard<'_, ChannelState>,
        delivery: Arc<Delivery>,
    ) {
        let questions = ask(&self.roster.load(), &delivery, state.waiting.count < ASKED);
        if questions.is_empty() && state.waiting.count == 0 {
            self.give(&delivery);
            return;
        }
        let reviewing = Reviewing { delivery, questions, deadline: Instant::now() + self.review };
        let queue = state.waiting.queue.get_or_insert_with(|| self.start_reviews(sequencer));
        match queue.try_send(reviewing) {
            Ok(()) => state.waiting.count += 1,
            Err(refused) => {
                // Better out of order than lost.
                drop(state);
                let (delivery, rulings) = refused.into_inner().unanswered();
                self.conclude(sequencer, &delivery, rulings);
            }
        }
    }

    fn start_reviews(self: &Arc<Self>, sequencer: &Arc<ChannelSequencer>) -> mpsc::Sender<Reviewing> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let reviews = Reviews { waiting, sequencer: Arc::downgrade(sequencer), pipeline: Arc::downgrade(self) };
        self.threads.spawn(reviews.run());
        queue
    }

    /// Records what the reviewers said, and carries out what it comes to.
    fn conclude(&self, sequencer: &ChannelSequencer, delivery: &Arc<Delivery>, rulings: Vec<Ruling>) {
        let envelope = &delivery.envelope;
        for ruling in &rulings {
            if let Some(note) = ruling.note() {
                self.note(&envelope.id, &ruling.reviewer, note);
            }
        }
        let Some(Ruling { reviewer, verdict, .. }) = ruling::strictest(rulings) else {
            let _state = sequencer.lock();
            self.give(delivery);
            return;
        };
        self.observer.observe(|| Observation::Verdict {
            event_id: Arc::clone(&envelope.id),
            plugin: PluginId::clone(&reviewer),
            verdict: verdict.name().to_owned(),
            reason: verdict.reason().to_owned(),
        });
        if let Verdict::Flag { .. } = verdict {
            let mut state = sequencer.lock();
            self.give(delivery);
            self.announce(&mut state, delivery, &verdict);
        } else {
            self.take_away(delivery, &verdict);
            self.announce(&mut sequencer.lock(), delivery, &verdict);
            // Behind the notice, which waits in the store's queue until the measures call for the disk: by which of the
            // two a killed run got there, the next one knows how far it came.
            self.commit_measures(delivery, reviewer, &verdict);
        }
    }

    /// To the plugins, now that nobody can take it away any more. From here on what must not be missed waits for each
    /// handler by itself, and for the fallbacks as long as any handler has it in hand.
    fn give(&self, delivery: &Arc<Delivery>) {
        if delivery.envelope.event.must_not_be_missed() {
            let kept = Delivery::kept(Arc::clone(&delivery.envelope), &self.store, delivery.again);
            self.fan_out.give(&kept, Some(delivery));
        } else {
            self.fan_out.give(delivery, None);
        }
    }

    fn take_away(&self, delivery: &Arc<Delivery>, verdict: &Verdict) {
        let envelope = &delivery.envelope;
        if let Verdict::Hold { .. } = verdict {
            self.held.keep(delivery);
        }
        if let Event::Chat(message) = &envelope.event {
            self.store.mark_removed(&envelope.channel, &message.id);
        }
    }

    fn commit_measures(&self, delivery: &Delivery, reviewer: PluginId, verdict: &Verdict) {
        let envelope = &delivery.envelope;
        let effects = ruling::measures(envelope, verdict);
        let (cause, again) = (Arc::clone(envelope), delivery.again);
        self.commit(Batch { plugin: reviewer, maker: Maker::Review, cause, effects, kv: Vec::new(), again });
    }

    /// Tells the plugins of a verdict, in the channel's order.
    fn announce(&self, state: &mut ChannelState, delivery: &Delivery, verdict: &Verdict) {
        let envelope = &delivery.envelope;
        let event = |with_text| Event::Moderation(ruling::notice(envelope, verdict, with_text));
        // The same id for the same verdict, however often the event is played.
        let id = Arc::from(notice::id(&envelope.id, notice::kind(verdict)));
        if delivery.again && state.has_seen(&id) {
            return;
        }
        let notice = state.number(own_draft(Some(id), envelope.origin, envelope.channel.clone(), event(false)));
        self.record(&notice, false, None);
        let with_text = Arc::new(Envelope { event: event(true), ..Envelope::clone(&notice) });
        let with_text = Delivery::kept(with_text, &self.store, false);
        let delivery = Delivery::kept(notice, &self.store, false);
        let choose = |plugin: &PluginHandle| if plugin.sees_removed_text() { &with_text } else { &delivery };
        self.fan_out.give_chosen(&delivery, None, choose);
    }

    /// A held event goes its way after all, because `plugin` let it.
    pub(super) fn let_pass(&self, plugin: &PluginId, delivery: &Arc<Delivery>) {
        let envelope = &delivery.envelope;
        self.note(&envelope.id, plugin, Note::Released { at_ms: now_ms() });
        let sequencer = self.sequencer.channel(&envelope.channel);
        let _state = sequencer.lock();
        self.give(delivery);
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
    async fn decide(self) -> (Arc<Delivery>, Vec<Ruling>) {
        let mut rulings = Vec::with_capacity(self.questions.len());
        for Question { reviewer, on_failure, answer } in self.questions {
            let verdict = match answer {
                Some(answer) => timeout_at(self.deadline, answer).await.ok().and_then(Result::ok),
                None => None,
            };
            rulings.push(match verdict {
                Some(verdict) => Ruling::in_time(reviewer, verdict),
                None => without_answer(reviewer, on_failure),
            });
        }
        (self.delivery, rulings)
    }

    fn unanswered(self) -> (Arc<Delivery>, Vec<Ruling>) {
        let rulings = self.questions.into_iter();
        (self.delivery, rulings.map(|question| without_answer(question.reviewer, question.on_failure)).collect())
    }
}

fn without_answer(reviewer: PluginId, on_failure: OnFailure) -> Ruling {
    metrics::counter!(metric::REVIEWS_UNANSWERED, "plugin" => reviewer.to_string()).increment(1);
    Ruling::without_answer(reviewer, on_failure)
}

/// One channel's reviews, in order. Ends with the channel.
struct Reviews {
    waiting: mpsc::Receiver<Reviewing>,
    sequencer: Weak<ChannelSequencer>,
    pipeline: Weak<Inner>,
}

impl Reviews {
    async fn run(mut self) {
        while let Some(reviewing) = self.waiting.recv().await {
            let (delivery, rulings) = reviewing.decide().await;
            let (Some(sequencer), Some(pipeline)) = (self.sequencer.upgrade(), self.pipeline.upgrade()) else { return };
            pipeline.conclude(&sequencer, &delivery, rulings);
            // Only now: until here, whoever comes must wait behind this one.
            sequencer.lock().waiting.count -= 1;
            pipeline.progress.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
