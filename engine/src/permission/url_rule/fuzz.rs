//! Whatever a plugin calls: what a rule allows lies on its server and below its path, however a server reads it.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first line of an input is the rule, each other one an address.
#[test]
fn url_rules() {
    fuzz_text!(256, |text| {
        let mut lines = text.lines();
        let Ok(rule) = UrlRule::parse(lines.next().unwrap_or_default()) else { return };
        assert!(rule.base.username().is_empty() && rule.base.password().is_none());
        for url in lines.filter_map(|line| Url::parse(line).ok()).filter(|url| rule.matches(url)) {
            assert_eq!(url.origin(), rule.base.origin());
            assert!(below(&rule.base, &url), "{url} is not below {}", rule.base);
        }
    });
}

/// Whether the path stays below the rule's when what is encoded in it is decoded once and taken at its word.
fn below(base: &Url, url: &Url) -> bool {
    let decoded = decode(url.path());
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        // Some servers take what is behind a semicolon for parameters.
        match segment.split(';').next() {
            Some("..") => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let prefix = decode(base.path());
    let prefix = prefix.strip_suffix('/').unwrap_or(&prefix);
    let path = segments.join("/");
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
}

fn decode(path: &str) -> String {
    let bytes: Vec<u8> =
        url::form_urlencoded::parse(path.replace('+', "%2b").replace('&', "%26").replace('=', "%3d").as_bytes())
            .flat_map(|(name, _)| name.into_owned().into_bytes())
            .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
