//! A script that holds anything: it plays within its bounds, the same each time, or an error names its line.

use showrunner_fuzz::fuzz_text;

use super::*;

/// Playing a round is bounded by its events, not by its text; more than this are checked without being played.
const PLAYED: usize = 200;

#[test]
fn simulator_scripts() {
    fuzz_text!(4096, |text| {
        let script = match Script::parse(text, Path::new("script.toml")) {
            Ok(script) => script,
            Err(ScriptError::Step { line, .. }) => return assert!((1..=text.lines().count()).contains(&line)),
            Err(error) => return assert!(error.to_string().starts_with("the script script.toml can't be read: ")),
        };
        let beats: usize = script.steps.iter().map(|step| step.times(script.length).count()).sum();
        assert!(beats <= MAX_BEATS);
        assert!((0.0..=MAX_SECONDS + TAIL).contains(&script.length), "{}", script.length);
        if beats <= PLAYED {
            let round = script.round(u64::MAX);
            assert_eq!(round.len(), beats);
            assert!(round.is_sorted_by_key(|beat| beat.at));
            assert!(round.iter().all(|beat| draft(&beat.simulated, "here").is_ok()), "what was checked can be played");
            assert_eq!(script.round(u64::MAX), round);
        }
    });
}
