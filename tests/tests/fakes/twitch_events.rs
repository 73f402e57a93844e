//! Every event that the fake makes is understood by `twitch_api`, which others wrote: a reading that is not ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use showrunner_tests::twitch::{BOT, Condition, FakeTwitch, KINDS, Kind, Told};
use twitch_api::eventsub::{Event, PayloadParseError};

use super::client::Socket;
use super::twitch_session::listening;

/// What `twitch_api` 0.8 does not know yet; the protocol has them from newer documents.
const UNKNOWN_TO_TWITCH_API: [(&str, &str); 4] = [
    ("channel.hype_train.begin", "2"),
    ("channel.hype_train.progress", "2"),
    ("channel.hype_train.end", "2"),
    ("channel.channel_points_automatic_reward_redemption.add", "2"),
];

/// The same for an action of `channel.moderate`: that all of chat was cleared.
const ACTION_UNKNOWN_TO_TWITCH_API: &str = "clear";

/// Everything that can happen.
fn play(twitch: &FakeTwitch) {
    let room = twitch.room();
    chat(twitch);
    room.follow("bob");
    room.subscribe("carol", "2000");
    room.resub("dave", 15, "15 months! Kappa");
    room.resub("dora", 2, "no emotes");
    room.subscription_end("dave");
    room.gift(Some("erin"), "frank");
    room.gift_bomb(Some("erin"), &["gil", "hal"]);
    room.gift_bomb(None, &["ida"]);
    room.cheer("jon", 100, "wow");
    room.cheer_anonymously(5, "psst");
    room.raid("kim", 42);
    room.raid_out("lea", 7);
    let redemption = room.redeem("bob", "Hydrate", "now");
    room.settle(&redemption, "fulfilled");
    room.redeem_automatic("bob", "send_highlighted_message", "look");
    contests(twitch);
    moderation(twitch);
    room.go_online();
    room.retitle("Another title");
    room.ad_break(60);
    room.shout_out(BOT, "lea");
    room.shared_chat_begin(&["lea"]);
    room.shared_chat_update(&["lea", "mia"]);
    room.shared_chat_end();
    room.go_offline();
    room.whisper("bob", BOT, "a secret");
}

fn chat(twitch: &FakeTwitch) {
    let room = twitch.room();
    let first = room.say("alice", "@streamer hi Kappa");
    let second = room.reply("bob", &first, "hi");
    room.reply("alice", &second, "in the same thread");
    room.line("carol", "quiet").color("").subscriber(16).badge("vip", "1").kind("user_intro").say();
    room.line("carol", "for points").reward("92af127c").say();
    room.line("zoe", "from next door").mirrored_from("lea", "m-1").say();
    room.announce(BOT, "hear, hear");
    room.watch_streak("bob", 5, "");
    room.gift_paid_upgrade("bob", Some("erin"));
    room.gift_paid_upgrade("bob", None);
    room.prime_paid_upgrade("bob");
    room.pay_it_forward("bob", "erin");
    room.bits_badge_tier("bob", 1000);
    room.unraid();
    room.slow_mode(Some(10));
    room.delete(BOT, &first);
    room.clear(BOT);
}

fn contests(twitch: &FakeTwitch) {
    let room = twitch.room();
    let poll = room.poll_begin("Tea?", &["yes", "no"]);
    room.poll_progress(&poll, &[1, 2]);
    room.poll_end(&poll, &[3, 4], "completed");
    let prediction = room.prediction_begin("Win?", &["yes", "no"]);
    room.prediction_progress(&prediction, &[100, 200]);
    room.prediction_lock(&prediction, &[100, 200]);
    room.prediction_end(&prediction, &[100, 200], Some(1));
    let train = room.hype_train_begin();
    room.hype_train_progress(&train, 2, 700);
    room.hype_train_end(&train, 3, 1200);
}

fn moderation(twitch: &FakeTwitch) {
    let room = twitch.room();
    room.ban(BOT, "rude", "rude");
    room.unban(BOT, "rude");
    room.timeout(BOT, "rude", 600, "");
    room.warn(BOT, "rude", "cut it out");
    room.acknowledge_warning("rude");
    room.suspect(BOT, "odd", "active_monitoring");
    room.suspicious_say("odd", "hello");
    let held = room.hold("rude", "such words");
    room.judge(BOT, &held, true);
    let held = room.hold_blocked("rude", "a Schnitzel 🥨 please", "Schnitzel");
    room.judge(BOT, &held, false);
    let held = room.hold("rude", "more words");
    room.let_held_expire(&held);
    room.add_moderator("nora");
    room.remove_moderator("nora");
    room.add_vip("nora");
    room.remove_vip("nora");
}

fn kind_of(told: &Told) -> &'static Kind {
    let found = KINDS.iter().find(|kind| kind.name == told.name && kind.version == told.version);
    found.unwrap_or_else(|| panic!("{} {} is no subscription type", told.name, told.version))
}

fn frame(told: &Told) -> String {
    let condition = match kind_of(told).condition {
        Condition::Broadcaster | Condition::BroadcasterReward => json!({ "broadcaster_user_id": "1" }),
        Condition::BroadcasterUser => json!({ "broadcaster_user_id": "1", "user_id": "2" }),
        Condition::BroadcasterModerator => json!({ "broadcaster_user_id": "1", "moderator_user_id": "2" }),
        Condition::Raid => json!({ "to_broadcaster_user_id": "1" }),
        Condition::User => json!({ "user_id": "2" }),
    };
    let at = "2026-01-05T10:11:12.634234626Z";
    json!({
        "metadata": {
            "message_id": "m", "message_type": "notification", "message_timestamp": at,
            "subscription_type": told.name, "subscription_version": told.version,
        },
        "payload": {
            "subscription": {
                "id": "s", "status": "enabled", "type": told.name, "version": told.version, "cost": 0,
                "condition": condition, "transport": { "method": "websocket", "session_id": "x" }, "created_at": at,
            },
            "event": told.event,
        },
    })
    .to_string()
}

#[tokio::test]
async fn every_event_is_what_another_library_expects() {
    let twitch = FakeTwitch::start().await;
    play(&twitch);
    let mut unknown = BTreeSet::new();
    let mut wrong = BTreeMap::new();
    for told in twitch.told() {
        match Event::parse_websocket(&frame(&told)) {
            Ok(_) => {}
            Err(PayloadParseError::UnimplementedEvent { .. }) => {
                unknown.insert((told.name, told.version));
            }
            Err(_) if told.event["action"] == ACTION_UNKNOWN_TO_TWITCH_API => {}
            Err(error) => {
                wrong.insert(format!("{} {}", told.name, told.version), format!("{error:?}: {}", told.event));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let expected: BTreeSet<_> =
        UNKNOWN_TO_TWITCH_API.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
    assert_eq!(unknown, expected);
}

#[tokio::test]
async fn every_type_can_happen() {
    let twitch = FakeTwitch::start().await;
    play(&twitch);
    let told: BTreeSet<_> = twitch.told().into_iter().map(|told| (told.name, told.version)).collect();
    let missing: Vec<_> =
        KINDS.iter().filter(|kind| !told.contains(&(kind.name.to_owned(), kind.version.to_owned()))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn the_other_frames_are_what_another_library_expects() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(1));
    let mut first = Socket::open(twitch.eventsub_url().as_str(), None).await;
    let welcome = first.next().await;
    let keepalive = first.next().await;
    let (mut socket, _) = listening(&twitch).await;
    twitch.room().say("alice", "hi");
    let notification = socket.next_of("notification").await;
    twitch.reconnect();
    let reconnect = socket.next_of("session_reconnect").await;
    twitch.revoke("channel.chat.message", "user_removed");
    let revocation = socket.next_of("revocation").await;
    for frame in [welcome, keepalive, notification, reconnect, revocation] {
        let text = frame.to_string();
        assert!(Event::parse_websocket(&text).is_ok(), "{:?}: {text}", Event::parse_websocket(&text));
    }
}

#[tokio::test]
async fn a_gift_bomb_is_one_gift_and_as_many_subs() {
    let twitch = FakeTwitch::start().await;
    let id = twitch.room().gift_bomb(None, &["gil", "hal"]);
    let told = twitch.told();
    let of = |name: &str| told.iter().filter(|told| told.name == name).map(|told| &told.event).collect::<Vec<_>>();
    let notices = of("channel.chat.notification");
    let kinds: Vec<&Value> = notices.iter().map(|notice| &notice["notice_type"]).collect();
    assert_eq!(kinds, ["community_sub_gift", "sub_gift", "sub_gift"]);
    assert_eq!(notices[0]["community_sub_gift"]["id"], id);
    assert!(notices[1..].iter().all(|notice| notice["sub_gift"]["community_gift_id"] == id));
    assert!(notices.iter().all(|notice| notice["chatter_user_id"].is_null()));
    let gift = of("channel.subscription.gift");
    assert_eq!((gift.len(), &gift[0]["total"], &gift[0]["user_id"]), (1, &json!(2), &Value::Null));
    assert!(of("channel.subscribe").iter().all(|sub| sub["is_gift"] == true));
    assert_eq!(of("channel.subscribe").len(), 2);
}

#[tokio::test]
async fn boundaries_count_code_points_and_hold_the_last() {
    let twitch = FakeTwitch::start().await;
    twitch.room().hold_blocked("rude", "🥨🥨 Schnitzel", "Schnitzel");
    let told = twitch.told();
    let hold = told.iter().find(|told| told.name == "automod.message.hold" && told.version == "2").unwrap();
    let boundary = &hold.event["blocked_term"]["terms_found"][0]["boundary"];
    assert_eq!(boundary, &json!({ "start_pos": 3, "end_pos": 11 }));
}
