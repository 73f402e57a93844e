//! `showrunner simulate`: plays an event into the running daemon. It counts as a test everywhere.

use std::path::Path;

use super::{daemon, output};
use crate::gateway::control::{Request, Response, Simulation};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// chat, tip, follow, sub, gift, raid, dropin or another; a wrong one is answered with all there are.
    kind: String,
    /// Who does it.
    #[arg(long)]
    user: Option<String>,
    /// What they are there: broadcaster, moderator, vip or subscriber.
    #[arg(long)]
    role: Option<String>,
    /// What they write; of a gift the names, with commas between them, of a redemption the reward, of raw the JSON.
    #[arg(long, allow_hyphen_values = true)]
    text: Option<String>,
    /// How much they give, as 12.50 or "5 EUR"; what a redemption costs.
    #[arg(long, allow_hyphen_values = true)]
    amount: Option<String>,
    /// For how many months they subscribe.
    #[arg(long)]
    months: Option<u32>,
    /// How many gifts, viewers of a raid, …
    #[arg(long)]
    count: Option<u32>,
    /// Where, as retake:5b7c: what plugins answer is really sent there. The simulator's own channel otherwise.
    #[arg(long)]
    channel: Option<String>,
}

pub(super) async fn execute(config: &Path, arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { kind, user, role, text, amount, months, count, channel } = arguments;
    let simulation = Simulation { kind, user, role, text, amount, months, count, channel };
    match daemon::ask(config, &Request::Simulate(simulation)).await? {
        Response::Simulated { event_id } => output::line(format_args!("Played in as {event_id}.")),
        other => daemon::unexpected(&other),
    }
}
