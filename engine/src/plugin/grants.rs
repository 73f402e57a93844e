//! What a plugin may do: what its manifest asks for, as far as the operator gives it. Nothing by default.
//!
//! Both halves are looked at in each call, so a grant that is taken back holds from the next call on.

use url::Url;

use crate::permission::Permissions;

/// A call that was refused, in the words the plugin gets to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("denied: {permission}.{item} is not among the permissions in plugin.toml")]
    NotAsked { permission: &'static str, item: String },
    #[error("denied: {permission}.{item} was not granted by the operator")]
    NotGranted { permission: &'static str, item: String },
}

/// Both halves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    pub asked: Permissions,
    pub given: Permissions,
}

/// An address that may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedUrl {
    /// Also when the name resolves to an address that is not public.
    pub private: bool,
}

impl Grants {
    pub fn check(&self, permission: &'static str, item: &str) -> Result<(), Denied> {
        if !self.asked.has(permission, item) {
            return Err(Denied::NotAsked { permission, item: item.to_owned() });
        }
        if !self.given.has(permission, item) {
            return Err(Denied::NotGranted { permission, item: item.to_owned() });
        }
        Ok(())
    }

    /// The query is left out of the refusal: it may hold what is nobody's business.
    pub fn check_url(&self, url: &Url) -> Result<AllowedUrl, Denied> {
        let port = || url.port().map_or_else(String::new, |port| format!(":{port}"));
        let shown = || format!("{}://{}{}{}", url.scheme(), url.host_str().unwrap_or_default(), port(), url.path());
        let Some(asked) = self.asked.url_rule(url) else {
            return Err(Denied::NotAsked { permission: "http", item: shown() });
        };
        let Some(given) = self.given.url_rule(url) else {
            return Err(Denied::NotGranted { permission: "http", item: shown() });
        };
        Ok(AllowedUrl { private: asked.private && given.private })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn permissions(pairs: &[(&str, &[&str])]) -> Permissions {
        let table = pairs
            .iter()
            .map(|(name, items)| ((*name).to_owned(), items.iter().map(|item| (*item).to_owned()).collect()))
            .collect();
        Permissions::parse(&table).unwrap()
    }

    #[test]
    fn both_halves_are_needed() {
        let asked = permissions(&[("chat", &["say", "reply"])]);
        let given = permissions(&[("chat", &["say", "whisper"])]);
        let grants = Grants { asked, given };
        assert_eq!(grants.check("chat", "say"), Ok(()));
        assert!(matches!(grants.check("chat", "reply"), Err(Denied::NotGranted { .. })));
        assert!(matches!(grants.check("chat", "whisper"), Err(Denied::NotAsked { .. })));
        assert!(matches!(grants.check("kv", "use"), Err(Denied::NotAsked { .. })));
    }

    #[test]
    fn private_addresses_need_the_word_in_both_halves() {
        let url = Url::parse("http://127.0.0.1:9000/hook/x").unwrap();
        let open = permissions(&[("http", &["http://127.0.0.1:9000/hook/ private"])]);
        let closed = permissions(&[("http", &["http://127.0.0.1:9000/hook/"])]);
        let private = |asked: &Permissions, given: &Permissions| {
            Grants { asked: asked.clone(), given: given.clone() }.check_url(&url).unwrap().private
        };
        assert!(private(&open, &open));
        assert!(!private(&open, &closed));
        assert!(!private(&closed, &open));
    }

    proptest! {
        /// Whatever is asked and given, nothing is allowed that is not in both.
        #[test]
        fn never_more_than_asked_and_given(
            asked in proptest::collection::btree_set("[a-c]", 0..3),
            given in proptest::collection::btree_set("[a-c]", 0..3),
            tried in "[a-d]",
        ) {
            let half = |items: &BTreeSet<String>| Permissions::parse(
                &BTreeMap::from([("tools".to_owned(), items.iter().cloned().collect())])).unwrap();
            let grants = Grants { asked: half(&asked), given: half(&given) };
            prop_assert_eq!(grants.check("tools", &tried).is_ok(), asked.contains(&tried) && given.contains(&tried));
        }
    }
}
