//! What a channel is about, whether it is live, and the categories there are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Pairs, all, authorize, check_self, identify, known_user, needed};
use crate::twitch::memory::CATEGORIES;
use crate::twitch::refusal::Refusal;
use crate::twitch::room::Room;
use crate::twitch::state::{State, written};
use crate::twitch::users::User;

pub(super) async fn read(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    identify(&state, &headers)?;
    needed(&query, "broadcaster_id")?;
    let found: Vec<User> = {
        let users = state.users();
        all(&query, "broadcaster_id").filter_map(|id| users.with_id(id)).collect()
    };
    let mut rooms = state.rooms();
    let data = found.iter().map(|user| {
        let room = rooms.of(&user.id);
        json!({
            "broadcaster_id": user.id, "broadcaster_login": user.login, "broadcaster_name": user.name,
            "broadcaster_language": room.language, "game_id": room.category.0, "game_name": room.category.1,
            "title": room.title, "delay": 0, "tags": room.tags, "content_classification_labels": room.labels,
            "is_branded_content": false,
        })
    });
    Ok(Json(json!({ "data": data.collect::<Vec<_>>() })))
}

pub(super) async fn change(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let (_, user) = authorize(&state, &headers, "channel:manage:broadcast")?;
    check_self("broadcaster_id", needed(&query, "broadcaster_id")?, &user)?;
    let fields = body.as_object().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| Refusal::bad("At least one field is needed"))?;
    let text = |name: &str| fields.get(name).map(|value| value.as_str().unwrap_or_default());
    if text("title").is_some_and(str::is_empty) {
        return Err(Refusal::bad("The title field may not contain an empty string"));
    }
    let category = match text("game_id") {
        None => None,
        Some("" | "0") => Some((String::new(), String::new())),
        Some(id) => {
            let found = CATEGORIES.into_iter().find(|(known, _)| *known == id);
            let (id, name) = found.ok_or_else(|| Refusal::bad("The ID in game_id is not valid"))?;
            Some((id.to_owned(), name.to_owned()))
        }
    };
    let tags = match fields.get("tags").and_then(Value::as_array) {
        None => None,
        Some(tags) => {
            let tags: Vec<&str> = tags.iter().filter_map(Value::as_str).collect();
            let is_good = |tag: &&str| !tag.is_empty() && tag.chars().count() <= 25 && !tag.contains(' ');
            if tags.len() > 10 || !tags.iter().all(is_good) {
                return Err(Refusal::bad("A tag is empty, too long or has spaces, or there are more than 10"));
            }
            Some(tags.into_iter().map(str::to_owned).collect())
        }
    };
    {
        let mut rooms = state.rooms();
        let room = rooms.of(&user.id);
        room.category = category.unwrap_or_else(|| room.category.clone());
        room.title = text("title").map_or_else(|| room.title.clone(), str::to_owned);
        room.language = text("broadcaster_language").map_or_else(|| room.language.clone(), str::to_owned);
        room.tags = tags.unwrap_or_else(|| room.tags.clone());
    }
    Room::of(&state, user).tell_update();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn streams(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    identify(&state, &headers)?;
    let found: Vec<User> = {
        let users = state.users();
        let by_id = all(&query, "user_id").filter_map(|id| users.with_id(id));
        by_id.chain(all(&query, "user_login").filter_map(|login| users.known(login))).collect()
    };
    let mut rooms = state.rooms();
    let data = found.iter().filter_map(|user| {
        let room = rooms.of(&user.id);
        let live = room.live.as_ref()?;
        Some(json!({
            "id": live.id, "user_id": user.id, "user_login": user.login, "user_name": user.name,
            "game_id": room.category.0, "game_name": room.category.1, "type": "live", "title": room.title,
            "tags": room.tags, "viewer_count": live.viewers, "started_at": written(live.started_at),
            "language": room.language, "thumbnail_url": "", "tag_ids": [], "is_mature": false,
        }))
    });
    Ok(Json(json!({ "data": data.collect::<Vec<_>>(), "pagination": {} })))
}

fn category(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name, "box_art_url": format!("http://127.0.0.1/{id}.png") })
}

/// Whatever has a word of the question in it; null when nothing has.
pub(super) async fn search(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    identify(&state, &headers)?;
    let words = needed(&query, "query")?.to_lowercase();
    let has_word = |name: &str| words.split_whitespace().any(|word| name.to_lowercase().contains(word));
    let found: Vec<Value> =
        CATEGORIES.into_iter().filter(|(_, name)| has_word(name)).map(|(id, name)| category(id, name)).collect();
    let data = if found.is_empty() { Value::Null } else { found.into() };
    Ok(Json(json!({ "data": data, "pagination": {} })))
}

pub(super) async fn games(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    identify(&state, &headers)?;
    let is_wanted = |id: &str, name: &str| {
        all(&query, "id").any(|wanted| wanted == id) || all(&query, "name").any(|wanted| wanted == name)
    };
    let found = CATEGORIES.into_iter().filter(|(id, name)| is_wanted(id, name)).map(|(id, name)| {
        let mut game = category(id, name);
        game["igdb_id"] = "".into();
        game
    });
    Ok(Json(json!({ "data": found.collect::<Vec<_>>() })))
}

/// For those that name a broadcaster who must exist.
pub(super) fn broadcaster(state: &State, query: &Pairs) -> Result<User, Refusal> {
    known_user(state, needed(query, "broadcaster_id")?)
}
