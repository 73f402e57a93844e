//! `log`: lines in the engine's log, with the plugin's name, and at most so many a second. Needs no grant.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::wit::log::{Host, Level};
use crate::observation::{Observation, Observer};
use crate::plugin::guest::{Context, Guest};
use crate::plugin::services::Services;

/// A line longer than this is cut: a log is no store.
const LINE_BYTES: usize = 2048;

/// Notes kept for one decision, for those who watch.
const NOTES: usize = 8;

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) {
        let message = printable(message);
        if self.output.notes.len() < NOTES {
            self.output.notes.push(message.clone());
        }
        let level = match level {
            Level::Trace => tracing::Level::TRACE,
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
            Level::Error => tracing::Level::ERROR,
        };
        self.context.log_line(level, message);
    }
}

impl Context {
    /// Writes one line, unless the plugin has used up this second's. What nobody would see costs nothing.
    pub(in crate::plugin) fn log_line(&self, level: tracing::Level, message: String) {
        let observer = match &self.services {
            Services::Live(live) => &live.observer,
            Services::Past(past) => return past.log(message),
        };
        // Finer lines are shown as the notes of the decision they were written for.
        let watched = level <= tracing::Level::INFO && observer.is_watched();
        if !watched && !is_logged(level) {
            return;
        }
        let permit = {
            let mut budget = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            budget.take(Instant::now(), self.limits.log_lines_per_second)
        };
        let plugin = &self.plugin;
        match permit {
            Permit::Granted { dropped: 0 } => {}
            Permit::Granted { dropped } => {
                tracing::warn!(%plugin, dropped, "The plugin wrote more lines than it may; some were dropped.");
            }
            Permit::Denied { is_first: false } => return,
            // In the plugin's own lines, or else who reads them would take them for all there were.
            Permit::Denied { is_first: true } => {
                let limit = self.limits.log_lines_per_second;
                let words = format!(
                    "the rest of this second is dropped: it may write {limit} lines in one (host.limits.log-lines-per-second)"
                );
                tracing::warn!(%plugin, "{words}");
                return self.show(observer, tracing::Level::WARN, words);
            }
        }
        match level {
            tracing::Level::ERROR => tracing::error!(target: "plugin", %plugin, "{message}"),
            tracing::Level::WARN => tracing::warn!(target: "plugin", %plugin, "{message}"),
            tracing::Level::INFO => tracing::info!(target: "plugin", %plugin, "{message}"),
            tracing::Level::DEBUG => tracing::debug!(target: "plugin", %plugin, "{message}"),
            tracing::Level::TRACE => tracing::trace!(target: "plugin", %plugin, "{message}"),
        }
        if watched {
            self.show(observer, level, message);
        }
    }

    fn show(&self, observer: &Observer, level: tracing::Level, message: String) {
        let level = level.to_string().to_lowercase();
        observer.observe(|| Observation::Log { plugin: self.plugin.clone(), level, message });
    }
}

fn is_logged(level: tracing::Level) -> bool {
    match level {
        tracing::Level::ERROR => tracing::enabled!(target: "plugin", tracing::Level::ERROR),
        tracing::Level::WARN => tracing::enabled!(target: "plugin", tracing::Level::WARN),
        tracing::Level::INFO => tracing::enabled!(target: "plugin", tracing::Level::INFO),
        tracing::Level::DEBUG => tracing::enabled!(target: "plugin", tracing::Level::DEBUG),
        tracing::Level::TRACE => tracing::enabled!(target: "plugin", tracing::Level::TRACE),
    }
}

/// One line, without what could forge another or move a terminal's cursor.
pub(in crate::plugin) fn printable(mut message: String) -> String {
    if message.len() > LINE_BYTES {
        let end = (0..=LINE_BYTES).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    if message.contains(char::is_control) {
        message = message.replace(char::is_control, " ");
    }
    message
}

/// Lines in the second under way.
#[derive(Debug, Default)]
pub(in crate::plugin) struct LogBudget {
    second: Option<Instant>,
    written: u32,
    dropped: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Permit {
    /// With the number of lines dropped before it.
    Granted { dropped: u64 },
    Denied {
        /// Of those dropped since the last one that was granted.
        is_first: bool,
    },
}

impl LogBudget {
    fn take(&mut self, now: Instant, per_second: u32) -> Permit {
        let over = self.second.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1));
        if over {
            self.second = Some(now);
            self.written = 0;
        }
        if self.written >= per_second {
            self.dropped += 1;
            return Permit::Denied { is_first: self.dropped == 1 };
        }
        self.written += 1;
        Permit::Granted { dropped: std::mem::take(&mut self.dropped) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut budget = LogBudget::default();
        let start = Instant::now();
        let permits: Vec<Permit> = (0..100).map(|_| budget.take(start, 50)).collect();
        assert!(permits[..50].iter().all(|permit| *permit == Permit::Granted { dropped: 0 }));
        assert_eq!(permits[50], Permit::Denied { is_first: true });
        assert!(permits[51..].iter().all(|permit| *permit == Permit::Denied { is_first: false }));
        let later = start + Duration::from_secs(1);
        assert_eq!(budget.take(later, 50), Permit::Granted { dropped: 50 });
        assert_eq!(budget.take(later, 50), Permit::Granted { dropped: 0 });
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(printable("a\nb\u{1b}[2J".into()), "a b [2J");
        assert!(printable("é".repeat(5000)).len() <= LINE_BYTES + '…'.len_utf8());
    }
}
