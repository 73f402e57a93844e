//! What becomes of a plugin when the host's own code fails while it serves it. No plugin can bring that about, so a
//! sink that panics does.

use std::sync::Mutex;
use std::sync::mpsc as blocking;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::agent::TaskQueue;
use crate::config;
use crate::effect::{Batch, EffectSink};
use crate::event::{Channel, ChatMessage, Envelope, Event, Origin, now_ms};
use crate::observation::Observer;
use crate::plugin::delivery::Delivery;
use crate::plugin::handle::Roster;
use crate::plugin::host::{HostOptions, OrderError, Table};
use crate::plugin::imports::http::HttpWays;
use crate::plugin::loader::Files;
use crate::plugin::machine::Machine;
use crate::plugin::shipped::SHIPPED;
use crate::store::Store;

/// It answers "ping", and is there without a folder.
const PLUGIN: &str = "instant-replies";

/// What comes later than this does not come.
const FOR_EVER: Duration = Duration::from_secs(60);

struct FailingSink {
    /// Told of each answer before the failure.
    answers: mpsc::UnboundedSender<()>,
    /// Holds back the failure for as long as nothing is sent and the other end is there.
    gate: Mutex<blocking::Receiver<()>>,
}

impl EffectSink for FailingSink {
    fn commit(&self, _batch: Batch) {
        let _ = self.answers.send(());
        let _ = self.gate.lock().unwrap().recv();
        panic!("a fault of the host");
    }

    fn next_number(&self) -> u64 {
        1
    }
}

/// One thread, so that no instance starts while the failure is held back.
struct OneThread(Option<Runtime>);

impl Drop for OneThread {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// A plugin with its supervisor, and nothing else of the engine.
struct Stage {
    errands: mpsc::UnboundedSender<Errand>,
    supervisor: JoinHandle<()>,
    news: mpsc::UnboundedReceiver<String>,
    answers: mpsc::UnboundedReceiver<()>,
    gate: Option<blocking::Sender<()>>,
    roster: Roster,
    _threads: OneThread,
    _folder: TempDir,
}

impl Stage {
    fn new(flags: PluginFlags) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("showrunner.toml");
        std::fs::write(&file, "").unwrap();
        let settings = Arc::new(config::load(&file).unwrap());
        let store = Store::open(&folder.path().join("showrunner.db"), &settings.journal).unwrap();
        let (tasks, _) =
            TaskQueue::new(store.clone(), &settings.agent, Observer::default(), Arc::new(|_, _| {}), Arc::new(now_ms));
        let (answers, answered) = mpsc::unbounded_channel();
        let (gate, closed_gate) = blocking::channel();
        let (announced, news) = mpsc::unbounded_channel();
        let roster = Roster::default();
        let threads = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = HostOptions {
            settings,
            cache_dir: None,
            store,
            tasks,
            sink: Arc::new(FailingSink { answers, gate: Mutex::new(closed_gate) }),
            observer: Observer::default(),
            threads: threads.handle().clone(),
            roster: Arc::clone(&roster),
            announce: Arc::new(move |system| {
                let facts: serde_json::Value = serde_json::from_str(&system.detail).unwrap();
                let _ = announced.send(format!("{} {}", system.kind, facts["generation"]));
            }),
        };
        // Whichever test comes first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let machine = Arc::new(Machine::start(None).unwrap());
        let shared = Shared::new(machine, HttpWays::new().unwrap(), options, Table::default());
        let (errands, received) = mpsc::unbounded_channel();
        let supervisor = tokio::spawn(Supervisor::new(Arc::new(shared), PLUGIN, flags, received).run());
        let (gate, threads) = (Some(gate), OneThread(Some(threads)));
        Self { errands, supervisor, news, answers: answered, gate, roster, _threads: threads, _folder: folder }
    }

    /// With the plugin at work.
    async fn start() -> Self {
        let mut stage = Self::new(PluginFlags::default());
        let state = stage.consider(Reason::Start).await.unwrap().unwrap();
        assert_eq!(state.phase, Phase::Running, "{}", state.detail);
        stage.hears("plugin-loaded 1").await;
        stage
    }

    fn consider(&self, reason: Reason) -> oneshot::Receiver<Result<PluginState, OrderError>> {
        let (done, state) = oneshot::channel();
        assert!(self.errands.send(Errand::Consider { reason, waiter: Waiter::Operator(done) }).is_ok());
        state
    }

    /// Has the plugin answer something, over which the host fails.
    fn ask(&self) {
        let envelope = Envelope {
            id: "1".into(),
            sequence: 1,
            at_ms: now_ms(),
            origin: Origin::Live,
            channel: Channel::new("test", "room"),
            event: Event::Chat(ChatMessage { text: "ping".to_owned(), ..ChatMessage::default() }),
            extra: None,
        };
        self.roster.load()[0].offer(Delivery::new(Arc::new(envelope)), None);
    }

    async fn hears(&mut self, news: &str) {
        assert_eq!(timeout(FOR_EVER, self.news.recv()).await.unwrap().unwrap(), news);
    }

    /// Nobody asks for anything any more: what else happens does so by itself.
    async fn rest_of_news(mut self) -> Vec<String> {
        drop(self.errands);
        timeout(FOR_EVER, self.supervisor).await.unwrap().unwrap();
        let mut rest = Vec::new();
        while let Ok(news) = self.news.try_recv() {
            rest.push(news);
        }
        rest
    }
}

#[tokio::test]
async fn a_version_that_starts_while_the_old_one_is_lost_is_not_started_again() {
    let mut stage = Stage::start().await;
    stage.ask();
    stage.answers.recv().await.unwrap();
    let reloaded = stage.consider(Reason::Operator);
    stage.hears("plugin-slow 1").await;
    stage.gate.as_ref().unwrap().send(()).unwrap();
    let state = reloaded.await.unwrap().unwrap();
    assert_eq!((state.phase, state.generation), (Phase::Running, 2));
    assert_eq!(stage.rest_of_news().await, ["plugin-failed 1", "plugin-loaded 2"]);
}

#[tokio::test]
async fn a_plugin_at_which_the_host_fails_again_and_again_is_left_alone() {
    let mut stage = Stage::start().await;
    stage.gate = None;
    for generation in 1..5 {
        stage.ask();
        stage.hears(&format!("plugin-failed {generation}")).await;
        stage.hears(&format!("plugin-loaded {}", generation + 1)).await;
    }
    stage.ask();
    stage.hears("plugin-failed 5").await;
    assert_eq!(stage.rest_of_news().await, [""; 0]);
}

#[tokio::test]
async fn a_failure_of_the_host_is_noticed_also_after_a_reload() {
    let mut stage = Stage::start().await;
    stage.gate = None;
    stage.consider(Reason::Operator).await.unwrap().unwrap();
    stage.hears("plugin-reloaded 2").await;
    stage.ask();
    stage.hears("plugin-failed 2").await;
    stage.hears("plugin-loaded 3").await;
    assert_eq!(stage.rest_of_news().await, [""; 0]);
}

#[tokio::test]
async fn a_failure_of_the_host_ends_no_quarantine() {
    let shipped = SHIPPED.iter().find(|shipped| shipped.id == PLUGIN).unwrap();
    let identity = Files::shipped(shipped).identity();
    let reason = Some("it crashes".to_owned());
    let stage = Stage::new(PluginFlags { quarantined: Some(identity.as_str().to_owned()), reason });
    for reason in [Reason::Start, Reason::HostFailed] {
        assert_eq!(stage.consider(reason).await.unwrap().unwrap().phase, Phase::Quarantined);
    }
    assert_eq!(stage.consider(Reason::Operator).await.unwrap().unwrap().phase, Phase::Running);
    assert_eq!(stage.rest_of_news().await, ["plugin-quarantined 0", "plugin-loaded 1"]);
}
