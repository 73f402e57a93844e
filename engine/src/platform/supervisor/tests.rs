//! Every test has the clock paused: waits pass at once, and in order.

use std::collections::VecDeque;
use std::future::pending;

use async_trait::async_trait;
use proptest::prelude::*;
use tokio::sync::{broadcast, mpsc};

use super::*;
use crate::event::{Event, Raw};

/// What a scripted source does in one run.
enum Act {
    Join(Disconnect),
    /// Is put out at once.
    JoinInVain(Disconnect),
    Fail(Disconnect),
    /// Fails each time until then.
    FailUntil(Instant),
    /// The same, counted from the first time.
    FailFor(Duration),
    Panic,
    Emit,
    /// Is ready, tells when it was dropped, and never ends.
    Hold(mpsc::UnboundedSender<&'static str>),
}

struct Scripted(VecDeque<Act>);

struct TellsOfItsEnd(mpsc::UnboundedSender<&'static str>);

impl Drop for TellsOfItsEnd {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[async_trait]
impl Source for Scripted {
    async fn run(&mut self, link: &Link) -> Disconnect {
        match self.0.pop_front() {
            Some(Act::Join(end)) => {
                link.report(ConnectionState::Ready { degraded: None });
                sleep(HELD).await;
                end
            }
            Some(Act::JoinInVain(end)) => {
                link.report(ConnectionState::Ready { degraded: None });
                end
            }
            Some(Act::Fail(end)) => end,
            Some(Act::FailUntil(back)) if Instant::now() < back => {
                self.0.push_front(Act::FailUntil(back));
                retry("away")
            }
            Some(Act::FailUntil(_)) => self.run(link).await,
            Some(Act::FailFor(outage)) => {
                self.0.push_front(Act::FailUntil(Instant::now() + outage));
                self.run(link).await
            }
            Some(Act::Panic) => panic!("a scripted panic"),
            Some(Act::Emit) => {
                let event = Event::Raw(Raw { kind: "x".into(), json: "{}".into() });
                link.emit(Draft::new(Channel::new("test", "room"), 1, event));
                pending().await
            }
            Some(Act::Hold(told)) => {
                let _told = TellsOfItsEnd(told.clone());
                link.report(ConnectionState::Ready { degraded: None });
                let _ = told.send("held");
                pending().await
            }
            None => pending().await,
        }
    }
}

struct Running {
    states: broadcast::Receiver<Arc<Observation>>,
    statuses: Statuses,
    events: mpsc::UnboundedReceiver<Draft>,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let (observer, statuses) = (Observer::default(), Statuses::default());
        let states = observer.watch();
        let shutdown = CancellationToken::new();
        let (sender, events) = mpsc::unbounded_channel();
        let supervision = Supervision {
            name: "test:room".into(),
            channels: vec![Channel::new("test", "room")],
            accept: Arc::new(move |draft| drop(sender.send(draft))),
            observer,
            statuses: statuses.clone(),
        };
        let source = Box::new(Scripted(acts.into_iter().collect()));
        let task = tokio::spawn(supervise(source, supervision, shutdown.clone()));
        Self { states, statuses, events, shutdown, task }
    }

    async fn state(&mut self) -> ConnectionState {
        match &*self.states.recv().await.unwrap() {
            Observation::Connection { name, state } => {
                assert_eq!(name, "test:room");
                state.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    async fn states_until_waiting_for(&mut self, wanted: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            match self.state().await {
                ConnectionState::BackingOff { why, .. } => {
                    seen.push(format!("waiting: {why}"));
                    if why == wanted {
                        return seen;
                    }
                }
                other => seen.push(other.to_string()),
            }
        }
    }
}

fn retry(why: &str) -> Disconnect {
    Disconnect::Retry(why.into())
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_again_after_a_pause() {
    let mut running = Running::start([Act::Join(retry("first")), Act::Fail(retry("second"))]);
    assert_eq!(
        running.states_until_waiting_for("second").await,
        ["connecting", "ready", "waiting: first", "connecting", "waiting: second"]
    );
    assert_eq!(running.state().await, ConnectionState::Connecting);
    assert_eq!(running.statuses.all()[0].reconnects, 2);
}

#[tokio::test(start_paused = true)]
async fn waits_grow_until_the_source_was_ready_again() {
    let failures = (0..40).map(|_| Act::Fail(retry("down")));
    let mut running = Running::start(failures.chain([Act::Join(retry("lost")), Act::Fail(retry("end"))]));
    let started = Instant::now();
    running.states_until_waiting_for("lost").await;
    // Forty waits with a bound of 30 s: without growth they would take less than 40 s.
    assert!(started.elapsed() > Duration::from_secs(60), "{:?}", started.elapsed());
    let joined = Instant::now();
    running.states_until_waiting_for("end").await;
    assert!(joined.elapsed() <= Duration::from_secs(1), "{:?}", joined.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_puts_us_out_at_once_is_not_called_in_a_hurry() {
    let mut running = Running::start((0..40).map(|_| Act::JoinInVain(retry("out"))).chain([Act::Fail(retry("end"))]));
    let started = Instant::now();
    running.states_until_waiting_for("end").await;
    assert!(started.elapsed() > Duration::from_secs(60), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_back_soon_is_found_at_once() {
    for seed in 0..20 {
        fastrand::seed(seed);
        let back = Instant::now() + Duration::from_secs(11);
        let mut running = Running::start([Act::Join(retry("lost")), Act::FailUntil(back), Act::Join(retry("end"))]);
        running.states_until_waiting_for("end").await;
        // `Join` ends a second after it joined.
        assert!(back.elapsed() <= Duration::from_secs(2), "{:?}", back.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_source_is_a_lost_connection() {
    let mut running = Running::start([Act::Panic, Act::Fail(retry("after"))]);
    let states = running.states_until_waiting_for("after").await;
    assert!(states[1].contains("panicked"), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_connection_starts_again_only_when_asked() {
    let stop = Disconnect::Stop { why: "token".into(), what_to_do: "renew".into() };
    let mut running = Running::start([Act::Fail(stop)]);
    assert_eq!(running.state().await, ConnectionState::Connecting);
    assert!(matches!(running.state().await, ConnectionState::Stopped { why, .. } if why == "token"));
    sleep(Duration::from_secs(3600)).await;
    assert!(running.states.try_recv().is_err());
    assert!(matches!(running.statuses.all()[0].state, ConnectionState::Stopped { .. }));

    assert!(!running.statuses.restart("test:other"));
    assert!(running.statuses.restart("test:room"));
    assert_eq!(running.state().await, ConnectionState::Connecting);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_drops_the_source_and_forgets_the_connection() {
    let (told, mut tells) = mpsc::unbounded_channel();
    let running = Running::start([Act::Hold(told)]);
    assert_eq!(tells.recv().await, Some("held"));
    running.shutdown.cancel();
    running.task.await.unwrap();
    assert_eq!(tells.recv().await, Some("dropped"));
    assert_eq!(running.statuses.all(), []);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_the_backoff() {
    let mut running = Running::start((0..20).map(|_| Act::Fail(retry("down"))));
    for _ in 0..30 {
        running.state().await;
    }
    let asked = Instant::now();
    running.shutdown.cancel();
    running.task.await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn events_are_handed_on_and_their_time_is_kept() {
    let mut running = Running::start([Act::Emit]);
    let draft = running.events.recv().await.unwrap();
    assert_eq!(draft.channel, Channel::new("test", "room"));
    assert!(running.statuses.all()[0].last_event_ms.is_some());
}

/// Plays outages of these lengths, each after a connection that held. Returns each wait, and for how long the
/// connection had been away when it began.
async fn play(outages: &[Duration]) -> Vec<(Duration, Duration)> {
    let acts = outages.iter().flat_map(|outage| [Act::Join(retry("lost")), Act::FailFor(*outage)]);
    let mut running = Running::start(acts.chain([Act::Join(retry("end"))]));
    let (mut waits, mut lost, mut waiting) = (Vec::new(), Instant::now(), None);
    loop {
        match running.state().await {
            ConnectionState::BackingOff { why, .. } if why == "end" => return waits,
            ConnectionState::BackingOff { why, .. } => {
                lost = if why == "lost" { Instant::now() } else { lost };
                waiting = Some(Instant::now());
            }
            ConnectionState::Connecting => waits.extend(waiting.take().map(|begun| (begun.elapsed(), begun - lost))),
            ConnectionState::Stopped { .. } => panic!("it never gives up"),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn waits_are_short_while_an_outage_is_young_and_bounded_for_ever(
        outages in proptest::collection::vec(0..120_000_u64, 1..5),
        seed in any::<u64>(),
    ) {
        fastrand::seed(seed);
        let outages: Vec<Duration> = outages.into_iter().map(Duration::from_millis).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let waits = runtime.block_on(play(&outages));
        prop_assert!(waits.len() >= outages.len());
        // The runtime's clock counts milliseconds and rounds up.
        let rounding = Duration::from_millis(1);
        let mut longest = Duration::from_secs(1);
        for (wait, away) in waits {
            let is_young = away < YOUNG_OUTAGE;
            longest = if is_young { Duration::from_secs(1) } else { (2 * longest).min(Duration::from_secs(30)) };
            prop_assert!(wait >= Duration::from_millis(100));
            prop_assert!(wait <= longest + rounding, "{wait:?} after {away:?}, more than {longest:?}");
        }
    }
}
