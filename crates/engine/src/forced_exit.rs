//! Forced exit (spec, section 4): whoever's points are worth the quota is sold out.

use ledger::Fen;

use crate::Rejection;
use crate::account::{Account, Unit};
use crate::growth::worth;
use crate::id::MemberId;
use crate::state::State;
use crate::why::Sale;

impl State {
    /// Sells out whoever's points are worth the quota, the lowest `quota / points` first, until
    /// there is nobody left; each exit may raise the price and cause the next.
    pub(crate) fn force_exits(&mut self) -> Result<(), Rejection> {
        if !self.programme.is_limited_by_quota() {
            return Ok(());
        }
        while let Some(member) = self.next_exit() {
            // Taken out of the queue: should this command be refused after all, it goes back in.
            self.draft.exited.push(member);
            self.force_exit(member)?;
        }
        Ok(())
    }

    fn force_exit(&mut self, member: MemberId) -> Result<(), Rejection> {
        let (growth, price) = self.growth_and_price()?;
        let fee_rate = growth.redeem_fee;
        let holder = Account::Member(member);
        let points = self.balance(holder, Unit::Growth);
        let quota = Fen::from_steps(self.balance(holder, Unit::Quota));
        let worth = worth(price, points, Some(quota), fee_rate)?;
        self.totals.forced_exits += 1;
        self.sell(holder, points, price, worth, Sale::ForcedExit)
    }

    /// Looks after a member whose points or quota changed.
    pub(crate) fn guard(&mut self, member: MemberId) {
        self.exits.guard(member, &mut self.members.holdings[member.index()]);
    }

    /// Looks after every member with points: for when points become limited by quota.
    pub(crate) fn guard_everybody(&mut self) {
        for member in self.members() {
            self.guard(member);
        }
    }

    /// Looks after everybody the entry so far has touched.
    pub(crate) fn guard_touched(&mut self) {
        for i in 0..self.draft.postings.len() {
            let posting = &self.draft.postings[i];
            if let (Account::Member(member), Unit::Growth | Unit::Quota) =
                (posting.account, posting.unit)
            {
                self.guard(member);
            }
        }
    }

    /// The member that must be sold out next, if there is one.
    pub(crate) fn next_exit(&mut self) -> Option<MemberId> {
        let pool = u64::try_from(self.pool().steps()).ok()?;
        let supply = u64::try_from(self.supply().steps()).ok().filter(|&s| s > 0)?;
        self.exits.next(&mut self.members.holdings, pool, supply)
    }
}
