//! The state of the stream: on and off, title and category, advertising, shoutouts, shared chats.

use serde_json::{Value, json};

use super::fields::{FROM, HOST, LONGEST_LIST, Names, REQUESTER, TO, count, id, owned_text, owned_word, user};
use super::{NoticeContext, Parsed};
use crate::event::{Broadcast, Event, User};

fn told(kind: &str, broadcast: Broadcast) -> Parsed {
    Parsed::new(Event::Broadcast(Broadcast { kind: kind.to_owned(), ..broadcast }))
}

/// "online", "offline". The stream's id names it, where it is said.
pub(super) fn stream(context: &NoticeContext<'_>, kind: &str) -> Parsed {
    let key = id(context.event(), "id").map(|id| format!("{kind}:{id}"));
    Parsed { key, extra: context.rest(&[]), ..told(kind, Broadcast::default()) }
}

/// How the chat is set now. Who changed it is told by `channel.moderate`, as an act of moderation.
pub(super) fn chat_settings(context: &NoticeContext<'_>) -> Parsed {
    Parsed { extra: context.rest(&[]), ..told("chat-settings", Broadcast::default()) }
}

pub(super) fn ad_break(context: &NoticeContext<'_>) -> Option<Parsed> {
    let seconds = Some(count(context.event(), "duration_seconds")?);
    let who = user(context.event(), REQUESTER, context.channel);
    let extra = context.rest(&[&REQUESTER[..], &["duration_seconds"]].concat());
    Some(Parsed { extra, ..told("ad-break", Broadcast { seconds, who, ..Broadcast::default() }) })
}

pub(super) fn shoutout_create(context: &NoticeContext<'_>) -> Option<Parsed> {
    shoutout(context, "shoutout-sent", TO)
}

pub(super) fn shoutout_receive(context: &NoticeContext<'_>) -> Option<Parsed> {
    shoutout(context, "shoutout-received", FROM)
}

fn shoutout(context: &NoticeContext<'_>, kind: &str, names: Names) -> Option<Parsed> {
    let who = Some(user(context.event(), names, context.channel)?);
    let count = count(context.event(), "viewer_count");
    let extra = context.rest(&[&names[..], &["viewer_count"]].concat());
    Some(Parsed { extra, ..told(kind, Broadcast { who, count, ..Broadcast::default() }) })
}

/// Channels that share their chat; `phase` is "begin", "update" or "end".
pub(super) fn shared_chat(context: &NoticeContext<'_>, phase: &str) -> Parsed {
    let event = context.event();
    let who = user(event, HOST, context.channel);
    let participants = event.get("participants").and_then(Value::as_array);
    let count = participants.and_then(|participants| u32::try_from(participants.len()).ok());
    let mut extra = context.rest(&[&HOST[..], &["participants"]].concat());
    extra.insert("phase".to_owned(), json!(phase));
    if let Some(participants) = participants {
        extra.insert("participants".to_owned(), participants.iter().take(LONGEST_LIST).cloned().collect());
    }
    let key = id(event, "session_id").filter(|_| phase != "update").map(|id| format!("shared-chat:{id}:{phase}"));
    Parsed { key, extra, ..told("shared-chat", Broadcast { who, count, ..Broadcast::default() }) }
}

/// What a channel was last said to show.
#[derive(Debug, Default)]
pub(super) struct Details {
    known: Option<Shown>,
}

#[derive(Debug, PartialEq, Eq)]
struct Shown {
    title: Option<String>,
    category: Option<String>,
}

impl Details {
    /// Title and category come together, whichever of them changed: one event for each that is new. `None` when it was
    /// something else, such as the language.
    pub(super) fn changes(&mut self, context: &NoticeContext<'_>) -> Option<Vec<Parsed>> {
        let event = context.event();
        event.as_object()?;
        let shown = Shown { title: owned_text(event, "title"), category: owned_word(event, "category_name") };
        let before = self.known.take();
        let is_new = |part: fn(&Shown) -> &Option<String>| before.as_ref().is_none_or(|it| part(it) != part(&shown));
        let kinds = [("title", is_new(|it| &it.title)), ("category", is_new(|it| &it.category))];
        let changes: Vec<Parsed> =
            kinds.into_iter().filter(|(_, is_new)| *is_new).map(|(kind, _)| shown.told(kind, context)).collect();
        self.known = Some(shown);
        (!changes.is_empty()).then_some(changes)
    }
}

impl Shown {
    fn told(&self, kind: &str, context: &NoticeContext<'_>) -> Parsed {
        let broadcast =
            Broadcast { title: self.title.clone(), category: self.category.clone(), ..Broadcast::default() };
        let key = (!context.notice.message_id.is_empty())
            .then(|| format!("{}:{kind}", super::shortened(context.notice.message_id)));
        Parsed { key, extra: context.rest(&["title", "category_name"]), ..told(kind, broadcast) }
    }
}

/// A raid that leaves for another channel.
pub(super) fn raid_out(who: User, viewers: u32) -> Parsed {
    told("raid-out", Broadcast { who: Some(who), count: Some(viewers), ..Broadcast::default() })
}
