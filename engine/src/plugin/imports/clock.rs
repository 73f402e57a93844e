//! `clock`: the wall clock. Needs no grant.

use super::wit::clock::Host;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn now_ms(&mut self) -> u64 {
        self.context.services.now_ms()
    }
}
