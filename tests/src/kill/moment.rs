//! When a daemon is killed: at a random time, or the moment that something happens which leaves work half done.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{sleep, timeout};

use super::agent::Agent;
use crate::retake::FakeRetake;

/// When nothing of the kind comes to pass, the daemon is killed all the same.
const LONGEST: Duration = Duration::from_secs(15);

/// A file tells nobody when it grows.
const LOOK: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// So long after the process was started, whatever it is doing by then.
    AfterStart(Duration),
    /// So long after it listens to the room: while it catches up with the history, or some time later.
    AfterJoin(Duration),
    /// As the platform takes the so many-th line, before the daemon has heard that it did.
    Line(usize),
    /// As the so many-th action of moderation is done.
    Action(usize),
    /// As the agent gets its so many-th task.
    Lease(usize),
    /// As the so many-th answer of the agent is accepted.
    Answer(usize),
    /// So long after it was asked to stop.
    Stopping(Duration),
}

impl Moment {
    /// Each kind in turn, at some random point of it.
    pub(super) fn draw(turn: usize, rng: &mut Rng) -> Self {
        let milliseconds = |rng: &mut Rng, most| Duration::from_millis(rng.u64(0..most));
        match turn % 9 {
            0 => Self::AfterJoin(milliseconds(rng, 600)),
            1 => Self::Line(rng.usize(1..30)),
            2 => Self::AfterStart(milliseconds(rng, 1500)),
            3 => Self::Action(rng.usize(1..30)),
            4 => Self::AfterJoin(milliseconds(rng, 60)),
            5 => Self::Lease(rng.usize(1..20)),
            6 => Self::Stopping(milliseconds(rng, 150)),
            7 => Self::Answer(rng.usize(1..6)),
            _ => Self::AfterJoin(milliseconds(rng, 1200)),
        }
    }

    /// The name of its kind, for the count at the end.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::AfterStart(_) => "after the start",
            Self::AfterJoin(_) => "while it runs",
            Self::Line(_) => "as a line arrives",
            Self::Action(_) => "as moderation is done",
            Self::Lease(_) => "as a task is leased",
            Self::Answer(_) => "as an answer is accepted",
            Self::Stopping(_) => "while it stops",
        }
    }

    /// Resolves when it has come. For [`Moment::Stopping`] that is when the daemon is to be asked.
    pub(super) async fn wait(self, platform: &FakeRetake, record: &Path, agent: &Agent) {
        let coming = async {
            match self {
                Self::AfterStart(after) => sleep(after).await,
                Self::AfterJoin(after) => {
                    platform.room_has(1).await;
                    sleep(after).await;
                }
                Self::Line(count) => platform.has_sent(platform.sent().len() + count).await,
                Self::Action(count) => {
                    let before = actions(record);
                    while actions(record) < before + count {
                        sleep(LOOK).await;
                    }
                }
                Self::Lease(count) => agent.has_leased(count).await,
                Self::Answer(count) => agent.has_answered(count).await,
                Self::Stopping(_) => platform.room_has(1).await,
            }
        };
        let _ = timeout(LONGEST, coming).await;
    }
}

fn actions(record: &Path) -> usize {
    std::fs::read(record).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}
