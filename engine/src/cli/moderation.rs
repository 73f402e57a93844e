//! `showrunner moderation`: what other rules would have done to a recorded stream.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::clean::clean;
use super::failure::{Different, Failure};
use super::output;
use super::paint::Color;
use super::recorded::Recorded;
use super::replay::{Gaps, Page, Places, Selection, settings};
use crate::effect::{PluginId, Verdict};
use crate::event::Envelope;
use crate::replay::rulings::{Change, Counts, Kind, Ruled};
use crate::replay::{Act, Journal, Lockstep, Member, MemoryChoice, Setup};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show which lines the rules of a config would catch, let pass or treat otherwise than was done then.
    ///
    /// Ends with 0 when nothing changes, with 1 when something does.
    Replay(Replay),
}

/// Strikes that the stream itself has caused must not count before it begins, so there is no falling back on the
/// latest.
const KV_HELP: &str =
    "The memory (kv), strikes among it, to begin with. Without this: as recorded when the stream began, else none";

#[derive(Debug, clap::Args)]
#[command(mut_arg("kv", |kv| kv.help(KV_HELP)))]
pub(super) struct Replay {
    /// Compare with what the rules of this config would have done, rather than with what was done then.
    #[arg(long, value_name = "FILE")]
    against_config: Option<PathBuf>,
    /// The reviewer: an id, a FILE.wasm or a folder. May be given several times.
    #[arg(long = "plugin", value_name = "FILE|FOLDER|ID", default_value = "moderation")]
    plugins: Vec<PathBuf>,
    #[command(flatten)]
    recorded: Recorded,
}

pub(super) async fn execute(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let Command::Replay(arguments) = command;
    let Replay { against_config, plugins, recorded } = arguments;
    let (mut journal, memory) = recorded.open(MemoryChoice::Recorded)?;
    let (own, other) = (settings(config)?, settings(against_config.as_deref())?);
    let selection = Selection::gather(&Places::of(config)?, &plugins, None)?;
    let with = |settings| selection.members(Setup { journal: &journal, settings, memory });
    let against = other.as_ref().map(|other| with(Some(other)));
    let members = with(own.as_ref());
    check(&members, config)?;
    check(against.as_deref().unwrap_or_default(), against_config.as_deref())?;
    let reviewers: Vec<PluginId> = members.iter().map(|member| member.part.id.clone()).collect();
    let mut page = Page::new(recorded.json);
    page.introduce("plays", &members)?;
    let then = match against {
        Some(against) => Then::Played(Box::new(Lockstep::start(against, &journal.plugins).await?.0)),
        None => Then::Recorded(reviewers),
    };
    let gaps = Gaps::of(&members);
    let (now, _) = Lockstep::start(members, &journal.plugins).await?;
    Comparison { then, now, counts: Counts::default(), gaps }.run(&mut journal, &mut page).await
}

/// Who is asked for no verdict catches nothing, which must not be taken for nothing to be caught.
fn check(members: &[Member], config: Option<&Path>) -> Result<(), Failure> {
    for Member { version, part, .. } in members {
        let id = clean(&part.id);
        if !version.reviews() {
            return Err(Failure::usage(format!("{id} reviews nothing"), "name a reviewer by --plugin"));
        }
        if !version.may_review(&part.settings) {
            let (who, help) = match config {
                Some(config) => (config.display().to_string(), format!("grant it in [plugins.{id}]")),
                None => ("what was recorded".to_owned(), "name a config that does by --config".to_owned()),
            };
            return Err(Failure::usage(format!("{who} does not grant moderation.review to {id}"), help));
        }
    }
    Ok(())
}

/// What the new rules are compared with.
enum Then {
    Recorded(Vec<PluginId>),
    Played(Box<Lockstep>),
}

struct Comparison {
    then: Then,
    now: Lockstep,
    counts: Counts,
    /// Of the new rules.
    gaps: Gaps,
}

impl Comparison {
    async fn run(mut self, journal: &mut Journal, page: &mut Page) -> anyhow::Result<()> {
        while let Some(entry) = journal.next_entry()? {
            let envelope = &entry.envelope;
            let now = ruled(&self.now.play(&entry).await, envelope);
            let then = match &mut self.then {
                Then::Recorded(reviewers) => Some(Ruled::then(&entry, reviewers)),
                Then::Played(lockstep) => ruled(&lockstep.play(&entry).await, envelope),
            };
            let (Some(then), Some(now)) = (then, now) else { continue };
            if let Some(change) = self.counts.add(envelope, then, now) {
                tell(page, &change)?;
            }
        }
        self.gaps.finish(&self.now);
        summary(page, &self.counts, &self.gaps)?;
        if self.counts.is_same() { Ok(()) } else { Err(Different.into()) }
    }
}

fn ruled(acts: &[Act], envelope: &Envelope) -> Option<Ruled> {
    acts.iter().find(|act| act.envelope.id == envelope.id).and_then(Ruled::now)
}

fn tell(page: &mut Page, change: &Change) -> anyhow::Result<()> {
    if page.is_json() {
        return output::json(change);
    }
    page.event(&Arc::clone(&change.event))?;
    let color = match change.change {
        Kind::NewlyCaught => Color::Red,
        Kind::NoLongerCaught => Color::Green,
        Kind::Changed => Color::Yellow,
    };
    page.below("then", Color::Cyan, &describe(&change.then))?;
    page.below("now ", color, &describe(&change.now))
}

/// The reason is the reviewer's own: rule, span and strike, where it is `moderation`.
fn describe(ruled: &Ruled) -> String {
    let what = match &ruled.verdict {
        Verdict::Pass => "passed".to_owned(),
        Verdict::Suspend { seconds: Some(seconds), reason } => format!("suspend for {seconds} s: {}", clean(reason)),
        Verdict::Suspend { seconds: None, reason } => format!("suspend for good: {}", clean(reason)),
        other => format!("{}: {}", other.name(), clean(other.reason())),
    };
    if ruled.late { format!("{what} (no verdict in time)") } else { what }
}

fn summary(page: &Page, counts: &Counts, gaps: &Gaps) -> anyhow::Result<()> {
    if page.is_json() {
        return output::json(&serde_json::json!({ "summary": Summary { counts, gaps } }));
    }
    let Counts { lines, newly_caught, no_longer_caught, changed, caught_as_before, passed_as_before } = counts;
    output::line(format_args!(
        "{lines} lines: {newly_caught} newly caught, {no_longer_caught} no longer caught, {changed} changed; \
         {caught_as_before} caught and {passed_as_before} passed as before."
    ))?;
    page.gaps("", gaps)
}

/// As programs read it.
#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    counts: &'a Counts,
    #[serde(flatten)]
    gaps: &'a Gaps,
}
