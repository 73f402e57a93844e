//! Plugins that were compiled against every released contract, in three languages, at work in today's engine.

use showrunner_tests::daemon::{Stage, said};
use showrunner_tests::fixtures::V0_1_0;

#[tokio::test]
async fn plugins_of_contract_0_1_0_answer_in_every_language() {
    let mut stage = Stage::default();
    for plugin in V0_1_0 {
        stage.add(&plugin);
    }
    let mut daemon = stage.start().await;
    let event = daemon.chat("!hello").await;
    for plugin in V0_1_0 {
        assert_eq!(said(&daemon.decision(&event, plugin.id).await), ["Hello viewer!"], "{}", plugin.id);
        let status = daemon.status(plugin.id).await;
        assert_eq!((status.state.as_str(), status.wit.as_str()), ("running", "0.1.0"), "{}", plugin.id);
    }
    let ignored = daemon.chat("good day").await;
    for plugin in V0_1_0 {
        assert!(daemon.decision(&ignored, plugin.id).await.effects.is_empty(), "{}", plugin.id);
    }
    daemon.stop().await;
}
