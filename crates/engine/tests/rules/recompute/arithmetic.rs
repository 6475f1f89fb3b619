//! The arithmetic of amounts, rates and prices, in whole steps and without a limit.

pub const MILLION: i128 = 1_000_000;
/// Micro-points of a fen at par.
pub const PAR: i128 = 10_000;
/// Fen of the pool by micro-points in supply.
pub type Price = (i128, i128);

pub fn mul(amount: i128, rate: i128) -> i128 {
    floor(amount * rate, MILLION)
}

pub fn floor(a: i128, b: i128) -> i128 {
    a.div_euclid(b)
}

pub fn ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

pub fn worth(points: i128, price: Price) -> i128 {
    floor(points * price.0, price.1)
}

pub fn points_for(fen: i128, price: Price) -> i128 {
    floor(fen * price.1, price.0)
}

/// An amount is always written with all its decimals.
pub fn steps(text: &str) -> i128 {
    text.replace('.', "").parse().unwrap()
}
