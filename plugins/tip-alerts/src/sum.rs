//! A number with its currency: thresholds, goals, and what they are compared with.
//!
//! Sums of different currencies are never compared or added: there is no rate of exchange in here.

use std::fmt;

use serde_json::Value;
use showrunner_sdk::amount::Decimal;

use crate::kind::Kind;

/// "50 USD", "1000 bits", or without a currency a plain number of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) number: Decimal,
    pub(crate) currency: Option<String>,
}

impl Sum {
    pub(crate) fn pieces(count: u32) -> Self {
        Self { number: count.into(), currency: None }
    }

    /// Nothing, in the currency of this sum.
    pub(crate) fn zero(&self) -> Self {
        Self { number: Decimal::ZERO, currency: self.currency.clone() }
    }

    /// Reads "50 USD" or "50".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (number, currency) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let currency = currency.trim();
        let number = Decimal::parse(number).filter(|_| !currency.contains(char::is_whitespace));
        let number =
            number.ok_or_else(|| format!("`{text}` is no amount; write 50, or with its currency \"50 USD\""))?;
        Ok(Self { number, currency: (!currency.is_empty()).then(|| currency.to_owned()) })
    }

    /// Whether both count the same thing. Letter case does not matter.
    pub(crate) fn has_unit_of(&self, other: &Self) -> bool {
        match (&self.currency, &other.currency) {
            (Some(mine), Some(others)) => mine.eq_ignore_ascii_case(others),
            (None, None) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.as_deref() {
            None | Some("") => write!(formatter, "{}", self.number),
            Some(currency) => write!(formatter, "{} {currency}", self.number),
        }
    }
}

/// From where on something holds: one number, or one sum for each currency that it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Threshold(Vec<Sum>);

impl Threshold {
    /// Reads the threshold of a kind, which must be in its unit: `10`, `"50 USD"`, `["50 USD", "45 EUR"]`.
    pub(crate) fn read(written: &Value, kind: Kind) -> Result<Self, String> {
        let sums = match written {
            Value::Array(list) => list.iter().map(read_sum).collect::<Result<Vec<_>, _>>()?,
            one => vec![read_sum(one)?],
        };
        for (index, sum) in sums.iter().enumerate() {
            match (kind.is_money(), &sum.currency) {
                (true, None) => return Err(format!("`{sum}` has no currency; write \"{sum} USD\", \"{sum} bits\", …")),
                (false, Some(_)) => {
                    let (name, unit) = (kind.name(), kind.unit());
                    return Err(format!("`{sum}` has a currency, but for a {name} it is {unit}; write a number"));
                }
                _ => {}
            }
            if sums.iter().take(index).any(|earlier| earlier.has_unit_of(sum)) {
                return Err(format!("`{sum}` is the second one of its currency"));
            }
        }
        if sums.is_empty() { Err("the list is empty".to_owned()) } else { Ok(Self(sums)) }
    }

    /// The threshold in the currency of `sum`; `None` when there is none, as they can't be compared.
    fn in_unit_of(&self, sum: &Sum) -> Option<Decimal> {
        self.0.iter().find(|threshold| threshold.has_unit_of(sum)).map(|threshold| threshold.number)
    }

    /// The threshold that was reached, for what has to be reached.
    pub(crate) fn reached_by(&self, sum: &Sum) -> Option<Decimal> {
        self.in_unit_of(sum).filter(|threshold| sum.number >= *threshold)
    }

    /// Whether `sum` stays below. What is in a currency that has no threshold does not: it can't be known, and nobody
    /// goes without thanks for that.
    pub(crate) fn is_above(&self, sum: &Sum) -> bool {
        self.in_unit_of(sum).is_some_and(|threshold| sum.number < threshold)
    }
}

fn read_sum(written: &Value) -> Result<Sum, String> {
    let number = written.as_u64().and_then(|number| u32::try_from(number).ok()).map(Sum::pieces);
    match written.as_str() {
        Some(text) => Sum::parse(text),
        None => number.ok_or_else(|| format!("{written} is no amount; write 50, or with its currency \"50 USD\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str) -> Sum {
        Sum::parse(text).unwrap()
    }

    fn threshold(json: Value, kind: Kind) -> Result<Threshold, String> {
        Threshold::read(&json, kind)
    }

    #[test]
    fn sums_are_read_and_shown() {
        for (written, shown) in [("50 USD", "50 USD"), (" 2.5  EUR ", "2.50 EUR"), ("7", "7"), ("100 bits", "100 bits")]
        {
            assert_eq!(sum(written).to_string(), shown);
        }
        for text in ["", "USD", "USD 50", "5 US dollars", "-5 USD", "5,50 EUR"] {
            assert!(Sum::parse(text).unwrap_err().contains("is no amount"), "{text}");
        }
    }

    #[test]
    fn only_the_same_currency_is_compared() {
        let big = threshold(serde_json::json!(["50 USD", "7000 JPY"]), Kind::Tip).unwrap();
        assert_eq!(big.reached_by(&sum("50.00 usd")), Some(50.into()));
        assert_eq!(big.reached_by(&sum("49.99 USD")), None);
        assert_eq!(big.reached_by(&sum("5000 JPY")), None, "more than 50, but of something else");
        assert_eq!(big.reached_by(&sum("1000 EUR")), None, "nobody said what that is worth");
        assert!(big.is_above(&sum("49.99 USD")));
        assert!(!big.is_above(&sum("0.01 EUR")), "nor whether it is too little");
    }

    #[test]
    fn a_threshold_is_in_the_unit_of_its_kind() {
        for (json, kind, told) in [
            (serde_json::json!(50), Kind::Tip, "`50` has no currency"),
            (serde_json::json!("50 USD"), Kind::Raid, "for a raid it is viewers"),
            (serde_json::json!(["5 USD", "6 usd"]), Kind::Tip, "`6 usd` is the second one of its currency"),
            (serde_json::json!([]), Kind::Tip, "the list is empty"),
            (serde_json::json!(-5), Kind::Raid, "-5 is no amount"),
            (serde_json::json!("much"), Kind::Tip, "`much` is no amount"),
        ] {
            let error = threshold(json, kind).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
