//! A plugin's timers. They end with its instance.

use std::time::Duration;

use tokio::time::Instant;

use super::instance::TimerChange;

#[derive(Debug, Default)]
pub(super) struct Timers {
    timers: Vec<Timer>,
}

#[derive(Debug)]
struct Timer {
    name: String,
    due: Instant,
    every: Option<Duration>,
}

impl Timers {
    /// More timers than `most` are refused, the oldest stay.
    pub(super) fn apply(&mut self, changes: Vec<TimerChange>, now: Instant, most: usize) {
        for change in changes {
            match change {
                TimerChange::Start { name, after_ms, repeat } => {
                    self.timers.retain(|timer| timer.name != name);
                    let after = Duration::from_millis(after_ms.into());
                    if self.timers.len() < most {
                        self.timers.push(Timer { name, due: now + after, every: repeat.then_some(after) });
                    }
                }
                TimerChange::Cancel { name } => self.timers.retain(|timer| timer.name != name),
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.timers.clear();
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.iter().map(|timer| timer.due).min()
    }

    /// The name of a timer that is due. A repeating one that was missed several times fires once.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<String> {
        let (index, _) =
            self.timers.iter().enumerate().filter(|(_, timer)| timer.due <= now).min_by_key(|(_, timer)| timer.due)?;
        let timer = self.timers.get_mut(index)?;
        match timer.every {
            Some(every) => {
                timer.due = (timer.due + every).max(now);
                Some(timer.name.clone())
            }
            None => Some(self.timers.swap_remove(index).name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(name: &str, after_ms: u32, repeat: bool) -> TimerChange {
        TimerChange::Start { name: name.into(), after_ms, repeat }
    }

    #[test]
    fn timers_fire_in_order_and_repeat() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.apply(vec![start("late", 300, false), start("tick", 100, true), start("gone", 50, false)], now, 64);
        timers.apply(vec![TimerChange::Cancel { name: "gone".into() }], now, 64);
        assert_eq!(timers.take_due(at(99)), None);
        assert_eq!(timers.take_due(at(100)).as_deref(), Some("tick"));
        assert_eq!(timers.take_due(at(100)), None);
        assert_eq!(timers.take_due(at(1000)).as_deref(), Some("tick"));
        assert_eq!(timers.take_due(at(1000)).as_deref(), Some("late"));
    }

    #[test]
    fn a_timer_of_the_same_name_is_replaced_and_too_many_are_refused() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.apply(vec![start("a", 10, false), start("a", 20, false), start("b", 5, false)], now, 1);
        assert_eq!(timers.next_due(), Some(now + Duration::from_millis(20)));
    }
}
