//! What holds for every text that somebody may type: nothing panics, and what is written is read back.

#![allow(clippy::unwrap_used, reason = "a test may assume")]

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use showrunner_sdk::commands::{addressed, first_word, mention, mentions, prefix, split};
use showrunner_sdk::event::{ChatMessage, Command, Roles, User};
use showrunner_sdk::template::Template;

/// Any text, and texts that are full of a template's or a command's syntax.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r#"[{}|:@!"\\ a-z0-9é-]{0,24}"#, "(\\{(user|random:[0-9a|-]{0,8}| user )\\}?){0,4}"]
}

fn message(text: &str, command: &str) -> ChatMessage {
    let author = User {
        id: "1".to_owned(),
        login: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        roles: Roles::empty(),
        badges: Vec::new(),
    };
    ChatMessage {
        id: "1".to_owned(),
        author,
        text: text.to_owned(),
        spans: Vec::new(),
        reply_to: None,
        command: Some(Command { name: command.to_lowercase(), args: String::new() }),
        mirrored_from: None,
    }
}

proptest! {
    #[test]
    fn a_template_is_read_or_refused(text in text(), value in any::<String>()) {
        match Template::parse(&text, &["user"]) {
            Ok(template) => drop(template.render(|_| Some(Cow::Borrowed(&value)))),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn an_escaped_text_is_rendered_as_it_was(text in text()) {
        let template = Template::parse(&text.replace('{', "{{").replace('}', "}}"), &["user"]).unwrap();
        prop_assert_eq!(template.render(|_| None), text);
    }

    #[test]
    fn a_value_is_data(value in text()) {
        let rendered = Template::parse("{user}", &["user"]).unwrap().render(|_| Some(Cow::Borrowed(&value)));
        prop_assert!(rendered.chars().count() <= 500);
        prop_assert!(!rendered.contains(char::is_control));
        prop_assert!(!rendered.starts_with(['/', '.', '!']), "{rendered}");
    }

    #[test]
    fn a_number_stays_between_its_bounds(low in 0u32..1000, more in 0u32..1000) {
        let template = Template::parse(&format!("{{random:{low}-{}}}", low + more), &[]).unwrap();
        let number: u32 = template.render(|_| None).parse().unwrap();
        prop_assert!((low..=low + more).contains(&number));
    }

    #[test]
    fn quoted_words_are_read_back(words in vec(any::<String>(), 0..6)) {
        let quoted = |word: &String| format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
        let line = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(split(&line), words);
    }

    #[test]
    fn plain_words_are_read_back(words in vec("[^\\s\"]{1,8}", 0..6)) {
        prop_assert_eq!(split(&words.join("  ")), words);
    }

    #[test]
    fn whatever_people_type_is_read(text in text(), name in text()) {
        for word in split(&text) {
            prop_assert!(mention(&word).len() <= word.len());
        }
        let (first, rest) = first_word(&text);
        prop_assert!(!first.contains(char::is_whitespace) && first.len() + rest.len() <= text.len());
        let names = [name.as_str()];
        if addressed(&text, &names).is_some() {
            prop_assert!(!name.is_empty());
        }
        mentions(&text, &names);
        prop_assert!(text.trim().starts_with(prefix(&message(&text, &name))));
    }

    #[test]
    fn a_name_is_found_where_it_stands(name in "[a-zA-Z0-9_éß]{1,12}", rest in "[a-z ]{0,12}", at in "@?") {
        let names = [name.as_str()];
        let first = format!("{at}{}, {rest}", name.to_lowercase());
        prop_assert_eq!(addressed(&first, &names), Some(rest.trim()));
        let (anywhere, inside) = (format!("{rest} {at}{name}!"), format!("x{name}x"));
        prop_assert!(mentions(&anywhere, &names) && !mentions(&inside, &names));
    }

    #[test]
    fn the_prefix_is_what_stands_before_the_command(prefix_typed in "[!?$~]{1,3}", name in "[a-zA-Z0-9é]{1,8}", rest in "[a-z ]{0,8}") {
        let message = message(&format!(" {prefix_typed}{name} {rest}"), &name);
        prop_assert_eq!(prefix(&message), prefix_typed);
    }
}
