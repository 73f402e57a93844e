//! Bad neighbours: what a plugin that spins, one that traps, one that is saved each second and the worst of the zoo
//! cost the others.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use showrunner::gateway::control::client::Client;
use showrunner::gateway::control::{PluginRequest, Request, Response};
use showrunner::gateway::view::PluginStatus;
use showrunner_tests::fixtures::V0_1_0;

use super::Stage;
use super::bots::{Bot, Who};
use crate::home::Home;
use crate::report::{Limit, Report, Section};

const RATE: u32 = 1_000;
const TIME: Duration = Duration::from_secs(6);
const SECOND: Duration = Duration::from_secs(1);
/// A plugin that crashes is started again.
const REVIVE_EVERY: Duration = Duration::from_millis(200);

/// A guest may spin for a quarter of a second until it is ended.
const SPIN_EVERY: Duration = Duration::from_millis(300);
/// With each tenth question.
const TRAP_EVERY: Duration = Duration::from_millis(10);

/// The plugins that do what is said in chat, and the one that is saved.
const PROBE: &str = "probe";
const BEAST: &str = "beast";
const SAVED: &str = "saved";

/// The beast is told its order so often; most of them are its end.
const ORDER_EVERY: Duration = Duration::from_millis(100);

/// Of the design: how much later others may be answered.
const MOST_GROWTH: f64 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    Quiet,
    Spinning,
    Trapping,
    Saved,
    Beast { name: &'static str, order: &'static str },
}

impl Neighbour {
    const ALL: [Self; 10] = [
        Self::Quiet,
        Self::Spinning,
        Self::Trapping,
        Self::Saved,
        Self::Beast { name: "one that overflows its stack", order: "beast overflow" },
        Self::Beast { name: "one that eats all its memory", order: "beast eat" },
        Self::Beast { name: "one that writes 4 MB to the log", order: "beast log 1000" },
        Self::Beast { name: "one that asks 10,000 times for what it may not", order: "beast flood 10000" },
        Self::Beast { name: "one that fills its kv", order: "beast hoard 100" },
        Self::Beast { name: "one that sleeps", order: "beast sleep 200" },
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Beast { name, .. } => name,
            Self::Quiet => "nobody",
            Self::Spinning => "one that spins to its limit",
            Self::Trapping => "one that traps",
            Self::Saved => "one saved each second",
        }
    }
}

pub(super) async fn run(stage: &Stage<'_>, report: &mut Report) {
    let mut section = Section::new("beside", &format!("Others' answers at {RATE}/s, beside"));
    let mut home = Home::of_a_bot(&stage.server);
    home.add_probe(PROBE, false);
    home.add_beast(BEAST);
    home.add_greeter(SAVED);
    // It would acknowledge what is said to the probe.
    home.configure("[plugins.agent-queue.settings]\nmode = \"addressed\"");
    let bot = Bot::of_home(home, stage);
    stage.server.until_answering().await;
    stage.server.open_loop(RATE, stage.arguments.time(TIME)).await;
    for neighbour in Neighbour::ALL {
        measure(stage, &bot, neighbour, &mut section).await;
    }
    bot.stop(stage).await;

    let p99 = |neighbour: Neighbour| section.find(neighbour.name(), Who::Showrunner.name(), "p99 ms").unwrap();
    for neighbour in &Neighbour::ALL[1..] {
        let growth = p99(*neighbour) - p99(Neighbour::Quiet);
        let what = format!("others' p99 beside {}, more than alone", neighbour.name());
        report.target(&what, Limit::AtMost(MOST_GROWTH), growth, "ms");
    }
    report.add(section);
}

async fn measure(stage: &Stage<'_>, bot: &Bot, neighbour: Neighbour, section: &mut Section) {
    bot.rest().await;
    let mut control = Client::connect(&bot.home().data_dir()).await.unwrap();
    let versions = status(&mut control, SAVED).await.generation;
    let crashes = Cell::new(0);
    let timing = tokio::select! {
        timing = stage.server.open_loop(RATE, stage.arguments.time(TIME)) => timing,
        () = disturb(stage, bot, neighbour, &crashes) => unreachable!("it goes on for ever"),
    };
    // What is still in its queue is not the next one's business.
    bot.rest().await;
    let versions = status(&mut control, SAVED).await.generation - versions;
    let milliseconds = |share| timing.latency(share).unwrap_or_default().as_secs_f64() * 1e3;
    let row = section.row(neighbour.name(), Who::Showrunner.name());
    row.value("p50 ms", milliseconds(0.5)).value("p99 ms", milliseconds(0.99));
    row.value("p99.9 ms", milliseconds(0.999)).value("max ms", milliseconds(1.0));
    row.value("lost", (timing.asked - timing.answered) as f64)
        .value("doubled", (timing.doubled + timing.strange) as f64);
    row.value("crashes", crashes.get() as f64).value("versions", versions as f64);
}

/// Does its worst, for ever.
async fn disturb(stage: &Stage<'_>, bot: &Bot, neighbour: Neighbour, crashes: &Cell<u64>) {
    match neighbour {
        Neighbour::Quiet => std::future::pending().await,
        Neighbour::Spinning => tokio::join!(keep_saying(stage, "spin", SPIN_EVERY), keep_alive(bot, PROBE, crashes)).0,
        Neighbour::Trapping => tokio::join!(keep_saying(stage, "trap", TRAP_EVERY), keep_alive(bot, PROBE, crashes)).0,
        Neighbour::Beast { order, .. } => {
            tokio::join!(keep_saying(stage, order, ORDER_EVERY), keep_alive(bot, BEAST, crashes)).0;
        }
        Neighbour::Saved => {
            let folder = bot.home().plugin_folder(SAVED);
            let mut second = tokio::time::interval(SECOND);
            for version in 1.. {
                second.tick().await;
                save(&folder, version);
            }
        }
    }
}

async fn keep_saying(stage: &Stage<'_>, text: &str, every: Duration) {
    let mut pace = tokio::time::interval(every);
    loop {
        pace.tick().await;
        stage.server.say(text).await;
    }
}

/// Five crashes in a minute would put it into quarantine, and there would be nobody to disturb the others.
/// Starting it anew begins the count anew, so they are counted here.
async fn keep_alive(bot: &Bot, id: &str, crashes: &Cell<u64>) {
    let mut control = Client::connect(&bot.home().data_dir()).await.unwrap();
    let mut often = tokio::time::interval(REVIVE_EVERY);
    loop {
        often.tick().await;
        crashes.set(crashes.get() + status(&mut control, id).await.crashes);
        let reload = Request::Plugins(PluginRequest::Reload { id: id.to_owned() });
        // It may crash at that very moment; the next attempt follows soon.
        let _ = control.ask(&reload).await;
    }
}

async fn status(control: &mut Client, id: &str) -> PluginStatus {
    match control.ask(&Request::Plugins(PluginRequest::Inspect { id: id.to_owned() })).await.unwrap() {
        Response::Plugin(status) => status,
        other => panic!("{other:?}"),
    }
}

fn save(folder: &Path, version: usize) {
    let fresh = folder.join("plugin.wasm.new");
    fs::write(&fresh, another(V0_1_0[0].component, version)).unwrap();
    fs::rename(fresh, folder.join("plugin.wasm")).unwrap();
}

/// The same component with other bytes: a custom section at its end, which means nothing.
pub(super) fn another(component: &[u8], version: usize) -> Vec<u8> {
    let name = format!("version-{version:08}");
    let length = u8::try_from(name.len()).unwrap();
    // Section 0, its length, and the name with its length: both fit into a byte.
    let header = [0, length + 1, length];
    [component, &header, name.as_bytes()].concat()
}
