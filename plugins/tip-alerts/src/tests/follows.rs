//! Follows: a burst is one thank-you.

use super::*;

#[test]
fn a_follow_is_thanked_for_when_no_more_come() {
    let mut harness = start(json!({}));
    assert!(harness.push(event::follow("Ada")).effects.is_empty());
    assert_eq!(wait(&mut harness, SECOND * 3), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND), ["Welcome, Ada! 💜"]);
    assert_eq!(wait(&mut harness, SECOND * 100), [""; 0]);
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn a_burst_is_one_thank_you_with_the_names() {
    let mut harness = start(json!({"names": 2}));
    let reactions: Vec<Reaction> = ["Ada", "Bob", "Ada", "Cem", "Dia"]
        .map(|name| {
            harness.advance(SECOND);
            harness.push(event::follow(name))
        })
        .into();
    assert!(reactions.iter().all(|reaction| reaction.handled() && reaction.effects.is_empty()));
    let reactions = harness.advance(SECOND * 10);
    let thanks: Vec<&Reaction> = reactions.iter().filter(|reaction| !reaction.effects.is_empty()).collect();
    let [thanks] = thanks[..] else { panic!("{reactions:?}") };
    assert_eq!(thanks.texts(), ["Welcome, Ada, Bob and 2 more! 💜"]);
    assert_eq!(alerts(thanks)[0].title, "New: Ada, Bob and 2 more");
}

#[test]
fn a_burst_that_does_not_end_is_thanked_for_in_between() {
    let mut harness = start(json!({}));
    let mut texts = Vec::new();
    for number in 0..70 {
        texts.extend(say(&mut harness, event::follow(&format!("viewer{number}"))));
        texts.extend(wait(&mut harness, SECOND));
    }
    texts.extend(wait(&mut harness, SECOND * 60));
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].ends_with("viewer11 and 18 more! 💜"), "30 within 30 seconds: {texts:?}");
}

#[test]
fn the_window_is_configurable() {
    let mut harness = start(json!({"follow-bursts": {"quiet-seconds": 10, "longest-seconds": 12}}));
    assert_eq!(say(&mut harness, event::follow("Ada")), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND * 9), [""; 0]);
    assert_eq!(say(&mut harness, event::follow("Bob")), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND * 3), ["Welcome, Ada, Bob! 💜"]);
    harness.configure(json!({"follow-bursts": {"quiet-seconds": 0}})).unwrap();
    assert_eq!(say(&mut harness, event::follow("Cem")), ["Welcome, Cem! 💜"], "each on its own");
}

#[test]
fn bursts_of_two_platforms_and_channels_are_apart() {
    let mut harness = start(json!({}));
    let follows = [
        event::follow("Ada").at("twitch", "1"),
        event::follow("Ada").at("joystick", "1"),
        event::follow("Bob").at("twitch", "2"),
        event::follow("Cem").at("twitch", "1"),
    ];
    for follow in follows {
        assert!(harness.push(follow).effects.is_empty());
    }
    let reactions = harness.advance(SECOND * 10);
    let said: Vec<(&str, &str, &str)> = reactions
        .iter()
        .flat_map(|reaction| &reaction.effects)
        .filter_map(|effect| match effect {
            Effect::Say { platform, channel, text } => Some((platform.as_str(), channel.as_str(), text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(said.len(), 3);
    assert!(said.contains(&("twitch", "1", "Welcome, Ada, Cem! 💜")), "{said:?}");
    assert!(said.contains(&("joystick", "1", "Welcome, Ada! 💜")), "{said:?}");
    assert!(said.contains(&("twitch", "2", "Welcome, Bob! 💜")), "{said:?}");
}

#[test]
fn follows_that_nobody_thanks_for_are_not_collected() {
    let mut harness = start(json!({"kinds": {"follow": {"enabled": false}}, "goals": {"follows": {"target": "10"}}}));
    assert!(harness.push(event::follow("Ada")).passed());
    assert_eq!(harness.remembered_keys(), ["goal/follows"], "they count all the same");
}

#[test]
fn a_flood_of_follows_stays_small_and_is_one_line() {
    let mut harness = start(json!({}));
    let texts = say_all(&mut harness, (0..800).map(|number| event::follow(&format!("one-of-many-raiders-{number}"))));
    assert_eq!(texts.len(), 1);
    assert!(texts[0].ends_with(" more! 💜") && texts[0].chars().count() < 400, "{texts:?}");
}
