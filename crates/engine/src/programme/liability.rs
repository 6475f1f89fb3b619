//! What 100 yuan of sales can come to cost, at worst (`verdant check`).

use ledger::{Fen, Micro, Rate};

use super::Programme;
use crate::account::Unit;

/// What all promises made for 100 yuan of sales can come to, and what that sale itself brings in
/// to keep them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Liability {
    /// The sale it is computed for: 100 yuan, all paid in cash.
    pub sale: Fen,
    /// The concession it is computed for, and what the platform keeps by it.
    pub concession: Rate,
    /// That part of the sale.
    pub retained: Fen,
    /// By unit; units the programme does not grant are left out.
    pub exposures: Vec<Exposure>,
    /// All claims together.
    pub claims: Fen,
    /// What of them the sale itself pays for.
    pub covered: Fen,
}

/// What is promised in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// The unit granted, or cash for dividends.
    pub unit: Unit,
    /// The most that is granted of it, in steps of the unit.
    pub granted: i64,
    /// What that can be claimed for, in money. Quota and shares are no claims: they limit or
    /// divide what others are.
    pub claim: Fen,
    /// What of the claim this sale pays for.
    pub covered: Fen,
}

impl Liability {
    /// Claims the sale does not pay for: they rest on the platform's own means or on later sales.
    #[must_use]
    pub fn uncovered(&self) -> Fen {
        self.claims.minus(self.covered).unwrap_or(Fen::ZERO)
    }
}

impl Programme {
    /// The worst case for 100 yuan sold at a concession: an order of the best package, with all the
    /// upline there. An order may carry a concession as low as [`Programme::needed_concession`];
    /// that is the worst of all.
    #[must_use]
    pub fn liability(&self, concession: Rate) -> Liability {
        let sale = Fen::from_steps(10_000);
        let retained = concession.mul_floor_saturating(sale);
        let mut exposures = Vec::new();
        let mut left = retained;
        // The pool and the dividends are paid first, out of what is retained, and both are funded.
        if let Some(growth) = &self.growth {
            let claim = growth.contribution.mul_floor_saturating(sale);
            let value = all(growth.buyer, &growth.sponsors).mul_floor_saturating(claim);
            let points = value.steps().saturating_mul(Micro::STEPS_PER_WHOLE)
                / growth.issue_price.steps().max(1);
            exposures.push(funded(Unit::Growth, points, claim, &mut left));
        }
        if !self.dividends.is_empty() {
            let rates: Vec<_> = self.dividends.iter().map(|d| d.rate).collect();
            let claim = all(Rate::ZERO, &rates).mul_floor_saturating(sale);
            exposures.push(funded(Unit::Cash, claim.steps(), claim, &mut left));
        }
        if let Some(release) = &self.release {
            let best = release.packages.iter().map(|p| p.multiple).max().unwrap_or(Rate::ZERO);
            let claim = best.mul_floor_saturating(sale);
            let points = claim.at_par().unwrap_or(Micro::MAX);
            exposures.push(funded(Unit::Locked, points.steps(), claim, &mut left));
        }
        if let Some(quota) = &self.quota {
            let granted = all(quota.buyer, &quota.sponsors).mul_floor_saturating(sale);
            exposures.push(limit(Unit::Quota, granted.steps()));
        }
        if let Some(share) = &self.share {
            let own = sale.steps() * Micro::STEPS_PER_WHOLE / share.per.steps().max(1);
            let granted = all(Rate::ONE, &share.sponsors);
            exposures.push(limit(
                Unit::Share,
                granted.mul_floor_saturating(Micro::from_steps(own)).steps(),
            ));
        }
        let sum = |part: fn(&Exposure) -> Fen| {
            let parts = exposures.iter().map(part);
            parts.fold(Fen::ZERO, |sum, part| sum.plus(part).unwrap_or(Fen::MAX))
        };
        let (claims, covered) = (sum(|e| e.claim), sum(|e| e.covered));
        Liability { sale, concession, retained, exposures, claims, covered }
    }
}

fn all(buyer: Rate, sponsors: &[Rate]) -> Rate {
    let most = || Rate::from_ppm(i64::MAX).unwrap_or(Rate::ONE);
    sponsors.iter().fold(buyer, |sum, &rate| sum.plus(rate).unwrap_or_else(|_| most()))
}

/// A claim, covered as far as `left` lasts.
fn funded(unit: Unit, granted: i64, claim: Fen, left: &mut Fen) -> Exposure {
    let covered = claim.min(*left);
    *left = left.minus(covered).unwrap_or(Fen::ZERO);
    Exposure { unit, granted, claim, covered }
}

fn limit(unit: Unit, granted: i64) -> Exposure {
    Exposure { unit, granted, claim: Fen::ZERO, covered: Fen::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_and_dividends_are_covered_and_packages_are_not() {
        let programme = Programme::from_toml(
            r#"
            name = "x"
            [growth]
            contribution = "30%"
            [growth.grants]
            buyer = "70%"
            [quota]
            sponsors = ["20%"]
            [[dividend]]
            name = "d"
            rate = "40%"
            [release]
            [[release.packages]]
            name = "p"
            price = "1.00"
            multiple = "4x"
            "#,
        );
        let programme = programme.unwrap();
        let liability = programme.liability(Rate::ONE);
        assert_eq!(liability.claims.to_string(), "470.00");
        assert_eq!(liability.covered.to_string(), "100.00");
        assert_eq!(liability.uncovered().to_string(), "370.00");
        let least = programme.liability(programme.needed_concession());
        assert_eq!(least.uncovered().to_string(), "400.00");
        let quota = liability.exposures.iter().find(|e| e.unit == Unit::Quota).unwrap();
        assert_eq!((quota.granted, quota.claim), (22_000, Fen::ZERO));
    }
}
