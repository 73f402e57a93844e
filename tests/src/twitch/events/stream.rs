//! The stream itself: its begin and end, what it is about, ads, shoutouts, shared chat.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::twitch::fields::{merged, person};
use crate::twitch::memory::Live;
use crate::twitch::room::Room;
use crate::twitch::state::{new_id, written};
use crate::twitch::users::User;

impl Room<'_> {
    pub fn go_online(&self) {
        let live = Live { id: "9001".to_owned(), started_at: self.now(), viewers: 12 };
        let own = json!({ "id": live.id, "type": "live", "started_at": written(live.started_at) });
        self.remember(|memory| memory.live = Some(live));
        self.tell("stream.online", "1", [own]);
    }

    pub fn go_offline(&self) {
        self.remember(|memory| memory.live = None);
        self.tell("stream.offline", "1", []);
    }

    /// A new title.
    pub fn retitle(&self, title: &str) {
        self.remember(|memory| title.clone_into(&mut memory.title));
        self.tell_update();
    }

    pub(in crate::twitch) fn tell_update(&self) {
        let own = self.remember(|memory| {
            json!({
                "title": memory.title, "language": memory.language, "category_id": memory.category.0,
                "category_name": memory.category.1, "content_classification_labels": memory.labels,
            })
        });
        self.tell("channel.update", "2", [own]);
    }

    pub fn ad_break(&self, seconds: u64) {
        let own = json!({ "duration_seconds": seconds, "started_at": written(self.now()), "is_automatic": false });
        self.tell("channel.ad_break.begin", "1", [person("requester_user", &self.broadcaster), own]);
    }

    /// The broadcaster sends viewers to somebody.
    pub fn shout_out(&self, moderator: &str, login: &str) {
        self.shout_out_as(&self.user(moderator), &self.user(login));
    }

    pub(in crate::twitch) fn shout_out_as(&self, moderator: &User, to: &User) {
        let now = self.now();
        let own = json!({
            "viewer_count": 12, "started_at": written(now),
            "cooldown_ends_at": written(now + SignedDuration::from_mins(2)),
            "target_cooldown_ends_at": written(now + SignedDuration::from_mins(60)),
        });
        let parts = [person("to_broadcaster_user", to), person("moderator_user", moderator), own];
        self.tell("channel.shoutout.create", "1", parts);
        Room::of(self.state, to.clone()).shouted_out_by(&self.broadcaster.login);
    }

    /// Somebody sends viewers here.
    pub fn shouted_out_by(&self, login: &str) {
        let own = json!({ "viewer_count": 860, "started_at": written(self.now()) });
        self.tell("channel.shoutout.receive", "1", [person("from_broadcaster_user", &self.user(login)), own]);
    }

    // ---- shared chat ------------------------------------------------------------------------------------------

    /// With others, who see each other's chat from now on.
    pub fn shared_chat_begin(&self, others: &[&str]) {
        self.tell_shared("begin", Some(others));
    }

    pub fn shared_chat_update(&self, others: &[&str]) {
        self.tell_shared("update", Some(others));
    }

    pub fn shared_chat_end(&self) {
        self.tell_shared("end", None);
    }

    fn tell_shared(&self, what: &str, others: Option<&[&str]>) {
        let mut own = merged([person("host_broadcaster_user", &self.broadcaster), json!({ "session_id": new_id() })]);
        if let Some(others) = others {
            let others = others.iter().map(|login| person("broadcaster_user", &self.user(login)));
            own["participants"] = [self.here()].into_iter().chain(others).collect::<Vec<Value>>().into();
        }
        self.tell(&format!("channel.shared_chat.{what}"), "1", [own]);
    }
}
