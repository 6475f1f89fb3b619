//! Points sold, exchanged, claimed, converted and adjusted, at the price or at par.

use super::Checked;
use super::arithmetic::{MILLION, PAR, ceil, floor, points_for, steps, worth};
use super::entry::{Entry, Move};
use super::known::Auditor;
use crate::plain::money::signed;

impl Auditor {
    /// Cash and quota come first, then the points are burnt, and all of it is computed.
    pub fn sold(&mut self, e: &Entry, m: &Move) -> Checked {
        if !m.has("price") {
            self.now.sale.push(m.clone());
            return Ok(());
        }
        let sale = std::mem::take(&mut self.now.sale);
        let of = |unit: &str, to: &str| -> i128 {
            sale.iter().filter(|m| m.unit == unit && m.to.starts_with(to)).map(|m| m.steps).sum()
        };
        let paid = of("cash", "");
        let price = (
            steps(m.why["price"]["yuan"].as_str().unwrap()),
            steps(m.why["price"]["points"].as_str().unwrap()),
        );
        let (pool, supply) = self.pool_and_supply();
        let is_forced = m.rule() == "growth.forced_exit";
        m.same(
            "price",
            Some(price),
            if is_forced { Some((pool + paid, supply)) } else { e.price },
        )?;
        let gross = worth(m.steps, price);
        let gross = if m.has("quota") { gross.min(m.num("quota")) } else { gross };
        let fee = ceil(gross * self.programme.growth.as_ref().unwrap().redeem_fee, MILLION);
        m.same("net", paid, gross - fee)?;
        let netted = self.now.netted.take_if(|n| n.member == m.member() && n.from == m.rule());
        let netted = netted.map_or(Ok(0), |n| m.same("of", n.of, gross - fee).map(|()| n.steps))?;
        m.same("netted", of("cash", "revenue"), netted)?;
        for part in sale.iter().filter(|part| part.has("gross")) {
            let said = (part.num("points"), part.num("gross"), part.num("fee"));
            part.same("sale", said, (m.steps, gross, fee))?;
        }
        let used = of("quota", "issuance");
        let quota = self.balance(&m.from, "quota") + used;
        if m.has("quota") {
            m.same("quota", m.num("quota"), quota)?;
        }
        let is_limited = self.programme.limited() && !m.member().is_empty();
        let expected = if is_forced { quota } else { gross.min(quota) };
        m.same("quota used", used, if is_limited { expected } else { 0 })?;
        m.must_be(if m.rule() == "growth.redeemed" {
            e.amount("points")
        } else {
            self.balance(&m.from, "growth")
        })
    }

    pub fn growth_exchanged(&self, e: &Entry, m: &Move) -> Checked {
        let gross = worth(m.num("points"), e.price.unwrap());
        let fee = ceil(gross * self.programme.growth.as_ref().unwrap().exchange_fee, MILLION);
        m.same("gross, fee", (m.num("gross"), m.num("fee")), (gross, fee))?;
        m.must_be(match m.unit.as_str() {
            "growth" => e.amount("points"),
            "stable" => gross - fee,
            _ => gross.min(self.balance(&m.from, "quota")),
        })
    }

    pub fn stable_claimed(&self, e: &Entry, m: &Move) -> Checked {
        m.same("claim", m.num("amount"), e.amount("amount"))?;
        let points = points_for(m.num("amount"), e.price.unwrap());
        m.must_be(if m.unit == "growth" { points } else { m.num("amount") })
    }

    pub fn reward_converted(&self, e: &Entry, m: &Move) -> Checked {
        m.same("points", m.num("points"), e.amount("points"))?;
        let cash = floor(m.num("points"), PAR);
        m.must_be(match m.unit.as_str() {
            "reward" => m.num("points"),
            "cash" => cash,
            _ => points_for(cash, e.price.unwrap()),
        })
    }

    /// Added growth points are paid for.
    pub fn member_adjusted(&self, e: &Entry, m: &Move) -> Checked {
        let amount = signed(e.text("amount"), if e.text("unit") == "quota" { 2 } else { 6 })?;
        m.same("direction", m.to.starts_with("member/") || m.to == "pool", amount > 0)?;
        if m.unit != "cash" {
            return m.must_be(amount.abs());
        }
        let (fen, points) = e.price.unwrap();
        m.must_be(ceil(amount * fen, points))
    }
}
