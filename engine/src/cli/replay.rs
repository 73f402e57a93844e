//! `showrunner replay`: what plugins would make of a recorded stream, and what two versions make of it otherwise.

mod page;
mod selection;
mod tally;

use std::path::{Path, PathBuf};

pub(super) use self::page::Page;
pub(super) use self::selection::{Places, Selection, settings};
pub(super) use self::tally::Gaps;
use self::tally::Tally;
use super::failure::Different;
use super::recorded::Recorded;
use crate::replay::difference::{Difference, compare};
use crate::replay::{Act, Journal, Lockstep, Member, MemoryChoice, Setup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A FILE.wasm with its plugin.toml beside it, a plugin's folder, or an id. May be given several times; who is not
    /// named does what it did then.
    #[arg(long = "plugin", required = true, value_name = "FILE|FOLDER|ID")]
    plugins: Vec<PathBuf>,
    /// Show only what this version makes otherwise; it takes the place of the plugin of the same id.
    #[arg(long, value_name = "FILE|FOLDER|ID")]
    against: Option<PathBuf>,
    /// Show only what is otherwise with this config.
    #[arg(long, value_name = "FILE")]
    against_config: Option<PathBuf>,
    #[command(flatten)]
    recorded: Recorded,
}

pub(super) async fn execute(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { plugins, against, against_config, recorded } = arguments;
    let (mut journal, memory) = recorded.open(MemoryChoice::default())?;
    let (own, other) = (settings(config)?, settings(against_config.as_deref())?);
    let selection = Selection::gather(&Places::of(config)?, &plugins, against.as_deref())?;
    let mut page = Page::new(recorded.json);
    let members = selection.members(Setup { journal: &journal, settings: own.as_ref(), memory });
    page.introduce("plays", &members)?;
    if selection.compares() || other.is_some() {
        let others =
            selection.members_against(Setup { journal: &journal, settings: other.as_ref().or(own.as_ref()), memory });
        page.introduce("against", &others)?;
        return compare_all(&mut journal, members, others, &mut page).await;
    }
    play_all(&mut journal, members, &mut page).await
}

async fn play_all(journal: &mut Journal, members: Vec<Member>, page: &mut Page) -> anyhow::Result<()> {
    let mut tally = Tally { gaps: Gaps::of(&members), ..Tally::default() };
    let (mut lockstep, acts) = Lockstep::start(members, &journal.plugins).await?;
    tell(&acts, &mut tally, page)?;
    while let Some(entry) = journal.next_entry()? {
        tally.entries += 1;
        let acts = lockstep.play(&entry).await;
        tell(&acts, &mut tally, page)?;
    }
    tell(&lockstep.finish().await, &mut tally, page)?;
    tally.gaps.finish(&lockstep);
    page.summary(&tally)
}

fn tell(acts: &[Act], tally: &mut Tally, page: &mut Page) -> anyhow::Result<()> {
    acts.iter().try_for_each(|act| {
        tally.add(act);
        page.act(act)
    })
}

async fn compare_all(
    journal: &mut Journal,
    one: Vec<Member>,
    other: Vec<Member>,
    page: &mut Page,
) -> anyhow::Result<()> {
    let (plays, against) = (Gaps::of(&one), Gaps::of(&other));
    let mut differences = tally::Differences { plays, against, ..tally::Differences::default() };
    let (mut one, one_acts) = Lockstep::start(one, &journal.plugins).await?;
    let (mut other, other_acts) = Lockstep::start(other, &journal.plugins).await?;
    let mut tell = |one: Vec<Act>, other: Vec<Act>, page: &mut Page| -> anyhow::Result<()> {
        let comparison = compare(one, other);
        differences.add(&comparison);
        comparison.differences.iter().try_for_each(|difference: &Difference| page.difference(difference))
    };
    tell(one_acts, other_acts, page)?;
    while let Some(entry) = journal.next_entry()? {
        let acts = (one.play(&entry).await, other.play(&entry).await);
        tell(acts.0, acts.1, page)?;
    }
    let acts = (one.finish().await, other.finish().await);
    tell(acts.0, acts.1, page)?;
    differences.plays.finish(&one);
    differences.against.finish(&other);
    page.differences(&differences)?;
    if differences.different > 0 { Err(Different.into()) } else { Ok(()) }
}
