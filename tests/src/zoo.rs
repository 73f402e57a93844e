//! An engine on a fake platform, with a beast in it that does what it is told, and a neighbour that must not notice.
//!
//! Everything goes the whole way: orders and greetings come in at the platform's socket, answers go out over its REST
//! half. The platform pings all the time, and puts out whoever does not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use showrunner::config::settings::{JournalSettings, RetakeGeneration};
use showrunner::observation::{Decision, DecisionKind, Observation};
use showrunner::store::Store;
use tokio::time::timeout;

use crate::daemon::{Daemon, PATIENCE, Stage};
use crate::fixtures::{self, Fixture};
use crate::retake::FakeRetake;

const PING: Duration = Duration::from_millis(50);
/// What real servers allow, and more than a busy machine needs.
const PONG: Duration = Duration::from_secs(20);

/// Nobody listens there: for beasts that don't call their test's server.
const NO_PORT: u16 = 1;

pub struct Zoo {
    pub server: FakeRetake,
    pub daemon: Daemon,
    guests: usize,
}

/// How a call of the beast ended, and what it wrote to its log meanwhile.
#[derive(Debug)]
pub struct Deed {
    pub verdict: DecisionKind,
    pub notes: Vec<String>,
}

impl Zoo {
    /// With a beast that is granted all that it asks for.
    pub async fn open(change: impl FnOnce(&mut Stage)) -> Self {
        Self::open_with(&fixtures::beast_manifest(NO_PORT), fixtures::beast(), change).await
    }

    pub async fn open_with(manifest: &str, component: &[u8], change: impl FnOnce(&mut Stage)) -> Self {
        let mut zoo = Self::open_at_once(manifest, component, change).await;
        zoo.daemon.until_all_have_started().await;
        zoo
    }

    /// The same, however long a plugin takes for its `init`.
    pub async fn open_at_once(manifest: &str, component: &[u8], change: impl FnOnce(&mut Stage)) -> Self {
        Self::open_without_beast(|stage| {
            stage.add(&Fixture { id: "beast", manifest, component });
            change(stage);
        })
        .await
    }

    pub async fn open_without_beast(change: impl FnOnce(&mut Stage)) -> Self {
        let server = FakeRetake::start(RetakeGeneration::V2).await;
        server.set_ping(PING, PONG, true);
        let mut stage = Stage::default();
        stage.connect(&server.settings()).add(&fixtures::V0_1_0[0]);
        change(&mut stage);
        let daemon = stage.start_at_once().await;
        let mut zoo = Self { server, daemon, guests: 0 };
        zoo.until("the bot is in the room", |server| server.joins() == 1).await;
        zoo
    }

    /// Tells the beast what to do; returns the id of the event.
    pub fn order(&self, order: &str) -> String {
        format!("retake:{}", self.server.say("keeper", &format!("beast {order}")))
    }

    /// The same, and waits for what comes of it. A guest who comes meanwhile is greeted all the same.
    pub async fn deed(&mut self, order: &str) -> Deed {
        let event = self.order(order);
        self.neighbour_answers().await;
        let Decision { verdict, notes, .. } = self.daemon.decision(&event, "beast").await;
        Deed { verdict, notes }
    }

    /// What the beast says in its log of an order that it carries out.
    pub async fn says(&mut self, order: &str) -> String {
        let deed = self.deed(order).await;
        assert_eq!(deed.verdict, DecisionKind::Handled, "{order}: {:?}", deed.notes);
        deed.notes.last().cloned().unwrap_or_default()
    }

    /// A guest greets the neighbour. That each is greeted once is seen in the end.
    pub fn guest_comes(&mut self) {
        self.guests += 1;
        self.server.say(&format!("guest{}", self.guests), "!hello");
    }

    /// A guest greets the neighbour, and is greeted.
    pub async fn neighbour_answers(&mut self) {
        self.guest_comes();
        let greeting = greeting(self.guests);
        self.until(&format!("\"{greeting}\""), |server| server.sent().contains(&greeting)).await;
    }

    /// Returns when two more pings were answered; the second was sent after this was called.
    pub async fn heart_beats(&mut self) {
        let answered = self.server.pings().answered.len();
        self.until("pongs", |server| server.pings().answered.len() >= answered + 2).await;
    }

    async fn until(&mut self, what: &str, is_there: impl Fn(&FakeRetake) -> bool) {
        let Self { server, daemon, .. } = self;
        let waited = timeout(PATIENCE, daemon.watching(server.saw(is_there))).await;
        assert!(waited.is_ok(), "waited in vain for {what}; sent: {:?}", server.sent());
    }

    /// The lines that a plugin wrote to its log until now.
    pub fn logged(&mut self, plugin: &str) -> Vec<String> {
        let line = |seen: &Observation| match seen {
            Observation::Log { plugin: by, message, .. } if **by == *plugin => Some(message.clone()),
            _ => None,
        };
        self.daemon.so_far().iter().filter_map(|seen| line(seen)).collect()
    }

    /// All is well in the end: the neighbour answers, no ping was missed, there was one socket, each guest was greeted
    /// once, and what else was sent is what the beast was allowed to say. Returns what the beast keeps for good.
    pub async fn close(mut self, beast_said: &[&str]) -> BTreeMap<String, String> {
        self.neighbour_answers().await;
        self.heart_beats().await;
        assert_eq!(self.server.pings().missed, 0);
        assert_eq!(self.server.most_sockets(), 1);
        let stage = self.daemon.stop().await;
        let mut sent = self.server.sent();
        sent.sort_unstable();
        let greetings = (1..=self.guests).map(greeting);
        let mut expected: Vec<String> = greetings.chain(beast_said.iter().map(|&text| text.to_owned())).collect();
        expected.sort_unstable();
        assert_eq!(sent, expected);
        kept(&stage).await
    }
}

fn greeting(guest: usize) -> String {
    format!("Hello guest{guest}!")
}

/// What the beast keeps for good.
async fn kept(stage: &Stage) -> BTreeMap<String, String> {
    let settings = JournalSettings { keep_for: Duration::from_secs(3600), keep_bytes: 1 << 30 };
    let store = Store::open(&stage.data_dir().join("showrunner.db"), &settings).unwrap();
    let entries = store.kv(&"beast".into()).await.unwrap();
    store.close().await;
    entries.into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value).into_owned())).collect()
}
