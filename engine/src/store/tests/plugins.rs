use super::*;
use crate::effect::PluginId;

#[tokio::test]
async fn a_backlog_is_replaced_by_the_next_and_taken_once() {
    let place = Place::new();
    let store = place.open();
    let plugin: PluginId = "greeter".into();
    store.save_backlog(&plugin, &[chat("one", "anna", "1")]).await.unwrap();
    store.save_backlog(&plugin, &[chat("two", "anna", "2"), chat("three", "anna", "3")]).await.unwrap();
    drop(store);

    let store = place.open();
    let events = store.take_backlog(&plugin).await.unwrap();
    assert_eq!(events, [Envelope::clone(&chat("two", "anna", "2")), Envelope::clone(&chat("three", "anna", "3"))]);
    assert_eq!(store.take_backlog(&plugin).await.unwrap(), []);
    assert_eq!(store.take_backlog(&"other".into()).await.unwrap(), []);
}

#[tokio::test]
async fn flags_are_kept_over_a_restart() {
    let place = Place::new();
    let store = place.open();
    let plugin: PluginId = "greeter".into();
    let mut flags = PluginFlags {
        enabled: Some(true),
        quarantined: Some("sha256:00".to_owned()),
        reason: Some("it crashed five times".to_owned()),
    };
    store.set_plugin_flags(&plugin, &flags).await.unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.plugin_flags().await.unwrap(), [(plugin.clone(), flags.clone())].into());
    flags.quarantined = None;
    flags.enabled = None;
    store.set_plugin_flags(&plugin, &flags).await.unwrap();
    assert_eq!(store.plugin_flags().await.unwrap(), [(plugin, flags)].into());
}
