//! From a saved plugin to its first answer, in the midst of chat: nothing lost, nothing answered twice.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use showrunner::plugin::manifest::Manifest;
use showrunner::plugin::shipped;
use showrunner_tests::load::{ANSWER, COMMAND};

use super::Stage;
use super::bots::{Bot, Who};
use crate::home::Home;
use crate::report::{Limit, Report, Section, Values};

/// The plugin that is saved again and again: one that ships, in a folder of its own.
const PLUGIN: &str = "instant-replies";
const SAVES: usize = 10;
/// Questions a second meanwhile: one for each millisecond that is measured.
const RATE: u32 = 1_000;
/// How long questions come before a save, and after its first answer.
const AROUND: Duration = Duration::from_millis(500);
/// A version that nobody has seen after this long is not coming.
const LONGEST: Duration = Duration::from_secs(20);

/// Of the design.
const MOST_MILLISECONDS: f64 = 500.0;

pub(super) async fn run(stage: &Stage<'_>, report: &mut Report) {
    let mut section = Section::new("live", "From a saved plugin file to its first answer");
    let source = Source::unpack();
    let mut home = Home::of_a_bot_with_folder(&stage.server);
    source.save(&home.plugin_folder(PLUGIN), 0);
    home.grant_all(&source.manifest);
    let bot = Bot::of_home(home, stage);
    stage.server.until_answering().await;
    stage.server.open_loop(RATE, Duration::from_secs(1)).await;

    let mut rounds = Vec::new();
    stage.server.keep_words(true);
    for version in 1..=stage.arguments.count(SAVES) {
        rounds.push(save(stage, &source, &bot, version).await);
    }
    stage.server.keep_words(false);
    bot.stop(stage).await;

    let row = section.row(&format!("saved under {RATE}/s"), Who::Showrunner.name());
    row.rounds(&rounds);
    let median = section.find(&format!("saved under {RATE}/s"), Who::Showrunner.name(), "live after ms").unwrap();
    report.target("a saved plugin to its first answer", Limit::AtMost(MOST_MILLISECONDS), median, "ms");
    report.add(section);
}

/// Saves once while questions come, and looks for the first answer in the new words.
async fn save(stage: &Stage<'_>, source: &Source, bot: &Bot, version: usize) -> Values {
    let folder = bot.home().plugin_folder(PLUGIN);
    let new = format!("v{version} ");
    let begun = Instant::now();
    let seen = Cell::new(None::<Instant>);
    let goes_on = |_| {
        if seen.get().is_none() && stage.server.newest_words().is_some_and(|newest| newest == new) {
            seen.set(Some(Instant::now()));
        }
        seen.get().map_or(begun.elapsed() < LONGEST, |seen| seen.elapsed() < AROUND)
    };
    let (timing, saved) = tokio::join!(stage.server.open_loop_while(RATE, goes_on), async {
        tokio::time::sleep(AROUND).await;
        source.save(&folder, version);
        Instant::now()
    });
    let mut answers = stage.server.words();
    answers.sort_unstable_by_key(|answer| answer.number);
    // In the order of the questions no old answer comes behind a new one.
    let switched = answers.iter().position(|answer| answer.words == new).unwrap_or(answers.len());
    let first = answers[switched..].iter().map(|answer| answer.at).min();
    let stale = answers[switched..].iter().filter(|answer| answer.words != new).count();
    let mut values = Values::default();
    values.value("live after ms", first.map_or(f64::NAN, |at| at.duration_since(saved).as_secs_f64() * 1e3));
    values.value("slowest answer ms", timing.latency(1.0).unwrap_or_default().as_secs_f64() * 1e3);
    values.value("lost", (timing.asked - timing.answered) as f64);
    values.value("doubled", (timing.doubled + timing.strange) as f64).value("stale", stale as f64);
    values
}

/// The plugin's two files.
struct Source {
    manifest: String,
    component: Vec<u8>,
}

impl Source {
    fn unpack() -> Self {
        let folder = tempfile::tempdir().unwrap();
        shipped::unpack(folder.path()).unwrap();
        let read = |name| fs::read(folder.path().join(PLUGIN).join(name)).unwrap();
        let manifest = String::from_utf8(read("plugin.toml")).unwrap();
        assert!(Manifest::parse(&manifest).is_ok());
        Self { manifest, component: read("plugin.wasm") }
    }

    /// A version that says its number, as an editor or a build saves it: each file at once. The component is another
    /// one each time, so nothing of it is in a cache.
    fn save(&self, folder: &Path, version: usize) {
        fs::create_dir_all(folder).unwrap();
        let answer = format!("\n[defaults.commands.{COMMAND}]\nanswers = [\"v{version} {ANSWER}{{1}}\"]\n");
        let manifest = self.manifest.replace("\n[defaults.commands]\n", "\n") + &answer;
        for (name, bytes) in
            [("plugin.toml", manifest.into_bytes()), ("plugin.wasm", super::beside::another(&self.component, version))]
        {
            let fresh = folder.join(format!("{name}.new"));
            fs::write(&fresh, bytes).unwrap();
            fs::rename(fresh, folder.join(name)).unwrap();
        }
    }
}
