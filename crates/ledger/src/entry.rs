use std::collections::BTreeMap;

use crate::{Overflow, Posting, Unit};

/// Balances by account and unit, as folding postings gives them.
pub type Balances<A, U> = BTreeMap<(A, U), i64>;

/// The postings of one entry do not add up to zero in a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the postings of an entry are off balance by {steps} steps")]
pub struct Unbalanced<U: std::fmt::Debug> {
    /// The unit that is off.
    pub unit: U,
    /// By how many steps.
    pub steps: i128,
}

/// The first unit in which the postings of one entry do not add up to zero, if there is one.
pub fn unbalanced<'a, A: 'a, U: Unit + std::fmt::Debug + 'a, W: 'a>(
    postings: impl IntoIterator<Item = &'a Posting<A, U, W>>,
) -> Option<Unbalanced<U>> {
    let mut sums: BTreeMap<U, i128> = BTreeMap::new();
    for posting in postings {
        *sums.entry(posting.unit).or_default() += i128::from(posting.steps);
    }
    sums.into_iter().find(|&(_, steps)| steps != 0).map(|(unit, steps)| Unbalanced { unit, steps })
}

/// Adds postings to balances; accounts that come to zero are dropped.
///
/// # Errors
/// [`Overflow`] when a balance leaves 64 bits; the balances are then those before that posting.
pub fn fold<'a, A: Ord + Copy + 'a, U: Unit + 'a, W: 'a>(
    balances: &mut Balances<A, U>,
    postings: impl IntoIterator<Item = &'a Posting<A, U, W>>,
) -> Result<(), Overflow> {
    for posting in postings {
        let key = (posting.account, posting.unit);
        let before = balances.get(&key).copied().unwrap_or(0);
        match before.checked_add(posting.steps).ok_or(Overflow)? {
            0 => balances.remove(&key),
            after => balances.insert(key, after),
        };
    }
    Ok(())
}
