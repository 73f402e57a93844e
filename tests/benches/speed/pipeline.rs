//! B3: through the real pipeline: the door with its journal, review, fan-out to many plugins, the outbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use showrunner::effect::Action;
use showrunner::event::{Channel, ChatMessage, Event};
use showrunner::pipeline::{Accepted, Pipeline};
use showrunner::platform::{ActionError, Pace, Receipt, Sink};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::arguments::Arguments;
use crate::corpus::{self, Sample};
use crate::home::Home;
use crate::measure::open_loop;
use crate::report::{Report, Section};
use crate::rooms::Rooms;

const PLUGINS: [usize; 3] = [1, 10, 50];
/// Over all plugins together, so that many do not take longer than few.
const CALLS: usize = 50_000;
const FEWEST_EVENTS: usize = 400;
const WARM_UP: usize = 50;
/// Events a second, on a clock; a machine with two cores must be able to bear it with the most plugins.
const RATE: u32 = 200;
const ON_A_CLOCK: usize = 600;
/// Accepted at once, when many are.
const STREAM: usize = 64;

/// Where lines leave: taken at once.
struct Taken(mpsc::UnboundedSender<()>);

#[async_trait]
impl Sink for Taken {
    async fn perform(&self, _channel: &Channel, _action: &Action) -> Result<Receipt, ActionError> {
        self.0.send(()).unwrap();
        Ok(Receipt::default())
    }
}

/// Where events come in, each with an id of its own.
#[derive(Clone)]
struct Door {
    pipeline: Pipeline,
    accepted: Arc<AtomicUsize>,
}

impl Door {
    fn accept(&self, sample: &Sample) {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        let accepted = self.pipeline.accept(sample.draft(number));
        assert!(matches!(accepted, Accepted::Queued { .. }));
    }
}

struct Bench {
    door: Door,
    lines: mpsc::UnboundedReceiver<()>,
}

impl Bench {
    async fn lines(&mut self, count: usize) {
        for _ in 0..count {
            self.lines.recv().await.unwrap();
        }
    }

    /// One event at a time, until its last line has left.
    async fn one_by_one(&mut self, sample: &Sample, lines: usize, events: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(events);
        for number in 0..WARM_UP + events {
            let begun = Instant::now();
            self.door.accept(sample);
            self.lines(lines).await;
            if number >= WARM_UP {
                times.push(begun.elapsed());
            }
        }
        times.sort_unstable();
        times
    }

    /// On a clock, each until as many lines have left as it and all before it bring.
    async fn on_a_clock(&mut self, sample: &Sample, lines: usize, events: usize) -> Vec<Duration> {
        let (door, offered) = (self.door.clone(), sample.clone());
        open_loop(RATE, events, move || door.accept(&offered), async || self.lines(lines).await).await
    }

    /// The time of one event of many.
    async fn streamed(&mut self, sample: &Sample, lines: usize, events: usize) -> Duration {
        let rounds = events.div_ceil(STREAM);
        let begun = Instant::now();
        for _ in 0..rounds {
            for _ in 0..STREAM {
                self.door.accept(sample);
            }
            self.lines(lines * STREAM).await;
        }
        begun.elapsed() / u32::try_from(rounds * STREAM).unwrap()
    }
}

pub(crate) fn run(arguments: &Arguments, report: &mut Report) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let mut section =
        Section::new("B3", "A reviewed event through the pipeline, journal included, to the last line that leaves");
    for plugins in PLUGINS {
        runtime.block_on(with_plugins(plugins, arguments, &mut section));
    }
    report.add(section);
}

async fn with_plugins(count: usize, arguments: &Arguments, section: &mut Section) {
    let mut home = Home::without_plugins();
    home.add_greeters(count);
    // It reviews every line, and hears what nobody answered.
    home.add_probe("last", true);
    let rooms = Rooms::open(home).await;
    let (settings, roster) = (&rooms.settings.pipeline, Arc::clone(&rooms.roster));
    let (store, observer) = (rooms.store.clone(), rooms.observer.clone());
    let pipeline = Pipeline::open(settings, roster, store, observer, rooms.threads.handle()).await.unwrap();
    let (taken, lines) = mpsc::unbounded_channel();
    let pace = Pace { messages: None, in_flight: 16, expiry: Duration::from_secs(60) };
    let channel = corpus::command().envelope.channel.clone();
    pipeline.attach("bench", &[channel], Arc::new(Taken(taken)), pace);
    let host = rooms.host(Arc::new(pipeline.clone())).await;

    let events = arguments.count((CALLS / count).clamp(FEWEST_EVENTS, 5_000));
    let mut bench = Bench { door: Door { pipeline, accepted: Arc::default() }, lines };
    let plugins = if count == 1 { "1 plugin".to_owned() } else { format!("{count} plugins") };
    for (what, sample, lines) in [
        (format!("{plugins}, each answers"), corpus::command(), count),
        (format!("{plugins} pass, the fallback answers"), unanswered(), 1),
    ] {
        let times = bench.one_by_one(&sample, lines, events).await;
        let each = bench.streamed(&sample, lines, events).await;
        let clocked = bench.on_a_clock(&sample, lines, arguments.count(ON_A_CLOCK)).await;
        section.latencies(&what, "one by one", &times).value(STREAMED, each.as_secs_f64() * 1e6);
        section.latencies(&what, &format!("{RATE}/s on a clock"), &clocked);
    }
    host.stop(Duration::from_secs(1)).await;
    rooms.store.close().await;
}

/// Of 64 events that were accepted at once.
const STREAMED: &str = "each of 64 µs";

/// A line that no greeter answers; the fallback does what it says.
fn unanswered() -> Sample {
    let mut sample = corpus::short_chat();
    let mut envelope = (*sample.envelope).clone();
    if let Event::Chat(chat) = &mut envelope.event {
        *chat = ChatMessage { text: "echo that boss fight was closer than it looked".to_owned(), ..chat.clone() };
    }
    sample.name = "unanswered chat";
    sample.envelope = Arc::new(envelope);
    sample
}
