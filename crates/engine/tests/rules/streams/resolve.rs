//! What a symbolic step stands for in the state the plain model is in.

use serde_json::{Value, json};

use super::steps::{Action, Amount, Pay, Pick, Step, Who};
use crate::plain::Plain;
use crate::plain::book::{Account, Name, Unit};
use crate::plain::money::{PAR, show};

impl Step {
    /// The command this step stands for, in the state of the model.
    pub fn resolve(&self, plain: &Plain) -> Value {
        let mut command = self.action.resolve(plain);
        let day = plain.open_day.unwrap_or(jiff::civil::date(2026, 1, 1));
        let settles = command["type"] == "day.settle";
        let days = if settles { 1 } else { i64::from(self.days) };
        command["at"] = json!(moment(day.saturating_add(jiff::Span::new().days(days)), self.clock));
        command
    }

    /// Resolves the step and applies it; gives back the command and what came of it.
    pub fn run(&self, plain: &mut Plain) -> (Value, Result<(), String>) {
        let command = self.resolve(plain);
        let outcome = if self.raw { plain.apply(&command) } else { plain.feed(&command) };
        (command, outcome)
    }
}

/// A moment on the business day (UTC+8).
fn moment(day: jiff::civil::Date, clock: u8) -> String {
    let before = day.saturating_sub(jiff::Span::new().days(1));
    match clock {
        0 => format!("{day}T09:00:00+08:00"),
        1 => format!("{day}T00:00:00+08:00"),
        2 => format!("{day}T15:59:59Z"),
        3 => format!("{before}T16:00:00Z"),
        4 => format!("{day}T12:34:56.789+08:00"),
        _ => format!("{before}T11:00:00-05:00"),
    }
}

fn nth<T: Clone>(list: &[T], n: u8) -> Option<T> {
    if list.is_empty() { None } else { Some(list[n as usize % list.len()].clone()) }
}

/// The n-th member; 255 is the latest.
fn member(plain: &Plain, who: Who) -> String {
    match who {
        Some(255) => plain.members.last().map(|m| m.to_string()),
        Some(n) => nth(&plain.members, n).map(|m| m.to_string()),
        None => None,
    }
    .unwrap_or_else(|| "nobody".to_string())
}

fn merchant(plain: &Plain, who: Who) -> String {
    who.and_then(|n| nth(&plain.merchants, n)).map_or("ghost".to_string(), |m| m.to_string())
}

/// The n-th of those who hold some of the unit, as account; the n-th of all when nobody does.
fn holder(plain: &Plain, unit: Unit, who: Who, of_merchants: bool) -> (String, i128) {
    let names: &[Name] = if of_merchants { &plain.merchants } else { &plain.members };
    let account = |name: &Name| match of_merchants {
        true => Account::Merchant(name.clone()),
        false => Account::Member(name.clone()),
    };
    let balance = |name: &Name| plain.balance(unit, &account(name));
    let holders: Vec<Name> = names.iter().filter(|n| balance(n) > 0).cloned().collect();
    match who {
        Some(n) => match nth(&holders, n) {
            Some(name) => (name.to_string(), balance(&name)),
            None if of_merchants => (merchant(plain, who), 0),
            None => (member(plain, who), 0),
        },
        None => ("nobody".to_string(), 0),
    }
}

fn any_holder(plain: &Plain, unit: Unit, of_merchants: bool) -> bool {
    holder(plain, unit, Some(0), of_merchants).1 > 0
}

impl Amount {
    /// As text, of `held` smallest parts; a part is rounded down to `step` of them.
    fn text(&self, held: i128, unit: Unit, step: i128) -> String {
        let number = match self {
            Amount::Fixed(text) => return text.clone(),
            Amount::Part(p) => held * i128::from(*p) / 1000 / step * step,
            Amount::All => held / step * step,
            Amount::AllButOne => (held - step) / step * step,
            Amount::OneTooMany => held / step * step + step,
        };
        show(number, unit.decimals())
    }
}

impl Action {
    fn resolve(&self, plain: &Plain) -> Value {
        if !self.possible(plain) {
            return fallback(plain).resolve(plain);
        }
        match self {
            Action::Join { sponsor, sponsored, again } => join(plain, *sponsor, *sponsored, *again),
            Action::JoinMerchant { again } => {
                let number =
                    plain.merchants.len() - usize::from(*again && !plain.merchants.is_empty());
                json!({"type": "merchant.join", "merchant": format!("s{number}")})
            }
            Action::Pay(pay) => pay.resolve(plain),
            Action::Complete { which, kind } => {
                json!({"type": "order.complete", "order": order(plain, *which, *kind)})
            }
            Action::Refund { which, kind, amount } => refund(plain, *which, *kind, amount.as_ref()),
            Action::Redeem { who, merchant, points } => {
                let (name, held) = holder(plain, Unit::Growth, *who, *merchant);
                let points = points.text(held, Unit::Growth, 1);
                json!({"type": "growth.redeem", kind_of(*merchant): name, "points": points})
            }
            Action::Exchange { who, points } => {
                let (name, held) = holder(plain, Unit::Growth, *who, false);
                json!({"type": "growth.exchange", "member": name, "points": points.text(held, Unit::Growth, 1)})
            }
            Action::Claim { who, amount } => {
                let (name, held) = holder(plain, Unit::Stable, *who, true);
                json!({"type": "stable.claim", "merchant": name, "amount": amount.text(held, Unit::Stable, 1)})
            }
            Action::Convert { who, points } => {
                let (name, held) = holder(plain, Unit::Reward, *who, false);
                json!({"type": "reward.convert", "member": name, "points": points.text(held, Unit::Reward, PAR)})
            }
            Action::Adjust { who, unit, minus, amount, reason } => {
                adjusted(plain, *who, *unit, *minus, amount, *reason)
            }
            Action::Withdraw { who, merchant, amount } => {
                let (name, held) = holder(plain, Unit::Cash, *who, *merchant);
                let amount = amount.text(held, Unit::Cash, 1);
                json!({"type": "cash.withdraw", kind_of(*merchant): name, "amount": amount})
            }
            Action::Amend(programme) => json!({"type": "programme.amend", "programme": programme}),
            Action::Settle { wrong_day } => {
                let day = plain.open_day.unwrap_or(jiff::civil::date(2026, 1, 1));
                let day = if *wrong_day { day.tomorrow().unwrap() } else { day };
                json!({"type": "day.settle", "day": day.to_string()})
            }
        }
    }

    /// Whether there is anything the step could be about.
    fn possible(&self, plain: &Plain) -> bool {
        let growth = plain.programme.growth.is_some();
        match self {
            Action::Complete { which, kind } => {
                *kind == Pick::Unknown || found(plain, *which, *kind).is_some()
            }
            Action::Refund { which, kind, .. } => {
                *kind == Pick::Unknown || found(plain, *which, *kind).is_some()
            }
            Action::Redeem { merchant, .. } => any_holder(plain, Unit::Growth, *merchant),
            Action::Exchange { .. } => any_holder(plain, Unit::Growth, false),
            Action::Claim { .. } => growth && any_holder(plain, Unit::Stable, true),
            // Now and then all the same, where the programme has it not.
            Action::Convert { who, .. } => {
                let on = growth && plain.programme.convert;
                any_holder(plain, Unit::Reward, false) && (on || who.is_some_and(|n| n % 16 == 1))
            }
            Action::Withdraw { merchant, .. } => any_holder(plain, Unit::Cash, *merchant),
            _ => true,
        }
    }
}

fn kind_of(merchant: bool) -> &'static str {
    if merchant { "merchant" } else { "member" }
}

/// What happens instead of a step that nothing can be done about: an order is completed, or paid.
fn fallback(plain: &Plain) -> Action {
    if found(plain, 0, Pick::Open).is_some() {
        return Action::Complete { which: 0, kind: Pick::Open };
    }
    let turn = (plain.orders.len() % 200) as u8;
    Action::Pay(Pay {
        member: Some(turn),
        amount: format!("{}.00", 10 + 37 * u32::from(turn) % 500),
        merchant: if turn.is_multiple_of(2) { Some(Some(turn)) } else { None },
        stable: None,
        reward: None,
        concession: None,
        almost_all: None,
        again: false,
    })
}

fn join(plain: &Plain, sponsor: Who, sponsored: bool, again: bool) -> Value {
    let number = plain.members.len() - usize::from(again && !plain.members.is_empty());
    let mut command = json!({"type": "member.join", "member": format!("m{number}")});
    if sponsor.is_none() {
        command["sponsor"] = json!("nobody");
    } else if sponsored && !plain.members.is_empty() {
        command["sponsor"] = json!(member(plain, sponsor));
    }
    command
}

/// The order a step is about, if there is one.
fn found(plain: &Plain, which: u8, kind: Pick) -> Option<String> {
    let open = |n: &&Name| {
        plain.orders[&**n].completion.is_none() && !plain.orders[&**n].wholly_refunded()
    };
    let done = |n: &&Name| {
        plain.orders[&**n].completion.is_some() && !plain.orders[&**n].wholly_refunded()
    };
    let mut all: Vec<&Name> = plain.orders.keys().collect();
    all.sort_by_key(|n| (n.len(), n.to_string()));
    let list: Vec<&Name> = match kind {
        Pick::Open => all.into_iter().filter(open).collect(),
        Pick::Completed => all.into_iter().filter(done).collect(),
        Pick::LatestCompleted => all.into_iter().rfind(done).into_iter().collect(),
        Pick::Latest => all.into_iter().rfind(open).into_iter().collect(),
        Pick::Any => all,
        Pick::Unknown => Vec::new(),
    };
    nth(&list, which).map(|n| n.to_string())
}

fn order(plain: &Plain, which: u8, kind: Pick) -> String {
    found(plain, which, kind).unwrap_or_else(|| "x".to_string())
}

fn refund(plain: &Plain, which: u8, kind: Pick, amount: Option<&Amount>) -> Value {
    let number = order(plain, which, kind);
    let mut command = json!({"type": "order.refund", "order": number});
    if let Some(amount) = amount {
        let left = plain.orders.get(number.as_str()).map_or(0, |order| order.left().sum());
        command["amount"] = json!(amount.text(left, Unit::Cash, 1));
    }
    command
}

fn adjusted(
    plain: &Plain,
    who: Who,
    unit: u8,
    minus: bool,
    amount: &Amount,
    reason: bool,
) -> Value {
    let (word, unit) = match unit {
        0 => ("growth", Unit::Growth),
        1 => ("quota", Unit::Quota),
        2 => ("share", Unit::Share),
        3 => ("reward", Unit::Reward),
        _ => ("stable", Unit::Stable),
    };
    let minus = minus && any_holder(plain, unit, false);
    let (name, held) = match minus {
        true => holder(plain, unit, who, false),
        false => (member(plain, who), 10_i128.pow(unit.decimals() + 1)),
    };
    let text = amount.text(held, unit, 1);
    let text = if minus { format!("-{text}") } else { text };
    let reason = if reason { "mistake" } else { "" };
    json!({"type": "member.adjust", "member": name, "unit": word, "amount": text, "reason": reason, "operator": "ops1"})
}

impl Pay {
    fn resolve(&self, plain: &Plain) -> Value {
        let number = plain.orders.len() - usize::from(self.again && !plain.orders.is_empty());
        let name = self.payer(plain);
        let mut command = json!({"type": "order.pay", "order": format!("o{number}"), "member": name, "amount": self.amount});
        let wanted = self.almost_all.map(|_| Some(0));
        if let Some(who) = self.merchant.or(wanted) {
            command["merchant"] = json!(merchant(plain, who));
        }
        if let Some(concession) = &self.concession {
            command["concession"] = json!(concession);
        }
        self.put_parts(&mut command, plain, &name);
        command
    }

    /// Whoever has points to pay with comes forward when points are to be used.
    fn payer(&self, plain: &Plain) -> String {
        let has = |unit: Unit, name: &Name| plain.member_balance(unit, name) > 0;
        let both: Vec<Name> = plain
            .members
            .iter()
            .filter(|m| has(Unit::Stable, m) && has(Unit::Reward, m))
            .cloned()
            .collect();
        let almost_all = self.almost_all.is_some();
        let (stable, reward) =
            (self.stable.is_some() || almost_all, self.reward.is_some() || almost_all);
        if stable
            && reward
            && let Some(name) = self.member.and_then(|n| nth(&both, n))
        {
            return name.to_string();
        }
        if stable && any_holder(plain, Unit::Stable, false) {
            return holder(plain, Unit::Stable, self.member, false).0;
        }
        if reward && any_holder(plain, Unit::Reward, false) {
            return holder(plain, Unit::Reward, self.member, false).0;
        }
        member(plain, self.member)
    }

    fn put_parts(&self, command: &mut Value, plain: &Plain, name: &str) {
        let account = Account::Member(name.into());
        let stable_held = plain.balance(Unit::Stable, &account);
        let reward_held = plain.balance(Unit::Reward, &account) / PAR;
        if let Some((of_stable, of_reward, cash)) = self.almost_all
            && stable_held + reward_held > 0
        {
            let stable = stable_held * i128::from(of_stable) / 1000;
            let reward = reward_held * i128::from(of_reward) / 1000;
            let amount = stable + reward + i128::from(cash);
            let reward = reward.min(amount * plain.programme.usage.min(1_000_000) / 1_000_000);
            command["amount"] = json!(show(amount, 2));
            command["stable"] = json!(show(stable, 2));
            command["reward"] = json!(show(reward, 2));
            return;
        }
        let amount = crate::plain::money::amount(&self.amount, 2).unwrap_or(0);
        let most = amount.saturating_mul(plain.programme.usage) / 1_000_000;
        let worth = reward_held.min(most).min(amount);
        let mut left = amount;
        if let Some(reward) = &self.reward
            && (worth > 0
                || matches!(reward, Amount::Fixed(_)) && self.member.is_some_and(|n| n % 8 == 1))
        {
            command["reward"] = json!(reward.text(worth * PAR, Unit::Reward, PAR));
            left = (left - worth).max(0);
        }
        let held = stable_held.min(left);
        if let Some(stable) = &self.stable
            && (held > 0 && self.merchant.is_some() || self.member.is_some_and(|n| n % 16 == 1))
        {
            command["stable"] = json!(stable.text(held, Unit::Stable, 1));
        }
    }
}
