use std::path::Path;
use std::time::Duration;

use super::*;
use crate::platform::Pace;

fn simulated(kind: &str) -> Simulated {
    Simulated { kind: kind.into(), ..Simulated::default() }
}

fn event(simulated: &Simulated) -> Event {
    draft(simulated, "main").unwrap().event
}

fn problem(simulated: &Simulated) -> String {
    draft(simulated, "main").unwrap_err().to_string()
}

fn parse(text: &str) -> Result<Script, ScriptError> {
    Script::parse(text, Path::new("stream.toml"))
}

#[test]
fn everything_simulated_is_a_test_in_the_simulators_channel() {
    let made = draft(&Simulated { user: Some("@Alice".into()), ..simulated("follow") }, "main").unwrap();
    assert_eq!((made.origin, made.channel), (Origin::Test, Channel::new("simulator", "main")));
    match made.event {
        Event::Follow(follow) => {
            assert_eq!((follow.who.id.as_str(), follow.who.display_name.as_str()), ("simulated:alice", "Alice"));
        }
        other => panic!("{other:?}"),
    }
    let elsewhere = Simulated { channel: Some("other".into()), ..simulated("follow") };
    assert_eq!(draft(&elsewhere, "main").unwrap().channel.id.as_ref(), "other");
}

#[test]
fn each_kind_makes_its_event() {
    let full = |kind: &str, text: Option<&str>, amount: Option<&str>, months: Option<u32>, count: Option<u32>| {
        let (text, amount) = (text.map(str::to_owned), amount.map(str::to_owned));
        event(&Simulated { text, amount, months, count, user: Some("bob".into()), ..simulated(kind) })
    };
    assert!(matches!(full("chat", Some("gm"), None, None, None), Event::Chat(chat) if chat.text == "gm"));
    assert!(matches!(full("tip", Some("hi"), Some("5.50 EUR"), None, None),
        Event::Support(tip) if tip.currency == "EUR" && tip.amount.to_string() == "5.5" && tip.kind == "tip"));
    for kind in ["cheer", "bits"] {
        assert!(matches!(full(kind, None, Some("100"), None, None), Event::Support(bits) if bits.kind == "bits"));
    }
    assert!(
        matches!(full("sub", None, None, None, None), Event::Subscription(sub) if sub.kind == "new" && sub.months == 1)
    );
    assert!(matches!(full("resub", None, None, Some(7), None), Event::Subscription(sub) if sub.months == 7));
    assert!(matches!(full("gift", None, None, None, Some(20)), Event::Gift(gift) if gift.count == 20));
    let named = |text, count| match full("gift", Some(text), None, None, count) {
        Event::Gift(gift) => {
            (gift.recipients.into_iter().map(|user| user.display_name).collect::<Vec<_>>(), gift.count)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(named("@Ann, bob,", None), (vec!["Ann".to_owned(), "bob".to_owned()], 2));
    assert_eq!(named("Ann", Some(20)), (vec!["Ann".to_owned()], 20));
    assert!(matches!(full("raid", None, None, None, Some(50)), Event::Raid(raid) if raid.viewers == 50));
    assert!(matches!(full("dropin", None, None, None, None), Event::Presence(presence) if presence.kind == "join"));
    assert!(
        matches!(full("presence", Some("part"), None, None, None), Event::Presence(presence) if presence.kind == "part")
    );
    assert!(
        matches!(full("redemption", Some("Hydrate"), Some("300"), None, None), Event::Redemption(it) if it.cost == 300)
    );
    assert!(matches!(full("online", Some("hello"), None, None, None), Event::Broadcast(it) if it.kind == "online"));
    assert!(matches!(full("offline", None, None, None, None), Event::Broadcast(it) if it.kind == "offline"));
    assert!(matches!(full("raw:newtrade", Some("{}"), None, None, None), Event::Raw(raw) if raw.kind == "newtrade"));
    let anonymous = Simulated { user: Some("anonymous".into()), count: Some(5), ..simulated("gift") };
    assert!(matches!(event(&anonymous), Event::Gift(gift) if gift.giver.is_none()));
    let moderator = Simulated { role: Some("moderator".into()), text: Some("!cmd list".into()), ..simulated("chat") };
    assert!(matches!(event(&moderator), Event::Chat(chat) if chat.author.roles.moderator));
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    assert!(problem(&simulated("wave")).contains("there are chat, tip, cheer"));
    assert!(problem(&simulated("chat:x")).contains("no \"chat:x\""));
    assert!(problem(&simulated("chat")).contains("chat needs --text"));
    assert!(problem(&simulated("raid")).contains("raid needs --count"));
    assert!(problem(&simulated("resub")).contains("resub needs --months"));
    let wrong = Simulated { amount: Some("lots".into()), ..simulated("tip") };
    assert!(problem(&wrong).contains("--amount \"lots\""));
    let superfluous = Simulated { months: Some(3), ..simulated("follow") };
    assert_eq!(problem(&superfluous), "follow has no --months; it takes --user, --role, --channel");
    let no_json = Simulated { text: Some("{".into()), ..simulated("raw") };
    assert!(problem(&no_json).contains("JSON"));
    assert!(problem(&Simulated { role: Some("king".into()), ..simulated("follow") }).contains("moderator"));
    assert!(problem(&Simulated { user: Some(" @ ".into()), ..simulated("follow") }).contains("--user"));
    assert!(problem(&Simulated { text: Some("away".into()), ..simulated("presence") }).contains("part"));
}

#[test]
fn a_script_says_what_happens_when() {
    let script = parse(
        "seed = 1\nlength = 10\n[[step]]\nkind = \"follow\"\nat = 3\n[[step]]\nkind = \"chat\"\ntext = \"gm\"\nat = 1\nevery = 4\n\
         [[step]]\nkind = \"tip\"\namount = 2.5\nat = 9\nevery = 0.5\nrepeat = 2\n",
    )
    .unwrap();
    let course: Vec<(f64, String)> =
        script.round(0).into_iter().map(|beat| (beat.at.as_secs_f64(), beat.simulated.kind)).collect();
    let expected = [(1.0, "chat"), (3.0, "follow"), (5.0, "chat"), (9.0, "chat"), (9.0, "tip"), (9.5, "tip")];
    assert_eq!(course, expected.map(|(at, kind)| (at, kind.to_owned())));
    assert_eq!(script.round_length(), None);
}

#[test]
fn chance_is_the_same_each_time() {
    let text = "seed = 5\nloop = true\nlength = 60\n[[step]]\nkind = \"chat\"\nuser = [\"a\", \"b\", \"c\"]\n\
                text = [\"1\", \"2\", \"3\"]\nevery = 1\njitter = 0.9\n";
    let (one, other) = (parse(text).unwrap(), parse(text).unwrap());
    assert_eq!(one.round(3), other.round(3));
    assert_ne!(one.round(3), one.round(4));
    assert!(one.round(0).is_sorted_by_key(|beat| beat.at));
    assert_eq!(one.round_length(), Some(Duration::from_secs(60)));
}

#[test]
fn mistakes_in_a_script_are_told_with_their_line() {
    for (text, says) in [
        ("seed = 1\nsteps = 2\n", "line 2"),
        ("[[step]]\nkind = \"chat\"\ntxt = \"x\"\n", "line 3"),
        ("[[step]]\nkind = \"follow\"\n\n[[step]]\nkind = \"chat\"\n", "line 4: chat needs text"),
        ("[[step]]\nkind = \"wave\"\n", "line 1: there is no \"wave\""),
        ("[[step]]\nkind = \"follow\"\nat = -1\n", "`at` must lie"),
        ("[[step]]\nkind = \"follow\"\nat = nan\n", "`at` must lie"),
        ("[[step]]\nkind = \"follow\"\nrepeat = 3\n", "`repeat` needs `every`"),
        ("[[step]]\nkind = \"follow\"\nevery = 3\n", "`every` needs `repeat`"),
        ("[[step]]\nkind = \"follow\"\nevery = 0\nrepeat = 2\n", "at least 0.001"),
        ("length = 86400\n[[step]]\nkind = \"follow\"\nevery = 0.001\n", "more than 100000 events"),
        ("[[step]]\nkind = \"chat\"\ntext = []\n", "empty list"),
        ("[[step]]\nkind = \"tip\"\namount = [1, \"lots\"]\n", "amount \"lots\""),
        ("[[step]\n", "line 1"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("stream.toml"), "{says}: {error}");
    }
    assert!(matches!(Script::load(Path::new("/nowhere/stream.toml")), Err(ScriptError::Unreadable { .. })));
}

#[test]
fn the_demo_is_lively() {
    let demo = Script::load(Path::new("demo")).unwrap();
    let round = demo.round(0);
    let count = |kind: &str| round.iter().filter(|beat| beat.simulated.kind == kind).count();
    for kind in ["chat", "tip", "follow", "sub", "resub", "gift", "raid", "dropin", "online"] {
        assert!(count(kind) > 0, "no {kind}");
    }
    assert!(round.iter().any(|beat| beat.simulated.kind == "gift" && beat.simulated.count == Some(20)));
    assert!(demo.round_length().is_some());
    // Something is to be seen at once.
    assert!(round.iter().filter(|beat| beat.at < Duration::from_secs(5)).count() >= 5);
}

fn settings(script: Option<&str>) -> SimulatorSettings {
    let pace = Pace { messages: None, in_flight: 1, expiry: Duration::from_secs(1) };
    SimulatorSettings { channel: "main".into(), script: script.map(Into::into), record: None, pace }
}

fn link() -> (Link, mpsc::UnboundedReceiver<Draft>) {
    let (sender, events) = mpsc::unbounded_channel();
    let accept = Arc::new(move |draft| drop(sender.send(draft)));
    (Link { accept, report: Arc::new(|_| {}) }, events)
}

#[tokio::test]
async fn what_is_said_comes_back_as_our_own() {
    let (mut account, handle) = account(&settings(None)).unwrap();
    let (link, mut events) = link();
    let mut source = account.sources.remove(0).source;
    tokio::spawn(async move { source.run(&link).await });
    handle.simulate(&simulated("follow")).unwrap();
    assert!(matches!(events.recv().await.unwrap().event, Event::Follow(_)));

    let channel = Channel::new("simulator", "main");
    let receipt = account.sink.perform(&channel, &Action::Say { text: "hi".into() }).await.unwrap();
    let echo = events.recv().await.unwrap();
    assert!(echo.own);
    assert_eq!(echo.origin, Origin::Test);
    assert!(
        matches!(&echo.event, Event::Chat(chat) if chat.text == "hi" && Some(&chat.id) == receipt.message_id.as_ref())
    );
    let lift = Action::Lift { user_id: "x".into() };
    assert_eq!(account.sink.perform(&channel, &lift).await, Ok(Receipt::default()));
}

#[tokio::test]
async fn every_action_is_recorded_where_so_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("actions.jsonl");
    let settings = SimulatorSettings { record: Some(path.clone()), ..settings(None) };
    let channel = Channel::new("simulator", "main");
    for action in [
        Action::Say { text: "hi\nthere".into() },
        Action::RemoveMessage { message_id: "m1".into(), reason: "spam".into() },
    ] {
        // As after a restart: the file is added to.
        let (account, _handle) = account(&settings).unwrap();
        account.sink.perform(&channel, &action).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["action"], &lines[0]["text"]), (&"say".into(), &"hi\nthere".into()));
    assert_eq!((&lines[1]["action"], &lines[1]["message_id"]), (&"remove-message".into(), &"m1".into()));
    assert_eq!((&lines[1]["channel"]["id"], lines[1]["at_ms"].is_u64()), (&"main".into(), true));

    let nowhere = SimulatorSettings { record: Some(folder.path().join("no").join("where")), ..settings };
    let Err(refused) = account(&nowhere) else { panic!("a file in no folder was opened") };
    assert!(refused.to_string().starts_with("simulator.record: can't write "), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn the_demo_plays_round_after_round() {
    let (mut account, _handle) = account(&settings(Some("demo"))).unwrap();
    let (link, mut events) = link();
    let mut source = account.sources.remove(0).source;
    tokio::spawn(async move { source.run(&link).await });
    let demo = Script::load(Path::new("demo")).unwrap();
    let begin = Instant::now();
    let two_rounds = demo.round(0).len() + demo.round(1).len();
    for _ in 0..two_rounds {
        events.recv().await.unwrap();
    }
    let length = demo.round_length().unwrap();
    assert!(begin.elapsed() > length && begin.elapsed() <= length * 2);
}
