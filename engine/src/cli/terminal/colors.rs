//! The colors of those who wrote lately, so that a name is in its color also where others mention it.

use std::collections::{HashMap, VecDeque};

use crate::cli::clean::clean;
use crate::cli::paint::Paint;
use crate::event::{Event, User};

/// As many as a screen will ever mention.
const KNOWN: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Colors {
    /// By login or shown name, in lower case.
    known: HashMap<String, String>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Colors {
    pub(super) fn learn(&mut self, event: &Event) {
        let Some(User { login, display_name, color: Some(color), .. }) = event.actor() else { return };
        for name in [login.to_lowercase(), display_name.to_lowercase()] {
            if self.known.insert(name.clone(), color.clone()).is_none() {
                self.order.push_back(name);
            }
        }
        while self.order.len() > KNOWN {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// The text, cleaned, with each @name in the color of whoever has it.
    pub(super) fn text(&self, text: &str, paint: Paint) -> String {
        let mut shown = String::with_capacity(text.len());
        for (place, part) in text.split('@').enumerate() {
            if place == 0 {
                shown.push_str(&clean(part));
                continue;
            }
            let end = part.find(|character: char| !character.is_alphanumeric() && character != '_');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            match self.known.get(&name.to_lowercase()) {
                Some(color) => shown.push_str(&paint.in_color_of_name(Some(color), &format!("@{}", clean(name)))),
                None => shown.push_str(&format!("@{}", clean(name))),
            }
            shown.push_str(&clean(rest));
        }
        shown
    }
}
