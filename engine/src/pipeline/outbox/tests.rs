use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::super::fake_sink::FakeSink;
use super::*;
use crate::effect::Action;
use crate::event::Channel;
use crate::platform::{ActionError, Rate};

const PACE: Pace = Pace { messages: None, in_flight: 1, expiry: Duration::from_secs(60) };
const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    outbox: Arc<Outbox>,
    sink: Arc<FakeSink>,
    ended: UnboundedReceiver<Ended>,
}

impl Bench {
    fn new(pace: Pace, latency: Duration) -> Self {
        let (sink, _) = FakeSink::new(latency);
        let (sender, ended) = mpsc::unbounded_channel();
        let report: Report = Arc::new(move |end| sender.send(end).unwrap());
        let sent: Arc<dyn Sink> = sink.clone();
        let outbox = Outbox::start("retake:5b7c", sent, pace, report, Arc::default(), &Handle::current());
        Self { outbox, sink, ended }
    }

    /// Queues the actions of one batch.
    fn push(&self, actions: impl IntoIterator<Item = Action>) {
        let lines = actions.into_iter().zip(0..).map(|(action, number)| Line { number, channel: channel(), action });
        let entry = lines.fold(None, |entry: Option<Entry>, line| match entry {
            Some(mut entry) => {
                entry.push(line);
                Some(entry)
            }
            None => Some(Entry::new("greeter".into(), "event".into(), line)),
        });
        self.outbox.push(entry.unwrap());
    }

    /// Waits for so many ends.
    async fn ends(&mut self, count: usize) -> Vec<Ended> {
        let mut ends = Vec::new();
        while ends.len() < count {
            ends.push(self.ended.recv().await.unwrap());
        }
        ends
    }

    async fn statuses(&mut self, count: usize) -> Vec<OutcomeStatus> {
        self.ends(count).await.into_iter().map(|ended| ended.status).collect()
    }
}

fn channel() -> Channel {
    Channel::new("retake", "5b7c")
}

fn say(text: impl Into<String>) -> Action {
    Action::Say { text: text.into() }
}

fn remove(message_id: &str) -> Action {
    Action::RemoveMessage { message_id: message_id.into(), reason: String::new() }
}

fn suspend(user_id: &str) -> Action {
    Action::Suspend { user_id: user_id.into(), seconds: Some(600), reason: String::new() }
}

/// In which second after the start each was asked.
fn by_second(calls: &[(Duration, String)]) -> Vec<(u64, &str)> {
    calls.iter().map(|(at, call)| (at.as_secs(), call.as_str())).collect()
}

fn limited(seconds: u32) -> ActionError {
    ActionError::RateLimited { retry_after: Some(SECOND * seconds) }
}

fn unreachable() -> ActionError {
    ActionError::Unreachable("connection refused".into())
}

fn lost() -> ActionError {
    ActionError::Lost("timed out".into())
}

#[tokio::test(start_paused = true)]
async fn moderation_overtakes_chat() {
    let mut bench = Bench::new(PACE, SECOND);
    for text in ["a", "b", "c"] {
        bench.push([say(text)]);
    }
    // "a" is under way when it comes.
    tokio::time::sleep(SECOND / 2).await;
    bench.push([remove("m1")]);
    bench.ends(4).await;
    assert_eq!(bench.sink.order(), ["a", "remove m1", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_waited_too_long_is_not_sent_but_moderation_is() {
    let mut bench = Bench::new(Pace { expiry: SECOND * 3 / 2, ..PACE }, SECOND);
    for text in ["a", "b", "c"] {
        bench.push([say(text)]);
    }
    bench.push([remove("m1")]);
    let ends = bench.ends(4).await;
    assert_eq!(bench.sink.order(), ["remove m1", "a"]);
    let expired: Vec<_> = ends.iter().filter(|ended| ended.status == OutcomeStatus::Expired).collect();
    assert_eq!(expired.len(), 2);
    assert!(expired.iter().all(|ended| ended.detail == "it waited longer than 1.5s to be sent"));
}

#[tokio::test(start_paused = true)]
async fn chat_keeps_the_rate_and_moderation_needs_none() {
    let rate = Rate { per_second: 0.5, burst: 2 };
    let mut bench = Bench::new(Pace { messages: Some(rate), in_flight: 4, ..PACE }, Duration::ZERO);
    bench.push([say("a"), say("b"), say("c"), say("d")]);
    tokio::time::sleep(SECOND).await;
    bench.push([remove("m1")]);
    bench.ends(5).await;
    assert_eq!(by_second(&bench.sink.calls()), [(0, "a"), (0, "b"), (1, "remove m1"), (2, "c"), (4, "d")]);
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_tried_again_and_overtaken_by_nothing() {
    let mut bench = Bench::new(Pace { in_flight: 2, ..PACE }, Duration::ZERO);
    bench.sink.answer([unreachable(), unreachable(), unreachable()]);
    for text in ["a", "b", "c"] {
        bench.push([say(text)]);
    }
    assert_eq!(bench.statuses(3).await, [OutcomeStatus::Done; 3]);
    let order = bench.sink.order();
    assert_eq!(order.len(), 6);
    assert_eq!(order[..2], ["a", "b"]);
    assert_eq!(order[5], "c");
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_chat_holds_all_chat_and_no_moderation() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([limited(15)]);
    bench.push([say("a")]);
    bench.push([say("b")]);
    tokio::time::sleep(SECOND).await;
    bench.push([suspend("raider")]);
    assert_eq!(bench.statuses(3).await, [OutcomeStatus::Done; 3]);
    assert_eq!(by_second(&bench.sink.calls()), [(0, "a"), (1, "suspend raider"), (15, "a"), (15, "b")]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_moderation_holds_the_whole_account() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([limited(7)]);
    bench.push([suspend("raider")]);
    tokio::time::sleep(SECOND).await;
    bench.push([say("a")]);
    bench.push([remove("m1")]);
    assert_eq!(bench.statuses(3).await, [OutcomeStatus::Done; 3]);
    assert_eq!(
        by_second(&bench.sink.calls()),
        [(0, "suspend raider"), (7, "suspend raider"), (7, "remove m1"), (7, "a")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_chat_does_not_hold_the_account_that_takes_the_place() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([limited(50)]);
    bench.push([say("a")]);
    tokio::time::sleep(SECOND).await;
    let (sink, _) = FakeSink::new(Duration::ZERO);
    bench.outbox.replace(sink.clone(), PACE);
    assert_eq!(bench.statuses(1).await, [OutcomeStatus::Done]);
    assert_eq!(by_second(&sink.calls()), [(0, "a")]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_may_have_been_said_is_not_said_again() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([lost()]);
    bench.push([say("a")]);
    let ends = bench.ends(1).await;
    assert_eq!(ends[0].status, OutcomeStatus::Uncertain);
    assert_eq!(ends[0].detail, "sent, but no answer came: timed out");
    assert_eq!(bench.sink.order(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_may_have_been_done_is_repeated_and_holds_nobody_up() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([lost()]);
    bench.push([remove("m1")]);
    bench.push([say("a")]);
    assert_eq!(bench.statuses(2).await, [OutcomeStatus::Done; 2]);
    assert_eq!(bench.sink.order(), ["remove m1", "a", "remove m1"]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_costs_its_own_line_only() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.panic_next(1);
    bench.push([say("a"), say("b")]);
    let ends = bench.ends(2).await;
    assert_eq!((ends[0].status, ends[1].status), (OutcomeStatus::Uncertain, OutcomeStatus::Done));
    assert!(ends[0].detail.contains("its code panicked"), "{}", ends[0].detail);
    bench.sink.panic_next(1);
    bench.push([remove("m1")]);
    assert_eq!(bench.statuses(1).await, [OutcomeStatus::Done], "what may be done twice is tried again");
    assert_eq!(bench.sink.order(), ["a", "b", "remove m1", "remove m1"]);
    assert_eq!(bench.outbox.open_lines(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    let unsupported = ActionError::Unsupported { platform: "retake", action: "remove-message" };
    bench.sink.answer([ActionError::Refused("too long".into()), unsupported]);
    bench.push([say("a")]);
    bench.ends(1).await;
    bench.push([remove("m1")]);
    let ends = bench.ends(1).await;
    assert_eq!(ends[0].status, OutcomeStatus::Unsupported);
    assert_eq!(ends[0].detail, "retake has no way to remove-message");
    assert_eq!(bench.sink.order(), ["a", "remove m1"]);
}

#[tokio::test(start_paused = true)]
async fn trying_again_has_an_end() {
    for (error, status) in [(unreachable(), OutcomeStatus::Failed), (lost(), OutcomeStatus::Uncertain)] {
        let mut bench = Bench::new(PACE, Duration::ZERO);
        bench.sink.always_answer(error);
        bench.push([remove("m1")]);
        let ends = bench.ends(1).await;
        assert_eq!(ends[0].status, status);
        assert!(ends[0].detail.starts_with("given up after many attempts: "), "{}", ends[0].detail);
        assert_eq!(bench.sink.calls().len(), 13);
        assert_eq!(bench.outbox.open_lines(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_lines_of_a_batch_leave_one_after_the_other_and_batches_side_by_side() {
    let mut bench = Bench::new(Pace { in_flight: 8, ..PACE }, SECOND);
    bench.push([say("a1"), say("a2"), say("a3")]);
    bench.push([say("b1"), say("b2")]);
    bench.ends(5).await;
    assert_eq!(by_second(&bench.sink.calls()), [(0, "a1"), (0, "b1"), (1, "a2"), (1, "b2"), (2, "a3")]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_line_does_not_hold_back_those_behind_it() {
    let mut bench = Bench::new(PACE, Duration::ZERO);
    bench.sink.answer([ActionError::Refused("too long".into())]);
    bench.push([say("a"), say("b")]);
    let ends = bench.ends(2).await;
    let told: Vec<_> = ends.iter().map(|ended| (ended.key.number, ended.status)).collect();
    assert_eq!(told, [(0, OutcomeStatus::Failed), (1, OutcomeStatus::Done)]);
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_five_thousand_is_sent_by_few_connections() {
    let mut bench = Bench::new(Pace { in_flight: 16, ..PACE }, Duration::from_millis(1));
    for number in 0..5000 {
        bench.push([say(number.to_string())]);
    }
    assert!(bench.statuses(5000).await.iter().all(|status| *status == OutcomeStatus::Done));
    assert_eq!(bench.sink.peak(), 16);
    assert_eq!(bench.outbox.sent_lines(), 5000);
    let numbers: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    assert_eq!(bench.sink.order(), numbers);
}

#[tokio::test(start_paused = true)]
async fn over_the_bound_the_oldest_chat_makes_room() {
    let mut bench = Bench::new(PACE, Duration::MAX);
    bench.push([remove("under way")]);
    tokio::task::yield_now().await;
    bench.push([remove("m1")]);
    for number in 0..BOUND {
        bench.push([say(number.to_string())]);
    }
    let ends = bench.ends(1).await;
    assert_eq!(ends[0].status, OutcomeStatus::Expired);
    assert!(ends[0].detail.contains("retake:5b7c"), "{}", ends[0].detail);
    assert_eq!(bench.outbox.open_lines(), BOUND + 1);
    assert!(bench.ended.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn closing_ends_what_waits_and_lets_finish_what_is_under_way() {
    let mut bench = Bench::new(PACE, SECOND);
    bench.sink.answer([lost()]);
    bench.push([remove("rests")]);
    tokio::time::sleep(SECOND + Duration::from_millis(1)).await;
    bench.push([say("under way")]);
    bench.push([say("waits")]);
    tokio::task::yield_now().await;
    bench.outbox.close();
    bench.push([say("late")]);
    let mut ends = bench.ends(4).await;
    ends.sort_by_key(|ended| ended.status == OutcomeStatus::Done);
    assert!(ends[..3].iter().all(|ended| ended.status == OutcomeStatus::Failed && ended.detail.contains("taken away")));
    assert_eq!(ends[3].status, OutcomeStatus::Done);
    assert_eq!(bench.outbox.open_lines(), 0);
}

/// An entry: whether it is moderation, its lines, and how long after the one before it comes, in milliseconds.
type Planned = (bool, usize, u64);

/// Queues the entries as planned; one call at a time takes a second. Returns when each was queued, and the calls: when,
/// entry and line.
async fn play(plan: &[Planned], expiry: Duration) -> (Vec<Duration>, Vec<(Duration, usize, usize)>) {
    let mut bench = Bench::new(Pace { expiry, ..PACE }, SECOND);
    let begun = tokio::time::Instant::now();
    let mut queued = Vec::new();
    for (entry, (is_moderation, lines, wait)) in plan.iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(*wait)).await;
        queued.push(begun.elapsed());
        let name = |line: usize| format!("{entry} {line}");
        bench.push((0..*lines).map(|line| if *is_moderation { remove(&name(line)) } else { say(name(line)) }));
    }
    let ends = bench.ends(plan.iter().map(|(_, lines, _)| lines).sum()).await;
    assert_eq!(bench.outbox.open_lines(), 0);
    assert!(bench.ended.try_recv().is_err(), "each line ends once");
    let calls: Vec<_> = bench
        .sink
        .calls()
        .into_iter()
        .map(|(at, call)| {
            let mut numbers = call.trim_start_matches("remove ").split(' ').map(|number| number.parse().unwrap());
            (at, numbers.next().unwrap(), numbers.next().unwrap())
        })
        .collect();
    let sent = ends.iter().filter(|ended| ended.status == OutcomeStatus::Done).count();
    assert_eq!(
        (sent, ends.iter().all(|ended| matches!(ended.status, OutcomeStatus::Done | OutcomeStatus::Expired))),
        (calls.len(), true)
    );
    (queued, calls)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_keep_their_order_moderation_overtakes_and_what_is_old_is_not_said(
        plan in proptest::collection::vec((proptest::bool::weighted(0.3), 1..4_usize, 0..3000_u64), 1..12),
        expiry in 1..20_u64,
    ) {
        let expiry = Duration::from_secs(expiry);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (queued, calls) = runtime.block_on(play(&plan, expiry));
        let is_moderation = |entry: usize| plan[entry].0;
        for (place, (at, entry, line)) in calls.iter().enumerate() {
            let earlier = &calls[..place];
            prop_assert!(*line == 0 || earlier.iter().any(|(_, other, before)| (*other, before + 1) == (*entry, *line)));
            prop_assert!(!earlier.iter().any(|(_, other, _)| other > entry && is_moderation(*other) == is_moderation(*entry)));
            if !is_moderation(*entry) {
                prop_assert!(*at < queued[*entry] + expiry, "it waited too long");
                let overtaking = (0..plan.len()).filter(|other| is_moderation(*other) && queued[*other] < *at);
                for other in overtaking {
                    prop_assert_eq!(earlier.iter().filter(|(_, sent, _)| *sent == other).count(), plan[other].1);
                }
            }
        }
        for (entry, (is_moderation, lines, _)) in plan.iter().enumerate() {
            prop_assert!(!is_moderation || calls.iter().filter(|(_, sent, _)| *sent == entry).count() == *lines);
        }
    }
}
