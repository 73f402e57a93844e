//! Helix: its routes, who may call, and how often.

mod channels;
mod chat;
mod clips;
mod lists;
mod moderation;
mod people;
mod points;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get as on_get, post};
use jiff::Timestamp;

use super::kinds::has_scope;
use super::refusal::Refusal;
use super::state::State;
use super::subscriptions;
use super::tokens::Caller;
use super::users::User;

pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/eventsub/subscriptions",
            post(subscriptions::create).get(subscriptions::list).delete(subscriptions::delete),
        )
        .route("/chat/messages", post(chat::send))
        .route("/chat/announcements", post(chat::announce))
        .route("/chat/shoutouts", post(chat::shout_out))
        .route("/whispers", post(chat::whisper))
        .route("/moderation/bans", post(moderation::ban).delete(moderation::unban))
        .route("/moderation/chat", delete(moderation::delete_message))
        .route("/moderation/warnings", post(moderation::warn))
        .route("/moderation/automod/message", post(moderation::judge))
        .route("/users", on_get(people::users))
        .route("/channels/followers", on_get(people::followers))
        .route("/subscriptions", on_get(people::subscribers))
        .route("/channels", on_get(channels::read).patch(channels::change))
        .route("/streams", on_get(channels::streams))
        .route("/search/categories", on_get(channels::search))
        .route("/games", on_get(channels::games))
        .route("/channel_points/custom_rewards", on_get(points::rewards))
        .route("/channel_points/custom_rewards/redemptions", on_get(points::redemptions))
        .route("/clips", post(clips::create).get(clips::read))
}

/// A query, in which a key may come more than once.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn get<'a>(query: &'a Pairs, name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn all<'a>(query: &'a Pairs, name: &'a str) -> impl Iterator<Item = &'a str> {
    query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn needed<'a>(query: &'a Pairs, name: &str) -> Result<&'a str, Refusal> {
    let value = get(query, name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::bad(format!("Missing required parameter \"{name}\"")))
}

/// Who calls. Both headers are needed, and must belong together.
pub(super) fn identify(state: &State, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let token = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| Refusal::new(401, "OAuth token is missing"))?;
    let client_id = text("client-id").ok_or_else(|| Refusal::new(401, "Client-Id header required"))?;
    let caller = state.tokens().caller(token).ok_or_else(|| Refusal::new(401, "Invalid OAuth token"))?;
    if caller.client_id != client_id {
        return Err(Refusal::new(401, "Client ID and OAuth token do not match"));
    }
    Ok(caller)
}

/// A user who has one of the scopes `a|b`.
fn authorize(state: &State, headers: &HeaderMap, either: &str) -> Result<(Caller, User), Refusal> {
    let caller = identify(state, headers)?;
    let Some(user) = caller.user.clone() else {
        return Err(Refusal::new(401, "User access token required"));
    };
    if !either.is_empty() && !has_scope(&caller, either) {
        return Err(Refusal::new(401, format!("Missing scope: {}", either.replace('|', " or "))));
    }
    Ok((caller, user))
}

/// The user that a parameter names must be the token's.
fn check_self(name: &str, value: &str, user: &User) -> Result<(), Refusal> {
    if value == user.id {
        return Ok(());
    }
    Err(Refusal::new(401, format!("The ID in {name} must match the user ID found in the request's OAuth token")))
}

/// `broadcaster_id` and `moderator_id`, who is the token's user and may moderate there.
fn check_moderator<'a>(state: &State, query: &'a Pairs, user: &User) -> Result<&'a str, Refusal> {
    let broadcaster = needed(query, "broadcaster_id")?;
    check_self("moderator_id", needed(query, "moderator_id")?, user)?;
    if !state.users().is_moderator(broadcaster, &user.id) {
        return Err(Refusal::new(403, "The user in moderator_id is not one of the broadcaster's moderators"));
    }
    Ok(broadcaster)
}

fn known_user(state: &State, id: &str) -> Result<User, Refusal> {
    state.users().with_id(id).ok_or_else(|| Refusal::bad(format!("the user {id} does not exist")))
}

/// How many points each application and user has left.
#[derive(Default)]
pub(super) struct Meters {
    by_caller: HashMap<(String, String), Meter>,
}

struct Meter {
    points: f64,
    filled: Instant,
}

impl Meters {
    /// Takes a point. Returns whether there was one, how many are left, and how long until all are back.
    fn take(&mut self, caller: (String, String), limit: f64) -> (bool, f64, Duration) {
        let now = Instant::now();
        let meter = self.by_caller.entry(caller).or_insert(Meter { points: limit, filled: now });
        let back = now.duration_since(meter.filled).as_secs_f64() * limit / 60.0;
        meter.points = (meter.points + back).min(limit);
        meter.filled = now;
        let has_one = meter.points >= 1.0;
        if has_one {
            meter.points -= 1.0;
        }
        (has_one, meter.points.floor(), Duration::from_secs_f64((limit - meter.points) * 60.0 / limit))
    }

    /// Nobody has a point left.
    pub(super) fn empty(&mut self) {
        for meter in self.by_caller.values_mut() {
            *meter = Meter { points: 0.0, filled: Instant::now() };
        }
    }
}

/// Counts calls, and says in headers how many more there may be.
pub(super) async fn meter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let Ok(caller) = identify(&state, request.headers()) else {
        return next.run(request).await;
    };
    let key = (caller.client_id, caller.user.map(|user| user.id).unwrap_or_default());
    let limit = state.behaviour().points_per_minute;
    let (has_one, left, full_after) = state.meters().take(key, limit);
    let mut response =
        if has_one { next.run(request).await } else { Refusal::new(429, "Too many requests").into_response() };
    let full_at = Timestamp::now().as_second() + i64::try_from(full_after.as_secs()).unwrap() + 1;
    let headers =
        [("ratelimit-limit", limit as i64), ("ratelimit-remaining", left as i64), ("ratelimit-reset", full_at)];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from(value));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
