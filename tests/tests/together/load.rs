//! Questions on all platforms on a clock that waits for nobody, and what must have become of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use showrunner_tests::answers::Tally;
use tokio::time::{MissedTickBehavior, interval};

use super::installation::Installation;
use super::streams::{Fault, SPAM, Stream};

/// Asks on all platforms, and is somebody else on each.
pub(super) const VIEWER: &str = "ada";

/// Between two questions on a platform.
const EVERY: Duration = Duration::from_millis(25);
/// Questions before a fault, while a server is away, and after it is back.
const SOME: usize = 20;
/// Longer than any wait before a connection is tried again.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was asked on one platform.
#[derive(Debug, Default)]
pub(super) struct Asked {
    count: usize,
    /// Asked while nothing was the matter with the platform: these must be answered.
    sure: BTreeSet<usize>,
    givers: Vec<String>,
}

pub(super) struct Load {
    asked: BTreeMap<&'static str, Asked>,
    clock: tokio::time::Interval,
    phases: usize,
}

impl Load {
    /// Returns when the daemon hears all platforms.
    pub(super) async fn begin(streams: &mut [Box<dyn Stream>]) -> Self {
        let asked = streams.iter().map(|stream| (stream.name(), Asked::default())).collect();
        let mut clock = interval(EVERY);
        // What was not asked while somebody signed in is not made up for.
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut load = Self { asked, clock, phases: 0 };
        load.until("all platforms are ready", streams, async |streams, _| {
            for stream in streams.iter_mut() {
                if !stream.connection().await.1 {
                    return false;
                }
            }
            true
        })
        .await;
        load
    }

    pub(super) fn of(&self, name: &str) -> &Asked {
        &self.asked[name]
    }

    /// All are asked all the time. The one that fails is asked for nothing just before, so that nothing is under way
    /// when its connections break, and what it is asked until it is heard again may be lost.
    pub(super) async fn goes_on_through(
        &mut self,
        streams: &mut [Box<dyn Stream>],
        failing: usize,
        fault: Fault,
        installation: &Installation,
    ) {
        self.phases += 1;
        let name = streams[failing].name();
        self.ask_some(streams, None).await;
        for stream in streams.iter_mut() {
            let giver = format!("{}giver{}x", stream.name(), self.phases);
            if stream.give(&giver).await {
                self.asked.get_mut(stream.name()).unwrap().givers.push(giver);
            }
        }
        if fault.is_harmless(name) {
            streams[failing].fail(fault).await;
            self.ask_some(streams, None).await;
            if fault == Fault::Expire {
                return;
            }
        } else {
            self.drain(streams, failing).await;
            let connections = streams[failing].connection().await.0;
            streams[failing].fail(fault).await;
            self.ask_some(streams, Some(failing)).await;
            if fault == Fault::Restart {
                streams[failing].come_back().await;
            }
            if let Some(who) = streams[failing].signs_in().filter(|_| fault == Fault::Revoke) {
                installation.sign_in_as(who).await;
            }
            self.heard_again(streams, failing, connections, fault).await;
        }
        self.ask_some(streams, None).await;
    }

    /// Lets all be answered, and somebody be put out. Returns what the spammers wrote.
    pub(super) async fn end(&mut self, streams: &mut [Box<dyn Stream>]) -> String {
        self.ask_some(streams, None).await;
        for stream in streams.iter_mut() {
            stream.spam().await;
        }
        for place in 0..streams.len() {
            self.drain(streams, place).await;
        }
        let begun = Instant::now();
        while !streams.iter().all(|stream| stream.has_judged()) {
            assert!(begun.elapsed() < PATIENCE, "a spammer is still there");
            self.clock.tick().await;
        }
        SPAM.to_owned()
    }

    async fn ask_some(&mut self, streams: &mut [Box<dyn Stream>], failing: Option<usize>) {
        for _ in 0..SOME {
            self.ask(streams, failing, None).await;
        }
    }

    /// A question on each platform. What is asked of one that fails need not be heard.
    async fn ask(&mut self, streams: &mut [Box<dyn Stream>], failing: Option<usize>, silent: Option<usize>) {
        self.clock.tick().await;
        for (place, stream) in streams.iter_mut().enumerate().filter(|(place, _)| Some(*place) != silent) {
            let asked = self.asked.get_mut(stream.name()).unwrap();
            stream.ask(asked.count).await;
            if failing != Some(place) {
                asked.sure.insert(asked.count);
            }
            asked.count += 1;
        }
    }

    /// The others are asked on until this one has answered all that it must.
    async fn drain(&mut self, streams: &mut [Box<dyn Stream>], place: usize) {
        let begun = Instant::now();
        loop {
            let name = streams[place].name();
            let sent = streams[place].sent().await;
            let asked = &self.asked[name];
            let missing = asked.missing(&sent);
            if missing.is_empty() && asked.unthanked(&sent).is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{name}: unanswered {missing:?} of {}, unthanked {:?}",
                asked.count,
                asked.unthanked(&sent)
            );
            self.ask(streams, None, Some(place)).await;
        }
    }

    async fn heard_again(&mut self, streams: &mut [Box<dyn Stream>], place: usize, before: usize, fault: Fault) {
        let begun = Instant::now();
        loop {
            let (connections, is_ready) = streams[place].connection().await;
            if is_ready && (connections > before || before == 0) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not come back after {fault:?}", streams[place].name());
            self.ask(streams, Some(place), None).await;
        }
    }

    async fn until(
        &mut self,
        what: &str,
        streams: &mut [Box<dyn Stream>],
        is_so: impl AsyncFn(&mut [Box<dyn Stream>], &Self) -> bool,
    ) {
        let begun = Instant::now();
        while !is_so(streams, self).await {
            assert!(begun.elapsed() < PATIENCE, "{what}: not yet");
            self.clock.tick().await;
        }
    }
}

impl Asked {
    /// Of the lines that a viewer wrote: how many must be known, and how many may be.
    pub(super) fn bounds(&self) -> (u64, u64) {
        (self.sure.len() as u64, self.count as u64)
    }

    fn missing(&self, sent: &[String]) -> Vec<usize> {
        let unanswered: BTreeSet<usize> = self.tally(sent).unanswered.into_iter().collect();
        self.sure.intersection(&unanswered).copied().collect()
    }

    fn unthanked(&self, sent: &[String]) -> Vec<&String> {
        self.givers.iter().filter(|giver| !sent.iter().any(|line| thanks(line, giver))).collect()
    }

    fn tally(&self, sent: &[String]) -> Tally {
        Tally::of(self.count, sent)
    }

    /// Once or not at all; what nothing stood in the way of, once; and nothing that belongs elsewhere.
    pub(super) fn check(&self, name: &str, sent: &[String]) {
        let tally = self.tally(sent);
        assert_eq!(tally.answered_again, Vec::<usize>::new(), "{name}: answered again");
        assert_eq!(self.missing(sent), Vec::<usize>::new(), "{name}: never answered");
        for giver in &self.givers {
            let thanks = tally.strange.iter().filter(|line| thanks(line, giver)).count();
            assert_eq!(thanks, 1, "{name}: {giver} was thanked {thanks} times");
        }
        let elsewhere: Vec<&String> =
            tally.strange.iter().filter(|line| names(line, "giver") && !names(line, name)).collect();
        assert_eq!(elsewhere, Vec::<&String>::new(), "{name}: it is thanked for what happened elsewhere");
    }
}

/// Others may say something to the giver, too.
fn thanks(line: &str, giver: &str) -> bool {
    names(line, giver) && names(line, "thank")
}

/// Platforms show names in their own way.
fn names(line: &str, name: &str) -> bool {
    line.to_lowercase().contains(name)
}
