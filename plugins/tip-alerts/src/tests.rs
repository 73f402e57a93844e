use std::time::Duration;

use serde_json::{Value, json};
use showrunner_sdk::Event;
use showrunner_sdk::alerts::Alert;
use showrunner_sdk::event::Origin;
use showrunner_sdk::testing::{Draft, Effect, Harness, Reaction, Setup, event};

use super::TipAlerts;

mod alone;
mod bombs;
mod follows;
mod goals;
mod lasting;
mod tiers;

const SECOND: Duration = Duration::from_secs(1);

fn setup(settings: Value) -> Setup {
    Setup::new().manifest(include_str!("../plugin.toml")).settings(settings)
}

fn start(settings: Value) -> Harness<TipAlerts> {
    Harness::start(setup(settings)).unwrap()
}

fn alerts(reaction: &Reaction) -> Vec<&Alert> {
    let effects = reaction.effects.iter();
    effects.filter_map(|effect| if let Effect::Alert(alert) = effect { Some(alert) } else { None }).collect()
}

/// What chat reads after an event; it must not fail.
fn say(harness: &mut Harness<TipAlerts>, draft: Draft) -> Vec<String> {
    let reaction = harness.push(draft);
    assert_eq!(reaction.error(), None);
    reaction.texts().into_iter().map(str::to_owned).collect()
}

/// What chat reads while time passes.
fn wait(harness: &mut Harness<TipAlerts>, time: Duration) -> Vec<String> {
    let reactions = harness.advance(time);
    assert!(reactions.iter().all(|reaction| reaction.error().is_none()), "{reactions:?}");
    reactions.iter().flat_map(Reaction::texts).map(str::to_owned).collect()
}

/// What chat reads after these events and until nothing is left to be said.
fn say_all(harness: &mut Harness<TipAlerts>, drafts: impl IntoIterator<Item = Draft>) -> Vec<String> {
    let mut texts: Vec<String> = drafts.into_iter().flat_map(|draft| say(harness, draft)).collect();
    texts.extend(wait(harness, SECOND * 300));
    texts
}

/// A subscription of another kind.
fn kind(draft: Draft, kind: &str) -> Draft {
    draft.changed(|event| {
        let Event::Subscription(subscription) = event else { panic!("{event:?}") };
        kind.clone_into(&mut subscription.kind);
    })
}

/// Support that bought something.
fn item(draft: Draft, item: &str) -> Draft {
    draft.changed(|event| {
        let Event::Support(support) = event else { panic!("{event:?}") };
        support.item = Some(item.to_owned());
    })
}

/// A redemption of another status and cost.
fn redemption(reward: &str, cost: u32, status: &str) -> Draft {
    event::redemption("Ada", reward, "").changed(|event| {
        let Event::Redemption(redemption) = event else { panic!("{event:?}") };
        redemption.cost = cost;
        status.clone_into(&mut redemption.status);
    })
}

fn single(giver: &str, recipient: &str) -> Draft {
    event::gift(giver, 1).recipients(&[recipient])
}

#[test]
fn mistakes_in_the_settings_name_their_place() {
    for (settings, told) in [
        (json!({"name": 3}), "settings: unknown field `name`"),
        (json!({"names": 0}), "names: 0 is not 1 to 50"),
        (json!({"words": {"more": "{names} + {n}"}}), "words.more: {n} is no placeholder"),
        (json!({"kinds": {"tipp": {}}}), "settings: unknown variant `tipp`, expected one of `tip`, `bits`"),
        (json!({"kinds": {"tip": {"thank": []}}}), "kind `tip`: unknown field `thank`"),
        (json!({"kinds": {"tip": {"thanks": ["{months}"]}}}), "kind `tip`: thanks: {months} is no placeholder"),
        (json!({"kinds": {"tip": {"alert": {"title": "{x}"}}}}), "kind `tip`: alert.title: {x} is no placeholder"),
        (json!({"kinds": {"tip": {"minimum": 5}}}), "kind `tip`: minimum: `5` has no currency"),
        (
            json!({"kinds": {"raid": {"tiers": {"big": {"from": "5 USD"}}}}}),
            "kind `raid`: tier `big`: from: `5 USD` has",
        ),
        (json!({"kinds": {"tip": {"tiers": {"x": {}}}}}), "kind `tip`: tier `x`: it is for nothing"),
        (json!({"kinds": {"tip": {"tiers": {"x": {"form": 1}}}}}), "kind `tip`: tier `x`: unknown field `form`"),
        (json!({"gift-bombs": {"quiet-seconds": 40}}), "gift-bombs.quiet-seconds: 40 is more than longest-seconds, 30"),
        (json!({"follow-bursts": {"longest-seconds": 999}}), "follow-bursts.longest-seconds: 999 is not 0 to 600"),
        (json!({"late": {"after-seconds": 0}}), "late.after-seconds: 0 is less than 10"),
        (json!({"goals": {"x": {"title": "X", "counts": []}}}), "goal `x`: it counts nothing"),
        (json!({"goals": {"x": {"title": "X", "counts": ["goal"]}}}), "goal `x`: counts: a goal can't count goals"),
        (json!({"goals": {"x": {"title": "X", "counts": ["tips"]}}}), "goal `x`: unknown variant `tips`"),
        (json!({"goals": {"tips": {"target": "much"}}}), "goal `tips`: target: `much` is no amount"),
        (json!({"goals": {"2 x": {"title": "X", "counts": ["tip"]}}}), "goal `2 x`: its name is one word"),
        (json!({"goal-command": {"show": ["boss"]}}), "goal-command.show: `boss` is no role"),
    ] {
        let error = Harness::<TipAlerts>::start(setup(settings)).err().unwrap();
        assert!(error.starts_with(told), "{error}");
    }
}
