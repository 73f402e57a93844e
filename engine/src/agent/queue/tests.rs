use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::Upkeep;
use super::*;
use crate::config::settings::JournalSettings;
use crate::event::now_ms;
use crate::store::Committed;
use crate::store::tests::asks_for;

/// A queue with a clock that stands still until it is told otherwise.
struct Bench {
    queue: TaskQueue,
    upkeep: Upkeep,
    observer: Observer,
    replies: Arc<Mutex<Vec<(PluginId, AgentReply)>>>,
    clock_ms: Arc<AtomicU64>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_, _| ())
    }

    fn with(change: impl FnOnce(&mut AgentSettings, PathBuf)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = JournalSettings { keep_for: Duration::from_secs(3600), keep_bytes: 1 << 30 };
        let store = Store::open(&folder.path().join("showrunner.db"), &journal).unwrap();
        let mut settings = AgentSettings {
            queue_bound: 3,
            visibility: Duration::from_secs(60),
            attempts: 2,
            wake: vec![],
            wake_debounce: Duration::from_secs(1),
            wake_timeout: Duration::from_secs(60),
            queue_file: None,
            health_file: None,
        };
        change(&mut settings, folder.path().to_owned());
        let replies = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&replies);
        let on_reply: OnReply = Arc::new(move |plugin, reply| seen.lock().unwrap().push((plugin, reply)));
        // The store itself goes by the real clock, in what it adds and what it forgets: no task comes from the future.
        let clock_ms = Arc::new(AtomicU64::new(now_ms() + 60_000));
        let time = Arc::clone(&clock_ms);
        let clock: Clock = Arc::new(move || time.load(Ordering::SeqCst));
        let observer = Observer::default();
        let (queue, upkeep) = TaskQueue::new(store, &settings, observer.clone(), on_reply, clock);
        Self { queue, upkeep, observer, replies, clock_ms, folder }
    }

    fn pass(&self, seconds: u64) {
        self.clock_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    async fn add(&self, id: &str) -> bool {
        add(&self.queue, id).await
    }

    async fn lease_one(&self) -> Lease {
        self.queue.lease("agent", 1).await.unwrap().remove(0)
    }
}

/// A plugin asks for a task, and the pipeline hands it on. Says whether there was room for one more.
async fn add(queue: &TaskQueue, id: &str) -> bool {
    let asking = asks_for(id, task(id));
    let committed = queue.inner.store.commit(&asking, queue.bound()).unwrap().await.unwrap();
    let is_new = committed == Committed::default();
    if is_new {
        queue.announce(&task(id));
    }
    is_new
}

fn task(prompt: &str) -> Task {
    Task { queue: "agent".to_owned(), prompt: prompt.to_owned(), context_json: None, priority: 0 }
}

#[tokio::test]
async fn a_queue_has_room_up_to_its_bound_and_again_when_a_task_is_done() {
    let bench = Bench::new();
    for id in ["a", "b", "c"] {
        assert!(bench.queue.has_room("agent").await.unwrap());
        assert!(bench.add(id).await);
    }
    assert!(!bench.queue.has_room("agent").await.unwrap());
    assert!(bench.queue.has_room("another").await.unwrap());
    assert!(!bench.add("d").await);

    let lease = bench.lease_one().await;
    bench.queue.ack(&lease.task_id, &lease.lease_id).await.unwrap();
    assert!(bench.add("e").await);
}

#[tokio::test]
async fn a_lease_that_ends_without_a_word_comes_back_and_is_lost_for_its_holder() {
    let bench = Bench::new();
    assert!(bench.add("a").await);
    let first = bench.lease_one().await;
    bench.pass(59);
    assert_eq!(bench.queue.lease("agent", 1).await.unwrap(), []);
    bench.pass(1);
    let second = bench.lease_one().await;
    assert_eq!((&*second.task_id, second.attempt), ("a", 2));

    let refused = bench.queue.ack("a", &first.lease_id).await.unwrap_err();
    assert!(matches!(refused, QueueError::LeaseLost { .. }), "{refused}");
    bench.queue.ack("a", &second.lease_id).await.unwrap();
    let refused = bench.queue.ack("a", &second.lease_id).await.unwrap_err();
    assert!(matches!(refused, QueueError::Done { .. }), "{refused}");
}

#[tokio::test]
async fn after_the_last_attempt_a_task_is_dead_until_somebody_puts_it_back() {
    let bench = Bench::new();
    let mut watcher = bench.observer.watch();
    assert!(bench.add("a").await);
    for _ in 0..2 {
        bench.lease_one().await;
        bench.pass(60);
    }
    assert_eq!(bench.queue.lease("agent", 1).await.unwrap(), []);
    assert!(
        matches!(&*watcher.try_recv().unwrap(), Observation::Log { message, .. } if message.contains("task a is dead"))
    );
    let dead = bench.queue.dead_letters(Some("agent"), 10).await.unwrap();
    assert_eq!(dead.iter().map(|task| (&*task.task_id, task.attempts)).collect::<Vec<_>>(), [("a", 2)]);
    assert!(bench.queue.has_room("agent").await.unwrap());

    bench.queue.requeue("a").await.unwrap();
    let lease = bench.lease_one().await;
    assert_eq!(lease.attempt, 1);
    let refused = bench.queue.requeue("a").await.unwrap_err();
    assert!(matches!(refused, QueueError::NotDead { state: TaskState::Leased, .. }), "{refused}");
}

#[tokio::test]
async fn a_task_that_is_given_back_waits_for_its_delay_and_dies_in_the_end() {
    let bench = Bench::new();
    assert!(bench.add("a").await);
    let lease = bench.lease_one().await;
    let state = bench.queue.nack("a", &lease.lease_id, Duration::from_secs(30)).await.unwrap();
    assert_eq!(state, TaskState::Ready);
    assert_eq!(bench.queue.lease("agent", 1).await.unwrap(), []);
    let refused = bench.queue.ack("a", &lease.lease_id).await.unwrap_err();
    assert!(matches!(refused, QueueError::NotLeased { state: TaskState::Ready, .. }), "{refused}");

    bench.pass(30);
    let lease = bench.lease_one().await;
    assert_eq!(bench.queue.nack("a", &lease.lease_id, Duration::ZERO).await.unwrap(), TaskState::Dead);
}

#[tokio::test]
async fn an_answer_ends_the_task_and_goes_to_the_plugin_that_asked_once() {
    let bench = Bench::new();
    assert!(bench.add("a").await);
    bench.lease_one().await;
    bench.queue.reply("a", true, "because".to_owned()).await.unwrap();
    let reply = AgentReply { task_id: "a".to_owned(), ok: true, text: "because".to_owned() };
    assert_eq!(*bench.replies.lock().unwrap(), [(PluginId::from("greeter"), reply.clone())]);

    let refused = bench.queue.reply("a", true, "again".to_owned()).await.unwrap_err();
    assert!(matches!(refused, QueueError::Done { .. }), "{refused}");
    assert_eq!(bench.replies.lock().unwrap().len(), 1);
    assert_eq!(bench.queue.list(None, 10).await.unwrap(), [], "what is done is not listed, however old it is");
    let done = bench.queue.inner.store.list_tasks(None, &[TaskState::Done], 10).await.unwrap();
    assert_eq!(done[0].answer.as_ref(), Some(&reply));
}

#[tokio::test]
async fn a_task_that_is_not_there_is_said_to_be_unknown() {
    let bench = Bench::new();
    let errors = [
        bench.queue.ack("nobody", "l").await.unwrap_err(),
        bench.queue.nack("nobody", "l", Duration::ZERO).await.unwrap_err(),
        bench.queue.reply("nobody", true, String::new()).await.unwrap_err(),
        bench.queue.requeue("nobody").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, QueueError::Unknown { .. }), "{error}");
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}

#[tokio::test]
async fn a_new_task_wakes_the_agent_and_stands_in_its_file() {
    let bench = Bench::with(|settings, folder| {
        settings.wake = vec!["touch".to_owned(), folder.join("woken").to_string_lossy().into_owned()];
        settings.queue_file = Some(folder.join("queue.jsonl"));
    });
    let shutdown = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(bench.upkeep.run(shutdown.clone()));
    assert!(add(&bench.queue, "why?").await);
    // Both are other people's files, so there is nothing to wait on but them.
    let written = async {
        let is_there = |name: &str| std::fs::metadata(bench.folder.path().join(name)).is_ok_and(|_| true);
        while !is_there("woken") || !is_there("queue.jsonl") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written).await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
    let lines = std::fs::read_to_string(bench.folder.path().join("queue.jsonl")).unwrap();
    assert!(lines.contains(r#""text":"why?""#), "{lines}");
}

#[tokio::test]
async fn a_sweep_wakes_the_agent_for_what_came_back() {
    let bench = Bench::with(|settings, _| settings.wake = vec!["true".to_owned()]);
    assert!(bench.add("a").await);
    let since = bench.queue.sweep(0).await;
    bench.lease_one().await;
    assert!(!bench.queue.sweep_until(since, bench.queue.now_ms()).await.unwrap());
    bench.pass(60);
    assert!(bench.queue.sweep_until(since, bench.queue.now_ms()).await.unwrap());
}
