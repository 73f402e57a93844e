//! What a sign-in asks for, by role, and what is missing of it.
//!
//! All that the platforms' actions and subscriptions use, as far as the config wants them. Beside it `clips:edit` and
//! `channel:manage:broadcast`, which a later version's tools use, so that nobody has to sign in twice.

use crate::config::settings::{Settings, TwitchAccounts};
use crate::store::{GrantId, Role};

use super::words::{JOYSTICK, TWITCH};

/// A scope, and the subscription types that need it; without any it is for everybody.
type Purpose = (&'static str, &'static [&'static str]);

/// Whatever is subscribed to: actions need it.
const ALWAYS: &[&str] = &[];

const CHAT: &[&str] = &[
    "channel.chat.message",
    "channel.chat.notification",
    "channel.chat.message_delete",
    "channel.chat.clear_user_messages",
    "channel.chat.clear",
    "channel.chat_settings.update",
    "channel.chat.user_message_hold",
    "channel.chat.user_message_update",
];
const MODERATION: &[&str] = &["channel.moderate"];

/// To read and write chat, and to moderate. `manage` includes `read`. A test in `platform::twitch` holds the types
/// together with what is asked of Twitch.
const TWITCH_BOT: [Purpose; 17] = [
    ("user:read:chat", CHAT),
    ("user:write:chat", ALWAYS),
    ("user:bot", ALWAYS),
    ("user:manage:whispers", ALWAYS),
    ("moderator:read:followers", &["channel.follow"]),
    ("moderator:manage:banned_users", ALWAYS),
    ("moderator:manage:chat_messages", ALWAYS),
    ("moderator:manage:announcements", ALWAYS),
    ("moderator:manage:shoutouts", ALWAYS),
    ("moderator:manage:automod", ALWAYS),
    ("moderator:manage:warnings", ALWAYS),
    ("moderator:read:suspicious_users", &["channel.suspicious_user.message", "channel.suspicious_user.update"]),
    ("moderator:read:blocked_terms", MODERATION),
    ("moderator:read:chat_settings", MODERATION),
    ("moderator:read:unban_requests", MODERATION),
    ("moderator:read:moderators", MODERATION),
    ("moderator:read:vips", MODERATION),
];

const SUBSCRIBERS: &[&str] =
    &["channel.subscribe", "channel.subscription.message", "channel.subscription.gift", "channel.subscription.end"];
const REDEMPTIONS: &[&str] = &[
    "channel.channel_points_custom_reward_redemption.add",
    "channel.channel_points_custom_reward_redemption.update",
    "channel.channel_points_automatic_reward_redemption.add",
];
const HYPE_TRAINS: &[&str] = &["channel.hype_train.begin", "channel.hype_train.progress", "channel.hype_train.end"];
const POLLS: &[&str] = &["channel.poll.begin", "channel.poll.progress", "channel.poll.end"];
const PREDICTIONS: &[&str] =
    &["channel.prediction.begin", "channel.prediction.progress", "channel.prediction.lock", "channel.prediction.end"];

/// What only the channel itself may give.
const TWITCH_BROADCASTER: [Purpose; 13] = [
    ("channel:bot", ALWAYS),
    ("channel:moderate", &["channel.ban", "channel.unban"]),
    ("channel:read:subscriptions", SUBSCRIBERS),
    ("bits:read", &["channel.cheer", "channel.bits.use"]),
    ("channel:read:redemptions", REDEMPTIONS),
    ("channel:read:hype_train", HYPE_TRAINS),
    ("channel:read:polls", POLLS),
    ("channel:read:predictions", PREDICTIONS),
    ("channel:read:ads", &["channel.ad_break.begin"]),
    ("channel:read:vips", &["channel.vip.add", "channel.vip.remove"]),
    ("channel:manage:broadcast", ALWAYS),
    ("moderation:read", &["channel.moderator.add", "channel.moderator.remove"]),
    ("clips:edit", ALWAYS),
];

/// Unless the config says otherwise: the service refuses a sign-in that asks for one more than the bot was given.
const JOYSTICK_BOT: [&str; 8] = [
    "identity:read",
    "stream:read",
    "chat:read",
    "chat:write",
    "chat:whisper:write",
    "chat:moderate",
    "followers:read",
    "subscribers:read",
];
/// Short for whatever the bot was given.
const JOYSTICK_ALL: &str = "bot";

/// What to ask for. An account that is both, bot and broadcaster, is asked for both.
pub(super) fn wanted<'a>(settings: &'a Settings, platform: &str, role: Role) -> Vec<&'a str> {
    match platform {
        TWITCH => {
            let accounts = settings.twitch.as_ref().map(|twitch| twitch.accounts);
            let types = settings.twitch.as_ref().and_then(|twitch| twitch.subscriptions.as_deref());
            twitch(role, accounts == Some(TwitchAccounts::Both), types)
        }
        JOYSTICK => match settings.joystick.as_ref().and_then(|joystick| joystick.scopes.as_deref()) {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => JOYSTICK_BOT.to_vec(),
        },
        _ => Vec::new(),
    }
}

/// `types` are the subscription types that are wanted, `None` for all.
pub(crate) fn twitch(role: Role, has_own_bot: bool, types: Option<&[String]>) -> Vec<&'static str> {
    let purposes = match role {
        Role::Bot => TWITCH_BOT.to_vec(),
        Role::Broadcaster if has_own_bot => TWITCH_BROADCASTER.to_vec(),
        Role::Broadcaster => [&TWITCH_BOT[..], &TWITCH_BROADCASTER[..]].concat(),
    };
    let is_wanted = |of: &[&str]| {
        of.is_empty() || types.is_none_or(|types| types.iter().any(|wanted| of.contains(&wanted.as_str())))
    };
    purposes.into_iter().filter(|(_, of)| is_wanted(of)).map(|(scope, _)| scope).collect()
}

/// What of it was not granted.
pub(super) fn missing(settings: &Settings, id: &GrantId, granted: &[String]) -> Vec<String> {
    let is_joystick = id.platform == JOYSTICK;
    // Who agreed to whatever the bot was given has nothing more to give.
    if is_joystick && granted.iter().any(|granted| granted == JOYSTICK_ALL) {
        return Vec::new();
    }
    let has = |scope: &str| {
        let manage = scope.replace(":read:", ":manage:");
        let is_short = is_joystick && scope == JOYSTICK_ALL;
        is_short || granted.iter().any(|granted| granted == scope || *granted == manage)
    };
    let wanted = wanted(settings, &id.platform, id.role);
    wanted.into_iter().filter(|scope| !has(scope)).map(str::to_owned).collect()
}
