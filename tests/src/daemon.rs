//! A whole engine inside of the test, on a config, a plugin folder and a database of its own.
//!
//! A [`Stage`] is what lies on the disk, and outlives a stop; a [`Daemon`] runs on it. A test speaks to it as the
//! command line does, through the control socket, and waits for what it observes: never for time to pass.

mod record;
mod stage;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use showrunner::config::edit::{Change, change_plugin};
use showrunner::effect::{Action, Effect, EffectResult};
use showrunner::engine::{self, EngineError, RunOptions};
use showrunner::event::{Envelope, Event};
use showrunner::gateway::control::client::{Client, ClientError};
use showrunner::gateway::control::{PluginRequest, QueueRequest, Request, Response, Simulation};
use showrunner::gateway::view::{BackedUp, PluginStatus, Reloaded, TaskView};
use showrunner::observation::{Decision, DecisionKind, Observation, Observer};
use showrunner::store::backup::Copied;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::record::Record;
pub use self::record::{News, PATIENCE};
pub use self::stage::{CHANNEL, Stage, probe_manifest};

/// Between two looks at a status, which nobody is told of when it changes.
const LOOK: Duration = Duration::from_millis(20);

/// A running engine.
pub struct Daemon {
    pub stage: Stage,
    record: Record,
    client: Client,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), EngineError>>,
}

impl Stage {
    /// Returns when the engine runs and has tried all plugins.
    pub async fn start(self) -> Daemon {
        let mut daemon = self.start_at_once().await;
        daemon.until_all_have_started().await;
        daemon
    }

    /// Returns when the engine runs, however long a plugin takes for its `init`.
    pub async fn start_at_once(self) -> Daemon {
        self.write_config();
        let observer = Observer::default();
        let mut record = Record::new(&observer);
        let shutdown = CancellationToken::new();
        let options = RunOptions { observer, ..RunOptions::default() };
        let mut running = tokio::spawn(engine::run(self.config(), options, shutdown.clone()));
        let started = record.saw(|seen| match seen {
            Observation::Event { envelope, .. } => {
                matches!(&envelope.event, Event::System(system) if system.kind == "started")
            }
            _ => false,
        });
        tokio::select! {
            () = started => {}
            () = tokio::time::sleep(PATIENCE) => panic!("the engine does not start"),
            ended = &mut running => panic!("the engine did not start: {ended:?}"),
        }
        let client = Client::connect(&self.data_dir()).await.unwrap();
        Daemon { stage: self, record, client, shutdown, running }
    }
}

impl Daemon {
    /// Ends the engine as SIGTERM would. What it leaves on the disk is there for the next one.
    pub async fn stop(mut self) -> Stage {
        self.shutdown.cancel();
        self.ended().await;
        self.stage
    }

    /// Waits for an engine that was told to stop.
    pub async fn ended(&mut self) {
        timeout(PATIENCE, &mut self.running).await.expect("the engine does not stop").unwrap().unwrap();
    }

    pub async fn request(&mut self, request: &Request) -> Result<Response, ClientError> {
        timeout(PATIENCE, self.client.ask(request)).await.expect("no answer from the control socket")
    }

    /// Plays an event in, and returns its id.
    pub async fn simulate(&mut self, simulation: Simulation) -> String {
        match self.request(&Request::Simulate(simulation)).await.unwrap() {
            Response::Simulated { event_id } => event_id,
            other => panic!("{other:?}"),
        }
    }

    /// A viewer writes a line; returns the id of the event.
    pub async fn chat(&mut self, text: &str) -> String {
        self.simulate(Simulation { kind: "chat".into(), text: Some(text.into()), ..Simulation::default() }).await
    }

    /// Somebody gives money, which must never be lost.
    pub async fn tip(&mut self, text: &str) -> String {
        let (amount, text) = (Some("5".into()), Some(text.into()));
        self.simulate(Simulation { kind: "tip".into(), text, amount, ..Simulation::default() }).await
    }

    /// What a plugin decided on an event.
    pub async fn decision(&mut self, event: &str, plugin: &str) -> Decision {
        let what = format!("a decision of {plugin} on {event}");
        self.record.find(&what, |seen| decision_on(seen, event, plugin)).await
    }

    /// Whether a plugin has come to its end with an event, as far as is known by now.
    pub fn has_decided(&mut self, event: &str, plugin: &str) -> bool {
        self.record.so_far().iter().any(|seen| decision_on(seen, event, plugin).is_some())
    }

    /// Writes a line and returns what a plugin says to it.
    pub async fn ask(&mut self, plugin: &str, text: &str) -> Vec<String> {
        let event = self.chat(text).await;
        said(&self.decision(&event, plugin).await)
    }

    /// What a plugin decides next on a timer, a reply, or another event that only it gets.
    pub async fn own_decision(&mut self, event_prefix: &str, plugin: &str) -> Decision {
        let what = format!("a decision of {plugin} on an event {event_prefix}…");
        let find = |seen: &Observation| match seen {
            Observation::Decision(decision)
                if decision.event_id.starts_with(event_prefix) && *decision.plugin == *plugin =>
            {
                Some(decision.clone())
            }
            _ => None,
        };
        self.record.find(&what, find).await
    }

    /// How an effect ended.
    pub async fn outcome(&mut self, event: &str, plugin: &str, number: u32) -> EffectResult {
        let what = format!("the outcome of effect {number} of {plugin} on {event}");
        let find = |seen: &Observation| match seen {
            Observation::Outcome { result, .. }
                if *result.key.event_id == *event && *result.key.plugin == *plugin && result.key.number == number =>
            {
                Some(result.clone())
            }
            _ => None,
        };
        self.record.find(&what, find).await
    }

    /// The first event that `is_wanted`.
    pub async fn event(&mut self, what: &str, is_wanted: impl Fn(&Envelope) -> bool) -> Arc<Envelope> {
        let find = |seen: &Observation| match seen {
            Observation::Event { envelope, .. } if is_wanted(envelope) => Some(Arc::clone(envelope)),
            _ => None,
        };
        self.record.find(what, find).await
    }

    /// Everything that was observed until now.
    pub fn so_far(&mut self) -> &[Arc<Observation>] {
        self.record.so_far()
    }

    /// Resolves when something more is observed.
    pub async fn next_observation(&mut self) {
        self.record.next().await;
    }

    /// Waits for something else, and keeps up with what is observed meanwhile, however much that is.
    pub async fn watching<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.record.take() => {}
            }
        }
    }

    /// Waits for any observation that `pick` takes.
    pub async fn until<T>(&mut self, what: &str, pick: impl Fn(&Observation) -> Option<T>) -> T {
        self.record.find(what, pick).await
    }

    /// The next that the host tells of a plugin: "loaded", "reloaded", "failed", ... Each is given out once.
    pub async fn news(&mut self, plugin: &str, what: &str) -> News {
        self.record.news(plugin, what).await
    }

    /// How often the host has told this of a plugin until now.
    pub fn news_count(&mut self, plugin: &str, what: &str) -> usize {
        let news = self.record.so_far().iter().filter_map(|seen| News::read(seen));
        news.filter(|news| news.plugin == plugin && news.what == what).count()
    }

    /// The probe crashes five times within a minute.
    pub async fn quarantine_probe(&mut self) {
        for crashes in 1..=5 {
            let event = self.chat("trap").await;
            let decision = self.decision(&event, "probe").await;
            assert!(matches!(decision.verdict, DecisionKind::Crashed(_)), "{decision:?}");
            // While it pauses it hears nothing.
            self.news("probe", if crashes < 5 { "restarted" } else { "quarantined" }).await;
        }
    }

    /// Returns when a plugin runs and has nothing left to handle.
    pub async fn until_idle(&mut self, plugin: &str) {
        self.until_status(plugin, "idle", |status| status.state == "running" && status.queued == 0).await;
    }

    /// Waits for a plugin that takes its time to start.
    pub async fn until_running(&mut self, plugin: &str) {
        self.until_status(plugin, "running", |status| status.state == "running").await;
    }

    /// The engine waits a second for the `init` of a plugin, and goes on without it then.
    pub async fn until_all_have_started(&mut self) {
        let told = async {
            loop {
                match self.request(&Request::Plugins(PluginRequest::List)).await.unwrap() {
                    Response::Plugins { plugins } if plugins.iter().any(|plugin| plugin.state == "starting") => {
                        tokio::time::sleep(LOOK).await;
                    }
                    _ => return,
                }
            }
        };
        timeout(PATIENCE, told).await.expect("a plugin does not start");
    }

    async fn until_status(&mut self, plugin: &str, what: &str, is_so: impl Fn(&PluginStatus) -> bool) {
        let told = async {
            while !is_so(&self.status(plugin).await) {
                tokio::time::sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("{plugin} does not get {what}"));
    }

    /// What the status says of the database, when it says this.
    pub async fn store_problem(&mut self, part: &str) -> String {
        let told = async {
            loop {
                let Response::Status(status) = self.request(&Request::Status).await.unwrap() else {
                    panic!("no status")
                };
                match status.store.problem {
                    Some(problem) if problem.contains(part) => return problem,
                    _ => tokio::time::sleep(LOOK).await,
                }
            }
        };
        timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("{part:?} is not said of the database"))
    }

    /// Returns when the status finds the database well.
    pub async fn store_well(&mut self) {
        let told = async {
            loop {
                match self.request(&Request::Status).await.unwrap() {
                    Response::Status(status) if status.store.problem.is_none() => return,
                    _ => tokio::time::sleep(LOOK).await,
                }
            }
        };
        timeout(PATIENCE, told).await.expect("the database is not well");
    }

    /// Has the daemon itself copy a database that nobody else can reach any more.
    pub async fn rescue(&mut self, file: &Path) -> Copied {
        match self.request(&Request::Backup { file: file.to_owned(), overwrite: false }).await.unwrap() {
            Response::BackedUp(BackedUp { copied: Some(copied), .. }) => copied,
            other => panic!("{other:?}"),
        }
    }

    pub async fn status(&mut self, plugin: &str) -> PluginStatus {
        match self.request(&Request::Plugins(PluginRequest::Inspect { id: plugin.into() })).await.unwrap() {
            Response::Plugin(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// Leases the next task of the queue `main`, as an agent would, and answers it.
    pub async fn answer_task(&mut self, text: &str) -> TaskView {
        let task = match self.queue(QueueRequest::Lease { name: "main".into(), limit: 1 }).await {
            Response::Tasks { mut tasks } => tasks.remove(0),
            other => panic!("{other:?}"),
        };
        self.queue(QueueRequest::Reply { task: task.id.clone(), ok: true, text: text.into() }).await;
        task
    }

    async fn queue(&mut self, request: QueueRequest) -> Response {
        self.request(&Request::Queue(request)).await.unwrap()
    }

    /// As `showrunner plugins reload` does.
    pub async fn reload(&mut self, plugin: &str) -> PluginStatus {
        match self.request(&Request::Plugins(PluginRequest::Reload { id: plugin.into() })).await.unwrap() {
            Response::Plugin(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// Writes one key of the config and has it read again.
    pub async fn configure(&mut self, section: &str, key: &str, value: &str) -> Reloaded {
        self.stage.set(section, key, value);
        self.stage.write_config();
        self.reload_config().await
    }

    /// As `showrunner plugins grant|revoke|enable|disable` do.
    pub async fn change(&mut self, plugin: &str, changes: &[Change]) {
        change_plugin(&self.stage.config(), plugin, changes).unwrap();
        self.reload_config().await;
    }

    pub async fn reload_config(&mut self) -> Reloaded {
        match self.request(&Request::ReloadConfig).await.unwrap() {
            Response::Reloaded(reloaded) => reloaded,
            other => panic!("{other:?}"),
        }
    }

    /// Returns when the host has seen to all files that were changed before: it takes changes one by one, and one that
    /// came later has been taken twice.
    pub async fn look_at_all_files(&mut self) {
        for _ in 0..2 {
            let version = self.stage.change_canary();
            while self.news("canary", "waiting-for-grant").await.version != version {}
        }
    }
}

fn decision_on(seen: &Observation, event: &str, plugin: &str) -> Option<Decision> {
    match seen {
        Observation::Decision(decision) if *decision.event_id == *event && *decision.plugin == *plugin => {
            Some(decision.clone())
        }
        _ => None,
    }
}

/// The lines that a decision sends to chat.
pub fn said(decision: &Decision) -> Vec<String> {
    let texts = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Platform { action: Action::Say { text } | Action::Reply { text, .. }, .. } => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}
