//! Symbolic commands, how they are drawn, and how they become JSON.

use super::programmes;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

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
