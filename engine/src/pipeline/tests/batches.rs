use super::*;
use crate::config::settings::AgentSettings;
use crate::effect::{Alert, Task};
use crate::event::{Outcome, OutcomeStatus};
use crate::platform::ActionError;

impl Bench {
    fn commit(&self, effects: impl IntoIterator<Item = Effect>, kv: Vec<KvWrite>) {
        self.commit_for("cause", effects, kv);
    }

    fn commit_for(&self, event_id: &str, effects: impl IntoIterator<Item = Effect>, kv: Vec<KvWrite>) {
        let numbered = effects.into_iter().zip(0..);
        let effects = numbered.map(|(effect, number)| NumberedEffect { number, effect }).collect();
        self.pipeline.commit(Batch {
            plugin: "greeter".into(),
            maker: Maker::Handler,
            cause: cause(event_id),
            effects,
            kv,
            again: false,
        });
    }

    pub(super) fn serve_tasks(&self, bound: u32) -> TaskQueue {
        let settings = AgentSettings {
            queue_bound: bound,
            visibility: Duration::from_secs(60),
            attempts: 3,
            wake: Vec::new(),
            wake_debounce: Duration::ZERO,
            wake_timeout: Duration::from_secs(1),
            queue_file: None,
            health_file: None,
        };
        let (tasks, _) = TaskQueue::new(
            self.store.clone(),
            &settings,
            self.observer.clone(),
            self.pipeline.on_reply(),
            Arc::new(now_ms),
        );
        self.pipeline.serve_tasks(tasks.clone());
        tasks
    }
}

fn enqueue(task_id: &str) -> Effect {
    let task = Task { queue: "chat".into(), prompt: "help".into(), context_json: None, priority: 5 };
    Effect::Enqueue { task_id: task_id.into(), task }
}

fn set(value: &[u8]) -> Vec<KvWrite> {
    vec![KvWrite::Set { key: "k".into(), value: value.to_vec() }]
}

async fn outcome(plugin: &PluginHandle) -> Outcome {
    match given(plugin).await.0.event.clone() {
        Event::Outcome(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

/// The outcomes of the first `count` effects, by number.
async fn outcomes(plugin: &PluginHandle, count: usize) -> Vec<(u32, OutcomeStatus, String)> {
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let outcome = outcome(plugin).await;
        outcomes.push((outcome.effect, outcome.status, outcome.detail));
    }
    outcomes.sort_by_key(|(number, ..)| *number);
    outcomes
}

#[tokio::test]
async fn the_plugin_that_asked_is_told_how_it_ended_if_it_wants_to_know() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let other = PluginHandle::stand_in("other", &["outcome"]);
    let bench = Bench::new(&[&greeter, &other]).await;
    bench.commit([say("hello")], vec![]);
    let told = outcome(&greeter).await;
    assert_eq!((told.event_id.as_str(), told.effect, told.status), ("cause", 0, OutcomeStatus::Done));
    assert!(has_nothing(&other));
    assert_eq!(bench.sink.order(), ["hello"]);
    assert!(bench.store.recent_event_ids(10).await.unwrap().is_empty(), "the ledger has outcomes, the journal not");
}

#[tokio::test]
async fn what_has_no_way_out_fails_and_says_why() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    let nowhere =
        Effect::Platform { channel: Channel::new("retake", "5b7c"), action: Action::Say { text: "hello".into() } };
    bench.commit([nowhere, say(" \n"), say("one\nline")], vec![]);
    let ends = outcomes(&greeter, 3).await;
    assert_eq!(ends[0].1, OutcomeStatus::Failed);
    assert!(ends[0].2.starts_with("no account is connected for retake:5b7c; "), "{}", ends[0].2);
    assert_eq!(ends[1], (1, OutcomeStatus::Failed, "the text is empty".into()));
    assert_eq!(ends[2].1, OutcomeStatus::Done);
    assert_eq!(bench.sink.order(), ["one line"]);
}

#[tokio::test]
async fn alerts_and_publications_go_to_whoever_watches() {
    let bench = Bench::new(&[]).await;
    let mut watch = bench.observer.watch();
    let alert = Alert {
        kind: "tip".into(),
        title: "5 USD".into(),
        text: String::new(),
        image: None,
        sound: None,
        duration_ms: None,
    };
    bench.commit([Effect::Alert(alert), Effect::Publish { kind: "score".into(), data_json: "{}".into() }], vec![]);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(match &*watch.recv().await.unwrap() {
            Observation::Alert { alert, .. } => alert.kind.clone(),
            Observation::Published { kind, .. } => kind.clone(),
            Observation::Outcome { effect, .. } => format!("{effect} ended"),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["tip", "alert ended", "score", "publish ended"]);
}

#[tokio::test]
async fn chat_leaves_at_once_and_a_task_when_it_is_written() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    let tasks = bench.serve_tasks(10);
    bench.commit([say("one moment"), enqueue("t1"), say("really")], set(b"asked"));
    let ends = outcomes(&greeter, 3).await;
    assert!(ends.iter().all(|(_, status, _)| *status == OutcomeStatus::Done), "{ends:?}");
    assert_eq!(bench.sink.order(), ["one moment", "really"]);
    let leased = tasks.lease("chat", 10).await.unwrap();
    assert_eq!(leased.iter().map(|lease| lease.task_id.as_str()).collect::<Vec<_>>(), ["t1"]);
    assert_eq!(bench.store.kv(&"greeter".into()).await.unwrap()["k"], b"asked");
}

#[tokio::test]
async fn a_full_queue_takes_exactly_its_bound() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    let tasks = bench.serve_tasks(3);
    bench.commit((0..5).map(|number| enqueue(&format!("t{number}"))), vec![]);
    let ends = outcomes(&greeter, 5).await;
    let done = ends.iter().filter(|(_, status, _)| *status == OutcomeStatus::Done).count();
    assert_eq!(done, 3);
    assert!(ends[4].2.contains("the queue \"chat\" is full"), "{}", ends[4].2);
    assert_eq!(tasks.list(None, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn without_a_queue_a_task_fails_and_the_rest_goes_on() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    bench.commit([enqueue("t1"), on_channel(Action::Lift { user_id: "42".into() })], vec![]);
    let ends = outcomes(&greeter, 2).await;
    assert_eq!(ends[0], (0, OutcomeStatus::Failed, "there is no queue of tasks".into()));
    assert_eq!(ends[1].1, OutcomeStatus::Done);
}

#[tokio::test]
async fn what_was_stored_last_is_what_stays() {
    let bench = Bench::new(&[]).await;
    for round in 0..50_u8 {
        let lift = on_channel(Action::Lift { user_id: "42".into() });
        bench.commit_for(&format!("lift {round}"), [lift], set(&[round, 1]));
        bench.commit_for(&format!("chat {round}"), [say("hi")], set(&[round, 2]));
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let drained = bench.pipeline.drain(deadline).await;
    assert_eq!(drained, Drained { sent: 100, left: 0 });
    assert_eq!(bench.store.kv(&"greeter".into()).await.unwrap()["k"], [49, 2]);
}

#[tokio::test]
async fn moderation_is_done_also_when_the_disk_takes_nothing() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    bench.serve_tasks(10);
    bench.store.close().await;
    bench.commit([on_channel(Action::Lift { user_id: "42".into() }), enqueue("t1")], vec![]);
    let ends = outcomes(&greeter, 2).await;
    assert_eq!(ends[0].1, OutcomeStatus::Done);
    assert_eq!((ends[1].1, ends[1].2.as_str()), (OutcomeStatus::Failed, "the database is closed"));
}

#[tokio::test]
async fn moderation_waits_only_shortly_for_a_disk_that_stalls_and_overtakes_no_other() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let mut bench = Bench::new(&[&greeter]).await;
    bench.serve_tasks(10);
    let disk = rusqlite::Connection::open(bench.folder.path().join("showrunner.db")).unwrap();
    disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    let lift = |user_id: &str| on_channel(Action::Lift { user_id: user_id.into() });
    bench.commit_for("one", [enqueue("t1"), lift("1")], vec![]);
    bench.commit_for("two", [lift("2")], set(b"kept"));
    for user_id in ["1", "2"] {
        assert_eq!(bench.performed.recv().await.unwrap(), Action::Lift { user_id: user_id.into() });
    }
    // By now the disk is known to stall.
    bench.commit_for("three", [lift("3")], vec![]);
    assert_eq!(bench.performed.recv().await.unwrap(), Action::Lift { user_id: "3".into() });
    for id in ["one", "two", "three"] {
        let ended = outcome(&greeter).await;
        assert_eq!((&*ended.event_id, ended.status), (id, OutcomeStatus::Done), "and the task still waits");
    }
    disk.execute_batch("ROLLBACK").unwrap();
    let task = outcome(&greeter).await;
    assert_eq!((&*task.event_id, task.effect, task.status), ("one", 0, OutcomeStatus::Done));
    assert_eq!(bench.store.kv(&"greeter".into()).await.unwrap()["k"], b"kept");
    assert_eq!(bench.pipeline.drain(Instant::now() + Duration::from_secs(60)).await.left, 0);
}

#[tokio::test]
async fn a_drain_waits_for_what_can_be_sent_and_no_longer_than_it_may() {
    let bench = Bench::new(&[]).await;
    let (stuck, _) = FakeSink::new(Duration::MAX);
    let elsewhere = Channel::new("simulator", "stuck");
    let pace = Pace { messages: None, in_flight: 1, expiry: Duration::from_secs(60) };
    bench.pipeline.attach("stuck", std::slice::from_ref(&elsewhere), stuck, pace);
    bench.commit([say("a"), say("b")], vec![]);
    let never = Effect::Platform { channel: elsewhere, action: Action::Say { text: "c".into() } };
    bench.commit([never], vec![]);
    tokio::time::pause();
    let drained = bench.pipeline.drain(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(drained, Drained { sent: 2, left: 1 });
}

#[tokio::test]
async fn an_account_that_is_taken_away_sends_nothing_more() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let bench = Bench::new(&[&greeter]).await;
    bench.pipeline.detach("simulator");
    bench.commit([say("hello")], vec![]);
    assert_eq!(outcome(&greeter).await.status, OutcomeStatus::Failed);
    assert!(bench.sink.order().is_empty());
}

#[tokio::test]
async fn what_waits_for_an_account_is_sent_by_the_one_that_takes_its_place() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let mut bench = Bench::new(&[&greeter]).await;
    bench.sink.always_answer(ActionError::Unreachable("no route".into()));
    let suspend = Action::Suspend { user_id: "42".into(), seconds: Some(60), reason: String::new() };
    bench.commit([on_channel(suspend)], vec![]);
    bench.performed.recv().await;
    bench.commit([say("hello")], vec![]);
    let (sink, mut performed) = FakeSink::new(Duration::ZERO);
    let pace = Pace { messages: None, in_flight: 1, expiry: Duration::from_secs(60) };
    bench.pipeline.attach("simulator", &[channel()], sink.clone(), pace);
    bench.commit([say("and on")], vec![]);
    for _ in 0..3 {
        performed.recv().await;
    }
    assert_eq!(sink.order(), ["suspend 42", "hello", "and on"]);
    let ends = outcomes(&greeter, 3).await;
    assert!(ends.iter().all(|(_, status, _)| *status == OutcomeStatus::Done), "{ends:?}");
}
