//! Money, or what stands for it: as text, and to count with.

mod decimal;

use std::fmt;

pub use decimal::Decimal;

use crate::event::Support;

/// The amount of a [`Support`]; it displays as "5.00 USD" or "100 bits".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount<'a> {
    /// In the smallest unit, such as cents: the amount is this / 10^`exponent`.
    pub minor_units: u32,
    /// How many decimals: 2 for cents; negative for sums that 32 bits do not hold.
    pub exponent: i8,
    /// "USD", "bits", "tokens", ...
    pub currency: &'a str,
}

impl Support {
    /// What was given.
    pub fn amount(&self) -> Amount<'_> {
        Amount { minor_units: self.minor_units, exponent: self.exponent, currency: &self.currency }
    }
}

impl Amount<'_> {
    /// The number alone, to compare with and add to others of the same currency.
    pub fn decimal(&self) -> Decimal {
        Decimal::new(u128::from(self.minor_units), i16::from(self.exponent))
    }
}

impl fmt::Display for Amount<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.exponent.unsigned_abs());
        if self.exponent <= 0 {
            write!(formatter, "{}", self.minor_units)?;
            // Zero stays "0" however large the unit.
            if self.minor_units > 0 {
                write!(formatter, "{:0<decimals$}", "")?;
            }
        } else {
            let digits = format!("{:0>width$}", self.minor_units, width = decimals + 1);
            let (whole, fraction) = digits.split_at(digits.len() - decimals);
            write!(formatter, "{whole}.{fraction}")?;
        }
        if self.currency.is_empty() { Ok(()) } else { write!(formatter, " {}", self.currency) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        let cases = [
            (500, 2, "USD", "5.00 USD"),
            (5, 2, "USD", "0.05 USD"),
            (100, 0, "bits", "100 bits"),
            (12, -9, "TOKEN", "12000000000 TOKEN"),
            (0, -3, "", "0"),
            (1, 18, "SOL", "0.000000000000000001 SOL"),
            (u32::MAX, 1, "x", "429496729.5 x"),
        ];
        for (minor_units, exponent, currency, shown) in cases {
            assert_eq!(Amount { minor_units, exponent, currency }.to_string(), shown);
        }
    }

    #[test]
    fn the_same_sum_is_equal_in_any_unit() {
        let decimal = |minor_units, exponent| Amount { minor_units, exponent, currency: "USD" }.decimal();
        assert_eq!(decimal(500, 2), decimal(5, 0));
        assert_eq!(decimal(12, -9), decimal(1_200_000_000, -1));
        assert!(decimal(499, 2) < decimal(5, 0));
    }
}
