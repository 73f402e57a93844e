//! Whatever stands in a template and whatever is filled in: the text is one line, and values are never read.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first line of an input is the template, the rest the value of `{user}`.
#[test]
fn templates() {
    fuzz_text!(64, |text| {
        let (template, value) = text.split_once('\n').unwrap_or((text, ""));
        let template = match Template::parse(template, &["user"]) {
            Ok(template) => template,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        random::reseed(1);
        let rendered = template.render(|name| (name == "user").then_some(Cow::Borrowed(value)));
        random::reseed(1);
        let plain = template.render(|_| None);
        if !template.uses("user") {
            assert_eq!(rendered, plain);
        }
        let values = template.parts.iter().filter(|part| matches!(part, Part::Value(_))).count();
        assert!(rendered.chars().count() <= plain.chars().count() + values * VALUE_CHARACTERS);
        assert!(
            template.parts.iter().any(|part| !matches!(part, Part::Value(_))) || !rendered.contains(char::is_control)
        );
    });
}
