//! Timing what takes nanoseconds: many calls at a time, the contestants in turn, so that whatever else the machine does
//! meets all of them.

use std::time::{Duration, Instant};

use crate::arguments::Arguments;

/// Long enough for the clock, short enough that the contestants see the same machine.
const SAMPLE: Duration = Duration::from_millis(50);
const SAMPLES: usize = 15;
const WARM_UP: usize = 2;

/// What is measured: does something so often, and says how long that took.
type Work<'w> = Box<dyn FnMut(u64) -> Duration + 'w>;

#[derive(Default)]
pub(crate) struct Contest<'w> {
    contestants: Vec<(String, Work<'w>)>,
}

/// Nanoseconds of one call.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) who: String,
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl<'w> Contest<'w> {
    pub(crate) fn add(&mut self, who: &str, work: impl FnMut(u64) -> Duration + 'w) {
        self.contestants.push((who.to_owned(), Box::new(work)));
    }

    pub(crate) fn hold(self, arguments: &Arguments) -> Vec<Outcome> {
        let sample = arguments.time(SAMPLE);
        let mut field: Vec<_> = self.contestants.into_iter().map(|(who, work)| Contestant::new(who, work)).collect();
        for contestant in &mut field {
            contestant.calibrate(sample);
        }
        for round in 0..WARM_UP + SAMPLES {
            for contestant in &mut field {
                contestant.run(round >= WARM_UP);
            }
        }
        field.into_iter().map(Contestant::outcome).collect()
    }
}

struct Contestant<'w> {
    who: String,
    work: Work<'w>,
    calls: u64,
    nanoseconds: Vec<f64>,
}

impl<'w> Contestant<'w> {
    fn new(who: String, work: Work<'w>) -> Self {
        Self { who, work, calls: 1, nanoseconds: Vec::new() }
    }

    fn calibrate(&mut self, sample: Duration) {
        while (self.work)(self.calls) < sample {
            self.calls *= 2;
        }
    }

    fn run(&mut self, counts: bool) {
        let took = (self.work)(self.calls);
        if counts {
            self.nanoseconds.push(took.as_nanos() as f64 / self.calls as f64);
        }
    }

    fn outcome(mut self) -> Outcome {
        self.nanoseconds.sort_unstable_by(f64::total_cmp);
        let (first, last) = (self.nanoseconds[0], self.nanoseconds[self.nanoseconds.len() - 1]);
        Outcome { who: self.who, median: median(&self.nanoseconds), least: first, most: last }
    }
}

/// Of values in order of size.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] }
}

/// Does it so often, and says how long that took.
pub(crate) fn time(calls: u64, mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..calls {
        work();
    }
    begun.elapsed()
}

/// A thread sleeps this much too long now and then; so much earlier it begins to look at the clock.
const EARLY: Duration = Duration::from_micros(150);

/// Begins something so often a second, on a clock that waits for nobody, in a thread of its own. Each one's time, in
/// order of size, is from when it was due to when it was done; `done` waits for one after the other, in the order of
/// their beginnings.
pub(crate) async fn open_loop(
    per_second: u32,
    count: usize,
    mut begin: impl FnMut() + Send + 'static,
    mut done: impl AsyncFnMut(),
) -> Vec<Duration> {
    let begun = Instant::now();
    let due = move |number: usize| begun + Duration::from_secs_f64(number as f64 / f64::from(per_second));
    let clock = std::thread::spawn(move || {
        for number in 0..count {
            sleep_until(due(number));
            begin();
        }
    });
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        done().await;
        times.push(due(number).elapsed());
    }
    clock.join().unwrap();
    times.sort_unstable();
    times
}

fn sleep_until(due: Instant) {
    if let Some(rest) = due.checked_duration_since(Instant::now() + EARLY) {
        #[expect(clippy::disallowed_methods, reason = "this thread does nothing else")]
        std::thread::sleep(rest);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}
