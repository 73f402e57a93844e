//! Signing in with a code, for machines without a browser.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::behaviour::DeviceAnswer;
use super::identity::{Form, field, form};
use super::refusal::IdRefusal;
use super::state::{State, new_id};
use super::tokens::{Tokens, is_known_client};

/// How long a code can be typed in, in seconds.
const LIFETIME: u64 = 1800;

#[derive(Default)]
pub(super) struct Devices {
    waiting: HashMap<String, Device>,
}

struct Device {
    client_id: String,
    scopes: Vec<String>,
    user_code: String,
    polls: u32,
    is_agreed: bool,
}

pub(super) async fn begin(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, IdRefusal> {
    let form = form(&body);
    let client_id = field(&form, "client_id");
    if !is_known_client(client_id) {
        return Err(IdRefusal(400, "invalid client"));
    }
    if field(&form, "scopes").is_empty() {
        return Err(IdRefusal(400, "missing scopes"));
    }
    let device_code = new_id();
    let user_code = new_id().replace('-', "").to_uppercase().chars().take(8).collect::<String>();
    let device = Device {
        client_id: client_id.to_owned(),
        scopes: field(&form, "scopes").split_whitespace().map(str::to_owned).collect(),
        user_code: user_code.clone(),
        polls: 0,
        is_agreed: false,
    };
    state.devices().waiting.insert(device_code.clone(), device);
    let interval = state.behaviour().device_interval;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    Ok(Json(json!({
        "device_code": device_code, "expires_in": LIFETIME, "interval": interval, "user_code": user_code,
        "verification_uri": format!("http://{host}/activate?device-code={user_code}"),
    })))
}

/// Whoever looks at the page agrees.
pub(super) async fn activate(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<&'static str, StatusCode> {
    let mut devices = state.devices();
    let typed = field(&query, "device-code");
    let device = devices.waiting.values_mut().find(|device| device.user_code == typed);
    device.ok_or(StatusCode::NOT_FOUND)?.is_agreed = true;
    Ok("The device is connected.")
}

pub(super) fn exchange(state: &State, client_id: &str, form: &Form) -> Result<Tokens, IdRefusal> {
    let answer = state.behaviour().device;
    const INVALID: IdRefusal = IdRefusal(400, "invalid device code");
    let device_code = field(form, "device_code");
    let scopes = {
        let mut devices = state.devices();
        let device =
            devices.waiting.get_mut(device_code).filter(|device| device.client_id == client_id).ok_or(INVALID)?;
        device.polls += 1;
        match answer {
            DeviceAnswer::Expired => {
                devices.waiting.remove(device_code);
                return Err(INVALID);
            }
            DeviceAnswer::After(polls) if device.polls > polls => {}
            _ if device.is_agreed => {}
            _ => return Err(IdRefusal(400, "authorization_pending")),
        }
        devices.waiting.remove(device_code).ok_or(INVALID)?.scopes
    };
    let (login, lifetime) = {
        let behaviour = state.behaviour();
        (behaviour.who_signs_in(&scopes), behaviour.access_lifetime)
    };
    let user = state.user(&login);
    Ok(state.tokens().grant(client_id, Some(user), &scopes, lifetime))
}
