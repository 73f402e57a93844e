use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::effort;

fn terms(group: serde_json::Value) -> Terms {
    try_terms(group).unwrap()
}

fn try_terms(group: serde_json::Value) -> Result<Terms, String> {
    Terms::new(serde_json::from_value(json!({ "groups": { "one": group } })).unwrap())
}

/// What the terms find in a text, as it stands there.
fn found(terms: &Terms, text: &str) -> Option<String> {
    let line = Line::new(text, Vec::new());
    let mut found = None;
    terms.find(&line, &mut |finding| found = Some(line.text()[finding.span].to_owned()));
    found
}

fn check(terms: &Terms, cases: &[(&str, Option<&str>)]) {
    for (text, expected) in cases {
        assert_eq!(found(terms, text).as_deref(), *expected, "{text}");
    }
}

#[test]
fn a_literal_is_found_as_whole_words_and_in_any_case() {
    let terms = terms(json!({"literal": ["Free followers", "hell"]}));
    check(
        &terms,
        &[
            ("get FREE followers now", Some("FREE followers")),
            ("free  \t followers", Some("free  \t followers")),
            ("free-followers", Some("free-followers")),
            ("freefollowers!", Some("freefollowers")),
            ("carefree followers", None),
            ("free followership", None),
            ("free the followers", None),
            ("what the hell", Some("hell")),
            ("hello shell he'll he’ll", None),
        ],
    );
}

#[test]
fn disguises_are_seen_through() {
    let terms = terms(json!({"literal": ["free followers"]}));
    for text in [
        "frее fоllоwеrs",
        "f\u{200b}ree foll\u{ad}owers",
        "ｆｒｅｅ　ｆｏｌｌｏｗｅｒｓ",
        "𝐟𝐫𝐞𝐞 𝓯𝓸𝓵𝓵𝓸𝔀𝓮𝓻𝓼",
        "🅵🆁🅴🅴 🅵🅾🅻🅻🅾🆆🅴🆁🆂",
        "ꜰʀᴇᴇ ꜰᴏʟʟᴏᴡᴇʀꜱ",
        "fr33 f0ll0w3r$",
        "free fo11owers",
        "f r e e  f o l l o w e r s",
        "F.R.E.E. F.O.L.L.O.W.E.R.S.",
        "fr_ee fol-lowers",
        "f̶r̶e̶e̶ f̲o̲l̲l̲o̲w̲e̲r̲s̲",
    ] {
        assert_eq!(found(&terms, text).as_deref(), Some(text.trim_end_matches('.')), "{text}");
    }
}

#[test]
fn words_that_happen_to_meet_are_no_term() {
    let terms = terms(json!({"literal": ["shit", "ass", "bot"]}));
    for text in
        ["it's hit or miss", "was as sad", "as s", "pass", "b ot", "hi there, that's hit 3", "455 a ss", "вот это да"]
    {
        assert_eq!(found(&terms, text), None, "{text}");
    }
    // Without a letter that only Russian has, nobody can tell.
    assert_eq!(found(&terms, "вот").as_deref(), Some("вот"));
    assert_eq!(found(&terms, "a55").as_deref(), Some("a55"));
}

#[test]
fn what_a_language_writes_is_no_disguise_unless_the_operator_says_so() {
    let strict = terms(json!({"literal": ["schwul", "ano", "b0t", "größe"]}));
    for text in ["schwül", "año", "bot", "grosse", "große"] {
        assert_eq!(found(&strict, text), None, "{text}");
    }
    for text in ["schwul", "ANO", "b0t", "GRÖSSE", "Größe"] {
        assert_eq!(found(&strict, text).is_some(), text != "GRÖSSE", "{text}");
    }
    let lenient = terms(json!({"literal": ["schwul"], "ignore-accents": true}));
    assert_eq!(found(&lenient, "schwül").as_deref(), Some("schwül"));
}

#[test]
fn terms_of_other_scripts_are_found_and_seen_through_as_well() {
    let terms = terms(
        json!({"literal": ["накрутка зрителей", "متابعين مجانا", "フォロワー無料", "팔로워 구매", "c++", "$$$", "🍆"]}),
    );
    check(
        &terms,
        &[
            ("тут НАКРУТКА  зрителей!", Some("НАКРУТКА  зрителей")),
            ("нaкpуткa зpитeлeй", Some("нaкpуткa зpитeлeй")),
            ("مُتَابِعِين مَجَانًا", Some("مُتَابِعِين مَجَانًا")),
            ("今ならフォロワー無料です", Some("フォロワー無料")),
            ("팔로워 구매는 여기서", Some("팔로워 구매")),
            ("I like C++ more", Some("C++")),
            ("I like C more", None),
            ("easy $$$$ here", Some("$$$")),
            ("want🍆now", Some("🍆")),
        ],
    );
}

#[test]
fn wildcards_stand_for_letters_and_words() {
    let terms = terms(json!({"wildcard": ["*viewer?", "cheap * follow*", "b?t"]}));
    check(
        &terms,
        &[
            ("superviewers here", Some("superviewers")),
            ("v1ewers", Some("v1ewers")),
            ("viewership", None),
            ("viewer", None),
            ("cheap followers", Some("cheap followers")),
            ("so cheap real human twitch followings ok", Some("cheap real human twitch followings")),
            ("cheap a b c d followers", None),
            ("bat", Some("bat")),
            ("boat", None),
        ],
    );
}

#[test]
fn regexes_see_the_text_and_what_it_looks_like() {
    let terms = terms(json!({"regex": [r"^buy\s+\d+ followers?\b", "ÄH+M"]}));
    check(
        &terms,
        &[
            ("BUY  100 followers", Some("BUY  100 followers")),
            ("buу 100 fоllowers now", Some("buу 100 fоllowers")),
            ("to buy 100 followers", None),
            ("ähhm", Some("ähhm")),
        ],
    );
}

#[test]
fn each_group_is_told_once() {
    let settings = json!({"groups": {
        "a": {"literal": ["one", "two"]},
        "b": {"literal": ["three"], "steps": ["ban"]},
        "c": {"literal": ["four"], "enabled": false},
    }});
    let terms = Terms::new(serde_json::from_value(settings).unwrap()).unwrap();
    let mut groups = Vec::new();
    terms.find(&Line::new("one two three four", Vec::new()), &mut |finding| groups.push(finding.group));
    assert_eq!(groups, [Some(0), Some(1)]);
    assert_eq!(terms.groups()[1], Group { name: "b".into(), steps: vec!["ban".into()] });
}

#[test]
fn terms_that_can_not_be_meant_are_refused() {
    for (group, told) in [
        (json!({"literal": [" "]}), "group `one`: a literal is empty"),
        (json!({"wildcard": ["*"]}), "group `one`: the wildcard `*` can't be used: it has no letter"),
        (json!({"wildcard": ["?? *"]}), "group `one`: the wildcard `?? *` can't be used: it has no letter"),
        (json!({"wildcard": ["it's*"]}), "is more than letters and digits"),
        (json!({"wildcard": ["* ab * * *"]}), "at most 3"),
        (json!({"regex": ["("]}), "group `one`: the regex `(` can't be used: "),
    ] {
        let error = try_terms(group).err().unwrap();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    let terms = terms(json!({
        "literal": ["aaaa", "a a a"],
        "wildcard": ["*aa*ab", "aa * * * ab", "a?aa*"],
        "regex": ["(a+)+$"],
    }));
    for unit in ["a", "aa ", "a.", "a' ", "4", "а", "aab ", "l1|"] {
        let effort = |count: usize| {
            let text = unit.repeat(count);
            effort::of(|| drop(found(&terms, &text)))
        };
        let (short, long) = (effort(200), effort(800));
        assert!(long <= 5 * short + 500, "{unit:?}: {short} steps, and {long} for four times the text");
    }
}

proptest! {
    #[test]
    fn a_literal_is_found_in_itself(text in "[a-zA-Z0-9]{1,8}( [a-zA-Z0-9]{1,8}){0,2}", around in "[,. ]{0,3}") {
        let terms = terms(json!({"literal": [&text]}));
        prop_assert_eq!(found(&terms, &format!("{around}{text}{around}")), Some(text));
    }

    #[test]
    fn no_term_and_no_text_is_too_strange(term in any::<String>(), text in any::<String>()) {
        for kind in ["literal", "wildcard", "regex"] {
            if let Ok(terms) = try_terms(json!({kind: [term.clone()]})) {
                found(&terms, &text);
                found(&terms, &format!("{text} {term} {text}"));
            }
        }
    }
}
