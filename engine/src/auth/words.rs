//! How grants are named to people, and what they can do about them.

use crate::store::{GrantId, Role};

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

/// What signs it in again.
pub(super) fn command(id: &GrantId) -> String {
    let bot = if id.role == Role::Bot { " --bot" } else { "" };
    format!("run `showrunner auth {}{bot}`", id.platform)
}
