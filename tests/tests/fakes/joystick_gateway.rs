//! The gateway of Joystick: Action Cable, commands, and how it misbehaves.

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_tests::joystick::{BOT, CHANNEL, Confirm, ErrorShape, FakeJoystick, Refused, SCOPES, STREAMER};
use showrunner_tests::service::When;

use super::client::{End, Socket};

pub(super) const V1: &str = r#"{"channel":"GatewayChannel"}"#;
pub(super) const V2: &str = r#"{"channel":"GatewayChannel","event_version":"v2"}"#;

fn is_ping(frame: &Value) -> bool {
    frame["type"] == "ping"
}

pub(super) async fn connected(joystick: &FakeJoystick, token: &str) -> Socket {
    let mut url = joystick.gateway_url();
    url.query_pairs_mut().append_pair("token", token);
    Socket::open(url.as_str(), Some("actioncable-v1-json")).await
}

pub(super) async fn command(socket: &mut Socket, command: &str, identifier: &str) {
    socket.send(&json!({ "command": command, "identifier": identifier }).to_string()).await;
}

async fn act(socket: &mut Socket, identifier: &str, data: Value) {
    let frame = json!({ "command": "message", "identifier": identifier, "data": data.to_string() });
    socket.send(&frame.to_string()).await;
}

/// A socket that is subscribed.
pub(super) async fn listening(joystick: &FakeJoystick, identifier: &str) -> Socket {
    let token = joystick.grant(STREAMER, SCOPES).access;
    let mut socket = connected(joystick, &token).await;
    assert_eq!(socket.next().await, json!({ "type": "welcome" }));
    command(&mut socket, "subscribe", identifier).await;
    let confirmed = socket.next_where(|frame| !is_ping(frame)).await;
    assert_eq!(confirmed, json!({ "type": "confirm_subscription", "identifier": identifier }));
    socket
}

async fn message(socket: &mut Socket) -> Value {
    socket.next_where(|frame| frame.get("message").is_some() && frame.get("type").is_none()).await["message"].take()
}

#[tokio::test]
async fn a_line_comes_in_the_shape_that_was_asked_for() {
    let joystick = FakeJoystick::start().await;
    let mut second = listening(&joystick, V2).await;
    let mut first = listening(&joystick, V1).await;
    let id = joystick.room().say("someviewer", "!timer 5m code");
    let message = message(&mut second).await;
    assert_eq!((&message["v"], &message["id"], &message["channel_id"]), (&json!(2), &json!(id), &json!(CHANNEL)));
    assert_eq!(message["data"]["author"]["badges"]["bot"], false);
    let frame = first.next_where(|frame| frame.get("message").is_some() && !is_ping(frame)).await;
    assert_eq!(frame["identifier"], V1);
    let message = &frame["message"];
    assert_eq!(
        (&message["messageId"], &message["botCommand"], &message["botCommandArg"]),
        (&json!(id), &json!("timer"), &json!("5m code"))
    );
}

#[tokio::test]
async fn pings_come_and_can_be_stopped() {
    let joystick = FakeJoystick::start().await;
    joystick.set_ping(Duration::from_millis(20), true);
    let mut socket = listening(&joystick, V2).await;
    assert!(socket.next_where(is_ping).await["message"].is_i64());
    joystick.set_ping(Duration::from_millis(20), false);
    joystick.room().say("alice", "hi");
    assert_eq!(message(&mut socket).await["text"], "hi");
}

#[tokio::test]
async fn tokens_of_both_kinds_open_it_and_no_other() {
    let joystick = FakeJoystick::start().await;
    assert_eq!(connected(&joystick, &joystick.basic_key()).await.next().await["type"], "welcome");
    assert_eq!(connected(&joystick, "nonsense").await.end().await, End::Code(4401));
    joystick.set_refused(Refused::Disconnect);
    let mut refused = connected(&joystick, "nonsense").await;
    assert_eq!(refused.next().await, json!({ "type": "disconnect", "reason": "unauthorized", "reconnect": false }));
    assert_eq!(refused.end().await, End::Code(1000));
    joystick.take_tokens(true, false);
    assert_eq!(connected(&joystick, &joystick.basic_key()).await.next().await["type"], "disconnect");
    let token = joystick.grant(STREAMER, SCOPES).access;
    joystick.expire_access_tokens();
    assert_eq!(connected(&joystick, &token).await.next().await["type"], "disconnect");
}

#[tokio::test]
async fn it_is_not_found_without_its_subprotocol() {
    let joystick = FakeJoystick::start().await;
    let url = format!("{}?token={}", joystick.gateway_url(), "x");
    let error = tokio_tungstenite::connect_async(url).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
}

#[tokio::test]
async fn a_second_subscribe_is_not_confirmed_again() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    command(&mut socket, "subscribe", V2).await;
    joystick.saw(|joystick| joystick.subscribes() == 2).await;
    joystick.room().say("alice", "once");
    assert_eq!(socket.next().await["message"]["text"], "once");
    command(&mut socket, "unsubscribe", V2).await;
    joystick.saw(|joystick| joystick.listeners() == 0).await;
    command(&mut socket, "subscribe", V2).await;
    assert_eq!(socket.next().await["type"], "confirm_subscription");
}

#[tokio::test]
async fn a_confirmation_may_be_late_lost_or_a_refusal() {
    let joystick = FakeJoystick::start().await;
    joystick.confirm_next([Confirm::Unheard, Confirm::Rejected, Confirm::After(Duration::from_millis(20))]);
    let token = joystick.grant(STREAMER, SCOPES).access;
    let mut socket = connected(&joystick, &token).await;
    socket.next().await;
    for _ in 0..3 {
        command(&mut socket, "subscribe", V2).await;
    }
    assert_eq!(socket.next().await["type"], "reject_subscription");
    assert_eq!(socket.next().await["type"], "confirm_subscription");
    joystick.confirm_next([Confirm::Unsaid]);
    let mut other = connected(&joystick, &token).await;
    other.next().await;
    command(&mut other, "subscribe", V2).await;
    joystick.has_listeners(2).await;
    joystick.room().say("alice", "hi");
    assert_eq!(other.next().await["message"]["text"], "hi", "and no word of the subscription");
}

#[tokio::test]
async fn commands_before_the_welcome_wait_for_it() {
    let joystick = FakeJoystick::start().await;
    joystick.set_welcome(When::After(Duration::from_millis(50)));
    let mut socket = connected(&joystick, &joystick.basic_key()).await;
    command(&mut socket, "subscribe", V2).await;
    assert_eq!(socket.next().await["type"], "welcome");
    assert_eq!(socket.next().await["type"], "confirm_subscription");
}

#[tokio::test]
async fn what_a_bot_sends_comes_back() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    act(&mut socket, V2, json!({ "action": "send_message", "text": "Hello", "channel_id": CHANNEL })).await;
    let echo = message(&mut socket).await;
    assert_eq!((&echo["text"], &echo["data"]["author"]["username"]), (&json!("Hello"), &json!(BOT)));
    assert_eq!(echo["data"]["author"]["badges"]["bot"], true);
    act(&mut socket, V2, json!({ "action": "send_message", "text": "camels", "channelId": CHANNEL })).await;
    assert_eq!(message(&mut socket).await["text"], "camels");
    joystick.echo_next([When::Never, When::After(Duration::from_secs(2)), When::AtOnce]);
    for text in ["lost", "late", "prompt"] {
        act(&mut socket, V2, json!({ "action": "send_message", "text": text, "channel_id": CHANNEL })).await;
    }
    assert_eq!(message(&mut socket).await["text"], "prompt");
    assert_eq!(message(&mut socket).await["text"], "late");
    assert_eq!(joystick.sent_texts(), ["Hello", "camels", "lost", "late", "prompt"]);
}

#[tokio::test]
async fn an_identifier_counts_letter_by_letter() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    let spaced = r#"{"channel": "GatewayChannel", "event_version": "v2"}"#;
    for identifier in [V1, spaced] {
        act(&mut socket, identifier, json!({ "action": "send_message", "text": "x", "channel_id": CHANNEL })).await;
    }
    act(&mut socket, V2, json!({ "action": "dance", "channel_id": CHANNEL })).await;
    joystick.saw(|joystick| joystick.ignored().len() == 3).await;
    assert!(joystick.did().is_empty());
    joystick.know_plain_identifier(true);
    act(&mut socket, V1, json!({ "action": "send_message", "text": "plain", "channel_id": CHANNEL })).await;
    assert_eq!(message(&mut socket).await["text"], "plain");
}

#[tokio::test]
async fn what_fails_is_said_in_two_shapes() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    joystick.fail_next(["slow down"]);
    act(&mut socket, V2, json!({ "action": "send_message", "text": "x", "channel_id": CHANNEL })).await;
    assert_eq!(socket.next().await, json!({ "error": "slow down" }));
    joystick.set_error_shape(ErrorShape::Wrapped);
    act(&mut socket, V2, json!({ "action": "delete_message", "message_id": "none", "channel_id": CHANNEL })).await;
    assert_eq!(socket.next().await, json!({ "identifier": V2, "message": { "error": "unknown message: none" } }));
    act(&mut socket, V2, json!({ "action": "send_message", "text": "x", "channel_id": "elsewhere" })).await;
    assert_eq!(socket.next().await["message"]["error"], "unknown channel: elsewhere");
    let poor = joystick.grant_to(showrunner_tests::joystick::PUBLIC_CLIENT_ID, STREAMER, "chat:read").access;
    let mut reader = connected(&joystick, &poor).await;
    command(&mut reader, "subscribe", V2).await;
    act(&mut reader, V2, json!({ "action": "send_message", "text": "x", "channel_id": CHANNEL })).await;
    let error = reader.next_where(|frame| frame["message"].get("error").is_some()).await;
    assert_eq!(error["message"]["error"], "missing permission: chat:write");
    joystick.know_camel_only(true);
    act(&mut socket, V2, json!({ "action": "send_message", "text": "x", "channel_id": CHANNEL })).await;
    assert_eq!(socket.next().await["message"]["error"], "unknown channel: ");
}

#[tokio::test]
async fn moderation_goes_by_the_id_of_a_line() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    let id = joystick.room().say("rude", "spam");
    for action in ["delete_message", "mute_user", "block_user"] {
        act(&mut socket, V2, json!({ "action": action, "message_id": id, "channel_id": CHANNEL })).await;
    }
    joystick.saw(|joystick| joystick.did().len() == 3).await;
    assert!(joystick.room().is_muted("rude"));
    act(&mut socket, V2, json!({ "action": "unmute_user", "username": "rude", "channel_id": CHANNEL })).await;
    joystick.saw(|joystick| joystick.did().len() == 4).await;
    assert!(!joystick.room().is_muted("rude"));
}

#[tokio::test]
async fn it_lets_sockets_go_in_many_ways() {
    let mut joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    joystick.disconnect(Some("server_restart"), true);
    let said = socket.next_where(|frame| !is_ping(frame)).await;
    assert_eq!(said, json!({ "type": "disconnect", "reason": "server_restart", "reconnect": true }));
    assert_eq!(socket.end().await, End::Code(1000));
    let mut socket = listening(&joystick, V2).await;
    joystick.close(4401);
    assert_eq!(socket.end().await, End::Code(4401));
    let mut socket = listening(&joystick, V2).await;
    joystick.drop_sockets();
    assert_eq!(socket.end().await, End::Cut);
    let mut socket = listening(&joystick, V2).await;
    joystick.go_away();
    assert_eq!(socket.end().await, End::Cut);
    joystick.come_back().await;
    listening(&joystick, V2).await;
    assert_eq!(joystick.sockets_ever(), 5);
}
