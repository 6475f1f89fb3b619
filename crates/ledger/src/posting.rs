use serde::{Deserialize, Serialize};

/// What is counted: a kind of money or points with a fixed number of decimals.
pub trait Unit: Copy + Ord {
    /// How many decimals an amount of this unit has.
    fn decimals(self) -> u32;
}

/// One line of an entry: by how many steps one account changes in one unit, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting<A, U, W> {
    /// Whose balance changes.
    pub account: A,
    /// In which unit.
    pub unit: U,
    /// By how many steps of the unit: above zero adds, below zero takes away.
    pub steps: i64,
    /// The rule and its inputs.
    pub why: W,
}
