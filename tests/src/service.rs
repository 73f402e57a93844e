//! What the fakes of web services share: a server that can go away, a record of what was asked, and wrong answers.
//!
//! A fake puts [`Requests::attend`] before its routes. It knows nothing of any platform.

mod answer;
mod server;
pub(crate) mod socket;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::sync::watch;
use url::form_urlencoded;

pub use self::answer::{Answer, When};
pub(crate) use self::server::Server;

/// A request that was made.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// In their order: some keys come more than once.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    /// JSON as it came, a form as an object of texts, otherwise null.
    pub body: Value,
}

impl Asked {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn authorization(&self) -> Option<&str> {
        self.header(&AUTHORIZATION)
    }

    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// "POST /helix/chat/messages".
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The answers for requests whose line begins with a text; the longest text counts.
#[derive(Default)]
struct Orders {
    next: HashMap<String, VecDeque<Answer>>,
    always: HashMap<String, Answer>,
}

impl Orders {
    fn take(&mut self, line: &str) -> Answer {
        let longest = |texts: Vec<&String>| {
            texts.into_iter().filter(|text| line.starts_with(*text)).max_by_key(|text| text.len()).cloned()
        };
        let waiting = self.next.iter().filter(|(_, answers)| !answers.is_empty()).map(|(text, _)| text).collect();
        if let Some(answer) = longest(waiting).and_then(|text| self.next.get_mut(&text)?.pop_front()) {
            return answer;
        }
        longest(self.always.keys().collect()).and_then(|text| self.always.get(&text).cloned()).unwrap_or_default()
    }
}

/// What was asked, and how it is to be answered.
pub(crate) struct Requests {
    asked: Mutex<Vec<Asked>>,
    orders: Mutex<Orders>,
    /// Whatever a test may wait for.
    pub(crate) activity: watch::Sender<()>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self { asked: Mutex::default(), orders: Mutex::default(), activity: watch::Sender::new(()) }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Those after the first `count`.
    pub(crate) fn asked_since(&self, count: usize) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().skip(count).cloned().collect()
    }

    pub(crate) fn answer_next(&self, line: &str, answers: impl IntoIterator<Item = Answer>) {
        self.orders.lock().unwrap().next.entry(line.to_owned()).or_default().extend(answers);
    }

    pub(crate) fn answer_always(&self, line: &str, answer: Answer) {
        self.orders.lock().unwrap().always.insert(line.to_owned(), answer);
    }

    pub(crate) fn note_activity(&self) {
        self.activity.send_replace(());
    }

    /// Writes the request down, and answers it wrongly if that was ordered.
    pub(crate) async fn attend(State(requests): State<Arc<Self>>, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
        let asked = Asked {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            headers: parts.headers.clone(),
            body: read(parts.headers.get(CONTENT_TYPE), &bytes),
        };
        // Who sees that it was asked may change the next answer, and not this one.
        let answer = requests.orders.lock().unwrap().take(&asked.line());
        requests.asked.lock().unwrap().push(asked);
        requests.note_activity();
        let request = Request::from_parts(parts, Body::from(bytes));
        answer.give(next.run(request)).await
    }
}

fn read(kind: Option<&HeaderValue>, bytes: &Bytes) -> Value {
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if is_form {
        let texts = pairs(bytes).into_iter().map(|(key, value)| (key, Value::String(value)));
        return Value::Object(texts.collect::<Map<_, _>>());
    }
    serde_json::from_slice(bytes).unwrap_or_default()
}

pub(crate) fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}
