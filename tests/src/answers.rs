//! Whether each question was answered, and how often.

use std::fmt;

/// What a bot is asked, with the question's number behind it.
pub const COMMAND: &str = "ask";
/// What its answer begins with; the number of the question follows.
const ANSWER: &str = "answer to ";

/// The answer of the `instant-replies` command, as its settings spell it.
pub fn template() -> String {
    format!("{ANSWER}{{1}}")
}

/// The answer to a question.
pub fn to(number: usize) -> String {
    format!("{ANSWER}{number}")
}

/// How the answers fit to the questions 0, 1, 2 and so on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub unanswered: Vec<usize>,
    pub answered_again: Vec<usize>,
    /// Answers to nothing.
    pub strange: Vec<String>,
}

impl Tally {
    pub fn of(asked: usize, answers: &[String]) -> Self {
        let mut tally = Self::default();
        let mut times = vec![0_u32; asked];
        for answer in answers {
            let number = answer.strip_prefix(ANSWER).and_then(|number| number.parse::<usize>().ok());
            match number.and_then(|number| times.get_mut(number)) {
                Some(times) => *times += 1,
                None => tally.strange.push(answer.clone()),
            }
        }
        let numbers = |is_wanted: fn(u32) -> bool| {
            times.iter().enumerate().filter(move |(_, times)| is_wanted(**times)).map(|(number, _)| number)
        };
        tally.unanswered = numbers(|times| times == 0).collect();
        tally.answered_again = numbers(|times| times > 1).collect();
        tally
    }

    pub fn is_exact(&self) -> bool {
        *self == Self::default()
    }
}

/// Short: there may be thousands.
impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unanswered, answered_again, strange } = self;
        write!(
            formatter,
            "{} unanswered {:?}, {} answered again {:?}, {} strange {:?}",
            unanswered.len(),
            &unanswered[..unanswered.len().min(10)],
            answered_again.len(),
            &answered_again[..answered_again.len().min(10)],
            strange.len(),
            &strange[..strange.len().min(10)],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_is_missing_doubled_and_strange() {
        let answers = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert!(Tally::of(2, &answers(&["answer to 1", "answer to 0"])).is_exact());
        let tally = Tally::of(3, &answers(&["answer to 1", "answer to 1", "answer to 3", "hello"]));
        assert_eq!(tally.unanswered, [0, 2]);
        assert_eq!(tally.answered_again, [1]);
        assert_eq!(tally.strange, ["answer to 3", "hello"]);
        assert!(tally.to_string().starts_with("2 unanswered [0, 2], 1 answered again [1], 2 strange"));
    }
}
