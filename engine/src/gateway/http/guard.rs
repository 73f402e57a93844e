//! Who may ask at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::config::Secret;

pub(super) struct Guard {
    bound: SocketAddr,
    /// Of the token. Comparing digests takes the same time however much of a guess is right, and tells no length.
    token: Option<[u8; 32]>,
}

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It names a host that is not this one: a page that points a name of its own at us.
    Host,
    /// A browser sent it for a page.
    Origin,
    Token,
}

impl Guard {
    pub(super) fn new(bound: SocketAddr, token: Option<Secret>) -> Self {
        Self { bound, token: token.map(|token| digest(token.expose_secret())) }
    }

    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.is_our_name(host)) {
            return Err(Refusal::Host);
        }
        if headers.contains_key(header::ORIGIN) {
            return Err(Refusal::Origin);
        }
        match &self.token {
            Some(token) if !bears(headers, token) => Err(Refusal::Token),
            _ => Ok(()),
        }
    }

    /// An address that stands for all of the machine's is known by names that we can't know; there the token guards,
    /// and no config is accepted without one.
    fn is_our_name(&self, host: &str) -> bool {
        if self.bound.ip().is_unspecified() && self.token.is_some() {
            return true;
        }
        match host_of(host) {
            Some(Host::Address(address)) => address == self.bound.ip() || address.to_canonical().is_loopback(),
            Some(Host::Name(name)) => name.eq_ignore_ascii_case("localhost"),
            None => false,
        }
    }
}

enum Host<'a> {
    Address(IpAddr),
    Name(&'a str),
}

/// What stands before the port; an IPv6 address stands in brackets, and nothing else does. `None` when what is behind
/// it is no port: then it is not certain what others would take for the host.
fn host_of(text: &str) -> Option<Host<'_>> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), port)
        }
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (name.parse::<Ipv4Addr>().map_or(Host::Name(name), |address| Host::Address(address.into())), port)
        }
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(host)
}

fn bears(headers: &HeaderMap, token: &[u8; 32]) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| {
        let difference = digest(given.trim()).iter().zip(token).fold(0, |sum, (left, right)| sum | (left ^ right));
        difference == 0
    })
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, why) = match self {
            Self::Host => (StatusCode::FORBIDDEN, "the Host header names another host"),
            Self::Origin => (StatusCode::FORBIDDEN, "web pages may not ask"),
            Self::Token => (StatusCode::UNAUTHORIZED, "send `Authorization: Bearer` with the token of http.token"),
        };
        let body = Json(json!({ "error": why }));
        match self {
            Self::Token => (status, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response(),
            _ => (status, body).into_response(),
        }
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token-for-this-test";

    fn admit(bound: &str, token: Option<&str>, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let guard = Guard::new(bound.parse().unwrap(), token.map(Secret::from));
        guard.admit(&headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
    }

    #[test]
    fn names_of_this_machine_are_ours_and_no_other() {
        for host in ["127.0.0.1:7788", "localhost", "LOCALHOST:1", "[::1]:7788", "127.9.9.9"] {
            assert_eq!(admit("127.0.0.1:7788", None, &[("host", host)]), Ok(()), "{host}");
        }
        let others = [
            "evil.example",
            "localhost.evil.example:7788",
            "10.0.0.1",
            "",
            "[::2]",
            "127.0.0.1.evil.example",
            "localhost:80@evil.example",
            "[localhost]",
            "localhost:77888",
        ];
        for host in others {
            assert_eq!(admit("127.0.0.1:7788", None, &[("host", host)]), Err(Refusal::Host), "{host}");
        }
        assert_eq!(admit("127.0.0.1:7788", None, &[]), Err(Refusal::Host));
    }

    #[test]
    fn with_a_token_the_wildcard_address_has_any_name() {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("host", "bot.example:80"), ("authorization", bearer.as_str())];
        assert_eq!(admit("0.0.0.0:80", Some(TOKEN), &headers), Ok(()));
        assert_eq!(admit("192.0.2.1:80", Some(TOKEN), &headers), Err(Refusal::Host));
    }

    #[test]
    fn a_page_in_a_browser_is_refused_whatever_it_bears() {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("host", "localhost"), ("origin", "http://localhost"), ("authorization", bearer.as_str())];
        assert_eq!(admit("127.0.0.1:80", Some(TOKEN), &headers), Err(Refusal::Origin));
        assert_eq!(admit("127.0.0.1:80", None, &[("host", "localhost"), ("origin", "null")]), Err(Refusal::Origin));
    }

    #[test]
    fn only_the_whole_token_opens() {
        let longer = format!("Bearer {TOKEN}x");
        let cases =
            ["", "Bearer", "Bearer ", "Basic a-token-for-this-test", "Bearer a-token-for-this-tes", TOKEN, &longer];
        for authorization in cases {
            let headers = [("host", "localhost"), ("authorization", authorization)];
            assert_eq!(admit("127.0.0.1:80", Some(TOKEN), &headers), Err(Refusal::Token), "{authorization}");
        }
        let headers = [("host", "localhost"), ("authorization", "bearer a-token-for-this-test")];
        assert_eq!(admit("127.0.0.1:80", Some(TOKEN), &headers), Ok(()));
    }
}
