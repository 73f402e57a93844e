//! A history that says anything: the walk through it ends, and nothing is told twice.

use showrunner_fuzz::fuzz_text;

use super::super::wire::{read_event, read_history};
use super::*;

const ROOM: &str = "5b7c";
const NOW_MS: u64 = 1_767_607_872_000;

/// Each line of an input is a page of the history, or what comes live: `live {...}`. The walk takes page after page,
/// and again from the first when there is none left.
#[test]
fn retake_gaps() {
    fuzz_text!(2048, |text| {
        let mut seen = Seen::default();
        let mut pages = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("live ") {
                Some(payload) => {
                    let payload = serde_json::from_str(payload).unwrap_or_default();
                    for event in read_event("message", &[payload], ROOM) {
                        let is_new = seen.admit(&event, Way::Live, 1, NOW_MS);
                        assert!(event.key.is_none() || !seen.admit(&event, Way::Live, 1, NOW_MS), "told twice");
                        assert!(!is_new || event.key.is_none() || seen.knew_before(&event, 2), "forgotten");
                    }
                }
                None => pages.extend(serde_json::from_str(line).ok().and_then(|page| read_history(&page, ROOM))),
            }
        }
        let mut gap = Gap::new(GapStart::new(&seen, 2, NOW_MS - 60_000));
        for page in pages.iter().cycle().take(2 * MAX_PAGES) {
            if gap.take(page.clone(), &seen) == Next::Complete {
                break;
            }
        }
        assert!(gap.pages <= MAX_PAGES);
        let missed = gap.finish(&mut seen, NOW_MS);
        let mut keys: Vec<&String> = missed.iter().filter_map(|item| item.key.as_ref()).collect();
        let told = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), told, "the same was told twice");
        assert!(missed.iter().all(|item| !seen.admit(item, Way::History, 2, NOW_MS) || item.key.is_none()));
    });
}
