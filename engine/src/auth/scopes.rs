//! What a sign-in asks for, by role, and what is missing of it.

use crate::config::settings::{Settings, TwitchAccounts};
use crate::store::{GrantId, Role};

use super::words::{JOYSTICK, TWITCH};

/// To read and write chat, and to moderate. `manage` includes `read`.
const TWITCH_BOT: [&str; 17] = [
    "user:read:chat",
    "user:write:chat",
    "user:bot",
    "user:manage:whispers",
    "moderator:read:followers",
    "moderator:manage:banned_users",
    "moderator:manage:chat_messages",
    "moderator:manage:announcements",
    "moderator:manage:shoutouts",
    "moderator:manage:automod",
    "moderator:manage:warnings",
    "moderator:read:suspicious_users",
    // All of these, with those above, are what moderation events are read with.
    "moderator:read:blocked_terms",
    "moderator:read:chat_settings",
    "moderator:read:unban_requests",
    "moderator:read:moderators",
    "moderator:read:vips",
];

/// What only the channel itself may give.
const TWITCH_BROADCASTER: [&str; 13] = [
    "channel:bot",
    "channel:moderate",
    "channel:read:subscriptions",
    "bits:read",
    "channel:read:redemptions",
    "channel:read:hype_train",
    "channel:read:polls",
    "channel:read:predictions",
    "channel:read:ads",
    "channel:read:vips",
    "channel:manage:broadcast",
    "moderation:read",
    "clips:edit",
];

const JOYSTICK_BOT: [&str; 10] = [
    "identity:read",
    "stream:read",
    "stream:manage",
    "chat:read",
    "chat:write",
    "chat:whisper:write",
    "chat:moderate",
    "followers:read",
    "moderators:read",
    "subscribers:read",
];

/// What to ask for. An account that is both, bot and broadcaster, is asked for both.
pub(super) fn wanted(settings: &Settings, platform: &str, role: Role) -> Vec<&'static str> {
    let accounts = settings.twitch.as_ref().map(|twitch| twitch.accounts);
    match (platform, role) {
        (TWITCH, Role::Bot) => TWITCH_BOT.to_vec(),
        (TWITCH, Role::Broadcaster) if accounts == Some(TwitchAccounts::Both) => TWITCH_BROADCASTER.to_vec(),
        (TWITCH, Role::Broadcaster) => [&TWITCH_BOT[..], &TWITCH_BROADCASTER[..]].concat(),
        (JOYSTICK, _) => JOYSTICK_BOT.to_vec(),
        _ => Vec::new(),
    }
}

/// What of it was not granted.
pub(super) fn missing(settings: &Settings, id: &GrantId, granted: &[String]) -> Vec<String> {
    let has = |scope: &str| {
        let manage = scope.replace(":read:", ":manage:");
        granted.iter().any(|granted| granted == scope || *granted == manage)
    };
    let wanted = wanted(settings, &id.platform, id.role);
    wanted.into_iter().filter(|scope| !has(scope)).map(str::to_owned).collect()
}
