use super::super::testing::{Answer, MemoryTokens, Service};
use super::*;

fn get() -> Request {
    Request::get("streams").query("user_id", "1 & 2")
}

async fn ask(service: &Service, tokens: &Arc<MemoryTokens>) -> Result<Value, HelixError> {
    let helix = service.helix(tokens);
    let access = helix.access().await?;
    helix.ask(&access, &get()).await
}

#[tokio::test]
async fn a_call_carries_what_twitch_asks_for() {
    let service = Service::start([Answer::json(200, &serde_json::json!({ "data": [], "more": 1 }))]).await;
    let answer = ask(&service, &Arc::default()).await.unwrap();
    assert_eq!(answer, serde_json::json!({ "data": [], "more": 1 }));
    let asked = service.asked().remove(0);
    assert_eq!(asked.line, "GET /helix/streams?user_id=1+%26+2");
    assert_eq!((&*asked.token, &*asked.client_id), ("Bearer token-1", "the-client-id"));
    assert_eq!(ask(&service, &Arc::default()).await, Ok(Value::Null), "an answer without a body");
}

#[tokio::test]
async fn a_token_that_is_refused_is_refreshed_once() {
    let service = Service::start([Answer::error(401, "Invalid OAuth token"), Answer::json(200, &Value::Null)]).await;
    let tokens = Arc::default();
    assert!(ask(&service, &tokens).await.is_ok());
    assert_eq!(tokens.refreshes(), 1);
    assert_eq!(
        service.asked().iter().map(|asked| &*asked.token).collect::<Vec<_>>(),
        ["Bearer token-1", "Bearer token-2"]
    );

    let service = Service::start([Answer::error(401, "Invalid OAuth token"), Answer::error(401, "no")]).await;
    let error = ask(&service, &tokens).await.unwrap_err();
    assert_eq!(error.to_string(), "HTTP 401, \"no\"");
    assert_eq!((tokens.refreshes(), service.asked().len()), (2, 2));
}

#[tokio::test]
async fn a_token_that_is_refused_when_it_is_fresh_is_not_refreshed_for_every_call() {
    let service = Service::start((0..9).map(|_| Answer::error(401, "Invalid OAuth token"))).await;
    let tokens: Arc<MemoryTokens> = Arc::default();
    let helix = service.helix(&tokens);
    for (calls, refreshes) in [(2, 1), (3, 1), (4, 1)] {
        let access = helix.access().await.unwrap();
        assert_eq!(helix.ask(&access, &get()).await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
        assert_eq!((service.asked().len(), tokens.refreshes()), (calls, refreshes));
    }
    tokio::time::pause();
    tokio::time::advance(FRESH).await;
    tokio::time::resume();
    let access = helix.access().await.unwrap();
    assert!(helix.ask(&access, &get()).await.is_err());
    assert_eq!((service.asked().len(), tokens.refreshes()), (6, 2));
}

#[tokio::test]
async fn a_token_without_the_scope_is_not_refreshed_for_it() {
    let service = Service::start([Answer::error(401, "Missing scope: clips:edit")]).await;
    let tokens = Arc::default();
    assert!(ask(&service, &tokens).await.is_err());
    assert_eq!((tokens.refreshes(), service.asked().len()), (0, 1));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let service = Service::start([]).await;
    let tokens: Arc<MemoryTokens> = Arc::default();
    *tokens.error.lock().unwrap() = Some(TokenError::SignIn { why: "nobody".into(), what_to_do: "sign in".into() });
    let error = ask(&service, &tokens).await.unwrap_err();
    assert_eq!(error, HelixError::SignIn { why: "nobody".into(), what_to_do: "sign in".into() });
    *tokens.error.lock().unwrap() = Some(TokenError::Later("the disk".into()));
    assert!(ask(&service, &tokens).await.unwrap_err().is_passing());
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn an_empty_bucket_sends_nothing_until_it_is_full() {
    let reset = || (now_ms() / 1000 + 40).to_string();
    let empty = Answer {
        status: 200,
        headers: vec![("ratelimit-remaining", "0".into()), ("ratelimit-reset", reset())],
        body: "{}".into(),
    };
    let service = Service::start([empty, Answer::json(200, &Value::Null)]).await;
    let helix = service.helix(&Arc::default());
    let access = helix.access().await.unwrap();
    assert!(helix.ask(&access, &get()).await.is_ok());
    let Err(HelixError::Exhausted(wait)) = helix.ask(&access, &get()).await else { panic!() };
    assert!(wait > Duration::from_secs(30) && wait <= Duration::from_secs(60), "{wait:?}");
    assert_eq!(service.asked().len(), 1);
    tokio::time::pause();
    tokio::time::advance(wait).await;
    tokio::time::resume();
    assert!(helix.ask(&access, &get()).await.is_ok());
}

#[tokio::test]
async fn a_limit_of_one_call_does_not_wait_for_the_bucket() {
    let headers = vec![("ratelimit-remaining", "700".into()), ("ratelimit-reset", (now_ms() / 1000 + 40).to_string())];
    let limited = Answer { headers, ..Answer::error(429, "slow down") };
    let service = Service::start([limited, Answer::json(200, &Value::Null)]).await;
    let helix = service.helix(&Arc::default());
    let access = helix.access().await.unwrap();
    let error = helix.ask(&access, &get()).await.unwrap_err();
    assert!(matches!(error, HelixError::Status { wait: None, .. }), "{error:?}");
    assert!(helix.ask(&access, &get()).await.is_ok());
}

#[tokio::test]
async fn an_error_tells_twitchs_words_and_never_the_token() {
    let service = Service::start([
        Answer::error(400, "bad\ntoken-1 is bad"),
        Answer { status: 502, headers: Vec::new(), body: "<html>token-1".into() },
        Answer { status: 200, headers: Vec::new(), body: "<html>".into() },
        Answer { status: 200, headers: Vec::new(), body: " ".repeat(MAX_ANSWER_BYTES + 1) },
    ])
    .await;
    let tokens = Arc::default();
    for told in [
        "HTTP 400, \"bad… is bad\"",
        "HTTP 502",
        "an answer that is not understood: it is no JSON",
        "an answer that is not understood: it is too long",
    ] {
        assert_eq!(ask(&service, &tokens).await.unwrap_err().to_string(), told);
    }
}
