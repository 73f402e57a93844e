//! Which addresses a plugin may call: scheme, host, port and path prefix, compared on the parsed URL.

use url::{Host, Url};

/// `https://api.example.com/v1/`, or with ` private` behind it when the host may be on this machine or network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlRule {
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
            Url::parse(address.trim()).map_err(|source| UrlRuleError::NotAUrl { rule: tellable(rule), source })?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(UrlRuleError::Scheme(tellable(rule)));
        }
        let has_user = !base.username().is_empty() || base.password().is_some();
        if has_user || base.query().is_some() || base.fragment().is_some() {
            return Err(UrlRuleError::Parts(tellable(rule)));
        }
        Ok(Self { base, private })
    }

    /// The prefix ends at a path segment: `/v1` allows `/v1` and `/v1/x`, not `/v10`.
    pub fn matches(&self, url: &Url) -> bool {
        self.base.scheme() == url.scheme()
            && same_host(self.base.host(), url.host())
            && self.base.port_or_known_default() == url.port_or_known_default()
            && within(self.base.path(), url.path())
            && !may_lead_out(url.path())
    }
}

/// A rule that is refused, without what a user, a query or a fragment may hold: a secret.
fn tellable(rule: &str) -> String {
    let address = rule.split(['?', '#']).next().unwrap_or_default();
    address.rsplit('@').next().unwrap_or_default().to_owned()
}

/// Some servers take an encoded slash for a slash, or leave out what is behind a semicolon, and so a path for one
/// outside of the rule.
fn may_lead_out(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace("%2e", ".").replace("%3b", ";");
    path.contains("%2f") || path.contains("%5c") || path.contains("/..;")
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
mod fuzz;

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
            ("https://api.example.com/v1/", "https://api.example.com/v1/..;/admin", false),
            ("https://api.example.com/v1/", "https://api.example.com/v1/.%2E%3Bx=y/admin", false),
            ("https://api.example.com/v1/", "http://api.example.com/v1/", false),
            ("https://api.example.com/v1/", "https://api.example.com:8443/v1/", false),
            ("https://api.example.com/v1/", "https://api.example.com.evil.example/v1/", false),
            ("https://api.example.com/v1/", "https://evil.example/https://api.example.com/v1/", false),
            ("https://api.example.com/", "https://api.example.com@evil.example/", false),
            ("https://api.example.com/v1/", "https://user:pw@api.example.com/v1/x", true),
            ("https://api.example.com/v1/", "https:\\\\api.example.com\\v1\\x", true),
            ("https://api.example.com/v1/", "https://api.example.com/v1\\..\\admin", false),
            ("https://api.example.com/v1/", "https://api.example.com./v1/", false),
            ("https://api.example.com/", "https://api.ехample.com/", false),
            ("https://bücher.example/", "https://xn--bcher-kva.example/x", true),
            ("https://bücher.example/", "https://b\u{fc}CHER.example/x", true),
            ("https://bücher.example/", "https://bucher.example/x", false),
            ("http://127.0.0.1/", "http://2130706433/", true),
            ("http://127.0.0.1/", "http://[::ffff:127.0.0.1]/", false),
            ("http://[::1]:9000/", "http://[0:0:0:0:0:0:0:1]:9000/x", true),
            ("http://[::1]:9000/", "http://[::1]/x", false),
            ("http://[::1]/", "http://[::2]/", false),
        ];
        for (rule, url, allowed) in cases {
            let url = Url::parse(url).unwrap();
            assert_eq!(UrlRule::parse(rule).unwrap().matches(&url), allowed, "{rule} {url}");
        }
    }

    #[test]
    fn a_rule_is_a_plain_address() {
        for rule in
            ["", "example.com", "ftp://a:hush@example.com/", "https://a:hush@example.com/", "https://example.com/?hush"]
        {
            let error = UrlRule::parse(rule).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
