//! `http`: one request, to an address that a grant opens. No redirects, bounded in size, time and number.
//!
//! The name in a URL says nothing about where it leads, so the resolved address is checked too, and the checked
//! address is the one that is dialled (see [`address`]).

mod address;
mod secrets;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;

use self::address::PublicOnly;
use super::wit::http::{Failure, Header, Host, Request, Response};
use crate::config::Secret;
use crate::config::settings::Limits;
use crate::plugin::grants::AllowedUrl;
use crate::plugin::guest::Guest;
use crate::plugin::services::{self, Services};
use crate::recording::{Blob, HttpAnswer};

/// Headers that are the host's own business: they would forge another host, or the framing of the request.
const RESERVED: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// What `{secret:name}` stands for, as far as the operator gave it.
type Secrets = BTreeMap<String, Secret>;

/// The two ways out, shared by all plugins.
#[derive(Clone)]
pub(in crate::plugin) struct HttpWays {
    public: reqwest::Client,
    private: reqwest::Client,
}

impl HttpWays {
    pub(in crate::plugin) fn new() -> reqwest::Result<Self> {
        let client = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .pool_max_idle_per_host(4)
                .user_agent(concat!("showrunner/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self { public: client().dns_resolver(Arc::new(PublicOnly)).build()?, private: client().build()? })
    }
}

/// One plugin's share of the network.
pub(in crate::plugin) struct HttpClient {
    ways: HttpWays,
    secrets: Secrets,
    concurrent: Semaphore,
    minute: Mutex<MinuteBudget>,
}

impl HttpClient {
    pub(in crate::plugin) fn new(ways: HttpWays, secrets: Secrets, limits: &Limits) -> Self {
        Self {
            ways,
            secrets,
            concurrent: Semaphore::new(limits.http_concurrent),
            minute: Mutex::new(MinuteBudget::default()),
        }
    }
}

/// Requests in the minute under way.
#[derive(Debug, Default)]
struct MinuteBudget {
    began: Option<Instant>,
    used: u32,
}

impl MinuteBudget {
    fn take(&mut self, now: Instant, per_minute: u32) -> bool {
        if self.began.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(60)) {
            *self = Self { began: Some(now), used: 0 };
        }
        self.used += 1;
        self.used <= per_minute
    }
}

impl Host for Guest {
    async fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let context = Arc::clone(&self.context);
        match &context.services {
            Services::Live(live) => {
                let question = live.recorder.is_some().then(|| question(&request));
                let prepared = self.prepare(request, Some(&live.http.secrets))?;
                let answer = self.exchange(&live.http, prepared).await;
                if let Some(question) = question {
                    live.note(services::HTTP, &question, &to_recorded(&answer));
                }
                answer
            }
            Services::Past(past) => {
                let question = question(&request);
                self.prepare(request, None)?;
                match past.answer(services::HTTP, &question) {
                    Some(answer) => from_recorded(answer),
                    None => Err(failure("unavailable", "unavailable: the answer to this request was not recorded")),
                }
            }
        }
    }
}

/// A request that may be made.
struct Prepared {
    url: Url,
    allowed: AllowedUrl,
    method: reqwest::Method,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    timeout: Duration,
}

impl Guest {
    /// Without secrets, as in a replay, their places stay as they are.
    fn prepare(&self, request: Request, secrets: Option<&Secrets>) -> Result<Prepared, Failure> {
        let url = Url::parse(&request.url).map_err(|error| failure("bad-request", format!("not a URL: {error}")))?;
        let allowed = self.context.grants.load().check_url(&url).map_err(|denied| {
            self.refused(&denied);
            failure("denied", denied.to_string())
        })?;
        let method = request
            .method
            .parse::<reqwest::Method>()
            .map_err(|_| failure("bad-request", format!("`{}` is no HTTP method", request.method)))?;
        let headers = self.headers(&request.headers, secrets)?;
        let limits = &self.context.limits;
        if request.body.as_ref().is_some_and(|body| body.len() > limits.http_body_bytes) {
            return Err(failure("too-large", format!("a request holds at most {} bytes", limits.http_body_bytes)));
        }
        check_written_address(&url, allowed)?;
        let asked = request.timeout_ms.map(|timeout| Duration::from_millis(timeout.into()));
        let timeout = asked.unwrap_or(limits.http_timeout).min(limits.http_timeout);
        Ok(Prepared { url, allowed, method, headers, body: request.body, timeout })
    }

    async fn exchange(&mut self, http: &HttpClient, prepared: Prepared) -> Result<Response, Failure> {
        let Prepared { url, allowed, method, headers, body, timeout } = prepared;
        let (per_minute, body_bytes) = (self.context.limits.http_per_minute, self.context.limits.http_body_bytes);
        let within = http.minute.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now(), per_minute);
        if !within {
            return Err(failure("rate-limited", format!("at most {per_minute} requests a minute")));
        }
        let way = if allowed.private { &http.ways.private } else { &http.ways.public };
        let request = way.request(method, url).headers(headers);
        let request = body.into_iter().fold(request, reqwest::RequestBuilder::body);
        // The time limit covers the wait for a permit, the connection and the whole body.
        let exchange = tokio::time::timeout(timeout, async {
            let _permit = http.concurrent.acquire().await;
            exchange(request, body_bytes).await
        });
        let answer = self.waiting(exchange).await;
        answer.unwrap_or_else(|_| Err(failure("timeout", format!("no answer within {timeout:?}"))))
    }

    fn headers(&self, headers: &[Header], secrets: Option<&Secrets>) -> Result<HeaderMap, Failure> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for header in headers {
            let name = HeaderName::from_bytes(header.name.as_bytes())
                .map_err(|_| failure("bad-request", format!("`{}` is no header name", header.name)))?;
            if RESERVED.contains(&name.as_str()) {
                return Err(failure("bad-request", format!("the header `{name}` is set by the host")));
            }
            let filled = secrets::fill(&header.value, |name| self.secret(name, secrets))?;
            let mut value = HeaderValue::from_str(&filled)
                .map_err(|_| failure("bad-request", format!("the value of the header `{name}` can't be sent")))?;
            value.set_sensitive(true);
            map.append(name, value);
        }
        Ok(map)
    }

    /// A secret that the plugin asked for and the operator set; none in a replay. Its value never goes back to the
    /// guest.
    fn secret<'a>(&self, name: &str, secrets: Option<&'a Secrets>) -> Result<Option<&'a Secret>, Failure> {
        self.check("secrets", name).map_err(|denied| failure("denied", denied.to_string()))?;
        let Some(secrets) = secrets else { return Ok(None) };
        secrets.get(name).map(Some).ok_or_else(|| {
            failure("denied", format!("denied: the operator has set no secret `{name}` for this plugin"))
        })
    }
}

/// An address that is written out is never resolved, so the resolver can't refuse it.
fn check_written_address(url: &Url, allowed: AllowedUrl) -> Result<(), Failure> {
    let written_out = match url.host() {
        Some(url::Host::Ipv4(address)) => Some(address.into()),
        Some(url::Host::Ipv6(address)) => Some(address.into()),
        Some(url::Host::Domain(_)) | None => None,
    };
    match written_out.filter(|address| !allowed.private && !address::is_public(*address)) {
        Some(address) => Err(failure("denied", format!("denied: {address} is not a public address"))),
        None => Ok(()),
    }
}

/// By what a request is known again. The places of secrets stand in it, and never the secrets.
fn question(request: &Request) -> impl Serialize + use<> {
    let headers: Vec<(String, String)> =
        request.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
    (request.method.clone(), request.url.clone(), headers, request.body.clone(), request.timeout_ms)
}

fn to_recorded(answer: &Result<Response, Failure>) -> HttpAnswer {
    match answer {
        Ok(Response { status, headers, body }) => HttpAnswer::Response {
            status: *status,
            headers: headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect(),
            body: Blob(body.clone()),
        },
        Err(Failure { kind, message }) => HttpAnswer::Failure { kind: kind.clone(), message: message.clone() },
    }
}

fn from_recorded(answer: HttpAnswer) -> Result<Response, Failure> {
    match answer {
        HttpAnswer::Response { status, headers, body: Blob(body) } => {
            let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
            Ok(Response { status, headers, body })
        }
        HttpAnswer::Failure { kind, message } => Err(Failure { kind, message }),
    }
}

async fn exchange(builder: reqwest::RequestBuilder, body_bytes: usize) -> Result<Response, Failure> {
    // The error of reqwest would name the address with its query; what went wrong is enough.
    let network = |error: reqwest::Error| {
        let kind = if address::is_refusal(&error) { "denied" } else { "network" };
        failure(kind, root_cause(&error.without_url()))
    };
    let response = builder.send().await.map_err(network)?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| Header {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
        .collect();
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(network)?;
        if body.len() + chunk.len() > body_bytes {
            return Err(failure("too-large", format!("an answer holds at most {body_bytes} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

/// The last of an error's causes says most: "connection refused", "not a public address".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn failure(kind: &str, message: impl Into<String>) -> Failure {
    Failure { kind: kind.to_owned(), message: message.into() }
}
