//! What is wrong with a config, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// So many are reported of a config; more would only bury the first ones.
pub(super) const MOST_FINDINGS: usize = 50;

/// The way to a value: `retake[0].token`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// Counts from zero.
    Index(usize),
}

impl KeyPath {
    /// Of a dotted path of plain keys, as `http.listen`.
    pub(super) fn of(dotted: &str) -> Self {
        Self(dotted.split('.').map(|key| Step::Key(key.to_owned())).collect())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(super) fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether the value may be a secret, by mistake or not, so that no message may repeat it.
    pub(super) fn is_secret(&self) -> bool {
        match self.0.as_slice() {
            [.., Step::Key(last)] if last == "token" || last == "client-secret" => true,
            [Step::Key(auth), Step::Key(key)] => auth == "auth" && key == "key",
            [Step::Key(plugins), _, Step::Key(secrets), ..] => plugins == "plugins" && secrets == "secrets",
            _ => false,
        }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Key(key) => {
                    if place > 0 {
                        formatter.write_str(".")?;
                    }
                    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                    if !key.is_empty() && key.bytes().all(bare) {
                        formatter.write_str(key)?;
                    } else {
                        write!(formatter, "{key:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Something wrong, by its key; the [`Document`](super::locate::Document) knows the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: KeyPath,
    pub(super) blame: Blame,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// What of an entry is wrong, and with that what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// Behind a key with a slip of the pen may stand what belongs behind the right one, also a secret.
    Key,
    Value,
    /// There is a part in it that may be a secret.
    PartOfValue,
}

/// Something wrong with a config, complete enough to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    /// Counts from one, as the column does, which counts characters.
    pub line: usize,
    pub column: usize,
    /// Empty where the file is no TOML.
    pub key: String,
    /// As it is written there; never that of a secret.
    pub value: Option<String>,
    pub message: String,
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}: ", self.file.display(), self.line, self.column)?;
        match &self.value {
            Some(value) => write!(formatter, "{} = {value}: ", self.key)?,
            None if self.key.is_empty() => {}
            None => write!(formatter, "{}: ", self.key)?,
        }
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "\n    help: {help}"),
            None => Ok(()),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigErrors {
    #[error("can't read the config {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// What is wrong, in the order of the file: everything, unless that is too much.
    #[error("{}", list(problems))]
    Invalid { problems: Vec<Problem> },
}

impl ConfigErrors {
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { problems } => problems,
        }
    }

    /// What to do, where the problems do not say so themselves.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("`showrunner init` writes a config to start from; `--config FILE` names another one")
            }
            _ => None,
        }
    }
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match lines.as_slice() {
        [only] => only.clone(),
        many if many.len() >= MOST_FINDINGS => {
            format!("the config has {} problems or more\n{}", many.len(), many.join("\n"))
        }
        many => format!("the config has {} problems\n{}", many.len(), many.join("\n")),
    }
}
