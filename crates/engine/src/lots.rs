//! Lots of locked points: granting them, letting points out, and the grades that come with them
//! (spec, section 4, *Complete* 4).

use ledger::{Fen, Micro};

use crate::account::{Account, Unit};
use crate::id::{LotId, MemberId, OrderId};
use crate::programme::Release;
use crate::state::State;
use crate::tables::{Completion, Grant, Lot};
use crate::{Rejection, Why};

/// Finished lots are dropped once there are this many, and they are half of all.
const COMPACT_FROM: usize = 1024;

impl State {
    /// Step 4 of completion: a new lot of the highest package the order's cash reaches, and the
    /// grade that goes with it.
    pub(crate) fn grant_lot(
        &mut self,
        release: &Release,
        order: OrderId,
        member: MemberId,
        base: Fen,
        completion: &mut Completion,
    ) -> Result<(), Rejection> {
        let Some(package) = release.package_for(base) else {
            return Ok(());
        };
        let gift = package.multiple.mul_floor(base)?.at_par()?;
        let daily = release.daily.mul_floor(base.at_par()?)?;
        completion.grade = self.grade_row(&package.name, package.price)?;
        let chain = self.chain_mut(member);
        completion.earlier = chain.newest_order.replace(order);
        self.raise_grade(member, completion.grade);
        if gift.is_zero() {
            return Ok(());
        }
        let why = Why::LotGranted { order, base, multiple: package.multiple, daily };
        let owner = Account::Member(member);
        self.transfer(Account::Issuance, owner, Unit::Locked, gift.steps(), why)?;
        let grant = Grant { steps: gift.steps(), member, generation: 0, unit: Unit::Locked };
        self.orders.grants.push(grant);
        completion.lot = Some(self.add_lot(order, member, gift, daily)?);
        Ok(())
    }

    fn add_lot(
        &mut self,
        order: OrderId,
        member: MemberId,
        gift: Micro,
        daily: Micro,
    ) -> Result<LotId, Rejection> {
        let id = LotId::at(self.lots.len())?;
        let day = self.open_day.ok_or(Rejection::DayNotSettled)?;
        let (remaining, daily) = (gift.steps(), daily.steps());
        self.lots.push(Lot { remaining, daily, order, member, next: None, day });
        let chain = self.chain_mut(member);
        let before = chain.newest_lot.replace(id);
        if before.is_none() {
            chain.oldest_lot = Some(id);
        }
        if let Some(before) = before {
            self.lot_mut(before.index()).next = Some(id);
        }
        Ok(id)
    }

    fn raise_grade(&mut self, member: MemberId, grade: u16) {
        let now = self.members.holdings[member.index()].grade;
        if self.grade_price(grade) >= self.grade_price(now) {
            *self.grade_mut(member) = grade;
        }
    }

    /// The price of a grade; none is below all.
    fn grade_price(&self, grade: u16) -> Option<Fen> {
        let row = usize::from(grade).checked_sub(1)?;
        self.grades.get(row).map(|grade| grade.price)
    }

    /// When an order is wholly refunded: the highest package among the member's other orders.
    /// Refunded orders are taken out of the member's chain on the way, so that each is passed once.
    pub(crate) fn lower_grade(&mut self, member: MemberId, lost: u16) {
        if lost == 0 || self.members.holdings[member.index()].grade != lost {
            return;
        }
        let mut best = 0;
        let mut younger: Option<OrderId> = None;
        let mut next = self.members.chains[member.index()].newest_order;
        while let Some(id) = next {
            let order = &self.orders.rows[id.index()];
            let Some(completion) = order.completion else { break };
            next = completion.earlier;
            if order.left().is_zero() {
                self.link_order(member, younger, next);
                continue;
            }
            younger = Some(id);
            if self.grade_price(completion.grade) > self.grade_price(best) {
                best = completion.grade;
                if best == lost {
                    break;
                }
            }
        }
        *self.grade_mut(member) = best;
    }

    /// Lets `earlier` follow `younger` in the member's chain of package orders, or begin it.
    fn link_order(&mut self, member: MemberId, younger: Option<OrderId>, earlier: Option<OrderId>) {
        match younger {
            None => self.chain_mut(member).newest_order = earlier,
            Some(younger) => {
                if let Some(completion) = &mut self.order_mut(younger).completion {
                    completion.earlier = earlier;
                }
            }
        }
    }

    /// Drops finished lots when they are the most: the rest keep their order.
    pub(crate) fn compact_lots(&mut self) {
        if self.lots.len() < COMPACT_FROM {
            return;
        }
        let live = self.lots.iter().filter(|lot| lot.remaining > 0).count();
        if live * 2 > self.lots.len() {
            return;
        }
        for lot in &self.lots {
            let chain = &mut self.members.chains[lot.member.index()];
            (chain.oldest_lot, chain.newest_lot) = (None, None);
            if let Some(completion) = &mut self.orders.rows[lot.order.index()].completion {
                completion.lot = None;
            }
        }
        let mut kept: Vec<Lot> = Vec::with_capacity(live);
        for lot in self.lots.iter().filter(|lot| lot.remaining > 0) {
            let Ok(id) = LotId::at(kept.len()) else { break };
            let chain = &mut self.members.chains[lot.member.index()];
            if let Some(before) = chain.newest_lot.replace(id) {
                kept[before.index()].next = Some(id);
            } else {
                chain.oldest_lot = Some(id);
            }
            if let Some(completion) = &mut self.orders.rows[lot.order.index()].completion {
                completion.lot = Some(id);
            }
            kept.push(Lot { next: None, ..*lot });
        }
        self.lots = kept;
    }
}
