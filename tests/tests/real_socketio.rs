//! The engine, with the plugins that ship, against a retake.tv on the real Socket.IO server from npm.
//!
//! Every test has an overall deadline. Rates are printed for information; nothing is asserted of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests may assume, and print figures")]

use std::fmt::Display;
use std::time::{Duration, Instant};

use showrunner::config::settings::RetakeGeneration::{self, V1, V2};
use showrunner_tests::answers::{COMMAND, Tally};
use showrunner_tests::real_peers::engine::{Home, RunningEngine};
use showrunner_tests::real_peers::process::{self, DaemonProcess};
use showrunner_tests::real_peers::socketio::{GoingAway, SocketIoPeer, Sockets};
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// For tests that keep a core busy: one after the other, so that their figures mean something.
static BUSY: Mutex<()> = Mutex::const_new(());

const ONE: Sockets = Sockets { room: 1, open: 1, most: 1 };

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_lines_at_once_are_answered_once_each() {
    let _busy = BUSY.lock().await;
    within(Duration::from_secs(120), async {
        for (generation, has_id) in [(V2, true), (V2, false), (V1, true), (V1, false)] {
            burst(generation, has_id).await;
        }
    })
    .await;
}

async fn burst(generation: RetakeGeneration, has_id: bool) {
    const LINES: usize = 2_000;
    let mut peer = SocketIoPeer::start(generation).await;
    let engine = RunningEngine::start(&peer);
    peer.until_joined().await;
    let begun = Instant::now();
    peer.say(LINES, has_id).await;
    peer.until_answered(LINES).await;
    let took = begun.elapsed();
    let sockets = peer.sockets().await;
    let reported = engine.stop().await;
    answered_once_each(&mut peer, LINES, &reported).await;
    assert_eq!(sockets, ONE);
    assert_eq!(reported.heard, LINES, "no line of its own was taken for a viewer's");
    println!(
        "{generation:?}, {}: {LINES} lines at once, {:.0} answered a second; {reported}",
        if has_id { "with ids" } else { "without ids" },
        LINES as f64 / took.as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_during_an_outage_of_two_seconds_is_answered_once() {
    let outage = Duration::from_secs(2);
    within(Duration::from_secs(180), async {
        tokio::join!(outage_of(outage, V2, GoingAway::InGoodOrder), outage_of(outage, V1, GoingAway::Abruptly));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_during_an_outage_of_ten_seconds_is_answered_once() {
    let outage = Duration::from_secs(10);
    within(Duration::from_secs(180), async {
        tokio::join!(outage_of(outage, V2, GoingAway::Abruptly), outage_of(outage, V1, GoingAway::InGoodOrder));
    })
    .await;
}

/// Lines are said all the time: before, while the server is away, while the bot still waits to try again, and after.
/// Only when the server goes no answer is on its way: see the test after this one.
async fn outage_of(outage: Duration, generation: RetakeGeneration, how: GoingAway) {
    // Ten a second: all that is said while the bot is away fits into what it asks of the history.
    let mut pace = interval(Duration::from_millis(100));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut peer = SocketIoPeer::start(generation).await;
    let engine = RunningEngine::start(&peer);
    peer.until_joined().await;
    let mut said = peer.say(200, true).await;
    said = said.max(peer.say(100, false).await);
    peer.until_answered(said).await;
    // A connection that is lost within its first second is no sign of a server that works, and is called more rarely.
    let talking = Instant::now();
    while talking.elapsed() < Duration::from_secs(2) {
        pace.tick().await;
        said = peer.say(1, true).await;
    }
    peer.until_answered(said).await;

    peer.go_away(how).await;
    let gone = Instant::now();
    while gone.elapsed() < outage {
        pace.tick().await;
        said = peer.say(1, true).await;
    }
    let before_return = said;
    peer.come_back().await;
    let returned = Instant::now();
    while peer.sockets().await.room == 0 {
        pace.tick().await;
        said = peer.say(1, true).await;
    }
    let rejoined = returned.elapsed();
    for _ in 0..20 {
        pace.tick().await;
        said = peer.say(1, true).await;
    }
    peer.until_answered(said).await;
    let sockets = peer.sockets().await;
    let reported = engine.stop().await;
    answered_once_each(&mut peer, said, &reported).await;
    assert_eq!(sockets, ONE, "{generation:?}");
    assert!(reported.unsure.is_empty(), "{reported}");
    assert_eq!(reported.heard, said, "each line was heard once; {reported}");
    println!(
        "{generation:?}, away for {outage:?} ({how:?}): {said} lines, {} of them while it was away, answered once each; \
         in the room again {rejoined:.1?} after the return",
        before_return - 300
    );
}

/// A request that was cut may have arrived, and a chat line must never appear twice, so it is not sent again. What is
/// asked here is that nothing is answered twice, and that no answer is lost without the engine saying so.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_midst_of_answers_costs_only_those_that_were_on_their_way() {
    within(Duration::from_secs(180), async {
        for generation in [V2, V1] {
            cut(generation).await;
        }
    })
    .await;
}

async fn cut(generation: RetakeGeneration) {
    let mut peer = SocketIoPeer::start(generation).await;
    let engine = RunningEngine::start(&peer);
    peer.until_joined().await;
    peer.say(500, true).await;
    peer.until_answered(50).await;
    peer.go_away(GoingAway::Abruptly).await;
    peer.come_back().await;
    peer.until_joined().await;
    let said = peer.say(1, true).await;
    peer.until_answered_to(said - 1).await;
    assert_eq!(peer.sockets().await, ONE);
    let reported = engine.stop().await;
    assert_eq!(reported.missed, 0, "the reports are complete");
    assert_eq!(reported.heard, said, "{generation:?}: each line was heard once; {reported}");
    let tally = Tally::of(said, &peer.answers().await);
    assert!(tally.answered_again.is_empty() && tally.strange.is_empty(), "{generation:?}: {tally}");
    for number in &tally.unanswered {
        assert!(reported.unsure.contains_key(&format!("!{COMMAND} {number}")), "{generation:?}: {number} was lost");
    }
    println!(
        "{generation:?}, cut in the midst of {said} lines: none answered twice, {} unanswered; {reported}",
        tally.unanswered.len()
    );
}

/// Growth of the daemon's memory over the later 80,000 lines. What it keeps is bounded and full long before the first
/// measurement; this leaves room for the allocator and for pages of the database that stay in memory.
const GROWTH_KIB: u64 = 8 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_flat_over_a_hundred_thousand_lines() {
    let program = process::program().await;
    let _busy = BUSY.lock().await;
    within(Duration::from_secs(600), async {
        let mut peer = SocketIoPeer::start(V2).await;
        // The first start compiles the plugins, which needs memory that no later start does.
        let first = DaemonProcess::start(&program, Home::new(&peer));
        peer.until_joined().await;
        let home = first.stop().await;
        peer.until_left().await;
        let daemon = DaemonProcess::start(&program, home);
        peer.until_joined().await;
        let idle = daemon.resident_kib();
        let mut measured = Vec::new();
        for lines in [20_000, 20_000, 20_000, 20_000, 20_000] {
            let rate = peer.flood(lines, 256).await;
            let resident = daemon.resident_kib();
            println!("resident {resident} KiB after {lines} more lines, {rate:.0} answered a second");
            measured.push(resident);
        }
        println!("resident {idle} KiB before the first line");
        answered_once_each(&mut peer, 100_000, &"a daemon").await;
        assert_eq!(peer.sockets().await, ONE);
        let (first, last) = (measured[0], measured[measured.len() - 1]);
        assert!(last <= first + GROWTH_KIB, "it grew from {first} to {last} KiB: {measured:?}");
    })
    .await;
}

async fn answered_once_each(peer: &mut SocketIoPeer, said: usize, reported: &impl Display) {
    let tally = Tally::of(said, &peer.answers().await);
    assert!(tally.is_exact(), "{:?}: {tally}; {reported}", peer.generation);
}

async fn within(deadline: Duration, test: impl Future<Output = ()>) {
    if timeout(deadline, test).await.is_err() {
        panic!("not done within {deadline:?}");
    }
}
