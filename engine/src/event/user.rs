//! Who somebody on a platform is.

use serde::{Deserialize, Serialize};

/// Roles that every platform has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Roles {
    #[serde(skip_serializing_if = "is_false")]
    pub broadcaster: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub moderator: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub vip: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub subscriber: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub staff: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub bot: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub first_time: bool,
}

impl Roles {
    /// Those that are set, as `wit/plugin.wit` spells them.
    pub fn names(self) -> Vec<&'static str> {
        let Self { broadcaster, moderator, vip, subscriber, staff, bot, first_time } = self;
        let all = [
            (broadcaster, "broadcaster"),
            (moderator, "moderator"),
            (vip, "vip"),
            (subscriber, "subscriber"),
            (staff, "staff"),
            (bot, "bot"),
            (first_time, "first-time"),
        ];
        all.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Somebody on a platform. Identity is (platform, `id`), never a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub login: String,
    pub display_name: String,
    #[serde(default)]
    pub roles: Roles,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<String>,
    /// "#RRGGBB", where the platform has such a thing and they chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}
