//! One session: moves, ends, repeats, old messages, wrong clocks.

use std::time::Duration;

use axum::extract::ws::Message;
use jiff::{SignedDuration, Timestamp};
use showrunner::event::Event;
use showrunner::observation::ConnectionState;
use showrunner_tests::service::When;
use showrunner_tests::twitch::{FakeTwitch, Notice};
use showrunner_tests::twitch_bot::TwitchBot;

#[tokio::test]
async fn everything_that_is_wanted_is_subscribed_before_it_is_ready() {
    let twitch = FakeTwitch::start().await;
    twitch.add_unknown_fields(true);
    let mut bot = TwitchBot::ready(&twitch).await;
    assert!(twitch.subscribed().len() > 45, "{:?}", twitch.subscribed());
    assert_eq!(twitch.sockets_ever(), 1);
    assert_eq!(bot.reported.len(), 3, "connecting, subscribing, ready: {:#?}", bot.reported);
    twitch.room().say("alice", "hi");
    let draft = bot.draft().await;
    assert!(matches!(&draft.event, Event::Chat(chat) if chat.text == "hi" && chat.author.login == "alice"));
    assert!(!draft.own);
}

#[tokio::test]
async fn a_move_costs_no_event_and_subscribes_nothing_again() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    let asked = twitch.asked_for("POST /helix/eventsub").len();
    for round in 0..3 {
        // While there are two, both deliver, or only the new one does.
        twitch.deliver_on_both(round != 1);
        twitch.room().say("alice", &format!("before {round}"));
        twitch.reconnect();
        twitch.room().say("alice", &format!("while {round}"));
        twitch.saw(|twitch| twitch.sockets_ever() == 2 + round && twitch.sockets() == 1).await;
        twitch.room().say("alice", &format!("after {round}"));
    }
    let told = bot.chat_until("after 2").await;
    let expected: Vec<String> =
        (0..3).flat_map(|round| ["before", "while", "after"].map(|when| format!("{when} {round}"))).collect();
    assert_eq!(told, expected);
    assert_eq!(twitch.asked_for("POST /helix/eventsub").len(), asked);
    assert_eq!(twitch.most_sockets(), 2);
    assert_eq!(bot.reported.len(), 3, "it was ready all the time: {:#?}", bot.reported);
}

#[tokio::test]
async fn an_invalid_move_begins_anew_from_the_base_address() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    let bad = format!("{}?challenge=nonsense&id=nobody", twitch.eventsub_url());
    let frame = serde_json::json!({
        "metadata": { "message_id": "r", "message_type": "session_reconnect", "message_timestamp": "2026-01-05T10:11:12Z" },
        "payload": { "session": { "id": "x", "status": "reconnecting", "reconnect_url": bad } },
    });
    twitch.push(&Message::text(frame.to_string()));
    let why = bot.until_lost().await;
    assert!(why.contains("move") && why.contains("4007"), "{why}");
    bot.until_ready().await;
    twitch.room().say("alice", "on");
    assert_eq!(bot.chat_until("on").await, ["on"]);
}

#[tokio::test]
async fn each_close_code_is_told_and_everything_is_subscribed_anew() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    let wanted = twitch.subscribed();
    for code in 4000..=4007 {
        twitch.close(code);
        let why = bot.until_lost().await;
        assert!(why.contains(&format!("({code})")), "{why}");
        bot.statuses.restart("twitch:1337");
        bot.until_ready().await;
        assert_eq!(twitch.subscribed(), wanted);
        twitch.room().say("alice", &code.to_string());
        assert_eq!(bot.chat_until(&code.to_string()).await, [code.to_string()]);
        twitch.saw(|twitch| twitch.sockets() == 1).await;
    }
}

#[tokio::test]
async fn a_lost_connection_is_subscribed_anew_whatever_it_was_lost_to() {
    let mut twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.drop_sockets();
    bot.until_lost().await;
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
    twitch.go_away();
    bot.until_lost().await;
    twitch.come_back().await;
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
    twitch.room().say("alice", "here");
    assert_eq!(bot.chat_until("here").await, ["here"]);
}

#[tokio::test]
async fn what_comes_again_or_late_is_told_once_or_not_at_all() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    let room = twitch.room();
    let ago = |seconds| Some(Timestamp::now() - SignedDuration::from_secs(seconds));
    room.line("alice", "thrice").notice(Notice { repeats: 2, ..Notice::default() }).say();
    room.line("alice", "old").notice(Notice { sent_at: ago(601), ..Notice::default() }).say();
    room.line("alice", "just so").notice(Notice { sent_at: ago(590), ..Notice::default() }).say();
    let id = Notice { message_id: Some("one-id".into()), ..Notice::default() };
    room.line("alice", "first").notice(id.clone()).say();
    twitch.reconnect();
    twitch.saw(|twitch| twitch.sockets_ever() == 2 && twitch.sockets() == 1).await;
    room.line("alice", "again on the other socket").notice(id).say();
    room.say("alice", "last");
    assert_eq!(bot.chat_until("last").await, ["thrice", "just so", "first", "last"]);
}

#[tokio::test]
async fn a_clock_that_is_off_by_hours_loses_nothing() {
    for hours in [-3, 3] {
        let twitch = FakeTwitch::start().await;
        twitch.set_skew(SignedDuration::from_hours(hours));
        let mut bot = TwitchBot::ready(&twitch).await;
        twitch.room().say("alice", "hi");
        assert_eq!(bot.chat_until("hi").await, ["hi"]);
        // Eleven minutes by its own clock.
        let then = Timestamp::now() + SignedDuration::from_hours(hours) - SignedDuration::from_mins(11);
        twitch.room().line("alice", "old").notice(Notice { sent_at: Some(then), ..Notice::default() }).say();
        twitch.room().say("alice", "last");
        assert_eq!(bot.chat_until("last").await, ["last"]);
    }
}

#[tokio::test]
async fn a_step_of_our_own_clock_changes_nothing() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    let mut bot = TwitchBot::ready(&twitch).await;
    // Eleven minutes pass, and our clock is put back by as much.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(660)).await;
    tokio::time::resume();
    let in_minutes = |minutes| Some(Timestamp::now() + SignedDuration::from_mins(minutes));
    let room = twitch.room();
    room.line("alice", "old").notice(Notice { sent_at: in_minutes(0), ..Notice::default() }).say();
    room.line("alice", "new").notice(Notice { sent_at: in_minutes(11), ..Notice::default() }).say();
    assert_eq!(bot.chat_until("new").await, ["new"]);
}

#[tokio::test]
async fn what_nobody_knows_changes_nothing() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.push_unknown();
    twitch.push(&Message::text("{"));
    twitch.push(&Message::text("[]"));
    twitch.push(&Message::binary(vec![0; 9]));
    twitch.room().say("alice", "hi");
    assert_eq!(bot.chat_until("hi").await, ["hi"]);
    assert_eq!(bot.reported.len(), 3, "{:#?}", bot.reported);
}

#[tokio::test]
async fn silence_is_the_end_of_a_connection() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(1));
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.send_keepalives(false);
    // The socket itself goes on to live.
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    let pings = async {
        loop {
            beat.tick().await;
            twitch.push(&Message::Ping("alive?".into()));
        }
    };
    let why = tokio::select! {
        why = bot.until_lost() => why,
        () = pings => String::new(),
    };
    assert!(why.contains("nothing came for 1.2s"), "{why}");
}

#[tokio::test]
async fn without_a_welcome_the_connection_is_tried_again() {
    let twitch = FakeTwitch::start().await;
    twitch.set_welcome(When::Never);
    let mut bot = TwitchBot::start(&twitch);
    bot.until(|_, state| *state == ConnectionState::Connecting).await;
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    tokio::time::pause();
    let lost = bot.until_lost().await;
    tokio::time::resume();
    assert!(lost.contains("no welcome") || lost.contains("nothing came"), "{lost}");
    twitch.set_welcome(When::After(Duration::from_millis(20)));
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
}

#[tokio::test]
async fn a_stop_closes_the_socket() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    drop(bot);
    twitch.saw(|twitch| twitch.sockets() == 0).await;
}
