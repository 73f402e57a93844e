//! A line in its fragments.

use serde_json::{Value, json};

use crate::twitch::users::User;

/// The emotes that there are, with their ids.
const EMOTES: [(&str, &str); 3] = [("Kappa", "25"), ("VoHiYo", "81274"), ("PogChamp", "305954156")];

/// `{text,fragments}`. Words that begin with `@` mention whoever `named` knows; `Cheer100` is a cheermote where bits
/// are given.
pub(super) fn message(text: &str, has_bits: bool, named: impl Fn(&str) -> User) -> Value {
    let mut fragments: Vec<Value> = Vec::new();
    let mut plain = String::new();
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            plain.push(' ');
        }
        match special(word, has_bits, &named) {
            Some(fragment) => {
                if !plain.is_empty() {
                    fragments.push(fragment_of("text", &plain));
                    plain.clear();
                }
                fragments.push(fragment);
            }
            None => plain.push_str(word),
        }
    }
    if !plain.is_empty() {
        fragments.push(fragment_of("text", &plain));
    }
    json!({ "text": text, "fragments": fragments })
}

fn fragment_of(kind: &str, text: &str) -> Value {
    json!({ "type": kind, "text": text, "cheermote": null, "emote": null, "mention": null })
}

fn special(word: &str, has_bits: bool, named: impl Fn(&str) -> User) -> Option<Value> {
    if let Some(login) = word.strip_prefix('@').filter(|login| !login.is_empty()) {
        let user = named(login);
        let mut fragment = fragment_of("mention", word);
        fragment["mention"] = json!({ "user_id": user.id, "user_login": user.login, "user_name": user.name });
        return Some(fragment);
    }
    if let Some((_, id)) = EMOTES.iter().find(|(name, _)| *name == word) {
        let mut fragment = fragment_of("emote", word);
        fragment["emote"] = json!({ "id": id, "emote_set_id": "0", "owner_id": "0", "format": ["static"] });
        return Some(fragment);
    }
    let bits: u64 = word.strip_prefix("Cheer").filter(|_| has_bits)?.parse().ok()?;
    let mut fragment = fragment_of("cheermote", word);
    fragment["cheermote"] = json!({ "prefix": "cheer", "bits": bits, "tier": if bits < 100 { 1 } else { 100 } });
    Some(fragment)
}

/// What older events have in place of fragments: where emotes begin and end.
pub(super) fn emotes(text: &str) -> Value {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if let Some((_, id)) = EMOTES.iter().find(|(name, _)| *name == word) {
            found.push(json!({ "begin": at, "end": at + length - 1, "id": id }));
        }
        at += length + 1;
    }
    if found.is_empty() { Value::Null } else { found.into() }
}
