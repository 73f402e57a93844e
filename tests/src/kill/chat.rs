//! What the viewers do, whether a daemon runs or not: each thing has a name of its own, by which it is found again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use showrunner::gateway::control::{Request, Simulation};
use tokio::sync::watch;
use tokio::time::sleep;

use super::agent::Daemon;
use crate::retake::FakeRetake;

/// Whether the next daemon that starts is to hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Surely,
    /// Said to a daemon that ended in good order, or while none was meant to run.
    Perhaps,
}

#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) name: String,
    pub(super) heard: Heard,
}

/// Everything that was ever said, by what it is to bring about.
#[derive(Debug, Default)]
pub(super) struct Sayings {
    /// On retake.tv: the probe does its work.
    pub(super) work: Vec<Said>,
    /// On retake.tv: review takes it away.
    pub(super) spam: Vec<Said>,
    /// In the simulator, where nothing is ever said again: review takes it away, and the platform can.
    pub(super) simulated_spam: Vec<String>,
    /// In the simulator: money, which the probe counts.
    pub(super) tips: Vec<String>,
    count: usize,
}

/// The viewers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Chat {
    sayings: Arc<Mutex<Sayings>>,
    platform: Arc<FakeRetake>,
    /// Whether they are silent.
    paused: watch::Sender<bool>,
}

impl Chat {
    /// Paused.
    pub(super) fn new(platform: Arc<FakeRetake>) -> Self {
        Self { sayings: Arc::default(), platform, paused: watch::Sender::new(true) }
    }

    pub(super) fn sayings(&self) -> MutexGuard<'_, Sayings> {
        self.sayings.lock().unwrap()
    }

    pub(super) fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// What was said last may have been lost by a daemon that ended in good order.
    pub(super) fn doubt_last(&self, count: usize) {
        let mut sayings = self.sayings();
        let Sayings { work, spam, .. } = &mut *sayings;
        for said in work.iter_mut().rev().take(count).chain(spam.iter_mut().rev().take(count)) {
            said.heard = Heard::Perhaps;
        }
    }

    /// Goes on until the task is dropped: a line now and then, and sometimes many at once.
    pub(super) async fn go_on(self, data_dir: PathBuf, mut rng: Rng) {
        let mut daemon = Daemon { data_dir, client: None };
        let mut paused = self.paused.subscribe();
        loop {
            paused.wait_for(|paused| !paused).await.unwrap();
            match rng.u8(0..40) {
                0 => (0..rng.usize(10..30)).for_each(|_| self.say_work()),
                1..=26 => self.say_work(),
                27..=31 => self.say_spam(),
                32..=35 => self.simulate(&mut daemon, "chat").await,
                _ => self.simulate(&mut daemon, "tip").await,
            }
            sleep(Duration::from_millis(rng.u64(10..100))).await;
        }
    }

    fn next_name(&self) -> String {
        let mut sayings = self.sayings();
        sayings.count += 1;
        sayings.count.to_string()
    }

    pub(super) fn say_work(&self) {
        let name = self.next_name();
        // Written down first, so that whatever comes of it was said.
        self.sayings().work.push(Said { name: name.clone(), heard: Heard::Surely });
        self.platform.say("ada", &format!("work {name}"));
    }

    fn say_spam(&self) {
        let name = self.next_name();
        self.sayings().spam.push(Said { name: name.clone(), heard: Heard::Surely });
        self.platform.say("bob", &format!("SPAM {name}"));
    }

    async fn simulate(&self, daemon: &mut Daemon, kind: &str) {
        let name = self.next_name();
        let is_tip = kind == "tip";
        let text = if is_tip { format!("count tip-{name}") } else { format!("SPAM {name}") };
        {
            let mut sayings = self.sayings();
            if is_tip { &mut sayings.tips } else { &mut sayings.simulated_spam }.push(name);
        }
        let amount = is_tip.then(|| "5".to_owned());
        let simulation = Simulation { kind: kind.into(), text: Some(text), amount, ..Simulation::default() };
        // Whether it was heard, the journal says.
        let _ = daemon.try_ask(&Request::Simulate(simulation)).await;
    }
}
