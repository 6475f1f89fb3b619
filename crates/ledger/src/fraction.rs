use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::Overflow;

/// An exact, non-negative fraction of two 64-bit counts, such as a price (money by points).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

/// A fraction as it was read: perhaps none.
#[derive(Deserialize)]
#[serde(rename = "Fraction")]
struct Unchecked {
    numerator: u64,
    denominator: u64,
}

impl TryFrom<Unchecked> for Fraction {
    type Error = &'static str;

    fn try_from(read: Unchecked) -> Result<Self, Self::Error> {
        let signed = |number| i64::try_from(number).map_err(|_| "a fraction of 64-bit counts");
        Self::new(signed(read.numerator)?, signed(read.denominator)?).ok_or("a fraction by zero")
    }
}

impl Fraction {
    /// `numerator / denominator`; `None` when the first is negative or the second is not above
    /// zero.
    #[must_use]
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        let numerator = u64::try_from(numerator).ok()?;
        let denominator = u64::try_from(denominator).ok().filter(|&d| d > 0)?;
        Some(Self { numerator, denominator })
    }

    /// The numerator as it was given (not reduced).
    #[must_use]
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// The denominator as it was given (not reduced).
    #[must_use]
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// `floor(steps * self)`: what is paid by it is never too much.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits or `steps` is negative.
    pub fn mul_floor(self, steps: i64) -> Result<i64, Overflow> {
        self.product(steps, self.numerator, self.denominator, false)
    }

    /// `ceil(steps * self)`: what is charged by it is never too little.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits or `steps` is negative.
    pub fn mul_ceil(self, steps: i64) -> Result<i64, Overflow> {
        self.product(steps, self.numerator, self.denominator, true)
    }

    /// `floor(steps / self)`: what is issued by it is never too much.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits, `steps` is negative or the fraction is zero.
    pub fn div_floor(self, steps: i64) -> Result<i64, Overflow> {
        if self.numerator == 0 {
            return Err(Overflow);
        }
        self.product(steps, self.denominator, self.numerator, false)
    }

    fn product(self, steps: i64, by: u64, over: u64, up: bool) -> Result<i64, Overflow> {
        let steps = u64::try_from(steps).map_err(|_| Overflow)?;
        let product = u128::from(steps) * u128::from(by);
        // Most products fit in 64 bits, where the division is several times faster.
        let quotient = match u64::try_from(product) {
            Ok(small) if up => u128::from(small.div_ceil(over)),
            Ok(small) => u128::from(small / over),
            Err(_) if up => product.div_ceil(u128::from(over)),
            Err(_) => product / u128::from(over),
        };
        i64::try_from(quotient).map_err(|_| Overflow)
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        let right = u128::from(other.numerator) * u128::from(self.denominator);
        left.cmp(&right)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn issuing_then_valuing_never_gains(n in 1..=i64::MAX, d in 1..=i64::MAX, value in 0..=i64::MAX) {
            let price = Fraction::new(n, d).unwrap();
            if let Ok(points) = price.div_floor(value) {
                prop_assert!(price.mul_floor(points).unwrap() <= value);
                prop_assert!(price.mul_ceil(points).unwrap() <= value);
            }
        }

        #[test]
        fn only_fractions_are_read(n in any::<u64>(), d in prop_oneof![Just(0_u64), any::<u64>()]) {
            let json = format!(r#"{{"numerator":{n},"denominator":{d}}}"#);
            let (top, below) = (i64::try_from(n).ok(), i64::try_from(d).ok());
            let expected = top.zip(below).and_then(|(n, d)| Fraction::new(n, d));
            prop_assert_eq!(serde_json::from_str::<Fraction>(&json).ok(), expected);
        }

        #[test]
        fn order_is_that_of_the_exact_ratio(a in 0..1000_i64, b in 1..1000_i64, k in 1..1_000_000_i64) {
            prop_assert_eq!(Fraction::new(a, b), Fraction::new(a * k, b * k));
            prop_assert!(Fraction::new(a, b) < Fraction::new(a * k + 1, b * k));
        }
    }
}
