//! Bans, timeouts, warnings, suspicious users, and what `AutoMod` holds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::twitch::fields::{merged, person, somebody};
use crate::twitch::memory::{Ban, Line};
use crate::twitch::room::Room;
use crate::twitch::state::{new_id, written};
use crate::twitch::users::User;

/// Of `channel.moderate`: all null but the one of the action. The last is of version 2 alone.
const ACTIONS: [&str; 21] = [
    "followers",
    "slow",
    "vip",
    "unvip",
    "mod",
    "unmod",
    "ban",
    "unban",
    "timeout",
    "untimeout",
    "raid",
    "unraid",
    "delete",
    "automod_terms",
    "unban_request",
    "shared_chat_ban",
    "shared_chat_unban",
    "shared_chat_timeout",
    "shared_chat_untimeout",
    "shared_chat_delete",
    "warn",
];

impl Room<'_> {
    /// For good.
    pub fn ban(&self, moderator: &str, login: &str, reason: &str) {
        self.ban_until(moderator, login, reason, None);
    }

    pub fn timeout(&self, moderator: &str, login: &str, seconds: i64, reason: &str) {
        let ends_at = self.now() + SignedDuration::from_secs(seconds);
        self.ban_until(moderator, login, reason, Some(ends_at));
    }

    fn ban_until(&self, moderator: &str, login: &str, reason: &str, ends_at: Option<Timestamp>) {
        let (moderator, user) = (self.user(moderator), self.user(login));
        self.remember(|memory| memory.bans.insert(user.id.clone(), Ban { ends_at }));
        self.tell_ban(&moderator, &user, reason, ends_at);
    }

    pub(in crate::twitch) fn tell_ban(&self, moderator: &User, user: &User, reason: &str, ends_at: Option<Timestamp>) {
        self.tell("channel.chat.clear_user_messages", "1", [person("target_user", user)]);
        let own = json!({
            "reason": reason, "banned_at": written(self.now()), "ends_at": ends_at.map(written),
            "is_permanent": ends_at.is_none(),
        });
        self.tell("channel.ban", "1", [person("user", user), person("moderator_user", moderator), own]);
        let mut body = merged([person("user", user), json!({ "reason": reason })]);
        let action = match ends_at {
            Some(ends_at) => {
                body["expires_at"] = written(ends_at).into();
                "timeout"
            }
            None => "ban",
        };
        self.tell_moderated(moderator, action, Some((action, body)));
    }

    pub fn unban(&self, moderator: &str, login: &str) {
        let (moderator, user) = (self.user(moderator), self.user(login));
        self.remember(|memory| memory.bans.remove(&user.id));
        self.tell_unban(&moderator, &user);
    }

    pub(in crate::twitch) fn tell_unban(&self, moderator: &User, user: &User) {
        self.tell("channel.unban", "1", [person("user", user), person("moderator_user", moderator)]);
        self.tell_moderated(moderator, "unban", Some(("unban", person("user", user))));
    }

    /// `channel.moderate`, in both versions.
    pub(in crate::twitch) fn tell_moderated(&self, moderator: &User, action: &str, body: Option<(&str, Value)>) {
        let mut actions = json!({});
        for name in ACTIONS {
            actions[name] = Value::Null;
        }
        if let Some((name, body)) = body {
            actions[name] = body;
        }
        let both = merged([
            somebody("source_broadcaster_user", None),
            person("moderator_user", moderator),
            json!({ "action": action }),
        ]);
        self.tell("channel.moderate", "2", [both.clone(), actions.clone()]);
        if action != "warn" {
            actions.as_object_mut().unwrap().remove("warn");
            self.tell("channel.moderate", "1", [both, actions]);
        }
    }

    pub fn warn(&self, moderator: &str, login: &str, reason: &str) {
        self.tell_warning(&self.user(moderator), &self.user(login), reason);
    }

    pub(in crate::twitch) fn tell_warning(&self, moderator: &User, user: &User, reason: &str) {
        let why = json!({ "reason": reason, "chat_rules_cited": null });
        let parts = [person("moderator_user", moderator), person("user", user), why.clone()];
        self.tell("channel.warning.send", "1", parts);
        self.tell_moderated(moderator, "warn", Some(("warn", merged([person("user", user), why]))));
    }

    pub fn acknowledge_warning(&self, login: &str) {
        self.tell("channel.warning.acknowledge", "1", [person("user", &self.user(login))]);
    }

    /// "none", "active_monitoring" or "restricted".
    pub fn suspect(&self, moderator: &str, login: &str, status: &str) {
        let (moderator, user) = (self.user(moderator), self.user(login));
        let parts =
            [person("moderator_user", &moderator), person("user", &user), json!({ "low_trust_status": status })];
        self.tell("channel.suspicious_user.update", "1", parts);
    }

    /// What a suspicious user writes; where they are not restricted chat sees it, too.
    pub fn suspicious_say(&self, login: &str, text: &str) -> String {
        let user = self.user(login);
        let id = self.say(login, text);
        let own = json!({
            "low_trust_status": "active_monitoring", "shared_ban_channel_ids": null, "types": ["ban_evader"],
            "ban_evasion_evaluation": "likely",
            "message": merged([json!({ "message_id": id }), self.message(text)]),
        });
        self.tell("channel.suspicious_user.message", "1", [person("user", &user), own]);
        id
    }

    // ---- AutoMod ----------------------------------------------------------------------------------------------

    /// `AutoMod` holds what somebody wrote. Returns the id of the line.
    pub fn hold(&self, login: &str, text: &str) -> String {
        self.hold_for(login, text, None)
    }

    /// The same, for a term that the broadcaster blocked.
    pub fn hold_blocked(&self, login: &str, text: &str, term: &str) -> String {
        self.hold_for(login, text, Some(term))
    }

    fn hold_for(&self, login: &str, text: &str, term: Option<&str>) -> String {
        let id = new_id();
        let chatter = self.user(login);
        let line = Line { id: id.clone(), chatter, text: text.to_owned(), parent: None, thread: None };
        let held_at = json!({ "held_at": written(self.now()) });
        let first = merged([self.held(&line), json!({ "category": "swearing", "level": 4 }), held_at.clone()]);
        let second = merged([self.held(&line), self.why(text, term), held_at]);
        self.tell("automod.message.hold", "1", [first]);
        self.tell("automod.message.hold", "2", [second]);
        self.tell("channel.chat.user_message_hold", "1", [self.held(&line)]);
        self.remember(|memory| memory.held.push(line));
        id
    }

    fn held(&self, line: &Line) -> Value {
        let own = json!({ "message_id": line.id, "message": self.message(&line.text) });
        merged([person("user", &line.chatter), own])
    }

    /// Boundaries count Unicode code points, and the last one is inside.
    fn why(&self, text: &str, term: Option<&str>) -> Value {
        let boundary = |word: &str| {
            let start = text.find(word).map_or(0, |at| text[..at].chars().count());
            json!({ "start_pos": start, "end_pos": start + word.chars().count().saturating_sub(1) })
        };
        let Some(term) = term else {
            let automod = json!({ "category": "swearing", "level": 4, "boundaries": [boundary(text)] });
            return json!({ "reason": "automod", "automod": automod, "blocked_term": null });
        };
        let found = merged([
            json!({ "term_id": new_id(), "boundary": boundary(term) }),
            person("owner_broadcaster_user", &self.broadcaster),
        ]);
        json!({ "reason": "blocked_term", "automod": null, "blocked_term": { "terms_found": [found] } })
    }

    /// A moderator lets a held line pass, or does not. What passes is said.
    pub fn judge(&self, moderator: &str, message_id: &str, is_allowed: bool) {
        self.judge_as(&self.user(moderator), message_id, is_allowed);
    }

    /// Nobody looked at it in time.
    pub fn let_held_expire(&self, message_id: &str) {
        self.settle_held(&self.broadcaster, message_id, "expired");
    }

    pub(in crate::twitch) fn judge_as(&self, moderator: &User, message_id: &str, is_allowed: bool) {
        self.settle_held(moderator, message_id, if is_allowed { "approved" } else { "denied" });
    }

    fn settle_held(&self, moderator: &User, message_id: &str, status: &str) {
        let found = self.remember(|memory| {
            let at = memory.held.iter().position(|line| line.id == message_id)?;
            Some(memory.held.remove(at))
        });
        let line = found.expect("a line that is held");
        let held_at = json!({ "held_at": written(self.now()), "status": status });
        let both = merged([self.held(&line), person("moderator_user", moderator), held_at]);
        let flat = json!({ "category": "swearing", "level": 4 });
        self.tell("automod.message.update", "1", [both.clone(), flat]);
        self.tell("automod.message.update", "2", [both, self.why(&line.text, None)]);
        let known = if status == "expired" { "invalid" } else { status };
        self.tell("channel.chat.user_message_update", "1", [self.held(&line), json!({ "status": known })]);
        if status == "approved" {
            self.remember(|memory| memory.lines.push(line.clone()));
            self.tell_line(&line.id);
        }
    }
}
