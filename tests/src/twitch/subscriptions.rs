//! `/helix/eventsub/subscriptions`: making, listing and ending subscriptions, with all their limits.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::eventsub::{EventSub, Order, Subscription, notification};
use super::helix::{Pairs, get, identify};
use super::kinds::{Condition, Kind};
use super::refusal::Refusal;
use super::seen::Told;
use super::state::{State, new_id, written};
use super::tokens::Caller;

/// Connections with enabled subscriptions, of one application and user.
const CONNECTIONS: usize = 3;
const MAX_TOTAL_COST: u64 = 10;
/// Subscriptions of the same type and condition.
const SAME: usize = 3;

/// What a POST asks for.
struct Wish {
    kind: &'static Kind,
    condition: Map<String, Value>,
    session: String,
    client_id: String,
    user_id: String,
    cost: u64,
}

pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let caller = identify(&state, &headers)?;
    let wish = read(&state, &caller, &body)?;
    let now = state.now();
    let (limit, reaped_after) = {
        let behaviour = state.behaviour();
        (behaviour.max_subscriptions, behaviour.reaped_after)
    };
    let (answer, said) = {
        let mut eventsub = state.eventsub();
        eventsub.check(&wish, limit, reaped_after)?;
        let subscription = Subscription {
            id: new_id(),
            kind: wish.kind,
            condition: wish.condition,
            session: wish.session,
            client_id: wish.client_id,
            user_id: wish.user_id,
            status: "enabled".to_owned(),
            created_at: now,
            cost: wish.cost,
        };
        let said = eventsub.say_early(&subscription, now);
        let session = eventsub.sessions.get_mut(&subscription.session).ok_or_else(no_session)?;
        let owner = (subscription.client_id.clone(), subscription.user_id.clone());
        session.owner.get_or_insert_with(|| owner.clone());
        let connected_at = session.connected_at;
        let mut data = subscription.to_json();
        data["transport"]["connected_at"] = written(connected_at).into();
        let session = subscription.session.clone();
        eventsub.subscriptions.push(subscription);
        eventsub.note_use(&session);
        (eventsub.page(&owner, vec![data]), said)
    };
    for said in said {
        // An error says that the socket is gone.
        let _ = said.await;
    }
    state.requests.note_activity();
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn no_session() -> Refusal {
    Refusal::bad("websocket transport session does not exist or has already disconnected")
}

fn read(state: &State, caller: &Caller, body: &Value) -> Result<Wish, Refusal> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let kind = Kind::find(text("/type"), text("/version"))?;
    if text("/transport/method") != "websocket" {
        return Err(Refusal::bad("the transport method is not supported here"));
    }
    let Some(user) = &caller.user else {
        return Err(Refusal::bad("invalid transport and auth combination"));
    };
    let condition = body.get("condition").and_then(Value::as_object).cloned().unwrap_or_default();
    kind.check_condition(&condition)?;
    kind.check_caller(state, caller, &user.id, &condition)?;
    let cost = cost(state, &caller.client_id, kind, &condition);
    Ok(Wish {
        kind,
        condition,
        session: text("/transport/session_id").to_owned(),
        client_id: caller.client_id.clone(),
        user_id: user.id.clone(),
        cost,
    })
}

/// 0 where the condition's user agreed to the application.
fn cost(state: &State, client_id: &str, kind: &Kind, condition: &Map<String, Value>) -> u64 {
    let is_strict = state.behaviour().has_strict_cost && kind.condition != Condition::User;
    let tokens = state.tokens();
    let agreed = condition
        .iter()
        .filter(|(key, _)| !is_strict || key.contains("broadcaster"))
        .filter_map(|(_, value)| value.as_str())
        .any(|user| tokens.has_authorized(client_id, user));
    u64::from(!agreed)
}

impl EventSub {
    fn check(&self, wish: &Wish, limit: usize, reaped_after: Duration) -> Result<(), Refusal> {
        let session = self.sessions.get(&wish.session).filter(|session| session.ended.is_none());
        let session = session.ok_or_else(no_session)?;
        let owner = (wish.client_id.clone(), wish.user_id.clone());
        if session.owner.as_ref().is_some_and(|first| *first != owner) {
            return Err(Refusal::bad("websocket transport cannot have subscriptions created by different users"));
        }
        let same: Vec<&Subscription> = self
            .subscriptions
            .iter()
            .filter(|one| one.is_enabled() && one.client_id == wish.client_id)
            .filter(|one| one.kind.name == wish.kind.name && one.condition == wish.condition)
            .collect();
        if same.iter().any(|one| one.session == wish.session && one.kind.version == wish.kind.version) {
            return Err(Refusal::new(409, "subscription already exists"));
        }
        if same.len() >= SAME {
            return Err(Refusal::new(429, "maximum subscriptions with type and condition exceeded"));
        }
        if self.enabled_of(&wish.session) >= limit {
            return Err(Refusal::new(429, "maximum subscriptions on a websocket transport exceeded"));
        }
        let others = self.sessions.iter().filter(|(id, session)| {
            **id != wish.session
                && session.owner.as_ref() == Some(&owner)
                && match session.ended {
                    None => self.enabled_of(id) > 0,
                    Some(ended) => ended.elapsed() < reaped_after,
                }
        });
        let others: Vec<&String> = others.map(|(id, _)| id).collect();
        if others.len() >= CONNECTIONS {
            return Err(Refusal::new(429, "number of websocket transports limit exceeded"));
        }
        // What a session that is not reaped yet had costs still.
        let is_counted = |one: &&Subscription| one.session == wish.session || others.contains(&&one.session);
        let is_held = |one: &&Subscription| one.is_enabled() || one.status.starts_with("websocket_");
        let held = self.subscriptions.iter().filter(|one| is_counted(one) && is_held(one));
        if held.map(|one| one.cost).sum::<u64>() + wish.cost > MAX_TOTAL_COST {
            return Err(Refusal::new(429, "websocket transport subscriptions total cost exceeded"));
        }
        Ok(())
    }

    /// Tells what waits for this subscription; resolves when it was told.
    fn say_early(&mut self, subscription: &Subscription, now: jiff::Timestamp) -> Vec<oneshot::Receiver<()>> {
        let (meant, others) = std::mem::take(&mut self.early)
            .into_iter()
            .partition::<Vec<_>, _>(|(name, _)| name == subscription.kind.name);
        self.early = others;
        let mut waiting = Vec::new();
        for (_, event) in meant {
            let frame = notification(subscription, &event, &new_id(), now, false);
            for socket in self.sockets_of(&subscription.session) {
                let (said, is_said) = oneshot::channel();
                socket.order(Order::Say { frame: frame.clone(), said: Some(said) });
                waiting.push(is_said);
            }
        }
        waiting
    }

    fn page(&self, owner: &(String, String), data: Vec<Value>) -> Value {
        let own = self.subscriptions.iter().filter(|one| one.client_id == owner.0 && one.user_id == owner.1);
        let (total, cost) =
            own.filter(|one| one.is_enabled()).fold((0, 0), |(total, cost), one| (total + 1, cost + one.cost));
        json!({ "data": data, "total": total, "total_cost": cost, "max_total_cost": MAX_TOTAL_COST })
    }
}

pub(super) async fn list(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Json<Value>, Refusal> {
    let caller = identify(&state, &headers)?;
    let owner = (caller.client_id, caller.user.map(|user| user.id).unwrap_or_default());
    let filters = ["status", "type", "user_id", "subscription_id"];
    if filters.iter().filter(|name| get(&query, name).is_some()).count() > 1 {
        return Err(Refusal::bad("only one of status, type, user_id and subscription_id may be given"));
    }
    let fits = |name: &str, value: &str| get(&query, name).is_none_or(|wanted| wanted == value);
    let eventsub = state.eventsub();
    let own = eventsub.subscriptions.iter().filter(|one| one.client_id == owner.0 && one.user_id == owner.1);
    let found = own.filter(|one| {
        let names_user = || one.condition.values().any(|value| value.as_str() == get(&query, "user_id"));
        fits("status", &one.status)
            && fits("type", one.kind.name)
            && fits("subscription_id", &one.id)
            && (get(&query, "user_id").is_none() || names_user())
    });
    // A page has 100 of them; the cursor is how many came before.
    let before = get(&query, "after").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let mut rest = found.skip(before).peekable();
    let data: Vec<Value> = rest.by_ref().take(100).map(Subscription::to_json).collect();
    let cursor = rest.peek().map(|_| (before + 100).to_string());
    let mut answer = eventsub.page(&owner, data);
    answer["pagination"] = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
    Ok(Json(answer))
}

pub(super) async fn delete(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<StatusCode, Refusal> {
    let caller = identify(&state, &headers)?;
    {
        let mut eventsub = state.eventsub();
        let id = get(&query, "id").ok_or_else(|| Refusal::bad("the parameter id is missing"))?;
        let found = eventsub.subscriptions.iter().position(|one| one.id == id && one.client_id == caller.client_id);
        let gone = eventsub.subscriptions.remove(found.ok_or_else(|| Refusal::new(404, "subscription not found"))?);
        eventsub.note_use(&gone.session);
    }
    state.requests.note_activity();
    Ok(StatusCode::NO_CONTENT)
}

impl State {
    /// Told as soon as somebody subscribes, before that is answered.
    pub(super) fn notify_early(&self, name: &str, event: Value) {
        self.record().told.push(Told { name: name.to_owned(), version: String::new(), event: event.clone() });
        self.eventsub().early.push((name.to_owned(), event));
    }
}
