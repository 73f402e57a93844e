use proptest::prelude::*;

use super::*;
use crate::event::{Amount, Broadcast, ChatMessage, Follow, Gift, Goal, Moderation, Raid, Subscription, Support, User};

fn parsed(message: &Value) -> Parsed {
    match read(message) {
        Heard::Event(parsed) => *parsed,
        Heard::Error(words) => panic!("{words}"),
    }
}

fn chat(message: &Value) -> ChatMessage {
    match parsed(message).event {
        Event::Chat(chat) => chat,
        other => panic!("{other:?}"),
    }
}

fn whisper(message: &Value) -> ChatMessage {
    match parsed(message).event {
        Event::Whisper(whisper) => whisper,
        other => panic!("{other:?}"),
    }
}

fn raw_kind(message: &Value) -> String {
    match parsed(message).event {
        Event::Raw(raw) => raw.kind,
        other => panic!("{other:?}"),
    }
}

fn somebody(name: &str) -> User {
    User { id: name.to_lowercase(), login: name.into(), display_name: name.into(), ..User::default() }
}

/// The same stream event in the first shape and in the second.
fn both(kind: &str, metadata: &Value) -> [Value; 2] {
    [
        json!({
            "id": "e1", "event": "StreamEvent", "type": kind, "text": "", "metadata": metadata.to_string(),
            "createdAt": "2026-07-24T06:59:45Z", "channelId": "3f9a",
        }),
        json!({
            "v": 2, "type": text::snake(kind), "id": "e1", "channel_id": "3f9a", "occurred_at": "2026-07-24T06:59:45Z",
            "text": "", "data": metadata,
        }),
    ]
}

/// What both shapes of a stream event are read as.
fn stream(kind: &str, metadata: Value) -> Event {
    let [first, second] = both(kind, &metadata).map(|message| parsed(&message));
    match (&first.event, &second.event) {
        // Their payloads differ, as they come as they are.
        (Event::Raw(first), Event::Raw(second)) => assert_eq!(first.kind, second.kind),
        _ => assert_eq!(first, second),
    }
    assert_eq!((first.id.as_deref(), first.channel.as_deref()), (Some("e1"), Some("3f9a")));
    assert_eq!(first.at_ms, Some(1_784_876_385_000));
    first.event
}

fn tokens(amount: u32) -> Amount {
    Amount::whole(amount)
}

fn broadcast(kind: &str) -> Broadcast {
    Broadcast { kind: kind.into(), ..Broadcast::default() }
}

#[test]
fn a_message_of_the_first_shape() {
    let message = json!({
        "event": "ChatMessage", "type": "new_message", "createdAt": "2026-04-21T18:29:49Z", "messageId": "m1",
        "visibility": "public", "text": "!timer 5m :x:", "botCommand": "timer", "botCommandArg": "5m :x:",
        "emotesUsed": [{"code": ":x:", "signedUrl": "…", "signedThumbnailUrl": "…"}],
        "author": {
            "slug": "alice", "username": "Alice", "usernameColor": "#ff00aa",
            "displayNameWithFlair": "{{{moderatorBadge}}} Alice", "signedPhotoUrl": "…", "isStreamer": false,
            "isModerator": true, "isSubscriber": true, "isVerified": true, "isContentCreator": false,
        },
        "streamer": {"slug": "s", "username": "s"}, "channelId": "3f9a", "mention": false, "mentionedUsername": null,
        "highlight": true,
    });
    let whole = parsed(&message);
    assert_eq!((whole.id.as_deref(), whole.channel.as_deref()), (Some("m1"), Some("3f9a")));
    assert_eq!(whole.at_ms, Some(1_776_796_189_000));
    assert_eq!(whole.extra.as_deref(), Some(r#"{"highlight":true}"#));
    let chat = chat(&message);
    assert_eq!((chat.id.as_str(), chat.text.as_str()), ("m1", "!timer 5m :x:"));
    assert_eq!(chat.spans.iter().map(|span| (span.start, span.length)).collect::<Vec<_>>(), [(10, 3)]);
    let User { id, login, display_name, roles, badges, color } = chat.author;
    assert_eq!((id.as_str(), login.as_str(), display_name.as_str()), ("alice", "Alice", "Alice"));
    assert!(roles.moderator && roles.subscriber && !roles.broadcaster && !roles.bot);
    assert_eq!(badges, ["mod", "subscriber", "verified"]);
    assert_eq!(color.as_deref(), Some("#ff00aa"));
}

#[test]
fn a_message_of_the_second_shape() {
    let message = json!({
        "v": 2, "type": "new_message", "id": "m1", "channel_id": "3f9a", "occurred_at": "2026-07-24T06:59:45Z",
        "text": "hello @bob",
        "data": {
            "author": {
                "username": "someviewer", "nickname": "Some Viewer", "color": "0af",
                "badges": {"bot": false, "new": true, "streamer": true, "staff": true, "mod": false, "subscriber": true,
                    "host": false},
            },
            "streamer": {"username": "thestreamer"}, "subscription": {"streak": 3}, "text": "hello @bob",
            "visibility": "public", "highlight": false, "emotes": [], "mentions": ["bob"],
        },
    });
    let whole = parsed(&message);
    assert_eq!((whole.id.as_deref(), whole.channel.as_deref(), whole.extra), (Some("m1"), Some("3f9a"), None));
    let chat = chat(&message);
    assert_eq!((chat.id.as_str(), chat.text.as_str()), ("m1", "hello @bob"));
    assert_eq!(chat.spans.iter().map(|span| span.value.as_str()).collect::<Vec<_>>(), ["bob"]);
    assert_eq!((chat.author.login.as_str(), chat.author.display_name.as_str()), ("someviewer", "Some Viewer"));
    assert_eq!(chat.author.badges, ["streamer", "subscriber/3", "staff", "new"]);
    assert_eq!(chat.author.color.as_deref(), Some("#00aaff"));
    let roles = chat.author.roles;
    assert!(roles.broadcaster && roles.subscriber && roles.staff && !roles.first_time);
}

#[test]
fn the_older_names_of_fields_are_read_too() {
    let message = json!({
        "event": "ChatMessage", "text": "Hello world", "author": {"username": "alice", "displayName": "Alice"},
        "channelId": "channel123",
    });
    assert_eq!(parsed(&message).id, None);
    assert_eq!(chat(&message).author, User { display_name: "Alice".into(), ..somebody("alice") });
    let entered = json!({"event": "UserPresence", "type": "enter_stream", "text": "bob", "channelId": "channel123"});
    let presence = |kind: &str| Event::Presence(Presence { kind: kind.into(), who: somebody("bob") });
    assert_eq!(parsed(&entered).event, presence("join"));
    let follow = json!({"event": "StreamEvent", "type": "Followed", "metadata": "{\"who\":\"charlie\"}"});
    assert_eq!(parsed(&follow).event, Event::Follow(Follow { who: somebody("charlie") }));
    assert_eq!(parsed(&follow).channel, None);
    let subscribed =
        json!({"event": "StreamEvent", "type": "Subscribed", "metadata": "{\"who\":\"dave\",\"months\":3}"});
    assert!(matches!(parsed(&subscribed).event, Event::Subscription(Subscription { months: 3, .. })));
    let tipped = json!({"event": "StreamEvent", "type": "Tipped", "metadata": "{\"who\":\"eve\",\"how_much\":100}"});
    assert!(matches!(parsed(&tipped).event, Event::Support(Support { amount, .. }) if amount == tokens(100)));
    let left = json!({"v": 2, "type": "leave_stream", "id": "p1", "channel_id": "c", "data": {"username": "bob"}});
    assert_eq!(parsed(&left).event, presence("part"));
}

#[test]
fn what_is_not_for_all_is_a_whisper() {
    let message = |visibility: Value| {
        json!({"event": "ChatMessage", "type": "new_message", "text": "psst", "author": {"username": "a"},
            "visibility": visibility})
    };
    for public in [json!("public"), json!("PUBLIC"), json!(null), json!("")] {
        assert_eq!(chat(&message(public)).text, "psst");
    }
    for private in [json!("private"), json!("whisper"), json!("of-tomorrow"), json!(false), json!({})] {
        assert_eq!(whisper(&message(private)).text, "psst");
    }
    let second = json!({"v": 2, "type": "new_message", "data": {
        "author": {"username": "a"}, "text": "psst", "visibility": "private"}});
    assert_eq!(whisper(&second).author, somebody("a"));
    assert_eq!(parsed(&second).extra.as_deref(), Some(r#"{"visibility":"private"}"#));
    let named = json!({"v": 2, "type": "new_whisper", "data": {"author": {"username": "a"}, "text": "psst"}});
    assert_eq!(whisper(&named).text, "psst");
}

#[test]
fn bots_and_fakes_are_marked() {
    let message = json!({"event": "BotMessage", "type": "event_bot_message", "text": "hi", "isFake": true,
        "author": {"username": "helper", "usernameColor": "red"}});
    assert!(parsed(&message).is_fake && parsed(&message).channel.is_none());
    let author = chat(&message).author;
    assert!(author.roles.bot);
    assert_eq!(author.color, None);
}

#[test]
fn each_stream_event_has_its_case() {
    let name = |who: &str| json!({"who": who, "what": "x"});
    let with = |mut value: Value, name: &str, field: Value| {
        value[name] = field;
        value
    };
    assert_eq!(stream("Followed", name("Eve")), Event::Follow(Follow { who: somebody("Eve") }));
    let subscription = |kind: &str, months| Subscription {
        kind: kind.into(),
        who: somebody("eve"),
        tier: String::new(),
        months,
        streak_months: None,
        message: None,
    };
    let subscribed = with(name("eve"), "how_much", json!(5));
    assert_eq!(stream("Subscribed", subscribed.clone()), Event::Subscription(subscription("new", 0)));
    let resubscribed = with(subscribed.clone(), "how_long", json!("7"));
    assert_eq!(stream("Resubscribed", resubscribed), Event::Subscription(subscription("resub", 7)));
    let gift = Gift { giver: Some(somebody("eve")), recipients: vec![], count: 5, tier: String::new(), total: None };
    assert_eq!(stream("GiftedSubscriptions", subscribed), Event::Gift(gift));
    let support = |kind: &str, item: Option<&str>| {
        Event::Support(Support {
            kind: kind.into(),
            who: Some(somebody("eve")),
            amount: tokens(2),
            currency: "tokens".into(),
            message: None,
            item: item.map(str::to_owned),
        })
    };
    let tip = with(name("eve"), "how_much", json!(2));
    assert_eq!(stream("Tipped", tip.clone()), support("tip", None));
    assert_eq!(stream("Tipped", with(tip.clone(), "tip_menu_item", json!("Hydrate"))), support("tip", Some("Hydrate")));
    assert_eq!(stream("WheelSpinClaimed", with(tip, "prize", json!("Dance"))), support("wheel-spin", Some("Dance")));
    let raid = with(name("eve"), "number_of_viewers", json!(12));
    assert_eq!(stream("StreamDroppedIn", raid), Event::Raid(Raid { source: somebody("eve"), viewers: 12 }));
    let out = json!({"origin": "a", "destination": "b", "destination_username": "bob", "number_of_viewers": 3});
    let raid_out = Broadcast { who: Some(somebody("bob")), count: Some(3), ..broadcast("raid-out") };
    assert_eq!(stream("DropinStream", out), Event::Broadcast(raid_out));
    let moderation = |kind: &str| {
        Event::Moderation(Moderation { kind: kind.into(), target: Some(somebody("eve")), ..Moderation::default() })
    };
    assert_eq!(stream("UserMuted", name("eve")), moderation("timeout"));
    assert_eq!(stream("UserUnmuted", name("eve")), moderation("unban"));
}

#[test]
fn each_state_of_the_stream_has_its_kind() {
    for (kind, read) in [
        ("Started", "online"),
        ("StreamStarted", "online"),
        ("Ended", "offline"),
        ("StreamEnding", "ending"),
        ("StreamResuming", "resuming"),
        ("StreamModeUpdated", "mode"),
    ] {
        assert_eq!(stream(kind, json!({})), Event::Broadcast(broadcast(read)));
    }
    for (kind, field, read) in [
        ("FollowerCountUpdated", "number_of_followers", "followers"),
        ("SubscriberCountUpdated", "number_of_subscribers", "subscribers"),
        ("ViewerCountUpdated", "number_of_viewers", "viewers"),
    ] {
        for number in [json!(42), json!("42")] {
            let counted = Broadcast { count: Some(42), ..broadcast(read) };
            assert_eq!(stream(kind, json!({ field: number })), Event::Broadcast(counted));
        }
        assert!(matches!(stream(kind, json!({})), Event::Raw(_)), "a count without a number is none");
    }
}

#[test]
fn goals_begin_grow_and_end() {
    let goal = |kind: &str, metadata: Value| match stream(kind, metadata) {
        Event::Goal(Goal { kind, phase, title, current, target, .. }) => (kind, phase, title, current, target),
        other => panic!("{other:?}"),
    };
    let goal_of = |kind: &str, phase: &str, title: &str, current, target| {
        (kind.to_owned(), phase.to_owned(), title.to_owned(), current, target)
    };
    let about = json!({"who": "eve", "what": "x", "title": "Dance", "amount": 500});
    assert_eq!(goal("TipGoalCreated", about.clone()), goal_of("tip-goal", "begin", "Dance", 0, 500));
    assert_eq!(goal("TipGoalUpdated", about.clone()), goal_of("tip-goal", "progress", "Dance", 0, 500));
    assert_eq!(goal("TipGoalDeleted", about.clone()), goal_of("tip-goal", "end", "Dance", 0, 500));
    assert_eq!(goal("TipGoalMet", about.clone()), goal_of("tip-goal", "end", "Dance", 500, 500));
    assert_eq!(goal("MilestoneCompleted", about), goal_of("milestone", "end", "Dance", 500, 500));
    let increased =
        |amount: u32| json!({"by_user": "eve", "what": "x", "amount": amount, "current": 30, "previous": 20});
    assert_eq!(goal("TipGoalIncreased", increased(500)), goal_of("tip-goal", "progress", "", 30, 500));
    assert_eq!(goal("TipGoalIncreased", increased(10)), goal_of("tip-goal", "progress", "", 30, 0));
}

#[test]
fn all_else_is_raw_under_one_name() {
    for kind in [
        "TipMenuItemLocked",
        "TipMenuItemUnlocked",
        "ChatTimerStarted",
        "ChatTimersCleared",
        "PvpSessionRequested",
        "PvpSessionReady",
        "PvpSessionStarted",
        "PvpSessionEnding",
        "PvpSessionEnded",
        "SceneUpdated",
        "DeviceConnected",
        "DeviceDisconnected",
        "DeviceSettingsUpdated",
        "SettingsUpdated",
        "VerifiedOnlyChatStarted",
        "VerifiedOnlyChatEnded",
        "SubscriberOnlyStarted",
        "SubathonStarted",
        "OfTomorrow",
    ] {
        match stream(kind, json!({"who": "eve"})) {
            Event::Raw(raw) => assert_eq!(raw.kind, text::snake(kind)),
            other => panic!("{other:?}"),
        }
    }
    // Not to be mistaken for what was said, nor for money, nor for a person.
    let author = json!({"username": "a"});
    assert_eq!(
        raw_kind(&json!({"event": "ChatMessage", "type": "message_removed", "text": "x", "author": author})),
        "message_removed"
    );
    assert_eq!(raw_kind(&json!({"event": "ChatMessage", "text": " ", "author": author})), "chat_message");
    assert_eq!(raw_kind(&json!({"event": "ChatMessage", "text": "x"})), "chat_message");
    assert_eq!(raw_kind(&json!({"event": "StreamEvent", "type": "Tipped", "metadata": "{\"who\":\"eve\"}"})), "tipped");
    assert_eq!(raw_kind(&json!({"event": "StreamEvent", "type": "Followed"})), "followed");
    assert_eq!(raw_kind(&json!({"event": "UserPresence", "type": "enter_stream"})), "enter_stream");
    for nothing in [json!(null), json!([]), json!("x"), json!(7), json!({})] {
        assert_eq!(raw_kind(&nothing), "message");
    }
}

#[test]
fn metadata_comes_in_many_forms() {
    let tip = |metadata: Value| parsed(&json!({"event": "StreamEvent", "type": "Tipped", "metadata": metadata})).event;
    for metadata in [
        json!({"who": "eve", "how_much": 5}),
        json!("{\"who\":\"eve\",\"how_much\":5}"),
        json!({"who": "eve", "how_much": "5"}),
        json!({"who": {"username": "eve"}, "how_much": 5.0}),
    ] {
        assert!(matches!(tip(metadata), Event::Support(Support { amount, .. }) if amount == tokens(5)));
    }
    for nothing in
        [json!(null), json!(""), json!("{}"), json!("{\"who\""), json!("[1]"), json!([1]), json!(7), json!({})]
    {
        assert!(matches!(tip(nothing), Event::Raw(_)));
    }
    let ended = json!({"event": "StreamEvent", "type": "Ended"});
    assert_eq!(parsed(&ended).event, Event::Broadcast(broadcast("offline")));
}

#[test]
fn what_has_no_field_goes_along_without_its_markup() {
    let tip = json!({"event": "StreamEvent", "type": "Tipped",
        "text": "eve tipped 2 tokens for <strong class='x'>Hydrate</strong>",
        "metadata": "{\"who\":\"eve\",\"what\":\"Tipped\",\"how_much\":2,\"tip_menu_item\":\"<b>Hydrate</b>\",\"mood\":1}"});
    let tip = parsed(&tip);
    assert!(matches!(&tip.event, Event::Support(Support { item: Some(item), .. }) if item == "Hydrate"));
    let extra: Value = serde_json::from_str(&tip.extra.unwrap()).unwrap();
    assert_eq!(extra, json!({"metadata": {"mood": 1}, "text": "eve tipped 2 tokens for Hydrate"}));
}

#[test]
fn a_refusal_is_told_in_its_words() {
    for (message, words) in [
        (json!({"error": "Not <b>allowed</b>"}), "Not allowed"),
        (json!({"type": "error", "error": "no"}), "no"),
        (json!({"error": {"message": "no\nway"}}), "no way"),
        (json!({"errors": ["a", "b"]}), r#"["a","b"]"#),
        (json!({"error": ""}), "it does not say why"),
    ] {
        assert_eq!(read(&message), Heard::Error(words.to_owned()));
    }
    // Reading markup takes the longer the longer the rest is, so of a flood only the beginning is read.
    let flood = json!({ "error": format!("<{}> why", "a".repeat(9000)) });
    assert!(matches!(read(&flood), Heard::Error(words) if words.starts_with("<aaa")));
    // An event that happens to have such a field.
    assert_eq!(
        raw_kind(&json!({"event": "StreamEvent", "type": "DeviceDisconnected", "error": "usb"})),
        "device_disconnected"
    );
    assert_eq!(raw_kind(&json!({"error": null})), "message");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(\\PC|[<&{}:@]){0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 32, 6, |inner| {
        let name = prop_oneof![
            Just("type"),
            Just("event"),
            Just("data"),
            Just("metadata"),
            Just("author"),
            Just("text"),
            Just("who"),
            Just("username"),
            Just("how_much"),
            Just("emotes"),
            Just("visibility"),
            Just("v"),
            Just("id"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.prop_map(str::to_owned), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn anything_is_read(message in any_json()) {
        read(&message);
    }

    /// Any field of a stream event may hold anything, and both shapes still say the same.
    #[test]
    fn both_shapes_are_one(kind in "[A-Z][a-z]{1,8}([A-Z][a-z]{1,8}){0,2}|Tipped|Followed|Subscribed", metadata in any_json()) {
        prop_assume!(metadata.is_object());
        stream(&kind, metadata);
    }

    #[test]
    fn a_tip_is_as_large_as_it_was(amount in any::<u32>(), who in "[a-zA-Z0-9_]{1,20}") {
        let Event::Support(support) = stream("Tipped", json!({"who": who, "how_much": amount})) else { panic!() };
        prop_assert_eq!(support.amount.to_string(), amount.to_string());
        prop_assert_eq!(support.who.unwrap().id, who.to_lowercase());
    }
}
