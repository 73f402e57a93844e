//! An effect in words.

use crate::cli::clean::{clean, shorten};
use crate::cli::paint::{Color, Paint};
use crate::effect::{Action, Effect};

const PAYLOAD: usize = 160;

pub(super) fn describe(effect: &Effect, paint: Paint) -> String {
    let (name, text) = match effect {
        Effect::Platform { channel, action } => {
            (action.name(), format!("{} in {}", acted(action), clean(&channel.to_string())))
        }
        Effect::Alert(alert) => ("alert", format!("{}: {}", clean(&alert.kind), clean(&alert.title))),
        Effect::Enqueue { task, .. } => {
            ("task", format!("{}: {}", clean(&task.queue), clean(&shorten(&task.prompt, PAYLOAD))))
        }
        Effect::Publish { kind, data_json } => {
            ("publish", format!("{} {}", clean(kind), clean(&shorten(data_json, PAYLOAD))))
        }
    };
    format!("{} {text}", paint.in_color(Color::Green, name))
}

fn acted(action: &Action) -> String {
    match action {
        Action::Say { text } | Action::Reply { text, .. } | Action::Announce { text } => format!("\"{}\"", clean(text)),
        Action::Whisper { user_id, text } => format!("to {} \"{}\"", clean(user_id), clean(text)),
        Action::Shoutout { user_id } | Action::Lift { user_id } => clean(user_id).into_owned(),
        Action::RemoveMessage { message_id, reason } => format!("{} ({})", clean(message_id), clean(reason)),
        Action::Suspend { user_id, seconds, reason } => {
            let time = seconds.map_or_else(|| "for good".to_owned(), |seconds| format!("for {seconds} s"));
            format!("{} {time} ({})", clean(user_id), clean(reason))
        }
        Action::Warn { user_id, reason } | Action::Block { user_id, reason } => {
            format!("{} ({})", clean(user_id), clean(reason))
        }
        Action::ResolveHeld { message_id, allow } => {
            format!("{} {}", clean(message_id), if *allow { "allowed" } else { "denied" })
        }
    }
}
