//! A session that moves to another socket.

use std::time::Duration;

use showrunner_tests::service::When;
use showrunner_tests::twitch::FakeTwitch;

use super::client::{End, Socket};
use super::twitch_session::listening;

async fn asked_to_move(twitch: &FakeTwitch, socket: &mut Socket) -> String {
    twitch.reconnect();
    let session = socket.next_of("session_reconnect").await["payload"]["session"].take();
    assert_eq!(session["status"], "reconnecting");
    assert!(session["keepalive_timeout_seconds"].is_null());
    session["reconnect_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_session_keeps_its_id_and_its_subscriptions() {
    let twitch = FakeTwitch::start().await;
    let (mut old, session) = listening(&twitch).await;
    let url = asked_to_move(&twitch, &mut old).await;
    assert!(url.contains("challenge=") && url.contains(&format!("id={session}")), "{url}");
    twitch.room().say("alice", "on the old one");
    assert_eq!(old.event().await["message"]["text"], "on the old one");
    let mut new = Socket::open(&url, None).await;
    let welcome = new.next_of("session_welcome").await;
    assert_eq!(welcome["payload"]["session"]["id"], session);
    twitch.room().say("alice", "on both");
    let ids: Vec<_> = [old.next_of("notification").await, new.next_of("notification").await]
        .map(|frame| frame["metadata"]["message_id"].clone())
        .into();
    assert_eq!(ids[0], ids[1], "the same message");
    drop(old);
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    twitch.room().say("alice", "on the new one");
    assert_eq!(new.event().await["message"]["text"], "on the new one");
    assert!(twitch.is_subscribed("channel.chat.message"));
}

#[tokio::test]
async fn the_old_socket_ends_with_4004_after_the_grace() {
    let twitch = FakeTwitch::start().await;
    twitch.set_reconnect_grace(Duration::from_secs(3));
    let (mut old, _) = listening(&twitch).await;
    let url = asked_to_move(&twitch, &mut old).await;
    let mut new = Socket::open(&url, None).await;
    new.next_of("session_welcome").await;
    assert_eq!(old.end().await, End::Code(4004));
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    assert!(twitch.is_subscribed("channel.chat.message"), "it lives on the new one");
}

#[tokio::test]
async fn who_does_not_move_loses_the_session() {
    let twitch = FakeTwitch::start().await;
    twitch.set_reconnect_grace(Duration::from_millis(50));
    let (mut old, _) = listening(&twitch).await;
    let url = asked_to_move(&twitch, &mut old).await;
    assert_eq!(old.end().await, End::Code(4004));
    twitch.saw(|twitch| twitch.subscriptions()[0].status == "websocket_failed_to_reconnect").await;
    assert_eq!(Socket::open(&url, None).await.end().await, End::Code(4007));
}

#[tokio::test]
async fn who_closes_the_old_socket_first_is_closed_with_4007() {
    let twitch = FakeTwitch::start().await;
    let (mut old, _) = listening(&twitch).await;
    let url = asked_to_move(&twitch, &mut old).await;
    twitch.set_welcome(When::After(Duration::from_secs(60)));
    let mut new = Socket::open(&url, None).await;
    drop(old);
    assert_eq!(new.end().await, End::Code(4007));
    assert!(twitch.subscribed().is_empty());
}

#[tokio::test]
async fn a_reconnect_url_serves_once() {
    let twitch = FakeTwitch::start().await;
    let (mut old, _) = listening(&twitch).await;
    let url = asked_to_move(&twitch, &mut old).await;
    let mut new = Socket::open(&url, None).await;
    new.next_of("session_welcome").await;
    assert_eq!(Socket::open(&url, None).await.end().await, End::Code(4007));
    twitch.room().say("alice", "still here");
    assert_eq!(new.event().await["message"]["text"], "still here");
    let unknown = format!("{}?challenge=x&id=y", twitch.eventsub_url());
    assert_eq!(Socket::open(&unknown, None).await.end().await, End::Code(4007));
}
