//! What follows from how a send ended. Pure; the worker carries it out.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::effect::Priority;
use crate::event::OutcomeStatus;
use crate::platform::ActionError;

/// The longest that a platform may make an account wait by one answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing gets through at the moment: all of this waits, by its own delay unless the platform named one.
    Pause(Scope, Option<Duration>),
    /// Only this one failed; it waits alone.
    Rest,
    GiveUp(OutcomeStatus),
}

/// What a pause holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Account,
    /// Moderation goes on: platforms limit chat for itself, and where they do not, moderation will be told so too.
    Chat,
}

/// A line of chat must never appear twice, so what was sent without an answer is tried again only when doing it
/// twice is the same as doing it once.
pub(super) fn after(error: &ActionError, priority: Priority, is_repeatable: bool) -> Next {
    match error {
        ActionError::Unreachable(_) => Next::Pause(Scope::Account, None),
        ActionError::RateLimited { retry_after } => {
            let scope = match priority {
                Priority::Moderation => Scope::Account,
                Priority::Chat => Scope::Chat,
            };
            Next::Pause(scope, retry_after.map(|wait| wait.min(LONGEST_PAUSE)))
        }
        ActionError::Lost(_) if is_repeatable => Next::Rest,
        ActionError::Lost(_) => Next::GiveUp(OutcomeStatus::Uncertain),
        ActionError::Refused(_) => Next::GiveUp(OutcomeStatus::Failed),
        ActionError::Unsupported { .. } => Next::GiveUp(OutcomeStatus::Unsupported),
    }
}

/// More than a minute in all: long enough for a platform that restarts. Chat expires long before the end.
pub(super) fn delays() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_factor(2.0)
        .with_max_delay(Duration::from_secs(15))
        .with_max_times(12)
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_is_tried_again() {
        let unreachable = ActionError::Unreachable("refused".into());
        let limited = |seconds| ActionError::RateLimited { retry_after: seconds };
        let lost = ActionError::Lost("timed out".into());
        let refused = ActionError::Refused("too long".into());
        let unsupported = ActionError::Unsupported { platform: "retake", action: "shoutout" };
        let minute = Duration::from_secs(60);
        let (chat, moderation) = (Priority::Chat, Priority::Moderation);
        let cases = [
            (&unreachable, chat, false, Next::Pause(Scope::Account, None)),
            (&unreachable, moderation, true, Next::Pause(Scope::Account, None)),
            (&limited(None), chat, false, Next::Pause(Scope::Chat, None)),
            (&limited(Some(minute)), chat, false, Next::Pause(Scope::Chat, Some(minute))),
            (&limited(None), moderation, false, Next::Pause(Scope::Account, None)),
            (&limited(Some(Duration::MAX)), moderation, true, Next::Pause(Scope::Account, Some(LONGEST_PAUSE))),
            (&lost, chat, false, Next::GiveUp(OutcomeStatus::Uncertain)),
            (&lost, moderation, true, Next::Rest),
            (&refused, moderation, true, Next::GiveUp(OutcomeStatus::Failed)),
            (&refused, chat, false, Next::GiveUp(OutcomeStatus::Failed)),
            (&unsupported, moderation, true, Next::GiveUp(OutcomeStatus::Unsupported)),
        ];
        for (error, priority, is_repeatable, next) in cases {
            assert_eq!(
                after(error, priority, is_repeatable),
                next,
                "{error}, {priority:?}, repeatable: {is_repeatable}"
            );
        }
    }

    #[test]
    fn the_delays_grow_and_end() {
        let delays: Vec<Duration> = delays().collect();
        assert_eq!(delays.len(), 12);
        assert!(delays.iter().sum::<Duration>() >= Duration::from_secs(60));
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(30)));
    }
}
