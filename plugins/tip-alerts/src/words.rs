//! The words that stand in for a value, in the operator's language.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use showrunner_sdk::template::Template;

use crate::person::NAMES;

/// A list of names leaves room for the words around it: the shortest line limit of the large platforms is 400.
const LIST_CHARACTERS: usize = 250;

pub(crate) struct Words {
    pub(crate) anonymous: String,
    community: String,
    more: Template,
    tiers: BTreeMap<String, String>,
    /// How many names a list may have.
    most: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RawWords {
    anonymous: String,
    community: String,
    more: String,
    tiers: BTreeMap<String, String>,
}

impl Words {
    pub(crate) fn read(raw: RawWords, most: usize) -> Result<Self, String> {
        if !(1..=NAMES).contains(&most) {
            return Err(format!("names: {most} is not 1 to {NAMES}"));
        }
        let more = Template::parse(&raw.more, &["names", "count"]).map_err(|error| format!("words.more: {error}"))?;
        Ok(Self { anonymous: raw.anonymous, community: raw.community, more, tiers: raw.tiers, most })
    }

    /// The platform's tier in words; `None` where it has none.
    pub(crate) fn tier(&self, tier: &str) -> Option<String> {
        (!tier.is_empty()).then(|| self.tiers.get(tier).map_or(tier, String::as_str).to_owned())
    }

    /// "Ada, Bob and 98 more": as many of the names as fit, of `count` people in all.
    pub(crate) fn list(&self, names: &[String], count: u32) -> String {
        let mut list = String::new();
        let mut shown = 0_u32;
        let mut characters = 0;
        for name in names.iter().filter(|name| !name.is_empty()).take(self.most) {
            characters += name.chars().count() + 2;
            if shown > 0 && characters > LIST_CHARACTERS {
                break;
            }
            if shown > 0 {
                list.push_str(", ");
            }
            list.push_str(name);
            shown += 1;
        }
        match (shown, count.saturating_sub(shown)) {
            (0, _) => self.community.clone(),
            (_, 0) => list,
            (_, rest) => self.more.render(|name| match name {
                "names" => Some(Cow::Borrowed(list.as_str())),
                _ => Some(Cow::Owned(rest.to_string())),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(most: usize) -> Words {
        let (anonymous, community) = ("Somebody".to_owned(), "the community".to_owned());
        let more = "{names} and {count} more".to_owned();
        Words::read(RawWords { anonymous, community, more, tiers: BTreeMap::new() }, most).unwrap()
    }

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("viewer{number}")).collect()
    }

    #[test]
    fn a_list_is_cut_between_names() {
        let words = words(3);
        assert_eq!(words.list(&names(1), 1), "viewer1");
        assert_eq!(words.list(&names(3), 3), "viewer1, viewer2, viewer3");
        assert_eq!(words.list(&names(50), 100), "viewer1, viewer2, viewer3 and 97 more");
        assert_eq!(words.list(&names(2), 100), "viewer1, viewer2 and 98 more");
        assert_eq!(words.list(&[], 100), "the community");
    }

    proptest! {
        #[test]
        fn every_list_fits_and_adds_up(names in prop::collection::vec("[a-zé猫]{1,40}", 1..60), hidden in 0..1000_u32, most in 1..=NAMES) {
            let count = u32::try_from(names.len()).unwrap() + hidden;
            let list = words(most).list(&names, count);
            let (shown, rest) = match list.split_once(" and ") {
                Some((shown, rest)) => (shown, rest.strip_suffix(" more").unwrap().parse::<u32>().unwrap()),
                None => (list.as_str(), 0),
            };
            let shown: Vec<&str> = shown.split(", ").collect();
            prop_assert!(shown.len() <= most && shown.join(", ").chars().count() <= LIST_CHARACTERS);
            prop_assert_eq!(&shown[..], &names[..shown.len()]);
            prop_assert_eq!(u32::try_from(shown.len()).unwrap() + rest, count);
        }
    }
}
