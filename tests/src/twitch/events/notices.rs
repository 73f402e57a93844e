//! `channel.chat.notification`: what chat shows between the lines.

use serde_json::{Value, json};

use crate::twitch::fields::{merged, person, somebody};
use crate::twitch::room::Room;
use crate::twitch::state::new_id;
use crate::twitch::users::User;

/// All keys of which at most one is not null.
const KINDS: [&str; 14] = [
    "sub",
    "resub",
    "sub_gift",
    "community_sub_gift",
    "gift_paid_upgrade",
    "prime_paid_upgrade",
    "raid",
    "unraid",
    "pay_it_forward",
    "announcement",
    "bits_badge_tier",
    "charity_donation",
    "watch_streak",
    "modiversary",
];

impl Room<'_> {
    /// A notice of any kind. Nobody is anonymous.
    pub fn notice(&self, kind: &str, chatter: Option<&str>, system: &str, text: &str, body: Value) {
        let chatter = chatter.map(|login| self.user(login));
        self.notice_by(kind, chatter.as_ref(), system, text, body);
    }

    pub(in crate::twitch) fn notice_by(
        &self,
        kind: &str,
        chatter: Option<&User>,
        system: &str,
        text: &str,
        body: Value,
    ) {
        let mut bodies = json!({});
        for name in KINDS {
            bodies[name] = Value::Null;
        }
        for name in KINDS
            .iter()
            .filter(|name| !["bits_badge_tier", "charity_donation", "watch_streak", "modiversary"].contains(name))
        {
            bodies[format!("shared_chat_{name}")] = Value::Null;
        }
        bodies[kind] = body;
        let own = json!({
            "chatter_is_anonymous": chatter.is_none(), "color": "#0000FF", "badges": [], "system_message": system,
            "message_id": new_id(), "message": self.message(text), "notice_type": kind,
            "source_message_id": null, "source_badges": null,
        });
        let source = somebody("source_broadcaster_user", None);
        self.tell("channel.chat.notification", "1", [somebody("chatter_user", chatter), own, bodies, source]);
    }

    pub(in crate::twitch) fn announce_as(&self, user: &User, text: &str, color: &str) {
        self.notice_by("announcement", Some(user), "", text, json!({ "color": color.to_uppercase() }));
    }

    pub fn announce(&self, login: &str, text: &str) {
        self.announce_as(&self.user(login), text, "primary");
    }

    pub fn watch_streak(&self, login: &str, streams: u64, text: &str) {
        let body = json!({ "streak_count": streams, "channel_points_awarded": 350 });
        let system = format!("{login} watched {streams} consecutive streams");
        self.notice("watch_streak", Some(login), &system, text, body);
    }

    /// Whoever was given a sub pays for it from now on.
    pub fn gift_paid_upgrade(&self, login: &str, gifter: Option<&str>) {
        let gifter = gifter.map(|login| self.user(login));
        let body =
            merged([json!({ "gifter_is_anonymous": gifter.is_none() }), somebody("gifter_user", gifter.as_ref())]);
        self.notice("gift_paid_upgrade", Some(login), "continues the gift sub", "", body);
    }

    pub fn prime_paid_upgrade(&self, login: &str) {
        self.notice("prime_paid_upgrade", Some(login), "converted from Prime", "", json!({ "sub_tier": "1000" }));
    }

    pub fn pay_it_forward(&self, login: &str, gifter: &str) {
        let gifter = self.user(gifter);
        let body = merged([json!({ "gifter_is_anonymous": false }), person("gifter_user", &gifter)]);
        self.notice("pay_it_forward", Some(login), "pays the gift forward", "", body);
    }

    pub fn bits_badge_tier(&self, login: &str, tier: u64) {
        self.notice("bits_badge_tier", Some(login), "earned a badge", "", json!({ "tier": tier }));
    }

    pub fn unraid(&self) {
        let broadcaster = self.broadcaster.login.clone();
        self.notice("unraid", Some(&broadcaster), "The raid has been canceled", "", json!({}));
    }
}
