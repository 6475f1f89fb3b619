//! The plain model of the rules in `programme.md`: the same answers as the engine, by the most
//! naive way there is. It is written to be read and to be compared with, not to be fast.

pub mod book;
pub mod exits;
pub mod money;
pub mod orders;
pub mod people;
pub mod points;
pub mod price;
pub mod programme;
pub mod refund;
pub mod report;
pub mod settle;

use book::{Account, Book, Name, Unit};
use jiff::civil::Date;
use money::{Outcome, refuse};
use orders::Order;
use people::Person;
use price::Price;
use programme::Programme;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One order's locked points.
#[derive(Clone, Debug)]
pub struct Lot {
    pub order: Name,
    pub member: Name,
    pub day: Date,
    pub daily: i128,
    pub remaining: i128,
    /// All that ever left the lot, by release or by a refund (for the laws only).
    pub given: i128,
}

/// What a member limited by quota was granted and has drawn (for the laws only).
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    pub granted: i128,
    pub drawn: i128,
}

#[derive(Clone, Debug)]
pub struct Plain {
    pub programme: Programme,
    pub pending: Option<Programme>,
    pub open_day: Option<Date>,
    pub book: Book,
    /// In joining order.
    pub members: Vec<Name>,
    pub merchants: Vec<Name>,
    pub people: BTreeMap<Name, Person>,
    pub orders: BTreeMap<Name, Arc<Order>>,
    /// Order numbers in the order of completion.
    pub completed: Vec<Name>,
    pub lots: Vec<Lot>,
    /// All growth points ever issued.
    pub issued: i128,
    /// The price kept when the last point was burnt.
    pub kept: Option<Price>,
    pub turnover: i128,
    pub forced_exits: i128,
    pub drawn: BTreeMap<Name, Drawn>,
    /// Of the command being applied: the price before it, and whether it has burnt points.
    price_before: Price,
    burnt: bool,
}

impl Plain {
    pub fn new(programme_toml: &str) -> Outcome<Plain> {
        let programme = Programme::from_toml(programme_toml)?;
        Ok(Plain {
            programme,
            pending: None,
            open_day: None,
            book: Book::default(),
            members: Vec::new(),
            merchants: Vec::new(),
            people: BTreeMap::new(),
            orders: BTreeMap::new(),
            completed: Vec::new(),
            lots: Vec::new(),
            issued: 0,
            kept: None,
            turnover: 0,
            forced_exits: 0,
            drawn: BTreeMap::new(),
            price_before: Price { cash: 0, points: 1 },
            burnt: false,
        })
    }

    /// Section 4, "Days": the missing settlements first, then the command.
    pub fn feed(&mut self, command: &Value) -> Outcome<()> {
        if text(command, "type") != "day.settle"
            && let Some(day) = day_of(text(command, "at"))
        {
            while let Some(open) = self.open_day
                && open < day
            {
                let at = text(command, "at");
                let settle =
                    serde_json::json!({"type": "day.settle", "day": open.to_string(), "at": at});
                if self.apply(&settle).is_err() {
                    break; // the command itself then falls on a day that is not open
                }
            }
        }
        self.apply(command)
    }

    /// One command, wholly or not at all.
    pub fn apply(&mut self, command: &Value) -> Outcome<()> {
        let before = self.clone();
        let outcome = self.command(command);
        if outcome.is_err() {
            *self = before;
        }
        outcome
    }

    fn command(&mut self, command: &Value) -> Outcome<()> {
        self.check_day(command)?;
        self.price_before = self.price();
        self.burnt = false;
        self.carry_out(command)?;
        self.force_exits()?;
        self.sweep_dust()?;
        // Locked and reward points have one range together, so that a release cannot leave it.
        let releasable = self.book.issued(Unit::Locked) + self.book.issued(Unit::Reward);
        if i64::try_from(releasable).is_err() { refuse("overflow") } else { Ok(()) }
    }

    fn check_day(&mut self, command: &Value) -> Outcome<()> {
        let Some(day) = day_of(text(command, "at")) else {
            return refuse("bad_command");
        };
        let open = *self.open_day.get_or_insert(day);
        if text(command, "type") == "day.settle" {
            return match text(command, "day").parse::<Date>() {
                Ok(day) if day == open => Ok(()),
                _ => refuse("day_out_of_order"),
            };
        }
        if day < open {
            return refuse("day_closed");
        }
        if day > open {
            return refuse("day_not_settled");
        }
        Ok(())
    }

    fn carry_out(&mut self, command: &Value) -> Outcome<()> {
        match text(command, "type") {
            "member.join" => self.member_join(command),
            "merchant.join" => self.merchant_join(command),
            "order.pay" => self.order_pay(command),
            "order.complete" => self.order_complete(command),
            "order.refund" => self.order_refund(command),
            "growth.redeem" => self.growth_redeem(command),
            "growth.exchange" => self.growth_exchange(command),
            "stable.claim" => self.stable_claim(command),
            "reward.convert" => self.reward_convert(command),
            "member.adjust" => self.member_adjust(command),
            "cash.withdraw" => self.cash_withdraw(command),
            "programme.amend" => self.programme_amend(command),
            "day.settle" => self.settle(),
            _ => refuse("bad_command"),
        }
    }

    /// An amendment is checked like a file, and takes effect at the close of the day.
    fn programme_amend(&mut self, command: &Value) -> Outcome<()> {
        let nothing = Value::Null;
        let file = command.get("programme").unwrap_or(&nothing);
        let Ok(programme) = Programme::from_json(file) else {
            return refuse("bad_programme");
        };
        if self.takes_growth_away(&programme) {
            return refuse("bad_programme");
        }
        self.pending = Some(programme);
        Ok(())
    }

    /// "An amendment may not take `[growth]` away while points are in supply."
    fn takes_growth_away(&self, amendment: &Programme) -> bool {
        amendment.growth.is_none() && self.supply() > 0
    }

    // ------------------------------------------------------------ reading

    pub fn balance(&self, unit: Unit, account: &Account) -> i128 {
        self.book.balance(unit, account)
    }

    pub fn member_balance(&self, unit: Unit, member: &Name) -> i128 {
        self.balance(unit, &Account::Member(member.clone()))
    }

    pub fn pool(&self) -> i128 {
        self.balance(Unit::Cash, &Account::Pool)
    }

    pub fn revenue(&self) -> i128 {
        self.balance(Unit::Cash, &Account::Revenue)
    }

    /// All growth points there are: members', merchants' and the reserve.
    pub fn supply(&self) -> i128 {
        self.book.issued(Unit::Growth)
    }
}

/// A text field of a command; absent or no text reads as empty.
pub fn text<'a>(command: &'a Value, key: &str) -> &'a str {
    command.get(key).and_then(Value::as_str).unwrap_or("")
}

/// Whether a field is given (null is not given).
pub fn given(command: &Value, key: &str) -> bool {
    command.get(key).is_some_and(|value| !value.is_null())
}

/// An unsigned amount in a field; absent or no text is no amount.
pub fn amount_in(command: &Value, key: &str, unit: Unit) -> Outcome<i128> {
    money::amount(text(command, key), unit.decimals() as usize)
}

/// The business day: the date in UTC+8.
pub fn day_of(at: &str) -> Option<Date> {
    let instant: jiff::Timestamp = at.parse().ok()?;
    Some(jiff::tz::Offset::constant(8).to_datetime(instant).date())
}
