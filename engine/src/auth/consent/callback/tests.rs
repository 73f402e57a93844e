use std::net::Ipv4Addr;

use tokio::task::JoinHandle;

use super::*;

const STATE: &str = "the-state";

async fn get(address: String) -> (u16, String) {
    let client = crate::auth::http::client().unwrap();
    let answer = client.get(address).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn visit(callback: &Callback, query: &str) -> JoinHandle<(u16, String)> {
    tokio::spawn(get(format!("{}?{query}", callback.redirect())))
}

#[tokio::test]
async fn the_browser_brings_a_code_and_is_shown_what_came_of_it() {
    for (outcome, shown) in [(Ok("<anna>"), "Signed in as &lt;anna&gt;"), (Err("no \"key\""), "no &quot;key&quot;")] {
        let mut callback = Callback::bind("http://127.0.0.1:0/oauth", STATE, "twitch").await.unwrap();
        assert!(!callback.redirect().contains(":0/"), "the port is a real one");
        let browser = visit(&callback, "code=abc&scope=x&state=the-state");
        let arrival = callback.arrival().await.unwrap();
        assert_eq!(arrival.code, Hidden("abc".to_owned()));
        arrival.tell(outcome);
        callback.close().await;
        let (status, body) = browser.await.unwrap();
        assert!(status == 200 && body.contains(shown), "{body}");
        assert!(!body.contains("http") && !body.contains("src="), "nothing is fetched from elsewhere");
    }
}

#[tokio::test]
async fn what_does_not_belong_to_this_sign_in_is_refused_and_the_wait_goes_on() {
    let mut callback = Callback::bind("http://127.0.0.1:0/oauth", STATE, "twitch").await.unwrap();
    for query in ["code=evil&state=other", "code=evil", "code=evil&state=", "error=access_denied&state=other"] {
        let (status, body) = visit(&callback, query).await.unwrap();
        assert!(status == 400 && body.contains("Not the right sign-in"), "{query}: {body}");
    }
    let elsewhere = callback.redirect().replace("/oauth", "/favicon.ico");
    assert_eq!(get(elsewhere).await.0, 404);
    let browser = visit(&callback, "code=good&state=the-state");
    let arrival = callback.arrival().await.unwrap();
    assert_eq!(arrival.code, Hidden("good".to_owned()));
    arrival.tell(Ok("anna"));
    browser.await.unwrap();
}

#[tokio::test]
async fn a_page_that_is_loaded_again_is_not_told_that_it_failed() {
    let mut callback = Callback::bind("http://127.0.0.1:0/oauth", STATE, "twitch").await.unwrap();
    let first = visit(&callback, "code=abc&state=the-state");
    let arrival = callback.arrival().await.unwrap();
    let second = visit(&callback, "code=abc&state=the-state");
    let (_, again) = second.await.unwrap();
    assert!(again.contains("Done already"), "{again}");
    arrival.tell(Ok("anna"));
    callback.close().await;
    assert!(first.await.unwrap().1.contains("Signed in as anna"));
}

#[tokio::test]
async fn who_does_not_agree_is_told_so_on_both_sides() {
    let mut callback = Callback::bind("http://127.0.0.1:0/oauth", STATE, "twitch").await.unwrap();
    let query = "error=access_denied&error_description=The+user+denied+you+access&state=the-state";
    let browser = visit(&callback, query);
    let Err(denied) = callback.arrival().await else { panic!() };
    assert_eq!(denied.to_string(), "nobody was signed in: The user denied you access");
    let (_, body) = browser.await.unwrap();
    assert!(body.contains("Not signed in") && body.contains("denied you access"), "{body}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_what_to_do() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let redirect = format!("http://{host}:{}/oauth", address.port());
        let Err(refused) = Callback::bind(&redirect, STATE, "twitch").await else { panic!("{redirect}") };
        assert_eq!(refused.to_string(), format!("`redirect`: {address} is taken by another program"));
        assert!(refused.help.unwrap().contains("another `redirect`"));
    }
}

#[tokio::test]
async fn localhost_is_whatever_the_browser_takes_it_for() {
    let mut callback = Callback::bind("http://localhost:0/", STATE, "twitch").await.unwrap();
    let browser = visit(&callback, "code=abc&state=the-state");
    callback.arrival().await.unwrap().tell(Ok("anna"));
    assert_eq!(browser.await.unwrap().0, 200);
}

#[test]
fn a_machine_without_ipv6_has_one_of_the_two_addresses() {
    // Without IPv6 there is not even such a kind of address (EAFNOSUPPORT of Linux).
    assert!(is_unknown(&io::Error::from_raw_os_error(97)));
    assert!(is_unknown(&io::ErrorKind::AddrNotAvailable.into()));
    assert!(!is_unknown(&io::ErrorKind::AddrInUse.into()));
    assert!(!is_unknown(&io::ErrorKind::PermissionDenied.into()));
}
