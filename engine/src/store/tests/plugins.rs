use super::*;
use crate::effect::PluginId;

#[tokio::test]
async fn flags_are_kept_over_a_restart() {
    let place = Place::new();
    let store = place.open();
    let plugin: PluginId = "greeter".into();
    let mut flags =
        PluginFlags { quarantined: Some("sha256:00".to_owned()), reason: Some("it crashed five times".to_owned()) };
    store.set_plugin_flags(&plugin, &flags).await.unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.plugin_flags().await.unwrap(), [(plugin.clone(), flags.clone())].into());
    flags.quarantined = None;
    store.set_plugin_flags(&plugin, &flags).await.unwrap();
    assert_eq!(store.plugin_flags().await.unwrap(), [(plugin, flags)].into());
}
