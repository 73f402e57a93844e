//! The harness keeps the host's promises: whole batches, limits, grants, timers, review, handover.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may assume")]

use std::time::Duration;

use serde_json::json;
use showrunner_sdk::http::{Failure, Header, Request, Response};
use showrunner_sdk::prelude::*;
use showrunner_sdk::testing::{Effect, Harness, Setup, event};
use showrunner_sdk::{agent, gateway, http, timers, viewers};

/// Does what it is told in chat.
struct Puppet {
    heard: u32,
}

impl Plugin for Puppet {
    fn new() -> Result<Self, String> {
        if config::get::<bool>("broken")?.unwrap_or(false) {
            return Err("told to fail".to_owned());
        }
        timers::every("tick", Duration::from_secs(10))?;
        Ok(Self { heard: 0 })
    }

    fn on_chat(&mut self, envelope: &Envelope, message: &ChatMessage) -> Answer {
        self.heard += 1;
        match message.text.as_str() {
            "half" => {
                chat::say(envelope, "first half")?;
                kv::increment("halves", 1)?;
                assert_eq!(kv::get::<i32>("halves")?, Some(1), "a handler sees its own writes");
                return Err("stopped half way".to_owned());
            }
            "many" => (0..33).try_for_each(|_| chat::say(envelope, "again").map(drop))?,
            "long" => drop(chat::say(envelope, "x".repeat(64 * 1024 + 1))?),
            "overflow" => drop(kv::increment("most", 1)?),
            "big" => kv::set_bytes("big", &[0; 64 * 1024 + 1])?,
            "fill" => (0..20).try_for_each(|number| kv::set_bytes(&number.to_string(), &[0; 64 * 1024]))?,
            "fetch" => {
                let answer: String = http::get("https://api.example.com/v1/x")?.json()?;
                chat::say(envelope, answer)?;
            }
            "order" => {
                let request = Request::post("https://api.example.com/v1/orders")
                    .header("authorization", "Bearer {secret:key}")
                    .timeout(Duration::from_secs(2))
                    .json(&json!({ "for": message.author.id }))?;
                chat::say(envelope, format!("status {}", http::send(&request)?.status))?;
            }
            "work" => {
                let task = agent::Task { queue: "main".into(), prompt: "?".into(), context_json: None, priority: 5 };
                gateway::publish("puppet.task", &json!({ "id": agent::enqueue(&task)? }))?;
            }
            "recall" => {
                let lines = viewers::recent_messages(envelope, &message.author.id, 2);
                chat::say(envelope, lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(","))?;
            }
            _ => return Ok(Passed),
        }
        Ok(Handled)
    }

    fn on_command(&mut self, envelope: &Envelope, _message: &ChatMessage, command: &Command) -> Answer {
        if command.name != "greet" {
            return Ok(Passed);
        }
        chat::reply(envelope, format!("hello {}", command.args))?;
        Ok(Handled)
    }

    fn on_whisper(&mut self, envelope: &Envelope, _message: &ChatMessage) -> Answer {
        chat::reply(envelope, "psst")?;
        Ok(Handled)
    }

    fn on_follow(&mut self, envelope: &Envelope, _follow: &Follow) -> Answer {
        chat::reply(envelope, "thanks")?;
        Ok(Handled)
    }

    fn on_timer(&mut self, _envelope: &Envelope, timer: &Timer) -> Answer {
        log::info(&timer.name);
        Ok(Handled)
    }
}

impl Reviewer for Puppet {
    fn review(&mut self, envelope: &Envelope) -> Verdict {
        match &envelope.event {
            Event::Chat(message) if message.text == "act" => match (chat::say(envelope, "!"), kv::increment("seen", 1))
            {
                (Err(refused), Ok(_)) => Verdict::Flag(refused.to_string()),
                _ => Verdict::Pass,
            },
            Event::Chat(message) if message.text.contains("spam") => Verdict::Remove("spam".to_owned()),
            _ => Verdict::Pass,
        }
    }
}

impl Handover for Puppet {
    fn save(&self) -> Vec<u8> {
        self.heard.to_le_bytes().to_vec()
    }

    fn restore(&mut self, saved: &[u8], _saved_by: &str) -> Result<(), String> {
        self.heard = u32::from_le_bytes(saved.try_into().map_err(|_| "it is not four bytes")?);
        Ok(())
    }
}

showrunner_sdk::export!(Puppet: reviewer, handover);

fn start() -> Harness<Puppet> {
    Harness::start(Setup::new()).unwrap()
}

#[test]
fn an_error_drops_everything_that_was_asked_for() {
    let mut harness = start();
    let reaction = harness.push(event::chat("Ada", "half"));
    assert_eq!(reaction.error(), Some("stopped half way"));
    assert_eq!(reaction.effects, []);
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn limits_are_those_of_the_host() {
    let mut harness = start();
    for (text, told) in [("many", "32 effects"), ("long", "65536"), ("big", "65536"), ("fill", "1048576")] {
        let reaction = harness.push(event::chat("Ada", text));
        assert!(reaction.error().unwrap().contains(told), "{text}: {reaction:?}");
    }
}

#[test]
fn a_counter_never_wraps() {
    let mut harness: Harness<Puppet> = Harness::start(Setup::new().remembered("most", &i32::MAX)).unwrap();
    let reaction = harness.push(event::chat("Ada", "overflow"));
    assert_eq!(reaction.error(), Some("`most` would leave the range of 32 bits"));
    assert_eq!(harness.remembered("most"), Some(&b"2147483647"[..]));
}

#[test]
fn a_manifest_decides_what_arrives_and_what_is_allowed() {
    let manifest = r#"
        events = ["chat", "timer"]
        [permissions]
        chat = ["say"]
        timers = ["use"]
        http = ["https://api.example.com/v1/"]
        [defaults]
        broken = false
    "#;
    let mut harness: Harness<Puppet> = Harness::start(Setup::new().manifest(manifest)).unwrap();
    assert_eq!(
        harness.push(event::chat("Ada", "half")).error(),
        Some("denied: kv.use is not among the permissions in plugin.toml")
    );
    assert_eq!(
        harness.push(event::chat("Ada", "work")).error(),
        Some("denied: agent.main is not among the permissions in plugin.toml")
    );
    let reaction = harness.push(event::follow("Ada"));
    assert!(!reaction.was_delivered() && reaction.passed(), "it does not list `follow`: {reaction:?}");
    harness.serve(|_| Ok(Response { status: 200, headers: Vec::new(), body: b"\"sunny\"".to_vec() }));
    assert_eq!(harness.push(event::chat("Ada", "fetch")).texts(), ["sunny"]);
    assert_eq!(harness.requests().len(), 1);
}

#[test]
fn a_command_arrives_without_the_rest_of_chat() {
    let manifest = "commands = [\"Greet\"]\n[permissions]\nchat = [\"reply\"]\ntimers = [\"use\"]";
    let mut harness: Harness<Puppet> = Harness::start(Setup::new().manifest(manifest)).unwrap();
    assert_eq!(harness.push(event::chat("Ada", "!greet all")).texts(), ["hello all"]);
    assert!(harness.push(event::whisper("Ada", "!greet")).was_delivered());
    for text in ["greet", "!greets", "half", "!"] {
        let reaction = harness.push(event::chat("Ada", text));
        assert!(!reaction.was_delivered() && reaction.passed(), "{text}: {reaction:?}");
    }
    assert!(start().push(event::follow("Ada")).was_delivered(), "without a manifest all events are");
}

#[test]
fn requests_are_built_and_failures_are_handed_on() {
    let mut harness = start();
    harness.serve(|_| Ok(Response { status: 201, headers: Vec::new(), body: Vec::new() }));
    assert_eq!(harness.push(event::chat("Ada", "order")).texts(), ["status 201"]);
    let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
    let [sent] = harness.requests() else { panic!("{:?}", harness.requests()) };
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", "https://api.example.com/v1/orders"));
    assert_eq!(
        sent.headers,
        [header("authorization", "Bearer {secret:key}"), header("content-type", "application/json")]
    );
    assert_eq!(sent.body.as_deref(), Some(&br#"{"for":"id-ada"}"#[..]));
    assert_eq!(sent.timeout_ms, Some(2_000));

    harness.serve(|_| Err(Failure { kind: "timeout".to_owned(), message: "no answer within 2s".to_owned() }));
    assert_eq!(harness.push(event::chat("Ada", "order")).error(), Some("timeout: no answer within 2s"));
    harness.deny("http.send");
    let told = "denied: http.send was not granted by the operator";
    assert_eq!(harness.push(event::chat("Ada", "order")).error(), Some(told));
}

#[test]
fn effects_of_every_kind_can_be_read() {
    let mut harness = start();
    let reaction = harness.push(event::chat("Ada", "work"));
    assert!(matches!(&reaction.effects[0], Effect::Enqueue { task_id, .. } if task_id == "task-1"));
    assert!(matches!(&reaction.effects[1], Effect::Publish { data_json, .. } if data_json == r#"{"id":"task-1"}"#));
    assert!(matches!(&harness.push(event::whisper("Ada", "hi")).effects[..], [Effect::Whisper { .. }]));
    let error = harness.push(event::follow("Ada")).answer.unwrap_err();
    assert_eq!(error, "a `follow` event can't be replied to; use chat::say");
    let _ = harness.push(event::chat("Bob", "other"));
    assert_eq!(harness.push(event::chat("Ada", "recall")).texts(), ["recall,work"]);
}

#[test]
fn time_passes_when_the_test_says_so() {
    let mut harness = start();
    let before = harness.now_ms();
    assert_eq!(harness.advance(Duration::from_secs(9)), []);
    assert_eq!(harness.advance(Duration::from_secs(21)).len(), 3);
    assert_eq!(harness.now_ms() - before, 30_000);
}

#[test]
fn a_plugin_that_does_not_start_leaves_the_old_one() {
    let mut harness = start();
    assert_eq!(harness.configure(json!({"broken": true})), Err("told to fail".to_owned()));
    assert!(harness.push(event::chat("Ada", "work")).handled());
    assert!(harness.restart().is_ok(), "the old settings are back");
}

#[test]
fn reviews_and_handovers_are_driven() {
    let mut harness = start();
    assert_eq!(harness.review(event::chat("Ada", "buy spam")), Verdict::Remove("spam".to_owned()));
    assert_eq!(harness.review(event::chat("Ada", "hi")), Verdict::Pass);
    let told = "refused: a review gives a verdict and has no effects; act on the event in the handler";
    assert_eq!(harness.review(event::chat("Ada", "act")), Verdict::Flag(told.to_owned()));
    assert_eq!(harness.remembered("seen"), Some(&b"1"[..]), "what a review counts is kept");
    let _ = harness.push(event::chat("Ada", "hi"));
    harness.reload().unwrap();
    assert_eq!(harness.plugin().heard, 1);
    harness.restart().unwrap();
    assert_eq!(harness.plugin().heard, 0);
}

/// Keeps what it was given last.
struct Witness(Option<Envelope>);

impl Plugin for Witness {
    fn new() -> Result<Self, String> {
        Ok(Self(None))
    }

    fn handle(&mut self, envelope: &Envelope) -> Answer {
        self.0 = Some(envelope.clone());
        Ok(Passed)
    }
}

#[test]
fn events_of_support_arrive_as_they_were_drafted() {
    let mut harness: Harness<Witness> = Harness::start(Setup::new()).unwrap();
    let mut given = |draft| {
        assert!(harness.push(draft).passed());
        let now_ms = harness.now_ms();
        let envelope = harness.plugin().0.take().unwrap();
        (now_ms - envelope.at_ms, envelope.event)
    };
    let (age_ms, event) = given(event::gift("Ada", 2).recipients(&["Bob", "Cem"]).tier("3000").anonymous());
    let Event::Gift(gift) = event else { panic!("{event:?}") };
    assert_eq!((age_ms, gift.giver, gift.count, gift.tier.as_str()), (0, None, 2, "3000"));
    assert_eq!(gift.recipients, [event::user("Bob"), event::user("Cem")]);

    let (age_ms, event) = given(event::support("Ada", "bits", 100, 0, "bits").saying("hi").ago(Duration::from_secs(9)));
    let Event::Support(support) = event else { panic!("{event:?}") };
    assert_eq!((age_ms, support.kind.as_str(), support.message.as_deref()), (9_000, "bits", Some("hi")));

    let (_, event) = given(event::gifted("Bob").tier("2000"));
    let Event::Subscription(subscription) = event else { panic!("{event:?}") };
    assert_eq!((subscription.kind.as_str(), subscription.tier.as_str()), ("gifted", "2000"));
}
