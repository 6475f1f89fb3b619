//! What holds after every accepted command.

use std::collections::BTreeMap;

use engine::{Account, Engine, MemberId, OrderId, State, Unit};

use super::book::Book;
use super::{Checked, must};
use crate::fold::balances;

/// The state can be rebuilt from the journal alone: here its balances, after every command.
pub fn postings_give_every_balance(engine: &Engine, book: &Book) -> Checked {
    let (folded, found) = (&book.fold.balances, balances(engine));
    must(*folded == found, || format!("the postings give {folded:?}\nthe state has {found:?}"))
}

pub fn units_add_to_zero(state: &State) -> Checked {
    for unit in Unit::ALL {
        let sum: i128 = state.accounts().map(|a| i128::from(state.balance(a, unit))).sum();
        must(sum == 0, || format!("{unit:?} adds up to {sum}"))?;
    }
    Ok(())
}

/// Only the sides that stand for the outside go below zero, revenue, and what a merchant is owed.
pub fn nobody_below_zero(state: &State) -> Checked {
    for account in state.accounts() {
        for unit in Unit::ALL {
            let steps = state.balance(account, unit);
            let fits = match account {
                Account::Gateway | Account::Revenue => unit == Unit::Cash || steps == 0,
                Account::Merchant(_) => unit == Unit::Cash || steps >= 0,
                Account::Issuance | Account::Receivable => steps <= 0,
                _ => steps >= 0,
            };
            must(fits, || format!("{account:?} has {steps} of {unit:?}"))?;
        }
    }
    Ok(())
}

/// Fen of the pool by micro-points, never reduced and never rounded.
#[derive(Debug, Clone, Copy)]
pub struct Price {
    fen: u128,
    points: u128,
}

impl Price {
    fn is_below(self, other: Self) -> bool {
        self.fen * other.points < other.fen * self.points
    }
}

/// While nothing is in supply the price cannot fall below the last one either: that is the price
/// kept. It shows where it is above the issue price. Gives the highest price so far.
pub fn price_never_falls(best: Option<Price>, state: &State) -> Result<Option<Price>, String> {
    let whole = |steps: i64| u128::try_from(steps).map_err(|_| "below zero".to_owned());
    let (fen, points) = (whole(state.pool().steps())?, whole(state.supply().steps())?);
    let now = if points > 0 {
        Some(Price { fen, points })
    } else {
        let price = state.price();
        price.map(|p| Price { fen: p.numerator().into(), points: p.denominator().into() })
    };
    let fallen = match (best, now) {
        (Some(best), Some(now)) => now.is_below(best),
        (Some(_), None) => true,
        (None, _) => false,
    };
    must(!fallen, || format!("the price fell from {best:?} to {now:?}"))?;
    if points > 0 {
        return Ok(now);
    }
    let growth = state.programme().growth.as_ref();
    let issue = growth.and_then(|g| whole(g.issue_price.steps()).ok());
    let issue = issue.map(|fen| Price { fen, points: 1_000_000 });
    let kept = now.filter(|now| issue.is_none_or(|issue| issue.is_below(*now)));
    Ok(kept.or(best))
}

/// reserve * price >= stable points outstanding.
pub fn reserve_covers_stable(state: &State) -> Checked {
    let reserve = i128::from(state.balance(Account::Reserve, Unit::Growth));
    let stable = -i128::from(state.balance(Account::Issuance, Unit::Stable));
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    must(reserve * pool >= stable * supply, || format!("reserve {reserve} for {stable} stable"))?;
    must(stable == 0 || supply > 0, || format!("no supply behind {stable} stable"))
}

pub fn no_pool_without_supply(state: &State) -> Checked {
    let (pool, supply) = (state.pool(), state.supply());
    must(supply.is_positive() || pool.is_zero(), || format!("no supply, but a pool of {pool}"))
}

/// Whoever is limited by quota has left before the points are worth it.
pub fn nobody_overstays(state: &State) -> Checked {
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    for id in state.members().filter(|_| state.programme().is_limited_by_quota()) {
        let points = i128::from(state.balance(Account::Member(id), Unit::Growth));
        let quota = i128::from(state.balance(Account::Member(id), Unit::Quota));
        must(points == 0 || points * pool < quota * supply, || {
            format!("{id:?} stays with {points} points and a quota of {quota}")
        })?;
    }
    Ok(())
}

/// What is left in a lot is its gift less all it gave, and a member's lots are what it has locked.
pub fn lots_keep_to_their_gift(state: &State, book: &Book) -> Checked {
    let mut left: BTreeMap<OrderId, i64> = BTreeMap::new();
    let mut locked: BTreeMap<MemberId, i64> = BTreeMap::new();
    for lot in state.lots() {
        *left.entry(lot.order).or_default() += lot.remaining;
        *locked.entry(lot.member).or_default() += lot.remaining;
    }
    for (order, lot) in &book.lots {
        let remaining = left.remove(order).unwrap_or(0);
        must(lot.given <= lot.gift && lot.gift - lot.given == remaining, || {
            format!("{lot:?} of {order:?} has {remaining} left")
        })?;
    }
    must(left.is_empty(), || format!("lots that were never granted: {left:?}"))?;
    for id in state.members() {
        let (lots, held) = (locked.get(&id), state.balance(Account::Member(id), Unit::Locked));
        must(lots.copied().unwrap_or(0) == held, || {
            format!("the lots of {id:?} have {lots:?}, it has {held} locked")
        })?;
    }
    Ok(())
}

/// What is left of the quota is not drawn yet, so it must still fit in too.
pub fn nobody_drew_more_than_granted(state: &State, book: &Book) -> Checked {
    for (&member, quota) in &book.quotas {
        let left = state.balance(Account::Member(member), Unit::Quota);
        must(quota.drawn + left <= quota.granted, || {
            format!("{member:?}: {quota:?}, left {left}")
        })?;
    }
    Ok(())
}

/// Nothing stays behind in escrow when an order completes.
pub fn escrow_belongs_to_open_orders(state: &State, book: &Book) -> Checked {
    for (&(order, unit), &held) in &book.escrow {
        let completed = !state.completed_amount(order).is_zero();
        must(!completed || held == 0, || format!("{order:?} left {held} of {unit:?} in escrow"))?;
    }
    Ok(())
}
