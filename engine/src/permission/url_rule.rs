//! Which addresses a plugin may call: scheme, host, port and path prefix, compared on the parsed URL.

use url::{Host, Url};

/// `https://api.example.com/v1/`, or with ` private` behind it when the host may be on this machine or network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlRule {
    written: String,
    base: Url,
    /// May resolve to a loopback, link-local or private address.
    pub private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlRuleError {
    #[error("\"{rule}\" is no URL ({source})")]
    NotAUrl { rule: String, source: url::ParseError },
    #[error("\"{0}\": only http:// and https:// can be called")]
    Scheme(String),
    #[error("\"{0}\": a rule is a scheme, a host and a path, without user, query or fragment")]
    Parts(String),
}

impl UrlRule {
    pub fn parse(rule: &str) -> Result<Self, UrlRuleError> {
        let (address, private) = match rule.strip_suffix(" private") {
            Some(address) => (address, true),
            None => (rule, false),
        };
        let base =
            Url::parse(address.trim()).map_err(|source| UrlRuleError::NotAUrl { rule: rule.to_owned(), source })?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(UrlRuleError::Scheme(rule.to_owned()));
        }
        let has_user = !base.username().is_empty() || base.password().is_some();
        if has_user || base.query().is_some() || base.fragment().is_some() {
            return Err(UrlRuleError::Parts(rule.to_owned()));
        }
        Ok(Self { written: rule.to_owned(), base, private })
    }

    /// As the file spells it.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The prefix ends at a path segment: `/v1` allows `/v1` and `/v1/x`, not `/v10`.
    pub fn matches(&self, url: &Url) -> bool {
        self.base.scheme() == url.scheme()
            && same_host(self.base.host(), url.host())
            && self.base.port_or_known_default() == url.port_or_known_default()
            && within(self.base.path(), url.path())
            && !hides_separator(url.path())
    }
}

/// Some servers take an encoded slash for a slash, and so a path for one outside of the rule.
fn hides_separator(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.contains("%2f") || path.contains("%5c")
}

fn same_host(rule: Option<Host<&str>>, host: Option<Host<&str>>) -> bool {
    rule.is_some() && rule == host
}

fn within(prefix: &str, path: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_rule_is_allowed() {
        let cases = [
            ("https://api.example.com/v1/", "https://api.example.com/v1/x", true),
            ("https://api.example.com/v1/", "https://api.example.com:443/v1/x", true),
            ("https://api.example.com/v1/", "https://API.EXAMPLE.com/v1/", true),
            ("https://api.example.com/v1/", "https://api.example.com/v1", false),
            ("https://api.example.com/v1", "https://api.example.com/v10", false),
            ("https://api.example.com/v1", "https://api.example.com/v1?q=1", true),
            ("https://api.example.com/v1/", "https://api.example.com/v1/../admin", false),
            ("https://api.example.com/v1/", "https://api.example.com/v1/%2e%2e/admin", false),
            ("https://api.example.com/v1/", "https://api.example.com/v1/..%2Fadmin", false),
            ("https://api.example.com/v1/", "http://api.example.com/v1/", false),
            ("https://api.example.com/v1/", "https://api.example.com:8443/v1/", false),
            ("https://api.example.com/v1/", "https://api.example.com.evil.example/v1/", false),
            ("https://api.example.com/v1/", "https://evil.example/https://api.example.com/v1/", false),
            ("https://api.example.com/", "https://api.example.com@evil.example/", false),
            ("http://127.0.0.1/", "http://2130706433/", true),
        ];
        for (rule, url, allowed) in cases {
            let url = Url::parse(url).unwrap();
            assert_eq!(UrlRule::parse(rule).unwrap().matches(&url), allowed, "{rule} {url}");
        }
    }

    #[test]
    fn a_rule_is_a_plain_address() {
        for rule in ["", "example.com", "ftp://example.com/", "https://user@example.com/", "https://example.com/?q"] {
            assert!(UrlRule::parse(rule).is_err(), "{rule}");
        }
    }
}
