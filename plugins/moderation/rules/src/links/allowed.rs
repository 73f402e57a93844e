//! Where links may lead.

use super::Link;

/// The operator's allow-list: hosts with all that is below them, and with a path only what is below that.
pub(super) struct Allowed {
    places: Vec<Place>,
}

struct Place {
    host: String,
    /// Empty, or from the slash on without one at its end.
    path: String,
}

impl Allowed {
    pub(super) fn new(places: &[String]) -> Result<Self, String> {
        let places = places.iter().map(|place| Place::parse(place)).collect::<Result<_, _>>()?;
        Ok(Self { places })
    }

    /// The host is compared as it is written: one that only looks like an allowed one is not.
    pub(super) fn has(&self, link: &Link, text: &str) -> bool {
        let path = text.get(link.path.clone()).unwrap_or_default();
        self.places.iter().any(|place| {
            let is_below = link.host.strip_suffix(&place.host).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
            is_below
                && path
                    .strip_prefix(&place.path)
                    .is_some_and(|rest| place.path.is_empty() || rest.is_empty() || rest.starts_with(['/', '?', '#']))
        })
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let bare = text.trim().to_lowercase();
        let bare = bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest);
        let bare = bare.strip_prefix("*.").unwrap_or(bare);
        let bare = bare.strip_prefix("www.").unwrap_or(bare);
        let (host, path) = bare.find('/').map_or((bare, ""), |slash| bare.split_at(slash));
        let is_host = host.contains('.') && !host.contains(|c: char| c.is_whitespace() || "@:*?#".contains(c));
        if !is_host || host.split('.').any(str::is_empty) {
            return Err(format!("allow: `{text}` is no host; write it as in \"example.com\" or \"example.com/path\""));
        }
        Ok(Self { host: host.to_owned(), path: path.trim_end_matches('/').to_owned() })
    }
}
