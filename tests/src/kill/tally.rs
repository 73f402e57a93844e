//! What came of everything that was said, and what the design lets go.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The figures of one world, or of all of them together.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub kills: BTreeMap<&'static str, usize>,
    /// Daemons that ended in good order before they could be killed.
    pub ended_before: usize,
    pub slowest_start: Duration,
    pub work: usize,
    pub spam: usize,
    pub tasks_done: usize,
    pub answers: usize,
    pub leases_expired: usize,
    pub removals_repeated: usize,
    pub lines_sent: usize,
    /// Lines that did not surely leave, so that they were not sent, or not sent again.
    pub lines_uncertain: usize,
    /// Lines that expired or failed, and say so.
    pub lines_failed: usize,
    /// Said in the simulator, which says nothing twice, to no daemon or to one that was killed before it was
    /// journalled.
    pub never_journalled: usize,
    /// Said while a daemon ended in good order, so that the next one was not there to hear it.
    pub not_heard: usize,
    /// What must not be. Empty when all is well.
    pub faults: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        for (kind, count) in other.kills {
            *self.kills.entry(kind).or_default() += count;
        }
        self.ended_before += other.ended_before;
        self.slowest_start = self.slowest_start.max(other.slowest_start);
        self.work += other.work;
        self.spam += other.spam;
        self.tasks_done += other.tasks_done;
        self.answers += other.answers;
        self.leases_expired += other.leases_expired;
        self.removals_repeated += other.removals_repeated;
        self.lines_sent += other.lines_sent;
        self.lines_uncertain += other.lines_uncertain;
        self.lines_failed += other.lines_failed;
        self.never_journalled += other.never_journalled;
        self.not_heard += other.not_heard;
        self.faults.extend(other.faults);
    }

    pub fn kills(&self) -> usize {
        self.kills.values().sum()
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} kills; the slowest start took {:?}", self.kills(), self.slowest_start)?;
        for (kind, count) in &self.kills {
            writeln!(formatter, "  {count:>5} {kind}")?;
        }
        writeln!(formatter, "  {:>5} more ended in good order before they could be killed", self.ended_before)?;
        writeln!(formatter, "{} lines asked for work, {} were spam", self.work, self.spam)?;
        writeln!(formatter, "  {:>5} tasks done once, {} of them answered", self.tasks_done, self.answers)?;
        writeln!(formatter, "  {:>5} leases ended before the daemon was back", self.leases_expired)?;
        writeln!(formatter, "  {:>5} removals were done more than once", self.removals_repeated)?;
        writeln!(formatter, "  {:>5} lines arrived once", self.lines_sent)?;
        writeln!(formatter, "what the design lets go:")?;
        writeln!(formatter, "  {:>5} lines are uncertain and were not sent again", self.lines_uncertain)?;
        writeln!(formatter, "  {:>5} lines failed or expired", self.lines_failed)?;
        writeln!(
            formatter,
            "  {:>5} events of the simulator, which repeats none, never reached a journal",
            self.never_journalled
        )?;
        write!(formatter, "  {:>5} lines were said to nobody while a daemon ended in good order", self.not_heard)
    }
}
