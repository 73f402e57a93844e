//! What survives a crash, a restart, a reload, and a host that refuses.

use super::*;

#[test]
fn after_a_crash_a_pending_bomb_is_thanked_for_once() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, event::gift("Gia", 3)), [""; 0]);
    assert_eq!(say(&mut harness, single("Gia", "Ada")), [""; 0]);
    harness.restart().unwrap();
    assert_eq!(wait(&mut harness, SECOND * 20), ["Gia gives 3 subs to Ada and 2 more! 🎁"]);
    harness.restart().unwrap();
    assert_eq!(wait(&mut harness, SECOND * 300), [""; 0], "and not again");
}

#[test]
fn after_the_thanks_a_crash_does_not_bring_them_again() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, event::gift("Gia", 1).recipients(&["Ada", "Bob"])).len(), 1);
    harness.restart().unwrap();
    assert_eq!(say_all(&mut harness, [event::gifted("Ada"), event::gifted("Bob"), single("Gia", "Ada")]), [""; 0]);
}

#[test]
fn what_was_pending_for_too_long_is_not_thanked_for() {
    for (pause, thanks) in [(122, 1), (125, 0)] {
        let mut harness = start(json!({}));
        assert_eq!(say(&mut harness, event::gift("Gia", 3)), [""; 0]);
        assert_eq!(say(&mut harness, event::follow("Ada")), [""; 0]);
        let pending = harness.remembered_keys();
        assert_eq!(pending.len(), 2);
        // The engine was off; what waited for it in kv is all there is.
        let mut setup = setup(json!({})).now_ms(harness.now_ms() + pause * 1_000);
        for key in pending {
            let value: Value = serde_json::from_slice(harness.remembered(key).unwrap()).unwrap();
            setup = setup.remembered(key, &value);
        }
        let mut harness: Harness<TipAlerts> = Harness::start(setup).unwrap();
        assert_eq!(wait(&mut harness, SECOND).len(), 2 * thanks, "after {pause} s");
        assert_eq!(wait(&mut harness, SECOND * 300), [""; 0]);
        assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
    }
}

#[test]
fn a_reload_loses_nothing_not_even_of_a_test() {
    let mut harness = start(json!({}));
    let test = |draft: Draft| draft.origin(Origin::Test);
    for draft in
        [event::follow("Ada"), event::gift("Gia", 3), test(event::follow("Tess")), test(event::gift("Tess", 2))]
    {
        assert_eq!(say(&mut harness, draft), [""; 0]);
    }
    harness.reload().unwrap();
    let mut texts = wait(&mut harness, SECOND * 300);
    texts.sort();
    let gifts = ["Gia gives 3 subs to the community! 🎁", "Tess gives 2 subs to the community! 🎁"];
    assert_eq!(texts, [gifts[0], gifts[1], "Welcome, Ada! 💜", "Welcome, Tess! 💜"]);
}

#[test]
fn a_crash_loses_of_a_test_what_was_pending() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, event::follow("Tess").origin(Origin::Test)), [""; 0]);
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
    harness.restart().unwrap();
    assert_eq!(wait(&mut harness, SECOND * 300), [""; 0]);
}

#[test]
fn tests_and_the_real_thing_are_never_mixed() {
    let mut harness = start(json!({}));
    let draft = |name: &str| single("Gia", name);
    let mut texts = say_all(&mut harness, [draft("Ada"), draft("Bob").origin(Origin::Test), draft("Cem")]);
    texts.sort();
    assert_eq!(texts, ["Gia gives 2 subs to Ada, Cem! 🎁", "Gia gives a sub to Bob! 🎁"]);
}

#[test]
fn without_durable_memory_everybody_is_thanked_from_memory() {
    let mut harness = start(json!({}));
    harness.refuse("kv.use", "limit: over the quota");
    let reaction = harness.push(event::gift("Gia", 2));
    assert!(reaction.logs.iter().any(|(_, line)| line.contains("only in memory")), "{reaction:?}");
    let texts = say_all(&mut harness, [single("Gia", "Ada"), single("Gia", "Bob"), event::follow("Cem")]);
    assert_eq!(texts, ["Gia gives 2 subs to Ada, Bob! 🎁", "Welcome, Cem! 💜"]);
}

#[test]
fn memory_that_comes_back_takes_over() {
    let mut harness = start(json!({}));
    harness.refuse("kv.use", "limit: over the quota");
    let _ = harness.push(event::gift("Gia", 3));
    harness.allow("kv.use");
    let _ = harness.push(single("Gia", "Ada"));
    harness.restart().unwrap();
    assert_eq!(wait(&mut harness, SECOND * 300), ["Gia gives 3 subs to Ada and 2 more! 🎁"]);
}

#[test]
fn without_timers_the_next_event_brings_the_thanks() {
    let mut harness: Harness<TipAlerts> = Harness::start(setup(json!({})).deny("timers.use")).unwrap();
    assert_eq!(say(&mut harness, event::gift("Gia", 3)), [""; 0]);
    harness.advance(SECOND * 10);
    assert_eq!(say(&mut harness, event::follow("Ada")), ["Gia gives 3 subs to the community! 🎁"]);
}

#[test]
fn what_can_not_be_read_is_told_and_in_nobodys_way() {
    let setup = setup(json!({})).remembered("pending/test/studio/1", &json!({"v": 9}));
    let mut harness: Harness<TipAlerts> = Harness::start(setup).unwrap();
    let reactions = harness.advance(SECOND);
    assert!(reactions[0].logs[0].1.contains("pending/test/studio/1 can't be read"), "{reactions:?}");
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, event::gift("Gia", 3)), [""; 0]);
    let key = harness.remembered_keys()[0].to_owned();
    let value: Value = serde_json::from_slice(harness.remembered(&key).unwrap()).unwrap();
    let setup = setup(json!({})).now_ms(harness.now_ms() - 3_600_000).remembered(&key, &value);
    let mut harness: Harness<TipAlerts> = Harness::start(setup).unwrap();
    assert_eq!(wait(&mut harness, SECOND), ["Gia gives 3 subs to the community! 🎁"]);
}
