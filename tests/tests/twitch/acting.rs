//! What is sent, and what Twitch says to it.

use std::time::Duration;

use showrunner::effect::Action;
use showrunner::event::Event;
use showrunner::platform::ActionError;
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{DropReason, FakeTwitch, STREAMER};
use showrunner_tests::twitch_bot::TwitchBot;

#[tokio::test]
async fn a_line_is_sent_and_known_when_it_comes_back() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    for names in [true, false] {
        twitch.name_no_drop_reason(names);
        let receipt = bot.say("gm").await.unwrap();
        let draft = bot.draft().await;
        let Event::Chat(chat) = &draft.event else { panic!("{draft:?}") };
        assert!(draft.own);
        assert_eq!(receipt.message_id.as_deref(), Some(&*chat.id));
    }
    let parent = twitch.room().say("alice", "hi");
    bot.perform(Action::Reply { message_id: parent.clone(), text: "hello".into() }).await.unwrap();
    assert_eq!(twitch.sent().last().unwrap().reply_to.as_deref(), Some(&*parent));
}

#[tokio::test]
async fn what_the_streamer_writes_is_not_the_bots_though_they_share_an_account() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    bot.say("gm").await.unwrap();
    assert!(bot.draft().await.own);
    for text in ["gm", "!title new"] {
        twitch.room().say(STREAMER, text);
        let draft = bot.draft().await;
        let Event::Chat(chat) = &draft.event else { panic!("{draft:?}") };
        assert_eq!((chat.text.as_str(), chat.author.roles.broadcaster, draft.own), (text, true, false));
    }
    // It was refused, so this is the streamer's own.
    twitch.drop_next_lines([DropReason::new("msg_duplicate", "It is identical.")]);
    bot.say("again").await.unwrap_err();
    twitch.room().say(STREAMER, "again");
    assert!(!bot.draft().await.own);
}

#[tokio::test]
async fn a_line_that_twitch_drops_is_told_in_its_words() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    for is_list in [false, true] {
        twitch.drop_next_lines([DropReason { is_list, ..DropReason::new("msg_duplicate", "It is identical.") }]);
        let error = bot.say("gm").await.unwrap_err();
        assert_eq!(error, ActionError::Refused("Twitch dropped the message: It is identical. (msg_duplicate)".into()));
    }
    twitch.drop_next_lines([DropReason::new("msg_ratelimit", "Too fast.")]);
    assert_eq!(bot.say("gm").await, Err(ActionError::RateLimited { retry_after: None }));
    assert!(twitch.sent().is_empty());
}

#[tokio::test]
async fn a_long_text_is_several_lines_and_a_part_that_fails_ends_it() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    let text = "wörd ".repeat(220);
    bot.say(&text).await.unwrap();
    let sent = twitch.sent_texts();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|line| line.chars().count() <= 500));
    assert_eq!(sent.join(" "), text.trim());
    let much_later = Answer::status(429, "slow down").with_header("retry-after", 60);
    twitch.answer_next("POST /helix/chat/messages", [Answer::Properly, much_later]);
    let error = bot.say(&text).await.unwrap_err();
    assert!(matches!(&error, ActionError::Refused(why) if why.contains("only 1 of 3 parts of it are out")), "{error}");
    assert_eq!(twitch.sent_texts().len(), 4);
}

#[tokio::test]
async fn a_part_that_comes_too_soon_is_sent_once_more_and_the_text_is_whole() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    let text = "wörd ".repeat(220);
    twitch.answer_next("POST /helix/chat/messages", [Answer::Properly, Answer::status(429, "slow down")]);
    bot.say(&text).await.unwrap();
    assert_eq!(twitch.sent_texts().join(" "), text.trim());
    assert_eq!(twitch.asked_for("POST /helix/chat/messages").len(), 4);
}

#[tokio::test]
async fn moderation_reaches_the_room() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    let room = twitch.room();
    let troll = twitch.user("troll").id;
    let suspend = |seconds| Action::Suspend { user_id: troll.clone(), seconds, reason: "spam".into() };
    bot.perform(suspend(Some(60))).await.unwrap();
    assert!(room.is_banned("troll"));
    bot.perform(Action::Lift { user_id: troll.clone() }).await.unwrap();
    assert!(!room.is_banned("troll"));
    bot.perform(Action::Lift { user_id: troll.clone() }).await.unwrap();
    bot.perform(suspend(None)).await.unwrap();
    bot.perform(suspend(None)).await.unwrap();
    assert!(room.is_banned("troll"));
    let line = room.say("alice", "nonsense");
    bot.perform(Action::RemoveMessage { message_id: line, reason: String::new() }).await.unwrap();
    let alice = twitch.user("alice").id;
    bot.perform(Action::Warn { user_id: alice.clone(), reason: "please don't".into() }).await.unwrap();
    bot.perform(Action::Announce { text: "hear ye".into() }).await.unwrap();
    assert_eq!(twitch.announcements().len(), 1);
    bot.perform(Action::Whisper { user_id: alice.clone(), text: "psst".into() }).await.unwrap();
    assert_eq!(twitch.whispers(), [(twitch.user(STREAMER).id, alice.clone(), "psst".to_owned())]);
    let error = bot.perform(Action::Shoutout { user_id: alice.clone() }).await.unwrap_err();
    assert!(matches!(error, ActionError::Refused(_)), "the stream is offline: {error}");
    room.go_online();
    bot.perform(Action::Shoutout { user_id: alice }).await.unwrap();
}

#[tokio::test]
async fn what_automod_holds_is_resolved() {
    let twitch = FakeTwitch::start().await;
    let mut bot = TwitchBot::ready(&twitch).await;
    for allow in [true, false] {
        let held = twitch.room().hold("alice", "badword");
        bot.next(|draft| matches!(draft.event, Event::Moderation(_)).then_some(())).await;
        bot.perform(Action::ResolveHeld { message_id: held, allow }).await.unwrap();
    }
    let asked = twitch.asked_for("POST /helix/moderation/automod/message");
    let actions: Vec<&str> = asked.iter().map(|asked| asked.body["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["ALLOW", "DENY"]);
}

#[tokio::test]
async fn an_empty_bucket_is_waited_for() {
    let twitch = FakeTwitch::start().await;
    let bot = TwitchBot::ready(&twitch).await;
    let reset = showrunner::event::now_ms() / 1000 + 30;
    let empty = Answer::status(429, "Too Many Requests")
        .with_header("ratelimit-remaining", 0)
        .with_header("ratelimit-reset", reset);
    twitch.answer_next("POST /helix/chat/messages", [empty]);
    let limited = |error: ActionError| match error {
        ActionError::RateLimited { retry_after: Some(wait) } => wait,
        other => panic!("{other:?}"),
    };
    assert!(limited(bot.say("gm").await.unwrap_err()) > Duration::from_secs(10));
    let asked = twitch.asked_for("POST /helix/chat/messages").len();
    let wait = limited(bot.say("gm").await.unwrap_err());
    assert_eq!(twitch.asked_for("POST /helix/chat/messages").len(), asked, "nothing left");
    tokio::time::pause();
    tokio::time::advance(wait + Duration::from_secs(1)).await;
    tokio::time::resume();
    bot.say("gm").await.unwrap();
}
