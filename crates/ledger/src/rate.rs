use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Amount, Overflow};

const PARTS: i64 = 1_000_000;

/// An exact, non-negative ratio in parts per million, written `"30%"` or `"2.5x"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i64);

/// Why a text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Neither `"30%"` nor `"2.5x"`.
    #[error("not a rate such as \"30%\" or \"2.5x\"")]
    NotRate,
    /// A sign in front.
    #[error("a rate cannot be negative")]
    Negative,
    /// More decimals than are exact.
    #[error("too many decimals: at most 4 before % and 6 before x")]
    TooPrecise,
    /// Beyond 64 bits.
    #[error("out of range: the rate does not fit in 64 bits")]
    OutOfRange,
}

impl Rate {
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// 100 %.
    pub const ONE: Self = Self(PARTS);

    /// So many parts per million; `None` when negative.
    #[must_use]
    pub const fn from_ppm(ppm: i64) -> Option<Self> {
        if ppm < 0 { None } else { Some(Self(ppm)) }
    }

    /// The parts per million.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.0
    }

    /// Whether it is 0 %.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The part of `amount`, rounded down: what is issued or paid by it is never too much.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits.
    pub fn mul_floor<const D: u32>(self, amount: Amount<D>) -> Result<Amount<D>, Overflow> {
        let product = i128::from(amount.steps()) * i128::from(self.0);
        to_amount(product.div_euclid(i128::from(PARTS)))
    }

    /// The part of `amount`, rounded up: what is charged by it is never too little.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits.
    pub fn mul_ceil<const D: u32>(self, amount: Amount<D>) -> Result<Amount<D>, Overflow> {
        let product = i128::from(amount.steps()) * i128::from(self.0);
        to_amount(-(-product).div_euclid(i128::from(PARTS)))
    }

    /// The part of `amount`, rounded down, and [`Amount::MAX`] where it would leave 64 bits: for
    /// what is cut to a smaller amount anyway.
    #[must_use]
    pub fn mul_floor_saturating<const D: u32>(self, amount: Amount<D>) -> Amount<D> {
        self.mul_floor(amount).unwrap_or(Amount::MAX)
    }

    /// The sum of two rates.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }
}

fn to_amount<const D: u32>(steps: i128) -> Result<Amount<D>, Overflow> {
    i64::try_from(steps).map(Amount::from_steps).map_err(|_| Overflow)
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (number, decimals) = match (text.strip_suffix('%'), text.strip_suffix('x')) {
            (Some(number), _) => (number, 4),
            (_, Some(number)) => (number, 6),
            _ => return Err(RateError::NotRate),
        };
        let rate = match decimals {
            4 => Amount::<4>::parse(number).map(|a| a.steps()),
            _ => Amount::<6>::parse(number).map(|a| a.steps()),
        };
        match rate {
            Ok(ppm) => Ok(Self(ppm)),
            Err(crate::AmountError::TooPrecise(_)) => Err(RateError::TooPrecise),
            Err(crate::AmountError::OutOfRange) => Err(RateError::OutOfRange),
            Err(crate::AmountError::NotDecimal) if number.starts_with('-') => {
                Err(RateError::Negative)
            }
            Err(crate::AmountError::NotDecimal) => Err(RateError::NotRate),
        }
    }
}

/// Written as a percentage with as many decimals as it needs: `30%`, `1.25%`, `250%`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Amount::<4>::from_steps(self.0).to_string();
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text for people, the parts per million for machines.
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            // Never negative, and as an unsigned number it is shorter.
            serializer.serialize_u64(self.0.unsigned_abs())
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<S: Deserializer<'de>>(deserializer: S) -> Result<Self, S::Error> {
        if !deserializer.is_human_readable() {
            let ppm = u64::deserialize(deserializer)?;
            let fault = || S::Error::invalid_value(Unexpected::Unsigned(ppm), &"a rate");
            return i64::try_from(ppm).map(Self).map_err(|_| fault());
        }
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|error: RateError| {
            S::Error::invalid_value(Unexpected::Str(&text), &error.to_string().as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Fen;

    #[test]
    fn percent_and_multiple_are_the_same_scale() {
        assert_eq!("30%".parse(), Ok(Rate(300_000)));
        assert_eq!("2.5x".parse(), Ok(Rate(2_500_000)));
        assert_eq!("0.0001%".parse(), Ok(Rate(1)));
        assert_eq!("0.00001%".parse::<Rate>(), Err(RateError::TooPrecise));
        assert_eq!("-1%".parse::<Rate>(), Err(RateError::Negative));
        for text in ["", "%", "x", "30", "30 %", "%30", "3O%", "1e2%"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::NotRate), "{text:?}");
        }
        assert_eq!(Rate(12_500).to_string(), "1.25%");
        assert_eq!(Rate(1_000_000).to_string(), "100%");
        assert_eq!(Rate::ZERO.to_string(), "0%");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ppm in 0..=i64::MAX) {
            let json = serde_json::to_string(&Rate(ppm)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), Rate(ppm));
        }

        #[test]
        fn floor_and_ceil_enclose_the_exact_product(steps in any::<i64>(), ppm in 0..=i64::MAX) {
            let (rate, amount) = (Rate(ppm), Fen::from_steps(steps));
            if let (Ok(low), Ok(high)) = (rate.mul_floor(amount), rate.mul_ceil(amount)) {
                let exact = i128::from(steps) * i128::from(ppm);
                prop_assert!(i128::from(low.steps()) * 1_000_000 <= exact);
                prop_assert!(exact <= i128::from(high.steps()) * 1_000_000);
                prop_assert!(high.steps() - low.steps() <= 1);
            }
        }
    }
}
