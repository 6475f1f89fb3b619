//! An operator's corrections, what members owe, and cash going out (spec, section 4: *Adjust*,
//! *Owed*, `cash.withdraw`).

use ledger::{Amount, Fen};

use crate::account::{Account, Unit};
use crate::command::{Given, Id, Party};
use crate::id::MemberId;
use crate::state::State;
use crate::{Rejection, Why};

impl State {
    /// `member.adjust`.
    pub(crate) fn adjust(
        &mut self,
        member: &Id,
        unit: &str,
        amount: &str,
        reason: &str,
        operator: &str,
    ) -> Result<(), Rejection> {
        let member = self.find_member(member.as_str()).ok_or(Rejection::UnknownMember)?;
        if reason.trim().is_empty() || operator.trim().is_empty() {
            return Err(Rejection::ReasonRequired);
        }
        let (unit, steps) = match unit {
            "growth" => (Unit::Growth, signed::<6>(amount)?),
            "quota" => (Unit::Quota, signed::<2>(amount)?),
            "share" => (Unit::Share, signed::<6>(amount)?),
            "reward" => (Unit::Reward, signed::<6>(amount)?),
            _ => return Err(Rejection::BadUnit),
        };
        if steps == 0 {
            return Err(Rejection::BadAmount);
        }
        let holder = Account::Member(member);
        if i128::from(steps) + i128::from(self.balance(holder, unit)) < 0 {
            return Err(Rejection::InsufficientBalance);
        }
        if unit == Unit::Growth {
            self.adjust_growth(holder, steps)
        } else {
            Ok(self.transfer(Account::Issuance, holder, unit, steps, Why::Adjusted)?)
        }
    }

    /// Added points are paid for by revenue, rounded up; removed ones are burnt.
    fn adjust_growth(&mut self, holder: Account, steps: i64) -> Result<(), Rejection> {
        let (_, price) = self.growth_and_price()?;
        if steps < 0 {
            return self.burn(holder, -steps, price, Why::Adjusted);
        }
        let cost = price.mul_ceil(steps)?;
        self.check_revenue(cost)?;
        if steps > self.cap_left().steps() {
            return Err(Rejection::IssueCapReached);
        }
        self.transfer(Account::Revenue, Account::Pool, Unit::Cash, cost, Why::Adjusted)?;
        self.issue(holder, steps, Why::Adjusted)
    }

    /// `cash.withdraw`: a merchant's cash is its payable.
    pub(crate) fn withdraw(&mut self, party: &Party, amount: Given<2>) -> Result<(), Rejection> {
        let holder = self.find_party(party)?;
        let steps = self.positive_balance(holder, Unit::Cash, amount?.steps())?;
        Ok(self.transfer(holder, Account::Gateway, Unit::Cash, steps, Why::Withdrawn)?)
    }

    /// Pays cash; what a member owes in cash is netted first and goes to revenue.
    pub(crate) fn pay_cash(
        &mut self,
        from: Account,
        to: Account,
        amount: Fen,
        why: Why,
    ) -> Result<(), Rejection> {
        let netted = match to {
            Account::Member(member) => self.net_debt(member, Unit::Cash, amount.steps(), why)?,
            _ => 0,
        };
        self.transfer(from, to, Unit::Cash, amount.steps() - netted, why)?;
        let netting = Why::DebtNetted { from: why.rule(), of: amount.steps() };
        Ok(self.transfer(from, Account::Revenue, Unit::Cash, netted, netting)?)
    }

    /// Lowers what a member owes in a unit by at most `steps`, which it was to get by `why`; says by
    /// how much.
    pub(crate) fn net_debt(
        &mut self,
        member: MemberId,
        unit: Unit,
        steps: i64,
        why: Why,
    ) -> Result<i64, Rejection> {
        if self.debts.is_empty() {
            return Ok(0);
        }
        let debt = Account::Debt(member);
        let netted = self.balance(debt, unit).min(steps);
        let netting = Why::DebtNetted { from: why.rule(), of: steps };
        self.transfer(debt, Account::Receivable, unit, netted, netting)?;
        Ok(netted)
    }

    /// Makes a member owe more in a unit.
    pub(crate) fn add_debt(
        &mut self,
        member: MemberId,
        unit: Unit,
        steps: i64,
        why: Why,
    ) -> Result<(), Rejection> {
        Ok(self.transfer(Account::Receivable, Account::Debt(member), unit, steps, why)?)
    }

    /// What a member owes, by unit; nothing that is zero.
    pub fn owed(&self, member: MemberId) -> impl Iterator<Item = (Unit, i64)> {
        let first = (member, Unit::Cash);
        self.debts
            .range(first..)
            .take_while(move |((debtor, _), _)| *debtor == member)
            .map(|(&(_, unit), &steps)| (unit, steps))
    }
}

fn signed<const D: u32>(text: &str) -> Result<i64, Rejection> {
    Ok(Amount::<D>::parse_signed(text)?.steps())
}
