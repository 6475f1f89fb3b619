use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Overflow;

/// An exact decimal amount with `D` decimals, held as a signed 64-bit count of its smallest step.
///
/// There is no arithmetic operator on it: every sum is checked and says [`Overflow`] when it
/// leaves its range. Text with more decimals than `D` is refused, never rounded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount<const D: u32>(i64);

/// Money, and all that is counted like money: two decimals, the step is a fen.
pub type Fen = Amount<2>;

/// Points with six decimals: the step is a millionth of a point.
pub type Micro = Amount<6>;

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with an optional fraction, or a sign.
    #[error("not a plain decimal number such as 12.34")]
    NotDecimal,
    /// More decimals than the unit has.
    #[error("too many decimals: at most {0} are allowed")]
    TooPrecise(u32),
    /// A decimal number, but beyond 64 bits.
    #[error("out of range: the number does not fit in 64 bits")]
    OutOfRange,
}

impl<const D: u32> Amount<D> {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount there is.
    pub const MAX: Self = Self(i64::MAX);
    /// How many steps make one whole.
    pub const STEPS_PER_WHOLE: i64 = 10_i64.pow(D);

    /// The amount of so many steps (fen, micro-points).
    #[must_use]
    pub const fn from_steps(steps: i64) -> Self {
        Self(steps)
    }

    /// The steps (fen, micro-points) of this amount.
    #[must_use]
    pub const fn steps(self) -> i64 {
        self.0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Overflow`] when it leaves 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads a plain decimal without a sign, as `12`, `12.3` or `12.34`.
    ///
    /// # Errors
    /// [`AmountError`], which says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        i64::try_from(Self::magnitude(text)?).map(Self).map_err(|_| AmountError::OutOfRange)
    }

    /// Reads a plain decimal that may have a minus sign in front.
    ///
    /// # Errors
    /// [`AmountError`], which says what is wrong with the text.
    pub fn parse_signed(text: &str) -> Result<Self, AmountError> {
        let Some(rest) = text.strip_prefix('-') else { return Self::parse(text) };
        let steps = -i128::from(Self::magnitude(rest)?);
        i64::try_from(steps).map(Self).map_err(|_| AmountError::OutOfRange)
    }

    fn magnitude(text: &str) -> Result<u64, AmountError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(AmountError::NotDecimal),
            None => (text, ""),
        };
        let digits = || whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || !digits().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::NotDecimal);
        }
        let decimals = u32::try_from(fraction.len()).map_err(|_| AmountError::TooPrecise(D))?;
        let missing = D.checked_sub(decimals).ok_or(AmountError::TooPrecise(D))?;
        digits()
            .try_fold(0_u64, |steps, digit| {
                steps.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
            })
            .and_then(|steps| steps.checked_mul(10_u64.pow(missing)))
            .ok_or(AmountError::OutOfRange)
    }
}

impl Fen {
    /// The points worth this much at par (1 yuan = 1 point, 1 fen = 10^4 micro-points).
    ///
    /// # Errors
    /// [`Overflow`] when they do not fit in 64 bits.
    pub fn at_par(self) -> Result<Micro, Overflow> {
        self.0.checked_mul(10_000).map(Amount).ok_or(Overflow)
    }
}

impl Micro {
    /// What these points are worth at par, when that is a whole number of fen.
    #[must_use]
    pub fn whole_fen(self) -> Option<Fen> {
        (self.0 % 10_000 == 0).then_some(Amount(self.0 / 10_000))
    }

    /// What these points are worth at par, rounded down to a fen: in favour of whoever pays it.
    #[must_use]
    pub fn fen_floor(self) -> Fen {
        Amount(self.0.div_euclid(10_000))
    }

    /// What these points are worth at par, rounded up to a fen: in favour of whoever charges it.
    #[must_use]
    pub fn fen_ceil(self) -> Fen {
        Amount(self.0.div_euclid(10_000) + i64::from(self.0.rem_euclid(10_000) > 0))
    }
}

impl<const D: u32> fmt::Display for Amount<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let steps = self.0.unsigned_abs();
        let per_whole = 10_u64.pow(D);
        let (whole, fraction) = (steps / per_whole, steps % per_whole);
        write!(f, "{sign}{whole}.{fraction:0width$}", width = D as usize)
    }
}

impl<const D: u32> fmt::Debug for Amount<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const D: u32> FromStr for Amount<D> {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::parse_signed(text)
    }
}

/// Text for people, the steps for machines.
impl<const D: u32> Serialize for Amount<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de, const D: u32> Deserialize<'de> for Amount<D> {
    fn deserialize<S: Deserializer<'de>>(deserializer: S) -> Result<Self, S::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse_signed(&text)
            .map_err(|e| S::Error::invalid_value(Unexpected::Str(&text), &e.to_string().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_decimals_are_read() {
        for text in
            ["", ".", "5.", ".5", "+5", "-5", " 5", "5 ", "1e3", "1,000", "0x1", "５", "--1", "NaN"]
        {
            assert_eq!(Fen::parse(text), Err(AmountError::NotDecimal), "{text:?}");
        }
        assert_eq!(Fen::parse("1.005"), Err(AmountError::TooPrecise(2)));
        assert_eq!(Fen::parse("1.000"), Err(AmountError::TooPrecise(2)));
        assert_eq!(Fen::parse("92233720368547758.08"), Err(AmountError::OutOfRange));
        assert_eq!(Fen::parse("92233720368547758.07"), Ok(Fen::MAX));
        assert_eq!(Fen::parse("007.1"), Ok(Fen::from_steps(710)));
        assert_eq!(Micro::parse_signed("-0.000001"), Ok(Micro::from_steps(-1)));
    }

    #[test]
    fn par_rounds_in_favour_of_who_is_named() {
        assert_eq!(Micro::from_steps(10_001).fen_ceil(), Fen::from_steps(2));
        assert_eq!(Micro::from_steps(10_001).fen_floor(), Fen::from_steps(1));
        assert_eq!(Micro::from_steps(10_001).whole_fen(), None);
        assert_eq!(Fen::MAX.at_par(), Err(Overflow));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(steps in any::<i64>()) {
            let (fen, micro) = (Fen::from_steps(steps), Micro::from_steps(steps));
            prop_assert_eq!(Fen::parse_signed(&fen.to_string()), Ok(fen));
            prop_assert_eq!(Micro::parse_signed(&micro.to_string()), Ok(micro));
            prop_assert_eq!(serde_json::from_str::<Fen>(&serde_json::to_string(&fen).unwrap()).unwrap(), fen);
        }
    }
}
