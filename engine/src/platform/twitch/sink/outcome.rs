//! What Twitch's answers to actions mean. Pure.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::super::helix::HelixError;
use crate::platform::{ActionError, Receipt};

/// Of a reason that Twitch gives, so much is told.
const LONGEST_REASON: usize = 300;

/// What became of a message: the status is 200 also for those that Twitch drops.
pub(super) fn read_sent(answer: &Value) -> Result<Receipt, ActionError> {
    let Some(sent) = answer.pointer("/data/0") else {
        return Err(ActionError::Lost("Twitch's answer does not say whether it was sent".to_owned()));
    };
    if sent.get("is_sent").and_then(Value::as_bool) == Some(true) {
        let id = sent.get("message_id").and_then(Value::as_str).filter(|id| !id.is_empty());
        return Ok(Receipt { message_id: id.map(str::to_owned) });
    }
    // In older documents it is a list.
    let reason = match sent.get("drop_reason") {
        Some(Value::Array(reasons)) => reasons.first().unwrap_or(&Value::Null),
        Some(reason) => reason,
        None => &Value::Null,
    };
    let text = |field: &str| reason.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("code") == Some("msg_ratelimit") {
        return Err(ActionError::RateLimited { retry_after: None });
    }
    let told = match (text("message"), text("code")) {
        (Some(message), Some(code)) => format!("{message} ({code})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "it does not say why".to_owned(),
    };
    let told: String = told.chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect();
    Err(ActionError::Refused(format!("Twitch dropped the message: {told}")))
}

/// What an error of the web service means for an action.
pub(super) fn action_error(error: HelixError) -> ActionError {
    let (status, wait) = match &error {
        HelixError::Unreachable(why) | HelixError::NoToken(why) => return ActionError::Unreachable(why.clone()),
        HelixError::Lost(_) | HelixError::Answer(_) => return ActionError::Lost(error.to_string()),
        HelixError::Exhausted(wait) => return ActionError::RateLimited { retry_after: Some(*wait) },
        HelixError::SignIn { .. } => return ActionError::Refused(error.to_string()),
        HelixError::Status { status, wait, .. } => (*status, *wait),
    };
    let advice = match status {
        StatusCode::TOO_MANY_REQUESTS => return ActionError::RateLimited { retry_after: wait },
        // Somebody changes the same at this moment; moderation that was not answered is tried again, and it alone.
        StatusCode::CONFLICT => return ActionError::Lost(error.to_string()),
        // It may have been done before it failed.
        status if status.is_server_error() => return ActionError::Lost(error.to_string()),
        StatusCode::UNAUTHORIZED => "the sign-in does not allow it; run `showrunner auth status`",
        StatusCode::FORBIDDEN => "the account may not do that there; is it a moderator?",
        _ => "Twitch does not take it",
    };
    ActionError::Refused(format!("{advice} ({error})"))
}

pub(super) fn is_limited(error: &HelixError) -> bool {
    error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
}

/// For calls whose own limit is minutes long or a day: to wait for it would hold up everything else.
pub(super) fn refused_when_limited(error: HelixError) -> ActionError {
    match is_limited(&error) {
        true => ActionError::Refused(format!("Twitch allows no more of them now ({error})")),
        false => action_error(error),
    }
}

/// The same with a pause where Twitch names none.
pub(super) fn limited_for(pause: Duration, error: HelixError) -> ActionError {
    match action_error(error) {
        ActionError::RateLimited { retry_after: None } => ActionError::RateLimited { retry_after: Some(pause) },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(code: u16) -> HelixError {
        let wait = Some(Duration::from_secs(7));
        HelixError::Status { status: StatusCode::from_u16(code).unwrap(), message: Some("why".into()), wait }
    }

    #[test]
    fn whether_it_was_sent_is_what_is_sent_says() {
        let read = |sent: Value| read_sent(&json!({ "data": [sent] }));
        let ok = read(json!({ "message_id": "m1", "is_sent": true, "drop_reason": null })).unwrap();
        assert_eq!(ok.message_id.as_deref(), Some("m1"));
        let reason = json!({ "code": "msg_duplicate", "message": "Identical to\nthe previous one." });
        for reason in [reason.clone(), json!([reason])] {
            let error = read(json!({ "message_id": "", "is_sent": false, "drop_reason": reason })).unwrap_err();
            let told = "refused: Twitch dropped the message: Identical tothe previous one. (msg_duplicate)";
            assert_eq!(error.to_string(), told);
        }
        let limited = json!({ "is_sent": false, "drop_reason": { "code": "msg_ratelimit", "message": "slow" } });
        assert_eq!(read(limited), Err(ActionError::RateLimited { retry_after: None }));
        for odd in
            [json!({ "is_sent": false }), json!({ "is_sent": "true" }), json!({ "is_sent": false, "drop_reason": [] })]
        {
            assert!(matches!(read(odd), Err(ActionError::Refused(_))));
        }
        assert!(matches!(read_sent(&json!({ "data": [] })), Err(ActionError::Lost(_))));
        assert!(matches!(read_sent(&Value::Null), Err(ActionError::Lost(_))));
    }

    #[test]
    fn each_answer_says_whether_trying_again_is_safe() {
        for code in [301, 400, 401, 403, 404, 422] {
            let error = action_error(status(code));
            assert!(matches!(&error, ActionError::Refused(why) if why.contains("\"why\"")), "{code}: {error}");
        }
        for code in [409, 500, 502, 503] {
            assert!(matches!(action_error(status(code)), ActionError::Lost(_)), "{code}");
        }
        let limited = ActionError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(action_error(status(429)), limited);
        assert!(matches!(refused_when_limited(status(429)), ActionError::Refused(_)));
        assert!(matches!(action_error(HelixError::NoToken("x".into())), ActionError::Unreachable(_)));
        assert!(matches!(action_error(HelixError::Answer("x")), ActionError::Lost(_)));
    }
}
