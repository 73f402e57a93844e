//! A service whose answers stall, break off, drip, are large, or are no answers: no line is sent twice, what is not
//! known is called so, and the history is read as soon as it can be.

use std::time::Duration;

use showrunner::config::settings::RetakeGeneration::{V1, V2};
use showrunner::observation::ConnectionState;
use showrunner::platform::ActionError;
use showrunner_tests::bot::{Bot, install_tls};
use showrunner_tests::line::Fault;
use showrunner_tests::retake::{FakeRetake, SendAnswer};

/// How often the history was asked for.
fn history_asked(server: &FakeRetake) -> usize {
    server.asked().iter().filter(|asked| asked.path.ends_with("/chat/") || asked.path.ends_with("/comments")).count()
}

fn sends_asked(server: &FakeRetake) -> usize {
    server.asked().iter().filter(|asked| asked.path.ends_with("/send")).count()
}

/// Lets the test's clock run on by this much, and everything that was due then happen.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_line_uncertain() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let bot = Bot::ready(&server.settings()).await;
        server.answer_sends(SendAnswer::Never);
        let sink = bot.sink.clone();
        let saying = tokio::spawn(async move { Bot::say_by(&*sink, "gm").await });
        server.saw(|server| sends_asked(server) == 1).await;
        tokio::time::pause();
        assert_eq!(saying.await.unwrap(), Err(ActionError::Lost("no answer in time".into())));
        tokio::time::resume();
        assert_eq!(sends_asked(&server), 1, "it is not sent again");
        server.answer_sends(SendAnswer::Properly);
        bot.say("gn").await.unwrap();
        assert_eq!(server.sent(), ["gn"]);
    }
}

#[tokio::test]
async fn a_line_that_stalls_leaves_the_text_uncertain_and_never_sends_it_twice() {
    let server = FakeRetake::start(V2).await;
    let (line, settings) = server.line().await;
    let bot = Bot::ready(&settings).await;
    line.set(Fault::Stalled);
    let taken = line.taken();
    let sink = bot.sink.clone();
    let saying = tokio::spawn(async move { Bot::say_by(&*sink, "gm").await });
    line.has_taken(taken + 1).await;
    tokio::time::pause();
    assert_eq!(saying.await.unwrap(), Err(ActionError::Lost("no answer in time".into())));
    tokio::time::resume();
    line.set(Fault::None);
    bot.say("gn").await.unwrap();
    let sent = server.sent();
    // What stood in the line may arrive late; that is what "uncertain" means.
    assert!(sent.iter().filter(|text| *text == "gm").count() <= 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|text| *text == "gn").count(), 1, "{sent:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_leaves_the_line_uncertain() {
    let server = FakeRetake::start(V2).await;
    let (line, settings) = server.line().await;
    let bot = Bot::ready(&settings).await;
    // In the status, in the headers, in the body.
    for bytes in [5, 30, 150] {
        line.set(Fault::BreaksAfter(bytes));
        let text = format!("cut after {bytes}");
        let error = bot.say(&text).await.unwrap_err();
        assert!(matches!(error, ActionError::Lost(_)), "{bytes}: {error:?}");
        line.set(Fault::None);
        bot.say("gn").await.unwrap();
        assert_eq!(server.sent().iter().filter(|sent| **sent == text).count(), 1, "{bytes}");
    }
}

#[tokio::test]
async fn an_answer_that_drips_has_an_end() {
    install_tls();
    let server = FakeRetake::start(V2).await;
    let (line, settings) = server.line().await;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(3)).build().unwrap();
    let bot = Bot::with_client(&settings, http);
    line.set(Fault::Drips(Duration::from_millis(100)));
    assert_eq!(bot.say("gm").await, Err(ActionError::Lost("no answer in time".into())));
    line.set(Fault::None);
    bot.say("gn").await.unwrap();
    assert_eq!(server.sent(), ["gm", "gn"]);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let server = FakeRetake::start(V2).await;
    let bot = Bot::ready(&server.settings()).await;
    server.answer_sends(SendAnswer::Large(10 << 20));
    let error = bot.say("gm").await.unwrap_err();
    assert_eq!(error, ActionError::Lost("an answer that is not understood: it is too long".into()));
    // Also the explanation of an error has an end.
    server.answer_sends(SendAnswer::DoneBut(500));
    assert!(matches!(bot.say("gn").await, Err(ActionError::Lost(_))));
    assert_eq!(server.sent(), ["gn"]);
}

#[tokio::test]
async fn a_history_that_is_too_long_is_said_and_does_not_stop_the_chat() {
    let server = FakeRetake::start(V2).await;
    server.answer_history(SendAnswer::Large(10 << 20));
    let mut bot = Bot::start(&server.settings());
    let why = bot.until_degraded().await;
    assert!(why.contains("what was missed while it was away can't be read") && why.contains("too long"), "{why}");
    server.room_has(1).await;
    server.say("alice", "gm");
    assert_eq!(bot.chat_until("gm").await, ["gm"]);
}

#[tokio::test]
async fn a_redirect_of_the_history_is_never_followed() {
    for generation in [V1, V2] {
        let server = FakeRetake::start(generation).await;
        let elsewhere = FakeRetake::start(generation).await;
        server.answer_history(SendAnswer::Redirect(elsewhere.settings().rest_base.to_string()));
        let mut bot = Bot::start(&server.settings());
        let why = bot.until_degraded().await;
        assert!(why.contains("it redirects elsewhere, which is never followed"), "{why}");
        assert_eq!(elsewhere.asked().len(), 0);
    }
}

#[tokio::test]
async fn a_history_is_not_asked_again_before_it_wants_to_be() {
    let server = FakeRetake::start(V2).await;
    server.set_ping(Duration::from_secs(200), Duration::from_secs(200), true);
    let mut bot = Bot::ready(&server.settings()).await;
    server.room_has(1).await;
    server.say("alice", "before");
    assert_eq!(bot.chat_until("before").await, ["before"]);
    server.drop_sockets();
    server.room_has(0).await;
    server.say_unheard("bob", "missed");
    server.answer_history(SendAnswer::Status { code: 429, retry_after: Some("60".into()) });
    let asked = history_asked(&server);
    bot.until_ready().await;
    server.room_has(1).await;
    server.saw(|server| history_asked(server) == asked + 1).await;
    server.answer_history(SendAnswer::Properly);
    // The answer has arrived by the time that the chat goes on.
    server.say("alice", "live");
    assert_eq!(bot.chat_until("live").await, ["live"]);

    pass(Duration::from_secs(50)).await;
    server.say("alice", "still waiting");
    assert_eq!(bot.chat_until("still waiting").await, ["still waiting"]);
    assert_eq!(history_asked(&server), asked + 1);
    pass(Duration::from_secs(15)).await;
    assert_eq!(bot.chat_until("missed").await, ["missed"]);
    assert_eq!(history_asked(&server), asked + 2);
}

#[tokio::test]
async fn a_history_that_fails_for_long_is_said_and_read_all_the_same_in_the_end() {
    let server = FakeRetake::start(V2).await;
    server.set_ping(Duration::from_secs(300), Duration::from_secs(300), true);
    let mut bot = Bot::ready(&server.settings()).await;
    server.room_has(1).await;
    server.say("alice", "before");
    assert_eq!(bot.chat_until("before").await, ["before"]);
    server.drop_sockets();
    server.room_has(0).await;
    server.say_unheard("bob", "missed");
    server.refuse_history(Some(503));
    let asked = history_asked(&server);
    bot.until_ready().await;
    for failures in 1..=6 {
        server.saw(|server| history_asked(server) == asked + failures).await;
        if failures < 6 {
            // The answer has arrived by the time that the chat goes on, and no wait is longer than this.
            server.say("alice", "live");
            assert_eq!(bot.chat_until("live").await, ["live"]);
            pass(Duration::from_secs(31)).await;
        }
    }
    let why = bot.until_degraded().await;
    assert!(why.contains("what was missed while it was away can't be read yet") && why.contains("503"), "{why}");
    server.refuse_history(None);
    pass(Duration::from_secs(31)).await;
    assert_eq!(bot.chat_until("missed").await, ["missed"]);
    bot.until(|state| *state == ConnectionState::Ready { degraded: None }).await;
    assert_eq!(bot.statuses.all()[0].reconnects, 1);
}
