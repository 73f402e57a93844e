//! A retake.tv account under its supervisor, against a server that behaves and misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

use std::time::Duration;

use axum::extract::ws::Message;
use serde_json::json;
use showrunner::config::settings::RetakeGeneration::{V1, V2};
use showrunner::effect::Action;
use showrunner::event::{Channel, Event};
use showrunner::observation::ConnectionState;
use showrunner::platform::ActionError;
use showrunner_tests::bot::{Bot, install_tls};
use showrunner_tests::retake::{BOT_NAME, FakeRetake, Push, ROOM, Refusal, SendAnswer, TOKEN};

#[tokio::test]
async fn it_joins_with_one_socket_and_hears_the_chat() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let mut bot = Bot::ready(&server.settings()).await;
        server.room_has(1).await;
        server.say("alice", "gm ☀️");
        let (chat, own) = bot.chat().await;
        assert_eq!((chat.text.as_str(), chat.author.display_name.as_str(), own), ("gm ☀️", "alice", false));
        assert_eq!(server.most_sockets(), 1);
        let asked = server.asked();
        let socket = asked.iter().find(|asked| asked.path == "/socket.io/").unwrap();
        assert_eq!(socket.authorization, None, "the socket needs no token");
        assert_eq!(socket.query.get("Client-Type").map(String::as_str), (generation == V1).then_some("streamer"));
        assert_eq!(socket.query.get("Client-ID").map(|id| id.len()), (generation == V1).then_some(36));
    }
}

#[tokio::test]
async fn a_fresh_start_answers_nothing_old() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        for (id, age_s) in [("old1", 3600), ("old2", 5)] {
            let timestamp = showrunner::event::now_ms() - age_s * 1000;
            server.remember(json!({"_id": id, "username": "alice", "text": id, "timestamp": timestamp}));
        }
        let mut bot = Bot::ready(&server.settings()).await;
        server.say("alice", "new");
        assert_eq!(bot.chat_until("new").await, ["new"]);
    }
}

#[tokio::test]
async fn a_dropped_socket_is_made_again_and_the_gap_is_filled_once() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let mut bot = Bot::ready(&server.settings()).await;
        let mut expected = Vec::new();
        for round in 0..3 {
            let live = format!("live {round}");
            server.say("alice", &live);
            assert_eq!(bot.chat().await.0.text, live);
            server.drop_sockets();
            server.room_has(0).await;
            let missed: Vec<String> = (0..3).map(|number| format!("missed {round}.{number}")).collect();
            for text in &missed {
                server.say_unheard("bob", text);
            }
            bot.until_ready().await;
            server.room_has(1).await;
            let last = format!("after {round}");
            server.say("alice", &last);
            expected = [missed, vec![last.clone()]].concat();
            assert_eq!(bot.chat_until(&last).await, expected, "{generation:?}");
        }
        assert_eq!(expected.len(), 4);
        assert_eq!(server.most_sockets(), 1);
        assert_eq!(server.sockets_in_room(), 1);
        assert_eq!(bot.statuses.all()[0].reconnects, 3);
    }
}

#[tokio::test]
async fn a_gap_of_several_pages_is_filled_in_order() {
    let server = FakeRetake::start(V2).await;
    let mut bot = Bot::ready(&server.settings()).await;
    server.say("alice", "live");
    assert_eq!(bot.chat_until("live").await, ["live"]);
    server.drop_sockets();
    server.room_has(0).await;
    let missed: Vec<String> = (0..350).map(|number| format!("missed {number}")).collect();
    for text in &missed {
        server.say_unheard("bob", text);
    }
    assert_eq!(bot.chat_until("missed 349").await, missed);
}

#[tokio::test]
async fn a_server_that_returns_on_its_port_is_joined_again() {
    for generation in [V1, V2] {
        let mut server = FakeRetake::start(generation).await;
        let mut bot = Bot::ready(&server.settings()).await;
        server.say("alice", "before");
        assert_eq!(bot.chat_until("before").await, ["before"]);
        server.go_away();
        bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await;
        assert!(matches!(bot.say("hello?").await, Err(ActionError::Unreachable(_) | ActionError::Lost(_))));
        server.say_unheard("bob", "while away");
        server.come_back().await;
        bot.statuses.restart("retake:5b7c");
        bot.until_ready().await;
        server.room_has(1).await;
        server.say("alice", "after");
        assert_eq!(bot.chat_until("after").await, ["while away", "after"]);
        assert_eq!(server.most_sockets(), 1);
    }
}

#[tokio::test]
async fn own_messages_are_known_and_nobody_can_take_our_name() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let mut bot = Bot::ready(&server.settings()).await;
        server.room_has(1).await;
        let receipt = bot.say("beep").await.unwrap();
        assert!(receipt.message_id.is_some());
        let (chat, own) = bot.chat().await;
        assert_eq!((chat.text.as_str(), own), ("beep", true), "{generation:?}");
        server.say(BOT_NAME, "I am the bot");
        let (chat, own) = bot.chat().await;
        assert_eq!((chat.text.as_str(), own), ("I am the bot", false), "{generation:?}");

        // What we said just before the socket was lost is ours in the history too.
        server.drop_sockets();
        server.room_has(0).await;
        bot.say("boop").await.unwrap();
        server.say_unheard(BOT_NAME, "impostor");
        let (chat, own) = bot.chat().await;
        assert_eq!((chat.text.as_str(), own), ("boop", true), "{generation:?}");
        let (chat, own) = bot.chat().await;
        assert_eq!((chat.text.as_str(), own), ("impostor", false), "{generation:?}");
    }
}

#[tokio::test]
async fn a_refused_socket_is_replaced_by_polling_until_it_is_taken() {
    let refusals = [Refusal::json(400, 3, "Bad request"), Refusal::json(403, 4, "Forbidden"), Refusal::html(403)];
    for (generation, refusal) in [V1, V2, V2].into_iter().zip(refusals) {
        let server = FakeRetake::start(generation).await;
        server.refuse_sockets(Some(refusal.clone()));
        let mut bot = Bot::start(&server.settings());
        let why = bot.until_degraded().await;
        assert!(why.contains("polling") && why.contains(&refusal.status.to_string()), "{why}");
        server.say("alice", "one");
        server.say("alice", "two");
        assert_eq!(bot.chat_until("two").await, ["one", "two"]);
        server.refuse_sockets(None);
        bot.until_ready().await;
        server.room_has(1).await;
        server.say("alice", "three");
        assert_eq!(bot.chat_until("three").await, ["three"]);
        assert_eq!(server.most_sockets(), 1);
    }
}

#[tokio::test]
async fn a_wrong_token_without_a_socket_stops_it_until_it_is_asked_again() {
    let server = FakeRetake::start(V1).await;
    server.refuse_sockets(Some(Refusal::html(403)));
    server.refuse_history(Some(401));
    let mut bot = Bot::start(&server.settings());
    let state = bot.until(|state| matches!(state, ConnectionState::Stopped { .. })).await;
    assert!(state.to_string().contains("access token"), "{state}");
    server.refuse_sockets(None);
    server.refuse_history(None);
    assert!(bot.statuses.restart("retake:5b7c"));
    bot.until_ready().await;
}

#[tokio::test]
async fn a_history_that_is_not_there_does_not_stop_the_chat() {
    let server = FakeRetake::start(V2).await;
    server.refuse_history(Some(404));
    let mut bot = Bot::start(&server.settings());
    let why = bot.until_degraded().await;
    assert!(why.contains("404") && why.contains("rest_base"), "{why}");
    server.say("alice", "gm");
    assert_eq!(bot.chat_until("gm").await, ["gm"]);
}

#[tokio::test]
async fn a_history_that_fails_for_a_while_is_asked_again() {
    let server = FakeRetake::start(V2).await;
    let mut bot = Bot::ready(&server.settings()).await;
    server.say("alice", "before");
    assert_eq!(bot.chat_until("before").await, ["before"]);
    server.refuse_history(Some(503));
    server.drop_sockets();
    server.room_has(0).await;
    server.say_unheard("bob", "missed");
    bot.until_ready().await;
    server.room_has(1).await;
    // Live goes on meanwhile.
    server.say("alice", "live");
    assert_eq!(bot.chat_until("live").await, ["live"]);
    server.refuse_history(None);
    assert_eq!(bot.chat_until("missed").await, ["missed"]);
}

#[tokio::test]
async fn frames_that_break_the_protocol_cost_a_connection_and_no_more() {
    let server = FakeRetake::start(V1).await;
    let mut bot = Bot::ready(&server.settings()).await;
    let text = |text: &str| vec![Message::text(text)];
    let cases: Vec<Vec<Message>> = vec![
        text(""),
        text("9"),
        text("hello"),
        text("3"),
        text("49"),
        text("42{"),
        text("42[]"),
        text("4299999999999999999999999[\"message\"]"),
        text("4511-[\"message\"]"),
        vec![Message::text(r#"451-["message"]"#), Message::text(r#"42["message"]"#)],
        vec![Message::binary(vec![0, 159, 146, 150])],
        text("1"),
        text("41"),
        text(r#"44{"message":"out"}"#),
        vec![Message::Close(None)],
        text(&format!("42[\"message\",{}{}]", "[".repeat(5000), "]".repeat(5000))),
        text(&format!("42[\"message\",{{\"text\":\"{}\"}}]", "x".repeat(10 << 20))),
    ];
    for (number, frames) in cases.into_iter().enumerate() {
        server.room_has(1).await;
        server.push(Push::Frames(frames));
        bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await;
        server.room_has(0).await;
        bot.statuses.restart("retake:5b7c");
        bot.until_ready().await;
        server.room_has(1).await;
        let alive = format!("alive {number}");
        server.say("alice", &alive);
        assert_eq!(bot.chat_until(&alive).await, [alive]);
    }
    assert_eq!(server.most_sockets(), 1);
}

#[tokio::test]
async fn strange_events_are_raw_and_cost_nothing() {
    let server = FakeRetake::start(V2).await;
    let mut bot = Bot::ready(&server.settings()).await;
    server.room_has(1).await;
    for frame in [
        r#"42["message"]"#,
        r#"42["message",null]"#,
        r#"42["message",7,"x",null]"#,
        r#"42["message",{"type":"hologram"}]"#,
        r#"42["never_heard_of",{"a":1},2]"#,
        r#"42[7,{}]"#,
        r#"421["message",{"type":"tip","tip_data":{"amount":{}}}]"#,
    ] {
        server.push(Push::Frames(vec![Message::text(frame)]));
        let draft = bot.draft().await;
        assert!(matches!(draft.event, Event::Raw(_)), "{frame}: {draft:?}");
    }
    server.emit("message", &json!({"type": "jail", "text": "spam", "target_username": "troll"}));
    assert!(matches!(bot.draft().await.event, Event::Moderation(_)));
    server.emit("user_followed", &json!({"follower": {"_id": "u1", "username": "bob"}}));
    assert!(matches!(bot.draft().await.event, Event::Follow(_)));
    assert_eq!(server.most_sockets(), 1);
    assert_eq!(bot.statuses.all()[0].reconnects, 0);
}

#[tokio::test]
async fn a_server_that_stops_pinging_is_left() {
    let server = FakeRetake::start(V1).await;
    server.set_ping(Duration::from_millis(100), Duration::from_millis(100), false);
    let mut bot = Bot::ready(&server.settings()).await;
    server.set_ping(Duration::from_millis(100), Duration::from_secs(20), true);
    let state = bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await;
    assert!(state.to_string().contains("no ping for 200ms"), "{state}");
    bot.statuses.restart("retake:5b7c");
    bot.until_ready().await;
}

#[tokio::test]
async fn each_refusal_of_a_line_says_what_it_is() {
    let server = FakeRetake::start(V2).await;
    let bot = Bot::ready(&server.settings()).await;
    for (code, says) in [(400, "does not take"), (401, "token"), (404, "rest_base"), (409, "no stream running")] {
        server.answer_sends(SendAnswer::Status { code, retry_after: None });
        match bot.say("gm").await {
            Err(ActionError::Refused(why)) => assert!(why.contains(says), "{why}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    for (wait, expected) in [(Some("7"), Some(Duration::from_secs(7))), (None, None)] {
        server.answer_sends(SendAnswer::Status { code: 429, retry_after: wait.map(str::to_owned) });
        assert_eq!(bot.say("gm").await, Err(ActionError::RateLimited { retry_after: expected }));
    }
    server.answer_sends(SendAnswer::Status { code: 500, retry_after: None });
    assert!(matches!(bot.say("gm").await, Err(ActionError::Lost(_))));
    server.answer_sends(SendAnswer::Html);
    assert!(matches!(bot.say("gm").await, Err(ActionError::Lost(_))));
    assert!(matches!(bot.say("  ").await, Err(ActionError::Refused(_))));
    assert!(matches!(bot.say(&"x".repeat(1 << 20)).await, Err(ActionError::Refused(_))));
    server.answer_sends(SendAnswer::Properly);
    assert!(bot.say(" gm ").await.unwrap().message_id.is_some());
    assert_eq!(server.sent(), ["gm"]);
    let channel = Channel::new("retake", ROOM);
    let ban = Action::Suspend { user_id: "u1".into(), seconds: None, reason: String::new() };
    assert!(matches!(bot.sink.perform(&channel, &ban).await, Err(ActionError::Unsupported { action: "suspend", .. })));
}

#[tokio::test]
async fn a_line_that_is_never_answered_is_uncertain() {
    let server = FakeRetake::start(V2).await;
    server.answer_sends(SendAnswer::Never);
    install_tls();
    let http = reqwest::Client::builder().timeout(Duration::from_millis(100)).build().unwrap();
    let bot = Bot::with_client(&server.settings(), http);
    assert_eq!(bot.say("gm").await, Err(ActionError::Lost("no answer in time".into())));
}

#[tokio::test]
async fn the_token_goes_to_the_configured_host_only_and_shows_nowhere() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let elsewhere = FakeRetake::start(generation).await;
        let elsewhere_url = elsewhere.settings().rest_base;
        let settings = server.settings();
        let mut bot = Bot::ready(&settings).await;
        let mut shown = vec![format!("{settings:?}")];

        server.answer_sends(SendAnswer::Redirect(format!("{elsewhere_url}?token={TOKEN}")));
        let error = bot.say("gm").await.unwrap_err();
        assert!(error.to_string().contains("never followed"), "{error}");
        shown.push(format!("{error} {error:?}"));
        for answer in [SendAnswer::Html, SendAnswer::Status { code: 401, retry_after: None }] {
            server.answer_sends(answer);
            let error = bot.say("gm").await.unwrap_err();
            shown.push(format!("{error} {error:?}"));
        }
        let location = Some(format!("{elsewhere_url}?token={TOKEN}"));
        server.refuse_sockets(Some(Refusal { status: 302, body: String::new(), location }));
        server.refuse_history(Some(401));
        server.drop_sockets();
        bot.until(|state| match state {
            ConnectionState::Stopped { .. } => generation == V1,
            ConnectionState::BackingOff { why, .. } => why.contains("401"),
            _ => false,
        })
        .await;
        shown.extend(bot.reported.iter().cloned());
        shown.push(format!("{:?}", bot.statuses.all()));
        for text in shown {
            assert!(!text.contains(TOKEN), "{text}");
        }
        assert_eq!(elsewhere.asked().len(), 0, "a redirect was followed");
        for asked in server.asked() {
            let may_have_token = asked.path.ends_with("/send") || asked.path.ends_with("/comments");
            assert_eq!(asked.authorization.is_some(), may_have_token, "{asked:?}");
        }
    }
}
