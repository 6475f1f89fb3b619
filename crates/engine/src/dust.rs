//! Dust (spec, section 4): when a command has burnt points and leaves less than one in supply,
//! every holder outside the reserve is sold out, or a millionth of a point could own the pool.

use ledger::{Fen, Fraction, Micro};

use crate::account::{Account, Unit};
use crate::growth::worth;
use crate::state::State;
use crate::why::Sale;
use crate::{MemberId, MerchantId, Rejection};

impl State {
    /// Sells out what is left at the price of before the command, members then merchants in
    /// joining order. Rare, so it may ask everybody.
    pub(crate) fn sweep_dust(&mut self, price_before: Option<Fraction>) -> Result<(), Rejection> {
        let supply = self.supply().steps();
        if !self.draft.burnt || supply == 0 || supply >= Micro::STEPS_PER_WHOLE {
            return Ok(());
        }
        let Some(price) = price_before else {
            return Ok(());
        };
        for row in 0..self.member_count() {
            if supply_is_reserved(self) {
                return Ok(());
            }
            self.sell_dust(Account::Member(MemberId::at(row)?), price)?;
        }
        for row in 0..self.merchant_count() {
            self.sell_dust(Account::Merchant(MerchantId::at(row)?), price)?;
        }
        Ok(())
    }

    fn sell_dust(&mut self, holder: Account, price: Fraction) -> Result<(), Rejection> {
        let points = self.balance(holder, Unit::Growth);
        if points == 0 {
            return Ok(());
        }
        let limited = self.programme.is_limited_by_quota() && matches!(holder, Account::Member(_));
        let most = limited.then(|| Fen::from_steps(self.balance(holder, Unit::Quota)));
        let (growth, _) = self.growth_and_price()?;
        let worth = worth(price, points, most, growth.redeem_fee)?;
        self.sell(holder, points, price, worth, Sale::Dust)
    }
}

/// Whether nobody holds a point any more outside the reserve.
fn supply_is_reserved(state: &State) -> bool {
    state.supply().steps() == state.balance(Account::Reserve, Unit::Growth)
}
