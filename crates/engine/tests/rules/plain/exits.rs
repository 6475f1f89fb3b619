//! Section 4, *Forced exit* and *Dust*: what happens after every command.

use super::Plain;
use super::book::{Account, Name, Unit};
use super::money::{MILLION, Outcome};

impl Plain {
    /// While some member's points are worth its quota, the one with the least quota a point goes.
    pub(super) fn force_exits(&mut self) -> Outcome<()> {
        while self.programme.limited() {
            let Some(member) = self.next_to_leave() else {
                return Ok(());
            };
            self.force_exit(&member)?;
        }
        Ok(())
    }

    /// The first of the lowest `quota / points`, if `points * pool >= quota * supply`.
    fn next_to_leave(&self) -> Option<Name> {
        let mut lowest: Option<(Name, i128, i128)> = None;
        for member in &self.members {
            let points = self.member_balance(Unit::Growth, member);
            let quota = self.member_balance(Unit::Quota, member);
            if points == 0 {
                continue;
            }
            let lower = match &lowest {
                Some((_, low_quota, low_points)) => quota * low_points < low_quota * points,
                None => true,
            };
            if lower {
                lowest = Some((member.clone(), quota, points));
            }
        }
        let (member, quota, points) = lowest?;
        if points * self.pool() >= quota * self.supply() { Some(member) } else { None }
    }

    fn force_exit(&mut self, member: &Name) -> Outcome<()> {
        let account = Account::Member(member.clone());
        let points = self.member_balance(Unit::Growth, member);
        let quota = self.member_balance(Unit::Quota, member);
        let price = self.price();
        let gross = price.worth(points)?.min(quota);
        self.sell(&account, points, gross, price)?;
        let rest = self.member_balance(Unit::Quota, member);
        self.take(member, Unit::Quota, rest)?;
        self.forced_exits += 1;
        Ok(())
    }

    /// Less than one point left: every holder outside the reserve is sold out at the price of
    /// before the command, which is also the one kept.
    pub(super) fn sweep_dust(&mut self) -> Outcome<()> {
        if !self.burnt || self.supply() == 0 || self.supply() >= MILLION {
            return Ok(());
        }
        let price = self.price_before;
        let members = self.members.clone().into_iter().map(Account::Member);
        let merchants = self.merchants.clone().into_iter().map(Account::Merchant);
        for account in members.chain(merchants) {
            let points = self.balance(Unit::Growth, &account);
            let mut gross = price.worth(points)?;
            if matches!(account, Account::Member(_)) && self.programme.limited() {
                gross = gross.min(self.balance(Unit::Quota, &account));
            }
            self.sell(&account, points, gross, price)?;
        }
        Ok(())
    }
}
