//! Finds where the same few things come again and again: aaaa, hahaha, buy now buy now.

use std::ops::Range;

/// The longest row of different things that is seen to come again.
const PERIOD: usize = 4;

/// A stretch of repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    /// How many things it has in all.
    pub(crate) length: usize,
    /// How many of them are different.
    pub(crate) period: usize,
    pub(crate) span: Range<usize>,
}

impl Streak {
    /// How often the same comes.
    pub(crate) fn times(&self) -> usize {
        self.length.checked_div(self.period).unwrap_or(0)
    }
}

/// What came before, and how it repeats with each period.
pub(super) struct Streaks<T> {
    /// The newest first.
    before: [Before<T>; PERIOD],
    worst: Streak,
    rank: fn(&Streak) -> usize,
}

/// What came so many things ago.
#[derive(Clone, Copy)]
struct Before<T> {
    thing: Option<T>,
    start: usize,
    /// How many things in a row were the same as the one that came so many before them, and where that began.
    again: usize,
    began: usize,
}

impl<T> Before<T> {
    const NOTHING: Self = Self { thing: None, start: 0, again: 0, began: 0 };
}

impl<T: PartialEq + Copy> Streaks<T> {
    /// The streak of the highest rank is kept.
    pub(super) fn new(rank: fn(&Streak) -> usize) -> Self {
        Self { before: [const { Before::NOTHING }; PERIOD], worst: Streak::default(), rank }
    }

    pub(super) fn next(&mut self, thing: T, span: Range<usize>) {
        let mut newest = (Some(thing), span.start);
        for (period, before) in (1..).zip(&mut self.before) {
            if before.thing == Some(thing) {
                if before.again == 0 {
                    before.began = before.start;
                }
                before.again += 1;
                let streak = Streak { length: period + before.again, period, span: before.began..span.end };
                let goes_on = period == self.worst.period && streak.span.start == self.worst.span.start;
                if goes_on || (self.rank)(&streak) > (self.rank)(&self.worst) {
                    self.worst = streak;
                }
            } else {
                before.again = 0;
            }
            // Each moves one further back.
            let moved = (before.thing, before.start);
            (before.thing, before.start) = newest;
            newest = moved;
        }
    }

    /// Something else came between.
    pub(super) fn interrupt(&mut self) {
        self.before = [const { Before::NOTHING }; PERIOD];
    }

    pub(super) fn worst(self) -> Streak {
        self.worst
    }
}
