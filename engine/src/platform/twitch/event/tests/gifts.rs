//! Gifts: however many events they come in, they are one, and each who received one is told of once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::event::Gift;

fn gifts(drafts: &[Draft]) -> Vec<&Gift> {
    let gifts = drafts.iter().filter_map(|draft| match &draft.event {
        Event::Gift(gift) => Some(gift),
        _ => None,
    });
    gifts.collect()
}

/// The ids of those who were told to have received one.
fn received(drafts: &[Draft]) -> Vec<&str> {
    let received = drafts.iter().filter_map(|draft| match &draft.event {
        Event::Subscription(subscription) if subscription.kind == "gifted" => Some(subscription.who.id.as_str()),
        _ => None,
    });
    received.collect()
}

fn names(gift: &Gift) -> Vec<&str> {
    gift.recipients.iter().map(|user| user.id.as_str()).collect()
}

#[test]
fn a_bomb_is_one_gift_with_its_names() {
    let mut stage = Stage::new();
    let notices = sample("gift-bomb");
    let first = stage.hear_all(&notices[..4]);
    assert_eq!((received(&first), gifts(&first).len()), (vec!["61"], 0), "who received one is told at once");
    let last = stage.hear_all(&notices[4..]);
    let bomb = gifts(&last)[0];
    assert_eq!(
        (bomb.count, names(bomb), bomb.total),
        (2, vec!["61", "62"], Some(9)),
        "it does not wait when it is complete"
    );
    assert_eq!(bomb.giver.as_ref().map(|giver| giver.id.as_str()), Some("55"));
    assert_eq!(received(&last), ["62"]);
    assert_eq!(stage.rest(), []);
    let id = last.iter().find(|draft| matches!(draft.event, Event::Gift(_))).map(id_of);
    assert_eq!(id, Some("twitch:n1"), "it is named by its announcement");
}

#[test]
fn a_gift_to_one_is_a_gift_of_one() {
    let drafts = told("gift-to-one");
    assert_eq!(received(&drafts), ["61"]);
    let gifts = gifts(&drafts);
    assert_eq!((gifts.len(), gifts[0].count, names(gifts[0])), (1, 1, vec!["61"]));
}

#[test]
fn nobody_knows_who_gave_without_a_name() {
    let drafts = told("gift-anonymous");
    let gifts = gifts(&drafts);
    assert_eq!((gifts.len(), gifts[0].count, gifts[0].giver.is_none()), (1, 2, true));
}

#[test]
fn a_bomb_waits_for_names_as_long_as_they_come() {
    let mut stage = Stage::new();
    let notices = sample("gift-bomb");
    assert_eq!(stage.hear_all(&notices[..1]), []);
    assert_eq!(gifts(&stage.wait(Duration::from_secs(2))).len(), 0);
    assert_eq!(gifts(&stage.hear_all(&notices[1..2])).len(), 0);
    assert_eq!(gifts(&stage.wait(Duration::from_secs(2))).len(), 0);
    assert_eq!(stage.normalizer.next_due(), Some(stage.now + Duration::from_secs(1)));
    let told = stage.wait(Duration::from_secs(1));
    assert_eq!(gifts(&told).iter().map(|gift| (gift.count, names(gift))).collect::<Vec<_>>(), [(2, vec!["61"])]);
    assert_eq!(gifts(&stage.hear_all(&notices[2..])).len(), 0, "what comes later belongs to it");
    assert_eq!(gifts(&stage.rest()).len(), 0);
}

#[test]
fn names_without_an_announcement_are_a_gift_in_the_end() {
    let mut stage = Stage::new();
    let notices = sample("gift-bomb");
    assert_eq!(gifts(&stage.hear_all(&[notices[1].clone(), notices[4].clone()])).len(), 0);
    let told = stage.rest();
    assert_eq!(gifts(&told).iter().map(|gift| (gift.count, names(gift))).collect::<Vec<_>>(), [(2, vec!["61", "62"])]);
}

#[test]
fn equal_gifts_of_one_giver_are_two() {
    let mut stage = Stage::new();
    let alert = sample("gift-to-one").remove(1);
    let mut chat = sample("gift-to-one").remove(0);
    let mut drafts = stage.hear_all(&[chat.clone(), alert.clone()]);
    chat.1["sub_gift"]["recipient_user_id"] = json!("62");
    drafts.extend(stage.hear_all(&[alert, chat]));
    drafts.extend(stage.rest());
    assert_eq!(gifts(&drafts).iter().map(|gift| names(gift)).collect::<Vec<_>>(), [["61"], ["62"]]);
}

#[test]
fn there_is_room_for_the_largest_bomb() {
    let mut stage = Stage::new();
    let (topic, mut announcement) = sample("gift-bomb").remove(0);
    announcement["community_sub_gift"]["total"] = json!(100_000);
    assert_eq!(stage.hear(&topic, &announcement), []);
    let (topic, mut name) = sample("gift-bomb").remove(1);
    let mut drafts = Vec::new();
    for number in 0..1200 {
        name["sub_gift"]["recipient_user_id"] = json!(format!("r{number}"));
        drafts.extend(stage.hear(&topic, &name));
    }
    assert_eq!((gifts(&drafts)[0].count, gifts(&drafts)[0].recipients.len()), (100_000, 1000));
    assert_eq!(received(&drafts).len(), 1200);
}

/// Which topics are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Granted {
    Alerts,
    Chat,
    Both,
}

#[derive(Debug, Clone)]
struct Given {
    giver: Option<&'static str>,
    tier: &'static str,
    recipients: Vec<String>,
    /// To somebody by name, not to whoever is there.
    by_name: bool,
}

fn named(id: Option<&str>, prefix: &str) -> Value {
    json!({ format!("{prefix}_id"): id, format!("{prefix}_login"): id, format!("{prefix}_name"): id })
}

fn merged(parts: &[Value]) -> Value {
    parts.iter().flat_map(|part| part.as_object().unwrap().clone()).collect()
}

impl Given {
    fn alerts(&self) -> Vec<(String, Value)> {
        let figures =
            json!({ "total": self.recipients.len(), "tier": self.tier, "is_anonymous": self.giver.is_none() });
        let gift = merged(&[named(self.giver, "user"), figures]);
        let received = self.recipients.iter().map(|who| {
            let event = merged(&[named(Some(who), "user"), json!({ "tier": self.tier, "is_gift": true })]);
            ("channel.subscribe".to_owned(), event)
        });
        std::iter::once(("channel.subscription.gift".to_owned(), gift)).chain(received).collect()
    }

    fn chat(&self, community: usize) -> Vec<(String, Value)> {
        let community = (!self.by_name).then(|| format!("c{community}"));
        let notice = |kind: &str, body: Value| {
            let about = json!({ "notice_type": kind, "chatter_is_anonymous": self.giver.is_none(), kind: body });
            ("channel.chat.notification".to_owned(), merged(&[named(self.giver, "chatter_user"), about]))
        };
        let announcement = community.as_ref().map(|id| {
            notice("community_sub_gift", json!({ "id": id, "total": self.recipients.len(), "sub_tier": self.tier }))
        });
        let received = self.recipients.iter().map(|who| {
            let about = json!({ "sub_tier": self.tier, "community_gift_id": community });
            notice("sub_gift", merged(&[named(Some(who), "recipient_user"), about]))
        });
        announcement.into_iter().chain(received).collect()
    }

    fn figures(&self) -> (Option<String>, String, usize) {
        (self.giver.map(str::to_owned), self.tier.to_owned(), self.recipients.len())
    }
}

fn given() -> impl Strategy<Value = Vec<Given>> {
    let givers = prop::sample::select(vec![None, Some("gia"), Some("hal")]);
    let one = (givers, prop::sample::select(vec!["1000", "2000"]), 1..4_usize, any::<bool>());
    prop::collection::vec(one, 1..6).prop_map(|drawn| {
        let gift = |(index, (giver, tier, count, by_name)): (usize, (_, _, usize, bool))| Given {
            giver,
            tier,
            recipients: (0..count).map(|number| format!("r{index}-{number}")).collect(),
            by_name: by_name && count == 1,
        };
        drawn.into_iter().enumerate().map(gift).collect()
    })
}

fn tellings() -> impl Strategy<Value = (Vec<Given>, Granted, Vec<(String, Value)>)> {
    let granted = prop::sample::select(vec![Granted::Alerts, Granted::Chat, Granted::Both]);
    (given(), granted).prop_flat_map(|(given, granted)| {
        let mut tellings = Vec::new();
        for (index, gift) in given.iter().enumerate() {
            if granted != Granted::Chat {
                tellings.extend(gift.alerts());
            }
            if granted != Granted::Alerts {
                tellings.extend(gift.chat(index));
            }
        }
        (Just(given), Just(granted), Just(tellings).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn no_gift_is_lost_and_none_is_told_twice((given, granted, tellings) in tellings()) {
        let mut stage = Stage::new();
        let mut drafts = stage.hear_all(&tellings);
        drafts.extend(stage.rest());
        let gifts = gifts(&drafts);

        let mut expected: Vec<_> = given.iter().map(Given::figures).collect();
        let mut told: Vec<_> = gifts
            .iter()
            .map(|gift| {
                let count = usize::try_from(gift.count).unwrap();
                (gift.giver.as_ref().map(|giver| giver.id.clone()), gift.tier.clone(), count)
            })
            .collect();
        expected.sort();
        told.sort();
        prop_assert_eq!(told, expected);

        let all: BTreeSet<&str> = given.iter().flat_map(|gift| &gift.recipients).map(String::as_str).collect();
        let mut each = received(&drafts);
        each.sort_unstable();
        prop_assert_eq!(each, all.iter().copied().collect::<Vec<_>>(), "each who received one, once");

        let mut named = BTreeSet::new();
        for gift in &gifts {
            prop_assert!(gift.recipients.len() <= usize::try_from(gift.count).unwrap());
            for name in names(gift) {
                prop_assert!(all.contains(name) && named.insert(name), "{name} is in one gift only");
            }
        }
        if granted == Granted::Chat {
            let whole: BTreeMap<Vec<&str>, ()> = gifts.iter().map(|gift| {
                let mut names = names(gift);
                names.sort_unstable();
                (names, ())
            }).collect();
            for gift in &given {
                let names: Vec<&str> = gift.recipients.iter().map(String::as_str).collect();
                prop_assert!(whole.contains_key(&names), "the chat says whose are whose");
            }
        }
    }
}
