//! Polls, predictions and hype trains, from their begin to their end.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::twitch::fields::{merged, person};
use crate::twitch::room::Room;
use crate::twitch::state::{new_id, written};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Something that begins, goes on and ends.
pub struct Contest {
    id: String,
    title: String,
    /// Id and name.
    options: Vec<(String, String)>,
    started_at: String,
    later: String,
}

impl Room<'_> {
    fn contest(&self, title: &str, options: &[&str]) -> Contest {
        Contest {
            id: new_id(),
            title: title.to_owned(),
            options: options.iter().map(|name| (new_id(), (*name).to_owned())).collect(),
            started_at: written(self.now()),
            later: written(self.now() + MINUTE),
        }
    }

    // ---- polls ------------------------------------------------------------------------------------------------

    pub fn poll_begin(&self, title: &str, choices: &[&str]) -> Contest {
        let poll = self.contest(title, choices);
        self.tell_poll("begin", &poll, None, json!({ "ends_at": poll.later }));
        poll
    }

    pub fn poll_progress(&self, poll: &Contest, votes: &[u64]) {
        self.tell_poll("progress", poll, Some(votes), json!({ "ends_at": poll.later }));
    }

    /// "completed", "terminated" or "archived".
    pub fn poll_end(&self, poll: &Contest, votes: &[u64], status: &str) {
        self.tell_poll("end", poll, Some(votes), json!({ "ended_at": poll.later, "status": status }));
    }

    fn tell_poll(&self, what: &str, poll: &Contest, votes: Option<&[u64]>, end: Value) {
        let choices: Vec<Value> = (poll.options.iter().enumerate())
            .map(|(at, (id, title))| match votes.map(|votes| votes[at]) {
                None => json!({ "id": id, "title": title }),
                Some(votes) => {
                    json!({ "id": id, "title": title, "bits_votes": 0, "channel_points_votes": 0, "votes": votes })
                }
            })
            .collect();
        let own = json!({
            "id": poll.id, "title": poll.title, "choices": choices, "started_at": poll.started_at,
            "bits_voting": { "is_enabled": false, "amount_per_vote": 0 },
            "channel_points_voting": { "is_enabled": true, "amount_per_vote": 10 },
        });
        self.tell(&format!("channel.poll.{what}"), "1", [own, end]);
    }

    // ---- predictions ------------------------------------------------------------------------------------------

    pub fn prediction_begin(&self, title: &str, outcomes: &[&str]) -> Contest {
        let prediction = self.contest(title, outcomes);
        self.tell_prediction("begin", &prediction, None, json!({ "locks_at": prediction.later }));
        prediction
    }

    /// Points on each outcome.
    pub fn prediction_progress(&self, prediction: &Contest, points: &[u64]) {
        self.tell_prediction("progress", prediction, Some(points), json!({ "locks_at": prediction.later }));
    }

    pub fn prediction_lock(&self, prediction: &Contest, points: &[u64]) {
        self.tell_prediction("lock", prediction, Some(points), json!({ "locked_at": prediction.later }));
    }

    /// Resolved for one of the outcomes, or canceled.
    pub fn prediction_end(&self, prediction: &Contest, points: &[u64], winner: Option<usize>) {
        let end = json!({
            "ended_at": prediction.later, "status": if winner.is_some() { "resolved" } else { "canceled" },
            "winning_outcome_id": winner.map(|winner| prediction.options[winner].0.clone()),
        });
        self.tell_prediction("end", prediction, Some(points), end);
    }

    fn tell_prediction(&self, what: &str, prediction: &Contest, points: Option<&[u64]>, end: Value) {
        let predictor = self.user("predictor");
        let outcomes = prediction.options.iter().enumerate().map(|(at, (id, title))| {
            let color = if at == 0 { "blue" } else { "pink" };
            let Some(points) = points.map(|points| points[at]) else {
                return json!({ "id": id, "title": title, "color": color });
            };
            let top = merged([
                person("user", &predictor),
                json!({ "channel_points_won": null, "channel_points_used": points }),
            ]);
            json!({
                "id": id, "title": title, "color": color, "users": 1, "channel_points": points,
                "top_predictors": [top],
            })
        });
        let own = json!({
            "id": prediction.id, "title": prediction.title, "outcomes": outcomes.collect::<Vec<_>>(),
            "started_at": prediction.started_at,
        });
        self.tell(&format!("channel.prediction.{what}"), "1", [own, end]);
    }

    // ---- hype trains, in both versions ------------------------------------------------------------------------

    pub fn hype_train_begin(&self) -> Contest {
        let train = self.contest("", &[]);
        let record = json!({ "all_time_high_level": 4, "all_time_high_total": 2845 });
        self.tell_train("begin", &train, 1, 137, record);
        train
    }

    pub fn hype_train_progress(&self, train: &Contest, level: u64, total: u64) {
        self.tell_train("progress", train, level, total, json!({}));
    }

    pub fn hype_train_end(&self, train: &Contest, level: u64, total: u64) {
        let end = json!({ "level": level, "total": total, "ended_at": train.later, "cooldown_ends_at": train.later });
        let own = merged([self.train(train), end]);
        self.tell("channel.hype_train.end", "1", [own.clone()]);
        self.tell("channel.hype_train.end", "2", [own, second_train()]);
    }

    fn train(&self, train: &Contest) -> Value {
        let top = merged([person("user", &self.user("generous")), json!({ "type": "bits", "total": 50 })]);
        json!({ "id": train.id, "top_contributions": [top], "started_at": train.started_at })
    }

    fn tell_train(&self, what: &str, train: &Contest, level: u64, total: u64, record: Value) {
        let own = self.train(train);
        let state = json!({
            "level": level, "total": total, "progress": total % 500, "goal": 500, "expires_at": train.later,
        });
        let last = json!({ "last_contribution": own["top_contributions"][0] });
        let name = format!("channel.hype_train.{what}");
        self.tell(&name, "1", [own.clone(), state.clone(), last]);
        self.tell(&name, "2", [own, state, second_train(), record]);
    }
}

/// What version 2 has beyond version 1.
fn second_train() -> Value {
    json!({ "shared_train_participants": null, "is_shared_train": false, "type": "regular" })
}
