//! What is to be measured.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::machine::target_folder;

/// Measures how fast Showrunner is, beside its peers, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "speed")]
pub(crate) struct Arguments {
    /// What to measure; everything when nothing is named.
    #[arg(value_enum, ignore_case = true)]
    named: Vec<Bench>,
    /// A tenth of the time: to see that it works, not for figures.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where the figures are written to; speed.json in the target folder when it is not named.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Puts the figures into tests/benches/RESULTS.md and the table of README.md, in place of those that stand there.
    /// Only a whole run has all of them.
    #[arg(long, conflicts_with_all = ["quick", "named", "alone"])]
    pub(crate) results: bool,
    /// How often each bot is measured, in turn.
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// The bots do not hear their own lines; on the real service they do.
    #[arg(long)]
    pub(crate) no_echo: bool,
    /// No peers but the bare wasmtime: neither other bots nor Extism.
    #[arg(long)]
    pub(crate) alone: bool,
    /// Without Extism, which takes minutes to build for the first time.
    #[arg(long)]
    no_extism: bool,
    /// Leave it to the system where programs run.
    #[arg(long)]
    pub(crate) unpinned: bool,
    /// Cargo adds it to whatever is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Bench {
    /// A native call.
    B0,
    /// A call into a component.
    B1,
    /// To a plugin's actor and back.
    B2,
    /// Review and fan-out, through the whole pipeline.
    B3,
    /// From the socket to the HTTP reply.
    B4,
    /// The same, with bad neighbours.
    Beside,
    /// Memory, idle and after a lot of chat, with few plugins and many.
    Memory,
    /// From the start to dialling.
    Start,
    /// From a saved file to its first answer.
    Live,
}

impl Arguments {
    pub(crate) fn read() -> Self {
        Self::parse()
    }

    pub(crate) fn benches(&self) -> Vec<Bench> {
        let mut benches = if self.named.is_empty() { Bench::value_variants().to_vec() } else { self.named.clone() };
        benches.sort_unstable();
        benches.dedup();
        benches
    }

    pub(crate) fn measures(&self, bench: Bench) -> bool {
        self.benches().contains(&bench)
    }

    pub(crate) fn with_extism(&self) -> bool {
        !self.alone && !self.no_extism
    }

    pub(crate) fn json(&self) -> PathBuf {
        self.json.clone().unwrap_or_else(|| target_folder().join("speed.json"))
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 })
    }

    /// So long when there is time.
    pub(crate) fn time(&self, whole: Duration) -> Duration {
        if self.quick { whole / 10 } else { whole }
    }

    /// So many when there is time.
    pub(crate) fn count(&self, whole: usize) -> usize {
        if self.quick { (whole / 10).max(1) } else { whole }
    }
}
