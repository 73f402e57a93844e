//! Which part of a stream is meant, as people type it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::cli::failure::Failure;
use crate::config;
use crate::event::{Channel, NoChannel, now_ms};
use crate::recording::Window;

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Stretch {
    /// Only from then on: "2h" ago, "2026-07-01", "2026-07-01 20:15", or with the zone as in "2026-07-01T18:15:00Z".
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only up to then.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only of this channel, as "retake:5b7c", and what belongs to all.
    #[arg(long, value_name = "PLATFORM:ID")]
    channel: Option<String>,
}

impl Stretch {
    pub(in crate::cli) fn window(&self) -> Result<Window, Failure> {
        let moment = |name: &str, given: &Option<String>| {
            given.as_deref().map(|text| parse(text, now_ms(), &TimeZone::system()).ok_or_else(|| no_time(name, text)))
        };
        let (from_ms, to_ms) = (moment("--from", &self.from).transpose()?, moment("--to", &self.to).transpose()?);
        if let (Some(from), Some(to)) = (from_ms, to_ms)
            && from > to
        {
            return Err(Failure::usage("--from is later than --to", "exchange them, or leave one out"));
        }
        let channel = self.channel.as_deref().map(|text| {
            let no_channel =
                |why: NoChannel| Failure::usage(format!("--channel \"{text}\" is no channel"), why.to_string());
            text.parse::<Channel>().map_err(no_channel)
        });
        Ok(Window { from_ms, to_ms, channel: channel.transpose()? })
    }
}

/// Milliseconds since 1970.
fn parse(text: &str, now_ms: u64, zone: &TimeZone) -> Option<u64> {
    if let Some(ago) = config::parse_time(text) {
        return Some(now_ms.saturating_sub(u64::try_from(ago.as_millis()).ok()?));
    }
    let here = |moment: DateTime| moment.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    let timestamp = text.parse::<Timestamp>().ok();
    let timestamp = timestamp.or_else(|| text.parse::<DateTime>().ok().and_then(here));
    let timestamp = timestamp.or_else(|| here(text.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight())));
    u64::try_from(timestamp?.as_millisecond()).ok()
}

fn no_time(name: &str, text: &str) -> Failure {
    let help = "as in 2h (ago), 2026-07-01, \"2026-07-01 20:15\", or 2026-07-01T18:15:00Z";
    Failure::usage(format!("{name} \"{text}\" is no time"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_782_900_000_000;

    #[test]
    fn a_stretch_does_not_end_before_it_begins() {
        let window = |from: &str, to: &str| {
            Stretch { from: Some(from.to_owned()), to: Some(to.to_owned()), channel: None }.window()
        };
        assert_eq!(window("1h", "2h").unwrap_err().to_string(), "--from is later than --to");
        assert!(window("2h", "1h").is_ok());
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let cases = [
            ("2h", Some(NOW - 7_200_000)),
            ("1970-01-02", Some(86_400_000 - 7_200_000)),
            ("1970-01-02 02:00", Some(86_400_000)),
            ("1970-01-02T02:00:01", Some(86_401_000)),
            ("1970-01-02T00:00:00Z", Some(86_400_000)),
            ("1970-01-02T01:00:00+01:00", Some(86_400_000)),
            ("yesterday", None),
            ("", None),
            ("1969-12-01", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, NOW, &zone), expected, "{text}");
        }
    }
}
