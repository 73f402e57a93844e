use std::time::Duration;

use serde_json::{Value, json};
use showrunner_sdk::agent::Task;
use showrunner_sdk::event::{Event, Roles};
use showrunner_sdk::testing::{Effect, Harness, Reaction, Setup, event};

use super::AgentQueue;

fn setup(settings: Value) -> Setup {
    Setup::new().manifest(include_str!("../plugin.toml")).settings(settings)
}

fn start(settings: Value) -> Harness<AgentQueue> {
    Harness::start(setup(settings)).unwrap()
}

fn tasks(reaction: &Reaction) -> Vec<&Task> {
    let effects = reaction.effects.iter();
    effects.filter_map(|effect| if let Effect::Enqueue { task, .. } = effect { Some(task) } else { None }).collect()
}

/// Whether a line of chat becomes a task.
fn takes(harness: &mut Harness<AgentQueue>, text: &str) -> bool {
    let reaction = harness.push(event::chat("Ada", text));
    harness.advance(Duration::from_secs(60));
    assert_eq!(reaction.handled(), !tasks(&reaction).is_empty());
    reaction.handled()
}

#[test]
fn a_question_is_acknowledged_and_queued_as_data() {
    let mut harness = start(json!({}));
    let reaction = harness.push(
        event::chat("Ada", " What's the \"plan\"? {user} ").at("retake", "room").message_id("m1").roles(Roles::VIP),
    );
    assert!(reaction.handled());
    assert_eq!(reaction.texts(), ["On it Ada! 💭"]);
    let task = tasks(&reaction)[0];
    assert_eq!((task.queue.as_str(), task.prompt.as_str(), task.priority), ("main", "What's the \"plan\"? {user}", 5));
    let context: Value = serde_json::from_str(task.context_json.as_deref().unwrap()).unwrap();
    assert_eq!(
        context,
        json!({
            "platform": "retake",
            "channel": "room",
            "message_id": "m1",
            "author": "Ada",
            "author_id": "id-ada",
            "text": "What's the \"plan\"? {user}",
            "roles": ["vip"],
            "at_ms": harness.now_ms(),
        })
    );
}

#[test]
fn who_shows_no_name_is_called_by_the_login() {
    let mut harness = start(json!({}));
    let reaction = harness.push(event::chat("Ada", "why?").changed(|event| {
        let Event::Chat(message) = event else { panic!("{event:?}") };
        message.author.display_name.clear();
    }));
    assert_eq!(reaction.texts(), ["On it ada! 💭"]);
    let context: Value = serde_json::from_str(tasks(&reaction)[0].context_json.as_deref().unwrap()).unwrap();
    assert_eq!(context["author"], "ada");
}

#[test]
fn what_is_not_for_the_agent_passes() {
    let mut harness = start(json!({}));
    for draft in [
        event::chat("Ada", "!command with words"),
        event::chat("Ada", "  "),
        event::chat("Ada", "hello").mirrored_from("elsewhere"),
        event::chat("Botty", "hello").roles(Roles::BOT),
        event::chat("Ada", "@bob how are you"),
        event::tip("Ada", 500, " "),
    ] {
        assert!(harness.push(draft.clone()).passed(), "{draft:?}");
    }
    assert!(takes(&mut harness, "@ home now"), "an @ alone names nobody");
}

#[test]
fn in_mode_addressed_only_what_names_the_agent_is_taken() {
    let mut harness = start(json!({"mode": "addressed", "names": ["@Nova", "assistant"]}));
    for text in ["@nova hi", "Nova, hi", "assistant: hi", "nova"] {
        assert!(takes(&mut harness, text), "{text}");
    }
    for text in ["hi nova", "novas", "hi"] {
        assert!(!takes(&mut harness, text), "{text}");
    }
    harness.configure(json!({"anywhere": true})).unwrap();
    assert!(takes(&mut harness, "hi @nova!"));
    assert!(!takes(&mut harness, "supernova"));
}

#[test]
fn acknowledging_cools_down_and_can_be_off() {
    let mut harness = start(json!({}));
    assert_eq!(harness.push(event::chat("Ada", "one")).texts(), ["On it Ada! 💭"]);
    let reaction = harness.push(event::chat("Ada", "two"));
    assert_eq!((reaction.texts().len(), tasks(&reaction).len()), (0, 1));
    assert_eq!(harness.push(event::chat("Bob", "three")).texts(), ["On it Bob! 💭"]);
    harness.advance(Duration::from_secs(10));
    assert_eq!(harness.push(event::chat("Ada", "four")).texts(), ["On it Ada! 💭"]);
    harness.configure(json!({"acknowledge": {"enabled": false}})).unwrap();
    let reaction = harness.push(event::chat("Ada", "five"));
    assert_eq!((reaction.texts().len(), tasks(&reaction).len()), (0, 1));
}

#[test]
fn a_task_stays_when_its_acknowledgement_can_not_be_sent() {
    let mut harness = start(json!({}));
    harness.deny("chat.say");
    let reaction = harness.push(event::chat("Ada", "one"));
    assert_eq!((reaction.handled(), tasks(&reaction).len()), (true, 1));
}

#[test]
fn tips_with_words_go_first() {
    let mut harness = start(json!({}));
    let reaction = harness.push(event::tip("Ada", 500, "play jazz"));
    let task = tasks(&reaction)[0];
    assert_eq!((task.prompt.as_str(), task.priority), ("play jazz", 1));
    assert!(reaction.texts().is_empty(), "tip-alerts has thanked already");
    let context: Value = serde_json::from_str(task.context_json.as_deref().unwrap()).unwrap();
    assert_eq!((&context["tip"], &context["message_id"]), (&json!("5.00 USD"), &Value::Null));
    assert_eq!(harness.push(event::agent_reply("task-1", true, "With pleasure.")).texts(), ["@ada With pleasure."]);

    harness.configure(json!({"tips": "all"})).unwrap();
    let reaction = harness.push(event::tip("Bob", 500, ""));
    assert_eq!(tasks(&reaction)[0].prompt, "(a tip of 5.00 USD, without a message)");
    harness.configure(json!({"acknowledge": {"tips": true}})).unwrap();
    assert_eq!(harness.push(event::tip("Bob", 500, "play jazz")).texts(), ["On it Bob! 💭"]);
    harness.configure(json!({"tips": "none"})).unwrap();
    assert!(harness.push(event::tip("Bob", 500, "text")).passed());
}

#[test]
fn a_spammer_fills_no_queue_and_is_told_once() {
    let mut harness = start(json!({"acknowledge": {"enabled": false}, "limit": {"tasks-per-minute": 2}}));
    let mut queued = 0;
    let mut told = Vec::new();
    for number in 0..20 {
        let reaction = harness.push(event::chat("Ada", &format!("spam {number}")));
        assert!(reaction.handled());
        queued += tasks(&reaction).len();
        told.extend(reaction.texts().iter().map(|&text| text.to_owned()));
    }
    assert_eq!(queued, 2);
    assert_eq!(told, ["One thing at a time, Ada: ask me again in a minute. 🙏"]);
    assert_eq!(tasks(&harness.push(event::chat("Bob", "a question"))).len(), 1);
    harness.advance(Duration::from_secs(60));
    assert_eq!(tasks(&harness.push(event::chat("Ada", "a question"))).len(), 1);
}

#[test]
fn a_full_queue_is_told_once_a_minute() {
    let mut harness = start(json!({}));
    harness.refuse("agent.enqueue", "the queue `main` is full");
    let told = "I have my hands full right now, Ada. Please try again later. 🙏";
    assert_eq!(harness.push(event::chat("Ada", "one")).texts(), [told]);
    let reaction = harness.push(event::chat("Bob", "two"));
    assert!(reaction.handled() && reaction.effects.is_empty());
    harness.advance(Duration::from_secs(60));
    assert_eq!(harness.push(event::chat("Ada", "three")).texts(), [told]);
    harness.allow("agent.enqueue");
    assert_eq!(tasks(&harness.push(event::chat("Bob", "four"))).len(), 1);
}

#[test]
fn a_queue_that_is_not_granted_is_the_operators_business() {
    let mut harness = start(json!({"queue": "other"}));
    let reaction = harness.push(event::chat("Ada", "one"));
    assert_eq!(
        reaction.error(),
        Some("the agent's queue is not granted: denied: agent.other is not among the permissions in plugin.toml")
    );
    assert!(reaction.effects.is_empty());
}

#[test]
fn the_answer_goes_to_whoever_asked_once_and_after_a_restart() {
    let mut harness = start(json!({}));
    let _ = harness.push(event::chat("Ada", "one").at("twitch", "123").message_id("m1"));
    harness.restart().unwrap();
    let reaction = harness.push(event::agent_reply("task-1", true, "Forty-two."));
    let (platform, channel) = ("twitch".to_owned(), "123".to_owned());
    let (message_id, text) = ("m1".to_owned(), "Forty-two.".to_owned());
    assert_eq!(reaction.effects, [Effect::Reply { platform, channel, message_id, text }]);
    assert!(harness.push(event::agent_reply("task-1", true, "Forty-two.")).passed());
    assert!(harness.push(event::agent_reply("unknown", true, "?")).passed());
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn a_long_answer_is_split_and_a_failure_is_told_as_configured() {
    let mut harness = start(json!({"reply": {"line-characters": 50, "lines": 2, "failed": ["Sorry {user}."]}}));
    let _ = harness.push(event::chat("Ada", "one"));
    let _ = harness.push(event::chat("Ada", "two"));
    let reaction = harness.push(event::agent_reply("task-1", true, &"word ".repeat(100)));
    assert_eq!(reaction.texts().len(), 2);
    assert!(reaction.texts()[1].ends_with('…'));
    assert_eq!(harness.push(event::agent_reply("task-2", false, "internal")).texts(), ["Sorry Ada."]);
}

#[test]
fn answers_that_come_too_late_are_dropped_and_forgotten() {
    let mut harness = start(json!({"reply": {"expires-minutes": 30}}));
    let _ = harness.push(event::chat("Ada", "one"));
    let _ = harness.push(event::chat("Ada", "two"));
    harness.advance(Duration::from_secs(30 * 60));
    assert!(harness.push(event::agent_reply("task-1", true, "late")).passed());
    assert_eq!(harness.remembered_keys(), ["task/task-2"]);
    let _ = harness.push(event::chat("Ada", "three"));
    assert_eq!(harness.remembered_keys(), ["task/task-3"]);
}

#[test]
fn a_full_memory_costs_the_answer_and_not_the_task() {
    let mut harness = start(json!({}));
    harness.refuse("kv.use", "limit: over the quota");
    let reaction = harness.push(event::chat("Ada", "one"));
    assert_eq!((reaction.handled(), tasks(&reaction).len()), (true, 1));
    assert!(reaction.logs[0].1.contains("over the quota"));
}

#[test]
fn mistakes_in_the_settings_name_their_place() {
    for (settings, told) in [
        (json!({"mode": "some"}), "settings: unknown variant `some`"),
        (json!({"mod": "all"}), "settings: unknown field `mod`"),
        (json!({"mode": "addressed"}), "mode: with \"addressed\" the agent needs a name"),
        (json!({"names": ["@"]}), "names: a name is empty"),
        (json!({"acknowledge": {"answers": ["{usr}"]}}), "acknowledge.answers: {usr} is no placeholder"),
        (json!({"reply": {"line-characters": 5}}), "reply.line-characters: 5 is not 50 to 500"),
        (json!({"reply": {"lines": 0}}), "reply.lines: 0 is not 1 to 16"),
        (json!({"limit": {"tasks-per-minute": 0}}), "limit.tasks-per-minute: 0"),
    ] {
        let error = Harness::<AgentQueue>::start(setup(settings)).err().unwrap();
        assert!(error.starts_with(told), "{error}");
    }
}
