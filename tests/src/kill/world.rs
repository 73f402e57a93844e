//! A daemon's folder, its platform, its agent and its viewers, through all its lives.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use showrunner::config::settings::RetakeGeneration;
use showrunner::gateway::control::{QueueRequest, Request, Response};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::agent::{Agent, Daemon};
use super::autopsy::{Evidence, glance, verdict};
use super::chat::{Chat, Heard};
use super::life::Life;
use super::moment::Moment;
use super::{PATIENCE, Plan, Tally, VISIBILITY};
use crate::daemon::Stage;
use crate::retake::FakeRetake;

/// What may have been under way when a daemon ended in good order: more than is said in the time that this takes, and
/// in that which the one before it left to catch up with.
const LAST_WORDS: usize = 200;

/// Shown of the daemons' log when something is wrong.
const LOG_LINES: usize = 60;

/// How often is looked whether all is done.
const LOOK: Duration = Duration::from_millis(20);

pub struct World {
    stage: Stage,
    platform: Arc<FakeRetake>,
    agent: Agent,
    chat: Chat,
    rng: Rng,
    program: PathBuf,
    /// The agent and the viewers.
    people: JoinSet<()>,
    tally: Tally,
}

impl World {
    /// Kills `plan.kills` daemons of this program, in several worlds side by side.
    pub async fn run(plan: Plan, program: &Path) -> Tally {
        let mut worlds = JoinSet::new();
        for number in 0..plan.worlds {
            let kills = plan.kills / plan.worlds + usize::from(number < plan.kills % plan.worlds);
            let rng = Rng::with_seed(plan.seed.wrapping_add(number as u64));
            let program = program.to_owned();
            worlds.spawn(async move { Self::new(rng, program).await.live_through(kills, number).await });
        }
        let mut sum = Tally::default();
        while let Some(tally) = worlds.join_next().await {
            sum.add(tally.unwrap());
        }
        sum
    }

    async fn new(mut rng: Rng, program: PathBuf) -> Self {
        let platform = Arc::new(FakeRetake::start(RetakeGeneration::V2).await);
        let mut stage = Stage::with_probe();
        configure(&mut stage, &platform);
        let (agent, chat) = (Agent::new(), Chat::new(Arc::clone(&platform)));
        let mut people = JoinSet::new();
        people.spawn(agent.clone().work(stage.data_dir(), rng.fork()));
        people.spawn(chat.clone().go_on(stage.data_dir(), rng.fork()));
        Self { stage, platform, agent, chat, rng, program, people, tally: Tally::default() }
    }

    async fn live_through(mut self, kills: usize, offset: usize) -> Tally {
        // Before the first kill a line is heard, from which on nothing is to be missed.
        let mut first = Some(self.begin());
        self.platform.room_has(1).await;
        self.chat.say_work();
        timeout(PATIENCE, self.agent.has_leased(1)).await.expect("the first line came to nothing");
        self.chat.pause(false);
        let mut turn = offset;
        while self.tally.kills() < kills {
            let life = first.take().unwrap_or_else(|| self.begin());
            let moment = Moment::draw(turn, &mut self.rng);
            self.live(life, moment).await;
            turn += 1;
        }
        self.end().await
    }

    fn begin(&self) -> Life {
        Life::begin(&self.program, &self.stage.config(), &self.log())
    }

    /// One daemon, until it is killed.
    async fn live(&mut self, mut life: Life, moment: Moment) {
        let (began, record) = (life.began, self.record());
        let mut start = Duration::ZERO;
        let joining = async {
            self.platform.room_has(1).await;
            start = began.elapsed();
            self.chat.pause(false);
            std::future::pending().await
        };
        tokio::select! {
            () = moment.wait(&self.platform, &record, &self.agent) => {}
            () = joining => {}
            () = life.must_go_on() => {}
        }
        self.tally.slowest_start = self.tally.slowest_start.max(start);
        if let Moment::Stopping(after) = moment {
            self.chat.pause(true);
            life.ask_to_stop().await;
            sleep(after).await;
        }
        life.kill().await;
        let data_dir = self.stage.data_dir();
        let glance = tokio::task::spawn_blocking(move || glance(&data_dir)).await.unwrap();
        if glance.was_closed {
            self.tally.ended_before += 1;
            self.chat.doubt_last(LAST_WORDS);
        } else {
            *self.tally.kills.entry(moment.kind()).or_default() += 1;
            self.chat.pause(false);
        }
        let when = format!("after kill {} ({moment:?})", self.tally.kills());
        self.tally.faults.extend(glance.faults.into_iter().map(|fault| format!("{when}: {fault}")));
        // The platform has noticed.
        timeout(PATIENCE, self.platform.room_has(0)).await.expect("the daemon's socket is still there");
    }

    /// A last daemon brings everything to its end.
    async fn end(mut self) -> Tally {
        let life = self.begin();
        self.platform.room_has(1).await;
        self.chat.pause(true);
        // Once it is done, so is all that was said before, also what may have been said to nobody.
        self.chat.say_work();
        let missing = self.wait_until_done().await;
        if !missing.is_empty() {
            let some: Vec<_> = missing.iter().take(10).collect();
            self.tally.fault(format!("{} tasks were never done: {some:?}", missing.len()));
        }
        let status = life.stop().await;
        if !status.success() {
            self.tally.fault(format!("the last daemon ended with {status}"));
        }
        self.people.shutdown().await;
        let evidence = Evidence {
            data_dir: &self.stage.data_dir(),
            sayings: &self.chat.sayings(),
            agent: &self.agent.record(),
            sent: self.platform.sent(),
            record: &self.record(),
        };
        let mut tally = std::mem::take(&mut self.tally);
        verdict(&evidence, &mut tally);
        drop(evidence);
        if !tally.faults.is_empty() {
            let log = self.last_log();
            let folder = self.stage.keep();
            tally.fault(format!("all that they left is kept in {}; the last of their log:\n{log}", folder.display()));
        }
        tally
    }

    /// The names of the tasks that are still not done when it has taken too long.
    async fn wait_until_done(&self) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut daemon = Daemon { data_dir: self.stage.data_dir(), client: None };
        loop {
            let mut missing = self.not_done();
            if missing.is_empty() {
                missing = open_tasks(&mut daemon).await;
            }
            if missing.is_empty() || Instant::now() > deadline {
                return missing;
            }
            sleep(LOOK).await;
        }
    }

    fn not_done(&self) -> Vec<String> {
        let done = self.agent.done();
        let sayings = self.chat.sayings();
        let work = sayings.work.iter().filter(|said| said.heard == Heard::Surely);
        work.filter(|said| !done.contains(&said.name)).map(|said| said.name.clone()).collect()
    }

    fn log(&self) -> PathBuf {
        self.stage.path().join("log.jsonl")
    }

    /// Where the simulator writes what it was asked for.
    fn record(&self) -> PathBuf {
        self.stage.path().join("actions.jsonl")
    }

    fn last_log(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

/// What the daemon itself says is not done.
async fn open_tasks(daemon: &mut Daemon) -> Vec<String> {
    match daemon.try_ask(&Request::Queue(QueueRequest::List { name: None, limit: 10 })).await {
        Some(Ok(Response::Tasks { tasks })) => tasks.into_iter().map(|task| task.prompt).collect(),
        other => vec![format!("all that the daemon does not tell of: {other:?}")],
    }
}

/// Nothing in it depends on how fast the machine is: a daemon may be slow without losing anything.
fn configure(stage: &mut Stage, platform: &FakeRetake) {
    // As many lines at once as the config has it by itself.
    stage.connect(&platform.settings()).unset("retake.pace", "in-flight");
    let text = |text: &str| format!("{text:?}");
    let visibility = format!("\"{}s\"", VISIBILITY.as_secs());
    for (section, key, value) in [
        ("log", "filter", text("info,plugin=off")),
        ("host", "watch", text("off")),
        ("host.limits", "handle", text("30s")),
        ("host.limits", "review", text("30s")),
        ("host.limits", "init", text("30s")),
        ("pipeline", "review", text("5s")),
        ("pipeline", "drain", text("60s")),
        ("agent", "visibility", visibility),
        ("agent", "attempts", "100".to_owned()),
        ("agent", "queue-bound", "100000".to_owned()),
        ("simulator", "record", text("actions.jsonl")),
        ("retake.pace", "expiry", text("1h")),
    ] {
        stage.set(section, key, &value);
    }
    stage.write_config();
}
