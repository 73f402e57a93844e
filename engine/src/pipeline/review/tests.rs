//! However the answers come, late or not at all: the verdict is the same, and the strictest.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::sleep;

use super::*;
use crate::event::{Channel, Origin, Timer};
use crate::pipeline::ruling::strictest;

const BUDGET: Duration = Duration::from_millis(50);

/// What a reviewer does with a question.
#[derive(Debug, Clone)]
enum Act {
    /// After so many milliseconds.
    Answer(Verdict, u64),
    Crash(u64),
    /// It had too many questions already.
    NotAsked,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let reason = String::new;
    prop_oneof![
        Just(Verdict::Pass),
        Just(Verdict::Flag { reason: reason() }),
        Just(Verdict::Hold { reason: reason() }),
        Just(Verdict::Remove { reason: reason() }),
        proptest::option::of(1..1000_u32).prop_map(move |seconds| Verdict::Suspend { seconds, reason: reason() }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    // Never at the very moment when the time is up.
    let delay = || prop_oneof![0..50_u64, 51..100_u64];
    prop_oneof![
        6 => (verdict(), delay()).prop_map(|(verdict, delay)| Act::Answer(verdict, delay)),
        1 => delay().prop_map(Act::Crash),
        1 => Just(Act::NotAsked),
    ]
}

fn on_failure() -> impl Strategy<Value = OnFailure> {
    prop_oneof![Just(OnFailure::Pass), Just(OnFailure::Hold)]
}

/// What counts of an act.
fn ruling(reviewer: &PluginId, act: &Act, on_failure: OnFailure) -> Ruling {
    let reviewer = PluginId::clone(reviewer);
    match act {
        Act::Answer(verdict, delay) if Duration::from_millis(*delay) < BUDGET => {
            Ruling::in_time(reviewer, verdict.clone())
        }
        _ => Ruling::without_answer(reviewer, on_failure),
    }
}

fn question(reviewer: &PluginId, act: Act, on_failure: OnFailure) -> Question {
    let (sender, receiver) = oneshot::channel();
    let answer = (!matches!(act, Act::NotAsked)).then_some(receiver);
    tokio::spawn(async move {
        match act {
            Act::Answer(verdict, delay) => {
                sleep(Duration::from_millis(delay)).await;
                let _ = sender.send(verdict);
            }
            Act::Crash(delay) => {
                sleep(Duration::from_millis(delay)).await;
                drop(sender);
            }
            Act::NotAsked => {}
        }
    });
    Question { reviewer: PluginId::clone(reviewer), on_failure, answer }
}

fn delivery() -> Arc<Delivery> {
    let event = Event::Timer(Timer { name: String::new() });
    let (id, channel) = (Arc::from("e"), Channel::engine());
    let envelope = Envelope { id, sequence: 1, at_ms: 0, origin: Origin::Live, channel, event, extra: None };
    Delivery::new(Arc::new(envelope))
}

proptest! {
    #[test]
    fn the_strictest_verdict_counts_whenever_it_comes(acts in proptest::collection::vec((act(), on_failure()), 0..6)) {
        let reviewers: Vec<PluginId> = (0..acts.len()).map(|number| number.to_string().into()).collect();
        let rulings = reviewers.iter().zip(&acts).map(|(reviewer, (act, on_failure))| ruling(reviewer, act, *on_failure));
        let expected: Vec<Ruling> = rulings.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let decided = runtime.block_on(async {
            let questions = reviewers.iter().zip(acts);
            let questions = questions.map(|(reviewer, (act, on_failure))| question(reviewer, act, on_failure)).collect();
            let begun = Instant::now();
            let reviewing = Reviewing { delivery: delivery(), questions, deadline: begun + BUDGET };
            let (_, rulings) = reviewing.decide().await;
            assert!(begun.elapsed() <= BUDGET + Duration::from_millis(1), "nobody waits for a late reviewer");
            rulings
        });
        prop_assert_eq!(strictest(decided.clone()), strictest(expected.clone()));
        prop_assert_eq!(decided, expected);
    }
}
