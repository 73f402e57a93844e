//! What the reviewers' verdicts come to, and what follows from it. Pure; `review` carries it out, and `replay` shows
//! what it would have been.

use std::cmp::Reverse;

use crate::config::settings::OnFailure;
use crate::effect::notice::kind;
use crate::effect::{Action, Effect, NumberedEffect, PluginId, Verdict};
use crate::event::{Envelope, Event, Moderation};
use crate::recording::Note;

/// A verdict, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) reviewer: PluginId,
    pub(crate) verdict: Verdict,
    /// It was not given in time, and is the operator's `on-failure`.
    pub(crate) late: bool,
}

impl Ruling {
    pub(crate) const fn in_time(reviewer: PluginId, verdict: Verdict) -> Self {
        Self { reviewer, verdict, late: false }
    }

    /// For a reviewer that gave no verdict.
    pub(crate) fn without_answer(reviewer: PluginId, on_failure: OnFailure) -> Self {
        let verdict = match on_failure {
            OnFailure::Pass => Verdict::Pass,
            OnFailure::Hold => Verdict::Hold { reason: format!("the reviewer {reviewer} gave no verdict in time") },
        };
        Self { reviewer, verdict, late: true }
    }

    /// What is recorded of it: that somebody let pass in time is not.
    pub(crate) fn note(&self) -> Option<Note> {
        let Self { verdict, late, .. } = self;
        (*late || *verdict != Verdict::Pass).then(|| Note::Verdict { verdict: verdict.clone(), late: *late })
    }
}

/// The strictest of all; among equals the first. `None` when all let it pass.
pub(crate) fn strictest(verdicts: impl IntoIterator<Item = Ruling>) -> Option<Ruling> {
    verdicts
        .into_iter()
        .filter(|ruling| ruling.verdict != Verdict::Pass)
        // `min_by_key` keeps the first of equals, `max_by_key` would keep the last.
        .min_by_key(|ruling| Reverse(severity(&ruling.verdict)))
}

/// For good is longer than any number of seconds.
fn severity(verdict: &Verdict) -> (u8, u32) {
    match verdict {
        Verdict::Pass => (0, 0),
        Verdict::Flag { .. } => (1, 0),
        Verdict::Hold { .. } => (2, 0),
        Verdict::Remove { .. } => (3, 0),
        Verdict::Suspend { seconds, .. } => (4, seconds.unwrap_or(u32::MAX)),
    }
}

/// What the platform is asked to do: the message goes at once, also when it is only held, as it is public already.
///
/// The numbers count down from the top, so that they never meet those of the reviewer's own effects.
pub(crate) fn measures(envelope: &Envelope, verdict: &Verdict) -> Vec<NumberedEffect> {
    let reason = verdict.reason();
    let mut actions = Vec::new();
    if let Event::Chat(message) = &envelope.event
        && matches!(verdict, Verdict::Hold { .. } | Verdict::Remove { .. } | Verdict::Suspend { .. })
    {
        actions.push(Action::RemoveMessage { message_id: message.id.clone(), reason: reason.to_owned() });
    }
    if let Verdict::Suspend { seconds, .. } = verdict
        && let Some(user) = envelope.event.actor().filter(|user| !user.id.is_empty())
    {
        actions.push(Action::Suspend { user_id: user.id.clone(), seconds: *seconds, reason: reason.to_owned() });
    }
    let channel = &envelope.channel;
    (0..=u32::MAX)
        .rev()
        .zip(actions)
        .map(|(number, action)| NumberedEffect {
            number,
            effect: Effect::Platform { channel: channel.clone(), action },
        })
        .collect()
}

/// What plugins get told. Only those that may see it get the text of what was taken away.
pub(crate) fn notice(envelope: &Envelope, verdict: &Verdict, with_text: bool) -> Moderation {
    Moderation {
        kind: kind(verdict).to_owned(),
        moderator: None,
        target: envelope.event.actor().cloned(),
        message_id: Some(subject(envelope).to_owned()),
        text: if with_text { text(&envelope.event).map(str::to_owned) } else { None },
        seconds: if let Verdict::Suspend { seconds, .. } = verdict { *seconds } else { None },
        reason: Some(verdict.reason().to_owned()),
    }
}

/// By what a held event is asked for: the id of its message, or its own where there is none.
pub(crate) fn subject(envelope: &Envelope) -> &str {
    match &envelope.event {
        Event::Chat(message) | Event::Whisper(message) if !message.id.is_empty() => &message.id,
        _ => &envelope.id,
    }
}

/// What a person wrote.
pub(crate) fn text(event: &Event) -> Option<&str> {
    match event {
        Event::Chat(message) | Event::Whisper(message) => Some(&message.text),
        Event::Subscription(subscription) => subscription.message.as_deref(),
        Event::Support(support) => support.message.as_deref(),
        Event::Redemption(redemption) => redemption.input.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Channel, ChatMessage, Origin, User};

    fn flag() -> Verdict {
        Verdict::Flag { reason: "f".into() }
    }

    fn hold() -> Verdict {
        Verdict::Hold { reason: "h".into() }
    }

    fn remove() -> Verdict {
        Verdict::Remove { reason: "r".into() }
    }

    fn suspend(seconds: Option<u32>) -> Verdict {
        Verdict::Suspend { seconds, reason: "s".into() }
    }

    #[test]
    fn the_strictest_verdict_counts_and_the_first_of_equals() {
        let cases: Vec<(Vec<Verdict>, Option<usize>)> = vec![
            (vec![], None),
            (vec![Verdict::Pass, Verdict::Pass], None),
            (vec![Verdict::Pass, flag()], Some(1)),
            (vec![hold(), flag()], Some(0)),
            (vec![hold(), remove(), flag()], Some(1)),
            (vec![suspend(Some(1)), remove()], Some(0)),
            (vec![suspend(Some(60)), suspend(Some(600))], Some(1)),
            (vec![suspend(Some(600)), suspend(None)], Some(1)),
            (vec![suspend(None), suspend(Some(600))], Some(0)),
            (vec![remove(), Verdict::Remove { reason: "z".into() }], Some(0)),
        ];
        for (verdicts, winner) in cases {
            let rulings: Vec<Ruling> = verdicts
                .iter()
                .enumerate()
                .map(|(number, verdict)| Ruling::in_time(number.to_string().into(), verdict.clone()))
                .collect();
            assert_eq!(strictest(rulings.clone()), winner.map(|winner| rulings[winner].clone()), "{verdicts:?}");
        }
    }

    fn any_verdict() -> impl Strategy<Value = Verdict> {
        let seconds = prop_oneof![Just(None), (1..4_u32).prop_map(Some), Just(Some(u32::MAX))];
        prop_oneof![Just(Verdict::Pass), Just(flag()), Just(hold()), Just(remove()), seconds.prop_map(suspend)]
    }

    proptest! {
        #[test]
        fn no_order_makes_a_verdict_milder(
            (verdicts, shuffled) in proptest::collection::vec(any_verdict(), 0..8)
                .prop_flat_map(|verdicts| (Just(verdicts.clone()), Just(verdicts).prop_shuffle())),
        ) {
            let ruling = |(number, verdict): (usize, &Verdict)| {
                Ruling::in_time(number.to_string().into(), verdict.clone())
            };
            let decide = |verdicts: &[Verdict]| strictest(verdicts.iter().enumerate().map(ruling).collect::<Vec<_>>());
            let strictness = |ruling: &Option<Ruling>| ruling.as_ref().map(|ruling| severity(&ruling.verdict));
            let (decided, other) = (decide(&verdicts), decide(&shuffled));
            prop_assert_eq!(strictness(&decided), strictness(&other));
            let most = verdicts.iter().map(severity).max().filter(|most| *most > severity(&Verdict::Pass));
            prop_assert_eq!(strictness(&decided), most);
            // Among equals it is the first reviewer's, so that the same events are always told the same way.
            let first = verdicts.iter().position(|verdict| Some(severity(verdict)) == most);
            prop_assert_eq!(decided.map(|ruling| ruling.reviewer.to_string()), first.map(|first| first.to_string()));
        }
    }

    fn envelope() -> Envelope {
        let author = User { id: "42".into(), login: "spammer".into(), ..User::default() };
        let message = ChatMessage { id: "m1".into(), author, text: "buy".into(), ..ChatMessage::default() };
        let (channel, event) = (Channel::new("retake", "5b7c"), Event::Chat(message));
        Envelope { id: "e1".into(), sequence: 1, at_ms: 0, origin: Origin::Live, channel, event, extra: None }
    }

    #[test]
    fn measures_fit_the_verdict() {
        let names = |verdict: &Verdict| -> Vec<(u32, &'static str)> {
            measures(&envelope(), verdict)
                .iter()
                .map(|numbered| match &numbered.effect {
                    Effect::Platform { action, .. } => (numbered.number, action.name()),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(names(&Verdict::Pass), []);
        assert_eq!(names(&flag()), []);
        assert_eq!(names(&hold()), [(u32::MAX, "remove-message")]);
        assert_eq!(names(&remove()), [(u32::MAX, "remove-message")]);
        assert_eq!(names(&suspend(Some(5))), [(u32::MAX, "remove-message"), (u32::MAX - 1, "suspend")]);
    }

    #[test]
    fn a_message_without_an_id_goes_by_that_of_its_event() {
        let mut envelope = envelope();
        assert_eq!(subject(&envelope), "m1");
        if let Event::Chat(message) = &mut envelope.event {
            message.id.clear();
        }
        assert_eq!(subject(&envelope), "e1");
    }

    #[test]
    fn a_notice_has_the_text_only_for_those_who_may_see_it() {
        let notice = |with_text| notice(&envelope(), &suspend(Some(5)), with_text);
        assert_eq!(notice(true).text.as_deref(), Some("buy"));
        assert_eq!(notice(false).text, None);
        let Moderation { kind, target, message_id, seconds, reason, .. } = notice(false);
        assert_eq!((kind.as_str(), message_id.as_deref(), seconds), ("suspended", Some("m1"), Some(5)));
        assert_eq!((target.map(|user| user.id).as_deref(), reason.as_deref()), (Some("42"), Some("s")));
    }
}
