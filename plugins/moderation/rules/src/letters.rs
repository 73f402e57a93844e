//! Which letters stand for which: look-alikes of other scripts, accents, digits in the place of letters.
//!
//! Each folded character has a base, and what is alike has the same base. Whether it may stand for it *there* depends
//! on its surroundings, which `terms` looks at; most text never needs that.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// A folded character and what it may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The letter of ASCII that it looks like; itself where it looks like none, and for signs.
    pub(crate) plain: char,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It stands for itself alone.
    Own,
    /// A letter of ASCII with something added that languages write: é, ü, ı, ł.
    Accented,
    /// It passes for a letter of ASCII.
    LookAlike(Script),
    /// A digit or sign that people write for a letter.
    Sign,
}

/// As far as it matters for look-alikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Nobody writes a language with it in a chat of today; it is there to look like Latin.
    Fancy,
    Greek,
    Cyrillic,
    Armenian,
    Other,
}

impl Letter {
    pub(crate) fn of(character: char) -> Self {
        if character.is_ascii() {
            return Self::of_ascii(character);
        }
        let known = usize::try_from(u32::from(character)).ok().and_then(|index| KNOWN.get(index.checked_sub(0x80)?));
        known.copied().unwrap_or_else(|| Self::work_out(character))
    }

    const fn of_ascii(character: char) -> Self {
        let kind = match character {
            '0' | '1' | '3' | '4' | '5' | '7' | '8' | '9' | '@' | '$' | '!' | '|' => Kind::Sign,
            _ => Kind::Own,
        };
        Self { plain: character, kind }
    }

    /// The same for all that is alike. `l` has that of `i`, as `1` and `|` pass for both.
    pub(crate) const fn base(self) -> char {
        match self.plain {
            'l' | '1' | '!' | '|' => 'i',
            '0' => 'o',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            '8' => 'b',
            '9' => 'g',
            other => other,
        }
    }

    fn work_out(character: char) -> Self {
        let own = Self { plain: character, kind: Kind::Own };
        if !has_look_alikes(character) {
            return own;
        }
        if let Some(plain) = drawn_letter(character) {
            return Self { plain, kind: Kind::LookAlike(Script::Fancy) };
        }
        if let Some((plain, _)) = ascii_start(std::iter::once(character).nfd()) {
            return Self { plain, kind: Kind::Accented };
        }
        // Which of the two cases looks alike depends on the letter: м does not, М does.
        let mut upper = character.to_uppercase();
        let upper = upper.next().filter(|_| upper.next().is_none());
        match [Some(character), upper]
            .into_iter()
            .flatten()
            .find_map(|form| ascii_start(skeleton(form.encode_utf8(&mut [0; 4]))))
        {
            None => own,
            Some((plain, is_whole)) => {
                let kind = if is_whole && !is_ordinary_latin(character) {
                    Kind::LookAlike(Script::of(character))
                } else {
                    Kind::Accented
                };
                Self { plain, kind }
            }
        }
    }

    /// Whether a sign may be read as this letter.
    pub(crate) const fn sign_reads_as(sign: char, letter: char) -> bool {
        match sign {
            '1' | '|' | '!' => matches!(letter, 'i' | 'l'),
            _ => Self::of_ascii(sign).base() == letter,
        }
    }
}

/// What a folded text looks like: each look-alike replaced by the letter that it passes for.
pub(crate) fn look(folded: &str) -> String {
    let look = |character| match Letter::of(character) {
        Letter { plain, kind: Kind::LookAlike(_) } => plain,
        _ => character,
    };
    folded.chars().map(look).collect()
}

impl Script {
    pub(crate) const fn of(character: char) -> Self {
        match character {
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Self::Greek,
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => Self::Cyrillic,
            '\u{530}'..='\u{58f}' => Self::Armenian,
            '\u{180}'..='\u{2ff}'
            | '\u{13a0}'..='\u{167f}'
            | '\u{1d00}'..='\u{1dbf}'
            | '\u{2070}'..='\u{218f}'
            | '\u{2c60}'..='\u{2cff}'
            | '\u{a4d0}'..='\u{a4ff}'
            | '\u{a720}'..='\u{a7ff}'
            | '\u{ab30}'..='\u{abbf}'
            | '\u{10000}'..='\u{107ff}'
            | '\u{1d400}'..='\u{1d7ff}'
            | '\u{1f100}'..='\u{1f1ff}' => Self::Fancy,
            _ => Self::Other,
        }
    }

    /// For a set of scripts.
    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The letter of ASCII that a sequence begins with, and whether it is all of it. Two letters in one (æ) are none.
fn ascii_start(mut characters: impl Iterator<Item = char>) -> Option<(char, bool)> {
    let first = characters.next().filter(char::is_ascii_alphabetic)?.to_ascii_lowercase();
    match characters.next() {
        None => Some((first, true)),
        Some(second) if second.is_ascii() => None,
        Some(_) => Some((first, false)),
    }
}

/// Letters of alphabets that people write, however much they look like others: as part of their words they are
/// ordinary.
const fn is_ordinary_latin(character: char) -> bool {
    matches!(character, '\u{c0}'..='\u{17f}' | '\u{1e00}'..='\u{1eff}')
}

/// Large alphabets without any; looking through all look-alikes for each of their characters would be for nothing.
const fn has_look_alikes(character: char) -> bool {
    !matches!(
        character,
        '\u{3000}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..
    )
}

/// Letters drawn small, or in boxes, that no table of look-alikes has.
const fn drawn_letter(character: char) -> Option<char> {
    Some(match character {
        'ᴀ' => 'a',
        'ʙ' => 'b',
        'ᴄ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' => 'h',
        'ɪ' => 'i',
        'ᴊ' => 'j',
        'ᴋ' => 'k',
        'ʟ' => 'l',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴏ' => 'o',
        'ᴘ' => 'p',
        'ꞯ' => 'q',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴛ' => 't',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' => 'y',
        'ᴢ' => 'z',
        '\u{1f150}'..='\u{1f169}' => return boxed(character, '\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => return boxed(character, '\u{1f170}'),
        _ => return None,
    })
}

/// These alphabets stand in order.
const fn boxed(character: char, first: char) -> Option<char> {
    char::from_u32('a' as u32 + character as u32 - first as u32)
}

/// Latin, Greek, Cyrillic, Armenian and their neighbours, worked out once: most text that is not ASCII is of these.
static KNOWN: LazyLock<Vec<Letter>> = LazyLock::new(|| ('\u{80}'..='\u{5ff}').map(Letter::work_out).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_share_a_base() {
        for (letters, base) in [
            ("aаαᴀᎪ4@", 'a'),
            ("eеҽᴇ3", 'e'),
            ("oоοօᴏ0", 'o'),
            ("tтᴛ7", 't'),
            ("hнʜհ", 'h'),
            ("ilі1|ӏıłʟ", 'i'),
            ("wѡա", 'w'),
            ("fꜰ🅵", 'f'),
        ] {
            for letter in letters.chars().flat_map(char::to_lowercase) {
                assert_eq!(Letter::of(letter).base(), base, "{letter} {:?}", Letter::of(letter));
            }
        }
    }

    #[test]
    fn what_languages_write_is_told_from_disguise() {
        let kind = |letter: char| Letter::of(letter).kind;
        for letter in "éüñçşğışøđłåőžẽạ".chars() {
            assert_eq!(kind(letter), Kind::Accented, "{letter}");
        }
        for letter in "ßæœжыяψ中あ한ش🔥".chars() {
            assert_eq!(kind(letter), Kind::Own, "{letter}");
        }
        assert_eq!(kind('с'), Kind::LookAlike(Script::Cyrillic));
        assert_eq!(kind('ο'), Kind::LookAlike(Script::Greek));
        assert_eq!(kind('ո'), Kind::LookAlike(Script::Armenian));
        assert_eq!(kind('ɑ'), Kind::LookAlike(Script::Fancy));
    }
}
