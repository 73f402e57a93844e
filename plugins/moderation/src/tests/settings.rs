use super::*;

#[test]
fn mistakes_in_the_settings_name_their_place() {
    for (settings, told) in [
        (json!({"dryrun": true}), "settings: unknown field `dryrun`"),
        (json!({"steps": []}), "steps: there must be one at least"),
        (json!({"steps": ["shout"]}), "steps: `shout` is no step"),
        (json!({"exempt": ["boss"]}), "exempt: `boss` is no role"),
        (json!({"tell": {"held": "{usr}"}}), "tell.held: {usr} is no placeholder"),
        (json!({"commands": {"why": "ban"}}), "commands: `ban` is there twice"),
        (json!({"commands": {"why": "a b"}}), "commands: `a b` is more than one word"),
        (json!({"rules": {"link": {}}}), "rules: there is no rule `link`; there are terms, links"),
        (json!({"rules": {"caps": {"exempt": ["boss"]}}}), "rule `caps`: exempt: `boss` is no role"),
        (json!({"rules": {"caps": {"steps": ["1x"]}}}), "rule `caps`: steps: `1x` is no step"),
        (json!({"rules": {"caps": {"tell": "{x}"}}}), "rule `caps`: tell: {x} is no placeholder"),
        (
            json!({"rules": {"caps": {"percnt": 1}}}),
            "rule `caps`: unknown field `percnt`, expected `min-letters` or `percent`, or one of enabled, dry-run,",
        ),
        (json!({"rules": {"links": {"allow": ["x"]}}}), "rule `links`: allow: `x` is no host"),
        (json!({"rules": {"rate": {"messages": 0}}}), "rule `rate`: 0 messages"),
        (json!({"rules": {"raid": {"people": 1}}}), "rule `raid`: `people` must be 2 or more"),
        (
            json!({"rules": {"first-time": {"x": 1}}}),
            "rule `first-time`: unknown field `x`, expected one of enabled, dry-run, exempt, steps, tell",
        ),
        (json!({"rules": {"terms": {"groups": {"a": {"steps": ["x"]}}}}}), "rule `terms`: group `a`: steps: `x`"),
        (json!({"rules": {"terms": {"groups": {"a": {"regex": ["("]}}}}}), "rule `terms`: group `a`: the regex `(`"),
    ] {
        let error = Harness::<Moderation>::start(setup(settings)).err().unwrap();
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn rules_are_switched_off_one_by_one() {
    let mut harness = start(json!({"rules": {"terms": {"groups": {"scam": {"enabled": false}}}}}));
    assert_eq!(review(&mut harness, SCAM), "pass");
    let mut harness = start(json!({"rules": {"terms": {"enabled": false}}}));
    assert_eq!(review(&mut harness, SCAM), "pass");
}
