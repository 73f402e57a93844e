//! Twitch's bucket of calls: so many a minute for each client and user. When it is empty nothing is sent until Twitch
//! says that it is full again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap};
use tokio::time::Instant;

/// The bucket is filled anew each minute, so nobody has to wait longer, whatever the clocks say.
const LONGEST: Duration = Duration::from_secs(60);

/// What an answer says of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    remaining: Option<u64>,
    full_in: Option<Duration>,
}

impl Limits {
    pub(super) fn read(headers: &HeaderMap, now_ms: u64) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        // The time is by Twitch's clock, and so is the date of its answer.
        let now_ms = date_ms(headers).unwrap_or(now_ms);
        let full_in = number("ratelimit-reset")
            .map(|seconds| Duration::from_millis(seconds.saturating_mul(1000).saturating_sub(now_ms)).min(LONGEST));
        Self { remaining: number("ratelimit-remaining"), full_in }
    }

    /// How long there is nothing left, if so.
    pub(super) fn exhausted_for(self) -> Option<Duration> {
        self.full_in.filter(|_| self.remaining == Some(0))
    }
}

fn date_ms(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let date: Timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(date.as_millisecond()).ok()
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    empty_until: Mutex<Option<Instant>>,
}

impl Bucket {
    /// Or how long to wait.
    pub(super) fn check(&self) -> Result<(), Duration> {
        let until = *self.empty_until.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    pub(super) fn note(&self, limits: Limits) {
        if let Some(wait) = limits.exhausted_for() {
            let until = Instant::now() + wait;
            let mut empty_until = self.empty_until.lock().unwrap_or_else(PoisonError::into_inner);
            *empty_until = Some(empty_until.map_or(until, |earlier| earlier.max(until)));
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn it_is_empty_at_zero_and_only_then() {
        let wait = |pairs: &[(&str, &str)]| Limits::read(&headers(pairs), 1_000_000).exhausted_for();
        assert_eq!(wait(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1005")]), Some(Duration::from_secs(5)));
        assert_eq!(wait(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "1005")]), None);
        assert_eq!(wait(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "900")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "99999")]), Some(LONGEST));
        assert_eq!(wait(&[("ratelimit-remaining", "zero"), ("ratelimit-reset", "x")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn the_date_of_the_answer_is_its_clock() {
        let answer = headers(&[
            ("date", "Mon, 05 Jan 2026 10:11:12 GMT"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1767607882"),
        ]);
        assert_eq!(Limits::read(&answer, 5).exhausted_for(), Some(Duration::from_secs(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_leaves_until_it_is_full_again() {
        let bucket = Bucket::default();
        bucket.note(Limits { remaining: Some(7), full_in: Some(Duration::from_secs(9)) });
        assert_eq!(bucket.check(), Ok(()));
        bucket.note(Limits { remaining: Some(0), full_in: Some(Duration::from_secs(9)) });
        // A call that was under way meanwhile changes nothing.
        bucket.note(Limits { remaining: Some(3), full_in: Some(Duration::from_secs(9)) });
        assert_eq!(bucket.check(), Err(Duration::from_secs(9)));
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(bucket.check(), Ok(()));
    }
}
