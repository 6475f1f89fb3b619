//! Section 4, "Price": what a growth point is worth, and what happens when the last one is burnt.

use super::Plain;
use super::book::{Account, Unit};
use super::money::{MILLION, Outcome, ceil_div, fit, floor_div};

/// `cash` fen for `points` micro-points, as an exact ratio.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    pub cash: i128,
    pub points: i128,
}

impl Price {
    pub fn below(self, other: Price) -> bool {
        self.cash * other.points < other.cash * self.points
    }

    /// Fen for micro-points, rounded down.
    pub fn worth(self, points: i128) -> Outcome<i128> {
        fit(floor_div(points * self.cash, self.points))
    }

    /// Fen for micro-points, rounded up (a charge).
    pub fn cost(self, points: i128) -> Outcome<i128> {
        fit(ceil_div(points * self.cash, self.points))
    }

    /// Micro-points for fen, rounded down.
    pub fn points_for(self, cash: i128) -> Outcome<i128> {
        if self.cash == 0 {
            return Ok(0); // no price yet, and no programme that could give points
        }
        fit(floor_div(cash * self.points, self.cash))
    }
}

impl Plain {
    /// pool / supply; while there is no supply the higher of the kept price and `issue_price`.
    pub fn price(&self) -> Price {
        if self.supply() > 0 {
            return Price { cash: self.pool(), points: self.supply() };
        }
        let kept = self.kept.unwrap_or(Price { cash: 0, points: 1 });
        match &self.programme.growth {
            Some(growth) => {
                let issue = Price { cash: growth.issue_price, points: MILLION };
                if kept.below(issue) { issue } else { kept }
            }
            None => kept,
        }
    }

    pub(super) fn cap_left(&self) -> Option<i128> {
        let cap = self.programme.growth.as_ref()?.issue_cap?;
        Some((cap - self.issued).max(0))
    }

    pub(super) fn issue(&mut self, to: &Account, points: i128) -> Outcome<()> {
        self.issued = fit(self.issued + points)?;
        self.book.transfer(Unit::Growth, &Account::Issuance, to, points)
    }

    /// Burns points; `kept` is the price to keep if these are the last. What the points are paid
    /// with has left the pool already.
    pub(super) fn burn(&mut self, from: &Account, points: i128, kept: Price) -> Outcome<()> {
        if points == 0 {
            return Ok(());
        }
        self.book.transfer(Unit::Growth, from, &Account::Issuance, points)?;
        self.burnt = true;
        if self.supply() == 0 {
            self.kept = Some(kept);
            let left = self.pool();
            self.book.transfer(Unit::Cash, &Account::Pool, &Account::Revenue, left)?;
        }
        Ok(())
    }
}
