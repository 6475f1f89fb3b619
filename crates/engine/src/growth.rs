//! Growth points: price, issue, burn, redemption (spec, section 4: *Price*, *Redeem*).
//!
//! Every rule rounds so that the price, pool / supply, never falls: points are issued rounded
//! down and paid out rounded down, fees are charged rounded up.

use ledger::{Fen, Fraction, Micro, Rate};

use crate::account::{Account, Unit};
use crate::command::{Given, Party};
use crate::programme::Growth;
use crate::state::State;
use crate::why::Sale;
use crate::{Rejection, Why};

/// What points come to in money: `gross` is their worth, of which the holder gets `net`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worth {
    pub gross: Fen,
    pub fee: Fen,
    pub net: Fen,
    /// What the gross was cut to, if it was limited.
    pub most: Option<Fen>,
}

impl State {
    /// Fen of the pool by micro-points: pool / supply, or while nothing is in supply the higher
    /// of the price kept and the issue price. `None` where the programme has no growth points.
    #[must_use]
    pub fn price(&self) -> Option<Fraction> {
        if self.supply().is_positive() {
            return Fraction::new(self.pool().steps(), self.supply().steps());
        }
        let issue =
            self.programme.growth.as_ref().and_then(|growth| {
                Fraction::new(growth.issue_price.steps(), Micro::STEPS_PER_WHOLE)
            });
        self.totals.kept_price.max(issue)
    }

    /// The growth table and the price, for commands that need both.
    pub(crate) fn growth_and_price(&self) -> Result<(&Growth, Fraction), Rejection> {
        let growth = self.programme.growth.as_ref().ok_or(Rejection::NotInProgramme)?;
        Ok((growth, self.price().ok_or(Rejection::NotInProgramme)?))
    }

    /// The member or merchant a command names.
    pub(crate) fn find_party(&self, party: &Party) -> Result<Account, Rejection> {
        match party {
            Party::Member(name) => {
                let id = self.find_member(name.as_str()).ok_or(Rejection::UnknownMember)?;
                Ok(Account::Member(id))
            }
            Party::Merchant(name) => {
                let id = self.find_merchant(name.as_str()).ok_or(Rejection::UnknownMerchant)?;
                Ok(Account::Merchant(id))
            }
        }
    }

    /// `growth.redeem`.
    pub(crate) fn redeem(&mut self, party: &Party, points: Given<6>) -> Result<(), Rejection> {
        let (growth, price) = self.growth_and_price()?;
        let fee_rate = growth.redeem_fee;
        let holder = self.find_party(party)?;
        let points = self.positive_balance(holder, Unit::Growth, points?.steps())?;
        let worth = worth(price, points, None, fee_rate)?;
        if !worth.net.is_positive() {
            return Err(Rejection::BadAmount);
        }
        self.sell(holder, points, price, worth, Sale::Redemption)
    }

    /// The steps, checked to be above zero and not above the balance.
    pub(crate) fn positive_balance(
        &self,
        holder: Account,
        unit: Unit,
        steps: i64,
    ) -> Result<i64, Rejection> {
        if steps <= 0 {
            return Err(Rejection::BadAmount);
        }
        if steps > self.balance(holder, unit) {
            return Err(Rejection::InsufficientBalance);
        }
        Ok(steps)
    }

    /// Sells points to the pool: cash to the holder, the fee stays, the points are burnt, quota is
    /// used up where points are limited by it.
    pub(crate) fn sell(
        &mut self,
        holder: Account,
        points: i64,
        price: Fraction,
        worth: Worth,
        sale: Sale,
    ) -> Result<(), Rejection> {
        let Worth { gross, fee, net, most } = worth;
        let why = Why::Sold { sale, points: Micro::from_steps(points), gross, fee };
        self.pay_cash(Account::Pool, holder, net, why)?;
        if let Sale::ForcedExit = sale {
            let quota = self.balance(holder, Unit::Quota);
            self.transfer(holder, Account::Issuance, Unit::Quota, quota, why)?;
        } else {
            self.use_quota(holder, gross, why)?;
        }
        self.burn(holder, points, price, Why::Burnt { sale, price, most })
    }

    /// Lowers a member's quota by what was drawn, not below zero, where points are limited by it.
    /// Merchants have none.
    pub(crate) fn use_quota(
        &mut self,
        holder: Account,
        gross: Fen,
        why: Why,
    ) -> Result<(), Rejection> {
        if !self.programme.is_limited_by_quota() || !matches!(holder, Account::Member(_)) {
            return Ok(());
        }
        let used = gross.steps().min(self.balance(holder, Unit::Quota));
        Ok(self.transfer(holder, Account::Issuance, Unit::Quota, used, why)?)
    }

    /// Burns points. When the last one goes, `price` is kept, and what is left in the pool is
    /// nobody's: it goes to revenue.
    pub(crate) fn burn(
        &mut self,
        holder: Account,
        points: i64,
        price: Fraction,
        why: Why,
    ) -> Result<(), Rejection> {
        self.transfer(holder, Account::Issuance, Unit::Growth, points, why)?;
        self.draft.burnt |= points > 0;
        if points > 0 && self.supply().is_zero() {
            self.totals.kept_price = Some(price);
            let left = self.pool().steps();
            self.transfer(Account::Pool, Account::Revenue, Unit::Cash, left, Why::PoolEmptied)?;
        }
        Ok(())
    }

    /// Issues points, which count towards the cap.
    pub(crate) fn issue(
        &mut self,
        holder: Account,
        points: i64,
        why: Why,
    ) -> Result<(), Rejection> {
        self.transfer(Account::Issuance, holder, Unit::Growth, points, why)?;
        self.totals.issued = self.totals.issued.checked_add(points).ok_or(Rejection::Overflow)?;
        Ok(())
    }

    /// How many points may still be issued; the most there can be without a cap.
    pub(crate) fn cap_left(&self) -> Micro {
        let cap = self.programme.growth.as_ref().and_then(|growth| growth.issue_cap);
        let left = |cap: Micro| cap.steps().saturating_sub(self.totals.issued).max(0);
        Micro::from_steps(cap.map_or(i64::MAX, left))
    }
}

/// `gross = floor(points * price)`, at most `most`; `fee = ceil(gross * rate)`.
pub(crate) fn worth(
    price: Fraction,
    points: i64,
    most: Option<Fen>,
    fee_rate: Rate,
) -> Result<Worth, Rejection> {
    let whole = Fen::from_steps(price.mul_floor(points)?);
    let gross = most.map_or(whole, |most| whole.min(most));
    let fee = fee_rate.mul_ceil(gross)?;
    Ok(Worth { gross, fee, net: gross.minus(fee)?, most })
}
