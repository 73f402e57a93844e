//! One target's bounded run: its corpus, then mutations of it, each input checked for panics and for memory.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};

use crate::corpus;
use crate::mutate::Mutator;

/// Inputs of a run within `cargo test`, which then takes some seconds for all targets together.
const RUNS: u64 = 1000;
/// What a message, a table of names or a small buffer may take, however short the input; besides what an empty one
/// takes, such as a plugin that is started for each.
const ALWAYS_ALLOWED: u64 = 64 << 10;
/// All inputs together may leave this much behind: caches that are filled once. Anything that grows is more.
const LEFT_BEHIND: i64 = 64 << 10;
/// A sentence, and as many characters of the input as explain anything; in bytes.
const LONGEST_TOLD: usize = 1200;
/// Of an input that failed, this much is printed.
const SHOWN: usize = 2000;

/// What a run came to.
#[derive(Default)]
struct Figures {
    /// What an empty input needs.
    basis: u64,
    inputs: u64,
    bytes: u64,
    slowest: Duration,
    /// The most memory that one input needed.
    peak: u64,
    left_behind: i64,
}

/// How long a run goes on once it has been through its corpus.
#[derive(Clone, Copy)]
enum Length {
    Inputs(u64),
    Time(Duration),
}

/// Runs `target` on the corpus of `function`, and on mutations of it: 1,000 of them, always the same. `FUZZ_SECONDS`
/// makes it go on for so long, from a new seed; `FUZZ_RUNS` and `FUZZ_SEED` set both. An input that fails is added to
/// the corpus.
pub fn run(function: &str, most: u64, target: impl Fn(&[u8])) {
    run_all(function, most, |input| input, target);
}

/// The same for text: bytes that are not UTF-8 are replaced first, as they are where text comes in.
pub fn run_text(function: &str, most: u64, target: impl Fn(&str)) {
    run_all(function, most, |input| String::from_utf8_lossy(&input).into_owned().into_bytes(), text_only(target));
}

fn text_only(target: impl Fn(&str)) -> impl Fn(&[u8]) {
    move |input| {
        if let Ok(text) = str::from_utf8(input) {
            target(text);
        }
    }
}

fn run_all(function: &str, most: u64, prepare: fn(Vec<u8>) -> Vec<u8>, target: impl Fn(&[u8])) {
    let name = corpus::name(function);
    let folder = corpus::folder(&name);
    let entries = corpus::load(&folder);
    let (length, seed) = asked();
    let begun = Instant::now();
    let mut figures = Figures::based_on(&target);
    for (file, input) in &entries {
        figures.add(&prepare(input.clone()), most, &target).unwrap_or_else(|failure| {
            eprintln!("{name} fails with tests/corpus/fuzz/{name}/{file}");
            resume_unwind(failure)
        });
    }
    let mut mutator = Mutator::new(seed ^ hash(&name), entries.into_iter().map(|(_, input)| input).collect());
    let mutations = Instant::now();
    for number in 0.. {
        if length.is_over(number, mutations) {
            break;
        }
        let input = prepare(mutator.input());
        figures.add(&input, most, &target).unwrap_or_else(|failure| {
            eprintln!("{name} fails with the input {} of FUZZ_SEED={seed}: {}", figures.inputs, shown(&input));
            match corpus::keep(&folder, &input) {
                Ok(file) => eprintln!("it is kept as tests/corpus/fuzz/{name}/{file}"),
                Err(error) => eprintln!("it could not be kept in tests/corpus/fuzz/{name}: {error}"),
            }
            resume_unwind(failure)
        });
    }
    println!("{name}: {}, FUZZ_SEED={seed}", figures.summary(begun.elapsed()));
    assert!(figures.left_behind < LEFT_BEHIND, "{name} grows: {} bytes were left behind", figures.left_behind);
}

/// What is told of hostile bytes must not fill a log or a screen, nor steer a terminal.
pub fn assert_one_short_line(told: &str) {
    assert!(told.len() <= LONGEST_TOLD && !told.contains(char::is_control), "this was to be one short line: {told:?}");
}

impl Figures {
    fn based_on(target: impl Fn(&[u8])) -> Self {
        // The first time fills what is filled once.
        target(&[]);
        Self { basis: measure(|| target(&[])).bytes_max, ..Self::default() }
    }

    fn add(&mut self, input: &[u8], most: u64, target: impl Fn(&[u8])) -> Result<(), Box<dyn Any + Send>> {
        let begun = Instant::now();
        let mut outcome = Ok(());
        let AllocationInfo { bytes_max, bytes_current, .. } =
            measure(|| outcome = catch_unwind(AssertUnwindSafe(|| target(input))));
        self.inputs += 1;
        self.bytes += input.len() as u64;
        self.slowest = self.slowest.max(begun.elapsed());
        self.peak = self.peak.max(bytes_max);
        self.left_behind += bytes_current;
        outcome?;
        let allowed = self.basis + ALWAYS_ALLOWED + most * input.len() as u64;
        catch_unwind(|| assert!(bytes_max <= allowed, "it needed {bytes_max} bytes of memory; {allowed} are allowed"))
    }

    fn summary(&self, time: Duration) -> String {
        let rate = self.inputs as f64 / time.as_secs_f64();
        format!(
            "{} inputs of {} bytes on average in {time:.1?}, {rate:.0}/s, the slowest {:.1?}; at most {} KiB of memory, {} bytes left behind",
            self.inputs,
            self.bytes / self.inputs.max(1),
            self.slowest,
            self.peak.div_ceil(1024),
            self.left_behind,
        )
    }
}

impl Length {
    fn is_over(self, inputs: u64, begun: Instant) -> bool {
        match self {
            Self::Inputs(most) => inputs >= most,
            Self::Time(most) => begun.elapsed() >= most,
        }
    }
}

fn asked() -> (Length, u64) {
    let seed = number("FUZZ_SEED");
    match (number("FUZZ_SECONDS"), number("FUZZ_RUNS")) {
        (Some(_), Some(_)) => panic!("FUZZ_SECONDS and FUZZ_RUNS: set one of the two"),
        (Some(seconds), None) => {
            (Length::Time(Duration::from_secs(seconds)), seed.unwrap_or_else(|| fastrand::u64(..)))
        }
        (None, runs) => (Length::Inputs(runs.unwrap_or(RUNS)), seed.unwrap_or(0)),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable}={text}: expected a whole number"),
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn shown(input: &[u8]) -> String {
    let shown: String = input.escape_ascii().to_string().chars().take(SHOWN).collect();
    if input.len() > SHOWN { format!("{shown}… ({} bytes)", input.len()) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(input: &[u8], most: u64, target: impl Fn(&[u8])) -> bool {
        Figures::default().add(input, most, target).is_err()
    }

    #[test]
    fn panics_and_greed_are_noticed() {
        assert!(!fails(b"abc", 0, |_| {}));
        assert!(fails(b"abc", 0, |input| assert!(input.is_empty())));
        let allowed = usize::try_from(ALWAYS_ALLOWED).unwrap_or_default();
        let take = |bytes: usize| move |_: &[u8]| drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
        assert!(!fails(b"abc", 2, take(allowed + 6)));
        assert!(fails(b"abc", 2, take(allowed + 7)));
        // Only what is more than an empty input needs.
        let always = take(2 * allowed);
        assert!(Figures::based_on(always).add(b"", 0, always).is_ok());
    }

    #[test]
    fn what_stays_is_counted() {
        let mut figures = Figures::default();
        let stays = std::cell::RefCell::new(Vec::new());
        for _ in 0..3 {
            let added = figures.add(b"x", 0, |_| stays.borrow_mut().push(Box::new([0_u8; 1000])));
            assert!(added.is_ok());
        }
        assert!((3000..4000).contains(&figures.left_behind), "{}", figures.left_behind);
    }
}
