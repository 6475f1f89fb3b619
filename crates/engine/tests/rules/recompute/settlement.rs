//! Settlements: what lots release, the bonuses that come out of them, and dividends.

use super::Checked;
use super::arithmetic::{MILLION, floor, mul};
use super::entry::{Entry, Move};
use super::known::Auditor;

impl Auditor {
    pub fn release_scheduled(&mut self, e: &Entry, m: &Move) -> Checked {
        if m.unit == "reward" {
            *self.now.released.entry(m.member().to_owned()).or_default() += m.steps;
            return m.must_be(std::mem::take(&mut self.now.due));
        }
        let lot = self.lots.iter().find(|lot| lot.order == m.text("order")).unwrap();
        m.same("lot", (m.member(), m.num("daily")), (lot.member.as_str(), lot.daily))?;
        m.same("day", lot.day < e.day, true)?;
        self.now.due = m.steps;
        m.must_be(lot.daily.min(lot.left))
    }

    /// Cut to the member's own lots, out of which it then comes.
    fn bonus(&mut self, m: &Move, bonus: i128) -> Checked {
        self.now.due = m.steps;
        m.must_be(bonus.min(self.held(m.member(), "locked")))
    }

    pub fn generation_bonus(&mut self, m: &Move) -> Checked {
        let is_below = |who: &str| self.above(who, m.generation()) == Some(m.member());
        let below = self.now.released.iter().filter(|(who, _)| is_below(who));
        m.same("released", m.num("released"), below.map(|(_, steps)| steps).sum())?;
        let rates = &self.programme.release.as_ref().unwrap().generations;
        m.same("rate", m.rate("rate"), rates[m.generation() - 1])?;
        self.bonus(m, mul(m.num("released"), m.rate("rate")))
    }

    pub fn team_bonus(&mut self, m: &Move) -> Checked {
        let (released, rate) = (m.num("released"), m.rate("rate"));
        if m.rule() == "release.peer_bonus" {
            return self.bonus(m, mul(released, rate));
        }
        self.bonus(m, floor(released * rate - m.num("paid"), MILLION))
    }

    /// Out of the oldest lot first.
    pub fn release_accelerated(&mut self, m: &Move) -> Checked {
        let lot = self.lots.iter().find(|lot| lot.member == m.member() && lot.left > 0).unwrap();
        m.same("lot", m.text("order"), lot.order.as_str())?;
        m.must_be(self.now.due.min(lot.left))?;
        self.now.due -= m.steps;
        Ok(())
    }

    pub fn dividend_funded(&self, m: &Move) -> Checked {
        m.same("turnover", m.num("turnover"), self.turnover.max(0))?;
        m.must_be(mul(m.num("turnover"), m.rate("rate")))
    }

    /// Quota is used by all of it, then debts are netted, then the rest is paid.
    pub fn dividend_paid(&mut self, m: &Move) -> Checked {
        let due = if m.has("members") {
            floor(m.num("part"), m.num("members"))
        } else {
            floor(m.num("part") * m.num("share"), m.num("of"))
        };
        let left = self.balance(&format!("carry/{}", m.text("dividend")), "cash");
        if m.unit == "quota" {
            self.now.drawn = m.steps;
            return m.must_be(due.min(left).min(self.balance(&m.from, "quota")));
        }
        // What was netted is out of the purse already.
        let out = self.now.netted.as_ref().filter(|n| n.member == m.member());
        let all = due.min(left + out.map_or(0, |n| n.steps));
        let all = if self.programme.quota.is_some() { self.now.drawn } else { all };
        m.must_be(all - self.take_netted(m, all)?)
    }
}
