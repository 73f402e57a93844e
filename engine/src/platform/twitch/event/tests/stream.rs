//! The state of the stream, and what viewers take part in.

use super::*;
use crate::event::{Ballot, Broadcast, Goal, Redemption};

fn broadcasts(name: &str) -> Vec<Broadcast> {
    let broadcast = |event| match event {
        Event::Broadcast(broadcast) => Some(broadcast),
        _ => None,
    };
    events(name).into_iter().filter_map(broadcast).collect()
}

fn ballots(name: &str) -> Vec<Ballot> {
    let ballot = |event| match event {
        Event::Ballot(ballot) => ballot,
        other => panic!("{other:?}"),
    };
    events(name).into_iter().map(ballot).collect()
}

fn ids(name: &str) -> Vec<String> {
    told(name).iter().map(|draft| id_of(draft).to_owned()).collect()
}

#[test]
fn a_stream_begins_and_ends() {
    let kinds: Vec<String> = broadcasts("stream").into_iter().map(|broadcast| broadcast.kind).collect();
    assert_eq!(kinds, ["online", "offline"]);
    assert_eq!(ids("stream"), ["twitch:online:s1", "twitch:n2"]);
    assert_eq!(extra_of(&told("stream")[0])["type"], "live");
}

#[test]
fn title_and_category_are_told_when_they_change() {
    let told = told("channel-update");
    let kinds: Vec<&str> = told
        .iter()
        .map(|draft| match &draft.event {
            Event::Broadcast(broadcast) => broadcast.kind.as_str(),
            Event::Raw(raw) => raw.kind.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["title", "category", "title", "channel.update"], "the last one changed the language");
    assert_eq!((id_of(&told[0]), id_of(&told[1])), ("twitch:n1:title", "twitch:n1:category"));
    let changed = &broadcasts("channel-update")[2];
    assert_eq!((changed.title.as_deref(), changed.category.as_deref()), (Some("Better"), Some("Grand")));
    assert_eq!(extra_of(&told[0])["language"], "en");
}

#[test]
fn shoutouts_advertising_and_shared_chats() {
    let shoutouts = broadcasts("shoutouts");
    let shown = |broadcast: &Broadcast| (broadcast.kind.clone(), broadcast.who.clone().unwrap().id, broadcast.count);
    assert_eq!(shown(&shoutouts[0]), ("shoutout-sent".to_owned(), "51".to_owned(), Some(860)));
    assert_eq!(shown(&shoutouts[1]), ("shoutout-received".to_owned(), "50".to_owned(), Some(3)));
    let advertising = &broadcasts("ad-break")[0];
    assert_eq!((advertising.kind.as_str(), advertising.seconds), ("ad-break", Some(60)));
    assert!(advertising.who.as_ref().is_some_and(|who| who.roles.broadcaster));

    let shared = broadcasts("shared-chat");
    assert!(shared.iter().all(|broadcast| broadcast.kind == "shared-chat"));
    assert_eq!(shared.iter().map(|broadcast| broadcast.count).collect::<Vec<_>>(), [Some(2), Some(2), None]);
    let phases: Vec<Value> = told("shared-chat").iter().map(|draft| extra_of(draft)["phase"].clone()).collect();
    assert_eq!(phases, ["begin", "update", "end"]);
    assert_eq!(broadcasts("chat-settings")[0].kind, "chat-settings");
    assert_eq!(extra_of(&told("chat-settings")[0])["slow_mode_wait_time_seconds"], 10);
}

#[test]
fn rewards() {
    let redemptions = told("redemption");
    assert_eq!(ids("redemption"), ["twitch:redemption:r-17:unfulfilled", "twitch:redemption:r-17:fulfilled"]);
    let redemption = Redemption {
        id: "r-17".to_owned(),
        reward_id: "rw1".to_owned(),
        title: "Hydrate".to_owned(),
        cost: 100,
        who: person("1234", "Cool"),
        input: Some("pogchamp".to_owned()),
        status: "unfulfilled".to_owned(),
    };
    assert_eq!(redemptions[0].event, Event::Redemption(redemption));
    assert_eq!((redemptions[0].at_ms, redemptions[1].at_ms), (1_767_607_872_171, NOW_MS));

    let automatic: Vec<Event> = events("automatic-redemption");
    let Event::Redemption(first) = &automatic[0] else { panic!("{automatic:?}") };
    assert_eq!(
        (first.reward_id.as_str(), first.title.as_str()),
        ("send_highlighted_message", "send highlighted message")
    );
    assert_eq!((first.cost, first.input.as_deref()), (100, Some("Hello VoHiYo")));
    let Event::Redemption(second) = &automatic[1] else { panic!("{automatic:?}") };
    assert_eq!((second.cost, second.input.as_deref(), second.status.as_str()), (200, None, "fulfilled"));
}

#[test]
fn polls() {
    let polls = ballots("poll");
    assert_eq!(polls.iter().map(|poll| poll.phase.as_str()).collect::<Vec<_>>(), ["begin", "progress", "end"]);
    assert_eq!(ids("poll"), ["twitch:poll:p1:begin", "twitch:n2", "twitch:poll:p1:end"]);
    assert_eq!(polls[0].ends_at_ms, Some(1_767_608_172_000));
    assert_eq!((polls[1].options[1].votes, polls[1].options[0].points), (140, 70));
    assert_eq!((polls[1].winner.as_deref(), polls[2].winner.as_deref()), (None, Some("c2")));
    assert_eq!(extra_of(&told("poll")[2])["status"], "completed");

    let (topic, mut tie) = sample("poll").remove(2);
    tie["choices"][0]["votes"] = json!(140);
    let drafts = Stage::new().hear(&topic, &tie);
    assert!(matches!(&drafts[0].event, Event::Ballot(poll) if poll.winner.is_none()), "nobody has won");
}

#[test]
fn predictions() {
    let predictions = ballots("prediction");
    let phases: Vec<&str> = predictions.iter().map(|prediction| prediction.phase.as_str()).collect();
    assert_eq!(phases, ["begin", "progress", "lock", "end"]);
    assert_eq!(predictions[0].ends_at_ms, Some(1_767_608_172_000));
    assert_eq!((predictions[3].options[0].votes, predictions[3].options[0].points), (10, 15000));
    assert_eq!(predictions[3].winner.as_deref(), Some("o1"));
    let end = extra_of(&told("prediction")[3]);
    assert_eq!(end["outcomes"][0]["top_predictors"][0]["channel_points_used"], 500);
}

#[test]
fn hype_trains() {
    let trains: Vec<Goal> = events("hype-train")
        .into_iter()
        .map(|event| match event {
            Event::Goal(goal) => goal,
            other => panic!("{other:?}"),
        })
        .collect();
    let figures = |goal: &Goal| (goal.level, goal.current, goal.target, goal.ends_at_ms);
    assert_eq!(figures(&trains[0]), (2, 37, 500, Some(1_767_608_172_000)));
    assert_eq!(figures(&trains[2]), (2, 137, 0, None));
    assert_eq!((trains[0].kind.as_str(), trains[0].title.as_str()), ("hype-train", "regular"));
    assert_eq!(ids("hype-train"), ["twitch:hype-train:ht1:begin", "twitch:n2", "twitch:hype-train:ht1:end"]);
    assert_eq!(extra_of(&told("hype-train")[0])["all_time_high_level"], 4);
}
