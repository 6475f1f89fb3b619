//! Symbolic commands, how they are drawn, and how they become JSON.

use super::programmes;
use crate::plain::Plain;
use crate::plain::book::{Account, Name, Unit};
use crate::plain::money::{PAR, show};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Step {
    /// Days after the open day (-1: the day before).
    pub days: i8,
    /// How the time of day is written.
    pub clock: u8,
    /// Applied without the settlements that are missing (`day_not_settled` if there are any).
    pub raw: bool,
    pub action: Action,
}

/// How much, of what there is.
#[derive(Clone, Debug)]
pub enum Amount {
    /// Thousandths of it.
    Part(u16),
    All,
    /// All but the smallest part, all and the smallest part.
    AllButOne,
    OneTooMany,
    Fixed(String),
}

/// Who: `Some(n)` the n-th that qualifies, `None` somebody unknown.
pub type Who = Option<u8>;

#[derive(Clone, Debug)]
pub enum Action {
    Join { sponsor: Who, sponsored: bool, again: bool },
    JoinMerchant { again: bool },
    Pay(Pay),
    Complete { which: u8, kind: Pick },
    Refund { which: u8, kind: Pick, amount: Option<Amount> },
    Redeem { who: Who, merchant: bool, points: Amount },
    Exchange { who: Who, points: Amount },
    Claim { who: Who, amount: Amount },
    Convert { who: Who, points: Amount },
    Adjust { who: Who, unit: u8, minus: bool, amount: Amount, reason: bool },
    Withdraw { who: Who, merchant: bool, amount: Amount },
    Amend(Value),
    Settle { wrong_day: bool },
}

#[derive(Clone, Debug)]
pub struct Pay {
    pub member: Who,
    pub amount: String,
    pub merchant: Option<Who>,
    pub stable: Option<Amount>,
    pub reward: Option<Amount>,
    pub concession: Option<String>,
    /// Paid with points almost wholly: thousandths of the stable and of the reward points held,
    /// and fen of cash besides.
    pub almost_all: Option<(u16, u16, u8)>,
    pub again: bool,
}

/// Which orders a step picks from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    Open,
    Completed,
    LatestCompleted,
    Latest,
    Any,
    Unknown,
}

#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Deep,
    Wide,
    Mixed,
}

// ---------------------------------------------------------------- drawing

const BAD_TEXTS: [&str; 16] = [
    "0",
    "0.00",
    "-1",
    "-0",
    "abc",
    "",
    "1e3",
    "+5",
    ".5",
    "5.",
    "1,000",
    " 1",
    "0.0000001",
    "１",
    "0x10",
    "1.005",
];
const HUGE: [&str; 6] = [
    "92233720368547758.07",
    "92233720368547758.08",
    "9223372036854.775807",
    "9223372036854.775808",
    "99999999999999999999999999",
    "4611686018427387.9",
];
const SMALL: [&str; 7] = ["0.01", "1.00", "1", "0.02", "0.000001", "0.99", "10"];

fn text_from(list: &'static [&'static str]) -> BoxedStrategy<String> {
    select(list.to_vec()).prop_map(str::to_string).boxed()
}

fn fixed() -> BoxedStrategy<String> {
    prop_oneof![6 => text_from(&SMALL), 4 => text_from(&BAD_TEXTS), 1 => text_from(&HUGE)].boxed()
}

fn amount() -> BoxedStrategy<Amount> {
    prop_oneof![
        10 => (1_u16..1000).prop_map(Amount::Part),
        5 => Just(Amount::All),
        4 => Just(Amount::AllButOne),
        1 => Just(Amount::OneTooMany),
        3 => fixed().prop_map(Amount::Fixed),
    ]
    .boxed()
}

fn who() -> BoxedStrategy<Who> {
    prop_oneof![60 => any::<u8>().prop_map(Some), 1 => Just(None)].boxed()
}

fn price_text() -> BoxedStrategy<String> {
    let fen =
        |range: std::ops::Range<u64>| range.prop_map(|f| format!("{}.{:02}", f / 100, f % 100));
    prop_oneof![
        8 => fen(100..20_000),
        6 => fen(1_000..2_000_000),
        3 => fen(1..200),
        6 => text_from(&["10.00", "100.00", "1000.00", "3000.00", "333.33", "1.00", "0.01", "9", "50.5"]),
    ]
    .boxed()
}

fn pay() -> BoxedStrategy<Action> {
    let sum = prop_oneof![120 => price_text(), 4 => text_from(&BAD_TEXTS), 1 => text_from(&HUGE)];
    let concession = prop_oneof![
        20 => Just(None),
        3 => Just(Some("100%".to_string())),
        2 => text_from(&["60%", "80.5%", "0.9x", "30%"]).prop_map(Some),
        1 => text_from(&["0%", "100.0001%", "abc", "-5%", "50", "99999999999999999999%"]).prop_map(Some),
    ];
    (
        who(),
        sum,
        prop::option::weighted(0.55, who()),
        prop::option::weighted(0.4, amount()),
        prop::option::weighted(0.4, amount()),
        concession,
        prop::option::weighted(0.2, (0_u16..=1000, 0_u16..=1000, 0_u8..5)),
        prop::bool::weighted(0.01),
    )
        .prop_map(|(member, amount, merchant, stable, reward, concession, almost_all, again)| {
            Action::Pay(Pay {
                member,
                amount,
                merchant,
                stable,
                reward,
                concession,
                almost_all,
                again,
            })
        })
        .boxed()
}

fn pick_to_complete() -> BoxedStrategy<Pick> {
    prop_oneof![30 => Just(Pick::Open), 20 => Just(Pick::Latest), 1 => Just(Pick::Any), 1 => Just(Pick::Unknown)].boxed()
}

fn pick_to_refund() -> BoxedStrategy<Pick> {
    prop_oneof![
        10 => Just(Pick::Open), 30 => Just(Pick::Completed), 20 => Just(Pick::LatestCompleted),
        10 => Just(Pick::Latest), 1 => Just(Pick::Any),
        1 => Just(Pick::Unknown),
    ]
    .boxed()
}

fn refund_amount() -> BoxedStrategy<Option<Amount>> {
    prop_oneof![
        2 => Just(None),
        6 => (1_u16..1000).prop_map(|p| Some(Amount::Part(p))),
        1 => Just(Some(Amount::AllButOne)),
        3 => text_from(&["1.00", "1.01", "2.50", "10.00", "0.99", "100.00"]).prop_map(|t| Some(Amount::Fixed(t))),
        1 => amount().prop_map(Some),
    ]
    .boxed()
}

fn adjust() -> BoxedStrategy<Action> {
    (
        who(),
        prop_oneof![30 => 0_u8..4, 15 => Just(3), 1 => Just(4)],
        any::<bool>(),
        amount(),
        prop::bool::weighted(0.97),
    )
        .prop_map(|(who, unit, minus, amount, reason)| Action::Adjust {
            who,
            unit,
            minus,
            amount,
            reason,
        })
        .boxed()
}

fn action() -> BoxedStrategy<Action> {
    let amend = prop_oneof![4 => programmes::valid(), 1 => programmes::faulty()];
    prop_oneof![
        48 => pay(),
        48 => (any::<u8>(), pick_to_complete()).prop_map(|(which, kind)| Action::Complete { which, kind }),
        24 => (any::<u8>(), pick_to_refund(), refund_amount())
            .prop_map(|(which, kind, amount)| Action::Refund { which, kind, amount }),
        16 => (who(), prop::bool::weighted(0.3), amount())
            .prop_map(|(who, merchant, points)| Action::Redeem { who, merchant, points }),
        14 => (who(), amount()).prop_map(|(who, points)| Action::Exchange { who, points }),
        8 => (who(), amount()).prop_map(|(who, amount)| Action::Claim { who, amount }),
        8 => (who(), amount()).prop_map(|(who, points)| Action::Convert { who, points }),
        12 => adjust(),
        8 => (who(), any::<bool>(), amount())
            .prop_map(|(who, merchant, amount)| Action::Withdraw { who, merchant, amount }),
        2 => amend.prop_map(Action::Amend),
        8 => prop::bool::weighted(0.05).prop_map(|wrong_day| Action::Settle { wrong_day }),
        4 => joining_action(Shape::Mixed),
        2 => prop::bool::weighted(0.3).prop_map(|again| Action::JoinMerchant { again }),
    ]
    .boxed()
}

fn joining_action(shape: Shape) -> BoxedStrategy<Action> {
    let sponsor = match shape {
        Shape::Deep => prop_oneof![9 => Just(Some(255)), 1 => any::<u8>().prop_map(Some)].boxed(),
        Shape::Wide => {
            prop_oneof![9 => (0_u8..2).prop_map(Some), 1 => any::<u8>().prop_map(Some)].boxed()
        }
        Shape::Mixed => {
            prop_oneof![40 => any::<u8>().prop_map(Some), 20 => Just(Some(255)), 1 => Just(None)]
                .boxed()
        }
    };
    (sponsor, prop::bool::weighted(0.9), prop::bool::weighted(0.01))
        .prop_map(|(sponsor, sponsored, again)| Action::Join { sponsor, sponsored, again })
        .boxed()
}

fn at_once(action: Action) -> Step {
    Step { days: 0, clock: 0, raw: false, action }
}

pub fn joining(shape: Shape) -> BoxedStrategy<Step> {
    joining_action(shape).prop_map(at_once).boxed()
}

pub fn merchant_joining() -> BoxedStrategy<Step> {
    Just(at_once(Action::JoinMerchant { again: false })).boxed()
}

pub fn any_step() -> BoxedStrategy<Step> {
    let days =
        prop_oneof![300 => Just(0_i8), 24 => Just(1), 4 => 2_i8..5, 1 => 10_i8..40, 2 => Just(-1)];
    (days, 0_u8..6, prop::bool::weighted(0.02), action())
        .prop_map(|(days, clock, raw, action)| Step { days, clock, raw, action })
        .boxed()
}

/// One member with growth, stable and reward points, and a merchant.
pub fn holders_of_points() -> Vec<Step> {
    let plain_pay = Pay {
        member: Some(0),
        amount: "1000.00".to_string(),
        merchant: None,
        stable: None,
        reward: None,
        concession: None,
        almost_all: None,
        again: false,
    };
    let actions = vec![
        Action::Join { sponsor: Some(0), sponsored: false, again: false },
        Action::JoinMerchant { again: false },
        Action::Pay(plain_pay),
        Action::Complete { which: 0, kind: Pick::Open },
        Action::Exchange { who: Some(0), points: Amount::Part(300) },
        Action::Adjust {
            who: Some(0),
            unit: 3,
            minus: false,
            amount: Amount::Fixed("100".into()),
            reason: true,
        },
    ];
    actions.into_iter().map(at_once).collect()
}

/// An order paid with points almost wholly, completed at some time, and refunded in pieces.
pub fn paid_with_points() -> BoxedStrategy<Vec<Step>> {
    let piece = prop_oneof![
        6 => text_from(&["1.00", "1.01", "1.03", "1.07", "2.00"]).prop_map(|t| Some(Amount::Fixed(t))),
        2 => (1_u16..1000).prop_map(|p| Some(Amount::Part(p))),
        1 => Just(None),
    ];
    ((0_u16..60, 0_u16..60, 0_u8..5), prop::collection::vec(piece, 1..=5), 0_usize..4)
        .prop_map(|(almost_all, pieces, completed_after)| {
            let pay = Pay {
                member: Some(0),
                amount: "1.00".to_string(),
                merchant: Some(Some(0)),
                stable: None,
                reward: None,
                concession: None,
                almost_all: Some(almost_all),
                again: false,
            };
            let mut actions = vec![Action::Pay(pay)];
            for (i, amount) in pieces.into_iter().enumerate() {
                if i == completed_after {
                    actions.push(Action::Complete { which: 0, kind: Pick::Latest });
                }
                let kind = if i < completed_after { Pick::Latest } else { Pick::LatestCompleted };
                actions.push(Action::Refund { which: 0, kind, amount });
            }
            actions.into_iter().map(at_once).collect()
        })
        .boxed()
}

// ---------------------------------------------------------------- resolving

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
