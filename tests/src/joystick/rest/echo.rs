//! `/echo`: a bot's own developer lets something happen.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::text;
use crate::joystick::STREAMER;
use crate::joystick::oauth::Refusal;
use crate::joystick::room::Room;
use crate::joystick::state::State;
use crate::joystick::tokens::has_basic_header;

pub(super) async fn echo(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    if !has_basic_header(&headers) {
        return Err(Refusal(401, "unauthorized"));
    }
    let data = || text(&body, "/sample/data");
    let room = Room::of(&state, state.channel(STREAMER));
    match text(&body, "/sample/event")?.as_str() {
        "SendMessage" => room.say("someviewer", &data()?),
        "EnterStream" => room.enter("someviewer"),
        "LeaveStream" => room.leave("someviewer"),
        "StreamEvent" => match data()?.as_str() {
            "Tipped" => room.tip("someviewer", 25, None),
            "TipMenu" => room.tip("someviewer", 25, Some("Hydrate")),
            _ => return Err(Refusal(422, "unknown sample")),
        },
        _ => return Err(Refusal(422, "unknown sample")),
    };
    Ok(Json(json!({})))
}
