//! From where on something else is said, and which of several texts.

use proptest::prelude::*;

use super::*;

#[test]
fn the_highest_tier_that_is_reached_counts() {
    let mut harness = start(json!({"kinds": {"tip": {
        "minimum": ["1 USD", "1 EUR"],
        "thanks": ["small"],
        "alert": {"title": "t", "image": "small.webp", "sound": "a.ogg", "duration-ms": 1},
        "tiers": {
            "big": {"thanks": ["big"], "alert": {"sound": "b.ogg"}},
            "huge": {"from": "100 USD", "thanks": ["huge"], "alert": {"image": "huge.webp", "sound": "", "duration-ms": 9}},
            "quiet": {"from": "10.01 EUR", "alert": {"enabled": false}},
            "off": {"from": "20 EUR", "enabled": false, "thanks": ["never"]},
        },
    }}}));
    let mut given = |minor_units, exponent, currency| {
        let reaction = harness.push(event::support("Ada", "tip", minor_units, exponent, currency));
        let alert = alerts(&reaction).first().map(|alert| {
            (
                alert.image.clone().unwrap_or_default(),
                alert.sound.clone().unwrap_or_default(),
                alert.duration_ms.unwrap(),
            )
        });
        (reaction.texts().concat(), alert)
    };
    let small = Some(("small.webp".to_owned(), "a.ogg".to_owned(), 1));
    let big = Some(("small.webp".to_owned(), "b.ogg".to_owned(), 12_000));
    let huge = Some(("huge.webp".to_owned(), String::new(), 9));
    assert_eq!(given(99, 2, "USD"), (String::new(), None));
    assert_eq!(given(1, 0, "USD"), ("small".to_owned(), small.clone()));
    assert_eq!(given(4_999, 2, "usd"), ("small".to_owned(), small.clone()));
    assert_eq!(given(500, 1, "USD"), ("big".to_owned(), big), "50.0 USD, the default tier with another text");
    assert_eq!(given(100, 0, "USD"), ("huge".to_owned(), huge));
    assert_eq!(given(10, 0, "EUR"), ("small".to_owned(), small.clone()));
    assert_eq!(given(1_001, 2, "EUR"), ("small".to_owned(), None));
    assert_eq!(given(25, 0, "EUR"), ("small".to_owned(), None), "a tier that is off");
    assert_eq!(given(1, -6, "JPY"), ("small".to_owned(), small), "a million of what no tier is for");
}

#[test]
fn months_gifts_viewers_and_points_have_tiers_of_their_own() {
    let mut harness = start(json!({
        "kinds": {"redemption": {"thanks": ["cheap"], "tiers": {"dear": {"from": 500, "thanks": ["dear"]}}}},
    }));
    assert_eq!(
        say(&mut harness, event::subscription("Ada", 12)),
        ["12 months of Ada! What would this be without you? 🏆"]
    );
    assert_eq!(say(&mut harness, event::raid("Owl", 100)), ["100 raiders! Thank you Owl, welcome everybody! 🚀🚀🚀"]);
    assert_eq!(
        say(&mut harness, event::support("Ada", "bits", 1_000, 0, "bits")),
        ["1000 bits! Ada, you are amazing! 🤩"]
    );
    assert_eq!(say(&mut harness, event::redemption("Ada", "Hydrate", "")), ["cheap"]);
    assert_eq!(say(&mut harness, redemption("Dance", 500, "unfulfilled")), ["dear"]);
}

#[test]
fn a_tier_can_be_for_one_thing_alone() {
    let mut harness = start(json!({"kinds": {
        "sub": {"tiers": {"gold": {"only": ["3000"], "thanks": ["{tier}, {user}!"]}}},
        "redemption": {"tiers": {
            "water": {"only": ["hydrate"], "thanks": ["Cheers!"]},
            "dear": {"from": 1, "thanks": ["dear"]},
            "dearer": {"from": 50, "only": ["Hydrate", "Dance"], "thanks": ["Cheers indeed!"]},
        }},
        "support": {"tiers": {"stars": {"only": ["stars"], "thanks": ["a star"]}}},
        "tip": {"tiers": {"menu": {"only": ["Wave"], "thanks": ["👋"]}}},
    }}));
    assert_eq!(say(&mut harness, event::subscription("Ada", 1).tier("3000")), ["Tier 3, Ada!"]);
    assert_eq!(say(&mut harness, event::subscription("Ada", 1)), ["Thank you for the sub, Ada! ⭐"]);
    assert_eq!(say(&mut harness, event::redemption("Ada", "Hydrate", "")), ["Cheers indeed!"], "both are for it alone");
    assert_eq!(say(&mut harness, event::redemption("Ada", "Sing", "")), ["dear"]);
    assert_eq!(say(&mut harness, event::support("Ada", "stars", 5, 0, "stars")), ["a star"]);
    assert_eq!(say(&mut harness, item(event::tip("Ada", 9_900, ""), "wave")), ["👋"]);
}

#[test]
fn of_several_texts_one_is_taken_that_can_be_filled_in() {
    let texts = ["{user} in month {months}", "{user}, {streak} in a row", "{user} is here"];
    let mut harness = start(json!({"kinds": {"sub": {"thanks": texts, "pick": "rotate"}}}));
    for said in ["Ada in month 1", "Ada is here", "Ada in month 1"] {
        assert_eq!(say(&mut harness, event::subscription("Ada", 1)), [said], "nothing is known of a streak");
    }
    harness.configure(json!({"kinds": {"sub": {"thanks": ["{user}: {streak}"]}}})).unwrap();
    assert_eq!(say(&mut harness, event::subscription("Ada", 1)), ["Ada: "], "there is no other");
    harness.configure(json!({"kinds": {"sub": {"thanks": ["a", "b", "c"], "pick": "random"}}})).unwrap();
    let mut said: Vec<String> = (0..50).flat_map(|_| say(&mut harness, event::subscription("Ada", 1))).collect();
    said.sort();
    said.dedup();
    assert_eq!(said, ["a", "b", "c"]);
}

proptest! {
    /// Whatever the unit an amount is told in, more never gets less, and nothing is taken for another currency.
    #[test]
    fn tiers_rise_with_the_amount(a in 0..200_000_u32, b in 0..200_000_u32, finer in 0..4_u32, other in "[A-Z]{3}") {
        let mut harness = start(json!({"kinds": {"tip": {"thanks": ["0"], "tiers": {
            "a": {"from": "5 USD", "thanks": ["1"]},
            "big": {"from": "49.99 USD", "thanks": ["2"]},
            "c": {"from": ["1000 USD", "7 XTS"], "thanks": ["3"]},
        }}}}));
        let mut tier = |cents: u32, currency: &str| {
            let exponent = i8::try_from(2 + finer).unwrap();
            let units = cents * 10_u32.pow(finer);
            say(&mut harness, event::support("Ada", "tip", units, exponent, currency)).concat().parse::<u32>().unwrap()
        };
        let expected = |cents: u32| [500, 4_999, 100_000].iter().filter(|from| cents >= **from).count();
        let (first, second) = (tier(a, "USD"), tier(b, "usd"));
        prop_assert_eq!(usize::try_from(first).unwrap(), expected(a));
        prop_assert!((a <= b) == (first <= second) || first == second);
        if other != "USD" && other != "XTS" {
            prop_assert_eq!(tier(a, &other), 0);
        }
    }
}
