//! The half that acts: messages and moderation through Twitch's web service, as the bot where there is one, else as the
//! broadcaster.

mod outcome;
mod split;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::outcome::{action_error, is_limited, limited_for, read_sent, refused_when_limited};
use self::split::{cut_off, split};
use super::helix::{Helix, HelixError, Request};
use super::shared::Shared;
use crate::auth::Access;
use crate::effect::Action;
use crate::event::{Channel, now_ms};
use crate::platform::{ActionError, Receipt, Sink};

/// Two weeks.
const LONGEST_TIMEOUT: u32 = 1_209_600;
/// Messages that one text may become. More is a plugin gone wild.
const MOST_PARTS: usize = 10;
/// Twitch takes one announcement in this time.
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_secs(2);
/// For so long a text that is out in part waits, all in all, until Twitch takes the rest.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries where Twitch names no other time.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// Tries of one whisper.
const WHISPER_TRIES: u32 = 4;

pub(super) struct TwitchSink {
    /// With the grant of the account that acts.
    pub(super) helix: Arc<Helix>,
    pub(super) channels: Vec<Channel>,
    pub(super) shared: Arc<Shared>,
}

#[async_trait]
impl Sink for TwitchSink {
    async fn perform(&self, channel: &Channel, action: &Action) -> Result<Receipt, ActionError> {
        if !self.channels.contains(channel) {
            return Err(ActionError::Refused(format!("this account is not in {channel}")));
        }
        if let Action::Block { .. } = action {
            return Err(ActionError::Unsupported { platform: super::PLATFORM, action: action.name() });
        }
        let access = self.helix.access().await.map_err(action_error)?;
        Acting { helix: &self.helix, shared: &self.shared, channel: &channel.id, access }.perform(action).await
    }
}

/// One action, under way.
struct Acting<'a> {
    helix: &'a Helix,
    shared: &'a Shared,
    /// The broadcaster's user id.
    channel: &'a str,
    access: Access,
}

/// How a text reaches people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way<'a> {
    Chat { reply_to: Option<&'a str> },
    Whisper { user_id: &'a str },
    Announcement,
}

impl Acting<'_> {
    async fn perform(&self, action: &Action) -> Result<Receipt, ActionError> {
        match action {
            Action::Say { text } => self.write(text, Way::Chat { reply_to: None }).await,
            Action::Reply { message_id, text } => self.write(text, Way::Chat { reply_to: Some(message_id) }).await,
            Action::Whisper { user_id, text } => self.write(text, Way::Whisper { user_id }).await,
            Action::Announce { text } => self.write(text, Way::Announcement).await,
            Action::Shoutout { user_id } => self.shoutout(user_id).await,
            Action::RemoveMessage { message_id, .. } => self.remove(message_id).await,
            Action::Suspend { user_id, seconds, reason } => self.suspend(user_id, *seconds, reason).await,
            Action::Lift { user_id } => self.lift(user_id).await,
            Action::Warn { user_id, reason } => self.warn(user_id, reason).await,
            Action::ResolveHeld { message_id, allow } => self.resolve(message_id, *allow).await,
            Action::Block { .. } => Err(ActionError::Unsupported { platform: super::PLATFORM, action: action.name() }),
        }
    }

    /// Sends the parts of a text in their order. The receipt is the first part's. After a part is out nothing may be
    /// sent again, so what fails then is said in a way that is never tried again. A part that comes too soon is
    /// certainly not out, and is waited with.
    async fn write(&self, text: &str, way: Way<'_>) -> Result<Receipt, ActionError> {
        let parts = split(text);
        let count = parts.len();
        if count > MOST_PARTS {
            return Err(ActionError::Refused(format!("the text would be {count} messages, more than {MOST_PARTS}")));
        }
        let (mut first, mut patience) = (None, PATIENCE);
        for (sent, part) in parts.into_iter().enumerate() {
            if sent > 0 && way == Way::Announcement {
                sleep(BETWEEN_ANNOUNCEMENTS).await;
            }
            let outcome = match sent {
                0 => self.write_known(part, way).await,
                _ => self.write_patiently(part, way, &mut patience).await,
            };
            match outcome {
                Ok(receipt) => first = first.or(Some(receipt)),
                Err(error) if sent == 0 => return Err(error),
                Err(error) => {
                    let told = format!("only {sent} of {count} parts of it are out: {error}");
                    return Err(match error {
                        ActionError::Lost(_) => ActionError::Lost(told),
                        _ => ActionError::Refused(told),
                    });
                }
            }
        }
        first.ok_or_else(|| ActionError::Refused("the text is empty".to_owned()))
    }

    async fn write_patiently(&self, part: &str, way: Way<'_>, patience: &mut Duration) -> Result<Receipt, ActionError> {
        loop {
            let outcome = self.write_known(part, way).await;
            let Err(ActionError::RateLimited { retry_after }) = outcome else { return outcome };
            let pause = retry_after.unwrap_or_default().max(BETWEEN_TRIES);
            let Some(left) = patience.checked_sub(pause) else { return outcome };
            *patience = left;
            sleep(pause).await;
        }
    }

    /// What comes back from the chat is known as ours.
    async fn write_known(&self, part: &str, way: Way<'_>) -> Result<Receipt, ActionError> {
        if let Way::Whisper { .. } = way {
            return self.write_part(part, way).await;
        }
        let sent = &self.shared.sent;
        let ticket = sent.begin(part.trim(), now_ms());
        let outcome = self.write_part(part, way).await;
        match &outcome {
            Ok(receipt) => sent.confirm(ticket, receipt.message_id.as_deref()),
            // It may come back all the same.
            Err(ActionError::Lost(_)) => {}
            Err(_) => sent.withdraw(ticket),
        }
        outcome
    }

    async fn write_part(&self, part: &str, way: Way<'_>) -> Result<Receipt, ActionError> {
        match way {
            Way::Chat { reply_to } => {
                let mut body =
                    json!({ "broadcaster_id": self.channel, "sender_id": self.access.user_id, "message": part });
                if let (Some(message_id), Value::Object(body)) = (reply_to, &mut body) {
                    body.insert("reply_parent_message_id".to_owned(), json!(message_id));
                }
                let answer = self.ask(Request::post("chat/messages").body(body)).await.map_err(action_error)?;
                read_sent(&answer)
            }
            Way::Whisper { user_id } => self.whisper(part, user_id).await,
            Way::Announcement => {
                let request = self.moderating(Method::POST, "chat/announcements").body(json!({ "message": part }));
                self.done(request).await.map_err(|error| limited_for(BETWEEN_ANNOUNCEMENTS, error))
            }
        }
    }

    /// Twitch takes three in a second, so many in a minute and so many in a day, and says the same of each limit. The
    /// first is waited for here, where that holds up nothing else; then it must be one of the others.
    async fn whisper(&self, text: &str, user_id: &str) -> Result<Receipt, ActionError> {
        let request = Request::post("whispers")
            .query("from_user_id", &*self.access.user_id)
            .query("to_user_id", user_id)
            .body(json!({ "message": text }));
        for _ in 1..WHISPER_TRIES {
            match self.done(request.clone()).await {
                Err(error) if is_limited(&error) => sleep(BETWEEN_TRIES).await,
                outcome => return outcome.map_err(action_error),
            }
        }
        self.done(request).await.map_err(refused_when_limited)
    }

    async fn shoutout(&self, user_id: &str) -> Result<Receipt, ActionError> {
        let request = Request::post("chat/shoutouts")
            .query("from_broadcaster_id", self.channel)
            .query("to_broadcaster_id", user_id)
            .query("moderator_id", &*self.access.user_id);
        self.done(request).await.map_err(refused_when_limited)
    }

    async fn remove(&self, message_id: &str) -> Result<Receipt, ActionError> {
        // Without an id all of the chat would go.
        if message_id.is_empty() {
            return Err(ActionError::Refused("it is not said which message".to_owned()));
        }
        let request = self.moderating(Method::DELETE, "moderation/chat").query("message_id", message_id);
        self.done(request).await.map_err(action_error)
    }

    async fn suspend(&self, user_id: &str, seconds: Option<u32>, reason: &str) -> Result<Receipt, ActionError> {
        let mut ban = json!({ "user_id": user_id, "reason": cut_off(reason) });
        if let (Some(seconds), Value::Object(ban)) = (seconds, &mut ban) {
            let duration = seconds.clamp(1, LONGEST_TIMEOUT);
            if duration != seconds {
                tracing::debug!(seconds, duration, "Twitch takes no timeout of that length; the nearest is set.");
            }
            ban.insert("duration".to_owned(), json!(duration));
        }
        let request = self.moderating(Method::POST, "moderation/bans").body(json!({ "data": ban }));
        self.done(request).await.or_else(|error| unless(error, "already banned"))
    }

    async fn lift(&self, user_id: &str) -> Result<Receipt, ActionError> {
        let request = self.moderating(Method::DELETE, "moderation/bans").query("user_id", user_id);
        self.done(request).await.or_else(|error| unless(error, "not banned"))
    }

    async fn warn(&self, user_id: &str, reason: &str) -> Result<Receipt, ActionError> {
        let reason = cut_off(reason);
        if reason.is_empty() {
            return Err(ActionError::Refused("Twitch takes no warning without a reason".to_owned()));
        }
        let body = json!({ "data": { "user_id": user_id, "reason": reason } });
        let request = self.moderating(Method::POST, "moderation/warnings").body(body);
        self.done(request).await.map_err(action_error)
    }

    async fn resolve(&self, message_id: &str, allow: bool) -> Result<Receipt, ActionError> {
        let action = if allow { "ALLOW" } else { "DENY" };
        let body = json!({ "user_id": self.access.user_id, "msg_id": message_id, "action": action });
        self.done(Request::post("moderation/automod/message").body(body)).await.map_err(action_error)
    }

    /// A call that a moderator makes in the channel.
    fn moderating(&self, method: Method, path: &'static str) -> Request {
        Request::new(method, path).query("broadcaster_id", self.channel).query("moderator_id", &*self.access.user_id)
    }

    async fn ask(&self, request: Request) -> Result<Value, HelixError> {
        self.helix.ask(&self.access, &request).await
    }

    /// A call whose good answer says nothing more, if there is one that can be read at all.
    async fn done(&self, request: Request) -> Result<Receipt, HelixError> {
        match self.ask(request).await {
            Ok(_) | Err(HelixError::Answer(_)) => Ok(Receipt::default()),
            Err(error) => Err(error),
        }
    }
}

/// What Twitch refuses because it is so already is done.
fn unless(error: HelixError, words: &str) -> Result<Receipt, ActionError> {
    if error.status() == Some(StatusCode::BAD_REQUEST) && error.words().contains(words) {
        return Ok(Receipt::default());
    }
    Err(action_error(error))
}

#[cfg(test)]
mod tests;
