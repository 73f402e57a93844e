//! Secrets by reference. A config is copied, shown and put into version control, so a secret never stands in it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::process::Command;
use tokio::time::timeout;

pub(super) const HOW_TO_REFER: &str =
    "write \"env:NAME\", \"file:PATH\" or \"cmd:PROGRAM ARGUMENT…\", and keep the secret itself out of the config";

/// Password managers ask on the network or wake a key store; a person who must answer has been asked too late.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// Far longer than any token.
const MAX_BYTES: u64 = 64 << 10;

/// What nobody may read in a log, an error or a page: shown, it is no more than a word.
#[derive(Debug, Clone, Default)]
pub struct Secret(SecretString);

impl ExposeSecret<str> for Secret {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<Text: Into<SecretString>> From<Text> for Secret {
    fn from(text: Text) -> Self {
        Self(text.into())
    }
}

/// All come from the operator, so how long it takes tells nobody anything.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

/// Says where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    Environment(String),
    /// Relative to the config.
    File(PathBuf),
    /// The program and its arguments, split at white space; no shell sees them.
    Command(Vec<String>),
}

impl Reference {
    /// `None` for what is no reference, which then may be a secret.
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let rest = rest.trim();
        if rest.is_empty() {
            return None;
        }
        match kind {
            "env" if !rest.contains('=') => Some(Self::Environment(rest.to_owned())),
            "file" => Some(Self::File(PathBuf::from(rest))),
            "cmd" => Some(Self::Command(rest.split_whitespace().map(str::to_owned).collect())),
            _ => None,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Command(argv) => write!(formatter, "cmd:{}", argv.join(" ")),
        }
    }
}

struct ReferenceVisitor;

impl Visitor<'_> for ReferenceVisitor {
    type Value = Reference;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a reference to a secret")
    }

    /// Never repeats the text: it may be the secret.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Reference, E> {
        Reference::parse(text).ok_or_else(|| {
            E::custom(format_args!(
                "a secret must not stand in the config, where it is shown, copied and committed; {HOW_TO_REFER}"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ReferenceVisitor)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why there is no secret behind a reference, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    #[error("the environment variable {0} is not UTF-8")]
    NotText(String),
    #[error("can't read the secret's file {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("every user of this machine can read the secret's file {} (mode {mode:o})", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the program {program} can't be run: {source}")]
    Start { program: String, source: io::Error },
    #[error("the program {program} gave no secret: {why}")]
    Program { program: String, why: String },
    #[error("the secret is empty")]
    Empty,
    #[error("the secret is larger than 64 KiB")]
    Large,
}

impl SecretError {
    pub(super) fn help(&self) -> String {
        match self {
            Self::NotSet(name) => {
                format!("set {name} where the daemon runs (systemd: EnvironmentFile=), or refer to another place")
            }
            Self::Open { path, .. } => {
                format!("`chmod 600 {}`; in a container mount it with mode 0400", path.display())
            }
            Self::Start { .. } | Self::Program { .. } => {
                "run it by hand as the daemon's user; it must print the secret and end within 10 s".to_owned()
            }
            _ => "the reference must lead to one line of text, the secret".to_owned(),
        }
    }
}

/// Fetches the secret. `folder` is that of the config.
pub(super) fn read(reference: &Reference, folder: &Path) -> Result<Secret, SecretError> {
    let text = match reference {
        Reference::Environment(name) => read_environment(name)?,
        Reference::File(path) => read_file(&folder.join(path))?,
        Reference::Command(argv) => run(argv)?,
    };
    match text.trim() {
        "" => Err(SecretError::Empty),
        secret => Ok(Secret::from(secret)),
    }
}

/// Stands in for [`read`] where nobody needs the secrets.
#[expect(clippy::unnecessary_wraps, reason = "it has the shape of `read`")]
pub(super) fn leave(_: &Reference, _: &Path) -> Result<Secret, SecretError> {
    Ok(Secret::default())
}

fn read_environment(name: &str) -> Result<String, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError::NotSet(name.to_owned()))?;
    value.into_string().map_err(|_| SecretError::NotText(name.to_owned()))
}

fn read_file(path: &Path) -> Result<String, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o004 != 0 {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES { Err(SecretError::Large) } else { Ok(text) }
}

/// Runs the program on a small runtime of its own, in a thread of its own, for the time limit alone: the caller may
/// or may not be within a runtime.
fn run(argv: &[String]) -> Result<String, SecretError> {
    let program = argv.first().cloned().unwrap_or_default();
    let failed = |source| SecretError::Start { program: program.clone(), source };
    let answer = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(capture(argv))
        });
        running.join().unwrap_or_else(|_| Err(io::Error::other("the thread that ran it ended early")))
    });
    let gave_none = |why: String| SecretError::Program { program: program.clone(), why };
    let output = answer.map_err(failed)?.ok_or_else(|| gave_none("it did not end within 10 s".to_owned()))?;
    if !output.status.success() {
        return Err(gave_none(output.status.to_string()));
    }
    if output.stdout.len() as u64 > MAX_BYTES {
        return Err(SecretError::Large);
    }
    String::from_utf8(output.stdout).map_err(|_| gave_none("it printed what is not UTF-8".to_owned()))
}

/// `None` when it took too long; then it is killed.
async fn capture(argv: &[String]) -> io::Result<Option<std::process::Output>> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What a password manager says on its error output may hold a secret.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    timeout(COMMAND_TIME, child.wait_with_output()).await.ok().transpose()
}

#[cfg(test)]
mod tests;
