//! Channel points: rewards, and who redeemed them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::lists::page;
use super::{Pairs, all, authorize, check_self, get, needed};
use crate::twitch::fields::{merged, person};
use crate::twitch::memory::{Redemption, Reward};
use crate::twitch::refusal::Refusal;
use crate::twitch::state::{State, written};
use crate::twitch::users::User;

const SCOPE: &str = "channel:read:redemptions|channel:manage:redemptions";

fn described(broadcaster: &User, reward: &Reward) -> Value {
    let own = json!({
        "id": reward.id, "title": reward.title, "prompt": "", "cost": reward.cost, "image": null,
        "default_image": {}, "background_color": "#00E5CB", "is_enabled": true, "is_user_input_required": false,
        "max_per_stream_setting": { "is_enabled": false, "max_per_stream": 0 },
        "max_per_user_per_stream_setting": { "is_enabled": false, "max_per_user_per_stream": 0 },
        "global_cooldown_setting": { "is_enabled": false, "global_cooldown_seconds": 0 },
        "is_paused": false, "is_in_stock": true, "should_redemptions_skip_request_queue": false,
        "redemptions_redeemed_current_stream": null, "cooldown_expires_at": null,
    });
    merged([person("broadcaster", broadcaster), own])
}

pub(super) async fn rewards(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let (_, user) = authorize(&state, &headers, SCOPE)?;
    check_self("broadcaster_id", needed(&query, "broadcaster_id")?, &user)?;
    let mut rooms = state.rooms();
    let wanted: Vec<&str> = all(&query, "id").collect();
    let rewards = rooms.of(&user.id).rewards.iter();
    let data = rewards.filter(|reward| wanted.is_empty() || wanted.contains(&reward.id.as_str()));
    Ok(Json(json!({ "data": data.map(|reward| described(&user, reward)).collect::<Vec<_>>() })))
}

pub(super) async fn redemptions(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let (_, user) = authorize(&state, &headers, SCOPE)?;
    check_self("broadcaster_id", needed(&query, "broadcaster_id")?, &user)?;
    let reward = needed(&query, "reward_id")?;
    let ids: Vec<&str> = all(&query, "id").collect();
    let status = get(&query, "status");
    if ids.is_empty() && !status.is_some_and(|status| ["UNFULFILLED", "FULFILLED", "CANCELED"].contains(&status)) {
        return Err(Refusal::bad("The status is missing or not one of those there are"));
    }
    let is_newest_first = match get(&query, "sort") {
        None | Some("OLDEST") => false,
        Some("NEWEST") => true,
        Some(_) => return Err(Refusal::bad("The sort is not one of those there are")),
    };
    let mut rooms = state.rooms();
    let room = rooms.of(&user.id);
    if !room.rewards.iter().any(|known| known.id == reward) {
        return Err(Refusal::new(404, "The custom reward specified in the reward_id query parameter was not found"));
    }
    let is_wanted = |one: &&Redemption| {
        one.reward.id == reward
            && (ids.is_empty() || ids.contains(&one.id.as_str()))
            && status.is_none_or(|status| one.status.eq_ignore_ascii_case(status))
    };
    let mut items: Vec<Value> = room.redemptions.iter().filter(is_wanted).map(|one| redeemed(&user, one)).collect();
    if is_newest_first {
        items.reverse();
    }
    let mut answer = page(items, &query)?;
    answer.as_object_mut().unwrap().remove("total");
    Ok(Json(answer))
}

fn redeemed(broadcaster: &User, one: &Redemption) -> Value {
    let own = json!({
        "id": one.id, "user_input": one.input, "status": one.status.to_uppercase(),
        "redeemed_at": written(one.redeemed_at),
        "reward": { "id": one.reward.id, "title": one.reward.title, "prompt": "", "cost": one.reward.cost },
    });
    merged([person("broadcaster", broadcaster), person("user", &one.user), own])
}
