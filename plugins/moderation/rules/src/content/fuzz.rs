//! Whatever an operator writes as rules and viewers as lines: each finding is a part of the line, or the mistake is
//! told with the name of its rule.

use serde_json::json;
use showrunner_fuzz::fuzz_text;

use super::*;

/// A line of chat is no longer than this on any platform, in characters.
const LINE: usize = 2000;

/// The first line of an input holds the tables of the rules as JSON, each other one is a line of chat.
#[test]
fn moderation_rules() {
    // A compiled regex has a bound of its own, and a few letters reach it.
    fuzz_text!(32 << 10, |text| {
        let mut lines = text.lines();
        let tables = lines.next().and_then(|tables| serde_json::from_str(tables).ok());
        let mut tables: BTreeMap<String, Value> = tables.unwrap_or_default();
        defaults().into_iter().for_each(|(rule, table)| {
            tables.entry(rule).or_insert(table);
        });
        let (content, common) = match Content::take(&mut tables) {
            Ok(taken) => taken,
            Err(error) => return assert!(error.starts_with("rule `"), "{error}"),
        };
        assert!(common.iter().all(|(rule, _)| !tables.contains_key(rule.name())));
        for text in lines.take(32) {
            let text: String = text.chars().take(LINE).collect();
            let line = Line::new(&text, Vec::new());
            let mut broken = Vec::new();
            content.judge(&line, RuleSet::all(), |finding| broken.push(finding));
            for Finding { rule, group, span } in &broken {
                assert!(line.text().get(span.clone()).is_some(), "{rule:?} found {span:?} of {:?}", line.text());
                assert!(group.is_none_or(|group| group < content.groups().len()));
            }
            let mut told: Vec<_> = broken.iter().map(|finding| (finding.rule, finding.group)).collect();
            told.sort_unstable();
            assert!(told.windows(2).all(|two| two[0] != two[1]), "each is told once");
        }
    });
}

/// Of the rules that the input leaves out, as the manifest has some.
fn defaults() -> BTreeMap<String, Value> {
    let tables = json!({
        "repeats": {"max-characters": 10, "max-words": 4},
        "caps": {"min-letters": 10, "percent": 70},
        "symbols": {"min-symbols": 10, "percent": 60, "max-piled-marks": 4},
        "emotes": {"max-emotes": 5, "names": ["KEKW"]},
        "length": {"max-characters": 60},
    });
    serde_json::from_value(tables).unwrap()
}
