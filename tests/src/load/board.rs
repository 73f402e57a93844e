//! Which question was asked when, and answered when.

use std::time::{Duration, Instant};

use super::ANSWER;

/// The questions of the phase under way.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// The number of the phase's first question. Numbers are never used again, so that a late answer is known as one.
    first: u64,
    questions: Vec<Question>,
    unanswered: usize,
    /// How many answers are still to bring a new question, or until when they do.
    left: usize,
    feed_until: Option<Instant>,
    last_answer: Option<Instant>,
    doubled: usize,
    strange: usize,
    /// Lines that are no questions have numbers of their own.
    aside: u64,
    pub(super) keeps_words: bool,
    pub(super) words: Vec<Words>,
}

#[derive(Debug)]
struct Question {
    due: Instant,
    /// How much later it was asked.
    late: Duration,
    answered_after: Option<Duration>,
}

/// An answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Of the question.
    pub number: u64,
    pub at: Instant,
    pub words: String,
}

/// What became of the questions of a phase.
#[derive(Debug, Clone)]
pub struct Timing {
    pub asked: usize,
    pub answered: usize,
    /// Answered again.
    pub doubled: usize,
    /// Answers to nothing.
    pub strange: usize,
    /// From the first question to the last answer.
    pub took: Duration,
    /// From when a question was due to when its answer was read, in order of size.
    pub latencies: Vec<Duration>,
    /// How late the questions were asked, in order of size: the generator's own fault.
    pub late: Vec<Duration>,
    /// Connections for REST, at the most.
    pub connections: usize,
    /// Connections that were opened during the phase.
    pub connections_opened: u64,
}

impl Board {
    pub(super) fn begin(&mut self) {
        self.first += self.questions.len() as u64;
        self.questions.clear();
        self.unanswered = 0;
        (self.left, self.feed_until, self.last_answer) = (0, None, None);
        (self.doubled, self.strange) = (0, 0);
        self.words.clear();
    }

    pub(super) fn feed_more(&mut self, count: usize) {
        self.left = count;
    }

    pub(super) fn feed_until(&mut self, end: Instant) {
        self.feed_until = Some(end);
    }

    /// The number of the next question.
    pub(super) fn ask(&mut self, due: Instant) -> u64 {
        let number = self.first + self.questions.len() as u64;
        self.questions.push(Question { due, late: due.elapsed(), answered_after: None });
        self.unanswered += 1;
        number
    }

    pub(super) fn number_aside(&mut self) -> u64 {
        self.aside += 1;
        self.aside
    }

    /// Whether it is to bring a new question.
    pub(super) fn take_answer(&mut self, text: &str, at: Instant) -> bool {
        let Some((words, number)) = text.rsplit_once(ANSWER) else {
            self.strange += 1;
            return false;
        };
        let number = number.parse::<u64>().ok();
        let question = number.and_then(|number| number.checked_sub(self.first)).map(usize::try_from);
        let Some(question) = question.and_then(|index| self.questions.get_mut(index.ok()?)) else {
            self.strange += 1;
            return false;
        };
        if question.answered_after.is_some() {
            self.doubled += 1;
            return false;
        }
        question.answered_after = Some(at.duration_since(question.due));
        self.unanswered -= 1;
        self.last_answer = Some(at);
        if self.keeps_words {
            self.words.push(Words { number: number.unwrap_or_default(), at, words: words.to_owned() });
        }
        if self.left > 0 {
            self.left -= 1;
            return true;
        }
        self.feed_until.is_some_and(|end| at < end)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.unanswered == 0 && self.left == 0
    }

    pub(super) fn has_heard_within(&self, time: Duration) -> bool {
        self.last_answer.is_some_and(|at| at.elapsed() < time)
    }

    pub(super) fn finish(&mut self) -> Timing {
        let mut latencies: Vec<_> = self.questions.iter().filter_map(|question| question.answered_after).collect();
        let mut late: Vec<_> = self.questions.iter().map(|question| question.late).collect();
        latencies.sort_unstable();
        late.sort_unstable();
        let begun = self.questions.first().map(|question| question.due);
        let took = self.last_answer.zip(begun).map_or(Duration::ZERO, |(last, begun)| last.duration_since(begun));
        Timing {
            asked: self.questions.len(),
            answered: latencies.len(),
            doubled: self.doubled,
            strange: self.strange,
            took,
            latencies,
            late,
            connections: 0,
            connections_opened: 0,
        }
    }
}

impl Timing {
    /// The latency that this share of the questions did not exceed; `None` when nothing was answered.
    pub fn latency(&self, share: f64) -> Option<Duration> {
        percentile(&self.latencies, share)
    }

    /// Whether every question was answered once, and nothing else was said.
    pub const fn is_exact(&self) -> bool {
        self.answered == self.asked && self.doubled == 0 && self.strange == 0
    }

    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

/// Of values in order of size, the smallest that is not below this share of them.
pub fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_for_its_question_once() {
        let mut board = Board::default();
        board.begin();
        let begun = Instant::now();
        for _ in 0..3 {
            board.ask(begun);
        }
        for (text, brings_more) in
            [("v2 answer to 1", true), ("answer to 1", false), ("answer to 7", false), ("?", false)]
        {
            board.feed_more(1);
            assert_eq!(board.take_answer(text, begun + Duration::from_millis(5)), brings_more, "{text}");
        }
        board.feed_more(0);
        assert!(!board.is_complete());
        let timing = board.finish();
        assert_eq!((timing.asked, timing.answered, timing.doubled, timing.strange), (3, 1, 1, 2));
        assert_eq!(timing.latency(0.99), Some(Duration::from_millis(5)));
        assert!(!timing.is_exact());
    }

    #[test]
    fn an_answer_of_the_phase_before_is_strange() {
        let mut board = Board::default();
        board.begin();
        board.ask(Instant::now());
        board.begin();
        let number = board.ask(Instant::now());
        board.take_answer("answer to 0", Instant::now());
        board.take_answer(&format!("answer to {number}"), Instant::now());
        let timing = board.finish();
        assert_eq!((timing.answered, timing.strange), (1, 1));
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u32> = (1..=1000).collect();
        for (share, value) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000), (0.0, 1)] {
            assert_eq!(percentile(&values, share), Some(value));
        }
        assert_eq!(percentile::<u32>(&[], 0.5), None);
    }
}
