//! Alerts of a channel, each by the topic of its own and as the chat tells it.

use super::*;
use crate::event::{Amount, Broadcast, Raid, Subscription, Support};

fn subscription(event: Event) -> Subscription {
    match event {
        Event::Subscription(subscription) => subscription,
        other => panic!("{other:?}"),
    }
}

fn support(event: Event) -> Support {
    match event {
        Event::Support(support) => support,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_follow_is_named_by_who_and_when() {
    let draft = only("follow");
    assert_eq!(draft.event, Event::Follow(crate::event::Follow { who: person("1234", "Cool") }));
    assert_eq!(draft.at_ms, 1_767_636_971_171, "nanoseconds are read");
    assert_eq!(id_of(&draft), "twitch:follow:1337:1234:1767636971");

    let (topic, mut again) = sample("follow").remove(0);
    again["followed_at"] = json!("2026-01-05T19:00:00Z");
    assert_ne!(Stage::new().hear(&topic, &again)[0].id, draft.id, "who follows again follows again");
}

#[test]
fn subscriptions_of_every_kind() {
    let new = only("subscribe");
    assert_eq!(id_of(&new), "twitch:new:1337:1234:1000:20458");
    let new = subscription(new.event);
    assert_eq!((new.kind.as_str(), new.who, new.tier.as_str(), new.months), ("new", person("1234", "Cool"), "1000", 0));

    let resub = only("subscription-message");
    assert_eq!(extra_of(&resub)["duration_months"], 6);
    assert_eq!(extra_of(&resub)["emotes"][0]["id"], "25");
    let resub = subscription(resub.event);
    assert_eq!((resub.kind.as_str(), resub.months, resub.streak_months), ("resub", 15, None));
    assert_eq!(resub.message.as_deref(), Some("15 months!"));

    assert_eq!(subscription(only("subscription-end").event).kind, "end");
    let received = subscription(events("gift-bomb").remove(0));
    assert_eq!((received.kind.as_str(), received.who.id.as_str()), ("gifted", "61"));
}

#[test]
fn the_chat_tells_of_subscriptions_too() {
    let new = subscription(only("notice-sub").event);
    assert_eq!((new.kind.as_str(), new.who.badges.as_slice()), ("new", &["premium/1".to_owned()][..]));
    let resub = only("notice-resub");
    assert_eq!(extra_of(&resub)["gifter_user_id"], "55");
    let resub = subscription(resub.event);
    assert_eq!((resub.months, resub.message.as_deref()), (15, Some("15 months!")));

    let mut upgrades = sample("notice-upgrade");
    upgrades[1].1["chatter_user_id"] = json!("another");
    let upgrades: Vec<Draft> = Stage::new().hear_all(&upgrades);
    let kinds: Vec<Value> = upgrades.iter().map(|draft| extra_of(draft)["upgrade"].clone()).collect();
    assert_eq!(kinds, ["gift_paid_upgrade", "prime_paid_upgrade"]);
    assert!(upgrades.into_iter().all(|draft| subscription(draft.event).kind == "upgrade"));
}

#[test]
fn bits_are_told_once_and_what_is_bought_with_them_as_well() {
    let cheer = only("cheer");
    assert_eq!(id_of(&cheer), "twitch:n1");
    let cheer = support(cheer.event);
    assert_eq!((cheer.kind.as_str(), cheer.amount, cheer.currency.as_str()), ("bits", Amount::whole(100), "bits"));
    assert_eq!((cheer.who, cheer.message.as_deref()), (Some(person("1234", "Cool")), Some("pogchamp100")));

    let mut stage = Stage::new();
    assert_eq!(stage.hear_all(&sample("cheer")).len(), 1);
    let bought = stage.hear_all(&sample("bits"));
    assert_eq!(bought.len(), 1, "the cheer was told");
    assert_eq!(extra_of(&bought[0])["power_up"]["emote"]["id"], "25");
    let bought = support(bought[0].event.clone());
    assert_eq!((bought.amount, bought.item.as_deref()), (Amount::whole(30), Some("gigantify an emote")));
}

#[test]
fn who_is_anonymous_is_nobody() {
    let (topic, mut cheer) = sample("cheer").remove(0);
    for (id, is_anonymous) in
        [(json!(null), true), (json!(""), true), (json!("407665396"), false), (json!("1234"), true)]
    {
        (cheer["user_id"], cheer["is_anonymous"]) = (id, json!(is_anonymous));
        assert_eq!(support(Stage::new().hear(&topic, &cheer).remove(0).event).who, None);
    }
}

#[test]
fn a_donation_keeps_its_cents() {
    let donation = support(only("notice-charity").event);
    assert_eq!(donation.amount, Amount { minor_units: 550, exponent: 2 });
    assert_eq!((donation.kind.as_str(), donation.currency.as_str()), ("charity", "USD"));
    assert_eq!(donation.item.as_deref(), Some("Good"));
    let (topic, mut large) = sample("notice-charity").remove(0);
    large["charity_donation"]["amount"]["value"] = json!(123_456_789_012_u64);
    let large = support(Stage::new().hear(&topic, &large).remove(0).event);
    assert_eq!(large.amount.to_string(), "1234567890");
}

#[test]
fn raids_come_and_go() {
    let mut drafts = told("raid").into_iter().map(|draft| draft.event);
    assert_eq!(drafts.next(), Some(Event::Raid(Raid { source: person("50", "Raider"), viewers: 42 })));
    let away = Broadcast {
        kind: "raid-out".to_owned(),
        count: Some(40),
        who: Some(person("51", "Friend")),
        ..Broadcast::default()
    };
    assert_eq!(drafts.next(), Some(Event::Broadcast(away)));
    assert!(matches!(only("notice-raid").event, Event::Raid(raid) if raid.viewers == 42 && raid.source.id == "50"));
}
