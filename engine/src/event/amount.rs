//! Sums of money, and of what stands for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `minor_units` / 10^`exponent`, as in ISO 4217; a negative exponent for sums that 32 bits do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    pub minor_units: u32,
    pub exponent: i8,
}

impl Amount {
    pub const fn whole(units: u32) -> Self {
        Self { minor_units: units, exponent: 0 }
    }

    /// Reads a decimal such as "12.50" or "3e9", keeping as many digits as 32 bits hold.
    /// `None` for what is no amount: negative, empty, not a number.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, power) = match text.trim().split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text.trim(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        if !mantissa.contains(|character: char| character.is_ascii_digit()) {
            return None;
        }
        let mut units: u32 = 0;
        let mut exponent = i32::try_from(fraction.len()).ok()?.checked_sub(power)?;
        let mut full = false;
        for digit in whole.chars().chain(fraction.chars()) {
            let digit = digit.to_digit(10)?;
            match units.checked_mul(10).and_then(|units| units.checked_add(digit)) {
                Some(wider) if !full => units = wider,
                _ => {
                    full = true;
                    exponent = exponent.checked_sub(1)?;
                }
            }
        }
        while exponent > 0 && units.is_multiple_of(10) && units > 0 {
            units /= 10;
            exponent -= 1;
        }
        if units == 0 {
            return Some(Self::whole(0));
        }
        Some(Self { minor_units: units, exponent: i8::try_from(exponent).ok()? })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.minor_units.to_string();
        match usize::try_from(self.exponent) {
            Ok(0) => formatter.write_str(&digits),
            Ok(places) => {
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(formatter, "{whole}.{fraction}")
            }
            Err(_) => write!(formatter, "{digits}{}", "0".repeat(usize::from(self.exponent.unsigned_abs()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit_that_fits() {
        let cases = [
            ("5", "5"),
            ("5.00", "5"),
            ("12.5", "12.5"),
            ("0.05", "0.05"),
            ("0", "0"),
            ("0.0", "0"),
            ("1e3", "1000"),
            ("4294967295", "4294967295"),
            ("42949672960", "42949672900"),
            ("123456789012", "123456789000"),
            ("1.23456789012345", "1.23456789"),
            ("2500000.5", "2500000.5"),
        ];
        for (text, shown) in cases {
            assert_eq!(Amount::parse(text).map(|amount| amount.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["", ".", "-1", "abc", "1.2.3", "NaN", "1e999", "99999999999999e2147483647"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
