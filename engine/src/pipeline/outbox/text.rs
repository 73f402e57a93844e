//! What a chat line may hold.

use crate::effect::Action;

/// The platform would refuse it, or show nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is empty")]
pub(in crate::pipeline) struct Empty;

/// Makes one line of what is to be said: line breaks and control characters become spaces, as they can end a command
/// of the platform's protocol early or change how the rest is shown.
pub(in crate::pipeline) fn clean(mut action: Action) -> Result<Action, Empty> {
    if let Some(text) = text_of(&mut action) {
        if text.contains(char::is_control) {
            *text = text.replace(char::is_control, " ");
        }
        if text.trim().is_empty() {
            return Err(Empty);
        }
    }
    Ok(action)
}

fn text_of(action: &mut Action) -> Option<&mut String> {
    match action {
        Action::Say { text }
        | Action::Reply { text, .. }
        | Action::Whisper { text, .. }
        | Action::Announce { text } => Some(text),
        Action::Shoutout { .. }
        | Action::RemoveMessage { .. }
        | Action::Suspend { .. }
        | Action::Block { .. }
        | Action::Lift { .. }
        | Action::Warn { .. }
        | Action::ResolveHeld { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let cases = [
            ("hello", Ok("hello")),
            ("two\nlines", Ok("two lines")),
            ("a\r\nPRIVMSG #x :b", Ok("a  PRIVMSG #x :b")),
            ("\u{1}ACTION waves\u{1}", Ok(" ACTION waves ")),
            ("🎉 done\u{0}", Ok("🎉 done ")),
            ("", Err(Empty)),
            ("\n\t ", Err(Empty)),
        ];
        for (text, cleaned) in cases {
            let cleaned = cleaned.map(|text| Action::Say { text: text.to_owned() });
            assert_eq!(clean(Action::Say { text: text.to_owned() }), cleaned, "{text:?}");
        }
    }

    #[test]
    fn what_says_nothing_needs_no_text() {
        let lift = Action::Lift { user_id: String::new() };
        assert_eq!(clean(lift.clone()), Ok(lift));
    }
}
