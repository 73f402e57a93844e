//! Exact decimal numbers: what sums, thresholds and goals of money are made of.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number that is not negative, exact and without rounding.
///
/// Amounts come with different exponents (5 USD as 5, as 50 tenths, as 500 cents); as decimals they are equal, and can
/// be compared and added. A currency it has none: never compare or add decimals of two currencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    // Without trailing zeros, and with exponent 0 for zero, so that each number has one form.
    units: u128,
    exponent: i16,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { units: 0, exponent: 0 };

    /// `units` / 10^`exponent`.
    pub const fn new(mut units: u128, mut exponent: i16) -> Self {
        if units == 0 {
            return Self::ZERO;
        }
        while units.is_multiple_of(10) && exponent > i16::MIN {
            units /= 10;
            exponent -= 1;
        }
        Self { units, exponent }
    }

    /// Reads a number as people write it: "12", "12.50". `None` for anything else, also for a negative number and for
    /// one with more than 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = || whole.chars().chain(fraction.chars());
        digits().next()?;
        let units = digits()
            .try_fold(0_u128, |units, digit| units.checked_mul(10)?.checked_add(u128::from(digit.to_digit(10)?)))?;
        Some(Self::new(units, i16::try_from(fraction.len()).ok()?))
    }

    /// The sum; `None` when it has more digits than fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (mine, others, exponent) = self.align(other)?;
        Some(Self::new(mine.checked_add(others)?, exponent))
    }

    /// The difference; `None` when it is negative or has more digits than fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let (mine, others, exponent) = self.align(other)?;
        Some(Self::new(mine.checked_sub(others)?, exponent))
    }

    /// How many whole percent of `whole` this is; `None` when `whole` is nothing, or for numbers too far apart.
    pub fn percent_of(self, whole: Self) -> Option<u128> {
        let (mine, whole, _) = self.align(whole)?;
        mine.checked_mul(100)?.checked_div(whole)
    }

    /// Both in units of the same size, the larger of the two exponents.
    fn align(self, other: Self) -> Option<(u128, u128, i16)> {
        let exponent = self.exponent.max(other.exponent);
        Some((self.units_at(exponent)?, other.units_at(exponent)?, exponent))
    }

    fn units_at(self, exponent: i16) -> Option<u128> {
        if self.units == 0 {
            return Some(0);
        }
        let power = u32::try_from(i32::from(exponent) - i32::from(self.exponent)).ok()?;
        self.units.checked_mul(10_u128.checked_pow(power)?)
    }
}

impl From<u32> for Decimal {
    fn from(whole: u32) -> Self {
        Self::new(u128::from(whole), 0)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let exponent = self.exponent.max(other.exponent);
        match (self.units_at(exponent), other.units_at(exponent)) {
            (Some(mine), Some(others)) => mine.cmp(&others),
            // What does not fit in units of the other's size is larger than everything that does; both can't be, as
            // one of them is in its own units.
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// "5", "2.50", "0.125": as short as it is exact, but not with one decimal, which no money has.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(decimals @ 1..) = usize::try_from(self.exponent) else {
            let zeros = usize::from(self.exponent.unsigned_abs());
            return write!(formatter, "{}{:0<zeros$}", self.units, "");
        };
        let digits = format!("{:0>width$}", self.units, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        write!(formatter, "{whole}.{fraction:0<2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn a_number_has_one_form_however_it_is_written() {
        for (written, shown) in [
            ("5", "5"),
            ("5.00", "5"),
            ("005.0", "5"),
            ("2.5", "2.50"),
            (".5", "0.50"),
            ("0.125", "0.125"),
            ("1200", "1200"),
            ("0", "0"),
            ("0.00", "0"),
            ("1.000000000000000001", "1.000000000000000001"),
        ] {
            assert_eq!(decimal(written).to_string(), shown);
            assert_eq!(decimal(shown), decimal(written));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "-5", "+5", "5,50", "1e3", "5 ", "1.2.3", "five", "1_000", &"9".repeat(39)] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_any_size_are_compared() {
        let huge = Decimal::new(u128::MAX, i16::MIN);
        let tiny = Decimal::new(1, i16::MAX);
        let sorted = [Decimal::ZERO, tiny, decimal("0.99"), decimal("1"), decimal("1.01"), decimal("30"), huge];
        for pair in sorted.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn sums_are_exact_or_none() {
        assert_eq!(decimal("0.1").checked_add(decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(decimal("5").checked_sub(decimal("0.01")), Some(decimal("4.99")));
        assert_eq!(decimal("5").checked_sub(decimal("5.01")), None);
        assert_eq!(Decimal::new(1, 40).checked_add(Decimal::from(1)), None, "more digits than fit");
        assert_eq!(Decimal::new(1, 40).checked_add(Decimal::ZERO), Some(Decimal::new(1, 40)));
    }

    #[test]
    fn percents_are_whole_and_not_rounded_up() {
        for (part, whole, percent) in [
            ("0", "5", Some(0)),
            ("1.99", "2", Some(99)),
            ("45", "200", Some(22)),
            ("30", "20", Some(150)),
            ("1", "0", None),
        ] {
            assert_eq!(decimal(part).percent_of(decimal(whole)), percent);
        }
    }
}
