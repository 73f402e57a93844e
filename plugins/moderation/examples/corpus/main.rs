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
use std::time::Instant;

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

/// The time of a line on this machine, natively; inside of a component it is several times that.
fn speed(out: &mut impl Write, lines: &[Labelled], rules: &Rules) -> io::Result<()> {
    const ROUNDS: u32 = 100;
    let mut findings = 0_u64;
    let began = Instant::now();
    for line in lines.iter().cycle().take(lines.len() * ROUNDS as usize) {
        let marks = line.marks.clone();
        rules.content.judge(&Line::new(&line.text, marks), RuleSet::all(), |_| findings += 1);
    }
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_mul(ROUNDS);
    writeln!(out, "\n{:?} a line with every rule on ({findings} findings)", began.elapsed() / count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a change of the rules must not fall below.
    #[test]
    fn the_figures_hold() {
        let lines = lines::read().unwrap();
        let rules = Rules::load().unwrap();
        let everything = rules.judge(&lines, RuleSet::all());
        let overall = Score::overall(&everything);
        assert!(lines.len() >= 400, "{} lines", lines.len());
        assert!(overall.precision() >= 0.9 && overall.recall() >= 0.5, "{overall:?}");
    }
}
