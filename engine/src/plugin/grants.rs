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

    /// Whether it is asked for a verdict, which holds a line back, removes it, or silences who wrote it.
    pub fn check_review(&self) -> Result<(), Denied> {
        self.check("moderation", "review")
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::permission::{UrlRule, VOCABULARY};

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

    /// What a permission may list: what it knows, or names.
    fn items(permission: &'static str) -> Vec<&'static str> {
        let known = VOCABULARY.iter().find(|(name, _)| *name == permission).and_then(|(_, known)| *known);
        match permission {
            "http" => vec![
                "https://a.example/",
                "https://a.example/v1/",
                "https://a.example/v1/ private",
                "http://127.0.0.1/",
            ],
            _ => known.map_or_else(|| vec!["main", "mai", "main2", "*", "a.b", "ALL"], <[_]>::to_vec),
        }
    }

    fn half() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
        let permission = prop::sample::select(VOCABULARY.map(|(name, _)| name).to_vec());
        let entry = permission.prop_flat_map(|name| {
            let items = prop::collection::vec(prop::sample::select(items(name)).prop_map(str::to_owned), 0..4);
            (Just(name.to_owned()), items)
        });
        prop::collection::vec(entry, 0..6).prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        /// Whatever is asked and given: what is allowed is what stands in both, item by item and address by address.
        #[test]
        fn never_more_than_asked_and_given(asked in half(), given in half()) {
            let lists = |half: &BTreeMap<String, Vec<String>>, permission: &str, item: &str| {
                half.get(permission).is_some_and(|items| items.iter().any(|listed| listed == item))
            };
            let grants = Grants { asked: Permissions::parse(&asked).unwrap(), given: Permissions::parse(&given).unwrap() };
            for (permission, _) in VOCABULARY {
                for item in items(permission).into_iter().chain(["", "Main", "say "]) {
                    let expected = lists(&asked, permission, item) && lists(&given, permission, item);
                    prop_assert_eq!(grants.check(permission, item).is_ok(), expected, "{}.{}", permission, item);
                }
            }
            prop_assert!(grants.check("no-such-permission", "main").is_err());
            for url in ["https://a.example/", "https://a.example/v1/x", "http://127.0.0.1/x", "https://b.example/"] {
                let url = Url::parse(url).unwrap();
                let rules = |half: &BTreeMap<String, Vec<String>>| -> Vec<bool> {
                    let rules = half.get("http").into_iter().flatten().map(|rule| UrlRule::parse(rule).unwrap());
                    rules.filter(|rule| rule.matches(&url)).map(|rule| rule.private).collect()
                };
                let (asked, given) = (rules(&asked), rules(&given));
                let expected = (!asked.is_empty() && !given.is_empty())
                    .then(|| AllowedUrl { private: asked.contains(&true) && given.contains(&true) });
                prop_assert_eq!(grants.check_url(&url).ok(), expected, "{}", url);
            }
        }

        /// What is beyond is what is missing, and with it added nothing is.
        #[test]
        fn what_is_beyond_is_what_is_missing(one in half(), other in half()) {
            let (one, other) = (Permissions::parse(&one).unwrap(), Permissions::parse(&other).unwrap());
            let beyond = one.beyond(&other);
            let beyond = beyond.to_table();
            for (permission, items) in &beyond {
                prop_assert!(items.iter().all(|item| one.has(permission, item) && !other.has(permission, item)));
            }
            let mut both = other.to_table();
            for (permission, items) in beyond {
                both.entry(permission).or_default().extend(items);
            }
            prop_assert!(one.beyond(&Permissions::parse(&both).unwrap()).is_empty());
        }
    }
}
