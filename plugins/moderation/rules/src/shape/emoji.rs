//! Counts emoji as people see them: a family of four is one, and so is a flag.

/// What of an emoji was seen.
#[derive(Debug, Default)]
pub(super) struct Emoji {
    is_inside: bool,
    /// The next picture belongs to this one.
    is_joined: bool,
    /// Half of a flag was seen.
    is_half_flag: bool,
}

impl Emoji {
    /// Whether an emoji begins with this character. `next` is what follows.
    pub(super) fn begins(&mut self, character: char, next: Option<char>) -> bool {
        let (was_joined, was_half_flag) = (self.is_joined, self.is_half_flag);
        *self = Self::default();
        match character {
            '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}' => {
                self.is_inside = true;
                false
            }
            '\u{1f1e6}'..='\u{1f1ff}' => {
                self.is_inside = true;
                self.is_half_flag = !was_half_flag;
                !was_half_flag
            }
            _ => {
                self.is_inside = is_emoji(character, next);
                self.is_inside && !was_joined
            }
        }
    }

    /// An invisible character, which may join two pictures to one.
    pub(super) fn joins(&mut self, invisible: char) {
        self.is_joined |= invisible == '\u{200d}' && self.is_inside;
    }

    /// Whether the last character is part of an emoji.
    pub(super) const fn is_inside(&self) -> bool {
        self.is_inside
    }
}

/// The older signs are emoji only when they are asked to be in colour, with few exceptions.
const fn is_emoji(character: char, next: Option<char>) -> bool {
    let in_colour = matches!(next, Some('\u{fe0f}'));
    match character {
        '\u{1f000}'..='\u{1f0ff}' | '\u{1f300}'..='\u{1faff}' => true,
        '\u{2614}' | '\u{2615}' | '\u{2764}' | '\u{26a1}' | '\u{26bd}' | '\u{26be}' | '\u{2705}' | '\u{2728}' => true,
        '\u{270a}' | '\u{270b}' | '\u{274c}' | '\u{2753}'..='\u{2757}' | '\u{2b50}' | '\u{2b55}' => true,
        '0'..='9' | '#' | '*' => in_colour,
        '\u{a9}' | '\u{ae}' | '\u{2000}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' => in_colour,
        _ => false,
    }
}
