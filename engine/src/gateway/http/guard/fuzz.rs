//! Whoever asks: only by a name of this machine, never for a web page, and with the whole token where there is one.

use axum::http::{HeaderName, HeaderValue};
use showrunner_fuzz::fuzz_text;
use url::{Host, Url};

use super::*;

const BOUND: &str = "127.0.0.1:7788";
const TOKEN: &str = "a-token-for-this-test";

/// Each line of an input is a header.
#[test]
fn http_headers() {
    fuzz_text!(128, |text| {
        let header = |line: &str| -> Option<(HeaderName, HeaderValue)> {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().parse().ok()?, HeaderValue::from_str(value.trim()).ok()?))
        };
        let headers: HeaderMap = text.lines().filter_map(header).collect();
        let open = Guard::new(BOUND.parse().unwrap(), None);
        let closed = Guard::new(BOUND.parse().unwrap(), Some(Secret::from(TOKEN)));
        if open.admit(&headers).is_ok() {
            let host = headers[header::HOST].to_str().unwrap();
            assert!(leads_here(host), "{host:?} was taken for this machine");
            assert!(!headers.contains_key(header::ORIGIN));
        }
        if closed.admit(&headers).is_ok() {
            assert!(open.admit(&headers).is_ok());
            let given = headers[header::AUTHORIZATION].to_str().unwrap().to_lowercase();
            assert_eq!(given.split_whitespace().collect::<Vec<_>>(), ["bearer", TOKEN]);
        }
    });
}

/// Where a browser would go for this host.
fn leads_here(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).to_canonical().is_loopback(),
        None => false,
    }
}
