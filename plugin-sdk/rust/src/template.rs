//! Texts with placeholders: `Hey {user}!`.
//!
//! A template is read once, when the plugin loads, and what it can't fill in is an error there. What is filled
//! in is never read again as a template, so a viewer who types `{count}` gets just that.

use std::borrow::Cow;
use std::fmt;

use crate::random;

/// Longer values are cut: nobody may fill a screen through somebody else's template. The number is that of
/// the longest chat line of the large platforms.
const VALUE_CHARACTERS: usize = 500;

/// A text with placeholders.
///
/// * `{name}` is filled in with the value of that name
/// * `{random:a|b|c}` with one of these, `{random:1-100}` with a number
/// * `{{` and `}}` stand for the braces themselves
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
    OneOf(Vec<String>),
    Number { low: u32, high: u32 },
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// The name, and the names that there are.
    Unknown(String, Vec<String>),
    /// A `{` without its `}`.
    Unclosed,
    /// A `{random:…}` that gives no choice; what stands behind the colon.
    NoChoice(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name, known) => {
                write!(formatter, "{{{name}}} is no placeholder; there are ")?;
                for name in known {
                    write!(formatter, "{{{name}}}, ")?;
                }
                formatter.write_str("{random:a|b}, and {{ for a brace")
            }
            Self::Unclosed => formatter.write_str("a { has no } behind it; write {{ for a brace"),
            Self::NoChoice(choice) => {
                write!(formatter, "{{random:{choice}}} gives no choice; write {{random:a|b}} or {{random:1-6}}")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl From<TemplateError> for String {
    fn from(error: TemplateError) -> Self {
        error.to_string()
    }
}

impl Template {
    /// Reads a template that may use the values of these names.
    ///
    /// # Errors
    /// For an unknown placeholder, a brace that is never closed, a `{random:}` without a choice.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(brace);
            plain.push_str(before);
            if let Some(after) = after.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(inside) = after.strip_prefix('{') {
                let (placeholder, after) = inside.split_once('}').ok_or(TemplateError::Unclosed)?;
                parts.extend((!plain.is_empty()).then(|| Part::Text(std::mem::take(&mut plain))));
                parts.push(Part::parse(placeholder, names)?);
                rest = after;
            } else {
                // A closing brace on its own hurts nobody.
                plain.push('}');
                rest = after.strip_prefix("}}").or_else(|| after.strip_prefix('}')).unwrap_or("");
            }
        }
        plain.push_str(rest);
        parts.extend((!plain.is_empty()).then_some(Part::Text(plain)));
        Ok(Self { parts })
    }

    /// Whether the template uses the value of this name, for values that cost something to find.
    pub fn uses(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Value(used) if used == name))
    }

    /// Fills the template in; `value` gives the value of a name, and none is an empty text.
    ///
    /// Values lose line breaks and control characters and are cut at 500 characters. A result that would begin
    /// with a viewer's `/`, `.` or `!` begins behind it: platforms and other bots read those as commands.
    pub fn render<'a>(&self, value: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(name) => {
                    let value = value(name).unwrap_or_default();
                    let value = if text.trim_start().is_empty() { without_command(&value) } else { &value };
                    text.extend(value.chars().take(VALUE_CHARACTERS).map(visible));
                }
                Part::OneOf(choices) => text.push_str(random::pick(choices).map_or("", String::as_str)),
                Part::Number { low, high } => {
                    let number = low.saturating_add(random::below((high - low).saturating_add(1)));
                    text.push_str(&number.to_string());
                }
            }
        }
        text
    }
}

impl Part {
    fn parse(placeholder: &str, names: &[&str]) -> Result<Self, TemplateError> {
        if let Some(choice) = placeholder.strip_prefix("random:") {
            return Self::parse_choice(choice).ok_or_else(|| TemplateError::NoChoice(choice.to_owned()));
        }
        let name = placeholder.trim();
        if names.contains(&name) {
            Ok(Self::Value(name.to_owned()))
        } else {
            Err(TemplateError::Unknown(name.to_owned(), names.iter().map(|&name| name.to_owned()).collect()))
        }
    }

    fn parse_choice(choice: &str) -> Option<Self> {
        if let Some((low, high)) = choice.split_once('-')
            && let (Ok(low), Ok(high)) = (low.trim().parse(), high.trim().parse())
        {
            return (low <= high).then_some(Self::Number { low, high });
        }
        let choices: Vec<String> = choice.split('|').map(str::to_owned).collect();
        (choices.len() > 1).then_some(Self::OneOf(choices))
    }
}

fn without_command(value: &str) -> &str {
    value.trim_start_matches(|character: char| matches!(character, '/' | '.' | '!') || character.is_whitespace())
}

fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, user: &str) -> String {
        Template::parse(template, &["user", "count"]).unwrap().render(|name| match name {
            "user" => Some(Cow::Borrowed(user)),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_filled_in() {
        for (template, text) in [
            ("Hey {user}! 👋", "Hey ada! 👋"),
            ("{user}{user}", "adaada"),
            ("{ user }", "ada"),
            ("no placeholder", "no placeholder"),
            ("{{user}} {{{user}}}", "{user} {ada}"),
            ("a } b }} c", "a } b } c"),
            ("[{count}]", "[]"),
            ("", ""),
            ("{random:x|x}", "x"),
            ("{random:7-7}", "7"),
        ] {
            assert_eq!(render(template, "ada"), text, "{template}");
        }
    }

    #[test]
    fn values_are_data() {
        assert_eq!(render("{user}!", "{count}{random:a|b}"), "{count}{random:a|b}!");
        assert_eq!(render("{user}", "/ban ada"), "ban ada");
        assert_eq!(render(" {user}", " !. /me waves"), " me waves");
        assert_eq!(render("hi {user}", "/ban"), "hi /ban");
        assert_eq!(render("hi {user}", "a\r\nb\0c"), "hi a  b c");
        assert_eq!(render("{user}", &"é".repeat(1000)).chars().count(), 500);
    }

    #[test]
    fn mistakes_are_told() {
        let error = |template| Template::parse(template, &["user"]).unwrap_err().to_string();
        assert_eq!(error("Hey {usr}"), "{usr} is no placeholder; there are {user}, {random:a|b}, and {{ for a brace");
        assert_eq!(error("Hey {user"), "a { has no } behind it; write {{ for a brace");
        assert_eq!(error("{random:a}"), "{random:a} gives no choice; write {random:a|b} or {random:1-6}");
        assert_eq!(error("{random:9-1}"), "{random:9-1} gives no choice; write {random:a|b} or {random:1-6}");
        assert!(error("{}").starts_with("{} is no placeholder"));
    }

    #[test]
    fn chance_stays_in_its_bounds() {
        let template = Template::parse("{random:1-3}", &[]).unwrap();
        let mut seen: Vec<String> = (0..100).map(|_| template.render(|_| None)).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["1", "2", "3"]);
        let whole = Template::parse("{random:0-4294967295}", &[]).unwrap();
        assert!(whole.render(|_| None).parse::<u32>().is_ok());
    }
}
