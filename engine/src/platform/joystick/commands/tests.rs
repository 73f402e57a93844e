use serde_json::json;
use tokio::time::Instant;

use super::*;

const ECHO: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(3);

fn channel(id: &str) -> Arc<str> {
    id.into()
}

/// Says a line in a task of its own.
fn say(queue: &Arc<CommandQueue>, channel: &str, text: &str) -> tokio::task::JoinHandle<Outcome> {
    let (queue, channel, text) = (Arc::clone(queue), Arc::<str>::from(channel), text.to_owned());
    tokio::spawn(async move { queue.carry_out(&channel, json!({ "text": text }), Proof::Echo(&text, ECHO)).await })
}

fn mute(queue: &Arc<CommandQueue>, message_id: &str) -> tokio::task::JoinHandle<Outcome> {
    let (queue, data) = (Arc::clone(queue), json!({ "message_id": message_id }));
    let name = format!("mute_user {message_id}");
    tokio::spawn(async move { queue.carry_out(&channel("c"), data, Proof::Silence(&name, SILENCE)).await })
}

fn ended(message_id: &str) -> Refused {
    Refused::Ended { name: format!("mute_user {message_id}"), channel: channel("c") }
}

fn receipt(message_id: &str) -> Outcome {
    Ok(Receipt { message_id: Some(message_id.to_owned()) })
}

#[tokio::test(start_paused = true)]
async fn a_line_is_done_when_it_comes_back() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let saying = say(&queue, "c", "a &  b <3");
    assert_eq!(queue.channel_of("a & b <3"), None, "nobody waits yet");
    assert_eq!(open.next().await.data, json!({ "text": "a &  b <3" }));
    assert_eq!(queue.channel_of("a & b <3"), Some(channel("c")));
    queue.heard("elsewhere", "a & b <3", "m0");
    queue.heard("c", "something else", "m1");
    queue.heard("c", " a &amp; b &lt;3", "m2");
    assert_eq!(saying.await.unwrap(), receipt("m2"));
}

#[tokio::test(start_paused = true)]
async fn a_line_with_tags_comes_back_as_it_was_escaped_or_without_them() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let text = "<b>hi</b> &  <i>you</i> <3";
    for echo in [
        text,
        "&lt;b&gt;hi&lt;/b&gt; &amp; &lt;i&gt;you&lt;/i&gt; &lt;3",
        "&amp;lt;b&amp;gt;hi&amp;lt;/b&amp;gt; &amp;amp; &amp;lt;i&amp;gt;you&amp;lt;/i&amp;gt; &amp;lt;3",
        "hi & you <3",
        "hi &amp; you &lt;3",
    ] {
        let saying = say(&queue, "c", text);
        open.next().await;
        queue.heard("c", "hi & they <3", "m0");
        assert_eq!(queue.channel_of(echo), Some(channel("c")), "{echo}");
        queue.heard("c", echo, "m1");
        assert_eq!(saying.await.unwrap(), receipt("m1"), "{echo}");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_lines_come_back_one_by_one_and_others_in_any_order() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let mut saying = Vec::new();
    for text in ["gm", "gn", "gm"] {
        saying.push(say(&queue, "c", text));
        open.next().await;
    }
    for (text, id) in [("gn", "m2"), ("gm", "m1"), ("gm", "m3"), ("gm", "of somebody else's program")] {
        queue.heard("c", text, id);
    }
    for (saying, id) in saying.into_iter().zip(["m1", "m2", "m3"]) {
        assert_eq!(saying.await.unwrap(), receipt(id));
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_come_back_is_uncertain() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let saying = say(&queue, "c", "gm");
    open.next().await;
    let begun = Instant::now();
    let lost = ActionError::Lost("it did not come back from the chat within 5s".into());
    assert_eq!(saying.await.unwrap(), Err(lost));
    assert_eq!(begun.elapsed(), ECHO);
    // Too late.
    queue.heard("c", "gm", "m1");
    assert!(queue.state().waiting.is_empty());
}

#[tokio::test(start_paused = true)]
async fn silence_is_success() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let muting = mute(&queue, "m1");
    open.next().await;
    let begun = Instant::now();
    assert_eq!(muting.await.unwrap(), Ok(Receipt::default()));
    assert_eq!(begun.elapsed(), SILENCE);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_the_oldests_that_left() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody);
    let saying = say(&queue, "c", "gm");
    open.next().await;
    let muting = mute(&queue, "m1");
    open.next().await;
    // This one has not left.
    let waits = say(&queue, "c", "gn");
    tokio::task::yield_now().await;
    assert_eq!(queue.heard_refusal("too fast"), Refused::Waiting);
    assert_eq!(saying.await.unwrap(), Err(ActionError::Refused("too fast".into())));
    assert_eq!(queue.heard_refusal("not allowed"), Refused::Waiting);
    assert_eq!(muting.await.unwrap(), Err(ActionError::Refused("not allowed".into())));
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody);
    open.next().await;
    queue.heard("c", "gn", "m3");
    assert_eq!(waits.await.unwrap(), receipt("m3"));
}

#[tokio::test(start_paused = true)]
async fn a_late_error_is_no_refusal_of_what_came_after() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    for message_id in ["m1", "m2"] {
        let muting = mute(&queue, message_id);
        open.next().await;
        assert_eq!(muting.await.unwrap(), Ok(Receipt::default()));
    }
    let saying = say(&queue, "c", "gm");
    open.next().await;
    assert_eq!(queue.heard_refusal("not allowed"), ended("m1"));
    assert_eq!(queue.heard_refusal("not allowed"), ended("m2"));
    queue.heard("c", "gm", "m3");
    assert_eq!(saying.await.unwrap(), receipt("m3"));
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody);
}

#[tokio::test(start_paused = true)]
async fn what_an_error_may_be_of_is_not_said_to_be_done() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let done = mute(&queue, "m1");
    open.next().await;
    assert_eq!(done.await.unwrap(), Ok(Receipt::default()));
    let muting = mute(&queue, "m2");
    open.next().await;
    assert_eq!(queue.heard_refusal("not allowed"), ended("m1"));
    let doubt = "the gateway refused it, or a command before it, with \"not allowed\"";
    assert_eq!(muting.await.unwrap(), Err(ActionError::Lost(doubt.into())));
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody, "its error was heard");

    let done = mute(&queue, "m3");
    open.next().await;
    assert_eq!(done.await.unwrap(), Ok(Receipt::default()));
    let saying = say(&queue, "c", "gm");
    open.next().await;
    assert_eq!(queue.heard_refusal("not allowed"), ended("m3"));
    let lost = format!("it did not come back from the chat within 5s; {doubt}");
    assert_eq!(saying.await.unwrap(), Err(ActionError::Lost(lost)));
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_forgotten_in_time_and_with_its_connection() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    let done = mute(&queue, "m1");
    open.next().await;
    done.await.unwrap().unwrap();
    tokio::time::advance(LATE).await;
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody);
    // What was given up may have been done as well.
    let cut = mute(&queue, "m2");
    open.next().await;
    cut.abort();
    assert!(cut.await.unwrap_err().is_cancelled());
    assert_eq!(queue.heard_refusal("not allowed"), ended("m2"));
    let done = mute(&queue, "m3");
    open.next().await;
    done.await.unwrap().unwrap();
    drop(open);
    let _open = queue.open();
    assert_eq!(queue.heard_refusal("nobody asked"), Refused::Nobody);
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_nothing_leaves() {
    let queue = Arc::new(CommandQueue::default());
    let unreachable = |why: &str| Err(ActionError::Unreachable(why.into()));
    assert_eq!(say(&queue, "c", "gm").await.unwrap(), unreachable("there is no connection"));
    let mut open = queue.open();
    let written = say(&queue, "c", "gm");
    open.next().await;
    let waiting = say(&queue, "c", "gn");
    tokio::task::yield_now().await;
    drop(open);
    assert_eq!(written.await.unwrap(), Err(ActionError::Lost("the connection was lost".into())));
    assert_eq!(waiting.await.unwrap(), unreachable("the connection was lost"));
    assert_eq!(say(&queue, "c", "gm").await.unwrap(), unreachable("there is no connection"));
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_never_leaves() {
    let queue = Arc::new(CommandQueue::default());
    let mut open = queue.open();
    // The socket takes nothing for longer than anybody waits.
    let stuck = ActionError::Unreachable("the connection takes nothing at the moment".into());
    assert_eq!(say(&queue, "c", "old").await.unwrap(), Err(stuck));
    let cut = say(&queue, "c", "cut");
    tokio::task::yield_now().await;
    cut.abort();
    assert!(cut.await.unwrap_err().is_cancelled());
    let saying = say(&queue, "c", "new");
    assert_eq!(open.next().await.data, json!({ "text": "new" }));
    queue.heard("c", "new", "m1");
    assert_eq!(saying.await.unwrap(), receipt("m1"));
}
