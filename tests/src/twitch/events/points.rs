//! Channel points.

use serde_json::{Value, json};

use crate::twitch::fields::{merged, person};
use crate::twitch::memory::{Redemption, Reward};
use crate::twitch::room::Room;
use crate::twitch::state::{new_id, written};

impl Room<'_> {
    /// A reward of this name; made when there is none. Returns its id.
    pub fn reward(&self, title: &str, cost: u64) -> String {
        self.remember(|memory| {
            if let Some(known) = memory.rewards.iter().find(|reward| reward.title == title) {
                return known.id.clone();
            }
            let id = new_id();
            memory.rewards.push(Reward { id: id.clone(), title: title.to_owned(), cost });
            id
        })
    }

    /// Somebody redeems a reward. Returns the id of that.
    pub fn redeem(&self, login: &str, title: &str, input: &str) -> String {
        let redemption = self.note_redemption(login, title, input);
        self.tell_redemption("channel.channel_points_custom_reward_redemption.add", &redemption);
        redemption.id
    }

    /// Only Helix knows of it.
    pub fn redeem_unheard(&self, login: &str, title: &str, input: &str) -> String {
        self.note_redemption(login, title, input).id
    }

    fn note_redemption(&self, login: &str, title: &str, input: &str) -> Redemption {
        let reward = self.reward(title, 500);
        let user = self.user(login);
        let redeemed_at = self.now();
        self.remember(|memory| {
            let reward = memory.rewards.iter().find(|known| known.id == reward).cloned().expect("a reward");
            let redemption = Redemption {
                id: new_id(),
                reward,
                user,
                input: input.to_owned(),
                status: "unfulfilled".to_owned(),
                redeemed_at,
            };
            memory.redemptions.push(redemption.clone());
            redemption
        })
    }

    /// "fulfilled" or "canceled".
    pub fn settle(&self, redemption_id: &str, status: &str) {
        let found = self.remember(|memory| {
            let found = memory.redemptions.iter_mut().find(|one| one.id == redemption_id)?;
            status.clone_into(&mut found.status);
            Some(found.clone())
        });
        self.tell_redemption(
            "channel.channel_points_custom_reward_redemption.update",
            &found.expect("a redemption that there is"),
        );
    }

    fn tell_redemption(&self, name: &str, one: &Redemption) {
        let own = json!({
            "id": one.id, "user_input": one.input, "status": one.status, "redeemed_at": written(one.redeemed_at),
            "reward": { "id": one.reward.id, "title": one.reward.title, "cost": one.reward.cost, "prompt": "" },
        });
        self.tell(name, "1", [person("user", &one.user), own]);
    }

    /// A reward that Twitch made, such as a highlighted message; in both versions.
    pub fn redeem_automatic(&self, login: &str, kind: &str, text: &str) {
        let user = self.user(login);
        let name = "channel.channel_points_automatic_reward_redemption.add";
        let both = merged([person("user", &user), json!({ "id": new_id(), "redeemed_at": written(self.now()) })]);
        let first = json!({
            "reward": { "type": kind, "cost": 100, "unlocked_emote": null },
            "message": { "text": text, "emotes": [] }, "user_input": text,
        });
        self.tell(name, "1", [both.clone(), first]);
        let second = json!({
            "reward": { "type": kind, "channel_points": 100, "emote": null },
            "message": { "text": text, "fragments": [{ "type": "text", "text": text, "emote": Value::Null }] },
        });
        self.tell(name, "2", [both, second]);
    }
}
