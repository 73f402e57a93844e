//! Each file has one kind of event. The notifications stand in the corpus of the fuzz target, which has one for each
//! type.

mod chat;
mod gifts;
mod hostile;
mod missed;
mod moderation;
mod stream;
mod support;
mod twice;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::topics::TOPICS;
use super::*;

/// 2026-01-05T10:11:13Z
const NOW_MS: u64 = 1_767_607_873_000;
const OWN: &str = "9001";

fn channel() -> Channel {
    Channel::new(PLATFORM, "1337")
}

/// A normalizer and a clock.
struct Stage {
    normalizer: Normalizer,
    now: Instant,
    heard: u64,
}

impl Stage {
    fn new() -> Self {
        Self { normalizer: Normalizer::new(), now: Instant::now(), heard: 0 }
    }

    /// A notification of its own.
    fn hear(&mut self, topic: &str, event: &Value) -> Vec<Draft> {
        self.heard += 1;
        let message_id = format!("n{}", self.heard);
        let notice = Notice { message_id: &message_id, topic, version: "1", at_ms: NOW_MS, event };
        self.normalizer.read(&channel(), OWN, &notice, self.now)
    }

    fn hear_all(&mut self, notices: &[(String, Value)]) -> Vec<Draft> {
        notices.iter().flat_map(|(topic, event)| self.hear(topic, event)).collect()
    }

    fn wait(&mut self, time: Duration) -> Vec<Draft> {
        self.now += time;
        self.normalizer.due(self.now)
    }

    /// Lets everything end that waits.
    fn rest(&mut self) -> Vec<Draft> {
        let drafts = self.wait(Duration::from_secs(60));
        assert_eq!(self.normalizer.next_due(), None);
        drafts
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/fuzz/twitch-events")
}

/// By the names of their files.
static SAMPLES: LazyLock<BTreeMap<String, Vec<(String, Value)>>> = LazyLock::new(|| {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        (path.file_name().unwrap().to_string_lossy().into_owned(), text.lines().filter_map(notice).collect())
    };
    std::fs::read_dir(corpus()).unwrap().map(read).collect()
});

/// A line has a topic and an event.
fn notice(line: &str) -> Option<(String, Value)> {
    let (topic, event) = line.split_once(' ')?;
    Some((topic.to_owned(), serde_json::from_str(event).ok()?))
}

/// A file of the corpus.
fn sample(name: &str) -> Vec<(String, Value)> {
    SAMPLES.get(name).unwrap_or_else(|| panic!("{name} is not in the corpus")).clone()
}

fn samples() -> Vec<&'static (String, Value)> {
    SAMPLES.values().flatten().collect()
}

/// What a file of the corpus becomes, in the end.
fn told(name: &str) -> Vec<Draft> {
    let mut stage = Stage::new();
    let mut drafts = stage.hear_all(&sample(name));
    drafts.extend(stage.rest());
    drafts
}

fn events(name: &str) -> Vec<Event> {
    told(name).into_iter().map(|draft| draft.event).collect()
}

fn only(name: &str) -> Draft {
    let mut drafts = told(name);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    drafts.remove(0)
}

fn extra_of(draft: &Draft) -> Value {
    draft.extra.as_deref().map_or(Value::Null, |extra| serde_json::from_str(extra).unwrap())
}

fn id_of(draft: &Draft) -> &str {
    draft.id.as_deref().unwrap()
}

fn person(id: &str, name: &str) -> User {
    User { id: id.to_owned(), login: name.to_lowercase(), display_name: name.to_owned(), ..User::default() }
}

#[test]
fn every_type_has_a_sample_and_is_understood() {
    let samples = samples();
    for topic in TOPICS {
        let mut of_topic = samples.iter().filter(|(name, _)| name == topic.name).peekable();
        assert!(of_topic.peek().is_some(), "{} has no sample", topic.name);
        let is_understood = of_topic.any(|(name, event)| {
            let mut stage = Stage::new();
            let mut drafts = stage.hear(name, event);
            drafts.extend(stage.rest());
            !drafts.is_empty() && drafts.iter().all(|draft| !matches!(draft.event, Event::Raw(_)))
        });
        assert!(is_understood, "{} stays raw", topic.name);
    }
}

#[test]
fn what_is_not_understood_comes_as_it_is() {
    let raws = |name| -> Vec<(String, String)> {
        let raw = |event| match event {
            Event::Raw(Raw { kind, json }) => Some((kind, json)),
            _ => None,
        };
        events(name).into_iter().filter_map(raw).collect()
    };
    let unknown = raws("unknown");
    assert_eq!(unknown[0].0, "channel.shield_mode.begin");
    assert!(unknown[0].1.contains(r#""started_at":"2026-01-05T10:11:12Z""#));
    assert_eq!(
        raws("followed-by-nobody"),
        [
            ("channel.follow".to_owned(), r#"{"user_login":"x"}"#.to_owned()),
            ("channel.cheer".to_owned(), "[]".to_owned()),
            ("channel.poll.end".to_owned(), "null".to_owned()),
        ]
    );
    let kinds = |name| raws(name).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds("notice-streak"), ["channel.chat.notification.watch_streak"]);
    assert_eq!(kinds("notice-badge"), ["channel.chat.notification.bits_badge_tier"]);
    assert_eq!(kinds("notice-forward"), ["channel.chat.notification.pay_it_forward"]);
    assert_eq!(kinds("moderate-shared"), ["channel.moderate.of_tomorrow"]);
    // A subscription to another channel of a shared chat is not to be thanked for here.
    assert_eq!(kinds("notice-shared"), ["channel.chat.notification.shared_chat_sub"]);
}
