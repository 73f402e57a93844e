use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::*;
use crate::config::settings::OnFailure;
use crate::effect::Verdict;

/// With the clock stopped: no reviewer is late because the machine is busy.
async fn bench(plugins: &[&Arc<PluginHandle>]) -> Bench {
    let bench = Bench::new(plugins).await;
    tokio::time::pause();
    bench
}

/// The next question to a stand-in.
async fn asked(plugin: &PluginHandle) -> (Arc<Envelope>, oneshot::Sender<Verdict>) {
    match plugin.given().await {
        Given::Review(envelope, answer) => (envelope, answer),
        Given::Event(envelope, _) => panic!("given {}", envelope.id),
    }
}

async fn answer(plugin: &PluginHandle, verdict: Verdict) {
    asked(plugin).await.1.send(verdict).unwrap();
}

fn suspend() -> Verdict {
    Verdict::Suspend { seconds: Some(60), reason: "spam".into() }
}

fn hold() -> Verdict {
    Verdict::Hold { reason: "is it?".into() }
}

fn reviewer(on_failure: OnFailure) -> Arc<PluginHandle> {
    PluginHandle::reviewer_stand_in("moderation", &["chat"], on_failure)
}

/// The reviewer is a handler too, as every plugin is; this takes what it is given.
async fn passed_on(plugin: &PluginHandle) -> String {
    given(plugin).await.0.id.as_ref().to_owned()
}

#[tokio::test]
async fn handlers_see_a_message_when_all_reviewers_have_passed_it() {
    let (strict, mild) =
        (reviewer(OnFailure::Pass), PluginHandle::reviewer_stand_in("mild", &["chat"], OnFailure::Pass));
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = bench(&[&strict, &handler, &mild]).await;
    bench.accept(chat("a", "hi"));
    answer(&strict, Verdict::Pass).await;
    tokio::task::yield_now().await;
    assert!(has_nothing(&handler));
    answer(&mild, Verdict::Pass).await;
    assert_eq!(passed_on(&handler).await, "a");
}

#[tokio::test]
async fn whoever_ends_waits_until_what_was_heard_is_with_its_handlers() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = bench(&[&reviewer, &handler]).await;
    for id in ["a", "b"] {
        bench.accept(chat(id, "hi"));
    }
    let (first, second) = (asked(&reviewer).await, asked(&reviewer).await);
    let long = Instant::now() + Duration::from_secs(3600);
    let finished = bench.pipeline.finish_reviews(long);
    tokio::pin!(finished);
    first.1.send(Verdict::Pass).unwrap();
    tokio::task::yield_now().await;
    assert!(finished.as_mut().now_or_never().is_none(), "the second one is still in review");
    second.1.send(Verdict::Pass).unwrap();
    finished.await;
    assert_eq!(all_given(&handler), ["a", "b"]);
}

#[tokio::test]
async fn the_order_stays_however_the_answers_come() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat", "support"]);
    let bench = bench(&[&reviewer, &handler]).await;
    for draft in [chat("a", "hi"), chat("b", "hi"), tip("c"), chat("d", "hi")] {
        bench.accept(draft);
    }
    let (first, second, third) = (asked(&reviewer).await, asked(&reviewer).await, asked(&reviewer).await);
    assert!(has_nothing(&handler), "what nobody reviews waits its turn");
    third.1.send(Verdict::Pass).unwrap();
    second.1.send(Verdict::Pass).unwrap();
    tokio::task::yield_now().await;
    assert!(has_nothing(&handler));
    first.1.send(Verdict::Pass).unwrap();
    for id in ["a", "b", "c", "d"] {
        assert_eq!(passed_on(&handler).await, id);
    }
    // Nothing waits any more, so nothing waits behind it.
    tokio::task::yield_now().await;
    bench.accept(tip("e"));
    assert_eq!(all_given(&handler), ["e"]);
}

#[tokio::test]
async fn a_late_reviewer_lets_pass_when_so_set() {
    assert_eq!(kinds_without_answers(OnFailure::Pass).await, ["chat", "chat"]);
}

#[tokio::test]
async fn a_late_reviewer_holds_when_so_set() {
    assert_eq!(kinds_without_answers(OnFailure::Hold).await, ["moderation", "moderation"]);
}

/// What a handler gets of two messages that the reviewer says nothing of.
async fn kinds_without_answers(on_failure: OnFailure) -> Vec<&'static str> {
    let reviewer = reviewer(on_failure);
    let handler = PluginHandle::stand_in("greeter", &["chat", "moderation"]);
    let bench = bench(&[&reviewer, &handler]).await;
    let start = Instant::now();
    bench.accept(chat("a", "hi"));
    bench.accept(chat("b", "hi"));
    let _unanswered = (asked(&reviewer).await, asked(&reviewer).await);
    let kinds = vec![given(&handler).await.0.event.name(), given(&handler).await.0.event.name()];
    // Both were asked at once, so their time ran side by side.
    assert!((50..60).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    kinds
}

#[tokio::test]
async fn a_reviewer_that_is_down_holds_nobody_up() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = bench(&[&reviewer, &handler]).await;
    reviewer.stop_stand_in();
    bench.accept(chat("a", "hi"));
    assert_eq!(passed_on(&handler).await, "a");
}

#[tokio::test]
async fn a_flood_asks_no_more_than_can_be_answered_and_loses_nothing() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = bench(&[&reviewer, &handler]).await;
    for number in 0..8192 {
        bench.accept(chat(&number.to_string(), "hi"));
    }
    assert!(has_nothing(&handler));
    // Nobody has had the time to look, and there is no more room to wait.
    bench.accept(chat("over", "hi"));
    assert_eq!(all_given(&handler), ["over"]);
    let questions: Vec<_> =
        std::iter::from_fn(|| reviewer.try_given()).filter(|given| matches!(given, Given::Review(..))).collect();
    assert_eq!(questions.len(), 4096);
    // Once the time is up, all go on in order; a plugin keeps the last 1024.
    while passed_on(&handler).await != "8191" {}
    bench.accept(chat("after", "hi"));
    answer(&reviewer, Verdict::Pass).await;
    assert_eq!(passed_on(&handler).await, "after");
}

#[tokio::test]
async fn a_flagged_message_passes_and_is_told_of() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat", "moderation"]);
    let bench = bench(&[&reviewer, &handler]).await;
    bench.accept(chat("a", "hi"));
    answer(&reviewer, Verdict::Flag { reason: "caps".into() }).await;
    assert_eq!(passed_on(&handler).await, "a");
    let moderation = given_moderation(&handler).await;
    assert_eq!((moderation.kind.as_str(), moderation.reason.as_deref()), ("flagged", Some("caps")));
    assert!(bench.sink.order().is_empty());
}

#[tokio::test]
async fn a_removed_message_is_taken_away_and_only_told_of() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat", "moderation"]);
    let archive = PluginHandle::stand_in("archive", &["chat-removed"]);
    let mut bench = bench(&[&reviewer, &handler, &archive]).await;
    let mut watch = bench.observer.watch();
    bench.accept(chat("a", "buy followers"));
    answer(&reviewer, suspend()).await;

    let moderation = given_moderation(&handler).await;
    assert_eq!((moderation.kind.as_str(), moderation.seconds), ("suspended", Some(60)));
    assert_eq!(moderation.message_id.as_deref(), Some("message-a"));
    assert_eq!(moderation.target.map(|user| user.id).as_deref(), Some("42"));
    assert_eq!(moderation.text, None);
    assert_eq!(given_moderation(&archive).await.text.as_deref(), Some("buy followers"));

    bench.performed.recv().await.unwrap();
    bench.performed.recv().await.unwrap();
    assert_eq!(bench.sink.order(), ["remove message-a", "suspend 42"]);
    assert!(has_nothing(&handler));
    let entries = bench.journal().await;
    let of = |entry: &Entry| (entry.envelope.id.to_string(), entry.envelope.sequence);
    assert_eq!(entries.iter().map(of).collect::<Vec<_>>(), [("a".to_owned(), 1)]);
    assert_eq!(entries[0].notice.as_deref().map(of), Some(("a/suspended".to_owned(), 2)));
    let lines = bench.store.recent_lines(&channel(), "42", 5).await.unwrap();
    assert!(lines[0].removed);
    let verdict = loop {
        if let Observation::Verdict { verdict, plugin, .. } = &*watch.recv().await.unwrap() {
            break (verdict.clone(), plugin.clone());
        }
    };
    assert_eq!(verdict, ("suspend".into(), "moderation".into()));
}

#[tokio::test]
async fn a_held_message_is_given_out_once_when_somebody_allows_it() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat", "moderation"]);
    let mut bench = bench(&[&reviewer, &handler]).await;
    bench.accept(chat("a", "hm"));
    answer(&reviewer, hold()).await;
    let notice = given(&handler).await.0;
    assert_eq!(bench.performed.recv().await.unwrap().name(), "remove-message");

    let allow = Action::ResolveHeld { message_id: "message-a".into(), allow: true };
    let effects = vec![
        NumberedEffect { number: 0, effect: on_channel(allow.clone()) },
        NumberedEffect { number: 1, effect: on_channel(allow) },
    ];
    bench.pipeline.commit(Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: notice,
        effects,
        kv: vec![],
        again: false,
    });
    assert_eq!(passed_on(&handler).await, "a");
    // The second time it is not ours any more, and the platform is asked.
    assert_eq!(bench.performed.recv().await.unwrap().name(), "resolve-held");
    assert!(has_nothing(&handler));
}

#[tokio::test]
async fn a_held_message_that_is_denied_stays_away() {
    let reviewer = reviewer(OnFailure::Pass);
    let handler = PluginHandle::stand_in("greeter", &["chat", "moderation"]);
    let bench = bench(&[&reviewer, &handler]).await;
    let mut watch = bench.observer.watch();
    bench.accept(chat("a", "hm"));
    answer(&reviewer, hold()).await;
    let notice = given(&handler).await.0;
    let deny = on_channel(Action::ResolveHeld { message_id: "message-a".into(), allow: false });
    let effects = vec![NumberedEffect { number: 0, effect: deny }];
    bench.pipeline.commit(Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: notice,
        effects,
        kv: vec![],
        again: false,
    });
    loop {
        if let Observation::Outcome { effect, result, .. } = &*watch.recv().await.unwrap()
            && effect == "resolve-held"
        {
            assert_eq!(result.status, crate::event::OutcomeStatus::Done);
            break;
        }
    }
    assert!(has_nothing(&handler));
    assert_eq!(bench.sink.order(), ["remove message-a"]);
}
