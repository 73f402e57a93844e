//! A small id server, as strict as a real one: an old refresh token that serves once costs all tokens.

use std::collections::{HashMap, VecDeque};
use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use url::form_urlencoded;

/// Is in every secret, so that none is overlooked.
pub(crate) const SECRET: &str = "sekrit";

/// What the next refresh meets instead.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is done.
    Status(u16, Value),
    /// The tokens are changed, and this is the answer.
    Swallow(u16, &'static str),
    /// The tokens are changed, and the answer waits until [`IdServer::let_go`].
    Hang,
}

#[derive(Default)]
pub(crate) struct Book {
    /// How often tokens were given.
    pub(crate) given: u32,
    /// What is valid now.
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Every refresh token that was presented, in order.
    pub(crate) presented: Vec<String>,
    pub(crate) was_family_revoked: bool,
    pub(crate) revoked: Vec<String>,
    /// Tokens that it does not know when they are to be revoked.
    pub(crate) unknown: Vec<String>,
    pub(crate) faults: VecDeque<Fault>,
    /// Of the next tokens.
    pub(crate) expires_in: Value,
    /// By path; else it is as it should be.
    pub(crate) answers: HashMap<String, (u16, Value)>,
    /// Paths, with the authorization that came along.
    pub(crate) asked: Vec<(String, String)>,
    pub(crate) forms: Vec<HashMap<String, String>>,
}

struct Shared {
    rotates: bool,
    book: Mutex<Book>,
    gate: Semaphore,
    was_presented: Notify,
}

pub(crate) struct IdServer {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

impl IdServer {
    pub(crate) async fn start(rotates: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Book { expires_in: json!(14_400), ..Book::default() };
        let (gate, was_presented) = (Semaphore::new(0), Notify::new());
        let shared = Arc::new(Shared { rotates, book: Mutex::new(book), gate, was_presented });
        let routes = Router::new().fallback(any(serve)).with_state(Arc::clone(&shared));
        let served = axum::serve(listener, routes).into_future();
        let task = tokio::spawn(async move { served.await.unwrap() });
        Self { shared, port, task }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.shared.book.lock().unwrap())
    }

    pub(crate) fn will(&self, fault: Fault) {
        self.book(|book| book.faults.push_back(fault));
    }

    pub(crate) fn presented(&self) -> Vec<String> {
        self.book(|book| book.presented.clone())
    }

    /// Until a refresh token arrives.
    pub(crate) async fn is_presented(&self) {
        self.shared.was_presented.notified().await;
    }

    pub(crate) fn let_go(&self) {
        self.shared.gate.add_permits(1);
    }
}

impl Drop for IdServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, address: Uri, headers: HeaderMap, body: String) -> Response {
    let path = address.path().to_owned();
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let authorization =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    {
        let mut book = shared.book.lock().unwrap();
        book.asked.push((path.clone(), authorization.clone()));
        book.forms.push(form.clone());
        if let Some((status, value)) = book.answers.get(&path) {
            return answer(*status, value.clone());
        }
    }
    match path.as_str() {
        "/oauth2/token" if form.get("grant_type").is_some_and(|kind| kind == "refresh_token") => {
            refresh(&shared, form["refresh_token"].clone()).await
        }
        "/oauth2/token" => answer(200, tokens(&mut shared.book.lock().unwrap())),
        "/oauth2/validate" | "/api/v1/me/identity" => {
            let book = shared.book.lock().unwrap();
            if !authorization.ends_with(&format!(" {}", book.access)) {
                return answer(401, json!({ "status": 401, "message": "invalid access token" }));
            }
            let scopes = ["user:read:chat", "channel:bot"];
            answer(
                200,
                match path.as_str() {
                    "/oauth2/validate" => json!({ "login": "anna", "user_id": "141981764", "scopes": scopes }),
                    _ => json!({ "username": "anna", "channel_id": "3f9a0c" }),
                },
            )
        }
        "/oauth2/revoke" => {
            let mut book = shared.book.lock().unwrap();
            if book.unknown.contains(&form["token"]) {
                return answer(400, json!({ "error": "invalid_request" }));
            }
            book.revoked.push(form["token"].clone());
            answer(200, Value::Null)
        }
        _ => answer(404, json!({ "message": "nothing is here" })),
    }
}

async fn refresh(shared: &Shared, presented: String) -> Response {
    let (fault, value) = {
        let mut book = shared.book.lock().unwrap();
        book.presented.push(presented.clone());
        shared.was_presented.notify_one();
        let fault = book.faults.pop_front();
        if let Some(Fault::Status(status, value)) = fault {
            return answer(status, value);
        }
        if presented != book.refresh || book.was_family_revoked {
            book.was_family_revoked |= shared.rotates;
            let said = format!("Invalid refresh token {presented}");
            return answer(400, json!({ "status": 400, "message": said }));
        }
        (fault, tokens_after(&mut book, shared.rotates))
    };
    match fault {
        Some(Fault::Swallow(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Fault::Hang) => {
            shared.gate.acquire().await.unwrap().forget();
            answer(200, value)
        }
        _ => answer(200, value),
    }
}

fn tokens(book: &mut Book) -> Value {
    tokens_after(book, true)
}

fn tokens_after(book: &mut Book, rotates: bool) -> Value {
    book.given += 1;
    book.access = format!("{SECRET}-access-{}", book.given);
    if rotates {
        book.refresh = format!("{SECRET}-refresh-{}", book.given);
    }
    let scope = ["user:read:chat", "channel:bot"];
    json!({
        "access_token": book.access, "refresh_token": book.refresh, "expires_in": book.expires_in, "scope": scope,
        "token_type": "bearer"
    })
}

fn answer(status: u16, value: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(value)).into_response()
}
