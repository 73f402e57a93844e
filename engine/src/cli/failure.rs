//! How a failure is told: "error: …", what to do about it, and the exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use super::clean::clean_lines;
use super::output::Closed;
use crate::auth::answer::AuthError;
use crate::config::ConfigErrors;
use crate::config::edit::EditError;
use crate::engine::EngineError;
use crate::gateway::control::client::ClientError;
use crate::replay::JournalError;
use crate::store::StoreError;
use crate::store::backup::BackupError;

/// A failure of the command line itself, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    message: String,
    help: String,
    /// It was asked for wrongly.
    is_usage: bool,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), is_usage: false }
    }

    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), is_usage: true }
    }
}

/// Nothing failed, but what was compared is not the same: told by the exit code alone, as `diff` does.
#[derive(Debug, thiserror::Error)]
#[error("the two are not the same")]
pub(super) struct Different;

/// What is printed, and how the process ends.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    message: String,
    help: Option<String>,
    is_usage: bool,
}

/// Says it on the standard error. A command that `compares` has another use for 1.
pub(super) fn report(error: &anyhow::Error, compares: bool) -> ExitCode {
    if error.is::<Closed>() {
        return ExitCode::SUCCESS;
    }
    if error.is::<Different>() {
        return ExitCode::from(1);
    }
    let Report { message, help, is_usage } = describe(error);
    let mut text = format!("error: {}\n", clean_lines(&message));
    if let Some(help) = help {
        text.push_str(&format!("  help: {}\n", clean_lines(&help)));
    }
    // Nobody is left to be told when this fails.
    let _ = io::stderr().lock().write_all(text.as_bytes());
    ExitCode::from(if is_usage || compares { 2 } else { 1 })
}

/// A message of ours holds that of its cause already, so the outermost is the whole.
fn describe(error: &anyhow::Error) -> Report {
    let message = error.to_string();
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Report { message, help: Some(failure.help.clone()), is_usage: failure.is_usage };
    }
    if let Some(config) = error.downcast_ref::<ConfigErrors>() {
        return Report { message, help: config.help().map(str::to_owned), is_usage: true };
    }
    if let Some(client) = error.downcast_ref::<ClientError>() {
        return Report { message, help: client.help(), is_usage: client.is_usage() };
    }
    if let Some(engine) = error.downcast_ref::<EngineError>() {
        return Report { message, help: engine.help(), is_usage: engine.is_config() };
    }
    if let Some(auth) = error.downcast_ref::<AuthError>() {
        return Report { message, help: auth.help.clone(), is_usage: false };
    }
    if let Some(journal) = error.downcast_ref::<JournalError>() {
        return Report { message, help: journal.help().map(str::to_owned), is_usage: false };
    }
    let help = if let Some(backup) = error.downcast_ref::<BackupError>() {
        backup.help()
    } else if let Some(store) = error.downcast_ref::<StoreError>() {
        store.help()
    } else {
        error.downcast_ref::<EditError>().and_then(EditError::help)
    };
    Report { message, help: help.map(str::to_owned), is_usage: false }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_wrong_config_is_wrong_usage_and_says_what_to_do() {
        let error = crate::config::load(Path::new("/no/such/file.toml")).unwrap_err();
        let report = describe(&error.into());
        assert!(report.is_usage && report.help.unwrap().contains("showrunner init"));
    }

    #[test]
    fn a_daemon_that_does_not_run_is_a_failure_with_help() {
        let report = describe(&ClientError::NotRunning("/data/control.sock".into()).into());
        assert!(!report.is_usage && report.help.unwrap().contains("showrunner run"));
    }
}
