//! B2: to a plugin's actor and back, its queue included: what isolation in a task and a store of its own costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use showrunner::effect::{Batch, EffectSink};
use showrunner::plugin::{Delivery, PluginHandle};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::arguments::Arguments;
use crate::corpus;
use crate::home::Home;
use crate::measure::open_loop;
use crate::report::{Limit, Report, Section};
use crate::rooms::Rooms;

const ROUND_TRIPS: usize = 20_000;
const WARM_UP: usize = 1_000;
/// Events a second, on a clock.
const RATE: u32 = 1_000;
const ON_A_CLOCK: usize = 5_000;
/// In the queue at once, in the last part.
const STREAM: usize = 256;

/// The most that a round trip may take in the middle of all.
const MOST_MICROSECONDS: f64 = 15.0;

/// Where the plugin's effects go: only counted.
struct Done {
    commits: mpsc::UnboundedSender<()>,
    numbers: AtomicU64,
}

impl EffectSink for Done {
    fn commit(&self, _batch: Batch) {
        self.commits.send(()).unwrap();
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

pub(crate) fn run(arguments: &Arguments, report: &mut Report) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let mut section = Section::new("B2", "To a plugin's actor and back, queue included");
    runtime.block_on(async {
        let mut home = Home::without_plugins();
        home.add_greeter("greeter");
        home.add_probe("probe", false);
        let rooms = Rooms::open(home).await;
        let (done, mut commits) = mpsc::unbounded_channel();
        let host = rooms.host(Arc::new(Done { commits: done, numbers: AtomicU64::new(0) })).await;
        let (greeter, probe) = (plugin(&rooms, "greeter"), plugin(&rooms, "probe"));
        let count = arguments.count(ROUND_TRIPS);

        let reviews = timed(count, async || probe.review(delivery(&corpus::short_chat())).await.unwrap()).await;
        section.latencies("a review: question to verdict", "showrunner", &reviews);
        let events = timed(count, async || {
            greeter.offer(delivery(&corpus::command()), None);
            commits.recv().await.unwrap();
        })
        .await;
        section.latencies("an event: offered to committed", "showrunner", &events);
        let (on_a_clock, sample) = (Arc::clone(&greeter), corpus::command());
        let offer = move || on_a_clock.offer(delivery(&sample), None);
        let clocked = open_loop(RATE, arguments.count(ON_A_CLOCK), offer, async || commits.recv().await.unwrap()).await;
        section.latencies(&format!("the same, {RATE}/s on a clock"), "showrunner", &clocked);
        let streamed = streamed(&greeter, &mut commits, count).await;
        section
            .row(&format!("the same, {STREAM} in the queue"), "showrunner")
            .value("each µs", streamed.as_secs_f64() * 1e6);

        let median = reviews[reviews.len() / 2].as_secs_f64() * 1e6;
        report.target("actor round trip, median", Limit::AtMost(MOST_MICROSECONDS), median, "µs");
        host.stop(Duration::from_secs(1)).await;
    });
    report.add(section);
}

fn plugin(rooms: &Rooms, id: &str) -> Arc<PluginHandle> {
    let roster = rooms.roster.load();
    Arc::clone(roster.iter().find(|plugin| &**plugin.id() == id).unwrap())
}

fn delivery(sample: &corpus::Sample) -> Arc<Delivery> {
    Delivery::new(Arc::clone(&sample.envelope))
}

/// Each one's time, one after the other, in order of size.
async fn timed<T>(count: usize, mut work: impl AsyncFnMut() -> T) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for number in 0..WARM_UP.min(count) + count {
        let begun = Instant::now();
        work().await;
        if number >= WARM_UP.min(count) {
            times.push(begun.elapsed());
        }
    }
    times.sort_unstable();
    times
}

/// The time of one of many that wait for each other.
async fn streamed(plugin: &PluginHandle, commits: &mut mpsc::UnboundedReceiver<()>, count: usize) -> Duration {
    let sample = corpus::command();
    let rounds = count.div_ceil(STREAM);
    let begun = Instant::now();
    for _ in 0..rounds {
        for _ in 0..STREAM {
            plugin.offer(delivery(&sample), None);
        }
        for _ in 0..STREAM {
            commits.recv().await.unwrap();
        }
    }
    begun.elapsed() / u32::try_from(rounds * STREAM).unwrap()
}
