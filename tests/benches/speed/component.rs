//! B1: a call into a component, by wasmtime alone and by the host: the same bytes, the same types.

mod bare;
pub(crate) mod extism;

use std::path::Path;
use std::sync::Arc;

use showrunner::plugin::Delivery;
use showrunner::plugin::bench::{Arena, LoneInstance, typed};
use showrunner_tests::fixtures::V0_1_0;
use tokio::runtime::{Builder, Runtime};

use self::bare::{BareAsync, BareSync, Clock};
use crate::arguments::Arguments;
use crate::corpus::{self, Sample};
use crate::home::Home;
use crate::measure::{Contest, Outcome, time};
use crate::report::{Limit, Report, Section};
use crate::rooms::Rooms;

pub(crate) const SYNC: &str = "wasmtime, sync";
pub(crate) const ASYNC: &str = "wasmtime, async, interruptible";
pub(crate) const OURS: &str = "showrunner, one plugin";
pub(crate) const FURTHER: &str = "showrunner, each further plugin";

/// What the host may add to the call.
const MOST_OVER_BARE: f64 = 1.3;

struct Subjects {
    sync: BareSync,
    asynchronous: BareAsync,
    ours: LoneInstance,
    runtime: Runtime,
    _clock: Clock,
    _rooms: Rooms,
}

impl Subjects {
    fn prepare() -> Self {
        let greeter = V0_1_0[0];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let rooms = runtime.block_on(Rooms::open(Home::without_plugins()));
        let clock = Clock::start();
        let asynchronous = runtime.block_on(BareAsync::start(&clock, greeter.component));
        let (store, tasks) = (rooms.store.clone(), rooms.tasks.clone());
        let ours = LoneInstance::start(greeter.manifest, greeter.component, store, tasks);
        let ours = runtime.block_on(ours).unwrap();
        Self { sync: BareSync::start(greeter.component), asynchronous, ours, runtime, _clock: clock, _rooms: rooms }
    }

    fn compare(&mut self, sample: &Sample, arguments: &Arguments) -> Vec<Outcome> {
        let delivery = Delivery::new(Arc::clone(&sample.envelope));
        let arena = Arena::new();
        let typed = typed(&sample.envelope, &arena);
        // Both of the contestants that are ours call the same instance, one after the other.
        let ours = std::cell::RefCell::new(&mut self.ours);
        let (runtime, sync, asynchronous) = (&self.runtime, &mut self.sync, &mut self.asynchronous);
        let mut contest = Contest::default();
        contest.add(SYNC, |calls| time(calls, || sync.handle(typed.clone())));
        contest.add(ASYNC, |calls| {
            runtime.block_on(async {
                let begun = std::time::Instant::now();
                for _ in 0..calls {
                    asynchronous.handle(typed.clone()).await;
                }
                begun.elapsed()
            })
        });
        contest.add(OURS, |calls| {
            let mut ours = ours.borrow_mut();
            runtime.block_on(async {
                let begun = std::time::Instant::now();
                for _ in 0..calls {
                    // As it comes from the pipeline.
                    ours.handle(&Delivery::new(Arc::clone(&sample.envelope))).await.unwrap();
                }
                begun.elapsed()
            })
        });
        contest.add(FURTHER, |calls| {
            let mut ours = ours.borrow_mut();
            runtime.block_on(async {
                let begun = std::time::Instant::now();
                for _ in 0..calls {
                    ours.handle(&delivery).await.unwrap();
                }
                begun.elapsed()
            })
        });
        contest.hold(arguments)
    }
}

/// With the program that is the Extism peer, where there is one.
pub(crate) fn run(arguments: &Arguments, peer: Option<&Path>, report: &mut Report) {
    let mut section = Section::new("B1", "A call into a component: one event to one plugin in Rust");
    let mut subjects = Subjects::prepare();
    for sample in corpus::all() {
        let outcomes = subjects.compare(&sample, arguments);
        // What else the machine does only ever adds, so the least of each tells the code's own cost best.
        let least = |who: &str| outcomes.iter().find(|outcome| outcome.who == who).unwrap().least;
        for outcome in &outcomes {
            section.outcome(sample.name, outcome).value("× sync", outcome.least / least(SYNC));
        }
        if sample.name == corpus::short_chat().name {
            let over = |who| least(who) / least(ASYNC);
            report.target(
                "host cost of one chat event, over the bare async call",
                Limit::AtMost(MOST_OVER_BARE),
                over(OURS),
                "×",
            );
            report.target("the same, for each further plugin", Limit::AtMost(MOST_OVER_BARE), over(FURTHER), "×");
        }
    }
    if let Some(program) = peer {
        extism::run(program, arguments, &mut section);
    }
    report.add(section);
}
