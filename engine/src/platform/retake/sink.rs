//! The half that acts: chat lines over REST. The service documents no other action for an agent.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::StatusCode;

use super::rest::{MAX_TEXT_BYTES, Rest};
use crate::effect::Action;
use crate::event::{Channel, now_ms};
use crate::platform::http::HttpError;
use crate::platform::sent::Sent;
use crate::platform::{ActionError, Receipt, Sink};

pub(super) struct RetakeSink {
    pub(super) rest: Arc<Rest>,
    pub(super) sent: Arc<Sent>,
    pub(super) channel: Channel,
}

#[async_trait]
impl Sink for RetakeSink {
    async fn perform(&self, channel: &Channel, action: &Action) -> Result<Receipt, ActionError> {
        if *channel != self.channel {
            return Err(ActionError::Refused(format!("this account is in {}, not in {channel}", self.channel)));
        }
        match action {
            // There are no threads here, so an answer is a line like any other.
            Action::Say { text } | Action::Reply { text, .. } => self.say(text.trim()).await,
            other => Err(ActionError::Unsupported { platform: super::PLATFORM, action: other.name() }),
        }
    }
}

impl RetakeSink {
    async fn say(&self, text: &str) -> Result<Receipt, ActionError> {
        if text.is_empty() {
            return Err(ActionError::Refused("the line is empty".to_owned()));
        }
        if text.len() > MAX_TEXT_BYTES {
            let size = text.len();
            return Err(ActionError::Refused(format!("the line has {size} bytes, more than {MAX_TEXT_BYTES}")));
        }
        let ticket = self.sent.begin(text, now_ms());
        match self.rest.send(text).await {
            Ok(message_id) => {
                self.sent.confirm(ticket, message_id.as_deref());
                Ok(Receipt { message_id })
            }
            Err(error) => {
                let error = action_error(error);
                if !matches!(error, ActionError::Lost(_)) {
                    self.sent.withdraw(ticket);
                }
                Err(error)
            }
        }
    }
}

fn action_error(error: HttpError) -> ActionError {
    let (status, retry_after) = match &error {
        HttpError::Unreachable(why) => return ActionError::Unreachable(why.clone()),
        HttpError::Lost(_) | HttpError::Answer(_) => return ActionError::Lost(error.to_string()),
        HttpError::Status { status, retry_after, .. } => (*status, *retry_after),
    };
    let advice = match status {
        StatusCode::TOO_MANY_REQUESTS => return ActionError::RateLimited { retry_after },
        // It may have been done before it failed.
        status if status.is_server_error() => return ActionError::Lost(error.to_string()),
        status if status.is_redirection() => "it redirects elsewhere, which is never followed; check `rest_base`",
        StatusCode::UNAUTHORIZED => "the token is not accepted; put a valid one in the config",
        StatusCode::FORBIDDEN => "this account may not write there",
        StatusCode::NOT_FOUND => "there is no such address or streamer; check `rest_base`, `generation` and `room`",
        StatusCode::CONFLICT => "there is no stream running, so there is no chat to write to",
        _ => "it does not take this line",
    };
    ActionError::Refused(format!("{advice} ({error})"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn status(code: u16) -> HttpError {
        let retry_after = Some(Duration::from_secs(7));
        HttpError::Status { status: StatusCode::from_u16(code).unwrap(), problem: Some("why".into()), retry_after }
    }

    #[test]
    fn each_answer_says_whether_trying_again_is_safe() {
        for code in [301, 400, 401, 403, 404, 409, 413, 422] {
            let error = action_error(status(code));
            assert!(matches!(&error, ActionError::Refused(why) if why.contains("\"why\"")), "{code}: {error}");
        }
        for code in [500, 502, 503, 504] {
            assert!(matches!(action_error(status(code)), ActionError::Lost(_)), "{code}");
        }
        assert_eq!(action_error(status(429)), ActionError::RateLimited { retry_after: Some(Duration::from_secs(7)) });
        assert!(action_error(status(409)).to_string().contains("no stream running"));
        assert!(matches!(action_error(HttpError::Unreachable("x".into())), ActionError::Unreachable(_)));
        assert!(matches!(action_error(HttpError::Answer("x")), ActionError::Lost(_)));
    }
}
