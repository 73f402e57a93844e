//! From a line of chat to a verdict: the text, and what the channel remembers of its author and of others.

use moderation_rules::{Finding, Line, Mark, MarkKind, Rule, RuleSet};
use showrunner_sdk::event::Suspension;
use showrunner_sdk::prelude::*;

use crate::channels::Channel;
use crate::newcomers::{self, Standing};
use crate::people::{Forgiving, Strike, Told};
use crate::reason::Reason;
use crate::settings::Settings;
use crate::speakers::Who;
use crate::steps::Step;
use crate::words::Word;

/// Texts with fewer letters are what everybody says again: gg, lol, W.
const OWN_TEXT: usize = 6;

/// What a line comes to.
pub(crate) struct Ruling {
    pub(crate) verdict: Verdict,
    /// What is said in chat when the verdict holds.
    pub(crate) word: Option<Word>,
}

impl Ruling {
    const PASS: Self = Self { verdict: Verdict::Pass, word: None };
}

/// What would follow from one broken rule.
struct Consequence<'f> {
    finding: &'f Finding,
    is_dry: bool,
    /// `None` to hold it, which is milder than everything else.
    step: Option<Step>,
    strike: Option<Strike>,
}

pub(crate) fn judge(settings: &Settings, channel: &mut Channel, envelope: &Envelope, message: &ChatMessage) -> Ruling {
    let rules = settings.rules_for(message.author.roles);
    let line = Line::new(&message.text, marks(message));
    let findings = findings(settings, channel, envelope, message, &line, rules);
    if findings.is_empty() {
        return Ruling::PASS;
    }
    let forgiving = settings.forgiving();
    let consequences = findings.iter().map(|finding| weigh(settings, channel, envelope, message, finding, forgiving));
    // What is in earnest goes before what is tried out; then the strictest, and among equals the first.
    let worst = consequences.reduce(|worst, next| if next.rank() > worst.rank() { next } else { worst });
    worst.map_or(Ruling::PASS, |worst| rule(settings, channel, envelope, message, &line, &worst))
}

/// All that the line breaks. Also counts it, whatever comes of it.
fn findings(
    settings: &Settings,
    channel: &mut Channel,
    envelope: &Envelope,
    message: &ChatMessage,
    line: &Line<'_>,
    rules: RuleSet,
) -> Vec<Finding> {
    let (author, at_ms) = (&message.author, envelope.at_ms);
    let mut findings = Vec::new();
    let permitted = channel.speakers.is_permitted(&author.id, at_ms);
    let Some(speaker) = channel.speakers.hear(author, at_ms) else {
        settings.content.judge(line, rules, |finding| findings.push(finding));
        return findings;
    };
    if rules.is_empty() {
        return findings;
    }
    let of_text = if permitted { rules.without(Rule::Links) } else { rules };
    settings.content.judge(line, of_text, |finding| findings.push(finding));
    let mut find = |rule| findings.push(Finding { rule, group: None, span: 0..line.text().len() });
    if rules.contains(Rule::Rate) && speaker.is_too_fast(settings.rate, line.fingerprint(OWN_TEXT), at_ms) {
        find(Rule::Rate);
    }
    if rules.contains(Rule::Raid)
        && let Some(print) = line.fingerprint(settings.raid.min_letters)
        && channel.waves.join(settings.raid, print, &author.id, at_ms)
    {
        find(Rule::Raid);
    }
    if rules.contains(Rule::FirstTime) && message.mirrored_from.is_none() && !speaker.is_known {
        if is_newcomer(channel.newcomers.standing(&author.id), envelope, author) {
            find(Rule::FirstTime);
        } else {
            speaker.is_known = true;
        }
    }
    findings.sort_by_key(|finding| finding.rule);
    findings
}

/// The engine knows nobody from what is simulated or replayed.
fn is_newcomer(standing: Standing, envelope: &Envelope, author: &User) -> bool {
    match standing {
        Standing::Waiting => true,
        Standing::LetIn => false,
        Standing::Unknown => author.roles.contains(Roles::FIRST_TIME) || !newcomers::has_written(envelope, &author.id),
    }
}

fn weigh<'f>(
    settings: &Settings,
    channel: &Channel,
    envelope: &Envelope,
    message: &ChatMessage,
    finding: &'f Finding,
    forgiving: Forgiving,
) -> Consequence<'f> {
    let is_dry = settings.is_dry(finding.rule);
    let Some(steps) = settings.steps(finding.rule, finding.group) else {
        return Consequence { finding, is_dry, step: None, strike: None };
    };
    // Somebody without an id can be neither counted nor silenced.
    if message.author.id.is_empty() {
        return Consequence { finding, is_dry, step: Some(Step::Remove), strike: None };
    }
    let strike = channel.people.next_strike(&message.author.id, is_dry, forgiving, envelope.at_ms);
    let step = if strike.is_new { steps.at(strike.number) } else { Step::Remove };
    Consequence { finding, is_dry, step: Some(step), strike: Some(strike) }
}

/// Notes what follows, and says it.
fn rule(
    settings: &Settings,
    channel: &mut Channel,
    envelope: &Envelope,
    message: &ChatMessage,
    line: &Line<'_>,
    worst: &Consequence<'_>,
) -> Ruling {
    let Consequence { finding, is_dry, step, strike } = worst;
    let reason = reason(settings, line, worst);
    let told = Told { at_ms: envelope.at_ms, reason: reason.clone(), gives_way: false };
    match strike {
        Some(strike) if strike.is_new => {
            channel.people.strike(&message.author, *is_dry, settings.forgiving(), told);
        }
        Some(_) => channel.people.note(&Who::from(&message.author), Told { gives_way: true, ..told }),
        None => {}
    }
    if *is_dry {
        return Ruling { verdict: Verdict::Flag(reason), word: None };
    }
    let name = message.author.shown_name();
    let login = &message.author.login;
    match step {
        None => {
            let told = Told { at_ms: envelope.at_ms, reason: reason.clone(), gives_way: true };
            channel.newcomers.hold(&message.author, subject(envelope, message), told);
            let is_unannounced = channel.newcomers.is_unannounced(&message.author.id);
            let template = settings.tell_held.as_ref().filter(|_| is_unannounced);
            let word = template.map(|template| Word::new(template, name, login).announcing(&message.author.id));
            Ruling { verdict: Verdict::Hold(reason), word }
        }
        Some(Step::Remove) => Ruling { verdict: Verdict::Remove(reason), word: None },
        Some(Step::Warn) => {
            let warning = settings.warning(finding.rule).filter(|_| message.mirrored_from.is_none());
            let word = warning.map(|template| Word::new(template, name, login));
            Ruling { verdict: Verdict::Remove(reason), word }
        }
        Some(Step::Timeout { seconds }) => suspend(Some(*seconds), reason),
        Some(Step::Ban) => suspend(None, reason),
    }
}

const fn suspend(seconds: Option<u32>, reason: String) -> Ruling {
    Ruling { verdict: Verdict::Suspend(Suspension { seconds, reason }), word: None }
}

fn reason(settings: &Settings, line: &Line<'_>, worst: &Consequence<'_>) -> String {
    let Consequence { finding, is_dry, step, strike } = worst;
    let group = finding.group.and_then(|group| settings.content.groups().get(group));
    let rule =
        group.map_or_else(|| finding.rule.name().to_owned(), |group| format!("{}/{}", finding.rule.name(), group.name));
    let span = line.text().get(finding.span.clone()).unwrap_or_default();
    let action: &dyn std::fmt::Display = if let Some(step) = step { step } else { &"hold" };
    let strike = strike.map(|strike| strike.number);
    Reason { is_dry: *is_dry, rule: &rule, span, strike, action }.to_string()
}

impl Consequence<'_> {
    fn rank(&self) -> (bool, Option<Step>) {
        (!self.is_dry, self.step)
    }
}

impl Settings {
    const fn forgiving(&self) -> Forgiving {
        Forgiving { strike_ms: self.strike_ms, grace_ms: self.grace_ms }
    }
}

/// By what the engine knows a message: not every platform gives ids.
pub(crate) fn subject<'e>(envelope: &'e Envelope, message: &'e ChatMessage) -> &'e str {
    if message.id.is_empty() { &envelope.id } else { &message.id }
}

fn marks(message: &ChatMessage) -> Vec<Mark> {
    let mark = |span: &showrunner_sdk::event::Span| {
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let kind = match span.kind.as_str() {
            "emote" => MarkKind::Emote,
            "link" => MarkKind::Link,
            _ => MarkKind::Other,
        };
        Mark { kind, span: start..start.saturating_add(usize::try_from(span.length).unwrap_or(usize::MAX)) }
    };
    message.spans.iter().map(mark).collect()
}
