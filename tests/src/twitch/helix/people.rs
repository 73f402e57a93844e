//! Users, followers, subscribers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::lists::page;
use super::{Pairs, all, authorize, check_self, get, identify, needed};
use crate::twitch::fields::{merged, person, somebody};
use crate::twitch::refusal::Refusal;
use crate::twitch::state::{State, written};
use crate::twitch::users::User;

fn described(user: &User) -> Value {
    json!({
        "id": user.id, "login": user.login, "display_name": user.name, "type": "", "broadcaster_type": "affiliate",
        "description": "", "profile_image_url": format!("http://127.0.0.1/{}.png", user.login),
        "offline_image_url": "", "view_count": 0, "created_at": "2020-01-05T10:11:12Z",
    })
}

pub(super) async fn users(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let caller = identify(&state, &headers)?;
    if query.len() > 100 {
        return Err(Refusal::bad("The number of users is limited to 100"));
    }
    let users = state.users();
    let mut found: Vec<User> = all(&query, "id").filter_map(|id| users.with_id(id)).collect();
    found.extend(all(&query, "login").filter_map(|login| users.known(login)));
    if query.is_empty() {
        found.push(caller.user.ok_or_else(|| Refusal::bad("Must provide an ID, Login or OAuth Token"))?);
    }
    found.sort();
    found.dedup();
    let data: Vec<Value> = found.iter().map(described).collect();
    Ok(Json(json!({ "data": data })))
}

pub(super) async fn followers(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let broadcaster = needed(&query, "broadcaster_id")?;
    let (_, user) = authorize(&state, &headers, "moderator:read:followers")?;
    if !state.users().is_moderator(broadcaster, &user.id) {
        return Err(Refusal::new(401, "The user is not one of the broadcaster's moderators"));
    }
    let mut rooms = state.rooms();
    // The newest first.
    let followers = rooms.of(broadcaster).followers.iter().rev();
    let wanted = followers.filter(|(user, _)| get(&query, "user_id").is_none_or(|id| id == user.id));
    let items = wanted.map(|(user, at)| merged([person("user", user), json!({ "followed_at": written(*at) })]));
    page(items.collect(), &query).map(Json)
}

pub(super) async fn subscribers(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let id = needed(&query, "broadcaster_id")?;
    let (_, broadcaster) = authorize(&state, &headers, "channel:read:subscriptions")?;
    check_self("broadcaster_id", id, &broadcaster)?;
    let mut rooms = state.rooms();
    let subscribers = &rooms.of(id).subscribers;
    let wanted: Vec<&str> = all(&query, "user_id").collect();
    let items = subscribers.iter().filter(|one| wanted.is_empty() || wanted.contains(&one.user.id.as_str()));
    let items = items.map(|one| {
        let gifter = match &one.gifter {
            Some(gifter) => person("gifter", gifter),
            // Helix has empty texts where EventSub has null.
            None if !one.is_gift => json!({ "gifter_id": "", "gifter_login": "", "gifter_name": "" }),
            None => somebody("gifter", None),
        };
        let plan = json!({
            "is_gift": one.is_gift, "tier": one.tier, "plan_name": format!("Subscription ({})", broadcaster.name),
        });
        merged([person("broadcaster", &broadcaster), gifter, person("user", &one.user), plan])
    });
    let mut answer = page(items.collect(), &query)?;
    answer["points"] = subscribers.len().into();
    Ok(Json(answer))
}
