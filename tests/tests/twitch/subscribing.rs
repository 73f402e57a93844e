//! Subscriptions that fail on their own, all together, or later; tokens that end.

use std::time::Duration;

use showrunner::auth::{Role, TokenError};
use showrunner::config::settings::TwitchAccounts;
use showrunner::event::Event;
use showrunner::observation::ConnectionState;
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{BOT, BOT_ID, BOT_SCOPES, BROADCASTER_SCOPES, FakeTwitch, STREAMER};
use showrunner_tests::twitch_bot::{TestTokens, TwitchBot};

const SUBSCRIBE: &str = "POST /helix/eventsub/subscriptions";

fn chat_only(twitch: &FakeTwitch) -> showrunner::config::settings::TwitchSettings {
    let mut settings = twitch.settings();
    settings.subscriptions = Some(vec!["channel.chat.message".into(), "channel.follow".into()]);
    settings
}

fn all_scopes() -> String {
    format!("{BOT_SCOPES} {BROADCASTER_SCOPES}")
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn what_the_token_lacks_is_named_and_the_rest_works() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(60));
    let tokens = TestTokens::new(&twitch, STREAMER, "user:read:chat");
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    let why = bot.until_degraded().await;
    assert_eq!(why, "channel.follow: needs the scope moderator:read:followers; run `showrunner auth twitch` again");
    assert_eq!(twitch.asked_for(SUBSCRIBE).len(), 1, "what can't succeed is not asked for");
    twitch.room().say("alice", "hi");
    assert_eq!(bot.chat_until("hi").await, ["hi"]);
    // Somebody signs in again, and the connection need not even be made anew.
    tokens.sign_in_again(&twitch, "user:read:chat moderator:read:followers");
    pass(Duration::from_secs(31)).await;
    bot.until_ready().await;
    assert_eq!(twitch.sockets_ever(), 1);
}

#[tokio::test]
async fn nothing_to_subscribe_stops_the_connection_and_says_what_to_do() {
    let twitch = FakeTwitch::start().await;
    let tokens = TestTokens::new(&twitch, STREAMER, "");
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    let (why, what_to_do) = bot.until_stopped().await;
    assert!(why.contains("needs the scope user:read:chat"), "{why}");
    assert!(what_to_do.contains("showrunner auth twitch"), "{what_to_do}");
    tokens.sign_in_again(&twitch, &all_scopes());
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
}

#[tokio::test]
async fn all_refused_stops_and_does_not_turn_in_circles() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_always(SUBSCRIBE, Answer::status(403, "subscription missing proper authorization"));
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    let (why, _) = bot.until_stopped().await;
    assert!(why.contains("missing proper authorization"), "{why}");
    assert_eq!((twitch.sockets_ever(), twitch.asked_for(SUBSCRIBE).len()), (1, 2));
}

#[tokio::test]
async fn one_that_fails_does_not_stop_the_others() {
    for (code, message, told) in [
        (403, "subscription missing proper authorization", "is the account a moderator there?"),
        (400, "invalid condition", "Twitch does not take it"),
        (410, "gone", "update Showrunner"),
        (429, "number of websocket transports limit exceeded", "it is tried again"),
        (503, "down", "it is tried again"),
    ] {
        let twitch = FakeTwitch::start().await;
        twitch.answer_next(SUBSCRIBE, [Answer::status(code, message)]);
        let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
        let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
        let why = bot.until_degraded().await;
        assert!(why.contains(message) && why.contains(told), "{code}: {why}");
        if code == 429 || code == 503 {
            pass(Duration::from_secs(7)).await;
            bot.until_ready().await;
        }
        assert_eq!(twitch.sockets_ever(), 1);
    }
}

#[tokio::test]
async fn what_twitch_does_not_allow_is_asked_for_again_after_a_while() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    twitch.answer_next(SUBSCRIBE, [Answer::status(403, "subscription missing proper authorization")]);
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    bot.until_degraded().await;
    pass(Duration::from_secs(301)).await;
    bot.until_ready().await;
    assert_eq!(twitch.asked_for(SUBSCRIBE).len(), 3);
    assert_eq!(twitch.sockets_ever(), 1);
}

#[tokio::test]
async fn another_account_that_signs_in_gets_a_session_of_its_own() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(60));
    let mut settings = chat_only(&twitch);
    settings.accounts = TwitchAccounts::Bot;
    settings.subscriptions = Some(vec!["channel.chat.message".into()]);
    let tokens = TestTokens::new(&twitch, BOT, BOT_SCOPES);
    let mut bot = TwitchBot::start_with(&settings, &tokens);
    bot.until_ready().await;
    tokens.sign_in_as(&twitch, "other_bot", BOT_SCOPES);
    pass(Duration::from_secs(6)).await;
    assert_eq!(bot.until_lost().await, "another account has signed in");
    bot.statuses.restart("twitch:bot");
    bot.until_ready().await;
    let other = twitch.user("other_bot").id;
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    let enabled = twitch.subscriptions().into_iter().filter(|one| one.status == "enabled");
    assert_eq!(enabled.map(|one| one.user_id).collect::<Vec<_>>(), [other]);
    bot.say("gm").await.unwrap();
    assert!(bot.draft().await.own);
}

#[tokio::test]
async fn one_that_is_there_already_is_good() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_next(SUBSCRIBE, [Answer::status(409, "subscription already exists")]);
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    bot.until_ready().await;
}

#[tokio::test]
async fn a_session_that_twitch_forgot_restarts_the_socket() {
    let twitch = FakeTwitch::start().await;
    let gone = "websocket transport session does not exist or has already disconnected";
    twitch.answer_next(SUBSCRIBE, [Answer::status(400, gone)]);
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    let why = bot.until_lost().await;
    assert!(why.contains("no longer knows the session"), "{why}");
    bot.statuses.restart("twitch:1337");
    bot.until_ready().await;
    twitch.saw(|twitch| twitch.sockets() == 1).await;
    assert_eq!(twitch.sockets_ever(), 2);
}

#[tokio::test]
async fn a_token_that_ended_is_refreshed_once_for_all_of_them() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
    twitch.expire_access_tokens();
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    bot.until_ready().await;
    // What is subscribed survives the token, and what is asked for later uses the new one. One that is refused as soon
    // as it is given would not be refreshed.
    pass(Duration::from_secs(61)).await;
    twitch.expire_access_tokens();
    twitch.room().say("alice", "hi");
    assert_eq!(bot.chat_until("hi").await, ["hi"]);
    assert!(bot.say("gm").await.is_ok());
    assert_eq!(twitch.spent_refreshes(), 0);
}

#[tokio::test]
async fn a_token_that_is_refused_even_when_fresh_needs_a_person() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_always(SUBSCRIBE, Answer::status(401, "Invalid OAuth token"));
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    let (why, what_to_do) = bot.until_stopped().await;
    assert!(why.contains("not even a fresh one"), "{why}");
    assert_eq!(what_to_do, "run `showrunner auth twitch` again");
}

#[tokio::test]
async fn without_a_token_it_waits_or_asks_for_a_person() {
    let twitch = FakeTwitch::start().await;
    let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
    tokens.fail(TokenError::Later("the database is busy".into()));
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    assert!(bot.until_lost().await.contains("the database is busy"));
    tokens.fail(TokenError::SignIn { why: "nobody is signed in".into(), what_to_do: "sign in".into() });
    bot.statuses.restart("twitch:1337");
    assert_eq!(bot.until_stopped().await, ("nobody is signed in".into(), "sign in".into()));
    assert_eq!(twitch.sockets_ever(), 0);
}

#[tokio::test]
async fn a_revocation_of_one_keeps_the_socket_and_says_what_to_do() {
    for (reason, told) in [
        ("authorization_revoked", "run `showrunner auth twitch` again"),
        ("moderator_removed", "no moderator there any more"),
        ("chat_user_banned", "banned from that chat"),
        ("version_removed", "update Showrunner"),
        ("user_removed", "no longer on Twitch"),
        ("reason_of_tomorrow", "reason_of_tomorrow"),
    ] {
        let twitch = FakeTwitch::start().await;
        let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
        bot.until_ready().await;
        assert_eq!(twitch.revoke("channel.follow", reason), 1);
        let why = bot.until_degraded().await;
        assert!(why.starts_with("channel.follow: ") && why.contains(told), "{why}");
        twitch.room().say("alice", "hi");
        assert_eq!(bot.chat_until("hi").await, ["hi"]);
        assert_eq!((twitch.sockets_ever(), twitch.asked_for(SUBSCRIBE).len()), (1, 2), "it is not asked for again");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_revoked_ends_the_connection_with_the_words_of_the_grant() {
    let twitch = FakeTwitch::start().await;
    let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
    let mut bot = TwitchBot::start_with(&twitch.settings(), &tokens);
    bot.until_ready().await;
    twitch.disconnect(STREAMER);
    assert_eq!(bot.until_stopped().await, ("the grant is gone".into(), "sign in again".into()));
    assert_eq!(twitch.asked_for("POST /oauth2/token").len(), 1, "the grant was asked, and once");
    assert_eq!(twitch.sockets_ever(), 1);
}

#[tokio::test]
async fn what_is_revoked_after_a_refresh_is_not_asked_for_again_either() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    bot.until_ready().await;
    // Looked at, as it comes before the line.
    let look = async |bot: &mut TwitchBot| {
        pass(Duration::from_secs(6)).await;
        twitch.room().say("alice", "hi");
        bot.chat_until("hi").await;
    };
    tokens.sign_in_again(&twitch, &all_scopes());
    look(&mut bot).await;
    assert_eq!(twitch.revoke("channel.follow", "chat_user_banned"), 1);
    assert!(bot.until_degraded().await.contains("banned from that chat"));
    twitch.answer_always(SUBSCRIBE, Answer::status(403, "subscription missing proper authorization"));
    for _ in 0..3 {
        look(&mut bot).await;
    }
    assert_eq!(twitch.asked_for(SUBSCRIBE).len(), 2);
    let state = bot.statuses.all().remove(0).state;
    assert!(format!("{state:?}").contains("banned from that chat"), "{state:?}");
}

#[tokio::test]
async fn a_sign_in_that_ends_while_it_is_ready_is_told() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    let tokens = TestTokens::new(&twitch, STREAMER, &all_scopes());
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &tokens);
    bot.until_ready().await;
    tokens.fail(TokenError::SignIn { why: "the sign-in has ended".into(), what_to_do: "sign in again".into() });
    pass(Duration::from_secs(6)).await;
    assert_eq!(bot.until_degraded().await, "the sign-in has ended; sign in again");
    // What is subscribed is heard without it.
    twitch.room().say("alice", "hi");
    assert_eq!(bot.chat_until("hi").await, ["hi"]);
    tokens.sign_in_again(&twitch, &all_scopes());
    pass(Duration::from_secs(6)).await;
    bot.until_ready().await;
    assert_eq!(twitch.sockets_ever(), 1);
}

#[tokio::test]
async fn an_event_before_the_answer_to_its_subscription_is_told() {
    let twitch = FakeTwitch::start().await;
    twitch.room().line("alice", "early").say_early();
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    assert_eq!(bot.chat_until("early").await, ["early"]);
}

#[tokio::test]
async fn a_welcome_and_an_end_again_and_again_is_not_a_connection_that_works() {
    let twitch = FakeTwitch::start().await;
    twitch.set_unused_after(Duration::from_millis(1));
    twitch.answer_always(SUBSCRIBE, Answer::status(429, "number of websocket transports limit exceeded"));
    let mut bot = TwitchBot::start_with(&chat_only(&twitch), &TestTokens::new(&twitch, STREAMER, &all_scopes()));
    for _ in 0..3 {
        let why = bot.until_lost().await;
        assert!(why.contains("(4003)"), "{why}");
        bot.statuses.restart("twitch:1337");
    }
    assert!(!bot.reported.iter().any(|state| state.contains("ready")), "{:#?}", bot.reported);
    twitch.set_unused_after(Duration::from_secs(10));
    twitch.answer_always(SUBSCRIBE, Answer::Properly);
    bot.until_ready().await;
}

#[tokio::test]
async fn what_twitch_shows_of_strangers_is_little_and_who_is_to_sign_in_is_told() {
    let twitch = FakeTwitch::start().await;
    twitch.set_strict_cost(true);
    let mut settings = twitch.settings();
    settings.accounts = TwitchAccounts::Bot;
    let mut bot = TwitchBot::start_with(&settings, &TestTokens::new(&twitch, BOT, BOT_SCOPES));
    let why = bot.until_degraded().await;
    for told in [" more: Twitch lets", "total cost exceeded", "to \"both\"", "run `showrunner auth twitch`"] {
        assert!(why.contains(told), "{told}: {why}");
    }
    let enabled = twitch.subscriptions().into_iter().filter(|one| one.status == "enabled");
    assert_eq!(enabled.count(), 11, "ten, and whispers, which cost nothing");
}

#[tokio::test]
async fn a_connection_too_many_says_so_when_twitch_closes_it() {
    let twitch = FakeTwitch::start().await;
    twitch.set_keepalive(Some(600));
    twitch.set_unused_after(Duration::from_secs(600));
    twitch.answer_always(SUBSCRIBE, Answer::status(429, "number of websocket transports limit exceeded"));
    let mut bot = TwitchBot::start(&twitch);
    twitch.saw(|twitch| twitch.asked_for(SUBSCRIBE).len() == 8).await;
    pass(Duration::from_secs(7)).await;
    twitch.saw(|twitch| twitch.asked_for(SUBSCRIBE).len() == 9).await;
    twitch.close(4003);
    let why = bot.until_lost().await;
    assert!(why.contains("(4003)") && why.contains("number of websocket transports limit exceeded"), "{why}");
    assert_eq!(twitch.asked_for(SUBSCRIBE).len(), 9, "one of them asked for all");
}

#[tokio::test]
async fn a_bot_and_a_broadcaster_are_two_connections_of_one_account() {
    let twitch = FakeTwitch::start().await;
    let mut settings = twitch.settings();
    settings.accounts = TwitchAccounts::Both;
    let bot_tokens = TestTokens::new(&twitch, BOT, BOT_SCOPES);
    let own_tokens = TestTokens::new(&twitch, STREAMER, BROADCASTER_SCOPES);
    let tokens = |role, channel: &str| match role {
        Role::Bot => bot_tokens.clone(),
        Role::Broadcaster => {
            assert_eq!(channel, "1337");
            own_tokens.clone()
        }
    };
    let mut bot = TwitchBot::start_as(&settings, tokens, |_| None);
    let ready = ConnectionState::Ready { degraded: None };
    bot.until(|_, state| *state == ready).await;
    bot.until(|_, state| *state == ready).await;
    let names: Vec<String> = bot.statuses.all().into_iter().map(|status| status.name).collect();
    assert_eq!(names, ["twitch:1337", "twitch:bot"]);
    assert_eq!(bot.sinks.keys().collect::<Vec<_>>(), ["twitch"]);
    let of = |name: &str| twitch.subscriptions().into_iter().find(|one| one.name == name).unwrap().user_id;
    assert_eq!(of("channel.chat.message"), BOT_ID);
    assert_eq!(of("channel.cheer"), "1337");
    twitch.room().say("alice", "hi");
    assert_eq!(bot.chat_until("hi").await, ["hi"]);
    twitch.room().cheer("alice", 100, "Cheer100");
    bot.next(|draft| matches!(draft.event, Event::Support(_)).then_some(())).await;
    // What the bot says comes back to it as its own.
    bot.say("gm").await.unwrap();
    let own = bot.next(|draft| matches!(&draft.event, Event::Chat(chat) if chat.text == "gm").then_some(draft.own));
    assert!(own.await);
    assert_eq!(twitch.sent()[0].sender_id, BOT_ID);
    // Whispers are no channel's; the bot's come on the first of its channels.
    twitch.room().whisper("alice", BOT, "psst");
    let channel = bot.next(|draft| matches!(draft.event, Event::Whisper(_)).then(|| draft.channel.to_string()));
    assert_eq!(channel.await, "twitch:1337");
}

#[tokio::test]
async fn a_bot_that_signed_in_as_the_streamer_leaves_the_streamer_a_voice() {
    for accounts in [TwitchAccounts::Bot, TwitchAccounts::Both] {
        let twitch = FakeTwitch::start().await;
        let mut settings = chat_only(&twitch);
        settings.accounts = accounts;
        let mut bot = TwitchBot::start_with(&settings, &TestTokens::new(&twitch, STREAMER, BOT_SCOPES));
        bot.until_ready().await;
        twitch.room().say(STREAMER, "!x");
        assert!(!bot.draft().await.own);
        bot.say("gm").await.unwrap();
        assert!(bot.draft().await.own);
    }
}
