//! The two shapes in which an event is told.

use serde_json::{Map, Value, json};
use showrunner::config::settings::JoystickVersion;

use super::behaviour::{Behaviour, Metadata};
use super::event::{Author, ChatEvent, Event, What};

/// How events are written, as the fake was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    metadata: Metadata,
    numbers_are_texts: bool,
    says_chat_message: bool,
    adds_unknown_fields: bool,
}

impl Shape {
    pub(super) fn of(behaviour: &Behaviour) -> Self {
        Self {
            metadata: behaviour.metadata,
            numbers_are_texts: behaviour.numbers_are_texts,
            says_chat_message: behaviour.says_chat_message,
            adds_unknown_fields: behaviour.adds_unknown_fields,
        }
    }

    pub(super) fn write(&self, event: &Event, version: JoystickVersion) -> Value {
        let mut message = match version {
            JoystickVersion::V1 => self.first(event),
            JoystickVersion::V2 => self.second(event),
        };
        if let Some(fields) = message.as_object_mut().filter(|_| self.adds_unknown_fields) {
            fields.insert("field_of_tomorrow".to_owned(), json!({ "with": ["anything", 1, null] }));
        }
        message
    }

    fn second(&self, event: &Event) -> Value {
        let (kind, text, data) = match &event.what {
            What::Chat(chat) => {
                let kind = if self.says_chat_message { "chat_message" } else { "new_message" };
                (kind.to_owned(), chat.text.clone(), chat_data(event, chat))
            }
            What::Bot { username, text } => {
                let data = json!({ "author": { "username": username, "color": null }, "text": text });
                ("event_bot_message".to_owned(), text.clone(), data)
            }
            What::Presence { username, enters } => {
                (presence(*enters).to_owned(), username.clone(), json!({ "username": username }))
            }
            What::Stream { kind, text, metadata } => {
                let is_count = kind.ends_with("CountUpdated");
                let text = if is_count { String::new() } else { text.clone() };
                (snake(kind), text, self.numbers(metadata))
            }
            What::Raw(message) => return message.clone(),
        };
        json!({
            "v": 2, "type": kind, "id": event.id, "channel_id": event.channel.id,
            "occurred_at": event.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "text": text, "data": data,
        })
    }

    fn first(&self, event: &Event) -> Value {
        let at = event.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        match &event.what {
            What::Chat(chat) => first_chat(event, chat, &at),
            What::Bot { username, text } => json!({
                "event": "BotMessage", "type": "event_bot_message", "createdAt": at, "messageId": event.id,
                "visibility": "public", "text": text, "author": { "username": username, "usernameColor": null },
            }),
            What::Presence { username, enters } => json!({
                "id": event.id, "event": "UserPresence", "type": presence(*enters), "text": username,
                "channelId": event.channel.id, "createdAt": at,
            }),
            What::Stream { kind, text, metadata } => {
                let mut message = json!({
                    "id": event.id, "event": "StreamEvent", "type": kind, "text": text, "createdAt": at,
                    "channelId": event.channel.id,
                });
                if let Some(metadata) = self.metadata(metadata) {
                    message["metadata"] = metadata;
                }
                message
            }
            What::Raw(message) => message.clone(),
        }
    }

    fn metadata(&self, metadata: &Value) -> Option<Value> {
        let metadata = self.numbers(metadata);
        match self.metadata {
            Metadata::Text => Some(metadata.to_string().into()),
            Metadata::Object => Some(metadata),
            Metadata::Missing => None,
            Metadata::Empty => Some("".into()),
            Metadata::Braces => Some("{}".into()),
            Metadata::Broken => Some("{\"who\":".into()),
        }
    }

    fn numbers(&self, value: &Value) -> Value {
        match value {
            Value::Number(number) if self.numbers_are_texts => number.to_string().into(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.numbers(value))).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }
}

fn presence(enters: bool) -> &'static str {
    if enters { "enter_stream" } else { "leave_stream" }
}

/// As version 2 calls what version 1 calls "TipGoalMet".
fn snake(kind: &str) -> String {
    match kind {
        "Started" => return "stream_started".to_owned(),
        "Ended" => return "stream_ended".to_owned(),
        _ => {}
    }
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn mentions(text: &str) -> Vec<&str> {
    text.split_whitespace().filter_map(|word| word.strip_prefix('@')).filter(|name| !name.is_empty()).collect()
}

fn chat_data(event: &Event, chat: &ChatEvent) -> Value {
    let author = &chat.author;
    json!({
        "author": {
            "username": author.username, "nickname": author.nickname, "color": author.color,
            "badges": {
                "bot": author.is_bot, "new": author.is_new, "streamer": author.is_streamer,
                "staff": author.is_staff, "mod": author.is_moderator, "subscriber": author.is_subscriber,
                "host": false,
            },
        },
        "streamer": { "username": event.channel.username }, "subscription": null, "text": chat.text,
        "visibility": chat.visibility, "highlight": chat.is_highlighted, "emotes": [], "mentions": mentions(&chat.text),
    })
}

fn first_chat(event: &Event, chat: &ChatEvent, at: &str) -> Value {
    let command = chat.text.strip_prefix('!').map(|rest| rest.split_once(' ').unwrap_or((rest, "")));
    let mentioned = mentions(&chat.text).first().map(|name| (*name).to_owned());
    let streamer = &event.channel.username;
    let mut message = json!({
        "event": "ChatMessage", "type": "new_message", "createdAt": at, "messageId": event.id,
        "visibility": chat.visibility, "text": chat.text, "botCommand": command.map(|(name, _)| name),
        "botCommandArg": command.map(|(_, argument)| argument), "emotesUsed": [], "author": first_author(&chat.author),
        "streamer": {
            "slug": streamer, "username": streamer, "usernameColor": null, "signedPhotoUrl": "",
            "signedPhotoThumbUrl": "",
        },
        "channelId": event.channel.id, "mention": mentioned.is_some(), "mentionedUsername": mentioned,
        "highlight": chat.is_highlighted,
    });
    if chat.is_fake {
        message["isFake"] = true.into();
    }
    message
}

fn first_author(author: &Author) -> Value {
    let flair = if author.is_moderator { "{{{moderatorBadge}}} " } else { "" };
    let mut fields = json!({
        "slug": author.username.to_lowercase(), "username": author.username, "usernameColor": author.color,
        "displayNameWithFlair": format!("{flair}{}", author.username), "signedPhotoUrl": "",
        "signedPhotoThumbUrl": "", "isStreamer": author.is_streamer, "isModerator": author.is_moderator,
        "isSubscriber": author.is_subscriber, "isVerified": false, "isContentCreator": author.is_streamer,
    });
    if let Some(nickname) = &author.nickname {
        fields["nickname"] = nickname.as_str().into();
    }
    fields
}
