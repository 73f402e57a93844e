//! Links as they are written: a host with an ending, perhaps with a scheme, a port, a path.

use std::ops::Range;

use super::endings::Ending;
use super::{Link, Written};
use crate::effort;
use crate::letters::Script;

/// Says that what follows is sent to a browser, however the scheme itself is disguised (hxxp).
const SCHEME: &str = "://";

/// They stand for a dot in the eyes of a reader; a browser knows the first two.
const DOTS: [char; 7] = ['.', '。', '•', '·', '∙', '⋅', '●'];
const DISGUISED_DOTS: [char; 5] = ['•', '·', '∙', '⋅', '●'];

/// Endings that are believed also behind a dot that is none.
const COMMON: [&str; 9] = ["com", "gg", "io", "net", "org", "ru", "top", "tv", "xyz"];

/// All links of a folded text, in order.
pub(super) fn find(text: &str, written: &Written<'_, '_>) -> Vec<Link> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some(found) = next(text, from) {
        from = match found {
            Found::Scheme(at) => match addressed(text, at + SCHEME.len()) {
                Some(link) => {
                    let end = link.span.end;
                    links.push(link);
                    end
                }
                None => at + SCHEME.len(),
            },
            Found::Host(host) => {
                let path = path(text, host.span.end);
                let end = host.span.end.max(path.end);
                if !host.is_of_a_person(text) && host.is_link(text, !path.is_empty(), written) {
                    links.push(Link { span: host.span.start..end, host: host.name, path });
                    end
                } else {
                    host.span.end
                }
            }
            Found::Dot(end) => end,
        };
    }
    links
}

enum Found {
    Scheme(usize),
    Host(Host),
    /// A dot that joins nothing, and where it ends.
    Dot(usize),
}

/// Labels with dots between them.
struct Host {
    span: Range<usize>,
    name: String,
}

fn next(text: &str, from: usize) -> Option<Found> {
    let rest = text.get(from..)?;
    let dot = rest.find(DOTS);
    let scheme = rest.get(..dot.unwrap_or(rest.len())).and_then(|before| before.find(SCHEME));
    if let Some(scheme) = scheme {
        return Some(Found::Scheme(from + scheme));
    }
    let dot = dot?;
    let start = dot - label_before(rest.get(..dot)?);
    let end = dot + labels_behind(rest.get(dot..)?);
    let dot_end = dot + rest.get(dot..)?.chars().next()?.len_utf8();
    if start == dot || end <= dot_end {
        return Some(Found::Dot(from + dot_end));
    }
    let name = with_dots(rest.get(start..end)?);
    Some(Found::Host(Host { span: from + start..from + end, name }))
}

/// The link behind a scheme, whatever its ending.
fn addressed(text: &str, start: usize) -> Option<Link> {
    let rest = text.get(start..)?;
    let is_foreign = !rest.starts_with(is_label);
    let is_end = |character: char| {
        effort::spend();
        let is_part = is_label(character) || DOTS.contains(&character) || matches!(character, ':' | '@' | '%');
        if is_foreign { matches!(character, ' ' | '/' | '?' | '#') } else { !is_part }
    };
    let authority = rest.get(..rest.find(is_end).unwrap_or(rest.len()))?;
    let end = start + authority.len();
    // What is before an @ names the user, and is what a reader shall believe to be the host.
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.split(':').next().unwrap_or(host).trim_end_matches(DOTS);
    if !host.contains(DOTS) {
        return None;
    }
    let path = path(text, end);
    Some(Link { span: start..path.end.max(end), host: with_dots(host), path })
}

fn with_dots(labels: &str) -> String {
    labels.replace(DOTS, ".")
}

/// A port stands before it; it ends with the word.
fn path(text: &str, end: usize) -> Range<usize> {
    let rest = text.get(end..).unwrap_or_default();
    let port = rest.strip_prefix(':').map_or(0, |rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 { digits + 1 } else { 0 }
    });
    let path = rest.get(port..).filter(|rest| rest.starts_with(['/', '?', '#'])).unwrap_or_default();
    let length = path.find(' ').unwrap_or(path.len());
    end + port..end + port + length
}

/// The length of the label at the end of a text.
fn label_before(text: &str) -> usize {
    let label: usize = text.chars().rev().take_while(|character| is_label(*character)).map(char::len_utf8).sum();
    let label = text.get(text.len() - label..).unwrap_or_default();
    label.trim_start_matches(['-', '_']).len()
}

/// The length of dots with a label behind each, at the start of a text.
fn labels_behind(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        let Some(dot) = rest.chars().next().filter(|character| DOTS.contains(character)) else { return length };
        let labels = rest.get(dot.len_utf8()..).unwrap_or_default();
        let label: usize = labels.chars().take_while(|character| is_label(*character)).map(char::len_utf8).sum();
        if label == 0 || labels.starts_with(['-', '_']) {
            return length;
        }
        length += dot.len_utf8() + label;
    }
}

/// Letters of scripts that part words: in the others, a host would take in what stands around it.
fn is_label(character: char) -> bool {
    effort::spend();
    character.is_ascii_alphanumeric()
        || matches!(character, '-' | '_')
        || (!character.is_ascii()
            && character.is_alphanumeric()
            && (character < '\u{590}'
                || matches!(character, '\u{10a0}'..='\u{10ff}' | '\u{1e00}'..='\u{1eff}')
                || Script::of(character) == Script::Fancy))
}

impl Host {
    fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.name.split('.')
    }

    /// Whether an @ makes it the name of somebody, here or at a host.
    fn is_of_a_person(&self, text: &str) -> bool {
        text.get(..self.span.start).is_some_and(|before| before.ends_with('@'))
            || text.get(self.span.end..).is_some_and(|after| after.starts_with('@'))
    }

    fn is_link(&self, text: &str, has_path: bool, written: &Written<'_, '_>) -> bool {
        let mut labels = self.labels().rev();
        let (ending, name) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
        let has_disguised_dot = text.get(self.span.clone()).is_some_and(|part| part.contains(DISGUISED_DOTS));
        if has_disguised_dot && !COMMON.contains(&ending) {
            return false;
        }
        // `1.top lane 2.jungle` is a list.
        if !name.contains(char::is_alphabetic) {
            return false;
        }
        let has_more = has_path || self.name.starts_with("www.") || name.trim_matches('-').contains('-');
        match Ending::of(ending) {
            Ending::None => false,
            // Letters that look like those of `com` are Russian in a Russian word.
            Ending::Disguised => self.name.contains(|character: char| character.is_ascii_alphabetic()),
            // "Good one.Live and learn" is two sentences.
            Ending::Sure if has_more || COMMON.contains(&ending) => true,
            Ending::Sure => !written.is_capitalised(&(self.span.end - ending.len()..self.span.end)),
            Ending::Ambiguous => has_more || written.is_clickable(&self.span),
        }
    }
}
