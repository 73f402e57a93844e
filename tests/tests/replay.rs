//! A recorded stream is played again as it was, and says what it does not know.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may assume"
)]

use std::collections::BTreeMap;
use std::path::Path;

use showrunner::effect::Effect;
use showrunner::event::Event;
use showrunner::observation::{Decision, DecisionKind, Observation};
use showrunner::plugin::player::{Players, Version};
use showrunner::recording::{Window, cause};
use showrunner::replay::difference::compare;
use showrunner::replay::rulings::Ruled;
use showrunner::replay::{Act, Journal, Lockstep, MemoryChoice, MemoryOf, Setup, export};
use showrunner_tests::daemon::{Daemon, Stage, probe_manifest, said};
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::web::Web;

const SECRET: &str = "tell-nobody";

/// However busy the machine is, nobody is late who was not told to be.
fn patient(stage: &mut Stage) {
    stage.set("pipeline", "review", "\"5s\"");
    stage.set("host.limits", "review", "\"5s\"").set("host.limits", "handle", "\"5s\"");
}

fn with_probe() -> Stage {
    let mut stage = Stage::with_probe();
    patient(&mut stage);
    stage
}

/// A probe whose calls are recorded, that may call the server and send a secret.
fn recorded(web: &Web) -> Stage {
    let mut stage = Stage::default();
    patient(&mut stage);
    let manifest = probe_manifest("probe").replace(":1/", &format!(":{}/", web.port));
    stage.add(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe() });
    let path = stage.path().join("key");
    std::fs::write(&path, SECRET).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    stage.set("plugins.probe", "secrets", "{ key = \"file:key\" }").set("plugins.probe", "record", "true");
    stage
}

/// One more plugin that hears of chat and answers "!hello".
fn add_bystander(stage: &mut Stage) {
    let greeter = fixtures::V0_1_0[2];
    let manifest = greeter
        .manifest
        .replace("id = \"greeter-c\"", "id = \"bystander\"")
        .replace("events = [\"chat\"]", "events = [\"chat\", \"moderation\"]");
    stage.add(&Fixture { id: "bystander", manifest: &manifest, component: greeter.component });
}

fn database(stage: &Stage) -> std::path::PathBuf {
    stage.data_dir().join("showrunner.db")
}

fn open(path: &Path, window: &Window) -> Journal {
    Journal::open(path, window, MemoryChoice::BestKnown).unwrap()
}

fn players(stage: &Stage) -> Players {
    Players::new(Some(&stage.data_dir().join("compiled"))).unwrap()
}

fn versions(stage: &Stage, ids: &[&str]) -> Vec<Version> {
    let players = players(stage);
    ids.iter().map(|id| players.read(&stage.plugin_folder(id), None).unwrap()).collect()
}

/// All that these plugins make of the journal.
async fn play(journal: &mut Journal, versions: &[Version]) -> (Vec<Act>, Lockstep) {
    let setup = Setup { journal, settings: None, memory: MemoryChoice::BestKnown };
    let members = versions.iter().map(|version| setup.member(version.id(), version.clone())).collect();
    let (mut lockstep, mut acts) = Lockstep::start(members, &journal.plugins).await.unwrap();
    while let Some(entry) = journal.next_entry().unwrap() {
        acts.extend(lockstep.play(&entry).await);
    }
    acts.extend(lockstep.finish().await);
    (acts, lockstep)
}

/// What a plugin decided, by event. The id of a timer's event ends otherwise each time.
type Decisions = BTreeMap<(String, String), (DecisionKind, Vec<Effect>, Vec<String>)>;

fn live_decisions(daemon: &mut Daemon) -> Decisions {
    let decisions = daemon.so_far().iter().filter_map(|seen| match &**seen {
        Observation::Decision(decision) => Some(decision.clone()),
        _ => None,
    });
    decisions
        .map(|Decision { event_id, plugin, verdict, effects, notes, .. }| {
            ((plugin.to_string(), cause(&event_id).to_owned()), (verdict, effects, notes))
        })
        .collect()
}

fn replayed_decisions(acts: &[Act]) -> Decisions {
    let mut decisions = Decisions::new();
    for act in acts {
        let id = &*act.envelope.id;
        let id = if id.starts_with("timer:") { id.rsplit_once(':').unwrap().0 } else { id };
        for decided in &act.decisions {
            let effects = decided.played.effects.iter().map(|numbered| numbered.effect.clone()).collect();
            let value = (decided.played.decision.clone(), effects, decided.played.log.clone());
            decisions.insert((decided.plugin.to_string(), id.to_owned()), value);
        }
    }
    decisions
}

/// The lines that the plugin says to the event of this line.
fn answers(acts: &[Act], text: &str) -> Vec<String> {
    let act = acts.iter().find(|act| matches!(&act.envelope.event, Event::Chat(chat) if chat.text == text));
    let act = act.unwrap_or_else(|| panic!("nobody heard {text:?}"));
    act.decisions.iter().flat_map(|decided| spoken(&decided.played.effects)).collect()
}

fn spoken(effects: &[showrunner::effect::NumberedEffect]) -> Vec<String> {
    let effects = effects.iter().map(|numbered| numbered.effect.clone()).collect();
    said(&Decision {
        event_id: "".into(),
        plugin: "".into(),
        verdict: DecisionKind::Handled,
        effects,
        notes: Vec::new(),
        took_us: 0,
    })
}

/// Everything that a plugin can learn from outside, and everything that it can do.
async fn a_lively_stream(daemon: &mut Daemon, web: &Web) {
    daemon.ask("probe", "echo hello").await;
    for _ in 0..3 {
        daemon.ask("probe", "count c").await;
    }
    daemon.ask("probe", "set k a value").await;
    daemon.ask("probe", "remember me").await;
    daemon.ask("probe", "timer 10").await;
    daemon.own_decision("timer:", "probe").await;
    daemon.ask("probe", &format!("fetch {}", web.url("/once"))).await;
    daemon.ask("probe", &format!("header {}", web.url("/secret"))).await;
    daemon.ask("probe", "viewer nobody").await;
    let task = daemon.chat("task find out").await;
    // It waits for the agent when its outcome is told.
    daemon.outcome(&task, "probe", 0).await;
    let answered = daemon.answer_task("found out").await;
    assert_eq!(answered.prompt, "find out");
    daemon.own_reply("probe").await;
    let held = daemon.chat("!hello HOLD").await;
    let message = message_id(daemon, &held).await;
    daemon.ask("probe", &format!("allow {message}")).await;
    daemon.decision(&held, "bystander").await;
    let removed = daemon.chat("!hello SPAM").await;
    daemon.decision(&format!("{removed}/removed"), "bystander").await;
    for line in ["error no luck", "trap", "recall", "get k", "many 40", "log 3", "alert look", "deny"] {
        let event = daemon.chat(line).await;
        daemon.decision(&event, "probe").await;
    }
    let tip = daemon.tip("for coffee").await;
    daemon.decision(&tip, "probe").await;
    daemon.ask("bystander", "!hello").await;
    daemon.ask("probe", "echo bye").await;
}

async fn message_id(daemon: &mut Daemon, event: &str) -> String {
    let envelope = daemon.event("the line", |envelope| *envelope.id == *event).await;
    match &envelope.event {
        Event::Chat(message) => message.id.clone(),
        other => panic!("{other:?}"),
    }
}

trait Replies {
    async fn own_reply(&mut self, plugin: &str);
}

impl Replies for Daemon {
    /// Waits until the plugin has heard the agent's answer.
    async fn own_reply(&mut self, plugin: &str) {
        let reply = self.event("the answer", |envelope| matches!(envelope.event, Event::Agent(_))).await;
        self.decision(&reply.id, plugin).await;
    }
}

#[tokio::test]
async fn a_recorded_stream_is_decided_again_as_it_was_from_the_database_and_from_a_file() {
    let web = Web::start().await;
    let mut stage = recorded(&web);
    add_bystander(&mut stage);
    let mut daemon = stage.start().await;
    a_lively_stream(&mut daemon, &web).await;
    let live = live_decisions(&mut daemon);
    let stage = daemon.stop().await;
    assert_eq!(web.paths(), ["/once", "/secret"]);

    let versions = versions(&stage, &["probe", "bystander"]);
    let mut journal = open(&database(&stage), &Window::default());
    let (acts, lockstep) = play(&mut journal, &versions).await;
    let replayed = replayed_decisions(&acts);
    for (key, (verdict, effects, notes)) in &live {
        // The outcome of an effect is told under an id that is never written down.
        if notes.iter().any(|note| note.starts_with("outcome")) {
            continue;
        }
        let (again, effects_again, log) = replayed.get(key).unwrap_or_else(|| panic!("{key:?} was not played"));
        assert_eq!((again, effects_again), (verdict, effects), "{key:?}");
        if matches!(verdict, DecisionKind::Passed | DecisionKind::Handled) {
            assert_eq!(&log[..log.len().min(8)], notes, "{key:?}");
        }
    }
    let outcomes = |decisions: &Decisions| {
        let notes = decisions.values().flat_map(|(_, _, notes)| notes.clone());
        let mut outcomes: Vec<String> = notes.filter(|note| note.starts_with("outcome")).collect();
        outcomes.sort();
        outcomes
    };
    let mut again = outcomes(&replayed);
    for outcome in outcomes(&live) {
        // The last ones may come after we looked.
        let place = again.iter().position(|told| *told == outcome);
        again.remove(place.unwrap_or_else(|| panic!("{outcome} is not told again")));
    }
    for player in lockstep.players() {
        assert_eq!(player.unanswered(), BTreeMap::new(), "{}", player.id());
    }
    assert_eq!(web.paths(), ["/once", "/secret"], "nobody was called again");

    let file = stage.path().join("stream.jsonl");
    export(&mut open(&database(&stage), &Window::default()), std::fs::File::create(&file).unwrap()).unwrap();
    let (from_file, _) = play(&mut open(&file, &Window::default()), &versions).await;
    assert_eq!(format!("{from_file:?}"), format!("{acts:?}"));
    for path in [file, database(&stage)] {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn two_replays_are_the_same() {
    let web = Web::start().await;
    let mut stage = recorded(&web);
    add_bystander(&mut stage);
    let mut daemon = stage.start().await;
    a_lively_stream(&mut daemon, &web).await;
    let stage = daemon.stop().await;
    let versions = versions(&stage, &["probe", "bystander"]);
    let (one, _) = play(&mut open(&database(&stage), &Window::default()), &versions).await;
    let (other, _) = play(&mut open(&database(&stage), &Window::default()), &versions).await;
    let comparison = compare(one, other);
    assert!(comparison.differences.is_empty(), "{:?}", comparison.differences);
    assert!(comparison.same > 20);
}

#[tokio::test]
async fn memory_is_that_of_the_moment_where_it_was_recorded() {
    let web = Web::start().await;
    let mut daemon = recorded(&web).start().await;
    for _ in 0..3 {
        daemon.ask("probe", "count c").await;
    }
    let fourth = daemon.chat("count c").await;
    assert_eq!(said(&daemon.decision(&fourth, "probe").await), ["4"]);
    let began = daemon.event("the fourth", |envelope| *envelope.id == *fourth).await.at_ms;
    daemon.ask("probe", "count other").await;
    let stage = daemon.stop().await;
    let versions = versions(&stage, &["probe"]);
    // Two lines of one millisecond can't be told apart by time.
    let window = Window { from_ms: Some(began), ..Window::default() };
    let mut journal = open(&database(&stage), &window);
    let member = Setup { journal: &journal, settings: None, memory: MemoryChoice::BestKnown }
        .member("probe", versions[0].clone());
    assert_eq!(member.memory, MemoryOf::Beginning(1));
    let before = member.part.memory["c"].clone();
    let before: u32 = String::from_utf8(before.0).unwrap().parse().unwrap();
    let (acts, _) = play(&mut journal, &versions).await;
    let is_counted = |act: &&Act| matches!(&act.envelope.event, Event::Chat(chat) if chat.text == "count c");
    let counted: Vec<String> =
        acts.iter().filter(is_counted).flat_map(|act| spoken(&act.decisions[0].played.effects)).collect();
    let expected: Vec<String> = (before + 1..=4).map(|sum| sum.to_string()).collect();
    assert_eq!(counted, expected);
    assert_eq!(answers(&acts, "count other"), ["1"]);
    let file = stage.path().join("stream.jsonl");
    export(&mut open(&database(&stage), &Window::default()), std::fs::File::create(&file).unwrap()).unwrap();
    let (from_file, _) = play(&mut open(&file, &window), &versions).await;
    assert_eq!(format!("{from_file:?}"), format!("{acts:?}"), "a part of a file is as that part of the database");
}

#[tokio::test]
async fn what_was_not_recorded_is_said_and_not_guessed() {
    let web = Web::start().await;
    let mut stage = recorded(&web);
    stage.set("plugins.probe", "record", "false");
    let mut daemon = stage.start().await;
    let fetch = format!("fetch {}", web.url("/once"));
    assert_eq!(daemon.ask("probe", &fetch).await, ["200"]);
    assert_eq!(daemon.ask("probe", "count c").await, ["1"]);
    assert_eq!(daemon.ask("probe", "fetch http://127.0.0.1:9/").await, ["denied"]);
    let stage = daemon.stop().await;
    let mut journal = open(&database(&stage), &Window::default());
    let (acts, lockstep) = play(&mut journal, &versions(&stage, &["probe"])).await;
    assert_eq!(answers(&acts, &fetch), ["unavailable"]);
    assert_eq!(answers(&acts, "fetch http://127.0.0.1:9/"), ["denied"], "what is not granted is refused all the same");
    assert_eq!(answers(&acts, "count c"), ["2"], "its memory is that of after the stream");
    assert_eq!(lockstep.players()[0].unanswered(), BTreeMap::from([("http.send".to_owned(), 1)]));
}

#[tokio::test]
async fn memory_that_is_not_durable_ends_with_the_engine_as_it_did_then() {
    let web = Web::start().await;
    let mut daemon = recorded(&web).start().await;
    daemon.ask("probe", "remember me").await;
    daemon.ask("probe", "timer 60000").await;
    assert_eq!(daemon.ask("probe", "recall").await, ["me"]);
    let mut daemon = daemon.stop().await.start().await;
    let recall = daemon.chat("recall").await;
    assert_eq!(said(&daemon.decision(&recall, "probe").await), ["nothing"]);
    let stage = daemon.stop().await;
    let (acts, _) = play(&mut open(&database(&stage), &Window::default()), &versions(&stage, &["probe"])).await;
    let recalled: Vec<String> = acts
        .iter()
        .filter(|act| matches!(&act.envelope.event, Event::Chat(chat) if chat.text == "recall"))
        .flat_map(|act| spoken(&act.decisions[0].played.effects))
        .collect();
    assert_eq!(recalled, ["me", "nothing"]);
}

#[tokio::test]
async fn a_handler_alone_hears_what_the_reviewers_of_then_let_through() {
    let mut stage = with_probe();
    add_bystander(&mut stage);
    let mut daemon = stage.start().await;
    let removed = daemon.chat("!hello SPAM").await;
    daemon.decision(&format!("{removed}/removed"), "bystander").await;
    let held = daemon.chat("!hello HOLD").await;
    let message = message_id(&mut daemon, &held).await;
    daemon.ask("probe", &format!("allow {message}")).await;
    daemon.decision(&held, "bystander").await;
    daemon.ask("bystander", "!hello").await;
    let live = live_decisions(&mut daemon);
    let stage = daemon.stop().await;
    let (acts, _) = play(&mut open(&database(&stage), &Window::default()), &versions(&stage, &["bystander"])).await;
    let of_bystander = |decisions: Decisions| {
        decisions.into_iter().filter(|((plugin, _), _)| plugin == "bystander").collect::<Decisions>()
    };
    assert_eq!(replayed_decisions(&acts), of_bystander(live));
}

#[tokio::test]
async fn a_fallback_alone_gets_what_nobody_answered_then() {
    let mut stage = Stage::default();
    patient(&mut stage);
    stage.add_probe("handler");
    stage.add_probe_with("fallback", |manifest| manifest.replace("wit = \"0.1\"", "wit = \"0.1\"\nfallback = true"));
    let mut daemon = stage.start().await;
    let handled = daemon.chat("echo mine").await;
    daemon.decision(&handled, "handler").await;
    let passed = daemon.chat("whatever").await;
    daemon.decision(&passed, "fallback").await;
    let stage = daemon.stop().await;
    let (acts, _) = play(&mut open(&database(&stage), &Window::default()), &versions(&stage, &["fallback"])).await;
    let is_line = |act: &&Act| matches!(act.envelope.event, Event::Chat(_)) && !act.decisions.is_empty();
    let lines = acts.iter().filter(is_line);
    assert_eq!(lines.map(|act| act.envelope.id.to_string()).collect::<Vec<_>>(), [passed]);
}

#[tokio::test]
async fn what_reviewers_said_is_recorded_and_a_pass_is_not() {
    let mut stage = with_probe();
    add_bystander(&mut stage);
    let mut daemon = stage.start().await;
    let mut events = Vec::new();
    for line in ["!hello", "BAN me", "FLAG me", "!hello REVIEWTRAP"] {
        events.push(daemon.chat(line).await);
    }
    daemon.decision(&events[3], "bystander").await;
    let stage = daemon.stop().await;
    let mut journal = open(&database(&stage), &Window::default());
    let mut then = BTreeMap::new();
    while let Some(entry) = journal.next_entry().unwrap() {
        then.insert(entry.envelope.id.to_string(), Ruled::then(&entry, &["probe".into()]));
    }
    let told = |event: &String| format!("{:?} {}", then[event].verdict, then[event].late);
    assert_eq!(told(&events[0]), "Pass false");
    assert_eq!(told(&events[1]), "Suspend { seconds: Some(60), reason: \"ban\" } false");
    assert_eq!(told(&events[2]), "Flag { reason: \"flag\" } false");
    assert_eq!(told(&events[3]), "Pass true");
}

#[tokio::test]
async fn a_plugin_that_never_ends_is_ended_and_in_the_end_quarantined() {
    let mut stage = with_probe();
    stage.set("host.limits", "handle", "\"200ms\"");
    let mut daemon = stage.start().await;
    for _ in 0..2 {
        let spin = daemon.chat("spin").await;
        daemon.decision(&spin, "probe").await;
        daemon.news("probe", "restarted").await;
    }
    daemon.ask("probe", "echo alive").await;
    let stage = daemon.stop().await;
    let (acts, lockstep) = play(&mut open(&database(&stage), &Window::default()), &versions(&stage, &["probe"])).await;
    let crashes: Vec<&DecisionKind> = acts
        .iter()
        .filter(|act| matches!(&act.envelope.event, Event::Chat(chat) if chat.text == "spin"))
        .map(|act| &act.decisions[0].played.decision)
        .collect();
    assert_eq!(crashes, [&DecisionKind::Crashed("it ran longer than 1000 ms".into()); 2]);
    assert_eq!(answers(&acts, "echo alive"), ["alive"]);
    assert!(!lockstep.players()[0].is_quarantined());
}

#[tokio::test]
async fn too_many_crashes_end_a_plugins_part_and_nobody_elses() {
    let mut stage = with_probe();
    add_bystander(&mut stage);
    let mut daemon = stage.start().await;
    daemon.quarantine_probe().await;
    daemon.ask("bystander", "!hello").await;
    let stage = daemon.stop().await;
    let versions = versions(&stage, &["probe", "bystander"]);
    let (acts, lockstep) = play(&mut open(&database(&stage), &Window::default()), &versions).await;
    let quarantined: Vec<bool> = lockstep.players().iter().map(|player| player.is_quarantined()).collect();
    assert_eq!(quarantined, [false, true], "in the order of their ids");
    assert_eq!(answers(&acts, "!hello"), ["Hello viewer!"]);
}
