//! What happens in a room arrives once, in its channel, with the right people, in both shapes and in any order.

use std::collections::BTreeSet;

use serde_json::json;
use showrunner::config::settings::JoystickVersion::{V1, V2};
use showrunner::event::{Event, Origin, Support};
use showrunner_tests::joystick::{BOT, CHANNEL, KINDS, Metadata};

use crate::scene::Scene;

const LAST: &str = "that was all";

#[tokio::test]
async fn every_kind_of_event_arrives_in_both_shapes_and_says_the_same() {
    let mut told = Vec::new();
    for version in [V1, V2] {
        let mut scene = Scene::ready(version).await;
        for kind in KINDS {
            scene.joystick.room().sample(kind);
        }
        scene.joystick.room().say("alice", LAST);
        let drafts = scene.events_until(LAST).await;
        assert_eq!(drafts.len(), KINDS.len());
        let ids: BTreeSet<_> = drafts.iter().map(|draft| draft.id.clone().unwrap()).collect();
        assert_eq!(ids.len(), KINDS.len(), "each has an id of its own");
        assert!(drafts.iter().all(|draft| *draft.channel.id == *CHANNEL && !draft.own));
        told.push(drafts.into_iter().map(|draft| match draft.event {
            // As it came, so in the shape that it came in.
            Event::Raw(raw) => (raw.kind, None),
            event => (event.name().to_owned(), Some(event)),
        }));
    }
    let [first, second]: [_; 2] = told.try_into().ok().unwrap();
    let (first, second): (Vec<_>, Vec<_>) = (first.collect(), second.collect());
    assert_eq!(first, second);
    let raw: Vec<&str> = first.iter().filter(|(_, event)| event.is_none()).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(raw.len(), 17, "{raw:?}");
    assert!(raw.iter().all(|kind| *kind == kind.to_lowercase()));
}

#[tokio::test]
async fn the_five_events_that_every_bot_wants() {
    for version in [V1, V2] {
        let mut scene = Scene::ready(version).await;
        let room = scene.joystick.room();
        let message_id = room.line("Alice", "hi").nickname("Al").color("#ff0000").moderator().say();
        room.enter("bob");
        room.follow("charlie");
        room.subscribe("dave");
        room.tip("eve", 100, Some("Hydrate"));
        let Event::Chat(chat) = scene.event().await else { panic!() };
        assert_eq!((chat.id, chat.author.id.as_str(), chat.text.as_str()), (message_id, "alice", "hi"));
        assert!(chat.author.roles.moderator && chat.author.color.as_deref() == Some("#ff0000"));
        assert!(matches!(scene.event().await, Event::Presence(it) if it.kind == "join" && it.who.id == "bob"));
        assert!(matches!(scene.event().await, Event::Follow(it) if it.who.id == "charlie"));
        assert!(matches!(scene.event().await, Event::Subscription(it) if it.kind == "new" && it.who.id == "dave"));
        let Event::Support(Support { kind, who, amount, currency, item, .. }) = scene.event().await else { panic!() };
        assert_eq!((kind.as_str(), currency.as_str(), item.as_deref()), ("tip", "tokens", Some("Hydrate")));
        assert_eq!((who.unwrap().id.as_str(), amount.to_string().as_str()), ("eve", "100"));
    }
}

#[tokio::test]
async fn a_whisper_is_never_public_and_bots_and_fakes_are_marked() {
    for version in [V1, V2] {
        let mut scene = Scene::ready(version).await;
        let room = scene.joystick.room();
        room.whisper("alice", "psst");
        room.bot_message("helper", "gm");
        assert!(matches!(scene.event().await, Event::Whisper(whisper) if whisper.text == "psst"));
        assert!(matches!(scene.event().await, Event::Chat(chat) if chat.author.roles.bot && chat.text == "gm"));
        scene.joystick.room().line("alice", "test").fake().say();
        let fake = scene.bot.draft().await;
        assert_eq!(fake.origin, if version == V1 { Origin::Test } else { fake.origin });
    }
}

#[tokio::test]
async fn metadata_may_come_in_any_form_and_numbers_as_text() {
    let mut scene = Scene::ready(V1).await;
    scene.joystick.add_unknown_fields(true);
    for metadata in [Metadata::Text, Metadata::Object] {
        for numbers_are_texts in [false, true] {
            scene.joystick.set_metadata(metadata);
            scene.joystick.write_numbers_as_texts(numbers_are_texts);
            scene.joystick.room().tip("eve", 25, None);
            assert!(matches!(scene.event().await, Event::Support(it) if it.amount.to_string() == "25"));
        }
    }
    for metadata in [Metadata::Missing, Metadata::Empty, Metadata::Braces, Metadata::Broken] {
        scene.joystick.set_metadata(metadata);
        scene.joystick.room().tip("eve", 25, None);
        scene.joystick.room().go_online();
        assert!(matches!(scene.event().await, Event::Raw(raw) if raw.kind == "tipped"), "no money without an amount");
        assert!(matches!(scene.event().await, Event::Broadcast(it) if it.kind == "online"));
    }
}

#[tokio::test]
async fn both_shapes_may_come_on_one_socket() {
    for version in [V1, V2] {
        let mut scene = Scene::ready(version).await;
        scene.joystick.say_chat_message(true);
        let room = scene.joystick.room();
        room.tell_raw(
            json!({"event": "ChatMessage", "text": "first", "author": {"username": "alice", "displayName": "Alice"},
            "channelId": CHANNEL}),
        );
        room.tell_raw(json!({"v": 2, "type": "new_message", "id": "m2", "channel_id": CHANNEL,
            "data": {"author": {"username": "alice"}, "text": "second"}}));
        room.say("alice", "third");
        assert_eq!(scene.bot.chat_until("third").await, ["first", "second", "third"]);
    }
}

#[tokio::test]
async fn in_any_order_everything_arrives_once_with_its_own_time_and_name() {
    for seed in 0..5 {
        let mut scene = Scene::ready(V2).await;
        scene.joystick.hold_events();
        let room = scene.joystick.room();
        let mut said: BTreeSet<String> = (0..200).map(|number| room.say("alice", &number.to_string())).collect();
        room.go_offline();
        room.go_online();
        scene.joystick.release_shuffled(seed);
        let mut heard = 0;
        while heard < 202 {
            let draft = scene.bot.draft().await;
            heard += 1;
            if let Event::Chat(chat) = draft.event {
                assert!(said.remove(&chat.id), "{} came twice", chat.text);
            }
        }
        assert!(said.is_empty());
    }
}

#[tokio::test]
async fn a_repeat_has_the_id_that_it_had() {
    let mut scene = Scene::ready(V2).await;
    for _ in 0..2 {
        scene.joystick.room().line("alice", "gm").id("m1").say();
        assert_eq!(scene.bot.draft().await.id.as_deref(), Some("joystick:m1"));
    }
}

#[tokio::test]
async fn several_channels_share_a_socket_and_strange_ones_are_dropped() {
    for version in [V1, V2] {
        let mut scene = Scene::ready_with(version, |joystick, settings| {
            settings.channels.push(joystick.room_of("second").channel().id.clone());
        })
        .await;
        let second = scene.joystick.room_of("second").channel().id.clone();
        scene.joystick.room_of("strange").say("alice", "of somebody else");
        if version == V1 {
            // It names no channel, and it can't be known which one is meant.
            scene.joystick.room().bot_message("helper", "gm");
        }
        scene.joystick.room_of("second").say("alice", "second");
        scene.joystick.room().say("alice", "first");
        for (text, channel) in [("second", second.as_str()), ("first", CHANNEL)] {
            let draft = scene.bot.draft().await;
            assert!(matches!(&draft.event, Event::Chat(chat) if chat.text == text), "{draft:?}");
            assert_eq!(*draft.channel.id, *channel);
        }
        assert_eq!(scene.joystick.sockets(), 1);
    }
}

#[tokio::test]
async fn our_own_lines_are_known() {
    let mut scene = Scene::ready(V1).await;
    let room = scene.joystick.room();
    room.say(&BOT.to_uppercase(), "it is me");
    room.enter(BOT);
    room.say("alice", "it is not");
    assert_eq!(
        [scene.bot.draft().await.own, scene.bot.draft().await.own, scene.bot.draft().await.own],
        [true, true, false]
    );
}
