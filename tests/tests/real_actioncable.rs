//! Our Action Cable, and the Joystick account on it, against the real one of Rails.
//!
//! Every test has an overall deadline. Rates are printed for information; nothing is asserted of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may assume, and print figures"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use showrunner::auth::{Access, TokenError, Tokens};
use showrunner::effect::Action;
use showrunner::event::{Channel, Event};
use showrunner::observation::ConnectionState;
use showrunner::platform::actioncable::{CableError, Options, Session};
use showrunner::platform::joystick;
use showrunner::platform::websocket::Loss;
use showrunner_tests::bot::{Bot, install_tls};
use showrunner_tests::real_peers::actioncable::{ActionCablePeer, CHANNEL, TOKEN};
use tokio::time::timeout;

const GATEWAY: &str = r#"{"channel":"GatewayChannel","event_version":"v2"}"#;
const LINES: usize = 2_000;

async fn within(test: impl Future<Output = ()>) {
    timeout(Duration::from_secs(120), test).await.expect("it hangs");
}

async fn open(peer: &ActionCablePeer, token: &str) -> Result<Session, CableError> {
    let mut url = peer.url();
    url.query_pairs_mut().append_pair("token", token);
    Session::open(&url, Options::default()).await
}

async fn subscribed(peer: &ActionCablePeer) -> Session {
    let mut session = open(peer, TOKEN).await.unwrap();
    session.subscribe(GATEWAY).await.unwrap();
    session
}

async fn end_of(session: &mut Session) -> CableError {
    loop {
        if let Err(error) = session.next().await {
            return error;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_welcomes_confirms_performs_and_pings() {
    within(async {
        let mut peer = ActionCablePeer::start().await;
        let mut session = subscribed(&peer).await;
        let command = json!({"action": "send_message", "text": "hi \"<3\"\n🎉", "channel_id": CHANNEL});
        session.perform(GATEWAY, &command).await.unwrap();
        let heard = session.next().await.unwrap();
        assert_eq!(heard.identifier.as_deref(), Some(GATEWAY), "letter by letter");
        assert_eq!(heard.message["text"], "hi \"<3\"\n🎉");
        assert_eq!(peer.sent().await, ["hi \"<3\"\n🎉"]);
        session.perform(GATEWAY, &json!({"action": "send_message", "channel_id": "elsewhere"})).await.unwrap();
        assert_eq!(session.next().await.unwrap().message, json!({"error": "unknown channel"}));
        // An unknown identifier is another subscription, and nothing comes of it.
        session.perform(r#"{"channel": "GatewayChannel"}"#, &command).await.unwrap();
        // Longer than the silence that ends a connection: only the pings of the server keep it.
        let quiet = timeout(Duration::from_secs(8), session.next()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        assert_eq!(peer.sent().await, [""; 0]);
        peer.until_connections(1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_unauthorized_and_a_rejection_is_one() {
    within(async {
        let mut peer = ActionCablePeer::start().await;
        let unauthorized = CableError::Disconnected { reason: Some("unauthorized".into()), reconnect: false };
        assert_eq!(open(&peer, "wrong").await.err(), Some(unauthorized));
        peer.reject(true).await;
        let mut session = open(&peer, TOKEN).await.unwrap();
        assert_eq!(session.subscribe(GATEWAY).await, Err(CableError::Rejected));
        peer.reject(false).await;
        subscribed(&peer).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_kick_are_ends_to_come_back_from() {
    within(async {
        let mut peer = ActionCablePeer::start().await;
        let mut session = subscribed(&peer).await;
        peer.restart().await;
        let restart = CableError::Disconnected { reason: Some("server_restart".into()), reconnect: true };
        assert_eq!(end_of(&mut session).await, restart);
        let mut session = subscribed(&peer).await;
        peer.kick().await;
        let end = end_of(&mut session).await;
        // Since Rails 7 it says why.
        let may_come_back = matches!(&end, CableError::Lost(Loss::Closed { code: Some(1000), .. }))
            || matches!(&end, CableError::Disconnected { reconnect: true, .. });
        assert!(may_come_back, "{end:?}");
        subscribed(&peer).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_protocol_is_refused() {
    within(async {
        let peer = ActionCablePeer::start().await;
        let mut url = peer.url();
        url.set_scheme("http").unwrap();
        install_tls();
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 404, "what is no upgrade is no page either");
    })
    .await;
}

struct SignedIn;

#[async_trait]
impl Tokens for SignedIn {
    async fn read(&self) -> Result<Access, TokenError> {
        let (user_id, login) = (CHANNEL.to_owned(), "thestreamer".to_owned());
        Ok(Access { token: SecretString::from(TOKEN), user_id, login, scopes: Vec::new(), expires_at_ms: None })
    }

    async fn refresh(&self, _stale: &Access) -> Result<Access, TokenError> {
        Err(TokenError::Later("nobody refreshes here".to_owned()))
    }
}

async fn bot(peer: &mut ActionCablePeer) -> Bot {
    install_tls();
    let account = joystick::account(&peer.settings(), Arc::new(SignedIn), joystick::client().unwrap());
    let mut bot = Bot::run(account);
    bot.until_ready().await;
    peer.until_subscribed(1).await;
    bot
}

/// Hears all lines that were said, each once, and returns how many came before one that was said earlier.
async fn hears_all(bot: &mut Bot) -> usize {
    let (mut ids, mut numbers) = (HashSet::new(), Vec::new());
    while numbers.len() < LINES {
        let draft = bot.draft().await;
        let Event::Chat(chat) = draft.event else { panic!("{draft:?}") };
        assert!(ids.insert(draft.id.unwrap()), "a line came twice: {}", chat.text);
        numbers.push(chat.text.parse::<usize>().unwrap());
    }
    let out_of_place = numbers.windows(2).filter(|pair| pair.first() > pair.last()).count();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..LINES), "each line once");
    out_of_place
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_lines_arrive_once_each_in_whatever_order() {
    within(async {
        let mut peer = ActionCablePeer::start().await;
        let mut bot = bot(&mut peer).await;
        let begun = Instant::now();
        peer.say(LINES).await;
        let out_of_place = hears_all(&mut bot).await;
        let rate = LINES as f64 / begun.elapsed().as_secs_f64();
        println!("{LINES} lines, {rate:.0} a second; {out_of_place} came before an earlier one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_speaks_and_comes_back_after_a_restart_and_a_kick() {
    within(async {
        let mut peer = ActionCablePeer::start().await;
        let mut bot = bot(&mut peer).await;
        let say = Action::Say { text: "gm".to_owned() };
        for round in 1..=3 {
            let receipt = bot.sink.perform(&Channel::new("joystick", CHANNEL), &say).await.unwrap();
            let (chat, own) = bot.chat().await;
            assert!(own && receipt.message_id == Some(chat.id));
            match round {
                1 => peer.restart().await,
                2 => peer.kick().await,
                _ => break,
            }
            bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await;
            bot.until_ready().await;
            peer.until_subscribed(round + 1).await;
        }
        assert_eq!(peer.sent().await, ["gm"; 3]);
    })
    .await;
}
