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

/// What came last, and how long it has been repeating for each period.
pub(super) struct Streaks<T> {
    /// The newest first, with where each began.
    last: [Option<(T, usize)>; PERIOD],
    current: [Streak; PERIOD],
    worst: Streak,
    rank: fn(&Streak) -> usize,
}

impl<T: PartialEq + Copy> Streaks<T> {
    /// The streak of the highest rank is kept.
    pub(super) fn new(rank: fn(&Streak) -> usize) -> Self {
        Self { last: [const { None }; PERIOD], current: Default::default(), worst: Streak::default(), rank }
    }

    pub(super) fn next(&mut self, thing: T, span: Range<usize>) {
        for ((period, before), streak) in (1..).zip(&self.last).zip(&mut self.current) {
            match before {
                Some((same, start)) if *same == thing => {
                    if streak.length == 0 {
                        *streak = Streak { length: period, period, span: *start..span.end };
                    }
                    streak.length += 1;
                    streak.span.end = span.end;
                    // The shortest period says best what is repeated.
                    let goes_on = streak.period == self.worst.period && streak.span.start == self.worst.span.start;
                    if goes_on || (self.rank)(streak) > (self.rank)(&self.worst) {
                        self.worst = streak.clone();
                    }
                }
                _ => streak.length = 0,
            }
        }
        self.last.rotate_right(1);
        if let Some(newest) = self.last.first_mut() {
            *newest = Some((thing, span.start));
        }
    }

    /// Something else came between.
    pub(super) fn interrupt(&mut self) {
        self.last = [const { None }; PERIOD];
        self.current.iter_mut().for_each(|streak| streak.length = 0);
    }

    pub(super) fn worst(self) -> Streak {
        self.worst
    }
}
