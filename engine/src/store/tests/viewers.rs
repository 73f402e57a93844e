use super::*;
use crate::event::{Follow, Roles};

#[tokio::test]
async fn a_viewer_is_counted_by_id_and_found_by_any_spelling_of_the_login() {
    let place = Place::new();
    let store = place.open();
    for (number, at_ms) in [(1, 5_000), (2, 9_000), (3, 7_000)] {
        let mut line = message(&number.to_string(), "anna", "hello");
        line.author.login = "Änna_Live".to_owned();
        line.author.roles = Roles { moderator: true, first_time: number == 1, ..Roles::default() };
        line.author.badges = vec!["founder".to_owned()];
        let mut event = envelope(&format!("event {number}"), Event::Chat(line));
        event.at_ms = at_ms;
        store.journal_event(Arc::new(event), false);
    }
    let viewer = store.viewer("retake", "anna").await.unwrap().unwrap();
    assert_eq!((viewer.messages, viewer.first_seen_ms, viewer.last_seen_ms), (3, 5_000, 9_000));
    assert_eq!(viewer.user.roles, Roles { moderator: true, ..Roles::default() });
    assert_eq!(viewer.user.badges, ["founder"]);
    assert_eq!(store.find_viewer("retake", "äNNA_live").await.unwrap(), Some(viewer));
    assert_eq!(store.find_viewer("twitch", "änna_live").await.unwrap(), None);
    assert_eq!(store.viewer("twitch", "anna").await.unwrap(), None);
}

#[tokio::test]
async fn a_login_that_changed_hands_finds_whoever_has_it_now() {
    let place = Place::new();
    let store = place.open();
    for (id, user_id, at_ms) in [("one", "old", 1_000), ("two", "new", 2_000)] {
        let mut line = message(id, user_id, "hello");
        line.author.login = "star".to_owned();
        let mut event = envelope(id, Event::Chat(line));
        event.at_ms = at_ms;
        store.journal_event(Arc::new(event), false);
    }
    assert_eq!(store.find_viewer("retake", "STAR").await.unwrap().unwrap().user.id, "new");
}

#[tokio::test]
async fn tests_replays_and_our_own_lines_are_journalled_and_not_counted() {
    let place = Place::new();
    let store = place.open();
    for (id, origin, own) in
        [("one", Origin::Test, false), ("two", Origin::Replay, false), ("three", Origin::Live, true)]
    {
        let mut event = Envelope::clone(&chat(id, "anna", "hello"));
        event.origin = origin;
        store.journal_event(Arc::new(event), own);
    }
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 3);
    assert_eq!(store.viewer("retake", "anna").await.unwrap(), None);
    assert_eq!(store.recent_lines(&channel(), "anna", 10).await.unwrap(), []);
}

#[tokio::test]
async fn an_event_that_knows_less_does_not_wipe_out_what_chat_told() {
    let place = Place::new();
    let store = place.open();
    let mut line = message("one", "anna", "hello");
    line.author.roles.subscriber = true;
    store.journal_event(Arc::new(envelope("one", Event::Chat(line.clone()))), false);
    let who = User { id: "anna".to_owned(), ..User::default() };
    let mut follow = envelope("two", Event::Follow(Follow { who }));
    follow.at_ms = 8_000;
    store.journal_event(Arc::new(follow), false);

    let viewer = store.viewer("retake", "anna").await.unwrap().unwrap();
    assert_eq!(viewer.user, line.author);
    assert_eq!((viewer.messages, viewer.last_seen_ms), (1, 8_000));
}

#[tokio::test]
async fn the_newest_fifty_lines_of_each_channel_are_kept() {
    let place = Place::new();
    let store = place.open();
    for number in 0..200 {
        // Two channels in turn: the count of the viewer's lines is over both.
        let mut event = Envelope::clone(&chat(&number.to_string(), "anna", &format!("line {number}")));
        event.channel = Channel::new("retake", if number % 2 == 0 { "even" } else { "odd" });
        store.journal_event(Arc::new(event), false);
    }
    for (id, newest) in [("even", "line 198"), ("odd", "line 199")] {
        let lines = store.recent_lines(&Channel::new("retake", id), "anna", 100).await.unwrap();
        assert_eq!((lines.len(), &*lines[0].text), (50, newest));
        assert_eq!(store.recent_lines(&Channel::new("retake", id), "anna", 3).await.unwrap(), lines[..3]);
    }
    assert!(number(&store, "SELECT count(*) FROM lines").await <= 2 * 50 + 16);
}

#[tokio::test]
async fn a_line_that_was_taken_away_stays_and_is_marked() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "rude"), false);
    store.journal_event(chat("two", "anna", "kind"), false);
    store.mark_removed(&channel(), "message-one");
    store.mark_removed(&Channel::new("retake", "elsewhere"), "message-two");
    let lines = store.recent_lines(&channel(), "anna", 10).await.unwrap();
    let seen: Vec<_> = lines.iter().map(|line| (&*line.text, line.removed)).collect();
    assert_eq!(seen, [("kind", false), ("rude", true)]);
}

#[tokio::test]
async fn what_was_journalled_and_not_yet_counted_before_a_crash_is_counted_at_the_next_start() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "first"), false);
    store.viewer("retake", "anna").await.unwrap();
    store.journal_event(chat("two", "anna", "second"), false);
    store.journal_event(chat("own", "anna", "ours"), true);
    let copy = place.killed(&store).await;
    let unprojected = "SELECT count(*) FROM events, projection WHERE events.position > projection.position";
    assert_eq!(number(&store, unprojected).await, 2);

    let store = copy.open();
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 2);
    let lines = store.recent_lines(&channel(), "anna", 10).await.unwrap();
    assert_eq!(lines.iter().map(|line| &*line.text).collect::<Vec<_>>(), ["second", "first"]);
}
