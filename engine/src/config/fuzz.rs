//! A config that holds anything: it means what it shows, or every error has its line, and no secret is told.

use showrunner_fuzz::fuzz_text;

use super::tests::{FILE, SECRET, fake_secret};
use super::*;

/// Stands where a person put a secret by mistake.
const LITERAL: &str = "a-literal-secret-of-this-test";

fn read(text: &str) -> Result<(Raw, Settings), ConfigErrors> {
    parse(Path::new(FILE), text, fake_secret)
}

#[test]
fn configs() {
    fuzz_text!(4096, |text| match read(text) {
        Ok((raw, settings)) => {
            assert!(!format!("{raw:?} {settings:?}").contains(SECRET));
            for depth in [Depth::Written, Depth::Resolved] {
                let shown = show::render(raw.clone(), &settings, depth);
                assert!(!shown.contains(SECRET));
                let (_, again) = read(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
                assert_eq!(reload::compare(&settings, &again), reload::Changes::default(), "{shown}");
            }
        }
        Err(error) => {
            let problems = error.problems();
            assert!(!problems.is_empty() && !error.to_string().contains(SECRET));
            let lines = text.matches('\n').count() + 1;
            assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)));
            for problem in problems {
                assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{problem}");
                assert!(!problem.key.is_empty() || problem.message.starts_with("this is not TOML: "), "{problem}");
            }
        }
    });
}

/// A secret is put where people put them by mistake: as it is, under a key with a slip of the pen, in an address.
#[test]
fn config_secrets() {
    fuzz_text!(4096, |text| {
        let slips = [
            format!("token = \"{LITERAL}\""),
            format!("token = \"{LITERAL}"),
            format!("token = [\"{LITERAL}\"]"),
            format!("token.value = \"{LITERAL}\""),
            format!("tokn = \"{LITERAL}\""),
            format!("secrets = \"{LITERAL}\""),
            format!("secrets = {{ key = \"{LITERAL}\" }}"),
            format!("rest-base = \"https://bot:{LITERAL}@retake.example/\""),
            format!("socket-url = \"wss://retake.example/?key={LITERAL}\""),
        ];
        let slip = &slips[text.len() % slips.len()];
        if let Err(error) = read(&below_each_header(text, slip)) {
            assert!(!format!("{error} {error:?}").contains(LITERAL), "{error}");
        }
    });
}

fn below_each_header(text: &str, line: &str) -> String {
    let mut longer = format!("{line}\n");
    for written in text.lines() {
        longer.push_str(written);
        longer.push('\n');
        if written.starts_with('[') {
            longer.push_str(line);
            longer.push('\n');
        }
    }
    longer
}
