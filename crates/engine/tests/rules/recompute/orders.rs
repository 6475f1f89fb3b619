//! Paid and completed orders: what the merchant gets, what is granted, and debts netted from it.

use super::Checked;
use super::arithmetic::{MILLION, PAR, floor, mul, points_for};
use super::entry::{Entry, Move};
use super::known::{Auditor, Grant, Lot, Netted};

impl Auditor {
    pub fn order_part(&self, m: &Move) -> Checked {
        let [cash, stable, reward] = self.now.parts;
        m.must_be(match m.unit.as_str() {
            "cash" => cash,
            "stable" => stable,
            _ => reward * PAR,
        })
    }

    pub fn merchant_paid(&self, e: &Entry, m: &Move) -> Checked {
        let [cash, _, reward] = self.now.parts;
        m.same("worth", m.num("worth"), cash + reward)?;
        m.same("concession", m.rate("concession"), self.order(e).concession)?;
        m.must_be(m.num("worth") - mul(m.num("worth"), m.rate("concession")))
    }

    pub fn granted(&mut self, e: &Entry, m: &Move) -> Checked {
        let granted = match m.rule() {
            "quota.granted" => mul(m.num("base"), m.rate("rate")),
            "growth.granted" => {
                let value = mul(m.num("contribution"), m.rate("rate"));
                let points = points_for(value, e.price.unwrap());
                if m.has("cap_left") { points.min(m.num("cap_left")) } else { points }
            }
            "share.bought" => floor(m.num("base") * MILLION, m.num("per")),
            "share.granted" => mul(m.num("own"), m.rate("rate")),
            _ => mul(m.num("base"), m.rate("multiple")) * PAR,
        };
        let by_rule = self.grant_by_rule(e, &m.unit, m.generation());
        m.same("granted", granted, by_rule)?;
        let buyer = &self.order(e).member;
        m.same("receiver", Some(m.member()), self.above(buyer, m.generation()))?;
        m.must_be(granted - self.take_netted(m, granted)?)?;
        if m.rule() == "lot.granted" {
            let daily = self.programme.release.as_ref().unwrap().daily;
            m.same("daily", m.num("daily"), mul(m.num("base") * PAR, daily))?;
            self.lots.push(Lot {
                order: e.text("order").to_owned(),
                member: m.member().to_owned(),
                daily: m.num("daily"),
                left: granted,
                day: e.day.clone(),
            });
        }
        self.note_grant(e, &m.unit, m.generation(), granted);
        Ok(())
    }

    fn note_grant(&mut self, e: &Entry, unit: &str, generation: usize, granted: i128) {
        let order = self.orders.get_mut(e.text("order")).unwrap();
        order.grants.push(Grant { unit: unit.to_owned(), generation, granted });
    }

    /// The same by the order and the programme: for grants netted as a whole there is no other
    /// posting than that.
    fn grant_by_rule(&self, e: &Entry, unit: &str, generation: usize) -> i128 {
        let (base, p) = (self.now.parts[0], &self.programme);
        let rate = |own, above: &[i128]| if generation == 0 { own } else { above[generation - 1] };
        match unit {
            "quota" => p.quota.as_ref().map_or(0, |q| mul(base, rate(q.buyer, &q.sponsors))),
            "growth" => p.growth.as_ref().map_or(0, |g| {
                let value = mul(mul(base, g.contribution), rate(g.buyer, &g.sponsors));
                let left = g.issue_cap.map(|cap| (cap - self.issued).max(0));
                let points = points_for(value, e.price.unwrap());
                left.map_or(points, |left| points.min(left))
            }),
            "share" => p
                .share
                .as_ref()
                .map_or(0, |s| mul(floor(base * MILLION, s.per), rate(MILLION, &s.sponsors))),
            _ => p.release.as_ref().map_or(0, |release| {
                let package = release.packages.iter().rev().find(|package| package.price <= base);
                package.map_or(0, |package| mul(base, package.multiple) * PAR)
            }),
        }
    }

    pub fn growth_contributed(&mut self, e: &Entry, m: &Move) -> Checked {
        m.same("base", m.num("base"), self.now.parts[0])?;
        self.orders.get_mut(e.text("order")).unwrap().contribution = m.steps;
        m.must_be(mul(m.num("base"), m.rate("rate")))
    }

    /// Two pairs: less is owed, and where cash is netted, whoever pays pays revenue. `of` is what
    /// the rule comes to; a dividend without quota that is netted as a whole names no dividend and
    /// has no posting of its own, so there `of` is taken as it is.
    pub fn debt_netted(&mut self, e: &Entry, m: &Move) -> Checked {
        let Some(member) = m.from.strip_prefix("debt/") else {
            if !m.from.starts_with("carry/") {
                self.now.sale.push(m.clone());
            }
            return m.must_be(self.now.netted.as_ref().map_or(0, |netted| netted.steps));
        };
        let (of, from) = (m.num("of"), m.text("from").to_owned());
        m.must_be(self.balance(&m.from, &m.unit).min(of))?;
        if m.steps == of && m.unit != "cash" {
            let buyer = &self.order(e).member;
            let generation = (0..).find(|&g| self.above(buyer, g) == Some(member)).unwrap();
            m.same("of", of, self.grant_by_rule(e, &m.unit, generation))?;
            self.note_grant(e, &m.unit, generation, of);
        }
        let (member, unit) = (member.to_owned(), m.unit.clone());
        self.now.netted = Some(Netted { member, unit, from, of, steps: m.steps });
        Ok(())
    }

    /// What was netted just before from what this posting is a part of.
    pub fn take_netted(&mut self, m: &Move, of: i128) -> Result<i128, String> {
        let is_its =
            |n: &mut Netted| n.member == m.member() && n.unit == m.unit && n.from == m.rule();
        let Some(netted) = self.now.netted.take_if(is_its) else { return Ok(0) };
        m.same("of", netted.of, of).map(|()| netted.steps)
    }
}
