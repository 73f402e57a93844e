//! How the moderation events are called that tell plugins of a verdict: their kinds, as `wit/plugin.wit` spells them,
//! and their ids, which say what was judged.
//!
//! `pipeline` and `replay` make such events; `store` finds them again and `plugin` knows what they tell.

use super::Verdict;

pub const FLAGGED: &str = "flagged";
pub const HELD: &str = "held";
pub const REMOVED: &str = "removed";
pub const SUSPENDED: &str = "suspended";

/// All of them.
pub const KINDS: [&str; 4] = [FLAGGED, HELD, REMOVED, SUSPENDED];

/// The kind that tells of a verdict.
pub const fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Flag { .. } => FLAGGED,
        Verdict::Hold { .. } => HELD,
        Verdict::Remove { .. } => REMOVED,
        Verdict::Suspend { .. } => SUSPENDED,
    }
}

/// The same for the same kind of verdict on the same event, however often that is played.
pub fn id(judged: &str, kind: &str) -> String {
    format!("{judged}/{kind}")
}

/// The id of what was judged, if this is the id of a notice of this kind.
pub fn judged<'a>(id: &'a str, kind: &str) -> Option<&'a str> {
    let (judged, named) = id.rsplit_once('/')?;
    (named == kind && KINDS.contains(&kind)).then_some(judged)
}
