//! Colors, or none.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Red,
    Green,
    Yellow,
    Cyan,
}

/// Whether to color. The text must be clean: it is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint {
    colors: bool,
}

impl Paint {
    pub(super) const fn when(colors: bool) -> Self {
        Self { colors }
    }

    pub(super) const fn plain() -> Self {
        Self { colors: false }
    }

    pub(super) fn in_color(self, color: Color, text: &str) -> String {
        self.styled(
            match color {
                Color::Red => "31",
                Color::Green => "32",
                Color::Yellow => "33",
                Color::Cyan => "36",
            },
            text,
        )
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// A name in the color that its owner chose, and bold in any case.
    pub(super) fn in_color_of_name(self, color: Option<&str>, text: &str) -> String {
        match color.and_then(channels) {
            Some([red, green, blue]) => self.styled(&format!("1;38;2;{red};{green};{blue}"), text),
            None => self.bold(text),
        }
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.styled("2", text)
    }

    fn styled(self, code: &str, text: &str) -> String {
        if self.colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Red, green and blue of "#RRGGBB".
fn channels(color: &str) -> Option<[u8; 3]> {
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}
