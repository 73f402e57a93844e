//! Follows, subs, gifts, cheers and raids: each with what chat shows of it.

use serde_json::{Value, json};

use super::text::{emotes, message};
use crate::twitch::fields::{merged, person, somebody};
use crate::twitch::memory::Subscriber;
use crate::twitch::room::Room;
use crate::twitch::state::{new_id, written};
use crate::twitch::users::User;

impl Room<'_> {
    pub fn follow(&self, login: &str) {
        let user = self.user(login);
        let now = self.now();
        self.follow_unheard(login);
        self.tell("channel.follow", "2", [person("user", &user), json!({ "followed_at": written(now) })]);
    }

    /// Only Helix knows of it: as if it happened while nobody listened.
    pub fn follow_unheard(&self, login: &str) {
        let user = self.user(login);
        let now = self.now();
        self.remember(|memory| {
            memory.followers.retain(|(follower, _)| *follower != user);
            memory.followers.push((user, now));
        });
    }

    fn add_subscriber(&self, user: &User, tier: &str, gifter: Option<&User>, is_gift: bool) {
        let one = Subscriber { user: user.clone(), tier: tier.to_owned(), gifter: gifter.cloned(), is_gift };
        self.remember(|memory| {
            memory.subscribers.retain(|known| known.user != *user);
            memory.subscribers.push(one);
        });
    }

    /// Only Helix knows of it.
    pub fn subscribe_unheard(&self, login: &str) {
        self.add_subscriber(&self.user(login), "1000", None, false);
    }

    /// A new subscriber: in chat, and as an alert.
    pub fn subscribe(&self, login: &str, tier: &str) {
        let user = self.user(login);
        self.add_subscriber(&user, tier, None, false);
        let body = json!({ "sub_tier": tier, "is_prime": false, "duration_months": 1 });
        self.notice("sub", Some(login), &format!("{} subscribed", user.name), "", body);
        self.tell_subscribe(&user, tier, false);
    }

    fn tell_subscribe(&self, user: &User, tier: &str, is_gift: bool) {
        let own = json!({ "tier": tier, "is_gift": is_gift });
        self.tell("channel.subscribe", "1", [person("user", user), own]);
    }

    /// Somebody says that they are still there. No `channel.subscribe` comes with it.
    pub fn resub(&self, login: &str, months: u32, text: &str) {
        let user = self.user(login);
        self.add_subscriber(&user, "1000", None, false);
        let body = merged([
            json!({
                "cumulative_months": months, "duration_months": 1, "streak_months": null, "sub_tier": "1000",
                "is_prime": false, "is_gift": false, "gifter_is_anonymous": null,
            }),
            somebody("gifter_user", None),
        ]);
        self.notice("resub", Some(login), &format!("{} subscribed for {months} months", user.name), text, body);
        let own = json!({
            "tier": "1000", "message": { "text": text, "emotes": emotes(text) }, "cumulative_months": months,
            "streak_months": null, "duration_months": 1,
        });
        self.tell("channel.subscription.message", "1", [person("user", &user), own]);
    }

    pub fn subscription_end(&self, login: &str) {
        let user = self.user(login);
        self.remember(|memory| memory.subscribers.retain(|known| known.user != user));
        let own = json!({ "tier": "1000", "is_gift": false });
        self.tell("channel.subscription.end", "1", [person("user", &user), own]);
    }

    /// One sub for one: chat has no bomb.
    pub fn gift(&self, gifter: Option<&str>, recipient: &str) {
        let gifter = gifter.map(|login| self.user(login));
        self.tell_gifts(gifter.as_ref(), &[self.user(recipient)], None);
    }

    /// Several at once, one for each of these. Returns the id that holds the notices together.
    pub fn gift_bomb(&self, gifter: Option<&str>, recipients: &[&str]) -> String {
        let gifter = gifter.map(|login| self.user(login));
        let recipients: Vec<User> = recipients.iter().map(|login| self.user(login)).collect();
        let id = new_id();
        let total = gifter.as_ref().map(|_| recipients.len() + 10);
        let body = json!({ "id": id, "total": recipients.len(), "sub_tier": "1000", "cumulative_total": total });
        let system = format!("{} gifted {} subs", name_of(gifter.as_ref()), recipients.len());
        self.notice_by("community_sub_gift", gifter.as_ref(), &system, "", body);
        self.tell_gifts(gifter.as_ref(), &recipients, Some(&id));
        id
    }

    fn tell_gifts(&self, gifter: Option<&User>, recipients: &[User], bomb: Option<&str>) {
        let total = gifter.map(|_| recipients.len() + 10);
        let own = json!({
            "total": recipients.len(), "tier": "1000", "cumulative_total": total, "is_anonymous": gifter.is_none(),
        });
        self.tell("channel.subscription.gift", "1", [somebody("user", gifter), own]);
        for recipient in recipients {
            self.add_subscriber(recipient, "1000", gifter, true);
            let body = merged([
                json!({
                    "duration_months": 1, "cumulative_total": null, "sub_tier": "1000", "community_gift_id": bomb,
                }),
                person("recipient_user", recipient),
            ]);
            let system = format!("{} gifted a sub to {}", name_of(gifter), recipient.name);
            self.notice_by("sub_gift", gifter, &system, "", body);
            self.tell_subscribe(recipient, "1000", true);
        }
    }

    /// Bits: as a line of chat, as a cheer, and as bits that were used. Returns the id of the line.
    pub fn cheer(&self, login: &str, bits: u64, text: &str) -> String {
        let user = self.user(login);
        let text = format!("Cheer{bits} {text}").trim_end().to_owned();
        let id = self.line(login, &text).bits(bits).say();
        self.tell_cheer(Some(&user), bits, &text);
        let own = json!({
            "bits": bits, "type": "cheer", "power_up": null, "custom_power_up": null,
            "message": message(&text, true, |login| self.user(login)),
        });
        self.tell("channel.bits.use", "1", [person("user", &user), own]);
        id
    }

    /// Nobody knows who; chat does not show it.
    pub fn cheer_anonymously(&self, bits: u64, text: &str) {
        self.tell_cheer(None, bits, &format!("Cheer{bits} {text}"));
    }

    fn tell_cheer(&self, user: Option<&User>, bits: u64, text: &str) {
        let own = json!({ "is_anonymous": user.is_none(), "message": text, "bits": bits });
        self.tell("channel.cheer", "1", [somebody("user", user), own]);
    }

    /// Somebody comes with viewers.
    pub fn raid(&self, login: &str, viewers: u64) {
        let from = self.user(login);
        let body = merged([
            person("user", &from),
            json!({ "viewer_count": viewers, "profile_image_url": format!("http://127.0.0.1/{login}.png") }),
        ]);
        self.notice("raid", Some(login), &format!("{viewers} raiders from {} have joined!", from.name), "", body);
        self.notify("channel.raid", "1", raid(&from, &self.broadcaster, viewers));
    }

    /// The broadcaster goes to somebody else with the viewers.
    pub fn raid_out(&self, login: &str, viewers: u64) {
        let to = self.user(login);
        self.notify("channel.raid", "1", raid(&self.broadcaster, &to, viewers));
        let body = merged([person("user", &to), json!({ "viewer_count": viewers })]);
        self.tell_moderated(&self.broadcaster, "raid", Some(("raid", body)));
    }
}

fn raid(from: &User, to: &User, viewers: u64) -> Value {
    merged([person("from_broadcaster_user", from), person("to_broadcaster_user", to), json!({ "viewers": viewers })])
}

fn name_of(user: Option<&User>) -> &str {
    user.map_or("An anonymous user", |user| &user.name)
}
