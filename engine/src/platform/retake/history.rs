//! Finding what was missed while there was no connection, and seeing to it that nothing is told twice.
//!
//! [`Seen`] remembers what was told, whichever way it came; [`Gap`] walks the history back from its newest page
//! to what is known. Neither does any IO: the source asks for pages and hands them in.

mod seen;

pub(super) use self::seen::{Epoch, Seen, Way};
use super::wire::Parsed;

/// Pages of one walk at most: with a hundred messages each, far more than an outage that anybody would still want
/// answered.
const MAX_PAGES: usize = 10;
/// How far the clocks of a platform and of this machine may lie apart before a missed message is lost by it.
/// What lies within it and is known is not told again, so it costs nothing.
const SLACK_MS: u64 = 10_000;

/// Where a gap begins. It stays so until the gap is filled, however many connections that takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct GapStart {
    /// The time of the last message known, or of the first connection.
    since_ms: u64,
    /// Nothing from before this is ever told: the bot was not there.
    started_ms: u64,
    /// The first connection after the gap. What was seen since then does not end the walk, for that is newer.
    epoch: Epoch,
}

impl GapStart {
    pub(super) fn new(seen: &Seen, epoch: Epoch, started_ms: u64) -> Self {
        let since_ms = seen.last_known_ms().unwrap_or(started_ms).max(started_ms);
        Self { since_ms, started_ms, epoch }
    }

    fn earliest_ms(&self) -> u64 {
        self.since_ms.saturating_sub(SLACK_MS).max(self.started_ms)
    }
}

/// The stretch of time that has to be filled from the history.
#[derive(Debug)]
pub(super) struct Gap {
    start: GapStart,
    pages: usize,
    /// Newest first.
    collected: Vec<Parsed>,
    last_cursor: Option<String>,
    reached_known: bool,
}

/// What a gap wants after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The page before the message of this id.
    Before(String),
    Complete,
}

impl Gap {
    pub(super) fn new(start: GapStart) -> Self {
        Self { start, pages: 0, collected: Vec::new(), last_cursor: None, reached_known: false }
    }

    /// Takes a page, in whichever order it is sorted.
    pub(super) fn take(&mut self, mut page: Vec<Parsed>, seen: &Seen) -> Next {
        self.pages += 1;
        sort_newest_first(&mut page);
        let cursor = page.last().and_then(|oldest| oldest.cursor.clone());
        // Times are the word of whoever sent the message, so only a whole page of old ones ends the walk.
        let is_old = page.iter().all(|item| item.at_ms.is_some_and(|at_ms| at_ms < self.start.earliest_ms()));
        for item in page {
            if seen.knew_before(&item, self.start.epoch) {
                self.reached_known = true;
            }
            self.collected.push(item);
        }
        let is_repeated = cursor.is_none() || cursor == self.last_cursor;
        if self.reached_known || is_old || is_repeated || self.pages >= MAX_PAGES {
            return Next::Complete;
        }
        self.last_cursor.clone_from(&cursor);
        cursor.map_or(Next::Complete, Next::Before)
    }

    /// What was missed, oldest first. All that was collected is known from now on, told or not.
    pub(super) fn finish(self, seen: &mut Seen, now_ms: u64) -> Vec<Parsed> {
        let earliest_ms = self.start.earliest_ms();
        let known: Vec<bool> = self.collected.iter().map(|item| seen.knew_before(item, self.start.epoch)).collect();
        let newest_known = known.iter().position(|known| *known).unwrap_or(known.len());
        let missed = self.collected.into_iter().enumerate().rev().filter(|(position, item)| {
            let is_missed = match item.at_ms {
                Some(at_ms) => at_ms >= earliest_ms,
                // Without a time only the order tells, and only if the walk came to something known.
                None => self.reached_known && *position < newest_known && item.key.is_some(),
            };
            seen.admit(item, Way::History, self.start.epoch, now_ms) && is_missed
        });
        missed.map(|(_, item)| item).collect()
    }
}

/// No documentation says how a page is sorted, so its times do. Without times the newest comes first.
fn sort_newest_first(page: &mut [Parsed]) {
    let mut times = page.iter().filter_map(|item| item.at_ms);
    if let (Some(first), Some(last)) = (times.next(), times.next_back())
        && first < last
    {
        page.reverse();
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
