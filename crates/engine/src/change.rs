//! Changing the state: a balance together with the posting that says why, a row together with what
//! it was, so that a command that must be refused after all leaves no trace.

use ledger::Overflow;

use crate::account::{Account, House, Unit};
use crate::draft::{Sizes, Undo};
use crate::id::{MemberId, OrderId};
use crate::state::State;
use crate::tables::{Chain, Lot, Order, Refunds, Volume};
use crate::why::{Posting, Why};

impl State {
    /// Begins an entry: from here on, [`State::roll_back`] returns to this point.
    pub(crate) fn begin(&mut self) {
        self.draft.postings.clear();
        self.draft.undo.clear();
        self.draft.totals = self.totals;
        self.draft.burnt = false;
        self.draft.exited.clear();
        self.draft.sizes = Sizes {
            members: self.members.names.len(),
            merchants: self.merchants.names.len(),
            orders: self.orders.names.len(),
            grants: self.orders.grants.len(),
            lots: self.lots.len(),
            grades: self.grades.len(),
        };
    }

    /// Changes one balance and writes the posting that says why. Nothing is written for zero.
    pub(crate) fn post(
        &mut self,
        account: Account,
        unit: Unit,
        steps: i64,
        why: Why,
    ) -> Result<(), Overflow> {
        if steps == 0 {
            return Ok(());
        }
        self.add(account, unit, steps)?;
        self.draft.postings.push(Posting { account, unit, steps, why });
        if account == Account::Issuance && matches!(unit, Unit::Locked | Unit::Reward) {
            self.check_releasable()?;
        }
        Ok(())
    }

    /// Changes one balance, for a posting that the caller writes.
    pub(crate) fn add(&mut self, account: Account, unit: Unit, steps: i64) -> Result<(), Overflow> {
        let balance = self.slot(account, unit);
        let sum = balance.checked_add(steps).ok_or(Overflow)?;
        // What was issued, minus this balance, must fit as well.
        if account == Account::Issuance && sum == i64::MIN {
            return Err(Overflow);
        }
        *balance = sum;
        self.forget_settled_debt(account, unit);
        Ok(())
    }

    /// Debts are listed only while there are any.
    fn forget_settled_debt(&mut self, account: Account, unit: Unit) {
        if let Account::Debt(member) = account
            && self.debts.get(&(member, unit)) == Some(&0)
        {
            self.debts.remove(&(member, unit));
        }
    }

    /// Moves steps of a unit from one account to another: two postings for one reason.
    pub(crate) fn transfer(
        &mut self,
        from: Account,
        to: Account,
        unit: Unit,
        steps: i64,
        why: Why,
    ) -> Result<(), Overflow> {
        self.post(from, unit, steps.checked_neg().ok_or(Overflow)?, why)?;
        self.post(to, unit, steps, why)
    }

    /// Locked and reward points together stay in 64 bits: then a release, which turns the one
    /// into the other, cannot overflow, and no settlement is ever refused for it.
    fn check_releasable(&self) -> Result<(), Overflow> {
        let locked = self.balance(Account::Issuance, Unit::Locked);
        let reward = self.balance(Account::Issuance, Unit::Reward);
        let sum = locked.checked_add(reward).filter(|&sum| sum > i64::MIN);
        sum.map(|_| ()).ok_or(Overflow)
    }

    fn slot(&mut self, account: Account, unit: Unit) -> &mut i64 {
        let house = match account {
            Account::Member(id) => {
                return &mut self.members.holdings[id.index()].balances[unit as usize];
            }
            Account::Merchant(id) => {
                return &mut self.merchants.balances[id.index()][unit as usize];
            }
            Account::Carry(id) => return &mut self.carries.fen[id.index()],
            Account::Debt(id) => return self.debts.entry((id, unit)).or_insert(0),
            Account::Pool => House::Pool,
            Account::Reserve => House::Reserve,
            Account::Revenue => House::Revenue,
            Account::Escrow => House::Escrow,
            Account::Gateway => House::Gateway,
            Account::Issuance => House::Issuance,
            Account::Receivable => House::Receivable,
        };
        &mut self.house[house as usize][unit as usize]
    }

    /// An order's row, to be changed.
    pub(crate) fn order_mut(&mut self, id: OrderId) -> &mut Order {
        let order = &mut self.orders.rows[id.index()];
        self.draft.undo.push(Undo::Order(id, *order));
        order
    }

    /// The sums of an order's refunds, to be changed.
    pub(crate) fn refunds_mut(&mut self, id: OrderId) -> &mut Refunds {
        self.draft.undo.push(Undo::Refunds(id, self.orders.refunds.get(&id).copied()));
        self.orders.refunds.entry(id).or_default()
    }

    /// A member's volume, to be changed.
    pub(crate) fn volume_mut(&mut self, id: MemberId) -> &mut Volume {
        let volume = &mut self.members.volumes[id.index()];
        self.draft.undo.push(Undo::Volume(id, *volume));
        volume
    }

    /// Where a member's lots and orders begin, to be changed.
    pub(crate) fn chain_mut(&mut self, id: MemberId) -> &mut Chain {
        let chain = &mut self.members.chains[id.index()];
        self.draft.undo.push(Undo::Chain(id, *chain));
        chain
    }

    /// A member's grade, to be changed.
    pub(crate) fn grade_mut(&mut self, id: MemberId) -> &mut u16 {
        let grade = &mut self.members.holdings[id.index()].grade;
        self.draft.undo.push(Undo::Grade(id, *grade));
        grade
    }

    /// A lot, to be changed.
    pub(crate) fn lot_mut(&mut self, row: usize) -> &mut Lot {
        let lot = &mut self.lots[row];
        self.draft.undo.push(Undo::Lot(row, *lot));
        lot
    }

    /// Takes everything back since [`State::begin`].
    pub(crate) fn roll_back(&mut self) {
        let postings = std::mem::take(&mut self.draft.postings);
        for posting in postings.iter().rev() {
            let balance = self.slot(posting.account, posting.unit);
            // The balance before was in range, so this is.
            *balance = balance.wrapping_sub(posting.steps);
            self.forget_settled_debt(posting.account, posting.unit);
        }
        while let Some(undo) = self.draft.undo.pop() {
            match undo {
                Undo::Order(id, order) => self.orders.rows[id.index()] = order,
                Undo::Refunds(id, Some(refunds)) => {
                    self.orders.refunds.insert(id, refunds);
                }
                Undo::Refunds(id, None) => {
                    self.orders.refunds.remove(&id);
                }
                Undo::Volume(id, volume) => self.members.volumes[id.index()] = volume,
                Undo::Chain(id, chain) => self.members.chains[id.index()] = chain,
                Undo::Grade(id, grade) => self.members.holdings[id.index()].grade = grade,
                Undo::Lot(row, lot) => self.lots[row] = lot,
            }
        }
        self.totals = self.draft.totals;
        self.shrink_to(self.draft.sizes);
        // A queued exit may have been taken out: those and all who were touched are guarded afresh.
        self.draft.postings = postings;
        if self.programme.is_limited_by_quota() {
            self.guard_touched();
            for member in std::mem::take(&mut self.draft.exited) {
                self.guard(member);
            }
        }
        self.draft.postings.clear();
    }

    fn shrink_to(&mut self, sizes: Sizes) {
        while self.members.names.len() > sizes.members {
            self.members.names.remove_last();
        }
        self.members.holdings.truncate(sizes.members);
        self.members.sponsors.truncate(sizes.members);
        self.members.volumes.truncate(sizes.members);
        self.members.chains.truncate(sizes.members);
        while self.merchants.names.len() > sizes.merchants {
            self.merchants.names.remove_last();
        }
        self.merchants.balances.truncate(sizes.merchants);
        while self.orders.names.len() > sizes.orders {
            self.orders.names.remove_last();
        }
        self.orders.rows.truncate(sizes.orders);
        self.orders.grants.truncate(sizes.grants);
        self.lots.truncate(sizes.lots);
        self.grades.truncate(sizes.grades);
    }
}
