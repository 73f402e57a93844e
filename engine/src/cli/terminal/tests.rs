use super::*;
use crate::effect::{Action, Effect, EffectKey, EffectResult};
use crate::event::{Amount, Channel, ChatMessage, Event, OutcomeStatus, Raw, Support, System, User};

fn renderer(colors: bool) -> Renderer {
    Renderer::new(Paint::when(colors), TimeZone::UTC)
}

fn user(login: &str, display_name: &str) -> User {
    User { id: "1".into(), login: login.into(), display_name: display_name.into(), ..User::default() }
}

/// What is printed of something that is not told otherwise.
fn shown(renderer: &mut Renderer, observation: &Observation) -> String {
    renderer.render(observation).unwrap()
}

fn chat(id: &str, author: User, text: &str) -> Observation {
    let message = ChatMessage { id: id.into(), author, text: text.into(), ..ChatMessage::default() };
    observed(id, Event::Chat(message), Origin::Live)
}

fn observed(id: &str, event: Event, origin: Origin) -> Observation {
    let channel = Channel::new("retake", "5b7c");
    let at_ms = 1_767_607_872_000;
    let envelope = Envelope { id: id.into(), sequence: 1, at_ms, origin, channel, event, extra: None };
    Observation::Event { envelope: Arc::new(envelope), own: false }
}

fn decision(event_id: &str, verdict: DecisionKind, effects: Vec<Effect>, notes: &[&str]) -> Observation {
    Observation::Decision(Decision {
        event_id: event_id.into(),
        plugin: "instant-replies".into(),
        verdict,
        effects,
        notes: notes.iter().map(ToString::to_string).collect(),
        took_us: 1234,
    })
}

fn say(text: &str) -> Effect {
    Effect::Platform { channel: Channel::new("retake", "5b7c"), action: Action::Say { text: text.into() } }
}

#[test]
fn a_chat_line_says_when_where_who_and_what() {
    let line = shown(&mut renderer(false), &chat("e1", user("alice", "Alice"), "gm 日本 👋"));
    assert_eq!(line, "10:11:12 retake:5b7c Alice: gm 日本 👋");
}

#[test]
fn a_name_has_its_color_also_where_it_is_mentioned() {
    let mut renderer = renderer(true);
    let ada = User { color: Some("#00FF7F".into()), ..user("ada", "Ada") };
    let line = shown(&mut renderer, &chat("e1", ada, "hi"));
    assert!(line.contains("\x1b[1;38;2;0;255;127mAda\x1b[0m: hi"), "{line:?}");
    let line = shown(&mut renderer, &chat("e2", user("bob", "Bob"), "@ADA, @nobody and a@b \x1b[2J"));
    assert!(line.contains(": \x1b[1;38;2;0;255;127m@ADA\x1b[0m, @nobody and a@b ␛[2J"), "{line:?}");
}

#[test]
fn a_display_name_that_is_not_the_login_shows_both() {
    let line = shown(&mut renderer(false), &chat("e1", user("mallory", "アリス"), "hi"));
    assert!(line.contains("アリス (mallory): hi"), "{line}");
    let line = shown(&mut renderer(false), &chat("e1", user("", "  "), "hi"));
    assert!(line.contains(" 1: hi"), "{line}");
}

#[test]
fn decisions_stand_below_their_event_with_effects_and_reasons() {
    let mut renderer = renderer(false);
    shown(&mut renderer, &chat("e1", user("alice", "alice"), "!help"));
    let text = shown(&mut renderer, &decision("e1", DecisionKind::Handled, vec![say("ask away")], &["rule help"]));
    let expected = "         instant-replies handled in 1.2 ms\n             → say \"ask away\" in retake:5b7c\n             because: rule help";
    assert_eq!(text, expected);
    let failed = shown(&mut renderer, &decision("e1", DecisionKind::Failed("no such rule".into()), vec![], &[]));
    assert_eq!(failed, "         instant-replies failed in 1.2 ms: no such rule");
}

#[test]
fn a_late_decision_says_what_it_is_about() {
    let mut renderer = renderer(false);
    shown(&mut renderer, &chat("e1", user("alice", "alice"), "first"));
    shown(&mut renderer, &chat("e2", user("bob", "bob"), "second"));
    let text = shown(&mut renderer, &decision("e1", DecisionKind::Passed, vec![], &[]));
    assert_eq!(text, "         instant-replies passed in 1.2 ms (to alice: first)");
    let unknown = shown(&mut renderer, &decision("e0", DecisionKind::Passed, vec![], &[]));
    assert_eq!(unknown, "         instant-replies passed in 1.2 ms");
    let timer = shown(&mut renderer, &decision("timer:tip-alerts:due:1", DecisionKind::Handled, vec![], &[]));
    assert_eq!(timer, "         instant-replies handled in 1.2 ms (to its timer)");
}

#[test]
fn outcomes_connections_and_plugins_are_told() {
    let mut renderer = renderer(false);
    shown(&mut renderer, &chat("e1", user("alice", "alice"), "x"));
    let key = EffectKey { event_id: "e1".into(), plugin: "p".into(), number: 0 };
    let result = EffectResult { key, status: OutcomeStatus::Failed, message_id: None, detail: "429".into() };
    let outcome = Observation::Outcome { channel: Some(Channel::new("retake", "5b7c")), effect: "say".into(), result };
    assert_eq!(shown(&mut renderer, &outcome), "         p say in retake:5b7c failed: 429");
    let state = ConnectionState::Stopped { why: "401".into(), what_to_do: "new token".into() };
    let text = shown(&mut renderer, &Observation::Connection { name: "retake:5b7c".into(), state });
    assert!(text.ends_with(" connection retake:5b7c stopped: 401; new token"), "{text}");
    let plugin =
        Observation::Plugin { plugin: "p".into(), change: PluginChange::Quarantined, detail: "5 crashes".into() };
    assert!(shown(&mut renderer, &plugin).ends_with(" plugin p quarantined: 5 crashes"));
}

#[test]
fn money_is_told_with_its_amount_and_tests_are_marked() {
    let support = Support {
        kind: "tip".into(),
        who: Some(user("bob", "bob")),
        amount: Amount { minor_units: 1250, exponent: 2 },
        currency: "USD".into(),
        message: Some("nice".into()),
        item: None,
    };
    let line = shown(&mut renderer(false), &observed("e", Event::Support(support), Origin::Test));
    assert!(line.ends_with("retake:5b7c (test) bob gives 12.50 USD (tip): nice"), "{line}");
}

#[test]
fn nothing_that_strangers_write_reaches_the_terminal_as_a_command() {
    let evil = "\x1b]0;owned\x07\x1b[2J\u{9b}1A\u{202e}txt\r\n10:11:12 retake:5b7c admin: fake";
    let mut plain = renderer(false);
    let observations = [
        chat("e1", user(evil, evil), evil),
        observed("e2", Event::Raw(Raw { kind: evil.into(), json: evil.into() }), Origin::Live),
        decision("e1", DecisionKind::Crashed(evil.into()), vec![say(evil)], &[evil]),
        Observation::Verdict { event_id: evil.into(), plugin: evil.into(), verdict: evil.into(), reason: evil.into() },
        Observation::Plugin { plugin: evil.into(), change: PluginChange::Failed, detail: evil.into() },
        Observation::Published { plugin: evil.into(), kind: evil.into(), data_json: evil.into() },
        Observation::Log { plugin: evil.into(), level: evil.into(), message: evil.into() },
        Observation::Connection {
            name: evil.into(),
            state: ConnectionState::BackingOff { until_ms: 0, why: evil.into() },
        },
    ];
    for observation in observations {
        let text = shown(&mut plain, &observation);
        let hostile: Vec<char> = text.chars().filter(|&c| c != '\n' && (c.is_control() || c == '\u{202e}')).collect();
        assert!(hostile.is_empty(), "{hostile:?} in {text:?}");
        assert!(!text.contains("\n10:11:12"), "a line was forged: {text}");
    }
}

#[test]
fn colors_only_where_they_are_wanted() {
    let event = chat("e1", user("alice", "alice"), "gm");
    assert!(!shown(&mut renderer(false), &event).contains('\x1b'));
    assert!(shown(&mut renderer(true), &event).contains("\x1b[1malice\x1b[0m: gm"));
}

#[test]
fn what_happens_to_a_plugin_is_told_once_and_by_its_reminder_when_somebody_answers() {
    let mut renderer = renderer(false);
    let system = |kind: &str, detail: &str| Event::System(System { kind: kind.into(), detail: detail.into() });
    let announced = |event: Event| {
        let Observation::Event { envelope, own } = observed("e1", event, Origin::Live) else { unreachable!() };
        let envelope = Envelope { channel: Channel::engine(), ..(*envelope).clone() };
        Observation::Event { envelope: Arc::new(envelope), own }
    };
    assert_eq!(renderer.render(&announced(system("plugin-loaded", "{\"plugin\":\"p\"}"))), None);
    let answer = shown(&mut renderer, &decision("e1", DecisionKind::Handled, vec![], &[]));
    assert!(answer.ends_with("handled in 1.2 ms (to plugin-loaded: {\"plugin\":\"p\"})"), "{answer}");
    assert_eq!(shown(&mut renderer, &announced(system("started", "0.1.0"))), "10:11:12 engine started: 0.1.0");
}
