//! Every posting computed again by hand, from what an auditor has: the entry as JSON (its command,
//! its postings, the price at its head), the entries before it, and the programme. Nothing here
//! asks the engine for anything.

use std::collections::BTreeMap;
use std::path::Path;

use engine::{Command, Described, Engine, Head, Journal, Posting, State};
use serde_json::Value;

use crate::plain::Plain;
use crate::plain::money::{rate, signed};
use crate::plain::programme::{Dividend, Programme, Tier};
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream};

type Checked = Result<(), String>;

#[test]
fn postings_can_be_computed_again() {
    run(500, &stream(), |stream| live(&stream));
}

#[test]
fn postings_of_refunds_in_pieces_can_be_computed_again() {
    run(300, &refunds_in_pieces(), |stream| live(&stream));
}

/// All but the long one.
#[test]
fn postings_of_the_worked_cases_can_be_computed_again() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let cases = std::fs::read_dir(golden).unwrap().map(|case| case.unwrap().path());
    let cases: Vec<_> = cases.filter(|case| !case.ends_with("cdnow-growth-cycle")).collect();
    assert!(cases.len() >= 28, "only {} cases found", cases.len());
    for case in cases {
        let text = |file: &str| std::fs::read_to_string(case.join(file)).unwrap();
        let mut audited = Audited::new(&text("programme.toml")).unwrap();
        for line in text("events.jsonl").lines() {
            audited.feed(line, false).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.display()));
        }
    }
}

fn live(stream: &Stream) -> Checked {
    let mut plain = Plain::new(&stream.programme)?;
    let mut audited = Audited::new(&stream.programme)?;
    let mut lines = Vec::new();
    for step in &stream.steps {
        let (json, _) = step.run(&mut plain);
        lines.push(json.to_string());
        audited
            .feed(&json.to_string(), step.raw)
            .map_err(|wrong| format!("{wrong}\n{}\n{}", stream.programme, lines.join("\n")))?;
    }
    Ok(())
}

struct Audited {
    engine: Engine,
    auditor: Auditor,
}

impl Audited {
    fn new(toml: &str) -> Result<Self, String> {
        let programme =
            engine::Programme::from_toml(toml).map_err(|faults| format!("{:?}", faults.0))?;
        let auditor = Auditor { programme: Programme::from_toml(toml)?, ..Auditor::default() };
        Ok(Self { engine: Engine::new(programme, 0), auditor })
    }

    fn feed(&mut self, line: &str, raw: bool) -> Checked {
        let Ok(command) = Command::from_json(line) else { return Ok(()) };
        while let Some(settlement) = self.engine.settlement_due(&command).filter(|_| !raw) {
            if self.engine.apply(&settlement, &mut self.auditor).is_err() {
                break;
            }
        }
        // A refused command makes no entry, so there is nothing to compute.
        let _ = self.engine.apply(&command, &mut self.auditor);
        self.auditor.wrong.clone().map_or(Ok(()), Err)
    }
}

// ---------------------------------------------------------------- arithmetic

const MILLION: i128 = 1_000_000;
/// Micro-points of a fen at par.
const PAR: i128 = 10_000;
/// Fen of the pool by micro-points in supply.
type Price = (i128, i128);

fn mul(amount: i128, rate: i128) -> i128 {
    floor(amount * rate, MILLION)
}

fn floor(a: i128, b: i128) -> i128 {
    a.div_euclid(b)
}

fn ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

fn worth(points: i128, price: Price) -> i128 {
    floor(points * price.0, price.1)
}

fn points_for(fen: i128, price: Price) -> i128 {
    floor(fen * price.1, price.0)
}

/// An amount is always written with all its decimals.
fn steps(text: &str) -> i128 {
    text.replace('.', "").parse().unwrap()
}

// ---------------------------------------------------------------- what an auditor reads

struct Entry {
    command: Value,
    day: String,
    price: Option<Price>,
    postings: Vec<Value>,
}

impl Entry {
    fn kind(&self) -> &str {
        self.command["type"].as_str().unwrap()
    }

    fn text(&self, key: &str) -> &str {
        self.command[key].as_str().unwrap_or("")
    }

    fn amount(&self, key: &str) -> i128 {
        self.command[key].as_str().map_or(0, steps)
    }
}

/// Two postings that belong together. One that a settlement posts alone has its other side added;
/// `settle.other_side` then only says the sum of these.
#[derive(Debug, Clone)]
struct Move {
    from: String,
    to: String,
    unit: String,
    steps: i128,
    why: Value,
}

impl Move {
    fn rule(&self) -> &str {
        self.why["rule"].as_str().unwrap()
    }

    fn text(&self, key: &str) -> &str {
        self.why[key].as_str().unwrap()
    }

    fn has(&self, key: &str) -> bool {
        self.why.get(key).is_some()
    }

    fn num(&self, key: &str) -> i128 {
        match &self.why[key] {
            Value::String(text) => steps(text),
            number => number.as_i64().unwrap_or_else(|| panic!("no {key} in {self:?}")).into(),
        }
    }

    fn rate(&self, key: &str) -> i128 {
        rate(self.text(key)).unwrap()
    }

    /// The buyer where no generation is named.
    fn generation(&self) -> usize {
        self.why["generation"].as_u64().unwrap_or(0) as usize
    }

    fn member(&self) -> &str {
        [&self.from, &self.to].iter().find_map(|a| a.strip_prefix("member/")).unwrap_or("")
    }

    fn is_sale(&self) -> bool {
        let by = if self.rule() == "debt.netted" { self.text("from") } else { self.rule() };
        ["growth.redeemed", "growth.forced_exit", "growth.dust_sold"].contains(&by)
    }

    fn goes(&self, from: &str, to: &str) -> bool {
        self.from.starts_with(from) && self.to.starts_with(to)
    }

    fn must_be(&self, expected: i128) -> Checked {
        self.same("amount", self.steps, expected)
    }

    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, found: T, expected: T) -> Checked {
        if found == expected {
            return Ok(());
        }
        Err(format!("{what}: found {found:?}, computed {expected:?}: {self:?}"))
    }
}

fn moves(postings: &[Value]) -> Result<Vec<Move>, String> {
    let text = |posting: &Value, key: &str| posting[key].as_str().unwrap().to_owned();
    let mut moves = Vec::new();
    let mut rest = postings.iter();
    while let Some(posting) = rest.next() {
        let (account, unit, why) =
            (text(posting, "account"), text(posting, "unit"), posting["why"].clone());
        let amount = steps(&text(posting, "amount"));
        let other = match why["rule"].as_str().unwrap() {
            "settle.other_side" => {
                moves.push(Move { from: String::new(), to: account, unit, steps: amount, why });
                continue;
            }
            "dividend.paid" if unit == "cash" => format!("carry/{}", text(&why, "dividend")),
            rule if rule == "dividend.paid" || rule.starts_with("release.") => "issuance".into(),
            _ => {
                let beside = rest.next().ok_or("a posting alone")?;
                let matches = beside["why"] == why
                    && text(beside, "unit") == unit
                    && steps(&text(beside, "amount")) == -amount;
                matches.then(|| text(beside, "account")).ok_or_else(|| format!("{beside} alone"))?
            }
        };
        let (from, to) = if amount < 0 { (account, other) } else { (other, account) };
        moves.push(Move { from, to, unit, steps: amount.abs(), why });
    }
    Ok(moves)
}

// ---------------------------------------------------------------- what an auditor knows

#[derive(Default)]
struct Auditor {
    entry: Option<Entry>,
    wrong: Option<String>,
    programme: Programme,
    pending: Option<Programme>,
    /// Account, then unit.
    balances: BTreeMap<String, BTreeMap<String, i128>>,
    sponsors: BTreeMap<String, Option<String>>,
    /// Cash and points, in fen.
    volumes: BTreeMap<String, (i128, i128)>,
    orders: BTreeMap<String, Order>,
    lots: Vec<Lot>,
    issued: i128,
    turnover: i128,
    now: Now,
}

/// Cash, stable and reward points, in fen.
type Parts = [i128; 3];

#[derive(Clone, Default)]
struct Order {
    member: String,
    concession: i128,
    paid: Parts,
    left: Parts,
    /// Left at completion.
    of: i128,
    contribution: i128,
    grants: Vec<Grant>,
    /// By the pool.
    returned: i128,
    missing_worth: i128,
    missing_quota: i128,
}

#[derive(Clone)]
struct Grant {
    unit: String,
    generation: usize,
    granted: i128,
}

struct Lot {
    order: String,
    member: String,
    daily: i128,
    left: i128,
    day: String,
}

/// What the postings of this entry have said so far.
#[derive(Default)]
struct Now {
    /// Of the order of the command.
    parts: Parts,
    /// The other sides not posted yet.
    others: BTreeMap<(String, String), i128>,
    netted: Option<Netted>,
    sale: Vec<Move>,
    /// What the pool gave back for the grant that is burnt next.
    returned: i128,
    released: BTreeMap<String, i128>,
    climbed: Option<BTreeMap<String, Climbed>>,
    /// What went out of a lot by schedule, or of a bonus is yet to come out of one.
    due: i128,
    purse: Option<Purse>,
    /// Quota used by a dividend, or taken back out of a lot.
    drawn: i128,
}

struct Netted {
    member: String,
    unit: String,
    from: String,
    of: i128,
    steps: i128,
}

/// A dividend before it is paid, and who can draw, with the shares.
struct Purse {
    dividend: String,
    pool: i128,
    drawers: Vec<i128>,
}

#[derive(Default)]
struct Climbed {
    rate: i128,
    released: i128,
    /// With 12 decimals.
    paid: i128,
    peers: i128,
}

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
        let json = |of: &Posting| serde_json::to_value(Described { state, of: *of }).unwrap();
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
    fn balance(&self, account: &str, unit: &str) -> i128 {
        self.balances.get(account).and_then(|units| units.get(unit)).copied().unwrap_or(0)
    }

    fn held(&self, member: &str, unit: &str) -> i128 {
        self.balance(&format!("member/{member}"), unit)
    }

    fn pool_and_supply(&self) -> Price {
        (self.balance("pool", "cash"), -self.balance("issuance", "growth"))
    }

    fn order(&self, e: &Entry) -> &Order {
        &self.orders[e.text("order")]
    }

    fn upline<'a>(&'a self, member: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(member), |m| self.sponsors[*m].as_deref()).skip(1)
    }

    /// The member itself as generation 0.
    fn above(&self, member: &str, generation: usize) -> Option<&str> {
        let mut chain = std::iter::successors(self.sponsors.get_key_value(member), |(_, above)| {
            above.as_deref().and_then(|above| self.sponsors.get_key_value(above))
        });
        chain.nth(generation).map(|(name, _)| name.as_str())
    }

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
        let [cash, stable, reward] = self.now.parts;
        let is_completed = e.kind() == "order.refund" && self.order(e).of > 0;
        if is_completed {
            self.refund_taken_back(e, moves)?;
        }
        let sign = if e.kind() == "order.complete" { 1 } else { -1 };
        if is_completed || sign > 0 {
            self.turnover += sign * cash;
            let volume = self.volumes.entry(self.order(e).member.clone()).or_default();
            *volume = (volume.0 + sign * cash, volume.1 + sign * (stable + reward));
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

// ---------------------------------------------------------------- orders

/// Stable and reward points in proportion over all refunds, the rest in cash as far as there is.
fn refunded(e: &Entry, order: &Order) -> Parts {
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
    fn order_part(&self, m: &Move) -> Checked {
        let [cash, stable, reward] = self.now.parts;
        m.must_be(match m.unit.as_str() {
            "cash" => cash,
            "stable" => stable,
            _ => reward * PAR,
        })
    }

    fn merchant_paid(&self, e: &Entry, m: &Move) -> Checked {
        let [cash, _, reward] = self.now.parts;
        m.same("worth", m.num("worth"), cash + reward)?;
        m.same("concession", m.rate("concession"), self.order(e).concession)?;
        m.must_be(m.num("worth") - mul(m.num("worth"), m.rate("concession")))
    }

    /// The difference of what it keeps.
    fn merchant_returned(&self, e: &Entry, m: &Move) -> Checked {
        let ([cash, _, reward], left) = (self.now.parts, self.order(e).left);
        let worth = m.num("worth");
        m.same("worth", worth + cash + reward, left[0] + left[2])?;
        let keeps = |worth: i128| worth - mul(worth, m.rate("concession"));
        m.must_be(keeps(worth + cash + reward) - keeps(worth))
    }

    fn granted(&mut self, e: &Entry, m: &Move) -> Checked {
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

    fn growth_contributed(&mut self, e: &Entry, m: &Move) -> Checked {
        m.same("base", m.num("base"), self.now.parts[0])?;
        self.orders.get_mut(e.text("order")).unwrap().contribution = m.steps;
        m.must_be(mul(m.num("base"), m.rate("rate")))
    }

    /// Two pairs: less is owed, and where cash is netted, whoever pays pays revenue. `of` is what
    /// the rule comes to; a dividend without quota that is netted as a whole names no dividend and
    /// has no posting of its own, so there `of` is taken as it is.
    fn debt_netted(&mut self, e: &Entry, m: &Move) -> Checked {
        let Some(member) = m.from.strip_prefix("debt/") else {
            if let Some(dividend) = m.from.strip_prefix("carry/") {
                self.open_purse(dividend);
            } else {
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
    fn take_netted(&mut self, m: &Move, of: i128) -> Result<i128, String> {
        let is_its =
            |n: &mut Netted| n.member == m.member() && n.unit == m.unit && n.from == m.rule();
        let Some(netted) = self.now.netted.take_if(is_its) else { return Ok(0) };
        m.same("of", netted.of, of).map(|()| netted.steps)
    }

    // ------------------------------------------------------------ refunds

    /// Refunded since completion: with this refund, and before.
    fn progress(&self, e: &Entry) -> (i128, i128) {
        let order = self.order(e);
        let before = order.of - order.left.iter().sum::<i128>();
        (before + self.now.parts.iter().sum::<i128>(), before)
    }

    fn grant_taken_back(&mut self, e: &Entry, m: &Move) -> Checked {
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
    fn contribution_returned(&mut self, e: &Entry, m: &Move) -> Checked {
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
    fn refund_taken_back(&mut self, e: &Entry, moves: &[Move]) -> Checked {
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

    // ------------------------------------------------------------ growth points

    /// Cash and quota come first, then the points are burnt, and all of it is computed.
    fn sold(&mut self, e: &Entry, m: &Move) -> Checked {
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

    fn growth_exchanged(&self, e: &Entry, m: &Move) -> Checked {
        let gross = worth(m.num("points"), e.price.unwrap());
        let fee = ceil(gross * self.programme.growth.as_ref().unwrap().exchange_fee, MILLION);
        m.same("gross, fee", (m.num("gross"), m.num("fee")), (gross, fee))?;
        m.must_be(match m.unit.as_str() {
            "growth" => e.amount("points"),
            "stable" => gross - fee,
            _ => gross.min(self.balance(&m.from, "quota")),
        })
    }

    fn stable_claimed(&self, e: &Entry, m: &Move) -> Checked {
        m.same("claim", m.num("amount"), e.amount("amount"))?;
        let points = points_for(m.num("amount"), e.price.unwrap());
        m.must_be(if m.unit == "growth" { points } else { m.num("amount") })
    }

    fn reward_converted(&self, e: &Entry, m: &Move) -> Checked {
        m.same("points", m.num("points"), e.amount("points"))?;
        let cash = floor(m.num("points"), PAR);
        m.must_be(match m.unit.as_str() {
            "reward" => m.num("points"),
            "cash" => cash,
            _ => points_for(cash, e.price.unwrap()),
        })
    }

    /// Added growth points are paid for.
    fn member_adjusted(&self, e: &Entry, m: &Move) -> Checked {
        let amount = signed(e.text("amount"), if e.text("unit") == "quota" { 2 } else { 6 })?;
        m.same("direction", m.to.starts_with("member/") || m.to == "pool", amount > 0)?;
        if m.unit != "cash" {
            return m.must_be(amount.abs());
        }
        let (fen, points) = e.price.unwrap();
        m.must_be(ceil(amount * fen, points))
    }

    // ------------------------------------------------------------ settlement

    fn release_scheduled(&mut self, e: &Entry, m: &Move) -> Checked {
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

    fn generation_bonus(&mut self, m: &Move) -> Checked {
        let is_below = |who: &str| self.above(who, m.generation()) == Some(m.member());
        let below = self.now.released.iter().filter(|(who, _)| is_below(who));
        m.same("released", m.num("released"), below.map(|(_, steps)| steps).sum())?;
        let rates = &self.programme.release.as_ref().unwrap().generations;
        m.same("rate", m.rate("rate"), rates[m.generation() - 1])?;
        self.bonus(m, mul(m.num("released"), m.rate("rate")))
    }

    fn team_bonus(&mut self, m: &Move) -> Checked {
        if self.now.climbed.is_none() {
            self.now.climbed = Some(self.climb());
        }
        let climbed = &self.now.climbed.as_ref().unwrap()[m.member()];
        let (released, rate) = (m.num("released"), m.rate("rate"));
        if m.rule() == "release.peer_bonus" {
            m.same("released", released, climbed.peers)?;
            return self.bonus(m, mul(released, rate));
        }
        let said = (released, rate, m.num("paid"));
        m.same("climbed", said, (climbed.released, climbed.rate, climbed.paid))?;
        self.bonus(m, floor(released * rate - m.num("paid"), MILLION))
    }

    /// Each release climbs to the root by itself.
    fn climb(&self) -> BTreeMap<String, Climbed> {
        let team = self.programme.release.as_ref().and_then(|r| r.team.as_ref()).unwrap();
        let mut volumes: BTreeMap<&str, i128> = BTreeMap::new();
        for (member, (cash, points)) in &self.volumes {
            for above in self.upline(member) {
                *volumes.entry(above).or_default() +=
                    if team.cash_only { *cash } else { cash + points };
            }
        }
        let rate_of = |member: &str| {
            let volume = volumes.get(member).copied().unwrap_or(0);
            team.stars.iter().rev().find(|star| star.volume <= volume).map_or(0, |star| star.rate)
        };
        let mut climbed: BTreeMap<_, _> = self
            .sponsors
            .keys()
            .map(|member| (member.clone(), Climbed { rate: rate_of(member), ..Climbed::default() }))
            .collect();
        for (member, steps) in &self.now.released {
            let (mut paid, mut depth) = (0, 0);
            for above in self.upline(member) {
                let above = climbed.get_mut(above).unwrap();
                if above.rate > paid {
                    above.released += steps;
                    above.paid += paid * steps;
                    (paid, depth) = (above.rate, team.peer_depth);
                } else if above.rate == paid && paid > 0 && depth > 0 {
                    above.peers += steps;
                    depth -= 1;
                }
            }
        }
        climbed
    }

    /// Out of the oldest lot first.
    fn release_accelerated(&mut self, m: &Move) -> Checked {
        let lot = self.lots.iter().find(|lot| lot.member == m.member() && lot.left > 0).unwrap();
        m.same("lot", m.text("order"), lot.order.as_str())?;
        m.must_be(self.now.due.min(lot.left))?;
        self.now.due -= m.steps;
        Ok(())
    }

    fn dividend_funded(&self, m: &Move) -> Checked {
        m.same("turnover", m.num("turnover"), self.turnover.max(0))?;
        m.must_be(mul(m.num("turnover"), m.rate("rate")))
    }

    fn open_purse(&mut self, dividend: &str) {
        if self.now.purse.as_ref().is_some_and(|purse| purse.dividend == dividend) {
            return;
        }
        let needs_quota = self.programme.quota.is_some();
        let can_draw = |member: &&String| !needs_quota || self.held(member, "quota") > 0;
        let drawers = self.sponsors.keys().filter(can_draw).map(|m| self.held(m, "share"));
        let drawers = drawers.filter(|&share| share > 0).collect();
        let pool = self.balance(&format!("carry/{dividend}"), "cash");
        self.now.purse = Some(Purse { dividend: dividend.to_owned(), pool, drawers });
    }

    /// Quota is used by all of it, then debts are netted, then the rest is paid.
    fn dividend_paid(&mut self, m: &Move) -> Checked {
        self.open_purse(m.text("dividend"));
        let purse = self.now.purse.as_ref().unwrap();
        let p = self.programme.dividends.iter().find(|d| d.name == purse.dividend).unwrap();
        let due = if m.has("members") {
            floor(m.num("part"), m.num("members"))
        } else {
            floor(m.num("part") * m.num("share"), m.num("of"))
        };
        self.dividend_inputs(m, p, purse)?;
        let left = self.balance(&format!("carry/{}", purse.dividend), "cash");
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

    fn dividend_inputs(&self, m: &Move, p: &Dividend, purse: &Purse) -> Checked {
        let mut part = purse.pool;
        let mut drawers: Vec<i128> = purse.drawers.clone();
        if p.in_tiers {
            let tier = p.tiers.iter().find(|tier| tier.name == m.text("tier")).unwrap();
            part = mul(if p.of_pool { purse.pool } else { self.turnover.max(0) }, tier.rate);
            drawers.retain(|&share| tier_of(p, share).is_some_and(|t| t.name == tier.name));
        }
        m.same("part", m.num("part"), part)?;
        if m.has("members") {
            return m.same("members", m.num("members"), drawers.len() as i128);
        }
        m.same("share", m.num("share"), self.held(m.member(), "share"))?;
        let everybody = -self.balance("issuance", "share");
        let is_all = p.weights_all && !p.in_tiers;
        m.same("of", m.num("of"), if is_all { everybody } else { drawers.iter().sum() })
    }
}

fn tier_of(p: &Dividend, share: i128) -> Option<&Tier> {
    let tier = p.tiers.iter().rev().find(|tier| tier.min <= share)?;
    tier.max.is_none_or(|max| share <= max).then_some(tier)
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
