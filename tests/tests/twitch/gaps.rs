//! What happened while there was no connection.

use std::time::Duration;

use showrunner::event::{Channel, Draft, Event};
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{BOT_SCOPES, BROADCASTER_SCOPES, FakeTwitch, STREAMER};
use showrunner_tests::twitch_bot::{TestTokens, TwitchBot};

fn is_late(draft: &Draft) -> bool {
    draft.extra.as_ref().is_some_and(|extra| extra.contains("\"late\":true"))
}

/// Something is heard, so that the gap begins after what was told before.
async fn hear(twitch: &FakeTwitch, bot: &mut TwitchBot, text: &str) {
    twitch.room().say("alice", text);
    bot.chat_until(text).await;
}

async fn lose(twitch: &FakeTwitch, bot: &mut TwitchBot, meanwhile: impl FnOnce()) {
    twitch.drop_sockets();
    bot.until_lost().await;
    meanwhile();
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
}

fn looked_up(twitch: &FakeTwitch, path: &str) -> usize {
    twitch.asked_for(&format!("GET /helix/{path}")).len()
}

#[tokio::test]
async fn followers_subscribers_and_redemptions_of_a_gap_are_told_late_and_once() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    room.subscribe_unheard("long_since");
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.saw(|twitch| looked_up(twitch, "subscriptions") == 1).await;
    room.follow("before");
    room.redeem("before", "hydrate", "");
    hear(&twitch, &mut bot, "hi").await;
    lose(&twitch, &mut bot, || {
        room.follow_unheard("dora");
        room.subscribe_unheard("sam");
        room.redeem_unheard("rita", "hydrate", "now");
    })
    .await;
    let mut late = Vec::new();
    while late.len() < 3 {
        let draft = bot.draft().await;
        let who = draft.event.actor().unwrap().login.clone();
        // The look-up begins a little before the gap; what it finds there has the id that it had live.
        if is_late(&draft) && who != "before" {
            late.push((draft.event.name(), who, draft.id.is_some()));
        }
    }
    late.sort();
    let expected = [("follow", "dora"), ("redemption", "rita"), ("subscription", "sam")];
    assert_eq!(late, expected.map(|(event, who)| (event, who.to_owned(), true)));
}

#[tokio::test]
async fn what_was_told_live_has_the_same_name_when_it_is_looked_up() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    let mut bot = TwitchBot::ready(&twitch).await;
    room.follow("dora");
    let live = bot.next(|draft| matches!(draft.event, Event::Follow(_)).then(|| draft.id.clone().unwrap())).await;
    lose(&twitch, &mut bot, || {}).await;
    let late = bot.next(|draft| matches!(draft.event, Event::Follow(_)).then(|| draft.id.clone().unwrap())).await;
    assert_eq!(live, late);
}

#[tokio::test]
async fn a_run_that_was_killed_left_a_gap_too() {
    let twitch = FakeTwitch::start().await;
    twitch.room().follow_unheard("dora");
    let tokens = TestTokens::new(&twitch, STREAMER, &format!("{BOT_SCOPES} {BROADCASTER_SCOPES}"));
    let since = showrunner::event::now_ms() - 60_000;
    let missed = |channel: &Channel| (*channel == Channel::new("twitch", "1337")).then_some(since);
    let mut bot = TwitchBot::start_as(&twitch.settings(), |_, _| tokens.clone(), missed);
    let draft = bot.next(|draft| matches!(draft.event, Event::Follow(_)).then(|| draft.clone())).await;
    assert!(is_late(&draft) && draft.event.actor().unwrap().login == "dora");
}

#[tokio::test]
async fn without_a_gap_nothing_old_is_told() {
    let twitch = FakeTwitch::start().await;
    twitch.room().follow_unheard("dora");
    twitch.room().subscribe_unheard("sam");
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.saw(|twitch| looked_up(twitch, "channels") >= 1 && looked_up(twitch, "subscriptions") == 1).await;
    assert_eq!(looked_up(&twitch, "channels/followers"), 0);
    hear(&twitch, &mut bot, "hi").await;
    assert!(bot.events.try_recv().is_err());
}

#[tokio::test]
async fn a_stream_that_began_or_ended_or_was_renamed_in_a_gap_is_told() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    let mut bot = TwitchBot::ready(&twitch).await;
    twitch.saw(|twitch| looked_up(twitch, "channels") >= 1).await;
    hear(&twitch, &mut bot, "hi").await;
    let kind = |draft: &Draft| match &draft.event {
        Event::Broadcast(broadcast) if broadcast.kind != "category" => {
            assert!(is_late(draft), "{draft:?}");
            Some((broadcast.kind.clone(), broadcast.title.clone()))
        }
        _ => None,
    };
    // Nobody hears it, as there is no socket.
    lose(&twitch, &mut bot, || {
        room.go_online();
        room.retitle("a new title");
    })
    .await;
    let mut told = [bot.next(kind).await, bot.next(kind).await];
    told.sort();
    assert_eq!(told[0].0, "online");
    assert_eq!(told[1].1.as_deref(), Some("a new title"));
    lose(&twitch, &mut bot, || room.go_offline()).await;
    assert_eq!(bot.next(kind).await.0, "offline");
    lose(&twitch, &mut bot, || {}).await;
    hear(&twitch, &mut bot, "and on").await;
}

#[tokio::test]
async fn where_only_beginnings_are_wanted_a_missed_one_is_told_and_nothing_else() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    let mut settings = twitch.settings();
    settings.subscriptions = Some(vec!["channel.chat.message".into(), "stream.online".into()]);
    let tokens = TestTokens::new(&twitch, STREAMER, &format!("{BOT_SCOPES} {BROADCASTER_SCOPES}"));
    let mut bot = TwitchBot::start_with(&settings, &tokens);
    bot.until_ready().await;
    twitch.saw(|twitch| looked_up(twitch, "channels") >= 1).await;
    hear(&twitch, &mut bot, "hi").await;
    lose(&twitch, &mut bot, || {
        room.retitle("a new title");
        room.go_online();
    })
    .await;
    let draft = bot.draft().await;
    assert!(matches!(&draft.event, Event::Broadcast(broadcast) if broadcast.kind == "online"), "{draft:?}");
    assert!(is_late(&draft));
    hear(&twitch, &mut bot, "on").await;
    assert!(bot.events.try_recv().is_err());
}

#[tokio::test]
async fn an_end_that_twitch_tells_after_it_was_looked_up_is_told_once() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    room.go_online();
    let mut bot = TwitchBot::ready(&twitch).await;
    // That is the look-up after the one of the stream.
    twitch.saw(|twitch| looked_up(twitch, "subscriptions") == 1).await;
    hear(&twitch, &mut bot, "hi").await;
    lose(&twitch, &mut bot, || room.go_offline()).await;
    let ends = |draft: &Draft| matches!(&draft.event, Event::Broadcast(broadcast) if broadcast.kind == "offline");
    bot.next(|draft| ends(draft).then_some(())).await;
    room.go_offline();
    room.say("alice", "last");
    let draft = bot.draft().await;
    assert!(matches!(&draft.event, Event::Chat(chat) if chat.text == "last"), "{draft:?}");
}

#[tokio::test]
async fn what_is_subscribed_late_is_looked_up_when_it_is() {
    let twitch = FakeTwitch::start().await;
    let mut settings = twitch.settings();
    settings.subscriptions = Some(vec!["channel.chat.message".into(), "channel.follow".into()]);
    let tokens = TestTokens::new(&twitch, STREAMER, &format!("{BOT_SCOPES} {BROADCASTER_SCOPES}"));
    let mut bot = TwitchBot::start_with(&settings, &tokens);
    bot.until_ready().await;
    hear(&twitch, &mut bot, "hi").await;
    // Both are asked for at once, so the other one may fail.
    for round in 0.. {
        let login = format!("dora{round}");
        twitch.answer_next("POST /helix/eventsub/subscriptions", [Answer::Properly, Answer::status(503, "down")]);
        twitch.drop_sockets();
        bot.until_lost().await;
        twitch.room().follow_unheard(&login);
        bot.statuses.restart("twitch:1337");
        let is_follow = bot.until_degraded().await.starts_with("channel.follow");
        assert!(!is_follow || looked_up(&twitch, "channels/followers") == round, "nobody listens yet");
        bot.until_ready().await;
        let is_told =
            |draft: &Draft| draft.event.actor().is_some_and(|actor| actor.login == login).then(|| is_late(draft));
        assert!(bot.next(is_told).await);
        if is_follow {
            return;
        }
    }
}

#[tokio::test]
async fn what_goes_by_while_a_subscription_fails_is_looked_up() {
    let twitch = FakeTwitch::start().await;
    let mut settings = twitch.settings();
    settings.subscriptions = Some(vec!["channel.chat.message".into(), "channel.follow".into()]);
    let tokens = TestTokens::new(&twitch, STREAMER, &format!("{BOT_SCOPES} {BROADCASTER_SCOPES}"));
    let mut bot = TwitchBot::start_with(&settings, &tokens);
    bot.until_ready().await;
    assert_eq!(twitch.revoke("channel.follow", "authorization_revoked"), 1);
    bot.until_degraded().await;
    twitch.room().follow_unheard("dora");
    tokens.sign_in_again(&twitch, &format!("{BOT_SCOPES} {BROADCASTER_SCOPES}"));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
    let follow = bot.next(|draft| matches!(draft.event, Event::Follow(_)).then(|| draft.clone())).await;
    assert!(is_late(&follow) && follow.event.actor().unwrap().login == "dora");
}

#[tokio::test]
async fn a_look_up_that_fails_for_a_while_is_tried_again() {
    let twitch = FakeTwitch::start().await;
    let room = twitch.room();
    let mut bot = TwitchBot::ready(&twitch).await;
    hear(&twitch, &mut bot, "hi").await;
    let down = || Answer::status(503, "down");
    twitch.answer_next("GET /helix/channels/followers", [down(), down()]);
    lose(&twitch, &mut bot, || room.follow_unheard("dora")).await;
    let who =
        bot.next(|draft| matches!(draft.event, Event::Follow(_)).then(|| draft.event.actor().unwrap().login.clone()));
    assert_eq!(who.await, "dora");
    assert_eq!(looked_up(&twitch, "channels/followers"), 3);
}
