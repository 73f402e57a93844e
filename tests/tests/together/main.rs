//! One daemon on three platforms at once, under load, while each platform in turn is cut off, lets its tokens end,
//! takes back what was agreed to, and goes away: each question is answered once or not at all, where it was asked; each
//! gift is thanked for once; and no secret is in what it writes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may assume"
)]

mod installation;
mod load;
mod streams;

use showrunner_tests::bot::install_tls;
use showrunner_tests::retake::FakeRetake;

use self::installation::{Installation, Who};
use self::load::Load;
use self::streams::{Fault, Joystick, Retake, Stream, Twitch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_platforms_at_once_and_each_of_them_fails_in_turn() {
    let retake = FakeRetake::start(showrunner::config::settings::RetakeGeneration::V2).await;
    play(Retake::Fake(retake)).await;
}

#[cfg(feature = "real-peers")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_with_a_socket_io_server_that_nobody_here_wrote() {
    use showrunner_tests::real_peers::socketio::SocketIoPeer;
    let peer = SocketIoPeer::start(showrunner::config::settings::RetakeGeneration::V2).await;
    play(Retake::Real(Box::new(peer))).await;
}

async fn play(retake: Retake) {
    install_tls();
    let (twitch, joystick) = (Twitch::start().await, Joystick::start().await);
    let installation = Installation::build(&twitch.0, &joystick.0, &retake);
    for who in [Who::Broadcaster, Who::Bot, Who::Streamer] {
        installation.sign_in(who, &twitch.0, &joystick.0).await;
    }
    let daemon = installation.open();
    let mut streams: Vec<Box<dyn Stream>> = vec![Box::new(twitch), Box::new(joystick), Box::new(retake)];
    let mut load = Load::begin(&mut streams).await;

    for (stream, faults) in [
        (0, &[Fault::Reconnect, Fault::Expire, Fault::Cut, Fault::Revoke, Fault::Restart][..]),
        (1, &[Fault::Expire, Fault::Cut, Fault::Reconnect, Fault::Revoke, Fault::Restart]),
        (2, &[Fault::Cut, Fault::Restart]),
    ] {
        for fault in faults {
            load.goes_on_through(&mut streams, stream, *fault, &installation).await;
        }
    }
    let spam = load.end(&mut streams).await;
    let log = daemon.close().await;

    for stream in &mut streams {
        let asked = load.of(stream.name());
        asked.check(stream.name(), &stream.sent().await);
        stream.check(&spam);
    }
    let called_the_same = streams.iter().filter(|stream| stream.names_its_viewers()).map(|stream| stream.name());
    installation.tells_viewers_of_one_name_apart(&load, called_the_same.collect()).await;
    for command in ["showrunner auth twitch --bot", "showrunner auth joystick"] {
        assert!(log.contains(command), "who was signed out was not told to run {command}");
    }
    installation.has_kept_its_secrets(&log);
}
