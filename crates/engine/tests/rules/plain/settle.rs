//! Section 4, *Settle a day*.

use super::Plain;
use super::book::{Account, Name, Unit};
use super::money::{MILLION, Outcome, fit, floor_div, mul};
use super::programme::{Dividend, Release, Star, Team, Tier};
use std::collections::BTreeMap;

impl Plain {
    pub(super) fn settle(&mut self) -> Outcome<()> {
        self.release_points()?;
        for dividend in self.programme.dividends.clone() {
            self.pay_dividend(&dividend)?;
        }
        self.turnover = self.turnover.min(0);
        self.take_amendment()?;
        let day = self.open_day.unwrap();
        self.open_day = Some(day.tomorrow().map_err(|_| "overflow".to_string())?);
        Ok(())
    }

    // ------------------------------------------------------------ 1. release

    fn release_points(&mut self) -> Outcome<()> {
        let scheduled = self.scheduled_release()?;
        let Some(release) = self.programme.release.clone() else {
            return Ok(());
        };
        let bonuses = self.bonuses(&release, &scheduled);
        for member in self.members.clone() {
            self.let_out(&member, bonuses[&member])?;
        }
        Ok(())
    }

    /// Each lot of an earlier day gives its daily amount; the sum is each member's `s`.
    fn scheduled_release(&mut self) -> Outcome<BTreeMap<Name, i128>> {
        let today = self.open_day.unwrap();
        let mut scheduled: BTreeMap<Name, i128> =
            self.members.iter().map(|m| (m.clone(), 0)).collect();
        for i in 0..self.lots.len() {
            let lot = &self.lots[i];
            if lot.day < today {
                let (member, give) = (lot.member.clone(), lot.daily.min(lot.remaining));
                self.release_from(i, give)?;
                *scheduled.get_mut(&member).unwrap() += give;
            }
        }
        Ok(scheduled)
    }

    /// Released points become reward points, less what is owed of them.
    fn release_from(&mut self, lot: usize, give: i128) -> Outcome<()> {
        self.lots[lot].remaining -= give;
        self.lots[lot].given += give;
        let member = self.lots[lot].member.clone();
        let account = Account::Member(member.clone());
        self.book.transfer(Unit::Locked, &account, &Account::Issuance, give)?;
        self.grant(&member, Unit::Reward, give)
    }

    /// Lets a bonus out of the member's own lots, oldest first, as far as they last.
    fn let_out(&mut self, member: &Name, mut bonus: i128) -> Outcome<()> {
        for i in 0..self.lots.len() {
            if self.lots[i].member == *member {
                let give = bonus.min(self.lots[i].remaining);
                self.release_from(i, give)?;
                bonus -= give;
            }
        }
        Ok(())
    }

    /// Generation, team and peer bonus of every member. No range check: they are cut to the lots.
    fn bonuses(&self, release: &Release, scheduled: &BTreeMap<Name, i128>) -> BTreeMap<Name, i128> {
        let mut bonuses = self.generation_bonus(release, scheduled);
        if let Some(team) = &release.team {
            for (member, bonus) in self.team_bonus(team, scheduled) {
                *bonuses.get_mut(&member).unwrap() += bonus;
            }
        }
        bonuses
    }

    fn generation_bonus(
        &self,
        release: &Release,
        scheduled: &BTreeMap<Name, i128>,
    ) -> BTreeMap<Name, i128> {
        let mut sums: BTreeMap<(Name, usize), i128> = BTreeMap::new();
        for member in &self.members {
            for (generation, ancestor) in self.upline(member).into_iter().enumerate() {
                *sums.entry((ancestor, generation)).or_default() += scheduled[member];
            }
        }
        let mut bonuses: BTreeMap<Name, i128> =
            self.members.iter().map(|m| (m.clone(), 0)).collect();
        for ((ancestor, generation), sum) in sums {
            if let Some(rate) = release.generations.get(generation) {
                *bonuses.get_mut(&ancestor).unwrap() += floor_div(sum * rate, MILLION);
            }
        }
        bonuses
    }

    /// Each `s` climbs to the root; differences and peer sums are floored once per member.
    fn team_bonus(&self, team: &Team, scheduled: &BTreeMap<Name, i128>) -> BTreeMap<Name, i128> {
        let volumes = self.team_volume();
        let rate_of =
            |member: &Name| star_of(team, volumes.get(member)).map_or(0, |star| star.rate);
        let mut differences: BTreeMap<Name, i128> = BTreeMap::new();
        let mut peers: BTreeMap<Name, i128> = BTreeMap::new();
        for member in &self.members {
            let released = scheduled[member];
            let mut paid = 0;
            let mut peers_left = 0;
            for ancestor in self.upline(member) {
                let rate = rate_of(&ancestor);
                if rate > paid {
                    *differences.entry(ancestor).or_default() += (rate - paid) * released;
                    paid = rate;
                    peers_left = team.peer_depth;
                } else if rate == paid && paid > 0 && peers_left > 0 {
                    *peers.entry(ancestor).or_default() += released;
                    peers_left -= 1;
                }
            }
        }
        let mut bonuses: BTreeMap<Name, i128> = BTreeMap::new();
        for (member, sum) in differences {
            *bonuses.entry(member).or_default() += floor_div(sum, MILLION);
        }
        for (member, sum) in peers {
            *bonuses.entry(member).or_default() += floor_div(sum * team.peer, MILLION);
        }
        bonuses
    }

    // ------------------------------------------------------------ 2. dividends

    fn pay_dividend(&mut self, dividend: &Dividend) -> Outcome<()> {
        let carry = Account::Carry(dividend.name.clone());
        let turnover = self.turnover.max(0);
        self.book.transfer(Unit::Cash, &Account::Revenue, &carry, mul(turnover, dividend.rate)?)?;
        let pool = self.balance(Unit::Cash, &carry);
        let parts = match dividend.in_tiers {
            true => self.parts_by_tier(dividend, pool, turnover)?,
            false => self.parts_by_share(dividend, pool)?,
        };
        for (member, part) in parts {
            let paid = self.cut_to_quota(&member, part).min(self.balance(Unit::Cash, &carry));
            self.pay_member(&carry, &member, paid)?;
            if self.programme.quota.is_some() {
                self.take(&member, Unit::Quota, paid)?;
                self.draw(&member, paid);
            }
        }
        if !dividend.carry {
            let left = self.balance(Unit::Cash, &carry);
            self.book.transfer(Unit::Cash, &carry, &Account::Revenue, left)?;
        }
        fit(self.carried()).map(|_| ())
    }

    /// What all dividends carry.
    pub fn carried(&self) -> i128 {
        self.book
            .entries()
            .filter(|(_, account, _)| matches!(account, Account::Carry(_)))
            .map(|e| *e.2)
            .sum()
    }

    fn cut_to_quota(&self, member: &Name, part: i128) -> i128 {
        match self.programme.quota {
            Some(_) => part.min(self.member_balance(Unit::Quota, member)),
            None => part,
        }
    }

    /// Only members with shares, and with quota left where the programme has quota, can draw.
    fn can_draw(&self, member: &Name) -> bool {
        let quota = self.programme.quota.is_none() || self.member_balance(Unit::Quota, member) > 0;
        quota && self.member_balance(Unit::Share, member) > 0
    }

    fn drawers(&self) -> Vec<Name> {
        self.members.iter().filter(|m| self.can_draw(m)).cloned().collect()
    }

    fn shares(&self, members: &[Name]) -> i128 {
        members.iter().map(|m| self.member_balance(Unit::Share, m)).sum()
    }

    fn parts_by_share(&self, dividend: &Dividend, pool: i128) -> Outcome<Vec<(Name, i128)>> {
        let drawers = self.drawers();
        let in_all = match dividend.weights_all {
            true => self.shares(&self.members),
            false => self.shares(&drawers),
        };
        Ok(self.by_share(&drawers, pool, in_all))
    }

    fn by_share(&self, members: &[Name], pool: i128, in_all: i128) -> Vec<(Name, i128)> {
        let part = |m: &Name| floor_div(pool * self.member_balance(Unit::Share, m), in_all);
        members.iter().map(|m| (m.clone(), part(m))).collect()
    }

    fn parts_by_tier(
        &self,
        dividend: &Dividend,
        pool: i128,
        turnover: i128,
    ) -> Outcome<Vec<(Name, i128)>> {
        let of = if dividend.of_pool { pool } else { turnover };
        let mut parts: BTreeMap<Name, i128> = BTreeMap::new();
        for (i, tier) in dividend.tiers.iter().enumerate() {
            let part = mul(of, tier.rate)?;
            let mut inside = self.drawers();
            inside.retain(|m| {
                tier_of(&dividend.tiers, self.member_balance(Unit::Share, m)) == Some(i)
            });
            if dividend.within_pro_rata {
                parts.extend(self.by_share(&inside, part, self.shares(&inside)));
            } else {
                let count = inside.len() as i128;
                parts.extend(inside.into_iter().map(|m| (m, floor_div(part, count))));
            }
        }
        // In joining order, as everywhere.
        Ok(self.members.iter().filter_map(|m| Some((m.clone(), *parts.get(m)?))).collect())
    }

    // ------------------------------------------------------------ 4. amendment

    fn take_amendment(&mut self) -> Outcome<()> {
        let Some(amendment) = self.pending.take() else {
            return Ok(());
        };
        if self.takes_growth_away(&amendment) {
            self.pending = Some(amendment); // points came into supply since: it waits until none are left
            return Ok(());
        }
        for dividend in std::mem::take(&mut self.programme.dividends) {
            if !amendment.dividends.iter().any(|d| d.name == dividend.name) {
                let carry = Account::Carry(dividend.name);
                let left = self.balance(Unit::Cash, &carry);
                self.book.transfer(Unit::Cash, &carry, &Account::Revenue, left)?;
            }
        }
        self.programme = amendment;
        Ok(())
    }
}

/// The highest star whose volume the team's volume reaches.
pub fn star_of<'a>(team: &'a Team, volume: Option<&(i128, i128)>) -> Option<&'a Star> {
    let (cash, points) = volume.copied().unwrap_or((0, 0));
    let counted = if team.cash_only { cash } else { cash + points };
    team.stars.iter().rev().find(|star| star.volume <= counted)
}

/// The highest tier whose bounds hold the shares; without a `max` a tier reaches up to the next.
fn tier_of(tiers: &[Tier], shares: i128) -> Option<usize> {
    let holds = |i: usize| {
        let below_next = tiers.get(i + 1).is_none_or(|next| shares < next.min);
        tiers[i].min <= shares && tiers[i].max.map_or(below_next, |max| shares <= max)
    };
    (0..tiers.len()).rev().find(|i| holds(*i))
}
