//! Whatever comes and goes, in any order: what is kept is never lost without a word, and what is lost is counted.

use proptest::prelude::*;

use super::*;
use crate::event::{Channel, Envelope, Event, Moderation, Origin, System, Timer};
use crate::plugin::{Dispatch, PluginHandle};
use crate::store::Waiting;

#[derive(Debug, Clone)]
enum Step {
    /// So many events of this lane at once.
    Offer(Lane, usize),
    Ask,
    /// The actor takes so many.
    Take(usize),
    /// The plugin is down.
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    let many = || prop_oneof![3 => 1..20_usize, 1 => 1000..5000_usize];
    prop_oneof![
        3 => many().prop_map(|count| Step::Offer(Lane::Lossy, count)),
        3 => many().prop_map(|count| Step::Offer(Lane::Kept, count)),
        1 => Just(Step::Ask),
        3 => many().prop_map(Step::Take),
        1 => Just(Step::Release),
    ]
}

fn event(lane: Lane, number: u64) -> EventJob {
    job(
        number,
        match lane {
            Lane::Kept => Event::Moderation(Moderation::default()),
            Lane::Lossy => Event::System(System { kind: String::new(), detail: String::new() }),
        },
    )
}

fn job(number: u64, event: Event) -> EventJob {
    let (id, channel) = (Arc::from(""), Channel::engine());
    let envelope = Envelope { id, sequence: number, at_ms: 0, origin: Origin::Live, channel, event, extra: None };
    EventJob { delivery: Delivery::new(Arc::new(envelope)), ticket: None }
}

/// Lanes, and what must come out of them by what was put in and what they said.
#[derive(Default)]
struct Watched {
    lanes: Lanes,
    offered: u64,
    kept: VecDeque<u64>,
    lossy: VecDeque<u64>,
    reviews: usize,
    dropped: u64,
    was_crowded: bool,
    newest_taken: u64,
}

impl Watched {
    fn offer(&mut self, lane: Lane) {
        self.offered += 1;
        let waiting = match lane {
            Lane::Kept => &mut self.kept,
            Lane::Lossy => &mut self.lossy,
        };
        let offered = self.lanes.offer(event(lane, self.offered));
        let expected = match lane {
            Lane::Kept if waiting.len() == KEPT_BOUND => Offered::Refused,
            Lane::Kept if waiting.len() >= KEPT && !self.was_crowded => Offered::Crowded,
            Lane::Lossy if waiting.len() == LOSSY => Offered::Displaced,
            _ => Offered::Queued,
        };
        assert_eq!(offered, expected, "with {} waiting", waiting.len());
        match offered {
            Offered::Refused => return,
            Offered::Crowded => self.was_crowded = true,
            Offered::Displaced => {
                waiting.pop_front();
                self.dropped += 1;
            }
            Offered::Queued => {}
        }
        waiting.push_back(self.offered);
    }

    /// Returns whether there was something.
    fn take(&mut self) -> bool {
        match self.lanes.try_next() {
            Some(Job::Review(_)) => self.reviews -= 1,
            Some(Job::Overflow(dropped)) => {
                assert_eq!((self.reviews, dropped), (0, self.dropped), "reviews go first, then the bad news");
                self.dropped = 0;
            }
            Some(Job::Event(job)) => {
                assert_eq!((self.reviews, self.dropped), (0, 0));
                let envelope = &job.delivery.envelope;
                let lane = if envelope.event.lane() == Lane::Kept { &mut self.kept } else { &mut self.lossy };
                assert_eq!(lane.pop_front(), Some(envelope.sequence));
                assert!(envelope.sequence > self.newest_taken, "the lanes are merged by arrival");
                self.newest_taken = envelope.sequence;
                self.was_crowded &= self.kept.len() >= KEPT / 2;
            }
            Some(Job::Order(_)) => panic!("nobody gave an order"),
            None => {
                assert!(self.kept.is_empty() && self.lossy.is_empty() && self.reviews == 0 && self.dropped == 0);
                return false;
            }
        }
        true
    }

    fn ask(&mut self) {
        let (answer, _) = oneshot::channel();
        let asked = self.lanes.ask(ReviewJob { delivery: event(Lane::Lossy, 0).delivery, answer });
        assert_eq!(asked, self.reviews < REVIEWS);
        self.reviews += usize::from(asked);
    }

    fn release(&mut self) {
        self.lanes.release();
        self.reviews = 0;
        self.lossy.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_kept_is_lost_and_what_is_lost_is_the_oldest_and_counted(
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let mut watched = Watched::default();
        for step in steps {
            match step {
                Step::Offer(lane, count) => (0..count).for_each(|_| watched.offer(lane)),
                Step::Ask => watched.ask(),
                Step::Take(count) => (0..count).take_while(|_| watched.take()).for_each(drop),
                Step::Release => watched.release(),
            }
            prop_assert_eq!(watched.lanes.waiting(), watched.kept.len() + watched.lossy.len());
            prop_assert!(watched.kept.len() <= KEPT_BOUND && watched.lossy.len() <= LOSSY);
            let backlog: Vec<u64> = watched.lanes.backlog().iter().map(|(envelope, _)| envelope.sequence).collect();
            prop_assert!(backlog.iter().eq(&watched.kept));
        }
        while watched.take() {}
    }
}

#[test]
fn what_ends_with_the_daemon_is_not_kept_for_another_run() {
    let lanes = Lanes::default();
    lanes.offer(job(1, Event::Timer(Timer { name: String::new() })));
    lanes.offer(event(Lane::Kept, 2));
    assert_eq!(lanes.waiting(), 2);
    assert_eq!(lanes.backlog().iter().map(|(envelope, _)| envelope.sequence).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_comes_again_and_waits_already_waits_once() {
    let (lanes, fallback) = (Lanes::default(), PluginHandle::fallback_stand_in("fallback", &["moderation"]));
    let envelope = Arc::clone(&event(Lane::Kept, 1).delivery.envelope);
    let waiting = Waiting { envelope: Envelope::clone(&envelope), attempts: 1 };
    lanes.offer(EventJob { delivery: Delivery::waiting(waiting.clone()), ticket: None });
    let delivery = Delivery::waiting(waiting);
    let (_, mut tickets) = Dispatch::new(Arc::clone(&delivery), None, vec![Arc::clone(&fallback)], 1);
    assert_eq!(lanes.offer(EventJob { delivery, ticket: tickets.pop() }), Offered::Queued);
    assert_eq!((lanes.waiting(), fallback.waiting()), (1, 0));
    drop(lanes.try_next());
    assert_eq!(fallback.waiting(), 1, "the ticket was lent");
}

#[test]
fn reviews_are_bounded() {
    let mut watched = Watched::default();
    (0..=REVIEWS).for_each(|_| watched.ask());
    assert_eq!(watched.reviews, REVIEWS);
}
