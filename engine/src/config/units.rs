//! Times and sizes as people write them: "250ms", "30d", "64MiB".

use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) Duration);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(pub(super) u64);

const TIME_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

const TIME_EXPECTED: &str = "a time such as \"250ms\", \"10s\", \"5m\", \"12h\" or \"30d\"";
const SIZE_EXPECTED: &str = "a size such as \"512B\", \"64KiB\", \"64MiB\" or \"1GiB\"";

impl Time {
    pub(super) const fn milliseconds(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    pub(super) const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        parse(text, &TIME_UNITS).map(Self::milliseconds)
    }
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
        parse(text, &SIZE_UNITS).map(Self)
    }
}

/// A whole number, and right behind it one of the units.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// In the largest unit that needs no fraction.
fn display(formatter: &mut fmt::Formatter<'_>, number: u64, units: &[(&str, u64)], zero: &str) -> fmt::Result {
    if number == 0 {
        return formatter.write_str(zero);
    }
    let exact = units.iter().find(|(_, factor)| number.is_multiple_of(*factor));
    exact.map_or(Ok(()), |(name, factor)| write!(formatter, "{}{name}", number / factor))
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(formatter, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &TIME_UNITS, "0s")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(formatter, self.0, &SIZE_UNITS, "0B")
    }
}

/// Reads text with `parse`, and says what was expected of anything else.
struct Written<T> {
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
}

impl<T> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::custom(format_args!("expected {}", self.expected)))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written { parse: Self::parse, expected: TIME_EXPECTED })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written { parse: Self::parse, expected: SIZE_EXPECTED })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        let cases = [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("30d", 2_592_000_000)];
        for (text, milliseconds) in cases {
            assert_eq!(Time::parse(text), Some(Time::milliseconds(milliseconds)), "{text}");
            assert_eq!(Time::milliseconds(milliseconds).to_string(), text);
        }
        for text in ["", "s", "10", "-1s", "1.5s", "1 week", "10S", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_binary_unit() {
        assert_eq!(Size::parse("64MiB"), Some(Size(64 << 20)));
        assert_eq!(Size::parse("512B"), Some(Size(512)));
        assert_eq!(Size(1536).to_string(), "1536B");
        for text in ["64MB", "64", "1.5GiB", "64mib"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(number in 0..u64::MAX / 2) {
            prop_assert_eq!(Size::parse(&Size(number).to_string()), Some(Size(number)));
            let time = Time::milliseconds(number);
            prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn anything_else_is_no_panic(text in ".*") {
            let _ = (Time::parse(&text), Size::parse(&text));
        }
    }
}
