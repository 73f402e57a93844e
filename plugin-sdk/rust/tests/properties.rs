//! What holds for every text that somebody may type: nothing panics, and what is written is read back.

#![allow(clippy::unwrap_used, reason = "a test may assume")]

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use showrunner_sdk::amount::Decimal;
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
        color: None,
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

/// Any decimal, small ones more often.
fn decimal() -> impl Strategy<Value = Decimal> {
    let units = prop_oneof![0..1_000_u128, any::<u32>().prop_map(u128::from), any::<u128>()];
    let exponent = prop_oneof![-3..4_i16, any::<i8>().prop_map(i16::from), any::<i16>()];
    (units, exponent).prop_map(|(units, exponent)| Decimal::new(units, exponent))
}

proptest! {
    #[test]
    fn decimals_have_one_order(a in decimal(), b in decimal(), c in decimal()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert!(!(a <= b && b <= c) || a <= c);
    }

    #[test]
    fn decimals_are_ordered_and_added_as_the_numbers_they_are(a in any::<u32>(), b in any::<u32>(), finer in 0..9_u32) {
        let scaled = Decimal::new(u128::from(a) * 10_u128.pow(finer), i16::try_from(finer).unwrap());
        prop_assert_eq!(scaled, Decimal::from(a));
        prop_assert_eq!(scaled.cmp(&Decimal::from(b)), a.cmp(&b));
        let sum = Decimal::new(u128::from(a) + u128::from(b), 0);
        prop_assert_eq!(scaled.checked_add(Decimal::from(b)), Some(sum));
        prop_assert_eq!(sum.checked_sub(scaled), Some(Decimal::from(b)));
    }

    #[test]
    fn a_decimal_is_read_back_as_it_was_shown(units in any::<u64>(), exponent in -15..20_i16) {
        let decimal = Decimal::new(u128::from(units), exponent);
        prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
    }

    #[test]
    fn whatever_is_counted_nothing_panics(a in decimal(), b in decimal(), text in text()) {
        if let Some(sum) = a.checked_add(b) {
            prop_assert!(sum >= a && sum >= b);
            prop_assert_eq!(sum.checked_sub(b), Some(a));
        }
        let _ = (a.percent_of(b), Decimal::parse(&text));
    }

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
