//! A web service that answers as a test tells it to, and tokens that are refreshed in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Once};

use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::helix::Helix;
use crate::auth::{Access, TokenError, Tokens};

/// What was asked: method, path with query, body, and the token that came along.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) body: Value,
    pub(super) token: String,
    pub(super) client_id: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(super) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "error": "E", "status": status, "message": message }))
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

#[derive(Default)]
struct Scene {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

pub(super) fn client() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::new()
}

#[derive(Clone)]
pub(super) struct Service {
    scene: Arc<Mutex<Scene>>,
    /// How many calls came.
    count: watch::Sender<usize>,
    base: Url,
}

impl Service {
    /// Gives these answers, one after the other; then nothing but 204.
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/helix/", listener.local_addr().unwrap())).unwrap();
        let scene = Arc::new(Mutex::new(Scene { answers: answers.into_iter().collect(), asked: Vec::new() }));
        let service = Self { scene, count: watch::Sender::new(0), base };
        let router = axum::Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        service
    }

    /// Waits until so many calls came.
    pub(super) async fn was_asked(&self, count: usize) {
        self.count.subscribe().wait_for(|asked| *asked >= count).await.unwrap();
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.scene.lock().unwrap().asked.clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub(super) fn helix(&self, tokens: &Arc<MemoryTokens>) -> Arc<Helix> {
        Arc::new(Helix::new(client(), self.base.clone(), "the-client-id", Arc::clone(tokens) as Arc<dyn Tokens>))
    }
}

async fn answer(State(service): State<Service>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let mut scene = service.scene.lock().unwrap();
    service.count.send_modify(|count| *count += 1);
    scene.asked.push(Asked {
        line: format!("{method} {uri}"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        token: header("authorization"),
        client_id: header("client-id"),
    });
    let answer = scene.answers.pop_front().unwrap_or_else(|| Answer::empty(204));
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A grant of the user 9001, whose token is "token-1", and one more after each refresh.
#[derive(Default)]
pub(super) struct MemoryTokens {
    refreshes: Mutex<usize>,
    /// What is said instead of a token.
    pub(super) error: Mutex<Option<TokenError>>,
}

impl MemoryTokens {
    pub(super) fn refreshes(&self) -> usize {
        *self.refreshes.lock().unwrap()
    }

    fn access(&self) -> Result<Access, TokenError> {
        if let Some(error) = self.error.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(Access {
            token: SecretString::from(format!("token-{}", self.refreshes() + 1)),
            user_id: "9001".into(),
            login: "bot".into(),
            scopes: Vec::new(),
            expires_at_ms: None,
        })
    }
}

#[async_trait]
impl Tokens for MemoryTokens {
    async fn read(&self) -> Result<Access, TokenError> {
        self.access()
    }

    async fn refresh(&self, stale: &Access) -> Result<Access, TokenError> {
        let current = self.access()?;
        if current.token.expose_secret() == stale.token.expose_secret() {
            *self.refreshes.lock().unwrap() += 1;
        }
        self.access()
    }
}
