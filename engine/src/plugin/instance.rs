//! A live plugin, whichever version of the WIT it was built for, and what a call of it comes to.

/// The next version of the WIT makes this an enum, with a case for each.
pub(super) use super::wit::v0_1::Instance;
use crate::effect::{KvWrite, NumberedEffect};
use crate::observation::DecisionKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Passed,
    Handled,
}

/// The instance is gone: it trapped, ran out of time, or the host could not go on with it. Never to be used again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Crash {
    #[error("it ran longer than {limit_ms} ms")]
    OutOfTime { limit_ms: u128 },
    #[error("it handed over far more in one call than any limit allows")]
    TooMuch,
    #[error(
        "it asked for more memory than the {limit} bytes that it may have (host.limits.memory, or memory-mib in its plugin.toml), and trapped: {trap}"
    )]
    OutOfMemory { limit: usize, trap: String },
    #[error("it ended itself, with the exit status {status}")]
    Exit { status: i32 },
    #[error("it trapped: {0}")]
    Trap(String),
    /// Of an instance that is made in place of another.
    #[error("started once more, its {0}")]
    Start(String),
}

/// What a call left behind when it ended well.
#[derive(Debug, Default)]
pub(super) struct CallOutput {
    pub(super) effects: Vec<NumberedEffect>,
    pub(super) kv: Vec<KvWrite>,
    /// Whether it looked at the durable memory at all, or wrote to it.
    pub(super) used_kv: bool,
    pub(super) timers: Vec<TimerChange>,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimerChange {
    Start { name: String, after_ms: u32, repeat: bool },
    Cancel { name: String },
}

/// How a call ended, when it ended: the guest's own error is no crash.
pub(super) type Answer<T> = Result<Result<T, String>, Crash>;

/// What a handler came to, whichever way its call ended.
pub(super) fn settle(answer: Answer<(Disposition, CallOutput)>) -> (DecisionKind, CallOutput, Result<(), Crash>) {
    match answer {
        Ok(Ok((Disposition::Passed, output))) => (DecisionKind::Passed, output, Ok(())),
        Ok(Ok((Disposition::Handled, output))) => (DecisionKind::Handled, output, Ok(())),
        Ok(Err(message)) => (DecisionKind::Failed(message), CallOutput::default(), Ok(())),
        Err(crash) => (DecisionKind::Crashed(crash.to_string()), CallOutput::default(), Err(crash)),
    }
}
