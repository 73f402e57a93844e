//! Plugins that call the web: where the operator lets them, and no further.

use showrunner_tests::daemon::{Daemon, Stage, probe_manifest};
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::web::Web;

const SECRET: &str = "tell-nobody";

/// A probe that may call the server, changed as a test wants it, and the secret it may send.
async fn start(web: &Web, change: impl FnOnce(&mut Stage)) -> Daemon {
    let mut stage = Stage::default();
    let manifest = probe_manifest("probe").replace(":1/", &format!(":{}/", web.port));
    stage.add(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe() });
    let path = stage.path().join("key");
    std::fs::write(&path, SECRET).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    stage.set("plugins.probe", "secrets", "{ key = \"file:key\" }");
    change(&mut stage);
    stage.start().await
}

async fn fetch(daemon: &mut Daemon, url: &str) -> String {
    daemon.ask("probe", &format!("fetch {url}")).await.remove(0)
}

/// What the operator grants in place of all that the probe asks for.
fn granted(rules: &[String]) -> String {
    format!("{{ chat = [\"say\"], http = {rules:?}, secrets = [\"key\"] }}")
}

#[tokio::test]
async fn what_asker_and_operator_agree_on_is_called() {
    let web = Web::start().await;
    let mut daemon = start(&web, |_| {}).await;
    assert_eq!(fetch(&mut daemon, &web.url("/ok?q=1")).await, "200");
    assert_eq!(web.paths(), ["/ok"]);
    daemon.stop().await;
}

#[tokio::test]
async fn what_was_not_asked_for_or_not_granted_is_not_called() {
    let web = Web::start().await;
    let rules = [format!("http://127.0.0.1:{}/open/ private", web.port)];
    let mut daemon = start(&web, |stage| {
        stage.edit_manifest("probe", |text| {
            text.replace(
                &format!("{}/ private\"", web.port),
                &format!("{0}/open/ private\", \"http://127.0.0.1:{0}/asked/ private\"", web.port),
            )
        });
        stage.grant("probe", &granted(&rules));
    })
    .await;
    for path in ["/", "/asked/x", "/open", "/openly", "/open/../asked/x", "/open/%2e%2e/asked/x"] {
        assert_eq!(fetch(&mut daemon, &web.url(path)).await, "denied", "{path}");
    }
    for url in ["http://127.0.0.1:1/open/x", "https://127.0.0.1/open/x", "http://example.invalid/open/x"] {
        assert_eq!(fetch(&mut daemon, url).await, "denied", "{url}");
    }
    assert_eq!(fetch(&mut daemon, "no address").await, "bad-request");
    assert_eq!(fetch(&mut daemon, &web.url("/open/x")).await, "200");
    assert_eq!(web.paths(), ["/open/x"]);
    daemon.stop().await;
}

#[tokio::test]
async fn this_machine_is_only_called_where_both_say_private() {
    let web = Web::start().await;
    let rules = ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{}/", web.port));
    let mut daemon = start(&web, |stage| {
        stage.grant("probe", &granted(&rules));
    })
    .await;
    assert_eq!(fetch(&mut daemon, &web.url("/")).await, "denied");
    // A name leads there as well.
    assert_eq!(fetch(&mut daemon, &format!("http://localhost:{}/", web.port)).await, "denied");
    assert_eq!(web.paths(), Vec::<String>::new());
    daemon.stop().await;
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let web = Web::start().await;
    let mut daemon = start(&web, |_| {}).await;
    assert_eq!(fetch(&mut daemon, &web.url("/elsewhere")).await, "302");
    assert_eq!(web.paths(), ["/elsewhere"]);
    daemon.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_cut_off() {
    let web = Web::start().await;
    let mut daemon = start(&web, |stage| {
        stage.set("host.limits", "http-body-size", "\"1KiB\"");
    })
    .await;
    assert_eq!(fetch(&mut daemon, &web.url("/large")).await, "too-large");
    assert_eq!(fetch(&mut daemon, &web.url("/small")).await, "200");
    daemon.stop().await;
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_without_harm_to_the_plugin() {
    let web = Web::start().await;
    let mut daemon = start(&web, |stage| {
        // The wait does not count as the plugin's own time.
        stage.set("host.limits", "http-timeout", "\"3s\"").set("host.limits", "handle", "\"2s\"");
    })
    .await;
    daemon.ask("probe", "remember me").await;
    assert_eq!(fetch(&mut daemon, &web.url("/gate")).await, "timeout");
    assert_eq!(daemon.ask("probe", "recall").await, ["me"]);
    daemon.stop().await;
}

#[tokio::test]
async fn requests_of_a_minute_are_counted() {
    let web = Web::start().await;
    let mut daemon = start(&web, |stage| {
        stage.set("host.limits", "http-per-minute", "2");
    })
    .await;
    for expected in ["200", "200", "rate-limited"] {
        assert_eq!(fetch(&mut daemon, &web.url("/")).await, expected);
    }
    assert_eq!(web.paths().len(), 2);
    daemon.stop().await;
}

#[tokio::test]
async fn a_secret_is_filled_in_by_the_host_and_never_seen_by_the_plugin() {
    let mut web = Web::start().await;
    let mut daemon = start(&web, |_| {}).await;
    let order = format!("header {}", web.url("/with-key"));
    assert_eq!(daemon.ask("probe", &order).await, ["200"]);
    assert_eq!(web.arrival().await.key.as_deref(), Some(SECRET));
    assert!(!format!("{:?}", daemon.so_far()).contains(SECRET));
    daemon.stop().await;
}

#[tokio::test]
async fn a_secret_that_was_not_granted_or_not_set_goes_nowhere() {
    let web = Web::start().await;
    let mut daemon = start(&web, |_| {}).await;
    let order = format!("header {}", web.url("/with-key"));
    let rule = format!("http://127.0.0.1:{}/ private", web.port);
    daemon.configure("plugins.probe", "grant", &format!("{{ chat = [\"say\"], http = [{rule:?}] }}")).await;
    assert_eq!(daemon.ask("probe", &order).await, ["denied"]);
    daemon.stage.unset("plugins.probe", "secrets");
    daemon.configure("plugins.probe", "grant", &granted(&[rule])).await;
    assert_eq!(daemon.ask("probe", &order).await, ["denied"]);
    assert_eq!(web.paths(), Vec::<String>::new());
    daemon.stop().await;
}
