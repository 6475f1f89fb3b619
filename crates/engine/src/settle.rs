//! Settling a day (spec, section 4): release, dividends, turnover, amendments.
//!
//! A settlement is one entry like any other, but as large as the programme has members. It is
//! handed to the journal in balanced pieces while it is computed, so it cannot be taken back:
//! everything that could refuse it is checked before the first piece.

use std::sync::Arc;

use crate::account::{Account, Unit};
use crate::day::Day;
use crate::id::DividendId;
use crate::journal::{Head, Journal};
use crate::programme::Programme;
use crate::state::State;
use crate::why::Posting;
use crate::{Rejection, Why};

/// Postings in one piece: enough to make the hand-over cheap, few enough to stay in the cache.
const PIECE: usize = 4096;

/// Passes a settlement's postings on to the journal, a balanced piece at a time.
///
/// Members' sides are posted one by one; the other side, which is the same account for millions of
/// them, is posted once for each piece.
pub(crate) struct Pieces<'j> {
    journal: &'j mut dyn Journal,
    /// The other sides of this piece so far.
    others: Vec<(Account, Unit, i64)>,
}

impl<'j> Pieces<'j> {
    pub fn open(journal: &'j mut dyn Journal, state: &State, head: &Head<'_>) -> Self {
        journal.open(state, head);
        Self { journal, others: Vec::new() }
    }

    /// Adds a posting, whose balance the caller has changed, with the account on its other side.
    pub fn add(
        &mut self,
        state: &mut State,
        posting: Posting,
        other: Account,
    ) -> Result<(), Rejection> {
        let key = (other, posting.unit);
        match self.others.iter_mut().find(|(account, unit, _)| (*account, *unit) == key) {
            Some((_, _, steps)) => *steps -= posting.steps,
            None => self.others.push((other, posting.unit, -posting.steps)),
        }
        state.draft.postings.push(posting);
        self.flush_when_full(state)
    }

    pub fn flush_when_full(&mut self, state: &mut State) -> Result<(), Rejection> {
        if state.draft.postings.len() >= PIECE { self.flush(state) } else { Ok(()) }
    }

    pub fn flush(&mut self, state: &mut State) -> Result<(), Rejection> {
        for (account, unit, steps) in self.others.drain(..) {
            state.add(account, unit, steps)?;
            state.draft.postings.push(Posting { account, unit, steps, why: Why::OtherSide });
        }
        let mut postings = std::mem::take(&mut state.draft.postings);
        if !postings.is_empty() {
            self.journal.post(state, &postings);
        }
        postings.clear();
        state.draft.postings = postings;
        Ok(())
    }

    pub fn close(mut self, state: &mut State) -> Result<(), Rejection> {
        self.flush(state)?;
        self.journal.close(state);
        Ok(())
    }
}

impl State {
    /// Whether the open day can be settled; if so, the day that opens then.
    pub(crate) fn check_settle(&self) -> Result<(Day, Day), Rejection> {
        let day = self.open_day.ok_or(Rejection::DayOutOfOrder)?;
        let next = day.next().ok_or(Rejection::Overflow)?;
        self.check_headroom()?;
        Ok((day, next))
    }

    /// No balance can leave 64 bits, whoever gets all that may be paid out: the dividends, what they
    /// carried, and by forced exits the pool. Dividends come out of revenue, so they only matter
    /// where it, or a merchant's payable, is far below zero.
    fn check_headroom(&self) -> Result<(), Rejection> {
        let turnover = self.turnover().max(ledger::Fen::ZERO);
        let mut funded = 0_i128;
        for dividend in &self.programme.dividends {
            funded += i128::from(dividend.rate.mul_floor(turnover)?.steps());
        }
        let cash = |account| i128::from(self.balance(account, Unit::Cash));
        let carried: i128 = self.carries.fen.iter().copied().map(i128::from).sum();
        let (pool, revenue) = (cash(Account::Pool), cash(Account::Revenue));
        let merchants = self.merchants.balances.iter().map(|b| i128::from(b[Unit::Cash as usize]));
        let below: i128 =
            merchants.chain([cash(Account::Gateway), revenue]).map(|b| b.min(0)).sum();
        // All cash adds up to zero: what some are below it, pool, carries, revenue and everybody
        // else are above it together. Whoever gets pool and carries too has at most the rest.
        let most = -below - revenue.max(0) + funded;
        let fits = |sum: i128| i64::try_from(sum).is_ok();
        let is_roomy = fits(revenue - funded) && fits(revenue + carried + pool) && fits(most);
        if is_roomy { Ok(()) } else { Err(Rejection::Overflow) }
    }

    /// Steps 1 to 4; forced exits follow as after every command.
    pub(crate) fn settle(
        &mut self,
        day: Day,
        next: Day,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        self.release(day, pieces)?;
        self.pay_dividends(pieces)?;
        // What was paid is told under the programme that it was paid by.
        pieces.flush(self)?;
        self.totals.turnover = self.totals.turnover.min(0);
        self.open_day = Some(next);
        self.amend_pending()?;
        self.compact_lots();
        Ok(())
    }

    /// `programme.amend`: checked like a file now, in effect when the open day is settled. A later
    /// one of the same day takes its place.
    pub(crate) fn amend(&mut self, programme: &serde_json::Value) -> Result<(), Rejection> {
        let programme = Programme::from_json(programme).map_err(|_| Rejection::BadProgramme)?;
        if self.strands_points(&programme) {
            return Err(Rejection::BadProgramme);
        }
        self.pending = Some(Arc::new(programme));
        Ok(())
    }

    /// Whether a programme would take growth points away while some are in supply.
    fn strands_points(&self, programme: &Programme) -> bool {
        programme.growth.is_none() && self.supply().is_positive()
    }

    /// Points may have been issued since an amendment without growth points was accepted: then it
    /// waits until none are left.
    fn amend_pending(&mut self) -> Result<(), Rejection> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        if self.strands_points(&pending) {
            self.pending = Some(pending);
            return Ok(());
        }
        let was_limited = self.programme.is_limited_by_quota();
        self.programme = pending;
        self.register_dividends();
        for row in 0..self.carries.names.len() {
            let name = &self.carries.names[row];
            if !self.programme.dividends.iter().any(|dividend| dividend.name == *name) {
                self.return_carry(DividendId::at(row)?)?;
            }
        }
        match (was_limited, self.programme.is_limited_by_quota()) {
            (false, true) => self.guard_everybody(),
            (true, false) => self.exits.clear(&mut self.members.holdings),
            _ => {}
        }
        Ok(())
    }
}
