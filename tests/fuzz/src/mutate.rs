//! Makes hostile inputs of good ones: cut, doubled, mixed, with words where they do not belong and numbers that are too
//! large. The same seed makes the same inputs.

use std::collections::BTreeSet;
use std::ops::Range;

use fastrand::Rng;

/// Longer inputs find nothing that shorter ones do not, except what grows too fast; this is enough for that.
const LONGEST: usize = 64 << 10;
/// A run of the same is repeated at most so often.
const MOST_REPEATS: usize = 1024;
/// A longer word is data.
const LONGEST_WORD: usize = 32;

/// What has broken a parser somewhere before.
const WORDS: &[&str] = &[
    "\0",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{a0}",
    "\u{feff}",
    "\u{202e}",
    "\u{200d}",
    "\u{2028}",
    "\u{10ffff}",
    "é",
    "ß",
    "İ",
    "☀️",
    "你好",
    "\"",
    "'",
    "\"\"\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{1b}[31m",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[]",
    "[[",
    "]]",
    "(",
    ")",
    "<",
    ">",
    ",",
    ":",
    ";",
    "=",
    ".",
    "..",
    "/",
    "//",
    "../",
    "%2e%2e%2f",
    "%00",
    "@",
    "?",
    "#",
    "*",
    "+",
    "-",
    "_",
    "|",
    "&",
    "$",
    "!",
    "~",
    "1970-01-01T00:00:00Z",
    "null",
    "true",
    "false",
];
/// What stands at the edges of number types, and beyond.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "-0",
    "007",
    "0x10",
    "0.1",
    "1e9",
    "1e308",
    "1e999",
    "1e-999",
    "1e2147483647",
    "1e-2147483648",
    "NaN",
    "inf",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
];

pub(crate) struct Mutator {
    random: Rng,
    corpus: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        let known = WORDS.iter().chain(NUMBERS).map(|word| word.as_bytes());
        let own = corpus.iter().flat_map(|input| words(input));
        let words: BTreeSet<Vec<u8>> = known.chain(own).map(<[u8]>::to_vec).collect();
        Self { random: Rng::with_seed(seed), words: words.into_iter().collect(), corpus }
    }

    /// The next input: mostly a good one with one or two changes, which gets furthest into a parser, at times with
    /// many.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.random.choice(&self.corpus).cloned().unwrap_or_default();
        let most = if self.random.u8(..8) == 0 { 32 } else { 3 };
        for _ in 0..self.random.usize(1..=most) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input.len());
        let at = range.start;
        match self.random.u8(..12) {
            0 | 1 => replace(input, range, &self.word()),
            2 | 3 => replace(input, at..at, &self.word()),
            4 => replace(input, range, &[]),
            5 => {
                let copy = input.get(range).unwrap_or_default().to_vec();
                let elsewhere = self.random.usize(..=input.len());
                replace(input, elsewhere..elsewhere, &copy);
            }
            6 => {
                let copy = input.get(range).unwrap_or_default().to_vec();
                let most = (LONGEST / copy.len().max(1)).min(MOST_REPEATS);
                let times = if self.random.bool() { self.random.usize(..=most) } else { self.random.usize(..4) };
                replace(input, at..at, &copy.repeat(times));
            }
            7 => {
                let byte = self.random.u8(..);
                replace(input, at..(at + 1).min(input.len()), &[byte]);
            }
            8 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.random.u8(..8);
                }
            }
            9 => self.change_number(input, at),
            10 => self.cross(input, at),
            _ => self.move_line(input),
        }
    }

    /// Puts another in the place of the number at `at`, or of the next one behind it.
    fn change_number(&mut self, input: &mut Vec<u8>, at: usize) {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(begin) = input.iter().skip(at).position(is_digit).map(|found| at + found) else { return };
        let length = input.iter().skip(begin).take_while(|byte| is_digit(byte)).count();
        let number = self.random.choice(NUMBERS).copied().unwrap_or_default();
        replace(input, begin..begin + length, number.as_bytes());
    }

    /// Goes on as another input does.
    fn cross(&mut self, input: &mut Vec<u8>, at: usize) {
        let other = self.random.choice(&self.corpus).cloned().unwrap_or_default();
        let from = self.random.usize(..=other.len());
        input.truncate(at);
        input.extend(other.into_iter().skip(from));
    }

    /// Takes a line out, and puts it back elsewhere or not at all.
    fn move_line(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if lines.is_empty() {
            return;
        }
        let line = lines.remove(self.random.usize(..lines.len()));
        if self.random.bool() {
            lines.insert(self.random.usize(..=lines.len()), line);
        }
        *input = lines.concat();
    }

    fn word(&mut self) -> Vec<u8> {
        self.random.choice(&self.words).cloned().unwrap_or_default()
    }

    /// A place, and mostly little behind it.
    fn range(&mut self, length: usize) -> Range<usize> {
        let begin = self.random.usize(..=length);
        let most = if self.random.u8(..4) == 0 { length - begin } else { (length - begin).min(8) };
        begin..begin + self.random.usize(..=most)
    }
}

fn replace(input: &mut Vec<u8>, range: Range<usize>, by: &[u8]) {
    input.splice(range, by.iter().copied());
}

/// The words of a good input: the keys and kinds that its parser knows.
fn words(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let words = input.split(move |byte| !is_word(byte));
    words.filter(|word| (1..=LONGEST_WORD).contains(&word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(seed: u64) -> Vec<Vec<u8>> {
        let corpus = vec![b"[http]\nlisten = \"off\"\nretries = 17\n".to_vec(), b"data-dir = \"d\"\n".to_vec()];
        let mut mutator = Mutator::new(seed, corpus);
        (0..4000).map(|_| mutator.input()).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }

    #[test]
    fn inputs_are_of_many_kinds_and_bounded() {
        let inputs = inputs(1);
        assert!(inputs.iter().all(|input| input.len() <= LONGEST));
        assert!(inputs.iter().any(|input| input.len() > 10_000));
        assert!(inputs.iter().collect::<BTreeSet<_>>().len() > 2000);
        let texts: Vec<_> = inputs.iter().map(|input| String::from_utf8_lossy(input)).collect();
        for part in ["listen = \"off\"\n", "18446744073709551615", "retries = -1"] {
            assert!(texts.iter().any(|text| text.contains(part)), "{part:?} never came");
        }
        let is_of_both = |text: &&str| text.starts_with("[http]\n") && text.ends_with("data-dir = \"d\"\n");
        assert!(texts.iter().map(AsRef::as_ref).any(|text| is_of_both(&text)), "no input goes on as another");
    }

    #[test]
    fn nothing_is_made_of_an_empty_corpus_but_words() {
        let mut mutator = Mutator::new(1, vec![Vec::new()]);
        assert!((0..1000).any(|_| !mutator.input().is_empty()));
    }
}
