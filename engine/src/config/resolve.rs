//! From what was written to what it means: defaults filled in, every value checked, secrets read.
//!
//! A wrong value is noted and replaced by the default, so that one pass finds everything that is wrong.

mod accounts;
mod limits;
mod platforms;
mod plugins;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::defaults::{self, Bounded};
use super::problem::{Blame, Finding, KeyPath, MOST_FINDINGS};
use super::raw::{self, Raw, WatchMode};
use super::secret::{Reference, Secret, SecretError};
use super::settings::{
    AgentSettings, HostSettings, HttpSettings, JournalSettings, LogFormat, LogSettings, PipelineSettings, Settings,
    Watch,
};
use super::units::Time;

/// How secrets are fetched; the path is the config's folder.
pub(super) type ReadSecret = fn(&Reference, &Path) -> Result<Secret, SecretError>;

/// Adds to what reading found. The settings are only to be used when nothing was found at all.
pub(super) fn resolve(
    file: &Path,
    raw: &Raw,
    findings: Vec<Finding>,
    read_secret: ReadSecret,
) -> (Settings, Vec<Finding>) {
    let is_broken = !findings.is_empty();
    let mut resolver = Resolver { folder: folder(file), read_secret, is_broken, findings };
    let settings = Settings {
        source: file.to_owned(),
        data_dir: data_dir(file, raw),
        log: resolver.log(&raw.log),
        http: resolver.http(&raw.http),
        pipeline: resolver.pipeline(&raw.pipeline),
        journal: resolver.journal(&raw.journal),
        agent: resolver.agent(&raw.agent),
        host: resolver.host(file, raw),
        plugins: resolver.plugins(&raw.plugins),
        retake: resolver.retake(&raw.retake),
        twitch: resolver.twitch(&raw.twitch),
        joystick: resolver.joystick(&raw.joystick),
        auth: resolver.auth(&raw.auth),
        simulator: resolver.simulator(&raw.simulator),
    };
    (settings, resolver.findings)
}

pub(super) fn data_dir(file: &Path, raw: &Raw) -> PathBuf {
    folder(file).join(raw.data_dir.as_deref().unwrap_or_else(|| Path::new(defaults::DATA_DIR)))
}

pub(super) fn plugins_dir(file: &Path, raw: &Raw) -> PathBuf {
    folder(file).join(raw.host.plugins_dir.as_deref().unwrap_or_else(|| Path::new(defaults::PLUGINS_DIR)))
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

struct Resolver<'file> {
    folder: &'file Path,
    read_secret: ReadSecret,
    /// Something could not be read, so that nobody will use what comes out.
    is_broken: bool,
    findings: Vec<Finding>,
}

impl Resolver<'_> {
    fn found(&mut self, path: KeyPath, message: impl Into<String>) {
        self.add(Finding { path, blame: Blame::Value, message: message.into(), help: None });
    }

    fn found_with_help(&mut self, path: KeyPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Finding { path, blame: Blame::Value, message: message.into(), help: Some(help.into()) });
    }

    /// The message says which part of the value is wrong, and nothing repeats it.
    fn found_in_part(&mut self, path: KeyPath, message: impl Into<String>) {
        self.add(Finding { path, blame: Blame::PartOfValue, message: message.into(), help: None });
    }

    /// What could not be read is not reported again as missing.
    fn add(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS && !self.is_found(&finding.path) {
            self.findings.push(finding);
        }
    }

    fn is_found(&self, path: &KeyPath) -> bool {
        self.findings.iter().any(|finding| finding.path == *path)
    }

    fn within<T: Copy + PartialOrd + fmt::Display>(&mut self, path: KeyPath, given: Option<T>, range: Bounded<T>) -> T {
        let value = given.unwrap_or(range.default);
        if value >= range.least && value <= range.most {
            return value;
        }
        self.found(path, format!("expected {} to {}", range.least, range.most));
        range.default
    }

    fn time(&mut self, path: KeyPath, given: Option<Time>, range: Bounded<Time>) -> Duration {
        self.within(path, given, range).0
    }

    fn secret(&mut self, path: KeyPath, reference: &Reference) -> Option<Secret> {
        if self.is_broken && matches!(reference, Reference::Command(_)) {
            // A program may take its time, or ask somebody: not in vain. An empty secret counts as not read.
            return Some(Secret::default());
        }
        match (self.read_secret)(reference, self.folder) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.found_with_help(path, format!("\"{reference}\" leads to no secret: {error}"), error.help());
                None
            }
        }
    }

    fn log(&mut self, raw: &raw::Log) -> LogSettings {
        let filter = raw.filter.clone().unwrap_or_else(|| defaults::LOG_FILTER.to_owned());
        if let Err(error) = EnvFilter::try_new(&filter) {
            let expected = "expected a filter such as \"info\" or \"info,showrunner::platform=debug\"";
            self.found(KeyPath::of("log.filter"), format!("{expected}: {error}"));
        } else if let Some(word) = filter.split(',').map(str::trim).find(|word| is_misspelled_level(word)) {
            let levels = "the levels are error, warn, info, debug, trace and off";
            let message = format!("\"{word}\" is no level; {levels}, and a part of the program has one behind it");
            self.found_with_help(KeyPath::of("log.filter"), message, "as in \"info,showrunner::platform=debug\"");
        }
        LogSettings { filter, format: raw.format.unwrap_or(LogFormat::Auto) }
    }

    fn http(&mut self, raw: &raw::Http) -> HttpSettings {
        let key = KeyPath::of("http.listen");
        let listen = match raw.listen.as_deref() {
            None => Some(defaults::HTTP_LISTEN),
            Some("off") => None,
            Some(address) => address.parse().ok().or_else(|| {
                self.found(key.clone(), "expected an address and a port such as \"127.0.0.1:7788\", or \"off\"");
                None
            }),
        };
        let open = listen.is_some_and(|address| !address.ip().to_canonical().is_loopback());
        if open && raw.token.is_none() && !self.is_found(&KeyPath::of("http.token")) {
            let message = "other machines can reach this address, so http.token must be set";
            self.found_with_help(key, message, "set http.token, or listen on 127.0.0.1");
        }
        let token = raw.token.as_ref().and_then(|reference| self.http_token(reference));
        HttpSettings { listen, token }
    }

    fn http_token(&mut self, reference: &Reference) -> Option<Secret> {
        let key = KeyPath::of("http.token");
        let token = self.secret(key.clone(), reference)?;
        let length = token.expose_secret().chars().count();
        // An empty one was not read at all: a secret is never empty.
        if (1..defaults::TOKEN_CHARACTERS).contains(&length) {
            let message = format!("the token has fewer than {} characters", defaults::TOKEN_CHARACTERS);
            self.found_with_help(key, message, "`openssl rand -hex 24` makes a good one");
        }
        Some(token)
    }

    fn pipeline(&mut self, raw: &raw::Pipeline) -> PipelineSettings {
        let prefix = raw.command_prefix.clone().unwrap_or_else(|| defaults::COMMAND_PREFIX.to_owned());
        let length = prefix.chars().count();
        if !(1..=8).contains(&length) || prefix.contains(char::is_whitespace) {
            self.found(KeyPath::of("pipeline.command-prefix"), "expected 1 to 8 characters without white space");
        }
        PipelineSettings {
            command_prefix: prefix,
            review: self.time(KeyPath::of("pipeline.review"), raw.review, defaults::REVIEW),
            fallback_after: self.time(
                KeyPath::of("pipeline.fallback-after"),
                raw.fallback_after,
                defaults::FALLBACK_AFTER,
            ),
            drain: self.time(KeyPath::of("pipeline.drain"), raw.drain, defaults::DRAIN),
        }
    }

    fn journal(&mut self, raw: &raw::Journal) -> JournalSettings {
        JournalSettings {
            keep_for: self.time(KeyPath::of("journal.keep-for"), raw.keep_for, defaults::KEEP_FOR),
            keep_bytes: self.within(KeyPath::of("journal.keep-size"), raw.keep_size, defaults::KEEP_SIZE).0,
        }
    }

    fn agent(&mut self, raw: &raw::Agent) -> AgentSettings {
        let table = KeyPath::of("agent");
        let wake = raw.wake.clone().unwrap_or_default();
        if wake.first().is_some_and(|program| program.trim().is_empty()) {
            self.found(table.key("wake"), "expected a program and its arguments, as [\"program\", \"argument\"]");
        }
        AgentSettings {
            queue_bound: self.within(table.key("queue-bound"), raw.queue_bound, defaults::QUEUE_BOUND),
            visibility: self.time(table.key("visibility"), raw.visibility, defaults::VISIBILITY),
            attempts: self.within(table.key("attempts"), raw.attempts, defaults::ATTEMPTS),
            wake,
            wake_debounce: self.time(table.key("wake-debounce"), raw.wake_debounce, defaults::WAKE_DEBOUNCE),
            wake_timeout: self.time(table.key("wake-timeout"), raw.wake_timeout, defaults::WAKE_TIMEOUT),
            queue_file: raw.queue_file.as_ref().map(|path| self.folder.join(path)),
            health_file: raw.health_file.as_ref().map(|path| self.folder.join(path)),
        }
    }

    fn host(&mut self, file: &Path, raw: &Raw) -> HostSettings {
        let table = KeyPath::of("host");
        let host = &raw.host;
        let every = self.time(table.key("poll-every"), host.poll_every, defaults::POLL_EVERY);
        HostSettings {
            plugins_dir: plugins_dir(file, raw),
            watch: match host.watch.unwrap_or(WatchMode::Native) {
                WatchMode::Native => Watch::Native,
                WatchMode::Poll => Watch::Poll(every),
                WatchMode::Off => Watch::Off,
            },
            debounce: self.time(table.key("debounce"), host.debounce, defaults::DEBOUNCE),
            safe_mode: host.safe_mode.unwrap_or(false),
            limits: self.limits(&host.limits),
        }
    }
}

/// A single word that is no level would be taken for a part of the program, of which all is logged, and of the others
/// nothing.
fn is_misspelled_level(word: &str) -> bool {
    let is_plain = !word.is_empty() && word.chars().all(|character| character.is_ascii_alphanumeric());
    is_plain && word.parse::<LevelFilter>().is_err()
}
