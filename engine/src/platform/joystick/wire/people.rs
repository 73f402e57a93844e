//! Who somebody is. The service tells no ids: people are known by their usernames, whose case means nothing.

use serde_json::{Map, Value};

use super::text::without_flair;
use crate::event::{Roles, User};
use crate::platform::fields::{field, object, word, word_of};

/// The names that a badge may have, in the first shape and in the second, and what it is called.
const BADGES: [(&[&str], &str); 9] = [
    (&["isStreamer", "is_streamer", "streamer"], "streamer"),
    (&["isModerator", "is_moderator", "mod", "moderator"], "mod"),
    (&["isSubscriber", "is_subscriber", "subscriber"], "subscriber"),
    (&["isStaff", "is_staff", "staff"], "staff"),
    (&["isBot", "is_bot", "bot"], "bot"),
    (&["isVerified", "is_verified", "verified"], "verified"),
    (&["isContentCreator", "is_content_creator", "content_creator"], "content-creator"),
    (&["new"], "new"),
    (&["host"], "host"),
];

/// What identifies somebody of this username.
pub(in crate::platform::joystick) fn user_id(username: &str) -> String {
    username.trim().to_lowercase()
}

/// Somebody with all that stands in the object about them; `None` without a name.
pub(super) fn user(person: &Map<String, Value>) -> Option<User> {
    let username = name_of(person, &["username", "slug", "name"])?;
    let shown = name_of(
        person,
        &["nickname", "displayName", "display_name", "displayNameWithFlair", "display_name_with_flair"],
    );
    let (roles, badges) = standing(person);
    Some(User {
        id: user_id(&username),
        display_name: shown.unwrap_or_else(|| username.clone()),
        login: username,
        roles,
        badges,
        color: color_of(person),
    })
}

/// Somebody of whom no more than the name is told, or an object of that name.
pub(super) fn named(fields: &Map<String, Value>, names: &[&str]) -> Option<User> {
    if let Some(person) = object(fields, names) {
        return user(person);
    }
    let name = name_of(fields, names)?;
    Some(User { id: user_id(&name), display_name: name.clone(), login: name, ..User::default() })
}

fn name_of(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let name = without_flair(word_of(fields, &[name])?);
        let name: String = name.chars().filter(|character| !character.is_control()).collect();
        Some(word(name.trim()).to_owned()).filter(|name| !name.is_empty())
    })
}

fn standing(person: &Map<String, Value>) -> (Roles, Vec<String>) {
    let nested = object(person, &["badges"]);
    let mut roles = Roles::default();
    let mut badges = Vec::new();
    for (names, badge) in BADGES {
        let has = |fields: &Map<String, Value>| names.iter().any(|name| fields.get(*name).is_some_and(is_true));
        if !has(person) && !nested.is_some_and(has) {
            continue;
        }
        badges.push(badge.to_owned());
        match badge {
            "streamer" => roles.broadcaster = true,
            "mod" => roles.moderator = true,
            "subscriber" => roles.subscriber = true,
            "staff" => roles.staff = true,
            "bot" => roles.bot = true,
            _ => {}
        }
    }
    (roles, badges)
}

fn is_true(value: &Value) -> bool {
    *value == true || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// "#RRGGBB", also from the short form and without the sign.
fn color_of(person: &Map<String, Value>) -> Option<String> {
    let text = field(person, &["usernameColor", "username_color", "color"])?.as_str()?.trim();
    let digits = text.strip_prefix('#').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        6 => Some(format!("#{digits}")),
        3 => Some(digits.chars().fold("#".to_owned(), |color, digit| format!("{color}{digit}{digit}"))),
        _ => None,
    }
}
