//! How grants are named to people, and what they can do about them.

use crate::store::{GrantId, Role};

/// The word of OAuth for having asked for more than there is to have.
pub(super) const INVALID_SCOPE: &str = "invalid_scope";
pub(super) const TWITCH: &str = "twitch";
pub(super) const JOYSTICK: &str = "joystick";

/// As a person calls it.
pub(super) fn platform_name(platform: &str) -> &str {
    match platform {
        TWITCH => "Twitch",
        JOYSTICK => "Joystick",
        other => other,
    }
}

/// "Twitch: the broadcaster 1234".
pub(super) fn describe(id: &GrantId) -> String {
    let platform = platform_name(&id.platform);
    match (id.role, id.account.as_str()) {
        (Role::Bot, _) => format!("{platform}: the bot"),
        (Role::Broadcaster, "") => format!("{platform}: the broadcaster"),
        (Role::Broadcaster, account) => format!("{platform}: the broadcaster {account}"),
    }
}

/// What helps against a refusal of what was asked for.
pub(super) fn scopes_help(platform: &str) -> &'static str {
    match platform {
        JOYSTICK => {
            "set `scopes` in [joystick] to what the bot was given, [\"bot\"] for all of it and for servers of before July \
             2026, and sign in again"
        }
        _ => "sign in again",
    }
}

/// What signs it in again.
pub(super) fn command(id: &GrantId) -> String {
    let bot = if id.role == Role::Bot { " --bot" } else { "" };
    format!("run `showrunner auth {}{bot}`", id.platform)
}
