//! Double-entry bookkeeping on integers, for any set of units and accounts.
//!
//! This crate knows nothing of points schemes. It has [`Amount`] (an exact decimal in 64 bits),
//! [`Rate`] (an exact ratio in parts per million), [`Posting`] (one line) and [`Entry`] (one
//! balanced record), and the two things one does with entries: check that they balance and fold
//! them into balances.
#![deny(clippy::float_arithmetic)]

mod amount;
mod entry;
mod fraction;
mod posting;
mod rate;

pub use amount::{Amount, AmountError, Fen, Micro};
pub use entry::{Balances, Unbalanced, fold, unbalanced};
pub use fraction::Fraction;
pub use posting::{Posting, Unit};
pub use rate::{Rate, RateError};

/// A result left the 64 bits that an amount has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result does not fit in 64 bits")]
pub struct Overflow;
