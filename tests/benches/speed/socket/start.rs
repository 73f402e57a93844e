//! From the start of the process to dialling: with an empty data folder, so that all plugins are compiled, and with
//! what the start before has left.

use std::time::{Duration, Instant};

use super::Stage;
use super::bots::{Bot, Who};
use crate::home::Home;
use crate::report::{Limit, Report, Section, Values};

const STARTS: usize = 10;
const COLD_STARTS: usize = 3;

/// Of the design, with cached plugins.
const MOST_MILLISECONDS: f64 = 150.0;

pub(super) async fn run(stage: &Stage<'_>, report: &mut Report) {
    let mut section = Section::new("start", "From the start to dialling");
    let ours = Who::Showrunner.name();
    let mut cold = Vec::new();
    let mut home = None;
    for _ in 0..stage.arguments.count(COLD_STARTS) {
        let (took, left) = start(stage, Home::of_a_bot(&stage.server)).await;
        cold.push(values(took));
        home = Some(left);
    }
    let mut home = home.unwrap();
    let mut cached = Vec::new();
    for _ in 0..stage.arguments.count(STARTS) {
        let (took, left) = start(stage, home).await;
        cached.push(values(took));
        home = left;
    }
    section.row("cold", ours).rounds(&cold);
    section.row("cached plugins", ours).rounds(&cached);
    if stage.bots().contains(&Who::Node) {
        let mut node = Vec::new();
        for _ in 0..stage.arguments.count(STARTS) {
            let begun = Instant::now();
            let bot = Bot::start(Who::Node, stage);
            node.push(values(until_dialling(stage, begun).await));
            bot.stop(stage).await;
        }
        section.row("cached plugins", Who::Node.name()).rounds(&node);
    }
    let median = section.find("cached plugins", ours, "ms").unwrap();
    report.target("start to dialling, plugins cached", Limit::AtMost(MOST_MILLISECONDS), median, "ms");
    report.add(section);
}

async fn start(stage: &Stage<'_>, home: Home) -> (Duration, Home) {
    let begun = Instant::now();
    let bot = Bot::of_home(home, stage);
    let took = until_dialling(stage, begun).await;
    (took, bot.stop(stage).await.unwrap())
}

/// A bot that is not in the room yet is let in before it is ended.
async fn until_dialling(stage: &Stage<'_>, begun: Instant) -> Duration {
    let took = stage.server.dialled_after(begun).await.duration_since(begun);
    stage.server.until_answering().await;
    took
}

fn values(took: Duration) -> Values {
    let mut values = Values::default();
    values.value("ms", took.as_secs_f64() * 1e3);
    values
}
