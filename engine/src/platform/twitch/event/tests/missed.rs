//! What is looked up after a gap is what would have been heard.

use super::*;

fn item(name: &str) -> Value {
    let text = std::fs::read_to_string(corpus().join("../twitch-gaps").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Equal, but that one says that it is late.
fn assert_same(live: &Draft, late: &Draft) {
    assert_eq!((&live.id, live.at_ms, &live.event), (&late.id, late.at_ms, &late.event));
    assert_eq!(extra_of(late)["late"], true);
    assert_ne!(extra_of(live)["late"], true);
}

#[test]
fn a_follow_has_the_id_that_it_would_have_had() {
    let live = only("follow");
    let late = missed_follow(&channel(), &item("follower")).unwrap();
    assert_eq!((&live.id, &live.event, late.at_ms / 1000), (&late.id, &late.event, live.at_ms / 1000));
    assert_eq!(late.extra.as_deref(), Some(r#"{"late":true}"#));
}

#[test]
fn a_redemption_too() {
    let (topic, mut add) = sample("redemption").remove(0);
    add["redeemed_at"] = json!("2026-01-05T10:11:12Z");
    let live = Stage::new().hear(&topic, &add).remove(0);
    assert_same(&live, &missed_redemption(&channel(), &item("redemption")).unwrap());
}

#[test]
fn a_subscription_too_on_the_same_day() {
    let mut gift = item("subscriber");
    let late = missed_subscription(&channel(), &gift, NOW_MS).unwrap();
    let (topic, mut received) = sample("subscribe").remove(0);
    received["is_gift"] = json!(true);
    let live = Stage::new().hear(&topic, &received).remove(0);
    assert_same(&live, &late);
    assert_eq!(extra_of(&late)["gifter_login"], "gia");

    gift["is_gift"] = json!(false);
    assert_same(&only("subscribe"), &missed_subscription(&channel(), &gift, NOW_MS).unwrap());
    assert_eq!(only("notice-sub").id, only("subscribe").id, "whichever topic told of it");
}

#[test]
fn what_can_not_be_told_from_a_repeat_is_not_told() {
    let nobody = item("nobody");
    assert_eq!(missed_follow(&channel(), &nobody), None);
    assert_eq!(missed_redemption(&channel(), &nobody), None);
    assert_eq!(missed_subscription(&channel(), &nobody, NOW_MS), None);
    let mut timeless = item("follower");
    timeless["followed_at"] = json!("yesterday");
    assert_eq!(missed_follow(&channel(), &timeless), None);
}
