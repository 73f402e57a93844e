//! Chance enough for picking an answer; never for secrets. Its seed is the host's clock, so a component needs
//! no further import for it, and a test with a fixed clock always sees the same.

use std::cell::Cell;

use crate::clock;

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// A number below `bound`; 0 when the bound is 0.
pub fn below(bound: u32) -> u32 {
    // The high half of a product spreads evenly enough for any bound of a bot.
    let product = u128::from(next()) * u128::from(bound);
    u32::try_from(product >> 64).unwrap_or(0)
}

/// One of these; `None` when there are none.
pub fn pick<T>(items: &[T]) -> Option<&T> {
    items.get(usize::try_from(below(u32::try_from(items.len()).unwrap_or(u32::MAX))).unwrap_or(0))
}

/// Starts over from a seed; the harness does it for each plugin.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reseed(seed: u64) {
    STATE.set(Some(seed));
}

/// SplitMix64.
fn next() -> u64 {
    let state = STATE.get().unwrap_or_else(clock::now_ms).wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
