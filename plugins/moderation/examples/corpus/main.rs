//! Measures the rules of the moderation plugin against the labelled lines in `tests/corpus/moderation`:
//!
//! ```sh
//! cargo run --release -p moderation --example corpus
//! ```
//!
//! It prints precision and recall, overall and for each rule, once as the plugin ships and once with every rule of the
//! text switched on, and lists what was missed and what was blamed wrongly. Its test holds the figures.

mod lines;
mod score;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use moderation_rules::{Line, RuleSet};

use self::lines::Labelled;
use self::score::{Judged, Rules, Score, TEXT_RULES};

fn main() -> io::Result<()> {
    let lines = lines::read().map_err(io::Error::other)?;
    let rules = Rules::load().map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    let fine = lines.iter().filter(|line| !line.is_spam()).count();
    writeln!(
        out,
        "{} lines in {} languages: {fine} fine, {} spam",
        lines.len(),
        languages(&lines),
        lines.len() - fine
    )?;

    let everything = rules.judge(&lines, RuleSet::all());
    let shipped = rules.judge(&lines, rules.enabled);
    writeln!(out, "\n{:<28} {:>9} {:>18} {:>18}", "", "precision", "recall", "wrongly blamed")?;
    row(&mut out, "every rule of the text on", &Score::overall(&everything))?;
    for rule in TEXT_RULES {
        row(&mut out, &format!("  {}", rule.name()), &Score::of_rule(&everything, rule))?;
    }
    row(&mut out, "as it ships", &Score::overall(&shipped))?;

    list(&mut out, "missed, with every rule on", everything.iter().filter(|judged| judged.is_missed()))?;
    list(&mut out, "blamed wrongly, with every rule on", everything.iter().filter(|judged| judged.is_wronged()))?;
    list(&mut out, "blamed wrongly, as it ships", shipped.iter().filter(|judged| judged.is_wronged()))?;
    speed(&mut out, &lines, &rules)
}

fn languages(lines: &[Labelled]) -> usize {
    lines.iter().map(|line| line.language.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

fn row(out: &mut impl Write, name: &str, score: &Score) -> io::Result<()> {
    let recall = format!("{} ({} of {})", percent(score.recall()), score.found, score.spam);
    let wronged = format!("{} of {}", score.wronged, score.fine);
    writeln!(out, "{name:<28} {:>9} {recall:>18} {wronged:>18}", percent(score.precision()))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn list<'j>(out: &mut impl Write, title: &str, judged: impl Iterator<Item = &'j Judged<'j>>) -> io::Result<()> {
    writeln!(out, "\n{title}:")?;
    for judged in judged {
        let (line, found) = (judged.line, judged.found.iter().map(|(rule, span)| format!("{} {span:?}", rule.name())));
        let found: Vec<String> = found.collect();
        let because = if found.is_empty() { String::new() } else { format!("  <- {}", found.join(", ")) };
        writeln!(out, "  {:<8} {:<3} {}{because}", line.rule, line.language, line.text)?;
    }
    Ok(())
}

/// The time of a line on this machine, natively; inside of a component it is several times that. Of each line the best
/// of many tries, as whatever else runs here makes the others longer.
fn speed(out: &mut impl Write, lines: &[Labelled], rules: &Rules) -> io::Result<()> {
    const TRIES: u32 = 200;
    let mut findings = 0_u64;
    let mut best: Vec<Duration> = Vec::with_capacity(lines.len());
    for line in lines {
        let tries = (0..TRIES).map(|_| {
            let began = Instant::now();
            rules.content.judge(&Line::new(&line.text, line.marks.clone()), RuleSet::all(), |_| findings += 1);
            began.elapsed()
        });
        best.extend(tries.min());
    }
    best.sort_unstable();
    let at = |share: f64| best.get((best.len() as f64 * share) as usize).copied().unwrap_or_default();
    let longest = best.last().copied().unwrap_or_default();
    writeln!(
        out,
        "\na line takes {:?} (median), {:?} (99 of 100), {longest:?} (the slowest), with every rule on ({} findings)",
        at(0.5),
        at(0.99),
        findings / u64::from(TRIES)
    )
}

#[cfg(test)]
mod tests {
    use moderation_rules::Rule;

    use super::*;

    /// What a change of the rules must not fall below.
    #[test]
    fn the_figures_hold() {
        let lines = lines::read().unwrap();
        let rules = Rules::load().unwrap();
        let everything = rules.judge(&lines, RuleSet::all());
        let overall = Score::overall(&everything);
        assert!(lines.len() >= 690, "{} lines", lines.len());
        assert!(overall.precision() >= 0.99 && overall.recall() >= 0.84, "{overall:?}");
        for (rule, precision, recall) in [
            (Rule::Terms, 0.99, 0.73),
            (Rule::Links, 0.98, 0.90),
            (Rule::Repeats, 0.99, 0.95),
            (Rule::Caps, 0.99, 0.93),
            (Rule::Symbols, 0.99, 0.92),
            (Rule::Emotes, 0.99, 0.99),
            (Rule::Length, 0.99, 0.99),
        ] {
            let score = Score::of_rule(&everything, rule);
            assert!(score.precision() >= precision && score.recall() >= recall, "{}: {score:?}", rule.name());
        }
    }

    #[test]
    fn as_it_ships_nobody_is_blamed_wrongly() {
        let lines = lines::read().unwrap();
        let rules = Rules::load().unwrap();
        let shipped = rules.judge(&lines, rules.enabled);
        let wronged: Vec<&str> =
            shipped.iter().filter(|judged| judged.is_wronged()).map(|judged| judged.line.text.as_str()).collect();
        assert_eq!(wronged, Vec::<&str>::new());
        assert!(Score::overall(&shipped).recall() >= 0.44);
    }
}
