//! A session of `EventSub`, from its welcome to its end.

use std::time::Duration;

use axum::extract::ws::Message;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use showrunner_tests::service::{Answer, When};
use showrunner_tests::twitch::{BOT, BOT_ID, BOT_SCOPES, FakeTwitch, Notice, STREAMER_ID};

use super::client::{End, Helix, Socket};

fn chat() -> serde_json::Value {
    json!({ "broadcaster_user_id": STREAMER_ID, "user_id": BOT_ID })
}

/// A socket that reads chat.
pub(super) async fn listening(twitch: &FakeTwitch) -> (Socket, String) {
    let (socket, session) = Socket::welcomed(twitch).await;
    let helix = Helix::new(twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let (status, body) = helix.subscribe(&session, "channel.chat.message", "1", chat()).await;
    assert_eq!((status, &body["data"][0]["status"]), (202, &json!("enabled")), "{body}");
    (socket, session)
}

#[tokio::test]
async fn a_line_reaches_whoever_subscribed() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, session) = listening(&twitch).await;
    let id = twitch.room().say("Viewer32", "hi @streamer Kappa");
    let frame = socket.next_of("notification").await;
    assert_eq!(frame["metadata"]["subscription_type"], "channel.chat.message");
    assert_eq!(frame["payload"]["subscription"]["transport"]["session_id"], session);
    let event = &frame["payload"]["event"];
    assert_eq!(event["message_id"], id);
    assert_eq!(event["chatter_user_login"], "viewer32");
    assert_eq!(event["message"]["fragments"][1]["mention"]["user_id"], STREAMER_ID);
    assert_eq!(event["message"]["fragments"][3]["emote"]["id"], "25");
    let reply = twitch.room().reply("bob", &id, "hi back");
    let event = socket.event().await;
    assert_eq!((&event["message_id"], &event["reply"]["thread_message_id"]), (&json!(reply), &json!(id)));
    assert_eq!(twitch.subscribed().len(), 1);
    assert_eq!((twitch.sockets(), twitch.most_sockets()), (1, 1));
}

#[tokio::test]
async fn the_welcome_says_what_the_protocol_says() {
    let twitch = FakeTwitch::start().await;
    let mut url = twitch.eventsub_url();
    url.set_query(Some("keepalive_timeout_seconds=3"));
    let mut socket = Socket::open(url.as_str(), None).await;
    let session = socket.next().await["payload"]["session"].take();
    assert_eq!(session["keepalive_timeout_seconds"], 10, "moved to the nearest legal value");
    assert_eq!(session["status"], "connected");
    assert!(session["recovery_url"].is_null() && session.as_object().unwrap().contains_key("recovery_url"));
}

#[tokio::test]
async fn silence_is_broken_by_keepalives_and_pings_are_answered() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(1));
    twitch.set_pings(Duration::from_millis(900), true);
    let (mut socket, _) = Socket::welcomed(&twitch).await;
    let keepalive = socket.next().await;
    assert_eq!(keepalive["metadata"]["message_type"], "session_keepalive");
    twitch.saw(|twitch| twitch.pongs() > 0).await;
}

#[tokio::test]
async fn whoever_sends_anything_is_closed_with_4001() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    socket.send("hello").await;
    assert_eq!(socket.end().await, End::Code(4001));
    twitch.saw(|twitch| twitch.subscriptions()[0].status == "websocket_received_inbound_traffic").await;
}

#[tokio::test]
async fn a_session_without_subscriptions_is_closed_with_4003() {
    let twitch = FakeTwitch::start().await;
    twitch.set_unused_after(Duration::from_millis(100));
    let (mut socket, _) = Socket::welcomed(&twitch).await;
    assert_eq!(socket.end().await, End::Code(4003));
}

#[tokio::test]
async fn the_last_subscription_that_is_deleted_ends_the_session() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    twitch.set_unused_after(Duration::from_millis(100));
    let helix = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    let path = format!("eventsub/subscriptions?id={}", twitch.subscriptions()[0].id);
    assert_eq!(helix.call("DELETE", &path, json!(null)).await.0, 204);
    assert_eq!(helix.call("DELETE", &path, json!(null)).await.0, 404);
    assert_eq!(socket.end().await, End::Code(4003));
}

#[tokio::test]
async fn a_lost_connection_loses_its_subscriptions() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    twitch.drop_sockets();
    assert_eq!(socket.end().await, End::Cut);
    twitch.saw(|twitch| twitch.sockets() == 0).await;
    twitch.room().say("alice", "nobody hears this");
    let (mut socket, _) = listening(&twitch).await;
    twitch.room().say("alice", "but this");
    assert_eq!(socket.event().await["message"]["text"], "but this");
    let statuses: Vec<String> = twitch.subscriptions().into_iter().map(|one| one.status).collect();
    assert_eq!(statuses, ["websocket_disconnected", "enabled"]);
}

#[tokio::test]
async fn it_closes_with_any_code() {
    let twitch = FakeTwitch::start().await;
    for code in [4000, 4002, 4005, 4006] {
        let (mut socket, _) = listening(&twitch).await;
        twitch.close(code);
        assert_eq!(socket.end().await, End::Code(code));
    }
}

#[tokio::test]
async fn a_revocation_says_why_and_ends_the_type() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    assert_eq!(twitch.revoke("channel.chat.message", "chat_user_banned"), 1);
    let frame = socket.next_of("revocation").await;
    assert_eq!(frame["metadata"]["subscription_type"], "channel.chat.message");
    assert_eq!(frame["payload"]["subscription"]["status"], "chat_user_banned");
    assert!(frame["payload"].get("event").is_none());
    twitch.room().say("alice", "unheard");
    twitch.push_unknown();
    assert_eq!(socket.next().await["metadata"]["message_type"], "session_confetti");
}

#[tokio::test]
async fn repeats_old_times_and_a_wrong_clock() {
    let twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    let old: Timestamp = "2020-01-05T10:11:12.123456789Z".parse().unwrap();
    let notice = Notice { message_id: Some("again".to_owned()), sent_at: Some(old), repeats: 1 };
    twitch.room().line("alice", "twice").notice(notice).say();
    for _ in 0..2 {
        let metadata = socket.next_of("notification").await["metadata"].take();
        assert_eq!(metadata["message_id"], "again");
        assert_eq!(metadata["message_timestamp"], "2020-01-05T10:11:12.123456789Z");
    }
    twitch.set_skew(SignedDuration::from_hours(-5));
    let (mut late, _) = Socket::welcomed(&twitch).await;
    drop(late.next_where(|_| true));
    twitch.room().say("alice", "long ago");
    let at = socket.next_of("notification").await["metadata"]["message_timestamp"].as_str().unwrap().to_owned();
    let at: Timestamp = at.parse().unwrap();
    assert!(Timestamp::now().duration_since(at) > SignedDuration::from_hours(4));
}

#[tokio::test]
async fn an_event_may_come_before_its_subscription_is_answered() {
    let twitch = FakeTwitch::start().await;
    twitch.room().line("alice", "early").say_early();
    let (mut socket, session) = Socket::welcomed(&twitch).await;
    let helix = Helix::new(&twitch, &twitch.grant(BOT, BOT_SCOPES).access);
    // The event is there, although nobody ever hears that the subscription is.
    twitch.answer_next("POST /helix/eventsub/subscriptions", [Answer::DoneBut(503)]);
    let (status, _) = helix.subscribe(&session, "channel.chat.message", "1", chat()).await;
    assert_eq!(status, 503);
    assert_eq!(socket.event().await["message"]["text"], "early");
}

#[tokio::test]
async fn a_welcome_may_be_late_or_missing_and_fields_may_be_new() {
    let twitch = FakeTwitch::start().await;
    twitch.set_welcome(When::Never);
    let mut silent = Socket::open(twitch.eventsub_url().as_str(), None).await;
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    twitch.push(&Message::text(r#"{"only":"this"}"#));
    assert_eq!(silent.next().await, json!({ "only": "this" }));
    twitch.set_welcome(When::After(Duration::from_millis(50)));
    twitch.add_unknown_fields(true);
    let (mut socket, _) = listening(&twitch).await;
    twitch.room().follow("bob");
    twitch.room().say("alice", "hi");
    let frame = socket.next_of("notification").await;
    for object in [&frame, &frame["payload"]["event"], &frame["payload"]["event"]["badges"]] {
        assert!(object.is_array() || object.get("field_of_tomorrow").is_some(), "{object}");
    }
    assert_eq!(frame["payload"]["subscription"]["condition"], chat());
}

#[tokio::test]
async fn it_goes_away_and_comes_back() {
    let mut twitch = FakeTwitch::start().await;
    let (mut socket, _) = listening(&twitch).await;
    twitch.go_away();
    assert_eq!(socket.end().await, End::Cut);
    twitch.come_back().await;
    let (mut socket, _) = listening(&twitch).await;
    twitch.room().say("alice", "there you are");
    assert_eq!(socket.event().await["message"]["text"], "there you are");
}
