//! REST, first version, and what stood in its place before: the stream, who follows, subscribes and moderates.
//!
//! Everything is about the channel that the token is of. Answers are bounded, redirects are never followed, and no
//! error shows a token. What catching up does not ask is for the tool service, which comes in a later version.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use crate::platform::fields::{count, field, id_of, object, text_of, word_of};
use crate::platform::http::{HttpError, answer, below};

/// What the service gives at most at once.
const PER_PAGE: u32 = 100;
/// Pages of one list at most. A list that is longer is only counted.
const MAX_PAGES: u32 = 10;
/// A hundred names, and whatever stands beside them.
const MAX_BYTES: usize = 1 << 20;

/// A stream as it stands. What the service did not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    pub channel_id: Option<String>,
    pub live: Option<bool>,
    pub title: Option<String>,
    pub viewers: Option<u32>,
    pub followers: Option<u32>,
}

/// What a stream is to be from now on; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamChange {
    pub title: Option<String>,
    pub welcome: Option<String>,
    /// Only the newer interface has them.
    pub tags: Option<Vec<String>>,
}

/// A list of people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People {
    pub total: Option<u32>,
    /// Their usernames; `None` when there are more than are asked for.
    pub names: Option<Vec<String>>,
}

pub struct Rest {
    http: Client,
    base: Url,
    /// "…/api/users/", beside "…/api/v1/".
    legacy: Url,
}

impl Rest {
    /// `base` is that of the first version: "https://api.joystick.tv/api/v1/".
    pub fn new(base: &Url, http: Client) -> Self {
        let mut legacy = base.clone();
        if let Ok(mut path) = legacy.path_segments_mut() {
            path.pop_if_empty().pop().push("users");
        }
        Self { http, base: base.clone(), legacy }
    }

    pub async fn stream(&self, token: &SecretString) -> Result<Stream, HttpError> {
        let asked = self.ask(Method::GET, below(&self.base, &["me", "stream"]), None, token).await;
        let fields = match asked {
            Err(error) if is_missing(&error) => {
                self.ask(Method::GET, below(&self.legacy, &["stream-settings"]), None, token).await?
            }
            asked => asked?,
        };
        Ok(read_stream(&fields))
    }

    /// Changes the stream, and returns it as it stands then.
    pub async fn set_stream(&self, change: &StreamChange, token: &SecretString) -> Result<Stream, HttpError> {
        let mut body = Map::new();
        for (name, value) in [("stream_title", &change.title), ("chat_welcome_message", &change.welcome)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        let mut newer = body.clone();
        if let Some(tags) = &change.tags {
            newer.insert("tags".to_owned(), json!(tags));
        }
        let asked =
            self.ask(Method::PUT, below(&self.base, &["me", "stream"]), Some(Value::Object(newer)), token).await;
        let fields = match asked {
            Err(error) if is_missing(&error) => {
                let body = json!({ "streamer": body });
                self.ask(Method::PATCH, below(&self.legacy, &["stream-settings"]), Some(body), token).await?
            }
            asked => asked?,
        };
        Ok(read_stream(&fields))
    }

    pub async fn followers(&self, token: &SecretString) -> Result<People, HttpError> {
        self.people(&below(&self.base, &["followers"]), token).await
    }

    pub async fn moderators(&self, token: &SecretString) -> Result<People, HttpError> {
        self.people(&below(&self.base, &["moderators"]), token).await
    }

    pub async fn subscribers(&self, token: &SecretString) -> Result<People, HttpError> {
        match self.people(&below(&self.base, &["subscribers"]), token).await {
            Err(error) if is_missing(&error) => self.people(&below(&self.legacy, &["subscriptions"]), token).await,
            asked => asked,
        }
    }

    /// All pages of a list, unless there are too many.
    async fn people(&self, address: &Url, token: &SecretString) -> Result<People, HttpError> {
        let mut people = People { total: None, names: Some(Vec::new()) };
        let mut page = 1;
        loop {
            let mut address = address.clone();
            address
                .query_pairs_mut()
                .append_pair("page", &page.to_string())
                .append_pair("per_page", &PER_PAGE.to_string());
            let fields = self.ask(Method::GET, address, None, token).await?;
            let read = read_page(&fields).ok_or(HttpError::Answer("it holds no list"))?;
            people.total = people.total.or(read.total);
            if read.pages.is_some_and(|pages| pages > MAX_PAGES) {
                return Ok(People { names: None, ..people });
            }
            if let Some(names) = &mut people.names {
                names.extend(read.names);
            }
            match read.next {
                None => return Ok(people),
                // A page that comes again would come for ever.
                Some(next) if next <= page => return Err(HttpError::Answer("its pages go in a circle")),
                Some(next) if next > MAX_PAGES => return Ok(People { names: None, ..people }),
                Some(next) => page = next,
            }
        }
    }

    async fn ask(
        &self,
        method: Method,
        address: Url,
        body: Option<Value>,
        token: &SecretString,
    ) -> Result<Map<String, Value>, HttpError> {
        let token = token.expose_secret().trim();
        let mut request: RequestBuilder = self.http.request(method, address).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let body = answer(request.send().await, MAX_BYTES, token).await?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(HttpError::Answer("it is no object")),
            Err(_) => Err(HttpError::Answer("it is no JSON")),
        }
    }
}

/// Whether the service has no such thing, so that it may have the older one.
const fn is_missing(error: &HttpError) -> bool {
    matches!(error, HttpError::Status { status: StatusCode::NOT_FOUND, .. })
}

fn read_stream(fields: &Map<String, Value>) -> Stream {
    let number = |name: &str| field(fields, &[name]).and_then(count);
    Stream {
        channel_id: id_of(fields, &["channel_id"]),
        live: fields.get("live").and_then(Value::as_bool),
        title: text_of(fields, &["stream_title"]).map(str::to_owned),
        viewers: number("view_count"),
        followers: number("number_of_followers"),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    names: Vec<String>,
    total: Option<u32>,
    pages: Option<u32>,
    next: Option<u32>,
}

fn read_page(fields: &Map<String, Value>) -> Option<Page> {
    let items = fields.get("items")?.as_array()?;
    let name = |item: &Value| match item {
        Value::Object(item) => word_of(item, &["username"]).map(str::to_owned),
        _ => None,
    };
    let empty = Map::new();
    let pagination = object(fields, &["pagination"]).unwrap_or(&empty);
    let number = |name: &str| field(pagination, &[name]).and_then(count);
    Some(Page {
        names: items.iter().filter_map(name).collect(),
        total: number("total_items"),
        pages: number("total_pages"),
        next: number("next_page"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_older_interface_stands_beside_the_newer() {
        let rest = |base: &str| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            Rest::new(&Url::parse(base).unwrap(), Client::new())
        };
        assert_eq!(rest("https://x/api/v1/").legacy.as_str(), "https://x/api/users");
        assert_eq!(below(&rest("http://x/v1/").legacy, &["subscriptions"]).as_str(), "http://x/users/subscriptions");
    }

    #[test]
    fn both_answers_of_a_stream_are_read() {
        let newer = read_stream(&fields(json!({
            "channel_id": "3f9a", "live": true, "live_at": "2026-07-24T06:59:45Z", "stream_title": "Dance",
            "view_count": "12", "tags": ["a"], "online_photo_url": null,
        })));
        let stream = Stream {
            channel_id: Some("3f9a".into()),
            live: Some(true),
            title: Some("Dance".into()),
            ..Stream::default()
        };
        assert_eq!(newer, Stream { viewers: Some(12), ..stream.clone() });
        let older = read_stream(&fields(json!({
            "username": "s", "stream_title": "Dance", "banned_chat_words": [], "live": true, "number_of_followers": 7,
            "channel_id": "3f9a",
        })));
        assert_eq!(older, Stream { followers: Some(7), ..stream });
        assert_eq!(read_stream(&Map::new()), Stream::default());
    }

    #[test]
    fn a_page_is_read_leniently() {
        let page = read_page(&fields(json!({
            "items": [{"username": "a"}, {"username": "b", "streak": 3}, {"username": null}, 7],
            "pagination": {"next_page": 2, "previous_page": null, "total_items": 150, "total_pages": "2"},
        })));
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(page, Some(Page { names: names.clone(), total: Some(150), pages: Some(2), next: Some(2) }));
        let bare = read_page(&fields(json!({"items": [{"username": "a"}, {"username": "b"}]})));
        assert_eq!(bare, Some(Page { names, total: None, pages: None, next: None }));
        assert_eq!(read_page(&fields(json!({"items": {}}))), None);
    }
}
