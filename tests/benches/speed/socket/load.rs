//! Chat at several rates, as much as a bot can answer, and all at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use showrunner_tests::load::{Timing, percentile, process};

use super::Stage;
use super::bots::{Bot, Who};
use crate::report::{Limit, Report, Section, Values};

/// Questions a second.
const RATES: [u32; 3] = [100, 1_000, 4_000];
/// Questions that are open at a time.
const IN_FLIGHT: [usize; 3] = [16, 64, 256];
const BURSTS: [usize; 2] = [2_000, 5_000];

const OPEN_LOOP: Duration = Duration::from_secs(6);
const CLOSED_LOOP: Duration = Duration::from_secs(2);
/// Node compiles what it does often; the others fill their pools.
const WARM_UP: Duration = Duration::from_millis(1500);

/// Of the design.
const LEAST_ANSWERS: f64 = 25_000.0;
const MOST_PROCESSOR_TIME: f64 = 0.5;

/// A phase, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open(u32),
    Closed(usize),
    Burst(usize),
}

/// The figures of every phase and bot, a value for each round.
type Figures = BTreeMap<(Phase, Who), Vec<Values>>;

pub(super) async fn run(stage: &Stage<'_>, report: &mut Report) {
    let bots = stage.bots();
    let mut figures = Figures::new();
    for round in 1..=stage.arguments.rounds() {
        for who in &bots {
            println!("round {round}: {}", who.name());
            session(stage, *who, &mut figures).await;
        }
    }
    let echo = if stage.arguments.no_echo { "without echo" } else { "the bot hears its own lines too" };
    let mut open = Section::new("B4", &format!("Socket to HTTP reply, open loop, {echo}"));
    let mut closed = Section::new("B4", "As many answers as it can give, so many questions open");
    let mut bursts = Section::new("B4", "All at once");
    for ((phase, who), rounds) in &figures {
        let (section, what) = match phase {
            Phase::Open(rate) => (&mut open, format!("{rate}/s")),
            Phase::Closed(in_flight) => (&mut closed, format!("{in_flight} open")),
            Phase::Burst(count) => (&mut bursts, format!("{count} at once")),
        };
        section.row(&what, who.name()).rounds(rounds);
    }
    targets(&open, &closed, &bursts, report);
    for section in [open, closed, bursts] {
        report.add(section);
    }
}

/// Everything that is measured of one bot, from its start to its end.
async fn session(stage: &Stage<'_>, who: Who, figures: &mut Figures) {
    let (server, arguments) = (&stage.server, stage.arguments);
    let bot = Bot::start(who, stage);
    server.until_answering().await;
    server.open_loop(1_000, arguments.time(WARM_UP)).await;
    server.closed_loop(64, arguments.time(WARM_UP)).await;
    let mut note = |phase, values| figures.entry((phase, who)).or_default().push(values);
    for rate in RATES {
        let run = observed(&bot, server.open_loop(rate, arguments.time(OPEN_LOOP))).await;
        note(Phase::Open(rate), run.open_loop());
    }
    for in_flight in IN_FLIGHT {
        let run = observed(&bot, server.closed_loop(in_flight, arguments.time(CLOSED_LOOP))).await;
        note(Phase::Closed(in_flight), run.closed_loop());
    }
    for count in BURSTS {
        let run = observed(&bot, server.burst(count)).await;
        note(Phase::Burst(count), run.burst());
    }
    bot.stop(stage).await;
}

/// A phase with what it took of the machine.
struct Run {
    timing: Timing,
    /// Until all was answered.
    took: Duration,
    bot: Duration,
    generator: Duration,
    /// With what the bot did afterwards.
    bot_in_all: Duration,
    /// What a daemon left out of its journal.
    unwritten: Option<u64>,
}

/// Runs a phase with a bot that is at rest before and after.
async fn observed(bot: &Bot, phase: impl Future<Output = Timing>) -> Run {
    bot.rest().await;
    let unwritten = bot.unwritten().await;
    let (begun, bot_before, own_before) = (Instant::now(), process::processor_time(bot.process()), process::own_time());
    let timing = phase.await;
    let used = |before| process::processor_time(bot.process()).saturating_sub(before);
    let (took, at_the_end) = (begun.elapsed(), used(bot_before));
    let generator = process::own_time().saturating_sub(own_before);
    bot.rest().await;
    let bot_in_all = used(bot_before);
    let unwritten = bot.unwritten().await.zip(unwritten).map(|(after, before)| after - before);
    Run { timing, took, bot: at_the_end, generator, bot_in_all, unwritten }
}

impl Run {
    fn open_loop(&self) -> Values {
        let mut values = Values::default();
        let late = percentile(&self.timing.late, 0.99).unwrap_or_default();
        self.latencies(&mut values);
        values.value("processor µs", self.processor_microseconds());
        self.faults(&mut values);
        values.value("asked late µs", late.as_secs_f64() * 1e6);
        values
    }

    fn closed_loop(&self) -> Values {
        let percent = |time: Duration| 100.0 * time.as_secs_f64() / self.took.as_secs_f64();
        let mut values = Values::default();
        values.value("a second", self.timing.per_second());
        self.latencies(&mut values);
        values.value("processor µs", self.processor_microseconds());
        values.value("bot %", percent(self.bot)).value("generator %", percent(self.generator));
        values.value("connections", self.timing.connections as f64);
        self.faults(&mut values);
        values
    }

    fn burst(&self) -> Values {
        let mut values = Values::default();
        values.value("took ms", self.timing.took.as_secs_f64() * 1e3).value("a second", self.timing.per_second());
        self.latencies(&mut values);
        values.value("processor µs", self.processor_microseconds());
        values
            .value("connections", self.timing.connections as f64)
            .value("opened", self.timing.connections_opened as f64);
        self.faults(&mut values);
        values
    }

    fn latencies(&self, values: &mut Values) {
        values.value("p50 ms", self.milliseconds(0.5)).value("p99 ms", self.milliseconds(0.99));
        values.value("p99.9 ms", self.milliseconds(0.999)).value("max ms", self.milliseconds(1.0));
    }

    /// What must all be nothing.
    fn faults(&self, values: &mut Values) {
        let Timing { asked, answered, doubled, strange, .. } = &self.timing;
        values.value("lost", (asked - answered) as f64).value("doubled", (doubled + strange) as f64);
        if let Some(unwritten) = self.unwritten {
            values.value("unwritten", unwritten as f64);
        }
    }

    fn milliseconds(&self, share: f64) -> f64 {
        self.timing.latency(share).unwrap_or_default().as_secs_f64() * 1e3
    }

    /// Of the bot, for each answer.
    fn processor_microseconds(&self) -> f64 {
        self.bot_in_all.as_secs_f64() * 1e6 / (self.timing.answered as f64).max(1.0)
    }
}

fn targets(open: &Section, closed: &Section, bursts: &Section, report: &mut Report) {
    let (ours, node) = (Who::Showrunner.name(), Who::Node.name());
    let against_node = |section: &Section, what: &str, column| {
        Some(section.find(what, ours, column)? / section.find(what, node, column)?)
    };
    for rate in RATES {
        let what = format!("{rate}/s");
        for column in ["p50 ms", "p99 ms"] {
            if let Some(ratio) = against_node(open, &what, column) {
                report.target(
                    &format!("{column} at {what}, against the Node listener"),
                    Limit::AtMost(1.0),
                    ratio,
                    "×",
                );
            }
        }
    }
    if let Some(p99) = open.find("100/s", ours, "p99 ms") {
        report.target("p99 at 100/s", Limit::AtMost(1.0), p99, "ms");
    }
    for rate in ["1000/s", "4000/s"] {
        if let Some(ratio) = against_node(open, rate, "processor µs") {
            let what = format!("processor time of an answer at {rate}, against the Node listener");
            report.target(&what, Limit::AtMost(MOST_PROCESSOR_TIME), ratio, "×");
        }
    }
    let most = IN_FLIGHT.iter().filter_map(|in_flight| closed.find(&format!("{in_flight} open"), ours, "a second"));
    if let Some(most) = most.max_by(f64::total_cmp) {
        report.target("answers a second on one core", Limit::AtLeast(LEAST_ANSWERS), most, "/s");
    }
    if let Some(ratio) = against_node(bursts, "5000 at once", "took ms") {
        report.target("a burst of 5000, against the Node listener", Limit::AtMost(1.0), ratio, "×");
    }
}
