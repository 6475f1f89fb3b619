//! The daily release (spec, section 4, *Settle a day* 1): each lot gives its daily amount, and
//! what friends released lets a member's own lots out sooner.

use std::sync::Arc;

use ledger::{Micro, Rate};

use crate::account::{Account, Unit};
use crate::day::Day;
use crate::id::MemberId;
use crate::settle::Pieces;
use crate::state::State;
use crate::why::Posting;
use crate::{Rejection, Why};

impl State {
    /// Scheduled release of every lot of an earlier day, then generation, team and peer bonuses.
    pub(crate) fn release(&mut self, day: Day, pieces: &mut Pieces<'_>) -> Result<(), Rejection> {
        if self.balance(Account::Issuance, Unit::Locked) == 0 {
            return Ok(());
        }
        let released = self.release_scheduled(day, pieces)?;
        let programme = Arc::clone(&self.programme);
        let Some(release) = &programme.release else {
            return Ok(());
        };
        if released.iter().all(|&steps| steps == 0) {
            return Ok(());
        }
        self.release_generations(&released, &release.generations, pieces)?;
        let Some(team) = &release.team else {
            return Ok(());
        };
        for leader in self.team_leaders(&released, team)? {
            let rate = team.stars[usize::from(leader.star)].rate;
            let (star, bonus) = (leader.star, leader.bonus(rate));
            let released = Micro::from_steps(leader.released);
            let why = Why::TeamBonus { star, released, rate, paid: leader.paid() };
            self.release_bonus(leader.member, bonus, why, pieces)?;
            let released = Micro::from_steps(leader.released_by_peers);
            let why = Why::PeerBonus { star, released, rate: team.peer };
            self.release_bonus(
                leader.member,
                team.peer.mul_floor_saturating(released),
                why,
                pieces,
            )?;
        }
        Ok(())
    }

    /// Each lot of an earlier day gives `min(daily, remaining)`. Says what each member released.
    fn release_scheduled(
        &mut self,
        day: Day,
        pieces: &mut Pieces<'_>,
    ) -> Result<Vec<i64>, Rejection> {
        let mut released = vec![0_i64; self.member_count()];
        for row in 0..self.lots.len() {
            let lot = &mut self.lots[row];
            let steps = lot.daily.min(lot.remaining);
            if steps == 0 || lot.day >= day {
                continue;
            }
            lot.remaining -= steps;
            released[lot.member.index()] += steps;
            let account = Account::Member(lot.member);
            let daily = Micro::from_steps(lot.daily);
            let why = Why::ReleaseScheduled { order: lot.order, daily };
            let locked = Posting { account, unit: Unit::Locked, steps: -steps, why };
            pieces.add(self, locked, Account::Issuance)?;
            let reward = Posting { account, unit: Unit::Reward, steps, why };
            pieces.add(self, reward, Account::Issuance)?;
        }
        for (holding, &steps) in self.members.holdings.iter_mut().zip(&released) {
            if steps > 0 {
                holding.balances[Unit::Locked as usize] -= steps;
                holding.balances[Unit::Reward as usize] += steps;
            }
        }
        Ok(released)
    }

    /// What the first generation below released at the first rate, the second at the second, ...
    fn release_generations(
        &mut self,
        released: &[i64],
        rates: &[Rate],
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let mut generation = vec![0_i64; released.len()];
        let mut below = Vec::new();
        for (&rate, number) in rates.iter().zip(1_u16..) {
            let of = if number == 1 { released } else { &below };
            if !self.sum_one_up(of, &mut generation) {
                break;
            }
            for (member, &steps) in self.members().zip(&generation) {
                if steps == 0 {
                    continue;
                }
                let released = Micro::from_steps(steps);
                let why = Why::GenerationBonus { generation: number, released, rate };
                self.release_bonus(member, rate.mul_floor_saturating(released), why, pieces)?;
            }
            if usize::from(number) < rates.len() {
                below.resize(generation.len(), 0);
                std::mem::swap(&mut below, &mut generation);
            }
        }
        Ok(())
    }

    /// For each member the sum over its first generation. Says whether there was anything.
    fn sum_one_up(&self, values: &[i64], sums: &mut [i64]) -> bool {
        sums.fill(0);
        let mut any = false;
        for (&value, sponsor) in values.iter().zip(&self.members.sponsors) {
            if let (1.., Some(sponsor)) = (value, sponsor) {
                sums[sponsor.index()] += value;
                any = true;
            }
        }
        any
    }

    /// Lets a bonus out of the member's own lots, oldest first, as far as they last.
    fn release_bonus(
        &mut self,
        member: MemberId,
        bonus: Micro,
        why: Why,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let balances = &mut self.members.holdings[member.index()].balances;
        let steps = bonus.steps().min(balances[Unit::Locked as usize]);
        if steps == 0 {
            return Ok(());
        }
        balances[Unit::Locked as usize] -= steps;
        balances[Unit::Reward as usize] += steps;
        let account = Account::Member(member);
        let reward = Posting { account, unit: Unit::Reward, steps, why };
        pieces.add(self, reward, Account::Issuance)?;
        let mut left = steps;
        let mut next = self.members.chains[member.index()].oldest_lot;
        let mut oldest = true;
        while let Some(id) = next.filter(|_| left > 0) {
            let lot = &mut self.lots[id.index()];
            let taken = left.min(lot.remaining);
            (lot.remaining, left) = (lot.remaining - taken, left - taken);
            let why = Why::ReleaseAccelerated { order: lot.order };
            oldest &= lot.remaining == 0 && lot.next.is_some();
            next = lot.next;
            if oldest {
                // Nothing ever comes back into a lot: the next walk need not pass it again.
                self.members.chains[member.index()].oldest_lot = next;
            }
            if taken > 0 {
                let locked = Posting { account, unit: Unit::Locked, steps: -taken, why };
                pieces.add(self, locked, Account::Issuance)?;
            }
        }
        Ok(())
    }
}
