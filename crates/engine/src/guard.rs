//! Buckets of exit prices: which one a member waits in (`exit_queue`).

/// Buckets for each doubling of the exit price, as a power of two.
const PER_DOUBLING_BITS: u32 = 6;

/// Below every exit price that fits in 64 bits by 64 bits.
const LOWEST_DOUBLING: i32 = -64;

/// Which bucket a member waits in; 0 is none, 1 the near heap, the rest buckets from the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Guard(u16);

impl Guard {
    pub const NONE: Self = Self(0);
    pub const NEAR: Self = Self(1);
    /// The bucket of exit price zero: below all others.
    const ZERO: Self = Self(2);

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The bucket of `numerator / denominator`, monotone in the exact ratio.
    #[expect(clippy::cast_possible_truncation, reason = "quotient < 256, doubling within +-64")]
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "as above")]
    pub fn of(numerator: u64, denominator: u64) -> Self {
        if numerator == 0 || denominator == 0 {
            return Self::ZERO;
        }
        let bits = |n: u64| (u64::BITS - n.leading_zeros()) as i32;
        // Shifted so that the quotient has 7 or 8 bits: its floor keeps the order of the ratios.
        let shift = PER_DOUBLING_BITS as i32 + 1 + bits(denominator) - bits(numerator);
        let quotient = if shift <= 0 {
            numerator / (denominator << -shift)
        } else if bits(numerator) + shift <= 64 {
            (numerator << shift) / denominator
        } else {
            ((u128::from(numerator) << shift) / u128::from(denominator)) as u64
        };
        let extra = bits(quotient) - 1 - PER_DOUBLING_BITS as i32;
        let mantissa = (quotient >> extra) - (1 << PER_DOUBLING_BITS);
        let doubling = PER_DOUBLING_BITS as i32 + extra - shift - LOWEST_DOUBLING;
        Self(3 + ((doubling as u16) << PER_DOUBLING_BITS) + mantissa as u16)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_keep_the_order_of_ratios(
            a in 0..=u64::MAX >> 1, b in 1..=u64::MAX >> 1, c in 0..=u64::MAX >> 1, d in 1..=u64::MAX >> 1,
        ) {
            let exact = (u128::from(a) * u128::from(d)).cmp(&(u128::from(c) * u128::from(b)));
            let (left, right) = (Guard::of(a, b), Guard::of(c, d));
            prop_assert!(left == right || left.cmp(&right) == exact);
            prop_assert!(Guard::of(a, b).index() < 8500);
        }
    }
}
