//! Refunds: how the amount is split, what is taken back, and what is kept back or owed for it.

use super::Checked;
use super::arithmetic::{PAR, ceil, floor, mul, worth};
use super::entry::{Entry, Move};
use super::known::{Auditor, Order, Parts};

/// Stable and reward points in proportion over all refunds, the rest in cash as far as there is.
pub fn refunded(e: &Entry, order: &Order) -> Parts {
    let (amount, left) = (order.paid.iter().sum::<i128>(), order.left.iter().sum::<i128>());
    let asked = if e.command.get("amount").is_some() { e.amount("amount") } else { left };
    let due = |i: usize, most: i128| {
        let target = floor(order.paid[i] * (amount - left + asked), amount);
        (target - (order.paid[i] - order.left[i])).max(0).min(most)
    };
    let stable = due(1, asked);
    let reward = due(2, asked - stable);
    let cash = asked - stable - reward;
    let excess = (cash - order.left[0]).max(0);
    let more = excess.min(order.left[1] - stable);
    [cash - excess, stable + more, reward + excess - more]
}

impl Auditor {
    /// The difference of what it keeps.
    pub fn merchant_returned(&self, e: &Entry, m: &Move) -> Checked {
        let ([cash, _, reward], left) = (self.now.parts, self.order(e).left);
        let worth = m.num("worth");
        m.same("worth", worth + cash + reward, left[0] + left[2])?;
        let keeps = |worth: i128| worth - mul(worth, m.rate("concession"));
        m.must_be(keeps(worth + cash + reward) - keeps(worth))
    }

    /// Refunded since completion: with this refund, and before.
    fn progress(&self, e: &Entry) -> (i128, i128) {
        let order = self.order(e);
        let before = order.of - order.left.iter().sum::<i128>();
        (before + self.now.parts.iter().sum::<i128>(), before)
    }

    pub fn grant_taken_back(&mut self, e: &Entry, m: &Move) -> Checked {
        let order = self.order(e);
        let (granted, of) = (m.num("granted"), m.num("of"));
        m.same("refunded", (m.num("refunded"), m.num("before")), self.progress(e))?;
        m.same("of", of, order.of)?;
        let due = floor(granted * m.num("refunded"), of) - floor(granted * m.num("before"), of);
        let held = self.balance(&m.from, &m.unit);
        match m.unit.as_str() {
            "locked" => {
                let lot = self.lots.iter().find(|lot| lot.order == e.text("order")).unwrap();
                self.now.drawn = due.min(lot.left);
                m.must_be(due.min(lot.left))
            }
            "reward" => m.must_be((due - std::mem::take(&mut self.now.drawn)).min(held)),
            "growth" => {
                let (pool, supply) = self.pool_and_supply();
                let back = self.now.returned;
                let part = floor(order.contribution * m.num("refunded"), of);
                let most = worth(m.steps, (pool + back, supply));
                m.same("returned", back, most.min(part - (order.returned - back)).max(0))?;
                self.now.returned = 0;
                m.must_be(due.min(held))
            }
            _ => m.must_be(due.min(held)),
        }
    }

    /// By the price just before the points are burnt, which is that of pool and supply now.
    pub fn contribution_returned(&mut self, e: &Entry, m: &Move) -> Checked {
        let (points, contribution) = (m.num("points"), m.num("contribution"));
        let order = self.order(e);
        m.same("before", m.num("before"), order.returned)?;
        let part = floor(order.contribution * self.progress(e).0, order.of);
        m.same("contribution", contribution, part)?;
        m.must_be(worth(points, self.pool_and_supply()).min(contribution - m.num("before")))?;
        self.now.returned = m.steps;
        self.orders.get_mut(e.text("order")).unwrap().returned += m.steps;
        Ok(())
    }

    /// Of every grant, what was taken back and what is owed or missing are what is due.
    pub fn refund_taken_back(&mut self, e: &Entry, moves: &[Move]) -> Checked {
        let mut order = self.order(e).clone();
        let (now, before) = self.progress(e);
        let kept_before = order.missing_worth.max(order.missing_quota);
        let mut missing_reward = 0;
        for grant in &order.grants {
            let part = |refunded| floor(grant.granted * refunded, order.of);
            let due = part(now) - part(before);
            let is_its = |m: &&Move| {
                let unit = if m.unit == "reward" { "locked" } else { &m.unit };
                unit == grant.unit && m.generation() == grant.generation
            };
            let of_rule =
                |rule: &'static str| moves.iter().filter(move |m| m.rule() == rule).filter(is_its);
            let taken: i128 = of_rule("grant.taken_back").map(|m| m.steps).sum();
            for m in of_rule("grant.taken_back") {
                m.same("granted", m.num("granted"), grant.granted)?;
            }
            match (grant.unit.as_str(), grant.generation) {
                ("quota", 0) => order.missing_quota += due - taken,
                ("growth", 0) => {
                    let (fen, points) = e.price.unwrap();
                    order.missing_worth += ceil((due - taken) * fen, points);
                }
                ("locked", _) => missing_reward += ceil(due - taken, PAR),
                _ => {
                    let owed: i128 = of_rule("grant.owed").map(|m| m.steps).sum();
                    if owed != due - taken {
                        return Err(format!("{due} due, {taken} taken back, {owed} owed"));
                    }
                    for m in of_rule("grant.owed") {
                        m.same("due", m.num("due"), due)?;
                    }
                }
            }
        }
        let keep = order.missing_worth.max(order.missing_quota) - kept_before + missing_reward;
        refund_kept_back(&order, kept_before, missing_reward, keep, self.now.parts[0], moves)?;
        self.orders.insert(e.text("order").to_owned(), order);
        Ok(())
    }
}

/// Out of the cash refund as far as it covers it; the rest is owed.
fn refund_kept_back(
    order: &Order,
    before: i128,
    reward: i128,
    keep: i128,
    cash: i128,
    moves: &[Move],
) -> Checked {
    let (mut kept, mut owed) = (0, 0);
    for m in moves.iter().filter(|m| m.rule() == "refund.kept_back") {
        let (worth, quota) = (m.num("points_worth"), m.num("quota"));
        let said = (worth, quota, m.num("before"), m.num("reward_worth"));
        m.same("kept", said, (order.missing_worth, order.missing_quota, before, reward))?;
        let computed = worth.max(quota) - m.num("before") + m.num("reward_worth");
        if m.goes("receivable", "debt/") {
            owed += m.steps;
            m.must_be(computed - computed.min(cash))?;
        } else {
            kept += m.steps;
            m.must_be(computed.min(cash))?;
        }
    }
    if kept + owed == keep { Ok(()) } else { Err(format!("{kept} kept, {owed} owed of {keep}")) }
}
