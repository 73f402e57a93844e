//! Events in both shapes, and all that can be odd about them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use showrunner_tests::joystick::{FakeJoystick, KINDS, Metadata, What};

use super::client::Socket;
use super::joystick_gateway::{V1, V2, listening};

async fn message(socket: &mut Socket) -> Value {
    let frame = socket.next_where(|frame| frame["identifier"].is_string() && frame.get("type").is_none()).await;
    frame["message"].clone()
}

#[tokio::test]
async fn every_stream_event_comes_in_both_shapes() {
    let joystick = FakeJoystick::start().await;
    let (mut first, mut second) = (listening(&joystick, V1).await, listening(&joystick, V2).await);
    for kind in KINDS {
        let id = joystick.room().sample(kind);
        let old = message(&mut first).await;
        assert_eq!((&old["event"], &old["type"], &old["id"]), (&json!("StreamEvent"), &json!(kind), &json!(id)));
        let metadata: Value = serde_json::from_str(old["metadata"].as_str().unwrap()).unwrap();
        let new = message(&mut second).await;
        assert_eq!((&new["v"], &new["id"], &new["data"]), (&json!(2), &json!(id), &metadata));
        let name = new["type"].as_str().unwrap();
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{name}");
    }
}

#[tokio::test]
async fn names_of_the_second_shape_are_those_of_the_docs() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    let rows = [
        ("Tipped", "tipped"),
        ("Followed", "followed"),
        ("Subscribed", "subscribed"),
        ("WheelSpinClaimed", "wheel_spin_claimed"),
        ("Started", "stream_started"),
        ("StreamEnding", "stream_ending"),
        ("TipGoalMet", "tip_goal_met"),
    ];
    for (old, new) in rows {
        joystick.room().sample(old);
        assert_eq!(message(&mut socket).await["type"], new);
    }
    joystick.room().sample("ViewerCountUpdated");
    assert_eq!(message(&mut socket).await["text"], "", "blank for counts");
    joystick.room().enter("bob");
    let presence = message(&mut socket).await;
    assert_eq!((&presence["type"], &presence["data"]), (&json!("enter_stream"), &json!({ "username": "bob" })));
    joystick.say_chat_message(true);
    joystick.room().say("bob", "hi");
    assert_eq!(message(&mut socket).await["type"], "chat_message");
}

#[tokio::test]
async fn metadata_can_be_anything() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V1).await;
    let rows = [
        (Metadata::Missing, None),
        (Metadata::Empty, Some(json!(""))),
        (Metadata::Braces, Some(json!("{}"))),
        (Metadata::Broken, Some(json!("{\"who\":"))),
        (Metadata::Object, Some(json!({ "who": "eve", "what": "Tipped", "how_much": 25, "tip_menu_item": null }))),
    ];
    for (metadata, expected) in rows {
        joystick.set_metadata(metadata);
        joystick.room().tip("eve", 25, None);
        assert_eq!(message(&mut socket).await.get("metadata").cloned(), expected);
    }
    joystick.write_numbers_as_texts(true);
    joystick.room().tip("eve", 25, Some("Hydrate"));
    let tip = message(&mut socket).await;
    assert_eq!(tip["metadata"]["how_much"], "25");
    assert!(tip["text"].as_str().unwrap().contains("<strong"));
}

#[tokio::test]
async fn chat_has_whispers_fakes_flair_and_bots_without_a_channel() {
    let joystick = FakeJoystick::start().await;
    let (mut first, mut second) = (listening(&joystick, V1).await, listening(&joystick, V2).await);
    let room = joystick.room();
    room.line("mo", "hi").moderator().nickname("Mo").color("#f00").fake().highlighted().say();
    let old = message(&mut first).await;
    assert_eq!(old["author"]["displayNameWithFlair"], "{{{moderatorBadge}}} mo");
    assert_eq!((&old["isFake"], &old["author"]["nickname"]), (&json!(true), &json!("Mo")));
    let new = message(&mut second).await;
    assert_eq!((&new["data"]["author"]["badges"]["mod"], &new["data"]["highlight"]), (&json!(true), &json!(true)));
    room.whisper("bob", "psst");
    assert_ne!(message(&mut first).await["visibility"], "public");
    assert_ne!(message(&mut second).await["data"]["visibility"], "public");
    room.bot_message("helper", "read the rules");
    let bots = message(&mut first).await;
    assert_eq!((&bots["event"], bots.get("channelId"), bots.get("streamer")), (&json!("BotMessage"), None, None));
}

#[tokio::test]
async fn several_channels_share_a_socket_and_order_is_not_kept() {
    let joystick = FakeJoystick::start().await;
    let mut socket = listening(&joystick, V2).await;
    joystick.room_of("another").say("alice", "over there");
    let there = message(&mut socket).await;
    assert_eq!(there["channel_id"], joystick.room_of("another").channel().id);
    assert_eq!(there["data"]["streamer"]["username"], "another");
    joystick.hold_events();
    let said: Vec<String> = (0..20).map(|number| joystick.room().say("alice", &number.to_string())).collect();
    joystick.release_shuffled(7);
    let mut heard = Vec::new();
    for _ in 0..20 {
        heard.push(message(&mut socket).await["id"].as_str().unwrap().to_owned());
    }
    assert_ne!(heard, said);
    assert_eq!(heard.iter().collect::<BTreeSet<_>>(), said.iter().collect::<BTreeSet<_>>());
    joystick.serve_all_channels(false);
    joystick.room_of("another").say("alice", "unheard");
    joystick.room().tell(What::Raw(json!({ "anything": [1] })));
    assert_eq!(message(&mut socket).await, json!({ "anything": [1] }));
}
