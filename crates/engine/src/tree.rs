//! The member tree: who joined through whom (spec, section 1).
//!
//! A sponsor has always joined before the member, so its row comes first. Every pass over the
//! tree is therefore a plain loop over rows: forwards for what comes from above, backwards for
//! what comes from below. Nothing recurses, and a chain of a million is as quick as a bush.

use ledger::{Fen, Rate};

use crate::command::Id;
use crate::id::MemberId;
use crate::state::State;
use crate::tables::{Chain, Holding, Volume};
use crate::{Rejection, Unit};

/// What a member's downline bought, without the member's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TeamVolume {
    /// Paid in cash.
    pub cash: Fen,
    /// Paid in stable and reward points, at par.
    pub points: Fen,
}

/// A walk from a member up: the member itself as generation 0, then as many sponsors as there are
/// rates for, or as there are.
pub(crate) struct Upline<'r> {
    next: Option<MemberId>,
    generation: u16,
    rates: &'r [Rate],
}

impl<'r> Upline<'r> {
    /// From a member itself, at a rate of its own.
    pub fn from(member: MemberId, sponsors: &'r [Rate]) -> Self {
        Self { next: Some(member), generation: 0, rates: sponsors }
    }

    /// The next member up: (generation, member, rate); generation 0 has `own`.
    pub fn next(&mut self, state: &State, own: Rate) -> Option<(u16, MemberId, Rate)> {
        let member = self.next?;
        let generation = self.generation;
        let rate = match generation.checked_sub(1) {
            Some(above) => *self.rates.get(usize::from(above))?,
            None => own,
        };
        // The last rate needs no sponsor looked up any more.
        let more = usize::from(generation) < self.rates.len();
        self.next = if more { state.sponsor(member) } else { None };
        self.generation = generation.saturating_add(1);
        Some((generation, member, rate))
    }
}

impl State {
    /// `member.join`.
    pub(crate) fn join_member(&mut self, name: &Id, sponsor: Option<&Id>) -> Result<(), Rejection> {
        if self.find_member(name.as_str()).is_some() {
            return Err(Rejection::MemberExists);
        }
        let sponsor = match sponsor {
            Some(sponsor) => {
                Some(self.find_member(sponsor.as_str()).ok_or(Rejection::UnknownSponsor)?)
            }
            None => None,
        };
        MemberId::at(self.member_count())?;
        self.members.names.add(name.as_str());
        self.members.holdings.push(Holding::default());
        self.members.sponsors.push(sponsor);
        self.members.volumes.push(Volume::default());
        self.members.chains.push(Chain::default());
        Ok(())
    }

    /// `merchant.join`.
    pub(crate) fn join_merchant(&mut self, name: &Id) -> Result<(), Rejection> {
        if self.find_merchant(name.as_str()).is_some() {
            return Err(Rejection::MerchantExists);
        }
        crate::MerchantId::at(self.merchant_count())?;
        self.merchants.names.add(name.as_str());
        self.merchants.balances.push([0; Unit::COUNT]);
        Ok(())
    }

    /// Every member's team volume, by row.
    #[must_use]
    pub fn team_volumes(&self) -> Vec<TeamVolume> {
        let cash = self.downline_sums(|volume| volume.cash);
        let points = self.downline_sums(|volume| volume.points);
        let both = cash.into_iter().zip(points);
        both.map(|(cash, points)| TeamVolume {
            cash: Fen::from_steps(cash),
            points: Fen::from_steps(points),
        })
        .collect()
    }

    /// For each member the sum over its downline, without its own. The sum over everybody is kept
    /// in 64 bits (`Totals::volume`), so each of these is.
    pub(crate) fn downline_sums(&self, own: impl Fn(&Volume) -> i64) -> Vec<i64> {
        let mut sums = vec![0_i64; self.member_count()];
        for row in (0..sums.len()).rev() {
            if let Some(sponsor) = self.members.sponsors[row] {
                sums[sponsor.index()] += sums[row] + own(&self.members.volumes[row]);
            }
        }
        sums
    }

    /// Adds to what a member bought; below zero for a refund.
    pub(crate) fn add_volume(
        &mut self,
        member: MemberId,
        cash: i64,
        points: i64,
    ) -> Result<(), Rejection> {
        let total = cash.checked_add(points).and_then(|sum| self.totals.volume.checked_add(sum));
        self.totals.volume = total.ok_or(Rejection::Overflow)?;
        let volume = self.volume_mut(member);
        volume.cash = volume.cash.checked_add(cash).ok_or(Rejection::Overflow)?;
        volume.points = volume.points.checked_add(points).ok_or(Rejection::Overflow)?;
        Ok(())
    }

    /// Adds to the open day's turnover; below zero for a refund.
    pub(crate) fn add_turnover(&mut self, cash: i64) -> Result<(), Rejection> {
        self.totals.turnover = self.totals.turnover.checked_add(cash).ok_or(Rejection::Overflow)?;
        Ok(())
    }
}
