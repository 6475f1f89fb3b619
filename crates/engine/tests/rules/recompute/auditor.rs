//! How an auditor goes through an entry: each posting is checked by its rule, then noted.

use engine::{Described, Head, Journal, Posting, State};
use serde_json::Value;

use super::Checked;
use super::arithmetic::{PAR, floor};
use super::entry::{Entry, Move, moves};
use super::known::{Auditor, Now, Order};
use super::refunds::refunded;
use crate::plain::money::rate;
use crate::plain::programme::Programme;

impl Journal for Auditor {
    fn open(&mut self, _: &State, head: &Head<'_>) {
        self.entry = Some(Entry {
            command: serde_json::to_value(head.command).unwrap(),
            day: head.day.to_string(),
            price: head.price.map(|p| (p.numerator().into(), p.denominator().into())),
            postings: Vec::new(),
        });
    }

    fn post(&mut self, state: &State, postings: &[Posting]) {
        let json =
            |of: &Posting| serde_json::to_value(Described { names: state, of: *of }).unwrap();
        self.entry.as_mut().unwrap().postings.extend(postings.iter().map(json));
    }

    fn close(&mut self, _: &State) {
        let entry = self.entry.take().unwrap();
        if let Err(wrong) = self.audit(&entry) {
            let postings: Vec<_> = entry.postings.iter().map(Value::to_string).collect();
            let wrong = format!("{wrong}\n{}\n{}\n", entry.command, postings.join("\n"));
            self.wrong.get_or_insert(wrong);
        }
    }
}

impl Auditor {
    fn audit(&mut self, e: &Entry) -> Checked {
        let moves = moves(&e.postings)?;
        self.now = Now::default();
        self.begin(e)?;
        let mut is_amended = e.kind() != "day.settle";
        for m in &moves {
            // Forced exits of a settlement are by the programme that takes effect with it.
            if m.is_sale() && !is_amended {
                self.amend();
                is_amended = true;
            }
            self.check(e, m)?;
            self.fold(e, m);
        }
        if !is_amended {
            self.amend();
        }
        self.end(e, &moves)
    }

    fn begin(&mut self, e: &Entry) -> Checked {
        let (pool, supply) = self.pool_and_supply();
        if supply > 0 && e.price != Some((pool, supply)) {
            return Err(format!("{:?} at the head, not {pool} / {supply}", e.price));
        }
        match e.kind() {
            "member.join" => {
                let sponsor = e.command["sponsor"].as_str().map(str::to_owned);
                self.sponsors.insert(e.text("member").to_owned(), sponsor);
            }
            "order.pay" => {
                let (stable, reward) = (e.amount("stable"), floor(e.amount("reward"), PAR));
                let paid = [e.amount("amount") - stable - reward, stable, reward];
                let concession = e.command["concession"].as_str().map(|text| rate(text).unwrap());
                let concession = concession.unwrap_or(self.programme.concession);
                let member = e.text("member").to_owned();
                let order = Order { member, concession, paid, left: paid, ..Order::default() };
                self.orders.insert(e.text("order").to_owned(), order);
                self.now.parts = paid;
            }
            "order.complete" => {
                let needs = self.programme.needs();
                let order = self.orders.get_mut(e.text("order")).unwrap();
                order.concession = order.concession.max(needs);
                self.now.parts = order.left;
            }
            "order.refund" => self.now.parts = refunded(e, self.order(e)),
            "programme.amend" => {
                self.pending = Some(Programme::from_json(&e.command["programme"])?);
            }
            _ => {}
        }
        Ok(())
    }

    /// An amendment without growth points waits while some are in supply.
    fn amend(&mut self) {
        let is_supplied = self.pool_and_supply().1 > 0;
        if let Some(programme) = self.pending.take_if(|p| p.growth.is_some() || !is_supplied) {
            self.programme = programme;
        }
    }

    fn fold(&mut self, e: &Entry, m: &Move) {
        let mut add = |account: &str, steps: i128| {
            let units = self.balances.entry(account.to_owned()).or_default();
            *units.entry(m.unit.clone()).or_default() += steps;
        };
        if m.rule() == "settle.other_side" {
            return;
        }
        add(&m.from, -m.steps);
        add(&m.to, m.steps);
        if m.goes("member/", "issuance") && m.unit == "locked" {
            let lot = self.lots.iter_mut().find(|lot| lot.order == m.text("order"));
            lot.unwrap().left -= m.steps;
        }
        let issues = ["growth.granted", "reward.converted", "member.adjusted"].contains(&m.rule());
        if issues && m.unit == "growth" && m.from == "issuance" {
            self.issued += m.steps;
        }
        let alone = m.rule() == "dividend.paid" || m.rule().starts_with("release.");
        if alone && e.kind() == "day.settle" {
            let (other, steps) = match m.to.starts_with("member/") {
                true => (&m.from, -m.steps),
                false => (&m.to, m.steps),
            };
            *self.now.others.entry((other.clone(), m.unit.clone())).or_default() += steps;
        }
    }

    fn end(&mut self, e: &Entry, moves: &[Move]) -> Checked {
        if self.now.due != 0 || self.now.others.values().any(|&steps| steps != 0) {
            return Err("a bonus out of no lot, or another side is missing".into());
        }
        let is_completed = e.kind() == "order.refund" && self.order(e).of > 0;
        if is_completed {
            self.refund_taken_back(e, moves)?;
        }
        let sign = if e.kind() == "order.complete" { 1 } else { -1 };
        if is_completed || sign > 0 {
            self.turnover += sign * self.now.parts[0];
        }
        match e.kind() {
            "order.complete" => {
                let order = self.orders.get_mut(e.text("order")).unwrap();
                order.of = order.left.iter().sum();
            }
            "order.refund" => {
                let order = self.orders.get_mut(e.text("order")).unwrap();
                order.left = std::array::from_fn(|i| order.left[i] - self.now.parts[i]);
            }
            "day.settle" => self.turnover = self.turnover.min(0),
            _ => {}
        }
        Ok(())
    }

    fn check(&mut self, e: &Entry, m: &Move) -> Checked {
        match m.rule() {
            "order.paid" | "order.completed" | "order.refunded" => self.order_part(m),
            "merchant.paid" => self.merchant_paid(e, m),
            "quota.granted" | "growth.granted" | "share.bought" | "share.granted"
            | "lot.granted" => self.granted(e, m),
            "growth.contributed" => self.growth_contributed(e, m),
            "debt.netted" => self.debt_netted(e, m),
            "grant.taken_back" => self.grant_taken_back(e, m),
            "growth.contribution_returned" => self.contribution_returned(e, m),
            "merchant.returned" => self.merchant_returned(e, m),
            // These are computed from the whole refund.
            "grant.owed" | "refund.kept_back" => Ok(()),
            _ if m.is_sale() => self.sold(e, m),
            "growth.pool_emptied" => {
                m.same("supply", self.pool_and_supply().1, 0)?;
                m.must_be(self.balance("pool", "cash"))
            }
            "growth.exchanged" => self.growth_exchanged(e, m),
            "stable.claimed" => self.stable_claimed(e, m),
            "reward.converted" => self.reward_converted(e, m),
            "member.adjusted" => self.member_adjusted(e, m),
            "cash.withdrawn" => m.must_be(e.amount("amount")),
            "release.scheduled" => self.release_scheduled(e, m),
            "release.generation_bonus" => self.generation_bonus(m),
            "release.team_bonus" | "release.peer_bonus" => self.team_bonus(m),
            "release.accelerated" => self.release_accelerated(m),
            "settle.other_side" => {
                let posted = self.now.others.remove(&(m.to.clone(), m.unit.clone()));
                m.must_be(posted.unwrap_or(0))
            }
            "dividend.funded" => self.dividend_funded(m),
            "dividend.paid" => self.dividend_paid(m),
            "dividend.returned" => m.must_be(self.balance(&m.from, "cash")),
            rule => Err(format!("no way to compute {rule}")),
        }
    }
}
