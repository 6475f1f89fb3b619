//! A stream of commands under a programme of all three models, and what it comes to when nothing
//! happens to it: by the engine alone.

use engine::{
    Account, Command, Engine, Head, Journal, MemberId, Posting, Programme, Rejection, State, Unit,
};
use serde_json::{Value, json};
use store::{Book, Row, RowSink, Stamp, Touched, first_row};

use crate::dice::Dice;

const PROGRAMME: &str = r#"
    name = "all three"
    [growth]
    contribution = "20%"
    issue_price = "1.00"
    issue_cap = "100000000"
    redeem_fee = "10%"
    exchange_fee = "5%"
    forced_exit = true
    [growth.grants]
    buyer = "60%"
    sponsors = ["20%", "10%"]
    [quota]
    buyer = "200%"
    sponsors = ["4%"]
    [share]
    per = "10.00"
    sponsors = ["10%"]
    [[dividend]]
    name = "static"
    rate = "10%"
    split = "pro_rata"
    [[dividend]]
    name = "dynamic"
    rate = "5%"
    split = "tiers"
    undistributed = "carry"
    [[dividend.tiers]]
    name = "V1"
    min = "10"
    max = "99.999999"
    rate = "2%"
    [[dividend.tiers]]
    name = "V2"
    min = "100"
    rate = "3%"
    [release]
    daily = "1.2%"
    generations = ["50%", "30%", "10%", "5%", "5%", "5%", "4%", "4%", "3%", "3%", "2%", "2%", "1%", "1%", "1%", "1%"]
    [[release.packages]]
    name = "初级会员"
    price = "20.00"
    multiple = "2.5x"
    [[release.packages]]
    name = "高级会员"
    price = "180.00"
    multiple = "3.5x"
    [release.team]
    peer = "3%"
    [[release.team.stars]]
    name = "一星"
    volume = "500.00"
    rate = "10%"
    [[release.team.stars]]
    name = "二星"
    volume = "2000.00"
    rate = "20%"
    [reward]
    usage = "100%"
    convert = true
"#;

const MERCHANTS: usize = 5;

/// How long a stream is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub members: usize,
    /// Package orders of the first day: each is a lot that every settlement releases from.
    pub lots: usize,
    pub days: usize,
    pub commands_a_day: usize,
}

impl Size {
    pub const LARGE: Self = Self { members: 300, lots: 4_000, days: 10, commands_a_day: 150 };
    pub const SMALL: Self = Self { members: 40, lots: 150, days: 5, commands_a_day: 60 };
}

/// The stream and what it comes to.
pub struct Plan {
    pub programme: Programme,
    pub lines: Vec<String>,
    pub commands: Vec<Command>,
    pub outcomes: Vec<Result<(), Rejection>>,
    /// Whether a settlement comes before the command.
    pub is_after_settlement: Vec<bool>,
    /// All that was posted, in order.
    pub postings: Vec<Posting>,
    /// The state file.
    pub state: String,
    /// The journal's end, if everything is recorded at [`Plan::RECORDED_AT`].
    pub head: store::Head,
    /// Rows of the longest entry, and bytes.
    pub rows_max: u64,
    pub bytes_max: usize,
    pub forced_exits: u64,
}

impl Plan {
    pub const RECORDED_AT: i64 = 1_000_000;

    pub fn make(seed: u64, size: Size) -> Self {
        let programme = Programme::from_toml(PROGRAMME).expect("a programme");
        let mut maker = Maker {
            dice: Dice::new(seed),
            engine: Engine::new(programme.clone(), seed),
            told: Told::default(),
            lines: Vec::new(),
            commands: Vec::new(),
            outcomes: Vec::new(),
            is_after_settlement: Vec::new(),
            day: 1,
            second: 0,
            orders: 0,
        };
        maker.first_day(size);
        for day in 2..=size.days {
            // Now and then nobody comes for some days: they are settled in one go.
            maker.day += if day % 4 == 0 { 5 } else { 1 };
            maker.second = 0;
            if day == size.days / 2 {
                maker.amend();
            }
            for _ in 0..size.commands_a_day {
                maker.anything(size);
            }
        }
        maker.finish(programme)
    }

    pub fn key(index: usize) -> String {
        format!("key {index}")
    }
}

pub fn file(state: &State) -> String {
    serde_json::to_string(&state.to_file(&[])).unwrap()
}

#[derive(Default)]
struct Told(Vec<Posting>);

impl Journal for Told {
    fn open(&mut self, _: &State, _: &Head<'_>) {}
    fn post(&mut self, _: &State, postings: &[Posting]) {
        self.0.extend_from_slice(postings);
    }
    fn close(&mut self, _: &State) {}
}

struct Maker {
    dice: Dice,
    engine: Engine,
    told: Told,
    lines: Vec<String>,
    commands: Vec<Command>,
    outcomes: Vec<Result<(), Rejection>>,
    is_after_settlement: Vec<bool>,
    day: usize,
    second: usize,
    orders: usize,
}

impl Maker {
    fn add(&mut self, mut event: Value) {
        let (hours, minutes, seconds) =
            (8 + self.second / 3600, self.second / 60 % 60, self.second % 60);
        let day = self.day;
        event["at"] = json!(format!("2026-01-{day:02}T{hours:02}:{minutes:02}:{seconds:02}+08:00"));
        self.second += 1;
        let line = event.to_string();
        let command = Command::from_json(&line).expect("a command");
        let mut is_after_settlement = false;
        while let Some(settlement) = self.engine.settlement_due(&command) {
            self.engine.apply(&settlement, &mut self.told).expect("a settlement");
            is_after_settlement = true;
        }
        self.outcomes.push(self.engine.apply(&command, &mut self.told));
        self.is_after_settlement.push(is_after_settlement);
        self.commands.push(command);
        self.lines.push(line);
    }

    fn first_day(&mut self, size: Size) {
        for merchant in 0..MERCHANTS {
            self.add(json!({"type": "merchant.join", "merchant": format!("M{merchant}")}));
        }
        for member in 0..size.members {
            let mut event = json!({"type": "member.join", "member": format!("m{member}")});
            if member > 0 {
                // Now deep, now wide.
                let sponsor =
                    if self.dice.is_one_in(12) { self.dice.below(member) } else { member - 1 };
                event["sponsor"] = json!(format!("m{sponsor}"));
            }
            self.add(event);
        }
        for _ in 0..size.lots {
            let order = self.pay(size, &["20.00", "60.00", "180.00", "33.33"]);
            self.add(json!({"type": "order.complete", "order": order}));
        }
    }

    fn pay(&mut self, size: Size, amounts: &[&str]) -> String {
        let order = format!("o{}", self.orders);
        self.orders += 1;
        let mut event = json!({
            "type": "order.pay", "order": order, "member": self.member(size),
            "amount": self.dice.one_of(amounts),
        });
        if self.dice.is_one_in(2) {
            event["merchant"] = json!(self.merchant());
        }
        self.add(event);
        order
    }

    fn member(&mut self, size: Size) -> String {
        format!("m{}", self.dice.below(size.members))
    }

    fn merchant(&mut self) -> String {
        format!("M{}", self.dice.below(MERCHANTS))
    }

    fn order(&mut self) -> String {
        format!("o{}", self.dice.below(self.orders + 1))
    }

    /// One of the last orders, or any.
    fn late_order(&mut self) -> String {
        let back = 1 + self.dice.below(10);
        if self.dice.is_one_in(3) { self.order() } else { format!("o{}", self.orders - back) }
    }

    fn has(&self, member: &str, unit: Unit) -> i64 {
        let id: MemberId = self.engine.state().find_member(member).unwrap();
        self.engine.state().balance(Account::Member(id), unit)
    }

    fn merchant_has(&self, merchant: &str, unit: Unit) -> i64 {
        let id = self.engine.state().find_merchant(merchant).unwrap();
        self.engine.state().balance(Account::Merchant(id), unit)
    }

    /// A part of what somebody has, and now and then more than that.
    fn part(&mut self, unit: Unit, has: i64) -> String {
        let has = has.max(1);
        let steps = match self.dice.below(8) {
            0 => has,
            1 => has + 1,
            part => has / part as i64,
        };
        unit.amount(steps).to_string()
    }

    fn anything(&mut self, size: Size) {
        let member = self.member(size);
        let merchant = self.merchant();
        match self.dice.below(20) {
            0..=3 => drop(self.pay(size, &["20.00", "180.00", "5.55", "0.01", "-3.00"])),
            4..=6 => {
                let order = self.late_order();
                self.add(json!({"type": "order.complete", "order": order}));
            }
            7 => {
                let order = self.late_order();
                self.add(json!({"type": "order.refund", "order": order}));
            }
            8 => {
                let order = self.late_order();
                self.add(json!({"type": "order.refund", "order": order, "amount": "5.01"}));
            }
            9 => self.pay_with_points(&member, &merchant),
            10 | 11 => {
                let points = self.part(Unit::Growth, self.has(&member, Unit::Growth));
                self.add(json!({"type": "growth.redeem", "member": member, "points": points}));
            }
            12 => {
                let points = self.part(Unit::Growth, self.has(&member, Unit::Growth));
                self.add(json!({"type": "growth.exchange", "member": member, "points": points}));
            }
            13 => {
                let amount = self.part(Unit::Stable, self.merchant_has(&merchant, Unit::Stable));
                self.add(json!({"type": "stable.claim", "merchant": merchant, "amount": amount}));
            }
            14 => {
                let amount = self.part(Unit::Cash, self.has(&member, Unit::Cash));
                self.add(json!({"type": "cash.withdraw", "member": member, "amount": amount}));
            }
            15 => {
                let amount = self.part(Unit::Cash, self.merchant_has(&merchant, Unit::Cash));
                self.add(json!({"type": "cash.withdraw", "merchant": merchant, "amount": amount}));
            }
            16 => {
                let points = self.part(Unit::Reward, self.has(&member, Unit::Reward));
                self.add(json!({"type": "reward.convert", "member": member, "points": points}));
            }
            17 => self.adjust(&member),
            18 => self.add(json!({"type": "member.join", "member": member})),
            _ => self.nonsense(&member),
        }
    }

    fn pay_with_points(&mut self, member: &str, merchant: &str) {
        let stable = self.part(Unit::Stable, self.has(member, Unit::Stable));
        let reward = self.has(member, Unit::Reward) / 2 / 10_000 * 10_000;
        let order = format!("o{}", self.orders);
        self.orders += 1;
        self.add(json!({
            "type": "order.pay", "order": order, "member": member, "merchant": merchant,
            "amount": "250.00", "stable": stable, "reward": Unit::Reward.amount(reward).to_string(),
        }));
    }

    fn adjust(&mut self, member: &str) {
        let unit = *self.dice.one_of(&["quota", "share", "reward", "growth", "gold"]);
        let amount = *self.dice.one_of(&["1.00", "2.50", "-0.01", "100000000.00", "0.001"]);
        let reason = *self.dice.one_of(&["goodwill", "客服", ""]);
        self.add(json!({
            "type": "member.adjust", "member": member, "unit": unit, "amount": amount,
            "reason": reason, "operator": "op",
        }));
    }

    fn nonsense(&mut self, member: &str) {
        let order = format!("o{}", self.orders - 1);
        let event = match self.dice.below(6) {
            0 => json!({"type": "growth.redeem", "member": member, "points": "1.23456789"}),
            1 => json!({"type": "order.complete", "order": "no such order"}),
            2 => json!({"type": "day.settle", "day": "2020-01-01"}),
            3 => json!({"type": "order.refund", "order": order, "amount": "all"}),
            4 => json!({"type": "stable.claim", "merchant": "nobody", "amount": ""}),
            _ => json!({"type": "programme.amend", "programme": {"name": 3}}),
        };
        self.add(event);
    }

    fn amend(&mut self) {
        let mut programme = Programme::from_toml(PROGRAMME).unwrap().to_json();
        programme["release"]["daily"] = json!("2%");
        self.add(json!({"type": "programme.amend", "programme": programme}));
    }

    fn finish(self, programme: Programme) -> Plan {
        let state = self.engine.state();
        let (head, rows_max, bytes_max) = recorded(&programme, &self.commands);
        Plan {
            state: file(state),
            forced_exits: state.forced_exits(),
            programme,
            lines: self.lines,
            commands: self.commands,
            outcomes: self.outcomes,
            is_after_settlement: self.is_after_settlement,
            postings: self.told.0,
            head,
            rows_max,
            bytes_max,
        }
    }
}

/// Where the journal ends, and the rows and bytes of its longest entry.
fn recorded(programme: &Programme, commands: &[Command]) -> (store::Head, u64, usize) {
    #[derive(Default)]
    struct Count {
        rows: u64,
        rows_max: u64,
        bytes: usize,
        bytes_max: usize,
    }
    impl RowSink for Count {
        fn take(&mut self, row: Row, _: &mut Vec<Touched>) {
            self.rows += 1;
            self.rows_max = self.rows_max.max(row.seq - row.entry + 1);
            self.bytes = if row.seq == row.entry { 0 } else { self.bytes } + row.size();
            self.bytes_max = self.bytes_max.max(self.bytes);
        }
    }
    let mut count = Count::default();
    let mut book = Book::open(&first_row(programme, Plan::RECORDED_AT), 0).unwrap();
    let recorded_at = Plan::RECORDED_AT;
    for (index, command) in commands.iter().enumerate() {
        while let Some(settlement) = book.engine.settlement_due(command) {
            book.apply(&settlement, Stamp { recorded_at, key: None }, &mut count).unwrap();
        }
        let key = Plan::key(index);
        // What is refused is recorded, too.
        let _ = book.apply(command, Stamp { recorded_at, key: Some(&key) }, &mut count);
    }
    assert_eq!(count.rows, book.recorder.head().seq);
    (book.recorder.head(), count.rows_max, count.bytes_max)
}

#[test]
fn a_plan_has_everything_in_it() {
    let start = std::time::Instant::now();
    let plan = Plan::make(1, Size::LARGE);
    let accepted = |kind: &str| {
        let mut all = plan.commands.iter().zip(&plan.outcomes);
        all.any(|(command, outcome)| command.action.kind() == kind && outcome.is_ok())
    };
    for kind in [
        "member.join",
        "merchant.join",
        "order.pay",
        "order.complete",
        "order.refund",
        "growth.redeem",
        "growth.exchange",
        "stable.claim",
        "reward.convert",
        "member.adjust",
        "cash.withdraw",
        "programme.amend",
    ] {
        assert!(accepted(kind), "no {kind} is accepted");
    }
    let refused = plan.outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert!(refused > plan.outcomes.len() / 50, "only {refused} are refused");
    assert!(plan.forced_exits > 0, "nobody is forced to exit");
    assert!(plan.rows_max > 10, "a settlement has only {} rows", plan.rows_max);
    println!(
        "{} commands, {} rows, {} ({} bytes) of the longest, {} postings, {} forced exits, made in {:?}",
        plan.lines.len(),
        plan.head.seq,
        plan.rows_max,
        plan.bytes_max,
        plan.postings.len(),
        plan.forced_exits,
        start.elapsed()
    );
    Plan::make(1, Size::SMALL);
}
