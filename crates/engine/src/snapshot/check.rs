//! Whether rows that were read can be those of a state: every id has its row, every chain ends,
//! and what the mechanisms take for granted of amounts holds.

use ledger::{Fen, Micro, Rate};

use crate::account::{House, Unit};
use crate::id::{DividendId, LotId, MemberId, OrderId};
use crate::state::State;
use crate::tables::{Balances, Completion, Grant, Order};

type Checked = Result<(), &'static str>;

pub(super) fn check(state: &State) -> Checked {
    check_numbers(state)?;
    check_members(state)?;
    check_orders(state)?;
    check_lots(state)?;
    check_package_orders(state)?;
    check_balances(state)
}

fn must(holds: bool, fault: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(fault) }
}

/// Dividends, grades and totals.
fn check_numbers(state: &State) -> Checked {
    let carries = &state.carries;
    must(DividendId::at(carries.names.len()).is_ok(), "there are too many dividends")?;
    let twice = |(i, name)| carries.names[..i].contains(name);
    must(!carries.names.iter().enumerate().any(twice), "a dividend is there twice")?;
    must(carries.fen.iter().all(|&fen| fen >= 0), "a dividend carries less than nothing")?;
    let carried: i128 = carries.fen.iter().copied().map(i128::from).sum();
    must(i64::try_from(carried).is_ok(), "dividends carry too much")?;
    let known = |name: &String| carries.names.contains(name);
    let mut dividends = state.programme.dividends.iter();
    must(dividends.all(|dividend| known(&dividend.name)), "a dividend has no account")?;
    must(u16::try_from(state.grades.len()).is_ok(), "there are too many grades")?;
    must(state.totals.issued >= 0, "less than nothing was issued")?;
    let exits = i64::try_from(state.totals.forced_exits);
    must(exits.is_ok(), "there were too many forced exits")?;
    let mut volume = 0_i128;
    for own in &state.members.volumes {
        must(own.cash >= 0 && own.points >= 0, "a volume is below zero")?;
        volume += i128::from(own.cash) + i128::from(own.points);
    }
    must(volume == i128::from(state.totals.volume), "the volumes do not add up")
}

fn check_members(state: &State) -> Checked {
    for (row, sponsor) in state.members.sponsors.iter().enumerate() {
        // The passes over the tree rest on this order.
        let is_above = sponsor.is_none_or(|sponsor| sponsor.index() < row);
        must(is_above, "a sponsor joined after the member")?;
    }
    let grades = state.grades.len();
    let has_grade = |grade: u16| usize::from(grade) <= grades;
    let mut holdings = state.members.holdings.iter();
    must(holdings.all(|holding| has_grade(holding.grade)), "a grade is missing")?;
    for (row, chain) in state.members.chains.iter().enumerate() {
        let is_own = |lot: Option<LotId>| {
            lot.is_none_or(|id| state.lots.get(id.index()).is_some_and(|l| l.member.index() == row))
        };
        must(is_own(chain.oldest_lot) && is_own(chain.newest_lot), "a lot is somebody else's")?;
        let both = chain.oldest_lot.is_some() == chain.newest_lot.is_some();
        must(both, "a chain of lots has one end")?;
    }
    for (&(member, _), &steps) in &state.debts {
        must(member.index() < state.member_count() && steps > 0, "a debt is nobody's or none")?;
    }
    Ok(())
}

fn check_orders(state: &State) -> Checked {
    let is_member = |id: MemberId| id.index() < state.member_count();
    let mut escrow = [0_i128; Unit::COUNT];
    for (order, id) in state.orders.rows.iter().zip(0..) {
        must(is_member(order.member), "an order is nobody's")?;
        let merchant = order.merchant.is_none_or(|id| id.index() < state.merchant_count());
        must(merchant, "a merchant is missing")?;
        check_amounts(order)?;
        if let Some(completion) = &order.completion {
            check_completion(state, order, id, completion)?;
        } else {
            escrow[Unit::Cash as usize] += i128::from(order.cash_left().steps());
            escrow[Unit::Stable as usize] += i128::from(order.stable_left().steps());
            escrow[Unit::Reward as usize] += i128::from(order.reward_left().steps());
        }
    }
    let held = state.house[House::Escrow as usize].map(i128::from);
    must(held == escrow, "the open orders are not what is in escrow")?;
    for grant in &state.orders.grants {
        must(is_member(grant.member), "a grant is nobody's")?;
        let unit = matches!(grant.unit, Unit::Quota | Unit::Growth | Unit::Share | Unit::Locked);
        must(unit && grant.steps > 0, "a grant gave what no order grants")?;
    }
    for (id, refunds) in &state.orders.refunds {
        let order = state.orders.rows.get(id.index());
        must(order.is_some_and(|o| o.completion.is_some()), "an open order has sums of refunds")?;
        let sums = [
            refunds.pool_returned,
            refunds.missing_worth,
            refunds.missing_quota,
            refunds.kept_back,
        ];
        must(sums.iter().all(|&sum| sum >= 0), "a sum of refunds is below zero")?;
    }
    Ok(())
}

/// What was paid is above zero, and of each part no more went back than there was.
fn check_amounts(order: &Order) -> Checked {
    let within = |part: i64, of: i64| (0..=of).contains(&part);
    let is_part = within(order.stable.steps(), order.amount.steps())
        && order.reward >= Micro::ZERO
        && within(order.refunded.steps(), order.amount.steps())
        && within(order.stable_returned.steps(), order.stable.steps())
        && within(order.reward_returned.steps(), order.reward.steps())
        && order.concession <= Rate::ONE;
    must(order.amount.is_positive() && is_part, "an order's parts are not parts of it")?;
    let whole = order.reward.whole_fen().zip(order.reward_returned.whole_fen());
    let (reward, returned) = whole.ok_or("reward points paid for a part of a fen")?;
    let points = order.stable.plus(reward).map_err(|_| "an order's points are too many")?;
    must(points <= order.amount, "an order's points are more than its amount")?;
    let points_returned = order.stable_returned.plus(returned).unwrap_or(Fen::MAX);
    must(points_returned <= order.refunded, "more points went back than was refunded")?;
    must(order.cash_left() >= Fen::ZERO, "more cash went back than there was")
}

fn check_completion(state: &State, order: &Order, id: usize, made: &Completion) -> Checked {
    let first = made.first_grant as usize;
    let grants = state.orders.grants.get(first..first + usize::from(made.grants));
    let mut grants = grants.ok_or("a grant is missing")?.iter();
    let is_known = |grant: &Grant| grant.generation > 0 || grant.member == order.member;
    must(grants.all(is_known), "the buyer's grant is somebody else's")?;
    must(usize::from(made.grade) <= state.grades.len(), "a grade is missing")?;
    let lot = made
        .lot
        .is_none_or(|lot| state.lots.get(lot.index()).is_some_and(|lot| lot.order.index() == id));
    must(lot, "an order's lot is another's")?;
    let earlier = made.earlier.is_none_or(|order| order.index() < state.order_count());
    must(earlier, "an earlier order is missing")?;
    // Refunded since completion: not below zero, and there was something left to complete.
    let before = order.amount.steps() - made.amount.steps();
    let is_part = made.amount.is_positive() && (0..=order.refunded.steps()).contains(&before);
    must(is_part, "an order completed with another amount")?;
    let contribution = (0..=made.amount.steps()).contains(&made.contribution.steps());
    must(contribution, "an order contributed more than its amount")
}

/// A lot's next is younger, so every chain of lots ends; a member's lots are what it has locked.
fn check_lots(state: &State) -> Checked {
    let mut locked = vec![0_i64; if state.lots.is_empty() { 0 } else { state.member_count() }];
    for (row, lot) in state.lots.iter().enumerate() {
        must(lot.remaining >= 0 && lot.daily >= 0, "a lot has less than nothing")?;
        must(lot.order.index() < state.order_count(), "a lot's order is missing")?;
        let sum = locked.get_mut(lot.member.index()).ok_or("a lot is nobody's")?;
        *sum = sum.checked_add(lot.remaining).ok_or("a member's lots are too much")?;
        if let Some(next) = lot.next {
            let is_next = next.index() > row
                && state.lots.get(next.index()).is_some_and(|next| next.member == lot.member);
            must(is_next, "a lot is followed by another member's or an older one")?;
        }
    }
    let holdings = state.members.holdings.iter();
    let held = holdings.map(|holding| holding.balances[Unit::Locked as usize]);
    let same = if locked.is_empty() { held.min() <= Some(0) } else { held.eq(locked) };
    must(same, "a member's lots are not what it has locked")
}

/// Every member's chain of package orders ends: no order is met twice.
fn check_package_orders(state: &State) -> Checked {
    let mut met = Vec::new();
    for (row, chain) in state.members.chains.iter().enumerate() {
        let mut next = chain.newest_order;
        if next.is_some() && met.is_empty() {
            met.resize(state.order_count(), false);
        }
        while let Some(id) = next {
            next = follow(state, row, id, &mut met)?;
        }
    }
    Ok(())
}

fn follow(
    state: &State,
    member: usize,
    id: OrderId,
    met: &mut [bool],
) -> Result<Option<OrderId>, &'static str> {
    let order = state.orders.rows.get(id.index()).ok_or("a package order is missing")?;
    must(order.member.index() == member, "a package order is somebody else's")?;
    let is_first = met.get_mut(id.index()).map(|met| !std::mem::replace(met, true));
    must(is_first == Some(true), "a chain of package orders is a circle")?;
    let completion = order.completion.as_ref().ok_or("a package order is not completed")?;
    Ok(completion.earlier)
}

/// Nobody is below zero but those who may be, and every unit adds up to zero.
fn check_balances(state: &State) -> Checked {
    let mut sums = [0_i128; Unit::COUNT];
    let mut add = |balances: &Balances| {
        for (sum, &steps) in sums.iter_mut().zip(balances) {
            *sum += i128::from(steps);
        }
    };
    for holding in &state.members.holdings {
        must(holding.balances.iter().all(|&steps| steps >= 0), "a member is below zero")?;
        add(&holding.balances);
    }
    for balances in &state.merchants.balances {
        // Cash, the first, is what the merchant is owed: it may be the other way round.
        must(balances[1..].iter().all(|&steps| steps >= 0), "a merchant is below zero")?;
        add(balances);
    }
    let house = |house: House| &state.house[house as usize];
    for kept in [House::Pool, House::Reserve, House::Escrow] {
        must(house(kept).iter().all(|&steps| steps >= 0), "the house is below zero")?;
    }
    for outside in [House::Issuance, House::Receivable] {
        let mut balances = house(outside).iter();
        must(balances.all(|&steps| steps <= 0 && steps > i64::MIN), "the outside has something")?;
    }
    for ours in [House::Revenue, House::Gateway] {
        must(house(ours)[1..].iter().all(|&steps| steps == 0), "the house has what is no cash")?;
    }
    let issuance = house(House::Issuance);
    let releasable = issuance[Unit::Locked as usize].checked_add(issuance[Unit::Reward as usize]);
    must(releasable.is_some(), "there is more locked than could be released")?;
    state.house.iter().for_each(&mut add);
    let mut owed = house(House::Receivable).map(i128::from);
    for (&(_, unit), &steps) in &state.debts {
        owed[unit as usize] += i128::from(steps);
        sums[unit as usize] += i128::from(steps);
    }
    must(owed == [0; Unit::COUNT], "the debts are not what is owed")?;
    for &fen in &state.carries.fen {
        sums[Unit::Cash as usize] += i128::from(fen);
    }
    must(sums == [0; Unit::COUNT], "a unit does not add up to zero")
}
