//! Colours, or none.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Cyan,
}

/// Whether to colour. The text must be clean: it is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint {
    colours: bool,
}

impl Paint {
    pub(super) const fn when(colours: bool) -> Self {
        Self { colours }
    }

    pub(super) const fn plain() -> Self {
        Self { colours: false }
    }

    pub(super) fn in_colour(self, colour: Colour, text: &str) -> String {
        self.styled(
            match colour {
                Colour::Red => 31,
                Colour::Green => 32,
                Colour::Yellow => 33,
                Colour::Cyan => 36,
            },
            text,
        )
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.styled(1, text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.styled(2, text)
    }

    fn styled(self, code: u8, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
