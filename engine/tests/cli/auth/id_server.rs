//! A small id server of both platforms, on a runtime of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::form_urlencoded;

/// Is in every secret, so that none is overlooked.
pub(super) const SECRET: &str = "sekrit";

#[derive(Default)]
pub(super) struct Book {
    given: u32,
    pub(super) forms: Vec<(String, HashMap<String, String>)>,
    /// How often a device code is not typed yet.
    pub(super) pending: u32,
    pub(super) is_away: bool,
    /// More is asked for than there is to have.
    pub(super) refuses_scopes: bool,
}

pub(super) struct IdServer {
    book: Arc<Mutex<Book>>,
    port: u16,
    _runtime: Runtime,
}

impl IdServer {
    pub(super) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Arc::<Mutex<Book>>::default();
        let routes = Router::new().fallback(any(serve)).with_state(Arc::clone(&book));
        runtime.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { book, port, _runtime: runtime }
    }

    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.book.lock().unwrap())
    }

    /// The last form that was sent there.
    pub(super) fn form(&self, path: &str) -> HashMap<String, String> {
        self.book(|book| book.forms.iter().rev().find(|(to, _)| to == path).unwrap().1.clone())
    }
}

async fn serve(State(book): State<Arc<Mutex<Book>>>, address: Uri, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut book = book.lock().unwrap();
    book.forms.push((address.path().to_owned(), form.clone()));
    if book.is_away {
        return answer(503, json!({ "message": "away" }));
    }
    let is_authorized = || {
        let token = format!(" {SECRET}-access-{}", book.given);
        headers.get("authorization").is_some_and(|value| value.to_str().unwrap().ends_with(&token))
    };
    match address.path() {
        "/oauth2/device" => answer(
            200,
            json!({
                "device_code": format!("{SECRET}-device"), "user_code": "ABCDEFGH", "expires_in": 1800, "interval": 1,
                "verification_uri": "https://www.twitch.tv/activate?device-code=ABCDEFGH"
            }),
        ),
        "/oauth2/token" if form.contains_key("device_code") && book.pending > 0 => {
            book.pending -= 1;
            answer(400, json!({ "status": 400, "message": "authorization_pending" }))
        }
        "/oauth2/token" if book.refuses_scopes => answer(400, json!({ "error": "invalid_scope" })),
        "/oauth2/token" => {
            book.given += 1;
            let given = book.given;
            answer(
                200,
                json!({
                    "access_token": format!("{SECRET}-access-{given}"), "expires_in": 14_400,
                    "refresh_token": format!("{SECRET}-refresh-{given}"), "token_type": "bearer"
                }),
            )
        }
        "/oauth2/validate" if is_authorized() => {
            let scopes = ["user:read:chat", "channel:bot"];
            answer(200, json!({ "client_id": "app", "login": "anna", "user_id": "141981764", "scopes": scopes }))
        }
        "/api/v1/me/identity" if is_authorized() => answer(200, json!({ "channel_id": "3f9a0c", "username": "anna" })),
        "/oauth2/revoke" => answer(200, Value::Null),
        _ => answer(401, json!({ "status": 401, "message": "invalid access token" })),
    }
}

fn answer(status: u16, value: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(value)).into_response()
}
