//! Memory: at rest, after a lot of chat, and with few plugins and many.

use std::time::{Duration, Instant};

use showrunner_tests::load::process;

use super::Stage;
use super::bots::{Bot, Who};
use crate::home::Home;
use crate::report::{Limit, Report, Section};

const MESSAGES: usize = 100_000;
const IN_FLIGHT: usize = 64;
const PLUGINS: [usize; 3] = [1, 10, 100];

/// How long a bot that nobody speaks to is watched.
const IDLE: Duration = Duration::from_secs(5);

/// Of the design, for what is resident.
const MOST_IDLE: f64 = 30.0;
const MOST_AFTER: f64 = 40.0;

pub(super) async fn run(stage: &Stage<'_>, report: &mut Report) {
    let mut section = Section::new("memory", "What a bot needs when nobody speaks, and after 100,000 messages");
    for who in stage.bots() {
        let bot = warm(who, stage).await;
        bot.rest().await;
        let processor = idle(&bot, stage).await;
        note(&mut section, "idle", who.name(), &bot).value("processor ms/s", processor);
        let timing = stage.server.flood(stage.arguments.count(MESSAGES), IN_FLIGHT).await;
        bot.rest().await;
        let lost = (timing.asked - timing.answered) as f64;
        note(&mut section, "after 100,000 messages", who.name(), &bot).value("lost", lost);
        bot.stop(stage).await;
    }
    for count in PLUGINS {
        let mut home = Home::of_a_silent_bot(&stage.server);
        home.add_greeters(count);
        let bot = second_start(home, stage).await;
        let plugins = if count == 1 { "1 plugin".to_owned() } else { format!("{count} plugins") };
        let processor = idle(&bot, stage).await;
        note(&mut section, &plugins, Who::Showrunner.name(), &bot).value("processor ms/s", processor);
        bot.stop(stage).await;
    }
    for (what, limit) in [("idle", MOST_IDLE), ("after 100,000 messages", MOST_AFTER)] {
        let measured = section.find(what, Who::Showrunner.name(), "RSS MiB").unwrap();
        report.target(&format!("resident memory, {what}"), Limit::AtMost(limit), measured, "MiB");
    }
    report.add(section);
}

/// In the room, with nothing left to compile.
async fn warm(who: Who, stage: &Stage<'_>) -> Bot {
    let bot = match who {
        Who::Showrunner => {
            let first = Bot::start(who, stage);
            stage.server.until_answering().await;
            Bot::of_home(first.stop(stage).await.unwrap(), stage)
        }
        Who::Node | Who::Bare => Bot::start(who, stage),
    };
    stage.server.until_answering().await;
    bot
}

/// The first start compiles, which takes memory that no later one needs.
async fn second_start(home: Home, stage: &Stage<'_>) -> Bot {
    let first = Bot::of_home(home, stage);
    stage.server.until_joined().await;
    let home = first.stop(stage).await.unwrap();
    let bot = Bot::of_home(home, stage);
    stage.server.until_joined().await;
    bot.rest().await;
    bot
}

/// Processor time in milliseconds for each second in which nothing happens.
async fn idle(bot: &Bot, stage: &Stage<'_>) -> f64 {
    let (begun, before) = (Instant::now(), process::processor_time(bot.process()));
    tokio::time::sleep(stage.arguments.time(IDLE)).await;
    let used = process::processor_time(bot.process()).saturating_sub(before);
    used.as_secs_f64() * 1e3 / begun.elapsed().as_secs_f64()
}

fn note<'s>(section: &'s mut Section, what: &str, who: &str, bot: &Bot) -> &'s mut crate::report::Row {
    let memory = process::memory(bot.process());
    let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
    let row = section.row(what, who);
    row.value("RSS MiB", mebibytes(memory.resident)).value("PSS MiB", mebibytes(memory.proportional))
}
