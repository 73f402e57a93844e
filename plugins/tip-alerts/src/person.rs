//! People as this plugin keeps and shows them: names made fit for a line of chat and for an overlay, and sets of
//! people, each once.

use serde::{Deserialize, Serialize};
use showrunner_sdk::event::User;

/// The longest names of the large platforms have 25; a display name may be anything.
const NAME_CHARACTERS: usize = 40;
/// Names that are kept of a crowd; the setting `names` can't ask for more.
pub(crate) const NAMES: usize = 50;
/// What the ids of a crowd may take, so that it fits one value of kv and is quickly read. Beyond it people are only
/// counted.
const ID_BYTES: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Unique on its platform.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) login: String,
}

impl From<&User> for Person {
    fn from(user: &User) -> Self {
        let login = tidy(&user.login, NAME_CHARACTERS);
        let name = tidy(user.shown_name(), NAME_CHARACTERS);
        let id = if user.id.is_empty() { user.login.to_lowercase() } else { user.id.clone() };
        Self { id, name: if name.is_empty() { login.clone() } else { name }, login }
    }
}

/// People, each once, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct People {
    count: u32,
    ids: Vec<String>,
    /// Of the first ones, in the same order.
    names: Vec<String>,
}

impl People {
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Those whose names are kept.
    pub(crate) fn known(&self) -> impl Iterator<Item = Person> + '_ {
        let named = self.ids.iter().zip(&self.names);
        named.map(|(id, name)| Person { id: id.clone(), name: name.clone(), login: String::new() })
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids.iter().any(|known| known == id)
    }

    /// Returns whether somebody new came.
    pub(crate) fn add(&mut self, person: &Person) -> bool {
        if self.contains(&person.id) {
            return false;
        }
        self.count = self.count.saturating_add(1);
        let bytes: usize = self.ids.iter().map(String::len).sum();
        if bytes + person.id.len() > ID_BYTES {
            return true;
        }
        // Names and ids go together: the first name is that of the first id.
        if self.names.len() == self.ids.len() && self.names.len() < NAMES {
            self.names.push(person.name.clone());
        }
        self.ids.push(person.id.clone());
        true
    }
}

/// One line of at most so many characters: without control characters, without marks that turn the direction of the
/// text or hide in it, without runs of spaces.
pub(crate) fn tidy(text: &str, most: usize) -> String {
    let visible: String = text.chars().filter(|character| !is_hidden(*character)).collect();
    let line = visible.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some(_) => line.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The joiners are left: emoji and some scripts need them.
const fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, name: &str) -> Person {
        Person { id: id.to_owned(), name: name.to_owned(), login: String::new() }
    }

    #[test]
    fn a_text_becomes_one_visible_line() {
        for (text, tidied) in [
            ("Ada", "Ada"),
            (" a\r\nb\u{0}  c ", "a b c"),
            ("\u{202e}evil\u{202c}", "evil"),
            ("\u{200b}\u{feff}", ""),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
            ("abcdefgh", "abcdefgh"),
            ("abcdefghi", "abcdefg…"),
            ("フクロウフクロウフ", "フクロウフクロ…"),
        ] {
            assert_eq!(tidy(text, 8), tidied);
        }
    }

    #[test]
    fn somebody_without_a_name_to_show_has_a_login() {
        let mut user = showrunner_sdk::testing::event::user("Ada");
        "\u{200b}".clone_into(&mut user.display_name);
        assert_eq!(Person::from(&user), Person { id: "id-ada".into(), name: "ada".into(), login: "ada".into() });
        user.id.clear();
        assert_eq!(Person::from(&user).id, "ada");
    }

    #[test]
    fn everybody_counts_once() {
        let mut people = People::default();
        assert!(people.add(&person("1", "Ada")) && people.add(&person("2", "Ada")));
        assert!(!people.add(&person("1", "Renamed")));
        assert_eq!((people.count(), people.names()), (2, &["Ada".to_owned(), "Ada".to_owned()][..]));
    }

    #[test]
    fn a_crowd_is_counted_and_stays_small() {
        let mut people = People::default();
        for number in 0..5_000 {
            assert!(people.add(&person(&format!("a-rather-long-id-of-somebody-{number}"), &"x".repeat(40))));
        }
        assert_eq!((people.count(), people.names().len()), (5_000, NAMES));
        assert!(serde_json::to_vec(&people).unwrap().len() < 40_000);
    }
}
