//! A session without its socket.

use std::sync::Mutex;

use serde_json::json;
use tokio::time::advance;

use super::super::eventsub::Subscription;
use super::super::testing::Service;
use super::super::topics::TOPICS;
use super::look_ups::Found;
use super::missed::Missed;
use super::*;

const NOW_MS: u64 = 1_767_607_872_000;

fn channel() -> Channel {
    Channel::new("twitch", "1337")
}

fn listening(service: &Service, topic: &str) -> Listening {
    let topic = TOPICS.iter().find(|known| known.name == topic).unwrap();
    Listening {
        address: String::new(),
        sign_in: "sign in",
        channels: vec![channel()],
        topics: vec![(channel(), topic)],
        helix: service.helix(&Arc::default()),
        shared: Arc::new(Shared::new()),
    }
}

/// What is told on it.
fn link() -> (Link, Arc<Mutex<Vec<Draft>>>) {
    let told: Arc<Mutex<Vec<Draft>>> = Arc::default();
    let accept = {
        let told = Arc::clone(&told);
        move |draft| told.lock().unwrap().push(draft)
    };
    (Link { accept: Arc::new(accept), report: Arc::new(|_| {}) }, told)
}

#[tokio::test(start_paused = true)]
async fn what_was_held_back_before_a_look_up_is_not_late() {
    let service = Service::start([]).await;
    let mut source = TwitchSource::new(listening(&service, "stream.online"), Arc::default());
    let access = source.listening.helix.access().await.unwrap();
    let (link, told) = link();
    let welcome = Welcome { session_id: "s1".into(), at_ms: Some(NOW_MS) };
    let mut session = Session::new(&mut source, &link, &welcome, access);
    let gift = json!({ "user_id": "7", "user_login": "gina", "user_name": "Gina", "total": 3, "tier": "1000" });
    let subscription = Subscription {
        topic: "channel.subscription.gift".into(),
        version: "1".into(),
        status: "enabled".into(),
        condition: json!({ "broadcaster_user_id": "1337" }),
    };
    session.take("m1", None, &Notification { subscription, events: vec![(None, gift)] });
    assert!(told.lock().unwrap().is_empty(), "its names are to come");
    advance(Duration::from_secs(3600)).await;
    let online = Missed::Notice {
        channel: channel(),
        topic: "stream.online",
        version: "1",
        id: "missed".into(),
        at_ms: None,
        event: json!({ "id": "s1" }),
    };
    session.tell_missed(Found { gap: (channel(), What::Stream), is_closed: true, missed: vec![online] });
    let is_late = |draft: &Draft| draft.extra.as_ref().is_some_and(|extra| extra.contains("\"late\":true"));
    let told: Vec<(&str, bool)> =
        told.lock().unwrap().iter().map(|draft| (draft.event.name(), is_late(draft))).collect();
    assert_eq!(told, [("gift", false), ("broadcast", true)]);
}
