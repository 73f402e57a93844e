use proptest::prelude::*;

use super::*;

const ROOM: &str = "5b7c";

fn read(payload: Value) -> Parsed {
    let mut all = read_event("message", &[payload], ROOM);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn chat(parsed: &Parsed) -> &ChatMessage {
    match &parsed.event {
        Event::Chat(chat) => chat,
        other => panic!("{other:?}"),
    }
}

fn support(parsed: &Parsed) -> &Support {
    match &parsed.event {
        Event::Support(support) => support,
        other => panic!("{other:?}"),
    }
}

fn moderation(parsed: &Parsed) -> &Moderation {
    match &parsed.event {
        Event::Moderation(moderation) => moderation,
        other => panic!("{other:?}"),
    }
}

fn raw_kind(parsed: &Parsed) -> &str {
    match &parsed.event {
        Event::Raw(raw) => &raw.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_shapes_of_an_author_are_read() {
    let first = read(json!({"author": {"fusername": "Alice", "walletAddress": "0x12345678abc"}, "text": "gm ☀️"}));
    let author = &chat(&first).author;
    assert_eq!((author.id.as_str(), author.display_name.as_str()), ("wallet:0x12345678abc", "Alice"));
    assert_eq!(first.sender_id, None);
    assert!(first.extra.unwrap().contains(r#""identity":"wallet""#));

    let second = read(json!({
        "type": "message", "text": "gm", "sender_username": "alice", "sender_user_id": "u1", "_id": "m1",
        "streamer_id": ROOM, "session_id": "s1", "timestamp": "1767607872000",
    }));
    assert_eq!(chat(&second).author.id, "u1");
    assert_eq!(second.sender_id.as_deref(), Some("u1"));
    assert_eq!(second.key.as_deref(), Some("m1"));
    assert_eq!(second.session_id.as_deref(), Some("s1"));
    assert_eq!(second.at_ms, Some(1_767_607_872_000));
    assert_eq!(second.extra, None);

    let history =
        json!({"comments": [{"id": 7, "username": "alice", "message": "gm", "timestamp": "2026-01-05T10:11:12Z"}]});
    let third = read_history(&history, ROOM).unwrap().remove(0);
    assert_eq!(chat(&third).author.id, "name:alice");
    assert_eq!(third.key.as_deref(), Some("7"));
    assert_eq!(third.at_ms, Some(1_767_607_872_000));
    // The three are sightings of the same words by the same name.
    assert_eq!(second.content, third.content);
}

#[test]
fn a_wallet_stands_in_for_a_name_and_nobody_is_anon() {
    assert_eq!(
        chat(&read(json!({"author": {"walletAddress": "0x12345678abc"}, "text": "x"}))).author.login,
        "0x123456"
    );
    assert_eq!(chat(&read(json!({"text": "x"}))).author.login, "anon");
    assert_eq!(chat(&read(json!({"author": "bob", "text": "x"}))).author.login, "bob");
    assert_eq!(chat(&read(json!({"author": null, "username": "bob", "text": "x"}))).author.login, "bob");
}

#[test]
fn the_streamer_is_known_by_id_and_not_by_name() {
    assert!(chat(&read(json!({"sender_user_id": ROOM, "text": "x"}))).author.roles.broadcaster);
    assert!(!chat(&read(json!({"sender_username": ROOM, "text": "x"}))).author.roles.broadcaster);
}

#[test]
fn times_come_in_every_form() {
    for (given, expected) in [
        (json!("1767607872000"), Some(1_767_607_872_000)),
        (json!(1_767_607_872_000_u64), Some(1_767_607_872_000)),
        (json!(1_767_607_872_000.5), Some(1_767_607_872_000)),
        (json!(1_767_607_872), Some(1_767_607_872_000)),
        (json!("2026-01-05T10:11:12.000Z"), Some(1_767_607_872_000)),
        (json!("2026-01-05T11:11:12+01:00"), Some(1_767_607_872_000)),
        (json!("2026-01-05T10:11:12"), Some(1_767_607_872_000)),
        (json!("yesterday"), None),
        (json!(-5), None),
        (json!(u64::MAX), None),
        (json!("99999999999999999999999999"), None),
        (json!({}), None),
    ] {
        assert_eq!(read(json!({"text": "x", "timestamp": given})).at_ms, expected, "{given}");
    }
}

#[test]
fn tips_and_trades_are_money_also_without_text_or_type() {
    for message in [
        json!({"type": "tip", "text": "", "sender_username": "bob", "tip_data": {"receiver_id": "r", "amount": "12.50", "tx_hash": "0xaa"}}),
        json!({"sender_username": "bob", "tip_data": {"amount": 12.5, "tx_hash": "0xaa"}}),
    ] {
        let parsed = read(message);
        let tip = support(&parsed);
        assert_eq!((tip.kind.as_str(), tip.amount.to_string().as_str()), ("tip", "12.5"));
        assert_eq!(tip.who.as_ref().unwrap().login, "bob");
        assert_eq!(tip.message, None);
        assert_eq!(parsed.key.as_deref(), Some("tx:0xaa"));
    }
    let parsed = read(json!({"type": "trade", "trade_data": {"amount": 3, "type": "buy"}, "text": "to the moon"}));
    let trade = support(&parsed);
    assert_eq!((trade.kind.as_str(), trade.item.as_deref()), ("trade", Some("buy")));
    assert_eq!((trade.message.as_deref(), &trade.who), (Some("to the moon"), &None));
}

#[test]
fn what_has_no_amount_is_not_thanked_for() {
    for amount in [json!(null), json!("lots"), json!(-5), json!({}), json!("")] {
        assert_eq!(raw_kind(&read(json!({"type": "tip", "tip_data": {"amount": amount}}))), "message");
    }
}

#[test]
fn moderation_is_never_chat() {
    let jail = read(
        json!({"type": "jail", "text": "spam", "target_user_id": "u9", "target_username": "troll", "author": {"_id": "m1", "fusername": "mod"}}),
    );
    assert_eq!(moderation(&jail).kind, "ban");
    assert_eq!(moderation(&jail).target.as_ref().unwrap().id, "u9");
    assert_eq!(moderation(&jail).moderator.as_ref().unwrap().id, "m1");
    let timeout = read(json!({"type": "JAIL", "duration": "60"}));
    assert_eq!((moderation(&timeout).kind.as_str(), moderation(&timeout).seconds), ("timeout", Some(60)));
    assert_eq!(moderation(&read(json!({"type": "unjail", "text": "x"}))).kind, "unban");
    assert_eq!(moderation(&read(json!({"type": "delete_all"}))).kind, "clear");
    let delete = read(json!({"type": "delete", "message_id": "m7", "text": "x"}));
    assert_eq!(moderation(&delete).message_id.as_deref(), Some("m7"));
    // Not "m7": that is the message's own key, and the deletion would be taken for a repeat of it.
    assert_eq!(delete.key.as_deref(), Some("delete:m7"));
}

#[test]
fn notices_are_read() {
    let one = |name: &str, payload: Value| read_event(name, &[payload], ROOM).remove(0);
    let tip = one("tip_received", json!({"from": {"_id": "u1", "username": "bob"}, "amount": "5", "tx_hash": "0xaa"}));
    assert_eq!(support(&tip).who.as_ref().unwrap().id, "u1");
    assert_eq!(tip.key.as_deref(), Some("tx:0xaa"));
    for payload in [
        json!({"follower": {"_id": "u1", "username": "bob"}}),
        json!({"follower_id": "u1", "follower_username": "bob", "user_id": ROOM}),
        json!({"user_id": "u1", "username": "bob"}),
    ] {
        match one("user_followed", payload).event {
            Event::Follow(follow) => assert_eq!((follow.who.id.as_str(), follow.who.login.as_str()), ("u1", "bob")),
            other => panic!("{other:?}"),
        }
    }
    let started = one("session_started", json!({"session": {"_id": "s1", "title": "hello"}}));
    assert_eq!(started.session_id.as_deref(), Some("s1"));
    assert!(matches!(&started.event, Event::Broadcast(online) if online.title.as_deref() == Some("hello")));
    let pin = one("pinned", json!({"message": {"_id": "m1", "text": "read this"}}));
    assert_eq!((moderation(&pin).message_id.as_deref(), pin.key.as_deref()), (Some("m1"), None));
    let bought = one("newtrade", json!({"address": "0x1", "action": "buy", "usdAmount": 25, "tokenTicker": "SHOW"}));
    assert_eq!(support(&bought).item.as_deref(), Some("buy SHOW"));
    for (name, payload) in [
        ("newtrade", json!({"action": "sell", "usdAmount": 25})),
        ("rawtrade", json!({"x": 1})),
        ("user_followed", json!({})),
        ("tip_received", json!("what")),
        ("something_new", json!([1, 2])),
    ] {
        assert_eq!(raw_kind(&one(name, payload)), name);
    }
}

#[test]
fn strange_payloads_stay_raw() {
    for payload in [json!(null), json!("hi"), json!(7), json!({}), json!({"text": ""}), json!({"text": 5})] {
        assert_eq!(raw_kind(&read(payload)), "message");
    }
    assert_eq!(raw_kind(&read(json!({"type": "sticker", "text": "x"}))), "message.sticker");
    assert_eq!(raw_kind(&read_event("message", &[], ROOM).remove(0)), "message");
    assert_eq!(read_event("message", &[json!([{"text": "a"}, {"text": "b"}])], ROOM).len(), 2);
}

#[test]
fn histories_come_in_several_shapes() {
    for answer in [
        json!({"comments": [{"text": "x"}]}),
        json!({"chats": [{"text": "x"}]}),
        json!([{"text": "x"}]),
        json!({"comments": null, "messages": [{"text": "x"}]}),
    ] {
        assert_eq!(read_history(&answer, ROOM).unwrap().len(), 1);
    }
    for answer in [json!(null), json!({}), json!({"comments": 5}), json!("x")] {
        assert_eq!(read_history(&answer, ROOM), None);
    }
}

#[test]
fn answers_to_what_was_sent_are_read() {
    assert_eq!(read_sent_id(&json!({"message_id": "m1", "sent_at": "x"})).as_deref(), Some("m1"));
    assert_eq!(read_sent_id(&json!({"message": {"_id": 5}})).as_deref(), Some("5"));
    assert_eq!(read_sent_id(&json!({"message": "Message sent"})), None);
}

/// All that an event holds, in bytes.
fn weight(parsed: &Parsed) -> usize {
    format!("{parsed:?}").len()
}

#[test]
fn whatever_is_sent_an_event_is_no_larger_than_queues_can_hold() {
    let long = "ü".repeat(1 << 20);
    let line = json!({
        "text": long, "author": { "fusername": long, "walletAddress": long, "favatar": long }, "_id": long, "reply_to": long,
    });
    let message = read(line);
    assert_eq!(chat(&message).text.len(), 8 << 10, "what came first is kept");
    assert_eq!(chat(&message).author.display_name.len(), 256);
    let tip = json!({ "amount": "5", "currency": long, "tx_hash": long, "text": long, "from": long });
    let trade = json!({ "action": "buy", "usdAmount": 5, "tokenTicker": long });
    let jail = json!({ "type": "jail", "target_username": long, "reason": long, "more": long });
    for (name, payload) in [
        ("message", jail),
        ("message", json!({ "type": long })),
        ("message", json!(long)),
        ("tip_received", tip),
        ("newtrade", trade),
        ("pinned", json!({ "message": { "text": long } })),
        ("session_started", json!({ "title": long, "category": long })),
        ("user_followed", json!({ "follower": { "username": long } })),
        ("rawtrade", json!({ "more": long })),
        (long.as_str(), json!({})),
    ] {
        for parsed in read_event(name, &[payload], ROOM) {
            assert!(weight(&parsed) < 64 << 10, "{} bytes of {}", weight(&parsed), parsed.event.name());
        }
    }
    let raw = read_event("rawtrade", &[json!({ "more": long })], ROOM).remove(0);
    assert!(matches!(raw.event, Event::Raw(Raw { json, .. }) if json == "{\"omitted-bytes\":2097163}"));
}

#[test]
fn a_batch_is_no_flood() {
    let many = vec![json!({ "text": "spam" }); 100_000];
    assert_eq!(read_event("message", &[Value::from(many.clone())], ROOM).len(), 1000);
    assert_eq!(read_history(&json!({ "chats": many }), ROOM).unwrap().len(), 1000);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9.eE+-]{0,20}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "type",
        "text",
        "message",
        "author",
        "fusername",
        "sender_user_id",
        "_id",
        "id",
        "timestamp",
        "tip_data",
        "trade_data",
        "amount",
        "session",
        "target",
        "follower",
        "comments",
        "action",
        "usdAmount",
        "duration",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_makes_it_panic_or_vanish(
        payload in any_json(),
        kind in prop::sample::select(vec!["message", "tip", "trade", "jail", "delete", "delete_all", ""]),
        name in prop::sample::select(vec![
            "message", "tip_received", "user_followed", "session_started", "pinned", "newtrade", "rawtrade",
        ]),
    ) {
        let mut payload = payload;
        if let Value::Object(fields) = &mut payload {
            fields.insert("type".to_owned(), kind.into());
        }
        let is_batch = name == "message" && payload.is_array();
        prop_assert!(is_batch || read_event(name, std::slice::from_ref(&payload), ROOM).len() == 1);
        let _ = read_history(&payload, ROOM);
        let _ = read_sent_id(&payload);
    }
}
