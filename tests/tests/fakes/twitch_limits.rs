//! Subscriptions that are refused, and why.

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_tests::twitch::{BOT, BOT_ID, BOT_SCOPES, BROADCASTER_SCOPES, FakeTwitch, KINDS, STREAMER, STREAMER_ID};

use super::client::{Helix, Socket};

fn chat() -> Value {
    json!({ "broadcaster_user_id": STREAMER_ID, "user_id": BOT_ID })
}

async fn refusals(
    twitch: &FakeTwitch,
    helix: &Helix<'_>,
    session: &str,
    name: &str,
    version: &str,
    condition: Value,
) -> u16 {
    let before = twitch.subscribed().len();
    let (status, body) = helix.subscribe(session, name, version, condition).await;
    assert_eq!(body["status"], status, "{body}");
    assert!(body["error"].is_string() && body["message"].is_string());
    assert_eq!(twitch.subscribed().len(), before);
    status
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_status_it_has() {
    let twitch = FakeTwitch::start().await;
    let (_socket, session) = Socket::welcomed(&twitch).await;
    let bot = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let streamer = Helix::new(&twitch, &twitch.grant(STREAMER, BROADCASTER_SCOPES).access);
    let nobody = Helix::new(&twitch, "no-such-token");
    let app = Helix::new(&twitch, &twitch.app_token().access);
    let poor = Helix::new(&twitch, &twitch.grant(BOT, "user:bot").access);
    let own = json!({ "broadcaster_user_id": STREAMER_ID });
    let follow = json!({ "broadcaster_user_id": STREAMER_ID, "moderator_user_id": BOT_ID });
    let other_room = json!({ "broadcaster_user_id": twitch.user("other").id, "moderator_user_id": BOT_ID });
    let other_reader = json!({ "broadcaster_user_id": STREAMER_ID, "user_id": STREAMER_ID });
    let both_ways = json!({ "from_broadcaster_user_id": "1", "to_broadcaster_user_id": "2" });
    let too_much = json!({ "broadcaster_user_id": STREAMER_ID, "user_id": BOT_ID, "color": "red" });
    let rows = [
        (401, &nobody, "channel.chat.message", "1", chat()),
        (400, &app, "channel.chat.message", "1", chat()),
        (403, &poor, "channel.chat.message", "1", chat()),
        (403, &bot, "channel.chat.message", "1", other_reader),
        (400, &bot, "channel.chat.message", "1", own.clone()),
        (400, &bot, "channel.chat.message", "1", too_much),
        (400, &bot, "channel.chat.message", "7", chat()),
        (400, &bot, "channel.confetti", "1", chat()),
        (410, &bot, "channel.follow", "1", own.clone()),
        (403, &bot, "channel.follow", "2", other_room),
        (403, &bot, "channel.subscribe", "1", own),
        (400, &streamer, "channel.raid", "1", both_ways),
    ];
    for (status, helix, name, version, condition) in rows {
        let given = refusals(&twitch, helix, &session, name, version, condition.clone()).await;
        assert_eq!(given, status, "{name} {version} {condition}");
    }
    assert_eq!(refusals(&twitch, &bot, "no-such-session", "channel.chat.message", "1", chat()).await, 400);
    assert_eq!(bot.subscribe(&session, "channel.follow", "2", follow).await.0, 202);
    assert_eq!(
        refusals(&twitch, &streamer, &session, "stream.online", "1", json!({ "broadcaster_user_id": STREAMER_ID }))
            .await,
        400,
        "another user"
    );
}

#[tokio::test]
async fn duplicates_are_told_apart_by_their_condition() {
    let twitch = FakeTwitch::start().await;
    let bot = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let (first, session) = Socket::welcomed(&twitch).await;
    let raid = |key: &str| json!({ key: STREAMER_ID });
    assert_eq!(bot.subscribe(&session, "channel.raid", "1", raid("to_broadcaster_user_id")).await.0, 202);
    assert_eq!(bot.subscribe(&session, "channel.raid", "1", raid("from_broadcaster_user_id")).await.0, 202);
    assert_eq!(bot.subscribe(&session, "channel.raid", "1", raid("to_broadcaster_user_id")).await.0, 409);
    let (second, other) = Socket::welcomed(&twitch).await;
    assert_eq!(bot.subscribe(&other, "channel.raid", "1", raid("to_broadcaster_user_id")).await.0, 202);
    let (third, other) = Socket::welcomed(&twitch).await;
    assert_eq!(bot.subscribe(&other, "channel.raid", "1", raid("to_broadcaster_user_id")).await.0, 202);
    let (_fourth, other) = Socket::welcomed(&twitch).await;
    let (status, body) = bot.subscribe(&other, "channel.raid", "1", raid("to_broadcaster_user_id")).await;
    assert_eq!(
        (status, body["message"].as_str().unwrap()),
        (429, "maximum subscriptions with type and condition exceeded")
    );
    let (status, body) = bot.subscribe(&other, "channel.chat.message", "1", chat()).await;
    assert_eq!((status, body["message"].as_str().unwrap()), (429, "number of websocket transports limit exceeded"));
    drop((first, second, third));
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    assert_eq!(bot.subscribe(&other, "channel.chat.message", "1", chat()).await.0, 202);
}

#[tokio::test]
async fn a_session_that_broke_off_counts_until_it_is_reaped() {
    let twitch = FakeTwitch::start().await;
    twitch.set_reaped_after(Duration::from_secs(60));
    let bot = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    for _ in 0..3 {
        let (_socket, session) = Socket::welcomed(&twitch).await;
        assert_eq!(bot.subscribe(&session, "channel.chat.message", "1", chat()).await.0, 202);
        twitch.drop_sockets();
        twitch.saw(|twitch| twitch.sockets() == 0).await;
    }
    let (_socket, session) = Socket::welcomed(&twitch).await;
    assert_eq!(bot.subscribe(&session, "channel.chat.message", "1", chat()).await.0, 429);
    twitch.set_reaped_after(Duration::ZERO);
    assert_eq!(bot.subscribe(&session, "channel.chat.message", "1", chat()).await.0, 202);
}

#[tokio::test]
async fn channels_that_did_not_agree_cost() {
    let twitch = FakeTwitch::start().await;
    let bot = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let (_socket, session) = Socket::welcomed(&twitch).await;
    for number in 0..10 {
        let condition = json!({ "broadcaster_user_id": twitch.user(&format!("channel{number}")).id });
        let (status, body) = bot.subscribe(&session, "stream.online", "1", condition).await;
        assert_eq!((status, &body["total_cost"], &body["max_total_cost"]), (202, &json!(number + 1), &json!(10)));
    }
    let condition = json!({ "broadcaster_user_id": STREAMER_ID });
    let (status, body) = bot.subscribe(&session, "stream.online", "1", condition.clone()).await;
    assert_eq!(
        (status, body["message"].as_str().unwrap()),
        (429, "websocket transport subscriptions total cost exceeded")
    );
    twitch.grant(STREAMER, "channel:bot");
    assert_eq!(bot.subscribe(&session, "stream.online", "1", condition).await.0, 202, "who agreed costs nothing");
    twitch.set_max_subscriptions(11);
    assert_eq!(bot.subscribe(&session, "channel.chat.message", "1", chat()).await.0, 429);
}

#[tokio::test]
async fn what_there_is_can_be_listed() {
    let twitch = FakeTwitch::start().await;
    let bot = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let (socket, session) = Socket::welcomed(&twitch).await;
    bot.subscribe(&session, "channel.chat.message", "1", chat()).await;
    bot.subscribe(&session, "channel.chat.clear", "1", chat()).await;
    let list = |query: &str| format!("eventsub/subscriptions?{query}");
    let (_, all) = bot.get(&list("")).await;
    assert_eq!((all["total"].as_u64(), all["data"].as_array().unwrap().len()), (Some(2), 2));
    let (_, one) = bot.get(&list("type=channel.chat.clear")).await;
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
    assert_eq!(bot.get(&list("type=channel.chat.clear&status=enabled")).await.0, 400);
    drop(socket);
    twitch.saw(|twitch| twitch.sockets() == 0).await;
    let (_, gone) = bot.get(&list("status=websocket_disconnected")).await;
    assert_eq!(gone["data"].as_array().unwrap().len(), 2);
}

/// Two accounts that agreed to everything may have every type there is.
#[tokio::test]
async fn the_two_halves_of_a_bot_may_have_every_type() {
    use showrunner_tests::twitch::Condition;
    let twitch = FakeTwitch::start().await;
    let warnings = format!("{BOT_SCOPES} moderator:manage:warnings");
    let bot = Helix::new(&twitch, &twitch.grant(BOT, &warnings).access);
    let streamer = Helix::new(&twitch, &twitch.grant(STREAMER, BROADCASTER_SCOPES).access);
    let (_one, bots) = Socket::welcomed(&twitch).await;
    let (_two, streamers) = Socket::welcomed(&twitch).await;
    for kind in KINDS {
        let (helix, session, condition) = match kind.condition {
            Condition::BroadcasterUser => (&bot, &bots, chat()),
            Condition::BroadcasterModerator => {
                (&bot, &bots, json!({ "broadcaster_user_id": STREAMER_ID, "moderator_user_id": BOT_ID }))
            }
            Condition::User => (&bot, &bots, json!({ "user_id": BOT_ID })),
            Condition::Raid => (&streamer, &streamers, json!({ "to_broadcaster_user_id": STREAMER_ID })),
            Condition::Broadcaster | Condition::BroadcasterReward => {
                (&streamer, &streamers, json!({ "broadcaster_user_id": STREAMER_ID }))
            }
        };
        let (status, body) = helix.subscribe(session, kind.name, kind.version, condition).await;
        assert_eq!(status, 202, "{} {}: {body}", kind.name, kind.version);
    }
}
