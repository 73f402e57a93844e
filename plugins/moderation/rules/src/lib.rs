//! Judges a line of chat by its text alone.
//!
//! It knows no host, no person and no clock, keeps nothing from one line to the next, and decides nothing: it says
//! which rules a line breaks and where. The plugin around it decides what follows from that; the corpus program
//! measures it.
//!
//! [`Folded`] gives all the ways to write the same letters one form, `letters` knows which letters look alike,
//! `squeezed` leaves out what stands between letters, `shape` counts, and each rule is a module of its own. All of it
//! takes time in proportion to the length of the line.

mod content;
mod effort;
mod finding;
mod fold;
mod letters;
mod line;
mod links;
mod noise;
mod settings;
mod shape;
mod squeezed;
mod terms;

pub use content::Content;
pub use finding::{Finding, Rule, RuleSet};
pub use fold::Folded;
pub use line::{Line, Mark, MarkKind};
pub use settings::{Common, read};
pub use terms::Group;
