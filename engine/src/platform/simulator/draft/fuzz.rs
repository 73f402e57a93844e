//! What a person asks to be simulated, as it comes through the control socket.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

#[test]
fn simulations() {
    fuzz_text!(64, |text| {
        let Ok(simulated) = serde_json::from_str::<Simulated>(text) else { return };
        let draft = match draft(&simulated, "here") {
            Ok(draft) => draft,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        assert_eq!(draft.origin, Origin::Test);
        assert_eq!(&*draft.channel.id, simulated.channel.as_deref().unwrap_or("here"));
        if let Some(who) = draft.event.actor() {
            // No simulated viewer has the identity of a real one.
            assert!(who.id.strip_prefix("simulated:").is_some_and(|login| login == who.login), "{who:?}");
        }
        match &draft.event {
            Event::Support(support) => assert_one_short_line(&support.amount.to_string()),
            Event::Raw(raw) => assert!(serde_json::from_str::<serde_json::Value>(&raw.json).is_ok()),
            _ => {}
        }
    });
}
