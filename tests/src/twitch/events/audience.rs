//! Moderators and VIPs come and go; whispers.

use serde_json::json;

use crate::twitch::fields::{merged, person};
use crate::twitch::room::Room;
use crate::twitch::state::new_id;

impl Room<'_> {
    pub fn add_moderator(&self, login: &str) {
        let user = self.user(login);
        self.set_moderator(login, true);
        self.tell("channel.moderator.add", "1", [person("user", &user)]);
        self.tell_moderated(&self.broadcaster, "mod", Some(("mod", person("user", &user))));
    }

    pub fn remove_moderator(&self, login: &str) {
        let user = self.user(login);
        self.set_moderator(login, false);
        self.tell("channel.moderator.remove", "1", [person("user", &user)]);
        self.tell_moderated(&self.broadcaster, "unmod", Some(("unmod", person("user", &user))));
    }

    pub fn add_vip(&self, login: &str) {
        self.tell("channel.vip.add", "1", [person("user", &self.user(login))]);
    }

    pub fn remove_vip(&self, login: &str) {
        self.tell("channel.vip.remove", "1", [person("user", &self.user(login))]);
    }

    /// To anybody; the room does not matter. Returns the id.
    pub fn whisper(&self, from: &str, to: &str, text: &str) -> String {
        let id = new_id();
        let own = json!({ "whisper_id": id, "whisper": { "text": text } });
        let event = merged([person("from_user", &self.user(from)), person("to_user", &self.user(to)), own]);
        self.notify("user.whisper.message", "1", event);
        id
    }
}
