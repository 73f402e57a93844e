//! Chat lines, and what becomes of them.

use serde_json::{Value, json};

use super::text::message;
use crate::twitch::Notice;
use crate::twitch::fields::{merged, person, somebody};
use crate::twitch::memory::Line;
use crate::twitch::room::Room;
use crate::twitch::users::User;

/// A chat line in the making: `room.line("alice", "hi").badge("vip", "1").say()`.
pub struct ChatLine<'a> {
    room: Room<'a>,
    chatter: User,
    text: String,
    color: String,
    badges: Vec<Value>,
    kind: String,
    bits: Option<u64>,
    reply_to: Option<String>,
    reward: Option<String>,
    source: Option<(User, String)>,
    notice: Notice,
    id: Option<String>,
}

impl<'a> Room<'a> {
    /// Somebody writes. Returns the id of the line.
    pub fn say(&self, login: &str, text: &str) -> String {
        self.line(login, text).say()
    }

    pub fn reply(&self, login: &str, parent_id: &str, text: &str) -> String {
        self.line(login, text).reply_to(parent_id).say()
    }

    /// Written down, but not told: as if it was lost.
    pub fn say_unheard(&self, login: &str, text: &str) -> String {
        let user = self.user(login);
        self.note_line(&user, text, None)
    }

    /// A line with more to it.
    pub fn line(&self, login: &str, text: &str) -> ChatLine<'a> {
        let chatter = self.user(login);
        let room = Room::of(self.state, self.broadcaster.clone());
        let badges = room.own_badges(&chatter);
        ChatLine {
            room,
            chatter,
            text: text.to_owned(),
            color: "#00FF7F".to_owned(),
            badges,
            kind: "text".to_owned(),
            bits: None,
            reply_to: None,
            reward: None,
            source: None,
            notice: Notice::default(),
            id: None,
        }
    }

    fn own_badges(&self, chatter: &User) -> Vec<Value> {
        if *chatter == self.broadcaster {
            return vec![badge("broadcaster", "1", "")];
        }
        let mut badges = Vec::new();
        if self.state.users().is_moderator(&self.broadcaster.id, &chatter.id) {
            badges.push(badge("moderator", "1", ""));
        }
        if self.remember(|memory| memory.subscribers.iter().any(|one| one.user == *chatter)) {
            badges.push(badge("subscriber", "0", "1"));
        }
        badges
    }

    /// Tells of a line that was written down.
    pub(in crate::twitch) fn tell_line(&self, id: &str) {
        let found = self.remember(|memory| memory.lines.iter().find(|line| line.id == id).cloned());
        let Some(line) = found else { return };
        let mut saying = self.line(&line.chatter.login, &line.text);
        saying.id = Some(line.id);
        saying.reply_to = line.parent;
        saying.say();
    }

    pub(super) fn message(&self, text: &str) -> Value {
        message(text, false, |login| self.user(login))
    }

    // ---- what becomes of lines --------------------------------------------------------------------------------

    /// A moderator deletes a line.
    pub fn delete(&self, moderator: &str, message_id: &str) {
        let moderator = self.user(moderator);
        let found = self.remember(|memory| memory.lines.iter().find(|line| line.id == message_id).cloned());
        self.delete_as(&moderator, &found.expect("a line that was said"));
    }

    pub(in crate::twitch) fn delete_as(&self, moderator: &User, line: &Line) {
        self.remember(|memory| memory.lines.retain(|kept| kept.id != line.id));
        let parts = [person("target_user", &line.chatter), json!({ "message_id": line.id })];
        self.tell("channel.chat.message_delete", "1", parts);
        let body = merged([person("user", &line.chatter), json!({ "message_id": line.id, "message_body": line.text })]);
        self.tell_moderated(moderator, "delete", Some(("delete", body)));
    }

    /// A moderator deletes everything.
    pub fn clear(&self, moderator: &str) {
        self.clear_as(&self.user(moderator));
    }

    pub(in crate::twitch) fn clear_as(&self, moderator: &User) {
        self.remember(|memory| memory.lines.clear());
        self.tell("channel.chat.clear", "1", []);
        self.tell_moderated(moderator, "clear", None);
    }

    /// Slow mode with so many seconds, or none.
    pub fn slow_mode(&self, seconds: Option<u64>) {
        self.tell(
            "channel.chat_settings.update",
            "1",
            [json!({
                "emote_mode": false, "follower_mode": false, "follower_mode_duration_minutes": null,
                "slow_mode": seconds.is_some(), "slow_mode_wait_time_seconds": seconds, "subscriber_mode": false,
                "unique_chat_mode": false,
            })],
        );
    }
}

fn badge(set: &str, id: &str, info: &str) -> Value {
    json!({ "set_id": set, "id": id, "info": info })
}

impl ChatLine<'_> {
    #[must_use]
    pub fn badge(mut self, set: &str, id: &str) -> Self {
        self.badges.push(badge(set, id, ""));
        self
    }

    /// A subscriber, for so many months.
    #[must_use]
    pub fn subscriber(mut self, months: u32) -> Self {
        self.badges.push(badge("subscriber", "0", &months.to_string()));
        self
    }

    /// "" as for those who never chose one.
    #[must_use]
    pub fn color(mut self, color: &str) -> Self {
        color.clone_into(&mut self.color);
        self
    }

    /// "text", "user_intro", "channel_points_highlighted", …
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// With bits; the text should have the cheermotes.
    #[must_use]
    pub fn bits(mut self, bits: u64) -> Self {
        self.bits = Some(bits);
        self
    }

    #[must_use]
    pub fn reply_to(mut self, parent_id: &str) -> Self {
        self.reply_to = Some(parent_id.to_owned());
        self
    }

    /// The text that belongs to a custom reward.
    #[must_use]
    pub fn reward(mut self, reward_id: &str) -> Self {
        self.reward = Some(reward_id.to_owned());
        self
    }

    /// Said in another room of a shared chat, with its id there, and mirrored here.
    #[must_use]
    pub fn mirrored_from(mut self, broadcaster: &str, message_id: &str) -> Self {
        self.source = Some((self.room.user(broadcaster), message_id.to_owned()));
        self
    }

    #[must_use]
    pub fn notice(mut self, notice: Notice) -> Self {
        self.notice = notice;
        self
    }

    /// The event, and the id of the line, which is written down.
    pub fn event(&self) -> (String, Value) {
        let room = &self.room;
        let id = match &self.id {
            Some(id) => id.clone(),
            None => room.note_line(&self.chatter, &self.text, self.reply_to.as_deref()),
        };
        let source = match &self.source {
            Some((source, message_id)) => merged([
                person("source_broadcaster_user", source),
                json!({ "source_message_id": message_id, "source_badges": self.badges, "is_source_only": false }),
            ]),
            None => merged([
                somebody("source_broadcaster_user", None),
                json!({ "source_message_id": null, "source_badges": null, "is_source_only": null }),
            ]),
        };
        let own = json!({
            "message_id": id, "color": self.color, "badges": self.badges, "message_type": self.kind,
            "message": message(&self.text, self.bits.is_some(), |login| room.user(login)),
            "cheer": self.bits.map(|bits| json!({ "bits": bits })), "reply": self.reply(&id),
            "channel_points_custom_reward_id": self.reward, "channel_points_animation_id": null,
        });
        (id, merged([room.here(), person("chatter_user", &self.chatter), own, source]))
    }

    fn reply(&self, id: &str) -> Value {
        let parent = self.reply_to.as_deref().and_then(|parent| {
            self.room.remember(|memory| {
                let line = memory.lines.iter().find(|line| line.id == parent).cloned();
                let thread = memory.lines.iter().find(|line| line.id == id).and_then(|line| line.thread.clone());
                Some((line?, thread?))
            })
        });
        let Some((parent, (thread_id, thread_user))) = parent else { return Value::Null };
        merged([
            json!({
                "parent_message_id": parent.id, "parent_message_body": parent.text, "thread_message_id": thread_id,
            }),
            person("parent_user", &parent.chatter),
            person("thread_user", &thread_user),
        ])
    }

    /// Says it. Returns its id.
    pub fn say(self) -> String {
        let (id, event) = self.event();
        self.room.notify_as("channel.chat.message", "1", event, &self.notice);
        id
    }

    /// Says it to the next that subscribes, before the subscription is answered.
    pub fn say_early(self) -> String {
        let (id, event) = self.event();
        self.room.state.notify_early("channel.chat.message", event);
        id
    }
}
