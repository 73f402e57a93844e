//! `timers`: wakes a plugin with a `timer` event. They begin and end with the handler that asked ending well.

use super::wit::timers::Host;
use crate::plugin::guest::Guest;
use crate::plugin::instance::TimerChange;

/// A repeating timer that fires more often would only keep the processor warm.
const SHORTEST_REPEAT_MS: u32 = 100;

/// A name, not a text.
const NAME_BYTES: usize = 64;

/// Changes to timers in one call.
const CHANGES: usize = 64;

impl Host for Guest {
    fn start(&mut self, name: String, after_ms: u32, repeat: bool) -> Result<(), String> {
        self.check("timers", "use").map_err(|denied| denied.to_string())?;
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(format!("limit: a timer's name has 1 to {NAME_BYTES} bytes"));
        }
        if repeat && after_ms < SHORTEST_REPEAT_MS {
            return Err(format!("limit: a repeating timer waits at least {SHORTEST_REPEAT_MS} ms"));
        }
        if self.output.timers.len() >= CHANGES {
            return Err(format!("limit: at most {CHANGES} changes to timers for one event"));
        }
        self.output.timers.push(TimerChange::Start { name, after_ms, repeat });
        Ok(())
    }

    fn cancel(&mut self, name: String) {
        // No timer has a longer name, so there is nothing to cancel, and nothing to keep until the call ends.
        let may_exist = name.len() <= NAME_BYTES;
        if self.check("timers", "use").is_ok() && may_exist && self.output.timers.len() < CHANGES {
            self.output.timers.push(TimerChange::Cancel { name });
        }
    }
}
