//! Tells systemd that the daemon is ready, that it lives and that it stops. Without systemd all of it does nothing.

use std::fmt;
use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};
use tracing::warn;

type Send = Box<dyn Fn(&[NotifyState<'_>]) -> io::Result<()> + std::marker::Send + Sync>;

/// The service manager that started this process.
pub struct Service {
    send: Send,
    /// It kills the daemon when it hears nothing for this long.
    watchdog: Option<Duration>,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Service").field("watchdog", &self.watchdog).finish_non_exhaustive()
    }
}

impl Service {
    pub fn from_environment() -> Self {
        Self { send: Box::new(sd_notify::notify), watchdog: sd_notify::watchdog_enabled() }
    }

    /// Everything is started and dialling.
    pub fn ready(&self) {
        self.say(&[NotifyState::Ready]);
    }

    /// Draining has begun.
    pub fn stopping(&self) {
        self.say(&[NotifyState::Stopping]);
    }

    /// A line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.say(&[NotifyState::Status(text)]);
    }

    /// Reports that the daemon lives, as long as its main loop answers `probe`. Never ends; returns at once where no
    /// watchdog is set. A loop that hangs is not reported as alive, so that systemd starts the daemon anew.
    pub async fn keep_alive<Answer>(&self, probe: impl Fn() -> Answer + std::marker::Send)
    where
        Answer: Future<Output = ()> + std::marker::Send,
    {
        let Some(limit) = self.watchdog else { return };
        // Two chances within the limit, and time for the answer.
        let pause = limit / 3;
        loop {
            match timeout(pause, probe()).await {
                Ok(()) => self.say(&[NotifyState::Watchdog]),
                Err(_) => {
                    warn!(waited = ?pause, "The main loop does not answer; the watchdog is not told that it lives.")
                }
            }
            sleep(pause).await;
        }
    }

    fn say(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = (self.send)(states) {
            warn!(%error, "The service manager could not be told how the daemon is.");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;

    fn recording(watchdog: Option<Duration>) -> (Service, Arc<Mutex<Vec<String>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let log = said.clone();
        let send = move |states: &[NotifyState<'_>]| {
            log.lock().unwrap().extend(states.iter().map(ToString::to_string));
            Ok(())
        };
        (Service { send: Box::new(send), watchdog }, said)
    }

    #[test]
    fn systemd_hears_its_own_words() {
        let (service, said) = recording(None);
        service.ready();
        service.status("2 of 2 connections are ready");
        service.stopping();
        let said = said.lock().unwrap().join("|");
        assert_eq!(said, "READY=1|STATUS=2 of 2 connections are ready|STOPPING=1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_loop_is_not_called_alive() {
        let (service, said) = recording(Some(Duration::from_secs(30)));
        let hangs = Arc::new(AtomicBool::new(false));
        let probe = || {
            let hangs = hangs.load(Ordering::Relaxed);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
            }
        };
        let _ = timeout(Duration::from_secs(25), service.keep_alive(probe)).await;
        assert_eq!(said.lock().unwrap().len(), 3);
        hangs.store(true, Ordering::Relaxed);
        let _ = timeout(Duration::from_secs(300), service.keep_alive(probe)).await;
        assert_eq!(said.lock().unwrap().len(), 3, "nothing was said while it hung");
    }

    #[tokio::test]
    async fn without_a_watchdog_there_is_nothing_to_do() {
        let (service, said) = recording(None);
        service.keep_alive(|| async {}).await;
        assert!(said.lock().unwrap().is_empty());
    }
}
