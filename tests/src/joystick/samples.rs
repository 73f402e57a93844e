//! Every stream event there is, with made-up values.

use serde_json::{Value, json};

/// By the names that version 1 has for them.
pub const KINDS: [&str; 41] = [
    "Started",
    "Ended",
    "StreamEnding",
    "StreamResuming",
    "StreamModeUpdated",
    "Followed",
    "Subscribed",
    "Resubscribed",
    "GiftedSubscriptions",
    "Tipped",
    "WheelSpinClaimed",
    "TipGoalIncreased",
    "TipGoalMet",
    "MilestoneCompleted",
    "TipGoalCreated",
    "TipGoalUpdated",
    "TipGoalDeleted",
    "TipMenuItemLocked",
    "TipMenuItemUnlocked",
    "StreamDroppedIn",
    "DropinStream",
    "FollowerCountUpdated",
    "SubscriberCountUpdated",
    "ViewerCountUpdated",
    "ChatTimerStarted",
    "ChatTimersCleared",
    "UserMuted",
    "UserUnmuted",
    "PvpSessionRequested",
    "PvpSessionReady",
    "PvpSessionStarted",
    "PvpSessionEnding",
    "PvpSessionEnded",
    "SceneUpdated",
    "DeviceConnected",
    "DeviceDisconnected",
    "DeviceSettingsUpdated",
    "SettingsUpdated",
    "VerifiedOnlyChatStarted",
    "VerifiedOnlyChatEnded",
    "SubscriberOnlyStarted",
];

/// The text and the metadata.
pub(super) fn sample(kind: &str) -> (String, Value) {
    let metadata = match kind {
        "StreamModeUpdated" => json!({ "who": "thestreamer" }),
        "Followed" => json!({ "who": "frank", "what": "followed" }),
        "Subscribed" => json!({ "who": "sue", "what": "subscribed", "how_much": 1 }),
        "Resubscribed" => json!({ "who": "rita", "what": "resubscribed", "how_long": 7, "how_much": 1 }),
        "GiftedSubscriptions" => json!({ "who": "gina", "what": "gifted subscriptions", "how_much": 5 }),
        "Tipped" => json!({ "who": "eve", "what": "Tipped", "how_much": 25, "tip_menu_item": "Hydrate" }),
        "WheelSpinClaimed" => json!({ "who": "walt", "what": "claimed", "how_much": 50, "prize": "A joke" }),
        "TipGoalIncreased" => {
            json!({ "by_user": "eve", "what": "increased", "amount": 500, "current": 125, "previous": 100 })
        }
        "TipGoalMet" | "MilestoneCompleted" => {
            json!({ "who": "eve", "what": "met", "title": "New microphone", "amount": 500 })
        }
        "TipGoalCreated" | "TipGoalUpdated" | "TipGoalDeleted" | "TipMenuItemLocked" | "TipMenuItemUnlocked" => {
            json!({ "title": "New microphone", "amount": 500 })
        }
        "StreamDroppedIn" => json!({ "who": "raider", "what": "dropped in", "number_of_viewers": 42 }),
        "DropinStream" => json!({
            "origin": "thestreamer", "destination": "/u/friend", "destination_username": "friend",
            "number_of_viewers": 12,
        }),
        "FollowerCountUpdated" => json!({ "number_of_followers": 1234 }),
        "SubscriberCountUpdated" => json!({ "number_of_subscribers": 56 }),
        "ViewerCountUpdated" => json!({ "number_of_viewers": 78 }),
        "ChatTimerStarted" => json!({ "name": "break", "endsAt": "2026-01-05T10:16:12Z" }),
        "ChatTimersCleared" => json!({ "who": "thestreamer" }),
        "UserMuted" => json!({ "who": "rude", "what": "muted" }),
        "UserUnmuted" => json!({ "who": "rude", "what": "unmuted" }),
        "SceneUpdated" => json!({ "name": "cozy", "config": {
            "fontSize": "12", "titleColor": "#fff", "progressColor": "#0f0", "completedColor": "#00f",
        } }),
        kind if kind.starts_with("Pvp") => {
            json!({ "who": "rival", "what": "pvp", "when": "2026-01-05T10:16:12Z", "where": "here", "cost": 100 })
        }
        _ => json!({}),
    };
    (format!("<strong>{kind}</strong>"), metadata)
}
