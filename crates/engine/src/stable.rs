//! Stable points: exchanged for growth points, which are kept in reserve, and claimed back by
//! merchants (spec, section 4: *Exchange*, *Claim*, *Convert*).

use ledger::Micro;

use crate::account::{Account, Unit};
use crate::command::{Given, Id};
use crate::growth::worth;
use crate::state::State;
use crate::{Rejection, Why};

impl State {
    /// `growth.exchange`.
    pub(crate) fn exchange(&mut self, member: &Id, points: Given<6>) -> Result<(), Rejection> {
        let (growth, price) = self.growth_and_price()?;
        let fee_rate = growth.exchange_fee;
        let member = self.find_member(member.as_str()).ok_or(Rejection::UnknownMember)?;
        let holder = Account::Member(member);
        let points = self.positive_balance(holder, Unit::Growth, points?.steps())?;
        let worth = worth(price, points, None, fee_rate)?;
        if !worth.net.is_positive() {
            return Err(Rejection::BadAmount);
        }
        let why = Why::Exchanged {
            points: Micro::from_steps(points),
            gross: worth.gross,
            fee: worth.fee,
        };
        self.transfer(holder, Account::Reserve, Unit::Growth, points, why)?;
        self.transfer(Account::Issuance, holder, Unit::Stable, worth.net.steps(), why)?;
        self.use_quota(holder, worth.gross, why)
    }

    /// `stable.claim`. The reserve always covers it: reserve * price >= stable points outstanding.
    pub(crate) fn claim(&mut self, merchant: &Id, amount: Given<2>) -> Result<(), Rejection> {
        let (_, price) = self.growth_and_price()?;
        let merchant = self.find_merchant(merchant.as_str()).ok_or(Rejection::UnknownMerchant)?;
        let holder = Account::Merchant(merchant);
        let amount = amount?;
        self.positive_balance(holder, Unit::Stable, amount.steps())?;
        let points = price.div_floor(amount.steps())?;
        if points == 0 {
            return Err(Rejection::BadAmount);
        }
        let why = Why::Claimed { amount };
        self.transfer(holder, Account::Issuance, Unit::Stable, amount.steps(), why)?;
        Ok(self.transfer(Account::Reserve, holder, Unit::Growth, points, why)?)
    }

    /// `reward.convert`.
    pub(crate) fn convert(&mut self, member: &Id, points: Given<6>) -> Result<(), Rejection> {
        if !self.programme.reward.convert {
            return Err(Rejection::NotInProgramme);
        }
        let (_, price) = self.growth_and_price()?;
        let member = self.find_member(member.as_str()).ok_or(Rejection::UnknownMember)?;
        let holder = Account::Member(member);
        let reward = points?;
        let worth = reward.whole_fen().filter(|worth| worth.is_positive());
        let worth = worth.ok_or(Rejection::BadAmount)?.steps();
        self.positive_balance(holder, Unit::Reward, reward.steps())?;
        self.check_revenue(worth)?;
        let issued = price.div_floor(worth)?;
        if issued == 0 {
            return Err(Rejection::BadAmount);
        }
        if issued > self.cap_left().steps() {
            return Err(Rejection::IssueCapReached);
        }
        let why = Why::Converted { points: reward };
        self.transfer(holder, Account::Issuance, Unit::Reward, reward.steps(), why)?;
        self.transfer(Account::Revenue, Account::Pool, Unit::Cash, worth, why)?;
        self.issue(holder, issued, why)
    }

    /// Refuses what revenue cannot pay.
    pub(crate) fn check_revenue(&self, cost: i64) -> Result<(), Rejection> {
        if cost > self.balance(Account::Revenue, Unit::Cash) {
            return Err(Rejection::InsufficientRevenue);
        }
        Ok(())
    }
}
