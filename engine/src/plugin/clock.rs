//! The clock that interrupts plugins which never end. It ticks while plugins are called and for a while after; when
//! nobody calls any, it rests, and leaves the processor asleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// How precisely a plugin's time is measured, and how long it may run without letting others.
const TICK: Duration = Duration::from_millis(5);

/// So many ticks, a second of them, follow whatever woke it: calls that come often find it awake.
const ROUND: u32 = 200;

/// Whoever may call a plugin shares it; its thread ends with it.
pub(super) struct Clock {
    hands: Arc<Hands>,
    ticker: Thread,
}

/// What the clock shares with its thread.
#[derive(Default)]
struct Hands {
    under_way: AtomicUsize,
    is_over: AtomicBool,
}

/// A call of a plugin: the clock ticks until this is dropped.
pub(super) struct Call<'c> {
    clock: &'c Clock,
}

impl Clock {
    /// On a thread of its own, so that no busy runtime can hold it back.
    pub(super) fn start(tick: impl FnMut() + Send + 'static) -> std::io::Result<Self> {
        Self::with_pace(TICK, tick)
    }

    fn with_pace(pace: Duration, tick: impl FnMut() + Send + 'static) -> std::io::Result<Self> {
        let hands = Arc::<Hands>::default();
        let shared = Arc::clone(&hands);
        let thread = thread::Builder::new().name("plugin-clock".into()).spawn(move || shared.go_round(pace, tick))?;
        Ok(Self { hands, ticker: thread.thread().clone() })
    }

    /// To be held while a plugin runs.
    pub(super) fn call(&self) -> Call<'_> {
        if self.hands.under_way.fetch_add(1, Ordering::AcqRel) == 0 {
            self.ticker.unpark();
        }
        Call { clock: self }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.clock.hands.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.hands.is_over.store(true, Ordering::Release);
        self.ticker.unpark();
    }
}

impl Hands {
    fn go_round(&self, pace: Duration, mut tick: impl FnMut()) {
        loop {
            if self.under_way.load(Ordering::Acquire) == 0 {
                // Returns at once where a call has begun since it returned the last time, however soon that ended: no
                // call is slept through.
                thread::park();
            }
            for _ in 0..ROUND {
                if self.is_over.load(Ordering::Acquire) {
                    return;
                }
                #[expect(clippy::disallowed_methods, reason = "this thread does nothing else")]
                thread::sleep(pace);
                tick();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

    use super::*;

    /// Longer than a tick takes; where it is not, on a busy machine, a test only sees fewer of them.
    const A_WHILE: Duration = Duration::from_millis(100);

    /// Only a hung test waits so long.
    const HUNG: Duration = Duration::from_secs(60);

    /// A clock that waits after each tick until the test has taken it.
    fn clock() -> (Clock, Receiver<()>) {
        let (sender, ticks) = sync_channel(0);
        let tick = move || {
            // An error says that the test has ended.
            let _ = sender.send(());
        };
        (Clock::with_pace(Duration::ZERO, tick).unwrap(), ticks)
    }

    /// How many ticks come until the clock rests, or `most`.
    fn ticks_until_rest(ticks: &Receiver<()>, most: u32) -> u32 {
        (0..most).take_while(|_| ticks.recv_timeout(A_WHILE).is_ok()).fold(0, |count, _| count + 1)
    }

    #[test]
    fn it_rests_while_nobody_calls_and_wakes_with_each_call() {
        let (clock, ticks) = clock();
        assert_eq!(ticks_until_rest(&ticks, 1), 0, "there was no call yet");
        for _ in 0..3 {
            let call = clock.call();
            for _ in 0..3 * ROUND {
                ticks.recv_timeout(HUNG).expect("it ticks as long as the call takes");
            }
            drop(call);
            assert!(ticks_until_rest(&ticks, 3 * ROUND) <= 2 * ROUND, "it goes round to the end, and rests");
        }
    }

    #[test]
    fn it_ticks_for_the_longest_of_several_calls() {
        let (clock, ticks) = clock();
        let long = clock.call();
        drop(clock.call());
        for _ in 0..3 * ROUND {
            ticks.recv_timeout(HUNG).expect("one of them is under way");
        }
        drop(long);
        assert!(ticks_until_rest(&ticks, 3 * ROUND) <= 2 * ROUND);
    }

    #[test]
    fn a_call_that_ends_at_once_wakes_it_too() {
        let (clock, ticks) = clock();
        drop(clock.call());
        ticks.recv_timeout(HUNG).expect("somebody may have called again");
    }

    #[test]
    fn its_thread_ends_with_it() {
        for _ in 0..100 {
            let (clock, ticks) = clock();
            drop(clock.call());
            drop(clock);
            // Until the thread lets go of its end.
            while ticks.recv_timeout(HUNG).is_ok() {}
            assert_eq!(ticks.try_recv(), Err(TryRecvError::Disconnected));
        }
    }
}
