//! What each action asks of Twitch, and what its answers come to.

use super::super::testing::{Answer, Asked, MemoryTokens, Service};
use super::*;
use crate::auth::TokenError;

fn channel() -> Channel {
    Channel::new("twitch", "1337")
}

fn sent(id: &str) -> Answer {
    Answer::json(200, &json!({ "data": [{ "message_id": id, "is_sent": true, "drop_reason": null }] }))
}

fn dropped(code: &str) -> Answer {
    let reason = json!({ "code": code, "message": "because" });
    Answer::json(200, &json!({ "data": [{ "message_id": "", "is_sent": false, "drop_reason": reason }] }))
}

async fn perform(answers: Vec<Answer>, action: Action) -> (Result<Receipt, ActionError>, Vec<Asked>) {
    let service = Service::start(answers).await;
    let sink = TwitchSink {
        helix: service.helix(&Arc::default()),
        channels: vec![channel()],
        shared: Arc::new(Shared::new()),
    };
    (sink.perform(&channel(), &action).await, service.asked())
}

fn say(text: &str) -> Action {
    Action::Say { text: text.to_owned() }
}

#[tokio::test]
async fn every_action_asks_for_what_twitch_documents() {
    let (user_id, reason): (String, String) = ("7".into(), "spam".into());
    let moderating = "?broadcaster_id=1337&moderator_id=9001";
    for (action, line, body) in [
        (
            Action::Announce { text: "hi".into() },
            format!("POST /helix/chat/announcements{moderating}"),
            json!({ "message": "hi" }),
        ),
        (
            Action::Whisper { user_id: user_id.clone(), text: "hi".into() },
            "POST /helix/whispers?from_user_id=9001&to_user_id=7".into(),
            json!({ "message": "hi" }),
        ),
        (
            Action::Shoutout { user_id: user_id.clone() },
            "POST /helix/chat/shoutouts?from_broadcaster_id=1337&to_broadcaster_id=7&moderator_id=9001".into(),
            Value::Null,
        ),
        (
            Action::RemoveMessage { message_id: "m1".into(), reason: reason.clone() },
            format!("DELETE /helix/moderation/chat{moderating}&message_id=m1"),
            Value::Null,
        ),
        (
            Action::Suspend { user_id: user_id.clone(), seconds: Some(60), reason: reason.clone() },
            format!("POST /helix/moderation/bans{moderating}"),
            json!({ "data": { "user_id": "7", "reason": "spam", "duration": 60 } }),
        ),
        (
            Action::Suspend { user_id: user_id.clone(), seconds: Some(u32::MAX), reason: reason.clone() },
            format!("POST /helix/moderation/bans{moderating}"),
            json!({ "data": { "user_id": "7", "reason": "spam", "duration": 1_209_600 } }),
        ),
        (
            Action::Suspend { user_id: user_id.clone(), seconds: None, reason: "é".repeat(501) },
            format!("POST /helix/moderation/bans{moderating}"),
            json!({ "data": { "user_id": "7", "reason": "é".repeat(500) } }),
        ),
        (
            Action::Lift { user_id: user_id.clone() },
            format!("DELETE /helix/moderation/bans{moderating}&user_id=7"),
            Value::Null,
        ),
        (
            Action::Warn { user_id, reason },
            format!("POST /helix/moderation/warnings{moderating}"),
            json!({ "data": { "user_id": "7", "reason": "spam" } }),
        ),
        (
            Action::ResolveHeld { message_id: "m1".into(), allow: false },
            "POST /helix/moderation/automod/message".into(),
            json!({ "user_id": "9001", "msg_id": "m1", "action": "DENY" }),
        ),
    ] {
        let (result, asked) = perform(Vec::new(), action).await;
        assert_eq!(result, Ok(Receipt::default()), "{line}");
        assert_eq!((asked.len(), &asked[0].line, &asked[0].body), (1, &line, &body));
    }
}

#[tokio::test]
async fn a_message_is_sent_as_the_account_that_acts() {
    let (result, asked) = perform(vec![sent("m1")], say(" hi ")).await;
    assert_eq!(result.unwrap().message_id.as_deref(), Some("m1"));
    assert_eq!(asked[0].body, json!({ "broadcaster_id": "1337", "sender_id": "9001", "message": "hi" }));
    let reply = Action::Reply { message_id: "m0".into(), text: "hi".into() };
    let (_, asked) = perform(vec![sent("m1")], reply).await;
    assert_eq!(asked[0].body.get("reply_parent_message_id"), Some(&json!("m0")));
}

#[tokio::test]
async fn a_long_text_is_sent_in_its_parts() {
    let (result, asked) = perform(vec![sent("m1"), sent("m2"), sent("m3")], say(&"word ".repeat(250))).await;
    assert_eq!(result.unwrap().message_id.as_deref(), Some("m1"));
    let lengths: Vec<usize> = asked.iter().map(|asked| asked.body["message"].as_str().unwrap().len()).collect();
    assert_eq!(lengths, [499, 499, 249]);
    let (result, asked) = perform(Vec::new(), say(&"x".repeat(501 * MOST_PARTS))).await;
    assert!(matches!(result, Err(ActionError::Refused(why)) if why.contains("11 messages")));
    assert!(asked.is_empty());
    let (result, _) = perform(Vec::new(), say("  ")).await;
    assert!(matches!(result, Err(ActionError::Refused(_))));
}

#[tokio::test]
async fn once_a_part_is_out_nothing_is_ever_sent_again() {
    let text = "word ".repeat(250);
    let much_later = Answer { headers: vec![("retry-after", "60".into())], ..Answer::error(429, "slow") };
    for (second, is_known) in [(dropped("msg_rejected"), true), (much_later, true), (Answer::error(503, "down"), false)]
    {
        let (result, asked) = perform(vec![sent("m1"), second], say(&text)).await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains("only 1 of 3 parts of it are out"), "{error}");
        assert_eq!(matches!(error, ActionError::Refused(_)), is_known, "{error}");
        assert_eq!(matches!(error, ActionError::Lost(_)), !is_known, "{error}");
        assert_eq!(asked.len(), 2);
    }
    // The first may be tried again, as nothing is out.
    let (result, _) = perform(vec![dropped("msg_ratelimit")], say(&text)).await;
    assert_eq!(result, Err(ActionError::RateLimited { retry_after: None }));
}

#[tokio::test]
async fn a_part_that_comes_too_soon_is_sent_again_and_no_other() {
    let answers = vec![sent("m1"), dropped("msg_ratelimit"), sent("m2"), Answer::error(429, "slow"), sent("m3")];
    let (result, asked) = perform(answers, say(&"word ".repeat(250))).await;
    assert_eq!(result.unwrap().message_id.as_deref(), Some("m1"));
    let lengths: Vec<usize> = asked.iter().map(|asked| asked.body["message"].as_str().unwrap().len()).collect();
    assert_eq!(lengths, [499, 499, 499, 249, 249]);
}

#[tokio::test]
async fn what_is_so_already_is_done() {
    let suspend = Action::Suspend { user_id: "7".into(), seconds: None, reason: String::new() };
    let banned = Answer::error(400, "The user specified in the user_id field is already banned.");
    assert!(perform(vec![banned], suspend.clone()).await.0.is_ok());
    let lift = Action::Lift { user_id: "7".into() };
    let free = Answer::error(400, "The user specified in the user_id query parameter is not banned.");
    assert!(perform(vec![free], lift).await.0.is_ok());
    let other = Answer::error(400, "The user specified in the user_id field may not be banned.");
    assert!(matches!(perform(vec![other], suspend.clone()).await.0, Err(ActionError::Refused(_))));
    // Somebody else changes the same at this moment.
    let conflict = Answer::error(409, "conflict");
    let error = perform(vec![conflict], suspend.clone()).await.0.unwrap_err();
    assert!(matches!(error, ActionError::Lost(_)) && suspend.is_repeatable());
}

#[tokio::test(start_paused = true)]
async fn a_whisper_that_comes_too_soon_is_sent_all_the_same() {
    let whisper = |text: &str| Action::Whisper { user_id: "7".into(), text: text.to_owned() };
    let soon = || Answer::error(429, "too many");
    let (result, asked) = perform(vec![soon(), Answer::empty(204)], whisper("hi")).await;
    assert_eq!((result, asked.len()), (Ok(Receipt::default()), 2));
    let answers = vec![Answer::empty(204), soon(), soon(), Answer::empty(204), soon(), Answer::empty(204)];
    let (result, asked) = perform(answers, whisper(&"word ".repeat(250))).await;
    assert!(result.is_ok(), "{result:?}");
    let lengths: Vec<usize> = asked.iter().map(|asked| asked.body["message"].as_str().unwrap().len()).collect();
    assert_eq!(lengths, [499, 499, 499, 499, 249, 249]);
    // The limit of a day.
    let (result, asked) = perform((0..9).map(|_| soon()).collect(), whisper("hi")).await;
    assert!(matches!(result, Err(ActionError::Refused(why)) if why.contains("too many")));
    assert_eq!(asked.len(), WHISPER_TRIES as usize);
}

#[tokio::test]
async fn a_limit_that_lasts_long_holds_up_nothing_else() {
    let (result, _) = perform(vec![Answer::error(429, "cooldown")], Action::Shoutout { user_id: "7".into() }).await;
    assert!(matches!(result, Err(ActionError::Refused(why)) if why.contains("cooldown")));
    let (result, _) = perform(vec![Answer::error(429, "")], Action::Announce { text: "hi".into() }).await;
    assert_eq!(result, Err(ActionError::RateLimited { retry_after: Some(BETWEEN_ANNOUNCEMENTS) }));
}

#[tokio::test]
async fn what_can_not_be_done_is_not_asked_for() {
    let block = Action::Block { user_id: "7".into(), reason: String::new() };
    for (action, is_unsupported) in [
        (block, true),
        (Action::RemoveMessage { message_id: String::new(), reason: String::new() }, false),
        (Action::Warn { user_id: "7".into(), reason: " ".into() }, false),
    ] {
        let (result, asked) = perform(Vec::new(), action).await;
        assert_eq!(matches!(result, Err(ActionError::Unsupported { .. })), is_unsupported);
        assert!(result.is_err() && asked.is_empty());
    }
    let service = Service::start([]).await;
    let tokens: Arc<MemoryTokens> = Arc::default();
    let sink = TwitchSink { helix: service.helix(&tokens), channels: vec![channel()], shared: Arc::new(Shared::new()) };
    let elsewhere = sink.perform(&Channel::new("twitch", "1"), &say("hi")).await;
    assert!(matches!(elsewhere, Err(ActionError::Refused(_))));
    *tokens.error.lock().unwrap() = Some(TokenError::SignIn { why: "nobody".into(), what_to_do: "sign in".into() });
    let error = sink.perform(&channel(), &say("hi")).await.unwrap_err();
    assert_eq!(error, ActionError::Refused("nobody; sign in".into()));
    *tokens.error.lock().unwrap() = Some(TokenError::Later("the disk".into()));
    assert!(matches!(sink.perform(&channel(), &say("hi")).await, Err(ActionError::Unreachable(_))));
    assert!(service.lines().is_empty());
}
