//! What a beast may not do: every function of the contract without its grant, and everything that lies outside of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use showrunner::permission::VOCABULARY;
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::web::Web;
use showrunner_tests::zoo::Zoo;
use wit_parser::{Resolve, WorldItem};

/// What it takes to be refused, and in which way.
#[derive(Debug, Clone, Copy)]
enum Guard {
    /// The words name the permission and the item.
    Denied(&'static str),
    /// The same, with the address.
    DeniedAddress,
    /// It looks as if there were nothing.
    Empty { permission: &'static str, looks: &'static str },
    /// Needs no grant.
    Free,
}

/// Every function that a plugin can call.
const FUNCTIONS: [(&str, Guard); 29] = [
    ("agent.enqueue", Guard::Denied("agent.main")),
    ("alerts.show", Guard::Denied("alerts.show")),
    ("chat.announce", Guard::Denied("chat.announce")),
    ("chat.reply", Guard::Denied("chat.reply")),
    ("chat.say", Guard::Denied("chat.say")),
    ("chat.shoutout", Guard::Denied("chat.shoutout")),
    ("chat.whisper", Guard::Denied("chat.whisper")),
    ("clock.now-ms", Guard::Free),
    ("config.get", Guard::Free),
    ("gateway.publish", Guard::Denied("gateway.beast")),
    ("http.send", Guard::DeniedAddress),
    ("kv.get", Guard::Empty { permission: "kv", looks: "None" }),
    ("kv.increment", Guard::Denied("kv.use")),
    ("kv.keys", Guard::Empty { permission: "kv", looks: "[]" }),
    ("kv.remove", Guard::Denied("kv.use")),
    ("kv.set", Guard::Denied("kv.use")),
    ("log.write", Guard::Free),
    ("moderation.block", Guard::Denied("moderation.block")),
    ("moderation.lift", Guard::Denied("moderation.lift")),
    ("moderation.remove-message", Guard::Denied("moderation.remove-message")),
    ("moderation.resolve-held", Guard::Denied("moderation.resolve-held")),
    ("moderation.suspend", Guard::Denied("moderation.suspend")),
    ("moderation.warn", Guard::Denied("moderation.warn")),
    ("timers.cancel", Guard::Free),
    ("timers.start", Guard::Denied("timers.use")),
    ("tools.call", Guard::Denied("tools.clip")),
    ("viewers.find", Guard::Empty { permission: "viewers", looks: "false" }),
    ("viewers.get", Guard::Empty { permission: "viewers", looks: "false" }),
    ("viewers.recent-messages", Guard::Empty { permission: "viewers", looks: "0" }),
];

/// As the contract has them.
fn contract() -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/plugin.wit");
    let text = std::fs::read_to_string(path).unwrap();
    let package = resolve.push_source("plugin.wit", &text).unwrap();
    let world = &resolve.worlds[resolve.packages[package].worlds["imports"]];
    let mut functions = BTreeSet::new();
    for item in world.imports.values() {
        let &WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[id];
        let name = interface.name.as_deref().unwrap();
        functions.extend(interface.functions.keys().map(|function| format!("{name}.{function}")));
    }
    functions
}

#[test]
fn every_function_of_the_contract_and_every_word_of_a_grant_is_tried() {
    let tried: BTreeSet<String> = FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tried, contract());
    let mut guarded: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, guard) in FUNCTIONS {
        let (permission, item) = match guard {
            Guard::Denied(item) => item.split_once('.').unwrap(),
            Guard::DeniedAddress => ("http", ""),
            Guard::Empty { permission, .. } => (permission, "read"),
            Guard::Free => continue,
        };
        guarded.entry(permission).or_default().insert(item);
    }
    for (permission, items) in VOCABULARY {
        // Secrets are no function, as they stand in a header, nor is to review; each has a test of its own.
        let tried = guarded.get(permission).cloned().unwrap_or_default();
        assert!(permission == "secrets" || !tried.is_empty(), "{permission}");
        for item in items.into_iter().flatten() {
            assert!(tried.contains(item) || (permission, *item) == ("moderation", "review"), "{permission}.{item}");
        }
    }
}

/// Calls every function and says what came of each.
async fn call_all(zoo: &mut Zoo, url: &str) -> Vec<(&'static str, Guard, String)> {
    let mut results = Vec::new();
    for (name, guard) in FUNCTIONS {
        let order = if name == "http.send" { format!("call {name} {url}") } else { format!("call {name}") };
        results.push((name, guard, zoo.says(&order).await));
    }
    results
}

#[tokio::test]
async fn without_a_grant_nothing_can_be_done() {
    let web = Web::start().await;
    let manifest = fixtures::beast_manifest(web.port);
    let mut zoo = Zoo::open_with(&manifest, fixtures::beast(), |stage| {
        stage.grant("beast", "{}");
    })
    .await;
    for (name, guard, result) in call_all(&mut zoo, &web.url("/x")).await {
        match guard {
            Guard::Denied(item) => {
                assert_eq!(result, format!("denied: {item} was not granted by the operator"), "{name}");
            }
            Guard::DeniedAddress => {
                assert_eq!(result, format!("denied: http.{} was not granted by the operator", web.url("/x")));
            }
            Guard::Empty { looks, .. } => assert_eq!(result, looks, "{name}"),
            Guard::Free => assert!(!result.contains("denied"), "{name}: {result}"),
        }
    }
    assert_eq!(web.paths(), Vec::<String>::new());
    assert!(zoo.close(&[]).await.is_empty());
}

#[tokio::test]
async fn what_the_manifest_does_not_ask_for_can_not_be_granted() {
    let web = Web::start().await;
    let whole = fixtures::beast_manifest(web.port);
    let (head, rest) = whole.split_once("[permissions]").unwrap();
    let defaults = rest.split_once("[defaults]").unwrap().1;
    let modest = format!("{head}[defaults]{defaults}");
    let mut zoo = Zoo::open_without_beast(|stage| {
        // All is given, and nothing of it was asked for.
        stage.add(&Fixture { id: "beast", manifest: &whole, component: fixtures::beast() });
        stage.drop_in(&Fixture { id: "beast", manifest: &modest, component: fixtures::beast() });
    })
    .await;
    for (name, guard, result) in call_all(&mut zoo, &web.url("/x")).await {
        match guard {
            Guard::Denied(item) => {
                assert_eq!(result, format!("denied: {item} is not among the permissions in plugin.toml"), "{name}");
            }
            Guard::DeniedAddress => {
                let words = format!("denied: http.{} is not among the permissions in plugin.toml", web.url("/x"));
                assert_eq!(result, words);
            }
            Guard::Empty { looks, .. } => assert_eq!(result, looks, "{name}"),
            Guard::Free => assert!(!result.contains("denied"), "{name}: {result}"),
        }
    }
    assert_eq!(web.paths(), Vec::<String>::new());
    assert!(zoo.close(&[]).await.is_empty());
}

#[tokio::test]
async fn with_its_grant_each_is_allowed() {
    let web = Web::start().await;
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(web.port), fixtures::beast(), |stage| {
        let path = stage.path().join("key");
        std::fs::write(&path, "tell-nobody").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        stage.set("plugins.beast", "secrets", "{ key = \"file:key\" }");
    })
    .await;
    for (name, _, result) in call_all(&mut zoo, &web.url("/x")).await {
        assert!(!result.contains("denied"), "{name}: {result}");
    }
    assert_eq!(web.paths(), ["/x"]);
    zoo.daemon.stop().await;
}

#[tokio::test]
async fn a_secret_needs_a_grant_of_its_own() {
    let web = Web::start().await;
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(web.port), fixtures::beast(), |stage| {
        stage.grant("beast", &format!("{{ http = [\"http://127.0.0.1:{}/ private\"] }}", web.port));
    })
    .await;
    let result = zoo.says(&format!("call http.send {}", web.url("/x"))).await;
    assert_eq!(result, "denied: secrets.key was not granted by the operator");
    assert_eq!(web.paths(), Vec::<String>::new());
    zoo.close(&[]).await;
}

#[tokio::test]
async fn outside_of_the_contract_there_is_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stream = format!("connect {}", listener.local_addr().unwrap());
    let datagram = format!("datagram {}", datagrams.local_addr().unwrap());
    let mut zoo = Zoo::open(|_| {}).await;
    let own_folder = zoo.daemon.stage.plugin_folder("beast").display().to_string();
    let config = zoo.daemon.stage.config().display().to_string();
    let (list_own, read_config, write) =
        (format!("list {own_folder}"), format!("read {config}"), format!("write {own_folder}/left-behind"));
    let no_file = "refused: No such file or directory (os error 44)";
    let no_socket = "refused: Permission denied (os error 2)";
    // It asks for all of it, as a language's library does.
    let imports = zoo.daemon.status("beast").await.imports.join(" ");
    for asked in ["wasi:filesystem/types@", "wasi:sockets/tcp@", "wasi:sockets/udp@", "wasi:sockets/ip-name-lookup@"] {
        assert!(imports.contains(asked), "{asked}: {imports}");
    }
    for (what, found) in [
        ("environment", "0 variables"),
        ("arguments", "0 arguments"),
        ("folder", "/"),
        ("input", "0 bytes"),
        ("list /", no_file),
        ("read /etc/hostname", no_file),
        ("read plugin.toml", no_file),
        (list_own.as_str(), no_file),
        (read_config.as_str(), no_file),
        (write.as_str(), no_file),
        (stream.as_str(), no_socket),
        ("listen", no_socket),
        (datagram.as_str(), no_socket),
        ("resolve localhost", "refused: failed to lookup address information: Non-recoverable error"),
    ] {
        assert_eq!(zoo.says(&format!("world {what}")).await, found, "{what}");
    }
    assert_eq!(zoo.daemon.status("beast").await.crashes, 0);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    datagrams.set_nonblocking(true).unwrap();
    assert_eq!(datagrams.recv(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    zoo.close(&[]).await;
}

/// The same component, but where it asked for sockets it asks for rockets.
fn asking_for_rockets() -> Vec<u8> {
    let mut component = fixtures::beast().to_vec();
    let (asked, instead) = (b"wasi:sockets/", b"wasi:rockets/");
    for place in 0..=component.len() - asked.len() {
        if component[place..].starts_with(asked) {
            component[place..place + asked.len()].copy_from_slice(instead);
        }
    }
    component
}

#[tokio::test]
async fn a_component_that_asks_for_what_nobody_has_is_refused_by_its_name() {
    let mut zoo = Zoo::open(|_| {}).await;
    std::fs::write(zoo.daemon.stage.component("beast"), asking_for_rockets()).unwrap();
    let detail = zoo.daemon.reload("beast").await.detail;
    let words = "plugin.wasm does not fit this engine: component imports instance `wasi:rockets/";
    assert!(detail.starts_with(words) && detail.ends_with(" (version 1.0.0 goes on)"), "{detail}");
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}
