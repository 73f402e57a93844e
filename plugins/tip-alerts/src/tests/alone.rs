//! What happens on its own: one event, one thank-you.

use super::*;

#[test]
fn every_kind_is_thanked_for_in_chat_and_on_the_overlay() {
    let mut harness = start(json!({"kinds": {"tip": {"thanks": ["Thank you {user} for {amount}! 💜"]}}}));
    for (draft, said, shown_as, title, text) in [
        (event::tip("Ada", 500, "for tea"), "Thank you Ada for 5 USD! 💜", "tip", "Ada tips 5 USD", "for tea"),
        (
            event::tip("Ada", 250, "").anonymous(),
            "Thank you Somebody for 2.50 USD! 💜",
            "tip",
            "Somebody tips 2.50 USD",
            "",
        ),
        (
            event::support("Ada", "bits", 100, 0, "bits"),
            "Thank you Ada for 100 bits! 💎",
            "bits",
            "Ada cheers 100 bits",
            "",
        ),
        (
            event::support("Ada", "coins", 3, -3, "coins"),
            "Thank you Ada for 3000 coins! 🪙",
            "coins",
            "Ada gives 3000 coins",
            "",
        ),
        (
            event::support("Ada", "super-chat", 1_000, 2, "EUR").saying("hi"),
            "Thank you Ada for 10 EUR! 💜",
            "super-chat",
            "Ada: 10 EUR",
            "hi",
        ),
        (
            event::support("Ada", "charity", 5, 0, "USD"),
            "Ada gives 5 USD to a good cause. Thank you! 💚",
            "charity",
            "Ada gives 5 USD",
            "",
        ),
        (
            item(event::support("Ada", "wheel-spin", 5, 0, "tokens"), "Hydrate"),
            "Ada spins the wheel: Hydrate! 🎡",
            "wheel-spin",
            "Ada spins the wheel",
            "Hydrate",
        ),
        (event::support("Ada", "stars", 5, 0, "stars"), "Thank you Ada for 5 stars! 💜", "support", "Ada: 5 stars", ""),
        (event::subscription("Ada", 1), "Thank you for the sub, Ada! ⭐", "sub", "Ada subscribes", ""),
        (
            kind(event::subscription("Ada", 2), "upgrade"),
            "Ada stays with a sub of their own, thank you! ⭐",
            "upgrade",
            "Ada stays",
            "",
        ),
        (kind(event::subscription("Ada", 0), "resub"), "Ada stays, thank you! 💫", "resub", "Ada stays", ""),
        (
            event::raid("NightOwl", 40),
            "NightOwl arrives with 40. Welcome, all of you! 🚀",
            "raid",
            "NightOwl raids",
            "40 viewers",
        ),
    ] {
        let reaction = harness.push(draft);
        let [alert] = alerts(&reaction)[..] else { panic!("{reaction:?}") };
        assert_eq!(reaction.texts(), [said]);
        assert_eq!((alert.kind.as_str(), alert.title.as_str(), alert.text.as_str()), (shown_as, title, text));
    }
}

#[test]
fn rewards_and_trades_are_shown_and_not_spoken_of() {
    let mut harness = start(json!({}));
    let reaction = harness.push(event::redemption("Ada", "Hydrate", "now!"));
    let [alert] = alerts(&reaction)[..] else { panic!("{reaction:?}") };
    assert!(reaction.handled() && reaction.texts().is_empty());
    assert_eq!((alert.title.as_str(), alert.text.as_str(), alert.duration_ms), ("Ada: Hydrate", "now!", Some(5_000)));
    let trade = |bought| item(event::support("", "trade", 1_250, 2, "USD").anonymous(), bought);
    let reaction = harness.push(trade("buy OWL"));
    assert_eq!(
        (alerts(&reaction)[0].title.as_str(), alerts(&reaction)[0].text.as_str()),
        ("Somebody: buy OWL", "12.50 USD")
    );
    assert_eq!(harness.push(trade("sell OWL")).effects, [], "who sells supports nobody");
}

#[test]
fn a_redemption_is_thanked_for_once_however_it_goes_on() {
    let mut harness = start(json!({}));
    let then = |status| redemption("Hydrate", 100, status);
    assert_eq!(alerts(&harness.push(then("unfulfilled"))).len(), 1);
    harness.restart().unwrap();
    assert!(harness.push(then("fulfilled")).passed());
    assert_eq!(harness.remembered("redemptions"), Some(&b"[]"[..]));
    assert!(harness.push(then("canceled")).passed());
    assert_eq!(alerts(&harness.push(then("fulfilled"))).len(), 1, "one that was fulfilled when it was bought");
    for number in 0..300 {
        let _ = harness.push(event::redemption("Ada", &format!("reward {number}"), ""));
    }
    assert!(harness.remembered("redemptions").unwrap().len() < 8_000);
}

#[test]
fn what_is_not_thanked_for_passes() {
    let mut harness = start(json!({"kinds": {"sub": {"enabled": false}, "raid": {"minimum": 10}}}));
    let ended = kind(event::subscription("Ada", 3), "end");
    for draft in [event::subscription("Ada", 1), event::raid("Owl", 9), ended] {
        let reaction = harness.push(draft);
        assert!(reaction.passed() && reaction.effects.is_empty(), "{reaction:?}");
    }
    assert_eq!(harness.push(event::raid("Owl", 10)).texts().len(), 1);
}

#[test]
fn the_words_of_a_tip_are_left_to_others() {
    let reaction = start(json!({})).push(event::tip("Ada", 500, "what song is this?"));
    assert!(reaction.passed(), "the agent queue may answer them");
    assert_eq!(reaction.texts().len(), 1);
}

#[test]
fn names_and_messages_are_data_and_fit_the_screen() {
    let mut harness = start(json!({"kinds": {"tip": {"thanks": ["{user}: {message}"]}}}));
    for (name, message, said) in [
        ("/ban", "{amount}", "ban: {amount}"),
        ("\u{202e}Eve\u{200b}", "a\nb\u{7}c", "Eve: a b c"),
        ("x".repeat(200).as_str(), "", &format!("{}…: ", "x".repeat(39))),
    ] {
        assert_eq!(say(&mut harness, event::tip(name, 100, message)), [said]);
    }
    let reaction = harness.push(event::tip("Ada", 100, &"long ".repeat(1_000)));
    assert_eq!(alerts(&reaction)[0].text.chars().count(), 300);
}

#[test]
fn a_refused_effect_costs_only_itself() {
    let mut harness = start(json!({}));
    harness.deny("chat.say");
    let reaction = harness.push(event::subscription("Ada", 1));
    assert!(reaction.handled() && reaction.texts().is_empty());
    assert_eq!(alerts(&reaction).len(), 1);
    assert!(reaction.logs.iter().any(|(_, line)| line.contains("chat.say was not granted")), "{reaction:?}");
}

#[test]
fn late_events_are_thanked_for_only_when_asked() {
    let late = || event::subscription("Ada", 1).ago(SECOND * 121);
    let replayed = || event::subscription("Ada", 1).origin(Origin::Replay);
    let mut harness = start(json!({}));
    assert_eq!(harness.push(event::subscription("Ada", 1).ago(SECOND * 120)).texts().len(), 1);
    assert_eq!(harness.push(late()).effects, []);
    assert_eq!(harness.push(replayed()).effects, []);
    assert_eq!(say_all(&mut harness, [event::follow("Bob").ago(SECOND * 200)]), [""; 0]);
    harness.configure(json!({"late": {"thank": true}})).unwrap();
    assert_eq!(harness.push(late()).texts().len(), 1);
    assert_eq!(harness.push(replayed()).texts().len(), 1);
    harness.configure(json!({"late": {"thank": false, "after-seconds": 600}})).unwrap();
    assert_eq!(harness.push(late()).texts().len(), 1);
}
