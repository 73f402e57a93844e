//! All rules that need nothing but the line.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::finding::{Finding, Rule, RuleSet};
use crate::line::Line;
use crate::links::Links;
use crate::noise::Noise;
use crate::settings::{Common, read};
use crate::terms::{Group, Terms};

/// The operator's rules, compiled.
pub struct Content {
    terms: Terms,
    links: Links,
    noise: Noise,
}

impl Content {
    /// Takes the tables of its rules out of `tables`, which are named by rule, and gives back what every rule has.
    ///
    /// # Errors
    /// Names the rule and says what does not fit.
    pub fn take(tables: &mut BTreeMap<String, Value>) -> Result<(Self, Vec<(Rule, Common)>), String> {
        let mut taken = Taken { tables, common: Vec::new() };
        let content = Self {
            terms: taken.compile(Rule::Terms, Terms::new)?,
            links: taken.compile(Rule::Links, |settings| Links::new(&settings))?,
            noise: Noise {
                caps: taken.compile(Rule::Caps, Ok)?,
                symbols: taken.compile(Rule::Symbols, Ok)?,
                repeats: taken.compile(Rule::Repeats, Ok)?,
                emotes: taken.compile(Rule::Emotes, Ok)?,
                length: taken.compile(Rule::Length, Ok)?,
            },
        };
        Ok((content, taken.common))
    }

    /// The groups of terms, as findings count them.
    pub fn groups(&self) -> &[Group] {
        self.terms.groups()
    }

    /// Reports which of `rules` the line breaks: at most once each, terms once a group.
    pub fn judge(&self, line: &Line<'_>, rules: RuleSet, mut report: impl FnMut(Finding)) {
        if rules.contains(Rule::Terms) {
            self.terms.find(line, &mut report);
        }
        if rules.contains(Rule::Links) {
            self.links.find(line, &mut report);
        }
        self.noise.find(line, rules, &mut report);
    }
}

struct Taken<'t> {
    tables: &'t mut BTreeMap<String, Value>,
    common: Vec<(Rule, Common)>,
}

impl Taken<'_> {
    fn compile<T: DeserializeOwned, R>(
        &mut self,
        rule: Rule,
        compile: impl FnOnce(T) -> Result<R, String>,
    ) -> Result<R, String> {
        let table = self.tables.remove(rule.name()).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let compiled = read(table).and_then(|(common, settings)| {
            self.common.push((rule, common));
            compile(settings)
        });
        compiled.map_err(|error| format!("rule `{}`: {error}", rule.name()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::line::{Mark, MarkKind};

    fn tables(changes: Value) -> BTreeMap<String, Value> {
        let mut tables = json!({
            "terms": {"groups": {"one": {"literal": ["free followers"]}}},
            "links": {"allow": ["youtube.com"]},
            "repeats": {"max-characters": 10, "max-words": 4},
            "caps": {"min-letters": 10, "percent": 70},
            "symbols": {"min-symbols": 10, "percent": 60, "max-piled-marks": 4},
            "emotes": {"max-emotes": 5, "names": ["KEKW"]},
            "length": {"max-characters": 60},
            "rate": {"messages": 1},
        });
        for (rule, change) in changes.as_object().unwrap() {
            let table = tables[rule].as_object_mut().unwrap();
            table.extend(change.as_object().unwrap().clone());
        }
        serde_json::from_value(tables).unwrap()
    }

    fn broken(text: &str, marks: Vec<Mark>, rules: RuleSet) -> Vec<(&'static str, String)> {
        let (content, _) = Content::take(&mut tables(json!({}))).unwrap();
        let line = Line::new(text, marks);
        let mut broken = Vec::new();
        content.judge(&line, rules, |finding| {
            broken.push((finding.rule.name(), line.text()[finding.span].to_owned()));
        });
        broken
    }

    fn check(text: &str, expected: &[(&'static str, &str)]) {
        let broken = broken(text, Vec::new(), RuleSet::all());
        let broken: Vec<_> = broken.iter().map(|(rule, span)| (*rule, span.as_str())).collect();
        assert_eq!(broken, expected, "{text}");
    }

    #[test]
    fn each_rule_says_what_breaks_it() {
        check("hello there, what a nice day", &[]);
        check("get free followers now", &[("terms", "free followers")]);
        check("see evil.com or youtube.com", &[("links", "evil.com")]);
        check("so cool, 1000000000 times", &[]);
        let row = "o".repeat(11);
        check(&format!("so c{row}l"), &[("repeats", &row)]);
        check("no no no no no", &[("repeats", "no no no no no")]);
        check("NO no no No", &[]);
        check("THIS IS LOUd", &[("caps", "THIS IS LOUd")]);
        check("THIS Is louder", &[]);
        check("HI YOU", &[]);
        check("KEKW KEKW KEKW nice", &[]);
        check("KEKW KEKW KEKW KEKW KEKW 🔥", &[("emotes", "KEKW KEKW KEKW KEKW KEKW 🔥")]);
        check("#-#~^_^~#-#", &[("symbols", "#-#~^_^~#-#")]);
        check(
            "hello Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
            &[("symbols", "hello Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}")],
        );
        let long = "one or two words ".repeat(4);
        check(&long, &[("length", &long)]);
    }

    #[test]
    fn emotes_are_no_shouting() {
        let text = "NOTLIKETHIS RESIDENTSLEEPER ok";
        let marks = || vec![(0..11), (12..27)].into_iter().map(|span| Mark { kind: MarkKind::Emote, span }).collect();
        assert_eq!(broken(text, marks(), RuleSet::all()), []);
        assert_eq!(broken(text, Vec::new(), RuleSet::all()), [("caps", text.to_owned())]);
    }

    #[test]
    fn rules_that_are_not_asked_for_say_nothing() {
        let text = "FREE FOLLOWERS AT evil.com";
        assert_eq!(broken(text, Vec::new(), RuleSet::default()), []);
        let rules = RuleSet::all().without(Rule::Terms).without(Rule::Caps);
        assert_eq!(broken(text, Vec::new(), rules), [("links", "evil.com".to_owned())]);
    }

    #[test]
    fn each_rule_has_what_every_rule_has() {
        let mut tables =
            tables(json!({"caps": {"enabled": false, "exempt": ["vip"], "steps": ["warn"], "tell": "Shh."}}));
        let (_, common) = Content::take(&mut tables).unwrap();
        let caps = common.iter().find(|(rule, _)| *rule == Rule::Caps).map(|(_, common)| common).unwrap();
        let (exempt, steps) = (vec!["vip".to_owned()], vec!["warn".to_owned()]);
        assert_eq!(*caps, Common { enabled: false, dry_run: false, exempt, steps, tell: "Shh.".into() });
        assert_eq!(tables.keys().collect::<Vec<_>>(), ["rate"], "what is no rule of the text is left");
    }

    #[test]
    fn mistakes_name_their_rule() {
        for (change, told) in [
            (json!({"caps": {"percentage": 5}}), "rule `caps`: unknown field `percentage`"),
            (json!({"links": {"allow": ["x"]}}), "rule `links`: allow: `x` is no host"),
            (
                json!({"terms": {"groups": {"a": {"regex": ["("]}}}}),
                "rule `terms`: group `a`: the regex `(` can't be used",
            ),
            (json!({"length": {"max-characters": -1}}), "rule `length`: "),
            (json!({"length": {"enabled": "yes"}}), "rule `length`: "),
        ] {
            let error = Content::take(&mut tables(change)).err().unwrap();
            assert!(error.starts_with(told), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_finding_is_a_part_of_the_line(text in any::<String>(), odd in "[A-Za-z0-9.:/@ а-яé🔥\u{200b}\u{301}-]{0,80}") {
            for text in [text, odd] {
                for (_, span) in broken(&text, Vec::new(), RuleSet::all()) {
                    prop_assert!(text.contains(&span));
                }
            }
        }
    }
}
