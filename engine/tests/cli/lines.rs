//! What a process writes, line by line, as it writes it.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here takes, also where plugins are compiled while all cores are busy; only a test that fails
/// meets it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    lines: Mutex<Vec<String>>,
    changed: Condvar,
    has_ended: AtomicBool,
}

impl Lines {
    /// Reads until the other end is closed.
    pub(crate) fn of(source: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let shared = Arc::clone(&lines.shared);
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                shared.lines.lock().unwrap().push(line);
                shared.changed.notify_all();
            }
            shared.has_ended.store(true, Ordering::Release);
        });
        lines
    }

    /// Until there are no more to come.
    pub(crate) fn wait_for_end(&self) {
        until("the end of what it writes", || self.shared.has_ended.load(Ordering::Acquire).then_some(()));
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.shared.lines.lock().unwrap().clone()
    }

    pub(crate) fn text(&self) -> String {
        self.all().join("\n")
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }

    /// The first line, of those there are and those to come, that holds all of these.
    pub(crate) fn wait_for(&self, parts: &[&str]) -> String {
        self.wait_for_many(1, parts).remove(0)
    }

    pub(crate) fn wait_for_many(&self, count: usize, parts: &[&str]) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.shared.lines.lock().unwrap();
        loop {
            let found: Vec<&String> =
                lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).take(count).collect();
            if found.len() == count {
                return found.into_iter().cloned().collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{count} times {parts:?} did not come; there was\n{}", lines.join("\n"));
            lines = self.shared.changed.wait_timeout(lines, left).unwrap().0;
        }
    }
}

/// Looks again and again until it is so: for what tells nobody when it changes, such as a file.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        #[expect(clippy::disallowed_methods, reason = "a test of its own process, without a runtime")]
        std::thread::sleep(Duration::from_millis(20));
    }
}
