use super::*;
use crate::event::Command;

#[tokio::test]
async fn events_are_numbered_within_their_channel() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    let elsewhere = Draft { channel: Channel::new("simulator", "other"), ..chat("c", "hi") };
    let numbers: Vec<_> = [chat("a", "hi"), elsewhere, chat("b", "hi")]
        .into_iter()
        .map(|draft| match bench.pipeline.accept(draft) {
            Accepted::Queued { id, sequence } => (id.as_ref().to_owned(), sequence),
            Accepted::Repeat => panic!("a repeat"),
        })
        .collect();
    assert_eq!(numbers, [("a".into(), 1), ("c".into(), 1), ("b".into(), 2)]);
    assert_eq!(all_given(&plugin), ["a", "c", "b"]);
}

#[tokio::test]
async fn a_repeat_goes_no_further() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    bench.accept(chat("a", "hi"));
    assert_eq!(bench.pipeline.accept(chat("a", "hi")), Accepted::Repeat);
    assert_eq!(all_given(&plugin), ["a"]);
    assert_eq!(bench.store.recent_event_ids(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn numbers_and_repeats_are_known_after_a_restart() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    bench.accept(chat("a", "hi"));
    bench.accept(chat("b", "hi"));
    let folder = bench.close().await;
    all_given(&plugin);

    let bench = Bench::reopen(folder, &[&plugin]).await;
    assert_eq!(bench.pipeline.accept(chat("a", "hi")), Accepted::Repeat);
    assert_eq!(bench.pipeline.accept(chat("b", "hi")), Accepted::Repeat);
    assert_eq!(bench.pipeline.accept(chat("c", "hi")), Accepted::Queued { id: "c".into(), sequence: 3 });
    assert_eq!(all_given(&plugin), ["c"]);
}

#[tokio::test]
async fn what_has_no_id_gets_one_and_is_never_a_repeat() {
    let plugin = PluginHandle::stand_in("greeter", &["support"]);
    let bench = Bench::new(&[&plugin]).await;
    let first = bench.accept(Draft { id: None, ..tip("") });
    let second = bench.accept(Draft { id: None, ..tip("") });
    assert_ne!(first, second);
    assert_eq!(all_given(&plugin), [first.as_ref(), second.as_ref()]);
}

#[tokio::test]
async fn our_own_lines_are_kept_and_shown_and_not_given_to_plugins() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    let mut watch = bench.observer.watch();
    bench.accept(Draft { own: true, ..chat("a", "!ping") });
    assert!(has_nothing(&plugin));
    assert!(matches!(&*watch.recv().await.unwrap(), Observation::Event { own: true, .. }));
    assert!(bench.journal().await[0].own);
}

#[tokio::test]
async fn commands_are_read_unless_they_are_mirrored() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    bench.accept(chat("a", "!So Alice"));
    let mut mirrored = chat("b", "!so alice");
    if let Event::Chat(message) = &mut mirrored.event {
        message.mirrored_from = Some("elsewhere".into());
    }
    bench.accept(mirrored);
    let mut commands = Vec::new();
    for _ in 0..2 {
        match &given(&plugin).await.0.event {
            Event::Chat(message) => commands.push(message.command.clone()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(commands, [Some(Command { name: "so".into(), args: "Alice".into() }), None]);
}
