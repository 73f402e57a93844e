//! A redemption is told when it is bought, and again when it is fulfilled or canceled: who bought it is thanked once.

use showrunner_sdk::event::Redemption;
use showrunner_sdk::prelude::*;

use crate::occasion::Source;

const KEY: &str = "redemptions";
/// Those that wait to be fulfilled. A longer queue forgets its oldest.
const MOST: usize = 128;

/// Whether this is the first that is heard of a redemption. Tests are always news.
pub(crate) fn is_news(source: &Source, redemption: &Redemption) -> bool {
    let is_open = redemption.status == "unfulfilled";
    if source.test {
        return redemption.status != "canceled";
    }
    let id = format!("{}/{}", source.platform, redemption.id);
    let mut waiting: Vec<String> = kv::get(KEY).ok().flatten().unwrap_or_default();
    let known = waiting.iter().position(|known| *known == id);
    match (known, is_open) {
        // Told twice.
        (Some(_), true) => return false,
        (Some(index), false) => drop(waiting.remove(index)),
        (None, true) => waiting.push(id),
        (None, false) => return redemption.status != "canceled",
    }
    if waiting.len() > MOST {
        waiting.remove(0);
    }
    if let Err(error) = kv::set(KEY, &waiting) {
        log::warn(format!("A redemption can't be remembered and may be thanked for again: {error}."));
    }
    known.is_none()
}
