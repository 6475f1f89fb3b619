//! Who is sold out next (spec, section 4, *Forced exit*), without asking everybody.
//!
//! A member exits when the price reaches `quota / points`, its *exit price*. The price never
//! falls, so members wait in buckets by exit price, 64 buckets for each doubling, and only the
//! bucket the price is in needs an exact order. What makes it cheap: a purchase nearly always
//! *raises* the exit price, and then nothing is moved; a member found too early is put where it
//! belongs when its bucket is reached. Only a lower exit price puts a second entry into a lower
//! bucket at once, and the entry left behind is skipped when it turns up.
//!
//! **Invariant**: a member with points always has an entry at or below its exit price.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::account::Unit;
use crate::guard::Guard;
use crate::id::MemberId;
use crate::tables::Holding;

/// When the near heap is at least this long, and twice what it was, it is cleaned of entries left
/// behind.
const CLEAN_FROM: usize = 4096;

/// The exit price of a holding as (quota, points); neither is ever below zero.
fn exit_price(holding: &Holding) -> (u64, u64) {
    (
        u64::try_from(holding.balances[Unit::Quota as usize]).unwrap_or(0),
        u64::try_from(holding.balances[Unit::Growth as usize]).unwrap_or(0),
    )
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ExitQueue {
    /// By bucket; a member is in the one its guard names, other entries are left behind.
    buckets: Vec<Vec<MemberId>>,
    /// All buckets below this one are in the near heap.
    reached: usize,
    /// Members whose bucket the price has reached, in exact order of exit price.
    near: BinaryHeap<Near>,
    cleaned_len: usize,
}

/// A member with the exit price it had when it was put here: never above the one it has now,
/// unless it was put here again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Near {
    quota: u64,
    points: u64,
    member: MemberId,
}

impl Ord for Near {
    /// The heap's top is the lowest exit price, then the first to join.
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = u128::from(self.quota) * u128::from(other.points);
        let theirs = u128::from(other.quota) * u128::from(self.points);
        theirs.cmp(&mine).then(other.member.cmp(&self.member))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ExitQueue {
    /// Looks after a member whose points or quota changed.
    pub fn guard(&mut self, member: MemberId, holding: &mut Holding) {
        let (quota, points) = exit_price(holding);
        if points == 0 {
            return;
        }
        let bucket = Guard::of(quota, points);
        if bucket.index() < self.reached {
            holding.guard = Guard::NEAR;
            self.near.push(Near { quota, points, member });
        } else if holding.guard == Guard::NONE || bucket < holding.guard {
            self.file(bucket, member, holding);
        }
    }

    /// The member that must be sold out next at the price `pool / supply`, if there is one.
    pub fn next(&mut self, holdings: &mut [Holding], pool: u64, supply: u64) -> Option<MemberId> {
        self.reach(Guard::of(pool, supply), holdings);
        while let Some(&top) = self.near.peek() {
            let worth = u128::from(top.points) * u128::from(pool);
            if worth < u128::from(top.quota) * u128::from(supply) {
                return None;
            }
            self.near.pop();
            let holding = &mut holdings[top.member.index()];
            if holding.guard != Guard::NEAR {
                continue;
            }
            let (quota, points) = exit_price(holding);
            // Its entry is out: whoever stays must be queued again.
            holding.guard = Guard::NONE;
            if (quota, points) == (top.quota, top.points) {
                return Some(top.member);
            }
            self.guard(top.member, holding);
        }
        None
    }

    /// Forgets everybody: for when points are no longer limited by quota.
    pub fn clear(&mut self, holdings: &mut [Holding]) {
        *self = Self::default();
        for holding in holdings {
            holding.guard = Guard::NONE;
        }
    }

    fn file(&mut self, bucket: Guard, member: MemberId, holding: &mut Holding) {
        if self.buckets.len() <= bucket.index() {
            self.buckets.resize_with(bucket.index() + 1, Vec::new);
        }
        holding.guard = bucket;
        self.buckets[bucket.index()].push(member);
    }

    /// Moves every bucket up to the one the price is in to the near heap.
    fn reach(&mut self, price: Guard, holdings: &mut [Holding]) {
        while self.reached <= price.index() {
            let bucket = self.reached;
            self.reached += 1;
            let Some(waiting) = self.buckets.get_mut(bucket).map(std::mem::take) else {
                continue;
            };
            for member in waiting {
                let holding = &mut holdings[member.index()];
                if holding.guard.index() == bucket {
                    holding.guard = Guard::NONE;
                    self.guard(member, holding);
                }
            }
        }
        if self.near.len() >= CLEAN_FROM.max(2 * self.cleaned_len) {
            self.clean(holdings);
        }
    }

    /// Drops what was left behind in the near heap, so that it stays as small as its members.
    fn clean(&mut self, holdings: &mut [Holding]) {
        let mut members: Vec<_> = std::mem::take(&mut self.near)
            .into_iter()
            .map(|near| near.member)
            .filter(|member| holdings[member.index()].guard == Guard::NEAR)
            .collect();
        members.sort_unstable();
        members.dedup();
        for member in members {
            let holding = &mut holdings[member.index()];
            holding.guard = Guard::NONE;
            self.guard(member, holding);
        }
        self.cleaned_len = self.near.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holding(quota: i64, points: i64) -> Holding {
        let mut holding = Holding::default();
        holding.balances[Unit::Quota as usize] = quota;
        holding.balances[Unit::Growth as usize] = points;
        holding
    }

    /// The rule as it is written: ask everybody.
    fn scan(holdings: &[Holding], pool: u64, supply: u64) -> Option<usize> {
        let due = |&(_, h): &(usize, &Holding)| {
            let (quota, points) = exit_price(h);
            points > 0
                && u128::from(points) * u128::from(pool) >= u128::from(quota) * u128::from(supply)
        };
        let by_exit_price = |(_, a): &(usize, &Holding), (_, b): &(usize, &Holding)| {
            let ((q1, p1), (q2, p2)) = (exit_price(a), exit_price(b));
            (u128::from(q1) * u128::from(p2)).cmp(&(u128::from(q2) * u128::from(p1)))
        };
        holdings.iter().enumerate().filter(due).min_by(by_exit_price).map(|(i, _)| i)
    }

    proptest! {
        #[test]
        fn the_queue_names_whom_a_scan_finds(
            start in prop::collection::vec((0..400_i64, 0..50_i64), 1..20),
            steps in prop::collection::vec((0..20_usize, 0..400_i64, 0..50_i64, 0..40_u64), 1..120),
        ) {
            let mut holdings: Vec<_> = start.iter().map(|&(q, p)| holding(q, p)).collect();
            let mut queue = ExitQueue::default();
            for (i, h) in holdings.iter_mut().enumerate() {
                queue.guard(MemberId::at(i).unwrap(), h);
            }
            let (mut pool, supply) = (1, 100);
            for (i, quota, points, rise) in steps {
                let i = i % holdings.len();
                holdings[i].balances[Unit::Quota as usize] = quota;
                holdings[i].balances[Unit::Growth as usize] = points;
                queue.guard(MemberId::at(i).unwrap(), &mut holdings[i]);
                pool += rise;
                loop {
                    let expected = scan(&holdings, pool, supply);
                    let found = queue.next(&mut holdings, pool, supply);
                    prop_assert_eq!(found.map(MemberId::index), expected);
                    let Some(member) = found else { break };
                    holdings[member.index()].balances = [0; Unit::COUNT];
                }
            }
        }
    }
}
