//! Whatever anybody types as a number: what is read is shown as it is, and counted with exactly or not at all.

use showrunner_fuzz::fuzz_text;

use super::*;

/// Each line of an input is a number.
#[test]
fn decimals() {
    fuzz_text!(64, |text| {
        let (one, other) = text.split_once('\n').unwrap_or((text, "1"));
        let (Some(one), Some(other)) = (Decimal::parse(one), Decimal::parse(other)) else { return };
        assert_eq!(Decimal::parse(&one.to_string()), Some(one));
        assert_eq!(one.checked_add(other), other.checked_add(one));
        if let Some(sum) = one.checked_add(other) {
            assert_eq!(sum.checked_sub(other), Some(one));
            assert!(sum >= one && sum >= other);
        }
        if let Some(rest) = one.checked_sub(other) {
            assert!(one >= other && rest <= one);
        }
        assert!(one.percent_of(one).is_none_or(|percent| percent == 100));
    });
}
