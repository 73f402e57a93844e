//! Clips: asked for, and there a little later.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::channels::broadcaster;
use super::{Pairs, all, authorize, get, identify};
use crate::twitch::memory::Clip;
use crate::twitch::refusal::Refusal;
use crate::twitch::state::{State, new_id, written};

pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let (_, creator) = authorize(&state, &headers, "clips:edit")?;
    let broadcaster = broadcaster(&state, &query)?;
    if state.rooms().of(&broadcaster.id).live.is_none() {
        return Err(Refusal::new(404, "Clipping is not possible for an offline channel"));
    }
    let clip = Clip {
        id: format!("Clip{}", new_id().replace('-', "")),
        broadcaster,
        creator,
        title: get(&query, "title").unwrap_or_default().to_owned(),
        created_at: state.now(),
    };
    let edit = format!("http://127.0.0.1/{}/edit", clip.id);
    let answer = json!({ "data": [{ "id": clip.id, "edit_url": edit }] });
    state.rooms().clips.push(clip);
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

pub(super) async fn read(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    identify(&state, &headers)?;
    let rooms = state.rooms();
    let wanted: Vec<&str> = all(&query, "id").collect();
    let found = rooms.clips.iter().filter(|clip| {
        wanted.contains(&clip.id.as_str()) || get(&query, "broadcaster_id") == Some(clip.broadcaster.id.as_str())
    });
    let data = found.map(|clip| {
        json!({
            "id": clip.id, "url": format!("http://127.0.0.1/{}", clip.id), "embed_url": "",
            "broadcaster_id": clip.broadcaster.id, "broadcaster_name": clip.broadcaster.name,
            "creator_id": clip.creator.id, "creator_name": clip.creator.name, "video_id": "", "game_id": "509658",
            "language": "en", "title": clip.title, "view_count": 0, "created_at": written(clip.created_at),
            "thumbnail_url": "", "duration": 30.0, "vod_offset": null, "is_featured": false,
        })
    });
    Ok(Json(json!({ "data": data.collect::<Vec<_>>(), "pagination": {} })))
}
