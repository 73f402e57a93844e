//! Looks up what happened while there was no connection: Twitch never sends it again.
//!
//! Followers and open redemptions have times, so the newest are read until they are older than the gap. Subscribers
//! have none: who is on the list and was not before the gap is new, which finds those who began to subscribe, not those
//! who went on, and needs a list from before, so not after a run that was killed, and not with more subscribers than
//! [`MOST_SUBSCRIBER_PAGES`]. Redemptions are told only of rewards that this application made. Whether the stream is
//! live and what it is called is compared with what was last known.
//!
//! What is found is handed to the source; ids and the sequencer see to it that nothing is told twice.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::event::{missed_follow, missed_redemption, missed_subscription};
use super::super::eventsub::read_time;
use super::super::helix::{Helix, HelixError, Request};
use super::memory::{Memory, State, Stream};
use crate::auth::Access;
use crate::event::{Channel, Draft, now_ms};
use crate::platform::Backoff;

/// How long after something happened Twitch may still be about to send it. What is found twice is told once.
const SLACK_MS: u64 = 10_000;
/// A hundred each.
const MOST_FOLLOWER_PAGES: usize = 10;
const MOST_SUBSCRIBER_PAGES: usize = 50;
/// Fifty each.
const MOST_REDEMPTION_PAGES: usize = 4;
/// Twitch lets a channel have fifty.
const MOST_REWARDS: usize = 50;
/// Tries of one call: about ten seconds.
const TRIES: u32 = 5;

/// What is looked up on its own, as each can fail on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum What {
    Stream,
    Subscribers,
    Followers,
    Redemptions,
}

impl What {
    pub(super) const ALL: [Self; 4] = [Self::Stream, Self::Subscribers, Self::Followers, Self::Redemptions];

    /// The types that tell the same live: what nobody listens to is not looked up either, or not told.
    pub(super) fn topics(self) -> &'static [&'static str] {
        match self {
            Self::Stream => &["stream.online", "stream.offline", "channel.update"],
            Self::Subscribers => &["channel.subscribe"],
            Self::Followers => &["channel.follow"],
            Self::Redemptions => &["channel.channel_points_custom_reward_redemption.add"],
        }
    }

    pub(super) fn told_by(topic: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.topics().contains(&topic))
    }
}

impl Display for What {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stream => "the stream",
            Self::Subscribers => "subscribers",
            Self::Followers => "followers",
            Self::Redemptions => "redemptions",
        })
    }
}

/// What may be missing of a channel.
pub(super) type Gap = (Channel, What);

#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) gap: Gap,
    /// `None` only learns how things stand.
    pub(super) since_ms: Option<u64>,
}

/// What was missed.
#[derive(Debug)]
pub(super) enum Missed {
    Event(Box<Draft>),
    /// As if it had been sent.
    Notice {
        channel: Channel,
        topic: &'static str,
        version: &'static str,
        id: String,
        at_ms: Option<u64>,
        event: Value,
    },
}

/// What was missed, oldest first.
pub(super) async fn look_up(helix: &Helix, memory: &Memory, errand: &Errand) -> Result<Vec<Missed>, HelixError> {
    let Errand { gap: (channel, what), since_ms } = errand;
    let look_up = LookUp { helix, memory, channel };
    let since_ms = since_ms.map(|since_ms| since_ms.saturating_sub(SLACK_MS));
    match (what, since_ms) {
        (What::Stream, _) => look_up.stream(errand.since_ms).await,
        (What::Subscribers, _) => look_up.subscribers(since_ms.is_some()).await,
        (What::Followers, Some(since_ms)) => look_up.followers(since_ms).await,
        (What::Redemptions, Some(since_ms)) => look_up.redemptions(since_ms).await,
        (What::Followers | What::Redemptions, None) => Ok(Vec::new()),
    }
}

/// A stream and its channel, as Twitch shows them.
struct Shown {
    /// `None` while it is offline.
    live: Option<Value>,
    channel: Value,
}

impl Shown {
    fn stream(&self) -> Stream {
        Stream {
            state: match &self.live {
                Some(live) => State::Live { id: text(live, "id").to_owned() },
                None => State::Offline,
            },
            title: text(&self.channel, "title").to_owned(),
            category_id: text(&self.channel, "game_id").to_owned(),
        }
    }
}

struct LookUp<'a> {
    helix: &'a Helix,
    memory: &'a Memory,
    channel: &'a Channel,
}

impl LookUp<'_> {
    async fn followers(&self, since_ms: u64) -> Result<Vec<Missed>, HelixError> {
        let request =
            Request::get("channels/followers").query("broadcaster_id", &*self.channel.id).query("first", "100");
        let items = self.newest(request, MOST_FOLLOWER_PAGES, "followed_at", since_ms).await?;
        Ok(items.iter().filter_map(|item| missed_follow(self.channel, item)).map(event).collect())
    }

    async fn subscribers(&self, is_after_gap: bool) -> Result<Vec<Missed>, HelixError> {
        self.memory.begin_subscribers(self.channel);
        let listed = self.all_subscribers().await.inspect_err(|_| self.memory.leave_subscribers(self.channel))?;
        let Some(items) = listed else {
            self.memory.forget_subscribers(self.channel);
            tracing::debug!(channel = %self.channel, "There are more subscribers than are kept to compare them after a gap.");
            return Ok(Vec::new());
        };
        let user_id = |item: &Value| item.get("user_id").and_then(Value::as_str).map(str::to_owned);
        let listed: Vec<&str> = items.iter().filter_map(|item| item.get("user_id")?.as_str()).collect();
        let new = self.memory.take_subscribers(self.channel, &listed);
        let new = items.iter().filter(|item| is_after_gap && user_id(item).is_some_and(|id| new.contains(&id)));
        Ok(new.filter_map(|item| missed_subscription(self.channel, item, now_ms())).map(event).collect())
    }

    /// `None` when there are too many.
    async fn all_subscribers(&self) -> Result<Option<Vec<Value>>, HelixError> {
        let request = Request::get("subscriptions").query("broadcaster_id", &*self.channel.id).query("first", "100");
        let (mut items, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_SUBSCRIBER_PAGES {
            let (page, next) = self.page(&request, cursor.as_deref()).await?;
            items.extend(page);
            cursor = next;
            if cursor.is_none() {
                return Ok(Some(items));
            }
        }
        Ok(None)
    }

    async fn redemptions(&self, since_ms: u64) -> Result<Vec<Missed>, HelixError> {
        let request = Request::get("channel_points/custom_rewards")
            .query("broadcaster_id", &*self.channel.id)
            .query("only_manageable_rewards", "true");
        let (rewards, _) = self.page(&request, None).await?;
        let ids = rewards.iter().filter_map(|reward| reward.get("id")?.as_str());
        let mut missed = Vec::new();
        for reward_id in ids.take(MOST_REWARDS) {
            let request = Request::get("channel_points/custom_rewards/redemptions")
                .query("broadcaster_id", &*self.channel.id)
                .query("reward_id", reward_id)
                .query("status", "UNFULFILLED")
                .query("sort", "NEWEST")
                .query("first", "50");
            let items = self.newest(request, MOST_REDEMPTION_PAGES, "redeemed_at", since_ms).await?;
            missed.extend(items.iter().filter_map(|item| missed_redemption(self.channel, item)));
        }
        missed.sort_by_key(|draft| draft.at_ms);
        Ok(missed.into_iter().map(event).collect())
    }

    async fn stream(&self, since_ms: Option<u64>) -> Result<Vec<Missed>, HelixError> {
        loop {
            let began = self.memory.begin_stream(self.channel);
            let shown = self.shown().await?;
            // What was heard meanwhile may be newer, and then what is missing shows only in a newer look.
            if let Some(before) = self.memory.take_stream(self.channel, began, &shown.stream()) {
                return Ok(since_ms.map(|since_ms| self.changes(&before, &shown, since_ms)).unwrap_or_default());
            }
        }
    }

    async fn shown(&self) -> Result<Shown, HelixError> {
        let (live, _) = self.page(&Request::get("streams").query("user_id", &*self.channel.id), None).await?;
        let request = Request::get("channels").query("broadcaster_id", &*self.channel.id);
        let (channels, _) = self.page(&request, None).await?;
        Ok(Shown { live: live.into_iter().next(), channel: channels.into_iter().next().unwrap_or_default() })
    }

    fn changes(&self, before: &Stream, shown: &Shown, since_ms: u64) -> Vec<Missed> {
        let Shown { live, channel } = shown;
        let now = shown.stream();
        let mut missed = Vec::new();
        let broadcaster = json!({
            "broadcaster_user_id": &*self.channel.id,
            "broadcaster_user_login": text(channel, "broadcaster_login"),
            "broadcaster_user_name": text(channel, "broadcaster_name"),
        });
        let mut notice = |topic, version, id: &str, at_ms, fields: Value| {
            let mut event = broadcaster.clone();
            if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
                event.extend(fields);
            }
            let id = format!("missed:{topic}:{id}");
            missed.push(Missed::Notice { channel: self.channel.clone(), topic, version, id, at_ms, event });
        };
        let is_another = before.state.live_id() != now.state.live_id();
        if let Some(ended) = before.state.live_id().filter(|_| is_another) {
            notice("stream.offline", "1", ended, None, json!({ "id": ended }));
            if live.is_none() {
                self.memory.tell_end(self.channel);
            }
        }
        if let Some(live) = live {
            let (id, started_at) = (text(live, "id"), text(live, "started_at"));
            let started_ms = read_time(started_at);
            let is_new = match before.state {
                // Another run may have told it.
                State::Unknown => started_ms.is_some_and(|started_ms| started_ms > since_ms),
                State::Offline | State::Live { .. } => is_another,
            };
            if is_new {
                let fields = json!({ "id": id, "type": text(live, "type"), "started_at": started_at });
                notice("stream.online", "1", id, started_ms, fields);
            }
        }
        let was_known = !before.title.is_empty() || !before.category_id.is_empty();
        if was_known && (&before.title, &before.category_id) != (&now.title, &now.category_id) {
            let id = format!("{}:{}", now.category_id, now.title);
            let fields = json!({
                "title": now.title,
                "language": text(channel, "broadcaster_language"),
                "category_id": now.category_id,
                "category_name": text(channel, "game_name"),
                "content_classification_labels": channel.get("content_classification_labels"),
            });
            notice("channel.update", "2", &id, None, fields);
        }
        missed
    }

    /// The items that are not older than `since_ms`, oldest first. They come newest first.
    async fn newest(
        &self,
        request: Request,
        pages: usize,
        time: &str,
        since_ms: u64,
    ) -> Result<Vec<Value>, HelixError> {
        let (mut items, mut cursor) = (Vec::new(), None);
        for _ in 0..pages {
            let (page, next) = self.page(&request, cursor.as_deref()).await?;
            let is_new = |item: &Value| read_time(text(item, time)).is_some_and(|at_ms| at_ms >= since_ms);
            let has_old = page.iter().any(|item| !is_new(item));
            items.extend(page.into_iter().filter(is_new));
            cursor = next;
            if has_old || cursor.is_none() {
                break;
            }
        }
        items.reverse();
        Ok(items)
    }

    async fn page(&self, request: &Request, after: Option<&str>) -> Result<(Vec<Value>, Option<String>), HelixError> {
        let request = match after {
            Some(after) => request.clone().query("after", after),
            None => request.clone(),
        };
        let mut answer = self.ask_patiently(&request).await?;
        let cursor = answer.pointer("/pagination/cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
        let cursor = cursor.filter(|cursor| Some(*cursor) != after).map(str::to_owned);
        let items = match answer.get_mut("data").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        // An empty page is the last, whatever it says.
        let cursor = cursor.filter(|_| !items.is_empty());
        Ok((items, cursor))
    }

    async fn ask_patiently(&self, request: &Request) -> Result<Value, HelixError> {
        let mut backoff = Backoff::new();
        let mut tries = 1;
        loop {
            let error = match self.ask(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_passing() && tries < TRIES => error,
                Err(error) => return Err(error),
            };
            let asked = match error {
                HelixError::Exhausted(wait) => wait,
                HelixError::Status { wait, .. } => wait.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            sleep(backoff.draw().max(asked)).await;
            tries += 1;
        }
    }

    async fn ask(&self, request: &Request) -> Result<Value, HelixError> {
        let access: Access = self.helix.access().await?;
        self.helix.ask(&access, request).await
    }
}

fn event(draft: Draft) -> Missed {
    Missed::Event(Box::new(draft))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
