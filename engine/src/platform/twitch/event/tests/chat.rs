//! Lines of chat, announcements and whispers.

use super::*;
use crate::event::{ChatMessage, Roles, Span};

fn chat(draft: &Draft) -> &ChatMessage {
    match &draft.event {
        Event::Chat(chat) | Event::Whisper(chat) => chat,
        other => panic!("{other:?}"),
    }
}

fn shown(chat: &ChatMessage) -> Vec<(&str, &str, &str)> {
    let part = |span: &Span| {
        let start = usize::try_from(span.start).unwrap();
        &chat.text[start..start + usize::try_from(span.length).unwrap()]
    };
    chat.spans.iter().map(|span| (span.kind.as_str(), part(span), span.value.as_str())).collect()
}

fn line(text: &str, change: impl FnOnce(&mut Value)) -> Draft {
    let (topic, mut event) = sample("chat-action").remove(0);
    event["message"] = json!({ "text": text, "fragments": [{ "type": "text", "text": text }] });
    change(&mut event);
    let mut drafts = Stage::new().hear(&topic, &event);
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

#[test]
fn a_line_has_its_author_and_what_stands_in_it() {
    let draft = only("chat");
    assert_eq!((id_of(&draft), draft.at_ms, draft.own), ("twitch:chat:m1", NOW_MS, false));
    let chat = chat(&draft);
    assert_eq!(chat.text, "@Streamer Cheer1 hi Kappa");
    assert_eq!(shown(chat), [("mention", "@Streamer", "streamer"), ("cheer", "Cheer1", "1"), ("emote", "Kappa", "25")]);
    assert_eq!(chat.reply_to.as_deref(), Some("m0"));
    let author = &chat.author;
    assert_eq!(
        (author.id.as_str(), author.login.as_str(), author.display_name.as_str()),
        ("4145994", "viewer32", "Viewer32")
    );
    assert_eq!(author.badges, ["moderator/1", "subscriber/12"]);
    assert_eq!(author.roles, Roles { moderator: true, subscriber: true, ..Roles::default() });
    assert_eq!(author.color.as_deref(), Some("#00FF7F"));
    let extra = extra_of(&draft);
    assert_eq!((&extra["bits"], &extra["subscriber_months"]), (&json!(1), &json!(16)));
    assert_eq!(extra["reply"]["thread_message_id"], "m0");
}

#[test]
fn padding_hides_no_command() {
    let draft = only("chat-padded");
    let message = chat(&draft);
    assert_eq!(message.text, "!so Ünal https://example.com/a?b=1.");
    assert_eq!(shown(message), [("link", "https://example.com/a?b=1", "https://example.com/a?b=1")]);
    assert!(message.author.roles.first_time, "it is their first line");
    assert_eq!(message.author.color, None);
    for (written, read) in [
        ("!ping \u{e0000}", "!ping"),
        ("\u{200b}!ping\u{34f}", "!ping"),
        ("!ping", "!ping"),
        ("❤\u{fe0f}", "❤\u{fe0f}"),
        ("a \u{e0000} b", "a \u{e0000} b"),
        (" \u{e0000} ", ""),
    ] {
        let draft = line(written, |_| {});
        assert_eq!(chat(&draft).text, read);
    }
}

#[test]
fn an_action_is_a_line_like_any_other() {
    let draft = only("chat-action");
    assert_eq!(chat(&draft).text, "waves ☀️");
    assert_eq!(extra_of(&draft)["action"], json!(true));
}

#[test]
fn spans_stay_where_they_are_when_pieces_do_not_fit() {
    let fragments = json!([
        { "type": "text", "text": "ü " },
        { "type": "emote", "text": "Missing", "emote": { "id": "1" } },
        { "type": "emote", "text": "Kappa", "emote": { "id": "25" } },
        { "type": "gif", "text": "Kappa" },
        { "type": "mention", "text": "@x \u{e0000}", "mention": null },
    ]);
    let draft = line("ü Kappa Kappa @x \u{e0000}", |event| event["message"]["fragments"] = fragments);
    assert_eq!(shown(chat(&draft)), [("emote", "Kappa", "25"), ("gif", "Kappa", ""), ("mention", "@x", "")]);

    let draft =
        line("", |event| event["message"] = json!({ "fragments": [{ "type": "text", "text": "only pieces" }] }));
    assert_eq!(chat(&draft).text, "only pieces");
}

#[test]
fn links_are_words_that_begin_like_one() {
    let draft = line("(see http://a.example/x), https:// xhttp://b.example HTTP http://c.example!", |_| {});
    let addresses: Vec<&str> = shown(chat(&draft)).iter().map(|(_, _, value)| *value).collect();
    assert_eq!(addresses, ["http://a.example/x", "http://c.example"]);
}

#[test]
fn a_mirrored_line_says_where_it_was_written() {
    let draft = only("chat-mirrored");
    assert_eq!(chat(&draft).mirrored_from.as_deref(), Some("112233"));
    assert_eq!(extra_of(&draft)["source_message_id"], "s4");
    let home = line("x", |event| event["source_broadcaster_user_id"] = json!("1337"));
    assert_eq!(chat(&home).mirrored_from, None, "it was written here");
}

#[test]
fn our_own_lines_are_known() {
    assert!(line("x", |event| event["chatter_user_id"] = json!(OWN)).own);
    assert!(!line("x", |_| {}).own);
    let (topic, mut event) = sample("notice-announcement").remove(0);
    event["chatter_user_id"] = json!(OWN);
    assert!(Stage::new().hear(&topic, &event)[0].own);
}

#[test]
fn badges_are_roles() {
    let roles = |set: &str| {
        let draft = line("x", |event| event["badges"] = json!([{ "set_id": set, "id": "1" }]));
        chat(&draft).author.roles
    };
    assert!(
        roles("broadcaster").broadcaster && roles("vip").vip && roles("founder").subscriber && roles("staff").staff
    );
    assert!(roles("lead_moderator").moderator && roles("bot-badge").bot);
    assert_eq!(roles("glhf-pledge"), Roles::default());
    let streamer = line("x", |event| event["chatter_user_id"] = json!("1337"));
    assert!(chat(&streamer).author.roles.broadcaster);
}

#[test]
fn announcements_are_chat_and_whispers_are_not() {
    let announcement = only("notice-announcement");
    assert!(matches!(&announcement.event, Event::Chat(chat) if chat.text == "Hello all"));
    assert_eq!(id_of(&announcement), "twitch:chat:n-announcement");
    assert_eq!(extra_of(&announcement)["announcement"], "BLUE");

    let whisper = only("whisper");
    assert!(matches!(&whisper.event, Event::Whisper(chat) if chat.text == "a secret" && chat.author.login == "glow"));
    assert_eq!(id_of(&whisper), "twitch:whisper:w1");
}

#[test]
fn what_is_special_about_a_line_is_in_extra() {
    let extra = extra_of(&only("chat-rewarded"));
    assert_eq!(extra["message_type"], "channel_points_highlighted");
    assert_eq!(extra["channel_points_custom_reward_id"], "r1");
    assert_eq!(line("x", |_| {}).extra, None, "a plain line has none");
}
