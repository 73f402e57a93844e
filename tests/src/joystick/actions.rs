//! What a bot does: by commands of the gateway, and by REST.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::BOT;
use super::behaviour::ErrorShape;
use super::event::{Author, Channel, ChatEvent, Event, What};
use super::room::Room;
use super::seen::Did;
use super::state::{State, new_id};
use crate::service::When;

/// Who speaks: the channel of the token, or all of them, and what it may do.
#[derive(Debug, Clone, Default)]
pub(super) struct Sender {
    pub(super) channel: Option<String>,
    pub(super) scopes: BTreeSet<String>,
}

/// Carries out a command. An unknown one is ignored without a word.
pub(super) fn carry_out(state: &Arc<State>, sender: &Sender, data: &Value) -> Result<(), String> {
    let (error, knows_camel_only) = {
        let mut behaviour = state.behaviour();
        (behaviour.next_errors.pop_front(), behaviour.knows_camel_only)
    };
    if let Some(error) = error {
        return Err(error);
    }
    let text = |snake: &str, camel: &str| {
        let snake = data.get(snake).filter(|_| !knows_camel_only || snake == camel);
        snake.or_else(|| data.get(camel)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let action = text("action", "action");
    let scope = match action.as_str() {
        "send_message" => "chat:write",
        "send_whisper" => "chat:whisper:write",
        "delete_message" | "mute_user" | "unmute_user" | "block_user" => "chat:moderate",
        _ => {
            state.ignore(data);
            return Ok(());
        }
    };
    if !sender.scopes.contains(scope) {
        return Err(format!("missing permission: {scope}"));
    }
    let channel_id = text("channel_id", "channelId");
    let channel = state
        .channel_with_id(&channel_id)
        .filter(|channel| sender.channel.as_ref().is_none_or(|own| *own == channel.id || state.behaviour().serves_all));
    let channel = channel.ok_or_else(|| format!("unknown channel: {channel_id}"))?;
    let did = Did {
        action,
        channel_id,
        text: text("text", "text"),
        username: text("username", "username"),
        message_id: text("message_id", "messageId"),
    };
    perform(state, &channel, did)
}

/// Does it, if it can be done, and writes it down.
pub(super) fn perform(state: &Arc<State>, channel: &Channel, did: Did) -> Result<(), String> {
    let room = Room::of(state, channel.clone());
    let author = || room.author_of(&did.message_id).ok_or_else(|| format!("unknown message: {}", did.message_id));
    let needed = |value: &str, name: &str| if value.is_empty() { Err(format!("{name} is missing")) } else { Ok(()) };
    let event = match did.action.as_str() {
        "send_message" => {
            needed(&did.text, "text")?;
            Some(said(state, channel, &did.text, "public"))
        }
        "send_whisper" => {
            needed(&did.text, "text")?;
            needed(&did.username, "username")?;
            let does_echo = state.behaviour().echoes_whispers;
            does_echo.then(|| said(state, channel, &did.text, "whisper"))
        }
        "delete_message" => {
            author()?;
            None
        }
        "mute_user" | "block_user" => {
            let who = author()?;
            state.remember(&channel.id, |memory| memory.muted.insert(who));
            None
        }
        _ => {
            needed(&did.username, "username")?;
            state.remember(&channel.id, |memory| memory.muted.remove(&did.username));
            None
        }
    };
    state.record().did.push(did);
    state.requests.note_activity();
    if let Some(event) = event {
        echo(state, event);
    }
    Ok(())
}

/// What the bot said, as it comes back.
fn said(state: &State, channel: &Channel, text: &str, visibility: &str) -> Event {
    let what = if state.behaviour().echoes_as_bot {
        What::Bot { username: BOT.to_owned(), text: text.to_owned() }
    } else {
        What::Chat(ChatEvent {
            author: Author { username: BOT.to_owned(), is_bot: true, is_moderator: true, ..Author::default() },
            text: text.to_owned(),
            visibility: visibility.to_owned(),
            is_highlighted: false,
            is_fake: false,
        })
    };
    Event { id: new_id(), channel: channel.clone(), at: Timestamp::now(), what }
}

fn echo(state: &Arc<State>, event: Event) {
    let when = {
        let mut behaviour = state.behaviour();
        behaviour.next_echoes.pop_front().unwrap_or(behaviour.echo)
    };
    state.remember(&event.channel.id, |memory| memory.lines.push((event.id.clone(), BOT.to_owned())));
    match when {
        When::AtOnce => state.tell(event),
        When::Never => {}
        When::After(pause) => {
            let state = Arc::clone(state);
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                state.tell(event);
            });
        }
    }
}

pub(super) fn error_frame(state: &State, identifier: &str, error: &str) -> String {
    match state.behaviour().error_shape {
        ErrorShape::Bare => json!({ "error": error }).to_string(),
        ErrorShape::Wrapped => json!({ "identifier": identifier, "message": { "error": error } }).to_string(),
    }
}
