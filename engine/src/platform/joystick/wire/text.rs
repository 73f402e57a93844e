//! Text as the service writes it: with markup in what it says itself, with badges in names, in two ways to spell a
//! name.

use crate::platform::fields::word;

/// The longest entity that is read, with all leading zeros that anybody writes.
const LONGEST_ENTITY: usize = 12;

/// The name of an event in the spelling of the second shape: "TipGoalMet" is "tip_goal_met".
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut previous = None::<char>;
    // Some capitals have no small letter.
    let is_capital = |character: char| !character.to_lowercase().eq([character]);
    for character in name.trim().chars() {
        if character.is_alphanumeric() {
            let begins = is_capital(character) && previous.is_some_and(|previous| !is_capital(previous));
            if begins && !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            snake.extend(character.to_lowercase().filter(|small| small.is_alphanumeric()));
        } else if !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        previous = Some(character);
    }
    word(&snake).trim_end_matches('_').to_owned()
}

/// A name without the badges that stand before it as "{{{moderatorBadge}}}".
pub(super) fn without_flair(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((_, behind)) = after.split_once("}}") else { break };
        plain.push_str(before);
        rest = behind.trim_start_matches('}');
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

/// What a person reads of a text with markup. A sign that begins no tag and no entity is itself.
pub(in crate::platform::joystick) fn plain(marked: &str) -> String {
    let mut plain = String::with_capacity(marked.len());
    let mut rest = marked;
    while let Some(position) = rest.find(['<', '&']) {
        let (before, markup) = rest.split_at(position);
        plain.push_str(before);
        rest = match tag(markup).or_else(|| entity(markup, &mut plain)) {
            Some(behind) => behind,
            None => {
                let mut characters = markup.chars();
                plain.extend(characters.next());
                characters.as_str()
            }
        };
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands behind the tag that `markup` begins with.
fn tag(markup: &str) -> Option<&str> {
    let inside = markup.strip_prefix('<')?;
    let begins_a_tag =
        inside.starts_with(|character: char| character.is_ascii_alphabetic() || "/!".contains(character));
    begins_a_tag.then(|| inside.split_once('>')).flatten().map(|(_, behind)| behind)
}

/// Writes the character of the entity that `markup` begins with, and returns what stands behind it.
fn entity<'text>(markup: &'text str, plain: &mut String) -> Option<&'text str> {
    let (name, behind) = markup.strip_prefix('&')?.split_once(';').filter(|(name, _)| name.len() <= LONGEST_ENTITY)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    plain.push(character);
    Some(behind)
}

pub(super) fn one_line(words: &str) -> String {
    let line = crate::web::one_line(&plain(words));
    if line.is_empty() { "it does not say why".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_spellings_of_a_name_are_one() {
        for (name, snake_name) in [
            ("TipGoalMet", "tip_goal_met"),
            ("tip_goal_met", "tip_goal_met"),
            ("StreamDroppedIn", "stream_dropped_in"),
            ("DropinStream", "dropin_stream"),
            ("PvpSessionReady", "pvp_session_ready"),
            ("ChatMessage", "chat_message"),
            ("tip-goal met", "tip_goal_met"),
            ("Éclair", "éclair"),
            ("A𝒩İ", "a𝒩_i"),
            ("", ""),
            ("__", ""),
        ] {
            assert_eq!(snake(name), snake_name);
        }
    }

    #[test]
    fn flair_is_no_part_of_a_name() {
        for (name, shown) in [
            ("{{{moderatorBadge}}} alice", "alice"),
            ("{{{a}}}{{{b}}} alice {{c}}", "alice"),
            ("alice", "alice"),
            ("{alice}", "{alice}"),
            ("{{{alice", "{{{alice"),
            ("{{{badge}}}", ""),
        ] {
            assert_eq!(without_flair(name), shown);
        }
    }

    #[test]
    fn markup_is_taken_out_and_the_rest_stays() {
        for (marked, read) in [
            ("eve tipped 2 tokens for <strong class='x'>Hydrate</strong>", "eve tipped 2 tokens for Hydrate"),
            ("a &amp; b &lt;3 &#39;x&#39; &#x1F389;", "a & b <3 'x' 🎉"),
            ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
            ("<3 &nothing; &#xFFFFFFFF; &", "<3 &nothing; &#xFFFFFFFF; &"),
            ("a<br/>\n  b<!-- c -->", "a b"),
            ("&amp;lt;", "&lt;"),
            ("<strong", "<strong"),
        ] {
            assert_eq!(plain(marked), read);
        }
    }

    proptest! {
        #[test]
        fn text_without_markup_stays(text in "[^<&]*") {
            prop_assert_eq!(plain(&text), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }

        #[test]
        fn a_name_is_spelled_once(name in ".*") {
            let once = snake(&name);
            prop_assert_eq!(snake(&once), once);
        }
    }
}
