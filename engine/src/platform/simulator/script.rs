//! A timed stream, written as TOML: what happens when, how often, and with how much chance.
//!
//! A script is checked whole when it is loaded. The chance in it is seeded, so the same script plays the same
//! stream each time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::draft::{Simulated, SimulationError, draft};

/// The script that ships, for the demo.
const DEMO: &str = include_str!("../../../../config/demo-stream.toml");
/// Its name in the config.
const DEMO_NAME: &str = "demo";
/// Events of one round at most; more is a slip in `every` or `repeat`.
const MAX_BEATS: usize = 100_000;
/// A day.
const MAX_SECONDS: f64 = 86_400.0;
/// What a round lasts beyond its last event when the script does not say how long it is.
const TAIL: f64 = 1.0;

#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("can't read the script {path}: {problem}")]
    Unreadable { path: PathBuf, problem: String },
    /// What it says holds the line.
    #[error("the script {path} can't be read: {problem}")]
    Syntax { path: PathBuf, problem: String },
    #[error("{path}, line {line}: {problem}")]
    Step { path: PathBuf, line: usize, problem: String },
}

/// An event and when in its round it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    pub at: Duration,
    pub simulated: Simulated,
}

#[derive(Debug)]
pub struct Script {
    seed: u64,
    repeats: bool,
    length: f64,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Another seed is another course of the same script.
    #[serde(default)]
    seed: u64,
    /// Whether it starts again at its end.
    #[serde(default, rename = "loop")]
    repeats: bool,
    /// In seconds. Steps that repeat without end do so until then.
    length: Option<f64>,
    #[serde(default, rename = "step")]
    steps: Vec<Spanned<Step>>,
}

/// All times are in seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// When it happens first.
    #[serde(default)]
    at: f64,
    /// How long until it happens again.
    every: Option<f64>,
    /// By how much each time may be later, by chance.
    #[serde(default)]
    jitter: f64,
    /// How often in all.
    repeat: Option<u32>,
    kind: String,
    user: Option<Choice>,
    role: Option<String>,
    text: Option<Choice>,
    amount: Option<Choice>,
    months: Option<u32>,
    count: Option<u32>,
    channel: Option<String>,
}

/// One value, or several of which chance takes one each time.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text, a number or a list of these")]
enum Choice {
    One(Scalar),
    Several(Vec<Scalar>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Whole(i64),
    Decimal(f64),
}

impl Choice {
    fn all(&self) -> &[Scalar] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> Option<String> {
        random.choice(self.all()).map(Scalar::text)
    }
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
        }
    }
}

impl Script {
    /// Loads a file, or the script that ships under the name "demo".
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        if path == Path::new(DEMO_NAME) {
            return Self::parse(DEMO, path);
        }
        let unreadable =
            |error: std::io::Error| ScriptError::Unreadable { path: path.to_owned(), problem: error.to_string() };
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Reads a script; `path` is for the messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScriptError> {
        let file: File = toml::from_str(text)
            .map_err(|error| ScriptError::Syntax { path: path.to_owned(), problem: error.to_string() })?;
        if file.length.is_some_and(|length| !(0.0..=MAX_SECONDS).contains(&length)) {
            let problem = format!("`length` goes from 0 to {MAX_SECONDS} seconds");
            return Err(ScriptError::Syntax { path: path.to_owned(), problem });
        }
        let mut beats = 0;
        for spanned in &file.steps {
            let step = spanned.get_ref();
            let check = step.check(file.length).and_then(|()| {
                beats += step.times(file.length.unwrap_or(MAX_SECONDS)).take(MAX_BEATS + 1).count();
                if beats > MAX_BEATS { Err(format!("the script has more than {MAX_BEATS} events")) } else { Ok(()) }
            });
            check.map_err(|problem| ScriptError::Step {
                path: path.to_owned(),
                line: line(text, spanned.span().start),
                problem,
            })?;
        }
        let steps: Vec<Step> = file.steps.into_iter().map(Spanned::into_inner).collect();
        let last = || steps.iter().flat_map(|step| step.times(MAX_SECONDS).last()).fold(0.0, f64::max);
        let length = file.length.unwrap_or_else(|| last() + TAIL);
        Ok(Self { seed: file.seed, repeats: file.repeats, length, steps })
    }

    /// How long one round lasts, if there is another after it.
    pub fn round_length(&self) -> Option<Duration> {
        self.repeats.then(|| Duration::from_secs_f64(self.length))
    }

    /// What happens in the round of this number, in its order.
    pub fn round(&self, number: u64) -> Vec<Beat> {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(number));
        let mut beats: Vec<Beat> = Vec::new();
        for step in &self.steps {
            for at in step.times(self.length) {
                let at = (at + random.f64() * step.jitter).min(self.length);
                beats.push(Beat { at: Duration::from_secs_f64(at), simulated: step.draw(&mut random) });
            }
        }
        beats.sort_by_key(|beat| beat.at);
        beats
    }
}

impl Step {
    /// Tries everything that chance may make of it.
    fn check(&self, length: Option<f64>) -> Result<(), String> {
        let durations =
            [("at", Some(self.at)), ("every", self.every), ("jitter", Some(self.jitter)), ("length", length)];
        for (name, seconds) in durations {
            if seconds.is_some_and(|seconds| !(0.0..=MAX_SECONDS).contains(&seconds)) {
                return Err(format!("`{name}` must lie between 0 and {MAX_SECONDS} seconds"));
            }
        }
        match (self.every, self.repeat) {
            (Some(every), _) if every < 0.001 => return Err("`every` must be at least 0.001 seconds".to_owned()),
            (None, Some(_)) => return Err("`repeat` needs `every`, the time between two".to_owned()),
            (Some(_), None) if length.is_none() => {
                return Err("`every` needs `repeat`, or the script a `length`".to_owned());
            }
            _ => {}
        }
        if [&self.user, &self.text, &self.amount].into_iter().flatten().any(|choice| choice.all().is_empty()) {
            return Err("an empty list has nothing to choose from".to_owned());
        }
        let every = |choice: &Option<Choice>| -> Vec<Option<String>> {
            choice
                .as_ref()
                .map_or_else(|| vec![None], |choice| choice.all().iter().map(|scalar| Some(scalar.text())).collect())
        };
        let (users, texts, amounts) = (every(&self.user), every(&self.text), every(&self.amount));
        let longest = users.len().max(texts.len()).max(amounts.len());
        for number in 0..longest {
            let pick = |values: &[Option<String>]| values.get(number % values.len()).cloned().flatten();
            let simulated = self.simulated(pick(&users), pick(&texts), pick(&amounts));
            draft(&simulated, "").map_err(|error| in_a_file(&error))?;
        }
        Ok(())
    }

    /// When it happens in a round of `length` seconds, before chance.
    fn times(&self, length: f64) -> impl Iterator<Item = f64> {
        let every = self.every.unwrap_or(0.0);
        let repeat = if self.every.is_some() { self.repeat.unwrap_or(u32::MAX) } else { 1 };
        let at = self.at;
        (0..repeat).map(move |number| at + f64::from(number) * every).take_while(move |at| *at <= length)
    }

    fn draw(&self, random: &mut fastrand::Rng) -> Simulated {
        let mut draw = |choice: &Option<Choice>| choice.as_ref().and_then(|choice| choice.draw(random));
        let (user, text, amount) = (draw(&self.user), draw(&self.text), draw(&self.amount));
        self.simulated(user, text, amount)
    }

    fn simulated(&self, user: Option<String>, text: Option<String>, amount: Option<String>) -> Simulated {
        Simulated {
            kind: self.kind.clone(),
            user,
            role: self.role.clone(),
            text,
            amount,
            months: self.months,
            count: self.count,
            channel: self.channel.clone(),
        }
    }
}

/// In a file an argument is a key, without the dashes of a command line.
fn in_a_file(error: &SimulationError) -> String {
    error.to_string().replace("--", "")
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod fuzz;
