//! What reviewers made of a line then, and what they would make of it now.

use std::sync::Arc;

use serde::Serialize;

use super::lockstep::Act;
use crate::effect::{PluginId, Verdict};
use crate::event::Envelope;
use crate::pipeline::ruling::{Ruling, strictest, text};
use crate::recording::{Entry, Note};

/// The verdict that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ruled {
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Nobody gave it in time; it is what the operator wants to hold then.
    pub late: bool,
}

/// A line that is dealt with otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub event: Arc<Envelope>,
    pub change: Kind,
    pub then: Ruled,
    pub now: Ruled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    NewlyCaught,
    NoLongerCaught,
    /// Caught both times, with another verdict or for another reason.
    Changed,
}

/// How many lines were dealt with how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    pub lines: u64,
    pub newly_caught: u64,
    pub no_longer_caught: u64,
    pub changed: u64,
    pub caught_as_before: u64,
    pub passed_as_before: u64,
}

impl Ruled {
    /// Only what these reviewers said counts.
    pub fn then(entry: &Entry, reviewers: &[PluginId]) -> Self {
        let notes = entry.known.notes.iter().filter(|noted| reviewers.contains(&noted.plugin));
        let rulings = notes.filter_map(|noted| match &noted.note {
            Note::Verdict { verdict, late } => {
                Some(Ruling { reviewer: noted.plugin.clone(), verdict: verdict.clone(), late: *late })
            }
            _ => None,
        });
        Self::of(rulings.collect())
    }

    /// `None` where no reviewer was asked.
    pub fn now(act: &Act) -> Option<Self> {
        let rulings = act.reviews.iter().map(|review| Ruling {
            reviewer: review.plugin.clone(),
            verdict: review.counted.clone(),
            late: review.judged.verdict.is_err(),
        });
        (!act.reviews.is_empty()).then(|| Self::of(rulings.collect()))
    }

    fn of(rulings: Vec<Ruling>) -> Self {
        let late = !rulings.is_empty() && rulings.iter().all(|ruling| ruling.late);
        match strictest(rulings) {
            Some(Ruling { verdict, late, .. }) => Self { verdict, late },
            None => Self { verdict: Verdict::Pass, late },
        }
    }

    pub fn is_caught(&self) -> bool {
        self.verdict != Verdict::Pass
    }
}

impl Counts {
    /// Counts a line. Gives what changed, where anything did. What nobody wrote only counts when it was caught.
    pub fn add(&mut self, envelope: &Arc<Envelope>, then: Ruled, now: Ruled) -> Option<Change> {
        if text(&envelope.event).is_none() && !then.is_caught() && !now.is_caught() {
            return None;
        }
        self.lines += 1;
        let (counter, change) = match (then.is_caught(), now.is_caught()) {
            (false, false) => (&mut self.passed_as_before, None),
            (false, true) => (&mut self.newly_caught, Some(Kind::NewlyCaught)),
            (true, false) => (&mut self.no_longer_caught, Some(Kind::NoLongerCaught)),
            (true, true) if then.verdict == now.verdict => (&mut self.caught_as_before, None),
            (true, true) => (&mut self.changed, Some(Kind::Changed)),
        };
        *counter += 1;
        change.map(|change| Change { event: Arc::clone(envelope), change, then, now })
    }

    pub const fn is_same(&self) -> bool {
        self.newly_caught == 0 && self.no_longer_caught == 0 && self.changed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, ChatMessage, Event, Origin};
    use crate::recording::{Known, Noted};

    fn envelope() -> Arc<Envelope> {
        let (channel, event) = (Channel::new("retake", "5b7c"), Event::Chat(ChatMessage::default()));
        Arc::new(Envelope { id: "e1".into(), sequence: 1, at_ms: 0, origin: Origin::Live, channel, event, extra: None })
    }

    fn remove(reason: &str) -> Verdict {
        Verdict::Remove { reason: reason.into() }
    }

    fn ruled(verdict: Verdict) -> Ruled {
        Ruled { verdict, late: false }
    }

    #[test]
    fn lines_are_counted_by_what_became_of_them() {
        let mut counts = Counts::default();
        let mut kind =
            |then: Verdict, now: Verdict| counts.add(&envelope(), ruled(then), ruled(now)).map(|change| change.change);
        assert_eq!(kind(Verdict::Pass, Verdict::Pass), None);
        assert_eq!(kind(Verdict::Pass, remove("links")), Some(Kind::NewlyCaught));
        assert_eq!(kind(remove("links"), Verdict::Pass), Some(Kind::NoLongerCaught));
        assert_eq!(kind(remove("links"), remove("capitals")), Some(Kind::Changed));
        assert_eq!(kind(remove("links"), remove("links")), None);
        let expected = Counts {
            lines: 5,
            newly_caught: 1,
            no_longer_caught: 1,
            changed: 1,
            caught_as_before: 1,
            passed_as_before: 1,
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn only_those_who_are_played_count_and_the_strictest_of_them() {
        let note = |plugin: &str, verdict: Verdict, late| Noted {
            plugin: plugin.into(),
            note: Note::Verdict { verdict, late },
        };
        let notes = vec![
            note("links", Verdict::Flag { reason: "f".into() }, false),
            note("capitals", remove("c"), false),
            note("other", Verdict::Suspend { seconds: None, reason: "s".into() }, false),
            note("slow", Verdict::Pass, true),
        ];
        let known = Known { notes, effects: Vec::new() };
        let entry = Entry { envelope: envelope(), own: false, known, notice: None };
        let then = |ids: &[&str]| {
            let ids: Vec<PluginId> = ids.iter().map(|id| PluginId::from(*id)).collect();
            Ruled::then(&entry, &ids)
        };
        assert_eq!(then(&["links", "capitals"]), ruled(remove("c")));
        assert_eq!(then(&["slow"]), Ruled { verdict: Verdict::Pass, late: true });
        assert_eq!(then(&["nobody"]), ruled(Verdict::Pass));
    }
}
