//! What is looked up of a stream, and what of it is news.

use super::super::super::testing::{Answer, Service};
use super::*;

fn channel() -> Channel {
    Channel::new("twitch", "1337")
}

fn data(items: &[Value]) -> Answer {
    Answer::json(200, &json!({ "data": items }))
}

/// What Twitch shows of a channel with one stream, or none.
fn shown(id: Option<&str>) -> [Answer; 2] {
    let live: Vec<Value> = id.map(|id| json!({ "id": id, "started_at": "2026-01-05T10:00:00Z" })).into_iter().collect();
    [data(&live), data(&[json!({ "title": "gm", "game_id": "1" })])]
}

/// Ten minutes after those streams began.
const SINCE_MS: u64 = 1_767_607_800_000;

async fn stream_since(service: &Service, memory: &Memory, since_ms: u64) -> Vec<String> {
    let errand = Errand { gap: (channel(), What::Stream), since_ms: Some(since_ms) };
    let missed = look_up(&service.helix(&std::sync::Arc::default()), memory, &errand).await.unwrap();
    let told = |missed: Missed| match missed {
        Missed::Notice { id, .. } => id,
        other => panic!("{other:?}"),
    };
    missed.into_iter().map(told).collect()
}

#[tokio::test]
async fn a_stream_that_was_live_all_the_time_is_no_news_whatever_else_was_heard_first() {
    let service = Service::start(shown(Some("s1")).into_iter().chain(shown(Some("s1")))).await;
    let memory = Memory::default();
    memory.hear(&channel(), "channel.update", &json!({ "title": "gm", "category_id": "1" }));
    assert!(stream_since(&service, &memory, SINCE_MS).await.is_empty());
    // One that began in the gap is.
    let memory = Memory::default();
    memory.hear(&channel(), "channel.update", &json!({ "title": "gm", "category_id": "1" }));
    assert_eq!(stream_since(&service, &memory, SINCE_MS - 3_600_000).await, ["missed:stream.online:s1"]);
}

#[tokio::test]
async fn a_look_that_an_event_overtakes_is_made_once_more() {
    let answers = shown(Some("s2")).into_iter().chain(shown(Some("s2")));
    let service = Service::start(answers).await;
    let memory = Memory::default();
    memory.hear(&channel(), "stream.online", &json!({ "id": "s1" }));
    let overtake = async {
        service.was_asked(1).await;
        memory.hear(&channel(), "channel.update", &json!({ "title": "gm", "category_id": "1" }));
    };
    let (told, ()) = tokio::join!(stream_since(&service, &memory, SINCE_MS), overtake);
    assert_eq!(told, ["missed:stream.offline:s1", "missed:stream.online:s2"]);
    assert_eq!(service.asked().len(), 4);
    assert!(!memory.is_told(&channel(), "stream.offline"), "its end is another one");
}
