//! Double-entry bookkeeping on integers, for any set of units and accounts.
//!
//! This crate knows nothing of points schemes. It has [`Amount`] (an exact decimal in 64 bits),
//! [`Rate`] (an exact ratio in parts per million), [`Posting`] (one line of an
//! entry), and the two things one does with entries: check that they balance ([`unbalanced`]) and
//! [`fold`] them into balances.
#![deny(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

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
