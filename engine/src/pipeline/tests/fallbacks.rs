use super::*;

#[tokio::test]
async fn a_fallback_gets_what_every_handler_passed_on() {
    let (first, second) = (PluginHandle::stand_in("first", &["chat"]), PluginHandle::stand_in("second", &["chat"]));
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["chat"]);
    let bench = Bench::new(&[&first, &fallback, &second]).await;
    bench.accept(chat("a", "hi"));
    drop(given(&first).await);
    assert!(has_nothing(&fallback));
    drop(given(&second).await);
    assert_eq!(all_given(&fallback), ["a"]);
}

#[tokio::test]
async fn a_fallback_does_not_get_what_somebody_handled() {
    let handler = PluginHandle::stand_in("first", &["chat"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["chat"]);
    let bench = Bench::new(&[&handler, &fallback]).await;
    bench.accept(chat("a", "hi"));
    given(&handler).await.1.unwrap().handled();
    assert!(has_nothing(&fallback));
}

#[tokio::test]
async fn a_fallback_gets_at_once_what_no_handler_wants() {
    let handler = PluginHandle::stand_in("first", &["support"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["chat"]);
    let bench = Bench::new(&[&handler, &fallback]).await;
    bench.accept(chat("a", "hi"));
    assert_eq!(all_given(&fallback), ["a"]);
}

#[tokio::test]
async fn a_fallback_does_not_wait_for_ever() {
    let handler = PluginHandle::stand_in("first", &["chat"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["chat"]);
    let bench = Bench::new(&[&handler, &fallback]).await;
    tokio::time::pause();
    let start = Instant::now();
    bench.accept(chat("a", "hi"));
    bench.accept(chat("b", "hi"));
    let (slow, handled) = (given(&handler).await, given(&handler).await);
    handled.1.unwrap().handled();
    let (envelope, _) = given(&fallback).await;
    assert_eq!(&*envelope.id, "a");
    assert!((1000..1200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    // It has it already.
    drop(slow);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(has_nothing(&fallback));
}
