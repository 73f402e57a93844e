//! The daemon, killed again and again in the midst of its work, and whether its ledger holds.
//!
//! A [`World`] is a folder with a daemon's files, a fake retake.tv that outlives every daemon and gives out its history
//! again, and an agent beside it. Viewers write all the time, also while no daemon runs; each line of theirs asks the
//! probe for one of everything. After each kill the database is looked at, and after the last one everything that was
//! ever said must have come to its end. [`autopsy`] has the rules.
//!
//! The platform that takes lines is retake.tv, where review's removals end as unsupported, as it has none. The one that
//! takes moderation is the simulator, with its record of actions for a witness.

mod agent;
mod autopsy;
mod chat;
mod life;
mod moment;
mod tally;
mod world;

use std::time::Duration;

pub use self::tally::Tally;
pub use self::world::World;

/// Longer than anything here takes; only a hung test meets it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A task that was leased and not ended comes back after this long, the shortest that the config allows times some.
const VISIBILITY: Duration = Duration::from_secs(5);

/// How many daemons to kill, and where to begin.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub kills: usize,
    /// Worlds side by side; more than there are processors only wait for each other.
    pub worlds: usize,
    pub seed: u64,
}

impl Plan {
    /// `SHOWRUNNER_KILLS`, `SHOWRUNNER_KILL_WORLDS` and `SHOWRUNNER_KILL_SEED` change it.
    pub fn from_environment() -> Self {
        Self {
            kills: number("SHOWRUNNER_KILLS").unwrap_or(200),
            worlds: number("SHOWRUNNER_KILL_WORLDS").unwrap_or(4),
            seed: number("SHOWRUNNER_KILL_SEED").unwrap_or_else(|| fastrand::u64(..)),
        }
    }
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name} is no number: {text:?} ({error:?})")))
}
